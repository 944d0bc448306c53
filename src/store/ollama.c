/* SPDX-License-Identifier: Apache-2.0
 *
 * ollama.c - the models that Ollama has fetched, read where they lie.
 *
 *     manifests/HOST/NAMESPACE/MODEL/TAG     JSON: {"layers": [{"mediaType", "digest": "sha256:HEX", "size"}, ...]}
 *     blobs/sha256-HEX                       the layer of type application/vnd.ollama.image.model is a GGUF file
 *
 * The folder is $OLLAMA_MODELS, else ~/.ollama/models, and where Ollama runs as a service /usr/share/ollama/.ollama/models.
 * A model of Ollama's own registry goes by MODEL:TAG, others say their namespace and host, as Ollama shows them. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "store/store.h"

#include <sys/stat.h>

enum { MAX_MANIFEST = 1 << 20, LEVELS = 4 };
static const char service[] = "/usr/share/ollama/.ollama/models";

typedef struct walk {
    alm_stored_list *out;
    const char *root;
    const char *level[LEVELS]; /* host, namespace, model, tag */
} walk;

static bool is_digest(alm_str s) {
    if (s.n != 71 || !alm_str_starts(s, ALM_STR("sha256:"))) return false;
    for (size_t i = 7; i < s.n; i++)
        if (!((s.at[i] >= '0' && s.at[i] <= '9') || (s.at[i] >= 'a' && s.at[i] <= 'f'))) return false;
    return true;
}

/* The digest of the weights, or an empty string. */
static alm_str find_layer(const alm_json *manifest) {
    const alm_json *layers = alm_json_get(manifest, "layers");
    for (const alm_json *c = alm_json_first(layers); c; c = alm_json_next(layers, c)) {
        const alm_json *type = alm_json_get(c, "mediaType"), *digest = alm_json_get(c, "digest");
        if (type && digest && alm_str_eq(type->text, ALM_STR("application/vnd.ollama.image.model")) &&
            is_digest(digest->text))
            return digest->text;
    }
    return (alm_str){0};
}

static void name_of(alm_buf *out, const walk *w) {
    bool own = strcmp(w->level[0], "registry.ollama.ai") == 0, library = strcmp(w->level[1], "library") == 0;
    if (!own) alm_buf_printf(out, "%s/", w->level[0]);
    if (!own || !library) alm_buf_printf(out, "%s/", w->level[1]);
    alm_buf_printf(out, "%s:%s", w->level[2], w->level[3]);
}

/* A manifest that cannot be read is passed over: it is not ours to judge. */
static alm_status take(const walk *w, const char *manifest, alm_error *err) {
    alm_buf text = alm_buf_with_limit(MAX_MANIFEST), path = alm_buf_with_limit(1 << 16), name = path;
    alm_json_doc doc = {0};
    struct stat info;
    alm_status st = alm_file_read(&text, manifest, NULL);
    if (st == ALM_OK) st = alm_json_parse(&doc, text.at, text.n, NULL, NULL, NULL);
    alm_str digest = st == ALM_OK ? find_layer(doc.node) : (alm_str){0};
    if (st == ALM_OK && digest.n) {
        alm_buf_printf(&path, "%s/blobs/sha256-%.*s", w->root, (int)digest.n - 7, digest.at + 7);
        name_of(&name, w);
        if (!alm_buf_text(&path) || !alm_buf_text(&name)) st = alm_fail_memory(err);
        else if (stat(path.at, &info) == 0)
            st = alm_stored_add(w->out, &alm_store_ollama, alm_buf_str(&name), path.at, (uint64_t)info.st_size, err);
    }
    alm_json_doc_free(&doc);
    alm_buf_free(&text);
    alm_buf_free(&path);
    alm_buf_free(&name);
    return st == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
}

static alm_status descend(walk *w, const char *folder, size_t level, alm_error *err) {
    alm_names names = {0};
    alm_buf path = alm_buf_with_limit(1 << 16);
    struct stat info;
    alm_status st = alm_dir_list(&names, folder, NULL);
    if (st != ALM_OK) st = st == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
    for (size_t i = 0; st == ALM_OK && i < names.n; i++) {
        if (names.at[i][0] == '.') continue;
        st = alm_path_join(&path, folder, names.at[i], err);
        if (st != ALM_OK || stat(path.at, &info) != 0) continue;
        w->level[level] = names.at[i];
        if (level + 1 < LEVELS && S_ISDIR(info.st_mode)) st = descend(w, path.at, level + 1, err);
        else if (level + 1 == LEVELS && S_ISREG(info.st_mode)) st = take(w, path.at, err);
    }
    alm_names_free(&names);
    alm_buf_free(&path);
    return st;
}

static alm_status list_root(alm_stored_list *out, const char *root, alm_error *err) {
    walk w = {.out = out, .root = root};
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_status st = alm_path_join(&path, root, "manifests", err);
    if (st == ALM_OK) st = descend(&w, path.at, 0, err);
    alm_buf_free(&path);
    return st;
}

static alm_status list(alm_stored_list *out, alm_error *err) {
    const char *set = alm_store_env("OLLAMA_MODELS"), *home = alm_store_env("HOME");
    if (set) return list_root(out, set, err);
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_status st = ALM_OK;
    if (home) st = alm_path_join(&path, home, ".ollama/models", err);
    if (home && st == ALM_OK) st = list_root(out, path.at, err);
    if (st == ALM_OK && (!home || strcmp(path.at, service) != 0)) st = list_root(out, service, err);
    alm_buf_free(&path);
    return st;
}

const alm_store alm_store_ollama = {"ollama", list};
