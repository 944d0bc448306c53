/* SPDX-License-Identifier: Apache-2.0
 *
 * base/arena.c - memory with a lifetime: many requests, one free; marks give a part back early.
 *
 *      first              current
 *      [####]──[####···]──[##······]──[ idle ]──[ idle ]
 *
 * Blocks form a list. A request is served from the current block, else from the idle block behind it, else from a new
 * one that is put between the two. A mark is (block, bytes used in it); rewinding makes that block current again and
 * all behind it idle.
 *
 * Invariant: the sum of all blocks' data is `held` <= limit; data begins at a multiple of 64; `used` of an idle block
 * means nothing. */
#include "base/arena.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

#define ALIGN_MAX     64
#define BLOCK_DEFAULT ((size_t)64 << 10)

typedef struct block {
    struct block *next;
    unsigned char *data;
    size_t cap, used;
} block;

struct alm_arena {
    block *first, *current; /* both NULL before the first request */
    size_t block_bytes, limit, held;
};

alm_status alm_arena_new(alm_arena **out, size_t block_bytes, size_t limit_bytes, alm_error *err) {
    alm_arena *a = alm_calloc(1, sizeof *a);
    if (!a) return alm_fail_memory(err);
    a->block_bytes = block_bytes ? block_bytes : BLOCK_DEFAULT;
    a->limit = limit_bytes ? limit_bytes : SIZE_MAX;
    *out = a;
    return ALM_OK;
}

void alm_arena_free(alm_arena *a) {
    if (!a) return;
    for (block *b = a->first, *next; b; b = next) {
        next = b->next;
        alm_free(b);
    }
    alm_free(a);
}

/* Idle blocks that are too small must not keep the limit from a request that fits without them. */
static void drop_idle(alm_arena *a) {
    block **from = a->current ? &a->current->next : &a->first;
    for (block *b = *from, *next; b; b = next) {
        next = b->next;
        a->held -= b->cap;
        alm_free(b);
    }
    *from = NULL;
}

/* A block with at least n_bytes behind the current one. */
static block *block_new(alm_arena *a, size_t n_bytes) {
    if (n_bytes > a->limit - a->held) drop_idle(a);
    size_t left = a->limit - a->held, cap = a->block_bytes, whole;
    if (cap > left) cap = left; /* the last block may be smaller than usual */
    if (cap < n_bytes) cap = n_bytes;
    if (cap > left || !alm_add_size(&whole, cap, sizeof(block) + ALIGN_MAX)) return NULL;
    block *b = alm_alloc(whole);
    if (!b) return NULL;
    uintptr_t behind = (uintptr_t)(b + 1);
    size_t skip = (size_t)(0 - behind) & (ALIGN_MAX - 1);
    *b = (block){.data = (unsigned char *)(b + 1) + skip, .cap = cap};
    if (a->current) {
        b->next = a->current->next;
        a->current->next = b;
    } else {
        b->next = a->first;
        a->first = b;
    }
    a->held += cap;
    return b;
}

static void *take(block *b, size_t n_bytes, size_t align) {
    size_t from = (b->used + align - 1) & ~(align - 1);
    if (from < b->used || from > b->cap || n_bytes > b->cap - from) return NULL;
    b->used = from + n_bytes;
    return b->data + from;
}

void *alm_arena_alloc(alm_arena *a, size_t n_bytes, size_t align) {
    void *at;
    if (a->current && (at = take(a->current, n_bytes, align))) return at;
    block *next = a->current ? a->current->next : a->first;
    if (!next || next->cap < n_bytes) next = block_new(a, n_bytes);
    if (!next) return NULL;
    next->used = 0;
    a->current = next;
    return take(next, n_bytes, align);
}

void *alm_arena_calloc(alm_arena *a, size_t n, size_t item_bytes) {
    size_t n_bytes;
    if (!alm_mul_size(&n_bytes, n, item_bytes)) return NULL;
    void *at = alm_arena_alloc(a, n_bytes, ALIGN_MAX);
    return at ? memset(at, 0, n_bytes) : NULL;
}

alm_str alm_arena_copy(alm_arena *a, alm_str s) {
    size_t n_bytes;
    char *at = alm_add_size(&n_bytes, s.n, 1) ? alm_arena_alloc(a, n_bytes, 1) : NULL;
    if (!at) return (alm_str){NULL, 0};
    if (s.n) memcpy(at, s.at, s.n);
    at[s.n] = '\0';
    return (alm_str){at, s.n};
}

alm_mark alm_arena_mark(const alm_arena *a) {
    return (alm_mark){.block = a->current, .used = a->current ? a->current->used : 0};
}

void alm_arena_rewind(alm_arena *a, alm_mark mark) {
    a->current = mark.block;
    if (a->current) a->current->used = mark.used;
}

void alm_arena_reset(alm_arena *a) { a->current = NULL; }

size_t alm_arena_used(const alm_arena *a) {
    size_t sum = 0;
    if (!a->current) return 0;
    for (const block *b = a->first; b; b = b->next) {
        sum += b->used;
        if (b == a->current) break;
    }
    return sum;
}

size_t alm_arena_held(const alm_arena *a) { return a->held; }
