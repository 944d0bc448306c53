/* SPDX-License-Identifier: Apache-2.0
 *
 * train/examples.h - documents become batches: cut into pieces, shuffled, packed side by side without padding.
 *
 * A piece is at most `context` rows of one document: token i is read, token i + 1 is its label. The next piece of a longer document
 * begins where the last label stood, so that every token but a document's first is predicted once an epoch. */
#ifndef ALM_TRAIN_EXAMPLES_H
#define ALM_TRAIN_EXAMPLES_H

#include "base/error.h"
#include "tensor/tape.h"
#include "train/train.h"

typedef struct alm_piece {
    uint64_t at; /* of its first row in alm_documents.id */
    uint32_t n;  /* rows: labels are at + 1 .. at + n */
} alm_piece;

typedef struct alm_examples {
    const alm_documents *d;
    alm_piece *piece;
    size_t n;
    uint64_t n_rows, n_counted; /* of an epoch: all, and those whose label counts */
    uint64_t seed;
    bool shuffles;
    uint32_t *order; /* [n], of `epoch` */
    uint64_t epoch;  /* where the next piece comes from */
    size_t next;
} alm_examples;

/* Every id must be below n_vocab: ALM_MISMATCH naming the first that is not. ALM_NOT_FOUND when there is nothing to predict. */
alm_status alm_examples_new(alm_examples *out, const alm_documents *d, size_t context, size_t n_vocab, uint64_t seed,
                            bool shuffles, alm_error *err);
void alm_examples_free(alm_examples *e);
/* Goes to a place in the stream of epochs; next <= n. */
void alm_examples_seek(alm_examples *e, uint64_t epoch, size_t next);

/* What is computed at once. */
typedef struct alm_micro {
    alm_rows rows;
    size_t n_counted; /* rows whose label counts; the others have -1 */
    uint32_t *id, *start;
    int32_t *label;
    size_t cap_rows, cap_docs;
} alm_micro;
alm_status alm_micro_new(alm_micro *out, size_t n_rows, alm_error *err);
void alm_micro_free(alm_micro *m);
/* Takes pieces while they fit into `limit` rows (never beyond its capacity); at least one where there is one. Over the end of an epoch when
 * `endless`, else to the end of this epoch: false when nothing is left. */
bool alm_micro_fill(alm_micro *m, alm_examples *e, size_t limit, bool endless);

#endif
