/* SPDX-License-Identifier: Apache-2.0
 *
 * train/train.h - a model learns from documents: the loop, its options, what it remembers.
 *
 * The same data, options and seed give the same bits for any number of threads and instruction set. A run is cut at a step,
 * never inside: alm_trainer_step is the whole state machine, a checkpoint between two steps holds all of it. */
#ifndef ALM_TRAIN_TRAIN_H
#define ALM_TRAIN_TRAIN_H

#include "base/error.h"
#include "base/str.h"
#include "model/model.h"
#include "tensor/compute.h"

/* Tokenised documents one behind the other; each ends in the end-of-text id where the tokenizer has one. */
typedef struct alm_documents {
    const uint32_t *id;
    const uint64_t *start; /* [n + 1] */
    size_t n;
} alm_documents;

typedef struct alm_train_options {
    uint64_t seed;
    size_t batch_tokens; /* tokens of one optimiser step */
    size_t micro_tokens; /* tokens computed at once: gradient accumulation when smaller than batch_tokens */
    size_t context;      /* longest document piece */
    uint64_t steps;      /* of the schedule (its length in steps); 0: set by epochs */
    double epochs;
    double lr, lr_min_ratio, beta1, beta2, eps, weight_decay, clip;
    uint64_t warmup;
    bool bf16; /* products with weights rounded to bf16; master weights stay f32 */
    bool recompute;
    uint64_t eval_every, patience; /* 0: never, no early stop */
    size_t memory_limit;           /* bytes; 0: what the machine has */
} alm_train_options;
void alm_train_defaults(alm_train_options *out);

typedef struct alm_trainer alm_trainer;
typedef struct alm_train_progress {
    uint64_t step, steps, tokens;
    double loss, lr, grad_norm;  /* of the step just done */
    double eval_loss, best_loss; /* NaN while there is none */
    bool finished, improved;
} alm_train_progress;

/* Bytes that training takes at its peak (weights, gradients, moments, activations), by a dry run of the tape. */
alm_status alm_train_memory(const alm_config *config, const alm_train_options *o, size_t *out, alm_error *err);
/* The model is made trainable and must outlive it, as must the documents. eval may be NULL. */
alm_status alm_trainer_new(alm_trainer **out, alm_model *m, alm_compute *c, const alm_documents *train,
                           const alm_documents *eval, const alm_train_options *o, alm_error *err);
void alm_trainer_free(alm_trainer *t);
/* One optimiser step. ALM_FAILED-like status when the loss is not finite: the model keeps the weights of the step before. */
alm_status alm_trainer_step(alm_trainer *t, alm_train_progress *out, alm_error *err);
/* All state between two steps, written aside then renamed; read back it continues with the same bits. */
alm_status alm_trainer_save(alm_trainer *t, const char *path, alm_error *err);
alm_status alm_trainer_load(alm_trainer *t, const char *path, alm_error *err);
/* Puts the weights with the best evaluation loss into the model (the last ones where there was no evaluation). */
alm_status alm_trainer_take_best(alm_trainer *t, alm_error *err);

#endif
