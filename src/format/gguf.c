/* SPDX-License-Identifier: Apache-2.0
 *
 * gguf.c - reads the GGUF container (docs/format/gguf.md).
 *
 *     magic version n_tensors n_kv | n_kv × key type value | n_tensors × name n_dims dims type offset | pad | tensor data
 *
 * One cursor walks the head once. Every count is compared with the bytes that are left (an entry has a smallest size)
 * before anything is allocated for it, so memory stays a small multiple of the file's size whatever the file claims.
 * Values stay where they are; the reader keeps pointers.
 *
 * Invariant after a successful open: each value's and each tensor's bytes lie inside the file; keys and names occur once;
 * `by_key` and `by_name` are sorted, so a lookup is a binary search that nobody can make slow by choosing names. */
#include "format/gguf.h"

#include "base/alloc.h"
#include "base/file.h"
#include "format/builtin.h"
#include "format/format.h"

#include <stdio.h>

struct alm_gguf {
    alm_map map; /* empty when the bytes are the caller's */
    const char *name;
    alm_str bytes;
    uint32_t version, alignment;
    size_t data_from, trailing;
    size_t n_value, n_tensor;
    alm_gguf_value *value;
    alm_gguf_tensor *tensor;
    size_t *by_key, *by_name;
    alm_gguf **part; /* [n_part] the other files of a split one, whose tensors are listed here, too */
    size_t n_part;
};

/* The smallest entries that the format allows: a key of one byte with a one-byte value; a tensor without name or dims. */
enum { LEAST_KV = 8 + 1 + 4 + 1, LEAST_TENSOR = 8 + 4 + 4 + 8 };

typedef struct cursor {
    const unsigned char *at;
    size_t n, pos;
} cursor;

static size_t left(const cursor *c) { return c->n - c->pos; }

static uint32_t le32(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t le64(const unsigned char *at) { return (uint64_t)le32(at) | (uint64_t)le32(at + 4) << 32; }

static bool take32(cursor *c, uint32_t *out) {
    if (left(c) < 4) return false;
    *out = le32(c->at + c->pos), c->pos += 4;
    return true;
}

static bool take64(cursor *c, uint64_t *out) {
    if (left(c) < 8) return false;
    *out = le64(c->at + c->pos), c->pos += 8;
    return true;
}

#define REFUSE(class, ...) alm_fail(err, ALM_MALFORMED, "%s: " class ": " __VA_ARGS__)
/* Every refusal begins with the file's name, so the macro below gives it first. */
#define SAY(class, format, ...) REFUSE(class, format, g->name, __VA_ARGS__)

static alm_status truncated(const alm_gguf *g, const char *what, alm_error *err) {
    alm_fail(err, ALM_MALFORMED, "%s: truncated: the file ends after %zu bytes, inside %s", g->name, g->bytes.n, what);
    return alm_hint(err, "the copy is incomplete: fetch or write the file again"), ALM_MALFORMED;
}

/* A length and as many bytes. */
static alm_status take_string(alm_gguf *g, cursor *c, alm_str *out, const char *what, alm_error *err) {
    uint64_t n;
    if (!take64(c, &n)) return truncated(g, what, err);
    if (n > left(c))
        return SAY("bad_length", "%s at byte %zu claims %llu bytes, %zu are left", what, c->pos - 8,
                   (unsigned long long)n, left(c));
    *out = (alm_str){(const char *)c->at + c->pos, (size_t)n};
    c->pos += (size_t)n;
    return ALM_OK;
}

static size_t item_bytes(alm_gguf_type t) {
    switch (t) {
    case ALM_GGUF_U8:
    case ALM_GGUF_I8:
    case ALM_GGUF_BOOL: return 1;
    case ALM_GGUF_U16:
    case ALM_GGUF_I16: return 2;
    case ALM_GGUF_U32:
    case ALM_GGUF_I32:
    case ALM_GGUF_F32: return 4;
    case ALM_GGUF_U64:
    case ALM_GGUF_I64:
    case ALM_GGUF_F64: return 8;
    default: return 0;
    }
}

static const char *const type_name[ALM_GGUF_TYPE_COUNT] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                           "bool", "string", "array", "u64", "i64", "f64"};

