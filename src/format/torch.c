/* SPDX-License-Identifier: Apache-2.0
 *
 * torch.c - from PyTorch's files to named tensors (docs/format/torch.md).
 *
 *     zip:    NAME/data.pkl (the objects)   NAME/data/KEY (a storage each)   NAME/version   NAME/byteorder   ...
 *     older:  pickle: magic | pickle: 1001 | pickle: machine | pickle: the objects | pickle: [KEY, ...] | u64 n, items | ...
 *
 * The objects name their storages by persistent ids: ("storage", torch.FloatStorage, KEY, device, n items). First every
 * storage that is named is found and held against its size, then the objects are walked, and each call of a function that
 * rebuilds a tensor becomes one: bytes of a storage, seen through an offset, a shape and strides.
 *
 * Invariant: a tensor's bytes lie in its storage, or in a copy that belongs to the reader. */
#include "format/torch.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/sort.h"
#include "format/format.h"
#include "format/pickle.h"
#include "format/zip.h"

#include <stdio.h>

enum { PROTOCOL = 1001, LARGE_COPY = 16 << 20 };
static const char magic[10] = {'\x6C', '\xFC', '\x9C', '\x46', '\xF9', '\x20', '\x6A', '\xA8', '\x50', '\x19'};

typedef struct storage {
    alm_str key;
    int item; /* alm_safetensors_type, or ALM_PICKLE_ITEM_RAW */
    uint64_t n_items;
    const unsigned char *at; /* NULL until it is found */
    size_t n_bytes;
} storage;

struct alm_torch {
    alm_map map; /* empty when the bytes are the caller's */
    const char *name;
    alm_str bytes;
    alm_zip *zip;
    alm_pickle *pickle; /* the objects */
    alm_arena *arena;   /* names; copies of views */
    size_t n_copied;
    storage *storage; /* sorted by key */
    size_t n_storage, storage_cap;
    alm_safetensors_tensor *tensor;
    size_t n_tensor, cap;
    alm_buf path; /* while walking */
};

typedef alm_pickle_value value;

#define FAIL(status, class, ...) alm_fail(err, status, "%s: " class ": " __VA_ARGS__)
#define SAY(class, ...)          FAIL(ALM_MALFORMED, class, __VA_ARGS__)

static size_t item_bytes(int item) {
    return item == ALM_PICKLE_ITEM_RAW ? 1 : alm_safetensors_type_bits((alm_safetensors_type)item) / 8;
}

/* -- storages: what the objects say of them ---------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b) {
    const storage *x = a, *y = b;
    return alm_str_cmp(x->key, y->key);
}

static storage *find_storage(const alm_torch *t, alm_str key) {
    for (size_t from = 0, to = t->n_storage; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(t->storage[mid].key, key);
        if (order == 0) return &t->storage[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return NULL;
}

/* Keys become names of entries: they must be words. */
static bool is_word(alm_str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'))
            return false;
    }
    return s.n > 0 && s.n <= 64;
}

static alm_status read_id(const alm_torch *t, const value *id, storage *out, alm_error *err) {
    if (id->kind != ALM_PICKLE_TUPLE || id->n < 5 || id->item[0]->kind != ALM_PICKLE_STRING ||
        !alm_str_eq(id->item[0]->s, ALM_STR("storage")) || id->item[1]->kind != ALM_PICKLE_GLOBAL ||
        id->item[2]->kind != ALM_PICKLE_STRING || id->item[4]->kind != ALM_PICKLE_INT)
        return SAY("bad_pickle", "a reference that is no storage", t->name);
    if (id->item[1]->global->item == ALM_PICKLE_ITEM_NONE)
        return SAY("bad_type", "%s.%s is no type of a storage", t->name, id->item[1]->global->module,
                   id->item[1]->global->name);
    if (!is_word(id->item[2]->s))
        return FAIL(ALM_REFUSED, "path_escape", "the storage %.*s is no plain key", t->name,
                    ALM_ARG(alm_str_slice(id->item[2]->s, 0, 100)));
    if (id->item[4]->i < 0) return SAY("bad_count", "a storage of %lld items", t->name, (long long)id->item[4]->i);
    if (id->n > 6 || (id->n == 6 && id->item[5]->kind != ALM_PICKLE_NONE))
        return FAIL(ALM_UNSUPPORTED, "unsupported", "a storage that is a view of another (PyTorch before 0.4)",
                    t->name);
    *out = (storage){.key = id->item[2]->s, .item = id->item[1]->global->item, .n_items = (uint64_t)id->item[4]->i};
    return ALM_OK;
}

