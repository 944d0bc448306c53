/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/f16.c - IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits), little-endian.
 * Encoding rounds to nearest even (half.h). */
#include "dtype/dtype.h"
#include "dtype/half.h"

static void decode(float *out, const void *in, size_t n) {
    const uint8_t *at = in;
    for (size_t i = 0; i < n; i++) out[i] = alm_f16_to_f32(alm_load_u16(at + 2 * i));
}

static void encode(void *out, const float *in, size_t n) {
    uint8_t *at = out;
    for (size_t i = 0; i < n; i++) alm_store_u16(at + 2 * i, alm_f16_from_f32(in[i]));
}

const alm_type alm_type_f16 = {
    .name = "f16", .gguf = ALM_F16, .block = 1, .block_bytes = 2, .decode = decode, .encode = encode};
