/* SPDX-License-Identifier: Apache-2.0
 *
 * gpt2.c - the GPT-2 family (docs/model/gpt2.md): names, configuration, forward pass.
 *
 *     x = embedding[id] + positions[p]
 *     each layer:  h = layernorm(x);  q, k, v = h Wq^T + bq, ...;  x = x + (attention(q, k, v) Wo^T + bo)
 *                  h = layernorm(x);  x = x + (gelu(h Wup^T + bup) Wdown^T + bdown)
 *     layernorm(x), then the head, which is the embedding
 *
 * q, k and v are one tensor in every file; Hugging Face stores matrices turned over (columns are outputs). */
#include "model/family.h"

enum {
    EMBEDDING,
    POSITIONS,
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

#define NAMES(gguf, hf, end) "blk.%." gguf end, "transformer.h.%." hf end, ALM_LAYER

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = {"token_embd.weight", "transformer.wte.weight", .rows = ALM_X_VOCAB, .cols = ALM_X_HIDDEN},
    [POSITIONS] = {"position_embd.weight", "transformer.wpe.weight", .rows = ALM_X_CONTEXT, .cols = ALM_X_HIDDEN},
    [ATTN_NORM] = {NAMES("attn_norm", "ln_1", ".weight"), ALM_NORM, .cols = ALM_X_HIDDEN},
    [ATTN_NORM_BIAS] = {NAMES("attn_norm", "ln_1", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [ATTN_Q] = {NAMES("attn_qkv", "attn.c_attn", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN},
    [ATTN_K] = {NAMES("attn_qkv", "attn.c_attn", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN},
    [ATTN_V] = {NAMES("attn_qkv", "attn.c_attn", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN},
    [ATTN_Q_BIAS] = {NAMES("attn_qkv", "attn.c_attn", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [ATTN_K_BIAS] = {NAMES("attn_qkv", "attn.c_attn", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [ATTN_V_BIAS] = {NAMES("attn_qkv", "attn.c_attn", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [ATTN_OUTPUT] = {NAMES("attn_output", "attn.c_proj", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN,
                     ALM_ROW_RESIDUAL},
    [ATTN_OUTPUT_BIAS] = {NAMES("attn_output", "attn.c_proj", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [FFN_NORM] = {NAMES("ffn_norm", "ln_2", ".weight"), ALM_NORM, .cols = ALM_X_HIDDEN},
    [FFN_NORM_BIAS] = {NAMES("ffn_norm", "ln_2", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [FFN_UP] = {NAMES("ffn_up", "mlp.c_fc", ".weight"), ALM_MATRIX, ALM_X_FFN, ALM_X_HIDDEN},
    [FFN_UP_BIAS] = {NAMES("ffn_up", "mlp.c_fc", ".bias"), ALM_BIAS, .cols = ALM_X_FFN},
    [FFN_DOWN] = {NAMES("ffn_down", "mlp.c_proj", ".weight"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_FFN, ALM_ROW_RESIDUAL},
    [FFN_DOWN_BIAS] = {NAMES("ffn_down", "mlp.c_proj", ".bias"), ALM_BIAS, .cols = ALM_X_HIDDEN},
    [OUTPUT_NORM] = {"output_norm.weight", "transformer.ln_f.weight", ALM_AFTER, ALM_NORM, .cols = ALM_X_HIDDEN},
    [OUTPUT_NORM_BIAS] = {"output_norm.bias", "transformer.ln_f.bias", ALM_AFTER, ALM_BIAS, .cols = ALM_X_HIDDEN},
    [OUTPUT] = ALM_HEAD_ROW,
};

static void settings(alm_config *c, alm_settings *s) {
    c->n_vocab = 50257, c->tied = true;
    alm_settings_vocabulary(c, s);
    c->hidden = alm_settings_count(s, "embedding_length", "n_embd", ALM_REQUIRED);
    c->n_layers = alm_settings_count(s, "block_count", "n_layer", ALM_REQUIRED);
    c->n_heads = c->n_kv_heads = alm_settings_count(s, "attention.head_count", "n_head", ALM_REQUIRED);
    c->ffn = alm_settings_count(s, "feed_forward_length", "n_inner", 4 * c->hidden);
    c->context = alm_settings_count(s, "context_length", "n_positions", s->g ? ALM_REQUIRED : 1024);
    c->norm_eps = alm_settings_real(s, "attention.layer_norm_epsilon", "layer_norm_epsilon", 1e-5);
    alm_settings_heads(c, s);
    c->rope_theta = 10000.0; /* nothing rotates */
    alm_settings_gelu(c, s, "activation_function", ALM_ACT_GELU_TANH);
    if (!alm_settings_bool(s, NULL, "scale_attn_weights", true) ||
        alm_settings_bool(s, NULL, "scale_attn_by_inverse_layer_idx", false))
        alm_settings_unsupported(s, "scores scaled by layer, or not at all");
    if (alm_settings_bool(s, NULL, "add_cross_attention", false))
        alm_settings_unsupported(s, "attention to another text");
}

/* Parts of q, k and v as one; in Hugging Face all matrices lie turned over. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    (void)layer, (void)expert;
    if (row >= ATTN_Q && row <= ATTN_V_BIAS) {
        size_t part = row < ATTN_Q_BIAS ? row - ATTN_Q : row - ATTN_Q_BIAS;
        slot->origin[0].rows = 3 * c->hidden, slot->origin[0].first = part * c->hidden;
        if (slot->vector) slot->origin[1].rows = 3 * c->hidden, slot->origin[1].first = part * c->hidden;
        else slot->origin[1].wide = 3 * c->hidden, slot->origin[1].wide_first = part * c->hidden;
    }
    slot->origin[1].transposed = !slot->vector && row != EMBEDDING && row != POSITIONS && row != OUTPUT;
}

static alm_node *embed(alm_tape *t, const alm_pass *p) {
    return alm_tape_add(t, alm_pass_embed(t, p), alm_tape_positions(t, alm_pass_weight(p, POSITIONS), p->rows, 0));
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    alm_node *h = alm_pass_layernorm(t, x, p, ATTN_NORM, ATTN_NORM_BIAS);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    h = alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS);
    x = alm_tape_add(t, x, h);
    h = alm_pass_layernorm(t, x, p, FFN_NORM, FFN_NORM_BIAS);
    h = alm_pass_activation(t, alm_pass_linear(t, h, p, FFN_UP, FFN_UP_BIAS), p);
    return alm_tape_add(t, x, alm_pass_linear(t, h, p, FFN_DOWN, FFN_DOWN_BIAS));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) {
    return alm_pass_layernorm(t, x, p, OUTPUT_NORM, OUTPUT_NORM_BIAS);
}

/* Files of the hub begin names with h.0., those of transformers with transformer.h.0.; masks were stored as buffers. */
static const char *const hf_roots[] = {"transformer.", "", NULL}, *const ignored[] = {"*.attn.bias",
                                                                                      "*.attn.masked_bias", NULL};

const alm_family alm_family_gpt2 = {
    .name = "gpt2",
    .unturned = true,
    .row = rows,
    .n_rows = ROWS,
    .hf_roots = hf_roots,
    .ignored = ignored,
    .settings = settings,
    .origins = origins,
    .embed = embed,
    .layer = layer,
    .last = last,
};
