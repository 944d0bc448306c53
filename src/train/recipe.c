/* SPDX-License-Identifier: Apache-2.0
 *
 * recipe.c - a recipe as JSON. One table of members serves writing and reading, so that neither can forget one. */
#include "train/recipe.h"
#include "base/alloc.h"
#include "base/json.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum kind { U64, SIZE, F64, BOOL, TEXT, HEX, NAME, U32 } kind;
typedef struct member {
    const char *section, *key;
    kind kind;
    size_t at;
    bool may_be_missing;
} member;

#define M(section, key, kind, field, missing) \
    { section, key, kind, offsetof(alm_recipe, field), missing }
/* In the order of the file. NAME: the char family[32] of the configuration. */
static const member members[] = {
    M(NULL, "alm", TEXT, version, false),
    M(NULL, "numbers", U32, numbers, false),
    M("records", "format", TEXT, format, true),
    M("records", "field", TEXT, field, true),
    M("records", "multiline", TEXT, multiline, true),
    M("records", "redact", TEXT, redact, true),
    M("records", "eval_share", F64, eval_share, false),
    M("records", "documents", U64, n_documents, false),
    M("records", "tokens", U64, n_tokens, false),
    M("records", "tokens_sha256", HEX, tokens_sha256, false),
    M("tokenizer", "path", TEXT, tokenizer, true),
    M("tokenizer", "sha256", HEX, tokenizer_sha256, false),
    M("base", "path", TEXT, base, true),
    M("base", "sha256", HEX, base_sha256, true),
    M("model", "family", NAME, config.family, false),
    M("model", "vocab", SIZE, config.n_vocab, false),
    M("model", "hidden", SIZE, config.hidden, false),
    M("model", "layers", SIZE, config.n_layers, false),
    M("model", "heads", SIZE, config.n_heads, false),
    M("model", "kv_heads", SIZE, config.n_kv_heads, false),
    M("model", "head_dim", SIZE, config.head_dim, false),
    M("model", "ffn", SIZE, config.ffn, false),
    M("model", "context", SIZE, config.context, false),
    M("model", "norm_eps", F64, config.norm_eps, false),
    M("model", "rope_theta", F64, config.rope_theta, false),
    M("model", "rope_factor", F64, config.rope_factor, false),
    M("model", "rope_low", F64, config.rope_low, false),
    M("model", "rope_high", F64, config.rope_high, false),
    M("model", "rope_original", SIZE, config.rope_original, false),
    M("model", "tied", BOOL, config.tied, false),
    M("model", "type", TEXT, type, false),
    M("training", "seed", U64, options.seed, false),
    M("training", "batch_tokens", SIZE, options.batch_tokens, false),
    M("training", "micro_tokens", SIZE, options.micro_tokens, false),
    M("training", "context", SIZE, options.context, false),
    M("training", "warmup", U64, options.warmup, false),
    M("training", "decay_from", U64, options.decay_from, false),
    M("training", "steps", U64, options.steps, false),
    M("training", "stop_at", U64, options.stop_at, false),
    M("training", "lr", F64, options.lr, false),
    M("training", "lr_min", F64, options.lr_min_ratio, false),
    M("training", "beta1", F64, options.beta1, false),
    M("training", "beta2", F64, options.beta2, false),
    M("training", "eps", F64, options.eps, false),
    M("training", "weight_decay", F64, options.weight_decay, false),
    M("training", "decay_all", BOOL, options.decay_all, false),
    M("training", "clip", F64, options.clip, false),
    M("training", "bf16", BOOL, options.bf16, false),
    M("training", "eval_every", U64, options.eval_every, false),
    M("training", "patience", U64, options.patience, false),
    M("result", "steps", U64, steps_done, false),
    M("result", "tokens", U64, tokens_done, false),
    M("result", "best_step", U64, best_step, false),
    M("result", "loss", F64, loss, true),
    M("result", "eval_loss", F64, eval_loss, true),
    M("result", "sha256", HEX, model_sha256, true),
};

static bool same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool is_missing(const member *m, const alm_recipe *r) {
    const char *p = (const char *)r + m->at;
    if (!m->may_be_missing) return false;
    if (m->kind == TEXT) return *(const char *const *)(const void *)p == NULL;
    if (m->kind == HEX) return !*p;
    return isnan(*(const double *)(const void *)p);
}

