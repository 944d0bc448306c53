/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/geglu.c - the gate of a Gemma feed-forward:  y = gelu(gate) up  (Shazeer 2020; formulas: kernel/k_gate.h). */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

enum { NUMBERS = 2048 };

typedef struct geglu_job {
    const alm_kernels *k;
    const alm_step *s;
} geglu_job;

static void slice_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const geglu_job *j = arg;
    j->k->geglu(j->s->out->node.x + from, j->s->in[0]->node.x + from, j->s->in[1]->node.x + from, to - from,
                j->s->with.gelu == ALM_GELU_ERF);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    geglu_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_forward, &j);
}

static void slice_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const geglu_job *j = arg;
    const alm_node *gate = &j->s->in[0]->node, *up = &j->s->in[1]->node;
    j->k->geglu_back(gate->dx + from, up->dx + from, j->s->out->node.dx + from, gate->x + from, up->x + from, to - from,
                     j->s->with.gelu == ALM_GELU_ERF, j->s->fresh[0], j->s->fresh[1]);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    geglu_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_back, &j);
}

const alm_op alm_op_geglu = {
    .name = "geglu", .reads_input = 3, .cheap = true, .forward = forward, .backward = backward};

alm_node *alm_tape_geglu(alm_tape *t, alm_node *gate, alm_node *up, alm_gelu form) {
    const alm_op *op = &alm_op_geglu;
    if (!gate || !up) return NULL;
    if (!alm_tape_check(t, op, gate->n == up->n && gate->dim == up->dim,
                        "[%zu][%zu] and [%zu][%zu] have not the same shape", gate->n, gate->dim, up->n, up->dim) ||
        !alm_tape_check(t, op, gate != up, "gate and up are the same node")) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, gate->n, gate->dim);
    if (!s) return NULL;
    s->with.gelu = form;
    alm_step_reads(t, s, 0, gate);
    alm_step_reads(t, s, 1, up);
    return alm_step_node(t, s);
}