/* n items of type `item` behind the cursor become v's bytes. */
static alm_status take_items(alm_gguf *g, cursor *c, alm_gguf_value *v, alm_error *err) {
    size_t from = c->pos;
    if (v->item == ALM_GGUF_STRING) {
        if (v->n > left(c) / 8)
            return SAY("bad_count", "key %.*s: %llu strings cannot lie in %zu bytes", ALM_ARG(v->key),
                       (unsigned long long)v->n, left(c));
        for (uint64_t i = 0; i < v->n; i++) {
            alm_str s;
            alm_status st = take_string(g, c, &s, "a string value", err);
            if (st != ALM_OK) return st;
        }
    } else {
        size_t each = item_bytes(v->item);
        if (v->n > left(c) / each) {
            if (v->type != ALM_GGUF_ARRAY) return truncated(g, "a value", err);
            return SAY("bad_count", "key %.*s: %llu items of %zu bytes cannot lie in %zu bytes", ALM_ARG(v->key),
                       (unsigned long long)v->n, each, left(c));
        }
        c->pos += (size_t)v->n * each;
        if (v->item == ALM_GGUF_BOOL)
            for (size_t i = from; i < c->pos; i++)
                if (c->at[i] > 1) return SAY("bad_value", "key %.*s: a bool of %u", ALM_ARG(v->key), c->at[i]);
    }
    v->at = c->at + from;
    v->n_bytes = c->pos - from;
    return ALM_OK;
}

static alm_status take_value(alm_gguf *g, cursor *c, alm_gguf_value *v, alm_error *err) {
    alm_status st = take_string(g, c, &v->key, "a key", err);
    if (st != ALM_OK) return st;
    if (v->key.n == 0 || v->key.n > ALM_GGUF_MAX_KEY || memchr(v->key.at, 0, v->key.n) || !alm_utf8_valid(v->key))
        return SAY("bad_string", "key %zu is empty, longer than %d bytes, or has a NUL or invalid UTF-8 in it",
                   g->n_value, ALM_GGUF_MAX_KEY);
    uint32_t type;
    if (!take32(c, &type)) return truncated(g, "the type of a value", err);
    if (type >= ALM_GGUF_TYPE_COUNT) return SAY("bad_type", "key %.*s has the unknown type %u", ALM_ARG(v->key), type);
    v->type = v->item = (alm_gguf_type)type;
    v->n = 1;
    if (v->type == ALM_GGUF_ARRAY) {
        if (!take32(c, &type) || !take64(c, &v->n)) return truncated(g, "the head of an array", err);
        if (type == ALM_GGUF_ARRAY) return SAY("bad_type", "key %.*s is an array of arrays", ALM_ARG(v->key));
        if (type >= ALM_GGUF_TYPE_COUNT)
            return SAY("bad_type", "key %.*s is an array of the unknown type %u", ALM_ARG(v->key), type);
        v->item = (alm_gguf_type)type;
    }
    return take_items(g, c, v, err);
}

/* ne × bytes without overflow; the file's own arithmetic is signed, so counts beyond INT64_MAX are refused as well. */
static alm_status measure(alm_gguf *g, alm_gguf_tensor *t, alm_error *err) {
    uint32_t block, block_bytes;
    const char *type = alm_gguf_tensor_type_name(t->type, &block, &block_bytes);
    if (!type) return SAY("bad_type", "tensor %.*s has the unknown type %u", ALM_ARG(t->name), t->type);
    if (t->dim[0] % block)
        return SAY("bad_shape", "tensor %.*s: a row of %llu is not made of %s blocks of %u", ALM_ARG(t->name),
                   (unsigned long long)t->dim[0], type, block);
    uint64_t items = 1, bytes;
    for (unsigned i = 0; i < ALM_GGUF_MAX_DIMS; i++)
        if (__builtin_mul_overflow(items, t->dim[i], &items) || items > INT64_MAX)
            return SAY("overflow", "tensor %.*s: the product of its dimensions overflows", ALM_ARG(t->name));
    if (__builtin_mul_overflow(items / block, (uint64_t)block_bytes, &bytes) ||
        bytes > INT64_MAX - ALM_GGUF_MAX_ALIGNMENT || bytes > SIZE_MAX - ALM_GGUF_MAX_ALIGNMENT)
        return SAY("overflow", "tensor %.*s: its size in bytes overflows", ALM_ARG(t->name));
    t->n_items = items;
    t->n_bytes = (size_t)bytes;
    return ALM_OK;
}

