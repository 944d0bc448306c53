/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_gguf.c - a vocabulary in the metadata of a GGUF file. Specified in docs/format/tokenizer.md.
 *
 *   tokenizer.ggml.model         "gpt2", which means byte-level BPE
 *   tokenizer.ggml.pre           the pre-tokenizer (pretoken.h)
 *   tokenizer.ggml.tokens        strings, one a token, in the alphabet of bpe.c
 *   tokenizer.ggml.token_type    i32, one a token: 1 normal, 3 control ...
 *   tokenizer.ggml.merges        strings "left right", by rank
 *   tokenizer.ggml.bos_token_id, eos_token_id   u32
 *   tokenizer.ggml.add_bos_token, add_eos_token bool
 *
 * Counts are those that the reader of GGUF has checked against the file's size; everything else is checked here or in bpe.c. */
#include "base/alloc.h"
#include "text/bpe_inner.h"

enum { KEY_BYTES = 256 };

static alm_status key_of(char *at, const char *prefix, const char *name, alm_error *err) {
    int n = alm_str_print(at, KEY_BYTES, "%stokenizer.ggml.%s", prefix, name);
    if (n > 0 && n < KEY_BYTES) return ALM_OK;
    return alm_fail(err, ALM_INVALID, "a prefix of %zu bytes is too long for a key", strlen(prefix));
}

/* -- reading ---------------------------------------------------------------------------------------------------------- */

typedef struct source {
    const alm_gguf *g;
    const char *prefix;
    char key[KEY_BYTES]; /* the one that was last asked for, for messages */
} source;

static bool has(source *s, const char *name) {
    return key_of(s->key, s->prefix, name, NULL) == ALM_OK && alm_gguf_find(s->g, s->key);
}

static alm_status text_at(source *s, const char *name, alm_str *out, alm_error *err) {
    alm_status st = key_of(s->key, s->prefix, name, err);
    return st == ALM_OK ? alm_gguf_str(s->g, s->key, out, err) : st;
}

static alm_status array_at(source *s, const char *name, alm_gguf_type item, const alm_gguf_value **out,
                           alm_error *err) {
    alm_status st = key_of(s->key, s->prefix, name, err);
    return st == ALM_OK ? alm_gguf_array(s->g, s->key, item, out, err) : st;
}

static alm_status id_at(source *s, const char *name, size_t n_vocab, int32_t *out, alm_error *err) {
    uint64_t id;
    if (!has(s, name)) return ALM_OK;
    alm_status st = alm_gguf_u64(s->g, s->key, &id, err);
    if (st != ALM_OK) return st;
    if (id >= n_vocab)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_value: id %llu of a vocabulary of %zu", s->key,
                        (unsigned long long)id, n_vocab);
    *out = (int32_t)id;
    return ALM_OK;
}

static alm_status flag_at(source *s, const char *name, bool *out, alm_error *err) {
    return has(s, name) ? alm_gguf_bool(s->g, s->key, out, err) : ALM_OK;
}

static alm_status read_types(source *s, alm_bpe *b, alm_error *err) {
    memset(b->type, ALM_BPE_NORMAL, b->n_vocab);
    if (!has(s, "token_type")) return ALM_OK;
    const alm_gguf_value *types;
    alm_status st = alm_gguf_array(s->g, s->key, ALM_GGUF_I32, &types, err);
    if (st != ALM_OK) return st;
    if (types->n != b->n_vocab)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_count: %llu types for %zu tokens", s->key,
                        (unsigned long long)types->n, b->n_vocab);
    for (size_t i = 0; i < b->n_vocab; i++) {
        uint64_t type = alm_gguf_item_u64(types, i);
        b->type[i] = type <= ALM_BPE_BYTE ? (unsigned char)type : 0; /* 0 is refused with the token's number */
    }
    return ALM_OK;
}

static alm_status read_strings(alm_str *out, const alm_gguf_value *v) {
    size_t at = 0;
    for (uint64_t i = 0; i < v->n; i++)
        if (!alm_gguf_next_str(v, &at, &out[i])) return ALM_MALFORMED;
    return ALM_OK;
}

/* "left right", cut at the first blank behind the first byte, as others do. */
static alm_status split_merges(alm_str (*out)[2], const alm_gguf_value *v, const char *key, alm_error *err) {
    size_t at = 0;
    for (uint64_t i = 0; i < v->n; i++) {
        alm_str s = {0};
        if (!alm_gguf_next_str(v, &at, &s)) return ALM_MALFORMED;
        size_t cut = s.n > 2 ? alm_str_find_byte(alm_str_slice(s, 1, s.n), ' ') : SIZE_MAX;
        if (cut == SIZE_MAX)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_value: merge %llu is not two tokens with a blank between", key,
                            (unsigned long long)i);
        out[i][0] = alm_str_slice(s, 0, cut + 1);
        out[i][1] = alm_str_slice(s, cut + 2, s.n);
    }
    return ALM_OK;
}

