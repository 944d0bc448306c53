/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c - packs the tokens of several sessions into steps and gives each session its logits.
 *
 *     feeds        a: t0 t1 t2      b: t0      c: t0 t1 t2 t3 t4         steps of 6 rows
 *     step 0       a: t0 t1 t2      b: t0      c: t0 t1
 *     step 1                                   c: t2 t3 t4
 *
 * A step holds sessions of one context length only, because the context is said once for a step (alm_rows). Logits are computed
 * for the rows that somebody wants: the head is often as much work as all layers.
 *
 * Invariant: in a call, session s has taken s->length tokens, of them those of this call behind what it had at first; a failure
 * truncates each to that. */
#include "engine/batch.h"

#include "base/alloc.h"
#include "engine/session_inner.h"

struct alm_batch {
    alm_model *m;
    alm_tape *tape;
    size_t rows;                                    /* most in a step */
    uint32_t *id, *pick, *start, *position, *which; /* [rows], start [rows + 1]; which: the feed of a document */
    alm_kv **kv;                                    /* [rows] */
    float *logits;                                  /* of a step */
    size_t cap_logits;
    size_t *begin; /* [feeds] length of each session before the call */
    size_t cap_begin;
};

alm_status alm_batch_new(alm_batch **out, alm_model *m, alm_compute *c, size_t step_rows, alm_error *err) {
    size_t n = step_rows ? step_rows : ALM_BATCH_ROWS;
    if (n >= UINT32_MAX) return alm_fail(err, ALM_INVALID, "%zu rows in one step are too many", n);
    alm_batch *b = alm_calloc(1, sizeof *b);
    if (!b) return alm_fail_memory(err);
    b->m = m;
    b->rows = n;
    b->id = alm_calloc(n, sizeof *b->id);
    b->pick = alm_calloc(n, sizeof *b->pick);
    b->start = alm_calloc(n + 1, sizeof *b->start);
    b->position = alm_calloc(n, sizeof *b->position);
    b->which = alm_calloc(n, sizeof *b->which);
    b->kv = alm_calloc(n, sizeof(alm_kv *));
    alm_status st = b->id && b->pick && b->start && b->position && b->which && b->kv ? ALM_OK : alm_fail_memory(err);
    if (st == ALM_OK) st = alm_tape_new(&b->tape, c, ALM_TAPE_INFER, 0, err);
    if (st != ALM_OK) return alm_batch_free(b), st;
    return *out = b, ALM_OK;
}

void alm_batch_free(alm_batch *b) {
    if (!b) return;
    alm_tape_free(b->tape);
    alm_free(b->id);
    alm_free(b->pick);
    alm_free(b->start);
    alm_free(b->position);
    alm_free(b->which);
    alm_free(b->kv);
    alm_free(b->logits);
    alm_free(b->begin);
    alm_free(b);
}

/* A tape plans all of a step before it asks for memory: one that may have a single byte ends there, and knows how much it wanted. */
alm_status alm_batch_bytes(size_t *out, alm_model *m, alm_compute *c, size_t step_rows, size_t context,
                           alm_error *err) {
    const alm_config *config = alm_model_config(m);
    size_t n = step_rows ? step_rows : ALM_BATCH_ROWS;
    if (config->encoder || n > context) n = context;
    if (n == 0 || n >= UINT32_MAX) return alm_fail(err, ALM_INVALID, "a step of %zu rows", n);
    uint32_t *id = alm_calloc(n, sizeof *id), start[] = {0, (uint32_t)n}, last = (uint32_t)n - 1;
    const alm_rows rows = {
        .n = n, .n_docs = 1, .id = id, .start = start, .context = context, .pick = &last, .n_pick = 1};
    alm_tape *tape = NULL;
    alm_status st = id ? alm_tape_new(&tape, c, ALM_TAPE_INFER, 1, err) : alm_fail_memory(err);
    if (st == ALM_OK)
        st = config->encoder ? alm_model_read(m, tape, &rows, NULL, err) : alm_model_logits(m, tape, &rows, NULL, err);
    if (st == ALM_LIMIT) *out = alm_tape_bytes(tape), st = ALM_OK;
    alm_tape_free(tape);
    alm_free(id);
    return st;
}

/* -- before the first step -------------------------------------------------------------------------------------------- */

static alm_status check_feed(const alm_batch *b, const alm_feed *f, alm_error *err) {
    const alm_session *s = f->session;
    size_t n_vocab = alm_model_config(b->m)->n_vocab;
    if (s->m != b->m) return alm_fail(err, ALM_MISMATCH, "a session of another model");
    if (f->n == 0 || f->n_logits > f->n)
        return alm_fail(err, ALM_INVALID, "%zu tokens, and logits of %zu of them", f->n, f->n_logits);
    if (f->n > s->context - s->length) {
        if (s->length == 0) alm_fail(err, ALM_LIMIT, "%zu tokens do not fit a context of %zu", f->n, s->context);
        else
            alm_fail(err, ALM_LIMIT, "%zu tokens and %zu more do not fit a context of %zu", s->length, f->n,
                     s->context);
        return ALM_LIMIT;
    }
    for (size_t i = 0; i < f->n; i++)
        if (f->id[i] >= n_vocab)
            return alm_fail(err, ALM_INVALID, "token %u at place %zu; the vocabulary has %zu", f->id[i], s->length + i,
                            n_vocab);
    return ALM_OK;
}

