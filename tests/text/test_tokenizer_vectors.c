/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tokenizer_vectors.c - real tokenizers have the ids that their own libraries give (../shared/oracles; skipped without it). */
#include "alm_test.h"
#include "base/base64.h"
#include "base/json.h"
#include "text/tokenizer.h"

static alm_str read_all(const char *path) {
    size_t n;
    char *at = alm_test_slurp(path, &n);
    return alm_str_make(at, n);
}
static void drop(alm_str s) { alm_free((char *)(uintptr_t)s.at); }

static bool has(const char *name) {
    if (alm_test_shared(name)) return true;
    print_message("skipped: the shared folder of tokenizers is not here\n");
    skip();
    return false;
}

static void check_same(const alm_buf *ids, const alm_json *want, const char *what, long long line) {
    size_t n = ids->n / 4, i = 0;
    for (const alm_json *id = alm_json_first(want); id; id = alm_json_next(want, id), i++) {
        int64_t x;
        uint32_t got = UINT32_MAX;
        CHECK(alm_json_i64(id, &x));
        if (i < n) memcpy(&got, ids->at + 4 * i, 4);
        CHECK(got == (uint64_t)x, "%s, line %lld: id %zu is %u, not %lld", what, line, i, got, (long long)x);
    }
    CHECK(i == n, "%s, line %lld: %zu ids, not %zu", what, line, n, i);
}

typedef struct subject {
    const char *name;
    alm_tokenizer *t;
    alm_tokenizer_scratch *s;
    alm_buf ids, text;
} subject;

static void encode(subject *u, alm_str text, alm_specials specials, bool framed) {
    alm_error err = {0};
    size_t n;
    alm_buf_clear(&u->ids);
    const uint32_t *id = alm_tokenizer_before(u->t, &n);
    if (framed) alm_buf_add(&u->ids, id, 4 * n);
    CHECK_OK(alm_tokenizer_encode(u->t, u->s, text, specials, &u->ids, &err), &err);
    id = alm_tokenizer_behind(u->t, &n);
    if (framed) alm_buf_add(&u->ids, id, 4 * n);
}

static void check_decoded(subject *u, const alm_json *line, alm_str text, long long n) {
    alm_error err = {0};
    const alm_json *decoded = alm_json_get(line, "decoded");
    alm_str want = decoded ? decoded->text : text;
    alm_buf_clear(&u->text);
    CHECK_OK(alm_tokenizer_decode(u->t, (const uint32_t *)(const void *)u->ids.at, u->ids.n / 4, &u->text, &err), &err);
    CHECK(alm_str_eq(alm_buf_str(&u->text), want), "%s, line %lld is decoded as \"%.*s\", not \"%.*s\"", u->name, n,
          ALM_ARG(alm_buf_str(&u->text)), ALM_ARG(want));
}

static void check_raw(subject *u, const alm_json *line, long long n) {
    const alm_json *raw = alm_json_get(line, "ids_raw_bytes");
    char bytes[1024];
    size_t n_byte;
    if (!raw) return;
    alm_str code = alm_json_get(line, "b64")->text;
    CHECK(code.n <= sizeof bytes && alm_base64_decode(bytes, &n_byte, code));
    encode(u, alm_str_make(bytes, n_byte), ALM_SPECIALS_OWN, false);
    check_same(&u->ids, raw, u->name, n);
    alm_buf_clear(&u->text);
    CHECK(alm_tokenizer_decode(u->t, (const uint32_t *)(const void *)u->ids.at, u->ids.n / 4, &u->text, NULL) ==
          ALM_OK);
    CHECK(alm_str_eq(alm_buf_str(&u->text), alm_str_make(bytes, n_byte)));
}

