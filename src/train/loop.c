/* SPDX-License-Identifier: Apache-2.0
 *
 * loop.c - the training loop as a state machine: one call, one optimiser step.
 *
 *     plan the batch      how many rows, in how many micro-batches (nothing is computed yet: each row weighs 1 / rows)
 *     each micro-batch    forward, cross-entropy, backward; its gradients join the tree (update.c)
 *     norm, clip, AdamW   moments and weights change here and nowhere else
 *     evaluate            where one is due; the best weights are copied
 *
 * What can fail (memory, a number that is not finite) fails before the third line: then the place in the data is put back and
 * nothing has happened. */
#include "base/alloc.h"
#include "base/clock.h"
#include "dtype/dtype.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

void alm_train_defaults(alm_train_options *out) {
    *out = (alm_train_options){.batch_tokens = 2048,
                               .context = 256,
                               .epochs = 1,
                               .lr = 1e-3,
                               .lr_min_ratio = 0.1,
                               .beta1 = 0.9,
                               .beta2 = 0.95,
                               .eps = 1e-8,
                               .weight_decay = 0.1,
                               .clip = 1,
                               .warmup = 20};
}

static bool within(double x, double low, double high) { return x >= low && x <= high; }

alm_status alm_train_options_check(alm_train_options *o, const alm_config *config, alm_error *err) {
    if (o->context == 0 || o->context > config->context)
        return alm_fail(err, ALM_INVALID, "training context %zu: the model has 1 to %zu positions", o->context,
                        config->context);
    if (o->batch_tokens > UINT32_MAX / 2) return alm_fail(err, ALM_INVALID, "a batch of %zu tokens", o->batch_tokens);
    if (o->batch_tokens < o->context)
        return alm_fail(err, ALM_INVALID, "a batch of %zu tokens does not hold one piece of %zu (the context)",
                        o->batch_tokens, o->context);
    if (o->micro_tokens == 0 || o->micro_tokens > o->batch_tokens) o->micro_tokens = o->batch_tokens;
    if (o->micro_tokens < o->context)
        return alm_fail(err, ALM_INVALID, "a micro-batch of %zu tokens does not hold one piece of %zu (the context)",
                        o->micro_tokens, o->context);
    if (!within(o->lr, 0, 1e30) || !within(o->lr_min_ratio, 0, 1))
        return alm_fail(err, ALM_INVALID, "learning rate %g falling to %g of it: from 0 up, and from 0 to 1", o->lr,
                        o->lr_min_ratio);
    if (!within(o->beta1, 0, 1) || !within(o->beta2, 0, 1) || o->beta1 >= 1 || o->beta2 >= 1 || !within(o->eps, 0, 1))
        return alm_fail(err, ALM_INVALID, "betas %g and %g, eps %g: betas are from 0 to below 1", o->beta1, o->beta2,
                        o->eps);
    if (!within(o->weight_decay, 0, 1e6) || !within(o->clip, 0, 1e30))
        return alm_fail(err, ALM_INVALID, "weight decay %g, clipping at %g: neither may be below 0", o->weight_decay,
                        o->clip);
    if (o->steps == 0 && o->time_limit_ns <= 0 && !within(o->epochs, 1e-9, 1e9))
        return alm_fail(err, ALM_INVALID, "neither steps nor epochs nor a time limit: how long should it train?");
    return ALM_OK;
}

/* A micro-batch and the next hold more than one limit together, so there are at most twice as many as fit in full. */
size_t alm_train_levels(const alm_train_options *o) {
    size_t n = o->micro_tokens ? o->batch_tokens / o->micro_tokens + (o->batch_tokens % o->micro_tokens != 0) : 1,
           levels = 0, most = (size_t)1 << (ALM_MAX_LEVELS - 2); /* options_check allows far less */
    if (n > most) n = most;
    if (n > 1) n = n * 2 - 1;
    while (((size_t)1 << levels) < n) levels++;
    return levels;
}

