/* SPDX-License-Identifier: Apache-2.0
 *
 * gemma3.c - the Gemma 3 family (docs/model/gemma3.md), text only.
 *
 * Gemma 2 without soft limits; heads of q and k are normed, each alone; five layers with a window, then one without: those with
 * a window rotate by a base of their own. */
#include "model/family.h"

#include <math.h>

enum {
    EMBEDDING,
    ATTN_NORM,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_Q_NORM,
    ATTN_K_NORM,
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
    [ATTN_Q_NORM] = ALM_LAYER_NORM("attn_q_norm", "self_attn.q_norm", HEAD),
    [ATTN_K_NORM] = ALM_LAYER_NORM("attn_k_norm", "self_attn.k_norm", HEAD),
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

/* Models that also see pictures keep the text's part under other names; what sees is left alone. */
static const char *const roots[] = {"model.", "language_model.model.", "model.language_model.", NULL};
static const char *const ignored[] = {"vision_tower.*", "model.vision_tower.*", "multi_modal_projector.*",
                                      "model.multi_modal_projector.*", NULL};

/* As in Gemma 2. */
static double scale(const alm_config *c, alm_settings *s) {
    double usual = s->g ? (double)c->head_dim : 256.0;
    if (s->g && c->n_layers == 62) usual = (double)c->hidden / (double)c->n_heads;
    return 1.0 / sqrt(alm_settings_real(s, NULL, "query_pre_attn_scalar", usual));
}

static void text(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    c->rope_local_theta = 10000.0;
    alm_settings_rope(c, s, 1000000.0);
    if (s->status != ALM_OK) return;
    c->window = alm_settings_count(s, "attention.sliding_window", "sliding_window", 4096);
    size_t every =
        alm_settings_count(s, NULL, "sliding_window_pattern",
                           alm_settings_count(s, "attention.sliding_window_pattern", "_sliding_window_pattern", 6));
    if (c->window) alm_settings_local(c, s, every);
    c->attention_softcap = alm_settings_real(s, "attn_logit_softcapping", "attn_logit_softcapping", 0.0);
    c->final_softcap = alm_settings_real(s, "final_logit_softcapping", "final_logit_softcapping", 0.0);
    c->attention_scale = scale(c, s);
    c->embedding_scale = sqrt((double)c->hidden);
    alm_settings_only(c, s, ALM_ACT_GELU_TANH, (const char *const[]){"attention_bias", NULL});
    if (alm_settings_bool(s, NULL, "use_bidirectional_attention", false))
        alm_settings_unsupported(s, "attention in both directions");
}

/* The configuration of a model that also sees pictures names only what differs from these. */
static void settings(alm_config *c, alm_settings *s) {
    alm_settings inner;
    c->tied = true;
    c->n_vocab = 262208, c->hidden = 2304, c->ffn = 9216, c->n_layers = 26;
    c->n_heads = 8, c->n_kv_heads = 4, c->head_dim = 256, c->context = 131072;
    if (!alm_settings_enter(&inner, s, "text_config")) {
        text(c, s);
        return;
    }
    text(c, &inner);
    alm_settings_leave(s, &inner);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ROWS), *k = alm_pass_linear(t, h, p, ATTN_K, ROWS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ROWS);
    q = alm_pass_rope(t, alm_pass_rmsnorm(t, q, p, ATTN_Q_NORM), c->n_heads, p);
    k = alm_pass_rope(t, alm_pass_rmsnorm(t, k, p, ATTN_K_NORM), c->n_kv_heads, p);
    h = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ROWS);
    x = alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, ATTN_POST_NORM));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, h, p, FFN_UP, ROWS);
    h = alm_pass_linear(t, alm_tape_geglu(t, gate, up, ALM_GELU_TANH), p, FFN_DOWN, ROWS);
    return alm_tape_add(t, x, alm_pass_rmsnorm(t, h, p, FFN_POST_NORM));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_gemma3 = {
    .name = "gemma3",
    .row = rows,
    .n_rows = ROWS,
    .hf_roots = roots,
    .ignored = ignored,
    .origins = origins,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
