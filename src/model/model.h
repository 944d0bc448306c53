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

typedef struct alm_config {
    char family[32]; /* a row of families.def: "llama" */
    size_t n_vocab, hidden, n_layers, n_heads, n_kv_heads, head_dim, ffn, context;
    double norm_eps, rope_theta;
    double rope_factor, rope_low, rope_high; /* Llama 3 scaling; factor 0: none */
    size_t rope_original;
    bool tied; /* the head is the embedding */
} alm_config;

typedef struct alm_model alm_model;

/* Fresh weights: normal, std 0.02 (the projections into the residual stream: / sqrt(2 n_layers)), norms 1; Philox, so the same
 * seed gives the same bits everywhere. ALM_INVALID with the reason when the shape makes no sense. */
alm_status alm_model_new(alm_model **out, const alm_config *config, uint64_t seed, alm_error *err);
/* Names and shapes without values, each weight as if it had a gradient: for a tape in MEASURE, before memory is asked for. */
alm_status alm_model_outline(alm_model **out, const alm_config *config, alm_error *err);
/* A GGUF file, a Hugging Face directory (config.json, *.safetensors, sharded or not). Weights stay in the mapped file in their
 * own type. Everything is checked: each tensor there, its shape, nothing left over. */
alm_status alm_model_open(alm_model **out, const char *path, alm_error *err);
/* From an open GGUF (which must outlive it), tensors and keys under a prefix ("" for a model file, "alm.lm." inside another). */
alm_status alm_model_from_gguf(alm_model **out, const alm_gguf *g, const char *prefix, alm_error *err);
void alm_model_free(alm_model *m);

const alm_config *alm_model_config(const alm_model *m);
size_t alm_model_weight_count(const alm_model *m);
/* Rows of q and k mean GGUF's order (pairs that rotate together are neighbours); a file in another order keeps it, and the
 * weight says so (alm_row_place). */
alm_weight *alm_model_weight(alm_model *m, size_t i); /* in a fixed order: embedding, layers, norm, head */
uint64_t alm_model_parameter_count(const alm_model *m);
/* Gives every weight a gradient buffer and f32 values of its own (a model that was read becomes trainable). */
alm_status alm_model_trainable(alm_model *m, alm_error *err);
/* Packs the weights for products: a model that is only read. f32 takes as much memory again, f16 and bf16 too; quantised
 * weights four bytes a number, where all of them together are at most 2^26 numbers (256 MiB). A larger model is left as it
 * lies, since 7 billion numbers would take 28 GB: its products decode block by block. */
alm_status alm_model_pack(alm_model *m, alm_compute *c, alm_error *err);

/* Keys and tensors into a writer, which keeps pointers to values of the model: they live, and say what the model says, until
 * it is next trained, written or freed. type: ALM_F32, ALM_F16, ALM_BF16, ALM_Q8_0 (norms stay f32; rows that do not fit
 * the block stay f32 too). prefix as above. */
alm_status alm_model_to_gguf(alm_model *m, alm_gguf_writer *w, const char *prefix, uint32_t type, alm_error *err);
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

#endif
