/* SPDX-License-Identifier: Apache-2.0
 *
 * test_gguf.c - the GGUF container: what is written is read again, what is broken is refused by name. */
#include "alm_hostile.h"

#include "base/json.h"
#include "format/format.h"
#include "format/gguf.h"

static alm_buf start(uint32_t version, uint64_t n_tensor, uint64_t n_kv) {
    alm_buf b = alm_buf_with_limit(1 << 20);
    alm_buf_add_text(&b, "GGUF");
    alm_buf_add_le32(&b, version);
    alm_buf_add_le64(&b, n_tensor);
    alm_buf_add_le64(&b, n_kv);
    return b;
}

static void put(alm_buf *b, const char *s) {
    alm_buf_add_le64(b, strlen(s));
    alm_buf_add_text(b, s);
}

/* Parses, expects a refusal that holds `part`, and frees the bytes. */
static void refused(alm_buf *b, alm_status want, const char *part) {
    alm_error err = {0};
    alm_gguf *g = NULL;
    CHECK_STATUS(alm_gguf_parse(&g, "x.gguf", alm_buf_str(b), &err), want, &err);
    CHECK(g == NULL);
    CHECK_HOLDS(err.text, "x.gguf: ");
    CHECK_HOLDS(err.text, part);
    alm_buf_free(b);
}

static const float weights[8] = {0, 1, -2, 3.5f, 4, 5, 6, 7};
static const int8_t bytes5[5] = {1, -1, 2, -2, 127};

static void fill(alm_gguf_writer *w) {
    const uint32_t numbers[3] = {7, 8, 4294967295u};
    const double doubles[2] = {0.1, -1e300};
    const alm_str words[3] = {ALM_STR("eins"), ALM_STR(""), ALM_STR("dr\0ei")};
    alm_gguf_set_str(w, "general.architecture", ALM_STR("alm"));
    alm_gguf_set_u32(w, "a.u32", 42);
    alm_gguf_set_u64(w, "a.u64", UINT64_MAX);
    alm_gguf_set_i64(w, "a.i64", -5);
    alm_gguf_set_f32(w, "a.f32", 1.5f);
    alm_gguf_set_f64(w, "a.f64", 0.1);
    alm_gguf_set_bool(w, "a.bool", true);
    alm_gguf_set_array(w, "a.numbers", ALM_GGUF_U32, numbers, 3);
    alm_gguf_set_array(w, "a.doubles", ALM_GGUF_F64, doubles, 2);
    alm_gguf_set_array(w, "a.none", ALM_GGUF_U8, NULL, 0);
    alm_gguf_set_strings(w, "a.words", words, 3);
    alm_gguf_add_tensor(w, "weights", ALM_GGUF_T_F32, 2, (const uint64_t[]){4, 2}, weights);
    alm_gguf_add_tensor(w, "bytes", ALM_GGUF_T_I8, 1, (const uint64_t[]){5}, bytes5);
    alm_gguf_add_tensor(w, "empty", ALM_GGUF_T_F64, 1, (const uint64_t[]){0}, NULL);
}

