/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tokenizer.c - tokenizers of all kinds and files: what is read, what is refused, what comes back, what it costs. */
#include "alm_test.h"
#include "base/base64.h"
#include "base/json.h"
#include "base/rng.h"
#include "text/tokenizer_inner.h"
#include <time.h>

static alm_str read_all(const char *path) {
    size_t n;
    char *at = alm_test_slurp(path, &n);
    return alm_str_make(at, n);
}
static void drop(alm_str s) { alm_free((char *)(uintptr_t)s.at); }

static void encode(const alm_tokenizer *t, alm_str text, alm_specials specials, alm_buf *ids) {
    alm_error err = {0};
    alm_buf_clear(ids);
    CHECK_OK(alm_tokenizer_encode(t, NULL, text, specials, ids, &err), &err);
}

static void check_ids(const alm_tokenizer *t, const char *text, alm_specials specials, const char *want) {
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), got = ids;
    encode(t, alm_str_of(text), specials, &ids);
    for (size_t i = 0; i < ids.n; i += 4) {
        uint32_t id;
        memcpy(&id, ids.at + i, 4);
        alm_buf_printf(&got, i ? " %u" : "%u", id);
    }
    CHECK(alm_str_eq(alm_buf_str(&got), alm_str_of(want)), "\"%s\" has the ids %.*s, not %s", text,
          ALM_ARG(alm_buf_str(&got)), want);
    alm_buf_free(&ids);
    alm_buf_free(&got);
}