static void check_line(subject *u, const alm_json *line) {
    const alm_json *text = alm_json_get(line, "text"), *ids = alm_json_get(line, "ids"), *with;
    int64_t n = -1;
    alm_json_i64(alm_json_get(line, "n"), &n);
    if (!text) text = alm_json_get(line, "text_replaced");
    CHECK(text && ids);
    encode(u, text->text, ALM_SPECIALS_OWN, false);
    check_same(&u->ids, ids, u->name, n);
    check_decoded(u, line, text->text, n);
    const alm_json *plain = alm_json_get(line, "ids_plain");
    encode(u, text->text, ALM_SPECIALS_NONE, false);
    check_same(&u->ids, plain ? plain : ids, u->name, n);
    if ((with = alm_json_get(line, "ids_with_specials"))) {
        encode(u, text->text, ALM_SPECIALS_OWN, true);
        check_same(&u->ids, with, u->name, n);
    }
    check_raw(u, line, n);
}

static void check_vectors(const char *name, const char *file) {
    alm_error err = {0};
    char path[200];
    subject u = {.name = name, .ids = alm_buf_with_limit(SIZE_MAX), .text = alm_buf_with_limit(SIZE_MAX)};
    snprintf(path, sizeof path, "oracles/tokenizers/%s", file);
    CHECK_OK(alm_tokenizer_open(&u.t, alm_test_shared(path), NULL, &err), &err);
    CHECK_OK(alm_tokenizer_scratch_new(&u.s, u.t, &err), &err);
    snprintf(path, sizeof path, "oracles/tokenizers/vectors/%s.jsonl", name);
    alm_str all = read_all(alm_test_shared(path)), line, rest = all;
    alm_json_doc doc = {0};
    size_t n = 0;
    for (; alm_str_split(&rest, '\n', &line) && line.n; n++) {
        CHECK_OK(alm_json_parse(&doc, (char *)(uintptr_t)line.at, line.n, NULL, NULL, &err), &err);
        check_line(&u, doc.node);
    }
    CHECK(n == 303, "%s has %zu lines", name, n);
    alm_json_doc_free(&doc);
    drop(all);
    alm_buf_free(&u.ids), alm_buf_free(&u.text);
    alm_tokenizer_scratch_free(u.s);
    alm_tokenizer_free(u.t);
}

static void the_ids_are_those_of_the_tokenizers_own_library(void **state) {
    (void)state;
    if (!has("oracles/tokenizers/index.json")) return;
    size_t n;
    alm_json_doc doc = {0};
    alm_error err = {0};
    char *index = alm_test_slurp(alm_test_shared("oracles/tokenizers/index.json"), &n);
    CHECK_OK(alm_json_parse(&doc, index, n, NULL, NULL, &err), &err);
    size_t n_done = 0;
    for (const alm_json *c = alm_json_first(doc.node); c; c = alm_json_next(doc.node, c), n_done++) {
        char name[64], file[128];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(c->text));
        snprintf(file, sizeof file, "%.*s", ALM_ARG(alm_json_get(c + 1, "file")->text));
        check_vectors(name, file);
    }
    CHECK_INT(n_done, 12);
    alm_json_doc_free(&doc);
    alm_free(index);
}

/* -- GGUF -------------------------------------------------------------------------------------------------------------- */

static void check_pair(const char *name) {
    alm_error err = {0};
    char path[200];
    alm_tokenizer *t = NULL;
    snprintf(path, sizeof path, "oracles/gguf-vocabs/ggml-vocab-%s.gguf", name);
    CHECK_OK(alm_tokenizer_open(&t, alm_test_shared(path), NULL, &err), &err);
    snprintf(path, sizeof path, "oracles/gguf-vocabs/ggml-vocab-%s.gguf.inp", name);
    alm_str in = read_all(alm_test_shared(path));
    snprintf(path, sizeof path, "oracles/gguf-vocabs/ggml-vocab-%s.gguf.out", name);
    alm_str out = read_all(alm_test_shared(path)), line, left = in, ids_left = out;
    const alm_str mark = ALM_STR("\n__ggml_vocab_test__\n");
    size_t n = 0;
    for (; alm_str_split(&ids_left, '\n', &line) && left.at; n++) {
        size_t end = alm_str_find(left, mark);
        alm_str text = alm_str_slice(left, 0, end == SIZE_MAX ? left.n : end);
        left = end == SIZE_MAX ? (alm_str){0} : alm_str_slice(left, end + mark.n, left.n);
        alm_buf ids = alm_buf_with_limit(SIZE_MAX), got = ids;
        CHECK_OK(alm_tokenizer_encode(t, NULL, text, ALM_SPECIALS_NONE, &ids, &err), &err);
        for (size_t i = 0; i < ids.n; i += 4) {
            uint32_t id;
            memcpy(&id, ids.at + i, 4);
            alm_buf_printf(&got, " %u", id);
        }
        CHECK(alm_str_eq(alm_str_trim(alm_buf_str(&got)), alm_str_trim(line)), "%s, string %zu: %.*s, not %.*s", name,
              n, ALM_ARG(alm_buf_str(&got)), ALM_ARG(line));
        alm_buf_free(&ids);
        alm_buf_free(&got);
    }
    CHECK(n >= 46, "only %zu strings", n);
    drop(in);
    drop(out);
    alm_tokenizer_free(t);
}

