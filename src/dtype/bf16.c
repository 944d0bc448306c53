/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/bf16.c - bfloat16 (1 sign, 8 exponent, 7 fraction bits: the upper half of an f32), little-endian.
 * Encoding rounds to nearest even (half.h). */
#include "dtype/dtype.h"
#include "dtype/half.h"

static void decode(float *out, const void *in, size_t n) {
    const uint8_t *at = in;
    for (size_t i = 0; i < n; i++) out[i] = alm_bf16_to_f32(alm_load_u16(at + 2 * i));
}

static void encode(void *out, const float *in, size_t n) {
    uint8_t *at = out;
    for (size_t i = 0; i < n; i++) alm_store_u16(at + 2 * i, alm_bf16_from_f32(in[i]));
}

const alm_type alm_type_bf16 = {
    .name = "bf16", .gguf = ALM_BF16, .block = 1, .block_bytes = 2, .decode = decode, .encode = encode};
