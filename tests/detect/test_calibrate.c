/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/detect/test_calibrate.c - the promise: ranks, thresholds, p-values, and the level that follows a stream. */
#include "alm_test.h"
#include "base/mathx.h"
#include "base/rng.h"
#include "detect/detect.h"

static void the_rank_keeps_the_bound_and_the_next_one_breaks_it(void **state) {
    (void)state;
    static const double alphas[] = {0.001, 0.01, 0.05, 0.2};
    for (size_t a = 0; a < 4; a++)
        for (size_t n = 1; n < 6000; n += 1 + n / 7) {
            alm_guarantee g;
            size_t k = alm_calibrate_rank(n, alphas[a], &g);
            if (g == ALM_GUARANTEE_TRAINING) {
                CHECK(alm_beta_cdf(alphas[a], (double)k, (double)(n + 1 - k)) >= 0.95, "n %zu k %zu", n, k);
                CHECK(k + 1 > n || alm_beta_cdf(alphas[a], (double)(k + 1), (double)(n - k)) < 0.95, "n %zu k %zu", n,
                      k);
            } else if (g == ALM_GUARANTEE_MARGINAL) {
                CHECK(k >= 1 && (double)k <= alphas[a] * (double)(n + 1));
                CHECK(alm_beta_cdf(alphas[a], 1, (double)n) < 0.95);
            } else {
                CHECK(k == 0 && alphas[a] * (double)(n + 1) < 1);
            }
        }
}

static void known_ranks(void **state) {
    (void)state; /* 0.99^n <= 0.05 from n = 299 on: the smallest calibration part with 95 % confidence at 1 % */
    alm_guarantee g;
    CHECK_INT(alm_calibrate_rank(298, 0.01, &g), 2);
    CHECK(g == ALM_GUARANTEE_MARGINAL);
    CHECK_INT(alm_calibrate_rank(299, 0.01, &g), 1);
    CHECK(g == ALM_GUARANTEE_TRAINING);
    CHECK_INT(alm_calibrate_rank(99, 0.01, &g), 1);
    CHECK(g == ALM_GUARANTEE_MARGINAL);
    CHECK_INT(alm_calibrate_rank(98, 0.01, &g), 0);
    CHECK(g == ALM_GUARANTEE_NONE);
}

static int larger_first(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? 1 : *(const double *)a > *(const double *)b ? -1 : 0;
}

static void the_promised_rate_is_kept_in_95_of_100_draws(void **state) {
    (void)state;
    enum { N = 500, DRAWS = 400 };
    alm_rng r = alm_rng_seed(7, 0, 0);
    double cal[N];
    unsigned kept = 0;
    for (unsigned d = 0; d < DRAWS; d++) {
        alm_guarantee g;
        for (size_t i = 0; i < N; i++) cal[i] = alm_rng_f64(&r);
        qsort(cal, N, sizeof *cal, larger_first);
        /* scores are uniform: the rate of false alarms is 1 - threshold, exactly */
        kept += 1 - alm_calibrate_threshold(cal, N, 0.05, &g) <= 0.05;
    }
    CHECK(kept >= 366 && kept < DRAWS, "%u of %d", kept, DRAWS); /* 380 expected, at least 366 with 99.9 % */
}

static void p_counts_ties_against_an_alarm(void **state) {
    (void)state;
    const double cal[] = {9, 5, 5, 5, 1};
    CHECK_NEAR(alm_calibrate_p(cal, 5, 10), 1.0 / 6, 1e-15);
    CHECK_NEAR(alm_calibrate_p(cal, 5, 5), 5.0 / 6, 1e-15);
    CHECK_NEAR(alm_calibrate_p(cal, 5, 5.1), 2.0 / 6, 1e-15);
    CHECK_NEAR(alm_calibrate_p(cal, 5, 0), 1, 1e-15);
    CHECK_NEAR(alm_calibrate_p(cal, 0, 0), 1, 1e-15);
}

static void the_alarm_rate_of_a_drifting_stream_stays_at_alpha(void **state) {
    (void)state;
    alm_adaptive a;
    alm_rng r = alm_rng_seed(3, 0, 0);
    unsigned alarms = 0;
    enum { N = 20000 };
    CHECK_OK(alm_adaptive_new(&a, 0.01, 1000, NULL), NULL);
    for (unsigned i = 0; i < N; i++) {
        double p, score = 4 + i * 0.0005 + 3 * alm_rng_f64(&r); /* rises for ever */
        alarms += alm_adaptive_judge(&a, score, alm_rng_f64(&r), 0, &p);
        CHECK(p > 0 && p <= 1);
    }
    CHECK(alarms > 180 && alarms < 220, "%u", alarms);
    alm_adaptive_free(&a);
}

