/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tensors.c - one list over GGUF, safetensors and PyTorch: the same tensors are found whatever the container. */
#include "alm_test.h"
#include "base/json.h"
#include "format/tensors.h"
#include "proof/digest.h"

static alm_tensors *open_it(const char *path) {
    alm_tensors *t = NULL;
    alm_error err = {0};
    CHECK_OK(alm_tensors_open(&t, path, &err), &err);
    for (size_t i = 0; i < alm_tensors_count(t); i++) {
        const alm_tensor_entry *e = alm_tensors_at(t, i);
        CHECK(alm_tensors_find(t, e->name) == e, "%.*s", ALM_ARG(e->name));
    }
    CHECK(!alm_tensors_find(t, ALM_STR("nothing")));
    return t;
}

static void pytorchs_parts_are_joined(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    alm_error err = {0};
    size_t n;
    char *text = alm_test_slurp(alm_test_source("tests/data/torch/expected.json"), &n);
    CHECK_OK(alm_json_parse(&doc, text, n, NULL, NULL, &err), &err);
    alm_tensors *t = open_it(alm_test_source("tests/data/torch/sharded"));
    const alm_json *expected = alm_json_get(doc.node, "sharded");
    CHECK(alm_tensors_format(t) == &alm_format_torch && !alm_tensors_gguf(t) && !alm_tensors_safetensors(t));
    CHECK_INT(alm_tensors_count(t), expected->n);
    for (const alm_json *c = alm_json_first(expected); c; c = alm_json_next(expected, c)) {
        const alm_tensor_entry *e = alm_tensors_find(t, c->text);
        CHECK(e && e->type == 30, "%.*s", ALM_ARG(c->text));
        alm_digest digest;
        char hex[ALM_DIGEST_HEX_BYTES];
        CHECK_OK(alm_digest_of(&digest, e->at, e->n_bytes, &err), &err);
        CHECK_STR(alm_json_get(c + 1, "sha256")->text, alm_digest_hex(hex, &digest));
    }
    alm_tensors_close(t);
    alm_json_doc_free(&doc);
    alm_free(text);
}

static void an_index_of_pytorch_is_held_to_its_word(void **state) {
    (void)state;
    static const struct {
        const char *map, *class;
    } cases[] = {
        {"\"a\":\"x.bin\"", "missing_part"},
        {"\"a\":\"../x.bin\"", "path_escape"},
        {"\"w\":\"ok.bin\",\"z\":\"ok.bin\"", "missing_tensor"},
        {"\"w\":\"ok.bin\",\"v\":\"two.bin\"", "duplicate"},
    };
    size_t n;
    char *ok = alm_test_slurp(alm_test_source("tests/data/hostile/pytorch/ok.pt"), &n);
    alm_test_write(alm_test_path("ok.bin"), ok, n);
    alm_test_write(alm_test_path("two.bin"), ok, n);
    alm_free(ok);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        alm_tensors *t = NULL;
        alm_error err = {0};
        int bytes = snprintf(text, sizeof text, "{\"weight_map\":{%s}}", cases[i].map);
        alm_test_write(alm_test_path("pytorch_model.bin.index.json"), text, (size_t)bytes);
        CHECK(alm_tensors_open(&t, alm_test_dir(), &err) != ALM_OK, "%s", cases[i].map);
        CHECK_HOLDS(err.text, cases[i].class);
    }
    remove(alm_test_path("pytorch_model.bin.index.json"));
}

static void the_first_bytes_tell_the_container(void **state) {
    (void)state;
    alm_error err = {0};
    alm_tensors *t = open_it(alm_test_source("tests/data/models/gguf/llama3-q8_0.gguf"));
    CHECK(alm_tensors_format(t) == &alm_format_gguf && alm_tensors_gguf(t));
    const alm_tensor_entry *e = alm_tensors_find(t, ALM_STR("blk.0.ffn_down.weight"));
    CHECK(e && e->n_dims == 2 && e->dim[0] < e->dim[1], "the outermost dimension is first");
    CHECK(!alm_tensors_find(t, ALM_STR("a name that is longer than any name that GGUF has room for, so none")));
    alm_tensors *same;
    CHECK_OK(alm_tensors_of_gguf(&same, alm_tensors_gguf(t), &err), &err);
    CHECK_INT(alm_tensors_count(same), alm_tensors_count(t));
    alm_tensors_close(same);
    alm_tensors_close(t);
    t = open_it(alm_test_source("tests/data/models/llama3"));
    CHECK(alm_tensors_format(t) == &alm_format_safetensors && alm_tensors_safetensors(t));
    alm_tensors_close(t);
    CHECK_STATUS(alm_tensors_open(&t, alm_test_dir(), &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.hint, "pytorch_model.bin");
    CHECK_STATUS(alm_tensors_open(&t, alm_test_source("tests/data/hostile/pickle/os-system-p0.pkl"), &err), ALM_REFUSED,
                 &err);
}

static alm_status open_and_close(void *arg) {
    alm_tensors *t = NULL;
    alm_status st = alm_tensors_open(&t, arg, NULL);
    alm_tensors_close(t);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    static const char *const paths[] = {"tests/data/torch/sharded", "tests/data/models/llama3",
                                        "tests/data/hostile/gguf/ok-two.gguf"};
    for (size_t i = 0; i < 3; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s", alm_test_source(paths[i]));
        CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_and_close, path) > 3);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pytorchs_parts_are_joined),
    cmocka_unit_test(an_index_of_pytorch_is_held_to_its_word),
    cmocka_unit_test(the_first_bytes_tell_the_container),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
