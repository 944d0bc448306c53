/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/tq1_0.c - 256 numbers out of -1, 0, 1 share a scale, five in a byte: 48 bytes of five, 4 bytes of four, f16 d.
 *
 * Five digits 0..2 are a number v below 243, the first digit the highest; the byte is ceil(256 v / 243), a fraction of 256: times
 * three, its carry is the first digit, and what is left is the fraction of the others. Number 32 k + i is digit k of byte i (five k,
 * i < 32); number 160 + 16 k + i digit k of byte 32 + i; number 240 + 4 k + i digit k of byte 48 + i (four k).
 *
 *   decode   (digit - 1) f32(d): exact
 *   encode   d = max |x|; digit = 1 + x (1 / d) to the nearest, halves away from zero
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 256, BLOCK_BYTES = 48 + 4 + 2 };

static const struct part {
    unsigned first, bytes, digits; /* first byte, how many bytes, digits in each */
} parts[3] = {{0, 32, 5}, {32, 16, 5}, {48, 4, 4}};

static void take(float *out, const uint8_t *at) {
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    float d = alm_f16_to_f32(alm_load_u16(at + 52));
    for (const struct part *p = parts; p < parts + 3; p++) {
        for (unsigned k = 0; k < p->digits; k++, out += p->bytes) {
            for (unsigned i = 0; i < p->bytes; i++) {
                uint8_t rest = (uint8_t)(at[p->first + i] * power[k]);
                out[i] = (float)((rest * 3 >> 8) - 1) * d;
            }
        }
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float d = alm_farthest(in, BLOCK);
    d = d < 0 ? -d : d;
    float inverse = d != 0 ? 1 / d : 0;
    alm_store_u16(at + 52, alm_f16_from_f32(d));
    for (const struct part *p = parts; p < parts + 3; p++) {
        for (unsigned i = 0; i < p->bytes; i++) {
            unsigned v = 0;
            for (unsigned k = 0; k < p->digits; k++) v = v * 3 + alm_ternary(in[k * p->bytes + i] * inverse);
            if (p->digits == 4) v *= 3;
            at[p->first + i] = (uint8_t)((v * 256 + 242) / 243);
        }
        in += p->bytes * p->digits;
    }
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_tq1_0 = {
    .name = "tq1_0", .gguf = 34, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
