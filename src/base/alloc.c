/* SPDX-License-Identifier: Apache-2.0
 *
 * base/alloc.c - the one door to the heap, so that a test can make the n-th request fail; checked size arithmetic.
 *
 * Nothing is counted until the first call of an alm_test_ function: until then a request costs one relaxed load more
 * than malloc. From then on requests and live blocks are counted with atomic additions, from any thread.
 *
 * Invariant: live blocks rise by one for each pointer handed out and fall by one for each pointer taken back, so two
 * readings may be compared although blocks were live before counting began. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static atomic_bool watched;     /* an alm_test_ function was called */
static atomic_size_t n_request; /* since the last alm_test_fail_alloc */
static atomic_size_t n_live;
static atomic_size_t fail_at; /* 0: never */
static atomic_bool fail_after;

static inline bool counting(void) { return atomic_load_explicit(&watched, memory_order_relaxed); }

static bool must_fail(void) {
    if (!counting()) return false;
    size_t now = atomic_fetch_add_explicit(&n_request, 1, memory_order_relaxed) + 1;
    size_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (at == 0) return false;
    return now == at || (now > at && atomic_load_explicit(&fail_after, memory_order_relaxed));
}

static void *born(void *at) {
    if (at && counting()) atomic_fetch_add_explicit(&n_live, 1, memory_order_relaxed);
    return at;
}

void *alm_alloc(size_t n_bytes) {
    if (must_fail()) return NULL;
    return born(malloc(n_bytes ? n_bytes : 1));
}

void *alm_calloc(size_t n, size_t item_bytes) {
    size_t n_bytes;
    if (!alm_mul_size(&n_bytes, n, item_bytes) || must_fail()) return NULL;
    return born(calloc(1, n_bytes ? n_bytes : 1));
}

void *alm_realloc(void *old, size_t n_bytes) {
    if (must_fail()) return NULL;
    /* realloc(p, 0) frees in some C libraries and not in others; one byte is the same everywhere. */
    void *at = realloc(old, n_bytes ? n_bytes : 1);
    return old ? at : born(at);
}

void alm_free(void *at) {
    if (at && counting()) atomic_fetch_sub_explicit(&n_live, 1, memory_order_relaxed);
    free(at);
}

bool alm_grow(void **items, size_t *cap, size_t need, size_t item_bytes) {
    if (need <= *cap) return true;
    size_t to = *cap, n_bytes;
    if (!alm_add_size(&to, to, to / 2)) to = need;
    if (to < 8) to = 8;
    if (to < need) to = need;
    if (!alm_mul_size(&n_bytes, to, item_bytes)) {
        to = need; /* half more does not fit, what is needed may */
        if (!alm_mul_size(&n_bytes, to, item_bytes)) return false;
    }
    void *at = alm_realloc(*items, n_bytes);
    if (!at) return false;
    *items = at;
    *cap = to;
    return true;
}

bool alm_add_size(size_t *out, size_t a, size_t b) {
    if (a > SIZE_MAX - b) return false;
    *out = a + b;
    return true;
}

bool alm_mul_size(size_t *out, size_t a, size_t b) {
    if (b != 0 && a > SIZE_MAX / b) return false;
    *out = a * b;
    return true;
}

void alm_test_fail_alloc(size_t nth, bool and_after) {
    atomic_store_explicit(&n_request, 0, memory_order_relaxed);
    atomic_store_explicit(&fail_after, and_after, memory_order_relaxed);
    atomic_store_explicit(&fail_at, nth, memory_order_relaxed);
    atomic_store_explicit(&watched, true, memory_order_relaxed);
}

size_t alm_test_alloc_count(void) { return atomic_load_explicit(&n_request, memory_order_relaxed); }

size_t alm_test_live_blocks(void) {
    atomic_store_explicit(&watched, true, memory_order_relaxed);
    return atomic_load_explicit(&n_live, memory_order_relaxed);
}
