/* SPDX-License-Identifier: Apache-2.0
 *
 * ref.c - from what somebody types to the path that opens a model.
 *
 * A path wins over a name. Among names the whole one wins over a shortened one; where two still fit, nothing is guessed. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/sort.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

static const alm_store *const places[] = {
#define ALM_STORE(file, name) &alm_store_##file,
#include "store/stores.def"
#undef ALM_STORE
    NULL,
};
const alm_store *const *alm_store_places(void) { return places; }

const char *alm_store_env(const char *name) {
    const char *set = getenv(name);
    return set && *set ? set : NULL;
}

/* -- lists ------------------------------------------------------------------------------------------------------------------ */

char *alm_store_copy(alm_str s) {
    char *at = alm_alloc(s.n + 1);
    if (!at) return NULL;
    if (s.n) memcpy(at, s.at, s.n);
    at[s.n] = '\0';
    return at;
}

alm_status alm_stored_add(alm_stored_list *l, const alm_store *store, alm_str name, const char *path, uint64_t n_bytes,
                          alm_error *err) {
    if (!alm_grow((void **)&l->at, &l->cap, l->n + 1, sizeof *l->at)) return alm_fail_memory(err);
    alm_stored *s = &l->at[l->n];
    *s = (alm_stored){alm_store_copy(name), alm_store_copy(alm_str_of(path)), n_bytes, store};
    if (!s->name || !s->path) {
        alm_free(s->name);
        alm_free(s->path);
        return alm_fail_memory(err);
    }
    l->n++;
    return ALM_OK;
}

void alm_stored_list_free(alm_stored_list *l) {
    for (size_t i = 0; i < l->n; i++) alm_free(l->at[i].name), alm_free(l->at[i].path);
    alm_free(l->at);
    *l = (alm_stored_list){0};
}

static int by_name(const void *a, const void *b) {
    const alm_stored *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->store->name, y->store->name);
}

alm_status alm_store_list_all(alm_stored_list *out, alm_error *err) {
    alm_status st = ALM_OK;
    for (const alm_store *const *p = places; *p && st == ALM_OK; p++) st = (*p)->list(out, err);
    if (st == ALM_OK) alm_sort(out->at, out->n, sizeof *out->at, by_name);
    else alm_stored_list_free(out);
    return st;
}

/* -- what fits ----------------------------------------------------------------------------------------------------------------- */

/* "ollama:llama3.2" → the place, and the name behind it. */
static const alm_store *place_in_front(alm_str *name) {
    for (const alm_store *const *p = places; *p; p++) {
        size_t n = strlen((*p)->name);
        if (name->n > n + 1 && memcmp(name->at, (*p)->name, n) == 0 && name->at[n] == ':')
            return *name = alm_str_slice(*name, n + 1, name->n), *p;
    }
    return NULL;
}

static alm_str without_tag(alm_str name) {
    size_t colon = alm_str_find_byte(name, ':');
    return alm_str_slice(name, 0, colon == SIZE_MAX ? name.n : colon);
}

static alm_str without_owner(alm_str name) {
    for (size_t i = name.n; i-- > 0;)
        if (name.at[i] == '/') return alm_str_slice(name, i + 1, name.n);
    return name;
}

/* 2: the whole name, or all but the tag that Ollama takes for said; 1: a part of it that says which; 0: another. */
static int fit(alm_str full, alm_str typed) {
    if (alm_str_eq(full, typed)) return 2;
    if (alm_str_ends(full, ALM_STR(":latest")) && alm_str_eq(without_tag(full), typed)) return 2;
    if (alm_str_eq(without_tag(full), typed) || alm_str_eq(without_owner(full), typed) ||
        alm_str_eq(without_owner(without_tag(full)), typed))
        return 1;
    return 0;
}

alm_status alm_ref_match(alm_stored_list *out, const char *typed, alm_error *err) {
    alm_stored_list all = {0};
    alm_str name = alm_str_of(typed);
    const alm_store *only = place_in_front(&name);
    alm_status st = alm_store_list_all(&all, err);
    int best = 1;
    for (size_t i = 0; i < all.n; i++)
        if ((!only || all.at[i].store == only) && fit(alm_str_of(all.at[i].name), name) > best) best = 2;
    for (size_t i = 0; st == ALM_OK && i < all.n; i++) {
        const alm_stored *s = &all.at[i];
        if ((only && s->store != only) || fit(alm_str_of(s->name), name) < best) continue;
        st = alm_stored_add(out, s->store, alm_str_of(s->name), s->path, s->n_bytes, err);
    }
    alm_stored_list_free(&all);
    if (st != ALM_OK) alm_stored_list_free(out);
    return st;
}

/* What nobody would call a model, but a file. */
static bool is_plainly_a_path(alm_str s) {
    static const char *const ends[] = {".gguf", ".safetensors", ".bin", ".pt",   ".pth", ".ckpt",     ".json",
                                       ".gz",   ".model",       ".npy", ".onnx", ".h5",  ".tiktoken", ".jinja"};
    if (s.n == 0 || s.at[0] == '/' || s.at[0] == '.' || s.at[0] == '~') return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (alm_str_ends(s, alm_str_of(ends[i]))) return true;
    return false;
}

static alm_status say_which(const alm_stored_list *l, const char *typed, alm_error *err) {
    char names[300] = "";
    size_t n = 0;
    for (size_t i = 0; i < l->n && n < sizeof names - 1; i++) {
        int more = snprintf(names + n, sizeof names - n, "%s%s:%s", i ? ", " : "", l->at[i].store->name, l->at[i].name);
        n += more > 0 ? (size_t)more : 0;
    }
    alm_fail(err, ALM_INVALID, "%s: %zu models fit this name: %s", typed, l->n, names);
    alm_hint(err, "say which, as it stands there");
    return ALM_INVALID;
}

static alm_status give(alm_buf *out, const char *path, alm_error *err) {
    alm_buf_clear(out);
    alm_buf_add_text(out, path);
    return alm_buf_text(out) ? ALM_OK : alm_buf_status(out, err);
}

alm_status alm_ref_resolve(alm_buf *out, const char *typed, alm_error *err) {
    alm_stored_list l = {0};
    if (alm_file_exists(typed) || alm_str_starts(alm_str_of(typed), ALM_STR("builtin:"))) return give(out, typed, err);
    alm_status st = alm_ref_match(&l, typed, err);
    if (st != ALM_OK) return st;
    if (l.n == 1) {
        st = give(out, l.at[0].path, err);
    } else if (l.n > 1) {
        st = say_which(&l, typed, err);
    } else if (is_plainly_a_path(alm_str_of(typed))) {
        st = give(out, typed, err);
    } else {
        st = alm_fail(err, ALM_NOT_FOUND, "%s: no such file or folder, and no model of this name", typed);
        alm_hint(err, "`alm list` shows the models on this machine");
    }
    alm_stored_list_free(&l);
    return st;
}
