/* SPDX-License-Identifier: Apache-2.0
 *
 * qwen3.c - the Qwen3 family (docs/model/qwen3.md): Llama whose heads of q and k are normed, each alone, before they rotate. */
#include "model/family.h"

enum {
    EMBEDDING,
    ATTN_NORM,
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
    FFN_NORM,
    FFN_GATE,
    FFN_UP,
    FFN_DOWN,
    OUTPUT_NORM,
    OUTPUT,
    ROWS
};

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = ALM_EMBEDDING_ROW,
    [ATTN_NORM] = ALM_LAYER_NORM("attn_norm", "input_layernorm", HIDDEN),
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_q", "self_attn.q_proj", Q, HIDDEN, ALM_ROW_Q),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_k", "self_attn.k_proj", KV, HIDDEN, ALM_ROW_KV),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_v", "self_attn.v_proj", KV, HIDDEN, 0),
    [ATTN_Q_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_q", "self_attn.q_proj", Q, ALM_ROW_Q),
    [ATTN_K_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_k", "self_attn.k_proj", KV, ALM_ROW_KV),
    [ATTN_V_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_v", "self_attn.v_proj", KV, 0),
    [ATTN_Q_NORM] = ALM_LAYER_NORM("attn_q_norm", "self_attn.q_norm", HEAD),
    [ATTN_K_NORM] = ALM_LAYER_NORM("attn_k_norm", "self_attn.k_norm", HEAD),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS_WHEN(output_bias, "attn_output", "self_attn.o_proj", HIDDEN, 0),
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "post_attention_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_gate", "mlp.gate_proj", FFN, HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.up_proj", FFN, HIDDEN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

static void settings(alm_config *c, alm_settings *s) {
    c->head_dim = 128;
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    alm_settings_switched_window(c, s);
    alm_settings_attention_bias(c, s);
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){"mlp_bias", NULL});
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, alm_pass_rmsnorm(t, q, p, ATTN_Q_NORM), c->n_heads, p);
    k = alm_pass_rope(t, alm_pass_rmsnorm(t, k, p, ATTN_K_NORM), c->n_kv_heads, p);
    x = alm_tape_add(t, x, alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, h, p, FFN_UP, ROWS);
    return alm_tape_add(t, x, alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, ROWS));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_qwen3 = {
    .name = "qwen3",
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
