/* SPDX-License-Identifier: Apache-2.0
 *
 * base/probability.c - the functions behind a promised rate: lgamma, Beta, binomial, chi-square.
 *
 *   lgamma   2 + w, |w| <= 1/2:  w (1 - gamma) + sum (-1)^k (zeta(k) - 1) w^k / k  (Abramowitz & Stegun 6.1.33), which
 *            keeps its relative accuracy at the zero; other x < 8 are moved there by lgamma(x + 1) = lgamma(x) + log x;
 *            x >= 8 by Stirling's series
 *   density  x^a y^b / B(a, b) and x^a e^-x / Gamma(a) in Loader's form (2000, "Fast and accurate computation of binomial
 *            probabilities"): deviance and Stirling remainders instead of differences of large lgammas
 *   Beta     the density times the continued fraction 26.5.8, evaluated forwards (Lentz), on the side where it converges
 *   Gamma    the density times the power series 6.5.29 or the continued fraction 6.5.31
 *
 * Each tail is computed where it is small, so 1 - p never loses a small p. */
#include "base/mathx.h"

#include <math.h>
#include <stdbool.h>

#define HALF_LOG_2PI    0x1.d67f1c864beb5p-1
#define TWO_PI          0x1.921fb54442d18p+2
#define ONE_MINUS_GAMMA 0x1.b0ee6072093cep-2
#define TINY            1e-300
#define STEPS_MAX       1000000 /* both fractions take about sqrt(a) steps: this is enough for a = 10^11 */

/* ln Gamma(2 + w), |w| <= 1/2. */
static double lgamma_at_two(double w) {
    static const double c[] = {
        /* (-1)^k (zeta(k) - 1) / k for k = 2.. */
        0x1.4a34cc4a60fa6p-2,  -0x1.13e001a557607p-4,  0x1.51322ac7d8483p-6,  -0x1.e404fc218f5f2p-8,
        0x1.7add6eadb6c30p-9,  -0x1.38ac5c2bf8e08p-10, 0x1.0b36af86396e9p-11, -0x1.d3fd4c76d2fc8p-13,
        0x1.a127b0f17d65ap-14, -0x1.78de5bd7c81efp-15, 0x1.580dcee66eb02p-16, -0x1.3cbc963ce2243p-17,
        0x1.2597a39f34aacp-18, -0x1.11b2eb7679541p-19, 0x1.0064cdeb22f0fp-20, -0x1.e2600d93cfd2fp-22,
        0x1.c76bbb3f07a4dp-23, -0x1.af5a6cbbf8a97p-24, 0x1.99b93c2070b0fp-25, -0x1.862c734df3eacp-26,
        0x1.7469daccfadcdp-27, -0x1.6434a8447aeadp-28, 0x1.555a877ffd2c3p-29, -0x1.47b1679258d0ep-30,
        0x1.3b15d2b2fc10cp-31, -0x1.2f69a9fabe3e0p-32, 0x1.24932a337434cp-33};
    double p = 0;
    for (int i = (int)(sizeof c / sizeof *c) - 1; i >= 0; i--) p = c[i] + w * p;
    return w * (ONE_MINUS_GAMMA + w * p);
}

/* ln Gamma(z) - ((z - 1/2) log z - z + log(2 pi)/2) for z >= 8. */
static double stirling_series(double z) {
    double u = 1 / (z * z), p = -174611.0 / 125400;
    p = 43867.0 / 244188 + u * p;
    p = -3617.0 / 122400 + u * p;
    p = 1.0 / 156 + u * p;
    p = -691.0 / 360360 + u * p;
    p = 1.0 / 1188 + u * p;
    p = -1.0 / 1680 + u * p;
    p = 1.0 / 1260 + u * p;
    p = -1.0 / 360 + u * p;
    p = 1.0 / 12 + u * p;
    return p / z;
}

double alm_lgamma_f64(double x) {
    if (x != x) return x;
    if (x <= 0 || x == HUGE_VAL) return HUGE_VAL;
    if (x < 0.5) return (lgamma_at_two(x) - alm_log1p_f64(x)) - alm_log_f64(x); /* x + 1 would lose digits of x */
    if (x < 1.5) return lgamma_at_two(x - 1) - alm_log1p_f64(x - 1);
    if (x < 8) {
        double product = 1;
        while (x >= 2.5) x -= 1, product *= x; /* exact differences */
        return lgamma_at_two(x - 2) + alm_log_f64(product);
    }
    double log_x = alm_log_f64(x);
    return ((x - 0.5) * log_x - x) + (HALF_LOG_2PI + stirling_series(x));
}

/* ln Gamma(z + 1) - ((z + 1/2) log z - z + log(2 pi)/2): Loader's Stirling remainder, z > 0. */
static double stirling_rest(double z) {
    if (z >= 8) return stirling_series(z); /* lgamma(z + 1) = lgamma(z) + log z */
    return alm_lgamma_f64(z + 1) - ((z + 0.5) * alm_log_f64(z) - z + HALF_LOG_2PI);
}

/* x log(x / m) + m - x >= 0 without cancellation, x > 0, m > 0. */
static double deviance(double x, double m) {
    double difference = x - m, sum = x + m;
    if (difference < 0.1 * sum && difference > -0.1 * sum) {
        /* log(x/m) = 2 atanh(v): the terms that would cancel are taken out by hand. */
        double v = difference / sum, v2 = v * v, total = difference * v, term = 2 * x * v;
        for (int i = 1; i < 1000; i++) {
            term *= v2;
            double next = total + term / (2 * i + 1);
            if (next == total) break;
            total = next;
        }
        return total;
    }
    double ratio = x / m;
    if (ratio == 0 || ratio == HUGE_VAL) return x * (alm_log_f64(x) - alm_log_f64(m)) + m - x;
    return x * alm_log_f64(ratio) + m - x;
}

