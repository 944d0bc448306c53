/* SPDX-License-Identifier: Apache-2.0
 *
 * train/train.h - a model learns from documents: the loop, its options, what it remembers.
 *
 * The same data, options and seed give the same bits for any number of threads and instruction set. A run is cut at a step,
 * never inside: alm_trainer_step is the whole state machine, a checkpoint between two steps holds all of it. The clock has
 * a say only where a time limit is given, and what it decided can be read and given to a second run (alm_trainer_plan). */
#ifndef ALM_TRAIN_TRAIN_H
#define ALM_TRAIN_TRAIN_H

#include "base/error.h"
#include "base/str.h"
#include "model/model.h"
#include "tensor/compute.h"
#include "train/schedule.h"

/* Tokenised documents one behind the other; each begins and ends in the ids that the caller wants there (begin and end of
 * text). The first token of a document is never predicted. */
typedef struct alm_documents {
    const uint32_t *id;
    const uint64_t *start; /* [n + 1]; document d is id[start[d]] .. id[start[d + 1] - 1] */
    size_t n;
    const unsigned char
        *given; /* one for each id, or NULL: 1 where a token is only read, not to be predicted (a question) */
} alm_documents;
/* SHA-256 in hexadecimal of the ids (little-endian u32), each document behind its length (u64): what a recipe knows them by. */
alm_status alm_documents_digest(char out[65], const alm_documents *d, alm_error *err);

/* Rows are tokens that are read and whose successor is predicted. */
typedef struct alm_train_options {
    uint64_t seed;
    size_t batch_tokens; /* rows of one optimiser step, at most */
    size_t
        micro_tokens; /* rows computed at once, at most: gradient accumulation when smaller than batch_tokens (0: the same) */
    size_t context;        /* longest piece of a document, in rows; longer documents are cut */
    uint64_t steps;        /* length of the schedule; 0: by epochs, or by the time limit */
    double epochs;         /* where steps is 0: how often everything is read */
    int64_t time_limit_ns; /* where steps and epochs are 0: the schedule is made while it runs */
    double lr, lr_min_ratio, beta1, beta2, eps, weight_decay, clip; /* clip 0: none */
    uint64_t warmup;
    uint64_t decay_from; /* first step of the cosine; 0: right behind the warm-up */
    uint64_t stop_at;    /* stops here, in the middle of the schedule; 0: at its end */
    bool decay_all;      /* weight decay on vectors (norms) too, not only on matrices */
    bool bf16;           /* products with weights rounded to bf16; master weights stay f32 */
    bool recompute; /* inner activations of a layer are computed twice instead of kept: less memory, the same bits */
    uint64_t eval_every,
        patience; /* steps between evaluations; evaluations without a better loss until it stops. 0: never */
} alm_train_options;
/* 2,048 rows a step, context 256, one epoch, lr 1e-3 down to a tenth, betas 0.9 and 0.95, decay 0.1 on matrices, clip 1. */
void alm_train_defaults(alm_train_options *out);

/* Bytes that training takes at its peak. */
typedef struct alm_train_bytes {
    size_t weights, gradients, moments, best, bf16, activations, total;
} alm_train_bytes;
/* By a dry run of the tape over a full micro-batch; the model's weights need not be trainable yet. */
alm_status alm_train_memory(alm_train_bytes *out, alm_model *m, const alm_train_options *o, bool evaluates,
                            alm_error *err);
/* The same without the activations, by the configuration alone: what is too large is known before anything is allocated. */
void alm_train_memory_least(alm_train_bytes *out, const alm_config *config, const alm_train_options *o, bool evaluates);

typedef struct alm_trainer alm_trainer;
typedef struct alm_train_progress {
    uint64_t step, steps, tokens; /* steps done; of how many (0: not yet known); rows learned from so far */
    uint64_t epoch;
    double loss, lr, grad_norm;  /* of the step just done */
    double eval_loss, best_loss; /* NaN while there is none */
    uint64_t best_step;
    bool finished, evaluated, improved;
} alm_train_progress;

/* One point of the learning curve. */
typedef struct alm_train_point {
    double loss, lr, grad_norm; /* of the step */
    double eval_loss;           /* after it; NaN where there was no evaluation */
} alm_train_point;

/* The model is made trainable and must outlive it, as must the documents and c. eval may be NULL. ALM_INVALID with the reason when
 * options make no sense, ALM_NOT_FOUND when there is nothing to predict (no document of two tokens). */
alm_status alm_trainer_new(alm_trainer **out, alm_model *m, alm_compute *c, const alm_documents *train,
                           const alm_documents *eval, const alm_train_options *o, alm_error *err);
void alm_trainer_free(alm_trainer *t); /* NULL is fine */
/* One optimiser step (and an evaluation where one is due); ALM_END when the run was finished already. ALM_LIMIT naming the step when the loss or the
 * gradient is not finite: the model keeps the weights of the step before, and the trainer stays where it was. */
alm_status alm_trainer_step(alm_trainer *t, alm_train_progress *out, alm_error *err);
/* Where it stands, without a step. */
void alm_trainer_progress(const alm_trainer *t, alm_train_progress *out);
/* The schedule as it stands and the step where the run stopped, as options that give the same bits again without a clock. */
void alm_trainer_plan(const alm_trainer *t, alm_train_options *out);
/* Time that counts as used up before this trainer began (reading, tokenising): for the time limit only. */
void alm_trainer_time_used(alm_trainer *t, int64_t ns);
/* Mean loss of the held-out documents with the weights as they are. */
alm_status alm_trainer_evaluate(alm_trainer *t, double *out, alm_error *err);
/* The curve: *n points, one a step; valid until the next step. */
const alm_train_point *alm_trainer_history(const alm_trainer *t, size_t *n);
/* All state between two steps, written aside, fsynced, renamed. Read back, it continues with the same bits. ALM_REFUSED
 * naming the difference when the file was made with other data, another model or other options. */
alm_status alm_trainer_save(alm_trainer *t, const char *path, alm_error *err);
alm_status alm_trainer_load(alm_trainer *t, const char *path, alm_error *err);
/* The same from bytes; `name` stands in messages. A checkpoint that is refused leaves the trainer as it was. */
alm_status alm_trainer_parse(alm_trainer *t, const char *name, alm_str bytes, alm_error *err);
/* Puts the weights with the best evaluation loss into the model (the last ones where there was no evaluation), and the f32
 * values back where products used bf16. The trainer can only be freed afterwards. */
alm_status alm_trainer_take_best(alm_trainer *t, alm_error *err);

#endif
