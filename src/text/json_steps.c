/* SPDX-License-Identifier: Apache-2.0
 *
 * json_steps.c - the steps around the model in a tokenizer.json: normalizer, pre_tokenizer, decoder. */
#include "text/json_steps.h"
#include "base/base64.h"

#define lacks    alm_tokenizer_json_lacks
#define broken   alm_tokenizer_json_broken
#define text_of  alm_json_step_text
#define is_true  alm_json_step_true
#define has_type alm_json_step_type
#define EACH     ALM_JSON_STEP_EACH

enum { MAX_DEPTH = 8 };

static alm_str kind_of(const alm_json *step) { return text_of(alm_json_get(step, "type")); }
static bool is_set(const alm_json *v) { return v && v->type != ALM_JSON_NULL; }

static alm_status keep(alm_tokenizer *t, alm_str *s, alm_error *err) {
    *s = alm_arena_copy(t->arena, *s);
    return s->at ? ALM_OK : alm_fail_memory(err);
}

/* {"String": ...} or {"Regex": ...}: *text or *regex is set. */
static alm_status read_pattern(alm_tokenizer *t, const alm_json *step, alm_str *text, size_t *regex, alm_error *err) {
    const alm_json *pattern = alm_json_get(step, "pattern"), *string = alm_json_get(pattern, "String");
    const alm_json *code = alm_json_get(pattern, "Regex");
    *regex = 0;
    *text = text_of(string);
    if (string) return text->n ? keep(t, text, err) : broken(err, "a step looks for an empty text");
    if (!code || code->type != ALM_JSON_STRING) return broken(err, "a step without a pattern");
    return alm_tokenizer_add_regex(t, code->text, regex, err);
}

/* -- normalizer ---------------------------------------------------------------------------------------------------------------- */

static alm_status read_charsmap(alm_tokenizer *t, const alm_json *step, alm_norm *out, alm_error *err) {
    alm_str code = text_of(alm_json_get(step, "precompiled_charsmap"));
    size_t n = 0;
    char *at = alm_arena_alloc(t->arena, code.n + 1, 4);
    if (!at) return alm_fail_memory(err);
    if (!alm_base64_decode(at, &n, code)) return broken(err, "precompiled_charsmap is no base64");
    return alm_charsmap_read(&out->map, alm_str_make(at, n), err);
}

static alm_status read_norm(alm_tokenizer *t, const alm_json *step, int depth, alm_error *err) {
    static const char *const forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
    alm_norm n = {.kind = ALM_NORM_FORM};
    alm_status st = ALM_OK;
    if (!is_set(step)) return ALM_OK;
    if (has_type(step, "Sequence") && depth < MAX_DEPTH) {
        for (EACH(c, alm_json_get(step, "normalizers"))) {
            if (st != ALM_OK) break;
            st = read_norm(t, c, depth + 1, err);
        }
        return st;
    }
    for (int i = 0; i < 4; i++)
        if (has_type(step, forms[i])) {
            n.form = (alm_form)i;
            return alm_tokenizer_add_norm(t, n, err);
        }
    if (has_type(step, "Lowercase")) n.kind = ALM_NORM_LOWER;
    else if (has_type(step, "StripAccents")) n.kind = ALM_NORM_ACCENTS;
    else if (has_type(step, "Strip")) {
        n.kind = ALM_NORM_STRIP;
        n.left = alm_json_step_not_false(alm_json_get(step, "strip_left"));
        n.right = alm_json_step_not_false(alm_json_get(step, "strip_right"));
    } else if (has_type(step, "Replace")) {
        n.kind = ALM_NORM_REPLACE;
        n.b = text_of(alm_json_get(step, "content"));
        if ((st = read_pattern(t, step, &n.a, &n.regex, err)) == ALM_OK) st = keep(t, &n.b, err);
    } else if (has_type(step, "Prepend")) {
        n.kind = ALM_NORM_PREPEND;
        n.a = text_of(alm_json_get(step, "prepend"));
        st = keep(t, &n.a, err);
    } else if (has_type(step, "BertNormalizer")) {
        const alm_json *accents = alm_json_get(step, "strip_accents");
        n.kind = ALM_NORM_BERT;
        n.clean = alm_json_step_not_false(alm_json_get(step, "clean_text"));
        n.chinese = alm_json_step_not_false(alm_json_get(step, "handle_chinese_chars"));
        n.lower = alm_json_step_not_false(alm_json_get(step, "lowercase"));
        n.accents = is_set(accents) ? is_true(accents) : n.lower;
    } else if (has_type(step, "Precompiled")) {
        n.kind = ALM_NORM_CHARSMAP;
        st = read_charsmap(t, step, &n, err);
    } else return lacks(err, "the normalizer", kind_of(step));
    return st == ALM_OK ? alm_tokenizer_add_norm(t, n, err) : st;
}

/* -- pre_tokenizer -------------------------------------------------------------------------------------------------------------- */

