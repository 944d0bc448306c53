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

/* With a bias, then without. */
static void layernorm_make(ref_world *o) {
    more_tables(o, o->shape.hidden, 1, 1);
    ref_weight(o, 1, o->shape.hidden, 1, 0.3f);
    ref_weight(o, 1, o->shape.hidden, 0.5f, 0.5f);
    ref_weight(o, 1, o->shape.hidden, 1, 0.3f);
}
static alm_node *layernorm_tape(ref_world *o, alm_tape *t) {
    alm_node *x = alm_tape_layernorm(t, more_table(o, t, 1), &o->w[2], &o->w[3], 1e-5f);
    return alm_tape_layernorm(t, x, &o->w[4], NULL, 1e-5f);
}
static void more_layernorm(const ref_world *o, double *x, size_t w, size_t bias) {
    size_t n = o->w[w].n_cols;
    for (size_t r = 0; r < o->rows.n; r++, x += n) {
        double mean = 0, ss = 0;
        for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
        for (size_t i = 0; i < n; i++) ss += (x[i] - mean) * (x[i] - mean);
        for (size_t i = 0; i < n; i++) {
            x[i] = (x[i] - mean) / sqrt(ss / (double)n + (double)1e-5f) * o->exact[w][i];
            if (bias != SIZE_MAX) x[i] += o->exact[bias][i];
        }
    }
}
static double *layernorm_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.hidden;
    more_layernorm(o, x, 2, 3), more_layernorm(o, x, 4, SIZE_MAX);
    return x;
}

/* -- positions, one row for all ------------------------------------------------------------------------------------------ */

static size_t more_longest(const ref_world *o) {
    size_t most = 0;
    for (size_t d = 0; d < o->shape.n_docs; d++) {
        size_t n = o->shape.start[d + 1] - o->shape.start[d];
        if (n > most) most = n;
    }
    return most;
}
static void positions_make(ref_world *o) {
    more_tables(o, o->shape.hidden, 1, 1);
    ref_weight(o, more_longest(o) + 3, o->shape.hidden, 0, 1);
}
static alm_node *positions_tape(ref_world *o, alm_tape *t) {
    return alm_tape_add(t, more_table(o, t, 1), alm_tape_positions(t, &o->w[2], &o->rows, 2));
}
static double *positions_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.hidden;
    for (size_t d = 0; d < o->rows.n_docs; d++)
        for (size_t r = o->rows.start[d]; r < o->rows.start[d + 1]; r++)
            for (size_t i = 0; i < *dim; i++) x[r * *dim + i] += o->exact[2][(2 + r - o->rows.start[d]) * *dim + i];
    return x;
}

static void add_row_make(ref_world *o) {
    more_tables(o, o->shape.hidden, 1, 1);
    ref_weight(o, 3, o->shape.hidden, 0, 1);
}
static alm_node *add_row_tape(ref_world *o, alm_tape *t) {
    alm_node *x = more_table(o, t, 1);
    return alm_tape_add(t, x, alm_tape_add_row(t, x, &o->w[2], 1));
}
static double *add_row_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1);
    *dim = o->shape.hidden;
    for (size_t i = 0; i < o->rows.n * *dim; i++) x[i] = x[i] * 2 + o->exact[2][*dim + i % *dim];
    return x;
}

/* -- the clamped gate, experts ----------------------------------------------------------------------------------------- */

static const double more_alpha = (double)1.702f, more_limit = 1.5;

static double more_clamped(double g, double u) {
    if (g > more_limit) g = more_limit;
    if (u > more_limit) u = more_limit;
    if (u < -more_limit) u = -more_limit;
    return (u + 1) * g / (1 + exp(-more_alpha * g));
}
static void clamped_swiglu_make(ref_world *o) { more_tables(o, o->shape.ffn, 2, 3); }
static alm_node *clamped_swiglu_tape(ref_world *o, alm_tape *t) {
    return alm_tape_clamped_swiglu(t, more_table(o, t, 1), more_table(o, t, 2), 1.702f, 1.5f);
}
static double *clamped_swiglu_exact(const ref_world *o, size_t *dim) {
    double *g = ref_lookup(o, 1), *u = ref_lookup(o, 2);
    *dim = o->shape.ffn;
    for (size_t i = 0; i < o->rows.n * *dim; i++) g[i] = more_clamped(g[i], u[i]);
    free(u);
    return g;
}

