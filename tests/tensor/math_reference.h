/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/math_reference.h - what a function of f32 should have given: double libm, and how far off a result is.
 *
 * libm's doubles are off by about 2^-29 of an f32's ulp, so an error counted in those ulps is right to that; the slow test
 * asks MPFR where it comes near a bound. */
#ifndef ALM_MATH_REFERENCE_H
#define ALM_MATH_REFERENCE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tensor/kernel/kernels.h"

/* Double libm, but where a term or two of the series are the value to 2^-39 of it, or where it has settled, those: most
 * patterns are such numbers, and every one of the 2^32 is asked. */
static inline double math_exp(double x) {
    if (fabs(x) < 0x1p-13) return 1 + (x + x * x / 2 + x * x * x / 6);
    return x > 100 ? HUGE_VAL : x < -150 ? 0x1p-200 : exp(x);
}
static inline double math_expm1(double x) {
    if (fabs(x) < 0x1p-13) return x * (1 + x / 2 + x * x / 6); /* -0 stays */
    return x > 100 ? HUGE_VAL : x < -50 ? -1 + 0x1p-52 : expm1(x);
}
static inline double math_log(double x) { return x < 0 ? (double)NAN : log(x); }
static inline double math_log1p(double x) {
    if (fabs(x) < 0x1p-13) return x * (1 - x / 2 + x * x / 3);
    return x < -1 ? (double)NAN : log1p(x);
}
static inline double math_tanh(double x) {
    if (fabs(x) < 0x1p-10) return x * (1 - x * x / 3);
    return fabs(x) > 30 ? copysign(1, x) : tanh(x);
}
static inline double math_erf(double x) {
    if (fabs(x) < 0x1p-10) return 0x1.20dd750429b6dp+0 * (x * (1 - x * x / 3));
    return fabs(x) > 10 ? copysign(1, x) : erf(x);
}
static inline double math_sin(double x) { return fabs(x) < 0x1p-10 ? x * (1 - x * x / 6) : sin(x); }
static inline double math_cos(double x) { return fabs(x) < 0x1p-10 ? 1 - x * x / 2 : cos(x); }

static inline void math_sincos(double x, double out[2]) {
    if (fabs(x) < 0x1p-10) out[0] = math_sin(x), out[1] = math_cos(x);
    else sincos(x, out, out + 1); /* one reduction for both */
}

/* SYMMETRY: f(-x) is f(x), -f(x), or neither. */
enum { MATH_NO_SYMMETRY, MATH_EVEN, MATH_ODD };
#define MATH_FUNCTIONS(X)           \
    X(exp, 1.1, MATH_NO_SYMMETRY)   \
    X(expm1, 2.0, MATH_NO_SYMMETRY) \
    X(log, 1.1, MATH_NO_SYMMETRY)   \
    X(log1p, 2.0, MATH_NO_SYMMETRY) \
    X(tanh, 2.0, MATH_ODD)          \
    X(erf, 2.0, MATH_ODD)           \
    X(sin, 2.0, MATH_ODD)           \
    X(cos, 2.0, MATH_EVEN)
#define MATH_POW_BOUND 2.0

static inline float math_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static inline uint32_t math_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

/* The step between f32 numbers of the size of t; below the normal ones it is 2^-149. */
static inline double math_ulp(double t) {
    uint64_t bits;
    t = fabs(t);
    if (t < 0x1p-126) return 0x1p-149;
    if (t >= 0x1p128) t = 0x1.fp127;
    memcpy(&bits, &t, 8);
    bits = (bits & 0x7ff0000000000000ULL) - ((uint64_t)23 << 52);
    memcpy(&t, &bits, 8);
    return t;
}

/* How far `got` is from the true value in ulps; infinite where NaN, infinity or the sign of a zero is wrong. An infinity
 * counts as 2^128, which is where the next f32 would be. */
static inline double math_error(float got, double want) {
    if (want != want) return got != got ? 0 : HUGE_VAL;
    if (got != got) return HUGE_VAL;
    double g = (double)got;
    if (isinf(want) || fabs(want) > 0x1.0000004p128) return g == copysign(HUGE_VAL, want) ? 0 : HUGE_VAL;
    if (want == 0) return g == 0 && !signbit(g) == !signbit(want) ? 0 : HUGE_VAL;
    if (g != 0 && !signbit(g) != !signbit(want)) return HUGE_VAL;
    if (isinf(g)) g = copysign(0x1p128, g);
    return fabs(g - want) / math_ulp(want);
}

#endif
