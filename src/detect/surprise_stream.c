/* SPDX-License-Identifier: Apache-2.0
 *
 * surprise_stream.c - the built-in model reads a stream of which nothing was learned before.
 *
 * It was trained on other logs, so how surprised it is by a line tells little by itself: by the usual line of this stream it
 * may be surprised all the time. What counts is a line that surprises it more than those that it has read here before. Their
 * last ALM_SURPRISE_RECENT statistics are the reference (those of records that alarmed are left out, as everywhere); with
 * fewer than ENOUGH it says nothing, and only from EXTREME on may an extreme be told before its turn. The part is what the
 * logarithm of the tail probability is beyond MARGIN: it was trained elsewhere, so ordinary degrees of surprise count nothing.
 *
 * Reading is dear, some milliseconds a line, and here nobody has seen before how many kinds there are: after the first
 * AT_ONCE lines at most one record in EVERY is read. What is left out is of no known kind, and is read when its turn comes. */
#include "base/alloc.h"
#include "detect/surprise.h"
#include "format/builtin.h"

#define MARGIN 3.0 /* nats: one line in twenty */

enum { ENOUGH = 50, EXTREME = 200, AT_ONCE = 1000, EVERY = 100 };

alm_status alm_surprise_builtin(alm_surprise **out, alm_error *err) {
    alm_gguf *g = NULL;
    alm_surprise *s = alm_calloc(1, sizeof *s);
    if (s) s->stream = alm_calloc(1, sizeof *s->stream);
    if (!s || !s->stream) {
        alm_surprise_free(s);
        return alm_fail_memory(err);
    }
    s->line = alm_buf_with_limit(ALM_READ_BYTES + 1);
    alm_status st = alm_gguf_open(&g, ALM_BUILTIN, err);
    if (st == ALM_OK) st = alm_lm_from_gguf(&s->lm, g, "", err);
    if (st != ALM_OK) {
        alm_surprise_free(s);
        return st;
    }
    *out = s;
    return ALM_OK;
}

bool alm_surprise_may_read(const alm_surprise *s) { return s->n_read < AT_ONCE + s->stream->n_records / EVERY; }

static void fit(alm_surprise *s) {
    double at[ALM_SURPRISE_STATS][ALM_SURPRISE_RECENT], *x[ALM_SURPRISE_STATS];
    memcpy(at, s->stream->recent, sizeof at);
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) x[i] = at[i];
    alm_surprise_fit(s, x, s->stream->n);
}

double alm_surprise_stream_part(alm_surprise *s, alm_surprise_stats *x, double *tail) {
    alm_surprise_stream *r = s->stream;
    double part = 0;
    *tail = 1;
    if (r->n >= ENOUGH) {
        fit(s);
        part = alm_surprise_part(s, x, tail) - MARGIN;
        if (part < 0) part = 0;
    }
    s->p_new = r->n < EXTREME ? 0 : ((double)s->n_read + 0.5) / ((double)r->n_records + 1);
    r->waits = true;
    r->waiting = *x;
    r->waiting_tokens = s->last.n;
    r->waiting_sum = x->x[0] * r->waiting_tokens;
    return part;
}

void alm_surprise_stream_take(alm_surprise *s) {
    alm_surprise_stream *r = s->stream;
    if (!r || !r->waits) return;
    r->waits = false;
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) r->recent[i][r->next] = r->waiting.x[i];
    r->next = (r->next + 1) % ALM_SURPRISE_RECENT;
    if (r->n < ALM_SURPRISE_RECENT) r->n++;
    r->sum += r->waiting_sum;
    r->tokens += r->waiting_tokens;
    s->usual = r->sum / r->tokens;
}
