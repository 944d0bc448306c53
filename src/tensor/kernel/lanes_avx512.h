/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_avx512.h - 16 lanes on x86-64 with AVX-512 F, BW, DQ and VL. What each operation means:
 * lanes_plain.h.
 *
 * The same lines are built a second time (isa_wide.c) over generic 64-byte vectors: avx512_generic.h then stands in for
 * immintrin.h and gives the instructions used here their meaning in C, so that this code runs, and is tested, anywhere. */
#ifndef ALM_LANES_AVX512_H
#define ALM_LANES_AVX512_H

#ifdef ALM_LANES_GENERIC
#include "tensor/kernel/avx512_generic.h"
#else
#include <immintrin.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALM_LANES 16

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline __mmask16 alm_avx512_first(size_t n) { return (__mmask16)((1U << n) - 1); }

/* -- memory --------------------------------------------------------------------------------------------------------- */

static inline vf vf_load(const float *at) { return _mm512_loadu_ps(at); }
static inline vf vf_load_n(const float *at, size_t n) { return _mm512_maskz_loadu_ps(alm_avx512_first(n), at); }
static inline void vf_store(float *at, vf a) { _mm512_storeu_ps(at, a); }
static inline void vf_store_n(float *at, vf a, size_t n) { _mm512_mask_storeu_ps(at, alm_avx512_first(n), a); }
static inline vi vi_load(const int32_t *at) { return _mm512_loadu_si512(at); }
static inline vi vi_load_n(const int32_t *at, size_t n) { return _mm512_maskz_loadu_epi32(alm_avx512_first(n), at); }
static inline void vi_store(int32_t *at, vi a) { _mm512_storeu_si512(at, a); }
static inline void vi_store_n(int32_t *at, vi a, size_t n) { _mm512_mask_storeu_epi32(at, alm_avx512_first(n), a); }

static inline __m256i alm_avx512_load_16(const uint16_t *at, size_t n) {
    return _mm256_maskz_loadu_epi16(alm_avx512_first(n), at);
}
static inline void alm_avx512_store_16(uint16_t *at, __m256i a, size_t n) {
    _mm256_mask_storeu_epi16(at, alm_avx512_first(n), a);
}
static inline vi vi_load_u16(const uint16_t *at) { return _mm512_cvtepu16_epi32(alm_avx512_load_16(at, 16)); }
static inline vi vi_load_u16_n(const uint16_t *at, size_t n) {
    return _mm512_cvtepu16_epi32(alm_avx512_load_16(at, n));
}
static inline void vi_store_u16(uint16_t *at, vi a) { alm_avx512_store_16(at, _mm512_cvtepi32_epi16(a), 16); }
static inline void vi_store_u16_n(uint16_t *at, vi a, size_t n) {
    alm_avx512_store_16(at, _mm512_cvtepi32_epi16(a), n);
}
static inline vf vf_load_f16(const uint16_t *at) { return _mm512_cvtph_ps(alm_avx512_load_16(at, 16)); }
static inline vf vf_load_f16_n(const uint16_t *at, size_t n) { return _mm512_cvtph_ps(alm_avx512_load_16(at, n)); }
static inline void vf_store_f16(uint16_t *at, vf a) {
    alm_avx512_store_16(at, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), 16);
}
static inline void vf_store_f16_n(uint16_t *at, vf a, size_t n) {
    alm_avx512_store_16(at, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), n);
}
static inline vf vf_gather(const float *base, vi index) { return _mm512_i32gather_ps(index, base, 4); }

/* -- floats --------------------------------------------------------------------------------------------------------- */

static inline vf vf_set(float a) { return _mm512_set1_ps(a); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_rint(vf a) { return _mm512_roundscale_ps(a, 0x08); } /* 2^0, nearest even, no exceptions */

/* -- integers and bits ---------------------------------------------------------------------------------------------- */

static inline vi vi_set(int32_t a) { return _mm512_set1_epi32(a); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
#define vi_shl(a, k) _mm512_slli_epi32((a), (k))
#define vi_shr(a, k) _mm512_srli_epi32((a), (k))
#define vi_sar(a, k) _mm512_srai_epi32((a), (k))
static inline vi vf_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf vf_of_bits(vi a) { return _mm512_castsi512_ps(a); }
static inline vf vf_of_i(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vi_of_f(vf a) { return _mm512_cvtps_epi32(a); }

static inline void vf_turn(vf *s) {
    vf a[16], b[16];
    for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_ps(s[i], s[i + 1]);
        a[i + 1] = _mm512_unpackhi_ps(s[i], s[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    /* Now b[4g + c] holds, in quarter q, column 4q + c of rows 4g .. 4g+3; the quarters find their places in two steps. */
    for (int c = 0; c < 4; c++) {
        vf x = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x88), y = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x88);
        vf z = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xdd), w = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xdd);
        s[c] = _mm512_shuffle_f32x4(x, y, 0x88);
        s[8 + c] = _mm512_shuffle_f32x4(x, y, 0xdd);
        s[4 + c] = _mm512_shuffle_f32x4(z, w, 0x88);
        s[12 + c] = _mm512_shuffle_f32x4(z, w, 0xdd);
    }
}

/* -- comparing, choosing -------------------------------------------------------------------------------------------- */

static inline vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }
static inline vm vi_gt(vi a, vi b) { return _mm512_cmpgt_epi32_mask(a, b); }
static inline vf vf_select(vm m, vf yes, vf no) { return _mm512_mask_blend_ps(m, no, yes); }
static inline vi vi_select(vm m, vi yes, vi no) { return _mm512_mask_blend_epi32(m, no, yes); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline vm vm_not(vm a) { return (vm)(~a & 0xffff); }
static inline bool vm_any(vm a) { return a != 0; }
static inline bool vm_all(vm a) { return a == 0xffff; }

#include "tensor/kernel/lanes_common.h"

#endif
