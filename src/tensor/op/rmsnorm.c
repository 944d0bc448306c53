/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/rmsnorm.c - root-mean-square norm, row by row:  y = (x r) w,  r = 1 / sqrt(mean(x²) + eps).
 *
 * A weight shorter than a row norms each stretch of its length alone (a head): what is a row here is then such a stretch.
 * Source: Zhang & Sennrich 2019; eps as in the released models. Formulas of the way back: kernel/k_rmsnorm.h. The gradient of w
 * sums over all rows of the step by rule C; threads divide columns. */
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { COLUMNS = 64 };

typedef struct norm {
    const alm_kernels *k;
    alm_step *s;
    float *r; /* [n] */
    atomic_size_t bad;
} norm;

/* Rows to norm, and how long one is. */
static size_t width(const alm_step *s) { return s->w[0]->n_cols; }
static size_t count(const alm_step *s) { return s->out->node.n * (s->out->node.dim / width(s)); }

static void rows_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    size_t n = width(j->s);
    for (size_t r = from; r < to; r++) {
        float ss = j->k->rmsnorm(y->x + r * n, x->x + r * n, j->s->w[0]->at, n, j->s->with.eps);
        if (!isfinite(ss)) alm_note_row(&j->bad, r / (x->dim / n));
    }
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    norm j = {.k = alm_compute_kernels(t->compute), .s = s, .bad = ALM_NOWHERE};
    alm_pool_run(alm_compute_pool(t->compute), count(s), alm_slice_rows(width(s)), rows_forward, &j);
    alm_tape_check_rows(t, s, &j.bad, "the sum of squares");
}

static void rows_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    size_t n = width(j->s);
    for (size_t r = from; r < to; r++) {
        size_t at = r * n;
        j->r[r] =
            j->k->rmsnorm_back(x->dx + at, y->dx + at, x->x + at, j->s->w[0]->at, n, j->s->with.eps, j->s->fresh[0]);
    }
}

static void weight_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    j->k->rmsnorm_weight(j->s->w[0]->grad + from, y->dx + from, x->x + from, j->r, count(j->s), width(j->s), to - from);
}

static size_t backward_bytes(const alm_tape *t, const alm_step *s) {
    (void)t;
    return count(s) * sizeof(float);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    norm j = {.k = alm_compute_kernels(t->compute), .s = s, .r = scratch};
    alm_pool *pool = alm_compute_pool(t->compute);
    alm_pool_run(pool, count(s), alm_slice_rows(width(s)), rows_back, &j);
    if (s->w[0]->grad) alm_pool_run(pool, width(s), COLUMNS, weight_back, &j);
}

const alm_op alm_op_rmsnorm = {.name = "rmsnorm",
                               .reads_input = 1,
                               .cheap = true,
                               .backward_bytes = backward_bytes,
                               .forward = forward,
                               .backward = backward};

alm_node *alm_tape_rmsnorm(alm_tape *t, alm_node *x, alm_weight *w, float eps) {
    const alm_op *op = &alm_op_rmsnorm;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, w && w->n_rows == 1 && w->n_cols > 0 && x->dim % w->n_cols == 0 && w->type == ALM_F32,
                        "%.*s is not one row of f32 numbers, %zu or a divisor of that",
                        ALM_ARG(w ? w->name : ALM_STR("the weight")), x->dim) ||
        !alm_tape_check(t, op, x->dim > 0 && eps >= 0, "no columns, or eps is below 0")) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->w[0] = w;
    s->with.eps = eps;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
