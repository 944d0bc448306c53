/* SPDX-License-Identifier: Apache-2.0
 *
 * wordpiece.c - the longest token at the beginning of a word, then the longest that continues it ("##..."), and so on.
 *
 * When some rest of a word has no token, the whole word is unknown; so is a word of more than max_word characters, which
 * bounds the work on any text. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

enum { MAX_PIECE = 1024 };

alm_status alm_tokenizer_set_wordpiece(alm_tokenizer *t, alm_str continuing, size_t max_word, alm_error *err) {
    alm_status st = ALM_OK;
    t->continuing = alm_arena_copy(t->arena, continuing);
    if (!t->continuing.at) return alm_fail_memory(err);
    t->max_word = max_word < 1 ? 1 : max_word > 4096 ? 4096 : max_word;
    for (size_t i = 0; st == ALM_OK && i < t->n_vocab; i++) {
        if (t->name[i].n > MAX_PIECE)
            return alm_fail(err, ALM_UNSUPPORTED, "tokenizer: token %zu has %zu bytes, more than %d", i, t->name[i].n,
                            (int)MAX_PIECE);
        if (t->type[i] != ALM_TOKEN_UNUSED) st = alm_trie_add(&t->pieces, t->name[i], (uint32_t)i, err);
    }
    if (st == ALM_OK && t->unknown < 0)
        st = alm_fail(err, ALM_MALFORMED, "tokenizer: bad_value: a WordPiece vocabulary without its unknown token");
    return st;
}

/* The node behind "##", 0 where no token continues a word (or every one may). */
static bool inner_node(const alm_tokenizer *t, uint32_t *node) {
    *node = 0;
    for (size_t i = 0; i < t->continuing.n; i++)
        if (!(*node = alm_trie_step(&t->pieces, *node, (unsigned char)t->continuing.at[i]))) return false;
    return true;
}

static bool is_long(const alm_tokenizer *t, alm_str word) {
    size_t n = 0;
    if (word.n <= t->max_word) return false;
    for (size_t i = 0; i < word.n && n <= t->max_word; i++) n += ((unsigned char)word.at[i] & 0xC0) != 0x80;
    return n > t->max_word;
}

static alm_status word(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str w, alm_buf *ids, alm_error *err) {
    (void)s;
    size_t n = ids->n, at = 0;
    uint32_t inner, unknown = (uint32_t)t->unknown;
    bool bad = is_long(t, w), continues = inner_node(t, &inner);
    while (!bad && at < w.n) {
        uint32_t node = at ? inner : 0, id = ALM_TRIE_NONE;
        size_t end = at;
        for (size_t i = at; i < w.n && (!at || continues); i++) {
            node = alm_trie_step(&t->pieces, node, (unsigned char)w.at[i]);
            if (!node) break;
            /* A token ends where a character does. */
            if (t->pieces.value[node] == ALM_TRIE_NONE || (i + 1 < w.n && ((unsigned char)w.at[i + 1] & 0xC0) == 0x80))
                continue;
            id = t->pieces.value[node];
            end = i + 1;
        }
        bad = id == ALM_TRIE_NONE;
        if (!bad) alm_buf_add(ids, &id, sizeof id);
        at = end;
    }
    if (bad) {
        ids->n = n;
        alm_buf_add(ids, &unknown, sizeof unknown);
    }
    return alm_buf_status(ids, err);
}

static uint32_t find(const alm_tokenizer *t, alm_str piece) { return alm_trie_find(&t->pieces, piece); }

const alm_tokenizer_kind_ops alm_tokenizer_wordpiece = {"wordpiece", word, word, find};
