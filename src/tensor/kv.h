/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kv.h - keys and values that attention has already computed, of one document.
 *
 * A page holds ALM_KV_PAGE positions of one attention (a layer): for each kv head its keys, position beside position
 * ([head_dim][ALM_KV_PAGE]: as scores read them), then its values, row by row ([ALM_KV_PAGE][head_dim up to a multiple of 16,
 * zeros behind]: as mixing reads them). Pages begin at multiples of 256 positions, as the blocks of rule E do, so whoever reads
 * pages adds in the same order as whoever reads a whole document.
 *
 * Nobody but attention writes here (tensor/op/attention.c); a step that ends in an error leaves the length as it was. */
#ifndef ALM_TENSOR_KV_H
#define ALM_TENSOR_KV_H

#include "base/error.h"

typedef struct alm_kv alm_kv;

enum { ALM_KV_PAGE = 256 };

alm_status alm_kv_new(alm_kv **out, alm_error *err);
void alm_kv_free(alm_kv *kv); /* NULL is fine */
/* Positions 0..n-1 that every attention of the steps so far has filled. */
size_t alm_kv_length(const alm_kv *kv);
/* Forgets what lies behind position n; the pages stay for what comes next. */
void alm_kv_truncate(alm_kv *kv, size_t n);
/* Bytes that pages for n positions of one attention take; SIZE_MAX when that is more than a number can hold. */
size_t alm_kv_bytes(size_t n_kv_heads, size_t head_dim, size_t n);

/* -- for attention --------------------------------------------------------------------------------------------------- */

/* Pages of attention `number` for positions [0, end) are there; ALM_NO_MEMORY, or ALM_MISMATCH where the pages that are there
 * have another shape. */
alm_status alm_kv_reserve(alm_kv *kv, size_t number, size_t n_kv_heads, size_t head_dim, size_t end);
size_t alm_kv_filled(const alm_kv *kv, size_t number);
void alm_kv_set_filled(alm_kv *kv, size_t number, size_t n);
float *alm_kv_keys(const alm_kv *kv, size_t number, size_t block, size_t kv_head);   /* [head_dim][ALM_KV_PAGE] */
float *alm_kv_values(const alm_kv *kv, size_t number, size_t block, size_t kv_head); /* [ALM_KV_PAGE][up to 16] */

#endif
