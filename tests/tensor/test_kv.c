/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_kv.c - documents that are continued: the same bits as documents that are computed at once, wherever they are
 * cut, whatever lies beside them. */
#include "ops_cases.h"

#include "base/alloc.h"
#include "tensor/kv.h"

enum { DOCS = 3, LONGEST = 530 };

/* Documents that end before, at and behind the border of a page. */
static const uint32_t together[DOCS + 1] = {0, 7, 7 + LONGEST, 7 + LONGEST + 256};
static const ref_shape shapes[] = {
    {.n_vocab = 19,
     .hidden = 12,
     .n_heads = 4,
     .n_kv_heads = 2,
     .head_dim = 6,
     .ffn = 9,
     .start = together,
     .n_docs = DOCS},
    {.n_vocab = 23,
     .hidden = 16,
     .n_heads = 7,
     .n_kv_heads = 1,
     .head_dim = 16,
     .n_pairs = 3,
     .window = 33,
     .interleaved = true,
     .ffn = 18,
     .start = together,
     .n_docs = DOCS},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const ref_case cases[] = {
    {"attention", attention_make, attention_tape, attention_exact},
    {"attention with a softcap and sinks", capped_make, attention_tape, attention_exact},
    {"two layers", layer_make, layer_tape, layer_exact},
};
enum { CASES = sizeof cases / sizeof *cases };

/* Everything at once. */
static float *whole(ref_world *o, alm_tape *t, size_t *dim) {
    alm_error err = {0};
    alm_tape_reset(t);
    alm_node *y = o->how->tape(o, t);
    CHECK_OK(alm_tape_run(t, y, &err), &err);
    *dim = y->dim;
    float *out = malloc(y->n * y->dim * sizeof *out);
    memcpy(out, y->x, y->n * y->dim * sizeof *out);
    return out;
}

/* Up to `step` rows of each document at a time, those of the documents side by side. */
static void in_steps(ref_world *o, alm_tape *t, size_t step, alm_kv **kv, const float *want, size_t dim) {
    alm_rows rows = o->rows;
    uint32_t done[DOCS] = {0}, start[DOCS + 1] = {0}, *id = malloc(rows.n * sizeof *id);
    for (;;) {
        for (size_t d = 0; d < DOCS; d++) {
            size_t left = rows.start[d + 1] - rows.start[d] - done[d], n = left < step ? left : step;
            memcpy(id + start[d], rows.id + rows.start[d] + done[d], n * sizeof *id);
            start[d + 1] = start[d] + (uint32_t)n;
        }
        if (start[DOCS] == 0) break;
        o->rows = (alm_rows){.n = start[DOCS], .n_docs = DOCS, .id = id, .start = start, .position = done, .kv = kv};
        alm_error err = {0};
        alm_tape_reset(t);
        alm_node *y = o->how->tape(o, t);
        CHECK_OK(alm_tape_run(t, y, &err), &err);
        for (size_t d = 0; d < DOCS; d++) {
            size_t n = start[d + 1] - start[d];
            CHECK(memcmp(y->x + start[d] * dim, want + (rows.start[d] + done[d]) * dim, n * dim * sizeof *want) == 0,
                  "%s: document %zu from %u on, %zu at a time", o->how->name, d, done[d], step);
            done[d] += (uint32_t)n;
            CHECK(alm_kv_length(kv[d]) == done[d]);
        }
    }
    free(id);
    o->rows = rows;
}

static void a_document_that_is_continued_has_the_bits_of_a_whole_one(void **state) {
    (void)state;
    const alm_kernels *const *all = alm_kernels_all();
    for (size_t i = 0; i < CASES * SHAPES; i++) {
        ref_world o;
        ref_make(&o, &cases[i / SHAPES], &shapes[i % SHAPES]);
        size_t dim = 0;
        float *want = NULL;
        for (size_t k = 0; all[k]; k++) {
            alm_pool *pool = NULL;
            alm_tape *t = NULL;
            alm_error err = {0};
            if (!alm_kernels_can(all[k])) continue;
            bool fast = strcmp(all[k]->isa, "plain") != 0 && strcmp(all[k]->isa, "wide") != 0;
            CHECK_OK(alm_pool_new(&pool, fast ? 3 : 1, &err), &err);
            alm_compute *c = ref_compute(all[k]->isa, pool);
            CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
            if (!want) want = whole(&o, t, &dim);
            static const size_t steps[] = {300, 64, 5, 1};
            for (size_t s = 0; s < (fast ? 4 : 1); s++) {
                alm_kv *kv[DOCS];
                for (size_t d = 0; d < DOCS; d++) CHECK_OK(alm_kv_new(&kv[d], &err), &err);
                in_steps(&o, t, steps[s], kv, want, dim);
                for (size_t d = 0; d < DOCS; d++) alm_kv_free(kv[d]);
            }
            alm_tape_free(t);
            alm_compute_free(c);
            alm_pool_free(pool);
        }
        free(want);
        ref_free(&o);
    }
}

static void what_is_forgotten_may_be_said_otherwise(void **state) {
    (void)state;
    ref_world o;
    ref_make(&o, &cases[2], &shapes[0]);
    alm_tape *t = NULL;
    alm_error err = {0};
    alm_compute *c = ref_compute("plain", NULL);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    const uint32_t one[] = {0, 290};
    o.rows = (alm_rows){.n = 290, .n_docs = 1, .id = o.id, .start = one};
    size_t dim;
    float *want = whole(&o, t, &dim);
    alm_kv *kv = NULL;
    CHECK_OK(alm_kv_new(&kv, &err), &err);
    /* 270 other tokens behind the first 20, then back to 20 and on as before. */
    uint32_t *other = malloc(290 * sizeof *other), position = 0, rest[] = {0, 270};
    for (size_t i = 0; i < 290; i++) other[i] = i < 20 ? o.id[i] : (o.id[i] + 1) % 19;
    o.rows = (alm_rows){.n = 290, .n_docs = 1, .id = other, .start = one, .position = &position, .kv = &kv};
    free(whole(&o, t, &dim));
    CHECK(alm_kv_length(kv) == 290);
    alm_kv_truncate(kv, 20);
    CHECK(alm_kv_length(kv) == 20);
    position = 20;
    o.rows = (alm_rows){.n = 270, .n_docs = 1, .id = o.id + 20, .start = rest, .position = &position, .kv = &kv};
    float *got = whole(&o, t, &dim);
    CHECK(memcmp(got, want + 20 * dim, 270 * dim * sizeof *got) == 0);
    free(got), free(want), free(other);
    alm_kv_free(kv);
    alm_tape_free(t);
    alm_compute_free(c);
    ref_free(&o);
}

static void what_cannot_be_continued_is_refused(void **state) {
    (void)state;
    ref_world o;
    ref_make(&o, &cases[0], &shapes[0]);
    alm_tape *t = NULL;
    alm_error err = {0};
    alm_compute *c = ref_compute("plain", NULL);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    alm_kv *kv[2];
    CHECK_OK(alm_kv_new(&kv[0], &err), &err);
    kv[1] = kv[0];
    uint32_t start[] = {0, 2, 4}, position[] = {0, 0};
    o.rows = (alm_rows){.n = 4, .n_docs = 2, .id = o.id, .start = start, .position = position, .kv = kv};
    CHECK(o.how->tape(&o, t) == NULL && alm_tape_status(t, &err) == ALM_INVALID);
    CHECK_HOLDS(err.text, "the same kv");
    alm_tape_reset(t);
    start[1] = 4, o.rows.n_docs = 1, position[0] = 3;
    CHECK(o.how->tape(&o, t) == NULL && alm_tape_status(t, &err) == ALM_INVALID);
    CHECK_HOLDS(err.text, "known up to 0");
    position[0] = 0;
    size_t dim;
    free(whole(&o, t, &dim));
    alm_tape_reset(t);
    o.attention.both_ways = true;
    CHECK(o.how->tape(&o, t) == NULL && alm_tape_status(t, &err) == ALM_INVALID);
    o.attention.both_ways = false;
    alm_tape_reset(t);
    const alm_attention was = o.attention;
    o.attention = (alm_attention){.n_heads = 4, .n_kv_heads = 4, .head_dim = 6, .scale = 1};
    alm_node *q = alm_tape_lookup(t, &o.w[1], &o.rows), *k = alm_tape_lookup(t, &o.w[1], &o.rows);
    CHECK(!alm_tape_attention(t, q, k, alm_tape_lookup(t, &o.w[1], &o.rows), &o.attention, &o.rows));
    alm_tape_status(t, &err);
    CHECK_HOLDS(err.text, "another model");
    o.attention = was;
    alm_tape_free(t);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_TRAIN, 0, &err), &err);
    CHECK(o.how->tape(&o, t) == NULL && alm_tape_status(t, &err) == ALM_INVALID);
    CHECK_HOLDS(err.text, "differentiated");
    alm_kv_free(kv[0]);
    alm_tape_free(t);
    alm_compute_free(c);
    ref_free(&o);
}

