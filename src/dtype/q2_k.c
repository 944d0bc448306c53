/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q2_k.c - 256 numbers of 2 bits, 16 of them with a scale and a minimum of 4 bits each: 16 bytes (scale below minimum),
 * 64 bytes of 2 bits, f16 d, f16 dmin. Half h of the block, of 128 numbers, lies in bytes 32 h .. 32 h + 31: number 32 j + i
 * of the half is bits 2 j and 2 j + 1 of byte i.
 *
 *   decode   (d scale) q - (dmin minimum), each product and the difference rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/search.h"

enum { BLOCK = 256, BLOCK_BYTES = 16 + 64 + 4 };

static void take(float *out, const uint8_t *at) {
    const uint8_t *scale = at, *q = at + 16;
    float d = alm_f16_to_f32(alm_load_u16(at + 80)), low = alm_f16_to_f32(alm_load_u16(at + 82));
    for (unsigned g = 0; g < 16; g++, out += 16) { /* 16 numbers with one scale */
        const uint8_t *from = q + g / 8 * 32 + g % 2 * 16;
        unsigned shift = g / 2 % 4 * 2;
        float by = d * (float)(scale[g] & 15), less = low * (float)(scale[g] >> 4);
        ALM_ROLLED
        for (size_t i = 0; i < 16; i++) out[i] = by * (float)(from[i] >> shift & 3) - less;
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_minimum_search how = {.n_groups = 16, .group = 16, .scale_high = 15, .high = 3};
    float d, low;
    unsigned scale[16], minimum[16];
    uint8_t code[BLOCK];
    alm_search_minima(&d, &low, scale, minimum, code, in, &how);
    for (size_t g = 0; g < 16; g++) at[g] = (uint8_t)(scale[g] | minimum[g] << 4);
    alm_put_quarters(at + 16, code);
    alm_put_quarters(at + 48, code + 128);
    alm_store_u16(at + 80, alm_f16_from_f32(d)), alm_store_u16(at + 82, alm_f16_from_f32(low));
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q2_k = {
    .name = "q2_k", .gguf = 10, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
