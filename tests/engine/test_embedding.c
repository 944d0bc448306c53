/* SPDX-License-Identifier: Apache-2.0
 *
 * test_embedding.c - texts as vectors: as the reference pools them, and the same bits whatever lies beside a text and whoever
 * computes. */
#include "alm_models.h"
#include "engine/embedding.h"
#include "tensor/kernel/kernels.h"

#include <math.h>

static const double bound = 1e-4; /* the reference computes in float32 too, in another order */

enum { TEXTS = 4, DIM = 64 };

typedef struct world {
    alm_json_doc doc;
    char *text;
    alm_safetensors *numbers;
    alm_model *m;
    uint32_t id[200], start[TEXTS + 1];
} world;

static bool open_world(world *w) {
    size_t n, at = 0;
    alm_error err = {0};
    memset(w, 0, sizeof *w);
    const char *path = alm_test_shared("oracles/models/bert-embed");
    if (!path) return false;
    CHECK_OK(alm_model_open(&w->m, path, &err), &err);
    w->text = alm_test_slurp(alm_test_join(alm_test_shared("oracles/models/bert-embed"), "expected.json"), &n);
    CHECK_OK(alm_json_parse(&w->doc, w->text, n, NULL, NULL, &err), &err);
    w->numbers = alm_models_open_expected(alm_test_shared("oracles/models/bert-embed/expected.safetensors"));
    const alm_json *items = alm_json_get(w->doc.node, "items");
    size_t i = 0;
    for (const alm_json *v = alm_json_first(items); v; v = alm_json_next(items, v), i++) {
        uint32_t *id = alm_models_ids(alm_json_get(v, "tokens"), &n);
        CHECK(i < TEXTS && at + n <= 200);
        memcpy(w->id + at, id, n * sizeof *id);
        alm_free(id);
        w->start[i] = (uint32_t)at, at += n;
    }
    w->start[TEXTS] = (uint32_t)at;
    return true;
}

static void close_world(world *w) {
    alm_model_free(w->m);
    alm_safetensors_close(w->numbers);
    alm_json_doc_free(&w->doc);
    alm_free(w->text);
}

static void embed(float *out, world *w, const char *isa, unsigned threads, size_t from, size_t to,
                  alm_pooling pooling) {
    uint32_t start[TEXTS + 1];
    alm_pool *pool;
    alm_compute *c;
    alm_error err = {0};
    for (size_t i = from; i <= to; i++) start[i - from] = w->start[i] - w->start[from];
    const alm_rows rows = {.n = start[to - from], .n_docs = to - from, .id = w->id + w->start[from], .start = start};
    CHECK_OK(alm_pool_new(&pool, threads, &err), &err);
    CHECK_OK(alm_compute_new_isa(&c, isa, pool, &err), &err);
    CHECK_OK(alm_embedding(out, w->m, c, &rows, pooling, true, &err), &err);
    alm_compute_free(c);
    alm_pool_free(pool);
}

static void vectors_are_those_of_the_reference(void **state) {
    (void)state;
    static const char *const kind[] = {"mean_pooled_l2", "mean_pooled_l2", "cls_l2"};
    world w;
    if (!open_world(&w)) skip();
    for (alm_pooling p = ALM_POOL_UNSAID; p <= ALM_POOL_FIRST; p++) {
        float out[TEXTS * DIM];
        double most = 0;
        embed(out, &w, "plain", 1, 0, TEXTS, p);
        for (size_t i = 0; i < TEXTS; i++) {
            char name[40];
            size_t n;
            snprintf(name, sizeof name, "%s.%zu", kind[p], i);
            const float *want = alm_models_floats(w.numbers, name, &n);
            CHECK_INT(n, DIM);
            double off = alm_models_distance(out + i * DIM, want, DIM);
            if (!(off <= most)) most = off;
        }
        print_message("%s: off by %.2g\n", kind[p], most);
        CHECK(most <= bound, "%s: off by %g", kind[p], most);
    }
    close_world(&w);
}

static void bits_do_not_depend_on_neighbours_or_on_who_computes(void **state) {
    (void)state;
    world w;
    if (!open_world(&w)) skip();
    for (alm_pooling p = ALM_POOL_MEAN; p <= ALM_POOL_LAST; p++) {
        float want[TEXTS * DIM], got[TEXTS * DIM];
        embed(want, &w, "plain", 1, 0, TEXTS, p);
        for (size_t i = 0; i < TEXTS; i++) embed(got + i * DIM, &w, "plain", 1, i, i + 1, p);
        CHECK(memcmp(want, got, sizeof want) == 0);
        const alm_kernels *const *all = alm_kernels_all();
        for (size_t k = 0; all[k]; k++) {
            if (!alm_kernels_can(all[k])) continue;
            embed(got, &w, all[k]->isa, 3, 0, TEXTS, p);
            CHECK(memcmp(want, got, sizeof want) == 0, "%s", all[k]->isa);
        }
    }
    close_world(&w);
}

static alm_status one_from_text(void *arg) {
    world *w = arg;
    alm_error err = {0};
    alm_compute *c = NULL;
    alm_tokenizer *t = NULL;
    float out[2 * DIM];
    const alm_str text[] = {ALM_STR("The pump reports 6.4 bar."), ALM_STR("ok")};
    alm_status st = alm_compute_new_isa(&c, "plain", NULL, &err);
    if (st == ALM_OK) st = alm_tokenizer_open(&t, alm_test_shared("oracles/models/bert-embed"), NULL, &err);
    if (st == ALM_OK) st = alm_embedding_of(out, w->m, t, c, text, 2, 0, ALM_POOL_UNSAID, true, &err);
    alm_tokenizer_free(t);
    alm_compute_free(c);
    return st;
}

