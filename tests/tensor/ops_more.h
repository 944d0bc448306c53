/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/ops_more.h - networks around the operations that families other than Llama bring; included by ops_cases.h. */
#ifndef ALM_OPS_MORE_H
#define ALM_OPS_MORE_H

#include "ops_reference.h"

static const double more_half_root = 0.70710678118654752440; /* sqrt(1/2) */

/* Shapes that interleave take the erf form, the others the tanh form: both are tried. */
static alm_gelu more_form(const ref_world *o) { return o->shape.interleaved ? ALM_GELU_ERF : ALM_GELU_TANH; }
static double more_gelu(const ref_world *o, double x) {
    if (o->shape.interleaved) return 0.5 * x * (1 + erf(x * more_half_root));
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

/* Tables of n numbers a row: weight 0 is the head, 1 .. n_tables are looked up. */
static void more_tables(ref_world *o, size_t n, size_t n_tables, float spread) {
    ref_weight(o, o->shape.n_vocab, n, 0, 0.6f);
    for (size_t i = 0; i < n_tables; i++) ref_weight(o, o->shape.n_vocab, n, 0, spread);
}
static alm_node *more_table(ref_world *o, alm_tape *t, size_t i) { return alm_tape_lookup(t, &o->w[i], &o->rows); }

/* -- gates --------------------------------------------------------------------------------------------------------------- */

static void geglu_make(ref_world *o) { more_tables(o, o->shape.ffn, 2, 3); }
static alm_node *geglu_tape(ref_world *o, alm_tape *t) {
    return alm_tape_geglu(t, more_table(o, t, 1), more_table(o, t, 2), more_form(o));
}
static double *geglu_exact(const ref_world *o, size_t *dim) {
    double *g = ref_lookup(o, 1), *u = ref_lookup(o, 2);
    *dim = o->shape.ffn;
    for (size_t i = 0; i < o->rows.n * *dim; i++) g[i] = more_gelu(o, g[i]) * u[i];
    free(u);
    return g;
}

/* x + gelu(x): a node that two read. */
static void gelu_make(ref_world *o) { more_tables(o, o->shape.ffn, 1, 4); }
static alm_node *gelu_tape(ref_world *o, alm_tape *t) {
    alm_node *x = more_table(o, t, 1);
    return alm_tape_add(t, x, alm_tape_gelu(t, x, more_form(o)));
}
static double *gelu_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.ffn;
    for (size_t i = 0; i < o->rows.n * *dim; i++) x[i] += more_gelu(o, x[i]);
    return x;
}

/* -- slices, factors, limits ------------------------------------------------------------------------------------------- */

/* Two stretches that overlap by one, and numbers that nobody reads. */
static void slice_make(ref_world *o) {
    ref_weight(o, o->shape.n_vocab, o->shape.hidden, 0, 0.6f);
    ref_weight(o, o->shape.n_vocab, 2 * o->shape.hidden + 2, 0, 1);
}
static alm_node *slice_tape(ref_world *o, alm_tape *t) {
    size_t n = o->shape.hidden;
    alm_node *x = more_table(o, t, 1);
    return alm_tape_swiglu(t, alm_tape_slice(t, x, 1, n), alm_tape_slice(t, x, n, n));
}
static double *slice_exact(const ref_world *o, size_t *dim) {
    size_t n = o->shape.hidden, all = 2 * n + 2;
    double *x = ref_lookup(o, 1), *g = ref_new(o->rows.n * n), *u = ref_new(o->rows.n * n);
    for (size_t r = 0; r < o->rows.n; r++) {
        memcpy(g + r * n, x + r * all + 1, n * sizeof *g);
        memcpy(u + r * n, x + r * all + n, n * sizeof *u);
    }
    double *y = ref_swiglu(o, g, u, n);
    *dim = n;
    free(x), free(g), free(u);
    return y;
}

static void scale_make(ref_world *o) { more_tables(o, o->shape.hidden, 1, 1); }
static alm_node *scale_tape(ref_world *o, alm_tape *t) {
    alm_node *x = more_table(o, t, 1);
    return alm_tape_add(t, alm_tape_scale(t, x, 0.3f), alm_tape_scale(t, x, -2));
}
static double *scale_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.hidden;
    for (size_t i = 0; i < o->rows.n * *dim; i++) x[i] = x[i] * (double)0.3f - 2 * x[i];
    return x;
}

/* A limit of 1.5, then tanh; and the same node read twice. */
static void softcap_make(ref_world *o) { more_tables(o, o->shape.hidden, 1, 3); }
static alm_node *softcap_tape(ref_world *o, alm_tape *t) {
    alm_node *x = more_table(o, t, 1);
    return alm_tape_add(t, alm_tape_softcap(t, x, 1.5f), alm_tape_softcap(t, x, 1));
}
static double *softcap_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.hidden;
    for (size_t i = 0; i < o->rows.n * *dim; i++) x[i] = 1.5 * tanh(x[i] / 1.5) + tanh(x[i]);
    return x;
}

/* -- norms --------------------------------------------------------------------------------------------------------------- */

/* Each head normed alone, with one weight for all of them. */
static void heads_make(ref_world *o) {
    more_tables(o, o->shape.n_heads * o->shape.head_dim, 1, 1);
    ref_weight(o, 1, o->shape.head_dim, 1, 0.3f);
}
static alm_node *heads_tape(ref_world *o, alm_tape *t) {
    return alm_tape_rmsnorm(t, more_table(o, t, 1), &o->w[2], 1e-5f);
}
static double *heads_exact(const ref_world *o, size_t *dim) {
    size_t n = o->shape.head_dim;
    double *x = ref_lookup(o, 1);
    *dim = o->shape.n_heads * n;
    for (size_t h = 0; h < o->rows.n * o->shape.n_heads; h++) {
        double ss = 0;
        for (size_t i = 0; i < n; i++) ss += x[h * n + i] * x[h * n + i];
        for (size_t i = 0; i < n; i++) x[h * n + i] *= o->exact[2][i] / sqrt(ss / (double)n + (double)1e-5f);
    }
    return x;
}

#define geglu_case \
    { "geglu", geglu_make, geglu_tape, geglu_exact }
#define gelu_case \
    { "gelu", gelu_make, gelu_tape, gelu_exact }
#define slice_case \
    { "slice", slice_make, slice_tape, slice_exact }
#define scale_case \
    { "scale", scale_make, scale_tape, scale_exact }
#define softcap_case \
    { "softcap", softcap_make, softcap_tape, softcap_exact }

#endif