/* -- golden vectors ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *ext, *kind;
} golden[] = {{"chars", "json", "chars"},
              {"unknown", "json", "chars"},
              {"unigram", "json", "unigram"},
              {"wordpiece", "json", "wordpiece"},
              {"wordpiece-cased", "json", "wordpiece"},
              {"bytes-o200k", "json", "bytes"},
              {"bytes-steps", "json", "bytes"},
              {"bytes-regex", "json", "bytes"},
              {"spm-bpe", "model", "chars"},
              {"spm-bpe-unknown", "model", "chars"},
              {"spm-unigram", "model", "unigram"},
              {"spm-unigram-suffix", "model", "unigram"},
              {"ranks", "tiktoken", "bytes"}};
enum { N_GOLDEN = sizeof golden / sizeof *golden };

static const char *golden_path(size_t i, bool vectors) {
    static char name[100];
    snprintf(name, sizeof name, "tests/golden/tokenizer/%s.%s", golden[i].name, vectors ? "jsonl" : golden[i].ext);
    return alm_test_source(name);
}

static alm_tokenizer *open_golden(size_t i) {
    alm_error err = {0};
    alm_tokenizer *t = NULL;
    CHECK_OK(alm_tokenizer_open(&t, golden_path(i, false), NULL, &err), &err);
    CHECK_STR(alm_str_of(alm_tokenizer_kind(t)), golden[i].kind);
    return t;
}

static void check_same(const alm_buf *ids, const alm_json *want, const char *what, size_t line) {
    size_t i = 0;
    for (const alm_json *id = alm_json_first(want); id; id = alm_json_next(want, id), i++) {
        int64_t x;
        uint32_t got = UINT32_MAX;
        CHECK(alm_json_i64(id, &x));
        if (4 * i < ids->n) memcpy(&got, ids->at + 4 * i, 4);
        CHECK(got == (uint64_t)x, "%s, line %zu: id %zu is %u, not %lld", what, line, i, got, (long long)x);
    }
    CHECK(4 * i == ids->n, "%s, line %zu: %zu ids, not %zu", what, line, ids->n / 4, i);
}

static void check_golden_line(const alm_tokenizer *t, alm_tokenizer_scratch *s, const alm_json *line, const char *what,
                              size_t n) {
    alm_error err = {0};
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), text = ids;
    alm_str given = alm_json_get(line, "text")->text;
    const alm_json *want = alm_json_get(line, "ids"), *plain = alm_json_get(line, "plain");
    const alm_json *framed = alm_json_get(line, "framed"), *decoded = alm_json_get(line, "decoded");
    size_t n_frame;
    CHECK_OK(alm_tokenizer_encode(t, s, given, ALM_SPECIALS_OWN, &ids, &err), &err);
    check_same(&ids, want, what, n);
    CHECK_OK(alm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.at, ids.n / 4, &text, &err), &err);
    alm_str back = decoded ? decoded->text : given;
    if (!decoded || decoded->type == ALM_JSON_STRING)
        CHECK(alm_str_eq(alm_buf_str(&text), back), "%s, line %zu: \"%.*s\", not \"%.*s\"", what, n,
              ALM_ARG(alm_buf_str(&text)), ALM_ARG(back));
    if (plain) {
        alm_buf_clear(&ids);
        CHECK_OK(alm_tokenizer_encode(t, s, given, ALM_SPECIALS_NONE, &ids, &err), &err);
        check_same(&ids, plain, what, n);
    }
    if (framed) {
        alm_buf_clear(&ids);
        const uint32_t *id = alm_tokenizer_before(t, &n_frame);
        alm_buf_add(&ids, id, 4 * n_frame);
        CHECK_OK(alm_tokenizer_encode(t, s, given, ALM_SPECIALS_OWN, &ids, &err), &err);
        id = alm_tokenizer_behind(t, &n_frame);
        alm_buf_add(&ids, id, 4 * n_frame);
        check_same(&ids, framed, what, n);
    }
    alm_buf_free(&ids), alm_buf_free(&text);
}

static void ids_are_those_of_the_libraries_that_define_the_kinds(void **state) {
    (void)state;
    for (size_t i = 0; i < N_GOLDEN; i++) {
        alm_error err = {0};
        alm_tokenizer *t = open_golden(i);
        alm_tokenizer_scratch *s = NULL;
        alm_str all = read_all(golden_path(i, true)), line, rest = all;
        alm_json_doc doc = {0};
        size_t n = 0;
        CHECK_OK(alm_tokenizer_scratch_new(&s, t, &err), &err);
        for (; alm_str_split(&rest, '\n', &line) && line.n; n++) {
            CHECK_OK(alm_json_parse(&doc, (char *)(uintptr_t)line.at, line.n, NULL, NULL, &err), &err);
            check_golden_line(t, s, doc.node, golden[i].name, n);
        }
        CHECK(n > 100, "%s has %zu lines", golden[i].name, n);
        alm_json_doc_free(&doc);
        drop(all);
        alm_tokenizer_scratch_free(s);
        alm_tokenizer_free(t);
    }
}

/* Bytes that no library is given: the kinds that have bytes keep them, alone and beside others. */
static void bytes_that_are_no_text_come_back_where_the_vocabulary_has_bytes(void **state) {
    (void)state;
    static const int with_bytes[] = {0, 8, 12};
    alm_rng r = alm_rng_seed(21, 0, 0);
    alm_buf text = alm_buf_with_limit(SIZE_MAX), ids = text, back = text;
    for (size_t k = 0; k < sizeof with_bytes / sizeof *with_bytes; k++) {
        alm_tokenizer *t = open_golden((size_t)with_bytes[k]);
        for (int i = 0; i < 600; i++) {
            alm_buf_clear(&text), alm_buf_clear(&back);
            for (size_t n = 1 + (size_t)alm_rng_below(&r, 200); n--;) {
                static const char some[] = "ab \xE2\x96\x81\xC3\xFF";
                uint32_t at = (uint32_t)alm_rng_below(&r, 256);
                alm_buf_add_byte(&text, i % 2 ? (char)(unsigned char)at : some[at % 8]);
            }
            encode(t, alm_buf_str(&text), ALM_SPECIALS_NONE, &ids);
            CHECK(alm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.at, ids.n / 4, &back, NULL) == ALM_OK);
            /* U+2581 itself is a blank to those who write blanks so. */
            if (alm_str_find(alm_buf_str(&text), ALM_STR("\xE2\x96\x81")) == SIZE_MAX || with_bytes[k] == 12)
                CHECK(alm_str_eq(alm_buf_str(&back), alm_buf_str(&text)), "%s, text %d", golden[with_bytes[k]].name, i);
        }
        alm_tokenizer_free(t);
    }
    alm_buf_free(&text), alm_buf_free(&ids), alm_buf_free(&back);
}

