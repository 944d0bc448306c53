/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c - from a path to a model: a GGUF file, or a Hugging Face folder (config.json, and safetensors or PyTorch's files).
 * The model inside the program, "builtin:", is a GGUF file too.
 *
 * Everything in the file is held against everything else before the first use: configuration against tensors, tensors
 * against the configuration, the vocabulary that travels along against both. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "format/format.h"
#include "model/family.h"

#include <stdio.h>
#include <sys/stat.h>

/* -- the vocabulary that travels along ------------------------------------------------------------------------------------ */

static const alm_gguf_value *value(const alm_gguf *g, const char *prefix, const char *name) {
    char key[200];
    snprintf(key, sizeof key, "%stokenizer.ggml.%s", prefix, name);
    return alm_gguf_find(g, key);
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* <0x00> to <0xFF> */
static bool is_byte_token(alm_str s) {
    return s.n == 6 && memcmp(s.at, "<0x", 3) == 0 && hex(s.at[3]) >= 0 && hex(s.at[4]) >= 0 && s.at[5] == '>';
}

enum { TOKEN_TYPE_BYTE = 6 };

static alm_status check_tokens(const alm_gguf_value *tokens, const alm_gguf_value *types, alm_error *err) {
    size_t at = 0;
    alm_str s;
    for (uint64_t i = 0; alm_gguf_next_str(tokens, &at, &s); i++)
        if (types && alm_gguf_item_u64(types, i) == TOKEN_TYPE_BYTE && !is_byte_token(s))
            return alm_fail(err, ALM_MALFORMED, "bad_value: token %llu is a byte, but its text is \"%.*s\"",
                            (unsigned long long)i, ALM_ARG(s));
    return ALM_OK;
}

static alm_status check_special(const alm_gguf *g, const char *prefix, size_t n_vocab, alm_error *err) {
    static const char *const names[] = {"bos",     "eos",     "eot",    "eom",     "unknown", "seperator", "separator",
                                        "padding", "cls",     "mask",   "fim_pre", "fim_suf", "fim_mid",   "fim_pad",
                                        "fim_rep", "fim_sep", "prefix", "suffix",  "middle"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s_token_id", names[i]);
        const alm_gguf_value *v = value(g, prefix, key);
        if (!v) continue;
        if (v->type == ALM_GGUF_STRING || v->type == ALM_GGUF_ARRAY || v->type == ALM_GGUF_F32 ||
            v->type == ALM_GGUF_F64 || alm_gguf_item_u64(v, 0) >= n_vocab)
            return alm_fail(err, ALM_MALFORMED, "bad_value: %s is no id of the %zu tokens", key, n_vocab);
    }
    return ALM_OK;
}

alm_status alm_vocab_check(const alm_gguf *g, const char *prefix, size_t n_vocab, alm_error *err) {
    static const char *const parallel[] = {"scores", "token_type"};
    const alm_gguf_value *tokens = value(g, prefix, "tokens"), *types = NULL;
    alm_status st = check_special(g, prefix, n_vocab, err);
    if (st != ALM_OK || !tokens) return st;
    if (tokens->type != ALM_GGUF_ARRAY || tokens->item != ALM_GGUF_STRING)
        return alm_fail(err, ALM_MALFORMED, "bad_type: the tokens are no array of strings");
    if (tokens->n != n_vocab)
        return alm_fail(err, ALM_MALFORMED, "bad_shape: %llu tokens, %zu rows of the embedding",
                        (unsigned long long)tokens->n, n_vocab);
    for (size_t i = 0; i < 2; i++) {
        const alm_gguf_value *v = value(g, prefix, parallel[i]);
        if (!v) continue;
        if (v->type != ALM_GGUF_ARRAY || v->item == ALM_GGUF_STRING)
            return alm_fail(err, ALM_MALFORMED, "bad_type: %s of the tokens are no array of numbers", parallel[i]);
        if (v->n != n_vocab)
            return alm_fail(err, ALM_MALFORMED, "bad_count: %zu tokens, %llu %s", n_vocab, (unsigned long long)v->n,
                            parallel[i]);
        if (i == 1 && v->item != ALM_GGUF_F32 && v->item != ALM_GGUF_F64) types = v;
    }
    return check_tokens(tokens, types, err);
}

/* -- opening ---------------------------------------------------------------------------------------------------------------- */

alm_status alm_model_from_gguf(alm_model **out, const alm_gguf *g, const char *prefix, alm_error *err) {
    alm_config config;
    alm_model *m = NULL;
    if (strlen(prefix) > 32) return alm_fail(err, ALM_INVALID, "a prefix of more than 32 bytes");
    alm_status st = alm_config_from_gguf(&config, g, prefix, err);
    if (st == ALM_OK) st = alm_vocab_check(g, prefix, config.n_vocab, err);
    /* So many layers as there are tensors for: before memory is asked for them. */
    if (st == ALM_OK && config.n_layers > alm_gguf_tensor_count(g))
        st = alm_fail(err, ALM_MALFORMED, "missing_tensor: %zu layers, %zu tensors", config.n_layers,
                      alm_gguf_tensor_count(g));
    if (st == ALM_OK) st = alm_model_make(&m, &config, err);
    if (st == ALM_OK) st = alm_weights_from_gguf(m, g, prefix, err);
    if (st == ALM_OK) *out = m, m = NULL;
    alm_model_free(m);
    return st;
}

static alm_status open_gguf(alm_model **out, const char *path, alm_error *err) {
    alm_gguf *g;
    alm_status st = alm_gguf_open(&g, path, err);
    if (st != ALM_OK) return st;
    st = alm_model_from_gguf(out, g, "", err);
    if (st == ALM_OK) return (*out)->gguf = g, ALM_OK;
    alm_gguf_close(g);
    return st;
}

static alm_status read_config(alm_config *config, const char *dir, alm_error *err) {
    alm_buf path = alm_buf_with_limit(1 << 16), text = alm_buf_with_limit(1 << 24);
    alm_status st = alm_path_join(&path, dir, "config.json", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK) st = alm_file_read(&text, path.at, err);
    if (st == ALM_OK) st = alm_config_from_hf(config, path.at, text.at, text.n, err);
    alm_buf_free(&path);
    alm_buf_free(&text);
    return st;
}

/* sentence-transformers keeps beside a model how a text becomes a vector. A file that is not there or says something else
 * changes nothing: it only fills in what nobody asked for. */
static alm_status read_pooling(alm_config *config, const char *dir, alm_error *err) {
    static const struct {
        const char *name;
        alm_pooling is;
    } modes[] = {{"pooling_mode_mean_tokens", ALM_POOL_MEAN},
                 {"pooling_mode_cls_token", ALM_POOL_FIRST},
                 {"pooling_mode_lasttoken", ALM_POOL_LAST}};
    alm_buf path = alm_buf_with_limit(1 << 16), text = alm_buf_with_limit(1 << 16);
    alm_json_doc doc = {0};
    alm_status st = alm_path_join(&path, dir, "1_Pooling/config.json", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK && alm_file_exists(path.at) && alm_file_read(&text, path.at, NULL) == ALM_OK)
        st = alm_json_parse(&doc, text.at, text.n, NULL, NULL, NULL) == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
    size_t n = 0;
    for (size_t i = 0; st == ALM_OK && doc.node && i < sizeof modes / sizeof *modes; i++) {
        const alm_json *v = doc.node->type == ALM_JSON_OBJECT ? alm_json_get(doc.node, modes[i].name) : NULL;
        if (!v || v->type != ALM_JSON_TRUE) continue;
        config->pooling = n++ ? ALM_POOL_UNSAID : modes[i].is; /* several at once are laid end to end: not known here */
    }
    if (text.failed == ALM_NO_MEMORY) st = alm_fail_memory(err);
    alm_json_doc_free(&doc);
    alm_buf_free(&path);
    alm_buf_free(&text);
    return st;
}

static alm_status open_folder(alm_model **out, const char *path, alm_error *err) {
    alm_config config;
    alm_tensors *s = NULL;
    alm_model *m = NULL;
    alm_status st = read_config(&config, path, err);
    if (st == ALM_OK) st = read_pooling(&config, path, err);
    if (st == ALM_OK) st = alm_tensors_open(&s, path, err);
    if (st == ALM_OK && config.n_layers > alm_tensors_count(s))
        st = alm_fail(err, ALM_MALFORMED, "missing_tensor: %zu layers, %zu tensors", config.n_layers,
                      alm_tensors_count(s));
    if (st == ALM_OK) st = alm_model_make(&m, &config, err);
    if (st == ALM_OK) st = alm_weights_from_hf(m, s, err);
    if (st == ALM_OK) {
        m->tensors = s;
        return *out = m, ALM_OK;
    }
    alm_model_free(m);
    alm_tensors_close(s);
    return st;
}

/* The room's messages begin with a class; which file it was is said here. */
static alm_status with_path(alm_status st, const char *path, alm_error *err) {
    if (st == ALM_OK || st == ALM_NO_MEMORY || !err) return st;
    size_t n = strlen(path);
    if (strncmp(err->text, path, n) == 0 && (err->text[n] == ':' || err->text[n] == '/')) return st;
    alm_error whole = *err;
    st = alm_fail(err, st, "%s: %s", path, whole.text);
    memcpy(err->hint, whole.hint, sizeof err->hint);
    return st;
}

alm_status alm_model_open(alm_model **out, const char *path, alm_error *err) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return with_path(open_folder(out, path, err), path, err);
    alm_str name = alm_str_of(path);
    if (alm_str_ends(name, ALM_STR(".safetensors")) || alm_str_ends(name, ALM_STR(".bin")) ||
        alm_str_ends(name, ALM_STR(".pt"))) {
        alm_fail(err, ALM_INVALID, "%s: weights without their configuration", path);
        return alm_hint(err, "give the folder that holds config.json and the weights"), ALM_INVALID;
    }
    return with_path(open_gguf(out, path, err), path, err);
}
