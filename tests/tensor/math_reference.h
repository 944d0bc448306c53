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