/* Characters without a blank: what would be quadratic takes hours. */
static void long_words_take_a_moment(void **state) {
    (void)state;
    alm_buf text = alm_buf_with_limit(SIZE_MAX), ids = text;
    for (size_t i = 0; i < 300000; i++) alm_buf_add_byte(&text, i % 7 ? 'a' : 'b');
    for (size_t i = 0; i < N_GOLDEN; i++) {
        alm_tokenizer *t = open_golden(i);
        encode(t, alm_buf_str(&text), ALM_SPECIALS_OWN, &ids);
        CHECK(ids.n >= 4);
        alm_tokenizer_free(t);
    }
    alm_buf_free(&text), alm_buf_free(&ids);
}

/* -- tokenizer.json ------------------------------------------------------------------------------------------------------ */

/* The golden file of byte-level BPE with one part replaced by another. */
static alm_status open_changed(alm_tokenizer **out, const char *from, const char *to, alm_error *err) {
    alm_str text = read_all(alm_test_source("tests/golden/bpe/tokenizer.json"));
    alm_buf changed = alm_buf_with_limit(SIZE_MAX);
    size_t at = alm_str_find(text, alm_str_of(from));
    CHECK(at != SIZE_MAX, "the file lacks %s", from);
    alm_buf_add_str(&changed, alm_str_slice(text, 0, at));
    alm_buf_add_text(&changed, to);
    alm_buf_add_str(&changed, alm_str_slice(text, at + strlen(from), text.n));
    *out = NULL;
    alm_status st = alm_tokenizer_from_bytes(out, "changed", changed.at, changed.n, err);
    CHECK((st == ALM_OK) == (*out != NULL));
    alm_buf_free(&changed);
    drop(text);
    return st;
}

static void what_is_not_known_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        alm_status status;
        const char *text;
    } cases[] = {
        {"\"normalizer\": null", "\"normalizer\": {\"type\": \"Magic\"}", ALM_UNSUPPORTED, "the normalizer Magic"},
        {"\"type\": \"BPE\"", "\"type\": \"WordLevel\"", ALM_UNSUPPORTED, "the model WordLevel"},
        {"\"type\": \"ByteLevel\"", "\"type\": \"UnicodeScripts\"", ALM_UNSUPPORTED,
         "the pre-tokenizer UnicodeScripts"},
        {"\\p{N}|", "\\p{N}(|", ALM_UNSUPPORTED, "a regex"},
        {"\\p{N}|", "\\p{N}{1,2}|", ALM_OK, ""},
        {"\\p{N}|", "\\p{N}{1,3}|", ALM_OK, ""},
        {"\"behavior\": \"Isolated\"", "\"behavior\": \"Sideways\"", ALM_UNSUPPORTED, "behavior Sideways"},
        {"\"dropout\": null", "\"dropout\": 0.1", ALM_UNSUPPORTED, "dropout"},
        {"\"end_of_word_suffix\": null", "\"end_of_word_suffix\": \"</w>\"", ALM_UNSUPPORTED, "end_of_word_suffix"},
        {"\"id\": 1,", "\"id\": 4000000000,", ALM_MALFORMED, "an added token's id"},
        {"\"id\": 1,", "\"id\": 77,", ALM_MALFORMED, "has the id of another token"},
        {"\"id\": 1,", "\"id\": 3000000,", ALM_MALFORMED, "ids far beyond"},
        {"\"merges\"", "\"mergers\"", ALM_MALFORMED, "no model with vocab and merges"},
        {"\"vocab\"", "\"vocabulary\"", ALM_MALFORMED, "no model with a vocab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_error err = {0};
        alm_tokenizer *t;
        CHECK_STATUS(open_changed(&t, cases[i].from, cases[i].to, &err), cases[i].status, &err);
        CHECK_HOLDS(err.text, cases[i].text);
        alm_tokenizer_free(t);
    }
}

