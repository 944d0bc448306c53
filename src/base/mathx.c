/* SPDX-License-Identifier: Apache-2.0
 *
 * base/mathx.c - exp, log, log1p, pow, sin and cos in double: only + - * / and fma, in the order written here.
 *
 *   exp    x = k ln2 + r, |r| <= ln2/2;  e^r by Taylor to r^14 (the rest is below 2^-62);  2^k by its bits
 *   log    x = 2^e m, sqrt(1/2) <= m < sqrt(2), f = m - 1, s = f / (2 + f):  log m = 2 atanh s = f - s (f - R),
 *          R = 2 s^2/3 + 2 s^4/5 + ... ; f is exact, so the roundings of s only touch the smaller part
 *   log1p  log(u) + ((x - (u - 1)) / u) with u = 1 + x rounded: the second part is what the rounding lost
 *   pow    log as a sum of two doubles (about 100 bits), times y, then exp of the sum
 *   sin    x = n pi/2 + r, |r| <= pi/4, r as a sum of two doubles: pi/2 stands in parts of which n times each is exact;
 *   cos    Taylor to r^17 and r^18 (what is left out is below 2^-62)
 *
 * Constants are hexadecimal, so that no decimal conversion stands between the text and the bits. */
#include "base/mathx.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HI   0x1.62e42fecp-1 /* 32 bits: k LN2_HI is exact for every exponent k */
#define LN2_LO   0x1.d1cf79abc9e3bp-32
#define INV_LN2  0x1.71547652b82fep+0
#define SQRT_1_2 0x1.6a09e667f3bcdp-1
#define BIG      0x1p54

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

static double power_of_two(int k) { return from_bits((uint64_t)(k + 1023) << 52); } /* -1022 <= k <= 1023 */

/* x 2^k with one rounding. */
static double scale(double x, int k) {
    if (k > 1023) return x * power_of_two(1023) * power_of_two(k - 1023);
    if (k < -1022) return x * power_of_two(k + 200) * 0x1p-200; /* the first product is exact */
    return x * power_of_two(k);
}

/* e^(x + more), |more| far below an ulp of x; x within the range of finite results. */
static double exp_sum(double x, double more) {
    int k = (int)(x * INV_LN2 + (x < 0 ? -0.5 : 0.5));
    double high = x - k * LN2_HI, low = k * LN2_LO - more;
    double r = high - low, lost = (high - r) - low;
    double p = 1.0 / 87178291200; /* 1/14! */
    p = 1.0 / 6227020800 + r * p;
    p = 1.0 / 479001600 + r * p;
    p = 1.0 / 39916800 + r * p;
    p = 1.0 / 3628800 + r * p;
    p = 1.0 / 362880 + r * p;
    p = 1.0 / 40320 + r * p;
    p = 1.0 / 5040 + r * p;
    p = 1.0 / 720 + r * p;
    p = 1.0 / 120 + r * p;
    p = 1.0 / 24 + r * p;
    p = 1.0 / 6 + r * p;
    p = 0.5 + r * p;
    return scale(1 + (r + (r * r * p + lost * (1 + r))), k);
}

double alm_exp_f64(double x) {
    if (x != x) return x;
    if (x > 0x1.62e42fefa39efp+9) return HUGE_VAL;
    if (x < -0x1.74910d52d3052p+9) return 0; /* below half of the smallest double */
    return exp_sum(x, 0);
}

/* x = 2^e m, sqrt(1/2) <= m < sqrt(2); x positive and finite. */
static double split(double x, int *e) {
    int shift = 0;
    if (x < 0x1p-1022) x *= BIG, shift = 54;
    uint64_t bits = to_bits(x);
    *e = (int)(bits >> 52) - 1022 - shift;
    double m = from_bits((bits & ((1ULL << 52) - 1)) | 1022ULL << 52); /* [1/2, 1) */
    if (m < SQRT_1_2) m *= 2, --*e;
    return m;
}

/* 2 s^2/3 + 2 s^4/5 + ... without its first term, divided by s^4: for z = s^2. */
static double atanh_tail(double z) {
    double p = 2.0 / 27;
    p = 2.0 / 25 + z * p;
    p = 2.0 / 23 + z * p;
    p = 2.0 / 21 + z * p;
    p = 2.0 / 19 + z * p;
    p = 2.0 / 17 + z * p;
    p = 2.0 / 15 + z * p;
    p = 2.0 / 13 + z * p;
    p = 2.0 / 11 + z * p;
    p = 2.0 / 9 + z * p;
    p = 2.0 / 7 + z * p;
    return 2.0 / 5 + z * p;
}

double alm_log_f64(double x) {
    if (x != x || x == HUGE_VAL) return x;
    if (x == 0) return -HUGE_VAL;
    if (x < 0) return from_bits(0x7ff8000000000000ULL);
    int e;
    double f = split(x, &e) - 1, s = f / (2 + f), z = s * s;
    double tail = z * (2.0 / 3 + z * atanh_tail(z));
    return e * LN2_HI + (f - (s * (f - tail) - e * LN2_LO));
}

double alm_log1p_f64(double x) {
    if (!(x > -1) || x == HUGE_VAL) return x == HUGE_VAL ? x : alm_log_f64(1 + x);
    double u = 1 + x;
    if (u == 1) return x;
    double lost = x >= 1 ? 1 - (u - x) : x - (u - 1);
    return alm_log_f64(u) + lost / u;
}

