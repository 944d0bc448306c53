/* SPDX-License-Identifier: Apache-2.0
 *
 * surprise_learn.c - the lines that the language model learns from, and how it learns.
 *
 * While records come in, the first PER_KIND lines of each kind are kept (kinds are provisional then, since templates still
 * generalise; what is kept errs on the side of too much), at most LINES lines and BYTES bytes. When learning finishes, kinds
 * are settled, and by a hash of the kind seven eighths of the kinds before the cut train the model, one eighth is kept out:
 * it tells when to stop (every second of them) and what a normal line of a new kind looks like to the model (the others).
 * Lines behind the cut whose kind was not met before it are scored as they would be in a stream. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "base/rng.h"
#include "detect/surprise.h"
#include "train/train.h"
#include <stdio.h>
#include <time.h>

enum {
    LINES = 60000,
    BYTES = 24 << 20,
    PER_KIND = 3,
    LEAST_TRAIN = 40,     /* lines; with fewer there is no language to learn */
    LEAST_REFERENCE = 12, /* kinds kept out */
    VOCABULARY = 1024,
    BATCH_TOKENS = 2048,
    TIMED_STEPS = 3
};
#define EPOCHS 40.0

typedef struct kept_line {
    size_t at;
    uint32_t n;
    bool dropped, fresh; /* fresh: the first of its kind */
    uint64_t position, kind;
} kept_line;

struct alm_surprise_lines {
    kept_line *line;
    size_t n, cap;
    alm_buf text;
    alm_table64 seen; /* provisional kind -> lines kept */
};

alm_status alm_surprise_lines_new(alm_surprise_lines **out, alm_error *err) {
    alm_surprise_lines *l = alm_calloc(1, sizeof *l);
    if (!l) return alm_fail_memory(err);
    l->text = alm_buf_with_limit(BYTES);
    *out = l;
    return ALM_OK;
}

void alm_surprise_lines_free(alm_surprise_lines *l) {
    if (!l) return;
    alm_free(l->line);
    alm_buf_free(&l->text);
    alm_table64_free(&l->seen);
    alm_free(l);
}

alm_status alm_surprise_lines_add(alm_surprise_lines *l, const alm_look *look, uint64_t position, bool *kept,
                                  alm_error *err) {
    *kept = false;
    if (l->n >= LINES || l->text.n + ALM_READ_BYTES > BYTES || look->text.n == 0) return ALM_OK;
    uint64_t kind = alm_surprise_kind(look->event, look);
    uint32_t n = alm_table64_get(&l->seen, kind);
    if (n == UINT32_MAX) n = 0;
    if (n >= PER_KIND) return ALM_OK;
    size_t bytes = look->text.n < ALM_READ_BYTES ? look->text.n : ALM_READ_BYTES;
    if (!alm_grow((void **)&l->line, &l->cap, l->n + 1, sizeof *l->line)) return alm_fail_memory(err);
    alm_status st = alm_table64_set(&l->seen, kind, n + 1, err);
    if (st != ALM_OK) return st;
    size_t at = l->text.n;
    if (!alm_buf_add(&l->text, look->text.at, bytes)) return alm_buf_status(&l->text, err);
    l->line[l->n++] = (kept_line){.at = at, .n = (uint32_t)bytes, .position = position};
    *kept = true;
    return ALM_OK;
}

void alm_surprise_lines_next(alm_surprise_lines *l, size_t *cursor, bool drop) {
    while (*cursor < l->n && l->line[*cursor].dropped) ++*cursor;
    if (*cursor < l->n) l->line[(*cursor)++].dropped = drop;
}

size_t alm_surprise_lines_count(const alm_surprise_lines *l) { return l->n; }

/* ---- learning ---- */

typedef enum share { TRAIN, STOP, REFERENCE } share;

static share share_of(uint64_t kind) {
    uint64_t h = alm_hash_mix(kind, 0x7375);
    return h & 7 ? TRAIN : h & 8 ? STOP : REFERENCE;
}

typedef struct school {
    alm_normal *m;
    alm_surprise_lines *l;
    const alm_learn_options *o;
    uint64_t cut;
    alm_pool *pool;
    alm_compute *compute;
    alm_bpe *bpe;
    alm_model *model;
    alm_buf ids[2], starts[2]; /* of training, of stopping */
    alm_buf line;
    uint64_t n_known, n_new; /* behind the cut: records whose line was kept, of a new kind */
} school;

