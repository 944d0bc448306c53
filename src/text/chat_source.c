/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_source.c - finds the chat template of a model, and its first and last token.
 *
 * What a file is, its first bytes and its end say: "GGUF"; .json for a configuration; anything else is a template. */
#include "text/chat_source.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "format/builtin.h"
#include "format/gguf.h"

#include <stdio.h>
#include <sys/stat.h>

enum { MAX_CONFIG = 1 << 26, MAX_TEMPLATE = 1 << 24 };

void alm_chat_source_free(alm_chat_source *s) {
    alm_free(s->text);
    alm_free(s->bos_token);
    alm_free(s->eos_token);
    *s = (alm_chat_source){0};
}

static alm_status copy(char **out, alm_str s, alm_error *err) {
    char *at = alm_alloc(s.n + 1);
    if (!at) return alm_fail_memory(err);
    if (s.n) memcpy(at, s.at, s.n);
    at[s.n] = '\0';
    alm_free(*out);
    *out = at;
    return ALM_OK;
}

static alm_status set_text(alm_chat_source *s, alm_str text, alm_error *err) {
    s->n = text.n;
    return copy(&s->text, text, err);
}

/* Which of the names there are is meant; what was seen is kept for the message. */
typedef struct choice {
    const char *path, *name;
    bool with_tools;
    char seen[200];
} choice;

/* 0: not this one; more is better. */
static int rank_of(choice *c, alm_str name) {
    size_t n = strlen(c->seen);
    alm_str_print(c->seen + n, sizeof c->seen - n, "%s%.*s", n ? ", " : "", (int)(name.n < 60 ? name.n : 60), name.at);
    if (c->name) return alm_str_eq(name, alm_str_of(c->name)) ? 3 : 0;
    if (c->with_tools && alm_str_eq(name, ALM_STR("tool_use"))) return 3;
    return alm_str_eq(name, ALM_STR("default")) ? 2 : 0;
}

static alm_status not_found(const choice *c, alm_error *err) {
    if (c->name) alm_fail(err, ALM_NOT_FOUND, "%s: there is no chat template named '%s'", c->path, c->name);
    else alm_fail(err, ALM_NOT_FOUND, "%s: the model has no chat template", c->path);
    if (*c->seen) alm_hint(err, "it has: %s", c->seen);
    return ALM_NOT_FOUND;
}

/* ── GGUF ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The text of the token whose number stands under a key. */
static alm_status token_of(char **out, const alm_gguf *g, alm_str prefix, const char *key, alm_error *err) {
    char name[300];
    const alm_gguf_value *tokens;
    uint64_t id;
    alm_str token;
    size_t offset = 0;
    alm_str_print(name, sizeof name, "%.*stokenizer.ggml.tokens", ALM_ARG(prefix));
    if (alm_gguf_array(g, name, ALM_GGUF_STRING, &tokens, NULL) != ALM_OK) return ALM_OK;
    alm_str_print(name, sizeof name, "%.*s%s", ALM_ARG(prefix), key);
    if (alm_gguf_u64(g, name, &id, NULL) != ALM_OK || id >= tokens->n) return ALM_OK;
    for (uint64_t i = 0; alm_gguf_next_str(tokens, &offset, &token); i++)
        if (i == id) return copy(out, token, err);
    return ALM_OK;
}

static alm_status from_gguf(alm_chat_source *out, choice *c, alm_error *err) {
    static const char key[] = "tokenizer.chat_template";
    alm_gguf *g = NULL;
    alm_str best = {0}, prefix = {0};
    int rank = 0;
    alm_status st = alm_gguf_open(&g, c->path, err);
    for (size_t i = 0; st == ALM_OK && i < alm_gguf_value_count(g); i++) {
        const alm_gguf_value *v = alm_gguf_value_at(g, i);
        size_t at = alm_str_find(v->key, alm_str_of(key));
        if (at == SIZE_MAX || at > 200 || v->type != ALM_GGUF_STRING) continue;
        alm_str name = alm_str_slice(v->key, at + strlen(key), v->key.n), text;
        if (name.n && name.at[0] != '.') continue; /* tokenizer.chat_templates: only their names */
        size_t offset = 0;
        int r = rank_of(c, name.n ? alm_str_slice(name, 1, name.n) : ALM_STR("default"));
        if (r <= rank || !alm_gguf_next_str(v, &offset, &text)) continue;
        rank = r, best = text, prefix = alm_str_slice(v->key, 0, at);
    }
    if (st == ALM_OK) st = rank ? set_text(out, best, err) : not_found(c, err);
    if (st == ALM_OK) st = token_of(&out->bos_token, g, prefix, "tokenizer.ggml.bos_token_id", err);
    if (st == ALM_OK) st = token_of(&out->eos_token, g, prefix, "tokenizer.ggml.eos_token_id", err);
    alm_gguf_close(g);
    return st;
}

/* ── folders of Hugging Face ──────────────────────────────────────────────────────────────────────────────────── */

