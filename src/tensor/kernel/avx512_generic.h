/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/avx512_generic.h - the instructions that lanes_avx512.h uses, in C over 64-byte vectors of the compiler.
 *
 * For machines without AVX-512: slow, exact, the same bits. Only lanes_avx512.h includes it, and never together with
 * immintrin.h, whose names it takes. One function per instruction, as Intel's manual describes it; where the manual says
 * what happens to NaN, zeros and numbers that do not fit, so does the function. fma is rounded once (fmaf). */
#ifndef ALM_AVX512_GENERIC_H
#define ALM_AVX512_GENERIC_H

#include "tensor/kernel/lanes_half.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef float __m512 __attribute__((vector_size(64)));
typedef int32_t __m512i __attribute__((vector_size(64)));
typedef uint32_t alm_u512 __attribute__((vector_size(64)));
typedef uint16_t __m256i __attribute__((vector_size(32))); /* here always 16 numbers of 16 bits */
typedef uint16_t __mmask16;

enum { _MM_FROUND_TO_NEAREST_INT = 0, _MM_FROUND_NO_EXC = 8 };
enum { _CMP_EQ_OQ = 0, _CMP_LT_OQ = 17, _CMP_LE_OQ = 18 };

#define ALM_W static inline __attribute__((always_inline))
/* What is long in C is not copied into every place that uses it: kernels have many. */
#define ALM_WIDE static __attribute__((noinline, unused))

/* -- memory: what a mask hides is not touched ----------------------------------------------------------------------- */

ALM_W __m512 _mm512_loadu_ps(const void *at) {
    __m512 out;
    memcpy(&out, at, sizeof out);
    return out;
}
ALM_W void _mm512_storeu_ps(void *at, __m512 a) { memcpy(at, &a, sizeof a); }
ALM_W __m512i _mm512_loadu_si512(const void *at) {
    __m512i out;
    memcpy(&out, at, sizeof out);
    return out;
}
ALM_W void _mm512_storeu_si512(void *at, __m512i a) { memcpy(at, &a, sizeof a); }
ALM_WIDE __m512 _mm512_maskz_loadu_ps(__mmask16 m, const void *at) {
    __m512 out = {0};
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) out[i] = ((const float *)at)[i];
    return out;
}
ALM_WIDE void _mm512_mask_storeu_ps(void *at, __mmask16 m, __m512 a) {
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) ((float *)at)[i] = a[i];
}
ALM_WIDE __m512i _mm512_maskz_loadu_epi32(__mmask16 m, const void *at) {
    __m512i out = {0};
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) out[i] = ((const int32_t *)at)[i];
    return out;
}
ALM_WIDE void _mm512_mask_storeu_epi32(void *at, __mmask16 m, __m512i a) {
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) ((int32_t *)at)[i] = a[i];
}
ALM_WIDE __m256i _mm256_maskz_loadu_epi16(__mmask16 m, const void *at) {
    __m256i out = {0};
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) out[i] = ((const uint16_t *)at)[i];
    return out;
}
ALM_WIDE void _mm256_mask_storeu_epi16(void *at, __mmask16 m, __m256i a) {
    for (int i = 0; i < 16; i++)
        if (m >> i & 1) ((uint16_t *)at)[i] = a[i];
}
ALM_WIDE __m512 alm_w_gather(__m512i index, const float *base) {
    __m512 out;
    for (int i = 0; i < 16; i++) out[i] = base[index[i]];
    return out;
}
#define _mm512_i32gather_ps(index, base, scale) alm_w_gather(index, base)

/* -- converting ----------------------------------------------------------------------------------------------------- */

