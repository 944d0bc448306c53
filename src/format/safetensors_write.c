/* SPDX-License-Identifier: Apache-2.0
 *
 * safetensors_write.c - writes the safetensors container (docs/format/safetensors.md).
 *
 * Tensors are remembered by pointer. Saving writes the head (padded with blanks to a multiple of 8) and the data: types of
 * more bits first, then in the order of adding, so that each tensor is aligned to its items. The same calls in the same
 * order give the same bytes.
 *
 * Invariant: after the first failure nothing more is added, and save reports that first failure. */
#include "format/safetensors.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include <stdlib.h>

typedef struct out_tensor {
    char *name;
    alm_safetensors_type type;
    uint32_t n_dims;
    uint64_t dim[ALM_SAFETENSORS_MAX_DIMS];
    const void *data;
    size_t n_bytes;
} out_tensor;

struct alm_safetensors_writer {
    alm_buf meta; /* the members of __metadata__ */
    out_tensor *tensor;
    size_t n_tensor, cap;
    alm_error failed; /* status ALM_OK as long as all is well */
};

alm_status alm_safetensors_writer_new(alm_safetensors_writer **out, alm_error *err) {
    alm_safetensors_writer *w = alm_calloc(1, sizeof *w);
    if (!w) return alm_fail_memory(err);
    w->meta = alm_buf_with_limit(ALM_SAFETENSORS_MAX_HEAD);
    return *out = w, ALM_OK;
}

void alm_safetensors_writer_free(alm_safetensors_writer *w) {
    if (!w) return;
    for (size_t i = 0; i < w->n_tensor; i++) alm_free(w->tensor[i].name);
    alm_free(w->tensor);
    alm_buf_free(&w->meta);
    alm_free(w);
}

static bool ok(const alm_safetensors_writer *w) { return w->failed.status == ALM_OK; }

static void fail(alm_safetensors_writer *w, const char *what, const char *name) {
    if (ok(w)) alm_fail(&w->failed, ALM_INVALID, "%s: %s", name, what);
}

void alm_safetensors_set_meta(alm_safetensors_writer *w, const char *key, alm_str text) {
    if (!ok(w)) return;
    if (!alm_utf8_valid(alm_str_of(key)) || !alm_utf8_valid(text)) {
        fail(w, "metadata is UTF-8", key);
        return;
    }
    if (w->meta.n) alm_buf_add_byte(&w->meta, ',');
    alm_json_quote(&w->meta, alm_str_of(key));
    alm_buf_add_byte(&w->meta, ':');
    alm_json_quote(&w->meta, text);
}

static bool measure(out_tensor *t, const uint64_t *dim) {
    uint64_t items = 1;
    for (uint32_t i = 0; i < t->n_dims; i++) {
        t->dim[i] = dim[i];
        if (__builtin_mul_overflow(items, dim[i], &items) || items > INT64_MAX / 64) return false;
    }
    uint64_t bits = items * alm_safetensors_type_bits(t->type);
    t->n_bytes = (size_t)(bits / 8);
    return bits % 8 == 0;
}

void alm_safetensors_add(alm_safetensors_writer *w, const char *name, alm_safetensors_type type, uint32_t n_dims,
                         const uint64_t *dim, const void *data) {
    out_tensor t = {.type = type, .n_dims = n_dims, .data = data};
    if (!ok(w)) return;
    if (!*name || !alm_utf8_valid(alm_str_of(name)) || strcmp(name, "__metadata__") == 0) {
        fail(w, "no name for a tensor", name);
        return;
    }
    if ((size_t)type >= ALM_SAFETENSORS_TYPE_COUNT || n_dims > ALM_SAFETENSORS_MAX_DIMS || !measure(&t, dim)) {
        fail(w, "unknown type, too many dimensions, or dimensions that overflow or do not end with a byte", name);
        return;
    }
    size_t n = strlen(name) + 1;
    if (!alm_grow((void **)&w->tensor, &w->cap, w->n_tensor + 1, sizeof *w->tensor) || !(t.name = alm_alloc(n))) {
        alm_fail_memory(&w->failed);
        return;
    }
    memcpy(t.name, name, n);
    w->tensor[w->n_tensor++] = t;
}

/* Indices by falling size of the items; equal ones stay in order. */
static void arrange(const alm_safetensors_writer *w, size_t *order) {
    size_t n = 0;
    for (unsigned bits = 64; bits > 0; bits--)
        for (size_t i = 0; i < w->n_tensor; i++)
            if (alm_safetensors_type_bits(w->tensor[i].type) == bits) order[n++] = i;
}

