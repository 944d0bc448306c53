/* SPDX-License-Identifier: Apache-2.0
 *
 * tensors.c - one list over all containers.
 *
 * Each reader keeps what it maps; the list only describes it in the same words. Parts of PyTorch's files are joined here,
 * those of safetensors by their own reader. */
#include "format/tensors.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "base/sort.h"
#include "format/builtin.h"
#include "format/index.h"
#include "format/torch.h"

#include <stdio.h>
#include <sys/stat.h>

struct alm_tensors {
    const alm_format *format;
    alm_gguf *own_gguf;
    const alm_gguf *gguf;
    alm_safetensors *safetensors;
    alm_torch **torch; /* [n_torch] */
    size_t n_torch;
    alm_tensor_entry *entry;
    size_t n, cap;
};

/* -- the same words for all ------------------------------------------------------------------------------------------------ */

static bool reserve(alm_tensors *t, size_t more) {
    return alm_grow((void **)&t->entry, &t->cap, t->n + more, sizeof *t->entry);
}

static void add_gguf(alm_tensors *t, const alm_gguf_tensor *x) {
    alm_tensor_entry e = {.name = x->name, .type = x->type, .n_dims = x->n_dims, .n_items = x->n_items, .at = x->at};
    e.n_bytes = x->n_bytes;
    e.type_name = alm_gguf_tensor_type_name(x->type, NULL, NULL);
    for (uint32_t k = 0; k < ALM_TENSOR_MAX_DIMS; k++) e.dim[k] = k < x->n_dims ? x->dim[x->n_dims - 1 - k] : 1;
    t->entry[t->n++] = e;
}

static void add_safetensors(alm_tensors *t, const alm_safetensors_tensor *x) {
    alm_tensor_entry e = {
        .name = x->name, .n_dims = x->n_dims, .n_items = x->n_items, .at = x->at, .n_bytes = x->n_bytes};
    e.type = alm_safetensors_type_gguf(x->type);
    e.type_name = alm_safetensors_type_name(x->type);
    memcpy(e.dim, x->dim, sizeof e.dim);
    t->entry[t->n++] = e;
}

static alm_status list_gguf(alm_tensors *t, alm_error *err) {
    size_t n = alm_gguf_tensor_count(t->gguf);
    t->format = &alm_format_gguf;
    if (!reserve(t, n)) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) add_gguf(t, alm_gguf_tensor_at(t->gguf, i));
    return ALM_OK;
}

static alm_status open_gguf(alm_tensors *t, const char *path, alm_error *err) {
    alm_status st = alm_gguf_open(&t->own_gguf, path, err);
    if (st != ALM_OK) return st;
    t->gguf = t->own_gguf;
    return list_gguf(t, err);
}

static alm_status open_safetensors(alm_tensors *t, const char *path, alm_error *err) {
    alm_status st = alm_safetensors_open(&t->safetensors, path, err);
    if (st != ALM_OK) return st;
    size_t n = alm_safetensors_tensor_count(t->safetensors);
    t->format = &alm_format_safetensors;
    if (!reserve(t, n)) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) add_safetensors(t, alm_safetensors_tensor_at(t->safetensors, i));
    return ALM_OK;
}

/* -- PyTorch: one file or several -------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const alm_tensor_entry *x = a, *y = b;
    return alm_str_cmp(x->name, y->name);
}

static alm_status add_torch(alm_tensors *t, const char *path, alm_error *err) {
    alm_status st = alm_torch_open(&t->torch[t->n_torch], path, err);
    if (st != ALM_OK) return st;
    const alm_torch *file = t->torch[t->n_torch++];
    size_t n = alm_torch_tensor_count(file);
    if (!reserve(t, n)) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) add_safetensors(t, alm_torch_tensor_at(file, i));
    return ALM_OK;
}

static alm_status make_torch(alm_tensors *t, size_t n_files, alm_error *err) {
    t->format = &alm_format_torch;
    t->torch = alm_calloc(n_files, sizeof(alm_torch *));
    return t->torch ? ALM_OK : alm_fail_memory(err);
}

static alm_status open_torch(alm_tensors *t, const char *path, alm_error *err) {
    alm_status st = make_torch(t, 1, err);
    return st == ALM_OK ? add_torch(t, path, err) : st;
}

/* Everything that the index promises lies where it says, and the parts hold nothing else. */
static alm_status check_parts(const alm_tensors *t, const alm_index *x, const char *path, alm_error *err) {
    for (size_t i = 1; i < t->n; i++)
        if (by_name(&t->entry[i - 1], &t->entry[i]) == 0)
            return alm_fail(err, ALM_MALFORMED, "%s: duplicate: tensor %.*s lies in two files", path,
                            ALM_ARG(t->entry[i].name));
    for (size_t i = 0; i < alm_index_count(x); i++) {
        const alm_index_entry *e = alm_index_at(x, i);
        if (!alm_torch_find(t->torch[e->file], e->name))
            return alm_fail(err, ALM_MALFORMED, "%s: missing_tensor: %.*s does not lie in %s", path, ALM_ARG(e->name),
                            alm_index_file_path(x, e->file));
    }
    if (alm_index_count(x) != t->n)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_header: the index names %zu tensors, its files hold %zu", path,
                        alm_index_count(x), t->n);
    return ALM_OK;
}