ALM_W __m512i _mm512_castps_si512(__m512 a) { return (__m512i)a; }
ALM_W __m512 _mm512_castsi512_ps(__m512i a) { return (__m512)a; }
ALM_WIDE __m512i _mm512_cvtepu16_epi32(__m256i a) {
    __m512i out;
    for (int i = 0; i < 16; i++) out[i] = a[i];
    return out;
}
ALM_WIDE __m256i _mm512_cvtepi32_epi16(__m512i a) {
    __m256i out;
    for (int i = 0; i < 16; i++) out[i] = (uint16_t)a[i];
    return out;
}
ALM_WIDE __m512 _mm512_cvtph_ps(__m256i a) {
    __m512 out;
    for (int i = 0; i < 16; i++) out[i] = alm_half_decode(a[i]);
    return out;
}
ALM_WIDE __m256i alm_w_to_half(__m512 a) {
    __m256i out;
    for (int i = 0; i < 16; i++) out[i] = alm_half_encode(a[i]);
    return out;
}
#define _mm512_cvtps_ph(a, rounding) alm_w_to_half(a)
ALM_W float alm_w_rint(float a) {
    if (!(fabsf(a) < 0x1p23f)) return a;
    volatile float sum = a + copysignf(0x1p23f, a); /* rounded to f32 here, not folded away */
    return copysignf(sum - copysignf(0x1p23f, a), a);
}
ALM_WIDE __m512 alm_w_round(__m512 a) {
    for (int i = 0; i < 16; i++) a[i] = alm_w_rint(a[i]);
    return a;
}
#define _mm512_roundscale_ps(a, how) alm_w_round(a)
ALM_WIDE __m512i _mm512_cvtps_epi32(__m512 a) {
    __m512i out;
    for (int i = 0; i < 16; i++) {
        float r = alm_w_rint(a[i]);
        out[i] = r >= -0x1p31f && r < 0x1p31f ? (int32_t)r : INT32_MIN;
    }
    return out;
}
ALM_WIDE __m512 _mm512_cvtepi32_ps(__m512i a) {
    __m512 out;
    for (int i = 0; i < 16; i++) out[i] = (float)a[i];
    return out;
}

/* -- floats --------------------------------------------------------------------------------------------------------- */

ALM_W __m512 _mm512_set1_ps(float a) { return (__m512){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }
ALM_W __m512 _mm512_add_ps(__m512 a, __m512 b) { return a + b; }
ALM_W __m512 _mm512_sub_ps(__m512 a, __m512 b) { return a - b; }
ALM_W __m512 _mm512_mul_ps(__m512 a, __m512 b) { return a * b; }
ALM_W __m512 _mm512_div_ps(__m512 a, __m512 b) { return a / b; }
ALM_WIDE __m512 _mm512_sqrt_ps(__m512 a) {
    for (int i = 0; i < 16; i++) a[i] = sqrtf(a[i]);
    return a;
}
ALM_WIDE __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c) {
    for (int i = 0; i < 16; i++) c[i] = fmaf(a[i], b[i], c[i]);
    return c;
}
ALM_WIDE __m512 _mm512_fnmadd_ps(__m512 a, __m512 b, __m512 c) {
    for (int i = 0; i < 16; i++) c[i] = fmaf(-a[i], b[i], c[i]);
    return c;
}
ALM_W __m512 alm_w_choose(__m512i m, __m512 yes, __m512 no) {
    return (__m512)(((__m512i)yes & m) | ((__m512i)no & ~m));
}
ALM_W __m512 _mm512_max_ps(__m512 a, __m512 b) { return alm_w_choose(a > b, a, b); }
ALM_W __m512 _mm512_min_ps(__m512 a, __m512 b) { return alm_w_choose(a < b, a, b); }

