/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/positions.c - learned positions:  x[r] = table[first + position of r in its document].
 *
 * Back: rows of the gradient are added to the table's rows in ascending order of r, one addition each. Threads divide
 * columns, so that no two touch the same number. */
#include "tensor/tape_inner.h"

enum { COLUMNS = 64 };

/* The table's row for the first row of document d. */
static size_t place_of(const alm_step *s, size_t d) { return s->with.from + alm_rows_position(&s->rows, d); }

static void copy_documents(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const alm_step *s = arg;
    const alm_weight *w = s->w[0];
    for (size_t d = from; d < to; d++) {
        size_t first = s->rows.start[d], place = place_of(s, d);
        for (size_t r = first; r < s->rows.start[d + 1]; r++)
            alm_weight_decode_row(s->out->node.x + r * w->n_cols, w, place + r - first);
    }
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n_docs, 1, copy_documents, s);
}

static void add_columns(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const alm_step *s = arg;
    size_t dim = s->w[0]->n_cols;
    for (size_t d = 0; d < s->rows.n_docs; d++) {
        size_t first = s->rows.start[d], place = place_of(s, d);
        for (size_t r = first; r < s->rows.start[d + 1]; r++) {
            float *grad = s->w[0]->grad + (place + r - first) * dim;
            const float *dx = s->out->node.dx + r * dim;
            for (size_t i = from; i < to; i++) grad[i] = grad[i] + dx[i];
        }
    }
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    if (s->w[0]->grad) alm_pool_run(alm_compute_pool(t->compute), s->w[0]->n_cols, COLUMNS, add_columns, s);
}

const alm_op alm_op_positions = {.name = "positions", .forward = forward, .backward = backward};

alm_node *alm_tape_positions(alm_tape *t, alm_weight *table, const alm_rows *rows, size_t first) {
    const alm_op *op = &alm_op_positions;
    if (t->error.status != ALM_OK || !alm_tape_check(t, op, table && rows, "an argument is missing")) return NULL;
    if (!alm_tape_check(t, op, alm_weight_is_readable(table), "%.*s has a type that cannot be decoded",
                        ALM_ARG(table->name)) ||
        !alm_tape_check_documents(t, op, rows, rows->n)) {
        return NULL;
    }
    for (size_t d = 0; d < rows->n_docs; d++) {
        size_t n = rows->start[d + 1] - rows->start[d], place = alm_rows_position(rows, d);
        if (!alm_tape_check(t, op, n == 0 || (first <= table->n_rows && place + n <= table->n_rows - first),
                            "document %zu reaches position %zu, %.*s has places for %zu", d, place + n,
                            ALM_ARG(table->name), first < table->n_rows ? table->n_rows - first : 0)) {
            return NULL;
        }
    }
    alm_step *s = alm_tape_step(t, op, rows->n, table->n_cols);
    if (!s) return NULL;
    s->w[0] = table;
    s->rows = *rows;
    s->with.from = first;
    return alm_step_node(t, s);
}
