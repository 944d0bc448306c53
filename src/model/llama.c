/* SPDX-License-Identifier: Apache-2.0
 *
 * llama.c - the Llama family (docs/model/llama.md): names, shapes, forward pass.
 *
 *     x  = embedding[id]
 *     each layer:  h = rmsnorm(x);  q, k = rope(h Wq^T), rope(h Wk^T);  v = h Wv^T
 *                  x = x + attention(q, k, v) Wo^T
 *                  h = rmsnorm(x);  x = x + (silu(h Wgate^T) * h Wup^T) Wdown^T
 *     rmsnorm(x), then the head: its own matrix, or the embedding
 *
 * Rows of Wq and Wk are in GGUF's order: the pair that rotates together lies side by side. */
#include "model/family.h"

#include <math.h>
#include <stdio.h>

enum { ATTN_NORM, ATTN_Q, ATTN_K, ATTN_V, ATTN_OUTPUT, FFN_NORM, FFN_GATE, FFN_UP, FFN_DOWN, PER_LAYER };

static const struct {
    const char *gguf, *hf;
} names[PER_LAYER] = {
    [ATTN_NORM] = {"attn_norm", "input_layernorm"},      [ATTN_Q] = {"attn_q", "self_attn.q_proj"},
    [ATTN_K] = {"attn_k", "self_attn.k_proj"},           [ATTN_V] = {"attn_v", "self_attn.v_proj"},
    [ATTN_OUTPUT] = {"attn_output", "self_attn.o_proj"}, [FFN_NORM] = {"ffn_norm", "post_attention_layernorm"},
    [FFN_GATE] = {"ffn_gate", "mlp.gate_proj"},          [FFN_UP] = {"ffn_up", "mlp.up_proj"},
    [FFN_DOWN] = {"ffn_down", "mlp.down_proj"},
};

static size_t n_slots(const alm_config *c) { return 1 + PER_LAYER * c->n_layers + 1 + (c->tied ? 0 : 1); }

static void set_names(alm_slot *s, const char *gguf, const char *hf) {
    snprintf(s->gguf, sizeof s->gguf, "%s.weight", gguf);
    snprintf(s->hf, sizeof s->hf, "%s.weight", hf);
}

static void layer_slot(alm_slot *s, const alm_config *c, size_t layer, size_t what) {
    size_t q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    snprintf(s->gguf, sizeof s->gguf, "blk.%zu.%s.weight", layer, names[what].gguf);
    snprintf(s->hf, sizeof s->hf, "model.layers.%zu.%s.weight", layer, names[what].hf);
    s->n_rows = c->hidden, s->n_cols = c->hidden;
    switch (what) {
    case ATTN_NORM:
    case FFN_NORM: s->n_rows = 1, s->norm = true; break;
    case ATTN_Q: s->n_rows = q, s->heads = c->n_heads; break;
    case ATTN_K: s->n_rows = kv, s->heads = c->n_kv_heads; break;
    case ATTN_V: s->n_rows = kv; break;
    case ATTN_OUTPUT: s->n_cols = q, s->residual = true; break;
    case FFN_GATE:
    case FFN_UP: s->n_rows = c->ffn; break;
    default: s->n_cols = c->ffn, s->residual = true; break;
    }
}

static void slot(alm_slot *out, const alm_config *c, size_t i) {
    size_t norm = 1 + PER_LAYER * c->n_layers;
    *out = (alm_slot){.n_rows = c->n_vocab, .n_cols = c->hidden};
    if (i == 0) {
        set_names(out, "token_embd", "model.embed_tokens");
    } else if (i < norm) {
        layer_slot(out, c, (i - 1) / PER_LAYER, (i - 1) % PER_LAYER);
    } else if (i == norm) {
        set_names(out, "output_norm", "model.norm");
        out->n_rows = 1, out->norm = true;
    } else {
        set_names(out, "output", "lm_head");
    }
}

typedef struct part {
    alm_model *m;
    const alm_rows *rows;
    const alm_rope *rope;
    size_t layer;
} part;

static alm_node *layer(alm_tape *t, alm_node *x, void *arg) {
    const part *p = arg;
    const alm_config *c = &p->m->config;
    alm_weight *w = p->m->weight + 1 + PER_LAYER * p->layer;
    const float eps = (float)c->norm_eps;
    const alm_attention a = {.n_heads = c->n_heads,
                             .n_kv_heads = c->n_kv_heads,
                             .head_dim = c->head_dim,
                             .scale = 1.0F / sqrtf((float)c->head_dim)};
    alm_node *h = alm_tape_rmsnorm(t, x, &w[ATTN_NORM], eps);
    alm_node *q = alm_tape_linear(t, h, &w[ATTN_Q], NULL), *k = alm_tape_linear(t, h, &w[ATTN_K], NULL),
             *v = alm_tape_linear(t, h, &w[ATTN_V], NULL);
    q = alm_tape_rope(t, q, c->n_heads, p->rope, p->rows);
    k = alm_tape_rope(t, k, c->n_kv_heads, p->rope, p->rows);
    x = alm_tape_add(t, x, alm_tape_linear(t, alm_tape_attention(t, q, k, v, &a, p->rows), &w[ATTN_OUTPUT], NULL));
    h = alm_tape_rmsnorm(t, x, &w[FFN_NORM], eps);
    alm_node *gate = alm_tape_linear(t, h, &w[FFN_GATE], NULL), *up = alm_tape_linear(t, h, &w[FFN_UP], NULL);
    return alm_tape_add(t, x, alm_tape_linear(t, alm_tape_swiglu(t, gate, up), &w[FFN_DOWN], NULL));
}

static alm_node *hidden(alm_model *m, alm_tape *t, const alm_rows *rows, bool recompute) {
    part p = {.m = m, .rows = rows, .rope = alm_model_rope(m, rows)};
    alm_node *x = alm_tape_lookup(t, &m->weight[0], rows);
    for (; p.layer < m->config.n_layers; p.layer++) x = alm_tape_recompute(t, x, layer, &p, recompute);
    return alm_tape_rmsnorm(t, x, &m->weight[1 + PER_LAYER * m->config.n_layers], (float)m->config.norm_eps);
}

const alm_family alm_family_llama = {"llama", n_slots, slot, hidden};
