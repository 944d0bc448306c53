/* SPDX-License-Identifier: Apache-2.0
 *
 * gemma2.c - the Gemma 2 family (docs/model/gemma2.md).
 *
 * Norms before and after each part, with weights 1 + w; the embedding times sqrt(hidden); a gate of GELU (by tanh); soft limits on
 * scores and logits; every other layer sees a window. */
#include "model/family.h"

#include <math.h>

enum {
    EMBEDDING,
    ATTN_NORM,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_OUTPUT,
    ATTN_POST_NORM,
    FFN_NORM,
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
    [ATTN_NORM] = ALM_LAYER_NORM("attn_norm", "input_layernorm", HIDDEN),
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_q", "self_attn.q_proj", Q, HIDDEN, ALM_ROW_Q),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_k", "self_attn.k_proj", KV, HIDDEN, ALM_ROW_KV),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_v", "self_attn.v_proj", KV, HIDDEN, 0),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_POST_NORM] = ALM_LAYER_NORM("post_attention_norm", "post_attention_layernorm", HIDDEN),
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "pre_feedforward_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_gate", "mlp.gate_proj", FFN, HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.up_proj", FFN, HIDDEN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [FFN_POST_NORM] = ALM_LAYER_NORM("post_ffw_norm", "post_feedforward_layernorm", HIDDEN),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

/* GGUF's norms have the 1 in them. */
static void origins(alm_slot *s, const alm_config *c, size_t row, size_t layer, size_t expert) {
    (void)c, (void)layer, (void)expert;
    if (rows[row].kind == ALM_NORM) s->origin[1].plus = 1.0F;
}

/* The scores' scale does not always follow the size of a head: the largest model's follows hidden / heads, and GGUF does not
 * say it. */
static double scale(const alm_config *c, alm_settings *s) {
    double usual = (double)c->head_dim;
    if (s->g && c->n_layers == 46) usual = (double)c->hidden / (double)c->n_heads;
    return 1.0 / sqrt(alm_settings_real(s, NULL, "query_pre_attn_scalar", usual));
}

static void settings(alm_config *c, alm_settings *s) {
    c->tied = true;
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    if (s->status != ALM_OK) return;
    c->window = alm_settings_count(s, "attention.sliding_window", "sliding_window", 4096);
    if (c->window) alm_settings_local(c, s, 2);
    c->attention_softcap = alm_settings_real(s, "attn_logit_softcapping", "attn_logit_softcapping", s->g ? 50.0 : 0.0);
    c->final_softcap = alm_settings_real(s, "final_logit_softcapping", "final_logit_softcapping", s->g ? 30.0 : 0.0);
    c->attention_scale = scale(c, s);
    c->embedding_scale = sqrt((double)c->hidden);
    alm_settings_only(c, s, ALM_ACT_GELU_TANH, (const char *const[]){"attention_bias", NULL});
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ROWS), *k = alm_pass_linear(t, h, p, ATTN_K, ROWS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ROWS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    h = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ROWS);
    x = alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, ATTN_POST_NORM));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, h, p, FFN_UP, ROWS);
    h = alm_pass_linear(t, alm_tape_geglu(t, gate, up, ALM_GELU_TANH), p, FFN_DOWN, ROWS);
    return alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, FFN_POST_NORM));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_gemma2 = {
    .name = "gemma2",
    .row = rows,
    .n_rows = ROWS,
    .origins = origins,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