typedef struct step {
    ref_world *o;
    alm_compute *c;
} step;

static alm_status three_rows(void *arg) {
    step *s = arg;
    const uint32_t start[] = {0, 3}, position = 0;
    alm_kv *kv = NULL;
    alm_tape *t = NULL;
    alm_error err = {0};
    alm_status st = alm_kv_new(&kv, &err);
    if (st == ALM_OK) st = alm_tape_new(&t, s->c, ALM_TAPE_INFER, 0, &err);
    if (st == ALM_OK) {
        s->o->rows = (alm_rows){.n = 3, .n_docs = 1, .id = s->o->id, .start = start, .position = &position, .kv = &kv};
        st = alm_tape_run(t, s->o->how->tape(s->o, t), &err);
        CHECK(alm_kv_length(kv) == (st == ALM_OK ? 3 : 0));
    }
    alm_tape_free(t);
    alm_kv_free(kv);
    return st;
}

static void memory_that_fails_leaves_what_was_known(void **state) {
    (void)state;
    ref_world o;
    ref_make(&o, &cases[2], &shapes[0]);
    step s = {&o, ref_compute("plain", NULL)};
    three_rows(&s); /* the scratch of the compute stays: it is not what is tested */
    ALM_FOR_EACH_ALLOC_FAILURE(three_rows, &s);
    alm_compute_free(s.c);
    ref_free(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_document_that_is_continued_has_the_bits_of_a_whole_one),
    cmocka_unit_test(what_is_forgotten_may_be_said_otherwise),
    cmocka_unit_test(what_cannot_be_continued_is_refused),
    cmocka_unit_test(memory_that_fails_leaves_what_was_known),
};
ALM_TEST_MAIN(tests)
