/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint.c - all of a training run between two steps, in one GGUF file: docs/format/recipe.md, "Checkpoints".
 *
 *   keys      alm.checkpoint.version 1, .identity (JSON: data, model, options: what must agree), .step, .tokens, .epoch, .next
 *             (place in the data), .best_step, .bad_evals, .best_loss, .eval_loss, .used_ns, .warmup, .decay_from, .steps, .stopped, .curve (F64, four numbers a step)
 *   tensors   w.NAME, m.NAME, v.NAME and, after the first evaluation, b.NAME for each weight: value, the two moments, the best value
 *
 * The file is written aside, fsynced and renamed: it is there whole or not at all, so a run that is killed at any moment goes on from the last one. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "format/gguf.h"
#include "proof/digest.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };

/* The stream of ids as little-endian u32, each document behind its length as u64, and before its marks. */
alm_status alm_documents_digest(char out[65], const alm_documents *d, alm_error *err) {
    alm_digest_stream *s = NULL;
    alm_status st = alm_digest_new(&s, err);
    unsigned char block[4096];
    for (size_t i = 0; st == ALM_OK && i < d->n; i++) {
        uint64_t n = d->start[i + 1] - d->start[i];
        for (unsigned k = 0; k < 8; k++) block[k] = (unsigned char)(n >> 8 * k);
        st = alm_digest_add(s, block, 8, err);
        for (uint64_t at = 0; st == ALM_OK && at < n;) {
            size_t fill = 0;
            for (; at < n && fill < sizeof block; at++) {
                uint32_t id = d->id[d->start[i] + at];
                for (unsigned k = 0; k < 4; k++) block[fill++] = (unsigned char)(id >> 8 * k);
            }
            st = alm_digest_add(s, block, fill, err);
        }
        if (st == ALM_OK && d->given) st = alm_digest_add(s, d->given + d->start[i], (size_t)n, err);
    }
    alm_digest sum;
    if (st == ALM_OK) st = alm_digest_end(s, &sum, err);
    if (st == ALM_OK) alm_digest_hex(out, &sum);
    alm_digest_free(s);
    return st;
}

/* ── what must agree ────────────────────────────────────────────────────────────────────────────────────────── */

static void put_text(alm_json_writer *w, const char *key, const char *x) { alm_json_key(w, key), alm_json_text(w, x); }
static void put_u64(alm_json_writer *w, const char *key, uint64_t x) { alm_json_key(w, key), alm_json_u64(w, x); }
static void put_f64(alm_json_writer *w, const char *key, double x) { alm_json_key(w, key), alm_json_number(w, x); }

/* One flat object in a fixed order; the names are those of `alm train`'s options, so that a difference names what to change. */
static void identity(alm_buf *out, const alm_trainer *t) {
    const alm_train_options *o = &t->o;
    const alm_config *c = alm_model_config(t->m);
    alm_json_writer w = alm_json_writer_on(out);
    alm_json_begin_object(&w);
    put_text(&w, "data", t->train_digest);
    put_text(&w, "evaluation data", t->eval_digest);
    put_text(&w, "model family", c->family);
    put_u64(&w, "vocab", c->n_vocab), put_u64(&w, "hidden", c->hidden), put_u64(&w, "layers", c->n_layers);
    put_u64(&w, "heads", c->n_heads), put_u64(&w, "kv-heads", c->n_kv_heads),
        put_u64(&w, "head dimension", c->head_dim);
    put_u64(&w, "ffn", c->ffn), put_u64(&w, "model context", c->context);
    put_f64(&w, "norm eps", c->norm_eps), put_f64(&w, "rope theta", c->rope_theta), put_u64(&w, "tied", c->tied);
    put_u64(&w, "seed", o->seed), put_u64(&w, "batch-tokens", o->batch_tokens),
        put_u64(&w, "micro-batch tokens", o->micro_tokens);
    put_u64(&w, "context", o->context), put_u64(&w, "steps", o->steps), put_f64(&w, "epochs", o->epochs);
    put_u64(&w, "time-limit", (uint64_t)(o->time_limit_ns > 0));
    put_f64(&w, "lr", o->lr), put_f64(&w, "lr-min", o->lr_min_ratio), put_f64(&w, "beta1", o->beta1);
    put_f64(&w, "beta2", o->beta2), put_f64(&w, "eps", o->eps), put_f64(&w, "weight-decay", o->weight_decay);
    put_f64(&w, "clip", o->clip), put_u64(&w, "warmup", o->warmup), put_u64(&w, "decay start", o->decay_from);
    put_u64(&w, "decay-all", o->decay_all), put_u64(&w, "bf16", o->bf16);
    put_u64(&w, "eval-every", o->eval_every), put_u64(&w, "patience", o->patience);
    alm_json_end_object(&w);
}

