/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.c - heap sort. */
#include "base/sort.h"

#include <assert.h>
#include <string.h>

static void swap(unsigned char *a, unsigned char *b, size_t n) {
    unsigned char x[ALM_SORT_MAX_ITEM];
    memcpy(x, a, n);
    memcpy(a, b, n);
    memcpy(b, x, n);
}

/* Item i moves down until both items below it are smaller. */
static void sift(unsigned char *at, size_t bytes, alm_order *order, size_t i, size_t n) {
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && order(at + child * bytes, at + (child + 1) * bytes) < 0) child++;
        if (order(at + i * bytes, at + child * bytes) >= 0) return;
        swap(at + i * bytes, at + child * bytes, bytes);
    }
}

void alm_sort(void *items, size_t n, size_t item_bytes, alm_order *order) {
    unsigned char *at = items;
    assert(item_bytes <= ALM_SORT_MAX_ITEM);
    for (size_t i = n / 2; i-- > 0;) sift(at, item_bytes, order, i, n);
    for (size_t end = n; end-- > 1;) {
        swap(at, at + end * item_bytes, item_bytes);
        sift(at, item_bytes, order, 0, end);
    }
}
