/* SPDX-License-Identifier: Apache-2.0
 *
 * model/model.h - a language model: its configuration, its weights by name, its forward pass (one file a family, one row in
 * families.def). The same pass runs and trains (tensor/tape.h). */
#ifndef ALM_MODEL_MODEL_H
#define ALM_MODEL_MODEL_H

#include "base/error.h"
#include "base/str.h"
#include "format/gguf.h"
#include "tensor/tape.h"

/* How rope_factor slows the turning of pairs; without a factor nothing does. */
typedef enum alm_rope_kind {
    ALM_ROPE_LLAMA3, /* slow pairs by the factor, fast ones not, between them blended by wavelength */
    ALM_ROPE_LINEAR, /* all pairs by the factor */
    ALM_ROPE_YARN,   /* slow pairs by the factor, fast ones not, between them a ramp over the pairs */
    ALM_ROPE_LONG    /* each pair by a divisor of its own: one set for short contexts, one for long ones */
} alm_rope_kind;

typedef enum alm_activation { ALM_ACT_SILU, ALM_ACT_GELU_TANH, ALM_ACT_GELU_ERF } alm_activation;

/* One vector of a text: the mean over its positions, that of its first position, that of its last one. */
typedef enum alm_pooling { ALM_POOL_UNSAID, ALM_POOL_MEAN, ALM_POOL_FIRST, ALM_POOL_LAST } alm_pooling;

enum { ALM_MODEL_MAX_LAYERS = 4096, ALM_ROPE_MAX_DIVISORS = 256 };

/* What a model's numbers mean, whatever the family. Zero everywhere behind `tied` is the plain Llama, so that a configuration
 * made by hand need not know what other families added. */
typedef struct alm_config {
    char family[32]; /* a row of families.def: "llama" */
    size_t n_vocab, hidden, n_layers, n_heads, n_kv_heads, head_dim, ffn, context;
    double norm_eps, rope_theta;
    double rope_factor, rope_low, rope_high; /* scaling of RoPE; factor 0: none. low, high: Llama 3's frequency factors,
                                              * YaRN's slow and fast number of turns */
    size_t rope_original;                    /* context before scaling */
    bool tied;                               /* the head is the embedding */
    /* RoPE, further */
    alm_rope_kind rope_kind;
    size_t rope_dims;        /* first numbers of a head that rotate; 0: all */
    double rope_amplitude;   /* cosines and sines are multiplied by it (YaRN's, longrope's attention factor); 0: 1 */
    double rope_local_theta; /* > 0: layers with a window turn by this base, unscaled */
    bool rope_ragged;        /* YaRN: the ends of the ramp are not rounded to whole pairs */
    float rope_short[ALM_ROPE_MAX_DIVISORS], rope_long[ALM_ROPE_MAX_DIVISORS]; /* ALM_ROPE_LONG: a divisor a pair */
    /* attention */
    size_t window;                                 /* 0: none; else a position sees itself and window - 1 before it, */
    unsigned char local[ALM_MODEL_MAX_LAYERS / 8]; /* in layers whose bit is set: alm_config_is_local */
    double attention_scale;                        /* of the scores; 0: 1/sqrt(head_dim) */
    double attention_softcap, final_softcap;       /* cap tanh(x / cap) of scores, of logits; 0: none */
    bool attention_bias;                           /* q, k and v have biases */
    bool output_bias;                              /* the output projection of attention has one */
    bool mlp_bias;                                 /* the feed-forward part has biases */
    /* multipliers; 0: 1 */
    double embedding_scale, residual_scale, logit_scale;
    alm_activation activation; /* of the feed-forward part */
    bool parallel;             /* attention and feed-forward part read the same x (NeoX) */
    /* mixture of experts; 0: none */
    size_t n_experts, n_experts_used, expert_ffn;
    unsigned char dense[ALM_MODEL_MAX_LAYERS / 8]; /* layers without, whose bit is set: alm_config_is_dense */
    bool experts_renormalise;                      /* the weights of those that are used are divided by their sum */
    double gate_alpha, gate_limit;                 /* limit > 0: the clamped gate of gpt-oss */
    /* encoders */
    bool encoder;    /* every position sees all of its text; there is no next token */
    bool classifies; /* n_labels logits of a text */
    size_t n_kinds, n_labels;
    alm_pooling pooling; /* how the model's authors make one vector of a text, as far as its files say so */
} alm_config;

/* Does this layer see only the window? */
static inline bool alm_config_is_local(const alm_config *c, size_t layer) {
    return c->window > 0 && (c->local[layer / 8] >> layer % 8 & 1) != 0;
}

/* Is this layer one without experts among those with them? */
static inline bool alm_config_is_dense(const alm_config *c, size_t layer) {
    return (c->dense[layer / 8] >> layer % 8 & 1) != 0;
}

typedef struct alm_model alm_model;

/* Fresh weights: normal, std 0.02 (the projections into the residual stream: / sqrt(2 n_layers)), norms 1, biases 0; Philox, so
 * the same seed gives the same bits everywhere. ALM_INVALID with the reason when the shape makes no sense. */
