/* SPDX-License-Identifier: Apache-2.0
 *
 * added.c - tokens that are found in a text by their names: the leftmost, and of those that begin at one place the longest.
 *
 * What a token that is not wanted (a control token in text that comes from others) covers is passed over as a whole, as Hugging
 * Face's tokenizers do it: no other token is found inside its name. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

enum { MAX_ADDED = 1 << 20 };

alm_status alm_added_add(alm_added_set *set, alm_added token, alm_error *err) {
    if (!token.text.n) return ALM_OK;
    void *items = set->at;
    if (set->n >= MAX_ADDED)
        return alm_fail(err, ALM_LIMIT, "tokenizer: bad_count: more than %d added tokens", (int)MAX_ADDED);
    if (set->n == set->cap && !alm_grow(&items, &set->cap, set->n + 1, sizeof *set->at)) return alm_fail_memory(err);
    set->at = items;
    alm_status st = alm_trie_add(&set->trie, token.text, (uint32_t)set->n, err);
    if (st != ALM_OK) return st;
    set->has_user |= !token.control;
    set->at[set->n++] = token;
    return ALM_OK;
}

void alm_added_free(alm_added_set *set) {
    alm_trie_free(&set->trie);
    alm_free(set->at);
    *set = (alm_added_set){0};
}

/* What \w is to a regex: letters, marks, digits, joiners and the connectors, of which _ is the one that is used. */
static bool is_word(uint32_t c) {
    unsigned set = ALM_LETTERS | ALM_MARKS | 1u << ALM_CLASS_NUMBER;
    return c == '_' || (c >= 0x200C && c <= 0x200D) || (c >= 0x203F && c <= 0x2040) ||
           alm_class_in(alm_class_of(c), set);
}

/* The character that ends at `at`. */
static uint32_t char_before(alm_str text, size_t at, size_t *from) {
    uint32_t c = 0;
    *from = at - 1;
    while (*from && at - *from < 4 && ((unsigned char)text.at[*from] & 0xC0) == 0x80) --*from;
    size_t pos = *from;
    if (!alm_utf8_next(text, &pos, &c) || pos != at) {
        *from = at - 1;
        return 0;
    }
    return c;
}

static bool alone(alm_str text, size_t from, size_t to) {
    size_t at = to;
    uint32_t c;
    if (from && is_word(char_before(text, from, &at))) return false;
    at = to;
    return to == text.n || !alm_utf8_next(text, &at, &c) || !is_word(c);
}

static bool is_blank(uint32_t c) { return alm_class_of(c) == ALM_CLASS_SPACE; }

const alm_added *alm_added_next(const alm_added_set *set, alm_str text, bool control, size_t pos, size_t *from,
                                size_t *to) {
    if (!set->n || (!control && !set->has_user)) return NULL;
    for (size_t at = pos; at < text.n;) {
        if (!set->trie.root[(unsigned char)text.at[at]]) {
            at++;
            continue;
        }
        size_t n = 0;
        uint32_t i = alm_trie_longest(&set->trie, alm_str_slice(text, at, text.n), &n);
        if (i == ALM_TRIE_NONE) {
            at++;
            continue;
        }
        const alm_added *a = &set->at[i];
        *from = at;
        *to = at + n;
        at += n;
        if ((a->control && !control) || (a->single_word && !alone(text, *from, *to))) continue;
        size_t before;
        while (a->lstrip && *from > pos && is_blank(char_before(text, *from, &before))) *from = before;
        for (size_t next = *to; a->rstrip && next < text.n; *to = next) {
            uint32_t c;
            if (!alm_utf8_next(text, &next, &c) || !is_blank(c)) break;
        }
        return a;
    }
    return NULL;
}
