/* SPDX-License-Identifier: Apache-2.0
 *
 * gguf_write.c - writes the GGUF container, version 3 (docs/format/gguf.md).
 *
 * Keys are encoded as they are set, into one buffer; tensors are remembered by pointer. Saving joins head, keys, tensor
 * table, padding and data. The same calls in the same order give the same bytes.
 *
 * Invariant: after the first failure nothing more is added, and save reports that first failure. What is written opens again:
 * the limits of the reader are checked here as well. */
#include "format/gguf.h"

#include "base/alloc.h"
#include "base/file.h"

typedef struct out_tensor {
    size_t name_at, name_bytes; /* in names */
    uint32_t type, n_dims;
    uint64_t dim[ALM_GGUF_MAX_DIMS];
    const void *data;
    size_t n_bytes;
} out_tensor;

struct alm_gguf_writer {
    alm_buf kv, names;
    uint64_t n_kv;
    alm_buf keys; /* NUL-separated, to find a key that is set twice */
    out_tensor *tensor;
    size_t n_tensor, cap;
    alm_error failed; /* status ALM_OK as long as all is well */
};

static const size_t head_limit = (size_t)1 << 32;

alm_status alm_gguf_writer_new(alm_gguf_writer **out, alm_error *err) {
    alm_gguf_writer *w = alm_calloc(1, sizeof *w);
    if (!w) return alm_fail_memory(err);
    w->kv = alm_buf_with_limit(head_limit);
    w->keys = alm_buf_with_limit(head_limit);
    w->names = alm_buf_with_limit(head_limit);
    return *out = w, ALM_OK;
}

void alm_gguf_writer_free(alm_gguf_writer *w) {
    if (!w) return;
    alm_buf_free(&w->kv);
    alm_buf_free(&w->keys);
    alm_buf_free(&w->names);
    alm_free(w->tensor);
    alm_free(w);
}

static bool ok(const alm_gguf_writer *w) { return w->failed.status == ALM_OK; }

static void fail(alm_gguf_writer *w, const char *what, const char *name) {
    if (ok(w)) alm_fail(&w->failed, ALM_INVALID, "%s: %s", name, what);
}

static bool seen(const alm_buf *names, alm_str name) {
    for (size_t at = 0; at < names->n;) {
        size_t n = strlen(names->at + at);
        if (n == name.n && memcmp(names->at + at, name.at, n) == 0) return true;
        at += n + 1;
    }
    return false;
}

/* Writes key and type; false when the writer has failed. */
static bool begin(alm_gguf_writer *w, const char *key, alm_gguf_type type) {
    alm_str k = alm_str_of(key);
    if (!ok(w)) return false;
    if (k.n == 0 || k.n > ALM_GGUF_MAX_KEY || !alm_utf8_valid(k)) return fail(w, "no name for a key", key), false;
    if (seen(&w->keys, k)) return fail(w, "the key is set twice", key), false;
    alm_buf_add(&w->keys, k.at, k.n + 1); /* with the NUL */
    alm_buf_add_le64(&w->kv, k.n);
    alm_buf_add_str(&w->kv, k);
    alm_buf_add_le32(&w->kv, (uint32_t)type);
    w->n_kv++;
    return true;
}

void alm_gguf_set_u32(alm_gguf_writer *w, const char *key, uint32_t x) {
    if (begin(w, key, ALM_GGUF_U32)) alm_buf_add_le32(&w->kv, x);
}

void alm_gguf_set_u64(alm_gguf_writer *w, const char *key, uint64_t x) {
    if (begin(w, key, ALM_GGUF_U64)) alm_buf_add_le64(&w->kv, x);
}

void alm_gguf_set_i64(alm_gguf_writer *w, const char *key, int64_t x) {
    if (begin(w, key, ALM_GGUF_I64)) alm_buf_add_le64(&w->kv, (uint64_t)x);
}

void alm_gguf_set_f32(alm_gguf_writer *w, const char *key, float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    if (begin(w, key, ALM_GGUF_F32)) alm_buf_add_le32(&w->kv, bits);
}

