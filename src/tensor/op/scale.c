/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/scale.c - a constant factor:  y = x by. Back: dx = dy by. (Gemma's embedding, Granite's multipliers.) */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { NUMBERS = 4096 };

typedef struct scale_job {
    const alm_kernels *k;
    const alm_step *s;
} scale_job;

static void slice_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const scale_job *j = arg;
    j->k->times(j->s->out->node.x + from, j->s->in[0]->node.x + from, to - from, j->s->with.factor, true);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    scale_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_forward, &j);
}

static void slice_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const scale_job *j = arg;
    j->k->times(j->s->in[0]->node.dx + from, j->s->out->node.dx + from, to - from, j->s->with.factor, j->s->fresh[0]);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    scale_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_back, &j);
}

const alm_op alm_op_scale = {.name = "scale", .forward = forward, .backward = backward};

alm_node *alm_tape_scale(alm_tape *t, alm_node *x, float by) {
    const alm_op *op = &alm_op_scale;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, isfinite(by), "the factor is not finite")) return NULL;
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->with.factor = by;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