/* x^a y^b / B(a, b), x + y = 1. */
static double beta_factor(double x, double y, double a, double b) {
    double n = a + b;
    double rest = stirling_rest(n) - stirling_rest(a) - stirling_rest(b);
    double exponent = rest - deviance(a, n * x) - deviance(b, n * y);
    return sqrt(a / TWO_PI * (b / n)) * alm_exp_f64(exponent);
}

static double away_from_zero(double x) { return x > -TINY && x < TINY ? TINY : x; }

/* I_x(a, b) = factor / a times this; converges quickly for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double x, double a, double b) {
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
    for (int m = 1; m <= STEPS_MAX; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        double step = d * c;
        h *= step;
        if (step > 1 - 0x1p-53 && step < 1 + 0x1p-52) break;
    }
    return h;
}

static double clip(double p) { return p < 0 ? 0 : p > 1 ? 1 : p; }

/* I_x(a, b), or 1 - I_x(a, b) when `upper`; y = 1 - x is handed in because the caller may know it better. */
static double beta_tail(double x, double y, double a, double b, bool upper) {
    if (x <= 0) return upper ? 1 : 0;
    if (y <= 0) return upper ? 0 : 1;
    double factor = beta_factor(x, y, a, b);
    bool swapped = x > (a + 1) / (a + b + 2);
    double p = swapped ? factor * beta_fraction(y, b, a) / b : factor * beta_fraction(x, a, b) / a;
    return clip(swapped == upper ? p : 1 - p);
}

static double nan_f64(void) { return alm_log_f64(-1); }

double alm_beta_cdf(double x, double a, double b) {
    if (x != x || !(a > 0) || !(b > 0)) return nan_f64();
    return beta_tail(x, 1 - x, a, b, false);
}

/* P(X <= k), or P(X >= k) when `upper`. */
static double binomial_tail(long long k, long long n, double p, bool upper) {
    if (upper) {
        if (k <= 0) return 1;
        if (k > n) return 0;
        return beta_tail(p, 1 - p, (double)k, (double)(n - k) + 1, false);
    }
    if (k < 0) return 0;
    if (k >= n) return 1;
    return beta_tail(p, 1 - p, (double)k + 1, (double)(n - k), true);
}

static bool binomial_defined(long long n, double p) { return n >= 0 && p >= 0 && p <= 1; }

double alm_binomial_cdf(long long k, long long n, double p) {
    if (!binomial_defined(n, p)) return nan_f64();
    return binomial_tail(k, n, p, false);
}

/* log of P(X = k), 0 < p < 1. */
static double binomial_log_mass(long long k, long long n, double p) {
    double y = 1 - p, a = (double)k, b = (double)(n - k), size = (double)n;
    if (k == 0) return size * alm_log1p_f64(-p);
    if (k == n) return size * alm_log_f64(p);
    double rest = stirling_rest(size) - stirling_rest(a) - stirling_rest(b);
    return rest - deviance(a, size * p) - deviance(b, size * y) - 0.5 * alm_log_f64(TWO_PI * a * (b / size));
}

double alm_binomial_test(long long k, long long n, double p) {
    if (!binomial_defined(n, p) || k < 0 || k > n) return nan_f64();
    if (p == 0 || p == 1) return (p == 0 ? k == 0 : k == n) ? 1 : 0;
    /* Outcomes whose mass differs from that of k by roundings only are as likely as k. */
    double most = binomial_log_mass(k, n, p) + 1e-9;
    long long mode = (long long)((double)(n + 1) * p);
    if (mode > n) mode = n;
    if (most >= binomial_log_mass(mode, n, p)) return 1;
    /* The mass falls on the other side of the mode: halve to the first outcome there that is no likelier. */
    if (k < mode) {
        long long low = mode, high = n + 1;
        while (high - low > 1) {
            long long mid = low + (high - low) / 2;
            if (binomial_log_mass(mid, n, p) <= most) high = mid;
            else low = mid;
        }
        return clip(binomial_tail(k, n, p, false) + binomial_tail(high, n, p, true));
    }
    long long low = -1, high = mode;
    while (high - low > 1) {
        long long mid = low + (high - low) / 2;
        if (binomial_log_mass(mid, n, p) <= most) low = mid;
        else high = mid;
    }
    return clip(binomial_tail(k, n, p, true) + binomial_tail(low, n, p, false));
}

/* Upper regularised incomplete gamma Q(a, x), a > 0, x > 0. */
static double gamma_upper(double a, double x) {
    double factor = a / sqrt(TWO_PI * a) * alm_exp_f64(-stirling_rest(a) - deviance(a, x)); /* x^a e^-x / Gamma(a) */
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int i = 1; i <= STEPS_MAX; i++) {
            term *= x / (a + i);
            double next = sum + term;
            if (next == sum) break;
            sum = next;
        }
        return clip(1 - factor * sum);
    }
    double b = x + 1 - a, c = 1 / TINY, d = 1 / away_from_zero(b), h = d;
    for (int i = 1; i <= STEPS_MAX; i++) {
        double numerator = -(double)i * (i - a);
        b += 2;
        d = 1 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        double step = d * c;
        h *= step;
        if (step > 1 - 0x1p-53 && step < 1 + 0x1p-52) break;
    }
    return clip(factor * h);
}

double alm_chi2_sf(double x, double df) {
    if (x != x || !(df > 0)) return nan_f64();
    if (x <= 0) return 1;
    if (x == HUGE_VAL) return 0;
    return gamma_upper(df / 2, x / 2);
}
