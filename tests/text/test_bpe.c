/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bpe.c - a vocabulary is learned, applied, written and read; ids against second implementations (tests/golden/bpe). */
#include "alm_test.h"
#include "base/json.h"
#include "base/rng.h"
#include "text/bpe.h"
#include "text/bpe_inner.h"

static alm_str read_all(const char *path) {
    size_t n;
    char *at = alm_test_slurp(path, &n);
    return alm_str_make(at, n);
}

static alm_bpe *learn(alm_str text, size_t n_vocab) {
    alm_error err = {0};
    alm_bpe_trainer *t = NULL;
    alm_bpe *b = NULL;
    CHECK_OK(alm_bpe_trainer_new(&t, n_vocab, &err), &err);
    CHECK_OK(alm_bpe_trainer_feed(t, text, &err), &err);
    CHECK_OK(alm_bpe_trainer_finish(t, &b, &err), &err);
    alm_bpe_trainer_free(t);
    return b;
}

static alm_bpe *learn_corpus(size_t n_vocab) {
    alm_str corpus = read_all(alm_test_source("tests/golden/bpe/corpus.txt"));
    alm_bpe *b = learn(corpus, n_vocab);
    alm_free((char *)(uintptr_t)corpus.at);
    return b;
}

static bool same_vocabulary(const alm_bpe *a, const alm_bpe *b) {
    if (a->n_vocab != b->n_vocab || a->n_merge != b->n_merge || a->digest != b->digest) return false;
    for (size_t i = 0; i < a->n_vocab; i++)
        if (!alm_str_eq(a->piece[i], b->piece[i]) || !alm_str_eq(a->text[i], b->text[i]) || a->type[i] != b->type[i])
            return false;
    return memcmp(a->merge, b->merge, a->n_merge * sizeof *a->merge) == 0 && a->bos == b->bos && a->eos == b->eos &&
           a->add_bos == b->add_bos && a->rule == b->rule;
}

/* -- learning --------------------------------------------------------------------------------------------------------- */

static void the_merges_are_those_of_counting_anew_after_each(void **state) {
    (void)state;
    alm_str lines = read_all(alm_test_source("tests/golden/bpe/merges.txt")), line, rest = lines;
    size_t n = 0;
    while (alm_str_split(&rest, '\n', &line)) n += line.n > 0;
    alm_bpe *b = learn_corpus(258 + n);
    CHECK_INT(alm_bpe_vocab(b), 258 + n);
    CHECK(n > 100);
    rest = lines;
    for (size_t i = 0; i < n; i++) {
        char want[64];
        CHECK(alm_str_split(&rest, '\n', &line));
        snprintf(want, sizeof want, "%u %u", b->merge[i].left, b->merge[i].right);
        CHECK_STR(line, want);
        CHECK_INT(b->merge[i].id, 258 + i);
    }
    alm_free((char *)(uintptr_t)lines.at);
    alm_bpe_free(b);
}

static void equal_counts_are_decided_by_the_smaller_pair(void **state) {
    (void)state;
    /* "xy", "ab" and "zz" twice each; of them a|b has the smallest ids, then x|y. */
    alm_bpe *b = learn(ALM_STR("xy zz ab-zz.ab.xy"), 261);
    CHECK_INT(alm_bpe_vocab(b), 261);
    CHECK_STR(alm_bpe_piece(b, 258), "ab");
    CHECK_STR(alm_bpe_piece(b, 259), "xy");
    CHECK_STR(alm_bpe_piece(b, 260), "zz");
    alm_bpe_free(b);
}

static void data_that_allows_fewer_ids_gives_fewer(void **state) {
    (void)state;
    const struct {
        const char *text;
        size_t n;
    } cases[] = {{"", 258},    {"a", 258}, {"one dash", 258}, {"abc abc", 260}, {"1234567890 1234567890", 258},
                 {"aaaa", 259}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_bpe *b = learn(alm_str_of(cases[i].text), 1000);
        CHECK_INT(alm_bpe_vocab(b), cases[i].n);
        alm_bpe_free(b);
    }
}

