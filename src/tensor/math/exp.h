/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/exp.h - e^x and e^x - 1 over lanes.
 *
 *   x = n ln2 + r, |r| <= ln2/2: n = rint(x log2 e); n times the high part of ln 2 (15 bits) is exact, so is x minus that
 *   exp    e^r = 1 + r (1 + r Q(r)) by fma, times 2^n in two steps: n may be 128, and a result below 2^-126 is rounded once,
 *          to a denormal. From 88.72284 on infinity, below -103.98 zero
 *   expm1  with what the reduction lost: r + (r^2 Q(r) + lost), then 2 (2^(n-1) q + (2^(n-1) - 1/2)): the last fma rounds
 *          the small difference once
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_EXP_H
#define ALM_MATH_EXP_H

/* 2^n by its bits, -126 <= n <= 127. */
static inline vf vf_power_of_two(vi n) { return vf_of_bits(vi_shl(vi_add(n, vi_set(127)), 23)); }

/* y 2^n, |n| <= 252; rounded once where y is within [1/2, 2]. */
static inline vf vf_scale(vf y, vi n) {
    vi half = vi_sar(n, 1);
    return vf_mul(vf_mul(y, vf_power_of_two(half)), vf_power_of_two(vi_sub(n, half)));
}

static inline vf vf_exp(vf x) {
    /* Beyond these the result has settled; NaN passes as one of them and comes back at the end. */
    vf a = vf_min(vf_max(x, vf_set(-105.0f)), vf_set(90.0f));
    vf n = vf_rint(vf_mul(a, vf_set(0x1.715476p+0f)));
    vf r = vf_fnma(n, vf_set(0x1.62e4p-1f), a);
    r = vf_fnma(n, vf_set(0x1.7f7d1cp-20f), r);
    vf q = vf_set(0x1.6a5134p-10f);
    q = vf_fma(q, r, vf_set(0x1.12397cp-7f));
    q = vf_fma(q, r, vf_set(0x1.5558acp-5f));
    q = vf_fma(q, r, vf_set(0x1.555492p-3f));
    q = vf_fma(q, r, vf_set(0x1.fffffcp-2f));
    q = vf_fma(q, r, vf_set(1.0f));
    q = vf_fma(q, r, vf_set(1.0f));
    return vf_select(vf_is_nan(x), x, vf_scale(q, vi_of_f(n)));
}

/* x + low = n ln2 + r + *lost; |low| far below |x|. */
static inline vf vf_exp_reduce(vf x, vf low, vf *n, vf *lost) {
    *n = vf_rint(vf_mul(x, vf_set(0x1.715476p+0f)));
    vf first = vf_fnma(*n, vf_set(0x1.62e4p-1f), x);
    vf r = vf_fnma(*n, vf_set(0x1.7f7d1cp-20f), first);
    *lost = vf_add(vf_fnma(*n, vf_set(0x1.7f7d1cp-20f), vf_sub(first, r)), low);
    return r;
}

/* e^(r + lost) - 1 */
static inline vf vf_exp_near(vf r, vf lost) {
    vf q = vf_set(0x1.a2476ap-13f);
    q = vf_fma(q, r, vf_set(0x1.6d3c88p-10f));
    q = vf_fma(q, r, vf_set(0x1.111002p-7f));
    q = vf_fma(q, r, vf_set(0x1.5554f6p-5f));
    q = vf_fma(q, r, vf_set(0x1.555556p-3f));
    q = vf_fma(q, r, vf_set(0.5f));
    return vf_add(r, vf_fma(vf_mul(r, r), q, lost));
}

static inline vf vf_expm1(vf x) {
    vf a = vf_min(vf_max(x, vf_set(-18.0f)), vf_set(89.0f)), n, lost;
    vf r = vf_exp_reduce(a, vf_zero(), &n, &lost);
    vf q = vf_exp_near(r, lost);
    vf s = vf_power_of_two(vi_sub(vi_of_f(n), vi_set(1)));
    vf t = vf_fma(s, q, vf_sub(s, vf_set(0.5f)));
    vf y = vf_select(vf_eq(n, vf_zero()), q, vf_add(t, t));
    return vf_select(vf_is_nan(x), x, vf_copysign(y, x)); /* -0 stays */
}

#endif
