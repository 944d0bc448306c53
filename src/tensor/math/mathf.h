/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/mathf.h - the mathematical functions of f32, one number at a time: the plain lanes, so the same bits as every
 * kernel gives. Error <= 1.1 ulp for exp and log, <= 2 ulp for the others, for every argument, denormal results too
 * (docs/numbers.md has what was measured); NaN, infinities and zeros as C says. */
#ifndef ALM_TENSOR_MATH_MATHF_H
#define ALM_TENSOR_MATH_MATHF_H

float alm_expf(float x);
float alm_expm1f(float x);
float alm_logf(float x);
float alm_log1pf(float x);
float alm_tanhf(float x);
float alm_erff(float x);
float alm_sinf(float x);
float alm_cosf(float x);
float alm_powf(float x, float y);

#endif
