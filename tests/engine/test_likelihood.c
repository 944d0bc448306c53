/* SPDX-License-Identifier: Apache-2.0
 *
 * test_likelihood.c - the surprise of each token of a text: that of the logits, window by window, whatever lies beside it. */
#include "alm_models.h"
#include "engine/likelihood.h"
#include "text/bpe.h"

#include <math.h>

enum { N_VOCAB = 384, CONTEXT = 128 };

typedef struct world {
    alm_model *m;
    alm_compute *c;
    alm_tokenizer *t;
    alm_scorer *s;
    char *text; /* of the corpus */
    size_t n_text;
} world;

static world made(void) {
    world w = {0};
    alm_error err = {0};
    alm_bpe_trainer *t = NULL;
    alm_bpe *b = NULL;
    CHECK_OK(alm_model_open(&w.m, alm_models_path("llama3", NULL), &err), &err);
    CHECK_OK(alm_compute_new(&w.c, NULL, &err), &err);
    w.text = alm_test_slurp(alm_test_source("tests/golden/bpe/corpus.txt"), &w.n_text);
    CHECK_OK(alm_bpe_trainer_new(&t, 300, &err), &err);
    CHECK_OK(alm_bpe_trainer_feed(t, alm_str_make(w.text, w.n_text), &err), &err);
    CHECK_OK(alm_bpe_trainer_finish(t, &b, &err), &err);
    alm_bpe_trainer_free(t);
    CHECK_OK(alm_tokenizer_from_bpe(&w.t, b, &err), &err);
    CHECK_OK(alm_scorer_new(&w.s, w.m, w.t, w.c, &err), &err);
    return w;
}

static void unmake(world *w) {
    alm_scorer_free(w->s);
    alm_tokenizer_free(w->t);
    alm_compute_free(w->c);
    alm_model_free(w->m);
    alm_free(w->text);
}

/* The token that begins a text, and the text's. */
static uint32_t *tokens_of(const world *w, alm_str text, size_t *n) {
    alm_error err = {0};
    alm_buf id = alm_buf_with_limit(1 << 24);
    uint32_t bos = (uint32_t)alm_tokenizer_bos(w->t);
    if (alm_tokenizer_bos(w->t) >= 0) alm_buf_add(&id, &bos, sizeof bos);
    CHECK_OK(alm_tokenizer_encode(w->t, NULL, text, ALM_SPECIALS_NONE, &id, &err), &err);
    *n = id.n / sizeof bos;
    uint32_t *out = alm_calloc(*n + 1, sizeof *out);
    memcpy(out, id.at, id.n);
    alm_buf_free(&id);
    return out;
}

/* -log softmax in double, of the row behind id[from .. at) for id[at]. */
static double surprise(const world *w, const uint32_t *id, size_t from, size_t at) {
    float *logits = alm_models_logits(w->m, w->c, id + from, at - from), *row = logits + (at - from - 1) * N_VOCAB;
    double most = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < N_VOCAB; i++)
        if ((double)row[i] > most) most = (double)row[i];
    for (size_t i = 0; i < N_VOCAB; i++) sum += exp((double)row[i] - most);
    double nll = log(sum) + most - (double)row[id[at]];
    alm_free(logits);
    return nll;
}

static void each_token_surprises_as_its_logit_says(void **state) {
    (void)state;
    world w = made();
    alm_error err = {0};
    alm_scored got;
    alm_str text = alm_str_make(w.text, 90);
    size_t n;
    uint32_t *id = tokens_of(&w, text, &n);
    CHECK(n > 10 && n < CONTEXT);
    CHECK_OK(alm_scorer_run(w.s, &got, &text, 1, &err), &err);
    CHECK_INT(got.n, n - 1);
    double sum = 0;
    for (size_t i = 1; i < n; i++) {
        CHECK(got.id[i - 1] == id[i]);
        CHECK_NEAR((double)got.piece[i - 1], surprise(&w, id, 0, i), 1e-5);
        sum += (double)got.piece[i - 1];
    }
    CHECK_NEAR(got.nll, sum, 1e-9);
    alm_free(id);
    unmake(&w);
}

/* Behind the first 128 tokens each window begins 64 tokens before those that it judges. */
static void a_long_text_is_read_in_windows(void **state) {
    (void)state;
    world w = made();
    alm_error err = {0};
    alm_scored got;
    alm_str text = alm_str_make(w.text, 900);
    size_t n;
    uint32_t *id = tokens_of(&w, text, &n);
    CHECK(n > 2 * CONTEXT);
    CHECK_OK(alm_scorer_run(w.s, &got, &text, 1, &err), &err);
    CHECK_INT(got.n, n - 1);
    for (size_t i = 1; i < n; i += i % CONTEXT == 1 ? 62 : 1) { /* the borders, and some between */
        size_t from = i <= CONTEXT ? 0 : (i - CONTEXT - 1) / 64 * 64 + 64;
        CHECK_NEAR((double)got.piece[i - 1], surprise(&w, id, from, i), 1e-5);
        if (i % 64 > 3 && i % 64 < 60) i += 50;
    }
    alm_free(id);
    unmake(&w);
}

