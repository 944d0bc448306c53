/* SPDX-License-Identifier: Apache-2.0
 *
 * gptneox.c - the GPT-NeoX family (docs/model/gptneox.md): names, configuration, forward pass.
 *
 *     each layer:  h = layernorm(x);  q, k, v with biases;  the first part of each head of q and k rotates
 *                  a = attention(q, k, v) Wo^T + bo
 *     parallel:    x = x + a + mlp(layernorm'(x)),  both from the same x
 *     one by one:  x = x + a;  x = x + mlp(layernorm'(x))
 *     mlp(h) = gelu(h Wup^T + bup) Wdown^T + bdown
 *
 * q, k and v are one tensor: in Hugging Face head by head (q, k, v of head 0, then of head 1), in GGUF one behind the other. */
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
    FFN_NORM,
    FFN_NORM_BIAS,
    FFN_UP,
    FFN_UP_BIAS,
    FFN_DOWN,
    FFN_DOWN_BIAS,
    OUTPUT_NORM,
    OUTPUT_NORM_BIAS,
    OUTPUT,
    ROWS
};

#define NAMES(gguf, hf, end) "blk.%." gguf end, "gpt_neox.layers.%." hf end, ALM_LAYER
#define QKV(end)             NAMES("attn_qkv", "attention.query_key_value", end)
#define BIASED               .when = offsetof(alm_config, attention_bias)

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = {"token_embd.weight", "gpt_neox.embed_in.weight", .rows = ALM_X_VOCAB, .cols = ALM_X_HIDDEN},
    [ATTN_NORM] = {NAMES("attn_norm", "input_layernorm", ".weight"), ALM_NORM, .cols = ALM_X_HIDDEN},
    [ATTN_NORM_BIAS] = {NAMES("attn_norm", "input_layernorm", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [ATTN_Q] = {QKV(".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN, ALM_ROW_Q},
    [ATTN_K] = {QKV(".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN, ALM_ROW_KV},
    [ATTN_V] = {QKV(".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN},
    [ATTN_Q_BIAS] = {QKV(".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN, BIASED},
    [ATTN_K_BIAS] = {QKV(".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN, BIASED},
    [ATTN_V_BIAS] = {QKV(".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN, BIASED},
    [ATTN_OUTPUT] = {NAMES("attn_output", "attention.dense", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN,
                     ALM_ROW_RESIDUAL},
    [ATTN_OUTPUT_BIAS] = {NAMES("attn_output", "attention.dense", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN, BIASED},
    [FFN_NORM] = {NAMES("ffn_norm", "post_attention_layernorm", ".weight"), ALM_NORM, .cols = ALM_X_HIDDEN},
    [FFN_NORM_BIAS] = {NAMES("ffn_norm", "post_attention_layernorm", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [FFN_UP] = {NAMES("ffn_up", "mlp.dense_h_to_4h", ".weight"), ALM_MATRIX, ALM_X_FFN, ALM_X_HIDDEN},
    [FFN_UP_BIAS] = {NAMES("ffn_up", "mlp.dense_h_to_4h", ".bias"), ALM_BIAS, .cols = ALM_X_FFN},
    [FFN_DOWN] = {NAMES("ffn_down", "mlp.dense_4h_to_h", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_FFN,
                  ALM_ROW_RESIDUAL},
    [FFN_DOWN_BIAS] = {NAMES("ffn_down", "mlp.dense_4h_to_h", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [OUTPUT_NORM] = {"output_norm.weight", "gpt_neox.final_layer_norm.weight", ALM_AFTER, ALM_NORM,
                     .cols = ALM_X_HIDDEN},
    [OUTPUT_NORM_BIAS] = {"output_norm.bias", "gpt_neox.final_layer_norm.bias", ALM_AFTER, ALM_BIAS,
                          .cols = ALM_X_HIDDEN},
    [OUTPUT] = {"output.weight", "embed_out.weight", ALM_AFTER, ALM_MATRIX, ALM_X_VOCAB, ALM_X_HIDDEN, ALM_ROW_HEAD,
                .unless = offsetof(alm_config, tied)},
};

static void settings(alm_config *c, alm_settings *s) {
    c->norm_eps = 1e-5;
    alm_settings_shape(c, s);
    c->n_kv_heads = c->n_heads; /* whatever the file says: the family knows no other */
    if (c->n_heads * c->head_dim != c->hidden)
        alm_settings_unsupported(s, "heads that are not hidden_size / num_attention_heads wide");
    alm_settings_rope(c, s, alm_settings_real(s, NULL, "rotary_emb_base", 10000.0));
    c->parallel = alm_settings_bool(s, "use_parallel_residual", "use_parallel_residual", true);
    c->attention_bias = alm_settings_bool(s, NULL, "attention_bias", true);
    alm_settings_gelu(c, s, "hidden_act", ALM_ACT_GELU_ERF);
}

static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    (void)layer, (void)expert;
    if (row < ATTN_Q || row > ATTN_V_BIAS) return;
    size_t part = row < ATTN_Q_BIAS ? row - ATTN_Q : row - ATTN_Q_BIAS, d = c->head_dim;
    slot->origin[0].rows = slot->origin[1].rows = 3 * c->hidden;
    slot->origin[0].first = part * c->hidden;
    slot->origin[1].first = part * d, slot->origin[1].group = d, slot->origin[1].stride = 3 * d;
}

static alm_node *mlp(alm_tape *t, alm_node *x, const alm_pass *p) {
    alm_node *h = alm_pass_layernorm(t, x, p, FFN_NORM, FFN_NORM_BIAS);
    h = alm_pass_activation(t, alm_pass_linear(t, h, p, FFN_UP, FFN_UP_BIAS), p);
    return alm_pass_linear(t, h, p, FFN_DOWN, FFN_DOWN_BIAS);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_layernorm(t, x, p, ATTN_NORM, ATTN_NORM_BIAS);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    alm_node *a = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS);
    if (c->parallel) return alm_tape_add(t, alm_tape_add(t, mlp(t, x, p), a), x);
    x = alm_tape_add(t, x, a);
    return alm_tape_add(t, x, mlp(t, x, p));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) {
    return alm_pass_layernorm(t, x, p, OUTPUT_NORM, OUTPUT_NORM_BIAS);
}

static const char *const hf_roots[] = {"gpt_neox.", "", NULL}, *const ignored[] = {"*.attention.bias",
                                                                                   "*.attention.masked_bias", NULL};

const alm_family alm_family_gptneox = {
    .name = "gptneox",
    .row = rows,
    .n_rows = ROWS,
    .hf_roots = hf_roots,
    .ignored = ignored,
    .settings = settings,
    .origins = origins,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
