/* SPDX-License-Identifier: Apache-2.0
 *
 * base/sort.h - sorts in place, in n log n steps whatever the items are: no file can be made that sorts slowly. */
#ifndef ALM_BASE_SORT_H
#define ALM_BASE_SORT_H

#include <stddef.h>

/* <0, 0, >0, as for qsort. */
typedef int alm_order(const void *a, const void *b);
/* By heap: items that are equal may change their order. item_bytes <= ALM_SORT_MAX_ITEM. */
enum { ALM_SORT_MAX_ITEM = 256 };
void alm_sort(void *items, size_t n, size_t item_bytes, alm_order *order);

#endif
