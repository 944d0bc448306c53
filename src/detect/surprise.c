/* SPDX-License-Identifier: Apache-2.0
 *
 * surprise.c - detector: what a language model, trained on the normal lines, did not expect.
 *
 * A line of a kind that was not seen before is read once (surprise_kind.c says what a kind is; the part is remembered with
 * it). Three statistics of its tokens' negative log-likelihoods: the mean, the maximum, and the run, max over stretches of
 * sum (nll - usual - 1), which finds a strange piece in a long ordinary line. Each is compared with the same statistic of
 * normal lines whose kinds were new to the model (a share of the kinds that was kept out of training), as a tail
 * probability; p = min(1, 3 min p_i) (Bonferroni), and the part is -log p, at most MOST_PART. Like every part it promises
 * nothing by itself: the sum is calibrated.
 *
 * Where it does not help it cannot hurt much: a line of a known kind has no part, and a normal line of a new kind has one of
 * about 1 nat, in the calibration part as well as later. */
#include "detect/surprise.h"
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/words.h"
#include <stdlib.h>

#define MOST_PART  16.0
#define RUN_MARGIN 1.0
#define TAIL_SHARE 0.1
#define LM_PREFIX  "alm.lm."

void alm_surprise_free(alm_surprise *s) {
    if (!s) return;
    alm_lm_free(s->lm);
    alm_table64_free(&s->kind);
    alm_table64_free(&s->met);
    alm_free(s->stream);
    alm_buf_free(&s->line);
    alm_free(s);
}

void alm_surprise_begin(alm_surprise *s) {
    alm_table64_clear(&s->met);
    s->n_read = 0;
    if (s->stream) s->stream->n_records = 0, s->stream->waits = false;
    s->last.n = 0;
    s->status = ALM_OK;
}

void alm_surprise_measure(const alm_reading *r, double usual, alm_surprise_stats *out) {
    double sum = 0, most = 0, run = 0, best = 0;
    uint32_t from = 0;
    *out = (alm_surprise_stats){0};
    for (uint32_t i = 0; i < r->n; i++) {
        double x = (double)r->nll[i], over = x - usual - RUN_MARGIN;
        sum += x;
        if (x > most) most = x, out->most = i;
        if (run <= 0) run = 0, from = i;
        run += over;
        if (run > best) best = run, out->run_from = from, out->run_to = i + 1;
    }
    out->x[0] = r->n ? sum / (double)r->n : 0;
    out->x[1] = most;
    out->x[2] = best;
    if (out->run_to == 0 && r->n) out->run_from = out->most, out->run_to = out->most + 1;
}

static int smaller_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* x is sorted. */
static void fit_one(alm_surprise_reference *r, double *x, uint32_t n) {
    qsort(x, n, sizeof *x, smaller_first);
    r->n = n;
    for (unsigned i = 0; i <= ALM_SURPRISE_TAIL; i++) r->at[i] = x[(size_t)i * (n - 1) / ALM_SURPRISE_TAIL];
    uint32_t first = n - 1 - (uint32_t)(TAIL_SHARE * (double)(n - 1)), k = n - 1 - first;
    double sum = 0;
    for (uint32_t i = first + 1; i < n; i++) sum += x[i] - x[first];
    r->tail_from = x[first];
    /* With few excesses their mean is uncertain: the wider one is taken. */
    r->tail_mean = k ? sum / (double)k * (1 + 1 / alm_exp_f64(0.5 * alm_log_f64((double)k))) : 0;
    double least = 0.1 * (r->tail_from > 1 ? r->tail_from : 1);
    if (r->tail_mean < least) r->tail_mean = least;
}

void alm_surprise_fit(alm_surprise *s, double *x[ALM_SURPRISE_STATS], uint32_t n) {
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) fit_one(&s->reference[i], x[i], n);
}

