/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq3_s.c - 256 numbers as 64 points of a codebook of 512 (iq_grid.h): f16 d, 64 bytes with the low bits of the codes, 8 bytes
 * with the ninth bits, 32 bytes of signs, 4 bytes with scales of 4 bits, one for 32 numbers.
 *
 *   decode   (d (1 + 2 scale)), rounded, times the level, rounded; the sign */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 64 + 8 + 32 + 4 };

static const float level[8] = {1, 3, 5, 7, 9, 11, 13, 15};

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    const uint8_t *low = at + 2, *high = at + 66, *signs = at + 74, *scales = at + 106;
    for (unsigned k = 0; k < 64; k++, out += 4) {
        unsigned code = low[k] | alm_bits(high[k / 8], k % 8, 1) << 8,
                 scale = alm_bits(scales[k / 16], k / 8 % 2 * 4, 4);
        alm_iq3_point(out, level, alm_grid_iq3_s[code], alm_bits(signs[k / 2], k % 2 * 4, 4),
                      d * (float)(1 + 2 * scale));
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq3_s = {
    .name = "iq3_s", .gguf = 21, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
