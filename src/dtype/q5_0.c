/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q5_0.c - 32 numbers of 5 bits share a scale: f16 d, u32 with the fifth bit of number i at bit i, then 16 bytes with
 * the other four as in q4_0.
 *
 *   decode   (q - 16) f32(d): exact
 *   encode   d = the number farthest from 0, over -16, in f32; q = x (1 / d) + 16.5 cut to 0..31
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 32, BLOCK_BYTES = 2 + 4 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    uint8_t fifth[32];
    for (unsigned i = 0; i < 4; i++) alm_spread(fifth + 8 * i, at[2 + i]);
    ALM_ROLLED
    for (unsigned i = 0; i < 16; i++) out[i] = (float)((at[6 + i] & 15) + fifth[i] * 16 - 16) * d;
    ALM_ROLLED
    for (unsigned i = 0; i < 16; i++) out[i + 16] = (float)((at[6 + i] >> 4) + fifth[i + 16] * 16 - 16) * d;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float d = alm_farthest(in, BLOCK) / -16, inverse = d != 0 ? 1 / d : 0;
    uint32_t fifth = 0;
    alm_store_u16(at, alm_f16_from_f32(d));
    for (unsigned i = 0; i < 16; i++) {
        uint32_t low = alm_cut(in[i] * inverse + 16.5F, 31), high = alm_cut(in[i + 16] * inverse + 16.5F, 31);
        at[6 + i] = (uint8_t)((low & 15) | (high & 15) << 4);
        fifth |= low >> 4 << i | high >> 4 << (i + 16);
    }
    alm_store_u16(at + 2, (uint16_t)fifth), alm_store_u16(at + 4, (uint16_t)(fifth >> 16));
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q5_0 = {
    .name = "q5_0", .gguf = 6, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
