/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/ops_cases.h - one small network for each operation, and a Llama layer in which they stand together. */
#ifndef ALM_OPS_CASES_H
#define ALM_OPS_CASES_H

#include "ops_more.h"
#include "ops_reference.h"

#define REF_EPS 1e-5f

/* -- lookup, rmsnorm, linear ------------------------------------------------------------------------------------------- */

static void lookup_make(ref_world *o) {
    ref_weight(o, o->shape.n_vocab, o->shape.hidden, 0, 0.6f); /* the head */
    ref_weight(o, o->shape.n_vocab, o->shape.hidden, 0, 1);    /* the table */
}
static alm_node *lookup_tape(ref_world *o, alm_tape *t) { return alm_tape_lookup(t, &o->w[1], &o->rows); }
static double *lookup_exact(const ref_world *o, size_t *dim) {
    *dim = o->shape.hidden;
    return ref_lookup(o, 1);
}

static void rmsnorm_make(ref_world *o) {
    lookup_make(o);
    ref_weight(o, 1, o->shape.hidden, 1, 0.3f);
}
static alm_node *rmsnorm_tape(ref_world *o, alm_tape *t) {
    return alm_tape_rmsnorm(t, lookup_tape(o, t), &o->w[2], REF_EPS);
}
static double *rmsnorm_exact(const ref_world *o, size_t *dim) {
    double *x = lookup_exact(o, dim), *y = ref_rmsnorm(o, x, 2, (double)REF_EPS);
    free(x);
    return y;
}

static void linear_make(ref_world *o) {
    ref_weight(o, o->shape.n_vocab, o->shape.ffn, 0, 0.6f);
    ref_weight(o, o->shape.n_vocab, o->shape.hidden, 0, 1);
    ref_weight(o, o->shape.ffn, o->shape.hidden, 0, 0.4f);
    ref_weight(o, 1, o->shape.ffn, 0, 0.4f);
}
static alm_node *linear_tape(ref_world *o, alm_tape *t) {
    return alm_tape_linear(t, lookup_tape(o, t), &o->w[2], &o->w[3]);
}
static double *linear_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1), *y = ref_linear(o, x, 2, 3);
    *dim = o->shape.ffn;
    free(x);
    return y;
}

/* -- rope, attention ----------------------------------------------------------------------------------------------------- */

static void rope_make(ref_world *o) {
    ref_weight(o, o->shape.n_vocab, o->shape.n_heads * o->shape.head_dim, 0, 0.6f);
    ref_weight(o, o->shape.n_vocab, o->shape.n_heads * o->shape.head_dim, 0, 1);
}
static alm_node *rope_tape(ref_world *o, alm_tape *t) {
    return alm_tape_rope(t, lookup_tape(o, t), o->shape.n_heads, &o->rope, &o->rows);
}
static double *rope_exact(const ref_world *o, size_t *dim) {
    double *x = ref_lookup(o, 1), *y = ref_rope(o, x, o->shape.n_heads);
    *dim = o->shape.n_heads * o->shape.head_dim;
    free(x);
    return y;
}

static void attention_make(ref_world *o) {
    size_t q = o->shape.n_heads * o->shape.head_dim, kv = o->shape.n_kv_heads * o->shape.head_dim;
    ref_weight(o, o->shape.n_vocab, q, 0, 0.6f);
    ref_weight(o, o->shape.n_vocab, q, 0, 2);
    ref_weight(o, o->shape.n_vocab, kv, 0, 2);
    ref_weight(o, o->shape.n_vocab, kv, 0, 1);
}
/* Every row its own position: without rope equal ids would have equal scores. */
static alm_node *attention_tape(ref_world *o, alm_tape *t) {
    alm_node *q = alm_tape_rope(t, alm_tape_lookup(t, &o->w[1], &o->rows), o->shape.n_heads, &o->rope, &o->rows);
    alm_node *k = alm_tape_rope(t, alm_tape_lookup(t, &o->w[2], &o->rows), o->shape.n_kv_heads, &o->rope, &o->rows);
    return alm_tape_attention(t, q, k, alm_tape_lookup(t, &o->w[3], &o->rows), &o->attention, &o->rows);
}
static double *attention_exact(const ref_world *o, size_t *dim) {
    double *q0 = ref_lookup(o, 1), *k0 = ref_lookup(o, 2), *v = ref_lookup(o, 3);
    double *q = ref_rope(o, q0, o->shape.n_heads), *k = ref_rope(o, k0, o->shape.n_kv_heads);
    double *y = ref_attention(o, q, k, v);
    *dim = o->shape.n_heads * o->shape.head_dim;
    free(q0), free(k0), free(v), free(q), free(k);
    return y;
}

