/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_avx2.h - 8 lanes on x86-64 with AVX2, FMA and F16C. What each operation means: lanes_plain.h. */
#ifndef ALM_LANES_AVX2_H
#define ALM_LANES_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALM_LANES 8

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm; /* all bits of a lane, or none */

/* The first n lanes. */
static inline __m256i alm_avx2_first(size_t n) {
    static const int32_t ramp[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256((const __m256i *)(const void *)(ramp + 8 - n));
}

/* -- memory --------------------------------------------------------------------------------------------------------- */

static inline vf vf_load(const float *at) { return _mm256_loadu_ps(at); }
static inline vf vf_load_n(const float *at, size_t n) { return _mm256_maskload_ps(at, alm_avx2_first(n)); }
static inline void vf_store(float *at, vf a) { _mm256_storeu_ps(at, a); }
static inline void vf_store_n(float *at, vf a, size_t n) { _mm256_maskstore_ps(at, alm_avx2_first(n), a); }
static inline vi vi_load(const int32_t *at) { return _mm256_loadu_si256((const __m256i *)(const void *)at); }
static inline vi vi_load_n(const int32_t *at, size_t n) { return _mm256_maskload_epi32(at, alm_avx2_first(n)); }
static inline void vi_store(int32_t *at, vi a) { _mm256_storeu_si256((__m256i *)(void *)at, a); }
static inline void vi_store_n(int32_t *at, vi a, size_t n) { _mm256_maskstore_epi32(at, alm_avx2_first(n), a); }

/* 16 bits a lane: AVX2 has no masks for them, so a short stretch passes through the stack. */
static inline __m128i alm_avx2_load_16(const uint16_t *at, size_t n) {
    uint16_t part[8] = {0};
    memcpy(part, at, 2 * n);
    return _mm_loadu_si128((const __m128i *)(const void *)part);
}
static inline void alm_avx2_store_16(uint16_t *at, __m128i a, size_t n) {
    uint16_t part[8];
    _mm_storeu_si128((__m128i *)(void *)part, a);
    memcpy(at, part, 2 * n);
}
static inline __m128i alm_avx2_low_halves(vi a) {
    a = _mm256_and_si256(a, _mm256_set1_epi32(0xffff)); /* packus would saturate */
    return _mm_packus_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}
static inline vi vi_load_u16(const uint16_t *at) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
}
static inline vi vi_load_u16_n(const uint16_t *at, size_t n) { return _mm256_cvtepu16_epi32(alm_avx2_load_16(at, n)); }
static inline void vi_store_u16(uint16_t *at, vi a) { _mm_storeu_si128((__m128i *)(void *)at, alm_avx2_low_halves(a)); }
static inline void vi_store_u16_n(uint16_t *at, vi a, size_t n) { alm_avx2_store_16(at, alm_avx2_low_halves(a), n); }
static inline vf vf_load_f16(const uint16_t *at) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)at));
}
static inline vf vf_load_f16_n(const uint16_t *at, size_t n) { return _mm256_cvtph_ps(alm_avx2_load_16(at, n)); }
static inline void vf_store_f16(uint16_t *at, vf a) {
    _mm_storeu_si128((__m128i *)(void *)at, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
static inline void vf_store_f16_n(uint16_t *at, vf a, size_t n) {
    alm_avx2_store_16(at, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT), n);
}
static inline vf vf_gather(const float *base, vi index) { return _mm256_i32gather_ps(base, index, 4); }

/* -- floats --------------------------------------------------------------------------------------------------------- */

static inline vf vf_set(float a) { return _mm256_set1_ps(a); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_rint(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

/* -- integers and bits ---------------------------------------------------------------------------------------------- */

static inline vi vi_set(int32_t a) { return _mm256_set1_epi32(a); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
#define vi_shl(a, k) _mm256_slli_epi32((a), (k))
#define vi_shr(a, k) _mm256_srli_epi32((a), (k))
#define vi_sar(a, k) _mm256_srai_epi32((a), (k))
static inline vi vf_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf vf_of_bits(vi a) { return _mm256_castsi256_ps(a); }
static inline vf vf_of_i(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vi_of_f(vf a) { return _mm256_cvtps_epi32(a); }

static inline void vf_turn(vf *s) {
    vf a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = _mm256_unpacklo_ps(s[i], s[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(s[i], s[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        s[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        s[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* -- comparing, choosing -------------------------------------------------------------------------------------------- */

static inline vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vm vi_eq(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
static inline vm vi_gt(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b)); }
static inline vf vf_select(vm m, vf yes, vf no) { return _mm256_blendv_ps(no, yes, m); }
static inline vi vi_select(vm m, vi yes, vi no) { return vf_bits(vf_select(m, vf_of_bits(yes), vf_of_bits(no))); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
static inline vm vm_not(vm a) { return _mm256_xor_ps(a, vf_of_bits(vi_set(-1))); }
static inline bool vm_any(vm a) { return _mm256_movemask_ps(a) != 0; }
static inline bool vm_all(vm a) { return _mm256_movemask_ps(a) == 255; }

#include "tensor/kernel/lanes_common.h"

#endif
