/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_template.c - the miner: merges by evidence, ids, counts that add up, bounds, match-only, failing memory. */
#include "alm_test.h"
#include "detect/log_mask.h"
#include "detect/log_template.h"

static alm_miner *fresh(const alm_miner_options *options) {
    alm_error err = {0};
    alm_miner *m = NULL;
    CHECK_OK(alm_miner_new(&m, options, &err), &err);
    return m;
}

static alm_match add(alm_miner *m, const char *record) {
    alm_error err = {0};
    alm_match match;
    CHECK_OK(alm_miner_add(m, alm_str_of(record), ALM_NO_TIME, &match, &err), &err);
    return match;
}

static void check_text(const alm_miner *m, uint32_t index, alm_text_form form, const char *want) {
    alm_buf b = alm_buf_with_limit(1 << 20);
    alm_miner_text(m, index, form, &b);
    CHECK_STR(alm_buf_str(&b), want);
    alm_buf_free(&b);
}

static uint64_t sum_of_counts(const alm_miner *m) {
    uint64_t sum = alm_miner_n_unmatched(m);
    uint32_t live = 0;
    alm_template_info info;
    for (uint32_t i = 0; i < alm_miner_n_index(m); i++)
        if (alm_miner_info(m, i, &info)) {
            uint64_t bins = 0;
            for (size_t b = 0; b < ALM_SPARK_BINS; b++) bins += info.spark[b];
            CHECK(bins == info.count);
            sum += info.count, live++;
        }
    CHECK_INT(live, alm_miner_n_live(m));
    return sum;
}

static void values_do_not_make_templates(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    uint32_t first = add(m, "connection from 10.0.0.1 port 4242 closed").index;
    CHECK_INT(add(m, "connection from 10.9.8.7 port 22 closed").index, first);
    CHECK(add(m, "connection from 10.9.8.7 port 22 opened").index != first);
    CHECK_INT(alm_miner_n_live(m), 2);
    check_text(m, first, ALM_TEXT_TYPED, "connection from <ip> port <num> closed");
    check_text(m, first, ALM_TEXT_STARS, "connection from <*> port <*> closed");
    alm_miner_free(m);
}

static void a_soft_slot_is_shown_when_it_has_varied(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    uint32_t i = add(m, "login user=root tty=ssh").index;
    check_text(m, i, ALM_TEXT_TYPED, "login user=root tty=ssh");
    alm_match match = add(m, "login user=anna tty=ssh");
    CHECK_INT(match.index, i);
    check_text(m, i, ALM_TEXT_TYPED, "login user=<word> tty=ssh");
    CHECK_INT(match.n_params, 2);
    CHECK_INT(match.params[0].at, 11);
    CHECK_INT(match.params[0].n, 4);
    CHECK(!match.params[0].constant && match.params[1].constant);
    alm_miner_free(m);
}

static void enough_words_in_one_place_are_values(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    uint32_t anna = add(m, "session opened for user anna by login").index;
    uint32_t bernd = add(m, "session opened for user bernd by login").index;
    CHECK_INT(alm_miner_resolve(m, anna), alm_miner_resolve(m, bernd));
    check_text(m, anna, ALM_TEXT_TYPED, "session opened for user <word> by login");
    CHECK_INT(add(m, "session opened for user clara by login").index, alm_miner_resolve(m, anna));
    CHECK_INT(alm_miner_n_live(m), 1);
    /* what a program does, at the start of a record, stays */
    uint32_t start = add(m, "starting the cache").index, stop = add(m, "stopping the cache").index;
    CHECK(alm_miner_resolve(m, start) != alm_miner_resolve(m, stop));
    CHECK(sum_of_counts(m) == 5);
    alm_miner_free(m);
}

static void two_varying_words_are_found_one_after_the_other(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    static const char *const user[] = {"anna", "bernd", "clara", "dieter"}, *const host[] = {"atlas", "boreas", "cetus",
                                                                                             "draco"};
    char record[200];
    uint32_t last = 0;
    for (int i = 0; i < 16; i++) {
        snprintf(record, sizeof record, "login of user %s at host %s granted", user[i % 4], host[i / 4]);
        last = add(m, record).index;
    }
    CHECK_INT(alm_miner_n_live(m), 1);
    check_text(m, last, ALM_TEXT_STARS, "login of user <*> at host <*> granted");
    alm_match match = add(m, "login of user zoe at host zeus granted");
    CHECK(!match.is_new && match.n_params == 2);
    CHECK(sum_of_counts(m) == 17);
    alm_miner_free(m);
}