static void bytes_that_are_a_token_are_not_made_a_second_time(void **state) {
    (void)state;
    alm_bpe *b = learn(ALM_STR("abab abab abcabc bcbc bcbc abc abc aab aab abcc bcab"), 400);
    for (size_t i = 0; i < b->n_vocab; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(!b->piece[i].n || !alm_str_eq(b->piece[i], b->piece[k]), "%zu and %zu are \"%.*s\"", k, i,
                  ALM_ARG(b->piece[i]));
    alm_bpe_free(b);
}

static void the_cuts_of_the_input_change_nothing(void **state) {
    (void)state;
    alm_error err = {0};
    alm_str corpus = read_all(alm_test_source("tests/golden/bpe/corpus.txt"));
    alm_bpe *whole = learn(corpus, 700);
    alm_rng r = alm_rng_seed(7, 0, 0);
    for (int k = 0; k < 12; k++) {
        alm_bpe_trainer *t = NULL;
        alm_bpe *b = NULL;
        CHECK_OK(alm_bpe_trainer_new(&t, 700, &err), &err);
        for (size_t at = 0; at < corpus.n;) {
            size_t n = k == 0 ? 1 : 1 + (size_t)alm_rng_below(&r, k < 6 ? 40 : 9000);
            if (n > corpus.n - at) n = corpus.n - at;
            CHECK_OK(alm_bpe_trainer_feed_part(t, alm_str_make(corpus.at + at, n), at + n == corpus.n && k % 2, &err),
                     &err);
            at += n;
        }
        CHECK_OK(alm_bpe_trainer_finish(t, &b, &err), &err);
        CHECK(same_vocabulary(whole, b), "cut %d", k);
        alm_bpe_free(b);
        alm_bpe_trainer_free(t);
    }
    alm_bpe_free(whole);
    alm_free((char *)(uintptr_t)corpus.at);
}

static void a_text_without_line_ends_may_be_cut_too(void **state) {
    (void)state;
    alm_error err = {0};
    /* The first part is longer than the 2^20 bytes behind which a text is cut wherever a word ends. */
    const size_t n_first = 1100000, n = 1300000, steps[] = {77777, 388885, 1200000};
    char *text = alm_alloc(n);
    CHECK(text != NULL);
    alm_rng r = alm_rng_seed(8, 0, 0);
    for (size_t i = 0; i < n; i++) text[i] = "aabbc \xC3\xA9\n d"[alm_rng_below(&r, i < n_first ? 6 : 11)];
    alm_bpe *whole = learn(alm_str_make(text, n), 500);
    CHECK_INT(alm_bpe_vocab(whole), 500);
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        size_t step = steps[k];
        alm_bpe_trainer *t = NULL;
        alm_bpe *b = NULL;
        CHECK_OK(alm_bpe_trainer_new(&t, 500, &err), &err);
        for (size_t at = 0; at < n; at += step)
            CHECK_OK(alm_bpe_trainer_feed_part(t, alm_str_slice(alm_str_make(text, n), at, at + step), false, &err),
                     &err);
        CHECK_OK(alm_bpe_trainer_finish(t, &b, &err), &err);
        CHECK(same_vocabulary(whole, b), "pieces of %zu", step);
        alm_bpe_free(b);
        alm_bpe_trainer_free(t);
    }
    alm_bpe_free(whole);
    alm_free(text);
}

static void the_order_of_documents_changes_nothing(void **state) {
    (void)state;
    alm_error err = {0};
    alm_str corpus = read_all(alm_test_source("tests/golden/bpe/corpus.txt")), line;
    alm_bpe *b[2] = {0};
    for (int k = 0; k < 2; k++) {
        alm_bpe_trainer *t = NULL;
        alm_str lines[500], rest = corpus;
        size_t n = 0;
        while (alm_str_split(&rest, '\n', &line) && n < 500) lines[n++] = line;
        CHECK_OK(alm_bpe_trainer_new(&t, 600, &err), &err);
        for (size_t i = 0; i < n; i++) CHECK_OK(alm_bpe_trainer_feed(t, lines[k ? n - 1 - i : i], &err), &err);
        CHECK_OK(alm_bpe_trainer_finish(t, &b[k], &err), &err);
        alm_bpe_trainer_free(t);
    }
    CHECK(same_vocabulary(b[0], b[1]));
    alm_bpe_free(b[0]);
    alm_bpe_free(b[1]);
    alm_free((char *)(uintptr_t)corpus.at);
}

/* Some more different words than fit, and "often" between them: the rare ones are forgotten, the frequent one is learned. */
static void more_words_than_fit_keep_the_frequent_ones(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe_trainer *t = NULL;
    alm_bpe *b = NULL;
    alm_buf text = alm_buf_with_limit(SIZE_MAX);
    CHECK_OK(alm_bpe_trainer_new(&t, 262, &err), &err);
    for (unsigned i = 0; i < ALM_BPE_MAX_WORDS + 20000; i++) {
        char word[7] = {' ', 0, 0, 0, 0, 0, '\n'};
        unsigned x = i;
        for (int k = 1; k < 6; k++, x /= 26) word[k] = (char)('a' + x % 26);
        alm_buf_add(&text, word, sizeof word);
        if (i % 8 == 0) alm_buf_add_text(&text, "OFTEN\n");
    }
    CHECK_OK(alm_bpe_trainer_feed(t, alm_buf_str(&text), &err), &err);
    CHECK_OK(alm_bpe_trainer_finish(t, &b, &err), &err);
    CHECK(alm_bpe_find_word(b, ALM_STR("OFTEN")) != UINT32_MAX);
    alm_bpe_free(b);
    alm_bpe_trainer_free(t);
    alm_buf_free(&text);
}