/* Names the first member of a that b has not, or has otherwise. */
static alm_status compare(const char *path, alm_str there, alm_str here, alm_error *err) {
    alm_json_doc a = {0}, b = {0};
    alm_buf x = alm_buf_with_limit(1 << 16), y = alm_buf_with_limit(1 << 16);
    alm_buf_add_str(&x, there), alm_buf_add_str(&y, here);
    alm_status st = alm_buf_status(&x, err);
    if (st == ALM_OK) st = alm_buf_status(&y, err);
    if (st == ALM_OK) st = alm_json_parse(&a, x.at, x.n, NULL, NULL, err);
    if (st == ALM_OK) st = alm_json_parse(&b, y.at, y.n, NULL, NULL, err);
    if (st != ALM_OK) goto done;
    for (const alm_json *c = alm_json_first(b.node); c; c = alm_json_next(b.node, c)) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", ALM_ARG(c->text));
        const alm_json *v = alm_json_get(a.node, key);
        if (v && alm_str_eq(v->text, c[1].text)) continue;
        int n = alm_str_find_byte(c->text, ' ') != SIZE_MAX || c[1].text.n == 64 ? 16 : 64;
        st = alm_fail(err, ALM_REFUSED, "%s: made with other %s%s: %.*s there, %.*s here", path,
                      c[1].text.n == 64 ? "" : "options, ", key,
                      v && v->text.n < (size_t)n ? (int)v->text.n
                      : v                        ? n
                                                 : 0,
                      v ? v->text.at : "", c[1].text.n < (size_t)n ? (int)c[1].text.n : n, c[1].text.at);
        if (st != ALM_OK) alm_hint(err, "a run can only go on with the data, model and options that it was begun with");
        break;
    }
done:
    alm_json_doc_free(&a), alm_json_doc_free(&b);
    alm_buf_free(&x), alm_buf_free(&y);
    return st;
}

