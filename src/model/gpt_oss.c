/* SPDX-License-Identifier: Apache-2.0
 *
 * gpt_oss.c - the gpt-oss family (docs/model/gpt_oss.md): names, configuration, forward pass.
 *
 *     each layer:  h = rmsnorm(x);  q, k, v with biases;  q, k rotate;  every other layer sees only a window
 *                  attention, where each head's sink takes part in the softmax and has no value;  x = x + (a Wo^T + bo)
 *                  h = rmsnorm(x);  the experts with the highest scores h Wrouter^T + b, softmax over their scores
 *                  gate = h Wgate^T + b, at most 7;  up = h Wup^T + b, within 7
 *                  x = x + sum of p_e (((up + 1) gate / (1 + exp(-1.702 gate))) Wdown^T + b)
 *     rmsnorm(x), then the head
 *
 * Hugging Face keeps gate and up of all experts in one stack, turned over, their columns by turns; GGUF keeps two stacks. */
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
    ATTN_SINKS,
    ATTN_OUTPUT,
    ATTN_OUTPUT_BIAS,
    FFN_NORM,
    ROUTER,
    ROUTER_BIAS,
    EXPERT_GATE,
    EXPERT_UP,
    EXPERT_DOWN,
    EXPERT_GATE_BIAS,
    EXPERT_UP_BIAS,
    EXPERT_DOWN_BIAS,
    OUTPUT_NORM,
    OUTPUT,
    ROWS
};

#define EXPERTS(gguf, hf) "blk.%." gguf, "model.layers.%.mlp.experts." hf, ALM_LAYER

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = ALM_EMBEDDING_ROW,
    [ATTN_NORM] = ALM_LAYER_NORM("attn_norm", "input_layernorm", HIDDEN),
    [ATTN_Q] = ALM_LAYER_MATRIX("attn_q", "self_attn.q_proj", Q, HIDDEN, ALM_ROW_Q),
    [ATTN_K] = ALM_LAYER_MATRIX("attn_k", "self_attn.k_proj", KV, HIDDEN, ALM_ROW_KV),
    [ATTN_V] = ALM_LAYER_MATRIX("attn_v", "self_attn.v_proj", KV, HIDDEN, 0),
    [ATTN_Q_BIAS] = ALM_LAYER_BIAS("attn_q", "self_attn.q_proj", Q, 0),
    [ATTN_K_BIAS] = ALM_LAYER_BIAS("attn_k", "self_attn.k_proj", KV, 0),
    [ATTN_V_BIAS] = ALM_LAYER_BIAS("attn_v", "self_attn.v_proj", KV, 0),
    [ATTN_SINKS] = {"blk.%.attn_sinks.weight", "model.layers.%.self_attn.sinks", ALM_LAYER, ALM_BIAS,
                    .cols = ALM_X_HEADS},
    [ATTN_OUTPUT] = ALM_LAYER_MATRIX("attn_output", "self_attn.o_proj", HIDDEN, Q, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = ALM_LAYER_BIAS("attn_output", "self_attn.o_proj", HIDDEN, 0),
    [FFN_NORM] = ALM_LAYER_NORM("post_attention_norm", "post_attention_layernorm", HIDDEN),
    [ROUTER] = ALM_LAYER_MATRIX("ffn_gate_inp", "mlp.router", EXPERTS, HIDDEN, 0),
    [ROUTER_BIAS] = ALM_LAYER_BIAS("ffn_gate_inp", "mlp.router", EXPERTS, 0),
    [EXPERT_GATE] = {EXPERTS("ffn_gate_exps.weight", "gate_up_proj"), ALM_MATRIX, ALM_X_EXPERT_FFN, ALM_X_HIDDEN,
                     ALM_ROW_EXPERTS},
    [EXPERT_UP] = {EXPERTS("ffn_up_exps.weight", "gate_up_proj"), ALM_MATRIX, ALM_X_EXPERT_FFN, ALM_X_HIDDEN,
                   ALM_ROW_EXPERTS},
    [EXPERT_DOWN] = {EXPERTS("ffn_down_exps.weight", "down_proj"), ALM_MATRIX, ALM_X_HIDDEN, ALM_X_EXPERT_FFN,
                     ALM_ROW_EXPERTS | ALM_ROW_RESIDUAL},
    [EXPERT_GATE_BIAS] = {EXPERTS("ffn_gate_exps.bias", "gate_up_proj_bias"), ALM_BIAS, .cols = ALM_X_EXPERT_FFN,
                          .flags = ALM_ROW_EXPERTS},
    [EXPERT_UP_BIAS] = {EXPERTS("ffn_up_exps.bias", "gate_up_proj_bias"), ALM_BIAS, .cols = ALM_X_EXPERT_FFN,
                        .flags = ALM_ROW_EXPERTS},
    [EXPERT_DOWN_BIAS] = {EXPERTS("ffn_down_exps.bias", "down_proj_bias"), ALM_BIAS, .cols = ALM_X_HIDDEN,
                          .flags = ALM_ROW_EXPERTS},
    [OUTPUT_NORM] = ALM_LAST_NORM_ROW,
    [OUTPUT] = ALM_HEAD_ROW,
};