/* The offset waits in dim-independent form until the data section's place is known. */
static alm_status take_tensor(alm_gguf *g, cursor *c, alm_gguf_tensor *t, uint64_t *offset, alm_error *err) {
    alm_status st = take_string(g, c, &t->name, "a tensor name", err);
    if (st != ALM_OK) return st;
    if (t->name.n > ALM_GGUF_MAX_NAME || memchr(t->name.at, 0, t->name.n) || !alm_utf8_valid(t->name))
        return SAY("bad_string", "the name of tensor %zu is longer than %d bytes, or has a NUL or invalid UTF-8 in it",
                   g->n_tensor, ALM_GGUF_MAX_NAME);
    if (!take32(c, &t->n_dims)) return truncated(g, "a tensor's dimensions", err);
    if (t->n_dims > ALM_GGUF_MAX_DIMS)
        return SAY("bad_shape", "tensor %.*s has %u dimensions, the most is %d", ALM_ARG(t->name), t->n_dims,
                   ALM_GGUF_MAX_DIMS);
    for (unsigned i = 0; i < ALM_GGUF_MAX_DIMS; i++) {
        t->dim[i] = 1;
        if (i >= t->n_dims) continue;
        if (!take64(c, &t->dim[i])) return truncated(g, "a tensor's dimensions", err);
        if (t->dim[i] > INT64_MAX) return SAY("bad_shape", "tensor %.*s has a negative dimension", ALM_ARG(t->name));
    }
    if (!take32(c, &t->type) || !take64(c, offset)) return truncated(g, "a tensor's type and offset", err);
    return measure(g, t, err);
}

/* -- sorted views: heap sort, because it needs no memory and no choice of names makes it slow ------------------------ */

typedef alm_str name_of(const alm_gguf *g, size_t i);
static alm_str key_name(const alm_gguf *g, size_t i) { return g->value[i].key; }
static alm_str tensor_name(const alm_gguf *g, size_t i) { return g->tensor[i].name; }

static void sift(const alm_gguf *g, name_of *name, size_t *at, size_t i, size_t n) {
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && alm_str_cmp(name(g, at[child]), name(g, at[child + 1])) < 0) child++;
        if (alm_str_cmp(name(g, at[i]), name(g, at[child])) >= 0) return;
        size_t swap = at[i];
        at[i] = at[child], at[child] = swap;
    }
}

/* Sorts indices by name; SIZE_MAX, or an entry whose name occurs twice. */
static size_t sort_names(const alm_gguf *g, name_of *name, size_t *at, size_t n) {
    for (size_t i = 0; i < n; i++) at[i] = i;
    for (size_t i = n / 2; i-- > 0;) sift(g, name, at, i, n);
    for (size_t end = n; end-- > 1;) {
        size_t swap = at[0];
        at[0] = at[end], at[end] = swap;
        sift(g, name, at, 0, end);
    }
    for (size_t i = 1; i < n; i++)
        if (alm_str_eq(name(g, at[i - 1]), name(g, at[i]))) return at[i];
    return SIZE_MAX;
}

