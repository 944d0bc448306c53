/* SPDX-License-Identifier: Apache-2.0
 *
 * test_encoders.c - BERT on tiny models whose numbers transformers computed: the stream, pooled vectors, labels; from folders,
 * from GGUF and (where the file is there) with all texts in one step. */
#include "alm_models.h"

#include <math.h>

/* As in test_oracles.c. */
static const double bound = 1e-4;

enum { TEXTS = 4 };

typedef struct texts {
    alm_json_doc doc;
    char *text;
    alm_safetensors *numbers;
    uint32_t *id[TEXTS], *all, start[TEXTS + 1];
    size_t n[TEXTS];
} texts;

static bool texts_of(texts *e, const char *name) {
    char path[PATH_MAX];
    size_t n;
    alm_error err = {0};
    memset(e, 0, sizeof *e);
    snprintf(path, sizeof path, "oracles/models/%s/expected.json", name);
    const char *found = alm_test_shared(path);
    if (!found) {
        print_message("%s: skipped, the shared folder is not here\n", name);
        return false;
    }
    e->text = alm_test_slurp(found, &n);
    CHECK_OK(alm_json_parse(&e->doc, e->text, n, NULL, NULL, &err), &err);
    snprintf(path, sizeof path, "oracles/models/%s/expected.safetensors", name);
    e->numbers = alm_models_open_expected(alm_test_shared(path));
    const alm_json *items = alm_json_get(e->doc.node, "items");
    size_t i = 0, total = 0;
    for (const alm_json *v = alm_json_first(items); v && i < TEXTS; v = alm_json_next(items, v), i++)
        e->id[i] = alm_models_ids(alm_json_get(v, "tokens"), &e->n[i]);
    CHECK_INT(i, TEXTS);
    for (i = 0; i < TEXTS; i++) e->start[i] = (uint32_t)total, total += e->n[i];
    e->start[TEXTS] = (uint32_t)total;
    e->all = alm_calloc(total, sizeof *e->all);
    for (i = 0; i < TEXTS; i++) memcpy(e->all + e->start[i], e->id[i], e->n[i] * sizeof *e->all);
    return true;
}

static void texts_free(texts *e) {
    alm_json_doc_free(&e->doc);
    alm_safetensors_close(e->numbers);
    alm_free(e->text);
    alm_free(e->all);
    for (size_t i = 0; i < TEXTS; i++) alm_free(e->id[i]);
}

static const float *wanted(const texts *e, const char *kind, size_t k, size_t n) {
    char name[60];
    size_t have;
    snprintf(name, sizeof name, "%s.%zu", kind, k);
    const float *at = alm_models_floats(e->numbers, name, &have);
    CHECK_INT(have, n);
    return at;
}

typedef alm_status reader(alm_model *m, alm_tape *t, const alm_rows *rows, float *out, alm_error *err);

/* What `read` gives for texts [from, to) in one step, `dim` numbers a row of it. */
static void compare(const char *what, alm_model *m, alm_compute *c, const texts *e, size_t from, size_t to,
                    reader *read, const char *kind, size_t dim, bool by_token) {
    uint32_t start[TEXTS + 1];
    alm_tape *t;
    alm_error err = {0};
    for (size_t i = from; i <= to; i++) start[i - from] = e->start[i] - e->start[from];
    const alm_rows rows = {.n = start[to - from], .n_docs = to - from, .id = e->all + e->start[from], .start = start};
    float *out = alm_calloc(rows.n * dim, sizeof *out);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    CHECK_OK(read(m, t, &rows, out, &err), &err);
    double most = 0;
    for (size_t i = from; i < to; i++) {
        size_t n = (by_token ? e->n[i] : 1) * dim, at = by_token ? start[i - from] : i - from;
        double off = alm_models_distance(out + at * dim, wanted(e, kind, i, n), n);
        if (!(off <= most)) most = off;
    }
    if (to - from == TEXTS) print_message("%s: %s off by %.2g\n", what, kind, most);
    CHECK(most <= bound, "%s: %s off by %g", what, kind, most);
    alm_tape_free(t);
    alm_free(out);
}