static void settings(alm_config *c, alm_settings *s) {
    alm_settings_shape(c, s);
    alm_settings_rope(c, s, 150000.0);
    /* GGUF has no word for it; the models' own configuration says "truncate": false. */
    if (s->g && c->rope_kind == ALM_ROPE_YARN) c->rope_ragged = true;
    c->window = alm_settings_count(s, "attention.sliding_window", "sliding_window", 128);
    if (c->window) alm_settings_local(c, s, 2);
    bool older = !alm_settings_has(s, NULL, "num_experts_per_tok");
    c->n_experts = alm_settings_count(s, "expert_count", "num_local_experts", s->g ? ALM_REQUIRED : 128);
    c->n_experts_used = alm_settings_count(s, "expert_used_count", older ? "experts_per_token" : "num_experts_per_tok",
                                           s->g ? ALM_REQUIRED : 4);
    c->expert_ffn = alm_settings_count(s, "expert_feed_forward_length", NULL, c->ffn);
    c->gate_alpha = alm_settings_real(s, "alm.gate_alpha", "swiglu_alpha", 1.702);
    c->gate_limit = alm_settings_real(s, "alm.gate_limit", "swiglu_limit", 7.0);
    c->attention_bias = c->output_bias = alm_settings_bool(s, NULL, "attention_bias", true);
    if (!c->attention_bias) alm_settings_unsupported(s, "attention without biases");
    alm_settings_only(c, s, ALM_ACT_SILU, (const char *const[]){NULL});
}

/* As OpenAI publishes them: MXFP4, rows of gate and up by turns. */
static void in_blocks(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    alm_origin *o = &slot->origin[2];
    size_t n = row == EXPERT_DOWN ? slot->n_rows : 2 * slot->n_rows;
    alm_origin_name(o, ALM_IN_HF, rows[row].hf, layer, expert);
    o->blocks = true;
    o->rows = c->n_experts * n, o->first = expert * n + (row == EXPERT_UP);
    if (row != EXPERT_DOWN) o->group = 1, o->stride = 2;
}

/* How Hugging Face lays the experts: turned over, gate and up by turns. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    alm_origin *o = &slot->origin[1];
    size_t n = c->n_experts, turn = row == EXPERT_UP || row == EXPERT_UP_BIAS;
    if (row >= EXPERT_GATE && row <= EXPERT_DOWN) in_blocks(slot, c, row, layer, expert);
    switch (row) {
    case EXPERT_GATE:
    case EXPERT_UP:
        o->transposed = true;
        o->rows = n * c->hidden, o->first = expert * c->hidden;
        o->wide = 2 * c->expert_ffn, o->wide_first = turn, o->wide_step = 2;
        break;
    case EXPERT_DOWN:
        o->transposed = true;
        o->rows = n * c->expert_ffn, o->first = expert * c->expert_ffn;
        break;
    case EXPERT_GATE_BIAS:
    case EXPERT_UP_BIAS:
        o->rows = 2 * n * c->expert_ffn, o->first = 2 * expert * c->expert_ffn + turn;
        o->group = 1, o->stride = 2;
        break;
    case EXPERT_DOWN_BIAS: o->rows = n * c->hidden, o->first = expert * c->hidden; break;
    default: break;
    }
}

static alm_node *mixture(alm_tape *t, alm_node *h, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    const alm_moe moe = {.n_experts = c->n_experts,
                         .n_used = c->n_experts_used,
                         .gate = alm_pass_weight(p, EXPERT_GATE),
                         .up = alm_pass_weight(p, EXPERT_UP),
                         .down = alm_pass_weight(p, EXPERT_DOWN),
                         .gate_bias = alm_pass_weight(p, EXPERT_GATE_BIAS),
                         .up_bias = alm_pass_weight(p, EXPERT_UP_BIAS),
                         .down_bias = alm_pass_weight(p, EXPERT_DOWN_BIAS),
                         .among_chosen = true,
                         .alpha = (float)c->gate_alpha,
                         .limit = (float)c->gate_limit};
    return alm_tape_moe(t, h, alm_pass_linear(t, h, p, ROUTER, ROUTER_BIAS), &moe);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    const alm_config *c = &p->m->config;
    alm_node *h = alm_pass_rmsnorm(t, x, p, ATTN_NORM);
    alm_node *q = alm_pass_linear(t, h, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, h, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, h, p, ATTN_V, ATTN_V_BIAS);
    q = alm_pass_rope(t, q, c->n_heads, p);
    k = alm_pass_rope(t, k, c->n_kv_heads, p);
    alm_attention how = alm_pass_heads(p);
    how.sinks = alm_pass_weight(p, ATTN_SINKS);
    h = alm_tape_attention(t, q, k, v, &how, p->rows);
    x = alm_tape_add(t, x, alm_pass_linear(t, h, p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS));
    return alm_tape_add(t, x, mixture(t, alm_pass_rmsnorm(t, x, p, FFN_NORM), p));
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) { return alm_pass_rmsnorm(t, x, p, OUTPUT_NORM); }

const alm_family alm_family_gpt_oss = {
    .name = "gpt_oss",
    .reads_mxfp4 = true,
    .row = rows,
    .n_rows = ROWS,
    .settings = settings,
    .origins = origins,
    .embed = alm_pass_embed,
    .layer = layer,
    .last = last,
};
