/* SPDX-License-Identifier: Apache-2.0
 *
 * test_safetensors.c - the container: written and read, cut, lied about, in parts. */
#include "alm_hostile.h"
#include "format/format.h"
#include "format/npy.h"
#include "format/safetensors.h"

static const float weights[6] = {0, 1, -2, 0.5F, 3e38F, -0.0F};
static const unsigned short halves[4] = {0x3C00, 0x8000, 0x7BFF, 1};

static void fill(alm_safetensors_writer *w) {
    alm_safetensors_set_meta(w, "format", ALM_STR("pt"));
    alm_safetensors_set_meta(w, "a \"quoted\" key", ALM_STR("and\na line"));
    alm_safetensors_add(w, "half", ALM_SAFETENSORS_F16, 2, (const uint64_t[]){2, 2}, halves);
    alm_safetensors_add(w, "none", ALM_SAFETENSORS_F64, 2, (const uint64_t[]){3, 0}, NULL);
    alm_safetensors_add(w, "weights", ALM_SAFETENSORS_F32, 2, (const uint64_t[]){2, 3}, weights);
    alm_safetensors_add(w, "one", ALM_SAFETENSORS_U8, 0, NULL, "\x2A");
}

static alm_status make(alm_buf *out, alm_error *err) {
    alm_safetensors_writer *w = NULL;
    alm_status st = alm_safetensors_writer_new(&w, err);
    if (st == ALM_OK) fill(w), st = alm_safetensors_writer_bytes(w, out, err);
    alm_safetensors_writer_free(w);
    return st;
}

static alm_status parse(const char *bytes, size_t n, alm_error *err) {
    alm_safetensors *s = NULL;
    alm_status st = alm_safetensors_parse(&s, "test", (alm_str){bytes, n}, err);
    alm_safetensors_close(s);
    return st;
}