static void vocabularies_in_gguf_have_the_ids_of_llama_cpp(void **state) {
    (void)state;
    static const char *const names[] = {"bert-bge", "gpt-2", "llama-spm", "phi-3"};
    if (!has("oracles/gguf-vocabs/ggml-vocab-gpt-2.gguf")) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_pair(names[i]);
}

/* The two kinds of files of each tiny model, and the ids that its maker expects. */
static void check_model(const char *name, bool gguf) {
    alm_error err = {0};
    alm_json_doc doc = {0};
    char path[200];
    size_t n, k = 0;
    subject u = {.name = name, .ids = alm_buf_with_limit(SIZE_MAX)};
    snprintf(path, sizeof path, gguf ? "oracles/gguf/%s-f32.gguf" : "oracles/models/%s", name);
    if (!alm_test_shared(path)) return;
    CHECK_OK(alm_tokenizer_open(&u.t, alm_test_shared(path), NULL, &err), &err);
    snprintf(path, sizeof path, "oracles/models/%s/expected.json", name);
    char *json = alm_test_slurp(alm_test_shared(path), &n);
    CHECK_OK(alm_json_parse(&doc, json, n, NULL, NULL, &err), &err);
    encode(&u, alm_json_get(doc.node, "text")->text, ALM_SPECIALS_NONE, false);
    const alm_json *want = alm_json_get(doc.node, "tokens"), *first = alm_json_first(want);
    int64_t x;
    /* BOS is among the expected ids where the family uses it. */
    bool framed = alm_json_i64(first, &x) && (u.ids.n < 4 || memcmp(u.ids.at, &(uint32_t){(uint32_t)x}, 4) != 0);
    if (framed) encode(&u, alm_json_get(doc.node, "text")->text, ALM_SPECIALS_NONE, true);
    for (const alm_json *id = first; id; id = alm_json_next(want, id), k++) {
        uint32_t got = UINT32_MAX;
        CHECK(alm_json_i64(id, &x));
        if (4 * k < u.ids.n) memcpy(&got, u.ids.at + 4 * k, 4);
        CHECK(got == (uint64_t)x, "%s: id %zu is %u, not %lld", path, k, got, (long long)x);
    }
    CHECK_INT(k, 24);
    alm_buf_free(&u.ids);
    alm_json_doc_free(&doc);
    alm_free(json);
    alm_tokenizer_free(u.t);
}

static void tiny_models_have_the_ids_that_their_makers_expect(void **state) {
    (void)state;
    static const char *const names[] = {"gemma2",  "gemma3",      "gpt2",         "gptneox",     "llama2",
                                        "llama3",  "llama3-k256", "llama32-tied", "mistral-swa", "mistral-v3",
                                        "mixtral", "phi2",        "phi3-mini",    "phi4",        "phi4-mini-longrope",
                                        "qwen2",   "qwen2-yarn",  "qwen3",        "qwen3moe"};
    if (!has("oracles/models/gpt2/expected.json")) return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_model(names[i], false);
        check_model(names[i], true);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_ids_are_those_of_the_tokenizers_own_library),
    cmocka_unit_test(vocabularies_in_gguf_have_the_ids_of_llama_cpp),
    cmocka_unit_test(tiny_models_have_the_ids_that_their_makers_expect),
};
ALM_TEST_MAIN(tests)
