/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/gelu.c - the Gaussian error unit (Hendrycks & Gimpel 2016) in its two forms; they differ by up to 5e-4, so a
 * model names its own (formulas: kernel/k_gate.h). */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

enum { NUMBERS = 2048 };

typedef struct gelu_job {
    const alm_kernels *k;
    const alm_step *s;
} gelu_job;

static void slice_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const gelu_job *j = arg;
    j->k->gelu(j->s->out->node.x + from, j->s->in[0]->node.x + from, to - from, j->s->with.gelu == ALM_GELU_ERF);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    gelu_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_forward, &j);
}

static void slice_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const gelu_job *j = arg;
    const alm_node *x = &j->s->in[0]->node;
    j->k->gelu_back(x->dx + from, j->s->out->node.dx + from, x->x + from, to - from, j->s->with.gelu == ALM_GELU_ERF,
                    j->s->fresh[0]);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    gelu_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_back, &j);
}

const alm_op alm_op_gelu = {.name = "gelu", .reads_input = 1, .cheap = true, .forward = forward, .backward = backward};

alm_node *alm_tape_gelu(alm_tape *t, alm_node *x, alm_gelu form) {
    if (!x) return NULL;
    alm_step *s = alm_tape_step(t, &alm_op_gelu, x->n, x->dim);
    if (!s) return NULL;
    s->with.gelu = form;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
