/* SPDX-License-Identifier: Apache-2.0
 *
 * base/pool.h - a pool of threads that computes the slices of one task.
 *
 * Slice borders depend on n and the slice size only, never on the number of threads; who computes a slice is free. So a
 * result that is written slice by slice has the same bits for any thread count. While slices are computed, every thread rounds
 * to nearest even and keeps denormals, whatever the embedding program has set; its own setting is back when the run ends. */
#ifndef ALM_BASE_POOL_H
#define ALM_BASE_POOL_H

#include <allmende/base.h>

typedef struct alm_pool alm_pool;
typedef void alm_slice_fn(void *arg, size_t slice, size_t from, size_t to, unsigned worker);

/* n_threads counts the caller too; 0 means as many as the process may use (affinity mask, cgroup quota). */
alm_status alm_pool_new(alm_pool **out, unsigned n_threads, alm_error *err);
void alm_pool_free(alm_pool *p);
unsigned alm_pool_threads(const alm_pool *p);
/* Calls fn for [0, slice_items), [slice_items, 2 slice_items) ... of n items and returns when all are done. Not reentrant. NULL pool: all in the caller. */
void alm_pool_run(alm_pool *p, size_t n, size_t slice_items, alm_slice_fn *fn, void *arg);
/* Processors this process may use, at least 1. */
unsigned alm_cpu_count(void);

#endif