static void a_foreign_regex_cuts_as_the_rule_that_it_writes_out(void **state) {
    (void)state;
    alm_error err = {0};
    alm_tokenizer *own, *foreign;
    alm_rng r = alm_rng_seed(11, 0, 0);
    alm_buf text = alm_buf_with_limit(SIZE_MAX), a = text, b = text;
    /* A group that changes nothing makes the regex one that is not known. */
    CHECK_OK(open_changed(&own, "\"merges\"", "\"merges\"", &err), &err);
    CHECK_OK(open_changed(&foreign, "|\\\\p{N}|", "|(?:\\\\p{N})|", &err), &err);
    CHECK(own->n_regex == 0 && foreign->n_regex == 1);
    for (int i = 0; i < 2000; i++) {
        alm_buf_clear(&text);
        for (int k = 0; k < 40; k++)
            alm_buf_add_text(&text,
                             (const char *const[]){"a", "B", " ", "\n", "7", "'s", "-", "\xC3\xA4", "\xE2\x80\xA6",
                                                   "\xE3\x80\x80", "sess"}[alm_rng_below(&r, 11)]);
        encode(own, alm_buf_str(&text), ALM_SPECIALS_NONE, &a);
        encode(foreign, alm_buf_str(&text), ALM_SPECIALS_NONE, &b);
        CHECK(alm_str_eq(alm_buf_str(&a), alm_buf_str(&b)), "%.*s", ALM_ARG(alm_buf_str(&text)));
    }
    alm_buf_free(&text), alm_buf_free(&a), alm_buf_free(&b);
    alm_tokenizer_free(own);
    alm_tokenizer_free(foreign);
}

static void a_regex_without_end_is_stopped(void **state) {
    (void)state;
    alm_error err = {0};
    alm_tokenizer *t;
    alm_buf text = alm_buf_with_limit(SIZE_MAX), ids = text;
    CHECK_OK(open_changed(&t, "|\\\\p{N}|", "|(?:\\\\p{N}+\\\\p{N}+)+!|", &err), &err);
    for (int i = 0; i < 5000; i++) alm_buf_add_byte(&text, '1');
    clock_t begin = clock();
    CHECK_STATUS(alm_tokenizer_encode(t, NULL, alm_buf_str(&text), ALM_SPECIALS_NONE, &ids, &err), ALM_LIMIT, &err);
    CHECK(ids.n == 0);
    CHECK(clock() - begin < 60 * CLOCKS_PER_SEC);
    CHECK_HOLDS(err.text, "regex takes too many steps");
    alm_buf_free(&text), alm_buf_free(&ids);
    alm_tokenizer_free(t);
}

static void added_tokens_are_found_as_their_flags_say(void **state) {
    (void)state;
    alm_error err = {0};
    alm_tokenizer *t;
    CHECK_OK(open_changed(&t, "\"merges\"", "\"merges\"", &err), &err);
    /* "ab" 1000, "abc" 1001 (the longest wins), "<c>" control, "  w" alone, blanks beside "<s>" go. */
    const alm_added some[] = {{.text = ALM_STR("@a"), .id = 20},
                              {.text = ALM_STR("@ab"), .id = 21},
                              {.text = ALM_STR("<c>"), .id = 22, .control = true},
                              {.text = ALM_STR("@w"), .id = 23, .single_word = true},
                              {.text = ALM_STR("<s>"), .id = 24, .lstrip = true, .rstrip = true}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) CHECK_OK(alm_added_add(&t->added, some[i], &err), &err);
    check_ids(t, "@a@ab@", ALM_SPECIALS_NONE, "20 21 66");
    check_ids(t, "<c>", ALM_SPECIALS_OWN, "22");
    check_ids(t, "<c>", ALM_SPECIALS_NONE, "62 101 64");
    check_ids(t, "1@w", ALM_SPECIALS_NONE, "51 66 121");
    check_ids(t, "@w1", ALM_SPECIALS_NONE, "66 121 51");
    check_ids(t, "-@w\xE2\x80\x94", ALM_SPECIALS_NONE, "47 23 228 130 150");
    check_ids(t, "1 \xC2\xA0<s> \n2", ALM_SPECIALS_NONE, "51 24 52");
    check_ids(t, "", ALM_SPECIALS_OWN, "");
    CHECK(alm_tokenizer_find(t, ALM_STR("<c>")) == 22 && alm_tokenizer_find(t, ALM_STR("no such token")) == -1);
    alm_tokenizer_free(t);
}