void alm_gguf_set_f64(alm_gguf_writer *w, const char *key, double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    if (begin(w, key, ALM_GGUF_F64)) alm_buf_add_le64(&w->kv, bits);
}

void alm_gguf_set_bool(alm_gguf_writer *w, const char *key, bool x) {
    if (begin(w, key, ALM_GGUF_BOOL)) alm_buf_add_byte(&w->kv, x ? 1 : 0);
}

static void add_string(alm_gguf_writer *w, alm_str x) {
    alm_buf_add_le64(&w->kv, x.n);
    alm_buf_add_str(&w->kv, x);
}

void alm_gguf_set_str(alm_gguf_writer *w, const char *key, alm_str x) {
    if (begin(w, key, ALM_GGUF_STRING)) add_string(w, x);
}

static size_t number_bytes(alm_gguf_type t) {
    static const unsigned char bytes[ALM_GGUF_TYPE_COUNT] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return t < ALM_GGUF_TYPE_COUNT ? bytes[t] : 0;
}

/* `bytes` of little-endian items; on a big-endian machine they would have to be turned, and that build is refused below. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the GGUF writer copies numbers as they lie in memory: little-endian machines only"
#endif
void alm_gguf_set_array(alm_gguf_writer *w, const char *key, alm_gguf_type item, const void *items, uint64_t n) {
    size_t each = number_bytes(item), bytes;
    if (!each || n > SIZE_MAX || !alm_mul_size(&bytes, (size_t)n, each)) {
        fail(w, "no array of numbers", key);
        return;
    }
    if (!begin(w, key, ALM_GGUF_ARRAY)) return;
    alm_buf_add_le32(&w->kv, (uint32_t)item);
    alm_buf_add_le64(&w->kv, n);
    if (bytes) alm_buf_add(&w->kv, items, bytes);
}

void alm_gguf_set_strings(alm_gguf_writer *w, const char *key, const alm_str *items, uint64_t n) {
    if (!begin(w, key, ALM_GGUF_ARRAY)) return;
    alm_buf_add_le32(&w->kv, ALM_GGUF_STRING);
    alm_buf_add_le64(&w->kv, n);
    for (uint64_t i = 0; i < n; i++) add_string(w, items[i]);
}

void alm_gguf_set_value(alm_gguf_writer *w, const alm_gguf_value *v) {
    alm_buf key = alm_buf_with_limit(ALM_GGUF_MAX_KEY + 1);
    alm_buf_add_str(&key, v->key);
    const char *name = alm_buf_text(&key);
    if (!name) {
        if (ok(w)) alm_fail_memory(&w->failed);
    } else if (begin(w, name, v->type)) {
        if (v->type == ALM_GGUF_ARRAY) {
            alm_buf_add_le32(&w->kv, (uint32_t)v->item);
            alm_buf_add_le64(&w->kv, v->n);
        }
        alm_buf_add(&w->kv, v->at, v->n_bytes);
    }
    alm_buf_free(&key);
}

void alm_gguf_add_tensor(alm_gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dim,
                         const void *data) {
    alm_str s = alm_str_of(name);
    uint32_t block, block_bytes;
    if (!ok(w)) return;
    if (s.n > ALM_GGUF_MAX_NAME || !alm_utf8_valid(s)) {
        fail(w, "no name for a tensor", name);
        return;
    }
    if (!alm_gguf_tensor_type_name(type, &block, &block_bytes) || n_dims > ALM_GGUF_MAX_DIMS) {
        fail(w, "unknown tensor type or too many dimensions", name);
        return;
    }
    if (seen(&w->names, s)) {
        fail(w, "the tensor is added twice", name);
        return;
    }
    out_tensor t = {.name_at = w->names.n, .name_bytes = s.n, .type = type, .n_dims = n_dims, .data = data};
    size_t items = 1;
    for (uint32_t i = 0; i < ALM_GGUF_MAX_DIMS; i++) {
        t.dim[i] = i < n_dims ? dim[i] : 1;
        if (t.dim[i] > SIZE_MAX || !alm_mul_size(&items, items, (size_t)t.dim[i])) items = SIZE_MAX;
    }
    if (items > INT64_MAX || t.dim[0] % block || !alm_mul_size(&t.n_bytes, items / block, block_bytes) ||
        t.n_bytes > INT64_MAX - ALM_GGUF_MAX_ALIGNMENT) {
        fail(w, "dimensions that overflow or do not fit the type's blocks", name);
        return;
    }
    if (!alm_grow((void **)&w->tensor, &w->cap, w->n_tensor + 1, sizeof *w->tensor)) {
        alm_fail_memory(&w->failed);
        return;
    }
    alm_buf_add(&w->names, s.at, s.n + 1);
    w->tensor[w->n_tensor++] = t;
}

static size_t padding(size_t n) { return (ALM_GGUF_ALIGNMENT - n % ALM_GGUF_ALIGNMENT) % ALM_GGUF_ALIGNMENT; }

/* Everything in front of the tensor data, with the padding. */
static alm_status make_head(alm_gguf_writer *w, alm_buf *out, alm_error *err) {
    alm_status st;
    if (!ok(w)) {
        if (err) *err = w->failed;
        return w->failed.status;
    }
    if ((st = alm_buf_status(&w->kv, err)) != ALM_OK || (st = alm_buf_status(&w->keys, err)) != ALM_OK ||
        (st = alm_buf_status(&w->names, err)) != ALM_OK)
        return st;
    size_t before = out->n;
    alm_buf_add_text(out, "GGUF");
    alm_buf_add_le32(out, 3);
    alm_buf_add_le64(out, w->n_tensor);
    alm_buf_add_le64(out, w->n_kv);
    alm_buf_add_str(out, alm_buf_str(&w->kv));
    uint64_t offset = 0;
    for (size_t i = 0; i < w->n_tensor; i++) {
        const out_tensor *t = &w->tensor[i];
        alm_buf_add_le64(out, t->name_bytes);
        alm_buf_add(out, w->names.at + t->name_at, t->name_bytes);
        alm_buf_add_le32(out, t->n_dims);
        for (uint32_t k = 0; k < t->n_dims; k++) alm_buf_add_le64(out, t->dim[k]);
        alm_buf_add_le32(out, t->type);
        alm_buf_add_le64(out, offset);
        offset += t->n_bytes + padding(t->n_bytes);
    }
    for (size_t n = padding(out->n - before); n-- > 0;) alm_buf_add_byte(out, 0);
    return alm_buf_status(out, err);
}

