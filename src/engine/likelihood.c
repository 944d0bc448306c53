/* SPDX-License-Identifier: Apache-2.0
 *
 * likelihood.c - tokenises texts, cuts them into windows, runs the windows packed side by side, puts the likelihoods back in order.
 *
 *     text      t0 t1 t2 t3 t4 t5 t6 t7 t8         a context of 4 rows
 *     window 0  t0 t1 t2 t3                        judges t1 t2 t3 t4
 *     window 1        t2 t3 t4 t5                  judges          t5 t6: the first half is only read
 *     window 2              t4 t5 t6 t7            judges                t7 t8
 *
 * A label of -1 marks a row that is only read. */
#include "engine/likelihood.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

enum { ROWS = 2048 }; /* at once: enough for the products, little enough for a cache */

struct alm_scorer {
    alm_model *m;
    const alm_tokenizer *t;
    alm_compute *c;
    alm_tokenizer_scratch *scratch;
    alm_tape *tape;
    size_t context, cap;
    uint32_t *row_id, *start;         /* [cap], [cap + 1] */
    int32_t *label;                   /* [cap] */
    size_t *place;                    /* [cap] where in nll this row's number belongs */
    float *row_nll;                   /* [cap] */
    size_t n_rows, n_docs, turns_for; /* what is packed; alm_rows.context of all of it */
    alm_buf id;                       /* all tokens of the call, BOS included */
    alm_buf nll, span;                /* float per token; uint64_t: where each text begins in id */
};

alm_status alm_scorer_new(alm_scorer **out, alm_model *m, const alm_tokenizer *t, alm_compute *c, alm_error *err) {
    alm_status st;
    alm_scorer *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->m = m, s->t = t, s->c = c;
    s->id = s->nll = s->span = alm_buf_with_limit((size_t)1 << 40);
    s->context = alm_model_config(m)->context;
    if (s->context < 2 || alm_tokenizer_vocab(t) > alm_model_config(m)->n_vocab) {
        st = alm_fail(err, ALM_MISMATCH, "the tokenizer has %zu tokens, the model %zu, in a context of %zu",
                      alm_tokenizer_vocab(t), alm_model_config(m)->n_vocab, s->context);
        goto done;
    }
    s->cap = s->context < ROWS ? ROWS : s->context;
    s->row_id = alm_calloc(s->cap, sizeof *s->row_id);
    s->start = alm_calloc(s->cap + 1, sizeof *s->start);
    s->label = alm_calloc(s->cap, sizeof *s->label);
    s->place = alm_calloc(s->cap, sizeof *s->place);
    s->row_nll = alm_calloc(s->cap, sizeof *s->row_nll);
    if (!s->row_id || !s->start || !s->label || !s->place || !s->row_nll) {
        st = alm_fail_memory(err);
        goto done;
    }
    if ((st = alm_tokenizer_scratch_new(&s->scratch, t, err)) != ALM_OK) goto done;
    if ((st = alm_tape_new(&s->tape, c, ALM_TAPE_INFER, 0, err)) != ALM_OK) goto done;
    *out = s, s = NULL;
done:
    alm_scorer_free(s);
    return st;
}

void alm_scorer_free(alm_scorer *s) {
    if (!s) return;
    alm_tape_free(s->tape);
    alm_tokenizer_scratch_free(s->scratch);
    alm_free(s->row_id);
    alm_free(s->start);
    alm_free(s->label);
    alm_free(s->place);
    alm_free(s->row_nll);
    alm_buf_free(&s->id);
    alm_buf_free(&s->nll);
    alm_buf_free(&s->span);
    alm_free(s);
}

/* What is packed goes through the model. */
static alm_status flush(alm_scorer *s, alm_error *err) {
    if (!s->n_rows) return ALM_OK;
    alm_rows rows = {.n = s->n_rows, .n_docs = s->n_docs, .id = s->row_id, .start = s->start, .context = s->turns_for};
    alm_tape_reset(s->tape);
    alm_status st = alm_model_loss(s->m, s->tape, &rows, s->label, 1, false, s->row_nll, err);
    if (st != ALM_OK) return st;
    float *nll = (float *)(void *)s->nll.at;
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->label[i] >= 0) nll[s->place[i]] = s->row_nll[i];
    s->n_rows = s->n_docs = 0;
    return ALM_OK;
}

