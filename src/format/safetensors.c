/* SPDX-License-Identifier: Apache-2.0
 *
 * safetensors.c - reads the safetensors container (docs/format/safetensors.md).
 *
 *     u64 n | n bytes of JSON: {"name": {"dtype": …, "shape": […], "data_offsets": [begin, end]}, …} | tensor data
 *
 * The head is copied, because the JSON reader decodes in place; the data stays in the mapped file. A reader holds one part
 * (a file) or several (an index); their tensors stand in one array.
 *
 * Invariant after a successful open: each tensor's bytes lie inside its file and belong to it alone; the tensors of a file
 * fill its data wholly; `tensor` is sorted by name and no name occurs twice. */
#include "format/safetensors.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sort.h"
#include "format/format.h"
#include "format/index.h"
#include <sys/stat.h>

typedef struct part {
    alm_map map; /* empty when the bytes are the caller's */
    char *head;  /* names and metadata point into it */
    alm_json_doc doc;
    const alm_json *meta;
} part;

struct alm_safetensors {
    part *part;
    size_t n_part, part_cap;
    alm_safetensors_tensor *tensor;
    size_t n_tensor, cap;
};

#define SAY(class, ...) alm_fail(err, ALM_MALFORMED, "%s: " class ": " __VA_ARGS__)

static const struct {
    const char *name;
    unsigned bits;
    uint32_t gguf;
} types[ALM_SAFETENSORS_TYPE_COUNT] = {
#define ALM_SAFETENSORS_ROW(name, bits, gguf) {#name, bits, gguf},
    ALM_SAFETENSORS_TYPES(ALM_SAFETENSORS_ROW)
#undef ALM_SAFETENSORS_ROW
};

const char *alm_safetensors_type_name(alm_safetensors_type type) { return types[type].name; }
unsigned alm_safetensors_type_bits(alm_safetensors_type type) { return types[type].bits; }
uint32_t alm_safetensors_type_gguf(alm_safetensors_type type) { return types[type].gguf; }

static bool type_named(alm_str name, alm_safetensors_type *out) {
    for (size_t i = 0; i < ALM_SAFETENSORS_TYPE_COUNT; i++)
        if (alm_str_eq(name, alm_str_of(types[i].name))) return *out = (alm_safetensors_type)i, true;
    return false;
}

