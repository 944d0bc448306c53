/* SPDX-License-Identifier: Apache-2.0
 *
 * model.c - a model's life: made by its configuration, filled with fresh or read values, run, freed.
 *
 * Fresh values: element e of weight i is a function of (seed, i, e) alone, so any thread, order or machine gives the same.
 * The polar method of Marsaglia turns the uniform pair of pair number e / 2 into two normal numbers; a pair outside the
 * circle is drawn again under the next counter.
 *
 * Invariant: weight[i].at is own[i], or lies in the open file, or is NULL while the model is being filled (and for good in
 * an outline). */
#include "base/alloc.h"
#include "base/mathx.h"
#include "base/rng.h"
#include "dtype/dtype.h"
#include "model/family.h"

#include <math.h>

/* -- life ------------------------------------------------------------------------------------------------------------- */

static alm_status make_rope_factor(alm_model *m, alm_error *err) {
    size_t n = alm_config_pairs(&m->config);
    if (m->config.rope_factor == 0.0) return ALM_OK;
    if (!(m->rope_factor = alm_calloc(n, sizeof *m->rope_factor))) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) m->rope_factor[i] = (float)alm_config_rope_factor(&m->config, i);
    return ALM_OK;
}

alm_status alm_model_make(alm_model **out, const alm_config *config, alm_error *err) {
    alm_status st = alm_config_check(config, err);
    if (st != ALM_OK) return st;
    alm_model *m = alm_calloc(1, sizeof *m);
    if (!m) return alm_fail_memory(err);
    m->config = *config;
    m->family = alm_family_named(alm_str_of(config->family));
    if (!(m->layer_at = alm_calloc(config->n_layers, sizeof *m->layer_at)))
        return alm_model_free(m), alm_fail_memory(err);
    m->n_weight = alm_slots_count(m->family, config, m->row_at, m->layer_at);
    m->slot = alm_calloc(m->n_weight, sizeof *m->slot);
    m->weight = alm_calloc(m->n_weight, sizeof *m->weight);
    m->own = alm_calloc(m->n_weight, sizeof *m->own);
    m->encoded = alm_calloc(m->n_weight, sizeof *m->encoded);
    if (!m->slot || !m->weight || !m->own || !m->encoded) st = alm_fail_memory(err);
    else st = make_rope_factor(m, err);
    if (st != ALM_OK) return alm_model_free(m), st;
    alm_slots_make(m->slot, m->family, config);
    for (size_t i = 0; i < m->n_weight; i++) {
        m->weight[i] = (alm_weight){.name = alm_str_of(m->slot[i].origin[0].name),
                                    .type = ALM_F32,
                                    .n_rows = m->slot[i].n_rows,
                                    .n_cols = m->slot[i].n_cols};
    }
    return *out = m, ALM_OK;
}

void alm_model_free(alm_model *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n_weight; i++) {
        if (m->weight) alm_weight_unpack(&m->weight[i]);
        if (m->weight && m->has_grad) alm_free(m->weight[i].grad);
        if (m->own) alm_free(m->own[i]);
        if (m->encoded) alm_free(m->encoded[i]);
    }
    for (size_t i = 0; i < ALM_TURNS; i++)
        for (alm_rope_tables *r = m->rope[i], *older; r; r = older) older = r->older, alm_free(r);
    alm_free(m->layer_at);
    alm_free(m->slot);
    alm_free(m->weight);
    alm_free(m->own);
    alm_free(m->encoded);
    alm_free(m->rope_factor);
    alm_gguf_close(m->gguf);
    alm_tensors_close(m->tensors);
    alm_free(m);
}

/* -- fresh values ------------------------------------------------------------------------------------------------------- */

enum { PURPOSE_WEIGHTS = 0x77676874 }; /* and the attempt is added: docs/numbers.md */

static double uniform(uint32_t low, uint32_t high) {
    uint64_t x = (uint64_t)low | (uint64_t)high << 32;
    return (double)(x >> 11) * 0x1p-52 - 1.0; /* [-1, 1) */
}

/* Elements 2 pair and 2 pair + 1 of weight `index`. */
static void normal_pair(double out[2], uint64_t seed, size_t index, uint64_t pair) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (uint32_t attempt = 0;; attempt++) {
        const uint32_t counter[4] = {(uint32_t)pair, (uint32_t)(pair >> 32), (uint32_t)index,
                                     PURPOSE_WEIGHTS + attempt};
        uint32_t r[4];
        alm_philox(r, counter, key);
        double x = uniform(r[0], r[1]), y = uniform(r[2], r[3]), s = x * x + y * y;
        if (!(s > 0.0 && s < 1.0)) continue;
        double f = sqrt(-2.0 * alm_log_f64(s) / s);
        out[0] = x * f, out[1] = y * f;
        return;
    }
}

