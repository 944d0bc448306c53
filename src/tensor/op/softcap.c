/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/softcap.c - numbers kept softly within a limit:  y = c tanh(x / c)  (formulas: kernel/k_gate.h). With c = 1 it is
 * tanh itself: dividing and multiplying by 1 changes no bit. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { NUMBERS = 2048 };

typedef struct cap_job {
    const alm_kernels *k;
    const alm_step *s;
} cap_job;

static void slice_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const cap_job *j = arg;
    j->k->softcap(j->s->out->node.x + from, j->s->in[0]->node.x + from, to - from, j->s->with.factor);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    cap_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_forward, &j);
}

static void slice_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const cap_job *j = arg;
    const alm_node *x = &j->s->in[0]->node;
    j->k->softcap_back(x->dx + from, j->s->out->node.dx + from, x->x + from, to - from, j->s->with.factor,
                       j->s->fresh[0]);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    cap_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_back, &j);
}

const alm_op alm_op_softcap = {
    .name = "softcap", .reads_input = 1, .cheap = true, .forward = forward, .backward = backward};

alm_node *alm_tape_softcap(alm_tape *t, alm_node *x, float c) {
    const alm_op *op = &alm_op_softcap;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, isfinite(c) && c > 0, "the limit is not a number above 0")) return NULL;
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->with.factor = c;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
