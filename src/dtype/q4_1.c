/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q4_1.c - 32 numbers of 4 bits share a scale and a smallest number: f16 d, f16 m, then 16 bytes as in q4_0.
 *
 *   decode   q f32(d), rounded, + f32(m), rounded
 *   encode   m = the smallest, d = (largest - m) / 15 in f32; q = (x - m) (1 / d) + 0.5 cut to 0..15
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 32, BLOCK_BYTES = 4 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at)), m = alm_f16_to_f32(alm_load_u16(at + 2));
    ALM_ROLLED
    for (size_t i = 0; i < 16; i++) out[i] = (float)(at[4 + i] & 15) * d + m;
    ALM_ROLLED
    for (size_t i = 0; i < 16; i++) out[i + 16] = (float)(at[4 + i] >> 4) * d + m;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float low, high;
    alm_range(&low, &high, in, BLOCK);
    float d = (high - low) / 15, inverse = d != 0 ? 1 / d : 0;
    alm_store_u16(at, alm_f16_from_f32(d));
    alm_store_u16(at + 2, alm_f16_from_f32(low));
    for (size_t i = 0; i < 16; i++) {
        unsigned a = alm_cut((in[i] - low) * inverse + 0.5F, 15), b = alm_cut((in[i + 16] - low) * inverse + 0.5F, 15);
        at[4 + i] = (uint8_t)(a | b << 4);
    }
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q4_1 = {
    .name = "q4_1", .gguf = 3, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
