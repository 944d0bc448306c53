/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/mxfp4.c - 32 numbers of 4 bits (1 sign, 2 exponent, 1 fraction) share a power of two: u8 e, 16 bytes as in q4_0 (OCP
 * Microscaling Formats 1.0).
 *
 *   decode   level 2^(e - 128), where the levels are twice those of the standard: 0 1 2 3 4 6 8 12 and their negatives; exact
 *   encode   e = floor(log2(max |x|)) - 2 + 127, at least 0; the level with the smallest distance, the first of equals
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. (It takes log2 in floats; here the exponent is
 * exact.) */
#include "dtype/block.h"

#include <math.h>

enum { BLOCK = 32, BLOCK_BYTES = 1 + 16 };

static const int8_t level[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* 2^(e - 128), a denormal for e < 2. */
static float power(unsigned e) { return alm_f32_from_bits(e < 2 ? UINT32_C(0x200000) << e : (uint32_t)(e - 1) << 23); }

static void take(float *out, const uint8_t *at) {
    float d = power(at[0]);
    for (size_t i = 0; i < 16; i++) {
        out[i] = (float)level[at[1 + i] & 15] * d;
        out[i + 16] = (float)level[at[1 + i] >> 4] * d;
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static unsigned closest(float x, float d) {
    unsigned best = 0;
    float least = HUGE_VALF;
    for (unsigned i = 0; i < 16; i++) {
        float off = fabsf((float)level[i] * d - x);
        if (off < least) least = off, best = i;
    }
    return best;
}

static void put(uint8_t *at, const float *in) {
    float most = fabsf(alm_farthest(in, BLOCK));
    int exponent = 0;
    if (most > 0 && isfinite(most)) frexpf(most, &exponent); /* most = f 2^exponent, f from 1/2 to 1 */
    int e = most > 0 ? exponent - 1 - 2 + 127 : 0;
    e = e < 0 ? 0 : e;
    at[0] = (uint8_t)e;
    float d = power((unsigned)e);
    for (size_t i = 0; i < 16; i++) at[1 + i] = (uint8_t)(closest(in[i], d) | closest(in[i + 16], d) << 4);
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_mxfp4 = {
    .name = "mxfp4", .gguf = 39, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