/* -- orders ----------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const alm_safetensors_tensor *x = a, *y = b;
    return alm_str_cmp(x->name, y->name);
}

/* By place; among those at one place the empty ones first. */
static int by_place(const void *a, const void *b) {
    const alm_safetensors_tensor *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

/* Once the names are in order. */
static const alm_safetensors_tensor *find(const alm_safetensors *s, alm_str wanted) {
    for (size_t from = 0, to = s->n_tensor; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(s->tensor[mid].name, wanted);
        if (order == 0) return &s->tensor[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return NULL;
}

/* -- one tensor ------------------------------------------------------------------------------------------------------- */

/* The shape and what it comes to in bytes. */
static alm_status take_shape(alm_safetensors_tensor *t, const alm_json *v, const char *file, alm_error *err) {
    if (v->n > ALM_SAFETENSORS_MAX_DIMS)
        return SAY("bad_shape", "tensor %.*s has %u dimensions, the most is %d", file, ALM_ARG(t->name), v->n,
                   ALM_SAFETENSORS_MAX_DIMS);
    for (size_t i = 0; i < ALM_SAFETENSORS_MAX_DIMS; i++) t->dim[i] = 1;
    t->n_items = 1;
    for (const alm_json *c = alm_json_first(v); c; c = alm_json_next(v, c)) {
        int64_t d;
        if (!alm_json_i64(c, &d) || d < 0)
            return SAY("bad_shape", "tensor %.*s: a dimension that is no count", file, ALM_ARG(t->name));
        t->dim[t->n_dims++] = (uint64_t)d;
        if (__builtin_mul_overflow(t->n_items, (uint64_t)d, &t->n_items) || t->n_items > INT64_MAX / 64)
            return SAY("overflow", "tensor %.*s: the product of its dimensions overflows", file, ALM_ARG(t->name));
    }
    uint64_t bits = t->n_items * types[t->type].bits;
    if (bits % 8) return SAY("bad_shape", "tensor %.*s does not end with a byte", file, ALM_ARG(t->name));
    if (bits / 8 != t->n_bytes)
        return SAY("bad_shape", "tensor %.*s: its shape needs %llu bytes of %s, it has %zu", file, ALM_ARG(t->name),
                   (unsigned long long)(bits / 8), types[t->type].name, t->n_bytes);
    return ALM_OK;
}

static alm_status take_place(alm_safetensors_tensor *t, const alm_json *v, alm_str data, const char *file,
                             alm_error *err) {
    const alm_json *first = alm_json_first(v);
    int64_t begin, end;
    if (v->n != 2) return SAY("bad_header", "tensor %.*s: data_offsets are not two", file, ALM_ARG(t->name));
    if (!alm_json_i64(first, &begin) || !alm_json_i64(alm_json_next(v, first), &end) || begin < 0 || end < begin)
        return SAY("bad_offset", "tensor %.*s: data_offsets that are no range", file, ALM_ARG(t->name));
    if ((uint64_t)end > data.n)
        return SAY("bad_offset", "tensor %.*s ends at byte %lld of the data, the file has %zu", file, ALM_ARG(t->name),
                   (long long)end, data.n);
    t->at = (const unsigned char *)data.at + begin;
    t->n_bytes = (size_t)(end - begin);
    return ALM_OK;
}

static alm_status take_tensor(alm_safetensors_tensor *t, const alm_json *v, alm_str data, const char *file,
                              alm_error *err) {
    static const char *const field[] = {"dtype", "shape", "data_offsets"};
    static const alm_json_type kind[] = {ALM_JSON_STRING, ALM_JSON_ARRAY, ALM_JSON_ARRAY};
    const alm_json *found[3] = {NULL, NULL, NULL};
    if (t->name.n == 0 || memchr(t->name.at, 0, t->name.n))
        return SAY("bad_string", "a tensor's name is empty or has a NUL in it", file);
    if (v->type != ALM_JSON_OBJECT)
        return SAY("bad_header", "tensor %.*s is described by no object", file, ALM_ARG(t->name));
    for (const alm_json *c = alm_json_first(v); c; c = alm_json_next(v, c)) {
        size_t i = 0;
        while (i < 3 && !alm_str_eq(c->text, alm_str_of(field[i]))) i++;
        if (i == 3)
            return SAY("bad_header", "tensor %.*s: unknown member %.*s", file, ALM_ARG(t->name), ALM_ARG(c->text));
        if (found[i]) return SAY("duplicate", "tensor %.*s: %s occurs twice", file, ALM_ARG(t->name), field[i]);
        found[i] = c + 1;
        if (found[i]->type != kind[i])
            return SAY("bad_header", "tensor %.*s: %s is of another kind", file, ALM_ARG(t->name), field[i]);
    }
    for (size_t i = 0; i < 3; i++)
        if (!found[i]) return SAY("bad_header", "tensor %.*s has no %s", file, ALM_ARG(t->name), field[i]);
    if (!type_named(found[0]->text, &t->type))
        return SAY("bad_type", "tensor %.*s has the unknown dtype %.*s", file, ALM_ARG(t->name),
                   ALM_ARG(found[0]->text));
    alm_status st = take_place(t, found[2], data, file, err);
    return st == ALM_OK ? take_shape(t, found[1], file, err) : st;
}

/* -- one file --------------------------------------------------------------------------------------------------------- */

static alm_status check_meta(const alm_json *meta, const char *file, alm_error *err) {
    if (meta->type != ALM_JSON_OBJECT) return SAY("bad_header", "__metadata__ is no object", file);
    for (const alm_json *c = alm_json_first(meta); c; c = alm_json_next(meta, c))
        if (c[1].type != ALM_JSON_STRING)
            return SAY("bad_header", "__metadata__ %.*s is no string", file, ALM_ARG(c->text));
    return ALM_OK;
}

/* Tensors t[0..n) fill the n_bytes of data: sorted by place each begins where the one before ended. */
static alm_status check_places(alm_safetensors_tensor *t, size_t n, alm_str data, const char *file, alm_error *err) {
    size_t expected = 0;
    alm_sort(t, n, sizeof *t, by_place);
    for (size_t i = 0; i < n; i++) {
        size_t begin = (size_t)(t[i].at - (const unsigned char *)data.at);
        if (begin < expected && t[i].n_bytes)
            return SAY("overlap", "tensor %.*s shares bytes with another", file, ALM_ARG(t[i].name));
        if (begin > expected)
            return SAY("bad_offset", "a hole of %zu bytes in front of tensor %.*s", file, begin - expected,
                       ALM_ARG(t[i].name));
        expected = begin + t[i].n_bytes > expected ? begin + t[i].n_bytes : expected;
    }
    if (expected < data.n) return SAY("trailing_data", "%zu bytes belong to no tensor", file, data.n - expected);
    return ALM_OK;
}

/* The JSON of the head: copied, parsed, an object. */
static alm_status read_head(part *p, const char *file, alm_str bytes, size_t *n_head, alm_error *err) {
    if (bytes.n < 8) {
        SAY("truncated", "the file ends after %zu bytes, inside the head's length", file, bytes.n);
        return alm_hint(err, "the copy is incomplete: fetch or write the file again"), ALM_MALFORMED;
    }
    uint64_t n = 0;
    for (size_t i = 8; i-- > 0;) n = n << 8 | (unsigned char)bytes.at[i];
    if (n > bytes.n - 8 || n > ALM_SAFETENSORS_MAX_HEAD)
        return SAY("bad_length", "the head claims %llu bytes, %zu are left (the most is %d)", file,
                   (unsigned long long)n, bytes.n - 8, ALM_SAFETENSORS_MAX_HEAD);
    if (n < 2 || bytes.at[8] != '{') return SAY("bad_header", "the head is no JSON object", file);
    *n_head = (size_t)n;
    p->head = alm_alloc((size_t)n);
    if (!p->head) return alm_fail_memory(err);
    memcpy(p->head, bytes.at + 8, (size_t)n);
    alm_error why = {0};
    const alm_json_limits limits = {.max_depth = 8, .max_bytes = ALM_SAFETENSORS_MAX_HEAD};
    alm_status st = alm_json_parse(&p->doc, p->head, (size_t)n, &limits, NULL, &why);
    if (st == ALM_NO_MEMORY) return alm_fail_memory(err);
    if (st != ALM_OK) return SAY("bad_header", "%s", file, why.text);
    return ALM_OK;
}

/* Adds a file's tensors behind those that are there. */
static alm_status read_part(alm_safetensors *s, part *p, const char *file, alm_str bytes, alm_error *err) {
    size_t n_head, from = s->n_tensor;
    alm_status st = read_head(p, file, bytes, &n_head, err);
    if (st != ALM_OK) return st;
    const alm_json *head = p->doc.node;
    alm_str data = {bytes.at + 8 + n_head, bytes.n - 8 - n_head};
    if (!alm_grow((void **)&s->tensor, &s->cap, s->n_tensor + head->n, sizeof *s->tensor)) return alm_fail_memory(err);
    for (const alm_json *c = alm_json_first(head); c; c = alm_json_next(head, c)) {
        if (alm_str_eq(c->text, ALM_STR("__metadata__"))) {
            if (p->meta) return SAY("duplicate", "__metadata__ occurs twice", file);
            if ((st = check_meta(p->meta = c + 1, file, err)) != ALM_OK) return st;
            continue;
        }
        alm_safetensors_tensor *t = &s->tensor[s->n_tensor++];
        *t = (alm_safetensors_tensor){.name = c->text};
        if ((st = take_tensor(t, c + 1, data, file, err)) != ALM_OK) return st;
    }
    /* A name that is there twice is told before its places, which overlap then as well. */
    alm_sort(s->tensor + from, s->n_tensor - from, sizeof *s->tensor, by_name);
    for (size_t i = from + 1; i < s->n_tensor; i++)
        if (by_name(&s->tensor[i - 1], &s->tensor[i]) == 0)
            return SAY("duplicate", "tensor %.*s occurs twice", file, ALM_ARG(s->tensor[i].name));
    return check_places(s->tensor + from, s->n_tensor - from, data, file, err);
}

static part *add_part(alm_safetensors *s) {
    if (!alm_grow((void **)&s->part, &s->part_cap, s->n_part + 1, sizeof *s->part)) return NULL;
    return memset(&s->part[s->n_part++], 0, sizeof(part));
}

static alm_status open_file(alm_safetensors *s, const char *path, alm_error *err) {
    part *p = add_part(s);
    if (!p) return alm_fail_memory(err);
    alm_status st = alm_map_open(&p->map, path, err);
    return st == ALM_OK ? read_part(s, p, path, (alm_str){(const char *)p->map.at, p->map.n}, err) : st;
}

/* All names in order, none twice (in two files of an index). */
static alm_status finish(alm_safetensors *s, const char *path, alm_error *err) {
    alm_sort(s->tensor, s->n_tensor, sizeof *s->tensor, by_name);
    for (size_t i = 1; i < s->n_tensor; i++)
        if (by_name(&s->tensor[i - 1], &s->tensor[i]) == 0)
            return alm_fail(err, ALM_MALFORMED, "%s: duplicate: tensor %.*s lies in two files", path,
                            ALM_ARG(s->tensor[i].name));
    return ALM_OK;
}

/* -- an index --------------------------------------------------------------------------------------------------------- */

/* Everything that the index promises lies where it says, and the parts hold nothing else. */
static alm_status check_index(alm_safetensors *s, const alm_index *x, const char *path, alm_error *err) {
    for (size_t i = 0; i < alm_index_count(x); i++) {
        const alm_index_entry *e = alm_index_at(x, i);
        const alm_safetensors_tensor *t = find(s, e->name);
        const alm_map *map = &s->part[e->file].map;
        if (!t || t->at < map->at || t->at > map->at + map->n)
            return alm_fail(err, ALM_MALFORMED, "%s: missing_tensor: %.*s does not lie in %s", path, ALM_ARG(e->name),
                            alm_index_file_path(x, e->file));
    }
    if (alm_index_count(x) != s->n_tensor)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_header: the index names %zu tensors, its files hold %zu", path,
                        alm_index_count(x), s->n_tensor);
    return ALM_OK;
}

static alm_status open_index(alm_safetensors *s, const char *path, alm_error *err) {
    alm_index *x = NULL;
    alm_status st = alm_index_open(&x, path, err);
    for (size_t i = 0; st == ALM_OK && i < alm_index_file_count(x); i++)
        st = open_file(s, alm_index_file_path(x, i), err);
    if (st == ALM_OK) st = finish(s, path, err);
    if (st == ALM_OK) st = check_index(s, x, path, err);
    alm_index_free(x);
    return st;
}

/* -- opening ---------------------------------------------------------------------------------------------------------- */

static alm_status open_folder(alm_safetensors *s, const char *path, alm_error *err) {
    alm_buf name = alm_buf_with_limit(1 << 16);
    alm_status st = alm_path_join(&name, path, "model.safetensors.index.json", err);
    if (st == ALM_OK && !alm_buf_text(&name)) st = alm_fail_memory(err);
    if (st == ALM_OK && alm_file_exists(name.at)) {
        st = open_index(s, name.at, err);
    } else if (st == ALM_OK) {
        st = alm_path_join(&name, path, "model.safetensors", err);
        if (st == ALM_OK && !alm_buf_text(&name)) st = alm_fail_memory(err);
        if (st == ALM_OK) st = open_file(s, name.at, err);
        if (st == ALM_OK) st = finish(s, name.at, err);
    }
    alm_buf_free(&name);
    return st;
}

alm_status alm_safetensors_open(alm_safetensors **out, const char *path, alm_error *err) {
    alm_safetensors *s = alm_calloc(1, sizeof *s);
    struct stat info;
    if (!s) return alm_fail_memory(err);
    alm_status st;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) st = open_folder(s, path, err);
    else if (alm_str_ends(alm_str_of(path), ALM_STR(".index.json"))) st = open_index(s, path, err);
    else if ((st = open_file(s, path, err)) == ALM_OK) st = finish(s, path, err);
    if (st == ALM_OK) *out = s, s = NULL;
    alm_safetensors_close(s);
    return st;
}

alm_status alm_safetensors_parse(alm_safetensors **out, const char *name, alm_str bytes, alm_error *err) {
    alm_safetensors *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    part *p = add_part(s);
    alm_status st = p ? read_part(s, p, name, bytes, err) : alm_fail_memory(err);
    if (st == ALM_OK) st = finish(s, name, err);
    if (st == ALM_OK) *out = s, s = NULL;
    alm_safetensors_close(s);
    return st;
}

void alm_safetensors_close(alm_safetensors *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n_part; i++) {
        alm_free(s->part[i].head);
        alm_json_doc_free(&s->part[i].doc);
        if (s->part[i].map.at) alm_map_close(&s->part[i].map);
    }
    alm_free(s->part);
    alm_free(s->tensor);
    alm_free(s);
}

/* A head length below 2^32 and the brace of its object. */
static bool probe(alm_str head) { return head.n >= 9 && head.at[8] == '{' && memcmp(head.at + 4, "\0\0\0\0", 4) == 0; }

const alm_format alm_format_safetensors = {"safetensors", "safetensors", ".safetensors",
                                           ALM_FORMAT_READ | ALM_FORMAT_WRITE, probe};

/* -- looking ---------------------------------------------------------------------------------------------------------- */

size_t alm_safetensors_tensor_count(const alm_safetensors *s) { return s->n_tensor; }
const alm_safetensors_tensor *alm_safetensors_tensor_at(const alm_safetensors *s, size_t i) { return &s->tensor[i]; }

const alm_safetensors_tensor *alm_safetensors_find(const alm_safetensors *s, const char *name) {
    return find(s, alm_str_of(name));
}

alm_str alm_safetensors_meta(const alm_safetensors *s, const char *key) {
    for (size_t i = 0; i < s->n_part; i++) {
        const alm_json *v = s->part[i].meta ? alm_json_get(s->part[i].meta, key) : NULL;
        if (v) return v->text;
    }
    return (alm_str){0};
}