/* "token" or {"content": "token", …}. */
static alm_status read_token(char **out, const alm_json *config, const char *key, alm_error *err) {
    const alm_json *v = alm_json_get(config, key);
    if (v && v->type == ALM_JSON_OBJECT) v = alm_json_get(v, "content");
    return v && v->type == ALM_JSON_STRING && !*out ? copy(out, v->text, err) : ALM_OK;
}

/* The template in a configuration, if one is chosen: a text, or a list of {name, template}. */
static alm_status read_templates(alm_chat_source *out, choice *c, const alm_json *config, alm_error *err) {
    const alm_json *v = alm_json_get(config, "chat_template");
    alm_str best = {0};
    int rank = 0;
    if (v && v->type == ALM_JSON_STRING && rank_of(c, ALM_STR("default"))) return set_text(out, v->text, err);
    if (!v || v->type != ALM_JSON_ARRAY) return ALM_OK;
    for (const alm_json *one = alm_json_first(v); one; one = alm_json_next(v, one)) {
        const alm_json *name = alm_json_get(one, "name"), *text = alm_json_get(one, "template");
        if (!name || name->type != ALM_JSON_STRING || !text || text->type != ALM_JSON_STRING) continue;
        int r = rank_of(c, name->text);
        if (r > rank) rank = r, best = text->text;
    }
    return rank ? set_text(out, best, err) : ALM_OK;
}

/* What a JSON file of the folder says; nothing where it is not there. */
static alm_status read_config(alm_chat_source *out, choice *c, const char *path, bool templates, alm_error *err) {
    alm_buf text = alm_buf_with_limit(MAX_CONFIG);
    alm_json_doc doc = {0};
    alm_error inner = {0};
    if (!alm_file_exists(path)) return ALM_OK;
    alm_status st = alm_file_read(&text, path, err);
    if (st == ALM_OK && (st = alm_json_parse(&doc, text.at, text.n, NULL, NULL, &inner)) != ALM_OK)
        st = alm_fail(err, st, "%s: %s", path, inner.text);
    if (st == ALM_OK && templates && !out->text) st = read_templates(out, c, doc.node, err);
    if (st == ALM_OK) st = read_token(&out->bos_token, doc.node, "bos_token", err);
    if (st == ALM_OK) st = read_token(&out->eos_token, doc.node, "eos_token", err);
    alm_json_doc_free(&doc);
    alm_buf_free(&text);
    return st;
}

static alm_status read_template(alm_chat_source *out, const char *path, alm_error *err) {
    alm_buf text = alm_buf_with_limit(MAX_TEMPLATE);
    alm_status st = alm_file_read(&text, path, err);
    if (st == ALM_OK) st = set_text(out, alm_buf_str(&text), err);
    alm_buf_free(&text);
    return st;
}

static alm_status from_folder(alm_chat_source *out, choice *c, alm_error *err) {
    static const char *const configs[] = {"chat_template.json", "tokenizer_config.json", "special_tokens_map.json"};
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_status st = ALM_OK;
    /* Files of their own are stronger than the configuration. */
    const char *own[3] = {c->name, c->name ? NULL : c->with_tools ? "tool_use" : NULL, "default"};
    for (int i = 0; i < 3 && st == ALM_OK && !out->text; i++) {
        if (!own[i] || (i == 2 && c->name && strcmp(c->name, "default") != 0)) continue;
        alm_buf_clear(&path);
        if (strcmp(own[i], "default") == 0) alm_buf_printf(&path, "%s/chat_template.jinja", c->path);
        else alm_buf_printf(&path, "%s/additional_chat_templates/%s.jinja", c->path, own[i]);
        const char *name = alm_buf_text(&path);
        if (!name) st = alm_buf_status(&path, err);
        else if (alm_file_exists(name)) st = read_template(out, name, err);
    }
    for (int i = 0; i < 3 && st == ALM_OK; i++) {
        alm_buf_clear(&path);
        alm_buf_printf(&path, "%s/%s", c->path, configs[i]);
        const char *name = alm_buf_text(&path);
        st = name ? read_config(out, c, name, i < 2, err) : alm_buf_status(&path, err);
    }
    alm_buf_free(&path);
    return st == ALM_OK && !out->text ? not_found(c, err) : st;
}

/* ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool begins_as_gguf(const char *path) {
    char magic[4] = {0};
    if (alm_builtin_is(path)) return true;
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    bool is = fread(magic, 1, 4, f) == 4 && memcmp(magic, "GGUF", 4) == 0;
    fclose(f);
    return is;
}

alm_status alm_chat_source_open(alm_chat_source *out, const char *path, const char *name, bool with_tools,
                                alm_error *err) {
    choice c = {.path = path, .name = name, .with_tools = with_tools};
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return from_folder(out, &c, err);
    if (begins_as_gguf(path)) return from_gguf(out, &c, err);
    if (!alm_str_ends(alm_str_of(path), ALM_STR(".json"))) {
        if (name) return not_found(&c, err);
        return read_template(out, path, err);
    }
    if (!alm_file_exists(path)) return read_template(out, path, err); /* which says that it is not there */
    alm_status st = read_config(out, &c, path, true, err);
    return st == ALM_OK && !out->text ? not_found(&c, err) : st;
}