static void put(alm_json_writer *w, const member *m, const alm_recipe *r) {
    const char *p = (const char *)r + m->at;
    if (is_missing(m, r)) return;
    alm_json_key(w, m->key);
    switch (m->kind) {
    case U64: alm_json_u64(w, *(const uint64_t *)(const void *)p); break;
    case SIZE: alm_json_u64(w, *(const size_t *)(const void *)p); break;
    case U32: alm_json_u64(w, *(const uint32_t *)(const void *)p); break;
    case F64: alm_json_number(w, *(const double *)(const void *)p); break;
    case BOOL: alm_json_bool(w, *(const bool *)(const void *)p); break;
    case TEXT: alm_json_text(w, *(const char *const *)(const void *)p); break;
    case HEX:
    case NAME: alm_json_text(w, p); break;
    }
}

static void put_data(alm_json_writer *w, const alm_recipe *r) {
    alm_json_key(w, "data"), alm_json_begin_array(w);
    for (size_t i = 0; i < r->n_data; i++) {
        alm_json_begin_object(w);
        alm_json_key(w, "path"), alm_json_text(w, r->data[i].path);
        alm_json_key(w, "bytes"), alm_json_u64(w, r->data[i].bytes);
        alm_json_key(w, "sha256"), alm_json_text(w, r->data[i].sha256);
        alm_json_end_object(w);
    }
    alm_json_end_array(w);
}

/* Two levels, each member on its own line; what is deeper stays on one. Strings hold no newline: they are escaped. */
void alm_recipe_indent(alm_buf *out, alm_str json) {
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.at[i];
        if (quoted) {
            alm_buf_add_byte(out, c);
            if (c == '\\' && i + 1 < json.n) alm_buf_add_byte(out, json.at[++i]);
            else if (c == '"') quoted = false;
            continue;
        }
        bool closes = c == '}' || c == ']', empty = closes && i && (json.at[i - 1] == '{' || json.at[i - 1] == '[');
        if (closes && depth-- <= 2 && !empty) alm_buf_printf(out, "\n%*s", (int)depth * 2, "");
        alm_buf_add_byte(out, c);
        if (c == '"') quoted = true;
        if (c == '{' || c == '[') depth++;
        bool opens_empty = (c == '{' || c == '[') && i + 1 < json.n && (json.at[i + 1] == '}' || json.at[i + 1] == ']');
        if (opens_empty) continue;
        if ((c == '{' || c == '[' || c == ',') && depth <= 2) alm_buf_printf(out, "\n%*s", (int)depth * 2, "");
        else if (c == ':' || c == ',') alm_buf_add_byte(out, ' ');
    }
    alm_buf_add_byte(out, '\n');
}

alm_status alm_recipe_write(alm_buf *out, const alm_recipe *r, bool indented, alm_error *err) {
    alm_buf compact = alm_buf_with_limit(out->limit);
    alm_json_writer w = alm_json_writer_on(&compact);
    const char *section = NULL;
    alm_json_begin_object(&w);
    alm_json_key(&w, "recipe"), alm_json_u64(&w, ALM_RECIPE_VERSION);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const member *m = &members[i];
        if (m->section && strcmp(m->section, "base") == 0 && !r->base) continue;
        if (!same(m->section, section)) {
            if (section) alm_json_end_object(&w);
            else put_data(&w, r);
            section = m->section;
            alm_json_key(&w, section), alm_json_begin_object(&w);
        }
        put(&w, m, r);
    }
    alm_json_end_object(&w);
    alm_json_end_object(&w);
    alm_status st = alm_buf_status(&compact, err);
    if (st == ALM_OK) {
        if (indented) alm_recipe_indent(out, alm_buf_str(&compact));
        else alm_buf_add_str(out, alm_buf_str(&compact));
        st = alm_buf_status(out, err);
    }
    alm_buf_free(&compact);
    return st;
}

