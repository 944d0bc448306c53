/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q4_0.c - 32 numbers of 4 bits share a scale: f16 d, then 16 bytes; byte i holds number i below number i + 16.
 *
 *   decode   (q - 8) f32(d): exact
 *   encode   d = the number farthest from 0, over -8, in f32, so that it becomes q = 0; q = x (1 / d) + 8.5 cut to 0..15
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 32, BLOCK_BYTES = 2 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    ALM_ROLLED
    for (size_t i = 0; i < 16; i++) out[i] = (float)((at[2 + i] & 15) - 8) * d;
    ALM_ROLLED
    for (size_t i = 0; i < 16; i++) out[i + 16] = (float)((at[2 + i] >> 4) - 8) * d;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float d = alm_farthest(in, BLOCK) / -8, inverse = d != 0 ? 1 / d : 0;
    alm_store_u16(at, alm_f16_from_f32(d));
    for (size_t i = 0; i < 16; i++) {
        unsigned low = alm_cut(in[i] * inverse + 8.5F, 15), high = alm_cut(in[i + 16] * inverse + 8.5F, 15);
        at[2 + i] = (uint8_t)(low | high << 4);
    }
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q4_0 = {
    .name = "q4_0", .gguf = 2, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
