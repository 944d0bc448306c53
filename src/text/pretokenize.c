/* SPDX-License-Identifier: Apache-2.0
 *
 * pretokenize.c - a normalised fragment is cut into words, step by step, and each word goes to the kind's model.
 *
 * A step finds spans in a piece; what it keeps of them and of what lies between goes to the next step, the last one's to the
 * model. Nothing is collected: the depth of the recursion is the number of steps. Only two steps change a text (a blank put before it,
 * U+2581 for blanks); each has a buffer of its own. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

typedef struct run {
    const alm_tokenizer *t;
    alm_tokenizer_scratch *s;
    alm_buf *ids;
    const char *begin; /* of the text, where this fragment begins it; else NULL */
} run;

static alm_status step_on(run *r, size_t i, alm_str piece, size_t n_changed, alm_error *err);

/* -- spans ---------------------------------------------------------------------------------------------------------------- */

typedef struct cutter {
    run *r;
    size_t step, n_changed;
    const alm_pre *pre;
    alm_str wait; /* what may still grow */
    bool waits, was_match, wait_is_match;
} cutter;

static alm_status flush(cutter *c, alm_error *err) {
    bool waits = c->waits;
    c->waits = false;
    return waits ? step_on(c->r, c->step + 1, c->wait, c->n_changed, err) : ALM_OK;
}

static alm_status span(cutter *c, alm_str part, bool match, alm_error *err) {
    alm_status st = ALM_OK;
    if (!part.n) return ALM_OK;
    match ^= c->pre->inverted;
    bool joins = false;
    switch (c->pre->way) {
    case ALM_WAY_REMOVED:
        if (match) return ALM_OK;
        break;
    case ALM_WAY_ISOLATED: break;
    case ALM_WAY_CONTIGUOUS: joins = c->waits && c->wait_is_match == match; break;
    case ALM_WAY_WITH_PREVIOUS: joins = c->waits && match && !c->was_match; break;
    case ALM_WAY_WITH_NEXT: joins = c->waits && c->was_match && !match; break;
    }
    if (joins) c->wait.n += part.n;
    else {
        st = flush(c, err);
        c->wait = part;
        c->waits = true;
    }
    c->was_match = c->wait_is_match = match;
    return st;
}

/* -- steps that cut --------------------------------------------------------------------------------------------------------- */

static alm_status by_regex(cutter *c, alm_str s, alm_error *err) {
    const alm_regex *regex = c->r->t->regex[c->pre->regex - 1];
    alm_status st = ALM_OK;
    while (st == ALM_OK && s.n) {
        alm_str part = alm_str_slice(s, 0, alm_utf8_valid_prefix(s));
        size_t done = 0, from = 0, at, end;
        while (st == ALM_OK && from < part.n) {
            alm_regex_result found =
                alm_regex_find(regex, c->r->s->match[c->pre->regex - 1], part, from, &at, &end, NULL);
            if (found == ALM_REGEX_NO_MEMORY) return alm_fail_memory(err);
            if (found == ALM_REGEX_HARD) {
                alm_fail(err, ALM_LIMIT, "tokenizer: the pre-tokenizer's regex takes too many steps on this text");
                alm_hint(err, "the regex comes with the model; a text without very long words may pass");
                return ALM_LIMIT;
            }
            if (found == ALM_REGEX_NO) break;
            if (end == at) { /* an empty match cuts nothing */
                uint32_t scalar;
                from = at;
                if (from >= part.n) break;
                alm_utf8_next(part, &from, &scalar);
                continue;
            }
            st = span(c, alm_str_slice(part, done, at), false, err);
            if (st == ALM_OK) st = span(c, alm_str_slice(part, at, end), true, err);
            done = from = end;
        }
        if (st == ALM_OK) st = span(c, alm_str_slice(part, done, part.n), false, err);
        size_t bad = part.n;
        uint32_t scalar;
        if (bad < s.n) alm_utf8_next(s, &bad, &scalar);
        if (st == ALM_OK) st = span(c, alm_str_slice(s, part.n, bad), false, err);
        s = alm_str_slice(s, bad, s.n);
    }
    return st;
}

static alm_status by_string(cutter *c, alm_str s, alm_str what, alm_error *err) {
    alm_status st = ALM_OK;
    while (st == ALM_OK && s.n) {
        size_t at = what.n ? alm_str_find(s, what) : SIZE_MAX;
        st = span(c, alm_str_slice(s, 0, at), false, err);
        if (at == SIZE_MAX) break;
        if (st == ALM_OK) st = span(c, alm_str_slice(s, at, at + what.n), true, err);
        s = alm_str_slice(s, at + what.n, s.n);
    }
    return st;
}

static bool is_punct(uint32_t c) {
    if (c < 128) return (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7F);
    return alm_class_of(c) == ALM_CLASS_PUNCT;
}

static bool matches(const alm_pre *pre, uint32_t c) {
    switch (pre->kind) {
    case ALM_PRE_DIGITS: return alm_class_in(alm_class_of(c), ALM_NUMBERS);
    case ALM_PRE_PUNCT: return is_punct(c);
    default: return c == ' ' || alm_class_of(c) == ALM_CLASS_SPACE;
    }
}

