/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q6_k.c - 256 numbers of 6 bits, 16 of them with a scale of 8 bits each: 128 bytes of four low bits, 64 bytes of two high
 * bits, 16 signed scales, f16 d. Half h of the block lies in bytes 64 h and 32 h: number 32 j + i of the half has its low bits
 * in nibble j / 2 of byte 32 (j mod 2) + i and its high bits at 2 j of byte i.
 *
 *   decode   (d scale), rounded, times (q - 32), rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/search.h"

enum { BLOCK = 256, BLOCK_BYTES = 128 + 64 + 16 + 2 };

static void take(float *out, const uint8_t *at) {
    const uint8_t *q = at, *high = at + 128, *scale = at + 192;
    float d = alm_f16_to_f32(alm_load_u16(at + 208));
    for (unsigned g = 0; g < 16; g++, out += 16) {
        /* group of 32 numbers j = g / 2 of 8: nibbles of 64 bytes a half, then the other half of the bytes */
        unsigned half = g / 8, j = g / 2 % 4, side = g % 2 * 16;
        const uint8_t *from = q + half * 64 + j % 2 * 32 + side, *two = high + half * 32 + side;
        unsigned shift = j / 2 * 4, two_shift = j * 2;
        float by = d * (float)(int8_t)scale[g];
        ALM_ROLLED
        for (size_t i = 0; i < 16; i++)
            out[i] = by * (float)((from[i] >> shift & 15) + (two[i] >> two_shift & 3) * 16 - 32);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_scale_search how = {
        .n_groups = 16, .group = 16, .scale_low = -128, .scale_high = 127, .low = -32, .high = 31};
    float d;
    int scale[16];
    int8_t code[BLOCK];
    uint8_t high[BLOCK];
    alm_search_scales(&d, scale, code, in, &how);
    for (size_t i = 0; i < BLOCK; i++) high[i] = (uint8_t)((code[i] + 32) >> 4);
    for (size_t i = 0; i < 128; i++) { /* byte i of 64 a half: numbers i and i + 64 of the half */
        unsigned a = (unsigned)(code[i / 64 * 128 + i % 64] + 32),
                 b = (unsigned)(code[i / 64 * 128 + 64 + i % 64] + 32);
        at[i] = (uint8_t)((a & 15) | (b & 15) << 4);
    }
    alm_put_quarters(at + 128, high);
    alm_put_quarters(at + 160, high + 128);
    for (size_t g = 0; g < 16; g++) at[192 + g] = (uint8_t)(int8_t)scale[g];
    alm_store_u16(at + 208, alm_f16_from_f32(d));
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q6_k = {
    .name = "q6_k", .gguf = 14, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