static void fill_normal(float *at, size_t n, double std, uint64_t seed, size_t index) {
    for (size_t i = 0; i < n; i += 2) {
        double z[2];
        normal_pair(z, seed, index, i / 2);
        at[i] = (float)(std * z[0]);
        if (i + 1 < n) at[i + 1] = (float)(std * z[1]);
    }
}

alm_status alm_model_new(alm_model **out, const alm_config *config, uint64_t seed, alm_error *err) {
    alm_model *m;
    alm_status st = alm_model_make(&m, config, err);
    if (st != ALM_OK) return st;
    const double std = 0.02, smaller = std / sqrt(2.0 * (double)config->n_layers);
    for (size_t i = 0; i < m->n_weight; i++) {
        alm_weight *w = &m->weight[i];
        size_t n = w->n_rows * w->n_cols; /* no overflow: alm_config_check */
        float *at = alm_calloc(n, sizeof *at);
        if (!at) return alm_model_free(m), alm_fail_memory(err);
        if (!m->slot[i].vector) fill_normal(at, n, m->slot[i].residual ? smaller : std, seed, i);
        else
            for (size_t k = 0; k < n; k++) at[k] = m->slot[i].begins;
        w->at = m->own[i] = at;
    }
    return *out = m, ALM_OK;
}

alm_status alm_model_outline(alm_model **out, const alm_config *config, alm_error *err) {
    alm_status st = alm_model_make(out, config, err);
    for (size_t i = 0; st == ALM_OK && i < (*out)->n_weight; i++)
        (*out)->weight[i].grad = &(*out)->never_written; /* only whether there is one is looked at */
    return st;
}

/* -- looking ------------------------------------------------------------------------------------------------------------ */

const alm_config *alm_model_config(const alm_model *m) { return &m->config; }
size_t alm_model_weight_count(const alm_model *m) { return m->n_weight; }
alm_weight *alm_model_weight(alm_model *m, size_t i) { return &m->weight[i]; }

static alm_weight *flagged(alm_model *m, unsigned flag) {
    for (size_t r = 0; r < m->family->n_rows; r++)
        if (m->family->row[r].flags & flag && m->row_at[0][r] != SIZE_MAX) return &m->weight[m->row_at[0][r]];
    return NULL;
}

alm_weight *alm_model_head(alm_model *m) {
    alm_weight *own = flagged(m, ALM_ROW_HEAD);
    return own ? own : &m->weight[0];
}

uint64_t alm_model_parameter_count(const alm_model *m) {
    uint64_t n = 0;
    for (size_t i = 0; i < m->n_weight; i++) n += (uint64_t)m->weight[i].n_rows * m->weight[i].n_cols;
    return n;
}

alm_status alm_model_trainable(alm_model *m, alm_error *err) {
    for (size_t i = 0; i < m->n_weight; i++) {
        alm_weight *w = &m->weight[i];
        size_t n = w->n_rows * w->n_cols;
        if (!w->at && m->slot[i].optional) continue;
        if (!w->at) return alm_fail(err, ALM_INVALID, "an outline has no values to train");
        alm_weight_unpack(w);
        if (w->type != ALM_F32 || !m->own[i]) {
            float *at = alm_calloc(n, sizeof *at);
            if (!at) return alm_fail_memory(err);
            for (size_t r = 0; r < w->n_rows; r++) alm_weight_decode_row(at + r * w->n_cols, w, r);
            alm_free(m->own[i]);
            w->at = m->own[i] = at;
            w->type = ALM_F32;
            w->heads = 0;
        }
        m->has_grad = true;
        if (!w->grad && !(w->grad = alm_calloc(n, sizeof *w->grad))) return alm_fail_memory(err);
    }
    return ALM_OK;
}

/* Numbers of quantised weights that are worth four bytes each: a model with more computes from its blocks. */
#define PACKED_BLOCKS ((uint64_t)1 << 26)

alm_status alm_model_pack(alm_model *m, alm_compute *c, alm_error *err) {
    alm_status st = ALM_OK;
    uint64_t n_in_blocks = 0;
    bool tied = alm_model_head(m) == &m->weight[0];
    for (size_t i = 0; i < m->n_weight; i++)
        if (alm_type_find(m->weight[i].type)->block > 1)
            n_in_blocks += (uint64_t)m->weight[i].n_rows * m->weight[i].n_cols;
    for (size_t i = 0; i < m->n_weight && st == ALM_OK; i++) {
        if (m->slot[i].vector || (i == 0 && !tied) || !m->weight[i].at) continue;
        if (alm_type_find(m->weight[i].type)->block == 1 || n_in_blocks <= PACKED_BLOCKS)
            st = alm_weight_pack(&m->weight[i], c, err);
    }
    return st;
}

