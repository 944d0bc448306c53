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

static const alm_family *const families[] = {
#define ALM_FAMILY(name) &alm_family_##name,
#include "model/families.def"
#undef ALM_FAMILY
};

const alm_family *alm_family_named(alm_str name) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (alm_str_eq(name, alm_str_of(families[i]->name))) return families[i];
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------------------------------- */

static alm_status make_rope_factor(alm_model *m, alm_error *err) {
    size_t n = m->config.head_dim / 2;
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
    m->n_weight = m->family->n_slots(config);
    m->slot = alm_calloc(m->n_weight, sizeof *m->slot);
    m->weight = alm_calloc(m->n_weight, sizeof *m->weight);
    m->own = alm_calloc(m->n_weight, sizeof *m->own);
    m->encoded = alm_calloc(m->n_weight, sizeof *m->encoded);
    if (!m->slot || !m->weight || !m->own || !m->encoded) st = alm_fail_memory(err);
    else st = make_rope_factor(m, err);
    if (st != ALM_OK) return alm_model_free(m), st;
    for (size_t i = 0; i < m->n_weight; i++) {
        m->family->slot(&m->slot[i], config, i);
        m->weight[i] = (alm_weight){.name = alm_str_of(m->slot[i].gguf),
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
    for (alm_rope_tables *r = m->rope, *older; r; r = older) older = r->older, alm_free(r);
    alm_free(m->slot);
    alm_free(m->weight);
    alm_free(m->own);
    alm_free(m->encoded);
    alm_free(m->rope_factor);
    alm_gguf_close(m->gguf);
    alm_safetensors_close(m->safetensors);
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
        if (!m->slot[i].norm) fill_normal(at, n, m->slot[i].residual ? smaller : std, seed, i);
        else
            for (size_t k = 0; k < n; k++) at[k] = 1.0F;
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
alm_weight *alm_model_head(alm_model *m) { return &m->weight[m->config.tied ? 0 : m->n_weight - 1]; }

uint64_t alm_model_parameter_count(const alm_model *m) {
    uint64_t n = 0;
    for (size_t i = 0; i < m->n_weight; i++) n += (uint64_t)m->weight[i].n_rows * m->weight[i].n_cols;
    return n;
}

alm_status alm_model_trainable(alm_model *m, alm_error *err) {
    for (size_t i = 0; i < m->n_weight; i++) {
        alm_weight *w = &m->weight[i];
        size_t n = w->n_rows * w->n_cols;
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
    for (size_t i = 0; i < m->n_weight; i++)
        if (alm_type_find(m->weight[i].type)->block > 1)
            n_in_blocks += (uint64_t)m->weight[i].n_rows * m->weight[i].n_cols;
    for (size_t i = 0; i < m->n_weight && st == ALM_OK; i++) {
        if (m->slot[i].norm || (i == 0 && !m->config.tied)) continue;
        if (alm_type_find(m->weight[i].type)->block == 1 || n_in_blocks <= PACKED_BLOCKS)
            st = alm_weight_pack(&m->weight[i], c, err);
    }
    return st;
}

/* -- running ------------------------------------------------------------------------------------------------------------ */

static const alm_rope no_rope = {.interleaved = true};

const alm_rope *alm_model_rope(alm_model *m, const alm_rows *rows) {
    size_t need = alm_rows_reach(rows), n_pairs = m->config.head_dim / 2, n = 64, bytes;
    if (need > m->config.context) return &no_rope;
    if (m->rope && m->rope->rope.n_positions >= need) return &m->rope->rope;
    while (n < need) n *= 2;
    if (n > m->config.context) n = m->config.context;
    if (!alm_mul_size(&bytes, n, n_pairs) || !alm_mul_size(&bytes, bytes, 2 * sizeof(float)) ||
        !alm_add_size(&bytes, bytes, sizeof(alm_rope_tables)))
        return &no_rope;
    alm_rope_tables *r = alm_alloc(bytes);
    if (!r) return &no_rope;
    float *cos_at = (float *)(r + 1), *sin_at = cos_at + n * n_pairs;
    alm_rope_table(cos_at, sin_at, n, n_pairs, m->config.rope_theta, m->config.head_dim, m->rope_factor);
    *r = (alm_rope_tables){{n, n_pairs, cos_at, sin_at, true}, m->rope};
    m->rope = r;
    return &r->rope;
}

static alm_status check_rows(alm_model *m, const alm_rows *rows, alm_error *err) {
    if (alm_rows_reach(rows) > m->config.context)
        return alm_fail(err, ALM_INVALID, "%zu tokens in one document; the model's context has %zu",
                        alm_rows_reach(rows), m->config.context);
    for (size_t i = 0; i < rows->n; i++)
        if (rows->id[i] >= m->config.n_vocab)
            return alm_fail(err, ALM_INVALID, "token %u at place %zu; the vocabulary has %zu", rows->id[i], i,
                            m->config.n_vocab);
    /* The tables are made here, where their absence has a name; the pass through the layers finds them. */
    return alm_model_rope(m, rows) == &no_rope ? alm_fail_memory(err) : ALM_OK;
}

alm_node *alm_model_hidden(alm_model *m, alm_tape *t, const alm_rows *rows, bool recompute) {
    return m->family->hidden(m, t, rows, recompute);
}

alm_status alm_model_loss(alm_model *m, alm_tape *t, const alm_rows *rows, const int32_t *label, float weight,
                          bool recompute, float *nll, alm_error *err) {
    alm_status st = check_rows(m, rows, err);
    if (st != ALM_OK) return st;
    alm_tape_cross_entropy(t, alm_model_hidden(m, t, rows, recompute), alm_model_head(m), label, weight, nll);
    return alm_tape_status(t, err);
}

alm_status alm_model_logits(alm_model *m, alm_tape *t, const alm_rows *rows, float *logits, alm_error *err) {
    alm_status st = check_rows(m, rows, err);
    if (st != ALM_OK) return st;
    alm_node *x = alm_model_hidden(m, t, rows, false);
    if (rows->pick && rows->n_pick == 0) return alm_tape_run(t, x, err); /* only keys and values are wanted */
    if (rows->pick) x = alm_tape_pick(t, x, rows->pick, rows->n_pick);
    x = alm_tape_linear(t, x, alm_model_head(m), NULL);
    if ((st = alm_tape_status(t, err)) != ALM_OK || (st = alm_tape_run(t, x, err)) != ALM_OK) return st;
    if (!x->x) return alm_fail(err, ALM_INVALID, "a tape that only measures has no logits");
    memcpy(logits, x->x, x->n * x->dim * sizeof *logits);
    return ALM_OK;
}
