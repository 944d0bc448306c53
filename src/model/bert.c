/* SPDX-License-Identifier: Apache-2.0
 *
 * bert.c - the BERT family (docs/model/bert.md): an encoder; MiniLM, E5, BGE and their kin.
 *
 *     x = layernorm(embedding[id] + kinds[0] + positions[p])
 *     each layer:  a = attention(x Wq^T + bq, x Wk^T + bk, x Wv^T + bv), every position sees all of its text
 *                  x = layernorm((a Wo^T + bo) + x)
 *                  x = layernorm((gelu(x Wup^T + bup) Wdown^T + bdown) + x)
 *     there is no head for a next token. A pooler may follow: tanh(x[0] Wp^T + bp); and behind it a classifier.
 *
 * A text is one sentence of kind 0. */
#include "model/family.h"

enum {
    EMBEDDING,
    POSITIONS,
    KINDS,
    EMBED_NORM,
    EMBED_NORM_BIAS,
    ATTN_Q,
    ATTN_Q_BIAS,
    ATTN_K,
    ATTN_K_BIAS,
    ATTN_V,
    ATTN_V_BIAS,
    ATTN_OUTPUT,
    ATTN_OUTPUT_BIAS,
    ATTN_NORM,
    ATTN_NORM_BIAS,
    FFN_UP,
    FFN_UP_BIAS,
    FFN_DOWN,
    FFN_DOWN_BIAS,
    FFN_NORM,
    FFN_NORM_BIAS,
    POOLER,
    POOLER_BIAS,
    CLASSIFIER,
    CLASSIFIER_BIAS,
    ROWS
};