static void texts_become_tokens_and_vectors(void **state) {
    (void)state;
    world w;
    if (!open_world(&w)) skip();
    alm_compute *c;
    alm_tokenizer *t;
    alm_error err = {0};
    alm_str text[TEXTS + 1];
    size_t n = 0;
    float want[TEXTS * DIM], got[(TEXTS + 1) * DIM];
    const alm_json *items = alm_json_get(w.doc.node, "items");
    for (const alm_json *v = alm_json_first(items); v; v = alm_json_next(items, v))
        text[n++] = alm_json_get(v, "text")->text;
    text[TEXTS] = ALM_STR("");
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_tokenizer_open(&t, alm_test_shared("oracles/models/bert-embed"), NULL, &err), &err);
    embed(want, &w, "plain", 1, 0, TEXTS, ALM_POOL_MEAN);
    CHECK_OK(alm_embedding_of(got, w.m, t, c, text, TEXTS + 1, 0, ALM_POOL_UNSAID, true, &err), &err);
    CHECK(memcmp(want, got, sizeof want) == 0);
    /* Cut to five: the first, three more, and the one that ends a text. */
    const uint32_t id[] = {w.id[0], w.id[1], w.id[2], w.id[3], w.id[w.start[1] - 1]}, start[] = {0, 5};
    const alm_rows rows = {.n = 5, .n_docs = 1, .id = id, .start = start};
    CHECK_OK(alm_embedding(want, w.m, c, &rows, ALM_POOL_MEAN, false, &err), &err);
    CHECK_OK(alm_embedding_of(got, w.m, t, c, text, 1, 5, ALM_POOL_MEAN, false, &err), &err);
    CHECK(memcmp(want, got, DIM * sizeof *want) == 0);
    CHECK_STATUS(alm_embedding_of(got, w.m, t, c, text, 1, 2, ALM_POOL_MEAN, false, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "room");
    CHECK_OK(alm_embedding_of(got, w.m, t, c, text, 0, 0, ALM_POOL_MEAN, false, &err), &err);
    alm_tokenizer_free(t);
    alm_compute_free(c);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(one_from_text, &w) > 10);
    close_world(&w);
}

static void a_folder_says_how_its_texts_become_vectors(void **state) {
    (void)state;
    static const struct {
        const char *says;
        alm_pooling is;
    } cases[] = {{"{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": false}", ALM_POOL_FIRST},
                 {"{\"pooling_mode_cls_token\": false, \"pooling_mode_mean_tokens\": true}", ALM_POOL_MEAN},
                 {"{\"pooling_mode_lasttoken\": true}", ALM_POOL_LAST},
                 {"{\"pooling_mode_cls_token\": true, \"pooling_mode_mean_tokens\": true}", ALM_POOL_UNSAID},
                 {"[true", ALM_POOL_UNSAID},
                 {"7", ALM_POOL_UNSAID}};
    if (!alm_test_shared("oracles/models/bert-embed")) skip();
    char from[PATH_MAX + 40], folder[PATH_MAX], to[PATH_MAX + 40];
    alm_error err = {0};
    snprintf(folder, sizeof folder, "%s", alm_test_path("pooled"));
    snprintf(to, sizeof to, "%s/1_Pooling", folder);
    CHECK_OK(alm_dir_make(folder, &err), &err);
    CHECK_OK(alm_dir_make(to, &err), &err);
    static const char *const files[] = {"config.json", "model.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        snprintf(from, sizeof from, "%s/%s", alm_test_shared("oracles/models/bert-embed"), files[i]);
        snprintf(to, sizeof to, "%s/%s", folder, files[i]);
        char *text = alm_test_slurp(from, &n);
        alm_test_write(to, text, n);
        alm_free(text);
    }
    snprintf(to, sizeof to, "%s/1_Pooling/config.json", folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_model *m;
        alm_test_write(to, cases[i].says, strlen(cases[i].says));
        CHECK_OK(alm_model_open(&m, folder, &err), &err);
        CHECK(alm_model_config(m)->pooling == cases[i].is, "%s", cases[i].says);
        alm_model_free(m);
    }
}

static void what_has_no_vector_is_refused(void **state) {
    (void)state;
    world w;
    if (!open_world(&w)) skip();
    alm_compute *c;
    alm_error err = {0};
    float out[2 * DIM];
    uint32_t id[100] = {2}, empty[] = {0, 0, 1}, longer[] = {0, 65};
    const alm_rows hollow = {.n = 1, .n_docs = 2, .id = id, .start = empty},
                   big = {.n = 65, .n_docs = 1, .id = id, .start = longer};
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_STATUS(alm_embedding(out, w.m, c, &hollow, ALM_POOL_MEAN, true, &err), ALM_INVALID, &err);
    CHECK_STATUS(alm_embedding(out, w.m, c, &big, ALM_POOL_MEAN, true, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "context");
    const alm_rows rows = {.n = w.start[1], .n_docs = 1, .id = w.id, .start = w.start};
    for (size_t n = 1;; n++) { /* each request for memory fails once */
        alm_test_fail_alloc(n, false);
        alm_status st = alm_embedding(out, w.m, c, &rows, ALM_POOL_MEAN, true, &err);
        alm_test_fail_alloc(0, false);
        if (st == ALM_OK) break;
        CHECK_INT(st, ALM_NO_MEMORY);
        CHECK(n < 1000);
    }
    alm_compute_free(c);
    close_world(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(vectors_are_those_of_the_reference),
    cmocka_unit_test(bits_do_not_depend_on_neighbours_or_on_who_computes),
    cmocka_unit_test(texts_become_tokens_and_vectors),
    cmocka_unit_test(a_folder_says_how_its_texts_become_vectors),
    cmocka_unit_test(what_has_no_vector_is_refused),
};
ALM_TEST_MAIN(tests)
