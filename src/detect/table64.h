/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/table64.h - a hash table from 64-bit keys to 32-bit numbers: open addressing, at most 2/3 full, nothing is removed. */
#ifndef ALM_DETECT_TABLE64_H
#define ALM_DETECT_TABLE64_H

#include "base/error.h"

typedef struct alm_table64 {
    uint64_t *key;
    uint32_t *value; /* value + 1; 0 is an empty place */
    size_t n, cap;   /* cap is a power of two or 0 */
} alm_table64;

/* UINT32_MAX when the key is not there. */
uint32_t alm_table64_get(const alm_table64 *t, uint64_t key);
/* Adds or overwrites. value < UINT32_MAX. ALM_NO_MEMORY leaves the table as it was. */
alm_status alm_table64_set(alm_table64 *t, uint64_t key, uint32_t value, alm_error *err);
void alm_table64_clear(alm_table64 *t);
void alm_table64_free(alm_table64 *t);

#endif