static alm_status read_way(const alm_json *step, alm_pre *p, alm_error *err) {
    static const char *const ways[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    alm_str way = text_of(alm_json_get(step, "behavior"));
    for (int i = 0; i < 5; i++)
        if (alm_str_eq(way, alm_str_of(ways[i]))) {
            p->way = (alm_pre_way)i;
            return ALM_OK;
        }
    return lacks(err, "the split behavior", way);
}

static alm_status read_split(alm_tokenizer *t, const alm_json *step, alm_pre *p, alm_error *err) {
    alm_str regex = text_of(alm_json_get(alm_json_get(step, "pattern"), "Regex"));
    alm_status st = read_way(step, p, err);
    p->inverted = is_true(alm_json_get(step, "invert"));
    if (st != ALM_OK) return st;
    /* The rules match everywhere: to keep what matches and to drop what does not are the same. */
    bool all = (p->way == ALM_WAY_ISOLATED && !p->inverted) || (p->way == ALM_WAY_REMOVED && p->inverted);
    p->rule = all ? alm_pretoken_of_regex(regex) : ALM_PRETOKEN_REGEX;
    if (p->rule != ALM_PRETOKEN_REGEX) {
        p->kind = ALM_PRE_RULE;
        p->way = ALM_WAY_ISOLATED;
        p->inverted = false;
        return ALM_OK;
    }
    st = read_pattern(t, step, &p->a, &p->regex, err);
    p->kind = p->regex ? ALM_PRE_REGEX : ALM_PRE_STRING;
    return st;
}

static alm_status read_metaspace(alm_tokenizer *t, const alm_json *step, alm_pre *p, alm_error *err) {
    const alm_json *scheme = alm_json_get(step, "prepend_scheme");
    alm_str name = text_of(scheme);
    p->kind = ALM_PRE_METASPACE;
    p->a = text_of(alm_json_get(step, "replacement"));
    p->first = alm_str_eq(name, ALM_STR("first"));
    p->always = alm_str_eq(name, ALM_STR("always")) ||
                (!scheme && alm_json_step_not_false(alm_json_get(step, "add_prefix_space")));
    p->cut = alm_json_step_not_false(alm_json_get(step, "split"));
    p->way = p->cut ? ALM_WAY_WITH_NEXT : ALM_WAY_ISOLATED;
    if (!p->a.n) return broken(err, "Metaspace without a replacement");
    return keep(t, &p->a, err);
}

static alm_status read_byte_level(alm_tokenizer *t, const alm_json *step, alm_error *err) {
    alm_status st = ALM_OK;
    alm_pre space = {.kind = ALM_PRE_SPACE, .way = ALM_WAY_ISOLATED};
    alm_pre rule = {.kind = ALM_PRE_RULE, .way = ALM_WAY_ISOLATED, .rule = ALM_PRETOKEN_GPT2};
    if (alm_json_step_not_false(alm_json_get(step, "add_prefix_space"))) st = alm_tokenizer_add_pre(t, space, err);
    if (st == ALM_OK && alm_json_step_not_false(alm_json_get(step, "use_regex")))
        st = alm_tokenizer_add_pre(t, rule, err);
    return st;
}

static alm_status read_pre(alm_tokenizer *t, const alm_json *step, int depth, alm_error *err) {
    alm_pre p = {.way = ALM_WAY_ISOLATED};
    alm_status st = ALM_OK;
    if (!is_set(step)) return ALM_OK;
    if (has_type(step, "Sequence") && depth < MAX_DEPTH) {
        for (EACH(c, alm_json_get(step, "pretokenizers"))) {
            if (st != ALM_OK) break;
            st = read_pre(t, c, depth + 1, err);
        }
        return st;
    }
    if (has_type(step, "ByteLevel")) return read_byte_level(t, step, err);
    if (has_type(step, "Split")) st = read_split(t, step, &p, err);
    else if (has_type(step, "Metaspace")) st = read_metaspace(t, step, &p, err);
    else if (has_type(step, "Digits")) {
        p.kind = ALM_PRE_DIGITS;
        p.way = is_true(alm_json_get(step, "individual_digits")) ? ALM_WAY_ISOLATED : ALM_WAY_CONTIGUOUS;
    } else if (has_type(step, "Punctuation")) {
        p.kind = ALM_PRE_PUNCT;
        if (alm_json_get(step, "behavior")) st = read_way(step, &p, err);
    } else if (has_type(step, "WhitespaceSplit")) {
        p.kind = ALM_PRE_BLANKS;
        p.way = ALM_WAY_REMOVED;
    } else if (has_type(step, "Whitespace")) {
        p.kind = ALM_PRE_REGEX;
        p.way = ALM_WAY_REMOVED;
        p.inverted = true;
        st = alm_tokenizer_add_regex(t, ALM_STR("\\w+|[^\\w\\s]+"), &p.regex, err);
    } else if (has_type(step, "BertPreTokenizer")) p.kind = ALM_PRE_BERT;
    else if (has_type(step, "CharDelimiterSplit")) {
        p.kind = ALM_PRE_STRING;
        p.way = ALM_WAY_REMOVED;
        p.a = text_of(alm_json_get(step, "delimiter"));
        st = p.a.n ? keep(t, &p.a, err) : broken(err, "CharDelimiterSplit without a delimiter");
    } else return lacks(err, "the pre-tokenizer", kind_of(step));
    return st == ALM_OK ? alm_tokenizer_add_pre(t, p, err) : st;
}

/* A search for what normalising has replaced by something else finds nothing. */
static void drop_idle(alm_tokenizer *t) {
    if (t->n_pre != 1 || t->pre[0].kind != ALM_PRE_STRING || !t->n_norm) return;
    const alm_norm *last = &t->norm[t->n_norm - 1];
    bool gone = last->kind == ALM_NORM_REPLACE && !last->regex && alm_str_eq(last->a, t->pre[0].a) &&
                alm_str_find(last->b, last->a) == SIZE_MAX && last->a.n == 1;
    if (gone) t->n_pre = 0;
}

/* -- decoder ---------------------------------------------------------------------------------------------------------------------- */

static alm_status read_decoder(alm_tokenizer *t, const alm_json *step, int depth, alm_error *err) {
    alm_decoder *d = &t->decoder;
    const alm_str mark = ALM_STR("\xE2\x96\x81");
    alm_status st = ALM_OK;
    if (!is_set(step) || has_type(step, "ByteLevel") || has_type(step, "Fuse")) return ALM_OK;
    if (has_type(step, "Sequence") && depth < MAX_DEPTH) {
        for (EACH(c, alm_json_get(step, "decoders"))) {
            if (st != ALM_OK) break;
            st = read_decoder(t, c, depth + 1, err);
        }
        return st;
    }
    if (has_type(step, "ByteFallback")) d->bytes = true;
    else if (has_type(step, "Replace")) {
        alm_str what = text_of(alm_json_get(alm_json_get(step, "pattern"), "String"));
        alm_str by = text_of(alm_json_get(step, "content"));
        if (!alm_str_eq(what, mark) || !alm_str_eq(by, ALM_STR(" ")))
            return lacks(err, "the decoder's replacing", what);
        d->blanks = true;
    } else if (has_type(step, "Metaspace")) {
        if (!alm_str_eq(text_of(alm_json_get(step, "replacement")), mark))
            return lacks(err, "the decoder Metaspace with", text_of(alm_json_get(step, "replacement")));
        d->blanks = true;
        d->strip = !alm_str_eq(text_of(alm_json_get(step, "prepend_scheme")), ALM_STR("never")) &&
                   alm_json_step_not_false(alm_json_get(step, "add_prefix_space"));
    } else if (has_type(step, "Strip")) {
        int64_t start = 0, stop = 0;
        alm_json_i64(alm_json_get(step, "start"), &start);
        alm_json_i64(alm_json_get(step, "stop"), &stop);
        if (start != 1 || stop || !alm_str_eq(text_of(alm_json_get(step, "content")), ALM_STR(" ")))
            return lacks(err, "the decoder", ALM_STR("Strip with these values"));
        d->strip = true;
    } else if (has_type(step, "WordPiece")) {
        d->spaces = true;
        d->cleanup = is_true(alm_json_get(step, "cleanup"));
        d->prefix = text_of(alm_json_get(step, "prefix"));
        st = keep(t, &d->prefix, err);
    } else if (has_type(step, "BPEDecoder")) {
        d->suffix = text_of(alm_json_get(step, "suffix"));
        st = keep(t, &d->suffix, err);
    } else return lacks(err, "the decoder", kind_of(step));
    return st;
}

/* -- the whole ---------------------------------------------------------------------------------------------------------------------- */

static bool is_byte_level(const alm_json *step, int depth) {
    if (has_type(step, "ByteLevel")) return true;
    if (!has_type(step, "Sequence") || depth >= MAX_DEPTH) return false;
    for (EACH(c, alm_json_get(step, "pretokenizers")))
        if (is_byte_level(c, depth + 1)) return true;
    return false;
}

bool alm_json_steps_are_bytes(const alm_json *root) { return is_byte_level(alm_json_get(root, "pre_tokenizer"), 0); }

alm_status alm_json_steps_read(alm_tokenizer *t, const alm_json *root, alm_error *err) {
    alm_status st = read_norm(t, alm_json_get(root, "normalizer"), 0, err);
    if (st == ALM_OK) st = read_pre(t, alm_json_get(root, "pre_tokenizer"), 0, err);
    if (st == ALM_OK) st = read_decoder(t, alm_json_get(root, "decoder"), 0, err);
    if (st != ALM_OK) return st;
    drop_idle(t);
    if (t->kind == &alm_tokenizer_bytes && t->n_pre == 1 && t->pre[0].kind == ALM_PRE_RULE)
        t->bpe->rule = t->pre[0].rule;
    return ALM_OK;
}
