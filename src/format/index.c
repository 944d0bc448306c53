/* SPDX-License-Identifier: Apache-2.0
 *
 * index.c - reads the index of weights in several files. */
#include "format/index.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"

typedef struct part {
    alm_str name; /* in the document */
    alm_buf path;
} part;

struct alm_index {
    alm_buf text;
    alm_json_doc doc;
    part *part;
    size_t n_part, part_cap;
    alm_index_entry *entry;
    size_t n_entry, cap;
};

/* A part is a plain name beside the index. */
static bool is_plain(alm_str name) {
    return name.n > 0 && name.n < 256 && name.at[0] != '.' && !memchr(name.at, '/', name.n) &&
           !memchr(name.at, '\\', name.n) && !memchr(name.at, 0, name.n);
}

static alm_status find_path(part *p, const char *index, alm_error *err) {
    char file[256];
    memcpy(file, p->name.at, p->name.n);
    file[p->name.n] = '\0';
    alm_buf dir = alm_buf_with_limit(1 << 16);
    alm_buf_add_str(&dir, alm_path_dir(index));
    const char *folder = alm_buf_text(&dir);
    alm_status st = folder ? alm_path_join(&p->path, folder, file, err) : alm_fail_memory(err);
    if (st == ALM_OK && !alm_buf_text(&p->path)) st = alm_fail_memory(err);
    if (st == ALM_OK && !alm_file_exists(p->path.at))
        st = alm_fail(err, ALM_NOT_FOUND, "%s: missing_part: %s is not there", index, p->path.at);
    alm_buf_free(&dir);
    return st;
}

static alm_status take_part(alm_index *x, const char *index, alm_str name, size_t *out, alm_error *err) {
    for (*out = 0; *out < x->n_part; ++*out)
        if (alm_str_eq(x->part[*out].name, name)) return ALM_OK;
    if (!is_plain(name)) {
        alm_fail(err, ALM_REFUSED, "%s: path_escape: the index names %.*s, which is no plain file name", index,
                 ALM_ARG(name));
        return alm_hint(err, "a part lies in the folder of its index"), ALM_REFUSED;
    }
    if (x->n_part == ALM_INDEX_MAX_FILES)
        return alm_fail(err, ALM_LIMIT, "%s: bad_count: more than %d parts", index, ALM_INDEX_MAX_FILES);
    if (!alm_grow((void **)&x->part, &x->part_cap, x->n_part + 1, sizeof *x->part)) return alm_fail_memory(err);
    x->part[x->n_part] = (part){name, alm_buf_with_limit(1 << 16)};
    return find_path(&x->part[x->n_part++], index, err);
}

static alm_status read_map(alm_index *x, const char *path, alm_error *err) {
    const alm_json *map = alm_json_get(x->doc.node, "weight_map");
    if (!map || map->type != ALM_JSON_OBJECT)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_header: the index has no object weight_map", path);
    if (!alm_grow((void **)&x->entry, &x->cap, map->n, sizeof *x->entry)) return alm_fail_memory(err);
    for (const alm_json *c = alm_json_first(map); c; c = alm_json_next(map, c)) {
        if (c[1].type != ALM_JSON_STRING)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_header: weight_map %.*s is no file name", path,
                            ALM_ARG(c->text));
        alm_index_entry *e = &x->entry[x->n_entry++];
        e->name = c->text;
        alm_status st = take_part(x, path, c[1].text, &e->file, err);
        if (st != ALM_OK) return st;
    }
    return ALM_OK;
}

static alm_status read_all(alm_index *x, const char *path, alm_error *err) {
    alm_error why = {0};
    const alm_json_limits limits = {.max_depth = 16, .refuse_duplicates = true};
    alm_status st = alm_file_read(&x->text, path, err);
    if (st != ALM_OK) return st;
    st = alm_json_parse(&x->doc, x->text.at, x->text.n, &limits, NULL, &why);
    if (st == ALM_NO_MEMORY) return alm_fail_memory(err);
    if (st != ALM_OK) return alm_fail(err, ALM_MALFORMED, "%s: bad_header: %s", path, why.text);
    return read_map(x, path, err);
}

alm_status alm_index_open(alm_index **out, const char *path, alm_error *err) {
    alm_index *x = alm_calloc(1, sizeof *x);
    if (!x) return alm_fail_memory(err);
    x->text = alm_buf_with_limit(ALM_INDEX_MAX_BYTES);
    alm_status st = read_all(x, path, err);
    if (st == ALM_OK) *out = x, x = NULL;
    alm_index_free(x);
    return st;
}

void alm_index_free(alm_index *x) {
    if (!x) return;
    for (size_t i = 0; i < x->n_part; i++) alm_buf_free(&x->part[i].path);
    alm_free(x->part);
    alm_free(x->entry);
    alm_json_doc_free(&x->doc);
    alm_buf_free(&x->text);
    alm_free(x);
}

size_t alm_index_file_count(const alm_index *x) { return x->n_part; }
const char *alm_index_file_path(const alm_index *x, size_t i) { return x->part[i].path.at; }
size_t alm_index_count(const alm_index *x) { return x->n_entry; }
const alm_index_entry *alm_index_at(const alm_index *x, size_t i) { return &x->entry[i]; }