/* Room for the tokens of the call, so that nothing can fail behind a step. */
static alm_status check_feeds(alm_batch *b, const alm_feed *feed, size_t n, alm_error *err) {
    alm_status st = ALM_OK;
    size_t marked = 0;
    if (!alm_grow((void **)&b->begin, &b->cap_begin, n, sizeof *b->begin)) return alm_fail_memory(err);
    for (; marked < n && st == ALM_OK; marked++) {
        alm_session *s = feed[marked].session;
        if (s->in_batch) {
            st = alm_fail(err, ALM_INVALID, "a session stands twice in one call");
            break;
        }
        s->in_batch = true;
        b->begin[marked] = s->length;
        st = check_feed(b, &feed[marked], err);
        if (st == ALM_OK && !alm_grow((void **)&s->token, &s->cap_tokens, s->length + feed[marked].n, sizeof *s->token))
            st = alm_fail_memory(err);
    }
    while (marked > 0) feed[--marked].session->in_batch = false;
    return st;
}

/* -- steps -------------------------------------------------------------------------------------------------------------- */

static size_t taken(const alm_batch *b, const alm_feed *feed, size_t i) {
    return feed[i].session->length - b->begin[i];
}

/* Rows of one step into b: gives the documents. Feeds before *first are done. */
static size_t pack(alm_batch *b, const alm_feed *feed, size_t n, size_t *first, alm_rows *rows) {
    size_t n_rows = 0, n_docs = 0, n_pick = 0;
    while (*first < n && taken(b, feed, *first) == feed[*first].n) ++*first;
    if (*first == n) return 0;
    size_t context = feed[*first].session->context;
    for (size_t i = *first; i < n && n_rows < b->rows; i++) {
        const alm_feed *f = &feed[i];
        const alm_session *s = f->session;
        size_t done = taken(b, feed, i), m = f->n - done < b->rows - n_rows ? f->n - done : b->rows - n_rows;
        if (m == 0 || s->context != context) continue;
        b->which[n_docs] = (uint32_t)i;
        b->start[n_docs] = (uint32_t)n_rows;
        b->position[n_docs] = (uint32_t)s->length;
        b->kv[n_docs++] = s->kv;
        for (size_t k = 0; k < m; k++) {
            if (done + k >= f->n - f->n_logits) b->pick[n_pick++] = (uint32_t)(n_rows + k);
            b->id[n_rows + k] = f->id[done + k];
        }
        n_rows += m;
    }
    b->start[n_docs] = (uint32_t)n_rows;
    *rows = (alm_rows){.n = n_rows,
                       .n_docs = n_docs,
                       .id = b->id,
                       .start = b->start,
                       .position = b->position,
                       .kv = b->kv,
                       .context = context,
                       .pick = b->pick,
                       .n_pick = n_pick};
    return n_docs;
}

/* Tokens of a computed step belong to their sessions; logits go to whom they were promised. */
static void deliver(const alm_batch *b, const alm_feed *feed, const alm_rows *rows, const float *logits) {
    size_t n_vocab = alm_model_config(b->m)->n_vocab;
    for (size_t d = 0; d < rows->n_docs; d++) {
        const alm_feed *f = &feed[b->which[d]];
        alm_session *s = f->session;
        size_t done = taken(b, feed, b->which[d]), m = rows->start[d + 1] - rows->start[d], silent = f->n - f->n_logits;
        memcpy(s->token + s->length, f->id + done, m * sizeof *s->token);
        s->length += m;
        size_t from = done > silent ? done : silent;
        if (done + m <= from) continue;
        size_t numbers = (done + m - from) * n_vocab;
        float *to = f->logits + (from - silent) * n_vocab;
        if (to != logits) memcpy(to, logits, numbers * sizeof *to);
        logits += numbers;
    }
}

/* Where the logits of a step go first: to their owner, when there is one only. */
static alm_status place(float **out, alm_batch *b, const alm_feed *feed, const alm_rows *rows, alm_error *err) {
    size_t n_vocab = alm_model_config(b->m)->n_vocab, numbers;
    const alm_feed *f = &feed[b->which[0]];
    if (rows->n_docs == 1 && rows->n_pick > 0) {
        size_t before = taken(b, feed, b->which[0]) + rows->n - rows->n_pick - (f->n - f->n_logits);
        return *out = f->logits + before * n_vocab, ALM_OK;
    }
    if (!alm_mul_size(&numbers, rows->n_pick, n_vocab) ||
        !alm_grow((void **)&b->logits, &b->cap_logits, numbers, sizeof *b->logits))
        return alm_fail_memory(err);
    return *out = b->logits, ALM_OK;
}

alm_status alm_batch_run(alm_batch *b, const alm_feed *feed, size_t n, alm_error *err) {
    alm_status st = check_feeds(b, feed, n, err);
    if (st != ALM_OK) return st;
    alm_rows rows;
    for (size_t first = 0; st == ALM_OK && pack(b, feed, n, &first, &rows) > 0;) {
        float *logits = NULL;
        alm_tape_reset(b->tape);
        if ((st = place(&logits, b, feed, &rows, err)) == ALM_OK)
            st = alm_model_logits(b->m, b->tape, &rows, logits, err);
        if (st == ALM_OK) deliver(b, feed, &rows, logits);
    }
    for (size_t i = 0; st != ALM_OK && i < n; i++) {
        alm_session *s = feed[i].session;
        s->length = b->begin[i];
        alm_kv_truncate(s->kv, s->length); /* also what a step left that did not end */
    }
    return st;
}

alm_status alm_batch_feed(alm_batch *b, alm_session *s, const uint32_t *id, size_t n, size_t n_logits, float *logits,
                          alm_error *err) {
    const alm_feed feed = {s, id, n, n_logits, logits};
    return alm_batch_run(b, &feed, 1, err);
}
