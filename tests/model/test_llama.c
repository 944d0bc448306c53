/* SPDX-License-Identifier: Apache-2.0
 *
 * test_llama.c - logits of tiny models equal those of other programs; the same bits whoever computes them. */
#include "alm_models.h"
#include "dtype/dtype.h"
#include "proof/digest.h"
#include "tensor/kernel/kernels.h"

/* f32 in another order of sums is off by 4e-6 to 2e-5 at these models (the file's own comparison with doubles). */
static const double bound = 1e-4;

static alm_compute *compute(alm_pool *pool) {
    alm_compute *c;
    alm_error err = {0};
    CHECK_OK(alm_compute_new(&c, pool, &err), &err);
    return c;
}

static alm_model *opened(const char *path) {
    alm_model *m;
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    return m;
}

typedef struct expectation {
    alm_json_doc doc;
    char *text;
    uint32_t *tokens, *long_tokens, *greedy;
    size_t n_tokens, n_long, n_greedy;
} expectation;

static expectation expected_of(const char *folder) {
    expectation e = {0};
    alm_error err = {0};
    size_t n;
    e.text = alm_test_slurp(alm_test_join(folder, "expected.json"), &n);
    CHECK_OK(alm_json_parse(&e.doc, e.text, n, NULL, NULL, &err), &err);
    e.tokens = alm_models_ids(alm_json_get(e.doc.node, "tokens"), &e.n_tokens);
    e.long_tokens = alm_models_ids(alm_json_get(e.doc.node, "long_tokens"), &e.n_long);
    e.greedy = alm_models_ids(alm_json_get(e.doc.node, "greedy"), &e.n_greedy);
    return e;
}

static void expectation_free(expectation *e) {
    alm_json_doc_free(&e->doc);
    alm_free(e->text);
    alm_free(e->tokens);
    alm_free(e->long_tokens);
    alm_free(e->greedy);
}

/* Both sequences of a model against its expected.safetensors. */
static void check_model(const char *what, alm_model *m, const char *folder) {
    alm_compute *c = compute(NULL);
    char place[PATH_MAX];
    snprintf(place, sizeof place, "%s", folder);
    expectation e = expected_of(place);
    alm_safetensors *s = alm_models_open_expected(alm_test_join(place, "expected.safetensors"));
    size_t n, n_vocab = alm_model_config(m)->n_vocab;
    const float *want = alm_models_floats(s, "logits", &n);
    CHECK_INT(n, e.n_tokens * n_vocab);
    float *logits = alm_models_logits(m, c, e.tokens, e.n_tokens);
    double off = alm_models_distance(logits, want, n);
    alm_free(logits);
    want = alm_models_floats(s, "long_logits_last4", &n);
    CHECK_INT(n, 4 * n_vocab);
    logits = alm_models_logits(m, c, e.long_tokens, e.n_long);
    double off_long = alm_models_distance(logits + (e.n_long - 4) * n_vocab, want, n);
    alm_free(logits);
    print_message("%s: logits off by %.2g, of %zu tokens by %.2g\n", what, off, e.n_long, off_long);
    CHECK(off <= bound && off_long <= bound, "%s: off by %g, %g", what, off, off_long);
    alm_safetensors_close(s);
    expectation_free(&e);
    alm_compute_free(c);
}

static void logits_of_hugging_face_folders_equal_the_reference(void **state) {
    (void)state;
    static const char *const names[] = {"llama3", "llama32-tied", "llama2", "llama3-k256"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char shared[100];
        snprintf(shared, sizeof shared, "oracles/models/%s", names[i]);
        const char *folder = alm_models_path(names[i], shared);
        if (!folder) {
            print_message("%s: skipped, the shared folder is not here\n", names[i]);
            continue;
        }
        alm_model *m = opened(folder);
        check_model(names[i], m, folder);
        alm_model_free(m);
    }
}

