/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_alloc.c - the door to the heap, and the failures that tests order there. */
#include "alm_test.h"

#include <pthread.h>

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    size_t out = 7;
    CHECK(alm_add_size(&out, 1, 2) && out == 3);
    CHECK(alm_add_size(&out, SIZE_MAX, 0) && out == SIZE_MAX);
    out = 7;
    CHECK(!alm_add_size(&out, SIZE_MAX, 1) && out == 7);
    CHECK(alm_mul_size(&out, SIZE_MAX / 3, 3) && out == SIZE_MAX / 3 * 3);
    CHECK(alm_mul_size(&out, SIZE_MAX, 0) && out == 0);
    out = 7;
    CHECK(!alm_mul_size(&out, SIZE_MAX / 2, 3) && out == 7);
    CHECK(!alm_mul_size(&out, (size_t)1 << 32, (size_t)1 << 32) && out == 7);
    CHECK(alm_calloc((size_t)1 << 32, (size_t)1 << 32) == NULL);
}

static void a_size_of_zero_gives_a_pointer(void **state) {
    (void)state;
    void *a = alm_alloc(0), *b = alm_calloc(0, 8);
    CHECK(a && b);
    CHECK((a = alm_realloc(a, 0)) != NULL);
    alm_free(a), alm_free(b), alm_free(NULL);
}

static void the_nth_request_fails_and_the_others_do_not(void **state) {
    (void)state;
    size_t before = alm_test_live_blocks();
    void *at[5];
    alm_test_fail_alloc(3, false);
    for (size_t i = 0; i < 5; i++) at[i] = i == 1 ? alm_calloc(1, 8) : alm_alloc(8);
    CHECK(alm_test_alloc_count() == 5);
    alm_test_fail_alloc(0, false);
    CHECK(at[0] && at[1] && !at[2] && at[3] && at[4]);
    CHECK(alm_test_live_blocks() == before + 4);
    for (size_t i = 0; i < 5; i++) alm_free(at[i]);
    CHECK(alm_test_live_blocks() == before);
    alm_test_fail_alloc(2, true);
    for (size_t i = 0; i < 5; i++) at[i] = alm_alloc(8);
    alm_test_fail_alloc(0, false);
    CHECK(at[0] && !at[1] && !at[2] && !at[3] && !at[4]);
    alm_free(at[0]);
}

static void a_failed_realloc_keeps_the_old_block(void **state) {
    (void)state;
    char *a = alm_alloc(4);
    CHECK(a != NULL);
    memcpy(a, "abc", 4);
    alm_test_fail_alloc(1, false);
    void *b = alm_realloc(a, 1 << 20);
    alm_test_fail_alloc(0, false);
    CHECK(!b && strcmp(a, "abc") == 0);
    alm_free(a);
}

static void growing_is_all_or_nothing(void **state) {
    (void)state;
    int *items = NULL;
    void *place = NULL;
    size_t cap = 0, before = alm_test_live_blocks();
    for (size_t n = 0; n < 1000; n++) {
        CHECK(alm_grow(&place, &cap, n + 1, sizeof *items) && cap > n);
        items = place;
        items[n] = (int)n;
    }
    CHECK(cap < 1600 && items[0] == 0 && items[999] == 999);
    size_t kept = cap;
    alm_test_fail_alloc(1, false);
    CHECK(!alm_grow(&place, &cap, cap + 1, sizeof *items) && cap == kept && place == items);
    alm_test_fail_alloc(0, false);
    CHECK(!alm_grow(&place, &cap, SIZE_MAX / 2, sizeof *items) && cap == kept);
    alm_free(items);
    CHECK(alm_test_live_blocks() == before);
}

static void *ask_often(void *arg) {
    size_t *failed = arg;
    for (int i = 0; i < 10000; i++) {
        void *at = alm_alloc(16);
        if (!at) ++*failed;
        alm_free(at);
    }
    return NULL;
}

static void threads_count_together(void **state) {
    (void)state;
    pthread_t thread[4];
    size_t failed[4] = {0}, before = alm_test_live_blocks(), sum = 0;
    alm_test_fail_alloc(12345, false);
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&thread[i], NULL, ask_often, &failed[i]) == 0);
    for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL), sum += failed[i];
    CHECK_INT(alm_test_alloc_count(), 40000);
    alm_test_fail_alloc(0, false);
    CHECK_INT(sum, 1);
    CHECK(alm_test_live_blocks() == before);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sizes_that_overflow_are_refused),
    cmocka_unit_test(a_size_of_zero_gives_a_pointer),
    cmocka_unit_test(the_nth_request_fails_and_the_others_do_not),
    cmocka_unit_test(a_failed_realloc_keeps_the_old_block),
    cmocka_unit_test(growing_is_all_or_nothing),
    cmocka_unit_test(threads_count_together),
};
ALM_TEST_MAIN(tests)