static void capped_make(ref_world *o) {
    attention_make(o);
    o->attention.softcap = 0.8f;
    o->attention.sinks = ref_weight(o, 1, o->shape.n_heads, 0.2f, 1);
}
static void both_ways_make(ref_world *o) {
    attention_make(o);
    o->attention.window = 0;
    o->attention.both_ways = true;
}

/* -- pick ------------------------------------------------------------------------------------------------------------------ */

/* All rows, added to what they were picked from: the way back has two readers. Fewer rows: test_ops.c. */
static alm_node *pick_tape(ref_world *o, alm_tape *t) {
    static uint32_t all[1024];
    for (uint32_t i = 0; i < 1024; i++) all[i] = i;
    alm_node *x = alm_tape_lookup(t, &o->w[1], &o->rows), *y = alm_tape_lookup(t, &o->w[2], &o->rows);
    return alm_tape_add(t, alm_tape_add(t, alm_tape_pick(t, x, all, o->rows.n), y), x);
}

/* -- swiglu, add --------------------------------------------------------------------------------------------------------- */

static void swiglu_make(ref_world *o) {
    ref_weight(o, o->shape.n_vocab, o->shape.ffn, 0, 0.6f);
    ref_weight(o, o->shape.n_vocab, o->shape.ffn, 0, 3);
    ref_weight(o, o->shape.n_vocab, o->shape.ffn, 0, 2);
}
static alm_node *swiglu_tape(ref_world *o, alm_tape *t) {
    return alm_tape_swiglu(t, alm_tape_lookup(t, &o->w[1], &o->rows), alm_tape_lookup(t, &o->w[2], &o->rows));
}
static double *swiglu_exact(const ref_world *o, size_t *dim) {
    double *g = ref_lookup(o, 1), *u = ref_lookup(o, 2), *y = ref_swiglu(o, g, u, o->shape.ffn);
    *dim = o->shape.ffn;
    free(g), free(u);
    return y;
}

static void add_make(ref_world *o) {
    lookup_make(o);
    ref_weight(o, o->shape.n_vocab, o->shape.hidden, 0, 1);
}
/* a + b, then + a: a node that two read. */
static alm_node *add_tape(ref_world *o, alm_tape *t) {
    alm_node *a = lookup_tape(o, t), *b = alm_tape_lookup(t, &o->w[2], &o->rows);
    return alm_tape_add(t, alm_tape_add(t, a, b), a);
}
static double *add_exact(const ref_world *o, size_t *dim) {
    double *a = lookup_exact(o, dim), *b = ref_lookup(o, 2), *c = ref_add(o, a, b, *dim), *y = ref_add(o, c, a, *dim);
    free(a), free(b), free(c);
    return y;
}

/* -- two layers ---------------------------------------------------------------------------------------------------------- */

enum { HEAD, TABLE, NORM, WQ, WK, WV, WO, NORM2, GATE, UP, DOWN, LAST };