static const char zeros[ALM_GGUF_ALIGNMENT];

alm_status alm_gguf_writer_bytes(alm_gguf_writer *w, alm_buf *out, alm_error *err) {
    alm_status st = make_head(w, out, err);
    if (st != ALM_OK) return st;
    for (size_t i = 0; i < w->n_tensor; i++) {
        if (w->tensor[i].n_bytes) alm_buf_add(out, w->tensor[i].data, w->tensor[i].n_bytes);
        alm_buf_add(out, zeros, padding(w->tensor[i].n_bytes));
    }
    return alm_buf_status(out, err);
}

alm_status alm_gguf_writer_save(alm_gguf_writer *w, const char *path, alm_error *err) {
    alm_buf head = alm_buf_with_limit(head_limit);
    alm_write file = {0};
    alm_status st = make_head(w, &head, err);
    if (st != ALM_OK || (st = alm_write_begin(&file, path, err)) != ALM_OK) goto done;
    alm_write_add(&file, head.at, head.n);
    for (size_t i = 0; i < w->n_tensor; i++) {
        if (w->tensor[i].n_bytes) alm_write_add(&file, w->tensor[i].data, w->tensor[i].n_bytes);
        alm_write_add(&file, zeros, padding(w->tensor[i].n_bytes));
    }
    st = alm_write_commit(&file, err); /* reports the first failed add */
done:
    alm_write_abort(&file);
    alm_buf_free(&head);
    return st;
}