static size_t find(const alm_gguf *g, name_of *name, const size_t *at, size_t n, alm_str wanted) {
    for (size_t from = 0, to = n; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(name(g, at[mid]), wanted);
        if (order == 0) return at[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return SIZE_MAX;
}

/* -- opening -------------------------------------------------------------------------------------------------------- */

static alm_status read_head(alm_gguf *g, cursor *c, uint64_t *n_tensor, uint64_t *n_value, alm_error *err) {
    if (left(c) < 4) return truncated(g, "the magic", err);
    if (memcmp(c->at, "GGUF", 4) != 0)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_magic: no GGUF file (its first bytes are not GGUF)", g->name);
    c->pos = 4;
    if (!take32(c, &g->version)) return truncated(g, "the version", err);
    if (g->version != 2 && g->version != 3) {
        if (g->version != 0 && (g->version & 0xFFFF) == 0)
            alm_fail(err, ALM_UNSUPPORTED, "%s: bad_version: the file is big-endian; only little-endian GGUF is read",
                     g->name);
        else alm_fail(err, ALM_UNSUPPORTED, "%s: bad_version: GGUF version %u; 2 and 3 are read", g->name, g->version);
        return ALM_UNSUPPORTED;
    }
    if (!take64(c, n_tensor) || !take64(c, n_value)) return truncated(g, "the counts", err);
    if (*n_value > left(c) / LEAST_KV)
        return SAY("bad_count", "%llu keys cannot lie in %zu bytes", (unsigned long long)*n_value, left(c));
    if (*n_tensor > left(c) / LEAST_TENSOR)
        return SAY("bad_count", "%llu tensors cannot lie in %zu bytes", (unsigned long long)*n_tensor, left(c));
    return ALM_OK;
}

static alm_status check_general(alm_gguf *g, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, "general.architecture");
    if (v && v->type != ALM_GGUF_STRING)
        return SAY("bad_type", "general.architecture is %s, not a string", type_name[v->type]);
    g->alignment = ALM_GGUF_ALIGNMENT;
    v = alm_gguf_find(g, "general.alignment");
    if (!v) return ALM_OK;
    if (v->type != ALM_GGUF_U32) return SAY("bad_type", "general.alignment is %s, not u32", type_name[v->type]);
    g->alignment = le32(v->at);
    if (g->alignment < 8 || g->alignment > ALM_GGUF_MAX_ALIGNMENT || (g->alignment & (g->alignment - 1)))
        return SAY("bad_alignment", "general.alignment is %u: a power of two from 8 to %d is allowed", g->alignment,
                   ALM_GGUF_MAX_ALIGNMENT);
    return ALM_OK;
}

static size_t padded(size_t n, size_t alignment) { return (n + alignment - 1) & ~(alignment - 1); }

/* Tensors lie one behind the other, each padded to the alignment: so nothing overlaps and nothing hides between them. */
static alm_status place_tensors(alm_gguf *g, size_t head_end, const uint64_t *offset, alm_error *err) {
    size_t data_bytes = 0, expected = 0;
    g->data_from = g->bytes.n; /* without tensors there need not be a data section, nor the padding in front of it */
    if (head_end <= SIZE_MAX - g->alignment && padded(head_end, g->alignment) <= g->bytes.n)
        g->data_from = padded(head_end, g->alignment);
    else if (g->n_tensor) return truncated(g, "the padding in front of the tensors", err);
    data_bytes = g->bytes.n - g->data_from;
    for (size_t i = 0; i < g->n_tensor; i++) {
        alm_gguf_tensor *t = &g->tensor[i];
        if (offset[i] % g->alignment)
            return SAY("bad_alignment", "tensor %.*s at offset %llu, the alignment is %u", ALM_ARG(t->name),
                       (unsigned long long)offset[i], g->alignment);
        if (offset[i] > data_bytes || t->n_bytes > data_bytes - offset[i])
            return SAY("bad_offset",
                       "tensor %.*s of %zu bytes at offset %llu lies beyond the end of the data (%zu bytes)",
                       ALM_ARG(t->name), t->n_bytes, (unsigned long long)offset[i], data_bytes);
        if (offset[i] < expected) return SAY("overlap", "tensor %.*s shares bytes with another", ALM_ARG(t->name));
        if (offset[i] > expected)
            return SAY("bad_offset", "a hole of %llu bytes in front of tensor %.*s",
                       (unsigned long long)(offset[i] - expected), ALM_ARG(t->name));
        t->at = (const unsigned char *)g->bytes.at + g->data_from + offset[i];
        expected = padded((size_t)offset[i] + t->n_bytes, g->alignment);
    }
    g->trailing = data_bytes > expected ? data_bytes - expected : 0;
    return ALM_OK;
}

static alm_status parse(alm_gguf *g, alm_error *err) {
    cursor c = {(const unsigned char *)g->bytes.at, g->bytes.n, 0};
    uint64_t n_tensor = 0, n_value = 0, *offset = NULL;
    alm_status st = read_head(g, &c, &n_tensor, &n_value, err);
    if (st != ALM_OK) return st;
    g->value = alm_calloc((size_t)n_value, sizeof *g->value);
    g->by_key = alm_calloc((size_t)n_value, sizeof *g->by_key);
    if (!g->value || !g->by_key) return alm_fail_memory(err);
    for (; g->n_value < n_value; g->n_value++)
        if ((st = take_value(g, &c, &g->value[g->n_value], err)) != ALM_OK) return st;
    size_t twice = sort_names(g, key_name, g->by_key, g->n_value);
    if (twice != SIZE_MAX) return SAY("duplicate", "key %.*s occurs twice", ALM_ARG(g->value[twice].key));
    if ((st = check_general(g, err)) != ALM_OK) return st;

    if (n_tensor > left(&c) / LEAST_TENSOR)
        return SAY("bad_count", "%llu tensors cannot lie in %zu bytes", (unsigned long long)n_tensor, left(&c));
    g->tensor = alm_calloc((size_t)n_tensor, sizeof *g->tensor);
    g->by_name = alm_calloc((size_t)n_tensor, sizeof *g->by_name);
    offset = alm_calloc((size_t)n_tensor, sizeof *offset);
    if (!g->tensor || !g->by_name || !offset) {
        st = alm_fail_memory(err);
        goto done;
    }
    for (; g->n_tensor < n_tensor; g->n_tensor++)
        if ((st = take_tensor(g, &c, &g->tensor[g->n_tensor], &offset[g->n_tensor], err)) != ALM_OK) goto done;
    twice = sort_names(g, tensor_name, g->by_name, g->n_tensor);
    if (twice != SIZE_MAX) {
        st = SAY("duplicate", "tensor %.*s occurs twice", ALM_ARG(g->tensor[twice].name));
        goto done;
    }
    st = place_tensors(g, c.pos, offset, err);
done:
    alm_free(offset);
    return st;
}

static alm_status open_bytes(alm_gguf **out, const char *name, alm_map *map, alm_str bytes, alm_error *err) {
    alm_gguf *g = alm_calloc(1, sizeof *g);
    alm_status st;
    if (!g) {
        if (map) alm_map_close(map);
        return alm_fail_memory(err);
    }
    if (map) g->map = *map;
    g->name = name;
    g->bytes = bytes;
    st = parse(g, err);
    g->name = NULL; /* the caller's; only messages of the opening use it */
    if (st == ALM_OK) *out = g, g = NULL;
    alm_gguf_close(g);
    return st;
}

static alm_status open_file(alm_gguf **out, const char *path, alm_error *err) {
    alm_map map = {0};
    if (alm_builtin_is(path)) return alm_gguf_parse(out, path, alm_builtin_bytes(), err);
    alm_status st = alm_map_open(&map, path, err);
    if (st != ALM_OK) return st;
    return open_bytes(out, path, &map, (alm_str){(const char *)map.at, map.n}, err);
}

/* -- split files: NAME-00001-of-00003.gguf and its neighbours are one ------------------------------------------------ */

enum { MAX_PARTS = 10000, PART_END = 20 /* "-00001-of-00003.gguf" */ };

static bool digits(const char *at) {
    for (int i = 0; i < 5; i++)
        if (at[i] < '0' || at[i] > '9') return false;
    return true;
}

/* Where the number of the part stands in the path, or SIZE_MAX: then it is no name of a part. */
static size_t part_at(alm_str path) {
    const char *end = path.at + path.n - PART_END;
    if (path.n <= PART_END || !digits(end + 1) || !digits(end + 10) || *end != '-') return SIZE_MAX;
    if (memcmp(end + 6, "-of-", 4) != 0 || memcmp(end + 15, ".gguf", 5) != 0) return SIZE_MAX;
    return path.n - PART_END + 1;
}

static alm_status open_part(alm_gguf **out, const char *path, size_t at, uint64_t no, uint64_t count, alm_error *err) {
    char number[8];
    uint64_t is_no = 0, is_count = 0;
    alm_buf name = alm_buf_with_limit(1 << 16);
    snprintf(number, sizeof number, "%05u", (unsigned)(no + 1));
    alm_buf_add(&name, path, at);
    alm_buf_add(&name, number, 5);
    alm_buf_add_text(&name, path + at + 5);
    alm_status st = alm_buf_text(&name) ? ALM_OK : alm_buf_status(&name, err);
    if (st == ALM_OK && !alm_file_exists(name.at))
        st = alm_fail(err, ALM_NOT_FOUND, "%s: missing_part: %s is not there", path, name.at);
    if (st == ALM_OK) st = open_file(out, name.at, err);
    if (st == ALM_OK && (alm_gguf_u64(*out, "split.no", &is_no, NULL) != ALM_OK || is_no != no ||
                         alm_gguf_u64(*out, "split.count", &is_count, NULL) != ALM_OK || is_count != count)) {
        st = alm_fail(err, ALM_MALFORMED, "%s: bad_header: it does not say that it is part %llu of %llu", name.at,
                      (unsigned long long)no + 1, (unsigned long long)count);
        alm_gguf_close(*out);
        *out = NULL;
    }
    alm_buf_free(&name);
    return st;
}

/* The tensors of all parts in one list, in the order of the parts. */
static alm_status join(alm_gguf *g, const char *path, alm_error *err) {
    size_t n = g->n_tensor;
    uint64_t promised = 0;
    for (size_t i = 0; i < g->n_part; i++) n += g->part[i]->n_tensor;
    alm_gguf_tensor *tensor = alm_calloc(n, sizeof *tensor);
    size_t *by_name = alm_calloc(n, sizeof *by_name);
    if (!tensor || !by_name) return alm_free(tensor), alm_free(by_name), alm_fail_memory(err);
    if (g->n_tensor) memcpy(tensor, g->tensor, g->n_tensor * sizeof *tensor);
    for (size_t i = 0, at = g->n_tensor; i < g->n_part; at += g->part[i++]->n_tensor)
        if (g->part[i]->n_tensor) memcpy(tensor + at, g->part[i]->tensor, g->part[i]->n_tensor * sizeof *tensor);
    alm_free(g->tensor);
    alm_free(g->by_name);
    g->tensor = tensor, g->by_name = by_name, g->n_tensor = n;
    size_t twice = sort_names(g, tensor_name, g->by_name, n);
    if (twice != SIZE_MAX)
        return alm_fail(err, ALM_MALFORMED, "%s: duplicate: tensor %.*s lies in two parts", path,
                        ALM_ARG(g->tensor[twice].name));
    if (alm_gguf_u64(g, "split.tensors.count", &promised, NULL) == ALM_OK && promised != n)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_count: the parts hold %zu tensors, %llu are promised", path, n,
                        (unsigned long long)promised);
    return ALM_OK;
}

