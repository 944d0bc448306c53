/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q8_k.c - 256 signed bytes share a scale: f32 d, 256 bytes q, then 16 i16 sums of 16 neighbours each. Other programs
 * keep activations so; decoding needs d and q: q d, rounded once. Not written. */
#include "dtype/block.h"

enum { BLOCK = 256, BLOCK_BYTES = 4 + BLOCK + 2 * 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f32_from_bits(alm_load_u32(at));
    for (size_t i = 0; i < BLOCK; i++) out[i] = (float)(int8_t)at[4 + i] * d;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q8_k = {
    .name = "q8_k", .gguf = 15, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
