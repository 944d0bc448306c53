/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_plain.h - the lanes of a machine that has none: a vector of one number. Here stands what each
 * operation means; lanes_avx2.h, lanes_avx512.h and lanes_neon.h return the same bits in every lane.
 *
 * vf: ALM_LANES floats · vi: as many 32-bit integers, two's complement, wrapping · vm: a yes or no for each lane.
 * Names end in _n where only the first n lanes (0 <= n <= ALM_LANES) touch memory; the others are loaded as +0.
 *
 * Numbers: IEEE f32, nearest even, denormals kept; a NaN result is any NaN. fma is rounded once: fmaf of the C library is
 * (on a machine without the instruction it is emulated, exactly and slowly). */
#ifndef ALM_LANES_PLAIN_H
#define ALM_LANES_PLAIN_H

#include "tensor/kernel/lanes_half.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALM_LANES 1

typedef float vf;
typedef int32_t vi;
typedef bool vm;

/* -- memory: no alignment is asked for ------------------------------------------------------------------------------ */

static inline vf vf_load(const float *at) { return *at; }
static inline vf vf_load_n(const float *at, size_t n) { return n ? *at : 0.0f; }
static inline void vf_store(float *at, vf a) { *at = a; }
static inline void vf_store_n(float *at, vf a, size_t n) {
    if (n) *at = a;
}
static inline vi vi_load(const int32_t *at) { return *at; }
static inline vi vi_load_n(const int32_t *at, size_t n) { return n ? *at : 0; }
static inline void vi_store(int32_t *at, vi a) { *at = a; }
static inline void vi_store_n(int32_t *at, vi a, size_t n) {
    if (n) *at = a;
}
/* 16-bit numbers without a sign; a store keeps the low half. */
static inline vi vi_load_u16(const uint16_t *at) { return *at; }
static inline vi vi_load_u16_n(const uint16_t *at, size_t n) { return n ? *at : 0; }
static inline void vi_store_u16(uint16_t *at, vi a) { *at = (uint16_t)a; }
static inline void vi_store_u16_n(uint16_t *at, vi a, size_t n) {
    if (n) *at = (uint16_t)a;
}
/* IEEE binary16: loads are exact, stores round to nearest even. (bf16: lanes_common.h) */
static inline vf vf_load_f16(const uint16_t *at) { return alm_half_decode(*at); }
static inline vf vf_load_f16_n(const uint16_t *at, size_t n) { return n ? alm_half_decode(*at) : 0.0f; }
static inline void vf_store_f16(uint16_t *at, vf a) { *at = alm_half_encode(a); }
static inline void vf_store_f16_n(uint16_t *at, vf a, size_t n) {
    if (n) *at = alm_half_encode(a);
}
/* base[index] in each lane. */
static inline vf vf_gather(const float *base, vi index) { return base[index]; }

/* -- floats --------------------------------------------------------------------------------------------------------- */

static inline vf vf_set(float a) { return a; }
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_sqrt(vf a) { return sqrtf(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return fmaf(a, b, c); }   /* a*b + c */
static inline vf vf_fnma(vf a, vf b, vf c) { return fmaf(-a, b, c); } /* c - a*b */
/* b where either is NaN, and for two zeros of any sign. */
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }
/* To a whole number, half to even; keeps the sign of zero. */
static inline vf vf_rint(vf a) {
    float big = a < 0 || (a == 0 && signbit(a)) ? -0x1p23f : 0x1p23f, size = fabsf(a);
    if (!(size < 0x1p23f)) return a;
    /* volatile: the sum must be rounded to f32 and may not be folded away. */
    volatile float sum = a + big;
    return copysignf(sum - big, a);
}

/* -- integers and bits ---------------------------------------------------------------------------------------------- */

static inline vi vi_set(int32_t a) { return a; }
static inline vi vi_add(vi a, vi b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline vi vi_sub(vi a, vi b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static inline vi vi_mul(vi a, vi b) { return (int32_t)((uint32_t)a * (uint32_t)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
/* Shifts by a constant 0..31: left, right filling with 0, right filling with the sign. */
#define vi_shl(a, k) ((vi)((uint32_t)(a) << (k)))
#define vi_shr(a, k) ((vi)((uint32_t)(a) >> (k)))
#define vi_sar(a, k) ((vi)((a) >> (k)))
static inline vi vf_bits(vf a) {
    vi bits;
    memcpy(&bits, &a, 4);
    return bits;
}
static inline vf vf_of_bits(vi a) {
    vf f;
    memcpy(&f, &a, 4);
    return f;
}
static inline vf vf_of_i(vi a) { return (float)a; } /* nearest even */
/* Half to even. Unspecified where |a| >= 2^31 or NaN: select before or after. */
static inline vi vi_of_f(vf a) {
    vf r = vf_rint(a);
    return r >= -0x1p31f && r < 0x1p31f ? (int32_t)r : INT32_MIN;
}

/* The square of ALM_LANES vectors is turned over its diagonal: number l of vector v changes place with number v of vector l. */
static inline void vf_turn(vf *square) { (void)square; }

/* -- comparing, choosing -------------------------------------------------------------------------------------------- */

/* No where one is NaN. */
static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_le(vf a, vf b) { return a <= b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
static inline vm vi_eq(vi a, vi b) { return a == b; }
static inline vm vi_gt(vi a, vi b) { return a > b; } /* with sign */
static inline vf vf_select(vm m, vf yes, vf no) { return m ? yes : no; }
static inline vi vi_select(vm m, vi yes, vi no) { return m ? yes : no; }
static inline vm vm_and(vm a, vm b) { return a && b; }
static inline vm vm_or(vm a, vm b) { return a || b; }
static inline vm vm_not(vm a) { return !a; }
static inline bool vm_any(vm a) { return a; }
static inline bool vm_all(vm a) { return a; }

#include "tensor/kernel/lanes_common.h"

#endif
