/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/pick.c - some of the rows:  y[i] = x[row[i]], row ascending.
 *
 * For a head that is as large as the rest of the model, when only some rows are asked for it. Back: dx[row[i]] gets dy[i], the
 * other rows nothing. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)t, (void)scratch;
    const alm_node *x = &s->in[0]->node, *y = &s->out->node;
    for (size_t i = 0; i < y->n; i++) memcpy(y->x + i * y->dim, x->x + s->with.pick[i] * y->dim, y->dim * sizeof *y->x);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    const alm_node *x = &s->in[0]->node, *y = &s->out->node;
    const alm_kernels *k = alm_compute_kernels(t->compute);
    if (s->fresh[0]) memset(x->dx, 0, x->n * x->dim * sizeof *x->dx);
    for (size_t i = 0; i < y->n; i++) {
        float *to = x->dx + s->with.pick[i] * y->dim;
        if (s->fresh[0]) memcpy(to, y->dx + i * y->dim, y->dim * sizeof *to);
        else k->add(to, to, y->dx + i * y->dim, y->dim);
    }
}

const alm_op alm_op_pick = {.name = "pick", .forward = forward, .backward = backward};

alm_node *alm_tape_pick(alm_tape *t, alm_node *x, const uint32_t *row, size_t n) {
    const alm_op *op = &alm_op_pick;
    if (!x) return NULL;
    bool good = n > 0 && row;
    for (size_t i = 0; good && i < n; i++) good = row[i] < x->n && (i == 0 || row[i - 1] < row[i]);
    if (!alm_tape_check(t, op, good, "%zu rows to pick do not ascend within the %zu that there are", n, x->n))
        return NULL;
    alm_step *s = alm_tape_step(t, op, n, x->dim);
    if (!s) return NULL;
    s->with.pick = row;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