static void add_entry(alm_buf *out, const out_tensor *t, uint64_t *offset) {
    alm_json_quote(out, alm_str_of(t->name));
    alm_buf_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", alm_safetensors_type_name(t->type));
    for (uint32_t k = 0; k < t->n_dims; k++) alm_buf_printf(out, "%s%llu", k ? "," : "", (unsigned long long)t->dim[k]);
    uint64_t end = *offset + t->n_bytes;
    alm_buf_printf(out, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)*offset, (unsigned long long)end);
    *offset = end;
}

/* Length, JSON, blanks. */
static alm_status make_head(alm_safetensors_writer *w, alm_buf *out, const size_t *order, alm_error *err) {
    uint64_t offset = 0;
    size_t before = out->n;
    alm_buf_add_le64(out, 0);
    alm_buf_add_byte(out, '{');
    if (w->meta.n) {
        alm_buf_add_text(out, "\"__metadata__\":{");
        alm_buf_add_str(out, alm_buf_str(&w->meta));
        alm_buf_add_byte(out, '}');
    }
    for (size_t i = 0; i < w->n_tensor; i++) {
        if (i || w->meta.n) alm_buf_add_byte(out, ',');
        add_entry(out, &w->tensor[order[i]], &offset);
    }
    alm_buf_add_byte(out, '}');
    while ((out->n - before) % 8 && alm_buf_add_byte(out, ' ')) {}
    alm_status st = alm_buf_status(out, err);
    if (st != ALM_OK) return st;
    uint64_t n = out->n - before - 8;
    for (size_t i = 0; i < 8; i++) out->at[before + i] = (char)(n >> (8 * i) & 255);
    return ALM_OK;
}

/* Sorted once, so that a name that was added twice is found. */
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static alm_status check_names(alm_safetensors_writer *w, alm_error *err) {
    char **name = alm_calloc(w->n_tensor, sizeof *name);
    if (!name) return alm_fail_memory(err);
    for (size_t i = 0; i < w->n_tensor; i++) name[i] = w->tensor[i].name;
    qsort(name, w->n_tensor, sizeof *name, by_name);
    alm_status st = ALM_OK;
    for (size_t i = 1; i < w->n_tensor && st == ALM_OK; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            st = alm_fail(err, ALM_INVALID, "%s: the tensor is added twice", name[i]);
    alm_free(name);
    return st;
}

/* Head and the order of the data. */
static alm_status prepare(alm_safetensors_writer *w, alm_buf *head, size_t **order, alm_error *err) {
    if (!ok(w)) {
        if (err) *err = w->failed;
        return w->failed.status;
    }
    alm_status st = alm_buf_status(&w->meta, err);
    if (st == ALM_OK) st = check_names(w, err);
    if (st != ALM_OK) return st;
    *order = alm_calloc(w->n_tensor, sizeof **order);
    if (!*order) return alm_fail_memory(err);
    arrange(w, *order);
    return make_head(w, head, *order, err);
}

alm_status alm_safetensors_writer_bytes(alm_safetensors_writer *w, alm_buf *out, alm_error *err) {
    size_t *order = NULL;
    alm_status st = prepare(w, out, &order, err);
    if (st == ALM_OK) {
        for (size_t i = 0; i < w->n_tensor; i++)
            if (w->tensor[order[i]].n_bytes) alm_buf_add(out, w->tensor[order[i]].data, w->tensor[order[i]].n_bytes);
        st = alm_buf_status(out, err);
    }
    alm_free(order);
    return st;
}

alm_status alm_safetensors_writer_save(alm_safetensors_writer *w, const char *path, alm_error *err) {
    alm_buf head = alm_buf_with_limit(ALM_SAFETENSORS_MAX_HEAD + 8);
    alm_write file = {0};
    size_t *order = NULL;
    alm_status st = prepare(w, &head, &order, err);
    if (st != ALM_OK || (st = alm_write_begin(&file, path, err)) != ALM_OK) goto done;
    alm_write_add(&file, head.at, head.n);
    for (size_t i = 0; i < w->n_tensor; i++)
        if (w->tensor[order[i]].n_bytes) alm_write_add(&file, w->tensor[order[i]].data, w->tensor[order[i]].n_bytes);
    st = alm_write_commit(&file, err);
done:
    alm_write_abort(&file);
    alm_free(order);
    alm_buf_free(&head);
    return st;
}
