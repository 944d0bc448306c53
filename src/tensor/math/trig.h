/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/trig.h - sine and cosine over lanes, for every finite f32.
 *
 *   |x| = n pi/2 + (high + low), |high| <= pi/4 and a little
 *   |x| < 2^14   pi/2 in three f32 parts: x - n part0 is exact, the second difference is kept as a pair
 *   beyond       m 2^e (2/pi) modulo 4 in integers (Payne and Hanek): 64 of the bits behind the point that matter, a lane at
 *                a time, because such an argument is rare
 *   sin, cos     of high + low by polynomials in high^2; n mod 4 chooses and gives the sign
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_TRIG_H
#define ALM_MATH_TRIG_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* size = *quarters pi/2 + *high + *low for a finite size >= 2^14. Integers and correctly rounded doubles only. */
static inline void alm_trig_reduce_one(float size, int32_t *quarters, float *high, float *low) {
    /* 32 zero bits, then 2/pi = 0.101000101111... */
    static const uint32_t two_over_pi[8] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                            0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    uint32_t bits;
    memcpy(&bits, &size, 4);
    /* size = m 2^e. The bits of 2/pi above e - 1 give multiples of 4 and are left out; those from `at` on (bit 1 behind the
     * point stands at 32) make three words in units of 2^-94, once multiplied by 2^e. */
    uint64_t m = (bits & 0x7fffff) | 0x800000;
    unsigned at = (bits >> 23) - 150 + 30, word = at / 32, shift = at % 32;
    uint32_t t[3];
    for (unsigned i = 0; i < 3; i++)
        t[i] = (uint32_t)(((uint64_t)two_over_pi[word + i] << 32 | two_over_pi[word + i + 1]) << shift >> 32);
    uint64_t product = (m * t[0] << 32) + m * t[1] + (m * t[2] >> 32); /* modulo 4, in units of 2^-62 */
    *quarters = (int32_t)((product + (UINT64_C(1) << 61)) >> 62);
    uint64_t rest = product << 2; /* two's complement, in units of 2^-64: -1/2 .. 1/2 */
    double r = (rest >> 63 ? -(double)(UINT64_MAX - rest + 1) : (double)rest) * 0x1.921fb54442d18p-64;
    *high = (float)r;
    *low = (float)(r - (double)*high);
}

/* size >= 0, or NaN or infinite: then anything. */
static inline void vf_trig_reduce(vf size, vi *quarters, vf *high, vf *low) {
    vm far = vf_ge(size, vf_set(0x1p14f));
    vf n = vf_rint(vf_mul(vf_select(far, vf_zero(), size), vf_set(0x1.45f306p-1f)));
    vf r = vf_fnma(n, vf_set(0x1.921fb6p+0f), size);
    vf w = vf_mul(n, vf_set(-0x1.777a5cp-25f)), w_low = vf_sub(vf_zero(), vf_fnma(n, vf_set(-0x1.777a5cp-25f), w));
    vf d = vf_sub(r, w), back = vf_sub(r, d);
    vf lost = vf_add(vf_sub(r, vf_add(d, back)), vf_sub(back, w));
    lost = vf_fnma(n, vf_set(-0x1.ee59dap-50f), vf_sub(lost, w_low));
    *quarters = vi_of_f(n);
    *high = vf_add(d, lost);
    *low = vf_add(vf_sub(d, *high), lost);
    if (!vm_any(far)) return;
    float x[ALM_LANES], h[ALM_LANES], l[ALM_LANES];
    int32_t q[ALM_LANES];
    vf_store(x, size), vf_store(h, *high), vf_store(l, *low), vi_store(q, *quarters);
    for (size_t i = 0; i < ALM_LANES; i++)
        if (x[i] >= 0x1p14f && x[i] < HUGE_VALF) alm_trig_reduce_one(x[i], q + i, h + i, l + i);
    *high = vf_load(h), *low = vf_load(l), *quarters = vi_load(q);
}

static inline vf vf_sin_near(vf high, vf low) {
    vf z = vf_mul(high, high);
    vf q = vf_set(0x1.7cd428p-19f);
    q = vf_fma(q, z, vf_set(-0x1.a05bb2p-13f));
    q = vf_fma(q, z, vf_set(0x1.111176p-7f));
    q = vf_fma(q, z, vf_set(-0x1.555556p-3f));
    return vf_add(high, vf_fma(vf_mul(high, z), q, low));
}

static inline vf vf_cos_near(vf high, vf low) {
    vf z = vf_mul(high, high), half = vf_mul(z, vf_set(0.5f)), one = vf_set(1.0f), most = vf_sub(one, half);
    vf q = vf_set(0x1.99e0ecp-16f);
    q = vf_fma(q, z, vf_set(-0x1.6c0c1ap-10f));
    q = vf_fma(q, z, vf_set(0x1.55554ap-5f));
    vf small = vf_fnma(high, low, vf_mul(vf_mul(z, z), q));
    return vf_add(most, vf_add(vf_sub(vf_sub(one, most), half), small));
}

/* The quarter turn chooses: sin, cos, -sin, -cos for 0, 1, 2, 3. */
static inline vf vf_trig_choose(vf high, vf low, vi quarters) {
    vf s = vf_sin_near(high, low), c = vf_cos_near(high, low);
    vf y = vf_select(vi_eq(vi_and(quarters, vi_set(1)), vi_set(0)), s, c);
    return vf_of_bits(vi_xor(vf_bits(y), vi_shl(vi_and(quarters, vi_set(2)), 30)));
}

static inline vf vf_trig_finite(vf x, vf y) {
    return vf_select(vf_lt(vf_abs(x), vf_set(HUGE_VALF)), y, vf_of_bits(vi_set(0x7fc00000)));
}

static inline vf vf_sin(vf x) {
    vi quarters;
    vf high, low;
    vf_trig_reduce(vf_abs(x), &quarters, &high, &low);
    vf y = vf_trig_choose(high, low, quarters);
    vi sign = vi_and(vf_bits(x), vi_set((int32_t)0x80000000U));
    return vf_trig_finite(x, vf_of_bits(vi_xor(vf_bits(y), sign)));
}

static inline vf vf_cos(vf x) {
    vi quarters;
    vf high, low;
    vf_trig_reduce(vf_abs(x), &quarters, &high, &low);
    return vf_trig_finite(x, vf_trig_choose(high, low, vi_add(quarters, vi_set(1))));
}

#endif
