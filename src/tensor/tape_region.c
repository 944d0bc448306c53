/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/tape_region.c - where a step's numbers lie: stretches of one region, the lowest gap that fits.
 *
 * Only places are decided here, no memory is touched: the same requests give the same places, so a dry run knows the size of
 * the region before it exists.
 *
 * Invariant: `used` is sorted by address, stretches do not overlap, begin at multiples of 64 and are at least 64 long. */
#include "tensor/tape_inner.h"

#include "base/alloc.h"

static bool insert(alm_region *r, size_t i, size_t at, size_t n) {
    if (!alm_grow((void **)&r->used, &r->cap_used, r->n_used + 1, sizeof *r->used)) return false;
    memmove(r->used + i + 1, r->used + i, (r->n_used - i) * sizeof *r->used);
    r->used[i] = (alm_stretch){at, n};
    r->n_used++;
    const alm_stretch *end = &r->used[r->n_used - 1];
    r->top = end->at + end->n;
    if (r->top > r->peak) r->peak = r->top;
    return true;
}

/* What a stretch of n bytes takes; 0 on overflow. */
static size_t whole(size_t n_bytes) {
    if (n_bytes > SIZE_MAX / 2) return 0;
    return n_bytes ? (n_bytes + 63) & ~(size_t)63 : 64;
}

size_t alm_region_take(alm_region *r, size_t n_bytes) {
    size_t n = whole(n_bytes), at = 0, i = 0;
    if (n == 0) return ALM_NOWHERE;
    for (; i < r->n_used && r->used[i].at - at < n; i++) at = r->used[i].at + r->used[i].n;
    return at <= SIZE_MAX / 2 && insert(r, i, at, n) ? at : ALM_NOWHERE;
}

bool alm_region_hold(alm_region *r, size_t at, size_t n_bytes) {
    size_t i = 0;
    while (i < r->n_used && r->used[i].at < at) i++;
    return insert(r, i, at, whole(n_bytes));
}

void alm_region_give(alm_region *r, size_t at) {
    size_t low = 0, high = r->n_used;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (r->used[mid].at < at) low = mid + 1;
        else high = mid;
    }
    if (low == r->n_used || r->used[low].at != at) return;
    r->n_used--;
    memmove(r->used + low, r->used + low + 1, (r->n_used - low) * sizeof *r->used);
    r->top = r->n_used ? r->used[r->n_used - 1].at + r->used[r->n_used - 1].n : 0;
}

void alm_region_clear(alm_region *r) { r->n_used = r->top = 0; }