/* ── setting up ─────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status make_slots(alm_trainer *t, alm_error *err) {
    t->n_slot = alm_model_weight_count(t->m);
    t->slot = alm_calloc(t->n_slot, sizeof *t->slot);
    if (!t->slot) return alm_fail_memory(err);
    for (size_t i = 0; i < t->n_slot; i++) {
        alm_slot *s = &t->slot[i];
        s->w = alm_model_weight(t->m, i);
        s->value = (float *)s->w->at; /* alm_model_trainable: f32 of the model's own */
        s->n = s->w->n_rows * s->w->n_cols;
        s->at = t->n_flat;
        s->decays = t->o.decay_all || s->w->n_rows > 1;
        t->n_flat += (s->n + 15) / 16 * 16;
        t->n_chunk += (s->n + ALM_CHUNK_ITEMS - 1) / ALM_CHUNK_ITEMS;
    }
    t->chunk = alm_calloc(t->n_chunk, sizeof *t->chunk);
    t->moment1 = alm_calloc(t->n_flat, sizeof(float));
    t->moment2 = alm_calloc(t->n_flat, sizeof(float));
    if (t->eval.n) t->best = alm_calloc(t->n_flat, sizeof(float));
    if (t->o.bf16) t->bf16 = alm_calloc(t->n_flat, sizeof(uint16_t));
    if (!t->chunk || !t->moment1 || !t->moment2 || (t->eval.n && !t->best) || (t->o.bf16 && !t->bf16))
        return alm_fail_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < t->n_slot; i++) {
        alm_slot *s = &t->slot[i];
        for (size_t from = 0; from < s->n; from += ALM_CHUNK_ITEMS)
            t->chunk[n++] = (alm_chunk){
                (uint32_t)i, (uint32_t)(s->n - from < ALM_CHUNK_ITEMS ? s->n - from : ALM_CHUNK_ITEMS), from};
        if (!t->o.bf16 || s->w->n_rows == 1) continue;
        s->bf16 = t->bf16 + s->at;
        s->w->type = ALM_BF16;
        s->w->at = s->bf16;
    }
    if (t->o.bf16) alm_trainer_round_weights(t);
    return ALM_OK;
}

static void make_schedule(alm_trainer *t) {
    const alm_train_options *o = &t->o;
    alm_schedule *s = &t->schedule;
    *s = (alm_schedule){.lr = o->lr, .min_ratio = o->lr_min_ratio, .warmup = o->warmup, .steps = o->steps};
    if (!s->steps && o->time_limit_ns > 0) s->steps = s->decay_from = UINT64_MAX;
    else if (!s->steps) {
        double n = ceil(o->epochs * (double)t->train.n_rows / (double)o->batch_tokens);
        s->steps = n < 1 ? 1 : (uint64_t)n;
    }
    if (s->steps == UINT64_MAX) return;
    /* A warm-up longer than the run would never get anywhere. */
    if (!o->decay_from && s->warmup > s->steps / 2) s->warmup = s->steps / 2;
    s->decay_from = o->decay_from ? o->decay_from : s->warmup;
}

