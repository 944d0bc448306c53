/* SPDX-License-Identifier: Apache-2.0
 *
 * granite.c - the Granite family (docs/model/granite.md): Llama with four multipliers, rows of q and k in GGUF's order. */
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
    ATTN_OUTPUT,
    ATTN_OUTPUT_BIAS,
    FFN_NORM,
    FFN_GATE,
    FFN_UP,
    FFN_DOWN,
    FFN_GATE_BIAS,
    FFN_UP_BIAS,
    FFN_DOWN_BIAS,
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
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS_WHEN(output_bias, "attn_output", "self_attn.o_proj", HIDDEN, 0),
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "post_attention_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_gate", "mlp.gate_proj", FFN, HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.up_proj", FFN, HIDDEN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [FFN_GATE_BIAS] = ALM_LAYER_BIAS_WHEN(mlp_bias, "ffn_gate", "mlp.gate_proj", FFN, 0),
    [FFN_UP_BIAS] = ALM_LAYER_BIAS_WHEN(mlp_bias, "ffn_up", "mlp.up_proj", FFN, 0),
    [FFN_DOWN_BIAS] = ALM_LAYER_BIAS_WHEN(mlp_bias, "ffn_down", "mlp.down_proj", HIDDEN, 0),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

static void settings(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    c->embedding_scale = alm_settings_real(s, "embedding_scale", "embedding_multiplier", 1.0);
    c->residual_scale = alm_settings_real(s, "residual_scale", "residual_multiplier", 1.0);
    c->attention_scale = alm_settings_real(s, "attention.scale", "attention_multiplier", s->g ? 0.0 : 1.0);
    double divisor = alm_settings_real(s, "logit_scale", "logits_scaling", 1.0);
    if (divisor == 0.0) alm_settings_refuse(s, "bad_value: the logits are divided by 0");
    else c->logit_scale = 1.0 / divisor;
    if (c->rope_dims) alm_settings_unsupported(s, "heads that rotate in part");
    alm_settings_attention_bias(c, s);
    alm_settings_mlp_bias(c, s);
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){NULL});
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    x = alm_pass_add(t, x, alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS), p);
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, FFN_GATE_BIAS),
             *up = alm_pass_linear(t, h, p, FFN_UP, FFN_UP_BIAS);
    return alm_pass_add(t, x, alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, FFN_DOWN_BIAS), p);
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_granite = {
    .name = "granite",
    .neighbours = true,
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
