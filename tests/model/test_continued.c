/* SPDX-License-Identifier: Apache-2.0
 *
 * test_continued.c - every family computes the same bits whether a sequence comes whole or is continued from its keys and
 * values, wherever it is cut, alone or beside another sequence. */
#include "alm_models.h"
#include "tensor/kv.h"

static const char *const folders[] = {"llama3", "mistral-swa", "qwen2-yarn", "phi4-mini-longrope",
                                      "qwen3",  "gemma2",      "gemma3",     "phi3-mini"};
static const char *const own_folders[] = {"olmo2", "granite", "llama-bias", "qwen3moe-dense"};
enum { N = 60, OTHER = 7 };

/* The logits of ids, in steps that end at these places, each step beside a short other document; context: of the session. */
static float *continued(alm_model *m, alm_compute *c, const uint32_t *ids, const size_t *ends, size_t context) {
    size_t n_vocab = alm_model_config(m)->n_vocab, from = 0;
    float *out = alm_calloc(N * n_vocab, sizeof *out), *step = alm_calloc((N + OTHER) * n_vocab, sizeof *step);
    alm_error err = {0};
    alm_kv *kv = NULL;
    alm_tape *t;
    CHECK_OK(alm_kv_new(&kv, &err), &err);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    for (size_t i = 0; from < N; i++) {
        size_t n = ends[i] - from;
        uint32_t id[N + OTHER];
        const uint32_t start[3] = {0, (uint32_t)n, (uint32_t)(n + OTHER)}, position[2] = {(uint32_t)from, 0};
        alm_kv *const kvs[2] = {kv, NULL};
        for (size_t k = 0; k < n; k++) id[k] = ids[from + k];
        for (size_t k = 0; k < OTHER; k++) id[n + k] = ids[k * 3];
        const alm_rows rows = {
            .n = n + OTHER, .n_docs = 2, .id = id, .start = start, .position = position, .kv = kvs, .context = context};
        CHECK_OK(alm_model_logits(m, t, &rows, step, &err), &err);
        memcpy(out + from * n_vocab, step, n * n_vocab * sizeof *out);
        alm_tape_reset(t);
        from = ends[i];
    }
    alm_tape_free(t);
    alm_kv_free(kv);
    alm_free(step);
    return out;
}

static void check_cuts(const char *name, const char *path) {
    static const size_t cuts[][5] = {{N}, {1, N}, {59, N}, {7, 8, 9, 31, N}, {20, 40, N}};
    alm_model *m;
    alm_compute *c;
    alm_error err = {0};
    uint32_t ids[N];
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    size_t n_vocab = alm_model_config(m)->n_vocab;
    for (uint32_t i = 0; i < N; i++) ids[i] = (uint32_t)((i * 7 + i * i * 13 + 3) % n_vocab);
    float *whole = alm_models_logits(m, c, ids, N);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        float *cut = continued(m, c, ids, cuts[i], N);
        CHECK(memcmp(whole, cut, N * n_vocab * sizeof *cut) == 0, "%s: other bits when cut at %zu", name, cuts[i][0]);
        alm_free(cut);
    }
    alm_free(whole);
    alm_compute_free(c);
    alm_model_free(m);
}

static void a_sequence_that_is_cut_and_continued_has_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "oracles/models/%s", folders[i]);
        const char *found = alm_models_path(folders[i], path);
        if (!found) {
            print_message("%s: skipped, the shared folder is not here\n", folders[i]);
            continue;
        }
        snprintf(path, sizeof path, "%s", found);
        check_cuts(folders[i], path);
    }
    for (size_t i = 0; i < sizeof own_folders / sizeof *own_folders; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", alm_test_source("tests/golden/models"), own_folders[i]);
        check_cuts(own_folders[i], path);
    }
}

/* longrope: 30 tokens of a session for 30 turn by the short divisors, of one for 60 by the long ones (the original context is
 * 48), from its first step on. */
static void the_context_of_a_session_chooses_the_divisors_of_longrope(void **state) {
    (void)state;
    const char *path = alm_models_path("phi4-mini-longrope", NULL);
    alm_model *m;
    alm_compute *c;
    alm_error err = {0};
    uint32_t ids[N];
    static const size_t whole[1] = {N}, parts[3] = {10, 30, N};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    size_t n_vocab = alm_model_config(m)->n_vocab;
    for (uint32_t i = 0; i < N; i++) ids[i] = (uint32_t)((i * 11 + 5) % n_vocab);
    float *long_one = continued(m, c, ids, whole, N), *in_parts = continued(m, c, ids, parts, N),
          *short_one = alm_models_logits(m, c, ids, 30);
    CHECK(memcmp(long_one, in_parts, N * n_vocab * sizeof *long_one) == 0);
    CHECK(alm_models_distance(long_one, short_one, 30 * n_vocab) > 1e-2);
    alm_free(long_one);
    alm_free(in_parts);
    alm_free(short_one);
    alm_compute_free(c);
    alm_model_free(m);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_sequence_that_is_cut_and_continued_has_the_same_bits),
    cmocka_unit_test(the_context_of_a_session_chooses_the_divisors_of_longrope),
};
ALM_TEST_MAIN(tests)
