/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_mathx.c - exp, log and the probability functions against tests/golden/mathx (mpmath). */
#include "alm_test.h"

#include "base/mathx.h"

#include <math.h>

/* Why these: mathx.h promises them. Nothing is allowed for "another machine": the bits are the same everywhere. */
#define ULP_ELEMENTARY   2
#define LGAMMA_RELATIVE  1e-13
#define PROBABILITY_NEAR 1e-12

typedef struct row {
    char name[24];
    double arg[3], want;
    long long whole[2];
} row;

static double from_hex(const char *text) {
    uint64_t bits = strtoull(text, NULL, 16);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

/* Calls fn for each line of a function; returns how many there were. */
static size_t each(const char *function, void (*fn)(const row *r)) {
    size_t n_bytes, n_row = 0;
    char *text = alm_test_slurp(alm_test_source("tests/golden/mathx/mathx.tsv"), &n_bytes);
    alm_str rest = {text, n_bytes}, line, part;
    while (alm_str_split(&rest, '\n', &line)) {
        row r = {0};
        char field[5][24] = {0};
        size_t n = 0;
        while (n < 5 && alm_str_split(&line, '\t', &part)) snprintf(field[n++], 24, "%.*s", ALM_ARG(part));
        if (n < 3 || strcmp(field[0], function) != 0) continue;
        snprintf(r.name, sizeof r.name, "%s", field[0]);
        for (size_t i = 1; i + 1 < n; i++) {
            r.arg[i - 1] = from_hex(field[i]);
            if (i < 3) r.whole[i - 1] = strtoll(field[i], NULL, 10);
        }
        r.want = from_hex(field[n - 1]);
        fn(&r);
        n_row++;
    }
    alm_free(text);
    return n_row;
}

static uint64_t worst;
static void ulp(double got, const row *r) {
    uint64_t off = alm_test_ulps(got, r->want);
    if (off > worst) worst = off;
    CHECK(off <= ULP_ELEMENTARY, "%s(%.17g, %.17g) is %.17g, not %.17g: %llu ulp", r->name, r->arg[0], r->arg[1], got,
          r->want, (unsigned long long)off);
}
static double farthest;
static void near(double got, const row *r) {
    double off = fabs(got - r->want);
    if (off > farthest) farthest = off;
    CHECK(off <= PROBABILITY_NEAR, "%s(%.17g, %.17g, %.17g | %lld, %lld) is %.17g, not %.17g", r->name, r->arg[0],
          r->arg[1], r->arg[2], r->whole[0], r->whole[1], got, r->want);
}

static void exp_row(const row *r) { ulp(alm_exp_f64(r->arg[0]), r); }
static void log_row(const row *r) { ulp(alm_log_f64(r->arg[0]), r); }
static void log1p_row(const row *r) { ulp(alm_log1p_f64(r->arg[0]), r); }
static void sin_row(const row *r) { ulp(alm_sin_f64(r->arg[0]), r); }
static void cos_row(const row *r) { ulp(alm_cos_f64(r->arg[0]), r); }
static void pow_row(const row *r) { ulp(alm_pow_f64(r->arg[0], r->arg[1]), r); }
static void lgamma_row(const row *r) {
    double got = alm_lgamma_f64(r->arg[0]), off = fabs(got - r->want) / fabs(r->want);
    if (off > farthest) farthest = off;
    CHECK(off <= LGAMMA_RELATIVE, "lgamma(%.17g) is %.17g, not %.17g", r->arg[0], got, r->want);
}
static void beta_row(const row *r) { near(alm_beta_cdf(r->arg[0], r->arg[1], r->arg[2]), r); }
static void binomial_cdf_row(const row *r) { near(alm_binomial_cdf(r->whole[0], r->whole[1], r->arg[2]), r); }
static void binomial_test_row(const row *r) { near(alm_binomial_test(r->whole[0], r->whole[1], r->arg[2]), r); }
static void chi2_row(const row *r) { near(alm_chi2_sf(r->arg[0], r->arg[1]), r); }

static void exp_log_and_pow_are_within_two_ulp(void **state) {
    (void)state;
    worst = 0;
    CHECK_INT(each("exp", exp_row), 608);
    CHECK_INT(each("log", log_row), 611);
    CHECK_INT(each("log1p", log1p_row), 600);
    CHECK_INT(each("pow", pow_row), 593);
    print_message("worst: %llu ulp\n", (unsigned long long)worst);
}

static void sin_and_cos_are_within_two_ulp(void **state) {
    (void)state;
    worst = 0;
    CHECK_INT(each("sin", sin_row), 942);
    CHECK_INT(each("cos", cos_row), 942);
    print_message("worst: %llu ulp\n", (unsigned long long)worst);
    CHECK_BITS(alm_sin_f64(0.0), 0.0);
    CHECK_BITS(alm_sin_f64(-0.0), -0.0);
    CHECK_BITS(alm_cos_f64(-0.0), 1.0);
    CHECK_BITS(alm_sin_f64(-5e-324), -5e-324);
    static const double beyond[] = {0x1.0000001p27, -0x1.0000001p27, HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < 4; i++) {
        CHECK(alm_sin_f64(beyond[i]) != alm_sin_f64(beyond[i]));
        CHECK(alm_cos_f64(beyond[i]) != alm_cos_f64(beyond[i]));
    }
}

static void lgamma_is_within_1e_13(void **state) {
    (void)state;
    farthest = 0;
    CHECK_INT(each("lgamma", lgamma_row), 600);
    print_message("worst: %g relative\n", farthest);
}

static void probabilities_are_within_1e_12(void **state) {
    (void)state;
    farthest = 0;
    CHECK_INT(each("beta", beta_row), 340);
    CHECK_INT(each("binomial_cdf", binomial_cdf_row), 174);
    CHECK_INT(each("binomial_test", binomial_test_row), 150);
    CHECK_INT(each("chi2", chi2_row), 200);
    print_message("worst: %g absolute\n", farthest);
}

static void the_ends_of_the_range_are_right(void **state) {
    (void)state;
    double inf = HUGE_VAL, nan = alm_log_f64(-1);
    CHECK(nan != nan);
    CHECK_BITS(alm_exp_f64(0), 1);
    CHECK_BITS(alm_exp_f64(710), inf);
    CHECK_BITS(alm_exp_f64(inf), inf);
    CHECK_BITS(alm_exp_f64(-inf), 0);
    CHECK_BITS(alm_exp_f64(-746), 0);
    CHECK_ULP(alm_exp_f64(-740), 4.2e-322, 1); /* below the normal numbers one step is 5e-324 */
    CHECK(alm_exp_f64(nan) != alm_exp_f64(nan));
    CHECK_BITS(alm_log_f64(1), 0);
    CHECK_BITS(alm_log_f64(0), -inf);
    CHECK_BITS(alm_log_f64(inf), inf);
    CHECK_BITS(alm_log1p_f64(0), 0);
    CHECK_BITS(alm_log1p_f64(-1), -inf);
    CHECK(alm_log1p_f64(-2) != alm_log1p_f64(-2));
    CHECK_BITS(alm_pow_f64(7, 0), 1);
    CHECK_BITS(alm_pow_f64(1, 1e300), 1);
    CHECK_BITS(alm_pow_f64(2, 1024), inf);
    CHECK_BITS(alm_pow_f64(2, -1080), 0);
    CHECK_BITS(alm_pow_f64(2, 10), 1024);
    CHECK_BITS(alm_pow_f64(10, 22), 1e22);
    CHECK_BITS(alm_pow_f64(0, 2), 0);
    CHECK_BITS(alm_pow_f64(0, -2), inf);
    CHECK_BITS(alm_lgamma_f64(1), 0);
    CHECK_BITS(alm_lgamma_f64(2), 0);
    CHECK_BITS(alm_lgamma_f64(0), inf);
}

static void distributions_behave_at_their_borders(void **state) {
    (void)state;
    CHECK_BITS(alm_beta_cdf(0, 2, 3), 0);
    CHECK_BITS(alm_beta_cdf(1, 2, 3), 1);
    CHECK_NEAR(alm_beta_cdf(0.25, 1, 1), 0.25, 1e-15);
    CHECK(alm_beta_cdf(0.5, 0, 1) != alm_beta_cdf(0.5, 0, 1));
    CHECK_BITS(alm_binomial_cdf(-1, 10, 0.5), 0);
    CHECK_BITS(alm_binomial_cdf(10, 10, 0.5), 1);
    CHECK_BITS(alm_binomial_cdf(3, 10, 0), 1);
    CHECK_BITS(alm_binomial_cdf(3, 10, 1), 0);
    CHECK_BITS(alm_binomial_test(0, 10, 0), 1);
    CHECK_BITS(alm_binomial_test(1, 10, 0), 0);
    CHECK_BITS(alm_binomial_test(0, 0, 0.3), 1);
    CHECK_BITS(alm_chi2_sf(0, 3), 1);
    CHECK_BITS(alm_chi2_sf(HUGE_VAL, 3), 0);
    double before = 0;
    for (int i = 0; i <= 1000; i++) { /* a distribution function does not fall */
        double now = alm_beta_cdf(i / 1000.0, 30, 12);
        CHECK(now >= before - 1e-15, "at %d", i);
        before = now;
    }
}

static void a_small_tail_keeps_its_digits(void **state) {
    (void)state;
    /* P(X >= 60 of 60), p = 0.01 is 1e-120; 1 - cdf would give 0. The test sees it through the smaller side. */
    CHECK_NEAR(alm_binomial_test(60, 60, 0.01) / 1e-120, 1, 1e-12);
    CHECK_NEAR(alm_chi2_sf(1000, 2) / 7.124576406741286e-218, 1, 1e-12); /* e^-500 */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(exp_log_and_pow_are_within_two_ulp),
    cmocka_unit_test(sin_and_cos_are_within_two_ulp),
    cmocka_unit_test(lgamma_is_within_1e_13),
    cmocka_unit_test(probabilities_are_within_1e_12),
    cmocka_unit_test(the_ends_of_the_range_are_right),
    cmocka_unit_test(distributions_behave_at_their_borders),
    cmocka_unit_test(a_small_tail_keeps_its_digits),
};
ALM_TEST_MAIN(tests)
