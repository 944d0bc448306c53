/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q4_k.c - 256 numbers of 4 bits, 32 of them with a scale and a minimum of 6 bits each: f16 d, f16 dmin, 12 bytes of
 * scales and minima (k_scales.h), 128 bytes: byte 32 c + i holds number 64 c + i below number 64 c + 32 + i.
 *
 *   decode   (d scale) q - (dmin minimum), each product and the difference rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/k_scales.h"
#include "dtype/search.h"

enum { BLOCK = 256, BLOCK_BYTES = 4 + 12 + 128 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at)), low = alm_f16_to_f32(alm_load_u16(at + 2));
    const uint8_t *q = at + 16;
    for (unsigned j = 0; j < 8; j += 2, q += 32, out += 64) {
        unsigned scale[2], minimum[2];
        for (unsigned h = 0; h < 2; h++) alm_k_scale(&scale[h], &minimum[h], at + 4, j + h);
        float d0 = d * (float)scale[0], m0 = low * (float)minimum[0];
        float d1 = d * (float)scale[1], m1 = low * (float)minimum[1];
        for (size_t i = 0; i < 32; i++) out[i] = d0 * (float)(q[i] & 15) - m0;
        for (size_t i = 0; i < 32; i++) out[32 + i] = d1 * (float)(q[i] >> 4) - m1;
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_minimum_search how = {.n_groups = 8, .group = 32, .scale_high = 63, .high = 15};
    float d, low;
    unsigned scale[8], minimum[8];
    uint8_t code[BLOCK];
    alm_search_minima(&d, &low, scale, minimum, code, in, &how);
    alm_store_u16(at, alm_f16_from_f32(d)), alm_store_u16(at + 2, alm_f16_from_f32(low));
    alm_put_k_scales(at + 4, scale, minimum);
    for (size_t i = 0; i < 128; i++) {
        unsigned a = code[i / 32 * 64 + i % 32], b = code[i / 32 * 64 + 32 + i % 32];
        at[16 + i] = (uint8_t)((a & 15) | (b & 15) << 4);
    }
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q4_k = {
    .name = "q4_k", .gguf = 12, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