static void ties_are_drawn_and_ordinary_records_never_alarm(void **state) {
    (void)state;
    alm_adaptive a;
    alm_rng r = alm_rng_seed(5, 0, 0);
    unsigned strange = 0, ordinary = 0;
    double p;
    CHECK_OK(alm_adaptive_new(&a, 0.01, 1000, NULL), NULL);
    for (unsigned i = 0; i < 10000; i++) strange += alm_adaptive_judge(&a, 8, alm_rng_f64(&r), 0, &p);
    CHECK(strange > 85 && strange < 115, "%u", strange);
    alm_adaptive_free(&a);
    CHECK_OK(alm_adaptive_new(&a, 0.01, 1000, NULL), NULL);
    for (unsigned i = 0; i < 10000; i++) ordinary += alm_adaptive_judge(&a, 0.7, alm_rng_f64(&r), 0, &p);
    CHECK_INT(ordinary, 0);
    alm_adaptive_free(&a);
}

static void what_is_exempt_alarms_at_any_level_until_the_rate_is_spent(void **state) {
    (void)state;
    alm_adaptive a;
    alm_rng r = alm_rng_seed(8, 0, 0);
    unsigned alarms = 0;
    double p;
    CHECK_OK(alm_adaptive_new(&a, 0.01, 1000, NULL), NULL);
    for (unsigned i = 0; i < 1000; i++) CHECK(alm_adaptive_judge(&a, 1, alm_rng_f64(&r), 0, &p) == ALM_JUDGED_NORMAL);
    for (unsigned i = 0; i < 1000; i++)
        alarms += alm_adaptive_judge(&a, 20, 0.5, ALM_JUDGE_EXEMPT, &p) == ALM_JUDGED_ALARM;
    CHECK(alarms >= 15 && alarms <= 26, "%u", alarms); /* alpha T + sqrt(alpha T) + 1 with T = 2000, and no more */
    alm_adaptive_free(&a);
}

static void what_is_muted_costs_no_level_and_enters_no_window(void **state) {
    (void)state;
    alm_adaptive a;
    double p;
    CHECK_OK(alm_adaptive_new(&a, 0.01, 1000, NULL), NULL);
    for (unsigned i = 0; i < 1000; i++) alm_adaptive_judge(&a, 1, 0, 0, &p);
    size_t n = a.n;
    for (unsigned i = 0; i < 100; i++) CHECK(alm_adaptive_judge(&a, 20, 0.5, ALM_JUDGE_MUTE, &p) == ALM_JUDGED_MUTED);
    CHECK(a.n == n && a.level > 0 && a.n_alarms == 0);
    CHECK(alm_adaptive_judge(&a, 20, 0.5, 0, &p) == ALM_JUDGED_ALARM);
    alm_adaptive_free(&a);
}

static void nothing_alarms_before_the_window_holds_twenty(void **state) {
    (void)state;
    alm_adaptive a;
    double p;
    CHECK_OK(alm_adaptive_new(&a, 0.5, 100, NULL), NULL);
    for (unsigned i = 0; i < 20; i++) CHECK(alm_adaptive_judge(&a, i, 0.5, 0, &p) == ALM_JUDGED_NORMAL && p == 1);
    CHECK(alm_adaptive_judge(&a, 100, 0.5, 0, &p) == ALM_JUDGED_ALARM);
    alm_adaptive_free(&a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_rank_keeps_the_bound_and_the_next_one_breaks_it),
    cmocka_unit_test(known_ranks),
    cmocka_unit_test(the_promised_rate_is_kept_in_95_of_100_draws),
    cmocka_unit_test(p_counts_ties_against_an_alarm),
    cmocka_unit_test(the_alarm_rate_of_a_drifting_stream_stays_at_alpha),
    cmocka_unit_test(ties_are_drawn_and_ordinary_records_never_alarm),
    cmocka_unit_test(what_is_exempt_alarms_at_any_level_until_the_rate_is_spent),
    cmocka_unit_test(what_is_muted_costs_no_level_and_enters_no_window),
    cmocka_unit_test(nothing_alarms_before_the_window_holds_twenty),
};
ALM_TEST_MAIN(tests)
