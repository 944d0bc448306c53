/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/ops_reference.h - what the operations must give, in double, as their formulas stand in a book; and small
 * networks around each of them, said twice: over the tape and in double.
 *
 * A case is a network from tables of numbers (weights, read by lookup) to a cross-entropy. Every number of the case is a
 * weight, so that one finite-difference loop over weights checks every gradient of an operation. */
#ifndef ALM_OPS_REFERENCE_H
#define ALM_OPS_REFERENCE_H

#include "alm_test.h"

#include "base/rng.h"
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/tape.h"

#include <math.h>

enum { REF_WEIGHTS = 16 };

typedef struct ref_shape {
    size_t n_vocab, hidden, n_heads, n_kv_heads, head_dim, ffn, window, n_pairs;
    bool interleaved, recompute;
    const uint32_t *start; /* documents */
    size_t n_docs;
} ref_shape;

typedef struct ref_case ref_case;
typedef struct ref_world {
    const ref_case *how;
    ref_shape shape;
    alm_weight w[REF_WEIGHTS];
    double *exact[REF_WEIGHTS]; /* the same numbers in double */
    size_t n_weights;
    alm_rows rows;
    uint32_t *id;
    int32_t *label;
    float *nll, *cos_table, *sin_table;
    double *cos_exact, *sin_exact;
    alm_rope rope;
    alm_attention attention;
} ref_world;

/* A case: makes its weights, its network over the tape (NULL after a failure), the same in double ([n][dim], freed by caller). */
struct ref_case {
    const char *name;
    void (*make)(ref_world *);
    alm_node *(*tape)(ref_world *, alm_tape *);
    double *(*exact)(const ref_world *, size_t *dim);
    bool only_forward; /* a tape that trains refuses it */
};

/* -- weights -------------------------------------------------------------------------------------------------------- */

static inline alm_weight *ref_weight(ref_world *o, size_t n_rows, size_t n_cols, float middle, float spread) {
    CHECK(o->n_weights < REF_WEIGHTS);
    alm_weight *w = &o->w[o->n_weights];
    size_t n = n_rows * n_cols;
    float *at = malloc(n * sizeof *at);
    double *exact = malloc(n * sizeof *exact);
    alm_rng r = alm_rng_seed(7, (uint32_t)o->n_weights, 1);
    for (size_t i = 0; i < n; i++) {
        at[i] = middle + spread * (2 * alm_rng_f32(&r) - 1);
        exact[i] = (double)at[i];
    }
    *w = (alm_weight){.name = ALM_STR("w"),
                      .type = ALM_F32,
                      .n_rows = n_rows,
                      .n_cols = n_cols,
                      .at = at,
                      .grad = calloc(n, sizeof(float))};
    o->exact[o->n_weights++] = exact;
    return w;
}

static inline void ref_make(ref_world *o, const ref_case *how, const ref_shape *shape) {
    memset(o, 0, sizeof *o);
    o->how = how;
    o->shape = *shape;
    size_t n = shape->start[shape->n_docs], longest = 0;
    for (size_t d = 0; d < shape->n_docs; d++) {
        size_t length = shape->start[d + 1] - shape->start[d];
        if (length > longest) longest = length;
    }
    o->id = malloc((n + 1) * sizeof *o->id);
    o->label = malloc((n + 1) * sizeof *o->label);
    o->nll = calloc(n + 1, sizeof *o->nll);
    alm_rng r = alm_rng_seed(8, 0, 2);
    for (size_t i = 0; i < n; i++) {
        o->id[i] = alm_rng_below(&r, (uint32_t)shape->n_vocab);
        o->label[i] = i % 5 == 3 ? -1 : (int32_t)alm_rng_below(&r, (uint32_t)shape->n_vocab);
    }
    o->rows = (alm_rows){.n = n, .n_docs = shape->n_docs, .id = o->id, .start = shape->start};
    size_t pairs = shape->n_pairs ? shape->n_pairs : shape->head_dim / 2;
    o->cos_table = malloc((longest * pairs + 1) * sizeof(float));
    o->sin_table = malloc((longest * pairs + 1) * sizeof(float));
    o->cos_exact = malloc((longest * pairs + 1) * sizeof(double));
    o->sin_exact = malloc((longest * pairs + 1) * sizeof(double));
    alm_rope_table(o->cos_table, o->sin_table, longest, pairs, 10000, 2 * pairs, NULL, 1);
    for (size_t i = 0; i < longest * pairs; i++) {
        o->cos_exact[i] = (double)o->cos_table[i];
        o->sin_exact[i] = (double)o->sin_table[i];
    }
    o->rope = (alm_rope){longest, pairs, o->cos_table, o->sin_table, shape->interleaved};
    o->attention = (alm_attention){shape->n_heads, shape->n_kv_heads, shape->head_dim,
                                   1.0f / sqrtf((float)shape->head_dim), shape->window};
    how->make(o);
}

