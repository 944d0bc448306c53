/* SPDX-License-Identifier: Apache-2.0
 *
 * test_builtin.c - the built-in model: what lies in the program is the file of the tree, opens as any model does, and reads a
 * stream of which nothing was learned: it keeps silent about what is usual there, and about what it cannot tell yet. */
#include "alm_test.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "detect/surprise.h"
#include "format/builtin.h"
#include "proof/digest.h"

static void the_bytes_are_those_of_the_tree(void **state) {
    (void)state;
    size_t n;
    char *file = alm_test_slurp(alm_test_source("examples/demo/builtin/builtin.gguf"), &n), hex[65];
    alm_str in = alm_builtin_bytes();
    alm_digest sum;
    CHECK(in.n == n && memcmp(in.at, file, n) == 0, "%zu bytes in the program, %zu in the tree", in.n, n);
    CHECK(n <= 4000000, "%zu bytes", n);
    CHECK_OK(alm_digest_of(&sum, in.at, in.n, NULL), NULL);
    CHECK_STR(alm_str_of(alm_digest_hex(hex, &sum)), alm_builtin_sha256());
    free(file);
    file = alm_test_slurp(alm_test_source("examples/demo/builtin/builtin.gguf.recipe.json"), &n);
    CHECK(alm_str_find(alm_str_make(file, n), alm_str_of(hex)) != SIZE_MAX, "the recipe names another file");
    free(file);
}

static alm_status open_all(alm_error *err) {
    alm_model *m = NULL;
    alm_surprise *s = NULL;
    alm_status st = alm_model_open(&m, ALM_BUILTIN, err);
    if (st == ALM_OK) st = alm_surprise_builtin(&s, err);
    alm_model_free(m);
    alm_surprise_free(s);
    return st;
}

static void it_opens_as_a_model_and_as_a_reader(void **state) {
    (void)state;
    alm_gguf *g = NULL;
    alm_str recipe;
    alm_error err = {0};
    CHECK(alm_builtin_is("builtin:") && !alm_builtin_is("builtin") && !alm_builtin_is("builtin:x"));
    CHECK_OK(open_all(&err), &err);
    CHECK_OK(alm_gguf_open(&g, ALM_BUILTIN, &err), &err);
    CHECK_OK(alm_gguf_str(g, "alm.recipe", &recipe, &err), &err);
    CHECK(alm_str_find(recipe, ALM_STR("builtin-data.log")) != SIZE_MAX, "%.*s", ALM_ARG(recipe));
    alm_gguf_close(g);
    CHECK_STATUS(alm_gguf_open(&g, "builtin:x", &err), ALM_NOT_FOUND, &err);
}

static void it_opens_or_says_that_memory_is_short(void **state) {
    (void)state;
    alm_surprise *s;
    for (size_t nth = 1; nth < 60; nth += 1 + nth / 4) { /* some of its several hundred requests */
        alm_error err = {0};
        long long before = (long long)alm_test_live_blocks();
        alm_test_fail_alloc(nth, false);
        alm_status st = alm_surprise_builtin(&s, &err);
        alm_test_fail_alloc(0, false);
        CHECK(st == ALM_NO_MEMORY, "request %zu: %s", nth, alm_status_name(st));
        CHECK_INT((long long)alm_test_live_blocks(), before);
    }
}

/* A desk where hardly a line comes twice, in the language of the demo's customers. */
static alm_str words(char out[200], alm_rng *r) {
    static const char *const hello[] = {"hello", "good morning", "dear team", "hi there"};
    static const char *const thing[] = {"the lamp", "my kettle", "the parcel", "the desk", "the mirror"};
    static const char *const fault[] = {"arrived broken", "came two days late", "does not work any more",
                                        "is still not here"};
    static const char *const wish[] = {"please send a new one", "what shall I do now", "please call me tomorrow"};
#define ANY(list) list[alm_rng_below(r, sizeof list / sizeof *list)]
    snprintf(out, 200, "ticket %u from anna: \"%s, %s %s, %s\"", 700000 + alm_rng_below(r, 90000), ANY(hello),
             ANY(thing), ANY(fault), ANY(wish));
    return alm_str_of(out);
}

static double part_of(alm_detection *d, alm_str text, uint64_t line) {
    alm_verdict v;
    alm_error err = {0};
    alm_event e = {.text = text, .time_ns = INT64_MIN, .line = line, .label = -1};
    CHECK_OK(alm_detect_feed(d, &e, &v, &err), &err);
    for (unsigned i = 0; i < v.n_why; i++)
        if (!strcmp(v.why[i].detector, "surprise")) return v.why[i].score;
    return 0;
}

static void what_is_unlike_the_stream_surprises_and_its_usual_lines_do_not(void **state) {
    (void)state;
    const char *strange = "ticket 712345 from anna: \"x'; DROP TABLE orders; SELECT ((( ]]] ~~~ ^^^ żółw idzie\"";
    double said[2];
    for (unsigned round = 0; round < 2; round++) { /* twice the same */
        alm_normal *m = NULL;
        alm_detection *d = NULL;
        alm_error err = {0};
        char text[200];
        unsigned loud = 0;
        const alm_learn_options o = {.size = sizeof o, .group_by = "off", .lm = true};
        CHECK_OK(alm_normal_empty(&m, &o, &err), &err);
        CHECK_OK(
            alm_detect_new(&d, m, &(alm_detect_options){.size = sizeof(alm_detect_options), .prequential = true}, &err),
            &err);
        alm_detect_explain(d, true);
        alm_rng r = alm_rng_seed(3, 0, 0);
        CHECK(part_of(d, alm_str_of("%%%% [[[[ ~~~~ nothing was read before: nothing can be said"), 1) == 0);
        for (unsigned i = 0; i < 150; i++) loud += part_of(d, words(text, &r), i + 2) > 0;
        CHECK(loud <= 12, "%u of 150 usual lines", loud);
        CHECK(alm_detect_lines_read(d) > 60 && alm_detect_lines_read(d) <= 151);
        said[round] = part_of(d, alm_str_of(strange), 200);
        CHECK(said[round] > 1, "%g", said[round]);
        CHECK(part_of(d, alm_str_of(strange), 201) == 0, "its repeats are no news");
        alm_buf bytes = alm_buf_with_limit(64 << 20);
        alm_normal *read = NULL;
        CHECK_OK(alm_normal_bytes(m, &bytes, &err), &err);
        CHECK_OK(alm_normal_parse(&read, "bytes", alm_buf_str(&bytes), &err), &err);
        CHECK(!read->surprise, "the reader is not saved");
        alm_normal_free(read);
        alm_buf_free(&bytes);
        alm_detect_free(d);
        alm_normal_free(m);
    }
    CHECK_BITS(said[0], said[1]);
}

static void reading_is_bounded_where_every_line_is_new(void **state) {
    (void)state;
    alm_surprise_stream stream = {.n_records = 5000};
    alm_surprise s = {.stream = &stream, .n_read = 1049};
    CHECK(alm_surprise_may_read(&s));
    s.n_read = 1050;
    CHECK(!alm_surprise_may_read(&s));
    stream.n_records = 5100;
    CHECK(alm_surprise_may_read(&s));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_bytes_are_those_of_the_tree),
    cmocka_unit_test(it_opens_as_a_model_and_as_a_reader),
    cmocka_unit_test(it_opens_or_says_that_memory_is_short),
    cmocka_unit_test(what_is_unlike_the_stream_surprises_and_its_usual_lines_do_not),
    cmocka_unit_test(reading_is_bounded_where_every_line_is_new),
};
ALM_TEST_MAIN(tests)