static void a_size_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe_trainer *t = NULL;
    const size_t bad[] = {0, 1, 257, (size_t)1 << 23, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STATUS(alm_bpe_trainer_new(&t, bad[i], &err), ALM_INVALID, &err);
        CHECK(t == NULL);
    }
}

/* -- applying --------------------------------------------------------------------------------------------------------- */

static void check_ids(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, const alm_json *want, const char *what) {
    alm_error err = {0};
    alm_buf ids = alm_buf_with_limit(SIZE_MAX);
    CHECK_OK(alm_bpe_encode_special(b, s, text, &ids, NULL, &err), &err);
    size_t n = ids.n / 4, i = 0;
    for (const alm_json *id = alm_json_first(want); id; id = alm_json_next(want, id), i++) {
        int64_t x;
        CHECK(alm_json_i64(id, &x));
        uint32_t got = UINT32_MAX;
        if (i < n) memcpy(&got, ids.at + 4 * i, 4);
        CHECK(got == (uint64_t)x, "%s: id %zu of \"%.*s\" is %u, not %lld", what, i, ALM_ARG(text), got, (long long)x);
    }
    CHECK(i == n, "%s: \"%.*s\" has %zu ids, not %zu", what, ALM_ARG(text), n, i);
    alm_buf_free(&ids);
}

static void decode(const alm_bpe *b, const alm_buf *ids, alm_buf *out) {
    alm_buf_clear(out);
    for (size_t i = 0; i < ids->n; i += 4) {
        uint32_t id;
        memcpy(&id, ids->at + i, 4);
        CHECK(id < alm_bpe_vocab(b));
        alm_buf_add_str(out, alm_bpe_piece(b, id));
    }
}

static void ids_are_those_of_a_second_implementation(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe *b = learn_corpus(440);
    alm_bpe_scratch *s = NULL;
    alm_str all = read_all(alm_test_source("tests/golden/bpe/strings.jsonl")), line, rest = all;
    alm_json_doc doc = {0};
    alm_buf plain = alm_buf_with_limit(SIZE_MAX);
    size_t n = 0;
    CHECK_OK(alm_bpe_scratch_new(&s, &err), &err);
    while (alm_str_split(&rest, '\n', &line) && line.n) {
        CHECK_OK(alm_json_parse(&doc, (char *)(uintptr_t)line.at, line.n, NULL, NULL, &err), &err);
        alm_str text = alm_json_get(doc.node, "text")->text;
        const alm_json *want = alm_json_get(doc.node, "ids");
        alm_buf_clear(&plain);
        CHECK_OK(alm_bpe_encode(b, s, text, &plain, NULL, &err), &err);
        size_t i = 0;
        for (const alm_json *id = alm_json_first(want); id; id = alm_json_next(want, id), i++) {
            int64_t x;
            uint32_t got = UINT32_MAX;
            CHECK(alm_json_i64(id, &x));
            if (4 * i < plain.n) memcpy(&got, plain.at + 4 * i, 4);
            CHECK(got == (uint64_t)x, "line %zu: id %zu is %u, not %lld", n + 1, i, got, (long long)x);
        }
        CHECK(plain.n == 4 * i);
        n++;
    }
    CHECK(n == 700);
    alm_buf_free(&plain);
    alm_json_doc_free(&doc);
    alm_free((char *)(uintptr_t)all.at);
    alm_bpe_scratch_free(s);
    alm_bpe_free(b);
}

/* A random text of `kind`: anything, UTF-8, few characters, one long word. */
static void make_text(alm_rng *r, int kind, alm_buf *out) {
    alm_buf_clear(out);
    size_t n = (size_t)alm_rng_below(r, kind == 3 ? 3000 : 120);
    for (size_t i = 0; i < n; i++) {
        char at[4];
        if (kind == 0) alm_buf_add_byte(out, (char)(unsigned char)alm_rng_below(r, 256));
        else if (kind == 1) alm_buf_add(out, at, alm_utf8_put(at, (uint32_t)alm_rng_below(r, 0x3100)));
        else if (kind == 2)
            alm_buf_add_byte(out, " \n\r's0\xE3\x80\x85\xC3"
                                  "e"[alm_rng_below(r, 11)]);
        else alm_buf_add_byte(out, "seion"[alm_rng_below(r, 5)]);
    }
}