/* In each quarter of four: numbers of a and b by turns; two of a, then two of b, by the two bits each of `how`. */
ALM_WIDE __m512 _mm512_unpacklo_ps(__m512 a, __m512 b) {
    __m512 out;
    for (int i = 0; i < 16; i += 4) out[i] = a[i], out[i + 1] = b[i], out[i + 2] = a[i + 1], out[i + 3] = b[i + 1];
    return out;
}
ALM_WIDE __m512 _mm512_unpackhi_ps(__m512 a, __m512 b) {
    __m512 out;
    for (int i = 0; i < 16; i += 4)
        out[i] = a[i + 2], out[i + 1] = b[i + 2], out[i + 2] = a[i + 3], out[i + 3] = b[i + 3];
    return out;
}
ALM_WIDE __m512 _mm512_shuffle_ps(__m512 a, __m512 b, int how) {
    __m512 out;
    for (int i = 0; i < 16; i += 4) {
        out[i] = a[i + (how & 3)], out[i + 1] = a[i + (how >> 2 & 3)];
        out[i + 2] = b[i + (how >> 4 & 3)], out[i + 3] = b[i + (how >> 6 & 3)];
    }
    return out;
}
/* Quarters: two of a, then two of b. */
ALM_WIDE __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, int how) {
    __m512 out;
    for (int i = 0; i < 4; i++) {
        out[i] = a[4 * (how & 3) + i], out[4 + i] = a[4 * (how >> 2 & 3) + i];
        out[8 + i] = b[4 * (how >> 4 & 3) + i], out[12 + i] = b[4 * (how >> 6 & 3) + i];
    }
    return out;
}

/* -- integers ------------------------------------------------------------------------------------------------------- */

ALM_W __m512i _mm512_set1_epi32(int32_t a) { return (__m512i){a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a}; }
ALM_W __m512i _mm512_add_epi32(__m512i a, __m512i b) { return (__m512i)((alm_u512)a + (alm_u512)b); }
ALM_W __m512i _mm512_sub_epi32(__m512i a, __m512i b) { return (__m512i)((alm_u512)a - (alm_u512)b); }
ALM_W __m512i _mm512_mullo_epi32(__m512i a, __m512i b) { return (__m512i)((alm_u512)a * (alm_u512)b); }
ALM_W __m512i _mm512_and_si512(__m512i a, __m512i b) { return a & b; }
ALM_W __m512i _mm512_or_si512(__m512i a, __m512i b) { return a | b; }
ALM_W __m512i _mm512_xor_si512(__m512i a, __m512i b) { return a ^ b; }
#define _mm512_slli_epi32(a, k) ((__m512i)((alm_u512)(a) << (k)))
#define _mm512_srli_epi32(a, k) ((__m512i)((alm_u512)(a) >> (k)))
#define _mm512_srai_epi32(a, k) ((__m512i)(a) >> (k))

/* -- comparing, choosing -------------------------------------------------------------------------------------------- */

ALM_WIDE __mmask16 alm_w_mask(__m512i all_or_none) {
    unsigned out = 0;
    for (int i = 0; i < 16; i++) out |= (all_or_none[i] ? 1U : 0U) << i;
    return (__mmask16)out;
}
#define _mm512_cmp_ps_mask(a, b, how)                        \
    alm_w_mask((how) == _CMP_LT_OQ   ? (__m512i)((a) < (b))  \
               : (how) == _CMP_LE_OQ ? (__m512i)((a) <= (b)) \
                                     : (__m512i)((a) == (b)))
ALM_W __mmask16 _mm512_cmpeq_epi32_mask(__m512i a, __m512i b) { return alm_w_mask(a == b); }
ALM_W __mmask16 _mm512_cmpgt_epi32_mask(__m512i a, __m512i b) { return alm_w_mask(a > b); }
ALM_WIDE __m512 _mm512_mask_blend_ps(__mmask16 m, __m512 no, __m512 yes) {
    for (int i = 0; i < 16; i++) no[i] = m >> i & 1 ? yes[i] : no[i];
    return no;
}
ALM_WIDE __m512i _mm512_mask_blend_epi32(__mmask16 m, __m512i no, __m512i yes) {
    for (int i = 0; i < 16; i++) no[i] = m >> i & 1 ? yes[i] : no[i];
    return no;
}

#undef ALM_W
#undef ALM_WIDE
#endif
