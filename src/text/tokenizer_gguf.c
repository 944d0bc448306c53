/* SPDX-License-Identifier: Apache-2.0
 *
 * tokenizer_gguf.c - the tokenizer in the metadata of a GGUF file, of the four kinds. Specified in docs/format/tokenizer.md.
 *
 *   tokenizer.ggml.model   gpt2: bytes (bpe_gguf.c)   llama: chars   t5: unigram   bert: wordpiece
 *   .tokens .token_type .scores, .*_token_id, .add_*_token, .add_space_prefix, .remove_extra_whitespaces, .precompiled_charsmap
 *
 * Where a key is missing, what llama.cpp takes for it is taken here. The pieces of WordPiece are written with U+2581 before what
 * begins a word and nothing before what continues one; they get their own names back ("##..."). */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

enum { KEY_BYTES = 256 };

typedef struct source {
    const alm_gguf *g;
    const char *prefix;
    char key[KEY_BYTES]; /* the one that was last asked for, for messages */
} source;

static alm_status key_of(source *s, const char *name, alm_error *err) {
    int n = alm_str_print(s->key, KEY_BYTES, "%stokenizer.ggml.%s", s->prefix, name);
    if (n > 0 && n < KEY_BYTES) return ALM_OK;
    return alm_fail(err, ALM_INVALID, "a prefix of %zu bytes is too long for a key", strlen(s->prefix));
}

static const alm_gguf_value *find(source *s, const char *name) {
    return key_of(s, name, NULL) == ALM_OK ? alm_gguf_find(s->g, s->key) : NULL;
}

static alm_status flag_at(source *s, const char *name, bool *out, alm_error *err) {
    return find(s, name) ? alm_gguf_bool(s->g, s->key, out, err) : ALM_OK;
}

/* *out keeps what it has where the key is missing; an id that is not there is -1 in some files. */
static alm_status id_at(source *s, const char *name, size_t n_vocab, int32_t *out, alm_error *err) {
    int64_t id;
    if (!find(s, name)) {
        if (*out >= 0 && (size_t)*out >= n_vocab) *out = -1;
        return ALM_OK;
    }
    const alm_gguf_value *v = alm_gguf_find(s->g, s->key);
    if (v->type == ALM_GGUF_U32 && alm_gguf_item_u64(v, 0) == UINT32_MAX) {
        *out = -1;
        return ALM_OK;
    }
    alm_status st = alm_gguf_i64(s->g, s->key, &id, err);
    if (st != ALM_OK) return st;
    if (id < -1 || id >= (int64_t)n_vocab)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_value: id %lld of a vocabulary of %zu", s->key, (long long)id,
                        n_vocab);
    *out = (int32_t)id;
    return ALM_OK;
}

/* -- tokens ------------------------------------------------------------------------------------------------------------------ */

static alm_status read_types(source *s, alm_tokenizer *t, alm_error *err) {
    const alm_gguf_value *types;
    memset(t->type, ALM_TOKEN_NORMAL, t->n_vocab);
    if (!find(s, "token_type")) return ALM_OK;
    alm_status st = alm_gguf_array(s->g, s->key, ALM_GGUF_I32, &types, err);
    if (st != ALM_OK) return st;
    if (types->n != t->n_vocab)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_count: %llu types for %zu tokens", s->key,
                        (unsigned long long)types->n, t->n_vocab);
    for (size_t i = 0; i < t->n_vocab; i++) {
        uint64_t type = alm_gguf_item_u64(types, i);
        if (!type || type > ALM_TOKEN_BYTE)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_value: token %zu has the type %lld", s->key, i,
                            (long long)type);
        t->type[i] = (unsigned char)type;
    }
    return ALM_OK;
}

static alm_status read_scores(source *s, double *score, size_t n, alm_error *err) {
    const alm_gguf_value *v;
    if (!find(s, "scores")) return ALM_OK;
    alm_status st = alm_gguf_array(s->g, s->key, ALM_GGUF_F32, &v, err);
    if (st != ALM_OK) return st;
    if (v->n != n)
        return alm_fail(err, ALM_MALFORMED, "%s: bad_count: %llu scores for %zu tokens", s->key,
                        (unsigned long long)v->n, n);
    for (size_t i = 0; i < n; i++) score[i] = alm_gguf_item_f64(v, i);
    return ALM_OK;
}

/* The names; of WordPiece as its own files have them. */
static alm_status read_names(source *s, alm_tokenizer *t, const alm_gguf_value *tokens, bool pieces, alm_error *err) {
    const alm_str mark = ALM_STR("\xE2\x96\x81");
    size_t at = 0;
    for (size_t i = 0; i < t->n_vocab; i++) {
        alm_str raw = {0};
        if (!alm_gguf_next_str(tokens, &at, &raw)) return alm_fail(err, ALM_MALFORMED, "%s: bad_string", s->key);
        bool begins = alm_str_starts(raw, mark);
        bool named = t->type[i] != ALM_TOKEN_NORMAL ||
                     (alm_str_starts(raw, ALM_STR("[")) && alm_str_ends(raw, ALM_STR("]")) && raw.n > 2);
        if (!pieces || named) t->name[i] = alm_arena_copy(t->arena, raw);
        else if (begins) t->name[i] = alm_arena_copy(t->arena, alm_str_slice(raw, mark.n, raw.n));
        else {
            char *name = alm_arena_alloc(t->arena, raw.n + 3, 1);
            if (!name) return alm_fail_memory(err);
            memcpy(name, "##", 2);
            if (raw.n) memcpy(name + 2, raw.at, raw.n);
            name[raw.n + 2] = '\0';
            t->name[i] = alm_str_make(name, raw.n + 2);
        }
        if (!t->name[i].at) return alm_fail_memory(err);
    }
    return ALM_OK;
}

