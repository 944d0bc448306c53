/* SPDX-License-Identifier: Apache-2.0
 *
 * olmo2.c - the OLMo 2 family (docs/model/olmo2.md).
 *
 * Norms only behind each part, on its result; q and k are normed whole, before they are cut into heads and rotate. */
#include "model/family.h"

enum {
    EMBEDDING,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_Q_BIAS,
    ATTN_K_BIAS,
    ATTN_V_BIAS,
    ATTN_Q_NORM,
    ATTN_K_NORM,
    ATTN_OUTPUT,
    ATTN_OUTPUT_BIAS,
    ATTN_POST_NORM,
    FFN_GATE,
    FFN_UP,
    FFN_DOWN,
    FFN_POST_NORM,
    OUTPUT_NORM,
    OUTPUT,
    ROWS
};

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = ALM_EMBEDDING_ROW,
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_q", "self_attn.q_proj", Q, HIDDEN, ALM_ROW_Q),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_k", "self_attn.k_proj", KV, HIDDEN, ALM_ROW_KV),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_v", "self_attn.v_proj", KV, HIDDEN, 0),
    [ATTN_Q_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_q", "self_attn.q_proj", Q, ALM_ROW_Q),
    [ATTN_K_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_k", "self_attn.k_proj", KV, ALM_ROW_KV),
    [ATTN_V_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_v", "self_attn.v_proj", KV, 0),
    [ATTN_Q_NORM] = ALM_LAYER_NORM("attn_q_norm", "self_attn.q_norm", Q),
    [ATTN_K_NORM] = ALM_LAYER_NORM("attn_k_norm", "self_attn.k_norm", KV),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS_WHEN(output_bias, "attn_output", "self_attn.o_proj", HIDDEN, 0),
    [ATTN_POST_NORM] = ALM_LAYER_NORM("post_attention_norm", "post_attention_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_gate", "mlp.gate_proj", FFN, HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.up_proj", FFN, HIDDEN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [FFN_POST_NORM] = ALM_LAYER_NORM("post_ffw_norm", "post_feedforward_layernorm", HIDDEN),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

static void settings(alm_config *c, alm_settings *s) {
    c->norm_eps = 1e-5;
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    alm_settings_attention_bias(c, s);
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){NULL});
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *q = alm_pass_linear(t, x, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, x, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, x, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, alm_pass_rmsnorm(t, q, p, ATTN_Q_NORM), c->n_heads, p);
    k = alm_pass_rope(t, alm_pass_rmsnorm(t, k, p, ATTN_K_NORM), c->n_kv_heads, p);
    alm_node *h = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS);
    x = alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, ATTN_POST_NORM));
    alm_node *gate = alm_pass_linear(t, x, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, x, p, FFN_UP, ROWS);
    h = alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, ROWS);
    return alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, FFN_POST_NORM));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_olmo2 = {
    .name = "olmo2",
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