static double tail_of(const alm_surprise_reference *r, double x) {
    if (x > r->tail_from) {
        double p = TAIL_SHARE * alm_exp_f64(-(x - r->tail_from) / r->tail_mean);
        return p;
    }
    unsigned i = 0;
    while (i < ALM_SURPRISE_TAIL && r->at[i] < x) i++;
    double p = 1 - (double)i / ALM_SURPRISE_TAIL;
    return p > TAIL_SHARE ? p : TAIL_SHARE;
}

double alm_surprise_part(const alm_surprise *s, const alm_surprise_stats *x, double *tail) {
    double least = 1;
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) {
        double p = tail_of(&s->reference[i], x->x[i]);
        if (p < least) least = p;
    }
    least *= ALM_SURPRISE_STATS;
    *tail = least < 1 ? least : 1;
    if (least >= 1) return 0;
    double part = -alm_log_f64(least);
    return part < MOST_PART ? part : MOST_PART;
}

/* Reads the line of a new kind; 0 when that is not possible now (the failure is kept, and reported by the caller). */
static double read_line(alm_surprise *s, const alm_look *look, alm_evidence *e) {
    alm_buf_clear(&s->line);
    if (!alm_surprise_line(&s->line, look)) {
        s->status = alm_buf_status(&s->line, &s->error);
        return 0;
    }
    alm_status st = alm_lm_read(s->lm, alm_buf_str(&s->line), &s->last, &s->error);
    if (st != ALM_OK) {
        s->status = st;
        return 0;
    }
    s->n_read++;
    if (s->last.n == 0) return 0;
    alm_surprise_stats x;
    double tail, part, sum = 0;
    alm_surprise_measure(&s->last, s->usual, &x);
    if (s->stream) part = alm_surprise_stream_part(s, &x, &tail);
    else part = alm_surprise_part(s, &x, &tail);
    for (uint32_t i = x.run_from; i < x.run_to; i++) sum += (double)s->last.nll[i];
    size_t from = x.run_from ? s->last.end[x.run_from - 1] : 0, to = s->last.end[x.run_to - 1];
    while (from < to && look->text.at[from] == ' ') from++;
    size_t n = to - from < ALM_SNIPPET - 1 ? to - from : ALM_SNIPPET - 1;
    while (n > 0 && from + n < look->text.n && ((unsigned char)look->text.at[from + n] & 0xC0) == 0x80) n--;
    const char *line_end = n ? memchr(look->text.at + from, '\n', n) : NULL;
    if (line_end) n = (size_t)(line_end - look->text.at) - from;
    memcpy(e->snippet, look->text.at + from, n);
    e->snippet[n] = 0;
    e->tail = tail * s->p_new;
    e->a = look->event;
    e->x = x.run_to - x.run_from;
    e->z = sum / (double)(x.run_to - x.run_from);
    return part;
}

static double record(alm_normal *m, const alm_look *look, alm_evidence *e) {
    alm_surprise *s = m->surprise;
    if (!s || !look->text.n) return 0;
    s->last.n = 0;
    if (s->stream) s->stream->n_records++;
    uint64_t kind = alm_surprise_kind(m->event[look->event].id, look);
    if (alm_table64_get(&s->kind, kind) != UINT32_MAX || alm_table64_get(&s->met, kind) != UINT32_MAX)
        return 0; /* learned, or said already: its repeats are no news */
    if (s->stream && !alm_surprise_may_read(s)) return 0;
    double part = read_line(s, look, e);
    if (s->met.n < ALM_SURPRISE_KINDS && s->status == ALM_OK) s->status = alm_table64_set(&s->met, kind, 1, &s->error);
    return part;
}

static double step(alm_normal *m, alm_group *g, const alm_look *look, alm_evidence *e) {
    (void)g;
    double part = record(m, look, e);
    if (m->surprise) alm_surprise_stream_take(m->surprise); /* what becomes of the group is known too late */
    return part;
}

