/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/pow.h - x^y over lanes; the special cases are those of C (Annex F of the standard).
 *
 *   log |x| as a pair of f32 (about 40 bits): x = 2^e m as in log_f32.h, s = (m - 1) / (m + 1) as a pair,
 *       log m = 2 s + s^3 (2/3 + s^2 T(s^2))
 *   y times the pair, then exp of the pair; a negative x with a whole y gives the sign
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_POW_H
#define ALM_MATH_POW_H

#include <math.h>

#include "tensor/math/exp.h"
#include "tensor/math/log_f32.h"

/* log x + about 2^-40 of it, x positive and finite. */
static inline vf vf_log_pair(vf x, vf *low) {
    const vf two = vf_set(2.0f), zero = vf_zero();
    vi whole;
    vf f = vf_sub(vf_log_split(x, &whole), vf_set(1.0f)), e = vf_of_i(whole);
    vf t = vf_add(two, f), t_low = vf_sub(f, vf_sub(t, two));
    vf s = vf_div(f, t), s_low = vf_div(vf_fnma(s, t_low, vf_fnma(s, t, f)), t);
    vf z = vf_mul(s, s), z_low = vf_fma(vf_add(s, s), s_low, vf_fma(s, s, vf_sub(zero, z)));
    vf tail = vf_set(0x1.908402p-3f);
    tail = vf_fma(tail, z, vf_set(0x1.c63da8p-3f));
    tail = vf_fma(tail, z, vf_set(0x1.2493b6p-2f));
    tail = vf_fma(tail, z, vf_set(0x1.999998p-2f));
    tail = vf_mul(tail, z);
    const vf third = vf_set(0x1.555556p-1f), third_low = vf_set(-0x1.555556p-26f); /* 2/3 */
    vf a = vf_add(third, tail), a_low = vf_add(vf_add(vf_sub(third, a), tail), third_low);
    vf b = vf_mul(z, a), b_low = vf_add(vf_fma(z, a, vf_sub(zero, b)), vf_fma(z, a_low, vf_mul(z_low, a)));
    vf c = vf_mul(s, b), c_low = vf_add(vf_fma(s, b, vf_sub(zero, c)), vf_fma(s, b_low, vf_mul(s_low, b)));
    vf twice = vf_add(s, s), d = vf_add(twice, c);
    vf d_low = vf_add(vf_add(vf_sub(twice, d), c), vf_fma(two, s_low, c_low));
    vf base = vf_mul(e, vf_set(0x1.62e4p-1f)), high = vf_add(base, d); /* |base| is 0 or above |d| */
    vf rest = vf_add(vf_add(vf_sub(base, high), d), vf_fma(e, vf_set(0x1.7f7d1cp-20f), d_low));
    vf sum = vf_add(high, rest); /* e times the low part of ln 2 is not small */
    *low = vf_add(vf_sub(high, sum), rest);
    return sum;
}

/* x^y for x positive and finite, y finite. */
static inline vf vf_pow_size(vf x, vf y) {
    vf log_low, log = vf_log_pair(x, &log_low);
    vf p = vf_mul(y, log);
    vf p_low = vf_fma(y, log_low, vf_fma(y, log, vf_sub(vf_zero(), p)));
    /* Beyond these the result has settled, and p_low may be NaN. */
    vm inside = vm_and(vf_lt(vf_set(-110.0f), p), vf_lt(p, vf_set(100.0f)));
    p_low = vf_select(inside, p_low, vf_zero());
    p = vf_min(vf_max(p, vf_set(-110.0f)), vf_set(100.0f));
    vf n, lost, first = vf_exp_reduce(p, p_low, &n, &lost);
    vf r = vf_add(first, lost); /* p_low may be 2^-18, too much for a term without its own e^r */
    lost = vf_add(vf_sub(first, r), lost);
    return vf_scale(vf_add(vf_set(1.0f), vf_exp_near(r, lost)), vi_of_f(n));
}

static inline vf vf_pow(vf x, vf y) {
    const vf one = vf_set(1.0f), zero = vf_zero(), infinite = vf_set(HUGE_VALF);
    const vf none = vf_of_bits(vi_set(0x7fc00000));
    vf size = vf_abs(x), y_size = vf_abs(y);
    vm whole = vf_eq(vf_rint(y), y);
    /* From 2^24 on every number is even; y/2 is not whole where y is odd. */
    vf half = vf_mul(y, vf_set(0.5f));
    vm odd = vm_and(whole, vm_and(vf_lt(y_size, vf_set(0x1p24f)), vm_not(vf_eq(vf_rint(half), half))));
    vm edge = vm_or(vm_or(vf_eq(size, zero), vf_eq(size, infinite)), vf_eq(y_size, infinite));
    vf r = vf_pow_size(vf_select(edge, one, size), vf_select(edge, one, y));
    /* At the edges: towards infinity, or towards zero. */
    vm above = vf_lt(one, size), rising = vf_lt(zero, y);
    vm up = vm_or(vm_and(above, rising), vm_and(vm_not(above), vm_not(rising)));
    r = vf_select(edge, vf_select(up, infinite, zero), r);
    r = vf_select(vm_and(vf_eq(size, one), vf_eq(y_size, infinite)), one, r);
    vm negative = vi_gt(vi_set(0), vf_bits(x)); /* -0 too */
    r = vf_select(vm_and(vm_and(negative, vm_not(edge)), vm_not(whole)), none, r);
    r = vf_select(vm_and(negative, odd), vf_neg(r), r);
    r = vf_select(vm_or(vf_is_nan(x), vf_is_nan(y)), none, r);
    return vf_select(vm_or(vf_eq(y, zero), vf_eq(x, one)), one, r);
}

#endif
