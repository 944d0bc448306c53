/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/half.h - one number of 16 bits to f32 and back: f16 (IEEE 754 binary16) and bf16 (the upper half of an f32).
 *
 * To f32 is exact. From f32 rounds to nearest even: too large becomes infinity, what is below the normal f16 keeps as many
 * bits as a denormal has. A NaN stays a NaN, made quiet, with the upper bits of its payload.
 * Without branches that a compiler could not turn into lanes. */
#ifndef ALM_DTYPE_HALF_H
#define ALM_DTYPE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t alm_f32_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static inline float alm_f32_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline float alm_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, m = h & 0x7fff;
    /* A denormal m 2^-24: set behind the leading one of 2^-14 it is exact, and the difference takes that one away. */
    uint32_t small = alm_f32_bits(alm_f32_from_bits(0x38800000 + (m << 13)) - 0x1p-14F);
    uint32_t normal = (m << 13) + (m < 0x7c00 ? 112U << 23 : 224U << 23);
    return alm_f32_from_bits(sign | (m < 0x0400 ? small : normal));
}

static inline uint16_t alm_f16_from_f32(float x) {
    uint32_t bits = alm_f32_bits(x), sign = bits >> 16 & 0x8000, m = bits & 0x7fffffff;
    /* The last bit of 0.5 + |x| is that of an f16 denormal, so the sum is the rounding. */
    uint32_t small = alm_f32_bits(alm_f32_from_bits(m < 0x38800000 ? m : 0) + 0.5F) - 0x3f000000;
    uint32_t normal = (m - (112U << 23) + 0xfff + (m >> 13 & 1)) >> 13;
    uint32_t beyond = m > 0x7f800000 ? 0x7e00 | (m >> 13 & 0x3ff) : 0x7c00;
    return (uint16_t)(sign | (m >= 0x477ff000 ? beyond : m < 0x38800000 ? small : normal));
}

static inline float alm_bf16_to_f32(uint16_t h) { return alm_f32_from_bits((uint32_t)h << 16); }

static inline uint16_t alm_bf16_from_f32(float x) {
    uint32_t bits = alm_f32_bits(x);
    uint32_t near = bits + 0x7fff + (bits >> 16 & 1);
    return (uint16_t)(((bits & 0x7fffffff) > 0x7f800000 ? bits | 0x400000 : near) >> 16);
}

/* Little-endian bytes, wherever they lie. */
static inline uint16_t alm_load_u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }
static inline void alm_store_u16(uint8_t *at, uint16_t h) { at[0] = (uint8_t)h, at[1] = (uint8_t)(h >> 8); }

#endif
