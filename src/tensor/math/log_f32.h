/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/log_f32.h - natural logarithms of x and of 1 + x over lanes.
 *
 *   log    x = 2^e m, sqrt(1/2) <= m < sqrt(2), f = m - 1 (exact):  e ln2 + f + c,  c = f^2 (f Q(f) - 1/2);
 *          e times the high part of ln 2 (15 bits) is exact, its sum with f is kept as a pair
 *   log1p  u = 1 + x rounded; where u lies within [sqrt(1/2), sqrt(2)) f is x itself, else log u + (what u lost) / u
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_LOG_H
#define ALM_MATH_LOG_H

#include <math.h>

/* x = 2^e m for positive finite x (denormals too). */
static inline vf vf_log_split(vf x, vi *e) {
    vm small = vf_lt(x, vf_set(0x1p-126f));
    vi bits = vf_bits(vf_select(small, vf_mul(x, vf_set(0x1p24f)), x));
    vi above = vi_sub(bits, vi_set(0x3f3504f3)); /* sqrt(1/2) */
    *e = vi_sub(vi_sar(above, 23), vi_select(small, vi_set(24), vi_set(0)));
    return vf_of_bits(vi_add(vi_and(above, vi_set(0x7fffff)), vi_set(0x3f3504f3)));
}

/* e ln2 + log(1 + f) + more; more far below the rest. */
static inline vf vf_log_join(vf e, vf f, vf more) {
    vf q = vf_set(0x1.1b4374p-4f);
    q = vf_fma(q, f, vf_set(-0x1.e2e482p-4f));
    q = vf_fma(q, f, vf_set(0x1.e64d7p-4f));
    q = vf_fma(q, f, vf_set(-0x1.fb43dep-4f));
    q = vf_fma(q, f, vf_set(0x1.233306p-3f));
    q = vf_fma(q, f, vf_set(-0x1.5562ep-3f));
    q = vf_fma(q, f, vf_set(0x1.99a542p-3f));
    q = vf_fma(q, f, vf_set(-0x1.ffffeep-3f));
    q = vf_fma(q, f, vf_set(0x1.555546p-2f));
    vf c = vf_mul(vf_mul(f, f), vf_fma(q, f, vf_set(-0.5f)));
    vf base = vf_mul(e, vf_set(0x1.62e4p-1f));
    vf high = vf_add(base, f), low = vf_add(vf_sub(base, high), f); /* |base| is 0 or above |f| */
    return vf_add(high, vf_add(low, vf_add(vf_fma(e, vf_set(0x1.7f7d1cp-20f), c), more)));
}

static inline vf vf_log(vf x) {
    vi e;
    vf m = vf_log_split(x, &e);
    vf y = vf_log_join(vf_of_i(e), vf_sub(m, vf_set(1.0f)), vf_zero());
    y = vf_select(vf_eq(x, vf_set(HUGE_VALF)), x, y);
    y = vf_select(vf_eq(x, vf_zero()), vf_set(-HUGE_VALF), y);
    return vf_select(vf_le(vf_zero(), x), y, vf_of_bits(vi_set(0x7fc00000)));
}

static inline vf vf_log1p(vf x) {
    const vf one = vf_set(1.0f);
    vf u = vf_add(one, x);
    vi e;
    vf m = vf_log_split(u, &e);
    vm near = vi_eq(e, vi_set(0));
    vf lost = vf_select(vf_le(one, x), vf_sub(one, vf_sub(u, x)), vf_sub(x, vf_sub(u, one)));
    vf y = vf_log_join(vf_of_i(e), vf_select(near, x, vf_sub(m, one)), vf_select(near, vf_zero(), vf_div(lost, u)));
    y = vf_select(vf_eq(x, vf_set(HUGE_VALF)), x, vf_copysign(y, x)); /* -0 stays */
    y = vf_select(vf_eq(x, vf_set(-1.0f)), vf_set(-HUGE_VALF), y);
    return vf_select(vf_le(vf_set(-1.0f), x), y, vf_of_bits(vi_set(0x7fc00000)));
}

#endif
