/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/batch.h - the next tokens of some sessions, computed together: their rows lie side by side in the steps of one tape, and
 * none sees another. */
#ifndef ALM_ENGINE_BATCH_H
#define ALM_ENGINE_BATCH_H

#include "engine/session.h"

/* One thread at a time computes with a batch and with the sessions that it is given. */
typedef struct alm_batch alm_batch;

enum { ALM_BATCH_ROWS = 512 };

/* step_rows bounds the rows of a step and so the memory that it takes, 0 for ALM_BATCH_ROWS; no result depends on it. The model
 * (packed, when many steps follow) and the compute must outlive the batch. */
alm_status alm_batch_new(alm_batch **out, alm_model *m, alm_compute *c, size_t step_rows, alm_error *err);
void alm_batch_free(alm_batch *b); /* NULL is fine */

/* Bytes that a step takes while it is computed, beside weights, keys and values: step_rows tokens (0 for ALM_BATCH_ROWS; no more
 * than the context) that begin a text, or the whole text for an encoder, and the logits of the last of them. Planned with c's
 * threads, not computed: it takes milliseconds. */
alm_status alm_batch_bytes(size_t *out, alm_model *m, alm_compute *c, size_t step_rows, size_t context, alm_error *err);

/* Tokens [n], n > 0, that a session takes next. The last n_logits of them give logits [n_logits][n_vocab]. */
typedef struct alm_feed {
    alm_session *session;
    const uint32_t *id;
    size_t n, n_logits;
    float *logits;
} alm_feed;

/* Feeds the sessions, each named once. Either all have taken their tokens, or, with an error, none has: ALM_LIMIT when the
 * tokens do not fit a session's context, ALM_INVALID for an id that the model does not have. */
alm_status alm_batch_run(alm_batch *b, const alm_feed *feed, size_t n, alm_error *err);
/* The same for one session. */
alm_status alm_batch_feed(alm_batch *b, alm_session *s, const uint32_t *id, size_t n, size_t n_logits, float *logits,
                          alm_error *err);

#endif
