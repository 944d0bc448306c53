/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q8_0.c - 32 numbers share a scale: f16 d, then 32 signed bytes q; a number is q d.
 *
 *   decode   f32(d) * q: 11 bits times 8 bits, exact
 *   encode   d = max |x| / 127 in f32, q = x * (1 / d) rounded to the nearest, halves away from zero; the scale is stored
 *            as f16, so what is read back is off by at most half a scale and 2^-11 of the number (where d is a normal f16)
 *
 * Equal, bit for bit, to what GGUF's other writers make of finite numbers. A NaN among them counts as 0; a maximum above
 * 127 * 65504 has an infinite scale, and below 127 * 2^-25 the scale is 0: whoever writes a model looks at the error. */
#include "dtype/dtype.h"
#include "dtype/half.h"

#include <math.h>

enum { BLOCK = 32, BLOCK_BYTES = 2 + BLOCK };

static void decode(float *out, const void *in, size_t n) {
    const uint8_t *at = in;
    for (size_t b = 0; b < n / BLOCK; b++, at += BLOCK_BYTES, out += BLOCK) {
        float d = alm_f16_to_f32(alm_load_u16(at));
        for (size_t i = 0; i < BLOCK; i++) out[i] = (float)(int8_t)at[2 + i] * d;
    }
}

static uint8_t nearest(float v) {
    if (!(fabsf(v) < 128)) return 0; /* only an infinity or a NaN in the block makes such a quotient */
    int whole = (int)v;
    float rest = v - (float)whole; /* exact */
    if (rest >= 0.5F) whole++;
    if (rest <= -0.5F) whole--;
    return (uint8_t)whole;
}

static void encode(void *out, const float *in, size_t n) {
    uint8_t *at = out;
    for (size_t b = 0; b < n / BLOCK; b++, at += BLOCK_BYTES, in += BLOCK) {
        float most = 0;
        for (size_t i = 0; i < BLOCK; i++) most = fabsf(in[i]) > most ? fabsf(in[i]) : most;
        float d = most / 127;
        float inverse = d > 0 ? 1 / d : 0;
        alm_store_u16(at, alm_f16_from_f32(d));
        for (size_t i = 0; i < BLOCK; i++) at[2 + i] = nearest(in[i] * inverse);
    }
}

const alm_type alm_type_q8_0 = {
    .name = "q8_0", .gguf = ALM_Q8_0, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
