/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/lookup.c - rows of a table by number:  x[r] = table[id[r]].
 *
 * Back: rows of the gradient are added to the table's rows in ascending order of r, one addition each. Threads divide
 * columns, so that no two touch the same number. */
#include "tensor/tape_inner.h"

enum { COLUMNS = 64 };

static void copy_rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const alm_step *s = arg;
    const alm_weight *w = s->w[0];
    for (size_t r = from; r < to; r++) alm_weight_decode_row(s->out->node.x + r * w->n_cols, w, s->rows.id[r]);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n, alm_slice_rows(s->w[0]->n_cols), copy_rows, s);
}

static void add_columns(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const alm_step *s = arg;
    size_t dim = s->w[0]->n_cols;
    for (size_t r = 0; r < s->rows.n; r++) {
        float *grad = s->w[0]->grad + s->rows.id[r] * dim;
        const float *dx = s->out->node.dx + r * dim;
        for (size_t i = from; i < to; i++) grad[i] = grad[i] + dx[i];
    }
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    if (s->w[0]->grad) alm_pool_run(alm_compute_pool(t->compute), s->w[0]->n_cols, COLUMNS, add_columns, s);
}

const alm_op alm_op_lookup = {.name = "lookup", .forward = forward, .backward = backward};

alm_node *alm_tape_lookup(alm_tape *t, alm_weight *table, const alm_rows *rows) {
    const alm_op *op = &alm_op_lookup;
    if (t->error.status != ALM_OK || !alm_tape_check(t, op, table && rows, "an argument is missing")) return NULL;
    if (!alm_tape_check(t, op, alm_weight_is_readable(table), "%.*s has a type that this build cannot decode",
                        ALM_ARG(table->name)) ||
        !alm_tape_check_documents(t, op, rows, rows->n)) {
        return NULL;
    }
    for (size_t r = 0; r < rows->n; r++) {
        if (!alm_tape_check(t, op, rows->id[r] < table->n_rows, "row %zu asks for row %lu of %.*s, which has %zu", r,
                            (unsigned long)rows->id[r], ALM_ARG(table->name), table->n_rows)) {
            return NULL;
        }
    }
    alm_step *s = alm_tape_step(t, op, rows->n, table->n_cols);
    if (!s) return NULL;
    s->w[0] = table;
    s->rows = *rows;
    return alm_step_node(t, s);
}
