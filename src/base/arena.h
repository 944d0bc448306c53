/* SPDX-License-Identifier: Apache-2.0
 *
 * base/arena.h - memory with a lifetime: many requests, one free; marks give a part back early.
 *
 * Four lifetimes in the program, each an arena: process, model, session, step. An arena grows by blocks up to its limit;
 * everything in it is aligned to 64 bytes when asked (arrays) or to 16 (single objects, strings to 1). */
#ifndef ALM_BASE_ARENA_H
#define ALM_BASE_ARENA_H

#include <allmende/base.h>

typedef struct alm_arena alm_arena;
typedef struct alm_mark {
    void *block;
    size_t used;
} alm_mark;

/* limit_bytes bounds the sum of all blocks; 0 means no bound but memory. */
alm_status alm_arena_new(alm_arena **out, size_t block_bytes, size_t limit_bytes, alm_error *err);
void alm_arena_free(alm_arena *a);
/* NULL when memory or the limit is exhausted. `align` is a power of two ≤ 64. Not cleared. */
void *alm_arena_alloc(alm_arena *a, size_t n_bytes, size_t align);
/* n items of item_bytes, checked for overflow, cleared, aligned to 64. */
void *alm_arena_calloc(alm_arena *a, size_t n, size_t item_bytes);
#define alm_arena_array(a, type, n) ((type *)alm_arena_calloc((a), (n), sizeof(type)))
/* A copy with a NUL behind it (not counted in n). at is NULL on failure. */
alm_str alm_arena_copy(alm_arena *a, alm_str s);
alm_mark alm_arena_mark(const alm_arena *a);
/* Everything allocated after the mark is gone; blocks are kept for reuse. */
void alm_arena_rewind(alm_arena *a, alm_mark mark);
void alm_arena_reset(alm_arena *a);
/* Bytes handed out and bytes held. */
size_t alm_arena_used(const alm_arena *a);
size_t alm_arena_held(const alm_arena *a);

#endif
