/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/session.h - one text on its way through a model: the tokens so far, and the keys and values that attention keeps of
 * them. Rows are computed by engine/batch.h, alone or beside those of other sessions.
 *
 * The logits of a token have the same bits however the tokens before it came: at once, one by one, in any pieces, with or
 * without a rewind between, beside any neighbours. */
#ifndef ALM_ENGINE_SESSION_H
#define ALM_ENGINE_SESSION_H

#include "model/model.h"

typedef struct alm_session alm_session;

/* Bytes that a session takes when its context is full; SIZE_MAX when no memory could hold them. */
size_t alm_session_bytes(const alm_model *m, size_t context);
/* context: how many tokens it may come to hold, 0 for the model's; ALM_INVALID beyond that. It is fixed for the session's life,
 * because longrope turns by it (rule G). limit_bytes: ALM_LIMIT when alm_session_bytes is more; 0: what the machine has left.
 * ALM_UNSUPPORTED for an encoder. Memory is taken as tokens come. The model must outlive the session. */
alm_status alm_session_new(alm_session **out, alm_model *m, size_t context, size_t limit_bytes, alm_error *err);
void alm_session_free(alm_session *s); /* NULL is fine */

size_t alm_session_context(const alm_session *s);
size_t alm_session_length(const alm_session *s);          /* tokens that it holds */
const uint32_t *alm_session_tokens(const alm_session *s); /* [length]; lives until the next change */

/* Forgets the tokens behind the first n (a no-op where there are no more); 0 begins anew. */
void alm_session_truncate(alm_session *s, size_t n);
/* Forgets what id [n] does not begin with; gives how many tokens stayed. */
size_t alm_session_keep(alm_session *s, const uint32_t *id, size_t n);

#endif
