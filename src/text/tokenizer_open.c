/* SPDX-License-Identifier: Apache-2.0
 *
 * tokenizer_open.c - finds the tokenizer that belongs to a file or a folder. What a file is, its first bytes say, not its name. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "format/builtin.h"
#include "record/decompress.h"
#include "text/tokenizer_inner.h"
#include <sys/stat.h>

enum { MAX_CONFIG = 1 << 24 };

/* -- bytes --------------------------------------------------------------------------------------------------------------------- */

/* base64, a blank, digits, the end of the line. */
static bool looks_like_ranks(alm_str s) {
    alm_str line;
    if (!alm_str_split(&s, '\n', &line)) return false;
    line = alm_str_trim(line);
    size_t blank = alm_str_find_byte(line, ' ');
    uint64_t rank;
    if (blank == SIZE_MAX || !blank || blank % 4 || !alm_str_to_u64(alm_str_slice(line, blank + 1, line.n), &rank))
        return false;
    for (size_t i = 0; i < blank; i++) {
        char c = line.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
              c == '='))
            return false;
    }
    return true;
}

alm_status alm_tokenizer_from_bytes(alm_tokenizer **out, const char *name, char *text, size_t n, alm_error *err) {
    alm_str s = alm_str_make(n ? text : "", n);
    size_t first = 0;
    *out = NULL;
    while (first < n && (text[first] == ' ' || text[first] == '\t' || text[first] == '\r' || text[first] == '\n'))
        first++;
    if (alm_sentencepiece_looks_like(s)) return alm_tokenizer_from_sentencepiece(out, s, err);
    if (first < n && text[first] == '{') return alm_tokenizer_from_json(out, text, n, err);
    if (looks_like_ranks(s)) return alm_tokenizer_from_tiktoken(out, s, err);
    alm_fail(err, ALM_UNSUPPORTED, "%s: no tokenizer is found in it", name);
    alm_hint(err, "known are GGUF files, tokenizer.json, tokenizer.model of SentencePiece and rank files of tiktoken");
    return ALM_UNSUPPORTED;
}

/* Packed files are unpacked. */
static alm_status read_file(alm_buf *out, const char *path, const alm_cancel *cancel, alm_error *err) {
    alm_stream *s = NULL;
    const alm_waiting waiting = {.cancel = cancel};
    alm_status st = alm_stream_open(&s, path, &waiting, err);
    for (size_t got = 1; st == ALM_OK && got;) {
        if (!alm_buf_reserve(out, 1 << 16)) st = alm_buf_status(out, err);
        if (st == ALM_OK) st = alm_stream_read(s, out->at + out->n, 1 << 16, &got, err);
        if (st == ALM_OK) out->n += got;
    }
    alm_stream_close(s);
    return st;
}

static alm_status open_bytes(alm_tokenizer **out, const char *path, const alm_cancel *cancel, alm_error *err) {
    alm_buf text = alm_buf_with_limit(ALM_TOKENIZER_MAX_BYTES);
    alm_status st = read_file(&text, path, cancel, err);
    if (st == ALM_OK) st = alm_tokenizer_from_bytes(out, path, text.at, text.n, err);
    alm_buf_free(&text);
    return st;
}

/* -- GGUF ---------------------------------------------------------------------------------------------------------------------- */

/* The prefix of the first key that ends as a tokenizer's does; "" when there is none. */
static void find_prefix(char *at, size_t at_bytes, const alm_gguf *g) {
    const alm_str end = ALM_STR("tokenizer.ggml.model");
    *at = '\0';
    for (size_t i = 0; i < alm_gguf_value_count(g); i++) {
        alm_str key = alm_gguf_value_at(g, i)->key;
        if (!alm_str_ends(key, end) || key.n - end.n >= at_bytes) continue;
        memcpy(at, key.at, key.n - end.n);
        at[key.n - end.n] = '\0';
        return;
    }
}

static alm_status open_gguf(alm_tokenizer **out, const char *path, alm_error *err) {
    alm_gguf *g = NULL;
    char prefix[200];
    alm_status st = alm_gguf_open(&g, path, err);
    if (st != ALM_OK) return st;
    find_prefix(prefix, sizeof prefix, g);
    st = alm_tokenizer_from_gguf(out, g, prefix, err);
    if (st == ALM_NOT_FOUND) alm_fail(err, ALM_NOT_FOUND, "%s: the file has no tokenizer", path);
    alm_gguf_close(g);
    return st;
}

