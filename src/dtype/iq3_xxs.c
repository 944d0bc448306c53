/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq3_xxs.c - 256 numbers as 64 points of a codebook of 256 (iq_grid.h): f16 d, 64 code bytes, then for each 32 numbers a u32:
 * four times 7 bits of signs, 4 bits of scale.
 *
 *   decode   ((d (0.5 + scale)), rounded, / 2) level, rounded; the sign */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 64 + 32 };

static const float level[8] = {4, 12, 20, 28, 36, 44, 52, 62};

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (unsigned g = 0; g < 8; g++) {
        uint32_t more = alm_load_u32(at + 66 + 4 * g);
        float by = d * (0.5F + (float)(more >> 28)) * 0.5F;
        for (unsigned k = 0; k < 8; k++, out += 4) {
            unsigned signs = alm_iq_signs(more >> k / 2 * 7 & 127) >> k % 2 * 4;
            alm_iq3_point(out, level, alm_grid_iq3_xxs[at[2 + 8 * g + k]], signs, by);
        }
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq3_xxs = {
    .name = "iq3_xxs", .gguf = 18, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