/* All parts of the file that `path` is one of; what the first says of the model counts. */
static alm_status open_parts(alm_gguf **out, const char *path, uint64_t count, alm_error *err) {
    size_t at = part_at(alm_str_of(path));
    uint64_t of = 0;
    alm_gguf *g = NULL;
    if (at == SIZE_MAX || !alm_str_to_u64((alm_str){path + at + 9, 5}, &of) || of != count) {
        alm_fail(err, ALM_NOT_FOUND,
                 "%s: missing_part: one of %llu parts, and its name does not say where the others are", path,
                 (unsigned long long)count);
        alm_hint(err, "parts are called NAME-00001-of-%05u.gguf and so on", (unsigned)count);
        return ALM_NOT_FOUND;
    }
    if (count > MAX_PARTS) return alm_fail(err, ALM_LIMIT, "%s: bad_count: more than %d parts", path, MAX_PARTS);
    alm_status st = open_part(&g, path, at, 0, count, err);
    if (st != ALM_OK) return st;
    g->part = alm_calloc((size_t)count - 1, sizeof(alm_gguf *));
    if (!g->part) st = alm_fail_memory(err);
    for (uint64_t i = 1; st == ALM_OK && i < count; i++) {
        st = open_part(&g->part[g->n_part], path, at, i, count, err);
        if (st == ALM_OK) g->n_part++;
    }
    if (st == ALM_OK) st = join(g, path, err);
    if (st == ALM_OK) *out = g, g = NULL;
    alm_gguf_close(g);
    return st;
}