/* ── writing ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void add(alm_gguf_writer *w, char kind, const alm_slot *s, const float *at) {
    char name[128];
    snprintf(name, sizeof name, "%c.%.*s", kind, ALM_ARG(s->w->name));
    uint64_t dim[2] = {s->w->n_cols, s->w->n_rows};
    alm_gguf_add_tensor(w, name, ALM_GGUF_T_F32, 2, dim, at);
}

alm_status alm_trainer_save(alm_trainer *t, const char *path, alm_error *err) {
    alm_gguf_writer *w = NULL;
    alm_buf id = alm_buf_with_limit(1 << 16);
    alm_status st = alm_gguf_writer_new(&w, err);
    if (st != ALM_OK) return st;
    identity(&id, t);
    if ((st = alm_buf_status(&id, err)) != ALM_OK) goto done;
    alm_gguf_set_u32(w, "alm.checkpoint.version", VERSION);
    alm_gguf_set_str(w, "alm.checkpoint.identity", alm_buf_str(&id));
    alm_gguf_set_u64(w, "alm.checkpoint.step", t->step);
    alm_gguf_set_u64(w, "alm.checkpoint.tokens", t->tokens);
    alm_gguf_set_u64(w, "alm.checkpoint.epoch", t->train.epoch);
    alm_gguf_set_u64(w, "alm.checkpoint.next", t->train.next);
    alm_gguf_set_u64(w, "alm.checkpoint.best_step", t->best_step);
    alm_gguf_set_u64(w, "alm.checkpoint.bad_evals", t->bad_evals);
    alm_gguf_set_f64(w, "alm.checkpoint.best_loss", t->best_loss);
    alm_gguf_set_f64(w, "alm.checkpoint.eval_loss", t->eval_loss);
    alm_gguf_set_i64(w, "alm.checkpoint.used_ns", t->used_before_ns + alm_clock_steady_ns() - t->began_ns);
    alm_gguf_set_u64(w, "alm.checkpoint.warmup", t->schedule.warmup);
    alm_gguf_set_u64(w, "alm.checkpoint.decay_from", t->schedule.decay_from);
    alm_gguf_set_u64(w, "alm.checkpoint.steps", t->schedule.steps);
    alm_gguf_set_bool(w, "alm.checkpoint.stopped", t->stopped);
    alm_gguf_set_array(w, "alm.checkpoint.curve", ALM_GGUF_F64, t->point, t->step * 4);
    for (size_t i = 0; i < t->n_slot; i++) {
        const alm_slot *s = &t->slot[i];
        add(w, 'w', s, s->value);
        add(w, 'm', s, t->moment1 + s->at);
        add(w, 'v', s, t->moment2 + s->at);
        if (t->best && !isnan(t->best_loss)) add(w, 'b', s, t->best + s->at);
    }
    st = alm_gguf_writer_save(w, path, err);
done:
    alm_gguf_writer_free(w);
    alm_buf_free(&id);
    return st;
}

/* ── reading ────────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status get(float *out, const alm_gguf *g, char kind, const alm_slot *s, alm_error *err) {
    char name[128];
    snprintf(name, sizeof name, "%c.%.*s", kind, ALM_ARG(s->w->name));
    uint64_t dim[2] = {s->w->n_cols, s->w->n_rows};
    const alm_gguf_tensor *x;
    alm_status st = alm_gguf_tensor_get(g, name, ALM_GGUF_T_F32, 2, dim, &x, err);
    if (st == ALM_OK && out) memcpy(out, x->at, s->n * sizeof(float));
    return st;
}

typedef struct state {
    uint64_t version, step, tokens, epoch, next, best_step, bad_evals, warmup, decay_from, steps;
    int64_t used_ns;
    double best_loss, eval_loss;
    bool stopped;
    const alm_gguf_value *curve;
} state;

static alm_status read_state(state *s, const alm_gguf *g, const char *path, const alm_trainer *t, alm_error *err) {
    const struct {
        const char *key;
        uint64_t *at;
    } whole[] = {{"alm.checkpoint.version", &s->version},
                 {"alm.checkpoint.step", &s->step},
                 {"alm.checkpoint.tokens", &s->tokens},
                 {"alm.checkpoint.epoch", &s->epoch},
                 {"alm.checkpoint.next", &s->next},
                 {"alm.checkpoint.best_step", &s->best_step},
                 {"alm.checkpoint.bad_evals", &s->bad_evals},
                 {"alm.checkpoint.warmup", &s->warmup},
                 {"alm.checkpoint.decay_from", &s->decay_from},
                 {"alm.checkpoint.steps", &s->steps}};
    alm_status st;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if ((st = alm_gguf_u64(g, whole[i].key, whole[i].at, err)) != ALM_OK) return st;
        if (i == 0 && s->version != VERSION)
            return alm_fail(err, ALM_UNSUPPORTED, "%s: checkpoint of version %llu, this program reads %d", path,
                            (unsigned long long)s->version, VERSION);
    }
    if ((st = alm_gguf_f64(g, "alm.checkpoint.best_loss", &s->best_loss, err)) != ALM_OK ||
        (st = alm_gguf_f64(g, "alm.checkpoint.eval_loss", &s->eval_loss, err)) != ALM_OK ||
        (st = alm_gguf_i64(g, "alm.checkpoint.used_ns", &s->used_ns, err)) != ALM_OK ||
        (st = alm_gguf_bool(g, "alm.checkpoint.stopped", &s->stopped, err)) != ALM_OK ||
        (st = alm_gguf_array(g, "alm.checkpoint.curve", ALM_GGUF_F64, &s->curve, err)) != ALM_OK)
        return st;
    if (s->next > t->train.n || s->step > UINT32_MAX || s->curve->n != s->step * 4 || s->epoch > s->tokens ||
        s->used_ns < 0 || s->used_ns > INT64_MAX / 4)
        return alm_fail(err, ALM_MALFORMED, "%s: step %llu, place %llu of %zu: the checkpoint contradicts itself", path,
                        (unsigned long long)s->step, (unsigned long long)s->next, t->train.n);
    return ALM_OK;
}

static alm_status take(alm_trainer *t, const alm_gguf *g, const char *path, alm_error *err) {
    alm_buf id = alm_buf_with_limit(1 << 16);
    alm_str there;
    state s = {0};
    alm_status st;
    if (!alm_gguf_find(g, "alm.checkpoint.version")) {
        st = alm_fail(err, ALM_MALFORMED, "%s: this is no checkpoint", path);
        goto done;
    }
    if ((st = read_state(&s, g, path, t, err)) != ALM_OK) goto done;
    if ((st = alm_gguf_str(g, "alm.checkpoint.identity", &there, err)) != ALM_OK) goto done;
    identity(&id, t);
    if ((st = alm_buf_status(&id, err)) != ALM_OK) goto done;
    if ((st = compare(path, there, alm_buf_str(&id), err)) != ALM_OK) goto done;
    bool has_best = t->best && !isnan(s.best_loss);
    /* Everything is looked at before anything is taken: a file that is refused leaves the trainer as it was. */
    for (size_t i = 0; i < t->n_slot; i++)
        for (const char *kind = has_best ? "wmvb" : "wmv"; *kind; kind++)
            if ((st = get(NULL, g, *kind, &t->slot[i], err)) != ALM_OK) goto done;
    if (!alm_grow((void **)&t->point, &t->point_cap, (size_t)s.step + 1, sizeof *t->point)) {
        st = alm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i < t->n_slot; i++) {
        alm_slot *x = &t->slot[i];
        (void)get(x->value, g, 'w', x, NULL);
        (void)get(t->moment1 + x->at, g, 'm', x, NULL);
        (void)get(t->moment2 + x->at, g, 'v', x, NULL);
        if (has_best) (void)get(t->best + x->at, g, 'b', x, NULL);
    }
    if (t->bf16) alm_trainer_round_weights(t);
    for (uint64_t i = 0; i < s.step; i++)
        t->point[i] = (alm_train_point){alm_gguf_item_f64(s.curve, i * 4), alm_gguf_item_f64(s.curve, i * 4 + 1),
                                        alm_gguf_item_f64(s.curve, i * 4 + 2), alm_gguf_item_f64(s.curve, i * 4 + 3)};
    t->step = s.step, t->tokens = s.tokens, t->best_step = s.best_step, t->bad_evals = s.bad_evals;
    t->best_loss = s.best_loss, t->eval_loss = s.eval_loss, t->stopped = s.stopped;
    t->schedule.warmup = s.warmup, t->schedule.decay_from = s.decay_from, t->schedule.steps = s.steps;
    t->used_before_ns += s.used_ns;
    alm_examples_seek(&t->train, s.epoch, (size_t)s.next);
done:
    alm_buf_free(&id);
    return st;
}

alm_status alm_trainer_load(alm_trainer *t, const char *path, alm_error *err) {
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_open(&g, path, err);
    if (st == ALM_OK) st = take(t, g, path, err);
    alm_gguf_close(g);
    return st;
}

alm_status alm_trainer_parse(alm_trainer *t, const char *name, alm_str bytes, alm_error *err) {
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_parse(&g, name, bytes, err);
    if (st == ALM_OK) st = take(t, g, name, err);
    alm_gguf_close(g);
    return st;
}
