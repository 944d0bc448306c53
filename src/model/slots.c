/* SPDX-License-Identifier: Apache-2.0
 *
 * slots.c - from a family's table to the weights of a model of this configuration: which there are, their shapes and names. */
#include "model/family.h"

#include <stdio.h>

static bool flag(const alm_config *c, size_t at) { return *((const bool *)c + at); }

static bool there(const alm_slot_row *r, const alm_config *c) {
    return !(r->when && !flag(c, r->when)) && !(r->unless && flag(c, r->unless));
}

static size_t times(const alm_slot_row *r, const alm_config *c) {
    return !there(r, c) ? 0 : r->flags & ALM_ROW_EXPERTS ? c->n_experts : 1;
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

size_t alm_slots_count(const alm_family *f, const alm_config *c, size_t row_at[ALM_FAMILY_ROWS], size_t *per_layer) {
    size_t n = 0, of_layer = 0;
    for (size_t r = 0; r < ALM_FAMILY_ROWS; r++) row_at[r] = SIZE_MAX;
    for (size_t r = 0; r < f->n_rows; r++)
        if (f->row[r].where == ALM_LAYER) of_layer += times(&f->row[r], c);
    for (size_t r = 0; r < f->n_rows; r++) {
        size_t k = times(&f->row[r], c);
        if (k) row_at[r] = n;
        n += k;
        bool layers_end = f->row[r].where == ALM_LAYER && (r + 1 == f->n_rows || f->row[r + 1].where != ALM_LAYER);
        if (layers_end) n += of_layer * (c->n_layers - 1);
    }
    return *per_layer = of_layer, n;
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
        for (end = r + 1; end < f->n_rows && layers && f->row[end].where == ALM_LAYER;) end++;
        for (size_t layer = 0; layer < (layers ? c->n_layers : 1); layer++)
            for (size_t k = r; k < end; k++)
                for (size_t e = 0; e < times(&f->row[k], c); e++) make(slot++, f, c, k, layer, e);
    }
}

void alm_slot_part(alm_slot *s, size_t rows, size_t first) {
    for (size_t i = 0; i < ALM_SLOT_ORIGINS; i++) s->origin[i].rows = rows, s->origin[i].first = first;
}