/* F32 files hold the weights of the folder of that name. */
static void logits_of_f32_gguf_files_equal_the_reference(void **state) {
    (void)state;
    static const char *const names[] = {"llama32-tied", "llama3", "llama2", "mistral-v3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char ours[100], shared[100], shared_folder[100];
        snprintf(ours, sizeof ours, "gguf/%s-f32.gguf", names[i]);
        snprintf(shared, sizeof shared, "oracles/gguf/%s-f32.gguf", names[i]);
        snprintf(shared_folder, sizeof shared_folder, "oracles/models/%s", names[i]);
        const char *file = alm_models_path(ours, shared), *folder = alm_models_path(names[i], shared_folder);
        if (!file || !folder) {
            print_message("%s: skipped, the shared folder is not here\n", ours);
            continue;
        }
        alm_model *m = opened(file);
        check_model(ours, m, folder);
        alm_model_free(m);
    }
}

static void logits_of_f16_bf16_and_q8_0_files_equal_those_of_their_decoded_weights(void **state) {
    (void)state;
    static const char *const names[] = {"llama3-f16", "llama3-bf16", "llama3-q8_0", "llama3-k256-f16"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char ours[100], shared[100], key[100], model[100], shared_model[120];
        bool k256 = strstr(names[i], "k256") != NULL;
        snprintf(ours, sizeof ours, "gguf/%s.gguf", names[i]);
        snprintf(shared, sizeof shared, "oracles/gguf/%s.gguf", names[i]);
        snprintf(key, sizeof key, "%s.dequant_f32", names[i]);
        snprintf(model, sizeof model, k256 ? "llama3-k256" : "llama3");
        snprintf(shared_model, sizeof shared_model, "oracles/models/%s", model);
        const char *file = alm_models_path(ours, shared), *folder = alm_models_path(model, shared_model),
                   *truth = k256 ? alm_test_shared("oracles/gguf/expected-quantised.safetensors")
                                 : alm_models_path("gguf/expected.safetensors", NULL);
        if (!file || !folder || !truth) {
            print_message("%s: skipped, the shared folder is not here\n", ours);
            continue;
        }
        alm_safetensors *s = alm_models_open_expected(truth);
        expectation e = expected_of(folder);
        alm_model *m = opened(file);
        alm_compute *c = compute(NULL);
        size_t n;
        const float *want = alm_models_floats(s, key, &n);
        CHECK_INT(n, e.n_tokens * alm_model_config(m)->n_vocab);
        float *logits = alm_models_logits(m, c, e.tokens, e.n_tokens);
        double off = alm_models_distance(logits, want, n);
        print_message("%s: logits off by %.2g\n", ours, off);
        CHECK(off <= bound, "%s: off by %g", ours, off);
        alm_free(logits);
        alm_compute_free(c);
        alm_model_free(m);
        expectation_free(&e);
        alm_safetensors_close(s);
    }
}

static void the_likeliest_continuation_is_that_of_the_reference(void **state) {
    (void)state;
    const char *folder = alm_models_path("llama3", NULL);
    alm_model *m = opened(folder);
    alm_compute *c = compute(NULL);
    expectation e = expected_of(folder);
    size_t n_vocab = alm_model_config(m)->n_vocab, n = e.n_tokens;
    uint32_t ids[64];
    memcpy(ids, e.tokens, n * sizeof *ids);
    for (size_t i = 0; i < e.n_greedy; i++) {
        float *logits = alm_models_logits(m, c, ids, n), *last = logits + (n - 1) * n_vocab;
        uint32_t best = 0;
        for (uint32_t k = 1; k < n_vocab; k++)
            if (last[k] > last[best]) best = k;
        CHECK(best == e.greedy[i], "token %zu is %u, not %u", i, best, e.greedy[i]);
        ids[n++] = best;
        alm_free(logits);
    }
    expectation_free(&e);
    alm_compute_free(c);
    alm_model_free(m);
}

/* -- one digest ---------------------------------------------------------------------------------------------------------- */

enum { N_DOCS = 3 };

