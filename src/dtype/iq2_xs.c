/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq2_xs.c - 256 numbers as 32 points of a codebook of 512 (iq_grid.h): f16 d, 32 u16 (9 bits of code, 7 of signs), 8 bytes
 * with scales of 4 bits, one for 16 numbers.
 *
 *   decode   as iq2_xxs */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 64 + 8 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (unsigned k = 0; k < 32; k++, out += 8) {
        unsigned code = alm_load_u16(at + 2 + 2 * k), scale = alm_bits(at[66 + k / 4], k / 2 % 2 * 4, 4);
        float by = d * (0.5F + (float)scale) * 0.25F;
        alm_iq2_point(out, alm_grid_iq2_xs[code & 511], alm_iq_signs(code >> 9), by);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq2_xs = {
    .name = "iq2_xs", .gguf = 17, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
