/* SPDX-License-Identifier: Apache-2.0
 *
 * slots.c - from a family's table to the weights of a model of this configuration: which there are, their shapes and names. */
#include "model/family.h"

#include <stdio.h>

static bool flag(const alm_config *c, size_t at) { return *((const bool *)c + at); }

static bool there(const alm_slot_row *r, const alm_config *c) {
    return !(r->when && !flag(c, r->when)) && !(r->unless && flag(c, r->unless));
}

/* In a layer without experts (dense), or everywhere else. */
static size_t times(const alm_slot_row *r, const alm_config *c, bool dense) {
    if (!there(r, c) || r->flags & (dense ? ALM_ROW_MIXED | ALM_ROW_EXPERTS : ALM_ROW_DENSE)) return 0;
    return r->flags & ALM_ROW_EXPERTS ? c->n_experts : 1;
}

static size_t extent(alm_extent x, const alm_config *c) {
    switch (x) {
    case ALM_X_ONE: break;
    case ALM_X_VOCAB: return c->n_vocab;
    case ALM_X_HIDDEN: return c->hidden;
    case ALM_X_Q: return c->n_heads * c->head_dim;
    case ALM_X_KV: return c->n_kv_heads * c->head_dim;
    case ALM_X_HEAD: return c->head_dim;
    case ALM_X_FFN: return c->ffn;
    case ALM_X_CONTEXT: return c->context;
    case ALM_X_EXPERTS: return c->n_experts;
    case ALM_X_EXPERT_FFN: return c->expert_ffn;
    case ALM_X_HEADS: return c->n_heads;
    case ALM_X_KINDS: return c->n_kinds;
    case ALM_X_LABELS: return c->n_labels;
    }
    return 1;
}

/* Behind row r, or behind all rows of layers that begin there. */
static size_t rows_end(const alm_family *f, size_t r) {
    bool layers = f->row[r++].where == ALM_LAYER;
    while (layers && r < f->n_rows && f->row[r].where == ALM_LAYER) r++;
    return r;
}

/* Rows from..end of a layer, or one row elsewhere: where each begins, counted from `at`; how many weights. */
static size_t lay(const alm_family *f, const alm_config *c, bool dense, size_t *row_at, size_t from, size_t end,
                  size_t at) {
    size_t n = 0;
    for (size_t r = from, k; r < end; r++, n += k) {
        k = times(&f->row[r], c, dense);
        row_at[r] = k ? at + n : SIZE_MAX;
    }
    return n;
}

size_t alm_slots_count(const alm_family *f, const alm_config *c, size_t row_at[2][ALM_FAMILY_ROWS], size_t *layer_at) {
    size_t n = 0;
    for (size_t r = 0, end; r < f->n_rows; r = end) {
        bool layers = f->row[r].where == ALM_LAYER;
        end = rows_end(f, r);
        size_t of_layer[2];
        for (size_t dense = 0; dense < 2; dense++)
            of_layer[dense] = lay(f, c, dense, row_at[dense], r, end, layers ? 0 : n);
        if (!layers) n += of_layer[0];
        else
            for (size_t i = 0; i < c->n_layers; i++) layer_at[i] = n, n += of_layer[alm_config_is_dense(c, i)];
    }
    return n;
}

void alm_origin_name(alm_origin *o, alm_container in, const char *pattern, size_t layer, size_t expert) {
    size_t n = 0;
    o->in = in;
    for (; *pattern && n + 24 < sizeof o->name; pattern++) {
        if (*pattern != '%' && *pattern != '#') o->name[n++] = *pattern;
        else n += (size_t)snprintf(o->name + n, sizeof o->name - n, "%zu", *pattern == '%' ? layer : expert);
    }
    o->name[n] = 0;
}

static void make(alm_slot *s, const alm_family *f, const alm_config *c, size_t row, size_t layer, size_t expert) {
    const alm_slot_row *r = &f->row[row];
    *s = (alm_slot){.n_rows = extent(r->rows, c), .n_cols = extent(r->cols, c)};
    s->vector = r->kind != ALM_MATRIX;
    s->begins = r->kind == ALM_NORM ? 1.0F : 0.0F;
    s->optional = (r->flags & ALM_ROW_OPTIONAL) != 0;
    s->residual = (r->flags & ALM_ROW_RESIDUAL) != 0;
    s->heads = r->flags & ALM_ROW_Q ? c->n_heads : r->flags & ALM_ROW_KV ? c->n_kv_heads : 0;
    if (r->gguf) alm_origin_name(&s->origin[0], ALM_IN_GGUF, r->gguf, layer, expert);
    if (r->flags & ALM_ROW_EXPERTS) { /* stacked */
        size_t n = s->vector ? s->n_cols : s->n_rows;
        s->origin[0].rows = c->n_experts * n, s->origin[0].first = expert * n;
    }
    if (r->hf) alm_origin_name(&s->origin[1], ALM_IN_HF, r->hf, layer, expert);
    s->origin[1].split = f->neighbours && s->heads > 0;
    if (f->origins) f->origins(s, c, row, layer, expert);
}

void alm_slots_make(alm_slot *slot, const alm_family *f, const alm_config *c) {
    for (size_t r = 0, end; r < f->n_rows; r = end) {
        bool layers = f->row[r].where == ALM_LAYER;
        end = rows_end(f, r);
        for (size_t layer = 0; layer < (layers ? c->n_layers : 1); layer++)
            for (size_t k = r; k < end; k++)
                for (size_t e = 0, n = times(&f->row[k], c, layers && alm_config_is_dense(c, layer)); e < n; e++)
                    make(slot++, f, c, k, layer, e);
    }
}

void alm_slot_part(alm_slot *s, size_t rows, size_t first) {
    for (size_t i = 0; i < ALM_SLOT_ORIGINS; i++) s->origin[i].rows = rows, s->origin[i].first = first;
}