alm_status alm_gguf_open(alm_gguf **out, const char *path, alm_error *err) {
    uint64_t count = 0;
    alm_gguf *g = NULL;
    alm_status st = open_file(&g, path, err);
    if (st != ALM_OK) return st;
    if (alm_gguf_u64(g, "split.count", &count, NULL) != ALM_OK || count < 2) return *out = g, ALM_OK;
    alm_gguf_close(g);
    return open_parts(out, path, count, err);
}

alm_status alm_gguf_parse(alm_gguf **out, const char *name, alm_str bytes, alm_error *err) {
    return open_bytes(out, name, NULL, bytes, err);
}

void alm_gguf_close(alm_gguf *g) {
    if (!g) return;
    alm_free(g->value);
    alm_free(g->by_key);
    alm_free(g->tensor);
    alm_free(g->by_name);
    for (size_t i = 0; i < g->n_part; i++) alm_gguf_close(g->part[i]);
    alm_free(g->part);
    if (g->map.at) alm_map_close(&g->map);
    alm_free(g);
}

static bool probe(alm_str head) { return head.n >= 4 && memcmp(head.at, "GGUF", 4) == 0; }

const alm_format alm_format_gguf = {"gguf", "GGUF", ".gguf", ALM_FORMAT_READ | ALM_FORMAT_WRITE, probe};

/* -- looking -------------------------------------------------------------------------------------------------------- */

uint32_t alm_gguf_version(const alm_gguf *g) { return g->version; }
uint32_t alm_gguf_alignment(const alm_gguf *g) { return g->alignment; }
size_t alm_gguf_trailing(const alm_gguf *g) { return g->trailing; }
size_t alm_gguf_value_count(const alm_gguf *g) { return g->n_value; }
const alm_gguf_value *alm_gguf_value_at(const alm_gguf *g, size_t i) { return &g->value[i]; }
size_t alm_gguf_tensor_count(const alm_gguf *g) { return g->n_tensor; }
const alm_gguf_tensor *alm_gguf_tensor_at(const alm_gguf *g, size_t i) { return &g->tensor[i]; }

