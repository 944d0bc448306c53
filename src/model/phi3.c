/* SPDX-License-Identifier: Apache-2.0
 *
 * phi3.c - the Phi-3 family (docs/model/phi3.md): Phi-3, 3.5, Phi-4, Phi-4-mini.
 *
 * Llama whose q, k and v lie in one tensor, gate and up in another: each is a view of its rows. A head may rotate in part, with
 * divisors of its own for each pair (longrope). */
#include "model/family.h"

enum {
    EMBEDDING,
    ATTN_NORM,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_OUTPUT,
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
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_qkv", "self_attn.qkv_proj", Q, HIDDEN, 0),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_qkv", "self_attn.qkv_proj", KV, HIDDEN, 0),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_qkv", "self_attn.qkv_proj", KV, HIDDEN, 0),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "post_attention_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_up", "mlp.gate_up_proj", FFN, HIDDEN, 0),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.gate_up_proj", FFN, HIDDEN, 0),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

static void origins(alm_slot *s, const alm_config *c, size_t row, size_t layer, size_t expert) {
    size_t q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    (void)layer, (void)expert;
    if (row == ATTN_Q) alm_slot_part(s, q + 2 * kv, 0);
    else if (row == ATTN_K) alm_slot_part(s, q + 2 * kv, q);
    else if (row == ATTN_V) alm_slot_part(s, q + 2 * kv, q + kv);
    else if (row == FFN_GATE) alm_slot_part(s, 2 * c->ffn, 0);
    else if (row == FFN_UP) alm_slot_part(s, 2 * c->ffn, c->ffn);
}

static void settings(alm_config *c, alm_settings *s) {
    c->norm_eps = 1e-5;
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    c->window = alm_settings_count(s, "attention.sliding_window", "sliding_window", 0);
    if (c->window) alm_settings_local(c, s, 0);
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){"attention_bias", "mlp_bias", NULL});
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ROWS), *k = alm_pass_linear(t, h, p, ATTN_K, ROWS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ROWS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    x = alm_tape_add(t, x, alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ROWS));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, h, p, FFN_UP, ROWS);
    return alm_tape_add(t, x, alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, ROWS));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_phi3 = {
    .name = "phi3",
    .row = rows,
    .n_rows = ROWS,
    .origins = origins,
    .settings = settings,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
