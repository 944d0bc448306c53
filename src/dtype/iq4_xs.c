/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq4_xs.c - 256 numbers of 4 bits, which name one of 16 levels (iq4.h), 32 of them with a scale of 6 bits: f16 d, u16 with
 * the two high bits of scale j at bit 2 j, 4 bytes with the four low bits (even j below odd j), 128 bytes: each group of 32 as
 * in q4_0.
 *
 *   decode   (d (scale - 32)), rounded, times the level, rounded */
#include "dtype/block.h"
#include "dtype/iq4.h"

enum { BLOCK = 256, BLOCK_BYTES = 2 + 2 + 4 + 128 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    unsigned high = alm_load_u16(at + 2);
    const uint8_t *q = at + 8;
    for (unsigned j = 0; j < 8; j++, q += 16, out += 32) {
        unsigned six = alm_bits(at[4 + j / 2], j % 2 * 4, 4) | (high >> 2 * j & 3) << 4;
        float by = d * (float)((int)six - 32);
        for (size_t i = 0; i < 16; i++) {
            out[i] = by * (float)alm_iq4_level[q[i] & 15];
            out[i + 16] = by * (float)alm_iq4_level[q[i] >> 4];
        }
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq4_xs = {
    .name = "iq4_xs", .gguf = 23, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
