/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q5_1.c - 32 numbers of 5 bits share a scale and a smallest number: f16 d, f16 m, u32 of fifth bits and 16 bytes as in
 * q5_0.
 *
 *   decode   q f32(d), rounded, + f32(m), rounded
 *   encode   m = the smallest, d = (largest - m) / 31 in f32; q = (x - m) (1 / d) + 0.5 cut to 0..31
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 32, BLOCK_BYTES = 4 + 4 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at)), m = alm_f16_to_f32(alm_load_u16(at + 2));
    uint8_t fifth[32];
    for (unsigned i = 0; i < 4; i++) alm_spread(fifth + 8 * i, at[4 + i]);
    ALM_ROLLED
    for (unsigned i = 0; i < 16; i++) out[i] = (float)((at[8 + i] & 15) + fifth[i] * 16) * d + m;
    ALM_ROLLED
    for (unsigned i = 0; i < 16; i++) out[i + 16] = (float)((at[8 + i] >> 4) + fifth[i + 16] * 16) * d + m;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float least, most;
    alm_range(&least, &most, in, BLOCK);
    float d = (most - least) / 31, inverse = d != 0 ? 1 / d : 0;
    uint32_t fifth = 0;
    alm_store_u16(at, alm_f16_from_f32(d));
    alm_store_u16(at + 2, alm_f16_from_f32(least));
    for (unsigned i = 0; i < 16; i++) {
        uint32_t low = alm_cut((in[i] - least) * inverse + 0.5F, 31),
                 high = alm_cut((in[i + 16] - least) * inverse + 0.5F, 31);
        at[8 + i] = (uint8_t)((low & 15) | (high & 15) << 4);
        fifth |= low >> 4 << i | high >> 4 << (i + 16);
    }
    alm_store_u16(at + 4, (uint16_t)fifth), alm_store_u16(at + 6, (uint16_t)(fifth >> 16));
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q5_1 = {
    .name = "q5_1", .gguf = 7, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