static void layer_make(ref_world *o) {
    const ref_shape *s = &o->shape;
    lookup_make(o);
    ref_weight(o, 1, s->hidden, 1, 0.3f);
    ref_weight(o, s->n_heads * s->head_dim, s->hidden, 0, 0.7f);
    ref_weight(o, s->n_kv_heads * s->head_dim, s->hidden, 0, 0.7f);
    ref_weight(o, s->n_kv_heads * s->head_dim, s->hidden, 0, 0.5f);
    ref_weight(o, s->hidden, s->n_heads * s->head_dim, 0, 0.5f);
    ref_weight(o, 1, s->hidden, 1, 0.3f);
    ref_weight(o, s->ffn, s->hidden, 0, 0.5f);
    ref_weight(o, s->ffn, s->hidden, 0, 0.5f);
    ref_weight(o, s->hidden, s->ffn, 0, 0.5f);
    ref_weight(o, 1, s->hidden, 1, 0.3f);
}
static alm_node *one_layer(alm_tape *t, alm_node *x, void *arg) {
    ref_world *o = arg;
    alm_node *h = alm_tape_rmsnorm(t, x, &o->w[NORM], REF_EPS);
    alm_node *q = alm_tape_rope(t, alm_tape_linear(t, h, &o->w[WQ], NULL), o->shape.n_heads, &o->rope, &o->rows);
    alm_node *k = alm_tape_rope(t, alm_tape_linear(t, h, &o->w[WK], NULL), o->shape.n_kv_heads, &o->rope, &o->rows);
    alm_node *v = alm_tape_linear(t, h, &o->w[WV], NULL);
    alm_node *a = alm_tape_attention(t, q, k, v, &o->attention, &o->rows);
    x = alm_tape_add(t, x, alm_tape_linear(t, a, &o->w[WO], NULL));
    h = alm_tape_rmsnorm(t, x, &o->w[NORM2], REF_EPS);
    h = alm_tape_swiglu(t, alm_tape_linear(t, h, &o->w[GATE], NULL), alm_tape_linear(t, h, &o->w[UP], NULL));
    return alm_tape_add(t, x, alm_tape_linear(t, h, &o->w[DOWN], NULL));
}
static alm_node *layer_tape(ref_world *o, alm_tape *t) {
    alm_node *x = lookup_tape(o, t);
    for (int i = 0; i < 2; i++) x = alm_tape_recompute(t, x, one_layer, o, o->shape.recompute);
    return alm_tape_rmsnorm(t, x, &o->w[LAST], REF_EPS);
}
static double *layer_exact(const ref_world *o, size_t *dim) {
    double *x = lookup_exact(o, dim);
    for (int i = 0; i < 2; i++) {
        double *part[12], *y;
        part[0] = ref_rmsnorm(o, x, NORM, (double)REF_EPS);
        part[1] = ref_linear(o, part[0], WQ, SIZE_MAX), part[2] = ref_rope(o, part[1], o->shape.n_heads);
        part[3] = ref_linear(o, part[0], WK, SIZE_MAX), part[4] = ref_rope(o, part[3], o->shape.n_kv_heads);
        part[5] = ref_linear(o, part[0], WV, SIZE_MAX);
        part[6] = ref_attention(o, part[2], part[4], part[5]);
        part[7] = ref_linear(o, part[6], WO, SIZE_MAX);
        part[8] = x, x = ref_add(o, x, part[7], *dim);
        part[9] = ref_rmsnorm(o, x, NORM2, (double)REF_EPS);
        part[10] = ref_linear(o, part[9], GATE, SIZE_MAX), part[11] = ref_linear(o, part[9], UP, SIZE_MAX);
        double *gated = ref_swiglu(o, part[10], part[11], o->shape.ffn), *down = ref_linear(o, gated, DOWN, SIZE_MAX);
        y = ref_add(o, x, down, *dim);
        free(x), free(gated), free(down);
        for (int k = 0; k < 12; k++) free(part[k]);
        x = y;
    }
    double *y = ref_rmsnorm(o, x, LAST, (double)REF_EPS);
    free(x);
    return y;
}

/* One case an operation; cross_entropy ends each of them and stands alone behind the lookup. */
#define lookup_case \
    { "lookup", lookup_make, lookup_tape, lookup_exact }
#define rmsnorm_case \
    { "rmsnorm", rmsnorm_make, rmsnorm_tape, rmsnorm_exact }
#define linear_case \
    { "linear", linear_make, linear_tape, linear_exact }
#define rope_case \
    { "rope", rope_make, rope_tape, rope_exact }
#define attention_case \
    { "attention", attention_make, attention_tape, attention_exact }
#define pick_case \
    { "pick", add_make, pick_tape, add_exact }
#define swiglu_case \
    { "swiglu", swiglu_make, swiglu_tape, swiglu_exact }
#define add_case \
    { "add", add_make, add_tape, add_exact }
#define cross_entropy_case \
    { "cross_entropy", lookup_make, lookup_tape, lookup_exact }

/* A row of ops.def without a case does not compile. */
static const ref_case ref_cases[] = {
#define ALM_OP(name) name##_case,
#include "tensor/ops.def"
#undef ALM_OP
    {"heads normed", heads_make, heads_tape, heads_exact},
    {"attention with a softcap and sinks", capped_make, attention_tape, attention_exact},
    {"attention both ways", both_ways_make, attention_tape, attention_exact},
    {"two layers", layer_make, layer_tape, layer_exact},
};
enum { REF_CASES = sizeof ref_cases / sizeof *ref_cases };

#endif