static void ids_do_not_depend_on_the_order_of_templates(void **state) {
    (void)state;
    static const char *const record[] = {"disk 3 is full", "user anna left", "user bernd left", "cache cleared",
                                         "load is 0.7"};
    alm_miner *a = fresh(NULL), *b = fresh(NULL);
    for (int i = 0; i < 5; i++) add(a, record[i]);
    for (int i = 4; i >= 0; i--) add(b, record[i]);
    alm_miner_settle(a, NULL), alm_miner_settle(b, NULL);
    CHECK_INT(alm_miner_n_live(a), 4);
    for (uint32_t i = 0; i < alm_miner_n_index(a); i++) {
        uint32_t j = alm_miner_find(b, alm_miner_id(a, i));
        CHECK(j != ALM_NO_TEMPLATE);
    }
    char text[ALM_TEMPLATE_ID_CHARS + 1];
    alm_miner_id_text(text, alm_miner_id(a, 0));
    alm_buf stars = alm_buf_with_limit(100);
    alm_miner_text(a, 0, ALM_TEXT_STARS, &stars);
    char want[ALM_TEMPLATE_ID_CHARS + 1];
    alm_miner_id_text(want, alm_hash64(stars.at, stars.n, 0));
    CHECK(strcmp(text, want) == 0);
    alm_buf_free(&stars);
    alm_miner_free(a), alm_miner_free(b);
}

static void match_only_makes_nothing(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    uint32_t known = add(m, "disk 3 is full").index;
    alm_miner_set_match_only(m, true);
    CHECK_INT(add(m, "disk 7 is full").index, known);
    alm_match match = add(m, "something else entirely");
    CHECK(match.index == ALM_NO_TEMPLATE && !match.is_new);
    CHECK_INT(alm_miner_n_live(m), 1);
    CHECK_INT(alm_miner_n_unmatched(m), 1);
    CHECK(sum_of_counts(m) == 3 && alm_miner_n_records(m) == 3);
    alm_miner_match(m, ALM_STR("disk 8 is full"), &match);
    CHECK(match.index == known && match.n_params == 1);
    CHECK(alm_miner_n_records(m) == 3);
    alm_miner_free(m);
}

static const char *letters(uint32_t x, char at[12]) {
    int n = 0;
    do at[n++] = (char)('a' + x % 26);
    while ((x /= 26) && n < 11);
    at[n] = 0;
    return at;
}

static void the_number_of_templates_is_bounded(void **state) {
    (void)state;
    alm_miner *m = fresh(&(alm_miner_options){.size = sizeof(alm_miner_options), .max_templates = 100});
    char record[200], w[3][12];
    for (int i = 0; i < 20; i++) add(m, "the one that is often seen");
    for (uint32_t i = 0; i < 3000; i++) {
        snprintf(record, sizeof record, "%s went %s and %s", letters(i * 7919 + 1, w[0]), letters(i * 104729 + 3, w[1]),
                 letters(i * 1299709 + 5, w[2]));
        add(m, record);
        CHECK(alm_miner_n_live(m) <= 101);
    }
    CHECK(alm_miner_n_evicted(m) > 2000);
    CHECK(sum_of_counts(m) == 3020);
    CHECK(!add(m, "the one that is often seen").is_new);
    check_text(m, alm_miner_resolve(m, 1), ALM_TEXT_TYPED, "<*>");
    alm_miner_free(m);
}

static void times_and_activity_are_kept(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    alm_error err = {0};
    alm_match match;
    for (int i = 0; i < 1000; i++)
        CHECK_OK(alm_miner_add(m, i < 500 ? ALM_STR("early bird") : ALM_STR("late owl"),
                               i == 700 ? ALM_NO_TIME : 1000 - i, &match, &err),
                 &err);
    alm_template_info info;
    CHECK(alm_miner_info(m, 0, &info));
    CHECK_INT(info.count, 500);
    CHECK(info.first_record == 1 && info.last_record == 500 && info.first_ns == 501 && info.last_ns == 1000);
    CHECK(info.spark_width == 64 && info.spark[0] == 64 && info.spark[8] == 0);
    CHECK_STR(info.example, "early bird");
    CHECK(alm_miner_info(m, 1, &info) && info.first_ns == 1 && info.last_ns == 500);
    uint32_t *order = NULL;
    size_t n = 0;
    add(m, "late owl");
    CHECK_OK(alm_miner_ranking(m, &order, &n, &err), &err);
    CHECK(n == 2 && order[0] == 1 && order[1] == 0);
    alm_free(order);
    alm_miner_free(m);
}

