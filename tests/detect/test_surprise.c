/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/detect/test_surprise.c - kinds of lines, what is measured of a reading, and a language model that learns, is saved,
 * and knows a language from another. All text is ours. */
#include "alm_test.h"
#include "base/rng.h"
#include "detect/surprise.h"

static uint64_t kind_of(const char *value, unsigned type) {
    const alm_param p = {.at = 0, .n = (uint32_t)strlen(value), .slot = 1, .type = (uint8_t)type};
    return alm_surprise_kind(7, &(alm_look){.text = alm_str_of(value), .n_params = 1, .params = &p});
}

static void values_of_one_shape_are_of_one_kind(void **state) {
    (void)state;
    CHECK(kind_of("/var/log/a.log", ALM_SLOT_PATH) == kind_of("/usr/share/doc/b.log", ALM_SLOT_PATH));
    CHECK(kind_of("anna", ALM_SLOT_WORD) == kind_of("bert", ALM_SLOT_WORD));
    CHECK(kind_of("17", ALM_SLOT_NUM) == kind_of("90210", ALM_SLOT_NUM));
    CHECK(kind_of("order 17 is late", ALM_SLOT_STR) == kind_of("order 23 is late", ALM_SLOT_STR));
    CHECK(kind_of("anna", ALM_SLOT_WORD) != kind_of("an/na", ALM_SLOT_WORD));
    CHECK(kind_of("anna", ALM_SLOT_WORD) != kind_of("änne", ALM_SLOT_WORD));
    CHECK(kind_of("order is late", ALM_SLOT_STR) != kind_of("late is order", ALM_SLOT_STR));
    CHECK(kind_of("", ALM_SLOT_STR) != 0);
}

static void what_is_random_is_shown_as_zeros_and_nothing_moves(void **state) {
    (void)state;
    const char *text = "user anna7 paid 1234 with key 9fA0";
    const alm_param p[] = {{.at = 5, .n = 5, .type = ALM_SLOT_WORD},
                           {.at = 16, .n = 4, .type = ALM_SLOT_NUM},
                           {.at = 30, .n = 4, .type = ALM_SLOT_HEX}};
    alm_buf out = alm_buf_with_limit(4096);
    CHECK(alm_surprise_line(&out, &(alm_look){.text = alm_str_of(text), .n_params = 3, .params = p}));
    CHECK(alm_str_eq(alm_buf_str(&out), ALM_STR("user anna0 paid 0000 with key 0000")), "%.*s", (int)out.n, out.at);
    alm_buf_free(&out);
}

static void a_run_is_the_strangest_stretch(void **state) {
    (void)state;
    alm_reading r = {.n = 8, .nll = {1, 1, 6, 7, 6, 1, 1, 6}};
    alm_surprise_stats x;
    alm_surprise_measure(&r, 2, &x);
    CHECK(x.run_from == 2 && x.run_to == 5, "%u to %u", x.run_from, x.run_to);
    CHECK(x.x[2] == 3 + 4 + 3 && x.x[1] == 7 && x.most == 3 && x.x[0] == 29.0 / 8);
    r = (alm_reading){.n = 3, .nll = {1, 2, 1}};
    alm_surprise_measure(&r, 2, &x);
    CHECK(x.x[2] == 0 && x.run_from == 1 && x.run_to == 2); /* nothing strange: the most surprising token */
}

static void the_part_grows_with_the_distance_from_what_is_normal(void **state) {
    (void)state;
    static double at[ALM_SURPRISE_STATS][1000];
    double *x[ALM_SURPRISE_STATS], tail, before = 0;
    alm_surprise s = {0};
    for (unsigned i = 0; i < ALM_SURPRISE_STATS; i++) {
        x[i] = at[i];
        for (unsigned j = 0; j < 1000; j++) at[i][j] = (double)((j * 7919) % 1000) / 1000;
    }
    alm_surprise_fit(&s, x, 1000);
    CHECK(alm_surprise_part(&s, &(alm_surprise_stats){.x = {0.5, 0.5, 0.5}}, &tail) == 0 && tail == 1);
    for (double v = 0.9; v < 3; v += 0.1) {
        double part = alm_surprise_part(&s, &(alm_surprise_stats){.x = {0.1, v, 0.1}}, &tail);
        CHECK(part >= before && part <= 16, "%g at %g after %g", part, v, before);
        before = part;
    }
    CHECK(before > 8, "%g", before);
}

/* Two clauses of a small language, put together in a hundred thousand ways. */
static alm_str sentence(char out[200], alm_rng *r) {
    static const char *const who[] = {"the red fox", "a small dog", "our old cat", "the young horse", "one grey goose"};
    static const char *const does[] = {"jumps over", "looks at", "runs from", "sleeps near", "sings to", "waits for"};
    static const char *const what[] = {"the garden wall", "a wooden door", "the empty street", "some green apples"};
    static const char *const when[] = {"in the morning", "at night", "when it rains", "after lunch", "again and again"};
#define ANY(list) list[alm_rng_below(r, sizeof list / sizeof *list)]
    snprintf(out, 200, "note from desk: \"%s %s %s %s and %s %s\"", ANY(who), ANY(does), ANY(what), ANY(when), ANY(who),
             ANY(does));
    return alm_str_of(out);
}

