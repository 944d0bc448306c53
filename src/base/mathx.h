/* SPDX-License-Identifier: Apache-2.0
 *
 * base/mathx.h - exp, log, sin and cos in double for scores, probabilities and tables: own code in a fixed order with correctly
 * rounded basic operations only, so that a stored score has the same bits on every machine (libm differs by version).
 * Error: ≤ 2 ulp where the result is normal. */
#ifndef ALM_BASE_MATHX_H
#define ALM_BASE_MATHX_H

double alm_exp_f64(double x);
double alm_log_f64(double x);
double alm_log1p_f64(double x);
double alm_pow_f64(double x, double y); /* x > 0 */
/* |x| <= 2^27, near multiples of pi/2 too (pi to 157 bits); NaN beyond. */
double alm_sin_f64(double x);
double alm_cos_f64(double x);
/* ln Gamma(x) for x > 0: relative error ≤ 1e-13. */
double alm_lgamma_f64(double x);
/* Regularised incomplete beta I_x(a, b): the distribution function of Beta(a, b); a, b > 0, absolute error ≤ 1e-12. */
double alm_beta_cdf(double x, double a, double b);
/* P(X <= k) for X ~ Binomial(n, p). */
double alm_binomial_cdf(long long k, long long n, double p);
/* Exact two-sided binomial test (sum of all outcomes no likelier than k). */
double alm_binomial_test(long long k, long long n, double p);
/* Upper tail of the chi-square distribution with df degrees of freedom. */
double alm_chi2_sf(double x, double df);

#endif