static void every_text_comes_back_with_and_without_a_scratch(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe *b = learn_corpus(500);
    alm_bpe_scratch *s = NULL;
    alm_rng r = alm_rng_seed(5, 0, 0);
    alm_buf text = alm_buf_with_limit(SIZE_MAX), ids = text, again = text, ends = text, back = text;
    CHECK_OK(alm_bpe_scratch_new(&s, &err), &err);
    for (int k = 0; k < 4000; k++) {
        make_text(&r, k % 4, &text);
        alm_buf_clear(&ids);
        alm_buf_clear(&again);
        alm_buf_clear(&ends);
        CHECK_OK(alm_bpe_encode(b, s, alm_buf_str(&text), &ids, &ends, &err), &err);
        CHECK_OK(alm_bpe_encode(b, NULL, alm_buf_str(&text), &again, NULL, &err), &err);
        CHECK(alm_str_eq(alm_buf_str(&ids), alm_buf_str(&again)));
        decode(b, &ids, &back);
        CHECK(alm_str_eq(alm_buf_str(&text), alm_buf_str(&back)), "text %d", k);
        CHECK(ends.n == ids.n);
        size_t end = 0;
        for (size_t i = 0; i < ids.n; i += 4) {
            uint32_t id, at;
            memcpy(&id, ids.at + i, 4);
            memcpy(&at, ends.at + i, 4);
            end += alm_bpe_piece(b, id).n;
            CHECK(at == end);
        }
    }
    alm_buf_free(&text), alm_buf_free(&ids), alm_buf_free(&again), alm_buf_free(&ends), alm_buf_free(&back);
    alm_bpe_scratch_free(s);
    alm_bpe_free(b);
}

static void a_scratch_that_is_full_or_was_anothers_changes_no_id(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe *few = learn_corpus(300), *many = learn_corpus(600);
    alm_bpe_scratch *s = NULL;
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), want = ids;
    CHECK_OK(alm_bpe_scratch_new(&s, &err), &err);
    for (unsigned i = 0; i < 60000; i++) {
        char text[64];
        unsigned x = i % 20000;
        int n = snprintf(text, sizeof text, "session %c%c%c%c opened from worker", 'a' + x % 26, 'a' + x / 26 % 26,
                         'a' + x / 676 % 26, 'a' + x / 17576);
        const alm_bpe *b = i / 1000 % 7 == 3 ? few : many;
        alm_buf_clear(&ids);
        alm_buf_clear(&want);
        CHECK_OK(alm_bpe_encode(b, s, alm_str_make(text, (size_t)n), &ids, NULL, &err), &err);
        CHECK_OK(alm_bpe_encode(b, NULL, alm_str_make(text, (size_t)n), &want, NULL, &err), &err);
        CHECK(alm_str_eq(alm_buf_str(&ids), alm_buf_str(&want)));
    }
    alm_buf_free(&ids);
    alm_buf_free(&want);
    alm_bpe_scratch_free(s);
    alm_bpe_free(few);
    alm_bpe_free(many);
}

/* The array and the heap are two ways to the same ids: a short word alone, and the beginning of a long one cut at a merge's end. */
static void a_megabyte_without_a_blank_is_merged_in_a_moment(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe *b = learn(ALM_STR("aa\naa\naaaa\naaaa\naaaaaaaa\naaaaaaaa"), 300);
    CHECK_STR(alm_bpe_piece(b, 258), "aa");
    alm_buf text = alm_buf_with_limit(SIZE_MAX), ids = text;
    for (size_t i = 0; i < 1 << 20; i++) alm_buf_add_byte(&text, 'a');
    CHECK_OK(alm_bpe_encode(b, NULL, alm_buf_str(&text), &ids, NULL, &err), &err);
    uint32_t eight = alm_bpe_find_word(b, ALM_STR("aaaaaaaa"));
    CHECK(eight != UINT32_MAX && ids.n == 4 << 17);
    for (size_t i = 0; i < ids.n; i += 4) CHECK(memcmp(ids.at + i, &eight, 4) == 0);
    alm_buf_free(&text);
    alm_buf_free(&ids);
    alm_bpe_free(b);
}

