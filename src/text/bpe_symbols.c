/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_symbols.c - merging where symbols are characters (SentencePiece, and what Hugging Face made of it), or where the merges
 * are not listed but follow from what two symbols make together (SentencePiece's scores, the ranks of tiktoken).
 *
 *     word       ▁ H a u s        each character that is a token is its id, another one is UNKNOWN for now
 *     merged     ▁Haus            by a table of pairs (b->pair), or: two beside each other whose bytes are a token may merge,
 *                                 the lowest b->rank first, of equal ones the leftmost
 *     left over  UNKNOWN          the ids of its bytes where the vocabulary has those, else the unknown token
 *
 * A symbol is a span of the word, so two spans of the same length at one place are the same symbol. */
#include "base/alloc.h"
#include "text/bpe_inner.h"

enum { SHORT = ALM_BPE_SHORT_WORD };
#define UNKNOWN (UINT32_MAX - 1)
#define NONE    UINT32_MAX

static const char mark[] = "\xE2\x96\x81"; /* U+2581 */

static inline bool is_mark(const char *at) { return memcmp(at, mark, 3) == 0; }

size_t alm_bpe_cut(const alm_bpe *b, alm_str text) {
    size_t at = 0;
    while (at + 3 <= text.n && is_mark(text.at + at)) at += 3;
    while (at < text.n) {
        const char *next = memchr(text.at + at, mark[0], text.n - at);
        if (!next) return text.n;
        at = (size_t)(next - text.at);
        if (at + 3 > text.n || !is_mark(next)) {
            at++;
            continue;
        }
        if (at && !b->joins[(unsigned char)text.at[at - 1]]) return at;
        while (at + 3 <= text.n && is_mark(text.at + at)) at += 3;
    }
    return text.n;
}

/* -- symbols ---------------------------------------------------------------------------------------------------------- */

/* The symbol at *at, moving it. A byte that is no UTF-8 is a symbol of its own. */
static alm_bpe_symbol first_symbol(const alm_bpe *b, alm_str word, size_t *at) {
    alm_bpe_symbol s = {.at = (uint32_t)*at, .n = 1};
    if (!b->chars) {
        s.id = b->byte_id[(unsigned char)word.at[*at]];
        ++*at;
        return s;
    }
    uint32_t scalar;
    size_t end = *at;
    bool whole = alm_utf8_next(word, &end, &scalar);
    s.n = whole ? (uint32_t)(end - *at) : 1;
    s.id = whole ? alm_bpe_find_word(b, alm_str_make(word.at + s.at, s.n)) : NONE;
    if (s.id == NONE) s.id = UNKNOWN;
    *at += s.n;
    return s;
}

typedef struct made {
    uint32_t rank, id; /* rank NONE: the two do not merge */
} made;

static inline made pair_of(const alm_bpe *b, alm_str word, const alm_bpe_symbol *left, const alm_bpe_symbol *right) {
    if (b->rank) {
        uint32_t id = alm_bpe_find_word(b, alm_str_make(word.at + left->at, left->n + right->n));
        return id == NONE ? (made){NONE, 0} : (made){b->rank[id], id};
    }
    const alm_bpe_pair *p = alm_bpe_find_pair(b, left->id, right->id);
    return p ? (made){p->rank, p->id} : (made){NONE, 0};
}

/* The ids of one symbol that is left over, at most s->n of them (or one); `before` is the id that was put last. */
static size_t ids_of(const alm_bpe *b, alm_str word, const alm_bpe_symbol *s, uint32_t before, uint32_t *out) {
    if (s->id != UNKNOWN) {
        *out = s->id;
        return 1;
    }
    bool all = b->chars;
    for (uint32_t i = 0; all && i < s->n; i++) all = b->byte_id[(unsigned char)word.at[s->at + i]] != NONE;
    if (all) {
        for (uint32_t i = 0; i < s->n; i++) out[i] = b->byte_id[(unsigned char)word.at[s->at + i]];
        return s->n;
    }
    if (b->unknown == NONE || (b->fuse_unknown && before == b->unknown)) return 0;
    *out = b->unknown;
    return 1;
}

/* -- a short word: look for the lowest rank again and again ------------------------------------------------------------- */

size_t alm_bpe_symbols_short(const alm_bpe *b, alm_str word, uint32_t *out) {
    alm_bpe_symbol s[SHORT];
    made m[SHORT];
    size_t n = 0, n_out = 0;
    for (size_t at = 0; at < word.n;) s[n++] = first_symbol(b, word, &at);
    for (size_t i = 0; i + 1 < n; i++) m[i] = pair_of(b, word, &s[i], &s[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (m[i].rank < m[best].rank) best = i;
        if (m[best].rank == NONE) break;
        s[best].id = m[best].id;
        s[best].n += s[best + 1].n;
        n--;
        memmove(s + best + 1, s + best + 2, (n - best - 1) * sizeof *s);
        if (best + 1 < n) {
            memmove(m + best, m + best + 1, (n - best - 1) * sizeof *m);
            m[best] = pair_of(b, word, &s[best], &s[best + 1]);
        }
        if (best) m[best - 1] = pair_of(b, word, &s[best - 1], &s[best]);
    }
    for (size_t i = 0; i < n; i++) n_out += ids_of(b, word, &s[i], n_out ? out[n_out - 1] : NONE, out + n_out);
    return n_out;
}

/* -- a long word: a heap of what may merge ------------------------------------------------------------------------------ */

static bool wait_at(const alm_bpe *b, const alm_bpe_symbol *s, alm_bpe_heap *heap, alm_str word, uint32_t at) {
    if (at == NONE || s[at].next == NONE) return true;
    const alm_bpe_symbol *right = &s[s[at].next];
    made m = pair_of(b, word, &s[at], right);
    if (m.rank == NONE) return true;
    return alm_bpe_heap_push(heap, (alm_bpe_turn){(uint64_t)m.rank << 32 | at, s[at].n, right->n});
}

alm_status alm_bpe_symbols_long(const alm_bpe *b, alm_bpe_symbols *symbols, alm_bpe_heap *heap, alm_str word,
                                alm_buf *ids, alm_error *err) {
    void *items = symbols->at;
    uint32_t n = 0, before = NONE;
    if (word.n > symbols->cap && !alm_grow(&items, &symbols->cap, word.n, sizeof *symbols->at))
        return alm_fail_memory(err);
    alm_bpe_symbol *s = symbols->at = items;
    for (size_t at = 0; at < word.n; n++) {
        s[n] = first_symbol(b, word, &at);
        s[n].prev = n ? n - 1 : NONE;
        s[n].next = at < word.n ? n + 1 : NONE;
    }
    heap->n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!wait_at(b, s, heap, word, i)) return alm_fail_memory(err);
    while (heap->n) {
        alm_bpe_turn t = alm_bpe_heap_pop(heap);
        uint32_t at = (uint32_t)t.order;
        alm_bpe_symbol *left = &s[at];
        if (left->n != t.left || left->next == NONE || s[left->next].n != t.right) continue; /* no longer so */
        alm_bpe_symbol *right = &s[left->next];
        left->id = pair_of(b, word, left, right).id;
        left->n += right->n;
        left->next = right->next;
        right->n = 0;
        if (left->next != NONE) s[left->next].prev = at;
        if (!wait_at(b, s, heap, word, left->prev) || !wait_at(b, s, heap, word, at)) return alm_fail_memory(err);
    }
    for (uint32_t i = 0; i != NONE && n; i = s[i].next) {
        uint32_t id[4];
        size_t n_id = ids_of(b, word, &s[i], before, id);
        if (n_id) before = id[n_id - 1];
        if (!alm_buf_add(ids, id, n_id * sizeof *id)) return alm_buf_status(ids, err);
    }
    return ALM_OK;
}