static void check_filled(const alm_gguf *g) {
    alm_error err = {0};
    uint64_t u = 0;
    int64_t i = 0;
    double f = 0;
    bool b = false;
    alm_str s = {0};
    const alm_gguf_value *v = NULL;
    const alm_gguf_tensor *t = NULL;
    CHECK_INT(alm_gguf_version(g), 3);
    CHECK_INT(alm_gguf_alignment(g), 32);
    CHECK_INT(alm_gguf_trailing(g), 0);
    CHECK_INT(alm_gguf_value_count(g), 11);
    CHECK_INT(alm_gguf_tensor_count(g), 3);
    CHECK_OK(alm_gguf_str(g, "general.architecture", &s, &err), &err);
    CHECK_STR(s, "alm");
    CHECK_OK(alm_gguf_u64(g, "a.u32", &u, &err), &err);
    CHECK(u == 42);
    CHECK_OK(alm_gguf_u64(g, "a.u64", &u, &err), &err);
    CHECK(u == UINT64_MAX);
    CHECK_STATUS(alm_gguf_i64(g, "a.u64", &i, &err), ALM_MISMATCH, &err);
    CHECK_STATUS(alm_gguf_f64(g, "a.u64", &f, &err), ALM_MISMATCH, &err);
    CHECK_OK(alm_gguf_i64(g, "a.i64", &i, &err), &err);
    CHECK(i == -5);
    CHECK_STATUS(alm_gguf_u64(g, "a.i64", &u, &err), ALM_MISMATCH, &err);
    CHECK_OK(alm_gguf_f64(g, "a.f32", &f, &err), &err);
    CHECK_BITS(f, 1.5);
    CHECK_OK(alm_gguf_f64(g, "a.f64", &f, &err), &err);
    CHECK_BITS(f, 0.1);
    CHECK_OK(alm_gguf_f64(g, "a.i64", &f, &err), &err);
    CHECK_BITS(f, -5.0);
    CHECK_OK(alm_gguf_bool(g, "a.bool", &b, &err), &err);
    CHECK(b);
    CHECK_STATUS(alm_gguf_bool(g, "a.u32", &b, &err), ALM_MISMATCH, &err);
    CHECK_STATUS(alm_gguf_bool(g, "a.missing", &b, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "a.missing");
    CHECK_OK(alm_gguf_array(g, "a.numbers", ALM_GGUF_U32, &v, &err), &err);
    CHECK_INT(v->n, 3);
    CHECK(alm_gguf_item_u64(v, 2) == 4294967295u);
    CHECK_STATUS(alm_gguf_array(g, "a.numbers", ALM_GGUF_I32, &v, &err), ALM_MISMATCH, &err);
    CHECK_OK(alm_gguf_array(g, "a.doubles", ALM_GGUF_F64, &v, &err), &err);
    CHECK_BITS(alm_gguf_item_f64(v, 1), -1e300);
    CHECK_OK(alm_gguf_array(g, "a.none", ALM_GGUF_U8, &v, &err), &err);
    CHECK_INT(v->n, 0);
    CHECK_OK(alm_gguf_array(g, "a.words", ALM_GGUF_STRING, &v, &err), &err);
    size_t at = 0;
    CHECK(alm_gguf_next_str(v, &at, &s));
    CHECK_STR(s, "eins");
    CHECK(alm_gguf_next_str(v, &at, &s));
    CHECK_INT(s.n, 0);
    CHECK(alm_gguf_next_str(v, &at, &s));
    CHECK_INT(s.n, 5);
    CHECK(!alm_gguf_next_str(v, &at, &s));
    CHECK_OK(alm_gguf_tensor_get(g, "weights", ALM_GGUF_T_F32, 2, (const uint64_t[]){4, UINT64_MAX}, &t, &err), &err);
    CHECK(t->n_bytes == sizeof weights && memcmp(t->at, weights, sizeof weights) == 0);
    CHECK_STATUS(alm_gguf_tensor_get(g, "weights", ALM_GGUF_T_F32, 2, (const uint64_t[]){4, 3}, &t, &err), ALM_MISMATCH,
                 &err);
    CHECK_STATUS(alm_gguf_tensor_get(g, "weights", ALM_GGUF_T_F64, 2, (const uint64_t[]){4, 2}, &t, &err), ALM_MISMATCH,
                 &err);
    CHECK_STATUS(alm_gguf_tensor_get(g, "wights", ALM_GGUF_T_F64, 2, (const uint64_t[]){4, 2}, &t, &err), ALM_NOT_FOUND,
                 &err);
    t = alm_gguf_find_tensor(g, "bytes");
    CHECK(t && t->n_bytes == 5 && memcmp(t->at, bytes5, 5) == 0);
    t = alm_gguf_find_tensor(g, "empty");
    CHECK(t && t->n_bytes == 0 && t->n_items == 0);
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf_writer *w = NULL;
    alm_gguf *g = NULL;
    const char *path = alm_test_path("round.gguf");
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    fill(w);
    CHECK_OK(alm_gguf_writer_save(w, path, &err), &err);
    CHECK_OK(alm_gguf_open(&g, path, &err), &err);
    check_filled(g);
    for (size_t i = 0; i < alm_gguf_tensor_count(g); i++)
        CHECK((uintptr_t)alm_gguf_tensor_at(g, i)->at % 32 == 0, "tensor %zu is not aligned", i);
    size_t n;
    char *file = alm_test_slurp(path, &n);
    alm_buf b = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_gguf_writer_bytes(w, &b, &err), &err);
    CHECK(n == b.n && memcmp(file, b.at, n) == 0, "save and bytes differ");
    alm_free(file);
    alm_buf_free(&b);
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
}

