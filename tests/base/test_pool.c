/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_pool.c - slices are the same for any number of threads. */
#include "alm_test.h"

#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

typedef struct job {
    size_t n, slice_items;
    double *out;
    unsigned char *seen;
    atomic_uint most_worker, bad;
    unsigned threads;
} job;

static void slice(void *arg, size_t index, size_t from, size_t to, unsigned worker) {
    job *j = arg;
    bool good = from == index * j->slice_items && to > from && to <= j->n && to - from <= j->slice_items &&
                worker < j->threads && (to == j->n || to - from == j->slice_items);
    if (!good) atomic_fetch_add(&j->bad, 1);
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        sum += 1.0 / (double)(i + 1);
        j->seen[i]++;
    }
    j->out[index] = sum;
}

static void every_item_is_computed_once_with_the_same_bits(void **state) {
    (void)state;
    static const size_t size[][2] = {{0, 10},   {1, 10},      {10, 10},      {11, 10}, {1000, 1},
                                     {1000, 7}, {1000, 5000}, {100000, 333}, {5, 0}};
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        size_t n = size[k][0], items = size[k][1] ? size[k][1] : 1, n_slice = (n + items - 1) / items;
        double *first = calloc(n_slice + 1, sizeof *first), *out = calloc(n_slice + 1, sizeof *out);
        unsigned char *seen = calloc(n + 1, 1);
        CHECK(first && out && seen);
        for (unsigned threads = 0; threads <= 5; threads++) { /* 0: no pool at all */
            alm_pool *p = NULL;
            if (threads) CHECK_OK(alm_pool_new(&p, threads, NULL), NULL);
            CHECK_INT(alm_pool_threads(p), threads ? threads : 1);
            job j = {.n = n, .slice_items = items, .out = out, .seen = seen, .threads = alm_pool_threads(p)};
            for (int again = 0; again < 3; again++) { /* a pool is used many times */
                memset(seen, 0, n + 1);
                alm_pool_run(p, n, size[k][1], slice, &j);
                for (size_t i = 0; i < n; i++) CHECK(seen[i] == 1, "item %zu", i);
                CHECK_INT(atomic_load(&j.bad), 0);
                if (threads == 0) memcpy(first, out, n_slice * sizeof *out);
                CHECK(memcmp(first, out, n_slice * sizeof *out) == 0, "%zu items, %u threads", n, threads);
            }
            alm_pool_free(p);
        }
        free(first), free(out), free(seen);
    }
}

static void many(void *arg, size_t index, size_t from, size_t to, unsigned worker) {
    (void)index, (void)worker;
    atomic_fetch_add((atomic_size_t *)arg, to - from);
}

static void thousands_of_small_tasks_do_not_hang(void **state) {
    (void)state;
    alm_pool *p;
    atomic_size_t sum = 0;
    CHECK_OK(alm_pool_new(&p, 3, NULL), NULL);
    for (int i = 0; i < 3000; i++) alm_pool_run(p, 10, 3, many, &sum);
    CHECK_INT(atomic_load(&sum), 30000);
    alm_pool_free(p);
}

static void allocating(void *arg, size_t index, size_t from, size_t to, unsigned worker) {
    (void)arg, (void)index, (void)worker;
    for (size_t i = from; i < to; i++) alm_free(alm_alloc(i));
}

static void helpers_may_allocate(void **state) {
    (void)state;
    alm_pool *p;
    CHECK_OK(alm_pool_new(&p, 4, NULL), NULL);
    size_t before = alm_test_live_blocks();
    alm_test_fail_alloc(500, false);
    alm_pool_run(p, 4000, 10, allocating, NULL);
    CHECK_INT(alm_test_alloc_count(), 4000);
    alm_test_fail_alloc(0, false);
    CHECK(alm_test_live_blocks() == before);
    alm_pool_free(p);
}

static void signal_masks(void *arg, size_t index, size_t from, size_t to, unsigned worker) {
    (void)from, (void)to;
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    if (worker && !sigismember(&set, SIGINT)) atomic_fetch_add((atomic_uint *)arg, 1);
    if (!worker && sigismember(&set, SIGINT)) atomic_fetch_add((atomic_uint *)arg, 1);
    for (volatile size_t i = 0; i < 10000 + index; i++) {}
}

static void only_the_caller_takes_signals(void **state) {
    (void)state;
    alm_pool *p;
    atomic_uint wrong = 0;
    CHECK_OK(alm_pool_new(&p, 3, NULL), NULL);
    alm_pool_run(p, 300, 1, signal_masks, &wrong);
    alm_pool_free(p);
    CHECK_INT(atomic_load(&wrong), 0);
}

static alm_status make(void *arg) {
    (void)arg;
    alm_pool *p = NULL;
    alm_status st = alm_pool_new(&p, 2, NULL);
    alm_pool_free(p);
    return st;
}

static void making_one_can_fail_cleanly(void **state) {
    (void)state;
    alm_error err;
    alm_pool *p = NULL;
    CHECK_INT(ALM_FOR_EACH_ALLOC_FAILURE(make, NULL), 1);
    CHECK_STATUS(alm_pool_new(&p, 100000, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "100000 threads");
    CHECK_OK(alm_pool_new(&p, 0, &err), &err);
    CHECK(alm_pool_threads(p) <= alm_cpu_count());
    alm_pool_free(p);
    long online = sysconf(_SC_NPROCESSORS_CONF);
    CHECK(alm_cpu_count() >= 1 && (long)alm_cpu_count() <= online);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_item_is_computed_once_with_the_same_bits),
    cmocka_unit_test(thousands_of_small_tasks_do_not_hang),
    cmocka_unit_test(helpers_may_allocate),
    cmocka_unit_test(only_the_caller_takes_signals),
    cmocka_unit_test(making_one_can_fail_cleanly),
};
ALM_TEST_MAIN(tests)
