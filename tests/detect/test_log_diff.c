/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_diff.c - what changed between two streams, with p-values that can be checked by hand; the spool. */
#include "alm_test.h"
#include "detect/log_diff.h"
#include "detect/log_spool.h"

static void changes_are_told_from_chance(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL;
    alm_match match;
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    static const char *const record[] = {"steady work", "more of this", "gone by now", "came with b", "one stray"};
    static const uint64_t a[] = {500, 10, 12, 0, 1}, b[] = {505, 60, 0, 30, 0};
    for (int i = 0; i < 5; i++) CHECK_OK(alm_miner_add(m, alm_str_of(record[i]), ALM_NO_TIME, &match, &err), &err);
    alm_diff d;
    CHECK_OK(alm_log_diff(&d, m, a, 5, 2, b, 4, 0, 0.05, &err), &err);
    CHECK_INT(d.n_row, 5);
    CHECK(d.n_a == 525 && d.n_b == 595);
    for (size_t i = 0; i < d.n_row; i++) {
        const alm_diff_row *r = &d.row[i];
        CHECK(i == 0 || r->p >= d.row[i - 1].p);
        CHECK(r->p_adjusted >= r->p && r->p_adjusted <= 1);
        switch (r->index) {
        case 0: CHECK(r->change == ALM_CHANGE_NONE && !r->significant); break;
        case 1: CHECK(r->change == ALM_CHANGE_MORE && r->significant && r->ratio > 4); break;
        case 2:
            CHECK(r->change == ALM_CHANGE_GONE && r->significant);
            /* 12 of 12 in A, each there with chance 525/1120; no outcome at the other end is as unlikely */
            CHECK(r->p > 0.0001 && r->p < 0.0003, "%g", r->p);
            break;
        case 3: CHECK(r->change == ALM_CHANGE_NEW && r->significant); break;
        case 4: CHECK(r->change == ALM_CHANGE_GONE && !r->significant && r->p > 0.3); break;
        }
    }
    alm_log_diff_free(&d);
    CHECK_STATUS(alm_log_diff(&d, m, a, 5, 0, b, 5, 0, 1.5, &err), ALM_INVALID, &err);
    alm_miner_free(m);
}

static void the_two_tests_agree_where_they_meet(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL;
    alm_match match;
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    CHECK_OK(alm_miner_add(m, ALM_STR("steady work"), ALM_NO_TIME, &match, &err), &err);
    CHECK_OK(alm_miner_add(m, ALM_STR("the rest"), ALM_NO_TIME, &match, &err), &err);
    double p[2];
    for (uint64_t k = 0; k < 2; k++) { /* 10,000 records: exact; 10,001: likelihood ratio */
        uint64_t a[] = {4900, 5100}, b[] = {5100 + k, 4900};
        alm_diff d;
        CHECK_OK(alm_log_diff(&d, m, a, 2, 0, b, 2, 0, 0.05, &err), &err);
        p[k] = d.row[0].index == 0 ? d.row[0].p : d.row[1].p;
        alm_log_diff_free(&d);
    }
    CHECK(p[0] > p[1] * 0.9 && p[0] < p[1] * 1.1, "%g %g", p[0], p[1]);
    alm_miner_free(m);
}

static void merged_templates_are_one_row(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL;
    alm_match match;
    uint64_t a[8] = {0}, b[8] = {0};
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    static const char *const user[] = {"anna", "bernd", "clara"};
    char record[100];
    for (int i = 0; i < 6; i++) {
        snprintf(record, sizeof record, "hello user %s again", user[i % 3]);
        CHECK_OK(alm_miner_add(m, alm_str_of(record), ALM_NO_TIME, &match, &err), &err);
        CHECK(match.index < 8);
        (i < 3 ? a : b)[match.index]++;
    }
    alm_diff d;
    CHECK_OK(alm_log_diff(&d, m, a, 8, 0, b, 8, 0, 0.05, &err), &err);
    CHECK_INT(d.n_row, 1);
    CHECK(d.row[0].count_a == 3 && d.row[0].count_b == 3 && d.row[0].p == 1);
    alm_log_diff_free(&d);
    alm_miner_free(m);
}

static void a_spool_gives_back_what_it_was_given(void **state) {
    (void)state;
    static const uint32_t sizes[] = {0, 1, 5000, (1 << 20), (1 << 20) + 1, 2500000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        alm_spool s = {0};
        alm_error err = {0};
        uint32_t x = 0;
        for (uint32_t i = 0; i < sizes[k]; i++) CHECK_OK(alm_spool_add(&s, i * 2654435761u, &err), &err);
        CHECK_OK(alm_spool_rewind(&s, &err), &err);
        for (uint32_t i = 0; i < sizes[k]; i++) {
            CHECK_OK(alm_spool_next(&s, &x, &err), &err);
            CHECK(x == i * 2654435761u);
        }
        CHECK_STATUS(alm_spool_next(&s, &x, &err), ALM_END, &err);
        alm_spool_free(&s);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(changes_are_told_from_chance),
    cmocka_unit_test(the_two_tests_agree_where_they_meet),
    cmocka_unit_test(merged_templates_are_one_row),
    cmocka_unit_test(a_spool_gives_back_what_it_was_given),
};
ALM_TEST_MAIN(tests)
