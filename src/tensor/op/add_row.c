/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/add_row.c - one row of a weight added to every row:  y[r] = x[r] + w[row], one rounding each (rule J).
 *
 * For the kinds of a sentence in BERT, of which a plain text has one. Back: dx = dy; the weight's row gets the sum of dy over
 * rows by rule C. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

enum { COLUMNS = 64 };

typedef struct row_job {
    const alm_kernels *k;
    const alm_step *s;
    const float *row; /* decoded */
} row_job;

static void rows_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const row_job *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    for (size_t r = from; r < to; r++) j->k->add(y->x + r * y->dim, x->x + r * y->dim, j->row, y->dim);
}

static size_t forward_bytes(const alm_tape *t, const alm_step *s) {
    (void)t;
    return s->out->node.dim * sizeof(float);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    row_job j = {alm_compute_kernels(t->compute), s, scratch};
    alm_weight_decode_row(scratch, s->w[0], s->with.from);
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n, alm_slice_rows(s->out->node.dim), rows_forward, &j);
}

static void rows_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const row_job *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    for (size_t r = from; r < to; r++) {
        float *dx = x->dx + r * y->dim;
        const float *dy = y->dx + r * y->dim;
        if (j->s->fresh[0]) memcpy(dx, dy, y->dim * sizeof *dx);
        else j->k->add(dx, dx, dy, y->dim);
    }
}

static void weight_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const row_job *j = arg;
    const alm_node *y = &j->s->out->node;
    j->k->add_rows(j->s->w[0]->grad + j->s->with.from * y->dim + from, y->dx + from, y->n, y->dim, to - from);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    row_job j = {alm_compute_kernels(t->compute), s, NULL};
    alm_pool *pool = alm_compute_pool(t->compute);
    alm_pool_run(pool, s->out->node.n, alm_slice_rows(s->out->node.dim), rows_back, &j);
    if (s->w[0]->grad) alm_pool_run(pool, s->out->node.dim, COLUMNS, weight_back, &j);
}

const alm_op alm_op_add_row = {
    .name = "add_row", .forward_bytes = forward_bytes, .forward = forward, .backward = backward};

alm_node *alm_tape_add_row(alm_tape *t, alm_node *x, alm_weight *w, size_t row) {
    const alm_op *op = &alm_op_add_row;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, w && alm_weight_is_readable(w) && w->n_cols == x->dim && row < w->n_rows,
                        "%.*s has no row %zu of %zu numbers", ALM_ARG(w ? w->name : ALM_STR("the weight")), row,
                        x->dim)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->w[0] = w;
    s->with.from = row;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
