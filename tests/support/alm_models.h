/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/support/alm_models.h - the tiny models of tests/data/models, and what others computed on them. */
#ifndef ALM_MODELS_H
#define ALM_MODELS_H

#include "alm_test.h"
#include "base/json.h"
#include "format/safetensors.h"
#include "model/model.h"

/* A folder or file of models: the repository's, else the shared one ("oracles/…"), else NULL. One of eight places in turn. */
static inline const char *alm_models_path(const char *ours, const char *shared) {
    const char *path = ours ? alm_test_join(alm_test_source("tests/data/models"), ours) : NULL;
    return path && alm_file_exists(path) ? path : shared ? alm_test_shared(shared) : NULL;
}

static inline alm_safetensors *alm_models_open_expected(const char *path) {
    alm_safetensors *s;
    alm_error err = {0};
    CHECK_OK(alm_safetensors_open(&s, path, &err), &err);
    return s;
}

static inline const float *alm_models_floats(const alm_safetensors *s, const char *name, size_t *n) {
    const alm_safetensors_tensor *t = alm_safetensors_find(s, name);
    CHECK(t && t->type == ALM_SAFETENSORS_F32 && (uintptr_t)t->at % 4 == 0, "no floats under %s", name);
    if (n) *n = (size_t)t->n_items;
    return (const float *)(const void *)t->at;
}

/* Token ids of an array of numbers in a JSON object; free with alm_free. */
static inline uint32_t *alm_models_ids(const alm_json *array, size_t *n) {
    CHECK(array && array->type == ALM_JSON_ARRAY);
    uint32_t *ids = alm_calloc(array->n, sizeof *ids);
    *n = 0;
    for (const alm_json *c = alm_json_first(array); c; c = alm_json_next(array, c)) {
        int64_t x;
        CHECK(alm_json_i64(c, &x) && x >= 0);
        ids[(*n)++] = (uint32_t)x;
    }
    return ids;
}

/* Logits [n][n_vocab] of one document; free with alm_free. */
static inline float *alm_models_logits(alm_model *m, alm_compute *c, const uint32_t *ids, size_t n) {
    const uint32_t start[2] = {0, (uint32_t)n};
    const alm_rows rows = {n, 1, ids, start};
    alm_tape *t;
    alm_error err = {0};
    float *logits = alm_calloc(n * alm_model_config(m)->n_vocab, sizeof *logits);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    CHECK_OK(alm_model_logits(m, t, &rows, logits, &err), &err);
    alm_tape_free(t);
    return logits;
}

static inline double alm_models_distance(const float *a, const float *b, size_t n) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        if (d < 0.0) d = -d;
        if (!(d <= most)) most = d;
    }
    return most;
}

#endif