/* A file of this head and so many bytes of data. */
static void refused(const char *head, size_t n_data, const char *class) {
    alm_buf b = alm_buf_with_limit(1 << 20);
    alm_error err = {0};
    alm_buf_add_le64(&b, strlen(head));
    alm_buf_add_text(&b, head);
    for (size_t i = 0; i < n_data; i++) alm_buf_add_byte(&b, 0);
    CHECK_STATUS(parse(b.at, b.n, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, class);
    CHECK_HOLDS(err.text, "test: ");
    alm_buf_free(&b);
}

static void what_is_written_is_read_again(void **state) {
    (void)state;
    alm_error err = {0};
    alm_safetensors_writer *w;
    alm_safetensors *s;
    const char *path = alm_test_path("a.safetensors");
    CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
    fill(w);
    CHECK_OK(alm_safetensors_writer_save(w, path, &err), &err);
    alm_safetensors_writer_free(w);
    CHECK_OK(alm_safetensors_open(&s, path, &err), &err);
    CHECK_INT(alm_safetensors_tensor_count(s), 4);
    CHECK_STR(alm_safetensors_meta(s, "format"), "pt");
    CHECK_STR(alm_safetensors_meta(s, "a \"quoted\" key"), "and\na line");
    CHECK(!alm_safetensors_meta(s, "nothing").at);
    const alm_safetensors_tensor *t = alm_safetensors_find(s, "weights");
    CHECK(t && t->type == ALM_SAFETENSORS_F32 && t->n_dims == 2 && t->dim[0] == 2 && t->dim[1] == 3 && t->n_items == 6);
    CHECK(t->n_bytes == sizeof weights && memcmp(t->at, weights, sizeof weights) == 0);
    CHECK((uintptr_t)t->at % 4 == 0, "a tensor is aligned to its items");
    t = alm_safetensors_find(s, "half");
    CHECK(t && t->n_bytes == sizeof halves && memcmp(t->at, halves, sizeof halves) == 0);
    t = alm_safetensors_find(s, "one");
    CHECK(t && t->n_dims == 0 && t->n_items == 1 && *t->at == 42);
    t = alm_safetensors_find(s, "none");
    CHECK(t && t->n_items == 0 && t->n_bytes == 0);
    CHECK(!alm_safetensors_find(s, "other"));
    alm_safetensors_close(s);
}

static void the_same_calls_give_the_same_bytes(void **state) {
    (void)state;
    alm_buf a = alm_buf_with_limit(1 << 20), b = a;
    alm_error err = {0};
    CHECK_OK(make(&a, &err), &err);
    CHECK_OK(make(&b, &err), &err);
    CHECK(alm_str_eq(alm_buf_str(&a), alm_buf_str(&b)));
    alm_buf_free(&a);
    alm_buf_free(&b);
}

static void every_cut_of_a_file_is_refused(void **state) {
    (void)state;
    alm_buf whole = alm_buf_with_limit(1 << 20);
    alm_error err = {0};
    CHECK_OK(make(&whole, &err), &err);
    for (size_t n = 0; n < whole.n; n++) {
        char *cut = alm_alloc(n); /* of its own size, so that a read behind the end is seen */
        memcpy(cut, whole.at, n);
        CHECK_STATUS(parse(cut, n, &err), ALM_MALFORMED, &err);
        alm_free(cut);
    }
    alm_buf_add_byte(&whole, 0);
    CHECK_STATUS(parse(whole.at, whole.n, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "trailing_data");
    alm_buf_free(&whole);
}

#define TENSOR(name, type, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void a_head_that_lies_is_refused_by_class(void **state) {
    (void)state;
    refused("{" TENSOR("a", "F32", "[2]", "0", "8") "}", 7, "bad_offset");
    refused("{" TENSOR("a", "F32", "[2]", "0", "8") "}", 9, "trailing_data");
    refused("{" TENSOR("a", "F32", "[1]", "4", "8") "}", 8, "bad_offset");
    refused("{" TENSOR("a", "F32", "[2]", "0", "8") "," TENSOR("b", "F32", "[1]", "4", "8") "}", 8, "overlap");
    refused("{" TENSOR("a", "F32", "[1]", "0", "4") "," TENSOR("b", "F32", "[1]", "0", "4") "}", 4, "overlap");
    refused("{" TENSOR("a", "F32", "[1]", "0", "4") "," TENSOR("\\u0061", "F32", "[1]", "4", "8") "}", 8, "duplicate");
    refused("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "duplicate");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "bad_header");
    refused("{" TENSOR("a", "F33", "[1]", "0", "4") "}", 4, "bad_type");
    refused("{" TENSOR("a", "F32", "[3]", "0", "4") "}", 4, "bad_shape");
    refused("{" TENSOR("a", "F32", "[1.0]", "0", "4") "}", 4, "bad_shape");
    refused("{" TENSOR("a", "F32", "[-1]", "0", "4") "}", 4, "bad_shape");
    refused("{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, "bad_shape");
    refused("{" TENSOR("a", "F4", "[3]", "0", "1") "}", 1, "bad_shape");
    refused("{" TENSOR("a", "F32", "[4294967296,4294967296]", "0", "0") "}", 0, "overflow");
    refused("{" TENSOR("a", "F32", "[1]", "4", "0") "}", 4, "bad_offset");
    refused("{" TENSOR("a", "F32", "[1]", "0", "4e0") "}", 4, "bad_offset");
    refused("{" TENSOR("a", "F32", "[1]", "0", "99999999999999999999") "}", 4, "bad_offset");
    refused("{" TENSOR("", "F32", "[1]", "0", "4") "}", 4, "bad_string");
    refused("{\"__metadata__\":{\"a\":1}}", 0, "bad_header");
    refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate");
    refused("{\"a\":[]}", 0, "bad_header");
    refused("{}x", 0, "bad_header");
}

static void a_wrong_call_of_the_writer_is_reported_by_save(void **state) {
    (void)state;
    alm_error err = {0};
    alm_buf out = alm_buf_with_limit(1 << 20);
    for (int i = 0; i < 4; i++) {
        alm_safetensors_writer *w;
        const uint64_t dim[2] = {2, i == 1 ? UINT64_MAX : 3};
        CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
        alm_safetensors_add(w, i == 2 ? "__metadata__" : "a", ALM_SAFETENSORS_F32, 2, dim, weights);
        if (i == 0) alm_safetensors_add(w, "a", ALM_SAFETENSORS_F32, 2, dim, weights);
        if (i == 3) alm_safetensors_set_meta(w, "k", ALM_STR("\xFF"));
        CHECK_STATUS(alm_safetensors_writer_bytes(w, &out, &err), ALM_INVALID, &err);
        alm_safetensors_writer_free(w);
    }
    alm_buf_free(&out);
}

/* -- parts ------------------------------------------------------------------------------------------------------------ */

static const char *folder(void) {
    static char place[PATH_MAX];
    alm_error err = {0};
    snprintf(place, sizeof place, "%s", alm_test_path("parts"));
    CHECK_OK(alm_dir_make(place, &err), &err);
    return place;
}

static void write_part(const char *file, const char *tensor) {
    alm_safetensors_writer *w;
    alm_error err = {0};
    CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
    alm_safetensors_add(w, tensor, ALM_SAFETENSORS_F32, 1, (const uint64_t[]){6}, weights);
    CHECK_OK(alm_safetensors_writer_save(w, alm_test_join(folder(), file), &err), &err);
    alm_safetensors_writer_free(w);
}

static alm_status open_parts(const char *weight_map, size_t *n, alm_error *err) {
    char text[600];
    alm_safetensors *s = NULL;
    int bytes = snprintf(text, sizeof text, "{\"metadata\":{\"total_size\":48},\"weight_map\":{%s}}", weight_map);
    alm_test_write(alm_test_join(folder(), "model.safetensors.index.json"), text, (size_t)bytes);
    alm_status st = alm_safetensors_open(&s, folder(), err);
    *n = st == ALM_OK ? alm_safetensors_tensor_count(s) : 0;
    alm_safetensors_close(s);
    return st;
}

static void an_index_joins_files_and_is_held_to_its_word(void **state) {
    (void)state;
    alm_error err = {0};
    size_t n;
    write_part("1.safetensors", "a");
    write_part("2.safetensors", "b");
    write_part("3.safetensors", "a");
    CHECK_OK(open_parts("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"", &n, &err), &err);
    CHECK_INT(n, 2);
    CHECK_STATUS(open_parts("\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"", &n, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "missing_tensor");
    CHECK_STATUS(open_parts("\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"", &n, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "missing_tensor");
    CHECK_STATUS(open_parts("\"a\":\"1.safetensors\",\"x\":\"3.safetensors\"", &n, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "duplicate");
    CHECK_STATUS(open_parts("\"a\":\"9.safetensors\"", &n, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "missing_part");
    CHECK_STATUS(open_parts("\"a\":1", &n, &err), ALM_MALFORMED, &err);
    static const char *const outside[] = {
        "../parts/1.safetensors", "/etc/passwd", "..", ".hidden", "x\\\\y", "a\\u0000"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        char map[100];
        snprintf(map, sizeof map, "\"a\":\"%s\"", outside[i]);
        CHECK_STATUS(open_parts(map, &n, &err), ALM_REFUSED, &err);
        CHECK_HOLDS(err.text, "path_escape");
    }
}

/* -- memory, hostile files ---------------------------------------------------------------------------------------------- */

static alm_status whole_life(void *arg) {
    alm_buf out = alm_buf_with_limit(1 << 20);
    alm_status st = make(&out, NULL);
    if (st == ALM_OK) st = parse(out.at, out.n, NULL);
    alm_buf_free(&out);
    alm_safetensors *s = NULL;
    if (st == ALM_OK) st = alm_safetensors_open(&s, arg, NULL);
    alm_safetensors_close(s);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    alm_error err = {0};
    size_t n;
    write_part("1.safetensors", "a");
    write_part("2.safetensors", "b");
    CHECK_OK(open_parts("\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"", &n, &err), &err);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(whole_life, (void *)(uintptr_t)folder()) > 5);
}

static alm_status judge(const char *path, alm_error *err) {
    alm_safetensors *s = NULL;
    alm_status st = alm_safetensors_open(&s, path, err);
    alm_safetensors_close(s);
    return st;
}

static void hostile_files_get_their_verdict(void **state) {
    (void)state;
    size_t n = alm_hostile_judge("safetensors", judge);
    CHECK(n >= 35, "only %zu cases", n);
}

static void twenty_thousand_empty_tensors_open(void **state) {
    (void)state;
    alm_safetensors_writer *w;
    alm_buf out = alm_buf_with_limit(1 << 26);
    alm_error err = {0};
    CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
    for (int i = 0; i < 20000; i++) {
        char name[20];
        snprintf(name, sizeof name, "t%d", i);
        alm_safetensors_add(w, name, ALM_SAFETENSORS_F32, 1, (const uint64_t[]){0}, NULL);
    }
    CHECK_OK(alm_safetensors_writer_bytes(w, &out, &err), &err);
    CHECK_OK(parse(out.at, out.n, &err), &err);
    alm_safetensors_writer_free(w);
    alm_buf_free(&out);
}

static void the_list_of_formats_finds_it_by_its_first_bytes(void **state) {
    (void)state;
    alm_buf out = alm_buf_with_limit(1 << 20);
    alm_error err = {0};
    CHECK_OK(make(&out, &err), &err);
    CHECK(alm_format_probe((alm_str){out.at, 64}) == &alm_format_safetensors);
    CHECK(alm_format_probe(ALM_STR("{\"json\": true}")) == NULL);
    alm_buf_free(&out);
}

static void an_array_is_written_as_numpy_reads_it(void **state) {
    (void)state;
    alm_error err = {0};
    size_t n;
    const char *path = alm_test_path("a.npy");
    CHECK_OK(alm_npy_write(path, "<f4", 2, (const uint64_t[]){2, 3}, weights, sizeof weights, &err), &err);
    char *bytes = alm_test_slurp(path, &n);
    CHECK(n == 128 + sizeof weights && memcmp(bytes, "\x93NUMPY\x01\x00\x76\x00", 10) == 0);
    CHECK_HOLDS(bytes + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    CHECK(bytes[127] == '\n' && memcmp(bytes + 128, weights, sizeof weights) == 0);
    alm_free(bytes);
    alm_buf head = alm_buf_with_limit(4096);
    CHECK_OK(alm_npy_head(&head, "|u1", 1, (const uint64_t[]){7}, &err), &err);
    CHECK_HOLDS(alm_buf_text(&head) + 10, "'shape': (7,), }");
    alm_buf_clear(&head);
    CHECK_OK(alm_npy_head(&head, "|u1", 0, NULL, &err), &err);
    CHECK_HOLDS(alm_buf_text(&head) + 10, "'shape': (), }");
    alm_buf_free(&head);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read_again),
    cmocka_unit_test(the_same_calls_give_the_same_bytes),
    cmocka_unit_test(every_cut_of_a_file_is_refused),
    cmocka_unit_test(a_head_that_lies_is_refused_by_class),
    cmocka_unit_test(a_wrong_call_of_the_writer_is_reported_by_save),
    cmocka_unit_test(an_index_joins_files_and_is_held_to_its_word),
    cmocka_unit_test(no_allocation_failure_leaks),
    cmocka_unit_test(hostile_files_get_their_verdict),
    cmocka_unit_test(twenty_thousand_empty_tensors_open),
    cmocka_unit_test(the_list_of_formats_finds_it_by_its_first_bytes),
    cmocka_unit_test(an_array_is_written_as_numpy_reads_it),
};
ALM_TEST_MAIN(tests)
