/* SPDX-License-Identifier: Apache-2.0
 *
 * test_session.c - tokens that come piece by piece, with neighbours, after a rewind: the same logits; what does not fit is refused
 * and changes nothing. */
#include "alm_models.h"
#include "engine/batch.h"
#include "engine/session.h"

enum { N_VOCAB = 384, CONTEXT = 128 };

typedef struct world {
    alm_model *m;
    alm_compute *c;
    alm_batch *b;
    uint32_t id[CONTEXT];
    float *want; /* [CONTEXT][N_VOCAB], computed at once without a session */
} world;

static alm_model *opened(const char *name) {
    alm_model *m;
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, alm_models_path(name, NULL), &err), &err);
    return m;
}

static world made(size_t step_rows) {
    world w = {.m = opened("llama3")};
    alm_error err = {0};
    CHECK_OK(alm_compute_new(&w.c, NULL, &err), &err);
    CHECK_OK(alm_batch_new(&w.b, w.m, w.c, step_rows, &err), &err);
    for (uint32_t i = 0; i < CONTEXT; i++) w.id[i] = (i * 7 + i * i * 13) % N_VOCAB;
    w.want = alm_models_logits(w.m, w.c, w.id, CONTEXT);
    return w;
}

static void unmake(world *w) {
    alm_batch_free(w->b);
    alm_compute_free(w->c);
    alm_model_free(w->m);
    alm_free(w->want);
}

static alm_session *session_of(world *w, size_t context) {
    alm_session *s;
    alm_error err = {0};
    CHECK_OK(alm_session_new(&s, w->m, context, 0, &err), &err);
    return s;
}

static void check_rows(const world *w, const float *got, size_t from, size_t n, const char *how) {
    CHECK(memcmp(got, w->want + from * N_VOCAB, n * N_VOCAB * sizeof *got) == 0, "%s: logits from %zu on", how, from);
}

static void tokens_may_come_in_any_pieces(void **state) {
    (void)state;
    static const size_t piece[] = {1, 2, 5, 64, 100, CONTEXT}, steps[] = {7, 64, 0};
    float *got = malloc(CONTEXT * N_VOCAB * sizeof *got);
    alm_error err = {0};
    for (size_t r = 0; r < 3; r++) {
        world w = made(steps[r]);
        alm_session *s = session_of(&w, 0);
        for (size_t p = 0; p < sizeof piece / sizeof *piece; p++) {
            alm_session_truncate(s, 0);
            for (size_t at = 0; at < CONTEXT; at += piece[p]) {
                size_t n = CONTEXT - at < piece[p] ? CONTEXT - at : piece[p];
                CHECK_OK(alm_batch_feed(w.b, s, w.id + at, n, n, got + at * N_VOCAB, &err), &err);
                CHECK(alm_session_length(s) == at + n);
            }
            check_rows(&w, got, 0, CONTEXT, "in pieces");
            CHECK(memcmp(alm_session_tokens(s), w.id, sizeof w.id) == 0);
        }
        alm_session_free(s);
        unmake(&w);
    }
    free(got);
}

static void only_the_logits_that_are_wanted_are_computed(void **state) {
    (void)state;
    world w = made(16);
    alm_session *s = session_of(&w, 0);
    float *got = malloc(CONTEXT * N_VOCAB * sizeof *got);
    alm_error err = {0};
    CHECK_OK(alm_batch_feed(w.b, s, w.id, 40, 0, NULL, &err), &err);
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 40, 50, 1, got, &err), &err);
    check_rows(&w, got, 89, 1, "the last");
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 90, 38, 21, got, &err), &err); /* from the middle of a step on */
    check_rows(&w, got, 107, 21, "the last 21");
    free(got);
    alm_session_free(s);
    unmake(&w);
}

