/* SPDX-License-Identifier: Apache-2.0
 *
 * test_schedule.c - the learning rate of each step. */
#include "alm_test.h"
#include "train/schedule.h"
#include <math.h>

static const int64_t SECOND_NS = 1000000000;

static void it_rises_then_falls_as_a_cosine(void **state) {
    (void)state;
    alm_schedule s = {.lr = 1e-3, .min_ratio = 0.1, .warmup = 5, .decay_from = 5, .steps = 20};
    for (uint64_t i = 0; i < 5; i++) CHECK_NEAR(alm_schedule_lr(&s, i), 1e-3 * (double)(i + 1) / 5, 1e-18);
    for (uint64_t i = 5; i < 20; i++)
        CHECK_NEAR(alm_schedule_lr(&s, i), 1e-3 * (0.1 + 0.9 * 0.5 * (1 + cos(M_PI * (double)(i - 5) / 15))), 1e-18);
    CHECK_NEAR(alm_schedule_lr(&s, 20), 1e-4, 1e-18);
    CHECK_NEAR(alm_schedule_lr(&s, 999), 1e-4, 1e-18);
}

static void without_an_end_it_stays(void **state) {
    (void)state;
    alm_schedule s = {.lr = 2, .min_ratio = 0, .warmup = 0, .decay_from = UINT64_MAX, .steps = UINT64_MAX};
    CHECK_BITS(alm_schedule_lr(&s, 0), 2);
    CHECK_BITS(alm_schedule_lr(&s, 1000000), 2);
    alm_schedule cut = {.lr = 2, .min_ratio = 0.5, .warmup = 1, .decay_from = 9, .steps = 9};
    CHECK_BITS(alm_schedule_lr(&cut, 8), 2);
}

static void the_clock_lays_the_fall_into_the_last_fifth(void **state) {
    (void)state;
    alm_schedule s = {.lr = 1, .min_ratio = 0, .warmup = 10, .decay_from = UINT64_MAX, .steps = UINT64_MAX};
    alm_schedule_by_clock(&s, 0, 90 * SECOND_NS, 100 * SECOND_NS);
    CHECK(s.steps == UINT64_MAX);
    alm_schedule_by_clock(&s, 799, 79 * SECOND_NS, 100 * SECOND_NS);
    CHECK(s.steps == UINT64_MAX);
    alm_schedule_by_clock(&s, 800, 80 * SECOND_NS, 100 * SECOND_NS);
    CHECK_INT(s.decay_from, 800);
    CHECK_INT(s.steps, 996);
    /* What was decided stays. */
    alm_schedule_by_clock(&s, 900, 99 * SECOND_NS, 100 * SECOND_NS);
    CHECK_INT(s.steps, 996);
}

static void a_fall_within_the_warm_up_begins_where_that_had_come(void **state) {
    (void)state;
    alm_schedule s = {.lr = 1, .min_ratio = 0, .warmup = 100, .decay_from = UINT64_MAX, .steps = UINT64_MAX};
    alm_schedule_by_clock(&s, 4, 90 * SECOND_NS, 100 * SECOND_NS);
    CHECK_INT(s.decay_from, 4);
    CHECK_INT(s.steps, 5);
    CHECK_NEAR(alm_schedule_lr(&s, 4), 0.05, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rises_then_falls_as_a_cosine),
        cmocka_unit_test(without_an_end_it_stays),
        cmocka_unit_test(the_clock_lays_the_fall_into_the_last_fifth),
        cmocka_unit_test(a_fall_within_the_warm_up_begins_where_that_had_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
