/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq4_xs.c - 256 numbers of 4 bits, which name one of 16 levels (iq4.h), 32 of them with a scale of 6 bits: f16 d, u16 with
 * the two high bits of scale j at bit 2 j, 4 bytes with the four low bits (even j below odd j), 128 bytes: each group of 32 as
 * in q4_0.
 *
 *   decode   (d (scale - 32)), rounded, times the level, rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/iq4.h"
#include "dtype/search.h"

#include <string.h>

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

static void put(uint8_t *at, const float *in) {
    static const alm_scale_search how = {
        .n_groups = 8, .group = 32, .scale_low = -32, .scale_high = 31, .low = 0, .high = 15, .level = alm_iq4_level};
    float d;
    int scale[8];
    int8_t code[BLOCK];
    unsigned high = 0;
    alm_search_scales(&d, scale, code, in, &how);
    alm_store_u16(at, alm_f16_from_f32(d));
    memset(at + 4, 0, 4);
    for (unsigned j = 0; j < 8; j++) {
        unsigned six = (unsigned)(scale[j] + 32);
        at[4 + j / 2] = (uint8_t)(at[4 + j / 2] | (six & 15) << j % 2 * 4);
        high |= six >> 4 << 2 * j;
        for (size_t i = 0; i < 16; i++) at[8 + 16 * j + i] = (uint8_t)(code[32 * j + i] | code[32 * j + 16 + i] << 4);
    }
    alm_store_u16(at + 2, (uint16_t)high);
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq4_xs = {
    .name = "iq4_xs", .gguf = 23, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