static void neighbours_change_nothing(void **state) {
    (void)state;
    enum { MANY = 5 };
    static const size_t n[MANY] = {60, 1, 128, 17, 33}, later[MANY] = {5, 30, 0, 1, 2};
    static const size_t steps[] = {9, 64, 500};
    float *got = malloc(MANY * CONTEXT * N_VOCAB * sizeof *got);
    alm_error err = {0};
    for (size_t r = 0; r < 3; r++) {
        world w = made(steps[r]);
        alm_session *s[MANY];
        alm_feed feed[MANY];
        size_t n_feeds = 0;
        /* One of them has another context: it cannot share a step. */
        for (size_t i = 0; i < MANY; i++) {
            s[i] = session_of(&w, i == 3 ? 100 : 0);
            feed[i] = (alm_feed){s[i], w.id, n[i], i == 4 ? 1 : n[i], got + i * CONTEXT * N_VOCAB};
        }
        CHECK_OK(alm_batch_run(w.b, feed, MANY, &err), &err);
        for (size_t i = 0; i < MANY; i++)
            check_rows(&w, feed[i].logits, n[i] - feed[i].n_logits, feed[i].n_logits, "beside others");
        for (size_t i = 0; i < MANY; i++)
            if (later[i])
                feed[n_feeds++] = (alm_feed){s[i], w.id + n[i], later[i], later[i], got + i * CONTEXT * N_VOCAB};
        CHECK_OK(alm_batch_run(w.b, feed, n_feeds, &err), &err);
        for (size_t i = 0; i < MANY; i++)
            check_rows(&w, got + i * CONTEXT * N_VOCAB, n[i], later[i], "later, beside others");
        for (size_t i = 0; i < MANY; i++) alm_session_free(s[i]);
        unmake(&w);
    }
    free(got);
}

static void a_rewound_session_goes_on_as_if_nothing_had_been(void **state) {
    (void)state;
    world w = made(0);
    alm_session *s = session_of(&w, 0);
    float *got = malloc(CONTEXT * N_VOCAB * sizeof *got);
    uint32_t other[CONTEXT];
    alm_error err = {0};
    memcpy(other, w.id, sizeof other);
    for (size_t i = 50; i < CONTEXT; i++) other[i] = 383 - w.id[i];
    CHECK_OK(alm_batch_feed(w.b, s, other, CONTEXT, 0, NULL, &err), &err);
    CHECK_INT(alm_session_keep(s, w.id, CONTEXT), 50);
    CHECK_INT(alm_session_length(s), 50);
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 50, 78, 78, got, &err), &err);
    check_rows(&w, got, 50, 78, "after a rewind");
    alm_session_truncate(s, 127);
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 127, 1, 1, got, &err), &err);
    check_rows(&w, got, 127, 1, "the last again");
    CHECK_INT(alm_session_keep(s, w.id, 20), 20);
    free(got);
    alm_session_free(s);
    unmake(&w);
}

