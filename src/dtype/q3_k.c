/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q3_k.c - 256 numbers of 3 bits, 16 of them with a scale of 6 bits each: 32 bytes of third bits (bit g / 2 of byte
 * 16 (g mod 2) + i for number i of group g), 64 bytes with the other two bits as in q2_k, 12 bytes of scales (four low bits of scale
 * g in nibble g / 8 of byte g mod 8, two high bits at 2 (g / 4) of byte 8 + g mod 4), f16 d.
 *
 *   decode   (d (scale - 32)), rounded, times (q - 4), rounded
 *   encode   a search for a small sum of squared errors (search.h) */
#include "dtype/block.h"
#include "dtype/search.h"

#include <string.h>

enum { BLOCK = 256, BLOCK_BYTES = 32 + 64 + 12 + 2 };

static void take(float *out, const uint8_t *at) {
    const uint8_t *high = at, *q = at + 32, *scale = at + 96;
    float d = alm_f16_to_f32(alm_load_u16(at + 108));
    for (unsigned g = 0; g < 16; g++, out += 16) {
        const uint8_t *from = q + g / 8 * 32 + g % 2 * 16, *third = high + g % 2 * 16;
        unsigned shift = g / 2 % 4 * 2, bit = g / 2;
        int six = (scale[g % 8] >> g / 8 * 4 & 15) | (scale[8 + g % 4] >> g / 4 * 2 & 3) << 4;
        float by = d * (float)(six - 32);
        ALM_ROLLED
        for (size_t i = 0; i < 16; i++) out[i] = by * (float)((from[i] >> shift & 3) + (third[i] >> bit & 1) * 4 - 4);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    static const alm_scale_search how = {
        .n_groups = 16, .group = 16, .scale_low = -32, .scale_high = 31, .low = -4, .high = 3};
    float d;
    int scale[16];
    int8_t code[BLOCK];
    uint8_t low[BLOCK];
    alm_search_scales(&d, scale, code, in, &how);
    memset(at, 0, 32), memset(at + 96, 0, 12);
    for (size_t i = 0; i < BLOCK; i++) {
        unsigned q = (unsigned)(code[i] + 4);
        low[i] = q & 3;
        at[i % 32] = (uint8_t)(at[i % 32] | q >> 2 << i / 32);
    }
    alm_put_quarters(at + 32, low);
    alm_put_quarters(at + 64, low + 128);
    for (size_t g = 0; g < 16; g++) {
        unsigned six = (unsigned)(scale[g] + 32);
        at[96 + g % 8] = (uint8_t)(at[96 + g % 8] | (six & 15) << g / 8 * 4);
        at[104 + g % 4] = (uint8_t)(at[104 + g % 4] | six >> 4 << g / 4 * 2);
    }
    alm_store_u16(at + 108, alm_f16_from_f32(d));
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q3_k = {
    .name = "q3_k", .gguf = 11, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
