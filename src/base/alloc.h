/* SPDX-License-Identifier: Apache-2.0
 *
 * base/alloc.h - the one door to the heap, so that a test can make the n-th request fail; checked size arithmetic. */
#ifndef ALM_BASE_ALLOC_H
#define ALM_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* As malloc, calloc (with overflow check), realloc, free; a size of 0 gives a pointer that may be freed. */
void *alm_alloc(size_t n_bytes) __attribute__((malloc, warn_unused_result));
void *alm_calloc(size_t n, size_t item_bytes) __attribute__((malloc, warn_unused_result));
void *alm_realloc(void *old, size_t n_bytes) __attribute__((warn_unused_result));
void alm_free(void *at);
/* n items of item_bytes, growing by half at least: *items and *cap are updated together or not at all. */
bool alm_grow(void **items, size_t *cap, size_t need, size_t item_bytes) __attribute__((warn_unused_result));

/* *out = a + b, a * b; false when that does not fit, and then *out is unchanged. Every count that comes from a file passes here. */
bool alm_add_size(size_t *out, size_t a, size_t b) __attribute__((warn_unused_result));
bool alm_mul_size(size_t *out, size_t a, size_t b) __attribute__((warn_unused_result));

/* For tests: the n-th request from now (1 = the next) fails, and so do all after it when `and_after`; 0 switches it off.
 * The only global of the library besides the CPU table; set before threads start. Also fails inside SQLite, zlib and zstd
 * where those take our allocator. */
void alm_test_fail_alloc(size_t nth, bool and_after);
/* Requests since the last alm_test_fail_alloc; blocks that are live now (requests minus frees). */
size_t alm_test_alloc_count(void);
size_t alm_test_live_blocks(void);

#endif