#define NAMES(gguf, hf, end) "blk.%." gguf end, "bert.encoder.layer.%." hf end, ALM_LAYER
#define MATRIX(gguf, hf, n, m, ...) \
    { NAMES(gguf, hf, ".weight"), ALM_MATRIX, ALM_X_##n, ALM_X_##m, __VA_ARGS__ }
#define NORM(gguf, hf) \
    { NAMES(gguf, hf, ".weight"), ALM_NORM, .cols = ALM_X_HIDDEN }
#define BIAS(gguf, hf, n) \
    { NAMES(gguf, hf, ".bias"), ALM_BIAS, .cols = ALM_X_##n }
#define LABELLED .when = offsetof(alm_config, classifies)

static const alm_slot_row rows[ROWS] = {
    [EMBEDDING] = {"token_embd.weight", "bert.embeddings.word_embeddings.weight", .rows = ALM_X_VOCAB,
                   .cols = ALM_X_HIDDEN},
    [POSITIONS] = {"position_embd.weight", "bert.embeddings.position_embeddings.weight", .rows = ALM_X_CONTEXT,
                   .cols = ALM_X_HIDDEN},
    [KINDS] = {"token_types.weight", "bert.embeddings.token_type_embeddings.weight", .rows = ALM_X_KINDS,
               .cols = ALM_X_HIDDEN},
    [EMBED_NORM] = {"token_embd_norm.weight", "bert.embeddings.LayerNorm.weight", .kind = ALM_NORM,
                    .cols = ALM_X_HIDDEN},
    [EMBED_NORM_BIAS] = {"token_embd_norm.bias", "bert.embeddings.LayerNorm.bias", .kind = ALM_BIAS,
                         .cols = ALM_X_HIDDEN},
    [ATTN_Q] = MATRIX("attn_q", "attention.self.query", HIDDEN, HIDDEN, 0),
    [ATTN_Q_BIAS] = BIAS("attn_q", "attention.self.query", HIDDEN),
    [ATTN_K] = MATRIX("attn_k", "attention.self.key", HIDDEN, HIDDEN, 0),
    [ATTN_K_BIAS] = BIAS("attn_k", "attention.self.key", HIDDEN),
    [ATTN_V] = MATRIX("attn_v", "attention.self.value", HIDDEN, HIDDEN, 0),
    [ATTN_V_BIAS] = BIAS("attn_v", "attention.self.value", HIDDEN),
    [ATTN_OUTPUT] = MATRIX("attn_output", "attention.output.dense", HIDDEN, HIDDEN, ALM_ROW_RESIDUAL),
    [ATTN_OUTPUT_BIAS] = BIAS("attn_output", "attention.output.dense", HIDDEN),
    [ATTN_NORM] = NORM("attn_output_norm", "attention.output.LayerNorm"),
    [ATTN_NORM_BIAS] = BIAS("attn_output_norm", "attention.output.LayerNorm", HIDDEN),
    [FFN_UP] = MATRIX("ffn_up", "intermediate.dense", FFN, HIDDEN, 0),
    [FFN_UP_BIAS] = BIAS("ffn_up", "intermediate.dense", FFN),
    [FFN_DOWN] = MATRIX("ffn_down", "output.dense", HIDDEN, FFN, ALM_ROW_RESIDUAL),
    [FFN_DOWN_BIAS] = BIAS("ffn_down", "output.dense", HIDDEN),
    [FFN_NORM] = NORM("layer_output_norm", "output.LayerNorm"),
    [FFN_NORM_BIAS] = BIAS("layer_output_norm", "output.LayerNorm", HIDDEN),
    [POOLER] = {"cls.weight", "bert.pooler.dense.weight", ALM_AFTER, ALM_MATRIX, ALM_X_HIDDEN, ALM_X_HIDDEN,
                ALM_ROW_OPTIONAL | ALM_ROW_POOLER},
    [POOLER_BIAS] = {"cls.bias", "bert.pooler.dense.bias", ALM_AFTER, ALM_BIAS, .cols = ALM_X_HIDDEN,
                     .flags = ALM_ROW_OPTIONAL},
    [CLASSIFIER] = {"cls.output.weight", "classifier.weight", ALM_AFTER, ALM_MATRIX, ALM_X_LABELS, ALM_X_HIDDEN,
                    ALM_ROW_LABELS, LABELLED},
    [CLASSIFIER_BIAS] = {"cls.output.bias", "classifier.bias", ALM_AFTER, ALM_BIAS, .cols = ALM_X_LABELS, LABELLED},
};

/* Labels of a classifier: named in config.json, counted in GGUF. */
static void labels(alm_config *c, alm_settings *s) {
    if (s->g) {
        c->classifies = alm_settings_tensor(s, "cls.output.weight");
        if (c->classifies) c->n_labels = alm_settings_rows_of(s, "cls.output.weight");
        return;
    }
    c->classifies = alm_settings_lists(s, "architectures", "BertForSequenceClassification");
    if (!c->classifies) return;
    size_t named = alm_settings_members(s, "id2label");
    c->n_labels = alm_settings_count(s, NULL, "num_labels", named ? named : 2);
}

static void settings(alm_config *c, alm_settings *s) {
    c->n_vocab = 30522, c->context = 512, c->norm_eps = 1e-12;
    alm_settings_shape(c, s);
    c->tied = true;             /* there is no head at all */
    c->n_kv_heads = c->n_heads; /* whatever the file says: the family knows no other */
    if (c->n_heads * c->head_dim != c->hidden)
        alm_settings_unsupported(s, "heads that are not hidden_size / num_attention_heads wide");
    c->rope_theta = 10000.0; /* nothing rotates */
    c->encoder = true;
    c->n_kinds =
        s->g ? alm_settings_rows_of(s, "token_types.weight") : alm_settings_count(s, NULL, "type_vocab_size", 2);
    labels(c, s);
    static const alm_pooling said[] = {ALM_POOL_UNSAID, ALM_POOL_MEAN, ALM_POOL_FIRST, ALM_POOL_LAST};
    size_t pooling = alm_settings_count(s, "pooling_type", NULL, 0);
    c->pooling = pooling < 4 ? said[pooling] : ALM_POOL_UNSAID;
    alm_settings_gelu(c, s, "hidden_act", ALM_ACT_GELU_ERF);
    if (alm_settings_bool(s, "attention.causal", "is_decoder", false))
        alm_settings_unsupported(s, "a BERT that writes");
    if (!alm_str_eq(alm_settings_text(s, NULL, "position_embedding_type", "absolute"), ALM_STR("absolute")))
        alm_settings_unsupported(s, "positions of another kind than absolute");
}

/* The first files called the weights of a norm gamma and beta. */
static void origins(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert) {
    (void)c;
    alm_str name = alm_str_of(slot->origin[1].name);
    bool weight = alm_str_ends(name, ALM_STR("LayerNorm.weight"));
    if (!weight && !alm_str_ends(name, ALM_STR("LayerNorm.bias"))) return;
    char older[ALM_ORIGIN_NAME];
    size_t n = name.n - (weight ? 6 : 4);
    memcpy(older, name.at, n);
    memcpy(older + n, weight ? "gamma" : "beta", weight ? 6 : 5);
    (void)row;
    alm_origin_name(&slot->origin[2], ALM_IN_HF, older, layer, expert);
}

static alm_node *embed(alm_tape *t, const alm_pass *p) {
    alm_node *x = alm_tape_add_row(t, alm_pass_embed(t, p), alm_pass_weight(p, KINDS), 0);
    x = alm_tape_add(t, x, alm_tape_positions(t, alm_pass_weight(p, POSITIONS), p->rows, 0));
    return alm_pass_layernorm(t, x, p, EMBED_NORM, EMBED_NORM_BIAS);
}

static alm_node *layer(alm_tape *t, alm_node *x, const alm_pass *p) {
    alm_node *q = alm_pass_linear(t, x, p, ATTN_Q, ATTN_Q_BIAS), *k = alm_pass_linear(t, x, p, ATTN_K, ATTN_K_BIAS),
             *v = alm_pass_linear(t, x, p, ATTN_V, ATTN_V_BIAS);
    alm_attention how = alm_pass_heads(p);
    how.both_ways = true;
    alm_node *h = alm_tape_attention(t, q, k, v, &how, p->rows);
    h = alm_pass_linear(t, h, p, ATTN_OUTPUT, ATTN_OUTPUT_BIAS);
    x = alm_pass_layernorm(t, alm_tape_add(t, h, x), p, ATTN_NORM, ATTN_NORM_BIAS);
    h = alm_pass_activation(t, alm_pass_linear(t, x, p, FFN_UP, FFN_UP_BIAS), p);
    h = alm_pass_linear(t, h, p, FFN_DOWN, FFN_DOWN_BIAS);
    return alm_pass_layernorm(t, alm_tape_add(t, h, x), p, FFN_NORM, FFN_NORM_BIAS);
}

static alm_node *last(alm_tape *t, alm_node *x, const alm_pass *p) {
    (void)t, (void)p;
    return x;
}

/* An encoder alone has no bert. in front; what a pretrained one guesses words with is not computed. */
static const char *const hf_roots[] = {"bert.", "", NULL}, *const ignored[] = {"*embeddings.position_ids",
                                                                               "cls.predictions.*",
                                                                               "cls.seq_relationship.*", NULL};

const alm_family alm_family_bert = {
    .name = "bert",
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