alm_status alm_trainer_new(alm_trainer **out, alm_model *m, alm_compute *c, const alm_documents *train,
                           const alm_documents *eval, const alm_train_options *o, alm_error *err) {
    const alm_config *config = alm_model_config(m);
    alm_status st;
    alm_trainer *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->m = m, t->c = c, t->o = *o;
    t->best_loss = t->eval_loss = NAN;
    t->began_ns = alm_clock_steady_ns();
    if ((st = alm_train_options_check(&t->o, config, err)) != ALM_OK) goto done;
    if ((st = alm_examples_new(&t->train, train, t->o.context, config->n_vocab, t->o.seed, true, err)) != ALM_OK)
        goto done;
    if (eval && eval->n &&
        (st = alm_examples_new(&t->eval, eval, t->o.context, config->n_vocab, t->o.seed, false, err)) != ALM_OK)
        goto done;
    if ((st = alm_documents_digest(t->train_digest, train, err)) != ALM_OK) goto done;
    if (eval && (st = alm_documents_digest(t->eval_digest, eval, err)) != ALM_OK) goto done;
    if ((st = alm_model_trainable(m, err)) != ALM_OK) goto done;
    if ((st = make_slots(t, err)) != ALM_OK) goto done;
    if ((st = alm_micro_new(&t->micro, t->o.micro_tokens, err)) != ALM_OK) goto done;
    if (!(t->nll = alm_calloc(t->o.micro_tokens, sizeof *t->nll))) {
        st = alm_fail_memory(err);
        goto done;
    }
    make_schedule(t);
    *out = t, t = NULL;
done:
    alm_trainer_free(t);
    return st;
}

static void give_weights_back(alm_trainer *t) {
    for (size_t i = 0; t->slot && i < t->n_slot; i++)
        if (t->slot[i].bf16) {
            t->slot[i].w->type = ALM_F32;
            t->slot[i].w->at = t->slot[i].value;
            t->slot[i].bf16 = NULL;
        }
}

void alm_trainer_free(alm_trainer *t) {
    if (!t) return;
    give_weights_back(t);
    alm_examples_free(&t->train);
    alm_examples_free(&t->eval);
    alm_micro_free(&t->micro);
    alm_tape_free(t->tape);
    for (size_t i = 0; i < ALM_MAX_LEVELS; i++) alm_free(t->level[i]);
    alm_free(t->nll);
    alm_free(t->slot);
    alm_free(t->chunk);
    alm_free(t->moment1);
    alm_free(t->moment2);
    alm_free(t->best);
    alm_free(t->bf16);
    alm_free(t->point);
    alm_free(t);
}

/* ── a step ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Rule D over the losses of a micro-batch, in double. */
static double sum_of(const float *x, size_t n) {
    double p[16] = {0};
    for (size_t i = 0; i < n; i++) p[i % 16] += (double)x[i];
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] += p[l + half];
    return p[0];
}

static uint32_t next_rows(alm_examples *e) {
    if (e->next == e->n) alm_examples_seek(e, e->epoch + 1, 0);
    return e->piece[e->order[e->next]].n;
}

/* Rows that the next micro-batch of a batch with `used` rows may take; 0: the batch is full. */
static size_t room(alm_trainer *t, size_t used) {
    size_t left = t->o.batch_tokens - used;
    if (left == 0 || (used && next_rows(&t->train) > left)) return 0;
    return left < t->o.micro_tokens ? left : t->o.micro_tokens;
}

static void go_back(alm_examples *e, uint64_t epoch, size_t next) {
    if (e->epoch == epoch) e->next = next;
    else alm_examples_seek(e, epoch, next);
}

/* One micro-batch through the model; *sum gets its losses. */
static alm_status learn_from(alm_trainer *t, float weight, double *sum, alm_error *err) {
    if (!t->tape) {
        alm_status made = alm_tape_new(&t->tape, t->c, ALM_TAPE_TRAIN, 0, err);
        if (made != ALM_OK) return made;
    } else alm_tape_reset(t->tape);
    alm_status st = alm_model_loss(t->m, t->tape, &t->micro.rows, t->micro.label, weight, t->o.recompute, t->nll, err);
    if (st != ALM_OK) return st;
    *sum = sum_of(t->nll, t->micro.rows.n);
    if (!isfinite(*sum)) return alm_fail(err, ALM_LIMIT, "the loss is not finite");
    alm_tape_backward(t->tape);
    return alm_tape_status(t->tape, err);
}