static alm_normal *learned(unsigned threads, uint64_t steps) {
    alm_learner *l = NULL;
    alm_normal *m = NULL;
    alm_error err = {0};
    const alm_learn_options o = {
        .size = sizeof o, .group_by = "off", .lm = true, .lm_steps = steps, .threads = threads};
    CHECK_OK(alm_learn_new(&l, &o, &err), &err);
    alm_rng r = alm_rng_seed(5, 0, 0);
    char text[200];
    for (unsigned i = 0; i < 500; i++) {
        alm_event e = {.text = sentence(text, &r), .time_ns = INT64_MIN, .line = i + 1, .label = -1};
        CHECK_OK(alm_learn_add(l, &e, &err), &err);
    }
    CHECK_OK(alm_learn_finish(&m, l, &err), &err);
    alm_learn_free(l);
    return m;
}

static double surprise_of(alm_detection *d, const char *text, uint64_t line) {
    alm_verdict v;
    alm_error err = {0};
    alm_event e = {.text = alm_str_of(text), .time_ns = INT64_MIN, .line = line, .label = -1};
    CHECK_OK(alm_detect_feed(d, &e, &v, &err), &err);
    for (unsigned i = 0; i < v.n_why; i++)
        if (!strcmp(v.why[i].detector, "surprise")) return v.why[i].score;
    return 0;
}

static void another_language_surprises_and_a_new_sentence_does_not(void **state) {
    (void)state;
    alm_normal *one = learned(1, 6), *two = learned(2, 6), *read = NULL;
    alm_buf bytes = alm_buf_with_limit(64 << 20), again = alm_buf_with_limit(64 << 20);
    alm_error err = {0};
    CHECK(one->surprise, "%s", one->info.lm_reason);
    CHECK_OK(alm_normal_bytes(one, &bytes, &err), &err);
    CHECK_OK(alm_normal_bytes(two, &again, &err), &err);
    CHECK(bytes.n == again.n && memcmp(bytes.at, again.at, bytes.n) == 0, "one and two threads differ");
    CHECK_OK(alm_normal_parse(&read, "bytes", alm_buf_str(&bytes), &err), &err);
    alm_normal *each[] = {one, read};
    double strange[2];
    for (unsigned i = 0; i < 2; i++) {
        alm_detection *d;
        CHECK_OK(alm_detect_new(&d, each[i], NULL, &err), &err);
        alm_detect_explain(d, true);
        alm_rng r = alm_rng_seed(99, 0, 0);
        char text[200];
        unsigned loud = 0;
        for (unsigned k = 0; k < 100; k++) loud += surprise_of(d, sentence(text, &r).at, k + 1) > 4.6;
        CHECK(loud <= 8, "%u of 100 normal sentences", loud);
        strange[i] = surprise_of(d, "note from desk: \"żółw bardzo powoli idzie przez las i nikogo nie słyszy\"", 101);
        CHECK(strange[i] > 5, "%g", strange[i]);
        CHECK(alm_detect_token_count(d) > 5);
        CHECK(surprise_of(d, "note from desk: \"żółw bardzo powoli idzie przez las i nikogo nie słyszy\"", 102) == 0);
        CHECK(alm_detect_token_count(d) == 0, "it is not read twice");
        alm_detect_free(d);
    }
    CHECK(strange[0] == strange[1], "a saved model judges otherwise");
    alm_normal_free(one), alm_normal_free(two), alm_normal_free(read);
    alm_buf_free(&bytes), alm_buf_free(&again);
}

static void too_few_lines_give_no_language_model_and_a_reason(void **state) {
    (void)state;
    alm_learner *l = NULL;
    alm_normal *m = NULL;
    alm_error err = {0};
    CHECK_OK(alm_learn_new(&l, &(alm_learn_options){.size = sizeof(alm_learn_options), .lm = true}, &err), &err);
    for (unsigned i = 0; i < 50; i++)
        CHECK_OK(
            alm_learn_add(l, &(alm_event){.text = ALM_STR("all is well"), .time_ns = INT64_MIN, .label = -1}, &err),
            &err);
    CHECK_OK(alm_learn_finish(&m, l, &err), &err);
    CHECK(!m->surprise);
    CHECK_HOLDS(m->info.lm_reason, "too few");
    alm_learn_free(l);
    alm_normal_free(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_of_one_shape_are_of_one_kind),
    cmocka_unit_test(what_is_random_is_shown_as_zeros_and_nothing_moves),
    cmocka_unit_test(a_run_is_the_strangest_stretch),
    cmocka_unit_test(the_part_grows_with_the_distance_from_what_is_normal),
    cmocka_unit_test(another_language_surprises_and_a_new_sentence_does_not),
    cmocka_unit_test(too_few_lines_give_no_language_model_and_a_reason),
};
ALM_TEST_MAIN(tests)
