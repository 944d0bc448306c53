/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq1_s.c - 256 numbers as 32 points of a codebook of 2048 (iq_grid.h): f16 d, 32 bytes with the low bits of the codes, then for
 * each 32 numbers a u16: four times three high bits of a code, 3 bits of scale, and whether the points are shifted down or up.
 *
 *   decode   (d (2 scale + 1)), rounded, times (level -+ 1/8), rounded */
#include "dtype/iq_grid.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 32 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (unsigned g = 0; g < 8; g++) {
        unsigned more = alm_load_u16(at + 34 + 2 * g);
        float by = d * (float)(2 * (more >> 12 & 7) + 1), shift = more & 0x8000 ? -0.125F : 0.125F;
        for (unsigned k = 0; k < 4; k++, out += 8)
            alm_iq1_point(out, alm_grid_iq1[at[2 + 4 * g + k] | (more >> 3 * k & 7) << 8], shift, by);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq1_s = {
    .name = "iq1_s", .gguf = 19, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
