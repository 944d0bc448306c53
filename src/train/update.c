/* SPDX-License-Identifier: Apache-2.0
 *
 * update.c - from the gradients of micro-batches to changed weights.
 *
 * The gradients of micro-batches are added as a binary tree over their index, like a counter in binary: the gradient of
 * 2^k neighbours waits at level k until its twin arrives. So the sum does not depend on who computed what, and only
 * log2(n) copies of the gradients are kept.
 *
 *     0 ─┐
 *     1 ─┴─┐
 *     2 ─┐ ├─┐
 *     3 ─┴─┘ ├─ sum
 *     4 ─────┘
 *
 * The norm: alm_sum_squares of each weight, in double, added in the order of the weights. Clipping multiplies each gradient by
 * clip / (norm + 1e-6), rounded to f32 once. */
#include "base/alloc.h"
#include "dtype/dtype.h"
#include "tensor/op/adamw.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

typedef struct work {
    alm_trainer *t;
    float *flat;
} work;

static void zero(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    alm_trainer *t = ((work *)arg)->t;
    for (size_t i = from; i < to; i++) {
        const alm_chunk *k = &t->chunk[i];
        memset(t->slot[k->slot].w->grad + k->from, 0, k->n * sizeof(float));
    }
}

/* grad += flat */
static void add(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    work *w = arg;
    for (size_t i = from; i < to; i++) {
        const alm_chunk *k = &w->t->chunk[i];
        const alm_slot *s = &w->t->slot[k->slot];
        float *restrict g = s->w->grad + k->from;
        const float *restrict f = w->flat + s->at + k->from;
        for (uint32_t j = 0; j < k->n; j++) g[j] += f[j];
    }
}

/* flat = grad, grad = 0 */
static void put_by(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    work *w = arg;
    for (size_t i = from; i < to; i++) {
        const alm_chunk *k = &w->t->chunk[i];
        const alm_slot *s = &w->t->slot[k->slot];
        memcpy(w->flat + s->at + k->from, s->w->grad + k->from, k->n * sizeof(float));
        memset(s->w->grad + k->from, 0, k->n * sizeof(float));
    }
}

static void round_chunk(const alm_slot *s, const alm_chunk *k) {
    if (s->bf16) alm_type_find(ALM_BF16)->encode(s->bf16 + k->from, s->value + k->from, k->n);
}

static void round_all(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    alm_trainer *t = ((work *)arg)->t;
    for (size_t i = from; i < to; i++) round_chunk(&t->slot[t->chunk[i].slot], &t->chunk[i]);
}

static void each_chunk(work *w, alm_slice_fn *fn) { alm_pool_run(alm_compute_pool(w->t->c), w->t->n_chunk, 1, fn, w); }

void alm_trainer_zero_gradients(alm_trainer *t) { each_chunk(&(work){.t = t}, zero); }

void alm_trainer_round_weights(alm_trainer *t) { each_chunk(&(work){.t = t}, round_all); }

alm_status alm_trainer_carry(alm_trainer *t, uint64_t i, bool last, alm_error *err) {
    unsigned k = 0;
    for (; i >> k & 1; k++) each_chunk(&(work){.t = t, .flat = t->level[k]}, add);
    if (!last) {
        if (!t->level[k] && !(t->level[k] = alm_calloc(t->n_flat, sizeof(float)))) return alm_fail_memory(err);
        each_chunk(&(work){.t = t, .flat = t->level[k]}, put_by);
        return ALM_OK;
    }
    for (; i >> k; k++)
        if (i >> k & 1) each_chunk(&(work){.t = t, .flat = t->level[k]}, add);
    return ALM_OK;
}

double alm_trainer_norm(alm_trainer *t) {
    double sum = 0;
    for (size_t i = 0; i < t->n_slot; i++) sum += alm_sum_squares(t->c, t->slot[i].w->grad, t->slot[i].n);
    return sqrt(sum);
}

void alm_trainer_update(alm_trainer *t, double lr, double scale) {
    alm_adamw_params p = {
        .lr = lr, .beta1 = t->o.beta1, .beta2 = t->o.beta2, .eps = t->o.eps, .clip = scale, .step = t->step + 1};
    for (size_t i = 0; i < t->n_slot; i++) {
        const alm_slot *s = &t->slot[i];
        p.weight_decay = s->decays ? t->o.weight_decay : 0;
        alm_adamw(t->c, s->value, s->w->grad, t->moment1 + s->at, t->moment2 + s->at, s->n, &p);
    }
    if (t->bf16) alm_trainer_round_weights(t);
}
