/* SPDX-License-Identifier: Apache-2.0
 *
 * hub.c - the models in Hugging Face's cache, read where they lie.
 *
 *     models--OWNER--NAME/refs/main              the commit that "main" was when it was fetched
 *     models--OWNER--NAME/snapshots/COMMIT/FILE  links into ../../blobs
 *
 * The folder is $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. A
 * snapshot with weights goes by OWNER/NAME; GGUF files in it by OWNER/NAME/FILE, and by OWNER/NAME where there is but one. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "store/store.h"

#include <sys/stat.h>

enum { PATHS = 1 << 16 };

/* What a folder's files come to; links are followed. */
static uint64_t folder_bytes(const char *folder, const alm_names *names) {
    uint64_t sum = 0;
    alm_buf path = alm_buf_with_limit(PATHS);
    struct stat info;
    for (size_t i = 0; i < names->n; i++)
        if (alm_path_join(&path, folder, names->at[i], NULL) == ALM_OK && stat(path.at, &info) == 0 &&
            S_ISREG(info.st_mode))
            sum += (uint64_t)info.st_size;
    alm_buf_free(&path);
    return sum;
}

static bool has(const alm_names *names, const char *name) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i], name) == 0) return true;
    return false;
}

static bool has_weights(const alm_names *names) {
    return has(names, "model.safetensors") || has(names, "model.safetensors.index.json") ||
           has(names, "pytorch_model.bin") || has(names, "pytorch_model.bin.index.json");
}

/* A GGUF file that stands for itself: of a split one, the first part. */
static bool is_gguf(const char *name) {
    alm_str s = alm_str_of(name);
    size_t of = alm_str_find(s, ALM_STR("-of-"));
    return alm_str_ends(s, ALM_STR(".gguf")) && (of == SIZE_MAX || of < 6 || memcmp(s.at + of - 6, "-00001", 6) == 0);
}

static alm_status take_files(alm_stored_list *out, alm_str name, const char *folder, const alm_names *names,
                             alm_error *err) {
    size_t n_gguf = 0;
    for (size_t i = 0; i < names->n; i++) n_gguf += is_gguf(names->at[i]);
    alm_buf path = alm_buf_with_limit(PATHS), full = path;
    struct stat info;
    alm_status st = ALM_OK;
    for (size_t i = 0; i < names->n && st == ALM_OK; i++) {
        if (!is_gguf(names->at[i])) continue;
        st = alm_path_join(&path, folder, names->at[i], err);
        if (st != ALM_OK || stat(path.at, &info) != 0) continue;
        alm_buf_clear(&full);
        alm_buf_add_str(&full, name);
        if (n_gguf > 1 || has_weights(names)) alm_buf_printf(&full, "/%s", names->at[i]);
        st = alm_buf_status(&full, err);
        if (st == ALM_OK)
            st = alm_stored_add(out, &alm_store_hub, alm_buf_str(&full), path.at, (uint64_t)info.st_size, err);
    }
    alm_buf_free(&path);
    alm_buf_free(&full);
    return st;
}

static alm_status take_snapshot(alm_stored_list *out, alm_str name, const char *folder, alm_error *err) {
    alm_names names = {0};
    alm_status st = alm_dir_list(&names, folder, NULL);
    if (st != ALM_OK) return st == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
    if (has_weights(&names)) st = alm_stored_add(out, &alm_store_hub, name, folder, folder_bytes(folder, &names), err);
    if (st == ALM_OK) st = take_files(out, name, folder, &names, err);
    alm_names_free(&names);
    return st;
}

/* The commit of main, or the only snapshot; *out stays empty when there is neither. */
static alm_status find_snapshot(alm_buf *out, const char *repo, alm_error *err) {
    alm_buf path = alm_buf_with_limit(PATHS), commit = alm_buf_with_limit(256);
    alm_names names = {0};
    alm_status st = alm_path_join(&path, repo, "refs/main", err);
    if (st == ALM_OK && alm_file_read(&commit, path.at, NULL) != ALM_OK) alm_buf_clear(&commit);
    alm_str word = alm_str_trim(alm_buf_str(&commit));
    if (st == ALM_OK) st = alm_path_join(&path, repo, "snapshots", err);
    if (st == ALM_OK && (st = alm_dir_list(&names, path.at, NULL)) != ALM_OK && st != ALM_NO_MEMORY) st = ALM_OK;
    size_t which = names.n == 1 ? 0 : names.n;
    for (size_t i = 0; i < names.n; i++)
        if (alm_str_eq(word, alm_str_of(names.at[i]))) which = i;
    if (st == ALM_OK && which < names.n) st = alm_path_join(out, path.at, names.at[which], err);
    alm_names_free(&names);
    alm_buf_free(&path);
    alm_buf_free(&commit);
    return st == ALM_NO_MEMORY ? alm_fail_memory(err) : st;
}

static alm_status take_repo(alm_stored_list *out, const char *repo, alm_error *err) {
    alm_str rest = alm_path_base(repo), base = alm_str_slice(rest, 8, rest.n);
    alm_buf name = alm_buf_with_limit(1024), snapshot = alm_buf_with_limit(PATHS);
    size_t two = alm_str_find(base, ALM_STR("--"));
    if (two != SIZE_MAX) {
        alm_buf_add(&name, base.at, two);
        alm_buf_add_byte(&name, '/');
        base = alm_str_slice(base, two + 2, base.n);
    }
    alm_buf_add_str(&name, base);
    alm_status st = alm_buf_status(&name, err);
    if (st == ALM_OK) st = find_snapshot(&snapshot, repo, err);
    if (st == ALM_OK && snapshot.n) st = take_snapshot(out, alm_buf_str(&name), snapshot.at, err);
    alm_buf_free(&name);
    alm_buf_free(&snapshot);
    return st;
}

static alm_status list_root(alm_stored_list *out, const char *root, alm_error *err) {
    alm_names names = {0};
    alm_buf path = alm_buf_with_limit(PATHS);
    alm_status st = alm_dir_list(&names, root, NULL);
    if (st != ALM_OK) st = st == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
    for (size_t i = 0; i < names.n && st == ALM_OK; i++) {
        if (!alm_str_starts(alm_str_of(names.at[i]), ALM_STR("models--"))) continue;
        st = alm_path_join(&path, root, names.at[i], err);
        if (st == ALM_OK) st = take_repo(out, path.at, err);
    }
    alm_names_free(&names);
    alm_buf_free(&path);
    return st;
}

static alm_status list(alm_stored_list *out, alm_error *err) {
    static const struct {
        const char *variable, *below;
    } place[] = {{"HF_HUB_CACHE", ""},
                 {"HF_HOME", "hub"},
                 {"XDG_CACHE_HOME", "huggingface/hub"},
                 {"HOME", ".cache/huggingface/hub"}};
    for (size_t i = 0; i < sizeof place / sizeof *place; i++) {
        const char *set = alm_store_env(place[i].variable);
        if (!set) continue;
        alm_buf path = alm_buf_with_limit(PATHS);
        alm_status st = alm_path_join(&path, set, place[i].below, err);
        if (st == ALM_OK) st = list_root(out, path.at, err);
        alm_buf_free(&path);
        return st;
    }
    return ALM_OK;
}

const alm_store alm_store_hub = {"huggingface", list};