const alm_gguf_value *alm_gguf_find(const alm_gguf *g, const char *key) {
    size_t i = find(g, key_name, g->by_key, g->n_value, alm_str_of(key));
    return i == SIZE_MAX ? NULL : &g->value[i];
}

const alm_gguf_tensor *alm_gguf_find_tensor(const alm_gguf *g, const char *name) {
    size_t i = find(g, tensor_name, g->by_name, g->n_tensor, alm_str_of(name));
    return i == SIZE_MAX ? NULL : &g->tensor[i];
}

static uint64_t little(const unsigned char *at, size_t n) {
    uint64_t x = 0;
    for (size_t i = n; i-- > 0;) x = x << 8 | at[i];
    return x;
}

uint64_t alm_gguf_item_u64(const alm_gguf_value *v, uint64_t i) {
    size_t n = item_bytes(v->item);
    uint64_t x = little(v->at + i * n, n);
    bool is_signed = v->item == ALM_GGUF_I8 || v->item == ALM_GGUF_I16 || v->item == ALM_GGUF_I32;
    if (is_signed && x >> (8 * n - 1)) x |= ~UINT64_C(0) << (8 * n);
    return x;
}

double alm_gguf_item_f64(const alm_gguf_value *v, uint64_t i) {
    if (v->item == ALM_GGUF_F32) {
        uint32_t bits = le32(v->at + 4 * i);
        float x;
        memcpy(&x, &bits, 4);
        return (double)x;
    }
    if (v->item == ALM_GGUF_F64) {
        uint64_t bits = le64(v->at + 8 * i);
        double x;
        memcpy(&x, &bits, 8);
        return x;
    }
    uint64_t x = alm_gguf_item_u64(v, i);
    bool is_signed =
        v->item == ALM_GGUF_I8 || v->item == ALM_GGUF_I16 || v->item == ALM_GGUF_I32 || v->item == ALM_GGUF_I64;
    return is_signed ? (double)(int64_t)x : (double)x;
}

bool alm_gguf_next_str(const alm_gguf_value *v, size_t *offset, alm_str *out) {
    if (v->item != ALM_GGUF_STRING || *offset >= v->n_bytes) return false;
    size_t n = (size_t)le64(v->at + *offset); /* inside: checked when the file was opened */
    *out = (alm_str){(const char *)v->at + *offset + 8, n};
    *offset += 8 + n;
    return true;
}

static bool is_integer(alm_gguf_type t) { return t <= ALM_GGUF_I32 || t == ALM_GGUF_U64 || t == ALM_GGUF_I64; }
static bool is_signed(alm_gguf_type t) {
    return t == ALM_GGUF_I8 || t == ALM_GGUF_I16 || t == ALM_GGUF_I32 || t == ALM_GGUF_I64;
}

static alm_status missing(const char *key, alm_error *err) {
    return alm_fail(err, ALM_NOT_FOUND, "the file has no key %s", key);
}

static alm_status other_type(const alm_gguf_value *v, const char *wanted, alm_error *err) {
    return alm_fail(err, ALM_MISMATCH, "key %.*s is %s%s, not %s", ALM_ARG(v->key),
                    v->type == ALM_GGUF_ARRAY ? "an array of " : "", type_name[v->item], wanted);
}

alm_status alm_gguf_u64(const alm_gguf *g, const char *key, uint64_t *out, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (!is_integer(v->type)) return other_type(v, "an integer", err);
    uint64_t x = alm_gguf_item_u64(v, 0);
    if (is_signed(v->type) && x > INT64_MAX) return other_type(v, "an integer of at least 0", err);
    return *out = x, ALM_OK;
}

alm_status alm_gguf_i64(const alm_gguf *g, const char *key, int64_t *out, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (!is_integer(v->type)) return other_type(v, "an integer", err);
    uint64_t x = alm_gguf_item_u64(v, 0);
    if (v->type == ALM_GGUF_U64 && x > INT64_MAX) return other_type(v, "an integer below 2^63", err);
    return *out = (int64_t)x, ALM_OK;
}

alm_status alm_gguf_f64(const alm_gguf *g, const char *key, double *out, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (!is_integer(v->type) && v->type != ALM_GGUF_F32 && v->type != ALM_GGUF_F64)
        return other_type(v, "a number", err);
    double x = alm_gguf_item_f64(v, 0);
    if (is_integer(v->type) && !(x >= -9007199254740992.0 && x <= 9007199254740992.0))
        return other_type(v, "a number that a double holds exactly", err);
    return *out = x, ALM_OK;
}

