/* SPDX-License-Identifier: Apache-2.0
 *
 * trainer_help.h - a small model, documents with something to learn, and what a run comes to. */
#ifndef ALM_TESTS_TRAINER_HELP_H
#define ALM_TESTS_TRAINER_HELP_H

#include "alm_test.h"
#include "base/rng.h"
#include "proof/digest.h"
#include "train/train.h"

enum { HELP_VOCAB = 61, HELP_DOCS = 120, HELP_CONTEXT = 24 };

typedef struct help_data {
    uint32_t id[HELP_DOCS * 40];
    uint64_t start[HELP_DOCS + 1];
    alm_documents d;
} help_data;

/* Each token follows from the one before, with some noise; documents of 2 to 40 tokens, so that some are cut. */
static inline void help_fill(help_data *h, uint64_t seed) {
    alm_rng r = alm_rng_seed(seed, 0, 1);
    uint64_t n = 0;
    for (size_t i = 0; i < HELP_DOCS; i++) {
        size_t length = 2 + alm_rng_below(&r, 39);
        uint32_t at = alm_rng_below(&r, HELP_VOCAB);
        h->start[i] = n;
        for (size_t k = 0; k < length; k++) {
            h->id[n++] = at;
            at = alm_rng_below(&r, 8) ? (at * 7 + 3) % HELP_VOCAB : alm_rng_below(&r, HELP_VOCAB);
        }
    }
    h->start[HELP_DOCS] = n;
    h->d = (alm_documents){.id = h->id, .start = h->start, .n = HELP_DOCS};
}

static inline alm_config help_config(void) {
    return (alm_config){.family = "llama",
                        .n_vocab = HELP_VOCAB,
                        .hidden = 24,
                        .n_layers = 2,
                        .n_heads = 2,
                        .n_kv_heads = 1,
                        .head_dim = 12,
                        .ffn = 40,
                        .context = HELP_CONTEXT,
                        .norm_eps = 1e-5,
                        .rope_theta = 10000,
                        .tied = true};
}

static inline alm_train_options help_options(void) {
    alm_train_options o;
    alm_train_defaults(&o);
    o.seed = 7;
    o.batch_tokens = 192;
    o.context = HELP_CONTEXT;
    o.steps = 12;
    o.warmup = 3;
    o.lr = 0.01;
    return o;
}

/* All weights in one number. */
static inline void help_digest(char out[65], alm_model *m) {
    alm_digest_stream *s;
    alm_digest sum;
    CHECK_OK(alm_digest_new(&s, NULL), NULL);
    for (size_t i = 0; i < alm_model_weight_count(m); i++) {
        const alm_weight *w = alm_model_weight(m, i);
        CHECK_OK(alm_digest_add(s, w->at, w->n_rows * w->n_cols * sizeof(float), NULL), NULL);
    }
    CHECK_OK(alm_digest_end(s, &sum, NULL), NULL);
    alm_digest_free(s);
    alm_digest_hex(out, &sum);
}

/* A whole run with so many threads on this instruction set ("": the best); the digest of its weights, and how it went. */
typedef struct help_run {
    char sha256[65];
    alm_train_progress p;
} help_run;
static inline help_run help_train(const alm_train_options *o, const alm_documents *d, const alm_documents *eval,
                                  unsigned threads, const char *isa) {
    help_run out;
    alm_config config = help_config();
    alm_model *m;
    alm_pool *pool;
    alm_compute *c;
    alm_trainer *t;
    alm_error err = {0};
    CHECK_OK(alm_model_new(&m, &config, 5, &err), &err);
    CHECK_OK(alm_pool_new(&pool, threads, &err), &err);
    CHECK_OK(*isa ? alm_compute_new_isa(&c, isa, pool, &err) : alm_compute_new(&c, pool, &err), &err);
    CHECK_OK(alm_trainer_new(&t, m, c, d, eval, o, &err), &err);
    for (out.p.finished = false; !out.p.finished;) CHECK_OK(alm_trainer_step(t, &out.p, &err), &err);
    CHECK_OK(alm_trainer_take_best(t, &err), &err);
    help_digest(out.sha256, m);
    alm_trainer_free(t);
    alm_compute_free(c);
    alm_pool_free(pool);
    alm_model_free(m);
    return out;
}

#endif
