/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/slice.c - a stretch of each row:  y[r] = x[r][from .. from + dim).
 *
 * For products that hold several things side by side (q, k and v; gate and up). The numbers are copied: a node is then
 * always a whole matrix, which every operation can read. Back: dy is added where it came from. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

typedef struct slice_job {
    const alm_kernels *k;
    const alm_step *s;
} slice_job;

static void rows_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const slice_job *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    const float *at = x->x + j->s->with.from;
    for (size_t r = from; r < to; r++) memcpy(y->x + r * y->dim, at + r * x->dim, y->dim * sizeof *at);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    slice_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n, alm_slice_rows(s->out->node.dim), rows_forward, &j);
}

static void rows_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const slice_job *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    for (size_t r = from; r < to; r++) {
        float *row = x->dx + r * x->dim, *at = row + j->s->with.from;
        const float *dy = y->dx + r * y->dim;
        if (j->s->fresh[0]) {
            memset(row, 0, x->dim * sizeof *row);
            memcpy(at, dy, y->dim * sizeof *at);
        } else {
            j->k->add(at, at, dy, y->dim);
        }
    }
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    slice_job j = {alm_compute_kernels(t->compute), s};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n, alm_slice_rows(s->in[0]->node.dim), rows_back, &j);
}

const alm_op alm_op_slice = {.name = "slice", .forward = forward, .backward = backward};

alm_node *alm_tape_slice(alm_tape *t, alm_node *x, size_t from, size_t dim) {
    const alm_op *op = &alm_op_slice;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, dim > 0 && from <= x->dim && dim <= x->dim - from,
                        "%zu numbers from %zu on, a row has %zu", dim, from, x->dim)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, dim);
    if (!s) return NULL;
    s->with.from = from;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