static alm_status list_storages(alm_torch *t, alm_error *err) {
    size_t n = alm_pickle_persistent_count(t->pickle), kept = 0;
    if (!alm_grow((void **)&t->storage, &t->storage_cap, n, sizeof *t->storage)) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        alm_status st = read_id(t, alm_pickle_persistent_at(t->pickle, i)->item[0], &t->storage[i], err);
        if (st != ALM_OK) return st;
    }
    alm_sort(t->storage, n, sizeof *t->storage, by_key);
    for (size_t i = 0; i < n; i++) {
        const storage *s = &t->storage[i], *last = kept ? &t->storage[kept - 1] : NULL;
        if (!last || !alm_str_eq(last->key, s->key)) t->storage[kept++] = *s;
        else if (last->item != s->item || last->n_items != s->n_items)
            return SAY("bad_value", "storage %.*s is described in two ways", t->name, ALM_ARG(s->key));
    }
    t->n_storage = kept;
    return ALM_OK;
}

/* So many bytes are there; the objects promise as many. */
static alm_status give_bytes(const alm_torch *t, storage *s, const unsigned char *at, uint64_t n, alm_error *err) {
    uint64_t want;
    if (__builtin_mul_overflow(s->n_items, item_bytes(s->item), &want) || want > SIZE_MAX)
        return SAY("bad_count", "storage %.*s claims %llu items", t->name, ALM_ARG(s->key),
                   (unsigned long long)s->n_items);
    if (n < want)
        return SAY("truncated", "storage %.*s should have %llu bytes, %llu are there", t->name, ALM_ARG(s->key),
                   (unsigned long long)want, (unsigned long long)n);
    if (n > want)
        return SAY("bad_length", "storage %.*s should have %llu bytes, %llu are there", t->name, ALM_ARG(s->key),
                   (unsigned long long)want, (unsigned long long)n);
    s->at = at;
    s->n_bytes = (size_t)n;
    return ALM_OK;
}

/* -- the zip form --------------------------------------------------------------------------------------------------------------- */

static alm_status find_objects(alm_torch *t, const alm_zip_entry **out, alm_str *root, alm_error *err) {
    *out = NULL;
    for (size_t i = 0; i < alm_zip_count(t->zip); i++) {
        const alm_zip_entry *e = alm_zip_at(t->zip, i);
        size_t slash = alm_str_find_byte(e->name, '/');
        if (slash == SIZE_MAX || !alm_str_eq(alm_str_slice(e->name, slash + 1, e->name.n), ALM_STR("data.pkl")))
            continue;
        if (*out) return SAY("duplicate", "two data.pkl in one archive", t->name);
        *out = e;
        *root = alm_str_slice(e->name, 0, slash + 1);
    }
    return *out
               ? ALM_OK
               : FAIL(ALM_NOT_FOUND, "missing_part", "a zip archive without data.pkl: not written by PyTorch", t->name);
}

/* What else lies in the archive may not be something that another reader would run. */
static alm_status check_entries(const alm_torch *t, const alm_zip_entry *objects, alm_str root, alm_error *err) {
    for (size_t i = 0; i < alm_zip_count(t->zip); i++) {
        const alm_zip_entry *e = alm_zip_at(t->zip, i);
        if (!alm_str_starts(e->name, root))
            return SAY("bad_zip", "%.*s lies beside the folder %.*s", t->name, ALM_ARG(e->name), ALM_ARG(root));
        alm_str name = alm_str_slice(e->name, root.n, e->name.n);
        if (alm_str_starts(name, ALM_STR("code/")) || alm_str_eq(name, ALM_STR("constants.pkl"))) {
            FAIL(ALM_REFUSED, "unsafe_code", "a TorchScript archive: it holds a program", t->name);
            return alm_hint(err, "its weights can be saved as a state dict, or as safetensors"), ALM_REFUSED;
        }
        if (e != objects && (alm_str_ends(name, ALM_STR(".pkl")) || alm_str_ends(name, ALM_STR(".pickle"))))
            return FAIL(ALM_REFUSED, "unsafe_code", "a second pickle lies in the archive: %.*s", t->name,
                        ALM_ARG(e->name));
    }
    return ALM_OK;
}

