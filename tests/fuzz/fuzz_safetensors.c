/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_safetensors.c - a container that opens is sound, and what it says can be written and read again.
 *
 * Questions: every tensor lies inside the file, its bytes are what shape and type need, no two share any and none is left
 * over; each name finds its own tensor; a copy through the writer opens and holds the same tensors, and copying the copy
 * changes no byte. */
#include "format/safetensors.h"
#include "fuzz.h"
#include <string.h>

static void is_sound(const alm_safetensors *s, const uint8_t *data, size_t n) {
    size_t sum = 0;
    for (size_t i = 0; i < alm_safetensors_tensor_count(s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(s, i);
        CHECK(t->at >= data + 8 && t->at <= data + n && t->n_bytes <= (size_t)(data + n - t->at));
        uint64_t items = 1;
        for (uint32_t k = 0; k < t->n_dims; k++) items *= t->dim[k];
        CHECK(items == t->n_items && items * alm_safetensors_type_bits(t->type) == 8 * (uint64_t)t->n_bytes);
        char *name = terminated(t->name);
        CHECK(name && alm_safetensors_find(s, name) == t);
        free(name);
        sum += t->n_bytes;
    }
    uint64_t head;
    memcpy(&head, data, 8);
    CHECK(sum == n - 8 - head);
}

static alm_buf copy_of(const alm_safetensors *s) {
    alm_safetensors_writer *w;
    alm_buf out = alm_buf_with_limit((size_t)1 << 28);
    CHECK(alm_safetensors_writer_new(&w, NULL) == ALM_OK);
    for (size_t i = 0; i < alm_safetensors_tensor_count(s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(s, i);
        char *name = terminated(t->name);
        CHECK(name);
        alm_safetensors_add(w, name, t->type, t->n_dims, t->dim, t->at);
        free(name);
    }
    CHECK(alm_safetensors_writer_bytes(w, &out, NULL) == ALM_OK);
    alm_safetensors_writer_free(w);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_safetensors *s, *again;
    if (alm_safetensors_parse(&s, "fuzz", (alm_str){(const char *)data, n}, NULL) != ALM_OK) return 0;
    is_sound(s, data, n);
    alm_buf copy = copy_of(s);
    CHECK(alm_safetensors_parse(&again, "copy", alm_buf_str(&copy), NULL) == ALM_OK);
    is_sound(again, (const uint8_t *)copy.at, copy.n);
    CHECK(alm_safetensors_tensor_count(again) == alm_safetensors_tensor_count(s));
    for (size_t i = 0; i < alm_safetensors_tensor_count(s); i++) {
        const alm_safetensors_tensor *a = alm_safetensors_tensor_at(s, i), *b = alm_safetensors_tensor_at(again, i);
        CHECK(alm_str_eq(a->name, b->name) && a->type == b->type && a->n_bytes == b->n_bytes);
        CHECK(a->n_bytes == 0 || memcmp(a->at, b->at, a->n_bytes) == 0);
    }
    alm_buf twice = copy_of(again);
    CHECK(alm_str_eq(alm_buf_str(&copy), alm_buf_str(&twice)));
    alm_buf_free(&copy);
    alm_buf_free(&twice);
    alm_safetensors_close(again);
    alm_safetensors_close(s);
    return 0;
}
