/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/search.h - scales and codes with a small error, for types that store blocks of 256 with scales inside; private to this
 * room.
 *
 * What is to be small is the sum of squares of the differences between the numbers and what is read back. Both searches take turns:
 * codes for given scales (each number alone), scales for given codes (least squares), from several beginnings. They are plain
 * loops in f32 and double, so the same numbers give the same blocks everywhere. Numbers that are not finite count as 0. */
#ifndef ALM_DTYPE_SEARCH_H
#define ALM_DTYPE_SEARCH_H

#include "dtype/block.h"

enum { ALM_SEARCH_MOST = 256, ALM_SEARCH_GROUP = 32 };

typedef struct alm_scale_search {
    size_t n_groups, group;    /* groups of so many numbers, a multiple of 8 and at most 32; together at most 256 */
    int scale_low, scale_high; /* whole scales of the groups; both 1: there is only d */
    int low, high;             /* codes, */
    const int8_t *level;       /* or 16 levels that codes 0..15 name, rising; NULL: a code is its own level */
} alm_scale_search;

/* given[i] = d scale[group] level. d fits f16. */
void alm_search_scales(float *d, int *scale, int8_t *code, const float *given, const alm_scale_search *how);

typedef struct alm_minimum_search {
    size_t n_groups, group;
    unsigned scale_high; /* scales and minima are 0..scale_high */
    unsigned high;       /* codes are 0..high */
} alm_minimum_search;

/* given[i] = d scale[group] code - low minimum[group]. d and low fit f16. */
void alm_search_minima(float *d, float *low, unsigned *scale, unsigned *minimum, uint8_t *code, const float *given,
                       const alm_minimum_search *how);

#endif