static inline void ref_free(ref_world *o) {
    for (size_t i = 0; i < o->n_weights; i++) {
        free((void *)(uintptr_t)o->w[i].at);
        free(o->w[i].grad);
        free(o->exact[i]);
    }
    free(o->id), free(o->label), free(o->nll), free(o->cos_table), free(o->sin_table), free(o->cos_exact);
    free(o->sin_exact);
}

static inline void ref_clear_gradients(ref_world *o) {
    for (size_t i = 0; i < o->n_weights; i++) memset(o->w[i].grad, 0, o->w[i].n_rows * o->w[i].n_cols * sizeof(float));
}

/* -- operations in double --------------------------------------------------------------------------------------------- */

static inline double *ref_new(size_t n) {
    double *out = calloc(n + 1, sizeof *out);
    CHECK(out != NULL);
    return out;
}

static inline double *ref_lookup(const ref_world *o, size_t table) {
    size_t dim = o->w[table].n_cols;
    double *y = ref_new(o->rows.n * dim);
    for (size_t r = 0; r < o->rows.n; r++) memcpy(y + r * dim, o->exact[table] + o->id[r] * dim, dim * sizeof *y);
    return y;
}

static inline double *ref_rmsnorm(const ref_world *o, const double *x, size_t w, double eps) {
    size_t dim = o->w[w].n_cols;
    double *y = ref_new(o->rows.n * dim);
    for (size_t r = 0; r < o->rows.n; r++) {
        double ss = 0;
        for (size_t i = 0; i < dim; i++) ss += x[r * dim + i] * x[r * dim + i];
        for (size_t i = 0; i < dim; i++)
            y[r * dim + i] = x[r * dim + i] / sqrt(ss / (double)dim + eps) * o->exact[w][i];
    }
    return y;
}

/* bias: SIZE_MAX for none */
static inline double *ref_linear(const ref_world *o, const double *x, size_t w, size_t bias) {
    size_t in = o->w[w].n_cols, out = o->w[w].n_rows;
    double *y = ref_new(o->rows.n * out);
    for (size_t r = 0; r < o->rows.n; r++) {
        for (size_t j = 0; j < out; j++) {
            double sum = bias == SIZE_MAX ? 0 : o->exact[bias][j];
            for (size_t i = 0; i < in; i++) sum += x[r * in + i] * o->exact[w][j * in + i];
            y[r * out + j] = sum;
        }
    }
    return y;
}

static inline double *ref_rope(const ref_world *o, const double *x, size_t n_heads) {
    size_t head = o->shape.head_dim, pairs = o->rope.n_pairs, dim = n_heads * head;
    double *y = ref_new(o->rows.n * dim);
    memcpy(y, x, o->rows.n * dim * sizeof *y);
    for (size_t d = 0; d < o->rows.n_docs; d++) {
        for (size_t r = o->rows.start[d]; r < o->rows.start[d + 1]; r++) {
            for (size_t h = 0; h < n_heads; h++) {
                for (size_t i = 0; i < pairs; i++) {
                    size_t at = r * dim + h * head, p = at + (o->rope.interleaved ? 2 * i : i);
                    size_t q = at + (o->rope.interleaved ? 2 * i + 1 : i + pairs);
                    double c = o->cos_exact[(r - o->rows.start[d]) * pairs + i];
                    double s = o->sin_exact[(r - o->rows.start[d]) * pairs + i];
                    y[p] = x[p] * c - x[q] * s;
                    y[q] = x[p] * s + x[q] * c;
                }
            }
        }
    }
    return y;
}