alm_status alm_model_new(alm_model **out, const alm_config *config, uint64_t seed, alm_error *err);
/* Names and shapes without values, each weight as if it had a gradient: for a tape in MEASURE, before memory is asked for. */
alm_status alm_model_outline(alm_model **out, const alm_config *config, alm_error *err);
/* A GGUF file, a Hugging Face directory (config.json, *.safetensors or pytorch_model.bin, sharded or not), or "builtin:" (format/builtin.h).
 * Weights stay in the mapped file in their own type. Everything is checked: each tensor there, its shape, nothing left over. */
alm_status alm_model_open(alm_model **out, const char *path, alm_error *err);
/* From an open GGUF (which must outlive it), tensors and keys under a prefix ("" for a model file, "alm.lm." inside another). */
alm_status alm_model_from_gguf(alm_model **out, const alm_gguf *g, const char *prefix, alm_error *err);
void alm_model_free(alm_model *m);

const alm_config *alm_model_config(const alm_model *m);
size_t alm_model_weight_count(const alm_model *m);
/* Llama's rows of q and k mean GGUF's order (pairs that rotate together are neighbours); a file in another order keeps it, and
 * the weight says so (alm_row_place). */
alm_weight *alm_model_weight(alm_model *m, size_t i); /* in a fixed order: embedding, layers, norm, head */
uint64_t alm_model_parameter_count(const alm_model *m);
/* Gives every weight a gradient buffer and f32 values of its own (a model that was read becomes trainable). */
alm_status alm_model_trainable(alm_model *m, alm_error *err);
/* Packs the weights for products: a model that is only read. f32 takes as much memory again, f16 and bf16 too; quantised
 * weights four bytes a number, where all of them together are at most 2^26 numbers (256 MiB). A larger model is left as it
 * lies, since 7 billion numbers would take 28 GB: its products decode block by block. */
alm_status alm_model_pack(alm_model *m, alm_compute *c, alm_error *err);

/* Keys and tensors into a writer, which keeps pointers to values of the model: they live, and say what the model says, until
 * it is next trained, written or freed. type: one with an encoder, dtype.h (norms stay f32; rows that do not fit
 * the block stay f32 too). prefix as above. ALM_UNSUPPORTED for a family that this build only reads. */
alm_status alm_model_to_gguf(alm_model *m, alm_gguf_writer *w, const char *prefix, uint32_t type, alm_error *err);
/* Can it be written at all? To be asked before work is done whose result could not be kept. */
alm_status alm_model_writable(const alm_model *m, alm_error *err);
/* Hugging Face directory: config.json and model.safetensors. */
alm_status alm_model_to_hf(alm_model *m, const char *dir, uint32_t type, alm_error *err);

/* Running. One step at a time for one model: the tables of RoPE grow with the longest document. What a step needs (rows,
 * labels) outlives it. */
/* Rows through all layers and the last norm: [n][hidden]. recompute: see tape.h. NULL after a failure (alm_tape_status). */
alm_node *alm_model_hidden(alm_model *m, alm_tape *t, const alm_rows *rows, bool recompute);
alm_weight *alm_model_head(alm_model *m);
/* hidden and cross-entropy in one: nll [n] per row, label [n] (-1: not counted). */
alm_status alm_model_loss(alm_model *m, alm_tape *t, const alm_rows *rows, const int32_t *label, float weight,
                          bool recompute, float *nll, alm_error *err);
/* logits [n][n_vocab], or [rows->n_pick][n_vocab]; a tape in INFER. */
alm_status alm_model_logits(alm_model *m, alm_tape *t, const alm_rows *rows, float *logits, alm_error *err);
/* What alm_model_hidden gives, computed and copied: [n][hidden], a tape in INFER. */
alm_status alm_model_read(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err);
/* An encoder's pooler [n_docs][hidden], tanh of the first position's product; its classifier [n_docs][n_labels]. ALM_UNSUPPORTED
 * where the file holds none. No document may be empty. */
alm_status alm_model_pooled(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err);
alm_status alm_model_labels(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err);
/* `fn` sees the stream [n][dim] of each later step in INFER: after the embedding (layer 0), after layer 1 to n_layers - 1, and
 * after the last norm (n_layers). NULL: nobody looks. The numbers live during the call. */
typedef void alm_model_watcher(void *arg, size_t layer, const float *x, size_t n, size_t dim);
void alm_model_watch(alm_model *m, alm_model_watcher *fn, void *arg);

/* -- families --------------------------------------------------------------------------------------------------------- */

/* A row of families.def. */
typedef struct alm_family_info {
    const char *name;  /* "llama" */
    const char *title; /* "Llama, Mistral, SmolLM" */
    const char *gguf;  /* names under general.architecture, blanks between */
    const char *hf;    /* model_type in config.json, blanks between */
} alm_family_info;
size_t alm_family_count(void);
const alm_family_info *alm_family_at(size_t i);

#endif
