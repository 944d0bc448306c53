/* SPDX-License-Identifier: Apache-2.0
 *
 * test_minilm.c - a real encoder with its real tokenizer: from texts to the vectors that its own package gives. Skipped where
 * ALM_MINILM names no folder (tests/golden/minilm/README.md). */
#include "alm_models.h"
#include "engine/embedding.h"

enum { TEXTS = 8 };

static const double bound = 1e-4;

static void texts_become_the_vectors_of_the_package(void **state) {
    (void)state;
    const char *folder = getenv("ALM_MINILM");
    if (!folder || !*folder) {
        print_message("skipped, ALM_MINILM names no folder\n");
        skip();
    }
    alm_model *m;
    alm_tokenizer *tokenizer;
    alm_pool *pool;
    alm_compute *c;
    alm_json_doc doc = {0};
    alm_error err = {0};
    alm_str text[TEXTS];
    size_t n, i = 0;
    char *golden = alm_test_slurp(alm_test_source("tests/golden/minilm/minilm.json"), &n);
    CHECK_OK(alm_json_parse(&doc, golden, n, NULL, NULL, &err), &err);
    CHECK_OK(alm_model_open(&m, folder, &err), &err);
    CHECK_OK(alm_tokenizer_open(&tokenizer, folder, NULL, &err), &err);
    CHECK_OK(alm_pool_new(&pool, 2, &err), &err);
    CHECK_OK(alm_compute_new(&c, pool, &err), &err);
    CHECK_OK(alm_model_pack(m, c, &err), &err);
    CHECK_INT(alm_model_config(m)->pooling, ALM_POOL_MEAN);
    size_t dim = alm_model_config(m)->hidden;
    const alm_json *items = alm_json_get(doc.node, "items");
    for (const alm_json *v = alm_json_first(items); v && i < TEXTS; v = alm_json_next(items, v))
        text[i++] = alm_json_get(v, "text")->text;
    CHECK_INT(i, items->n);
    float *out = alm_calloc(i * dim, sizeof *out), *alone = alm_calloc(dim, sizeof *alone);
    CHECK_OK(alm_embedding_of(out, m, tokenizer, c, text, i, 256, ALM_POOL_UNSAID, true, &err), &err);
    double most = 0;
    size_t k = 0;
    for (const alm_json *v = alm_json_first(items); v; v = alm_json_next(items, v), k++) {
        const alm_json *vector = alm_json_get(v, "vector");
        CHECK_INT(vector->n, dim);
        size_t d = 0;
        for (const alm_json *x = alm_json_first(vector); x; x = alm_json_next(vector, x), d++) {
            double want;
            CHECK(alm_json_f64(x, &want));
            double off = want - (double)out[k * dim + d];
            if (off < 0) off = -off;
            if (!(off <= most)) most = off;
        }
        CHECK_OK(alm_embedding_of(alone, m, tokenizer, c, &text[k], 1, 256, ALM_POOL_MEAN, true, &err), &err);
        CHECK(memcmp(alone, out + k * dim, dim * sizeof *alone) == 0, "text %zu alone", k);
    }
    print_message("%zu texts, off by %.2g\n", i, most);
    CHECK(most <= bound, "off by %g", most);
    alm_free(out), alm_free(alone);
    alm_compute_free(c);
    alm_pool_free(pool);
    alm_tokenizer_free(tokenizer);
    alm_model_free(m);
    alm_json_doc_free(&doc);
    alm_free(golden);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_become_the_vectors_of_the_package),
};
ALM_TEST_MAIN(tests)