/* The context for which a text of n tokens is computed: its own length decides, not that of its neighbours. Only longrope asks;
 * a text that is no longer than the original context turns as it did there. */
static size_t turning(const alm_scorer *s, size_t n) {
    const alm_config *c = alm_model_config(s->m);
    bool is_short = c->rope_kind == ALM_ROPE_LONG && c->rope_factor != 0.0 && n <= c->rope_original;
    return is_short ? c->rope_original : s->context;
}

/* Rows for tokens [from, to) of the call; the first `only_read` labels do not count. */
static alm_status window(alm_scorer *s, size_t from, size_t to, size_t only_read, size_t turns_for, alm_error *err) {
    const uint32_t *id = (const uint32_t *)(const void *)s->id.at;
    if (to - from > s->cap - s->n_rows || turns_for != s->turns_for) {
        alm_status st = flush(s, err);
        if (st != ALM_OK) return st;
        s->turns_for = turns_for;
    }
    for (size_t i = from; i < to; i++) {
        s->row_id[s->n_rows] = id[i];
        s->label[s->n_rows] = i - from < only_read ? -1 : (int32_t)id[i + 1];
        s->place[s->n_rows++] = i + 1;
    }
    s->start[0] = 0;
    s->start[++s->n_docs] = (uint32_t)s->n_rows;
    return ALM_OK;
}

static alm_status encode(alm_scorer *s, alm_str text, alm_error *err) {
    uint64_t at = s->id.n / sizeof(uint32_t);
    alm_buf_add(&s->span, &at, sizeof at);
    if (alm_tokenizer_bos(s->t) >= 0) {
        uint32_t bos = (uint32_t)alm_tokenizer_bos(s->t);
        alm_buf_add(&s->id, &bos, sizeof bos);
    }
    alm_status st = alm_tokenizer_encode(s->t, s->scratch, text, ALM_SPECIALS_NONE, &s->id, err);
    if (st == ALM_OK) st = alm_buf_status(&s->id, err);
    return st != ALM_OK ? st : alm_buf_status(&s->span, err);
}

static double sum_of(const float *x, size_t n) {
    double p[16] = {0};
    for (size_t i = 0; i < n; i++) p[i % 16] += (double)x[i];
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] += p[l + half];
    return p[0];
}

alm_status alm_scorer_run(alm_scorer *s, alm_scored *out, const alm_str *text, size_t n, alm_error *err) {
    alm_status st = ALM_OK;
    alm_buf_clear(&s->id), alm_buf_clear(&s->nll), alm_buf_clear(&s->span);
    s->n_rows = s->n_docs = 0;
    for (size_t i = 0; st == ALM_OK && i < n; i++) st = encode(s, text[i], err);
    if (st != ALM_OK) return st;
    uint64_t end = s->id.n / sizeof(uint32_t);
    alm_buf_add(&s->span, &end, sizeof end);
    if (!alm_buf_reserve(&s->nll, s->id.n)) return alm_buf_status(&s->nll, err);
    if (alm_buf_status(&s->span, err) != ALM_OK) return alm_buf_status(&s->span, err);
    if (s->id.n) memset(s->nll.at, 0, s->id.n);
    const uint64_t *span = (const uint64_t *)(const void *)s->span.at;
    for (size_t i = 0; i < n; i++) {
        size_t from = (size_t)span[i], to = (size_t)span[i + 1], done = from;
        while (done + 1 < to) {
            size_t begin = done == from ? from : done - s->context / 2;
            size_t stop = to - 1 - begin < s->context ? to - 1 : begin + s->context;
            if ((st = window(s, begin, stop, done - begin, turning(s, to - from), err)) != ALM_OK) return st;
            done = stop;
        }
    }
    if ((st = flush(s, err)) != ALM_OK) return st;
    const float *nll = (const float *)(const void *)s->nll.at;
    for (size_t i = 0; i < n; i++) {
        size_t from = (size_t)span[i], count = (size_t)(span[i + 1] - span[i]);
        count = count ? count - 1 : 0;
        out[i] = (alm_scored){.n = (uint32_t)count};
        if (!count) continue;
        out[i].id = (const uint32_t *)(const void *)s->id.at + from + 1;
        out[i].piece = nll + from + 1;
        out[i].nll = sum_of(out[i].piece, count);
    }
    return ALM_OK;
}