/* An entry under the root, or NULL; names are short. */
static const alm_zip_entry *entry_named(const alm_torch *t, alm_str root, const char *folder, alm_str name) {
    char path[5000];
    int n = snprintf(path, sizeof path, "%.*s%s%.*s", ALM_ARG(root), folder, ALM_ARG(name));
    return n > 0 && (size_t)n < sizeof path ? alm_zip_find(t->zip, (alm_str){path, (size_t)n}) : NULL;
}

static alm_status check_stored(const alm_torch *t, const alm_zip_entry *e, alm_error *err) {
    if (e->method == ALM_ZIP_STORED) return ALM_OK;
    FAIL(ALM_UNSUPPORTED, "unsupported", "%.*s is compressed; PyTorch stores", t->name, ALM_ARG(e->name));
    return alm_hint(err, "unpack it and zip it again without compression (zip -0)"), ALM_UNSUPPORTED;
}

static alm_status check_order(const alm_torch *t, alm_str root, alm_error *err) {
    const alm_zip_entry *e = entry_named(t, root, "", ALM_STR("byteorder"));
    if (!e || (e->method == ALM_ZIP_STORED && e->n_packed == 6 && memcmp(e->at, "little", 6) == 0)) return ALM_OK;
    return FAIL(ALM_UNSUPPORTED, "unsupported", "the numbers are not little-endian", t->name);
}

static alm_status open_zip(alm_torch *t, alm_error *err) {
    const alm_zip_entry *objects = NULL;
    alm_str root = {0};
    alm_status st = alm_zip_parse(&t->zip, t->name, t->bytes, err);
    if (st == ALM_OK) st = find_objects(t, &objects, &root, err);
    if (st == ALM_OK) st = check_entries(t, objects, root, err);
    if (st == ALM_OK) st = check_stored(t, objects, err);
    if (st == ALM_OK) st = alm_zip_check(t->zip, objects, err);
    if (st == ALM_OK) st = check_order(t, root, err);
    if (st == ALM_OK)
        st = alm_pickle_parse(&t->pickle, t->name, (alm_str){(const char *)objects->at, objects->n_packed}, NULL, err);
    if (st == ALM_OK) st = list_storages(t, err);
    for (size_t i = 0; st == ALM_OK && i < t->n_storage; i++) {
        storage *s = &t->storage[i];
        const alm_zip_entry *e = entry_named(t, root, "data/", s->key);
        if (!e)
            return FAIL(ALM_NOT_FOUND, "missing_part", "storage %.*s is not in the archive", t->name, ALM_ARG(s->key));
        st = check_stored(t, e, err);
        if (st == ALM_OK) st = give_bytes(t, s, e->at, e->n_packed, err);
    }
    return st;
}

/* -- the form before 1.6 ---------------------------------------------------------------------------------------------------------- */

/* The pickle that begins at *at, which moves behind it. */
static alm_status next_pickle(const alm_torch *t, alm_pickle **out, size_t *at, alm_error *err) {
    size_t used = 0;
    alm_status st = alm_pickle_parse(out, t->name, alm_str_slice(t->bytes, *at, t->bytes.n), &used, err);
    if (st == ALM_OK) *at += used;
    return st;
}

static bool is_magic(const value *v) {
    return v->kind == ALM_PICKLE_LONG && alm_str_eq(v->s, (alm_str){magic, sizeof magic});
}