/* Everything up to the gradients of the whole batch, and their norm. */
static alm_status gradients(alm_trainer *t, size_t *rows, double *loss, double *norm, alm_error *err) {
    uint64_t epoch = t->train.epoch;
    size_t next = t->train.next, n_micro = 0, n = 0, counted = 0, limit;
    while ((limit = room(t, n)) && alm_micro_fill(&t->micro, &t->train, limit, true))
        n += t->micro.rows.n, counted += t->micro.n_counted, n_micro++;
    if (!counted) counted = 1; /* a batch of questions only teaches nothing */
    go_back(&t->train, epoch, next);
    alm_trainer_zero_gradients(t);
    double total = 0, sum = 0;
    size_t used = 0;
    for (size_t i = 0; i < n_micro; i++) {
        alm_micro_fill(&t->micro, &t->train, room(t, used), true);
        used += t->micro.rows.n;
        alm_status st = learn_from(t, 1.0f / (float)counted, &sum, err);
        if (st == ALM_OK) st = alm_trainer_carry(t, i, i + 1 == n_micro, err);
        if (st != ALM_OK) return st;
        total += sum;
    }
    *rows = n;
    *loss = total / (double)counted;
    *norm = alm_trainer_norm(t);
    return isfinite(*norm) ? ALM_OK : alm_fail(err, ALM_LIMIT, "the gradient is not finite");
}

alm_status alm_trainer_evaluate(alm_trainer *t, double *out, alm_error *err) {
    if (!t->eval.n) return alm_fail(err, ALM_NOT_FOUND, "there are no held-out documents to evaluate on");
    double total = 0;
    alm_tape *infer = NULL;
    /* The two tapes never hold their memory at once: an evaluation takes no more than a step. */
    alm_tape_free(t->tape);
    t->tape = NULL;
    alm_status st = alm_tape_new(&infer, t->c, ALM_TAPE_INFER, 0, err);
    alm_examples_seek(&t->eval, 0, 0);
    while (st == ALM_OK && alm_micro_fill(&t->micro, &t->eval, t->micro.cap_rows, false)) {
        alm_tape_reset(infer);
        st = alm_model_loss(t->m, infer, &t->micro.rows, t->micro.label, 1, false, t->nll, err);
        if (st == ALM_OK) total += sum_of(t->nll, t->micro.rows.n);
    }
    alm_tape_free(infer);
    if (st == ALM_OK) *out = total / (double)t->eval.n_counted;
    return st;
}

static void keep_best(alm_trainer *t) {
    for (size_t i = 0; i < t->n_slot; i++)
        memcpy(t->best + t->slot[i].at, t->slot[i].value, t->slot[i].n * sizeof(float));
}

static bool past_end(const alm_trainer *t) {
    return t->stopped || t->step >= t->schedule.steps || (t->o.stop_at && t->step >= t->o.stop_at);
}

static alm_status evaluate_if_due(alm_trainer *t, alm_train_progress *out, alm_train_point *p, alm_error *err) {
    if (!t->eval.n || !t->o.eval_every || (t->step % t->o.eval_every && !past_end(t))) return ALM_OK;
    alm_status st = alm_trainer_evaluate(t, &t->eval_loss, err);
    if (st != ALM_OK) return st;
    p->eval_loss = t->eval_loss;
    out->evaluated = true;
    /* A loss that is not a number is never an improvement. */
    if (t->eval_loss < t->best_loss || (isnan(t->best_loss) && isfinite(t->eval_loss))) {
        t->best_loss = t->eval_loss;
        t->best_step = t->step;
        t->bad_evals = 0;
        out->improved = true;
        keep_best(t);
    } else if (++t->bad_evals >= t->o.patience && t->o.patience) t->stopped = true;
    return ALM_OK;
}

static int64_t used_ns(const alm_trainer *t) { return t->used_before_ns + alm_clock_steady_ns() - t->began_ns; }

void alm_trainer_time_used(alm_trainer *t, int64_t ns) { t->used_before_ns += ns; }

