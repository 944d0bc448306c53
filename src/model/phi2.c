/* SPDX-License-Identifier: Apache-2.0
 *
 * phi2.c - the Phi family of before Phi-3: Phi-1, 1.5 and 2 (docs/model/phi2.md): names, configuration, forward pass.
 *
 *     each layer:  h = layernorm(x);  q, k, v with biases;  the first part of each head of q and k rotates
 *                  x = x + (attention(q, k, v) Wo^T + bo) + (gelu(h Wup^T + bup) Wdown^T + bdown),  both from the same h
 *     layernorm(x), then the head with its bias */
#include "model/family.h"

enum {
    EMBEDDING,
    ATTN_NORM,
    ATTN_NORM_BIAS,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_Q_BIAS,
    ATTN_K_BIAS,
    ATTN_V_BIAS,
    ATTN_OUTPUT,
    ATTN_OUTPUT_BIAS,
    FFN_UP,
    FFN_UP_BIAS,
    FFN_DOWN,
    FFN_DOWN_BIAS,
    OUTPUT_NORM,
    OUTPUT_NORM_BIAS,
    OUTPUT,
    OUTPUT_BIAS,
    ROWS
};

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = ALM_EMBEDDING_ROW,
    [ATTN_NORM] = ALM_LAYER_NORM("attn_norm", "input_layernorm", HIDDEN),
    [ATTN_NORM_BIAS] = ALM_LAYER_BIAS("attn_norm", "input_layernorm", HIDDEN, 0),
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_q", "self_attn.q_proj", Q, HIDDEN, ALM_ROW_Q),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_k", "self_attn.k_proj", KV, HIDDEN, ALM_ROW_KV),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_v", "self_attn.v_proj", KV, HIDDEN, 0),
    [ATTN_Q_BIAS] = ALM_LAYER_BIAS("attn_q", "self_attn.q_proj", Q, 0),
    [ATTN_K_BIAS] = ALM_LAYER_BIAS("attn_k", "self_attn.k_proj", KV, 0),
    [ATTN_V_BIAS] = ALM_LAYER_BIAS("attn_v", "self_attn.v_proj", KV, 0),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.dense", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS("attn_output", "self_attn.dense", HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.fc1", FFN, HIDDEN, 0),
    [FFN_UP_BIAS] = ALM_LAYER_BIAS("ffn_up", "mlp.fc1", FFN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.fc2", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [FFN_DOWN_BIAS] = ALM_LAYER_BIAS("ffn_down", "mlp.fc2", HIDDEN, 0),
    [OUTPUT_NORM] = {"output_norm.weight", "model.final_layernorm.weight", ALM_AFTER, ALM_NORM, .cols = ALM_X_HIDDEN},
    [OUTPUT_NORM_BIAS] = {"output_norm.bias", "model.final_layernorm.bias", ALM_AFTER, ALM_BIAS, .cols = ALM_X_HIDDEN},
    [OUTPUT] = ALM_HEAD_ROW,
    [OUTPUT_BIAS] = {"output.bias", "lm_head.bias", ALM_AFTER, ALM_BIAS, .cols = ALM_X_VOCAB,
                     .flags = ALM_ROW_HEAD_BIAS},
};

static void settings(alm_config *c, alm_settings *s) {
    c->norm_eps = 1e-5;
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    alm_settings_gelu(c, s, "hidden_act", ALM_ACT_GELU_TANH);
    if (alm_settings_bool(s, NULL, "qk_layernorm", false)) alm_settings_unsupported(s, "norms of q and k");
}

/* Files of llama.cpp from before mid-2024 have q, k and v one behind the other in one tensor. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    if (row < ATTN_Q || row > ATTN_V_BIAS) return;
    size_t part = row < ATTN_Q_BIAS ? row - ATTN_Q : row - ATTN_Q_BIAS, q = c->n_heads * c->head_dim,
           kv = c->n_kv_heads * c->head_dim;
    alm_origin *o = &slot->origin[2];
    alm_origin_name(o, ALM_IN_GGUF, slot->vector ? "blk.%.attn_qkv.bias" : "blk.%.attn_qkv.weight", layer, expert);
    o->rows = q + 2 * kv, o->first = part == 0 ? 0 : q + (part - 1) * kv;
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_layernorm(t, x, p, ATTN_NORM, ATTN_NORM_BIAS);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    alm_node *a = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS);
    alm_node *f = alm_pass_activation(t, alm_pass_linear(t, h, p, FFN_UP, FFN_UP_BIAS), p);
    f = alm_pass_linear(t, f, p, FFN_DOWN, FFN_DOWN_BIAS);
    return alm_tape_add(t, alm_tape_add(t, a, f), x);
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) {
    return alm_pass_layernorm(t, x, p, OUTPUT_NORM, OUTPUT_NORM_BIAS);
}

const alm_family alm_family_phi2 = {
    .name = "phi2",
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .origins = origins,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