/* -- a folder -------------------------------------------------------------------------------------------------------------------- */

/* "bos_token": "<s>" or {"content": "<s>"}. */
static void named_id(const alm_tokenizer *t, const alm_json *root, const char *key, int32_t *out) {
    const alm_json *v = alm_json_get(root, key), *content = alm_json_get(v, "content");
    if (content) v = content;
    if (!v || v->type != ALM_JSON_STRING) return;
    int32_t id = alm_tokenizer_find(t, v->text);
    if (id >= 0) *out = id;
}

/* What tokenizer_config.json says about the begin and the end of texts; SentencePiece's own file leaves it open. */
static void apply_config(alm_tokenizer *t, const alm_json *root, bool frames) {
    const alm_json *bos = alm_json_get(root, "add_bos_token"), *eos = alm_json_get(root, "add_eos_token");
    named_id(t, root, "bos_token", &t->bos);
    named_id(t, root, "eos_token", &t->eos);
    if (!frames) return;
    if (bos) t->n_before = bos->type == ALM_JSON_TRUE && t->bos >= 0 ? 1 : 0;
    if (eos) t->n_behind = eos->type == ALM_JSON_TRUE && t->eos >= 0 ? 1 : 0;
    if (t->n_before) t->before[0] = (uint32_t)t->bos;
    if (t->n_behind) t->behind[0] = (uint32_t)t->eos;
}

static alm_status read_config(alm_tokenizer *t, const char *path, bool frames, alm_error *err) {
    alm_buf text = alm_buf_with_limit(MAX_CONFIG);
    alm_json_doc doc = {0};
    alm_status st = alm_file_exists(path) ? alm_file_read(&text, path, err) : ALM_END;
    if (st == ALM_OK) st = alm_json_parse(&doc, text.at, text.n, NULL, NULL, err);
    if (st == ALM_OK) apply_config(t, doc.node, frames);
    alm_json_doc_free(&doc);
    alm_buf_free(&text);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status path_of(alm_buf *out, const char *folder, const char *name, alm_error *err) {
    alm_buf_clear(out);
    alm_buf_printf(out, "%s/%s", folder, name);
    return alm_buf_text(out) ? ALM_OK : alm_buf_status(out, err);
}

static alm_status open_folder(alm_tokenizer **out, const char *folder, const alm_cancel *cancel, alm_error *err) {
    static const char *const names[] = {"tokenizer.json", "tokenizer.model"};
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_tokenizer *t = NULL;
    alm_status st = ALM_NOT_FOUND;
    for (int i = 0; st == ALM_NOT_FOUND && i < 2; i++) {
        if ((st = path_of(&path, folder, names[i], err)) != ALM_OK) break;
        if (!alm_file_exists(path.at)) {
            st = ALM_NOT_FOUND;
            continue;
        }
        st = open_bytes(&t, path.at, cancel, err);
        if (st == ALM_OK) st = path_of(&path, folder, "tokenizer_config.json", err);
        if (st == ALM_OK) st = read_config(t, path.at, i == 1, err);
    }
    if (st == ALM_NOT_FOUND && !t)
        alm_fail(err, ALM_NOT_FOUND, "%s: neither tokenizer.json nor tokenizer.model is in the folder", folder);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    alm_buf_free(&path);
    return st;
}

/* -- the whole -------------------------------------------------------------------------------------------------------------------- */

alm_status alm_tokenizer_open(alm_tokenizer **out, const char *path, const alm_cancel *cancel, alm_error *err) {
    struct stat about;
    char magic[4] = {0};
    alm_stream *s = NULL;
    size_t got = 0;
    const alm_waiting waiting = {.cancel = cancel};
    *out = NULL;
    if (alm_builtin_is(path)) return open_gguf(out, path, err);
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return open_folder(out, path, cancel, err);
    alm_status st = alm_stream_open(&s, path, &waiting, err);
    if (st == ALM_OK) st = alm_stream_read(s, magic, sizeof magic, &got, err);
    alm_stream_close(s);
    if (st != ALM_OK) return st;
    return memcmp(magic, "GGUF", 4) == 0 ? open_gguf(out, path, err) : open_bytes(out, path, cancel, err);
}