static void neighbours_change_nothing(void **state) {
    (void)state;
    enum { MANY = 40 };
    world w = made();
    alm_error err = {0};
    alm_str text[MANY];
    alm_scored got[MANY], alone;
    for (size_t i = 0; i < MANY; i++) text[i] = alm_str_make(w.text + 7 * i, i % 9 == 4 ? 700 : i * 3);
    CHECK_OK(alm_scorer_run(w.s, got, text, MANY, &err), &err);
    float *piece[MANY];
    double nll[MANY];
    uint32_t n[MANY];
    for (size_t i = 0; i < MANY; i++) { /* the next call forgets them */
        n[i] = got[i].n, nll[i] = got[i].nll;
        piece[i] = malloc((n[i] + 1) * sizeof(float));
        if (n[i]) memcpy(piece[i], got[i].piece, n[i] * sizeof(float));
    }
    for (size_t i = 0; i < MANY; i++) {
        CHECK_OK(alm_scorer_run(w.s, &alone, &text[i], 1, &err), &err);
        CHECK(alone.n == n[i]);
        CHECK_BITS(alone.nll, nll[i]);
        CHECK(n[i] == 0 || memcmp(alone.piece, piece[i], n[i] * sizeof(float)) == 0, "text %zu", i);
        free(piece[i]);
    }
    CHECK(n[0] == 0 && nll[0] == 0);
    unmake(&w);
}

/* longrope: a short text turns by the short divisors, also beside a long one. */
static void a_text_turns_as_its_own_length_asks(void **state) {
    (void)state;
    world w = made();
    alm_error err = {0};
    alm_config config = *alm_model_config(w.m), plain;
    config.rope_kind = ALM_ROPE_LONG;
    config.rope_factor = 4, config.rope_original = 32;
    for (size_t i = 0; i < config.head_dim / 2; i++) config.rope_short[i] = 1, config.rope_long[i] = 1.5f + (float)i;
    plain = config;
    plain.rope_factor = 0; /* as the short divisors of 1 turn */
    alm_model *m[2] = {NULL, NULL};
    alm_scorer *s[2] = {NULL, NULL};
    CHECK_OK(alm_model_new(&m[0], &config, 1, &err), &err);
    CHECK_OK(alm_model_new(&m[1], &plain, 1, &err), &err);
    for (size_t i = 0; i < 2; i++) CHECK_OK(alm_scorer_new(&s[i], m[i], w.t, w.c, &err), &err);
    const alm_str text[] = {alm_str_make(w.text, 20), alm_str_make(w.text, 200), alm_str_make(w.text + 9, 20)};
    alm_scored got[3], want[3];
    CHECK_OK(alm_scorer_run(s[0], got, text, 3, &err), &err);
    CHECK_OK(alm_scorer_run(s[1], want, text, 3, &err), &err);
    CHECK_BITS(got[0].nll, want[0].nll);
    CHECK_BITS(got[2].nll, want[2].nll);
    CHECK(got[1].n > 32 && alm_test_bits(got[1].nll) != alm_test_bits(want[1].nll));
    for (size_t i = 0; i < 2; i++) alm_scorer_free(s[i]), alm_model_free(m[i]);
    unmake(&w);
}

static void a_tokenizer_with_more_tokens_than_the_model_is_refused(void **state) {
    (void)state;
    world w = made();
    alm_error err = {0};
    alm_config small = *alm_model_config(w.m);
    small.n_vocab = 299;
    alm_model *m = NULL;
    alm_scorer *s = NULL;
    CHECK_OK(alm_model_new(&m, &small, 1, &err), &err);
    CHECK_STATUS(alm_scorer_new(&s, m, w.t, w.c, &err), ALM_MISMATCH, &err);
    CHECK_HOLDS(err.text, "the tokenizer has 300 tokens, the model 299");
    alm_model_free(m);
    unmake(&w);
}

static alm_status two_texts(void *arg) {
    world *w = arg;
    alm_scorer *s = NULL;
    alm_error err = {0};
    alm_scored got[2];
    const alm_str text[] = {alm_str_make(w->text, 30), alm_str_make(w->text, 5)};
    alm_status st = alm_scorer_new(&s, w->m, w->t, w->c, &err);
    if (st == ALM_OK) st = alm_scorer_run(s, got, text, 2, &err);
    alm_scorer_free(s);
    return st;
}

static void memory_that_fails_is_reported(void **state) {
    (void)state;
    world w = made();
    two_texts(&w);
    ALM_FOR_EACH_ALLOC_FAILURE(two_texts, &w);
    unmake(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_token_surprises_as_its_logit_says),
    cmocka_unit_test(a_long_text_is_read_in_windows),
    cmocka_unit_test(neighbours_change_nothing),
    cmocka_unit_test(a_text_turns_as_its_own_length_asks),
    cmocka_unit_test(a_tokenizer_with_more_tokens_than_the_model_is_refused),
    cmocka_unit_test(memory_that_fails_is_reported),
};
ALM_TEST_MAIN(tests)
