/* SPDX-License-Identifier: Apache-2.0
 *
 * test_torch.c - PyTorch's files hold what PyTorch says they hold; those that would run something are refused. */
#include "alm_hostile.h"
#include "format/format.h"
#include "format/torch.h"
#include "proof/digest.h"

static void is_as_expected(const alm_torch *t, const alm_json *expected, const char *file) {
    size_t n = 0;
    for (const alm_json *c = alm_json_first(expected); c; c = alm_json_next(expected, c), n++) {
        const alm_safetensors_tensor *x = alm_torch_find(t, c->text);
        CHECK(x, "%s: %.*s is not found", file, ALM_ARG(c->text));
        CHECK_STR(alm_json_get(c + 1, "dtype")->text, alm_safetensors_type_name(x->type));
        const alm_json *shape = alm_json_get(c + 1, "shape");
        uint32_t k = 0;
        int64_t d;
        CHECK_INT(shape->n, x->n_dims);
        for (const alm_json *v = alm_json_first(shape); v; v = alm_json_next(shape, v), k++)
            CHECK(alm_json_i64(v, &d) && (uint64_t)d == x->dim[k], "%s: %.*s", file, ALM_ARG(c->text));
        alm_digest digest;
        char hex[ALM_DIGEST_HEX_BYTES];
        alm_error err = {0};
        CHECK_OK(alm_digest_of(&digest, x->at, x->n_bytes, &err), &err);
        CHECK_STR(alm_json_get(c + 1, "sha256")->text, alm_digest_hex(hex, &digest));
    }
    CHECK_INT(alm_torch_tensor_count(t), n);
}

static void compare(const char *folder, const char *file, const alm_json *expected) {
    alm_torch *t = NULL;
    alm_error err = {0};
    CHECK_OK(alm_torch_open(&t, alm_test_join(folder, file), &err), &err);
    is_as_expected(t, expected, file);
    alm_torch_close(t);
}

static void files_hold_what_pytorch_says(void **state) {
    (void)state;
    char root[PATH_MAX];
    alm_json_doc doc = {0};
    alm_error err = {0};
    size_t n, n_seen = 0;
    snprintf(root, sizeof root, "%s", alm_test_source("tests/data/torch"));
    char *text = alm_test_slurp(alm_test_join(root, "expected.json"), &n);
    CHECK_OK(alm_json_parse(&doc, text, n, NULL, NULL, &err), &err);
    for (const alm_json *c = alm_json_first(doc.node); c; c = alm_json_next(doc.node, c)) {
        char file[100];
        snprintf(file, sizeof file, "%.*s", ALM_ARG(c->text));
        if (strcmp(file, "sharded") == 0) continue; /* test_tensors.c */
        compare(root, file, c + 1);
        n_seen++;
    }
    CHECK_INT(n_seen, 4);
    alm_json_doc_free(&doc);
    alm_free(text);
}

static void the_shared_golden_files_agree(void **state) {
    (void)state;
    if (!alm_test_shared("oracles/formats/expected.json")) {
        print_message("the shared golden files are not here\n");
        skip();
    }
    char root[PATH_MAX];
    alm_json_doc doc = {0};
    alm_error err = {0};
    size_t n;
    alm_torch *t = NULL;
    snprintf(root, sizeof root, "%s", alm_test_shared("oracles/formats"));
    char *text = alm_test_slurp(alm_test_join(root, "expected.json"), &n);
    CHECK_OK(alm_json_parse(&doc, text, n, NULL, NULL, &err), &err);
    compare(root, "state_dict.zip.pt", alm_json_get(alm_json_get(doc.node, "state_dict.zip.pt"), "tensors"));
    CHECK_STATUS(alm_torch_open(&t, alm_test_join(root, "malicious.pt"), &err), ALM_REFUSED, &err);
    CHECK_HOLDS(err.text, "unsafe_code");
    CHECK_HOLDS(err.text, "posix.system");
    alm_json_doc_free(&doc);
    alm_free(text);
}

/* -- hostile ------------------------------------------------------------------------------------------------------------ */

static alm_status judge(const char *path, alm_error *err) {
    alm_torch *t = NULL;
    alm_status st = alm_torch_open(&t, path, err);
    alm_torch_close(t);
    return st;
}

static void hostile_files_get_their_verdict(void **state) {
    (void)state;
    CHECK(alm_hostile_judge("pytorch", judge) >= 33);
    CHECK(alm_hostile_judge("pickle", judge) >= 42);
    CHECK(!alm_file_exists("hostile_payload_ran"));
}

static alm_status parse(const char *at, size_t n, alm_error *err) {
    alm_torch *t = NULL;
    alm_status st = alm_torch_parse(&t, "test", (alm_str){at, n}, err);
    alm_torch_close(t);
    return st;
}

static void no_cut_of_a_file_opens(void **state) {
    (void)state;
    static const char *const files[] = {"tests/data/torch/nested_checkpoint.pt", "tests/data/torch/nested_legacy.pt"};
    for (size_t f = 0; f < 2; f++) {
        size_t n;
        char *whole = alm_test_slurp(alm_test_source(files[f]), &n);
        /* a pickle in front of the rest is one by itself, so a cut behind the magic is another file, and a good one */
        for (size_t cut = 0; cut < n; cut += cut < 400 ? 1 : 37) {
            char *at = alm_alloc(cut); /* of its own size, so that a read behind the end is seen */
            memcpy(at, whole, cut);
            alm_status st = parse(at, cut, NULL);
            CHECK(st != ALM_OK && st != ALM_NO_MEMORY, "%s, the first %zu bytes", files[f], cut);
            alm_free(at);
        }
        whole = alm_realloc(whole, n + 1);
        whole[n] = 0;
        CHECK(parse(whole, n + 1, NULL) != ALM_OK);
        alm_free(whole);
    }
}

static alm_status open_it(void *arg) { return judge(arg, NULL); }

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_source("tests/data/torch/nested_checkpoint.pt"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_it, path) > 8);
    snprintf(path, sizeof path, "%s", alm_test_source("tests/data/torch/nested_legacy.pt"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_it, path) > 8);
}

static void the_list_of_formats_finds_it_by_its_first_bytes(void **state) {
    (void)state;
    CHECK(alm_format_probe(ALM_STR("PK\3\4............")) == &alm_format_torch);
    CHECK(alm_format_probe(ALM_STR("\x80\2\x8a\nl\xfc\x9c")) == &alm_format_torch);
    CHECK(alm_format_probe(ALM_STR("GGUF\3")) == &alm_format_gguf);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(files_hold_what_pytorch_says),
    cmocka_unit_test(the_shared_golden_files_agree),
    cmocka_unit_test(hostile_files_get_their_verdict),
    cmocka_unit_test(no_cut_of_a_file_opens),
    cmocka_unit_test(no_allocation_failure_leaks),
    cmocka_unit_test(the_list_of_formats_finds_it_by_its_first_bytes),
};
ALM_TEST_MAIN(tests)