/* longrope: the session's context decides for all of its tokens, the first as the last. */
static void a_session_turns_as_its_context_asks(void **state) {
    (void)state;
    world w = made(0);
    alm_error err = {0};
    alm_config config = *alm_model_config(w.m);
    config.rope_kind = ALM_ROPE_LONG;
    config.rope_factor = 4, config.rope_original = 32;
    for (size_t i = 0; i < config.head_dim / 2; i++) config.rope_short[i] = 1, config.rope_long[i] = 1.5f + (float)i;
    alm_model *m;
    alm_batch *b;
    CHECK_OK(alm_model_new(&m, &config, 1, &err), &err);
    CHECK_OK(alm_batch_new(&b, m, w.c, 0, &err), &err);
    static const size_t context[] = {32, 33, 128};
    alm_session *s[3];
    float *got[3];
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(alm_session_new(&s[i], m, context[i], 0, &err), &err);
        got[i] = malloc(32 * N_VOCAB * sizeof(float));
    }
    for (size_t at = 0; at < 32; at += 8) {
        alm_feed feed[3];
        for (size_t i = 0; i < 3; i++) feed[i] = (alm_feed){s[i], w.id + at, 8, 8, got[i] + at * N_VOCAB};
        CHECK_OK(alm_batch_run(b, feed, 3, &err), &err);
    }
    size_t n_bytes = 32 * N_VOCAB * sizeof(float);
    CHECK(memcmp(got[1], got[2], n_bytes) == 0 && memcmp(got[0], got[1], n_bytes) != 0);
    float *whole = alm_models_logits(m, w.c, w.id, 32); /* of 32 tokens: short */
    CHECK(memcmp(got[0], whole, n_bytes) == 0);
    alm_free(whole);
    for (size_t i = 0; i < 3; i++) alm_session_free(s[i]), free(got[i]);
    alm_batch_free(b);
    alm_model_free(m);
    unmake(&w);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state) {
    (void)state;
    world w = made(8);
    alm_session *s = session_of(&w, 30), *t = session_of(&w, 30), *none = NULL;
    float *got = malloc(CONTEXT * N_VOCAB * sizeof *got);
    alm_error err = {0};
    CHECK_STATUS(alm_session_new(&none, w.m, 129, 0, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "a context of 129; the model's has 128");
    size_t bytes = alm_session_bytes(w.m, 128);
    CHECK_STATUS(alm_session_new(&none, w.m, 128, bytes - 1, &err), ALM_LIMIT, &err);
    CHECK_HOLDS(err.text, "keys and values of a context of 128 take");
    CHECK_OK(alm_session_new(&none, w.m, 128, bytes, &err), &err);
    alm_session_free(none);
    CHECK_STATUS(alm_batch_feed(w.b, s, w.id, 31, 0, NULL, &err), ALM_LIMIT, &err);
    CHECK_HOLDS(err.text, "31 tokens do not fit a context of 30");
    CHECK_OK(alm_batch_feed(w.b, s, w.id, 20, 0, NULL, &err), &err);
    CHECK_STATUS(alm_batch_feed(w.b, s, w.id, 11, 0, NULL, &err), ALM_LIMIT, &err);
    CHECK_HOLDS(err.text, "20 tokens and 11 more do not fit a context of 30");
    uint32_t strange[] = {1, 384};
    CHECK_STATUS(alm_batch_feed(w.b, s, strange, 2, 0, NULL, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "token 384 at place 21; the vocabulary has 384");
    const alm_feed twice[] = {{s, w.id + 20, 1, 0, NULL}, {t, w.id, 3, 0, NULL}, {s, w.id + 20, 1, 0, NULL}};
    CHECK_STATUS(alm_batch_run(w.b, twice, 3, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "twice");
    CHECK_STATUS(alm_batch_feed(w.b, s, w.id, 0, 0, NULL, &err), ALM_INVALID, &err);
    alm_model *other = opened("llama32-tied");
    CHECK_OK(alm_session_new(&none, other, 0, 0, &err), &err);
    CHECK_STATUS(alm_batch_feed(w.b, none, w.id, 1, 0, NULL, &err), ALM_MISMATCH, &err);
    alm_session_free(none);
    alm_model_free(other);
    CHECK(alm_session_length(s) == 20 && alm_session_length(t) == 0);
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 20, 10, 10, got, &err), &err);
    check_rows(&w, got, 20, 10, "after refusals");
    free(got);
    alm_session_free(s), alm_session_free(t);
    unmake(&w);
}

/* A number that is not finite stops the step of the token that brings it in, and the session stands where it stood. */
static void a_step_that_fails_leaves_the_session_where_it_was(void **state) {
    (void)state;
    world w = made(8);
    alm_error err = {0};
    CHECK_OK(alm_model_trainable(w.m, &err), &err); /* values of our own */
    alm_weight *table = alm_model_weight(w.m, 0);
    float *row = (float *)(uintptr_t)table->at + 383 * table->n_cols, was = *row;
    alm_session *s = session_of(&w, 0);
    float *got = malloc(CONTEXT * N_VOCAB * sizeof *got);
    CHECK_OK(alm_batch_feed(w.b, s, w.id, 40, 0, NULL, &err), &err);
    uint32_t bad[30];
    for (size_t i = 0; i < 30; i++) bad[i] = i < 20 ? 1 : 383;
    *row = 3e38f;
    CHECK_STATUS(alm_batch_feed(w.b, s, bad, 30, 0, NULL, &err), ALM_LIMIT, &err);
    *row = was;
    CHECK_INT(alm_session_length(s), 40);
    CHECK_OK(alm_batch_feed(w.b, s, w.id + 40, 88, 88, got, &err), &err);
    check_rows(&w, got, 40, 88, "after a failure");
    free(got);
    alm_session_free(s);
    unmake(&w);
}

static alm_status a_little_of_everything(void *arg) {
    world *w = arg;
    alm_batch *b = NULL;
    alm_session *s[2] = {NULL, NULL};
    alm_error err = {0};
    float got[2 * N_VOCAB];
    alm_status st = alm_batch_new(&b, w->m, w->c, 4, &err);
    for (size_t i = 0; i < 2 && st == ALM_OK; i++) st = alm_session_new(&s[i], w->m, 0, 0, &err);
    if (st == ALM_OK) {
        const alm_feed feed[] = {{s[0], w->id, 5, 1, got}, {s[1], w->id, 3, 1, got + N_VOCAB}};
        st = alm_batch_run(b, feed, 2, &err);
        CHECK(alm_session_length(s[0]) == (st == ALM_OK ? 5 : 0) && alm_session_length(s[1]) == (st == ALM_OK ? 3 : 0));
    }
    alm_session_free(s[0]), alm_session_free(s[1]);
    alm_batch_free(b);
    return st;
}

/* The plan against what a tape took that computed the same step. */
static void the_memory_of_a_step_is_known_before(void **state) {
    (void)state;
    world w = made(0);
    alm_error err = {0};
    static const size_t rows[] = {1, 7, CONTEXT};
    size_t plan, before = 0;
    for (size_t i = 0; i < 3; i++) {
        uint32_t start[] = {0, (uint32_t)rows[i]}, last = (uint32_t)rows[i] - 1;
        float logits[N_VOCAB];
        alm_tape *t = NULL;
        CHECK_OK(alm_batch_bytes(&plan, w.m, w.c, rows[i], CONTEXT, &err), &err);
        CHECK_OK(alm_tape_new(&t, w.c, ALM_TAPE_INFER, 0, &err), &err);
        const alm_rows r = {
            .n = rows[i], .n_docs = 1, .id = w.id, .start = start, .context = CONTEXT, .pick = &last, .n_pick = 1};
        CHECK_OK(alm_model_logits(w.m, t, &r, logits, &err), &err);
        CHECK_INT(plan, alm_tape_bytes(t));
        CHECK(plan > before, "%zu bytes for %zu rows", plan, rows[i]);
        before = plan;
        alm_tape_free(t);
    }
    CHECK_OK(alm_batch_bytes(&plan, w.m, w.c, 0, 7, &err), &err);
    CHECK(plan < before, "no more rows than the context has");
    CHECK_STATUS(alm_batch_bytes(&plan, w.m, w.c, 0, 0, &err), ALM_INVALID, &err);
    unmake(&w);
}

static void memory_that_fails_is_reported(void **state) {
    (void)state;
    world w = made(0);
    a_little_of_everything(&w); /* what compute and model keep is theirs */
    /* alm_memory_free reads a file and does without it when it cannot. */
    ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(a_little_of_everything, &w);
    unmake(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tokens_may_come_in_any_pieces),
    cmocka_unit_test(only_the_logits_that_are_wanted_are_computed),
    cmocka_unit_test(neighbours_change_nothing),
    cmocka_unit_test(a_rewound_session_goes_on_as_if_nothing_had_been),
    cmocka_unit_test(a_session_turns_as_its_context_asks),
    cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
    cmocka_unit_test(a_step_that_fails_leaves_the_session_where_it_was),
    cmocka_unit_test(the_memory_of_a_step_is_known_before),
    cmocka_unit_test(memory_that_fails_is_reported),
};
ALM_TEST_MAIN(tests)