static void odd_records_are_counted_too(void **state) {
    (void)state;
    alm_miner *m = fresh(NULL);
    add(m, "");
    add(m, "   ");
    add(m, "***");
    alm_match match;
    CHECK_OK(alm_miner_add(m, (alm_str){"a\0b\xff\xfe", 5}, ALM_NO_TIME, &match, NULL), NULL);
    size_t n = (size_t)10 << 20;
    char *big = alm_alloc(n);
    CHECK(big != NULL);
    for (size_t i = 0; i < n; i++) big[i] = i % 7 == 6 ? ' ' : (char)('a' + i % 7);
    CHECK_OK(alm_miner_add(m, (alm_str){big, n}, ALM_NO_TIME, &match, NULL), NULL);
    CHECK(match.n_params == 1 && match.params[0].at + match.params[0].n == n);
    alm_free(big);
    CHECK(sum_of_counts(m) == 5);
    alm_miner_free(m);
}

static void the_bound_has_limits(void **state) {
    (void)state;
    alm_miner *m = NULL;
    alm_error err = {0};
    CHECK_STATUS(alm_miner_new(&m, &(alm_miner_options){.size = sizeof(alm_miner_options), .max_templates = 3}, &err),
                 ALM_INVALID, &err);
    CHECK(m == NULL);
    CHECK_HOLDS(err.text, "16");
}

static alm_status whole_life(void *arg) {
    (void)arg;
    static const char *const user[] = {"anna", "bernd", "clara"};
    alm_miner *m = NULL, *again = NULL;
    alm_buf state = alm_buf_with_limit(1 << 20);
    alm_status st =
        alm_miner_new(&m, &(alm_miner_options){.size = sizeof(alm_miner_options), .max_templates = 16}, NULL);
    char record[200], w[12];
    alm_match match;
    for (uint32_t i = 0; st == ALM_OK && i < 60; i++) {
        snprintf(record, sizeof record, i % 2 ? "user %s came at %u" : "%s of things",
                 i % 2 ? user[i % 3] : letters(i * 31, w), i);
        st = alm_miner_add(m, alm_str_of(record), 5, &match, NULL);
        if (st != ALM_OK) { /* the record is not counted, the rest still adds up */
            alm_test_fail_alloc(0, false);
            CHECK(sum_of_counts(m) == i && alm_miner_n_records(m) == i);
        }
    }
    if (st == ALM_OK) st = alm_miner_settle(m, NULL);
    if (st == ALM_OK) st = alm_miner_save(m, &state, NULL);
    if (st == ALM_OK) st = alm_miner_load(&again, alm_buf_str(&state), NULL, NULL);
    if (st == ALM_OK) CHECK(sum_of_counts(again) == 60);
    alm_buf_free(&state);
    alm_miner_free(m);
    alm_miner_free(again);
    return st;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    /* The count of requests restarts inside when one has failed, so each position is tried by hand. */
    for (int after = 0; after <= 1; after++)
        for (size_t nth = 1;; nth++) {
            size_t live = alm_test_live_blocks();
            alm_test_fail_alloc(nth, after != 0);
            alm_status st = whole_life(NULL);
            size_t asked = alm_test_alloc_count();
            alm_test_fail_alloc(0, false);
            CHECK_INT(alm_test_live_blocks(), live);
            CHECK(st == ALM_OK || st == ALM_NO_MEMORY, "%s at %zu", alm_status_name(st), nth);
            if (st == ALM_OK && asked < nth) break;
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_do_not_make_templates),
    cmocka_unit_test(a_soft_slot_is_shown_when_it_has_varied),
    cmocka_unit_test(enough_words_in_one_place_are_values),
    cmocka_unit_test(two_varying_words_are_found_one_after_the_other),
    cmocka_unit_test(ids_do_not_depend_on_the_order_of_templates),
    cmocka_unit_test(match_only_makes_nothing),
    cmocka_unit_test(the_number_of_templates_is_bounded),
    cmocka_unit_test(times_and_activity_are_kept),
    cmocka_unit_test(odd_records_are_counted_too),
    cmocka_unit_test(the_bound_has_limits),
    cmocka_unit_test(every_allocation_may_fail),
};
ALM_TEST_MAIN(tests)