static inline double *ref_attention(const ref_world *o, const double *q, const double *k, const double *v) {
    const alm_attention *a = &o->attention;
    size_t group = a->n_heads / a->n_kv_heads, qd = a->n_heads * a->head_dim, kd = a->n_kv_heads * a->head_dim;
    double *y = ref_new(o->rows.n * qd), *e = ref_new(o->rows.n);
    for (size_t d = 0; d < o->rows.n_docs; d++) {
        for (size_t r = o->rows.start[d]; r < o->rows.start[d + 1]; r++) {
            for (size_t h = 0; h < a->n_heads; h++) {
                double most = -HUGE_VAL, sum = 0;
                size_t from = o->rows.start[d], to = a->both_ways ? o->rows.start[d + 1] : r + 1;
                if (a->window && r + 1 - from > a->window) from = r + 1 - a->window;
                for (size_t p = from; p < to; p++) {
                    e[p] = 0;
                    for (size_t i = 0; i < a->head_dim; i++)
                        e[p] += q[r * qd + h * a->head_dim + i] * k[p * kd + h / group * a->head_dim + i];
                    e[p] *= (double)a->scale;
                    if (a->softcap > 0) e[p] = (double)a->softcap * tanh(e[p] / (double)a->softcap);
                    if (e[p] > most) most = e[p];
                }
                if (a->sinks) sum = exp(o->exact[a->sinks - o->w][h] - most);
                for (size_t p = from; p < to; p++) sum += e[p] = exp(e[p] - most);
                for (size_t p = from; p < to; p++)
                    for (size_t i = 0; i < a->head_dim; i++)
                        y[r * qd + h * a->head_dim + i] += e[p] / sum * v[p * kd + h / group * a->head_dim + i];
            }
        }
    }
    free(e);
    return y;
}

static inline double *ref_swiglu(const ref_world *o, const double *g, const double *u, size_t dim) {
    double *y = ref_new(o->rows.n * dim);
    for (size_t i = 0; i < o->rows.n * dim; i++) y[i] = g[i] / (1 + exp(-g[i])) * u[i];
    return y;
}

static inline double *ref_add(const ref_world *o, const double *a, const double *b, size_t dim) {
    double *y = ref_new(o->rows.n * dim);
    for (size_t i = 0; i < o->rows.n * dim; i++) y[i] = a[i] + b[i];
    return y;
}

/* Sum of the counted rows' losses times 1 / counted rows; the head is weight 0. nll may be NULL. */
static inline double ref_loss(const ref_world *o, double *nll) {
    size_t dim, counted = 0;
    double *x = o->how->exact(o, &dim), *logits = ref_linear(o, x, 0, SIZE_MAX), loss = 0;
    size_t n = o->w[0].n_rows;
    for (size_t r = 0; r < o->rows.n; r++) {
        if (nll) nll[r] = 0;
        if (o->label[r] < 0) continue;
        double most = -HUGE_VAL, sum = 0;
        for (size_t i = 0; i < n; i++)
            if (logits[r * n + i] > most) most = logits[r * n + i];
        for (size_t i = 0; i < n; i++) sum += exp(logits[r * n + i] - most);
        double one = log(sum) + most - logits[r * n + (size_t)o->label[r]];
        loss += one;
        counted++;
        if (nll) nll[r] = one;
    }
    free(x), free(logits);
    return counted ? loss / (double)counted : 0;
}

static inline float ref_weighting(const ref_world *o) {
    size_t counted = 0;
    for (size_t r = 0; r < o->rows.n; r++) counted += o->label[r] >= 0;
    return counted ? 1.0f / (float)counted : 0;
}

/* -- over the tape ------------------------------------------------------------------------------------------------------ */

static inline alm_compute *ref_compute(const char *isa, alm_pool *pool) {
    alm_compute *c = NULL;
    alm_error err = {0};
    CHECK_OK(alm_compute_new_isa(&c, isa, pool, &err), &err);
    return c;
}

/* A whole step that trains, where the case does: fills nll and adds into the gradients. */
static inline alm_status ref_train(ref_world *o, alm_tape *t, alm_error *err) {
    alm_tape_cross_entropy(t, o->how->tape(o, t), &o->w[0], o->label, ref_weighting(o), o->nll);
    if (!o->how->only_forward) alm_tape_backward(t);
    return alm_tape_status(t, err);
}

#endif