/* Protocol and machine. */
static alm_status check_machine(const alm_torch *t, size_t *at, alm_error *err) {
    alm_pickle *p = NULL;
    alm_status st = next_pickle(t, &p, at, err);
    if (st == ALM_OK) {
        const value *v = alm_pickle_root(p);
        if (v->kind != ALM_PICKLE_INT || v->i != PROTOCOL)
            st = FAIL(ALM_UNSUPPORTED, "bad_version", "not protocol %d of PyTorch's older form", t->name, PROTOCOL);
    }
    alm_pickle_free(p);
    p = NULL;
    if (st == ALM_OK) st = next_pickle(t, &p, at, err);
    if (st == ALM_OK) {
        const value *little = alm_pickle_get(alm_pickle_root(p), "little_endian");
        if (!little || little->kind != ALM_PICKLE_BOOL)
            st = SAY("bad_header", "nothing is said of the order of bytes", t->name);
        else if (!little->i) st = FAIL(ALM_UNSUPPORTED, "unsupported", "the numbers are not little-endian", t->name);
    }
    alm_pickle_free(p);
    return st;
}

static alm_status take_data(alm_torch *t, const value *keys, size_t at, alm_error *err) {
    if (keys->kind != ALM_PICKLE_LIST) return SAY("bad_pickle", "the keys of the storages are no list", t->name);
    for (uint32_t i = 0; i < keys->n; i++) {
        storage *s = keys->item[i]->kind == ALM_PICKLE_STRING ? find_storage(t, keys->item[i]->s) : NULL;
        if (!s || s->at) return SAY("bad_pickle", "the keys of the storages are not those of the objects", t->name);
        if (t->bytes.n - at < 8) return SAY("truncated", "the file ends before storage %.*s", t->name, ALM_ARG(s->key));
        uint64_t n = 0, n_bytes;
        for (size_t k = 8; k-- > 0;) n = n << 8 | (unsigned char)t->bytes.at[at + k];
        at += 8;
        if (n != s->n_items)
            return SAY("bad_count", "storage %.*s has %llu items, the objects say %llu", t->name, ALM_ARG(s->key),
                       (unsigned long long)n, (unsigned long long)s->n_items);
        if (__builtin_mul_overflow(n, item_bytes(s->item), &n_bytes))
            return SAY("bad_count", "storage %.*s claims %llu items", t->name, ALM_ARG(s->key), (unsigned long long)n);
        uint64_t rest = t->bytes.n - at;
        alm_status st = give_bytes(t, s, (const unsigned char *)t->bytes.at + at, n_bytes < rest ? n_bytes : rest, err);
        if (st != ALM_OK) return st;
        at += s->n_bytes;
    }
    if (at < t->bytes.n) return SAY("trailing_data", "%zu bytes belong to no storage", t->name, t->bytes.n - at);
    return ALM_OK;
}

static alm_status open_legacy(alm_torch *t, size_t at, alm_error *err) {
    alm_pickle *keys = NULL;
    alm_status st = check_machine(t, &at, err);
    if (st == ALM_OK) st = next_pickle(t, &t->pickle, &at, err);
    if (st == ALM_OK) st = list_storages(t, err);
    if (st == ALM_OK) st = next_pickle(t, &keys, &at, err);
    if (st == ALM_OK) st = take_data(t, alm_pickle_root(keys), at, err);
    alm_pickle_free(keys);
    return st;
}

/* Pickles in a row, or one alone. */
static alm_status open_pickle(alm_torch *t, alm_error *err) {
    alm_pickle *first = NULL;
    size_t at = 0;
    alm_status st = next_pickle(t, &first, &at, err);
    if (st != ALM_OK) return st;
    if (is_magic(alm_pickle_root(first))) {
        alm_pickle_free(first);
        return open_legacy(t, at, err);
    }
    t->pickle = first;
    if (at < t->bytes.n)
        return FAIL(ALM_REFUSED, "unsafe_code", "%zu bytes lie behind the pickle's end, where a second one could hide",
                    t->name, t->bytes.n - at);
    return list_storages(t, err);
}

/* -- tensors ------------------------------------------------------------------------------------------------------------------------- */

/* Row by row, in the order of the shape? */
static bool is_contiguous(const alm_safetensors_tensor *x, const uint64_t *stride) {
    uint64_t expected = 1;
    for (uint32_t k = x->n_dims; k-- > 0;) {
        if (x->dim[k] == 1) continue;
        if (stride[k] != expected) return false;
        expected *= x->dim[k];
    }
    return true;
}