static void a_file_copied_value_by_value_is_the_same_file(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf_writer *w = NULL, *copy = NULL;
    alm_gguf *g = NULL;
    alm_buf a = alm_buf_with_limit(1 << 20), b = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    CHECK_OK(alm_gguf_writer_new(&copy, &err), &err);
    fill(w);
    CHECK_OK(alm_gguf_writer_bytes(w, &a, &err), &err);
    CHECK_OK(alm_gguf_parse(&g, "a", alm_buf_str(&a), &err), &err);
    for (size_t i = 0; i < alm_gguf_value_count(g); i++) alm_gguf_set_value(copy, alm_gguf_value_at(g, i));
    for (size_t i = 0; i < alm_gguf_tensor_count(g); i++) {
        const alm_gguf_tensor *t = alm_gguf_tensor_at(g, i);
        char name[64] = {0};
        memcpy(name, t->name.at, t->name.n);
        alm_gguf_add_tensor(copy, name, t->type, t->n_dims, t->dim, t->at);
    }
    CHECK_OK(alm_gguf_writer_bytes(copy, &b, &err), &err);
    CHECK(alm_str_eq(alm_buf_str(&a), alm_buf_str(&b)));
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
    alm_gguf_writer_free(copy);
    alm_buf_free(&a);
    alm_buf_free(&b);
}

static void a_wrong_call_of_the_writer_is_reported_by_save(void **state) {
    (void)state;
    static const char *const said[] = {"twice: the key is set twice", ": no name for a key",
                                       "t: the tensor is added twice", "q: dimensions that overflow",
                                       "u: unknown tensor type"};
    for (int k = 0; k < 5; k++) {
        alm_error err = {0};
        alm_gguf_writer *w = NULL;
        CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
        alm_gguf_set_u32(w, "twice", 1);
        alm_gguf_add_tensor(w, "t", ALM_GGUF_T_I8, 1, (const uint64_t[]){5}, bytes5);
        if (k == 0) alm_gguf_set_bool(w, "twice", true);
        if (k == 1) alm_gguf_set_bool(w, "", true);
        if (k == 2) alm_gguf_add_tensor(w, "t", ALM_GGUF_T_I8, 1, (const uint64_t[]){5}, bytes5);
        if (k == 3)
            alm_gguf_add_tensor(w, "q", ALM_GGUF_T_I64, 2, (const uint64_t[]){UINT64_C(1) << 40, UINT64_C(1) << 40},
                                bytes5);
        if (k == 4) alm_gguf_add_tensor(w, "u", 4, 1, (const uint64_t[]){5}, bytes5);
        alm_gguf_set_u32(w, "behind", 1); /* changes nothing any more */
        const char *path = alm_test_path("wrong.gguf");
        CHECK_STATUS(alm_gguf_writer_save(w, path, &err), ALM_INVALID, &err);
        CHECK_HOLDS(err.text, said[k]);
        CHECK(!alm_file_exists(path));
        alm_gguf_writer_free(w);
    }
}

static void a_full_disk_is_an_error_of_save(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("skipped: there is no /dev/full here\n");
        skip();
    }
    alm_error err = {0};
    alm_gguf_writer *w = NULL;
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    fill(w);
    CHECK_STATUS(alm_gguf_writer_save(w, "/dev/full", &err), ALM_IO, &err);
    alm_gguf_writer_free(w);
}

static void counts_beyond_the_file_are_refused_before_memory_is_asked_for(void **state) {
    (void)state;
    const uint64_t counts[] = {1, 1000, UINT64_C(1) << 32, UINT64_C(1) << 61, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        alm_buf b = start(3, 0, counts[i]);
        refused(&b, ALM_MALFORMED, "bad_count");
        b = start(3, counts[i], 0);
        refused(&b, ALM_MALFORMED, "bad_count");
        for (int strings = 0; strings < 2; strings++) {
            b = start(3, 0, 1);
            put(&b, "k");
            alm_buf_add_le32(&b, ALM_GGUF_ARRAY);
            alm_buf_add_le32(&b, strings ? ALM_GGUF_STRING : ALM_GGUF_U64);
            alm_buf_add_le64(&b, counts[i]);
            refused(&b, ALM_MALFORMED, "bad_count");
        }
    }
}

