/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_math.h - the mathematical functions of tensor/math over arrays: out[i] = f(x[i]). out may be x. */
#if defined(ALM_KERNEL)
ALM_KERNEL(void, math_exp, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_expm1, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_log, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_log1p, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_tanh, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_erf, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_sin, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_cos, (float *out, const float *x, size_t n))
ALM_KERNEL(void, math_pow, (float *out, const float *x, const float *y, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
enum { MATH_CHECK = 61 };

/* Of every kind: patterns of all exponents, and the numbers on which the functions turn. */
static void math_check_fill(float *x, uint32_t seed) {
    static const float turns[] = {0.0f,    -0.0f,     1.0f,  -1.0f,   88.7f, -87.4f,
                                  -103.9f, 0x1p-140f, 0.55f, 0x1p14f, 3e38f, -3.93f};
    for (size_t i = 0; i < MATH_CHECK; i++) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t bits = seed ^ seed >> 15;
        if (i & 1) bits = (bits & 0x83ffffff) | 0x3c000000; /* mostly of ordinary size */
        memcpy(x + i, &bits, 4);
    }
    memcpy(x + 7, turns, sizeof turns);
}
#define ALM_MATH_CHECK(name)                                               \
    static bool check_##name(const alm_kernels *a, const alm_kernels *b) { \
        float x[MATH_CHECK], p[MATH_CHECK], q[MATH_CHECK];                 \
        math_check_fill(x, 71);                                            \
        a->name(p, x, MATH_CHECK), b->name(q, x, MATH_CHECK);              \
        return alm_check_same(p, q, MATH_CHECK);                           \
    }
ALM_MATH_CHECK(math_exp)
ALM_MATH_CHECK(math_expm1)
ALM_MATH_CHECK(math_log)
ALM_MATH_CHECK(math_log1p)
ALM_MATH_CHECK(math_tanh)
ALM_MATH_CHECK(math_erf)
ALM_MATH_CHECK(math_sin)
ALM_MATH_CHECK(math_cos)
#undef ALM_MATH_CHECK
static bool check_math_pow(const alm_kernels *a, const alm_kernels *b) {
    float x[MATH_CHECK], y[MATH_CHECK], p[MATH_CHECK], q[MATH_CHECK];
    math_check_fill(x, 72), alm_check_fill(y, MATH_CHECK, 73);
    a->math_pow(p, x, y, MATH_CHECK), b->math_pow(q, x, y, MATH_CHECK);
    return alm_check_same(p, q, MATH_CHECK);
}

#elif defined(ALM_LANES)
#include "tensor/math/erf.h"
#include "tensor/math/exp.h"
#include "tensor/math/log_f32.h"
#include "tensor/math/pow.h"
#include "tensor/math/tanh.h"
#include "tensor/math/trig.h"

#define ALM_MATH_ARRAY(name)                                                                     \
    static void math_##name(float *out, const float *x, size_t n) {                              \
        size_t i = 0;                                                                            \
        for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(out + i, vf_##name(vf_load(x + i))); \
        if (i < n) vf_store_n(out + i, vf_##name(vf_load_n(x + i, n - i)), n - i);               \
    }
ALM_MATH_ARRAY(exp)
ALM_MATH_ARRAY(expm1)
ALM_MATH_ARRAY(log)
ALM_MATH_ARRAY(log1p)
ALM_MATH_ARRAY(tanh)
ALM_MATH_ARRAY(erf)
ALM_MATH_ARRAY(sin)
ALM_MATH_ARRAY(cos)
#undef ALM_MATH_ARRAY

static void math_pow(float *out, const float *x, const float *y, size_t n) {
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(out + i, vf_pow(vf_load(x + i), vf_load(y + i)));
    if (i < n) vf_store_n(out + i, vf_pow(vf_load_n(x + i, n - i), vf_load_n(y + i, n - i)), n - i);
}
#endif