/* The items of a view in the order of its shape; every place was checked. */
static void gather(unsigned char *to, const unsigned char *from, const alm_safetensors_tensor *x,
                   const uint64_t *stride, size_t bytes) {
    uint64_t at[ALM_SAFETENSORS_MAX_DIMS] = {0};
    for (uint64_t i = 0; i < x->n_items; i++) {
        uint64_t place = 0;
        for (uint32_t k = 0; k < x->n_dims; k++) place += at[k] * stride[k];
        memcpy(to + i * bytes, from + place * bytes, bytes);
        for (uint32_t k = x->n_dims; k-- > 0 && ++at[k] == x->dim[k];) at[k] = 0;
    }
}

static alm_status copy_view(alm_torch *t, alm_safetensors_tensor *x, const uint64_t *stride, alm_error *err) {
    if (x->n_bytes > t->bytes.n + LARGE_COPY - t->n_copied)
        return FAIL(ALM_LIMIT, "too_large", "tensor %.*s repeats its storage: %zu bytes when it is laid out", t->name,
                    ALM_ARG(x->name), x->n_bytes);
    unsigned char *at = alm_arena_alloc(t->arena, x->n_bytes, 64);
    if (!at) return alm_fail_memory(err);
    gather(at, x->at, x, stride, alm_safetensors_type_bits(x->type) / 8);
    t->n_copied += x->n_bytes;
    x->at = at;
    return ALM_OK;
}

static alm_status take_sizes(const alm_torch *t, alm_safetensors_tensor *x, uint64_t *stride, const value *sizes,
                             const value *strides, alm_error *err) {
    if (sizes->kind != ALM_PICKLE_TUPLE || strides->kind != ALM_PICKLE_TUPLE || sizes->n != strides->n)
        return SAY("bad_shape", "tensor %.*s: sizes and strides do not fit", t->name, ALM_ARG(x->name));
    if (sizes->n > ALM_SAFETENSORS_MAX_DIMS)
        return SAY("bad_shape", "tensor %.*s has %u dimensions, the most is %d", t->name, ALM_ARG(x->name), sizes->n,
                   ALM_SAFETENSORS_MAX_DIMS);
    x->n_dims = sizes->n;
    x->n_items = 1;
    for (uint32_t k = 0; k < ALM_SAFETENSORS_MAX_DIMS; k++) x->dim[k] = 1;
    for (uint32_t k = 0; k < sizes->n; k++) {
        const value *d = sizes->item[k], *s = strides->item[k];
        if (d->kind != ALM_PICKLE_INT || s->kind != ALM_PICKLE_INT || d->i < 0 || s->i < 0)
            return SAY("bad_shape", "tensor %.*s: a size or stride that is no count", t->name, ALM_ARG(x->name));
        x->dim[k] = (uint64_t)d->i;
        stride[k] = (uint64_t)s->i;
        if (__builtin_mul_overflow(x->n_items, x->dim[k], &x->n_items) || x->n_items > INT64_MAX / 64)
            return SAY("overflow", "tensor %.*s: the product of its sizes overflows", t->name, ALM_ARG(x->name));
    }
    return ALM_OK;
}

/* Lays shape, strides and offset over the storage. */
static alm_status place(alm_torch *t, alm_safetensors_tensor *x, const uint64_t *stride, const storage *s,
                        const value *offset, alm_error *err) {
    size_t bytes = alm_safetensors_type_bits(x->type) / 8;
    uint64_t there = s->n_bytes / bytes, last = 0;
    if (offset->kind != ALM_PICKLE_INT || offset->i < 0)
        return SAY("bad_offset", "tensor %.*s begins before its storage", t->name, ALM_ARG(x->name));
    x->n_bytes = (size_t)x->n_items * bytes;
    x->at = s->at;
    if (x->n_items == 0) return ALM_OK;
    for (uint32_t k = 0; k < x->n_dims; k++) {
        uint64_t reach;
        if (__builtin_mul_overflow(x->dim[k] - 1, stride[k], &reach) || __builtin_add_overflow(last, reach, &last) ||
            last >= there)
            return SAY("bad_shape", "tensor %.*s reaches beyond its storage of %llu items", t->name, ALM_ARG(x->name),
                       (unsigned long long)there);
    }
    if (last >= there || (uint64_t)offset->i > there - 1 - last)
        return SAY("bad_offset", "tensor %.*s begins at item %lld and ends beyond its storage of %llu items", t->name,
                   ALM_ARG(x->name), (long long)offset->i, (unsigned long long)there);
    x->at = s->at + (size_t)offset->i * bytes;
    return is_contiguous(x, stride) ? ALM_OK : copy_view(t, x, stride, err);
}

