/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/erf.h - the error function over lanes.
 *
 *   |x| < 1   x + x Q(x^2)
 *   else      1 - exp(-P(|x| - 2)), P = -log(1 - erf), with the sign of x: exactly 1 from 3.92 on
 *
 * Include it after a lanes_*.h. Bounds: docs/numbers.md. Coefficients: tools/make_math.py. */
#ifndef ALM_MATH_ERF_H
#define ALM_MATH_ERF_H

#include "tensor/math/exp.h"

static inline vf vf_erf(vf x) {
    vf size = vf_abs(x), z = vf_mul(x, x);
    vf q = vf_set(-0x1.7411bp-20f);
    q = vf_fma(q, z, vf_set(0x1.5f5p-14f));
    q = vf_fma(q, z, vf_set(-0x1.a80ca4p-11f));
    q = vf_fma(q, z, vf_set(0x1.54676cp-8f));
    q = vf_fma(q, z, vf_set(-0x1.b8028ep-6f));
    q = vf_fma(q, z, vf_set(0x1.ce2d6ap-4f));
    q = vf_fma(q, z, vf_set(-0x1.81274p-2f));
    q = vf_fma(q, z, vf_set(0x1.06eba8p-3f));
    vf near = vf_fma(size, q, size);
    vf t = vf_sub(vf_min(size, vf_set(3.93f)), vf_set(2.0f));
    vf p = vf_set(0x1.bdf788p-21f);
    p = vf_fma(p, t, vf_set(0x1.42e77ap-17f));
    p = vf_fma(p, t, vf_set(-0x1.620b22p-13f));
    p = vf_fma(p, t, vf_set(0x1.772a4ep-11f));
    p = vf_fma(p, t, vf_set(-0x1.d20034p-9f));
    p = vf_fma(p, t, vf_set(0x1.0e02a2p-6f));
    p = vf_fma(p, t, vf_set(0x1.d8f626p-1f));
    p = vf_fma(p, t, vf_set(0x1.1ac322p+2f));
    p = vf_fma(p, t, vf_set(0x1.575b32p+2f));
    vf far = vf_sub(vf_set(1.0f), vf_exp(vf_neg(p)));
    vf y = vf_copysign(vf_select(vf_lt(size, vf_set(1.0f)), near, far), x);
    return vf_select(vf_is_nan(x), x, y);
}

#endif
