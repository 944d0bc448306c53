/* SPDX-License-Identifier: Apache-2.0
 *
 * normalize.c - the steps that change a text before it is cut into words.
 *
 * Each step reads one buffer and writes the other. Bytes that are no UTF-8 pass through all of them. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

static const alm_str mark = {"\xE2\x96\x81", 3}; /* U+2581 stands for a blank */

static void put(alm_buf *out, uint32_t c) {
    char at[4];
    alm_buf_add(out, at, alm_utf8_put(at, c));
}

/* The next character of s: true and its scalar, or false and [from, *at) are bytes that are none, which are copied. */
static bool next(alm_str s, size_t *at, uint32_t *c, alm_buf *out) {
    size_t from = *at;
    if (alm_utf8_next(s, at, c)) return true;
    alm_buf_add(out, s.at + from, *at - from);
    return false;
}

static void put_lower(alm_buf *out, uint32_t c) {
    uint32_t to[2];
    size_t n = alm_lower(c, to);
    for (size_t i = 0; i < n; i++) put(out, to[i]);
}

static void lower(alm_buf *out, alm_str s) {
    uint32_t c;
    for (size_t at = 0; at < s.n;)
        if (next(s, &at, &c, out)) put_lower(out, c);
}

static void drop_accents(alm_buf *out, alm_str s) {
    uint32_t c;
    for (size_t at = 0; at < s.n;)
        if (next(s, &at, &c, out) && alm_class_of(c) != ALM_CLASS_MARK) put(out, c);
}

static alm_str strip(const alm_norm *step, alm_str s) {
    uint32_t c;
    for (size_t at = 0; step->left && s.n && alm_utf8_next(s, &at, &c) && alm_class_of(c) == ALM_CLASS_SPACE; at = 0)
        s = alm_str_slice(s, at, s.n);
    while (step->right && s.n) {
        size_t from = s.n - 1;
        while (from && s.n - from < 4 && ((unsigned char)s.at[from] & 0xC0) == 0x80) from--;
        size_t at = from;
        if (!alm_utf8_next(s, &at, &c) || at != s.n || alm_class_of(c) != ALM_CLASS_SPACE) break;
        s.n = from;
    }
    return s;
}

/* -- replacing ---------------------------------------------------------------------------------------------------------- */

static void replace_string(alm_buf *out, alm_str s, alm_str what, alm_str by) {
    while (what.n && s.n) {
        size_t at = what.n == 1 ? alm_str_find_byte(s, what.at[0]) : alm_str_find(s, what);
        if (at == SIZE_MAX) break;
        alm_buf_add(out, s.at, at);
        alm_buf_add_str(out, by);
        s = alm_str_slice(s, at + what.n, s.n);
    }
    alm_buf_add_str(out, s);
}

static alm_status replace_regex(const alm_tokenizer *t, alm_tokenizer_scratch *scratch, const alm_norm *step,
                                alm_buf *out, alm_str s, alm_error *err) {
    while (s.n) {
        alm_str part = alm_str_slice(s, 0, alm_utf8_valid_prefix(s));
        size_t from = 0, at, end;
        while (from < part.n) {
            alm_regex_result found =
                alm_regex_find(t->regex[step->regex - 1], scratch->match[step->regex - 1], part, from, &at, &end, NULL);
            if (found == ALM_REGEX_NO_MEMORY) return alm_fail_memory(err);
            if (found == ALM_REGEX_HARD)
                return alm_fail(err, ALM_LIMIT, "tokenizer: a regex of the normalizer takes too many steps");
            if (found == ALM_REGEX_NO) break;
            if (end == at) { /* nothing is replaced by something; the next character stays */
                uint32_t c;
                end = at;
                if (end < part.n) alm_utf8_next(part, &end, &c);
                alm_buf_add(out, part.at + from, at - from);
                alm_buf_add_str(out, step->b);
                alm_buf_add(out, part.at + at, end - at);
                if (end == at) end++;
            } else {
                alm_buf_add(out, part.at + from, at - from);
                alm_buf_add_str(out, step->b);
            }
            from = end;
        }
        if (from < part.n) alm_buf_add_str(out, alm_str_slice(part, from, part.n));
        size_t bad = part.n;
        uint32_t c;
        while (bad < s.n) {
            size_t after = bad;
            if (alm_utf8_next(s, &after, &c)) break;
            bad = after;
        }
        alm_buf_add_str(out, alm_str_slice(s, part.n, bad));
        s = alm_str_slice(s, bad, s.n);
    }
    return ALM_OK;
}

