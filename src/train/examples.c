/* SPDX-License-Identifier: Apache-2.0
 *
 * examples.c - the order of an epoch is a Fisher-Yates shuffle by Philox (key: the seed, stream: the epoch), so that it can
 * be made again from two numbers when a run resumes. Packing is greedy in that order: a piece that does not fit begins the
 * next micro-batch, and nothing is ever padded. */
#include "train/examples.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <string.h>

enum { PURPOSE_SHUFFLE = 0x73687566 }; /* docs/numbers.md */

static size_t pieces_of(uint64_t n_tokens, size_t context) {
    return n_tokens < 2 ? 0 : (size_t)((n_tokens - 2) / context + 1);
}

alm_status alm_examples_new(alm_examples *out, const alm_documents *d, size_t context, size_t n_vocab, uint64_t seed,
                            bool shuffles, alm_error *err) {
    *out = (alm_examples){.d = d, .seed = seed, .shuffles = shuffles};
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        n += pieces_of(d->start[i + 1] - d->start[i], context);
        for (uint64_t k = d->start[i]; k < d->start[i + 1]; k++)
            if (d->id[k] >= n_vocab)
                return alm_fail(err, ALM_MISMATCH, "document %zu holds token %u, the model's vocabulary has %zu", i + 1,
                                (unsigned)d->id[k], n_vocab);
    }
    size_t counted = 0;
    for (size_t i = 0; i < d->n; i++)
        for (uint64_t k = d->start[i] + 1; k < d->start[i + 1]; k++) counted += !d->given || !d->given[k];
    out->n_counted = counted;
    if (counted == 0) {
        alm_fail(err, ALM_NOT_FOUND, "there is nothing to learn from: no document has two tokens");
        alm_hint(err, "are the right files given, and the right --field?");
        return ALM_NOT_FOUND;
    }
    if (n > UINT32_MAX) return alm_fail(err, ALM_LIMIT, "%zu pieces of documents: 4294967295 are the most", n);
    out->piece = alm_calloc(n, sizeof *out->piece);
    out->order = alm_calloc(n, sizeof *out->order);
    if (!out->piece || !out->order) {
        alm_examples_free(out);
        return alm_fail_memory(err);
    }
    for (size_t i = 0; i < d->n; i++)
        for (uint64_t at = d->start[i]; at + 1 < d->start[i + 1]; at += context) {
            uint64_t rows = d->start[i + 1] - 1 - at;
            out->piece[out->n++] = (alm_piece){at, (uint32_t)(rows < context ? rows : context)};
            out->n_rows += rows < context ? rows : context;
        }
    alm_examples_seek(out, 0, 0);
    return ALM_OK;
}

void alm_examples_free(alm_examples *e) {
    alm_free(e->piece);
    alm_free(e->order);
    *e = (alm_examples){0};
}

void alm_examples_seek(alm_examples *e, uint64_t epoch, size_t next) {
    e->epoch = epoch;
    e->next = next;
    for (size_t i = 0; i < e->n; i++) e->order[i] = (uint32_t)i;
    if (!e->shuffles) return;
    alm_rng r = alm_rng_seed(e->seed, (uint32_t)epoch, PURPOSE_SHUFFLE);
    for (size_t i = e->n; i > 1; i--) {
        size_t k = alm_rng_below(&r, (uint32_t)i);
        uint32_t swap = e->order[k];
        e->order[k] = e->order[i - 1];
        e->order[i - 1] = swap;
    }
}

alm_status alm_micro_new(alm_micro *out, size_t n_rows, alm_error *err) {
    *out = (alm_micro){.cap_rows = n_rows};
    out->id = alm_calloc(n_rows, sizeof *out->id);
    out->label = alm_calloc(n_rows, sizeof *out->label);
    out->start = alm_calloc(n_rows + 1, sizeof *out->start);
    if (out->id && out->label && out->start) return ALM_OK;
    alm_micro_free(out);
    return alm_fail_memory(err);
}

void alm_micro_free(alm_micro *m) {
    alm_free(m->id);
    alm_free(m->label);
    alm_free(m->start);
    *m = (alm_micro){0};
}

bool alm_micro_fill(alm_micro *m, alm_examples *e, size_t limit, bool endless) {
    if (limit > m->cap_rows) limit = m->cap_rows;
    size_t n = 0, n_docs = 0, counted = 0;
    m->start[0] = 0;
    for (;;) {
        if (e->next == e->n) {
            if (!endless) break;
            alm_examples_seek(e, e->epoch + 1, 0);
        }
        const alm_piece *p = &e->piece[e->order[e->next]];
        if (p->n > m->cap_rows - n || (n && p->n > limit - n)) break;
        for (uint32_t i = 0; i < p->n; i++) {
            m->id[n + i] = e->d->id[p->at + i];
            bool counts = !e->d->given || !e->d->given[p->at + i + 1];
            m->label[n + i] = counts ? (int32_t)e->d->id[p->at + i + 1] : -1;
            counted += counts;
        }
        n += p->n;
        m->start[++n_docs] = (uint32_t)n;
        e->next++;
        if (n >= limit) break;
    }
    m->n_counted = counted;
    m->rows = (alm_rows){.n = n, .n_docs = n_docs, .id = m->id, .start = m->start};
    return n > 0;
}
