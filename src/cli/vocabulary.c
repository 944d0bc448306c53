/* SPDX-License-Identifier: Apache-2.0
 *
 * vocabulary.c - finds the tokenizer that belongs to a MODEL.
 *
 * What a file is, its first bytes say, not its name: "GGUF", or a `{`. In a GGUF file the tokenizer's keys may have a prefix,
 * as in a model of `alm learn`, whose language model is one part of it. Kinds that are not read are refused by name. */
#include "cli/vocabulary.h"
#include "base/file.h"
#include "record/decompress.h"
#include <sys/stat.h>

enum { MAX_JSON = 1 << 28 };

alm_status alm_vocabulary_read(alm_buf *out, const alm_cli *cli, const char *path, alm_error *err) {
    alm_stream *s = NULL;
    const alm_waiting waiting = {.cancel = cli->cancel};
    alm_status st = alm_stream_open(&s, path, &waiting, err);
    for (size_t got = 1; st == ALM_OK && got;) {
        if (!alm_buf_reserve(out, 1 << 16)) st = alm_buf_status(out, err);
        if (st == ALM_OK) st = alm_stream_read(s, out->at + out->n, 1 << 16, &got, err);
        if (st == ALM_OK) out->n += got;
    }
    alm_stream_close(s);
    return st == ALM_OK && alm_cli_stopped(cli) ? ALM_INTERRUPTED : st;
}

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

static alm_status open_gguf(alm_bpe **out, const char *path, alm_error *err) {
    alm_gguf *g = NULL;
    char prefix[200];
    alm_status st = alm_gguf_open(&g, path, err);
    if (st == ALM_OK) {
        find_prefix(prefix, sizeof prefix, g);
        st = alm_bpe_from_gguf(out, g, prefix, err);
    }
    if (st == ALM_NOT_FOUND && g) {
        alm_fail(err, ALM_NOT_FOUND, _("%s: the file has no tokenizer"), path);
        alm_hint(err, "%s",
                 _("a model that `alm train` made has one, and one of `alm learn` unless --no-lm left it out"));
    }
    alm_gguf_close(g);
    return st;
}

static alm_status open_json(alm_bpe **out, const alm_cli *cli, const char *path, alm_error *err) {
    alm_buf text = alm_buf_with_limit(MAX_JSON);
    alm_status st = alm_vocabulary_read(&text, cli, path, err);
    size_t first = 0;
    while (first < text.n && strchr(" \t\r\n", text.at[first])) first++;
    if (st == ALM_OK && (first == text.n || text.at[first] != '{')) {
        alm_fail(err, ALM_UNSUPPORTED, _("%s: neither a GGUF file nor a tokenizer.json"), path);
        alm_hint(err, "%s", _("vocabularies of SentencePiece (tokenizer.model) and tiktoken are not read yet"));
        st = ALM_UNSUPPORTED;
    }
    if (st == ALM_OK) st = alm_bpe_from_json(out, text.at, text.n, err);
    alm_buf_free(&text);
    return st;
}

alm_status alm_vocabulary_open(alm_bpe **out, const alm_cli *cli, const char *model, alm_error *err) {
    alm_buf path = alm_buf_with_limit(1 << 16);
    struct stat about;
    char magic[4] = {0};
    *out = NULL;
    alm_buf_add_text(&path, model);
    if (stat(model, &about) == 0 && S_ISDIR(about.st_mode)) alm_buf_add_text(&path, "/tokenizer.json");
    const char *name = alm_buf_text(&path);
    alm_status st = name ? ALM_OK : alm_buf_status(&path, err);
    alm_stream *s = NULL;
    size_t got = 0;
    const alm_waiting waiting = {.cancel = cli->cancel};
    if (st == ALM_OK) st = alm_stream_open(&s, name, &waiting, err);
    if (st == ALM_OK) st = alm_stream_read(s, magic, sizeof magic, &got, err);
    alm_stream_close(s);
    if (st == ALM_OK) st = memcmp(magic, "GGUF", 4) == 0 ? open_gguf(out, name, err) : open_json(out, cli, name, err);
    alm_buf_free(&path);
    return st;
}
