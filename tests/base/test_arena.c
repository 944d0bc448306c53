/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_arena.c - arenas, marks, limits. */
#include "alm_test.h"

#include "base/arena.h"
#include "base/rng.h"

static alm_arena *made(size_t block, size_t limit) {
    alm_arena *a = NULL;
    CHECK_OK(alm_arena_new(&a, block, limit, NULL), NULL);
    return a;
}

static void pieces_are_aligned_and_do_not_overlap(void **state) {
    (void)state;
    enum { N = 2000 };
    alm_arena *a = made(1000, 0);
    alm_rng r = alm_rng_seed(1, 0, 0);
    static unsigned char *at[N];
    static size_t size[N];
    for (size_t i = 0; i < N; i++) {
        size_t align = (size_t)1 << alm_rng_below(&r, 7);
        size[i] = alm_rng_below(&r, i % 100 == 0 ? 5000 : 100);
        at[i] = alm_arena_alloc(a, size[i], align);
        CHECK(at[i] && (uintptr_t)at[i] % align == 0, "piece %zu", i);
        memset(at[i], (int)(i & 255), size[i]);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < size[i]; k++) CHECK(at[i][k] == (i & 255), "piece %zu", i);
    CHECK(alm_arena_used(a) <= alm_arena_held(a));
    alm_arena_free(a);
    alm_arena_free(NULL);
}

static void arrays_are_clear_checked_and_on_a_cache_line(void **state) {
    (void)state;
    alm_arena *a = made(0, 0);
    char *dirt = alm_arena_alloc(a, 4096, 1);
    CHECK(dirt != NULL);
    memset(dirt, 0xAA, 4096);
    alm_arena_reset(a);
    double *x = alm_arena_array(a, double, 100);
    CHECK(x && (uintptr_t)x % 64 == 0);
    for (int i = 0; i < 100; i++) CHECK_BITS(x[i], 0);
    CHECK(!alm_arena_calloc(a, SIZE_MAX / 2, 3));
    CHECK(!alm_arena_alloc(a, SIZE_MAX - 10, 64));
    CHECK(alm_arena_calloc(a, 0, 8));
    alm_str s = alm_arena_copy(a, ALM_STR("a\0b"));
    CHECK(s.n == 3 && s.at[1] == '\0' && s.at[3] == '\0');
    CHECK(alm_arena_copy(a, (alm_str){NULL, 0}).at != NULL);
    CHECK(!alm_arena_copy(a, (alm_str){"", SIZE_MAX}).at);
    alm_arena_free(a);
}

static void rewinding_gives_back_and_keeps_the_blocks(void **state) {
    (void)state;
    alm_arena *a = made(256, 0);
    alm_mark start = alm_arena_mark(a);
    char *kept = alm_arena_alloc(a, 100, 1);
    CHECK(kept != NULL);
    memset(kept, 'k', 100);
    alm_mark mark = alm_arena_mark(a);
    size_t used = alm_arena_used(a), held = 0, live = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 50; i++) CHECK(alm_arena_alloc(a, 90, 8));
        CHECK(alm_arena_used(a) > used);
        if (round == 0) held = alm_arena_held(a), live = alm_test_live_blocks();
        CHECK_INT(alm_arena_held(a), held); /* nothing new after the first round */
        CHECK_INT(alm_test_live_blocks(), live);
        alm_arena_rewind(a, mark);
        CHECK_INT(alm_arena_used(a), used);
    }
    for (int i = 0; i < 100; i++) CHECK(kept[i] == 'k');
    alm_arena_rewind(a, start);
    CHECK_INT(alm_arena_used(a), 0);
    CHECK(alm_arena_alloc(a, 100, 1) == kept); /* the same memory again */
    alm_arena_reset(a);
    CHECK_INT(alm_arena_used(a), 0);
    CHECK_INT(alm_arena_held(a), held);
    alm_arena_free(a);
}

static void the_limit_bounds_what_is_held(void **state) {
    (void)state;
    alm_arena *a = made(1000, 2500);
    CHECK(!alm_arena_alloc(a, 2501, 1));
    CHECK(alm_arena_alloc(a, 1000, 1) && alm_arena_alloc(a, 1000, 1) && alm_arena_alloc(a, 500, 1));
    CHECK(!alm_arena_alloc(a, 1, 1));
    CHECK_INT(alm_arena_held(a), 2500);
    alm_arena_reset(a);
    CHECK(alm_arena_alloc(a, 2500, 1)); /* idle blocks that are too small make way */
    CHECK_INT(alm_arena_held(a), 2500);
    alm_arena_free(a);
}

static alm_status use(void *arg) {
    (void)arg;
    alm_arena *a = NULL;
    alm_status st = alm_arena_new(&a, 100, 0, NULL);
    if (st != ALM_OK) return st;
    for (int i = 0; i < 20 && st == ALM_OK; i++) {
        size_t used = alm_arena_used(a);
        bool good = i % 3 == 0   ? alm_arena_copy(a, ALM_STR("some words")).at != NULL
                    : i % 3 == 1 ? alm_arena_alloc(a, 70, 16) != NULL
                                 : alm_arena_calloc(a, 3, 40) != NULL;
        if (!good) {
            CHECK_INT(alm_arena_used(a), used);
            st = ALM_NO_MEMORY;
        }
    }
    alm_arena_free(a);
    return st;
}

static void a_failed_allocation_changes_nothing(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(use, NULL) > 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
    cmocka_unit_test(arrays_are_clear_checked_and_on_a_cache_line),
    cmocka_unit_test(rewinding_gives_back_and_keeps_the_blocks),
    cmocka_unit_test(the_limit_bounds_what_is_held),
    cmocka_unit_test(a_failed_allocation_changes_nothing),
};
ALM_TEST_MAIN(tests)