static void check_all(const char *what, const char *path, const texts *e, bool labels, bool pooler) {
    alm_model *m;
    alm_compute *c;
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_model_pack(m, c, &err), &err);
    size_t dim = alm_model_config(m)->hidden;
    for (size_t i = 0; i <= TEXTS; i++) { /* each alone, then all at once */
        size_t from = i < TEXTS ? i : 0, to = i < TEXTS ? i + 1 : TEXTS;
        if (!labels) compare(what, m, c, e, from, to, alm_model_read, "last_hidden", dim, true);
        if (!labels && pooler) compare(what, m, c, e, from, to, alm_model_pooled, "pooler", dim, false);
        if (labels && pooler)
            compare(what, m, c, e, from, to, alm_model_labels, "logits", alm_model_config(m)->n_labels, false);
    }
    alm_compute_free(c);
    alm_model_free(m);
}

static void check_name(const char *name, bool labels) {
    char path[PATH_MAX], what[80];
    texts e;
    if (!texts_of(&e, name)) return;
    snprintf(path, sizeof path, "oracles/models/%s", name);
    snprintf(path, sizeof path, "%s", alm_test_shared(path));
    check_all(name, path, &e, labels, true);
    snprintf(path, sizeof path, "oracles/gguf/%s-f32.gguf", name);
    snprintf(what, sizeof what, "gguf/%s-f32.gguf", name);
    const char *gguf = alm_test_shared(path);
    if (gguf) {
        snprintf(path, sizeof path, "%s", gguf);
        check_all(what, path, &e, labels, false); /* llama.cpp's conversion leaves the pooler out */
    }
    texts_free(&e);
}

static void an_encoder_gives_the_stream_and_the_pooler_of_the_reference(void **state) {
    (void)state;
    check_name("bert-embed", false);
}

static void a_classifier_gives_the_logits_of_the_reference(void **state) {
    (void)state;
    check_name("bert-classify", true);
}

static void what_an_encoder_has_not_is_refused(void **state) {
    (void)state;
    const char *path = alm_test_shared("oracles/gguf/bert-classify-f32.gguf");
    if (!path) skip();
    alm_model *m;
    alm_compute *c;
    alm_tape *t;
    alm_error err = {0};
    float out[512];
    const uint32_t id[] = {2, 301, 3}, start[] = {0, 3}, empty[] = {0, 0, 3};
    const alm_rows rows = {.n = 3, .n_docs = 1, .id = id, .start = start},
                   hollow = {.n = 3, .n_docs = 2, .id = id, .start = empty};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    CHECK_STATUS(alm_model_labels(m, t, &rows, out, &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.text, "pooler");
    CHECK_STATUS(alm_model_pooled(m, t, &rows, out, &err), ALM_UNSUPPORTED, &err);
    CHECK_STATUS(alm_model_logits(m, t, &rows, out, &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.text, "next token");
    CHECK_STATUS(alm_model_loss(m, t, &rows, NULL, 1, false, out, &err), ALM_UNSUPPORTED, &err);
    alm_model_free(m);
    path = alm_test_shared("oracles/models/bert-embed");
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_STATUS(alm_model_pooled(m, t, &hollow, out, &err), ALM_INVALID, &err);
    CHECK_STATUS(alm_model_labels(m, t, &rows, out, &err), ALM_UNSUPPORTED, &err);
    alm_model_free(m);
    alm_tape_free(t);
    alm_compute_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_encoder_gives_the_stream_and_the_pooler_of_the_reference),
    cmocka_unit_test(a_classifier_gives_the_logits_of_the_reference),
    cmocka_unit_test(what_an_encoder_has_not_is_refused),
};
ALM_TEST_MAIN(tests)