/* The replay of a group that has ended brings no text: its lines were taken when they came. */
static alm_status learn_record(alm_normal *m, const alm_look *look, alm_error *err) {
    (void)err;
    if (m->surprise && look->text.n) alm_surprise_stream_take(m->surprise);
    return ALM_OK;
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    double usual = m->surprise ? m->surprise->usual : 0;
    alm_buf_printf(out,
                   alm_say(m,
                           "the language model did not expect \"%s\": %.1f nats a token, where normal lines that are "
                           "new to it have %.1f"),
                   e->snippet, e->z, usual);
}

static bool save(const alm_normal *m, alm_buf *out) {
    const alm_surprise *s = m->surprise;
    if (!s || s->stream) return true; /* what a stream was read by is not learned from it */
    bool fine = alm_words_add_f64(out, s->usual) && alm_words_add_f64(out, s->p_new);
    for (unsigned i = 0; i < ALM_SURPRISE_STATS && fine; i++) {
        const alm_surprise_reference *r = &s->reference[i];
        fine =
            alm_buf_add_le64(out, r->n) && alm_words_add_f64(out, r->tail_from) && alm_words_add_f64(out, r->tail_mean);
        for (unsigned j = 0; j <= ALM_SURPRISE_TAIL && fine; j++) fine = alm_words_add_f64(out, r->at[j]);
    }
    fine = fine && alm_buf_add_le64(out, s->kind.n);
    for (size_t i = 0; i < s->kind.cap && fine; i++)
        if (s->kind.value[i]) fine = alm_buf_add_le64(out, s->kind.key[i]);
    return fine;
}

static alm_status load(alm_normal *m, alm_str bytes, alm_error *err) {
    if (bytes.n == 0) return ALM_OK; /* learned without a language model */
    alm_words w = alm_words_of(bytes);
    alm_surprise *s = m->surprise = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->line = alm_buf_with_limit(ALM_READ_BYTES + 1);
    s->usual = alm_words_f64(&w);
    s->p_new = alm_words_f64(&w);
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) {
        alm_surprise_reference *r = &s->reference[i];
        r->n = (uint32_t)alm_words_below(&w, UINT32_MAX);
        r->tail_from = alm_words_f64(&w);
        r->tail_mean = alm_words_f64(&w);
        for (unsigned j = 0; j <= ALM_SURPRISE_TAIL; j++) r->at[j] = alm_words_f64(&w);
        if (!(r->tail_mean > 0)) w.fine = false;
    }
    if (!(s->p_new >= 0 && s->p_new <= 1 && s->usual >= 0)) w.fine = false;
    uint64_t n = alm_words_count(&w, 1, ALM_SURPRISE_KINDS);
    for (uint64_t i = 0; i < n && w.fine; i++) {
        alm_status st = alm_table64_set(&s->kind, alm_words_u64(&w), 0, err);
        if (st != ALM_OK) return st;
    }
    return alm_words_end(&w, "alm.detector.surprise", err);
}

alm_status alm_surprise_to_gguf(const alm_surprise *s, alm_gguf_writer *w, alm_error *err) {
    return s->stream ? ALM_OK : alm_lm_to_gguf(s->lm, w, LM_PREFIX, err);
}

alm_status alm_surprise_from_gguf(alm_normal *m, alm_gguf *g, bool *taken, alm_error *err) {
    *taken = false;
    if (!m->surprise) return ALM_OK;
    *taken = true; /* by the reader, also when it fails */
    return alm_lm_from_gguf(&m->surprise->lm, g, LM_PREFIX, err);
}

/* What was judged normal is known from now on; its kind was noted when it was read. */
const alm_detector alm_detector_surprise = {.name = "surprise",
                                            .text = "a line that the language model did not expect",
                                            .record = record,
                                            .step = step,
                                            .learn_record = learn_record,
                                            .say = say,
                                            .save = save,
                                            .load = load};