alm_status alm_gguf_bool(const alm_gguf *g, const char *key, bool *out, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (v->type != ALM_GGUF_BOOL) return other_type(v, "bool", err);
    return *out = v->at[0] != 0, ALM_OK;
}

alm_status alm_gguf_str(const alm_gguf *g, const char *key, alm_str *out, alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (v->type != ALM_GGUF_STRING) return other_type(v, "a string", err);
    size_t offset = 0;
    (void)alm_gguf_next_str(v, &offset, out);
    return ALM_OK;
}

alm_status alm_gguf_array(const alm_gguf *g, const char *key, alm_gguf_type item, const alm_gguf_value **out,
                          alm_error *err) {
    const alm_gguf_value *v = alm_gguf_find(g, key);
    if (!v) return missing(key, err);
    if (v->type != ALM_GGUF_ARRAY || v->item != item) {
        char wanted[32] = "an array of ";
        strcat(wanted, item < ALM_GGUF_TYPE_COUNT ? type_name[item] : "?");
        return other_type(v, wanted, err);
    }
    return *out = v, ALM_OK;
}

alm_status alm_gguf_tensor_get(const alm_gguf *g, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dim,
                               const alm_gguf_tensor **out, alm_error *err) {
    const alm_gguf_tensor *t = alm_gguf_find_tensor(g, name);
    if (!t) return alm_fail(err, ALM_NOT_FOUND, "the file has no tensor %s", name);
    const char *has = alm_gguf_tensor_type_name(t->type, NULL, NULL),
               *wants = alm_gguf_tensor_type_name(type, NULL, NULL);
    if (t->type != type)
        return alm_fail(err, ALM_MISMATCH, "tensor %s is %s, not %s", name, has, wants ? wants : "of that type");
    if (t->n_dims != n_dims)
        return alm_fail(err, ALM_MISMATCH, "tensor %s has %u dimensions, not %u", name, t->n_dims, n_dims);
    for (uint32_t i = 0; i < n_dims; i++)
        if (dim[i] != UINT64_MAX && t->dim[i] != dim[i])
            return alm_fail(err, ALM_MISMATCH, "tensor %s: dimension %u is %llu, not %llu", name, i,
                            (unsigned long long)t->dim[i], (unsigned long long)dim[i]);
    return *out = t, ALM_OK;
}

/* -- tensor types ---------------------------------------------------------------------------------------------------- */

typedef struct tensor_type {
    const char *name;
    uint32_t block, block_bytes;
} tensor_type;

/* By their number in the file; a number without a row was withdrawn by the format. */
static const tensor_type tensor_types[] = {
    [0] = {"F32", 1, 4},         [1] = {"F16", 1, 2},         [2] = {"Q4_0", 32, 18},      [3] = {"Q4_1", 32, 20},
    [6] = {"Q5_0", 32, 22},      [7] = {"Q5_1", 32, 24},      [8] = {"Q8_0", 32, 34},      [9] = {"Q8_1", 32, 36},
    [10] = {"Q2_K", 256, 84},    [11] = {"Q3_K", 256, 110},   [12] = {"Q4_K", 256, 144},   [13] = {"Q5_K", 256, 176},
    [14] = {"Q6_K", 256, 210},   [15] = {"Q8_K", 256, 292},   [16] = {"IQ2_XXS", 256, 66}, [17] = {"IQ2_XS", 256, 74},
    [18] = {"IQ3_XXS", 256, 98}, [19] = {"IQ1_S", 256, 50},   [20] = {"IQ4_NL", 32, 18},   [21] = {"IQ3_S", 256, 110},
    [22] = {"IQ2_S", 256, 82},   [23] = {"IQ4_XS", 256, 136}, [24] = {"I8", 1, 1},         [25] = {"I16", 1, 2},
    [26] = {"I32", 1, 4},        [27] = {"I64", 1, 8},        [28] = {"F64", 1, 8},        [29] = {"IQ1_M", 256, 56},
    [30] = {"BF16", 1, 2},       [34] = {"TQ1_0", 256, 54},   [35] = {"TQ2_0", 256, 66},   [39] = {"MXFP4", 32, 17},
};

const char *alm_gguf_tensor_type_name(uint32_t type, uint32_t *block, uint32_t *block_bytes) {
    if (type >= sizeof tensor_types / sizeof *tensor_types || !tensor_types[type].name) return NULL;
    if (block) *block = tensor_types[type].block;
    if (block_bytes) *block_bytes = tensor_types[type].block_bytes;
    return tensor_types[type].name;
}
