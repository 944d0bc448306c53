/* SPDX-License-Identifier: Apache-2.0
 *
 * llama.c - the Llama family (docs/model/llama.md): names, configuration, forward pass.
 *
 *     x  = embedding[id]
 *     each layer:  h = rmsnorm(x);  q, k = rope(h Wq^T), rope(h Wk^T);  v = h Wv^T
 *                  x = x + attention(q, k, v) Wo^T
 *                  h = rmsnorm(x);  x = x + (silu(h Wgate^T) * h Wup^T) Wdown^T
 *     where the configuration has biases, each product has its own
 *     rmsnorm(x), then the head: its own matrix, or the embedding
 *
 * Rows of Wq and Wk (and their biases) are in GGUF's order: the pair that rotates together lies side by side. */
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

/* Mixtral bears the same name in GGUF. */
static bool claims(alm_settings *s) {
    size_t n = alm_settings_count(s, "expert_count", NULL, 0),
           used = alm_settings_count(s, "expert_used_count", NULL, 0);
    if (used > n) alm_settings_refuse(s, "bad_value: %s is %zu of %zu experts", s->key, used, n);
    return n == 0 && used == 0;
}

static bool is_mistral(alm_settings *s) {
    return alm_str_eq(alm_settings_text(s, NULL, "model_type", ""), ALM_STR("mistral"));
}

/* Mistral's window covers all layers. GGUF's llama has no key for it; the one that other families use is ours here too. */
static void window(alm_config *c, alm_settings *s) {
    c->window = s->g || is_mistral(s) ? alm_settings_count(s, "attention.sliding_window", "sliding_window", 0) : 0;
    if (c->window) alm_settings_local(c, s, 0);
}

/* Mistral has none. */
static void biases(alm_config *c, alm_settings *s) {
    static const char *const none[] = {NULL}, *const both[] = {"attention_bias", "mlp_bias", NULL};
    alm_settings_only(c, s, ALM_ACT_SILU, is_mistral(s) ? both : none);
    alm_settings_attention_bias(c, s);
    alm_settings_mlp_bias(c, s);
}

static void settings(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    if (c->rope_dims) alm_settings_unsupported(s, "heads that rotate in part");
    window(c, s);
    biases(c, s);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    x = alm_tape_add(t, x, alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, FFN_GATE_BIAS),
             *up = alm_pass_linear(t, h, p, FFN_UP, FFN_UP_BIAS);
    return alm_tape_add(t, x, alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, FFN_DOWN_BIAS));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_llama = {
    .name = "llama",
    .neighbours = true,
    .row = rows,
    .n_rows = ROWS,
    .claims = claims,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
    .writes = true,
};