static void base64_is_read_strictly(void **state) {
    (void)state;
    static const struct {
        const char *code, *bytes; /* NULL: refused */
    } cases[] = {{"", ""},        {"YQ==", "a"},        {"YWI=", "ab"},
                 {"YWJj", "abc"}, {"YWJjZA==", "abcd"}, {"+/+/", "\xFB\xFF\xBF"},
                 {"YQ", NULL},    {"YQ=", NULL},        {"YR==", NULL},
                 {"YWJ=", NULL},  {"Y===", NULL},       {"YQ==YQ==", NULL},
                 {"Y-Jj", NULL},  {"YW\nj", NULL},      {"====", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char at[16];
        size_t n;
        bool ok = alm_base64_decode(at, &n, alm_str_of(cases[i].code));
        CHECK(ok == (cases[i].bytes != NULL), "%s", cases[i].code);
        if (ok) CHECK_STR(alm_str_make(at, n), cases[i].bytes);
    }
}

/* A byte of a protobuf message or a line of a rank file that is wrong is told, and nothing is half-open. */
static void broken_files_are_refused_with_the_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        alm_status status;
        const char *message;
    } cases[] = {
        {"", 0, ALM_UNSUPPORTED, "no tokenizer is found"},
        {"hello\n", 6, ALM_UNSUPPORTED, "no tokenizer is found"},
        {"\n\5\n\3abc", 7, ALM_MALFORMED, "unigram vocabulary without an unknown token"},
        {"\n\5\n\3abc\22\2\30\4", 11, ALM_UNSUPPORTED, "the kind 4"},
        {"\n\7\n\3abc\30\11", 9, ALM_MALFORMED, "unknown type"},
        {"\n\5\n\3abc\n\7\n\3<u>\30\2\n\12\n\6<0x-1>\30\6\22\2\30\2", 32, ALM_MALFORMED, "byte token 2 is called"},
        {"YQ== 0\nYg== 0\n", 14, ALM_MALFORMED, "line 2: the rank stands twice"},
        {"YQ== 0\nYg=! 1\n", 14, ALM_MALFORMED, "line 2: it is not base64"},
        {"YQ== 0\nYg==1\n", 13, ALM_MALFORMED, "line 2: it is not base64, a blank and a rank"},
        {"YQ== 0\nYg== 4194303\n", 20, ALM_MALFORMED, "ranks far beyond"},
        {"YQ== 0\nYg== 1\n", 14, ALM_MALFORMED, "the byte 0x00 has no token"},
        {"{}", 2, ALM_MALFORMED, "no model with a vocab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_error err = {0};
        alm_tokenizer *t = NULL;
        char copy[64];
        memcpy(copy, cases[i].text, cases[i].n);
        CHECK_STATUS(alm_tokenizer_from_bytes(&t, "file", copy, cases[i].n, &err), cases[i].status, &err);
        CHECK_HOLDS(err.text, cases[i].message);
        CHECK(t == NULL);
    }
}

/* -- memory ---------------------------------------------------------------------------------------------------------------- */

static alm_status read_and_encode(void *arg) {
    alm_error err = {0};
    alm_str text = *(const alm_str *)arg;
    alm_tokenizer *t = NULL;
    alm_tokenizer_scratch *s = NULL;
    alm_buf ids = alm_buf_with_limit(SIZE_MAX);
    char *copy = malloc(text.n + 1);
    CHECK(copy != NULL);
    memcpy(copy, text.at, text.n);
    alm_status st = alm_tokenizer_from_bytes(&t, "file", copy, text.n, &err);
    if (st == ALM_OK) st = alm_tokenizer_scratch_new(&s, t, &err);
    if (st == ALM_OK)
        st = alm_tokenizer_encode(t, s,
                                  ALM_STR("A word 12, Stra\xC3\x9F"
                                          "e \xF0\x9F\x98\x80"),
                                  ALM_SPECIALS_OWN, &ids, &err);
    alm_buf_free(&ids);
    alm_tokenizer_scratch_free(s);
    alm_tokenizer_free(t);
    free(copy);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    for (size_t i = 0; i < N_GOLDEN; i++) {
        alm_str text = read_all(golden_path(i, false));
        CHECK(ALM_FOR_EACH_ALLOC_FAILURE(read_and_encode, &text) > 8);
        drop(text);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ids_are_those_of_the_libraries_that_define_the_kinds),
    cmocka_unit_test(bytes_that_are_no_text_come_back_where_the_vocabulary_has_bytes),
    cmocka_unit_test(long_words_take_a_moment),
    cmocka_unit_test(what_is_not_known_is_refused_by_name),
    cmocka_unit_test(a_foreign_regex_cuts_as_the_rule_that_it_writes_out),
    cmocka_unit_test(a_regex_without_end_is_stopped),
    cmocka_unit_test(added_tokens_are_found_as_their_flags_say),
    cmocka_unit_test(base64_is_read_strictly),
    cmocka_unit_test(broken_files_are_refused_with_the_place),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