static alm_status name_tensor(alm_torch *t, alm_safetensors_tensor *x, alm_error *err) {
    alm_status st = alm_buf_status(&t->path, err);
    if (st == ALM_LIMIT) return SAY("bad_string", "a tensor's name of more than %d bytes", t->name, ALM_TORCH_MAX_NAME);
    if (st != ALM_OK) return st;
    alm_str path = t->path.n ? alm_str_slice(alm_buf_str(&t->path), 1, t->path.n) : ALM_STR("tensor");
    if (path.n == 0 || memchr(path.at, 0, path.n))
        return SAY("bad_string", "a tensor's name is empty or has a NUL in it", t->name);
    x->name = alm_arena_copy(t->arena, path);
    return x->name.at ? ALM_OK : alm_fail_memory(err);
}

/* (storage, offset, sizes, strides, requires_grad, hooks, dtype for v3 ...) */
static alm_status rebuild(alm_torch *t, const value *call, alm_error *err) {
    alm_safetensors_tensor x = {0};
    uint64_t stride[ALM_SAFETENSORS_MAX_DIMS] = {0};
    bool typed = call->global->id == ALM_PICKLE_ID_REBUILD_V3;
    alm_status st = name_tensor(t, &x, err);
    if (st != ALM_OK) return st;
    if (call->n < (typed ? 7U : 4U) || call->item[0]->kind != ALM_PICKLE_PERSISTENT)
        return SAY("bad_pickle", "tensor %.*s is rebuilt from something else than a storage", t->name, ALM_ARG(x.name));
    const storage *s = find_storage(t, call->item[0]->item[0]->item[2]->s);
    if (!s || !s->at)
        return FAIL(ALM_NOT_FOUND, "missing_part", "the storage of tensor %.*s is not in the file", t->name,
                    ALM_ARG(x.name));
    int item = s->item;
    if (typed) {
        const value *dtype = call->item[6];
        item = dtype->kind == ALM_PICKLE_GLOBAL ? dtype->global->item : ALM_PICKLE_ITEM_NONE;
    }
    if (item == ALM_PICKLE_ITEM_NONE || item == ALM_PICKLE_ITEM_RAW)
        return SAY("bad_type", "tensor %.*s has no type of numbers", t->name, ALM_ARG(x.name));
    x.type = (alm_safetensors_type)item;
    st = take_sizes(t, &x, stride, call->item[2], call->item[3], err);
    if (st == ALM_OK) st = place(t, &x, stride, s, call->item[1], err);
    if (st != ALM_OK) return st;
    if (t->n_tensor == ALM_TORCH_MAX_TENSORS)
        return FAIL(ALM_LIMIT, "too_large", "more than %d tensors", t->name, ALM_TORCH_MAX_TENSORS);
    if (!alm_grow((void **)&t->tensor, &t->cap, t->n_tensor + 1, sizeof *t->tensor)) return alm_fail_memory(err);
    t->tensor[t->n_tensor++] = x;
    return ALM_OK;
}

static alm_status walk(alm_torch *t, const value *v, alm_error *err);

static alm_status walk_call(alm_torch *t, const value *call, alm_error *err) {
    switch (call->global->id) {
    case ALM_PICKLE_ID_REBUILD:
    case ALM_PICKLE_ID_REBUILD_V2:
    case ALM_PICKLE_ID_REBUILD_V3: return rebuild(t, call, err);
    case ALM_PICKLE_ID_PARAMETER:
    case ALM_PICKLE_ID_PARAMETER_STATE: return call->n ? walk(t, call->item[0], err) : ALM_OK;
    default: return ALM_OK; /* a device, a number of NumPy: nothing that is looked for */
    }
}