static alm_status read_vocabulary(source *s, alm_bpe *b, const alm_gguf_value *tokens, const alm_gguf_value *merges,
                                  alm_error *err) {
    alm_str *raw = alm_calloc(b->n_vocab, sizeof *raw);
    alm_str(*merge)[2] = alm_calloc(b->n_merge, sizeof *merge);
    alm_status st = ALM_OK;
    if (!raw || !merge) st = alm_fail_memory(err);
    if (st == ALM_OK) st = read_types(s, b, err);
    if (st == ALM_OK) st = key_of(s->key, s->prefix, "tokens", err);
    if (st == ALM_OK) st = read_strings(raw, tokens);
    if (st == ALM_OK) st = alm_bpe_set_tokens(b, raw, s->key, err);
    if (st == ALM_OK) st = key_of(s->key, s->prefix, "merges", err);
    if (st == ALM_OK) st = split_merges(merge, merges, s->key, err);
    if (st == ALM_OK) st = alm_bpe_set_merges(b, raw, (const alm_str(*)[2])merge, s->key, err);
    alm_free(raw);
    alm_free(merge);
    return st;
}

static alm_status read_kind(source *s, alm_error *err) {
    alm_str kind;
    alm_status st = text_at(s, "model", &kind, err);
    if (st != ALM_OK || alm_str_eq(kind, ALM_STR("gpt2"))) return st;
    alm_fail(err, ALM_UNSUPPORTED, "%s: the tokenizer \"%.*s\" is not supported", s->key,
             kind.n > 60 ? 60 : (int)kind.n, kind.at);
    alm_hint(err, "byte-level BPE (\"gpt2\") is");
    return ALM_UNSUPPORTED;
}

/* A name that stands for regexes is taken where the caller can apply them. */
static alm_status set_pre(alm_bpe *b, alm_str name, const alm_pretoken_name **pre, alm_error *err) {
    if (pre) *pre = alm_pretoken_find(name);
    if (!pre || !*pre || (*pre)->rule != ALM_PRETOKEN_REGEX) return alm_bpe_set_pre(b, name, err);
    b->rule = ALM_PRETOKEN_REGEX;
    b->pre = (*pre)->name;
    return ALM_OK;
}

alm_status alm_bpe_from_gguf(alm_bpe **out, const alm_gguf *g, const char *prefix, alm_error *err) {
    return alm_bpe_read_gguf(out, g, prefix, NULL, err);
}

alm_status alm_bpe_read_gguf(alm_bpe **out, const alm_gguf *g, const char *prefix, const alm_pretoken_name **as,
                             alm_error *err) {
    source s = {.g = g, .prefix = prefix};
    const alm_gguf_value *tokens = NULL, *merges = NULL;
    alm_bpe *b = NULL;
    alm_str pre;
    *out = NULL;
    alm_status st = read_kind(&s, err);
    if (st == ALM_OK) st = text_at(&s, "pre", &pre, err);
    if (st == ALM_OK) st = array_at(&s, "tokens", ALM_GGUF_STRING, &tokens, err);
    if (st == ALM_OK) st = array_at(&s, "merges", ALM_GGUF_STRING, &merges, err);
    if (st == ALM_OK) st = alm_bpe_new(&b, (size_t)tokens->n, (size_t)merges->n, err);
    if (st == ALM_OK) st = set_pre(b, pre, as, err);
    if (st == ALM_OK) st = read_vocabulary(&s, b, tokens, merges, err);
    if (st == ALM_OK) st = id_at(&s, "bos_token_id", b->n_vocab, &b->bos, err);
    if (st == ALM_OK) st = id_at(&s, "eos_token_id", b->n_vocab, &b->eos, err);
    if (st == ALM_OK) {
        b->add_bos = alm_pretoken_find(pre)->add_bos; /* llama-bpe begins a text unless the file says otherwise */
        st = flag_at(&s, "add_bos_token", &b->add_bos, err);
    }
    if (st == ALM_OK) st = flag_at(&s, "add_eos_token", &b->add_eos, err);
    if (st == ALM_OK) st = key_of(s.key, prefix, "tokens", err);
    if (st == ALM_OK) st = alm_bpe_finish(b, s.key, err);
    if (st == ALM_OK) {
        *out = b;
        b = NULL;
    }
    alm_bpe_free(b);
    return st;
}

/* -- writing ---------------------------------------------------------------------------------------------------------- */

