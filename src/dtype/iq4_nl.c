/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq4_nl.c - 32 numbers of 4 bits, which name one of 16 levels (iq4.h), share a scale: f16 d, 16 bytes as in q4_0.
 *
 *   decode   f32(d) level: exact
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/iq4.h"
#include "dtype/search.h"

enum { BLOCK = 32, BLOCK_BYTES = 2 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (size_t i = 0; i < 16; i++) {
        out[i] = d * (float)alm_iq4_level[at[2 + i] & 15];
        out[i + 16] = d * (float)alm_iq4_level[at[2 + i] >> 4];
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_scale_search how = {
        .n_groups = 1, .group = BLOCK, .scale_low = 1, .scale_high = 1, .low = 0, .high = 15, .level = alm_iq4_level};
    float d;
    int scale;
    int8_t code[BLOCK];
    alm_search_scales(&d, &scale, code, in, &how);
    alm_store_u16(at, alm_f16_from_f32(d));
    for (size_t i = 0; i < 16; i++) at[2 + i] = (uint8_t)(code[i] | code[i + 16] << 4);
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq4_nl = {
    .name = "iq4_nl", .gguf = 20, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
