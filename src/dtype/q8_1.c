/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q8_1.c - as q8_0, with the sum of the numbers beside the scale: f16 d, f16 s = d (sum of q), 32 signed bytes. Other
 * programs keep activations so; decoding needs only d: q f32(d), exact. Not written. */
#include "dtype/block.h"

enum { BLOCK = 32, BLOCK_BYTES = 4 + BLOCK };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (size_t i = 0; i < BLOCK; i++) out[i] = (float)(int8_t)at[4 + i] * d;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q8_1 = {
    .name = "q8_1", .gguf = 9, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