/* Three experts; shapes that interleave ask two and renormalise, those that compute again go the way of gpt-oss. */
enum { MORE_EXPERTS = 3, MORE_ROUTER = 2, MORE_GATE = 3, MORE_UP = 6, MORE_DOWN = 9, MORE_BIAS = 12 };

static void moe_make(ref_world *o) {
    more_tables(o, o->shape.hidden, 1, 1);
    ref_weight(o, MORE_EXPERTS, o->shape.hidden, 0, 1);
    for (size_t i = 0; i < (size_t)2 * MORE_EXPERTS; i++) ref_weight(o, o->shape.ffn, o->shape.hidden, 0, 1);
    for (size_t i = 0; i < MORE_EXPERTS; i++) ref_weight(o, o->shape.hidden, o->shape.ffn, 0, 1);
    for (size_t i = 0; i < MORE_EXPERTS; i++) ref_weight(o, 1, o->shape.hidden, 0, 1);
}
static alm_node *moe_tape(ref_world *o, alm_tape *t) {
    bool clamped = o->shape.recompute;
    alm_moe moe = {.n_experts = MORE_EXPERTS,
                   .n_used = o->shape.interleaved || clamped ? 2 : 1,
                   .gate = &o->w[MORE_GATE],
                   .up = &o->w[MORE_UP],
                   .down = &o->w[MORE_DOWN],
                   .down_bias = clamped ? &o->w[MORE_BIAS] : NULL,
                   .among_chosen = clamped,
                   .renormalise = o->shape.interleaved,
                   .alpha = 1.702f,
                   .limit = clamped ? 1.5f : 0};
    alm_node *x = more_table(o, t, 1);
    return alm_tape_add(t, x, alm_tape_moe(t, x, alm_tape_linear(t, x, &o->w[MORE_ROUTER], NULL), &moe));
}
static double *moe_exact(const ref_world *o, size_t *dim) {
    bool clamped = o->shape.recompute;
    size_t used = o->shape.interleaved || clamped ? 2 : 1, n = o->rows.n, ffn = o->shape.ffn;
    double *x = ref_lookup(o, 1), *score = ref_linear(o, x, MORE_ROUTER, SIZE_MAX), *y = ref_new(n * o->shape.hidden);
    *dim = o->shape.hidden;
    for (size_t e = 0; e < MORE_EXPERTS; e++) {
        double *g = ref_linear(o, x, MORE_GATE + e, SIZE_MAX), *u = ref_linear(o, x, MORE_UP + e, SIZE_MAX);
        for (size_t i = 0; i < n * ffn; i++) g[i] = clamped ? more_clamped(g[i], u[i]) : g[i] / (1 + exp(-g[i])) * u[i];
        double *said = ref_linear(o, g, MORE_DOWN + e, clamped ? MORE_BIAS + e : SIZE_MAX);
        for (size_t r = 0; r < n; r++) {
            double all = 0, chosen = 0, mine = exp(score[r * MORE_EXPERTS + e]);
            size_t better = 0;
            for (size_t k = 0; k < MORE_EXPERTS; k++) {
                double p = exp(score[r * MORE_EXPERTS + k]);
                size_t before = 0;
                for (size_t l = 0; l < MORE_EXPERTS; l++) before += exp(score[r * MORE_EXPERTS + l]) > p;
                all += p, better += p > mine;
                if (before < used) chosen += p;
            }
            if (better >= used) continue;
            double w = mine / (o->shape.interleaved || clamped ? chosen : all);
            for (size_t i = 0; i < *dim; i++) y[r * *dim + i] += w * said[r * *dim + i];
        }
        free(g), free(u), free(said);
    }
    for (size_t i = 0; i < n * *dim; i++) y[i] += x[i];
    free(x), free(score);
    return y;
}

#define layernorm_case \
    { "layernorm", layernorm_make, layernorm_tape, layernorm_exact }
#define positions_case \
    { "positions", positions_make, positions_tape, positions_exact }
#define add_row_case \
    { "add_row", add_row_make, add_row_tape, add_row_exact }
#define clamped_swiglu_case \
    { "clamped_swiglu", clamped_swiglu_make, clamped_swiglu_tape, clamped_swiglu_exact }
#define moe_case \
    { "moe", moe_make, moe_tape, moe_exact, .only_forward = true }
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