static alm_status open_torch_index(alm_tensors *t, const char *path, alm_error *err) {
    alm_index *x = NULL;
    alm_status st = alm_index_open(&x, path, err);
    if (st == ALM_OK) st = make_torch(t, alm_index_file_count(x), err);
    for (size_t i = 0; st == ALM_OK && i < alm_index_file_count(x); i++)
        st = add_torch(t, alm_index_file_path(x, i), err);
    if (st == ALM_OK) alm_sort(t->entry, t->n, sizeof *t->entry, by_name);
    if (st == ALM_OK) st = check_parts(t, x, path, err);
    alm_index_free(x);
    return st;
}

/* -- which it is ---------------------------------------------------------------------------------------------------------------- */

static alm_status open_folder(alm_tensors *t, const char *folder, alm_error *err) {
    static const struct {
        const char *name;
        alm_status (*open)(alm_tensors *t, const char *path, alm_error *err);
    } known[] = {{"model.safetensors.index.json", open_safetensors},
                 {"model.safetensors", open_safetensors},
                 {"pytorch_model.bin.index.json", open_torch_index},
                 {"pytorch_model.bin", open_torch}};
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_status st = ALM_NOT_FOUND;
    for (size_t i = 0; i < sizeof known / sizeof *known && st == ALM_NOT_FOUND; i++) {
        st = alm_path_join(&path, folder, known[i].name, err);
        if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
        if (st != ALM_OK) break;
        st = ALM_NOT_FOUND;
        if (!alm_file_exists(path.at)) continue;
        st = known[i].open(t, path.at, err);
        alm_buf_free(&path);
        return st;
    }
    alm_buf_free(&path);
    if (st != ALM_NOT_FOUND) return st;
    alm_fail(err, ALM_NOT_FOUND, "%s: no weights in this folder", folder);
    alm_hint(err, "looked for model.safetensors and pytorch_model.bin, each alone or with its .index.json");
    return ALM_NOT_FOUND;
}

/* By the first bytes; what they do not tell, the name does. */
static alm_status open_file(alm_tensors *t, const char *path, alm_error *err) {
    char head[64];
    size_t n = 0;
    FILE *in = fopen(path, "rb");
    if (in) {
        n = fread(head, 1, sizeof head, in);
        fclose(in);
    }
    const alm_format *f = alm_format_probe((alm_str){head, n});
    alm_str name = alm_str_of(path);
    if (f == &alm_format_gguf) return open_gguf(t, path, err);
    if (f == &alm_format_torch) return open_torch(t, path, err);
    if (alm_str_ends(name, ALM_STR(".gguf"))) return open_gguf(t, path, err);
    if (alm_str_ends(name, ALM_STR(".bin")) || alm_str_ends(name, ALM_STR(".pt")) ||
        alm_str_ends(name, ALM_STR(".pth")) || alm_str_ends(name, ALM_STR(".ckpt")) ||
        alm_str_ends(name, ALM_STR(".pkl")))
        return open_torch(t, path, err);
    if (f || !in || alm_str_ends(name, ALM_STR(".safetensors")) || alm_str_ends(name, ALM_STR(".json")))
        return open_safetensors(t, path, err);
    return alm_fail(err, ALM_MALFORMED, "%s: bad_magic: neither GGUF nor safetensors nor a file of PyTorch", path);
}

alm_status alm_tensors_open(alm_tensors **out, const char *path, alm_error *err) {
    struct stat info;
    alm_tensors *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    alm_status st;
    if (alm_builtin_is(path)) st = open_gguf(t, path, err);
    else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) st = open_folder(t, path, err);
    else if (alm_str_ends(alm_str_of(path), ALM_STR(".bin.index.json"))) st = open_torch_index(t, path, err);
    else st = open_file(t, path, err);
    if (st == ALM_OK) *out = t, t = NULL;
    alm_tensors_close(t);
    return st;
}

alm_status alm_tensors_of_gguf(alm_tensors **out, const alm_gguf *g, alm_error *err) {
    alm_tensors *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->gguf = g;
    alm_status st = list_gguf(t, err);
    if (st == ALM_OK) *out = t, t = NULL;
    alm_tensors_close(t);
    return st;
}

void alm_tensors_close(alm_tensors *t) {
    if (!t) return;
    alm_gguf_close(t->own_gguf);
    alm_safetensors_close(t->safetensors);
    for (size_t i = 0; i < t->n_torch; i++) alm_torch_close(t->torch[i]);
    alm_free(t->torch);
    alm_free(t->entry);
    alm_free(t);
}

/* -- looking ---------------------------------------------------------------------------------------------------------------------- */

size_t alm_tensors_count(const alm_tensors *t) { return t->n; }
const alm_tensor_entry *alm_tensors_at(const alm_tensors *t, size_t i) { return &t->entry[i]; }
const alm_format *alm_tensors_format(const alm_tensors *t) { return t->format; }
const alm_gguf *alm_tensors_gguf(const alm_tensors *t) { return t->gguf; }
const alm_safetensors *alm_tensors_safetensors(const alm_tensors *t) { return t->safetensors; }

const alm_tensor_entry *alm_tensors_find(const alm_tensors *t, alm_str name) {
    if (t->gguf) {
        char text[ALM_GGUF_MAX_NAME + 1];
        if (name.n > ALM_GGUF_MAX_NAME || memchr(name.at, 0, name.n)) return NULL;
        memcpy(text, name.at, name.n);
        text[name.n] = '\0';
        const alm_gguf_tensor *x = alm_gguf_find_tensor(t->gguf, text);
        return x ? &t->entry[x - alm_gguf_tensor_at(t->gguf, 0)] : NULL;
    }
    for (size_t from = 0, to = t->n; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(t->entry[mid].name, name);
        if (order == 0) return &t->entry[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return NULL;
}
