/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_recipe.c - a recipe that is read can be written again, and what it asks for is refused or can be set up.
 *
 * Questions: written and read back, compact and for a person, it says the same; the memory that it would take is worked out
 * without harm for any numbers in it; a small one makes a model, and its options are refused or a step of it is measured. */
#include "base/alloc.h"
#include "fuzz.h"
#include "train/recipe.h"

static alm_buf written(const alm_recipe *r, bool indented) {
    alm_buf out = alm_buf_with_limit((size_t)1 << 28);
    CHECK(alm_recipe_write(&out, r, indented, NULL) == ALM_OK);
    return out;
}

static void reads_back(const alm_recipe *r, alm_arena *a) {
    alm_buf compact = written(r, false);
    for (int indented = 0; indented < 2; indented++) {
        alm_recipe again;
        alm_buf one = written(r, indented);
        CHECK(alm_recipe_parse(&again, "again", alm_buf_str(&one), a, NULL) == ALM_OK);
        alm_buf two = written(&again, false);
        CHECK(alm_str_eq(alm_buf_str(&compact), alm_buf_str(&two)));
        alm_buf_free(&one);
        alm_buf_free(&two);
    }
    alm_buf_free(&compact);
}

static void is_set_up(const alm_recipe *r) {
    alm_train_bytes b;
    alm_model *m;
    alm_train_memory_least(&b, &r->config, &r->options, true);
    CHECK(b.total >= b.weights);
    if (b.total > (size_t)1 << 20 || r->options.batch_tokens > 4096 || r->config.n_layers > 64) return;
    if (alm_model_new(&m, &r->config, r->options.seed, NULL) != ALM_OK) return;
    if (alm_train_memory(&b, m, &r->options, false, NULL) == ALM_OK) CHECK(b.total >= b.weights + b.activations);
    alm_model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_arena *a;
    alm_recipe r;
    CHECK(alm_arena_new(&a, 1 << 12, 0, NULL) == ALM_OK);
    if (alm_recipe_parse(&r, "fuzz", alm_str_make((const char *)data, n), a, NULL) == ALM_OK) {
        reads_back(&r, a);
        is_set_up(&r);
    }
    alm_arena_free(a);
    return 0;
}
