/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq2_s.c - 256 numbers as 32 points of a codebook of 1024 (iq_grid.h): f16 d, 32 bytes with the low bits of the codes, 32
 * bytes of signs, 8 bytes with two high bits of four codes each, 8 bytes with scales of 4 bits, one for 16 numbers.
 *
 *   decode   as iq2_xxs */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 32 + 32 + 8 + 8 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    const uint8_t *low = at + 2, *signs = at + 34, *high = at + 66, *scales = at + 74;
    for (unsigned k = 0; k < 32; k++, out += 8) {
        unsigned code = low[k] | alm_bits(high[k / 4], k % 4 * 2, 2) << 8,
                 scale = alm_bits(scales[k / 4], k / 2 % 2 * 4, 4);
        float by = d * (0.5F + (float)scale) * 0.25F;
        alm_iq2_point(out, alm_grid_iq2_s[code], signs[k], by);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq2_s = {
    .name = "iq2_s", .gguf = 22, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
