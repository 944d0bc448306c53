/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_common.h - what follows from the lanes of any instruction set; every lanes_*.h ends with it.
 *
 * v16 is the natural form of rule D: 16 partial results, partial l in lane l mod ALM_LANES of part l / ALM_LANES, whatever
 * the width of a vector. Elements l, l+16, ... go to partial l; the fold adds (or takes the maximum of) the upper half to
 * the lower by 8, 4, 2, 1. */
#ifndef ALM_LANES_COMMON_H
#define ALM_LANES_COMMON_H

#include <math.h> /* NAN, HUGE_VALF: constants only */
#include <string.h>

static inline vf vf_zero(void) { return vf_set(0.0f); }
static inline vm vf_gt(vf a, vf b) { return vf_lt(b, a); }
static inline vm vf_ge(vf a, vf b) { return vf_le(b, a); }
static inline vm vf_is_nan(vf a) { return vm_not(vf_eq(a, a)); }
/* Bits only: exact also for NaN and infinities. */
static inline vf vf_abs(vf a) { return vf_of_bits(vi_and(vf_bits(a), vi_set(0x7fffffff))); }
static inline vf vf_neg(vf a) { return vf_of_bits(vi_xor(vf_bits(a), vi_set((int32_t)0x80000000U))); }
static inline vf vf_copysign(vf size, vf sign) {
    return vf_of_bits(
        vi_or(vi_and(vf_bits(size), vi_set(0x7fffffff)), vi_and(vf_bits(sign), vi_set((int32_t)0x80000000U))));
}

/* -- bf16: the upper half of an f32; loads exact, stores to nearest even, NaN stays NaN ------------------------------ */

static inline vf vf_of_bf16(vi low_half) { return vf_of_bits(vi_shl(low_half, 16)); }
static inline vi vf_to_bf16(vf a) {
    vi bits = vf_bits(a), upper = vi_shr(bits, 16);
    vi near = vi_shr(vi_add(bits, vi_add(vi_set(0x7fff), vi_and(upper, vi_set(1)))), 16);
    return vi_select(vf_is_nan(a), vi_or(upper, vi_set(0x40)), near);
}
static inline vf vf_load_bf16(const uint16_t *at) { return vf_of_bf16(vi_load_u16(at)); }
static inline vf vf_load_bf16_n(const uint16_t *at, size_t n) { return vf_of_bf16(vi_load_u16_n(at, n)); }
static inline void vf_store_bf16(uint16_t *at, vf a) { vi_store_u16(at, vf_to_bf16(a)); }
static inline void vf_store_bf16_n(uint16_t *at, vf a, size_t n) { vi_store_u16_n(at, vf_to_bf16(a), n); }

/* -- 16 partials ---------------------------------------------------------------------------------------------------- */

#define ALM_PARTS (16 / ALM_LANES)
typedef struct v16 {
    vf part[ALM_PARTS];
} v16;

/* ALM_UNROLL(n) before a loop of at most n rounds: what the rounds index then lives in registers. */
#define ALM_STRING(...) #__VA_ARGS__
#ifdef ALM_LANES_GENERIC
#define ALM_UNROLL(n) /* nothing to win, and minutes of the compiler to lose */
#else
#define ALM_UNROLL(n) _Pragma(ALM_STRING(GCC unroll n))
#endif

static inline v16 v16_set(float a) {
    v16 out;
    for (size_t i = 0; i < ALM_PARTS; i++) out.part[i] = vf_set(a);
    return out;
}
static inline v16 v16_load(const float *at) {
    v16 out;
    for (size_t i = 0; i < ALM_PARTS; i++) out.part[i] = vf_load(at + i * ALM_LANES);
    return out;
}
/* The first n (0..16) from memory, +0 behind them. */
static inline v16 v16_load_n(const float *at, size_t n) {
    v16 out;
    for (size_t i = 0; i < ALM_PARTS; i++) {
        size_t from = i * ALM_LANES, left = n > from ? n - from : 0;
        out.part[i] = left >= ALM_LANES ? vf_load(at + from) : left ? vf_load_n(at + from, left) : vf_zero();
    }
    return out;
}
static inline void v16_store(float *at, v16 a) {
    for (size_t i = 0; i < ALM_PARTS; i++) vf_store(at + i * ALM_LANES, a.part[i]);
}
static inline v16 v16_add(v16 a, v16 b) {
    for (size_t i = 0; i < ALM_PARTS; i++) a.part[i] = vf_add(a.part[i], b.part[i]);
    return a;
}
static inline v16 v16_fma(v16 a, v16 b, v16 c) {
    for (size_t i = 0; i < ALM_PARTS; i++) c.part[i] = vf_fma(a.part[i], b.part[i], c.part[i]);
    return c;
}
static inline v16 v16_max(v16 a, v16 b) {
    for (size_t i = 0; i < ALM_PARTS; i++) a.part[i] = vf_max(a.part[i], b.part[i]);
    return a;
}
/* The partials l >= n keep what they had in `old`: for the last, shorter stretch. Sums and squares that start from +0 do not
 * need it: their partials are never -0, so loading +0 behind the end and adding it changes no bit. Products (fma of a small
 * negative product may leave -0) and maxima do. */
static inline v16 v16_keep(v16 fresh, v16 old, size_t n) {
    float a[16], b[16];
    v16_store(a, fresh), v16_store(b, old);
    for (size_t l = n; l < 16; l++) a[l] = b[l];
    return v16_load(a);
}
static inline float v16_fold_add(v16 a) {
    float p[16];
    v16_store(p, a);
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] = p[l] + p[l + half];
    return p[0];
}
/* p[l] = p[l] > p[l + half] ? p[l] : p[l + half] */
static inline float v16_fold_max(v16 a) {
    float p[16];
    v16_store(p, a);
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] = p[l] > p[l + half] ? p[l] : p[l + half];
    return p[0];
}

#endif