static alm_status read_frame(source *s, alm_tokenizer *t, bool bos, bool eos, alm_error *err) {
    alm_status st = flag_at(s, "add_bos_token", &bos, err);
    if (st == ALM_OK) st = flag_at(s, "add_eos_token", &eos, err);
    if (bos && t->bos >= 0) t->before[t->n_before++] = (uint32_t)t->bos;
    if (eos && t->eos >= 0) t->behind[t->n_behind++] = (uint32_t)t->eos;
    return st;
}

/* -- the kinds ------------------------------------------------------------------------------------------------------------------ */

static alm_status add_regexes(alm_tokenizer *t, const alm_pretoken_name *pre, alm_error *err) {
    alm_status st = ALM_OK;
    if (pre->rule != ALM_PRETOKEN_REGEX)
        return alm_tokenizer_add_pre(t, (alm_pre){.kind = ALM_PRE_RULE, .way = ALM_WAY_ISOLATED, .rule = pre->rule},
                                     err);
    for (size_t i = 0; st == ALM_OK && i < 4 && pre->regex[i]; i++) {
        alm_pre p = {.kind = ALM_PRE_REGEX, .way = ALM_WAY_ISOLATED};
        st = alm_tokenizer_add_regex(t, alm_str_of(pre->regex[i]), &p.regex, err);
        if (st == ALM_OK) st = alm_tokenizer_add_pre(t, p, err);
    }
    return st;
}

static alm_status read_bytes(alm_tokenizer **out, source *s, alm_error *err) {
    const alm_pretoken_name *pre = NULL;
    alm_bpe *b = NULL;
    alm_status st = alm_bpe_read_gguf(&b, s->g, s->prefix, &pre, err);
    if (st == ALM_OK) st = alm_tokenizer_new(out, &alm_tokenizer_bytes, b->n_vocab, err);
    if (st != ALM_OK) {
        alm_bpe_free(b);
        return st;
    }
    alm_tokenizer *t = *out;
    bool bos = b->add_bos, eos = b->add_eos;
    t->bos = b->bos;
    t->eos = b->eos;
    alm_tokenizer_take_bpe(t, b);
    if ((st = id_at(s, "unknown_token_id", t->n_vocab, &t->unknown, err)) != ALM_OK) return st;
    if ((st = read_frame(s, t, bos, eos, err)) != ALM_OK) return st;
    if ((st = alm_tokenizer_add_types(t, err)) != ALM_OK) return st;
    return add_regexes(t, pre, err);
}

static alm_status read_charsmap(source *s, alm_tokenizer *t, alm_norm *norm, alm_error *err) {
    const alm_gguf_value *v = find(s, "precompiled_charsmap");
    if (!v) return ALM_OK;
    if (v->type != ALM_GGUF_ARRAY || (v->item != ALM_GGUF_U8 && v->item != ALM_GGUF_I8))
        return alm_fail(err, ALM_MISMATCH, "%s: bad_type: no array of bytes", s->key);
    if (!v->n) return ALM_OK;
    alm_str copy = alm_arena_copy(t->arena, alm_str_make((const char *)v->at, (size_t)v->n));
    return copy.at ? alm_charsmap_read(&norm->map, copy, err) : alm_fail_memory(err);
}