/* The line as the model is shown it, with its final template; false: it fits none (an overflow template). */
static alm_status show(school *s, const kept_line *k, uint64_t *kind, alm_error *err) {
    alm_match match = {.index = ALM_NO_TEMPLATE};
    alm_look look = {.text = {s->l->text.at + k->at, k->n}};
    alm_miner_match(s->m->miner, look.text, &match);
    uint64_t id = match.index == ALM_NO_TEMPLATE ? 0 : alm_miner_id(s->m->miner, match.index);
    look.n_params = match.n_params;
    look.params = match.params;
    *kind = alm_surprise_kind(id, &look);
    alm_buf_clear(&s->line);
    return alm_surprise_line(&s->line, &look) ? ALM_OK : alm_buf_status(&s->line, err);
}

/* Final kinds; which lines are the first of theirs; the tokenizer learns what trains. */
static alm_status settle_kinds(school *s, alm_surprise *out, alm_error *err) {
    alm_bpe_trainer *t = NULL;
    alm_status st = alm_bpe_trainer_new(&t, VOCABULARY, err);
    for (size_t i = 0; i < s->l->n && st == ALM_OK; i++) {
        kept_line *k = &s->l->line[i];
        if ((st = show(s, k, &k->kind, err)) != ALM_OK) break;
        k->fresh = alm_table64_get(&out->kind, k->kind) == UINT32_MAX;
        if (k->fresh && out->kind.n < ALM_SURPRISE_KINDS) st = alm_table64_set(&out->kind, k->kind, 0, err);
        if (st == ALM_OK && k->position < s->cut && share_of(k->kind) == TRAIN)
            st = alm_bpe_trainer_feed(t, alm_buf_str(&s->line), err);
    }
    if (st == ALM_OK) st = alm_bpe_trainer_finish(t, &s->bpe, err);
    alm_bpe_trainer_free(t);
    return st;
}

static alm_status add_document(school *s, unsigned set, alm_error *err) {
    uint64_t start = s->ids[set].n / sizeof(uint32_t);
    if (!alm_buf_add(&s->starts[set], &start, sizeof start)) return alm_buf_status(&s->starts[set], err);
    return alm_lm_document(s->bpe, alm_buf_str(&s->line), &s->ids[set], err);
}

static alm_status make_documents(school *s, alm_error *err) {
    alm_status st = ALM_OK;
    uint64_t kind;
    for (size_t i = 0; i < s->l->n && st == ALM_OK; i++) {
        const kept_line *k = &s->l->line[i];
        share to = share_of(k->kind);
        if (k->position >= s->cut || to == REFERENCE) continue;
        st = show(s, k, &kind, err);
        if (st == ALM_OK) st = add_document(s, to == STOP, err);
    }
    for (unsigned set = 0; set < 2 && st == ALM_OK; set++) {
        uint64_t end = s->ids[set].n / sizeof(uint32_t);
        if (!alm_buf_add(&s->starts[set], &end, sizeof end)) st = alm_buf_status(&s->starts[set], err);
    }
    return st;
}

