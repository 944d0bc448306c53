/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/session_inner.h - the inside of a session, for session.c and batch.c.
 *
 * Invariant: between calls kv holds `length` positions, those of token[0 .. length). */
#ifndef ALM_ENGINE_SESSION_INNER_H
#define ALM_ENGINE_SESSION_INNER_H

#include "engine/session.h"
#include "tensor/kv.h"

struct alm_session {
    alm_model *m;
    alm_kv *kv;
    size_t context, length;
    uint32_t *token;
    size_t cap_tokens;
    bool in_batch; /* a call of alm_batch_run is at it */
};

#endif