/* ── reading ────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_hex(alm_str s) {
    if (s.n != 64) return false;
    for (size_t i = 0; i < 64; i++)
        if (!strchr("0123456789abcdef", s.at[i]) || !s.at[i]) return false;
    return true;
}

static bool take(const member *m, alm_recipe *r, const alm_json *v, alm_arena *a, bool *no_memory) {
    char *p = (char *)r + m->at;
    uint64_t whole = 0;
    if (m->kind == U64 || m->kind == SIZE || m->kind == U32) {
        if (v->type != ALM_JSON_NUMBER || !alm_str_to_u64(v->text, &whole)) return false;
        if (m->kind == U64) *(uint64_t *)(void *)p = whole;
        if (m->kind == SIZE) *(size_t *)(void *)p = (size_t)whole;
        if (m->kind == U32) *(uint32_t *)(void *)p = (uint32_t)whole;
        return m->kind == U64 || whole <= (m->kind == SIZE ? SIZE_MAX : UINT32_MAX);
    }
    if (m->kind == F64) return alm_json_f64(v, (double *)(void *)p);
    if (m->kind == BOOL) {
        *(bool *)(void *)p = v->type == ALM_JSON_TRUE;
        return v->type == ALM_JSON_TRUE || v->type == ALM_JSON_FALSE;
    }
    if (v->type != ALM_JSON_STRING || memchr(v->text.at, 0, v->text.n)) return false;
    if (m->kind == HEX) {
        if (!is_hex(v->text)) return false;
        memcpy(p, v->text.at, 64);
        p[64] = '\0';
        return true;
    }
    if (m->kind == NAME) {
        if (v->text.n >= sizeof r->config.family) return false;
        memcpy(p, v->text.at, v->text.n);
        p[v->text.n] = '\0';
        return true;
    }
    alm_str copy = alm_arena_copy(a, v->text);
    *no_memory = *no_memory || !copy.at;
    *(const char **)(void *)p = copy.at;
    return true;
}

static alm_status take_data(alm_recipe *r, const char *name, const alm_json *root, alm_arena *a, alm_error *err) {
    const alm_json *list = alm_json_get(root, "data");
    if (!list || list->type != ALM_JSON_ARRAY || list->n == 0)
        return alm_fail(err, ALM_MALFORMED, "%s: the recipe names no data", name);
    r->data = alm_arena_array(a, alm_recipe_file, list->n);
    if (!r->data) return alm_fail_memory(err);
    for (const alm_json *c = alm_json_first(list); c; c = alm_json_next(list, c)) {
        alm_recipe_file *f = &r->data[r->n_data++];
        const alm_json *path = alm_json_get(c, "path"), *bytes = alm_json_get(c, "bytes"),
                       *hex = alm_json_get(c, "sha256");
        if (!path || path->type != ALM_JSON_STRING || memchr(path->text.at, 0, path->text.n) || !bytes ||
            bytes->type != ALM_JSON_NUMBER || !alm_str_to_u64(bytes->text, &f->bytes) || !hex ||
            hex->type != ALM_JSON_STRING || !is_hex(hex->text))
            return alm_fail(err, ALM_MALFORMED, "%s: data file %zu has no path, no size or no SHA-256", name,
                            r->n_data);
        f->path = alm_arena_copy(a, path->text).at;
        if (!f->path) return alm_fail_memory(err);
        memcpy(f->sha256, hex->text.at, 64);
    }
    return ALM_OK;
}

alm_status alm_recipe_parse(alm_recipe *out, const char *name, alm_str json, alm_arena *a, alm_error *err) {
    alm_json_doc doc = {0};
    alm_recipe r = {.loss = NAN, .eval_loss = NAN};
    uint64_t version = 0;
    bool no_memory = false;
    alm_str text = alm_arena_copy(a, json);
    if (!text.at) return alm_fail_memory(err);
    alm_status st = alm_json_parse(&doc, (char *)text.at, text.n, NULL, NULL, err);
    if (st != ALM_OK) goto done;
    const alm_json *v = alm_json_get(doc.node, "recipe");
    if (!v || v->type != ALM_JSON_NUMBER || !alm_str_to_u64(v->text, &version)) {
        st = alm_fail(err, ALM_MALFORMED, "%s: this is no recipe", name);
        goto done;
    }
    if (version != ALM_RECIPE_VERSION) {
        st = alm_fail(err, ALM_UNSUPPORTED, "%s: recipe of version %llu, this program reads %d", name,
                      (unsigned long long)version, ALM_RECIPE_VERSION);
        goto done;
    }
    if ((st = take_data(&r, name, doc.node, a, err)) != ALM_OK) goto done;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const member *m = &members[i];
        v = alm_json_get(m->section ? alm_json_get(doc.node, m->section) : doc.node, m->key);
        if (!v && m->may_be_missing) continue;
        if (v && take(m, &r, v, a, &no_memory)) continue;
        st = alm_fail(err, ALM_MALFORMED, "%s: %s%s%s is missing or not what it should be", name,
                      m->section ? m->section : "", m->section ? "." : "", m->key);
        goto done;
    }
    if (no_memory) st = alm_fail_memory(err);
    else *out = r;
done:
    alm_json_doc_free(&doc);
    return st;
}
