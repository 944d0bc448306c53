/* SPDX-License-Identifier: Apache-2.0
 *
 * pass.c - what forward passes of many families are made of. */
#include "model/family.h"

#include <math.h>

alm_weight *alm_pass_weight(const alm_pass *p, size_t row) {
    const alm_model *m = p->m;
    if (row >= m->family->n_rows) return NULL;
    bool in_layer = m->family->row[row].where == ALM_LAYER;
    size_t at = m->row_at[in_layer && alm_config_is_dense(&m->config, p->layer)][row];
    return at == SIZE_MAX ? NULL : &m->weight[at + (in_layer ? m->layer_at[p->layer] : 0)];
}

alm_node *alm_pass_linear(alm_tape *t, alm_node *x, const alm_pass *p, size_t row, size_t bias) {
    return alm_tape_linear(t, x, alm_pass_weight(p, row), alm_pass_weight(p, bias));
}

alm_node *alm_pass_rmsnorm(alm_tape *t, alm_node *x, const alm_pass *p, size_t row) {
    return alm_tape_rmsnorm(t, x, alm_pass_weight(p, row), (float)p->m->config.norm_eps);
}

alm_node *alm_pass_embed(alm_tape *t, const alm_pass *p) {
    alm_node *x = alm_tape_lookup(t, &p->m->weight[0], p->rows);
    double by = p->m->config.embedding_scale;
    return by != 0.0 ? alm_tape_scale(t, x, (float)by) : x;
}

alm_node *alm_pass_rope(alm_tape *t, alm_node *x, size_t n_heads, const alm_pass *p) {
    return alm_tape_rope(t, x, n_heads, alm_model_rope(p->m, p->rows, p->layer), p->rows);
}

alm_node *alm_pass_add(alm_tape *t, alm_node *x, alm_node *y, const alm_pass *p) {
    double by = p->m->config.residual_scale;
    return alm_tape_add(t, x, by != 0.0 ? alm_tape_scale(t, y, (float)by) : y);
}

alm_node *alm_pass_layernorm(alm_tape *t, alm_node *x, const alm_pass *p, size_t row, size_t bias) {
    return alm_tape_layernorm(t, x, alm_pass_weight(p, row), alm_pass_weight(p, bias), (float)p->m->config.norm_eps);
}

alm_node *alm_pass_activation(alm_tape *t, alm_node *x, const alm_pass *p) {
    return alm_tape_gelu(t, x, p->m->config.activation == ALM_ACT_GELU_ERF ? ALM_GELU_ERF : ALM_GELU_TANH);
}

alm_attention alm_pass_heads(const alm_pass *p) {
    const alm_config *c = &p->m->config;
    return (alm_attention){.n_heads = c->n_heads,
                           .n_kv_heads = c->n_kv_heads,
                           .head_dim = c->head_dim,
                           .scale =
                               c->attention_scale != 0.0 ? (float)c->attention_scale : 1.0F / sqrtf((float)c->head_dim),
                           .window = alm_config_is_local(c, p->layer) ? c->window : 0,
                           .softcap = (float)c->attention_softcap};
}

alm_node *alm_pass_attention(alm_tape *t, alm_node *q, alm_node *k, alm_node *v, const alm_pass *p) {
    const alm_attention a = alm_pass_heads(p);
    return alm_tape_attention(t, q, k, v, &a, p->rows);
}