static alm_documents documents_of(const school *s, unsigned set) {
    return (alm_documents){.id = (const uint32_t *)(const void *)s->ids[set].at,
                           .start = (const uint64_t *)(const void *)s->starts[set].at,
                           .n = s->starts[set].n / sizeof(uint64_t) - 1};
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static alm_status new_model(school *s, alm_error *err) {
    const alm_config c = {.family = "llama",
                          .n_vocab = alm_bpe_vocab(s->bpe),
                          .hidden = 128,
                          .n_layers = 2,
                          .n_heads = 4,
                          .n_kv_heads = 2,
                          .head_dim = 32,
                          .ffn = 320,
                          .context = ALM_READ_TOKENS + 2,
                          .norm_eps = 1e-5,
                          .rope_theta = 10000,
                          .tied = true};
    alm_model_free(s->model);
    s->model = NULL;
    return alm_model_new(&s->model, &c, s->o->seed, err);
}

/* Steps from the fresh model on; stops early when the lines kept out are not read better any more. */
static alm_status run_steps(school *s, const alm_train_options *o, uint64_t most, alm_error *err) {
    alm_documents train = documents_of(s, 0), stop = documents_of(s, 1);
    alm_trainer *t = NULL;
    alm_train_progress p = {0};
    alm_status st = new_model(s, err);
    if (st == ALM_OK) st = alm_trainer_new(&t, s->model, s->compute, &train, stop.n ? &stop : NULL, o, err);
    while (st == ALM_OK && p.step < most && !p.finished) {
        if (s->o->cancel && s->o->cancel->requested) break; /* what it knows by now */
        st = alm_trainer_step(t, &p, err);
        if (st == ALM_OK && s->o->lm_progress) s->o->lm_progress(s->o->lm_progress_arg, p.step, o->steps, p.loss);
    }
    if (st == ALM_OK && p.step) st = alm_trainer_take_best(t, err);
    s->m->info.lm_steps = p.step;
    s->m->info.lm_loss = p.loss;
    alm_trainer_free(t);
    return st;
}

/* Length of the schedule: EPOCHS passes, or what fits into the time limit by the speed of the first steps, or what is given. */
static alm_status train(school *s, alm_error *err) {
    alm_train_options o;
    alm_train_defaults(&o);
    o.seed = s->o->seed;
    o.batch_tokens = o.micro_tokens = BATCH_TOKENS;
    o.context = ALM_READ_TOKENS + 2;
    o.lr = 4e-3;
    o.steps = s->o->lm_steps;
    if (!o.steps) {
        size_t n = s->ids[0].n / sizeof(uint32_t);
        double tokens = (double)n;
        o.steps = (uint64_t)(tokens * EPOCHS / BATCH_TOKENS) + 60;
        double limit = s->o->lm_seconds > 0 ? s->o->lm_seconds : 60, began = now_s();
        alm_status st = run_steps(s, &o, TIMED_STEPS, err);
        if (st != ALM_OK) return st;
        double each = (now_s() - began) / TIMED_STEPS, fits = 0.9 * limit / each;
        if (fits < (double)o.steps) o.steps = fits < 20 ? 20 : (uint64_t)fits;
    }
    s->m->info.lm_schedule = o.steps;
    o.warmup = o.steps / 20 + 1;
    o.eval_every = o.steps / 20 + 1;
    o.patience = 4;
    return run_steps(s, &o, o.steps, err);
}

/* Statistics of the reference kinds; then `usual` is known, and they are measured against it. */
static alm_status measure(school *s, alm_surprise *out, alm_error *err) {
    alm_reading r;
    alm_surprise_stats x;
    alm_status st = ALM_OK;
    uint64_t kind;
    double sum = 0, tokens = 0, *stat[ALM_SURPRISE_STATS] = {0};
    uint32_t n = 0, n_reference = 0;
    for (size_t i = 0; i < s->l->n; i++)
        n_reference +=
            s->l->line[i].fresh && s->l->line[i].position < s->cut && share_of(s->l->line[i].kind) == REFERENCE;
    for (unsigned j = 0; j < ALM_SURPRISE_STATS; j++) {
        stat[j] = alm_calloc(n_reference, sizeof *stat[j]);
        if (!stat[j]) st = alm_fail_memory(err);
    }
    for (unsigned pass = 0; pass < 2 && st == ALM_OK; pass++) {
        for (size_t i = 0; i < s->l->n && st == ALM_OK; i++) {
            const kept_line *k = &s->l->line[i];
            if (!k->fresh || k->position >= s->cut || share_of(k->kind) != REFERENCE) continue;
            st = show(s, k, &kind, err);
            if (st == ALM_OK) st = alm_lm_read(out->lm, alm_buf_str(&s->line), &r, err);
            if (st != ALM_OK) break;
            if (pass == 0) {
                for (uint32_t t = 0; t < r.n; t++) sum += (double)r.nll[t];
                tokens += r.n;
                continue;
            }
            alm_surprise_measure(&r, out->usual, &x);
            for (unsigned j = 0; j < ALM_SURPRISE_STATS; j++) stat[j][n] = x.x[j];
            n++;
        }
        out->usual = tokens > 0 ? sum / tokens : 0;
    }
    if (st == ALM_OK) alm_surprise_fit(out, stat, n);
    for (unsigned j = 0; j < ALM_SURPRISE_STATS; j++) alm_free(stat[j]);
    return st;
}

/* Behind the cut: new kinds are read, as in a stream. */
static alm_status score(school *s, alm_surprise *out, float *part, alm_error *err) {
    alm_reading r;
    alm_surprise_stats x;
    alm_status st = ALM_OK;
    uint64_t kind, n_new = 0;
    size_t at = 0;
    for (size_t i = 0; i < s->l->n && st == ALM_OK; i++) {
        const kept_line *k = &s->l->line[i];
        double tail, p = 0;
        if (k->fresh && k->position >= s->cut) {
            n_new++;
            st = show(s, k, &kind, err);
            if (st == ALM_OK) st = alm_lm_read(out->lm, alm_buf_str(&s->line), &r, err);
            if (st != ALM_OK) break;
            alm_surprise_measure(&r, out->usual, &x);
            if (r.n) p = alm_surprise_part(out, &x, &tail);
        }
        if (!k->dropped) part[at++] = (float)p;
    }
    uint64_t behind = s->m->info.n_records - s->cut;
    out->p_new = ((double)n_new + 0.5) / ((double)behind + 1);
    if (out->p_new > 1) out->p_new = 1;
    return st;
}

static alm_status enough(school *s, bool *out) {
    size_t train = 0, reference = 0;
    for (size_t i = 0; i < s->l->n; i++) {
        const kept_line *k = &s->l->line[i];
        if (k->position >= s->cut) continue;
        train += share_of(k->kind) == TRAIN;
        reference += share_of(k->kind) == REFERENCE && k->fresh;
    }
    *out = train >= LEAST_TRAIN && reference >= LEAST_REFERENCE;
    s->m->info.lm_lines = train;
    if (!*out)
        snprintf(s->m->info.lm_reason, sizeof s->m->info.lm_reason,
                 "too few different kinds of lines to learn a language from (%zu lines to train, %zu kinds kept out)",
                 train, reference);
    return ALM_OK;
}

alm_status alm_surprise_learn(alm_normal *m, alm_surprise_lines *l, const alm_learn_options *o, uint64_t cut,
                              float *part, alm_error *err) {
    school s = {.m = m, .l = l, .o = o, .cut = cut, .line = alm_buf_with_limit(ALM_READ_BYTES + 1)};
    for (unsigned i = 0; i < 2; i++)
        s.ids[i] = s.starts[i] = alm_buf_with_limit((size_t)LINES * (ALM_READ_TOKENS + 2) * sizeof(uint32_t));
    alm_surprise *out = alm_calloc(1, sizeof *out);
    if (!out) return alm_fail_memory(err);
    out->line = alm_buf_with_limit(ALM_READ_BYTES + 1);
    bool is_enough = false;
    alm_status st = settle_kinds(&s, out, err);
    if (st == ALM_OK) st = enough(&s, &is_enough);
    if (st == ALM_OK && is_enough) {
        st = make_documents(&s, err);
        if (st == ALM_OK) st = alm_pool_new(&s.pool, o->threads, err);
        if (st == ALM_OK) st = alm_compute_new(&s.compute, s.pool, err);
        if (st == ALM_OK) st = train(&s, err);
        if (st == ALM_OK) {
            m->info.lm_parameters = alm_model_parameter_count(s.model);
            st = alm_lm_new(&out->lm, s.model, s.bpe, err);
            s.model = NULL;
            s.bpe = NULL;
        }
        if (st == ALM_OK) st = measure(&s, out, err);
        if (st == ALM_OK) st = score(&s, out, part, err);
    }
    alm_model_free(s.model);
    alm_bpe_free(s.bpe);
    alm_compute_free(s.compute);
    alm_pool_free(s.pool);
    alm_buf_free(&s.line);
    for (unsigned i = 0; i < 2; i++) {
        alm_buf_free(&s.ids[i]);
        alm_buf_free(&s.starts[i]);
    }
    if (st == ALM_OK && is_enough) m->surprise = out;
    else alm_surprise_free(out);
    return st;
}