/* Strings one behind the other in `all`, cut afterwards, since the buffer moves while it grows. */
typedef struct strings {
    alm_buf all;
    alm_str *at;
    size_t n;
} strings;

static void end_string(strings *s) {
    s->at[s->n].n = s->all.n; /* its end, for now */
    s->n++;
}

static void cut_strings(strings *s) {
    size_t from = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t end = s->at[i].n;
        s->at[i] = alm_str_make(s->all.at ? s->all.at + from : "", end - from);
        from = end;
    }
}

static void write_token(strings *s, const alm_bpe *b, uint32_t id) {
    if (b->type[id] == ALM_BPE_NORMAL) alm_bpe_write_piece(&s->all, b->piece[id]);
    else alm_buf_add_str(&s->all, b->text[id]);
}

static alm_status write_strings(const alm_bpe *b, alm_gguf_writer *w, const char *prefix, alm_error *err) {
    char key[KEY_BYTES];
    strings tokens = {.all = alm_buf_with_limit(SIZE_MAX), .at = alm_calloc(b->n_vocab, sizeof(alm_str))};
    strings merges = {.all = alm_buf_with_limit(SIZE_MAX), .at = alm_calloc(b->n_merge, sizeof(alm_str))};
    int32_t *type = alm_calloc(b->n_vocab, sizeof *type);
    alm_status st = tokens.at && merges.at && type ? ALM_OK : alm_fail_memory(err);
    for (size_t i = 0; st == ALM_OK && i < b->n_vocab; i++) {
        write_token(&tokens, b, (uint32_t)i);
        end_string(&tokens);
        type[i] = b->type[i];
    }
    for (size_t i = 0; st == ALM_OK && i < b->n_merge; i++) {
        write_token(&merges, b, b->merge[i].left);
        alm_buf_add_byte(&merges.all, ' ');
        write_token(&merges, b, b->merge[i].right);
        end_string(&merges);
    }
    if (st == ALM_OK) st = alm_buf_status(&tokens.all, err);
    if (st == ALM_OK) st = alm_buf_status(&merges.all, err);
    if (st == ALM_OK && (st = key_of(key, prefix, "tokens", err)) == ALM_OK) {
        cut_strings(&tokens);
        alm_gguf_set_strings(w, key, tokens.at, b->n_vocab);
    }
    if (st == ALM_OK && (st = key_of(key, prefix, "token_type", err)) == ALM_OK)
        alm_gguf_set_array(w, key, ALM_GGUF_I32, type, b->n_vocab);
    if (st == ALM_OK && (st = key_of(key, prefix, "merges", err)) == ALM_OK) {
        cut_strings(&merges);
        alm_gguf_set_strings(w, key, merges.at, b->n_merge);
    }
    alm_buf_free(&tokens.all);
    alm_buf_free(&merges.all);
    alm_free(tokens.at);
    alm_free(merges.at);
    alm_free(type);
    return st;
}

static alm_status write_id(alm_gguf_writer *w, const char *prefix, const char *name, int32_t id, alm_error *err) {
    char key[KEY_BYTES];
    if (id < 0) return ALM_OK;
    alm_status st = key_of(key, prefix, name, err);
    if (st == ALM_OK) alm_gguf_set_u32(w, key, (uint32_t)id);
    return st;
}

static alm_status write_text(alm_gguf_writer *w, const char *prefix, const char *name, const char *text,
                             alm_error *err) {
    char key[KEY_BYTES];
    alm_status st = key_of(key, prefix, name, err);
    if (st == ALM_OK) alm_gguf_set_str(w, key, alm_str_of(text));
    return st;
}

static alm_status write_flag(alm_gguf_writer *w, const char *prefix, const char *name, bool on, alm_error *err) {
    char key[KEY_BYTES];
    alm_status st = key_of(key, prefix, name, err);
    if (st == ALM_OK) alm_gguf_set_bool(w, key, on);
    return st;
}

alm_status alm_bpe_to_gguf(const alm_bpe *b, alm_gguf_writer *w, const char *prefix, alm_error *err) {
    alm_status st = write_text(w, prefix, "model", "gpt2", err);
    if (st == ALM_OK) st = write_text(w, prefix, "pre", b->pre, err);
    if (st == ALM_OK) st = write_strings(b, w, prefix, err);
    if (st == ALM_OK) st = write_id(w, prefix, "bos_token_id", b->bos, err);
    if (st == ALM_OK) st = write_id(w, prefix, "eos_token_id", b->eos, err);
    if (st == ALM_OK) st = write_flag(w, prefix, "add_bos_token", b->add_bos, err);
    return st == ALM_OK ? write_flag(w, prefix, "add_eos_token", b->add_eos, err) : st;
}
