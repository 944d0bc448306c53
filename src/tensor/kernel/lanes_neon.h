/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_neon.h - 4 lanes on 64-bit ARM. What each operation means: lanes_plain.h.
 *
 * Every 64-bit ARM has these instructions; partial loads and stores pass through the stack. */
#ifndef ALM_LANES_NEON_H
#define ALM_LANES_NEON_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ALM_LANES 4

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm; /* all bits of a lane, or none */

/* -- memory --------------------------------------------------------------------------------------------------------- */

static inline vf vf_load(const float *at) { return vld1q_f32(at); }
static inline vf vf_load_n(const float *at, size_t n) {
    float part[4] = {0};
    memcpy(part, at, 4 * n);
    return vld1q_f32(part);
}
static inline void vf_store(float *at, vf a) { vst1q_f32(at, a); }
static inline void vf_store_n(float *at, vf a, size_t n) {
    float part[4];
    vst1q_f32(part, a);
    memcpy(at, part, 4 * n);
}
static inline vi vi_load(const int32_t *at) { return vld1q_s32(at); }
static inline vi vi_load_n(const int32_t *at, size_t n) {
    int32_t part[4] = {0};
    memcpy(part, at, 4 * n);
    return vld1q_s32(part);
}
static inline void vi_store(int32_t *at, vi a) { vst1q_s32(at, a); }
static inline void vi_store_n(int32_t *at, vi a, size_t n) {
    int32_t part[4];
    vst1q_s32(part, a);
    memcpy(at, part, 4 * n);
}
static inline uint16x4_t alm_neon_load_16(const uint16_t *at, size_t n) {
    uint16_t part[4] = {0};
    memcpy(part, at, 2 * n);
    return vld1_u16(part);
}
static inline void alm_neon_store_16(uint16_t *at, uint16x4_t a, size_t n) {
    uint16_t part[4];
    vst1_u16(part, a);
    memcpy(at, part, 2 * n);
}
static inline uint16x4_t alm_neon_low_halves(vi a) { return vmovn_u32(vreinterpretq_u32_s32(a)); }
static inline vi vi_load_u16(const uint16_t *at) { return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(at))); }
static inline vi vi_load_u16_n(const uint16_t *at, size_t n) {
    return vreinterpretq_s32_u32(vmovl_u16(alm_neon_load_16(at, n)));
}
static inline void vi_store_u16(uint16_t *at, vi a) { vst1_u16(at, alm_neon_low_halves(a)); }
static inline void vi_store_u16_n(uint16_t *at, vi a, size_t n) { alm_neon_store_16(at, alm_neon_low_halves(a), n); }
static inline vf alm_neon_of_half(uint16x4_t h) { return vcvt_f32_f16(vreinterpret_f16_u16(h)); }
static inline uint16x4_t alm_neon_to_half(vf a) { return vreinterpret_u16_f16(vcvt_f16_f32(a)); }
static inline vf vf_load_f16(const uint16_t *at) { return alm_neon_of_half(vld1_u16(at)); }
static inline vf vf_load_f16_n(const uint16_t *at, size_t n) { return alm_neon_of_half(alm_neon_load_16(at, n)); }
static inline void vf_store_f16(uint16_t *at, vf a) { vst1_u16(at, alm_neon_to_half(a)); }
static inline void vf_store_f16_n(uint16_t *at, vf a, size_t n) { alm_neon_store_16(at, alm_neon_to_half(a), n); }
static inline vf vf_gather(const float *base, vi index) {
    float out[4];
    int32_t i[4];
    vst1q_s32(i, index);
    for (int l = 0; l < 4; l++) out[l] = base[i[l]];
    return vld1q_f32(out);
}

/* -- floats --------------------------------------------------------------------------------------------------------- */

static inline vf vf_set(float a) { return vdupq_n_f32(a); }
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
/* FMAX and FMIN treat NaN and zeros in another way, so these are a comparison and a choice. */
static inline vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vf vf_rint(vf a) { return vrndnq_f32(a); }

/* -- integers and bits ---------------------------------------------------------------------------------------------- */

static inline vi vi_set(int32_t a) { return vdupq_n_s32(a); }
static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
/* By a register: the forms with a constant do not take 0. */
#define vi_shl(a, k) vshlq_s32((a), vdupq_n_s32(k))
#define vi_shr(a, k) vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-(k))))
#define vi_sar(a, k) vshlq_s32((a), vdupq_n_s32(-(k)))
static inline vi vf_bits(vf a) { return vreinterpretq_s32_f32(a); }
static inline vf vf_of_bits(vi a) { return vreinterpretq_f32_s32(a); }
static inline vf vf_of_i(vi a) { return vcvtq_f32_s32(a); }
static inline vi vi_of_f(vf a) { return vcvtnq_s32_f32(a); }

static inline void vf_turn(vf *s) {
    float32x4_t a = vtrn1q_f32(s[0], s[1]), b = vtrn2q_f32(s[0], s[1]);
    float32x4_t c = vtrn1q_f32(s[2], s[3]), d = vtrn2q_f32(s[2], s[3]);
    s[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
    s[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
    s[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
    s[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}

/* -- comparing, choosing -------------------------------------------------------------------------------------------- */

static inline vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm vf_le(vf a, vf b) { return vcleq_f32(a, b); }
static inline vm vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vm vi_eq(vi a, vi b) { return vceqq_s32(a, b); }
static inline vm vi_gt(vi a, vi b) { return vcgtq_s32(a, b); }
static inline vf vf_select(vm m, vf yes, vf no) { return vbslq_f32(m, yes, no); }
static inline vi vi_select(vm m, vi yes, vi no) { return vbslq_s32(m, yes, no); }
static inline vm vm_and(vm a, vm b) { return vandq_u32(a, b); }
static inline vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
static inline vm vm_not(vm a) { return vmvnq_u32(a); }
static inline bool vm_any(vm a) { return vmaxvq_u32(a) != 0; }
static inline bool vm_all(vm a) { return vminvq_u32(a) == UINT32_MAX; }

#include "tensor/kernel/lanes_common.h"

#endif