/* -- running ------------------------------------------------------------------------------------------------------------ */

static const alm_rope no_rope = {0};

/* Doubled until they reach: at most twice the work of making the last ones. */
static const alm_rope *make_table(alm_model *m, size_t turn, size_t need, const float *factor, double theta) {
    const alm_config *c = &m->config;
    size_t n_pairs = alm_config_pairs(c), n = 64, bytes;
    while (n < need) n *= 2;
    if (n > c->context) n = c->context;
    if (!alm_mul_size(&bytes, n, n_pairs) || !alm_mul_size(&bytes, bytes, 2 * sizeof(float)) ||
        !alm_add_size(&bytes, bytes, sizeof(alm_rope_tables)))
        return &no_rope;
    alm_rope_tables *r = alm_alloc(bytes);
    if (!r) return &no_rope;
    float *cos_at = (float *)(r + 1), *sin_at = cos_at + n * n_pairs;
    alm_rope_table(cos_at, sin_at, n, n_pairs, theta, 2 * n_pairs, factor,
                   c->rope_amplitude != 0.0 && turn != ALM_TURN_LOCAL ? c->rope_amplitude : 1.0);
    *r = (alm_rope_tables){{n, n_pairs, cos_at, sin_at, m->family->neighbours}, m->rope[turn]};
    m->rope[turn] = r;
    return &r->rope;
}

const alm_rope *alm_model_rope(alm_model *m, const alm_rows *rows, size_t layer) {
    const alm_config *c = &m->config;
    size_t need = alm_rows_reach(rows), turn = ALM_TURN_PLAIN;
    const float *factor = m->rope_factor;
    double theta = c->rope_theta;
    if (need > c->context) return &no_rope;
    if (c->rope_local_theta > 0.0 && alm_config_is_local(c, layer)) {
        turn = ALM_TURN_LOCAL, factor = NULL, theta = c->rope_local_theta;
    } else if (c->rope_kind == ALM_ROPE_LONG && c->rope_factor != 0.0 &&
               (rows->context ? rows->context : need) > c->rope_original) {
        turn = ALM_TURN_LONG, factor = c->rope_long;
    }
    if (m->rope[turn] && m->rope[turn]->rope.n_positions >= need) return &m->rope[turn]->rope;
    return make_table(m, turn, need, factor, theta);
}

void alm_model_watch(alm_model *m, alm_model_watcher *fn, void *arg) {
    m->watcher = fn;
    m->watcher_arg = arg;
}

static alm_status check_rows(alm_model *m, const alm_rows *rows, alm_error *err) {
    if (alm_rows_reach(rows) > m->config.context)
        return alm_fail(err, ALM_INVALID, "%zu tokens in one document; the model's context has %zu",
                        alm_rows_reach(rows), m->config.context);
    for (size_t i = 0; i < rows->n; i++)
        if (rows->id[i] >= m->config.n_vocab)
            return alm_fail(err, ALM_INVALID, "token %u at place %zu; the vocabulary has %zu", rows->id[i], i,
                            m->config.n_vocab);
    if (m->family->unturned) return ALM_OK;
    /* The tables are made here, where their absence has a name; the pass through the layers finds them. */
    for (size_t layer = 0; layer < m->config.n_layers; layer++)
        if (alm_model_rope(m, rows, layer) == &no_rope) return alm_fail_memory(err);
    return ALM_OK;
}

/* The watcher sees x, which is then computed: what comes later finds it kept. */
static void show(const alm_model *m, alm_tape *t, size_t layer, alm_node *x) {
    if (!m->watcher || !x || alm_tape_run(t, x, NULL) != ALM_OK || !x->x) return;
    m->watcher(m->watcher_arg, layer, x->x, x->n, x->dim);
}

static alm_node *one_layer(alm_tape *t, alm_node *x, void *arg) {
    const alm_pass *p = arg;
    return p->m->family->layer(t, x, p);
}

alm_node *alm_model_hidden(alm_model *m, alm_tape *t, const alm_rows *rows, bool recompute) {
    alm_pass p = {.m = m, .rows = rows};
    alm_node *x = m->family->embed(t, &p);
    for (; p.layer < m->config.n_layers; p.layer++) {
        show(m, t, p.layer, x);
        x = alm_tape_recompute(t, x, one_layer, &p, recompute);
    }
    x = m->family->last(t, x, &p);
    show(m, t, m->config.n_layers, x);
    return x;
}