/* All logits of the documents, alone or as neighbours in one batch, in the order of the documents. */
static alm_digest digest_of(alm_model *m, alm_compute *c, const alm_rows *docs, bool together) {
    size_t n_vocab = alm_model_config(m)->n_vocab;
    alm_digest out;
    alm_error err = {0};
    float *all = NULL;
    if (together) {
        alm_tape *t;
        all = alm_calloc(docs->n * n_vocab, sizeof *all);
        CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
        CHECK_OK(alm_model_logits(m, t, docs, all, &err), &err);
        alm_tape_free(t);
    } else {
        all = alm_calloc(docs->n * n_vocab, sizeof *all);
        for (size_t d = 0; d < docs->n_docs; d++) {
            size_t from = docs->start[d], n = docs->start[d + 1] - from;
            float *logits = alm_models_logits(m, c, docs->id + from, n);
            memcpy(all + from * n_vocab, logits, n * n_vocab * sizeof *all);
            alm_free(logits);
        }
    }
    CHECK_OK(alm_digest_of(&out, all, docs->n * n_vocab * sizeof *all, &err), &err);
    alm_free(all);
    return out;
}

static void one_digest_for_every_thread_count_instruction_set_and_neighbour(void **state) {
    (void)state;
    static const unsigned threads[] = {1, 2, 3, 7};
    static const char *const files[] = {"llama3", "gguf/llama3-bf16.gguf", "gguf/llama3-q8_0.gguf"};
    alm_error err = {0};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        alm_model *m = opened(alm_models_path(files[f], NULL));
        uint32_t ids[128];
        const uint32_t start[N_DOCS + 1] = {0, 61, 62, 128};
        for (uint32_t i = 0; i < 128; i++) ids[i] = (i * 7 + i * i * 13) % 384;
        const alm_rows docs = {128, N_DOCS, ids, start};
        alm_digest first = {{0}};
        size_t n_seen = 0;
        for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
            if (!alm_kernels_can(*k)) {
                print_message("%s: skipped, this machine cannot do that\n", (*k)->isa);
                continue;
            }
            for (size_t i = 0; i < 4; i++) {
                alm_pool *pool;
                alm_compute *c;
                CHECK_OK(alm_pool_new(&pool, threads[i], &err), &err);
                CHECK_OK(alm_compute_new_isa(&c, (*k)->isa, pool, &err), &err);
                for (int packed = 0; packed < 2; packed++) {
                    if (packed) CHECK_OK(alm_model_pack(m, c, &err), &err);
                    for (int together = 0; together < 2; together++) {
                        alm_digest d = digest_of(m, c, &docs, together != 0);
                        if (!n_seen++) first = d;
                        CHECK(memcmp(&d, &first, sizeof d) == 0, "%s, %u threads, %s, %s: another digest", (*k)->isa,
                              threads[i], together ? "together" : "alone", packed ? "packed" : "as it lies");
                    }
                }
                for (size_t w = 0; w < alm_model_weight_count(m); w++) alm_weight_unpack(alm_model_weight(m, w));
                alm_compute_free(c);
                alm_pool_free(pool);
            }
        }
        CHECK(n_seen >= 32, "only %zu ways to compute", n_seen);
        alm_model_free(m);
    }
}

static void a_token_or_a_document_beyond_the_model_is_refused(void **state) {
    (void)state;
    alm_model *m = opened(alm_models_path("llama3", NULL));
    alm_compute *c = compute(NULL);
    alm_tape *t;
    alm_error err = {0};
    static uint32_t ids[129];
    static float logits[129 * 384];
    uint32_t start[2] = {0, 129};
    alm_rows rows = {129, 1, ids, start};
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    CHECK_STATUS(alm_model_logits(m, t, &rows, logits, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "128");
    rows.n = start[1] = 2;
    ids[1] = 384;
    CHECK_STATUS(alm_model_logits(m, t, &rows, logits, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "token 384 at place 1");
    alm_tape_free(t);
    alm_compute_free(c);
    alm_model_free(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(logits_of_hugging_face_folders_equal_the_reference),
    cmocka_unit_test(logits_of_f32_gguf_files_equal_the_reference),
    cmocka_unit_test(logits_of_f16_bf16_and_q8_0_files_equal_those_of_their_decoded_weights),
    cmocka_unit_test(the_likeliest_continuation_is_that_of_the_reference),
    cmocka_unit_test(one_digest_for_every_thread_count_instruction_set_and_neighbour),
    cmocka_unit_test(a_token_or_a_document_beyond_the_model_is_refused),
};
ALM_TEST_MAIN(tests)
