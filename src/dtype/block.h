/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/block.h - what types that store blocks share; private to this room. docs/format/quants.md draws each block. */
#ifndef ALM_DTYPE_BLOCK_H
#define ALM_DTYPE_BLOCK_H

#include "dtype/dtype.h"
#include "dtype/half.h"

#include <stdbool.h>

static inline uint32_t alm_load_u32(const uint8_t *at) {
    return alm_load_u16(at) | (uint32_t)alm_load_u16(at + 2) << 16;
}

/* Before a loop of 16 over small types: gcc would unroll it whole before it looks for lanes, and then find none (q4_0 was
 * three times as slow). */
#if defined(__GNUC__) && !defined(__clang__)
#define ALM_ROLLED _Pragma("GCC unroll 1")
#else
#define ALM_ROLLED
#endif

/* n bits of v from bit `at` on. */
static inline unsigned alm_bits(unsigned v, unsigned at, unsigned n) { return v >> at & ((1U << n) - 1); }

/* 0 or 1 for each of 8 bits of v, the lowest first: two words for the loop that shifts. */
static inline void alm_spread(uint8_t out[8], unsigned v) {
    uint64_t own = v * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201); /* byte i keeps bit i */
    uint64_t ones = (own + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
    for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(ones >> 8 * i);
}

/* decode of a type whose block function `one` takes a block from `at` and writes its numbers. */
#define ALM_DECODE_BLOCKS(one, numbers, bytes)                                                    \
    static void decode(float *out, const void *in, size_t n) {                                    \
        const uint8_t *at = in;                                                                   \
        for (size_t b = 0; b < n / (numbers); b++, at += (bytes), out += (numbers)) one(out, at); \
    }
#define ALM_ENCODE_BLOCKS(one, numbers, bytes)                                                  \
    static void encode(void *out, const float *in, size_t n) {                                  \
        uint8_t *at = out;                                                                      \
        for (size_t b = 0; b < n / (numbers); b++, at += (bytes), in += (numbers)) one(at, in); \
    }

/* The whole part of v, between 0 and most; a NaN counts as 0. */
static inline uint8_t alm_cut(float v, int most) {
    if (!(v > 0)) return 0;
    return v < (float)most ? (uint8_t)v : (uint8_t)most;
}

/* The first number with the largest distance from 0. NaNs are passed over. */
static inline float alm_farthest(const float *x, size_t n) {
    float most = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        float size = x[i] < 0 ? -x[i] : x[i];
        if (size > most) most = size, at = x[i];
    }
    return at;
}

/* The smallest and the largest number; NaNs are passed over, and two zeros are what nothing gives. */
static inline void alm_range(float *low, float *high, const float *x, size_t n) {
    bool any = false;
    *low = *high = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != x[i]) continue;
        if (!any || x[i] < *low) *low = x[i];
        if (!any || x[i] > *high) *high = x[i];
        any = true;
    }
}

/* To the nearest whole number, halves away from zero; 0 for what is no number or beyond +-2^20. */
static inline int alm_nearest(float v) {
    if (!(v > -0x1p20F && v < 0x1p20F)) return 0;
    int whole = (int)v;
    float rest = v - (float)whole; /* exact */
    return whole + (rest >= 0.5F) - (rest <= -0.5F);
}

/* 128 codes of two bits in 32 bytes: code 32 j + i in bits 2 j and 2 j + 1 of byte i. */
static inline void alm_put_quarters(uint8_t *at, const uint8_t *code) {
    for (size_t i = 0; i < 32; i++)
        at[i] = (uint8_t)(code[i] | code[32 + i] << 2 | code[64 + i] << 4 | code[96 + i] << 6);
}

/* 0, 1, 2 for what is nearest to -1, 0, 1. */
static inline unsigned alm_ternary(float v) {
    int near = alm_nearest(v);
    return near < 0 ? 0 : near > 0 ? 2 : 1;
}

#endif