static void another_version_and_byte_order_are_refused_with_the_reason(void **state) {
    (void)state;
    alm_buf b = start(0x03000000, 0, 0);
    refused(&b, ALM_UNSUPPORTED, "big-endian");
    b = start(1, 0, 0);
    refused(&b, ALM_UNSUPPORTED, "version 1");
    b = start(4, 0, 0);
    refused(&b, ALM_UNSUPPORTED, "version 4");
    b = alm_buf_with_limit(99);
    alm_buf_add_text(&b, "PK\3\4 no gguf");
    refused(&b, ALM_MALFORMED, "bad_magic");
    b = alm_buf_with_limit(99);
    refused(&b, ALM_MALFORMED, "truncated");
}

static void every_cut_of_a_file_is_refused(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf_writer *w = NULL;
    alm_buf a = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    fill(w);
    CHECK_OK(alm_gguf_writer_bytes(w, &a, &err), &err);
    /* The last tensor is empty and the one before has 27 bytes of padding: only those may be missing. */
    for (size_t n = 0; n < a.n - 27; n++) {
        alm_gguf *g = NULL;
        char *exact = alm_alloc(n); /* so that a sanitizer sees a read behind the end */
        CHECK(exact != NULL);
        memcpy(exact, a.at, n);
        CHECK(alm_gguf_parse(&g, "cut", (alm_str){exact, n}, &err) == ALM_MALFORMED, "cut at %zu of %zu", n, a.n);
        alm_free(exact);
    }
    alm_buf_free(&a);
    alm_gguf_writer_free(w);
}

static void bytes_behind_the_last_tensor_are_counted(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf_writer *w = NULL;
    alm_gguf *g = NULL;
    alm_buf a = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    fill(w);
    CHECK_OK(alm_gguf_writer_bytes(w, &a, &err), &err);
    alm_buf_add_text(&a, "hidden");
    CHECK_OK(alm_gguf_parse(&g, "trailing", alm_buf_str(&a), &err), &err);
    CHECK_INT(alm_gguf_trailing(g), 6);
    alm_gguf_close(g);
    alm_buf_free(&a);
    alm_gguf_writer_free(w);
}

static alm_status write_and_read(void *arg) {
    alm_error err;
    alm_gguf_writer *w = NULL;
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_writer_new(&w, &err);
    if (st != ALM_OK) return st;
    fill(w);
    st = alm_gguf_writer_save(w, arg, &err);
    if (st == ALM_OK) st = alm_gguf_open(&g, arg, &err);
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
    return st;
}

static void no_allocation_failure_leaks_or_leaves_a_file_half_there(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(write_and_read, (void *)alm_test_path("oom.gguf")) > 8);
}

static void the_list_of_formats_finds_gguf_by_its_first_bytes(void **state) {
    (void)state;
    const alm_format *f = alm_format_probe(ALM_STR("GGUF\3\0\0\0"));
    CHECK(f == &alm_format_gguf && alm_format_list()[0] == f);
    CHECK(alm_format_probe(ALM_STR("GGU")) == NULL);
    CHECK(alm_format_probe(ALM_STR("MZ\3\4")) == NULL);
}

/* A file with bytes behind its end is the only one to be flagged, and only it has them. */
static alm_status judge(const char *path, alm_error *err) {
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_open(&g, path, err);
    if (st == ALM_OK && (alm_gguf_trailing(g) != 0) != (strstr(path, "trailing") != NULL))
        st = alm_fail(err, ALM_MISMATCH, "%zu bytes behind its end", alm_gguf_trailing(g));
    alm_gguf_close(g);
    return st;
}

static void hostile_files_get_their_verdict(void **state) {
    (void)state;
    size_t n = alm_hostile_judge("gguf", judge);
    CHECK(n > 50, "only %zu cases", n);
}

