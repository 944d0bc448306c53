/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/layernorm.c - layer norm, row by row (Ba et al. 2016):  y = ((x - m) r) w + b,  m the mean,  r = 1 /
 * sqrt(variance + eps). Formulas of the way back: kernel/k_layernorm.h. Gradients of w and b sum over all rows of the step by
 * rule C; threads divide columns. */
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { COLUMNS = 64 };

typedef struct layer_norm {
    const alm_kernels *k;
    alm_step *s;
    float *at_row; /* [n][2]: mean, r */
    atomic_size_t bad;
} layer_norm;

static void rows_forward(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    layer_norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    const float *bias = j->s->w[1] ? j->s->w[1]->at : NULL;
    for (size_t r = from; r < to; r++) {
        size_t at = r * x->dim;
        float ss = j->k->layernorm(y->x + at, x->x + at, j->s->w[0]->at, bias, x->dim, j->s->with.eps);
        if (!isfinite(ss)) alm_note_row(&j->bad, r);
    }
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    layer_norm j = {.k = alm_compute_kernels(t->compute), .s = s, .bad = ALM_NOWHERE};
    alm_pool_run(alm_compute_pool(t->compute), s->out->node.n, alm_slice_rows(s->out->node.dim), rows_forward, &j);
    alm_tape_check_rows(t, s, &j.bad, "the variance");
}

static void rows_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    layer_norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    for (size_t r = from; r < to; r++) {
        size_t at = r * x->dim;
        j->k->layernorm_back(x->dx + at, y->dx + at, x->x + at, j->s->w[0]->at, x->dim, j->s->with.eps, j->s->fresh[0],
                             j->at_row + 2 * r);
    }
}

static void weight_back(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    layer_norm *j = arg;
    const alm_node *x = &j->s->in[0]->node, *y = &j->s->out->node;
    const alm_weight *w = j->s->w[0], *b = j->s->w[1];
    if (w->grad) j->k->layernorm_weight(w->grad + from, y->dx + from, x->x + from, j->at_row, x->n, x->dim, to - from);
    if (b && b->grad) j->k->add_rows(b->grad + from, y->dx + from, y->n, y->dim, to - from);
}

static size_t backward_bytes(const alm_tape *t, const alm_step *s) {
    (void)t;
    return 2 * s->out->node.n * sizeof(float);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    layer_norm j = {.k = alm_compute_kernels(t->compute), .s = s, .at_row = scratch};
    alm_pool *pool = alm_compute_pool(t->compute);
    alm_pool_run(pool, s->out->node.n, alm_slice_rows(s->out->node.dim), rows_back, &j);
    alm_pool_run(pool, s->out->node.dim, COLUMNS, weight_back, &j);
}

const alm_op alm_op_layernorm = {.name = "layernorm",
                                 .reads_input = 1,
                                 .cheap = true,
                                 .backward_bytes = backward_bytes,
                                 .forward = forward,
                                 .backward = backward};

static bool is_vector(const alm_weight *w, size_t n) { return w->n_rows == 1 && w->n_cols == n && w->type == ALM_F32; }

alm_node *alm_tape_layernorm(alm_tape *t, alm_node *x, alm_weight *w, alm_weight *bias, float eps) {
    const alm_op *op = &alm_op_layernorm;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, w && is_vector(w, x->dim), "%.*s is not one row of %zu f32 numbers",
                        ALM_ARG(w ? w->name : ALM_STR("the weight")), x->dim) ||
        !alm_tape_check(t, op, !bias || is_vector(bias, x->dim),
                        "the bias beside %.*s is not one row of %zu f32 numbers", ALM_ARG(w->name), x->dim) ||
        !alm_tape_check(t, op, x->dim > 0 && eps >= 0, "no columns, or eps is below 0")) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->w[0] = w;
    s->w[1] = bias;
    s->with.eps = eps;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}
