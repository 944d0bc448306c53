/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q5_k.c - 256 numbers of 5 bits, 32 of them with a scale and a minimum of 6 bits each: f16 d, f16 dmin, 12 bytes of
 * scales and minima (k_scales.h), 32 bytes of fifth bits (bit j of byte i for number i of group j), 128 bytes as in q4_k.
 *
 *   decode   (d scale) q - (dmin minimum), each product and the difference rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/k_scales.h"
#include "dtype/search.h"

#include <string.h>

enum { BLOCK = 256, BLOCK_BYTES = 4 + 12 + 32 + 128 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at)), low = alm_f16_to_f32(alm_load_u16(at + 2));
    const uint8_t *fifth = at + 16, *q = at + 48;
    for (unsigned j = 0; j < 8; j += 2, q += 32, out += 64) {
        unsigned scale[2], minimum[2];
        for (unsigned h = 0; h < 2; h++) alm_k_scale(&scale[h], &minimum[h], at + 4, j + h);
        float d0 = d * (float)scale[0], m0 = low * (float)minimum[0];
        float d1 = d * (float)scale[1], m1 = low * (float)minimum[1];
        for (size_t i = 0; i < 32; i++) out[i] = d0 * (float)((q[i] & 15) + (fifth[i] >> j & 1) * 16) - m0;
        for (size_t i = 0; i < 32; i++) out[32 + i] = d1 * (float)((q[i] >> 4) + (fifth[i] >> (j + 1) & 1) * 16) - m1;
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_minimum_search how = {.n_groups = 8, .group = 32, .scale_high = 63, .high = 31};
    float d, low;
    unsigned scale[8], minimum[8];
    uint8_t code[BLOCK];
    alm_search_minima(&d, &low, scale, minimum, code, in, &how);
    alm_store_u16(at, alm_f16_from_f32(d)), alm_store_u16(at + 2, alm_f16_from_f32(low));
    alm_put_k_scales(at + 4, scale, minimum);
    for (size_t i = 0; i < 128; i++) {
        unsigned a = code[i / 32 * 64 + i % 32], b = code[i / 32 * 64 + 32 + i % 32];
        at[48 + i] = (uint8_t)((a & 15) | (b & 15) << 4);
    }
    memset(at + 16, 0, 32);
    for (size_t i = 0; i < BLOCK; i++) at[16 + i % 32] = (uint8_t)(at[16 + i % 32] | code[i] >> 4 << i / 32);
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q5_k = {
    .name = "q5_k", .gguf = 13, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
