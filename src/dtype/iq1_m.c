/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq1_m.c - 256 numbers as 32 points of the codebook of iq1_s: 32 bytes with the low bits of the codes, 16 bytes with a nibble
 * for each (three high bits, and whether the point is shifted down or up), four u16: four scales of 3 bits, one for 16 numbers,
 * and at their upper ends 4 bits each of the f16 d, the lowest first.
 *
 *   decode   as iq1_s */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 32 + 16 + 8 };

static void take(float *out, const uint8_t *at) {
    const uint8_t *low = at, *high = at + 32, *scales = at + 48;
    unsigned bits = 0;
    for (unsigned i = 0; i < 4; i++) bits |= (unsigned)alm_load_u16(scales + 2 * i) >> 12 << 4 * i;
    float d = alm_f16_to_f32((uint16_t)bits);
    for (unsigned k = 0; k < 32; k++, out += 8) {
        unsigned more = alm_bits(high[k / 2], k % 2 * 4, 4),
                 scale = alm_bits(alm_load_u16(scales + k / 8 * 2), k / 2 % 4 * 3, 3);
        alm_iq1_point(out, alm_grid_iq1[low[k] | (more & 7) << 8], more & 8 ? -0.125F : 0.125F,
                      d * (float)(2 * scale + 1));
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq1_m = {
    .name = "iq1_m", .gguf = 29, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