/* -- split files ---------------------------------------------------------------------------------------------------- */

static void parts_of_a_split_file_open_as_one_whichever_is_named(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf *whole, *g;
    CHECK_OK(alm_gguf_open(&whole, alm_test_source("tests/data/hostile/gguf-model/ok-llama.gguf"), &err), &err);
    for (int i = 1; i <= 3; i++) {
        char name[100];
        snprintf(name, sizeof name, "tests/data/gguf/split/small-%05d-of-00003.gguf", i);
        CHECK_OK(alm_gguf_open(&g, alm_test_source(name), &err), &err);
        CHECK_INT(alm_gguf_tensor_count(g), alm_gguf_tensor_count(whole));
        CHECK(alm_gguf_find(g, "llama.block_count"));
        for (size_t k = 0; k < alm_gguf_tensor_count(whole); k++) {
            const alm_gguf_tensor *a = alm_gguf_tensor_at(whole, k);
            char text[ALM_GGUF_MAX_NAME + 1];
            snprintf(text, sizeof text, "%.*s", ALM_ARG(a->name));
            const alm_gguf_tensor *b = alm_gguf_find_tensor(g, text);
            CHECK(b && b->type == a->type && b->n_bytes == a->n_bytes && memcmp(a->at, b->at, a->n_bytes) == 0, "%s",
                  text);
        }
        alm_gguf_close(g);
    }
    alm_gguf_close(whole);
}

static const char *copied(const char *from, const char *to) {
    char name[100];
    size_t n;
    snprintf(name, sizeof name, "tests/data/gguf/split/%s", from);
    char *at = alm_test_slurp(alm_test_source(name), &n);
    alm_test_write(alm_test_path(to), at, n);
    alm_free(at);
    return alm_test_path(to);
}

static void parts_that_do_not_belong_together_are_refused(void **state) {
    (void)state;
    alm_error err = {0};
    alm_gguf *g;
    copied("small-00001-of-00003.gguf", "a-00001-of-00003.gguf");
    const char *second = copied("small-00002-of-00003.gguf", "a-00002-of-00003.gguf");
    CHECK_STATUS(alm_gguf_open(&g, second, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "missing_part");
    copied("small-00002-of-00003.gguf", "a-00003-of-00003.gguf");
    CHECK_STATUS(alm_gguf_open(&g, alm_test_path("a-00001-of-00003.gguf"), &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "part 3 of 3");
    CHECK_STATUS(alm_gguf_open(&g, copied("small-00001-of-00003.gguf", "alone.gguf"), &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.hint, "NAME-00001-of-00003.gguf");
    CHECK_STATUS(alm_gguf_open(&g, copied("small-00001-of-00003.gguf", "a-00001-of-00004.gguf"), &err), ALM_NOT_FOUND,
                 &err);
}

static alm_status open_split(void *arg) {
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_open(&g, arg, NULL);
    if (st == ALM_OK) alm_gguf_close(g);
    return st;
}

static void parts_without_memory_leak_nothing(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_source("tests/data/gguf/split/small-00002-of-00003.gguf"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_split, path) > 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read_again),
    cmocka_unit_test(a_file_copied_value_by_value_is_the_same_file),
    cmocka_unit_test(a_wrong_call_of_the_writer_is_reported_by_save),
    cmocka_unit_test(a_full_disk_is_an_error_of_save),
    cmocka_unit_test(counts_beyond_the_file_are_refused_before_memory_is_asked_for),
    cmocka_unit_test(another_version_and_byte_order_are_refused_with_the_reason),
    cmocka_unit_test(every_cut_of_a_file_is_refused),
    cmocka_unit_test(bytes_behind_the_last_tensor_are_counted),
    cmocka_unit_test(no_allocation_failure_leaks_or_leaves_a_file_half_there),
    cmocka_unit_test(the_list_of_formats_finds_gguf_by_its_first_bytes),
    cmocka_unit_test(hostile_files_get_their_verdict),
    cmocka_unit_test(parts_of_a_split_file_open_as_one_whichever_is_named),
    cmocka_unit_test(parts_that_do_not_belong_together_are_refused),
    cmocka_unit_test(parts_without_memory_leak_nothing),
};
ALM_TEST_MAIN(tests)
