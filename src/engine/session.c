/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - a session's life: sized before it begins, rewound, freed. */
#include "base/alloc.h"
#include "base/memory.h"
#include "engine/session_inner.h"

size_t alm_session_bytes(const alm_model *m, size_t context) {
    const alm_config *c = alm_model_config(m);
    size_t bytes, tokens;
    if (!alm_mul_size(&bytes, alm_kv_bytes(c->n_kv_heads, c->head_dim, context), c->n_layers) ||
        !alm_mul_size(&tokens, context, sizeof(uint32_t)) || !alm_add_size(&bytes, bytes, tokens))
        return SIZE_MAX;
    return bytes;
}

alm_status alm_session_new(alm_session **out, alm_model *m, size_t context, size_t limit_bytes, alm_error *err) {
    size_t most = alm_model_config(m)->context, want = context ? context : most;
    if (alm_model_config(m)->encoder) {
        return alm_fail(err, ALM_UNSUPPORTED, "a model of the family %s reads whole texts: it says no next token",
                        alm_model_config(m)->family);
    }
    if (want > most) return alm_fail(err, ALM_INVALID, "a context of %zu; the model's has %zu", want, most);
    size_t bytes = alm_session_bytes(m, want), left = limit_bytes ? limit_bytes : alm_memory_free();
    if (left && bytes > left) {
        const double mb = 1e6;
        alm_fail(err, ALM_LIMIT, "keys and values of a context of %zu take %.1f MB, %.1f MB are %s", want,
                 (double)bytes / mb, (double)left / mb, limit_bytes ? "allowed" : "free");
        return alm_hint(err, "a shorter context takes less memory"), ALM_LIMIT;
    }
    alm_session *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->m = m;
    s->context = want;
    alm_status st = alm_kv_new(&s->kv, err);
    if (st != ALM_OK) return alm_session_free(s), st;
    return *out = s, ALM_OK;
}

void alm_session_free(alm_session *s) {
    if (!s) return;
    alm_kv_free(s->kv);
    alm_free(s->token);
    alm_free(s);
}

size_t alm_session_context(const alm_session *s) { return s->context; }
size_t alm_session_length(const alm_session *s) { return s->length; }
const uint32_t *alm_session_tokens(const alm_session *s) { return s->token; }

void alm_session_truncate(alm_session *s, size_t n) {
    if (n >= s->length) return;
    s->length = n;
    alm_kv_truncate(s->kv, n);
}

size_t alm_session_keep(alm_session *s, const uint32_t *id, size_t n) {
    size_t same = 0;
    while (same < n && same < s->length && s->token[same] == id[same]) same++;
    return alm_session_truncate(s, same), same;
}
