/* SPDX-License-Identifier: Apache-2.0
 *
 * mixtral.c - the Mixtral family (docs/model/mixtral.md): Llama whose feed-forward part is a mixture of experts.
 *
 *     p = softmax(h Wrouter^T);  the two most probable experts;  their p divided by the sum of both
 *     x = x + sum of p_e (silu(h Wgate_e^T) * h Wup_e^T) Wdown_e^T
 *
 * An expert is a weight of its own; in a GGUF it is a part of a stack, in Hugging Face a tensor. */
#include "model/family.h"

enum {
    EMBEDDING,
    ATTN_NORM,
    ATTN_Q,
    ATTN_K,
    ATTN_V,
    ATTN_OUTPUT,
    FFN_NORM,
    ROUTER,
    EXPERT_GATE,
    EXPERT_UP,
    EXPERT_DOWN,
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
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "post_attention_layernorm", HIDDEN),
    [ROUTER] = ALM_LAYER_MATRIX("ffn_gate_inp", "block_sparse_moe.gate", EXPERTS, HIDDEN, 0),
    [EXPERT_GATE] =
        ALM_LAYER_MATRIX("ffn_gate_exps", "block_sparse_moe.experts.#.w1", EXPERT_FFN, HIDDEN, ALM_ROW_EXPERTS),
    [EXPERT_UP] = ALM_LAYER_MATRIX("ffn_up_exps", "block_sparse_moe.experts.#.w3", EXPERT_FFN, HIDDEN, ALM_ROW_EXPERTS),
    [EXPERT_DOWN] = ALM_LAYER_MATRIX("ffn_down_exps", "block_sparse_moe.experts.#.w2", HIDDEN, EXPERT_FFN,
                                     ALM_ROW_EXPERTS | ALM_ROW_RESIDUAL),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

/* In GGUF it is a llama with experts. */
static bool claims(alm_settings *s) { return !s->g || alm_settings_count(s, "expert_count", NULL, 0) > 0; }

static void settings(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 1e6);
    c->window = alm_settings_count(s, "attention.sliding_window", "sliding_window", 0);
    if (c->window) alm_settings_local(c, s, 0);
    c->n_experts = alm_settings_count(s, "expert_count", "num_local_experts", s->g ? ALM_REQUIRED : 8);
    c->n_experts_used = alm_settings_count(s, "expert_used_count", "num_experts_per_tok", s->g ? ALM_REQUIRED : 2);
    c->expert_ffn = c->ffn;
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){"attention_bias", NULL});
}

/* Older files of llama.cpp have a tensor an expert; transformers 5 can keep gate and up of all experts in one stack. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    static const char *const alone[ROWS] = {[EXPERT_GATE] = "blk.%.ffn_gate.#.weight",
                                            [EXPERT_UP] = "blk.%.ffn_up.#.weight",
                                            [EXPERT_DOWN] = "blk.%.ffn_down.#.weight"};
    if (row == ROUTER) alm_origin_name(&slot->origin[2], ALM_IN_HF, "model.layers.%.mlp.gate.weight", layer, expert);
    if (!alone[row]) return;
    alm_origin *stack = &slot->origin[3];
    alm_origin_name(&slot->origin[2], ALM_IN_GGUF, alone[row], layer, expert);
    alm_origin_name(stack, ALM_IN_HF,
                    row == EXPERT_DOWN ? "model.layers.%.mlp.experts.down_proj"
                                       : "model.layers.%.mlp.experts.gate_up_proj",
                    layer, expert);
    size_t both = row == EXPERT_DOWN ? 1 : 2;
    stack->rows = c->n_experts * both * slot->n_rows;
    stack->first = (expert * both + (row == EXPERT_UP)) * slot->n_rows;
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
    const alm_moe moe = {.n_experts = c->n_experts,
                         .n_used = c->n_experts_used,
                         .gate = alm_pass_weight(p, EXPERT_GATE),
                         .up = alm_pass_weight(p, EXPERT_UP),
                         .down = alm_pass_weight(p, EXPERT_DOWN),
                         .renormalise = true};
    return alm_tape_add(t, x, alm_tape_moe(t, h, alm_pass_linear(t, h, p, ROUTER, ROWS), &moe));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_mixtral = {
    .name = "mixtral",
    .neighbours = true,
    .row = rows,
    .n_rows = ROWS,
    .claims = claims,
    .settings = settings,
    .origins = origins,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