static void control_tokens_are_text_unless_asked_for(void **state) {
    (void)state;
    alm_error err = {0};
    alm_bpe *b = learn_corpus(300);
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), ends = ids, back = ids;
    alm_str text = ALM_STR("a<|end_of_text|>b<|begin_of_text|");
    CHECK_OK(alm_bpe_encode(b, NULL, text, &ids, NULL, &err), &err);
    for (size_t i = 0; i < ids.n; i += 4) {
        uint32_t id;
        memcpy(&id, ids.at + i, 4);
        CHECK(id > 1);
    }
    decode(b, &ids, &back);
    CHECK(alm_str_eq(alm_buf_str(&back), text));
    alm_buf_clear(&ids);
    CHECK_OK(alm_bpe_encode_special(b, NULL, text, &ids, &ends, &err), &err);
    uint32_t first[3], end[3];
    memcpy(first, ids.at, sizeof first);
    memcpy(end, ends.at, sizeof end);
    CHECK(first[0] == 2 + 'a' && first[1] == 1 && first[2] == 2 + 'b');
    CHECK(end[0] == 1 && end[1] == 16 && end[2] == 17);
    CHECK_STR(alm_bpe_special_text(b, 1), "<|end_of_text|>");
    CHECK_INT(alm_bpe_piece(b, 1).n, 0);
    CHECK_INT(alm_bpe_piece(b, 1 << 30).n, 0);
    CHECK(alm_bpe_bos(b) == 0 && alm_bpe_eos(b) == 1 && alm_bpe_adds_bos(b) && !alm_bpe_adds_eos(b));
    alm_buf_free(&ids), alm_buf_free(&ends), alm_buf_free(&back);
    alm_bpe_free(b);
}

/* -- in a file -------------------------------------------------------------------------------------------------------- */

static alm_gguf *open_bytes(alm_buf *bytes) {
    alm_error err = {0};
    alm_gguf *g = NULL;
    CHECK_OK(alm_gguf_parse(&g, "memory", alm_buf_str(bytes), &err), &err);
    return g;
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    static const char *const prefixes[] = {"", "alm.surprise."};
    alm_bpe *b = learn_corpus(420);
    for (int k = 0; k < 2; k++) {
        alm_error err = {0};
        alm_gguf_writer *w = NULL;
        alm_buf bytes = alm_buf_with_limit(SIZE_MAX);
        alm_bpe *back = NULL;
        CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
        CHECK_OK(alm_bpe_to_gguf(b, w, prefixes[k], &err), &err);
        CHECK_OK(alm_gguf_writer_bytes(w, &bytes, &err), &err);
        alm_gguf *g = open_bytes(&bytes);
        CHECK_STATUS(alm_bpe_from_gguf(&back, g, prefixes[!k], &err), ALM_NOT_FOUND, &err);
        CHECK(back == NULL);
        CHECK_OK(alm_bpe_from_gguf(&back, g, prefixes[k], &err), &err);
        alm_gguf_close(g);
        alm_buf_free(&bytes);
        CHECK(same_vocabulary(b, back));
        alm_bpe_free(back);
        alm_gguf_writer_free(w);
    }
    alm_bpe_free(b);
}

/* A vocabulary of the 256 bytes, "ab" and a control token, with one thing wrong. */
enum {
    GOOD,
    NO_BYTE,
    MERGE_UNKNOWN,
    MERGE_CONTROL,
    MERGE_TWICE,
    MERGE_ONE,
    TOKEN_TWICE,
    TYPES_FEW,
    TYPE_9,
    TYPE_NEGATIVE,
    BOS_OUT,
    EOS_OUT,
    BOS_NEGATIVE,
    PRE_OTHER,
    MODEL_OTHER,
    N_FAULT
};

