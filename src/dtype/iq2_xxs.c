/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq2_xxs.c - 256 numbers as 32 points of a codebook of 256 (iq_grid.h): f16 d, then for each 32 numbers 4 code bytes and a
 * u32: four times 7 bits of signs, 4 bits of scale.
 *
 *   decode   ((d (0.5 + scale)), rounded, / 4) level, rounded; the sign */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 64 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    at += 2;
    for (unsigned g = 0; g < 8; g++, at += 8) {
        uint32_t more = alm_load_u32(at + 4);
        float by = d * (0.5F + (float)(more >> 28)) * 0.25F;
        for (unsigned k = 0; k < 4; k++, out += 8)
            alm_iq2_point(out, alm_grid_iq2_xxs[at[k]], alm_iq_signs(more >> 7 * k & 127), by);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq2_xxs = {
    .name = "iq2_xxs", .gguf = 16, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