/* -- BERT --------------------------------------------------------------------------------------------------------------- */

static bool is_chinese(uint32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/* One character: control characters vanish, all blanks are U+0020, Chinese characters stand for themselves. */
static void clean(const alm_norm *step, alm_buf *out, uint32_t c) {
    alm_class class = alm_class_of(c);
    bool control = c < 0xA0 || class == ALM_CLASS_CONTROL; /* of those beyond ASCII */
    if (step->clean && (c == 0xFFFD || control)) return;
    if (step->clean && class == ALM_CLASS_SPACE) c = ' ';
    bool spaced = step->chinese && is_chinese(c);
    if (spaced) alm_buf_add_byte(out, ' ');
    put(out, c);
    if (spaced) alm_buf_add_byte(out, ' ');
}

/* Characters beyond ASCII, which begin and end with such: cleaned, then without accents, then in lower case. */
static alm_status bert_rest(alm_tokenizer_scratch *s, const alm_norm *step, alm_buf *out, alm_str part,
                            alm_error *err) {
    alm_buf *from = &s->pre[0], *to = &s->pre[1];
    uint32_t c;
    alm_buf_clear(from);
    for (size_t at = 0; at < part.n;)
        if (next(part, &at, &c, from)) clean(step, from, c);
    alm_status st = alm_buf_status(from, err);
    if (st == ALM_OK && step->accents) {
        alm_buf_clear(to);
        st = alm_normalize(to, alm_buf_str(from), ALM_FORM_NFD, err);
        alm_buf_clear(from);
        if (st == ALM_OK) drop_accents(from, alm_buf_str(to));
    }
    if (st == ALM_OK) st = alm_buf_status(from, err);
    if (st == ALM_OK && step->lower) lower(out, alm_buf_str(from));
    else if (st == ALM_OK) alm_buf_add_str(out, alm_buf_str(from));
    return st;
}

/* ASCII takes the short way. It is made of starters, so the normal form of what lies between does not depend on it. */
static alm_status bert(alm_tokenizer_scratch *s, const alm_norm *step, alm_buf *out, alm_str text, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t at = 0; st == ALM_OK && at < text.n;) {
        size_t end = at;
        while (end < text.n && (unsigned char)text.at[end] >= 128) end++;
        if (end > at) st = bert_rest(s, step, out, alm_str_slice(text, at, end), err);
        for (at = end; at < text.n && (unsigned char)text.at[at] < 128; at++) {
            char c = text.at[at];
            bool blank = c == '\t' || c == '\n' || c == '\r';
            if (step->clean && !blank && (c < ' ' || c == 0x7F)) continue;
            if (step->clean && blank) c = ' ';
            if (step->lower && c >= 'A' && c <= 'Z') c |= 0x20;
            alm_buf_add_byte(out, c);
        }
    }
    return st;
}

/* -- SentencePiece ------------------------------------------------------------------------------------------------------- */

/* What stands at *at, replaced: a user's token as it is, the table's longest match, or one character. */
static alm_str spm_next(const alm_tokenizer *t, const alm_norm *step, alm_str s, size_t *at) {
    alm_str rest = alm_str_slice(s, *at, s.n), to;
    size_t n = 0;
    if (t->added.has_user && t->added.trie.root[(unsigned char)rest.at[0]]) {
        uint32_t i = alm_trie_longest(&t->added.trie, rest, &n);
        if (i != ALM_TRIE_NONE && !t->added.at[i].control) {
            *at += n;
            return alm_str_slice(rest, 0, n);
        }
    }
    if (step->map.n_unit && alm_charsmap_match(&step->map, rest, &to, &n)) {
        *at += n;
        return to;
    }
    uint32_t c;
    n = 0;
    alm_utf8_next(rest, &n, &c);
    *at += n;
    return alm_str_slice(rest, 0, n);
}

/* Blanks in a row are one, at both ends none, where `squeeze`; a blank is U+2581 where `escape`; one is put before the text (or
 * behind it) where `dummy`. */