/* high + low = log x to about 2^-66 of it; x positive and finite. */
static double log_pair(double x, double *low) {
    const double third_high = 0x1.5555555555555p-1, third_low = 0x1.5555555555555p-55; /* 2/3 */
    int e;
    double f = split(x, &e) - 1;
    double t = 2 + f, t_low = f - (t - 2);
    double s = f / t, s_low = (fma(-s, t, f) - s * t_low) / t;
    double z = s * s, z_low = fma(s, s, -z) + 2 * s * s_low;
    double tail = z * atanh_tail(z);
    double a = third_high + tail, a_low = ((third_high - a) + tail) + third_low;
    double b = z * a, b_low = fma(z, a, -b) + (z * a_low + z_low * a);
    double c = s * b, c_low = fma(s, b, -c) + (s * b_low + s_low * b);
    double d = 2 * s + c, d_low = ((2 * s - d) + c) + (2 * s_low + c_low);
    double base = e * LN2_HI, high = base + d; /* |base| is 0 or above |d| */
    *low = ((base - high) + d) + (d_low + e * LN2_LO);
    if (e == 0) *low = d_low;
    return high;
}

double alm_pow_f64(double x, double y) {
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y || x < 0) return from_bits(0x7ff8000000000000ULL);
    if (x == 0 || x == HUGE_VAL) return (x == 0) == (y > 0) ? 0 : HUGE_VAL;
    double low, high = log_pair(x, &low);
    double p = y * high;
    if (p > 710) return HUGE_VAL;
    if (p < -746) return 0;
    double p_low = fma(y, high, -p) + y * low;
    double sum = p + p_low;
    p_low = (p - sum) + p_low;
    if (sum > 0x1.62e42fefa39efp+9) {
        /* The last half ulp below overflow decides itself through the scaling. */
        return sum > 0x1.62e42fefa39fp+9 ? HUGE_VAL : exp_sum(sum, p_low);
    }
    if (sum < -0x1.74910d52d3052p+9) return 0;
    return exp_sum(sum, p_low);
}

/* -- sin and cos ---------------------------------------------------------------------------------------------------- */

/* pi/2 in four parts of 26 bits, so that n times a part is exact for n <= 2^27, and a rest. */
static const double half_pi[] = {0x1.921fb50000000p+0, 0x1.110b460000000p-26, 0x1.1a62630000000p-54,
                                 0x1.8a2e030000000p-81, 0x1.c1cd129024e09p-107};

/* x = n pi/2 + (high + low) to about 2^-125, |x| <= 2^27; returns n mod 4. */
static unsigned reduce_quarter(double x, double *high, double *low) {
    double n = (double)(int64_t)(x * 0x1.45f306dc9c883p-1 + (x < 0 ? -0.5 : 0.5));
    double h = x - n * half_pi[0], l = 0; /* both exact: the leading bits cancel */
    for (int i = 1; i < 5; i++) {
        double w = n * half_pi[i], d = h - w, back = h - d;
        l += (h - (d + back)) + (back - w); /* what the rounding of d lost */
        h = d;
    }
    *high = h + l;
    *low = (h - *high) + l;
    return (unsigned)(int64_t)n & 3;
}

/* sin and cos of high + low, |high| <= pi/4 and a little. */
static double sin_near(double high, double low) {
    double z = high * high;
    double p = 1.0 / 355687428096000; /* 1/17! */
    p = -1.0 / 1307674368000 + z * p;
    p = 1.0 / 6227020800 + z * p;
    p = -1.0 / 39916800 + z * p;
    p = 1.0 / 362880 + z * p;
    p = -1.0 / 5040 + z * p;
    p = 1.0 / 120 + z * p;
    p = -1.0 / 6 + z * p;
    return high + (high * z * p + low * (1 - 0.5 * z));
}

static double cos_near(double high, double low) {
    double z = high * high;
    double p = -1.0 / 6402373705728000; /* -1/18! */
    p = 1.0 / 20922789888000 + z * p;
    p = -1.0 / 87178291200 + z * p;
    p = 1.0 / 479001600 + z * p;
    p = -1.0 / 3628800 + z * p;
    p = 1.0 / 40320 + z * p;
    p = -1.0 / 720 + z * p;
    p = 1.0 / 24 + z * p;
    double half = 0.5 * z, one = 1 - half;
    return one + (((1 - one) - half) + (z * z * p - high * low));
}

double alm_sin_f64(double x) {
    if (!(fabs(x) <= 0x1p27)) return from_bits(0x7ff8000000000000ULL);
    if (x == 0) return x; /* with its sign */
    double high, low;
    unsigned n = reduce_quarter(x, &high, &low);
    double y = n & 1 ? cos_near(high, low) : sin_near(high, low);
    return n & 2 ? -y : y;
}

double alm_cos_f64(double x) {
    if (!(fabs(x) <= 0x1p27)) return from_bits(0x7ff8000000000000ULL);
    double high, low;
    unsigned n = reduce_quarter(x, &high, &low);
    double y = n & 1 ? sin_near(high, low) : cos_near(high, low);
    return n == 1 || n == 2 ? -y : y;
}
