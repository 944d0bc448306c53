/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/add.c - residuals:  y = a + b, one rounding each (rule J). Back: both get dy. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

enum { NUMBERS = 4096 };

typedef struct sum {
    const alm_kernels *k;
    float *out;
    const float *a, *b; /* b NULL: a copy of a */
} sum;

static void add_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const sum *j = arg;
    if (j->b) j->k->add(j->out + from, j->a + from, j->b + from, to - from);
    else memcpy(j->out + from, j->a + from, (to - from) * sizeof(float));
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    sum j = {alm_compute_kernels(t->compute), s->out->node.x, s->in[0]->node.x, s->in[1]->node.x};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, add_slice, &j);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    for (size_t i = 0; i < 2; i++) {
        sum j = {alm_compute_kernels(t->compute), s->in[i]->node.dx, s->out->node.dx,
                 s->fresh[i] ? NULL : s->in[i]->node.dx};
        if (j.b) j.a = s->in[i]->node.dx, j.b = s->out->node.dx;
        alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, add_slice, &j);
    }
}

const alm_op alm_op_add = {.name = "add", .forward = forward, .backward = backward};

alm_node *alm_tape_add(alm_tape *t, alm_node *a, alm_node *b) {
    const alm_op *op = &alm_op_add;
    if (!a || !b) return NULL;
    if (!alm_tape_check(t, op, a->n == b->n && a->dim == b->dim, "[%zu][%zu] and [%zu][%zu] have not the same shape",
                        a->n, a->dim, b->n, b->dim)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, a->n, a->dim);
    if (!s) return NULL;
    alm_step_reads(t, s, 0, a);
    alm_step_reads(t, s, 1, b);
    return alm_step_node(t, s);
}