static alm_status read_pieces(alm_tokenizer **out, source *s, bool unigram, alm_error *err) {
    const alm_gguf_value *tokens;
    alm_status st = key_of(s, "tokens", err);
    if (st == ALM_OK) st = alm_gguf_array(s->g, s->key, ALM_GGUF_STRING, &tokens, err);
    if (st == ALM_OK)
        st = alm_tokenizer_new(out, unigram ? &alm_tokenizer_unigram : &alm_tokenizer_chars, (size_t)tokens->n, err);
    if (st != ALM_OK) return st;
    alm_tokenizer *t = *out;
    alm_norm norm = {.kind = ALM_NORM_SPM, .dummy = true, .escape = true};
    t->bos = unigram ? -1 : 1;
    t->eos = unigram ? 1 : 2;
    t->unknown = unigram ? 2 : 0;
    double *score = alm_calloc(t->n_vocab, sizeof *score);
    if (!score) return alm_fail_memory(err);
    st = read_types(s, t, err);
    if (st == ALM_OK) st = key_of(s, "tokens", err);
    if (st == ALM_OK) st = read_names(s, t, tokens, false, err);
    if (st == ALM_OK) st = read_scores(s, score, t->n_vocab, err);
    if (st == ALM_OK) st = id_at(s, "bos_token_id", t->n_vocab, &t->bos, err);
    if (st == ALM_OK) st = id_at(s, "eos_token_id", t->n_vocab, &t->eos, err);
    if (st == ALM_OK) st = id_at(s, "unknown_token_id", t->n_vocab, &t->unknown, err);
    if (st == ALM_OK) st = flag_at(s, "add_space_prefix", &norm.dummy, err);
    if (st == ALM_OK) st = flag_at(s, "remove_extra_whitespaces", &norm.squeeze, err);
    if (st == ALM_OK) st = read_charsmap(s, t, &norm, err);
    if (st == ALM_OK) st = alm_tokenizer_add_norm(t, norm, err);
    if (st == ALM_OK) st = alm_tokenizer_add_types(t, err);
    if (st == ALM_OK) st = read_frame(s, t, !unigram, unigram, err);
    t->decoder = (alm_decoder){.blanks = true, .bytes = true, .strip = norm.dummy || norm.squeeze};
    t->decoder.strip_all = norm.squeeze;
    t->fallback = true;
    if (st == ALM_OK && unigram) st = alm_tokenizer_set_unigram(t, score, true, err);
    else if (st == ALM_OK) st = alm_tokenizer_set_spm_bpe(t, score, true, "tokenizer.ggml.tokens", err);
    alm_free(score);
    return st;
}

static alm_status read_wordpiece(alm_tokenizer **out, source *s, alm_error *err) {
    const alm_gguf_value *tokens;
    alm_status st = key_of(s, "tokens", err);
    if (st == ALM_OK) st = alm_gguf_array(s->g, s->key, ALM_GGUF_STRING, &tokens, err);
    if (st == ALM_OK) st = alm_tokenizer_new(out, &alm_tokenizer_wordpiece, (size_t)tokens->n, err);
    if (st != ALM_OK) return st;
    alm_tokenizer *t = *out;
    alm_norm norm = {.kind = ALM_NORM_BERT, .clean = true, .chinese = true, .accents = true, .lower = true};
    t->bos = 101;
    t->eos = 102;
    t->unknown = 100;
    st = read_types(s, t, err);
    if (st == ALM_OK) st = key_of(s, "tokens", err);
    if (st == ALM_OK) st = read_names(s, t, tokens, true, err);
    /* The class token has two names in files; the separator's name is misspelt in all of them. */
    if (st == ALM_OK)
        st = id_at(s, find(s, "bos_token_id") ? "bos_token_id" : "cls_token_id", t->n_vocab, &t->bos, err);
    if (st == ALM_OK)
        st = id_at(s, find(s, "seperator_token_id") ? "seperator_token_id" : "eos_token_id", t->n_vocab, &t->eos, err);
    if (st == ALM_OK) st = id_at(s, "unknown_token_id", t->n_vocab, &t->unknown, err);
    if (st == ALM_OK) st = flag_at(s, "normalizer.lowercase", &norm.lower, err);
    norm.accents = norm.lower;
    if (st == ALM_OK) st = alm_tokenizer_add_norm(t, norm, err);
    if (st == ALM_OK) st = alm_tokenizer_add_pre(t, (alm_pre){.kind = ALM_PRE_BERT, .way = ALM_WAY_ISOLATED}, err);
    if (st == ALM_OK) st = alm_tokenizer_add_types(t, err);
    if (st == ALM_OK) st = read_frame(s, t, true, true, err);
    t->decoder = (alm_decoder){.spaces = true, .cleanup = true, .prefix = ALM_STR("##")};
    return st == ALM_OK ? alm_tokenizer_set_wordpiece(t, ALM_STR("##"), 100, err) : st;
}

alm_status alm_tokenizer_from_gguf(alm_tokenizer **out, const alm_gguf *g, const char *prefix, alm_error *err) {
    source s = {.g = g, .prefix = prefix};
    alm_tokenizer *t = NULL;
    alm_str kind;
    *out = NULL;
    alm_status st = key_of(&s, "model", err);
    if (st == ALM_OK) st = alm_gguf_str(g, s.key, &kind, err);
    if (st != ALM_OK) return st;
    if (alm_str_eq(kind, ALM_STR("gpt2"))) st = read_bytes(&t, &s, err);
    else if (alm_str_eq(kind, ALM_STR("llama"))) st = read_pieces(&t, &s, false, err);
    else if (alm_str_eq(kind, ALM_STR("t5"))) st = read_pieces(&t, &s, true, err);
    else if (alm_str_eq(kind, ALM_STR("bert"))) st = read_wordpiece(&t, &s, err);
    else {
        st = alm_fail(err, ALM_UNSUPPORTED, "%s: the tokenizer \"%.*s\" is not supported", s.key,
                      kind.n > 60 ? 60 : (int)kind.n, kind.at);
        alm_hint(err, "gpt2, llama, t5 and bert are");
    }
    if (st == ALM_OK) st = alm_tokenizer_finish(t, err);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    return st;
}
