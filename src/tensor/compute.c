/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/compute.c - who computes: the kernels of one instruction set, a pool of threads, scratch for each of them.
 *
 * The table is a copy: where a fast kernel failed its check, the plain one stands in it. Scratch grows and stays; each
 * worker has its own, so no lock is needed. */
#include "tensor/compute.h"

#include "base/alloc.h"
#include "base/cpu.h"
#include "tensor/kernel/kernels.h"

typedef struct scratch {
    void *block; /* as the heap gave it */
    void *at;    /* aligned to 64 */
    size_t n_bytes;
    char pad[64 - 2 * sizeof(void *) - sizeof(size_t)]; /* workers do not share a cache line */
} scratch;

struct alm_compute {
    alm_kernels kernels;
    size_t n_aside;
    alm_pool *pool;
    unsigned n_worker;
    scratch scratch[]; /* the last is shared */
};

static alm_status make(alm_compute **out, const alm_kernels *fast, alm_pool *pool, alm_error *err) {
    unsigned n_worker = alm_pool_threads(pool);
    alm_compute *c = alm_calloc(1, sizeof *c + (n_worker + 1) * sizeof *c->scratch);
    if (!c) return alm_fail_memory(err);
    c->pool = pool;
    c->n_worker = n_worker;
    alm_fp_mode mode = alm_fp_enter();
    c->n_aside = alm_kernels_checked(&c->kernels, fast);
    alm_fp_leave(mode);
    *out = c;
    return ALM_OK;
}

alm_status alm_compute_new(alm_compute **out, alm_pool *pool, alm_error *err) {
    const char *isa;
    alm_status st = alm_cpu_isa(&isa, err);
    if (st != ALM_OK) return st;
    /* A set without a row in this build (none is known) falls back to plain: the same bits. */
    const alm_kernels *k = alm_kernels_find(isa);
    return make(out, k ? k : &alm_kernels_plain, pool, err);
}

alm_status alm_compute_new_isa(alm_compute **out, const char *isa, alm_pool *pool, alm_error *err) {
    const alm_kernels *k = alm_kernels_find(isa);
    if (!k) {
        alm_fail(err, ALM_REFUSED, "%s: this build has no kernels of that name", isa);
        return alm_hint(err, "the names are the rows of kernels.def"), ALM_REFUSED;
    }
    if (!alm_kernels_can(k)) return alm_fail(err, ALM_REFUSED, "%s: this machine cannot do that", isa);
    return make(out, k, pool, err);
}

void alm_compute_free(alm_compute *c) {
    if (!c) return;
    for (unsigned i = 0; i <= c->n_worker; i++) alm_free(c->scratch[i].block);
    alm_free(c);
}

const char *alm_compute_isa(const alm_compute *c) { return c->kernels.isa; }
size_t alm_compute_aside(const alm_compute *c) { return c->n_aside; }
const alm_kernels *alm_compute_kernels(const alm_compute *c) { return &c->kernels; }
alm_pool *alm_compute_pool(const alm_compute *c) { return c->pool; }

void *alm_compute_scratch(alm_compute *c, unsigned worker, size_t n_bytes) {
    scratch *s = &c->scratch[worker];
    if (s->at && n_bytes <= s->n_bytes) return s->at;
    alm_free(s->block);
    *s = (scratch){0};
    size_t want;
    if (!alm_add_size(&want, n_bytes, 64)) return NULL;
    s->block = alm_alloc(want);
    if (!s->block) return NULL;
    s->at = (char *)s->block + (64 - (uintptr_t)s->block % 64) % 64;
    s->n_bytes = n_bytes;
    return s->at;
}

void *alm_compute_shared(alm_compute *c, size_t n_bytes) { return alm_compute_scratch(c, c->n_worker, n_bytes); }
