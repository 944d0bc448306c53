/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/linear.c - a linear layer:  y = x W^T (+ bias). Products by rule C, the bias with one rounding more (rule J).
 *
 * Back:  dx = dy W (rule C over outputs);  dW += dy^T x,  dbias += sum of dy (rule C over rows of the step). */
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/op/matmul.h"
#include "tensor/tape_inner.h"

enum { COLUMNS = 64 };

typedef struct bias_job {
    const alm_kernels *k;
    const alm_step *s;
} bias_job;

static void add_bias(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const bias_job *j = arg;
    const alm_node *y = &j->s->out->node;
    for (size_t r = from; r < to; r++) j->k->add(y->x + r * y->dim, y->x + r * y->dim, j->s->w[1]->at, y->dim);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    const alm_node *y = &s->out->node;
    if (!alm_matmul_forward(t->compute, y->x, s->in[0]->node.x, s->w[0], y->n)) {
        alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
        return;
    }
    bias_job j = {alm_compute_kernels(t->compute), s};
    if (s->w[1]) alm_pool_run(alm_compute_pool(t->compute), y->n, alm_slice_rows(y->dim), add_bias, &j);
}

static void bias_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const bias_job *j = arg;
    const alm_node *y = &j->s->out->node;
    j->k->add_rows(j->s->w[1]->grad + from, y->dx + from, y->n, y->dim, to - from);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    const alm_node *y = &s->out->node, *x = &s->in[0]->node;
    alm_weight *w = s->w[0];
    if (!alm_matmul_input(t->compute, x->dx, y->dx, w, y->n, !s->fresh[0]) ||
        (w->grad && !alm_matmul_weight(t->compute, w->grad, y->dx, x->x, w->n_rows, w->n_cols, y->n))) {
        alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
        return;
    }
    bias_job j = {alm_compute_kernels(t->compute), s};
    if (s->w[1] && s->w[1]->grad) alm_pool_run(alm_compute_pool(t->compute), y->dim, COLUMNS, bias_back, &j);
}

const alm_op alm_op_linear = {.name = "linear", .reads_input = 1, .forward = forward, .backward = backward};

alm_node *alm_tape_linear(alm_tape *t, alm_node *x, alm_weight *w, alm_weight *bias) {
    const alm_op *op = &alm_op_linear;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, w && alm_weight_is_readable(w), "%.*s has a type that this build cannot decode",
                        ALM_ARG(w ? w->name : ALM_STR("the weight"))) ||
        !alm_tape_check(t, op, w->n_cols == x->dim, "%.*s takes %zu numbers a row, the input has %zu", ALM_ARG(w->name),
                        w->n_cols, x->dim) ||
        !alm_tape_check(t, op, !bias || (bias->type == ALM_F32 && bias->n_rows == 1 && bias->n_cols == w->n_rows),
                        "the bias of %.*s is not one row of %zu f32 numbers", ALM_ARG(w->name), w->n_rows)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, w->n_rows);
    if (!s) return NULL;
    s->w[0] = w;
    s->w[1] = bias;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
