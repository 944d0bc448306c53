/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_gguf.c - a container that opens is sound, and what it says can be written and read again.
 *
 * Questions: every value and tensor lies inside the file, tensors in order without overlap; each key and name finds its own
 * entry; strings can be walked to the end of their value; a copy through the writer opens and holds the same values and
 * tensors, and copying the copy changes no byte. */
#include "format/gguf.h"
#include "fuzz.h"

static bool inside(const void *at, size_t n, const uint8_t *data, size_t size) {
    const uint8_t *p = at;
    return p >= data && p <= data + size && n <= (size_t)(data + size - p);
}

static void is_sound(const alm_gguf *g, const uint8_t *data, size_t n) {
    for (size_t i = 0; i < alm_gguf_value_count(g); i++) {
        const alm_gguf_value *v = alm_gguf_value_at(g, i);
        CHECK(inside(v->key.at, v->key.n, data, n) && inside(v->at, v->n_bytes, data, n));
        char *key = terminated(v->key);
        CHECK(key && alm_gguf_find(g, key) == v);
        free(key);
        if (v->item == ALM_GGUF_STRING) {
            size_t at = 0;
            uint64_t count = 0;
            for (alm_str s; alm_gguf_next_str(v, &at, &s); count++) CHECK(inside(s.at, s.n, data, n));
            CHECK(at == v->n_bytes && count == v->n);
        } else if (v->n) {
            (void)alm_gguf_item_u64(v, v->n - 1);
            (void)alm_gguf_item_f64(v, v->n - 1);
        }
    }
    const unsigned char *end = NULL;
    for (size_t i = 0; i < alm_gguf_tensor_count(g); i++) {
        const alm_gguf_tensor *t = alm_gguf_tensor_at(g, i);
        CHECK(inside(t->at, t->n_bytes, data, n));
        CHECK(!end || t->at >= end);
        end = t->at + t->n_bytes;
        char name[ALM_GGUF_MAX_NAME + 1] = {0};
        memcpy(name, t->name.at, t->name.n);
        CHECK(alm_gguf_find_tensor(g, name) == t);
    }
}

static alm_buf copy_of(const alm_gguf *g) {
    alm_gguf_writer *w;
    alm_buf out = alm_buf_with_limit((size_t)1 << 28);
    CHECK(alm_gguf_writer_new(&w, NULL) == ALM_OK);
    for (size_t i = 0; i < alm_gguf_value_count(g); i++) {
        const alm_gguf_value *v = alm_gguf_value_at(g, i);
        /* the writer's alignment is 32, whatever the file's was */
        if (!alm_str_eq(v->key, ALM_STR("general.alignment"))) alm_gguf_set_value(w, v);
    }
    for (size_t i = 0; i < alm_gguf_tensor_count(g); i++) {
        const alm_gguf_tensor *t = alm_gguf_tensor_at(g, i);
        char name[ALM_GGUF_MAX_NAME + 1] = {0};
        memcpy(name, t->name.at, t->name.n);
        alm_gguf_add_tensor(w, name, t->type, t->n_dims, t->dim, t->at);
    }
    CHECK(alm_gguf_writer_bytes(w, &out, NULL) == ALM_OK);
    alm_gguf_writer_free(w);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_gguf *g, *again;
    if (alm_gguf_parse(&g, "fuzz", (alm_str){(const char *)data, n}, NULL) != ALM_OK) return 0;
    is_sound(g, data, n);
    alm_buf copy = copy_of(g);
    CHECK(alm_gguf_parse(&again, "copy", alm_buf_str(&copy), NULL) == ALM_OK);
    is_sound(again, (const uint8_t *)copy.at, copy.n);
    CHECK(alm_gguf_tensor_count(again) == alm_gguf_tensor_count(g));
    for (size_t i = 0; i < alm_gguf_tensor_count(g); i++) {
        const alm_gguf_tensor *a = alm_gguf_tensor_at(g, i), *b = alm_gguf_tensor_at(again, i);
        CHECK(alm_str_eq(a->name, b->name) && a->type == b->type && a->n_bytes == b->n_bytes);
        CHECK(a->n_bytes == 0 || memcmp(a->at, b->at, a->n_bytes) == 0);
    }
    alm_buf twice = copy_of(again);
    CHECK(alm_str_eq(alm_buf_str(&copy), alm_buf_str(&twice)));
    alm_buf_free(&copy);
    alm_buf_free(&twice);
    alm_gguf_close(again);
    alm_gguf_close(g);
    return 0;
}