static alm_status build_faulty(int fault, alm_error *err) {
    static char names[256][5];
    alm_str tokens[258], merges[2] = {ALM_STR("a b"), ALM_STR("a b")};
    int32_t type[258];
    alm_gguf_writer *w = NULL;
    alm_bpe *b = NULL;
    alm_buf bytes = alm_buf_with_limit(SIZE_MAX), one = bytes;
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)(unsigned char)c;
        alm_buf_clear(&one);
        alm_bpe_write_piece(&one, alm_str_make(&byte, 1));
        memcpy(names[c], one.at, one.n);
        tokens[c] = alm_str_make(names[c], one.n);
        type[c] = 1;
    }
    tokens[256] = ALM_STR("ab"), type[256] = fault == MERGE_CONTROL ? 3 : 1;
    tokens[257] = ALM_STR("<|x|>"), type[257] = 3;
    if (fault == NO_BYTE) tokens[0xFF] = ALM_STR("abc");
    if (fault == MERGE_UNKNOWN) merges[0] = ALM_STR("b a");
    if (fault == MERGE_ONE) merges[0] = ALM_STR("ab");
    if (fault == TOKEN_TWICE) tokens[257] = ALM_STR("ab");
    if (fault == TYPE_9) type[3] = 9;
    if (fault == TYPE_NEGATIVE) type[3] = -1;
    CHECK_OK(alm_gguf_writer_new(&w, err), err);
    alm_gguf_set_str(w, "tokenizer.ggml.model", fault == MODEL_OTHER ? ALM_STR("llama") : ALM_STR("gpt2"));
    alm_gguf_set_str(w, "tokenizer.ggml.pre", fault == PRE_OTHER ? ALM_STR("falcon") : ALM_STR("gpt-2"));
    alm_gguf_set_strings(w, "tokenizer.ggml.tokens", tokens, 258);
    alm_gguf_set_array(w, "tokenizer.ggml.token_type", ALM_GGUF_I32, type, fault == TYPES_FEW ? 257 : 258);
    alm_gguf_set_strings(w, "tokenizer.ggml.merges", merges, fault == MERGE_TWICE ? 2 : 1);
    if (fault == BOS_NEGATIVE) alm_gguf_set_i64(w, "tokenizer.ggml.bos_token_id", -1);
    else alm_gguf_set_u32(w, "tokenizer.ggml.bos_token_id", fault == BOS_OUT ? 258 : 257);
    alm_gguf_set_u32(w, "tokenizer.ggml.eos_token_id", fault == EOS_OUT ? UINT32_MAX : 257);
    CHECK_OK(alm_gguf_writer_bytes(w, &bytes, err), err);
    alm_gguf *g = open_bytes(&bytes);
    alm_status st = alm_bpe_from_gguf(&b, g, "", err);
    CHECK((st == ALM_OK) == (b != NULL));
    alm_bpe_free(b);
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
    alm_buf_free(&bytes);
    alm_buf_free(&one);
    return st;
}

static void what_does_not_fit_together_is_refused_with_the_place(void **state) {
    (void)state;
    static const struct {
        alm_status status;
        const char *text;
    } want[N_FAULT] = {[GOOD] = {ALM_OK, ""},
                       [NO_BYTE] = {ALM_MALFORMED, "the byte 0xFF has no token"},
                       [MERGE_UNKNOWN] = {ALM_MALFORMED, "merges: bad_value: merge 0 needs the token \"ba\""},
                       [MERGE_CONTROL] = {ALM_MALFORMED, "merge 0 needs the token \"ab\""},
                       [MERGE_TWICE] = {ALM_MALFORMED, "merges 0 and 1 are the same"},
                       [MERGE_ONE] = {ALM_MALFORMED, "merge 0 is not two tokens"},
                       [TOKEN_TWICE] = {ALM_MALFORMED, "tokens 256 and 257 are the same: \"ab\""},
                       [TYPES_FEW] = {ALM_MALFORMED, "bad_count: 257 types for 258 tokens"},
                       [TYPE_9] = {ALM_MALFORMED, "token 3 has the type"},
                       [TYPE_NEGATIVE] = {ALM_MALFORMED, "token 3 has the type"},
                       [BOS_OUT] = {ALM_MALFORMED, "bos_token_id: bad_value: id 258 of a vocabulary of 258"},
                       [EOS_OUT] = {ALM_MALFORMED, "eos_token_id: bad_value"},
                       [BOS_NEGATIVE] = {ALM_MISMATCH, "bos_token_id"},
                       [PRE_OTHER] = {ALM_UNSUPPORTED, "the pre-tokenizer falcon is not supported"},
                       [MODEL_OTHER] = {ALM_UNSUPPORTED, "the tokenizer \"llama\" is not supported"}};
    for (int fault = 0; fault < N_FAULT; fault++) {
        alm_error err = {0};
        CHECK_STATUS(build_faulty(fault, &err), want[fault].status, &err);
        CHECK_HOLDS(err.text, want[fault].text);
    }
}

