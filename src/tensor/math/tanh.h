/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/tanh.h - the hyperbolic tangent over lanes.
 *
 *   |x| < 0.55   x + x^3 Q(x^2)
 *   else         1 - 2 / (e^(2|x|) + 1), with the sign of x: exactly 1 from 9.02 on
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_TANH_H
#define ALM_MATH_TANH_H

#include "tensor/math/exp.h"

static inline vf vf_tanh(vf x) {
    const vf one = vf_set(1.0f);
    vf size = vf_abs(x), z = vf_mul(x, x);
    vf q = vf_set(0x1.19fb62p-9f);
    q = vf_fma(q, z, vf_set(-0x1.0c9fb8p-7f));
    q = vf_fma(q, z, vf_set(0x1.63bac8p-6f));
    q = vf_fma(q, z, vf_set(-0x1.b9f3a4p-5f));
    q = vf_fma(q, z, vf_set(0x1.111082p-3f));
    q = vf_fma(q, z, vf_set(-0x1.555554p-2f));
    vf near = vf_fma(vf_mul(size, z), q, size);
    vf far = vf_sub(one, vf_div(vf_set(2.0f), vf_add(vf_exp(vf_add(size, size)), one)));
    return vf_copysign(vf_select(vf_lt(size, vf_set(0.55f)), near, far), x);
}

#endif