static void spm(const alm_tokenizer *t, const alm_norm *step, alm_buf *out, alm_str s) {
    const alm_str blank = step->escape ? mark : ALM_STR(" ");
    size_t at = 0;
    bool after_blank = step->squeeze;
    while (step->squeeze && at < s.n) { /* at the beginning */
        size_t end = at;
        if (!alm_str_eq(spm_next(t, step, s, &end), ALM_STR(" "))) break;
        at = end;
    }
    if (at == s.n) return;
    if (step->dummy && !step->suffix) alm_buf_add_str(out, blank);
    while (at < s.n) {
        /* Most of a text is letters that stay as they are. */
        alm_str to = spm_next(t, step, s, &at);
        while (after_blank && alm_str_starts(to, ALM_STR(" "))) to = alm_str_slice(to, 1, to.n);
        if (!to.n) continue;
        for (size_t i = 0; i < to.n; i++)
            if (to.at[i] == ' ') alm_buf_add_str(out, blank);
            else alm_buf_add_byte(out, to.at[i]);
        after_blank = step->squeeze && to.at[to.n - 1] == ' ';
    }
    while (step->squeeze && alm_str_ends(alm_buf_str(out), blank)) out->n -= blank.n;
    if (step->dummy && step->suffix) alm_buf_add_str(out, blank);
}

/* Without a table, users' tokens and squeezing, blanks are all there is to do. */
static bool spm_is_plain(const alm_tokenizer *t, const alm_norm *step) {
    return !step->map.n_unit && !step->squeeze && !t->added.has_user && !step->suffix;
}

/* -- the table alone ------------------------------------------------------------------------------------------------------ */

static void charsmap(const alm_norm *step, alm_buf *out, alm_str s) {
    while (s.n) {
        alm_str to;
        size_t n = 0;
        uint32_t c;
        if (alm_charsmap_match(&step->map, s, &to, &n)) alm_buf_add_str(out, to);
        else {
            n = 0;
            alm_utf8_next(s, &n, &c);
            alm_buf_add(out, s.at, n);
        }
        s = alm_str_slice(s, n, s.n);
    }
}

/* -- all steps -------------------------------------------------------------------------------------------------------------- */

static alm_status apply(const alm_tokenizer *t, alm_tokenizer_scratch *s, const alm_norm *step, alm_str *text,
                        size_t *turn, alm_error *err) {
    alm_status st = ALM_OK;
    alm_buf *out = &s->norm[*turn % 2];
    if (step->kind == ALM_NORM_STRIP) {
        *text = strip(step, *text);
        return ALM_OK;
    }
    if (step->kind == ALM_NORM_FORM && step->form == ALM_FORM_NFC && alm_is_nfc(*text)) return ALM_OK;
    if (step->kind == ALM_NORM_PREPEND && !text->n) return ALM_OK;
    alm_buf_clear(out);
    switch (step->kind) {
    case ALM_NORM_FORM: st = alm_normalize(out, *text, step->form, err); break;
    case ALM_NORM_LOWER: lower(out, *text); break;
    case ALM_NORM_ACCENTS: drop_accents(out, *text); break;
    case ALM_NORM_REPLACE:
        if (step->regex) st = replace_regex(t, s, step, out, *text, err);
        else replace_string(out, *text, step->a, step->b);
        break;
    case ALM_NORM_PREPEND:
        alm_buf_add_str(out, step->a);
        alm_buf_add_str(out, *text);
        break;
    case ALM_NORM_BERT: st = bert(s, step, out, *text, err); break;
    case ALM_NORM_CHARSMAP: charsmap(step, out, *text); break;
    case ALM_NORM_SPM:
        if (spm_is_plain(t, step)) {
            if (step->dummy && text->n) alm_buf_add_str(out, step->escape ? mark : ALM_STR(" "));
            if (step->escape) replace_string(out, *text, ALM_STR(" "), mark);
            else alm_buf_add_str(out, *text);
        } else spm(t, step, out, *text);
        break;
    case ALM_NORM_STRIP: break;
    }
    if (st == ALM_OK) st = alm_buf_status(out, err);
    *text = alm_str_make(out->at ? out->at : "", out->n);
    ++*turn;
    return st;
}

alm_status alm_tokenizer_normalize(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_str *out,
                                   alm_error *err) {
    alm_status st = ALM_OK;
    size_t turn = 0;
    for (size_t i = 0; st == ALM_OK && i < t->n_norm; i++) {
        const alm_norm *step = &t->norm[i];
        st = apply(t, s, step, &text, &turn, err);
    }
    if (st == ALM_OK) *out = text;
    return st;
}