/* Everything below a value; the path grows and shrinks with it. The graph's height and weight are bounded. */
static alm_status walk(alm_torch *t, const value *v, alm_error *err) {
    if (v->kind == ALM_PICKLE_CALL) return walk_call(t, v, err);
    if (v->kind != ALM_PICKLE_DICT && v->kind != ALM_PICKLE_LIST && v->kind != ALM_PICKLE_TUPLE) return ALM_OK;
    uint32_t step = v->kind == ALM_PICKLE_DICT ? 2 : 1;
    for (uint32_t i = 0; i < v->n; i += step) {
        const value *child = v->item[i + step - 1];
        if (child->weight == 1 && child->kind != ALM_PICKLE_CALL) continue; /* most of them are plain values */
        size_t n = t->path.n;
        alm_status failed = t->path.failed;
        alm_buf_add_byte(&t->path, '.');
        if (step == 1) alm_buf_add_u64(&t->path, i);
        else if (v->item[i]->kind == ALM_PICKLE_STRING) alm_buf_add_str(&t->path, v->item[i]->s);
        else if (v->item[i]->kind == ALM_PICKLE_INT) alm_buf_add_i64(&t->path, v->item[i]->i);
        else alm_buf_add_text(&t->path, "?");
        alm_status st = walk(t, child, err);
        if (st != ALM_OK) return st;
        t->path.n = n;
        t->path.failed = failed;
    }
    return ALM_OK;
}

static int by_name(const void *a, const void *b) {
    const alm_safetensors_tensor *x = a, *y = b;
    return alm_str_cmp(x->name, y->name);
}

static alm_status list_tensors(alm_torch *t, alm_error *err) {
    alm_status st = walk(t, alm_pickle_root(t->pickle), err);
    if (st != ALM_OK) return st;
    alm_sort(t->tensor, t->n_tensor, sizeof *t->tensor, by_name);
    for (size_t i = 1; i < t->n_tensor; i++)
        if (by_name(&t->tensor[i - 1], &t->tensor[i]) == 0)
            return SAY("duplicate", "tensor %.*s occurs twice", t->name, ALM_ARG(t->tensor[i].name));
    return ALM_OK;
}

/* -- opening ----------------------------------------------------------------------------------------------------------------------------- */

alm_status alm_torch_parse(alm_torch **out, const char *name, alm_str bytes, alm_error *err) {
    alm_torch *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->name = name;
    t->bytes = bytes;
    t->path = alm_buf_with_limit(ALM_TORCH_MAX_NAME);
    alm_status st = alm_arena_new(&t->arena, 1 << 14, 0, err);
    if (st == ALM_OK) st = alm_zip_probe(bytes) ? open_zip(t, err) : open_pickle(t, err);
    if (st == ALM_OK) st = list_tensors(t, err);
    alm_buf_free(&t->path);
    if (st == ALM_OK) *out = t, t = NULL;
    alm_torch_close(t);
    return st;
}

alm_status alm_torch_open(alm_torch **out, const char *path, alm_error *err) {
    alm_map map = {0};
    alm_status st = alm_map_open(&map, path, err);
    if (st != ALM_OK) return st;
    st = alm_torch_parse(out, path, (alm_str){(const char *)map.at, map.n}, err);
    if (st == ALM_OK) return (*out)->map = map, ALM_OK;
    alm_map_close(&map);
    return st;
}

void alm_torch_close(alm_torch *t) {
    if (!t) return;
    alm_pickle_free(t->pickle);
    alm_zip_free(t->zip);
    alm_arena_free(t->arena);
    alm_free(t->storage);
    alm_free(t->tensor);
    if (t->map.at) alm_map_close(&t->map);
    alm_free(t);
}

size_t alm_torch_tensor_count(const alm_torch *t) { return t->n_tensor; }
const alm_safetensors_tensor *alm_torch_tensor_at(const alm_torch *t, size_t i) { return &t->tensor[i]; }

const alm_safetensors_tensor *alm_torch_find(const alm_torch *t, alm_str name) {
    for (size_t from = 0, to = t->n_tensor; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(t->tensor[mid].name, name);
        if (order == 0) return &t->tensor[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return NULL;
}

/* An archive, or a pickle of the protocols that PyTorch writes. */
static bool probe(alm_str head) {
    return alm_zip_probe(head) || (head.n >= 2 && head.at[0] == '\x80' && head.at[1] >= 2 && head.at[1] <= 5);
}

const alm_format alm_format_torch = {"torch", "PyTorch", ".pt .bin .pth .ckpt", ALM_FORMAT_READ, probe};
