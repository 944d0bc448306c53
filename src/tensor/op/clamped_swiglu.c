/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/clamped_swiglu.c - the gate of gpt-oss:  y = (up + 1) (gate σ(a gate)), gate at most `limit`, up within
 * ±limit (formulas: kernel/k_gate.h). */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { NUMBERS = 2048 };

typedef struct clamped_job {
    const alm_kernels *k;
    const alm_step *s;
} clamped_job;

static void slice_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const clamped_job *j = arg;
    j->k->clamped_swiglu(j->s->out->node.x + from, j->s->in[0]->node.x + from, j->s->in[1]->node.x + from, to - from,
                         j->s->with.gate.a, j->s->with.gate.limit);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    clamped_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_forward, &j);
}

static void slice_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const clamped_job *j = arg;
    const alm_node *gate = &j->s->in[0]->node, *up = &j->s->in[1]->node;
    j->k->clamped_swiglu_back(gate->dx + from, up->dx + from, j->s->out->node.dx + from, gate->x + from, up->x + from,
                              to - from, j->s->with.gate.a, j->s->with.gate.limit, j->s->fresh[0], j->s->fresh[1]);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    clamped_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n * s->out->node.dim, NUMBERS, slice_back, &j);
}

const alm_op alm_op_clamped_swiglu = {
    .name = "clamped_swiglu", .reads_input = 3, .cheap = true, .forward = forward, .backward = backward};

alm_node *alm_tape_clamped_swiglu(alm_tape *t, alm_node *gate, alm_node *up, float a, float limit) {
    const alm_op *op = &alm_op_clamped_swiglu;
    if (!gate || !up) return NULL;
    if (!alm_tape_check(t, op, gate->n == up->n && gate->dim == up->dim,
                        "[%zu][%zu] and [%zu][%zu] have not the same shape", gate->n, gate->dim, up->n, up->dim) ||
        !alm_tape_check(t, op, gate != up, "gate and up are the same node") ||
        !alm_tape_check(t, op, isfinite(a) && limit > 0, "the factor is not finite, or the limit not above 0")) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, gate->n, gate->dim);
    if (!s) return NULL;
    s->with.gate.a = a, s->with.gate.limit = limit;
    alm_step_reads(t, s, 0, gate);
    alm_step_reads(t, s, 1, up);
    return alm_step_node(t, s);
}
