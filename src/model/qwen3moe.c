/* SPDX-License-Identifier: Apache-2.0
 *
 * qwen3moe.c - the Qwen3 MoE family (docs/model/qwen3moe.md): Qwen3 whose feed-forward part is a mixture of experts, in all
 * layers or some.
 *
 *     q, k normed head by head before they rotate
 *     p = softmax(h Wrouter^T);  the most probable experts;  with norm_topk_prob their p divided by the sum of all of theirs
 *     x = x + sum of p_e (silu(h Wgate_e^T) * h Wup_e^T) Wdown_e^T */
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
    [ATTN_Q_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_q", "self_attn.q_proj", Q, ALM_ROW_Q),
    [ATTN_K_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_k", "self_attn.k_proj", KV, ALM_ROW_KV),
    [ATTN_V_BIAS] = ALM_LAYER_BIAS_WHEN(attention_bias, "attn_v", "self_attn.v_proj", KV, 0),
    [ATTN_Q_NORM] = ALM_LAYER_NORM("attn_q_norm", "self_attn.q_norm", HEAD),
    [ATTN_K_NORM] = ALM_LAYER_NORM("attn_k_norm", "self_attn.k_norm", HEAD),
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS_WHEN(output_bias, "attn_output", "self_attn.o_proj", HIDDEN, 0),
    [FFN_NORM] = ALM_LAYER_NORM("ffn_norm", "post_attention_layernorm", HIDDEN),
    [FFN_GATE] = ALM_LAYER_MATRIX("ffn_gate", "mlp.gate_proj", FFN, HIDDEN, ALM_ROW_DENSE),
    [FFN_UP] = ALM_LAYER_MATRIX("ffn_up", "mlp.up_proj", FFN, HIDDEN, ALM_ROW_DENSE),
    [FFN_DOWN] = ALM_LAYER_MATRIX("ffn_down", "mlp.down_proj", HIDDEN, FFN, ALM_ROW_DENSE | ALM_ROW_RESIDUAL),
    [ROUTER] = ALM_LAYER_MATRIX("ffn_gate_inp", "mlp.gate", EXPERTS, HIDDEN, ALM_ROW_MIXED),
    [EXPERT_GATE] = ALM_LAYER_MATRIX("ffn_gate_exps", "mlp.experts.#.gate_proj", EXPERT_FFN, HIDDEN, ALM_ROW_EXPERTS),
    [EXPERT_UP] = ALM_LAYER_MATRIX("ffn_up_exps", "mlp.experts.#.up_proj", EXPERT_FFN, HIDDEN, ALM_ROW_EXPERTS),
    [EXPERT_DOWN] = ALM_LAYER_MATRIX("ffn_down_exps", "mlp.experts.#.down_proj", HIDDEN, EXPERT_FFN,
                                     ALM_ROW_EXPERTS | ALM_ROW_RESIDUAL),
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

/* Layers without experts: config.json says how many layers apart those with them are, the last layer of each step being one,
 * and names exceptions. GGUF has no word for them. */
static void dense_layers(alm_config *c, alm_settings *s) {
    size_t step = alm_settings_count(s, NULL, "decoder_sparse_step", 1);
    if (step == 0) {
        alm_settings_refuse(s, "bad_value: decoder_sparse_step is 0");
        return;
    }
    if (s->g || s->status != ALM_OK) return;
    alm_settings_layers(s, "mlp_only_layers", c->dense);
    for (size_t i = 0; i < c->n_layers && i < ALM_MODEL_MAX_LAYERS; i++)
        if (c->n_experts == 0 || (i + 1) % step) c->dense[i / 8] |= (unsigned char)(1U << i % 8);
    if (c->n_experts == 0) c->n_experts_used = 0;
}

static void settings(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 10000.0);
    /* Of all layers: max_window_layers means nothing here. */
    bool windowed = alm_settings_bool(s, NULL, "use_sliding_window", false);
    c->window = windowed ? alm_settings_count(s, NULL, "sliding_window", 0) : 0;
    if (c->window) alm_settings_local(c, s, 0);
    bool newer = alm_settings_has(s, NULL, "num_local_experts"); /* transformers 5 */
    c->n_experts =
        alm_settings_count(s, "expert_count", newer ? "num_local_experts" : "num_experts", s->g ? ALM_REQUIRED : 128);
    c->n_experts_used = alm_settings_count(s, "expert_used_count", "num_experts_per_tok", s->g ? ALM_REQUIRED : 8);
    c->expert_ffn =
        alm_settings_count(s, "expert_feed_forward_length", "moe_intermediate_size", s->g ? ALM_REQUIRED : 768);
    c->experts_renormalise = alm_settings_bool(s, NULL, "norm_topk_prob", s->g != NULL);
    dense_layers(c, s);
    alm_settings_attention_bias(c, s);
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){NULL});
}

/* transformers 5 can keep gate and up of all experts in one stack. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    if (row != EXPERT_GATE && row != EXPERT_UP && row != EXPERT_DOWN) return;
    alm_origin *stack = &slot->origin[2];
    alm_origin_name(stack, ALM_IN_HF,
                    row == EXPERT_DOWN ? "model.layers.%.mlp.experts.down_proj"
                                       : "model.layers.%.mlp.experts.gate_up_proj",
                    layer, expert);
    size_t both = row == EXPERT_DOWN ? 1 : 2;
    stack->rows = c->n_experts * both * slot->n_rows;
    stack->first = (expert * both + (row == EXPERT_UP)) * slot->n_rows;
}

static alm_node *mixture(alm_tape *t, alm_node *h, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    const alm_moe moe = {.n_experts = c->n_experts,
                         .n_used = c->n_experts_used,
                         .gate = alm_pass_weight(p, EXPERT_GATE),
                         .up = alm_pass_weight(p, EXPERT_UP),
                         .down = alm_pass_weight(p, EXPERT_DOWN),
                         .renormalise = c->experts_renormalise};
    return alm_tape_moe(t, h, alm_pass_linear(t, h, p, ROUTER, ROWS), &moe);
}

static alm_node *dense(alm_tape *t, alm_node *h, const alm_pass *p) {
    alm_node *gate = alm_pass_linear(t, h, p, FFN_GATE, ROWS), *up = alm_pass_linear(t, h, p, FFN_UP, ROWS);
    return alm_pass_linear(t, alm_tape_swiglu(t, gate, up), p, FFN_DOWN, ROWS);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rmsnorm(t, q, p, ATTN_Q_NORM);
    k = alm_pass_rmsnorm(t, k, p, ATTN_K_NORM);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    x = alm_tape_add(t, x, alm_pass_linear(t, alm_pass_attention(t, q, k, v, p), p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS));
    h = alm_pass_rmsnorm(t, x, p, FFN_NORM);
    return alm_tape_add(t, x, alm_config_is_dense(c, p->layer) ? dense(t, h, p) : mixture(t, h, p));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_qwen3moe = {
    .name = "qwen3moe",
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .origins = origins,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