static alm_status live_a_whole_life(void *arg) {
    alm_error err = {0};
    alm_bpe_trainer *t = NULL;
    alm_bpe *b = NULL, *back = NULL;
    alm_bpe_scratch *s = NULL;
    alm_gguf_writer *w = NULL;
    alm_gguf *g = NULL;
    alm_buf bytes = alm_buf_with_limit(SIZE_MAX), ids = bytes, ends = bytes;
    alm_str text = *(const alm_str *)arg;
    alm_status st = alm_bpe_trainer_new(&t, 280, &err);
    if (st == ALM_OK) st = alm_bpe_trainer_feed_part(t, alm_str_slice(text, 0, 999), false, &err);
    if (st == ALM_OK) st = alm_bpe_trainer_feed_part(t, alm_str_slice(text, 999, 3000), true, &err);
    if (st == ALM_OK) st = alm_bpe_trainer_finish(t, &b, &err);
    if (st == ALM_OK) st = alm_bpe_scratch_new(&s, &err);
    if (st == ALM_OK) st = alm_bpe_encode(b, s, alm_str_slice(text, 0, 500), &ids, &ends, &err);
    if (st == ALM_OK)
        st = alm_bpe_encode(b, NULL, ALM_STR("sessionsessionsessionsessionsessionsessionsessionsessionsessionsession"),
                            &ids, NULL, &err);
    if (st == ALM_OK) st = alm_gguf_writer_new(&w, &err);
    if (st == ALM_OK) st = alm_bpe_to_gguf(b, w, "", &err);
    if (st == ALM_OK) st = alm_gguf_writer_bytes(w, &bytes, &err);
    if (st == ALM_OK) st = alm_gguf_parse(&g, "memory", alm_buf_str(&bytes), &err);
    if (st == ALM_OK) st = alm_bpe_from_gguf(&back, g, "", &err);
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
    alm_buf_free(&bytes), alm_buf_free(&ids), alm_buf_free(&ends);
    alm_bpe_scratch_free(s);
    alm_bpe_free(b);
    alm_bpe_free(back);
    alm_bpe_trainer_free(t);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    alm_str corpus = read_all(alm_test_source("tests/golden/bpe/corpus.txt"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(live_a_whole_life, &corpus) > 20);
    alm_free((char *)(uintptr_t)corpus.at);
}

/* -- the vocabularies of others --------------------------------------------------------------------------------------- */

static alm_bpe *read_shared(const char *name) {
    alm_error err = {0};
    alm_gguf *g = NULL;
    alm_bpe *b = NULL;
    CHECK_OK(alm_gguf_open(&g, alm_test_shared(name), &err), &err);
    CHECK_OK(alm_bpe_from_gguf(&b, g, "", &err), &err);
    alm_gguf_close(g);
    return b;
}

static void the_tiny_models_have_the_ids_that_their_makers_expect(void **state) {
    (void)state;
    static const char *const names[] = {
        "gpt2",  "gptneox",    "phi2",  "llama3",  "llama32-tied", "phi4", "phi4-mini-longrope",
        "qwen2", "qwen2-yarn", "qwen3", "qwen3moe"};
    if (!alm_test_shared("oracles/models/gpt2/expected.json")) {
        print_message("skipped: the shared folder of models is not here\n");
        skip();
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        alm_error err = {0};
        alm_json_doc doc = {0};
        char path[200];
        size_t n;
        snprintf(path, sizeof path, "oracles/gguf/%s-f32.gguf", names[i]);
        alm_bpe *b = read_shared(path);
        snprintf(path, sizeof path, "oracles/models/%s/expected.json", names[i]);
        char *json = alm_test_slurp(alm_test_shared(path), &n);
        CHECK_OK(alm_json_parse(&doc, json, n, NULL, NULL, &err), &err);
        /* The expected ids are the first 24 of the text, begin of text among them where the family has it. */
        alm_buf ids = alm_buf_with_limit(SIZE_MAX);
        uint32_t bos = (uint32_t)alm_bpe_bos(b);
        if (alm_bpe_adds_bos(b)) alm_buf_add(&ids, &bos, 4);
        CHECK_OK(alm_bpe_encode(b, NULL, alm_json_get(doc.node, "text")->text, &ids, NULL, &err), &err);
        const alm_json *want = alm_json_get(doc.node, "tokens");
        size_t k = 0;
        for (const alm_json *id = alm_json_first(want); id; id = alm_json_next(want, id), k++) {
            int64_t x;
            uint32_t got = UINT32_MAX;
            CHECK(alm_json_i64(id, &x));
            if (4 * k < ids.n) memcpy(&got, ids.at + 4 * k, 4);
            CHECK(got == (uint64_t)x, "%s: id %zu is %u, not %lld", names[i], k, got, (long long)x);
        }
        CHECK_INT(k, 24);
        alm_buf_free(&ids);
        alm_json_doc_free(&doc);
        alm_free(json);
        alm_bpe_free(b);
    }
}

static void gpt2_has_the_ids_of_tiktoken_and_of_llama_cpp(void **state) {
    (void)state;
    const char *vectors = alm_test_shared("oracles/tokenizers/vectors/gpt2.jsonl");
    if (!vectors) {
        print_message("skipped: the shared folder of tokenizers is not here\n");
        skip();
        return;
    }
    alm_error err = {0};
    alm_str all = read_all(vectors), line, rest = all;
    alm_bpe *b = read_shared("oracles/gguf-vocabs/ggml-vocab-gpt-2.gguf");
    alm_bpe_scratch *s = NULL;
    alm_json_doc doc = {0};
    size_t n = 0;
    CHECK_INT(alm_bpe_vocab(b), 50257);
    CHECK_OK(alm_bpe_scratch_new(&s, &err), &err);
    while (alm_str_split(&rest, '\n', &line) && line.n) {
        CHECK_OK(alm_json_parse(&doc, (char *)(uintptr_t)line.at, line.n, NULL, NULL, &err), &err);
        const alm_json *text = alm_json_get(doc.node, "text");
        if (!text) continue; /* bytes that are no UTF-8: tiktoken replaces them */
        check_ids(b, s, text->text, alm_json_get(doc.node, "ids"), "tiktoken");
        n++;
    }
    CHECK(n > 250, "only %zu strings", n);
    alm_free((char *)(uintptr_t)all.at);
    /* llama.cpp's strings and ids, a line each. */
    alm_str in = read_all(alm_test_shared("oracles/gguf-vocabs/ggml-vocab-gpt-2.gguf.inp")),
            out = read_all(alm_test_shared("oracles/gguf-vocabs/ggml-vocab-gpt-2.gguf.out"));
    const alm_str mark = ALM_STR("\n__ggml_vocab_test__\n");
    alm_str ids_line, left = in, ids_left = out;
    for (n = 0; alm_str_split(&ids_left, '\n', &ids_line) && left.at; n++) {
        size_t end = alm_str_find(left, mark);
        alm_str text = alm_str_slice(left, 0, end == SIZE_MAX ? left.n : end);
        left = end == SIZE_MAX ? (alm_str){0} : alm_str_slice(left, end + mark.n, left.n);
        alm_buf ids = alm_buf_with_limit(SIZE_MAX), want = ids;
        CHECK_OK(alm_bpe_encode(b, s, text, &ids, NULL, &err), &err);
        for (size_t i = 0; i < ids.n; i += 4) {
            uint32_t id;
            memcpy(&id, ids.at + i, 4);
            alm_buf_printf(&want, " %u", id);
        }
        CHECK(alm_str_eq(alm_str_trim(alm_buf_str(&want)), alm_str_trim(ids_line)), "string %zu: %.*s, not %.*s", n,
              ALM_ARG(alm_buf_str(&want)), ALM_ARG(ids_line));
        alm_buf_free(&ids);
        alm_buf_free(&want);
    }
    CHECK(n >= 46, "only %zu strings", n);
    alm_free((char *)(uintptr_t)in.at);
    alm_free((char *)(uintptr_t)out.at);
    alm_json_doc_free(&doc);
    alm_bpe_scratch_free(s);
    alm_bpe_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_merges_are_those_of_counting_anew_after_each),
    cmocka_unit_test(equal_counts_are_decided_by_the_smaller_pair),
    cmocka_unit_test(data_that_allows_fewer_ids_gives_fewer),
    cmocka_unit_test(bytes_that_are_a_token_are_not_made_a_second_time),
    cmocka_unit_test(the_cuts_of_the_input_change_nothing),
    cmocka_unit_test(a_text_without_line_ends_may_be_cut_too),
    cmocka_unit_test(the_order_of_documents_changes_nothing),
    cmocka_unit_test(more_words_than_fit_keep_the_frequent_ones),
    cmocka_unit_test(a_size_that_makes_no_sense_is_refused),
    cmocka_unit_test(ids_are_those_of_a_second_implementation),
    cmocka_unit_test(every_text_comes_back_with_and_without_a_scratch),
    cmocka_unit_test(a_scratch_that_is_full_or_was_anothers_changes_no_id),
    cmocka_unit_test(a_megabyte_without_a_blank_is_merged_in_a_moment),
    cmocka_unit_test(control_tokens_are_text_unless_asked_for),
    cmocka_unit_test(what_is_written_is_read_again),
    cmocka_unit_test(what_does_not_fit_together_is_refused_with_the_place),
    cmocka_unit_test(no_allocation_failure_leaks),
    cmocka_unit_test(the_tiny_models_have_the_ids_that_their_makers_expect),
    cmocka_unit_test(gpt2_has_the_ids_of_tiktoken_and_of_llama_cpp),
};
ALM_TEST_MAIN(tests)