/* Each character that matches is a span of its own; what lies between is one. */
static alm_status by_class(cutter *c, alm_str s, alm_error *err) {
    alm_status st = ALM_OK;
    size_t done = 0;
    for (size_t at = 0; st == ALM_OK && at < s.n;) {
        uint32_t scalar;
        size_t from = at;
        if (!alm_utf8_next(s, &at, &scalar) || !matches(c->pre, scalar)) continue;
        st = span(c, alm_str_slice(s, done, from), false, err);
        if (st == ALM_OK) st = span(c, alm_str_slice(s, from, at), true, err);
        done = at;
    }
    return st == ALM_OK ? span(c, alm_str_slice(s, done, s.n), false, err) : st;
}

static alm_status by_rule(cutter *c, alm_str s, alm_error *err) {
    alm_status st = ALM_OK;
    while (st == ALM_OK && s.n) {
        size_t n = alm_pretoken_next(c->pre->rule, s);
        st = span(c, alm_str_slice(s, 0, n), true, err);
        s = alm_str_slice(s, n, s.n);
    }
    return st;
}

static alm_status bert_words(cutter *c, alm_str s, alm_error *err) {
    alm_status st = ALM_OK;
    size_t done = 0;
    for (size_t at = 0; st == ALM_OK && at < s.n;) {
        uint32_t scalar;
        size_t from = at;
        if (!alm_utf8_next(s, &at, &scalar)) continue;
        bool blank = scalar == ' ' || alm_class_of(scalar) == ALM_CLASS_SPACE, punct = !blank && is_punct(scalar);
        if (!blank && !punct) continue;
        st = span(c, alm_str_slice(s, done, from), false, err);
        if (st == ALM_OK && punct) st = span(c, alm_str_slice(s, from, at), false, err);
        done = at;
    }
    return st == ALM_OK ? span(c, alm_str_slice(s, done, s.n), false, err) : st;
}

/* -- steps that change ---------------------------------------------------------------------------------------------------- */

static alm_status changed(run *r, const alm_pre *pre, alm_str *piece, size_t n_changed, alm_error *err) {
    alm_buf *out = &r->s->pre[n_changed];
    alm_buf_clear(out);
    if (pre->kind == ALM_PRE_SPACE) {
        alm_buf_add_byte(out, ' ');
        alm_buf_add_str(out, *piece);
    } else {
        bool begins = r->begin == piece->at;
        bool has = alm_str_starts(*piece, ALM_STR(" ")) || alm_str_starts(*piece, pre->a);
        if (!has && (pre->always || (pre->first && begins))) alm_buf_add_str(out, pre->a);
        for (alm_str rest = *piece; rest.n;) {
            size_t at = alm_str_find_byte(rest, ' ');
            alm_buf_add_str(out, alm_str_slice(rest, 0, at));
            if (at == SIZE_MAX) break;
            alm_buf_add_str(out, pre->a);
            rest = alm_str_slice(rest, at + 1, rest.n);
        }
    }
    *piece = alm_buf_str(out);
    return alm_buf_status(out, err);
}

/* -- the way ---------------------------------------------------------------------------------------------------------------- */

static alm_status step_on(run *r, size_t i, alm_str piece, size_t n_changed, alm_error *err) {
    if (!piece.n) return ALM_OK;
    if (i == r->t->n_pre) return r->t->kind->word(r->t, r->s, piece, r->ids, err);
    const alm_pre *pre = &r->t->pre[i];
    cutter c = {.r = r, .step = i, .pre = pre, .n_changed = n_changed};
    alm_status st = ALM_OK;
    if (pre->kind == ALM_PRE_METASPACE || (pre->kind == ALM_PRE_SPACE && piece.at[0] != ' ')) {
        if (n_changed == 2) return alm_fail(err, ALM_UNSUPPORTED, "tokenizer: more than two steps that add blanks");
        c.n_changed++;
        if ((st = changed(r, pre, &piece, n_changed, err)) != ALM_OK) return st;
    }
    switch (pre->kind) {
    case ALM_PRE_RULE: st = by_rule(&c, piece, err); break;
    case ALM_PRE_REGEX: st = by_regex(&c, piece, err); break;
    case ALM_PRE_STRING: st = by_string(&c, piece, pre->a, err); break;
    case ALM_PRE_DIGITS:
    case ALM_PRE_PUNCT:
    case ALM_PRE_BLANKS: st = by_class(&c, piece, err); break;
    case ALM_PRE_BERT: st = bert_words(&c, piece, err); break;
    case ALM_PRE_METASPACE:
        if (pre->cut) st = by_string(&c, piece, pre->a, err);
        else st = span(&c, piece, false, err);
        break;
    case ALM_PRE_SPACE: st = span(&c, piece, false, err); break;
    }
    return st == ALM_OK ? flush(&c, err) : st;
}

alm_status alm_tokenizer_words(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, bool first, alm_buf *ids,
                               alm_error *err) {
    /* The vocabulary's own rule alone needs no steps. */
    bool own =
        t->n_pre == 1 && t->pre[0].kind == ALM_PRE_RULE && t->bpe && !t->bpe->chars && t->bpe->rule == t->pre[0].rule;
    if (!t->n_pre || own) return t->kind->text(t, s, text, ids, err);
    run r = {t, s, ids, first ? text.at : NULL};
    return step_on(&r, 0, text, 0, err);
}
