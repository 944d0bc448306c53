/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/compute.h - who computes: the kernels of one instruction set, a pool of threads, scratch for each of them.
 *
 * Whoever computes, the bits are the same (docs/numbers.md): kernels return what the plain loop returns, threads divide
 * outputs and never a sum. */
#ifndef ALM_TENSOR_COMPUTE_H
#define ALM_TENSOR_COMPUTE_H

#include "base/error.h"
#include "base/fpmode.h"
#include "base/pool.h"

/* Code that computes outside of alm_pool_run (which does it itself) brackets itself with alm_fp_enter and alm_fp_leave. */

typedef struct alm_kernels alm_kernels; /* tensor/kernel/kernels.h */
typedef struct alm_compute alm_compute;

/* The best instruction set of the machine, or the one that ALM_ISA names; each fast kernel has checked itself against the
 * plain one and stands aside where it differs. pool NULL: everything in the caller's thread; else it must outlive c. */
alm_status alm_compute_new(alm_compute **out, alm_pool *pool, alm_error *err);
/* The same with the kernels of one row of kernels.def (tests, benches); ALM_REFUSED where the machine lacks it. */
alm_status alm_compute_new_isa(alm_compute **out, const char *isa, alm_pool *pool, alm_error *err);
void alm_compute_free(alm_compute *c);
const char *alm_compute_isa(const alm_compute *c);
size_t alm_compute_aside(const alm_compute *c); /* how many fast kernels stood aside: 0 on a machine that works */
const alm_kernels *alm_compute_kernels(const alm_compute *c);
alm_pool *alm_compute_pool(const alm_compute *c);
/* Scratch of one worker (0 <= worker < threads of the pool), at least n_bytes, aligned to 64, kept for the next call; NULL
 * when memory is out. What an earlier call put there is lost. */
void *alm_compute_scratch(alm_compute *c, unsigned worker, size_t n_bytes);
/* The same, one for all workers together: only the caller of alm_pool_run asks for it, before the run. */
void *alm_compute_shared(alm_compute *c, size_t n_bytes);

#endif