void alm_trainer_progress(const alm_trainer *t, alm_train_progress *out) {
    const alm_train_point *p = t->step ? &t->point[t->step - 1] : NULL;
    uint64_t end = t->o.stop_at && t->o.stop_at < t->schedule.steps ? t->o.stop_at : t->schedule.steps;
    *out = (alm_train_progress){.step = t->step,
                                .steps = end == UINT64_MAX ? 0 : end,
                                .tokens = t->tokens,
                                .epoch = t->train.epoch,
                                .loss = p ? p->loss : NAN,
                                .lr = p ? p->lr : 0,
                                .grad_norm = p ? p->grad_norm : NAN,
                                .eval_loss = t->eval_loss,
                                .best_loss = t->best_loss,
                                .best_step = t->best_step,
                                .finished = past_end(t)};
}

void alm_trainer_plan(const alm_trainer *t, alm_train_options *out) {
    *out = t->o;
    out->time_limit_ns = 0;
    /* The rate on a plateau without an end does not depend on where it ends. */
    out->steps = t->schedule.steps == UINT64_MAX ? t->step : t->schedule.steps;
    out->decay_from = t->schedule.steps == UINT64_MAX ? t->step : t->schedule.decay_from;
    out->warmup = t->schedule.warmup;
    out->stop_at = t->step < out->steps ? t->step : 0;
}

const alm_train_point *alm_trainer_history(const alm_trainer *t, size_t *n) {
    *n = (size_t)t->step;
    return t->point;
}

alm_status alm_trainer_step(alm_trainer *t, alm_train_progress *out, alm_error *err) {
    alm_train_progress none;
    if (!out) out = &none;
    if (past_end(t)) {
        alm_trainer_progress(t, out);
        return ALM_END;
    }
    if (!alm_grow((void **)&t->point, &t->point_cap, (size_t)t->step + 1, sizeof *t->point))
        return alm_fail_memory(err);
    if (t->o.time_limit_ns > 0) alm_schedule_by_clock(&t->schedule, t->step, used_ns(t), t->o.time_limit_ns);
    uint64_t epoch = t->train.epoch;
    size_t next = t->train.next, rows = 0;
    alm_train_point p = {.eval_loss = NAN, .lr = alm_schedule_lr(&t->schedule, t->step)};
    alm_error why = {0};
    alm_status st = gradients(t, &rows, &p.loss, &p.grad_norm, &why);
    if (st != ALM_OK) {
        go_back(&t->train, epoch, next);
        if (st == ALM_NO_MEMORY) return alm_fail_memory(err);
        alm_fail(err, st, "step %llu: %s; the weights stay as they were before it", (unsigned long long)t->step + 1,
                 why.text);
        alm_hint(err, "a smaller learning rate, a longer warm-up or clipping keep the numbers finite");
        return st;
    }
    double scale = t->o.clip > 0 && p.grad_norm > t->o.clip ? t->o.clip / (p.grad_norm + 1e-6) : 1;
    alm_trainer_update(t, p.lr, scale);
    t->step++;
    t->tokens += rows;
    out->evaluated = out->improved = false;
    /* By the clock the end comes also where the fall takes longer than was thought. */
    if (t->o.time_limit_ns > 0 && used_ns(t) >= t->o.time_limit_ns) t->stopped = true;
    bool evaluated, improved;
    *out = (alm_train_progress){0};
    st = evaluate_if_due(t, out, &p, err);
    t->point[t->step - 1] = p;
    evaluated = out->evaluated, improved = out->improved;
    alm_trainer_progress(t, out);
    out->evaluated = evaluated, out->improved = improved;
    return st;
}

alm_status alm_trainer_take_best(alm_trainer *t, alm_error *err) {
    (void)err;
    give_weights_back(t);
    if (t->best && !isnan(t->best_loss))
        for (size_t i = 0; i < t->n_slot; i++)
            memcpy(t->slot[i].value, t->best + t->slot[i].at, t->slot[i].n * sizeof(float));
    return ALM_OK;
}
