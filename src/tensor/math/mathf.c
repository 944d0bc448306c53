/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/math/mathf.c - the functions of f32 over the plain lanes, which are one number. */
#include "tensor/math/mathf.h"

#include "tensor/kernel/lanes_plain.h"

#include "tensor/math/erf.h"
#include "tensor/math/exp.h"
#include "tensor/math/log_f32.h"
#include "tensor/math/pow.h"
#include "tensor/math/tanh.h"
#include "tensor/math/trig.h"

float alm_expf(float x) { return vf_exp(x); }
float alm_expm1f(float x) { return vf_expm1(x); }
float alm_logf(float x) { return vf_log(x); }
float alm_log1pf(float x) { return vf_log1p(x); }
float alm_tanhf(float x) { return vf_tanh(x); }
float alm_erff(float x) { return vf_erf(x); }
float alm_sinf(float x) { return vf_sin(x); }
float alm_cosf(float x) { return vf_cos(x); }
float alm_powf(float x, float y) { return vf_pow(x, y); }
