/* SPDX-License-Identifier: Apache-2.0
 *
 * train/trainer.h - what the files of this room share: the inside of a trainer. */
#ifndef ALM_TRAIN_TRAINER_H
#define ALM_TRAIN_TRAINER_H

#include "train/examples.h"
#include "train/train.h"

enum { ALM_CHUNK_ITEMS = 1 << 14, ALM_MAX_LEVELS = 48 };

/* One weight of the model and where its part of the flat arrays begins. */
typedef struct alm_slot {
    alm_weight *w;
    float *value;   /* the f32 master: what the optimiser changes */
    uint16_t *bf16; /* what products read where bf16 is on and the weight is a matrix, else NULL */
    size_t at, n;   /* in the flat arrays below */
    bool decays;
} alm_slot;

/* A piece of one weight: elementwise work is divided here, never inside. */
typedef struct alm_chunk {
    uint32_t slot;
    uint32_t n;
    size_t from; /* in the weight */
} alm_chunk;

struct alm_trainer {
    alm_model *m;
    alm_compute *c;
    alm_train_options o;
    alm_schedule schedule;
    alm_examples train, eval;
    alm_micro micro;
    float *nll;     /* [micro.cap_rows] */
    alm_tape *tape; /* NULL until the next step needs it */

    alm_slot *slot;
    size_t n_slot;
    alm_chunk *chunk;
    size_t n_chunk, n_flat;
    float *moment1, *moment2, *best; /* [n_flat]; best NULL where nothing is evaluated */
    float *level[ALM_MAX_LEVELS];    /* [n_flat] gradients of 2^k micro-batches that wait for their neighbours */
    uint16_t *bf16;                  /* [n_flat] or NULL */

    uint64_t step, tokens, best_step, bad_evals;
    double best_loss, eval_loss;
    bool stopped; /* early, or by the clock */
    alm_train_point *point;
    size_t point_cap; /* n is step */
    int64_t began_ns, used_before_ns;
    char train_digest[65], eval_digest[65];
};

/* update.c: gradients added up, measured, applied. All of it elementwise or in a fixed order. */
void alm_trainer_zero_gradients(alm_trainer *t);
/* After the backward pass of micro-batch i: merges with what waits, and waits itself unless it is the last. */
alm_status alm_trainer_carry(alm_trainer *t, uint64_t i, bool last, alm_error *err);
double alm_trainer_norm(alm_trainer *t);
void alm_trainer_update(alm_trainer *t, double lr, double scale);
/* Products read weights again after they were changed from outside. */
void alm_trainer_round_weights(alm_trainer *t);

/* How many gradients may wait at once. */
size_t alm_train_levels(const alm_train_options *o);
/* Replaces zeros that mean "as usual" and refuses what makes no sense. */
alm_status alm_train_options_check(alm_train_options *o, const alm_config *config, alm_error *err);

#endif