static alm_head head_of(alm_model *m) {
    return (alm_head){.w = alm_model_head(m),
                      .bias = flagged(m, ALM_ROW_HEAD_BIAS),
                      .scale = (float)m->config.logit_scale,
                      .softcap = (float)m->config.final_softcap};
}

static alm_status check_next(const alm_model *m, alm_error *err) {
    if (!m->config.encoder) return ALM_OK;
    return alm_fail(err, ALM_UNSUPPORTED, "a model of the family %s reads whole texts: it says no next token",
                    m->config.family);
}

/* An encoder's numbers of each document, copied out. */
static alm_status copy_out(alm_tape *t, alm_node *x, float *out, alm_error *err) {
    alm_status st = alm_tape_run(t, x, err);
    if (st != ALM_OK) return st;
    if (!x->x) return alm_fail(err, ALM_INVALID, "a tape that only measures has no numbers");
    memcpy(out, x->x, x->n * x->dim * sizeof *out);
    return ALM_OK;
}

alm_status alm_model_read(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err) {
    alm_status st = check_rows(m, rows, err);
    return st == ALM_OK ? copy_out(t, alm_model_hidden(m, t, rows, false), out, err) : st;
}

/* tanh(x W^T + b) of each document's first position. */
static alm_node *pooled(alm_model *m, alm_tape *t, const alm_rows *rows) {
    alm_weight *w = flagged(m, ALM_ROW_POOLER);
    alm_node *x = alm_tape_pick(t, alm_model_hidden(m, t, rows, false), rows->start, rows->n_docs);
    return alm_tape_softcap(t, alm_tape_linear(t, x, w, w + 1), 1.0F);
}

static alm_status check_pooled(alm_model *m, const alm_rows *rows, alm_error *err) {
    const alm_weight *w = flagged(m, ALM_ROW_POOLER);
    alm_status st = check_rows(m, rows, err);
    if (st != ALM_OK) return st;
    if (!w || !w->at || !(w + 1)->at)
        return alm_fail(err, ALM_UNSUPPORTED, "the model's file holds no pooler (%s)",
                        w ? "its conversion may have left it out" : "it is no encoder");
    for (size_t d = 0; d < rows->n_docs; d++)
        if (rows->start[d] == rows->start[d + 1]) return alm_fail(err, ALM_INVALID, "text %zu has no tokens", d);
    return ALM_OK;
}

alm_status alm_model_pooled(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err) {
    alm_status st = check_pooled(m, rows, err);
    return st == ALM_OK ? copy_out(t, pooled(m, t, rows), out, err) : st;
}

alm_status alm_model_labels(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err) {
    alm_weight *w = flagged(m, ALM_ROW_LABELS);
    if (!w) return alm_fail(err, ALM_UNSUPPORTED, "the model has no classifier");
    alm_status st = check_pooled(m, rows, err);
    return st == ALM_OK ? copy_out(t, alm_tape_linear(t, pooled(m, t, rows), w, w + 1), out, err) : st;
}

alm_status alm_model_loss(alm_model *m, alm_tape *t, const alm_rows *rows, const int32_t *label, float weight,
                          bool recompute, float *nll, alm_error *err) {
    alm_status st = check_rows(m, rows, err);
    if (st != ALM_OK) return st;
    if ((st = check_next(m, err)) != ALM_OK) return st;
    const alm_head head = head_of(m);
    alm_tape_head_loss(t, alm_model_hidden(m, t, rows, recompute), &head, label, weight, nll);
    return alm_tape_status(t, err);
}

alm_status alm_model_logits(alm_model *m, alm_tape *t, const alm_rows *rows, float *logits, alm_error *err) {
    alm_status st = check_rows(m, rows, err);
    if (st != ALM_OK) return st;
    if ((st = check_next(m, err)) != ALM_OK) return st;
    alm_node *x = alm_model_hidden(m, t, rows, false);
    if (rows->pick && rows->n_pick == 0) return alm_tape_run(t, x, err); /* only keys and values are wanted */
    if (rows->pick) x = alm_tape_pick(t, x, rows->pick, rows->n_pick);
    const alm_head head = head_of(m);
    x = alm_tape_head(t, x, &head);
    if ((st = alm_tape_status(t, err)) != ALM_OK || (st = alm_tape_run(t, x, err)) != ALM_OK) return st;
    if (!x->x) return alm_fail(err, ALM_INVALID, "a tape that only measures has no logits");
    memcpy(logits, x->x, x->n * x->dim * sizeof *logits);
    return ALM_OK;
}
