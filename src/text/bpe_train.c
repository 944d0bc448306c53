/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_train.c - a vocabulary is learned: words are counted, then the most frequent pair is merged until there are enough ids.
 *
 * Counting. A text is cut into sections that end behind a line end before a printable ASCII character (there a word ends
 * whatever comes before and behind) or after 1 MiB, so where a caller cuts its pieces changes nothing. Each section is cut
 * into words (pretoken.h), each word longer than 128 bytes into parts of 128, and a hash table counts them. Memory is
 * bounded: when ALM_BPE_MAX_WORDS different words or 32 MiB of them are there, those seen least often are forgotten,
 * first all seen once, then all seen twice ..., until at most half of the words and half of the bytes are left.
 *
 * Merging. The count of a pair is the number of places where its two ids are neighbours, over all words, times the words'
 * counts. A heap gives the largest count, of equal ones the smaller pair (left id, then right id). Merging it changes only
 * the words that hold it (each pair keeps a list of them), from left to right in each word, and only the counts of the
 * pairs beside each place; counts that fall are put right when the heap brings them up. Every step is exact, so the result is that of
 * counting everything anew after each merge. A pair whose bytes already are a token (ab|c where a|bc was merged) is passed
 * over for good: bytes have one id. */
#include "base/alloc.h"
#include "text/bpe_inner.h"

enum {
    MAX_WORD = 128,      /* bytes */
    MAX_BYTES = 1 << 25, /* of all words */
    MAX_SECTION = 1 << 20,
    FIRST_BYTE = ALM_BPE_N_SPECIAL,
    FIRST_MERGE = FIRST_BYTE + 256
};

typedef struct word {
    uint64_t count;
    uint32_t at; /* in the bytes of all words */
    uint32_t n;
} word;

struct alm_bpe_trainer {
    size_t n_vocab;
    word *words;
    char *bytes;
    size_t n_word, word_cap, n_byte, byte_cap;
    uint32_t *slot; /* word + 1; 0 is an empty place */
    size_t slot_mask;
    alm_buf carry; /* the section that is not yet whole */
};

alm_status alm_bpe_trainer_new(alm_bpe_trainer **out, size_t n_vocab, alm_error *err) {
    *out = NULL;
    if (n_vocab < FIRST_MERGE || n_vocab > ALM_BPE_MAX_VOCAB)
        return alm_fail(err, ALM_INVALID,
                        "a vocabulary of %zu ids: it must have %d (the bytes and two special tokens) to %d", n_vocab,
                        (int)FIRST_MERGE, (int)ALM_BPE_MAX_VOCAB);
    alm_bpe_trainer *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->n_vocab = n_vocab;
    t->slot_mask = ((size_t)1 << 12) - 1;
    t->slot = alm_calloc(t->slot_mask + 1, sizeof *t->slot);
    t->carry = alm_buf_with_limit(SIZE_MAX);
    if (!t->slot) {
        alm_bpe_trainer_free(t);
        return alm_fail_memory(err);
    }
    *out = t;
    return ALM_OK;
}

void alm_bpe_trainer_free(alm_bpe_trainer *t) {
    if (!t) return;
    alm_free(t->words);
    alm_free(t->bytes);
    alm_free(t->slot);
    alm_buf_free(&t->carry);
    alm_free(t);
}

/* -- counting --------------------------------------------------------------------------------------------------------- */

static alm_str bytes_of(const alm_bpe_trainer *t, const word *w) { return alm_str_make(t->bytes + w->at, w->n); }

static size_t slot_of(const alm_bpe_trainer *t, alm_str s) {
    size_t at = (size_t)alm_hash_str(s) & t->slot_mask;
    while (t->slot[at] && !alm_str_eq(bytes_of(t, &t->words[t->slot[at] - 1]), s)) at = (at + 1) & t->slot_mask;
    return at;
}

/* All words into the places of `slot`, which is empty; they are all different. */
static void index_words(alm_bpe_trainer *t) {
    for (size_t i = 0; i < t->n_word; i++) {
        size_t at = (size_t)alm_hash_str(bytes_of(t, &t->words[i])) & t->slot_mask;
        while (t->slot[at]) at = (at + 1) & t->slot_mask;
        t->slot[at] = (uint32_t)i + 1;
    }
}

static alm_status widen(alm_bpe_trainer *t, alm_error *err) {
    size_t mask = t->slot_mask * 2 + 1;
    uint32_t *slot = alm_calloc(mask + 1, sizeof *slot);
    if (!slot) return alm_fail_memory(err);
    alm_free(t->slot);
    t->slot = slot;
    t->slot_mask = mask;
    index_words(t);
    return ALM_OK;
}

static void forget_rarest(alm_bpe_trainer *t) {
    const size_t half = t->n_word / 2, half_bytes = t->n_byte / 2;
    for (uint64_t floor = 1; t->n_word > half || t->n_byte > half_bytes; floor++) {
        size_t n = 0, n_byte = 0;
        for (size_t i = 0; i < t->n_word; i++) {
            word w = t->words[i];
            if (w.count <= floor) continue;
            memmove(t->bytes + n_byte, t->bytes + w.at, w.n);
            w.at = (uint32_t)n_byte;
            n_byte += w.n;
            t->words[n++] = w;
        }
        t->n_word = n;
        t->n_byte = n_byte;
    }
    memset(t->slot, 0, (t->slot_mask + 1) * sizeof *t->slot);
    index_words(t);
}

static alm_status add_word(alm_bpe_trainer *t, alm_str s, alm_error *err) {
    size_t at = slot_of(t, s);
    if (t->slot[at]) {
        t->words[t->slot[at] - 1].count++;
        return ALM_OK;
    }
    if (t->n_word == ALM_BPE_MAX_WORDS || t->n_byte + s.n > MAX_BYTES) {
        forget_rarest(t);
        at = slot_of(t, s);
    }
    void *words = t->words, *bytes = t->bytes;
    if (t->n_word == t->word_cap && !alm_grow(&words, &t->word_cap, t->n_word + 1, sizeof *t->words))
        return alm_fail_memory(err);
    t->words = words;
    if (t->n_byte + s.n > t->byte_cap && !alm_grow(&bytes, &t->byte_cap, t->n_byte + s.n, 1))
        return alm_fail_memory(err);
    t->bytes = bytes;
    memcpy(t->bytes + t->n_byte, s.at, s.n);
    t->words[t->n_word++] = (word){1, (uint32_t)t->n_byte, (uint32_t)s.n};
    t->n_byte += s.n;
    t->slot[at] = (uint32_t)t->n_word;
    return t->n_word * 2 > t->slot_mask ? widen(t, err) : ALM_OK;
}

static alm_status add_section(alm_bpe_trainer *t, alm_str s, alm_error *err) {
    alm_status st = ALM_OK;
    while (st == ALM_OK && s.n) {
        size_t n = alm_pretoken_next(ALM_PRETOKEN_QWEN2, s);
        /* A single byte has nothing to merge, and single digits and marks are the half of all words. */
        for (size_t from = 0; n > 1 && from < n && st == ALM_OK; from += MAX_WORD)
            st = add_word(t, alm_str_slice(alm_str_make(s.at, n), from, from + MAX_WORD), err);
        s.at += n;
        s.n -= n;
    }
    return st;
}

/* Bytes of the section that begins at s.at, or 0 when its end is not yet there. */
static size_t section_of(alm_str s, bool last) {
    size_t limit = s.n < MAX_SECTION ? s.n : MAX_SECTION;
    for (size_t at = 0; at < limit;) {
        const char *line = memchr(s.at + at, '\n', limit - at);
        if (!line) break;
        at = (size_t)(line - s.at) + 1;
        if (at < s.n && s.at[at] > ' ' && s.at[at] < 0x7F) return at;
    }
    return s.n >= MAX_SECTION ? MAX_SECTION : last ? s.n : 0;
}

static alm_status add_sections(alm_bpe_trainer *t, alm_str *s, bool last, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t n; st == ALM_OK && s->n && (n = section_of(*s, last)) != 0;) {
        st = add_section(t, alm_str_make(s->at, n), err);
        s->at += n;
        s->n -= n;
    }
    return st;
}

alm_status alm_bpe_trainer_feed_part(alm_bpe_trainer *t, alm_str part, bool last, alm_error *err) {
    alm_status st = ALM_OK;
    if (t->carry.n) {
        if (!alm_buf_add_str(&t->carry, part)) return alm_buf_status(&t->carry, err);
        part = alm_buf_str(&t->carry);
    }
    if ((st = add_sections(t, &part, last, err)) != ALM_OK) return st;
    if (t->carry.n) {
        memmove(t->carry.at, part.at, part.n);
        t->carry.n = part.n;
    } else if (!alm_buf_add_str(&t->carry, part)) {
        return alm_buf_status(&t->carry, err);
    }
    return ALM_OK;
}

alm_status alm_bpe_trainer_feed(alm_bpe_trainer *t, alm_str text, alm_error *err) {
    return alm_bpe_trainer_feed_part(t, text, true, err);
}

/* -- merging ---------------------------------------------------------------------------------------------------------- */

typedef struct pair {
    uint64_t key, count;
    uint32_t *in; /* words that hold it or held it, each once in a row */
    size_t n, cap;
    uint32_t touched; /* the merge that last added to its count */
    bool passed;      /* merged, or its bytes are a token */
} pair;

typedef struct candidate {
    uint64_t count, key;
    uint32_t pair;
} candidate;

typedef struct merger {
    const alm_bpe_trainer *t;
    uint32_t *id;  /* of all words, where their bytes lie */
    uint32_t *len; /* ids of each word now */
    pair *pairs;
    size_t n_pair, pair_cap;
    uint32_t *slot; /* pair + 1 */
    size_t slot_mask;
    candidate *heap;
    size_t n_heap, heap_cap;
    uint32_t *touched;
    size_t n_touched, touched_cap;
    alm_str *piece;  /* of every id: in a word's bytes, or in `alphabet` */
    uint32_t *known; /* ids + 1 by the hash of their bytes */
    size_t known_mask;
    char alphabet[256];
    alm_bpe_merge *merge;
    size_t n_id;
} merger;

static bool comes_first(const candidate *a, const candidate *b) {
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static bool heap_push(merger *m, candidate c) {
    void *heap = m->heap;
    if (m->n_heap == m->heap_cap && !alm_grow(&heap, &m->heap_cap, m->n_heap + 1, sizeof *m->heap)) return false;
    m->heap = heap;
    size_t at = m->n_heap++;
    for (; at && comes_first(&c, &m->heap[(at - 1) / 2]); at = (at - 1) / 2) m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = c;
    return true;
}

static candidate heap_pop(merger *m) {
    candidate top = m->heap[0], last = m->heap[--m->n_heap];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < m->n_heap; at = child) {
        if (child + 1 < m->n_heap && comes_first(&m->heap[child + 1], &m->heap[child])) child++;
        if (!comes_first(&m->heap[child], &last)) break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = last;
    return top;
}

static bool index_pairs(merger *m, size_t mask) {
    uint32_t *slot = alm_calloc(mask + 1, sizeof *slot);
    if (!slot) return false;
    alm_free(m->slot);
    m->slot = slot;
    m->slot_mask = mask;
    for (size_t i = 0; i < m->n_pair; i++) {
        size_t at = alm_bpe_slot(m->pairs[i].key) & mask;
        while (slot[at]) at = (at + 1) & mask;
        slot[at] = (uint32_t)i + 1;
    }
    return true;
}

/* The pair's entry, made when it is new; NULL without memory. */
static pair *pair_of(merger *m, uint32_t left, uint32_t right) {
    uint64_t key = alm_bpe_key(left, right);
    size_t at = alm_bpe_slot(key) & m->slot_mask;
    while (m->slot[at] && m->pairs[m->slot[at] - 1].key != key) at = (at + 1) & m->slot_mask;
    if (m->slot[at]) return &m->pairs[m->slot[at] - 1];
    void *pairs = m->pairs;
    if (m->n_pair == m->pair_cap && !alm_grow(&pairs, &m->pair_cap, m->n_pair + 1, sizeof *m->pairs)) return NULL;
    m->pairs = pairs;
    m->pairs[m->n_pair] = (pair){.key = key, .touched = UINT32_MAX};
    m->slot[at] = (uint32_t)++m->n_pair;
    if (m->n_pair * 2 > m->slot_mask && !index_pairs(m, m->slot_mask * 2 + 1)) return NULL;
    return &m->pairs[m->n_pair - 1];
}

static bool add_place(merger *m, uint32_t left, uint32_t right, uint32_t w, uint32_t now) {
    pair *p = pair_of(m, left, right);
    if (!p) return false;
    p->count += m->t->words[w].count;
    if (!p->n || p->in[p->n - 1] != w) {
        void *in = p->in;
        if (p->n == p->cap && !alm_grow(&in, &p->cap, p->n + 1, sizeof *p->in)) return false;
        p->in = in;
        p->in[p->n++] = w;
    }
    if (p->touched == now) return true;
    p->touched = now;
    void *touched = m->touched;
    if (m->n_touched == m->touched_cap && !alm_grow(&touched, &m->touched_cap, m->n_touched + 1, sizeof *m->touched))
        return false;
    m->touched = touched;
    m->touched[m->n_touched++] = (uint32_t)(p - m->pairs);
    return true;
}

/* The pair is there: it was counted when its place came to be. */
static bool drop_place(merger *m, uint32_t left, uint32_t right, uint32_t w) {
    pair *p = pair_of(m, left, right);
    if (!p) return false;
    p->count -= m->t->words[w].count;
    return true;
}

static bool offer_touched(merger *m) {
    for (size_t i = 0; i < m->n_touched; i++) {
        const pair *p = &m->pairs[m->touched[i]];
        if (p->count > 1 && !p->passed && !heap_push(m, (candidate){p->count, p->key, m->touched[i]})) return false;
    }
    m->n_touched = 0;
    return true;
}

static bool merge_in(merger *m, uint32_t w, uint32_t left, uint32_t right, uint32_t made) {
    uint32_t *id = m->id + m->t->words[w].at, n = m->len[w];
    for (uint32_t i = 0; i + 1 < n; i++) {
        if (id[i] != left || id[i + 1] != right) continue;
        if (!drop_place(m, left, right, w)) return false;
        if (i && (!drop_place(m, id[i - 1], left, w) || !add_place(m, id[i - 1], made, w, made))) return false;
        if (i + 2 < n && (!drop_place(m, right, id[i + 2], w) || !add_place(m, made, id[i + 2], w, made))) return false;
        id[i] = made;
        n--;
        memmove(id + i + 1, id + i + 2, (n - i - 1) * sizeof *id);
    }
    m->len[w] = n;
    return true;
}

/* The place of these bytes in `known`. */
static uint32_t *known_of(merger *m, alm_str s) {
    size_t at = (size_t)alm_hash_str(s) & m->known_mask;
    while (m->known[at] && !alm_str_eq(m->piece[m->known[at] - 1], s)) at = (at + 1) & m->known_mask;
    return &m->known[at];
}

static void add_piece(merger *m, alm_str s) {
    uint32_t *known = known_of(m, s);
    m->piece[m->n_id++] = s;
    *known = (uint32_t)m->n_id;
}

/* Where the pair stands in the first word that still holds it: its bytes. n is 0 when none does. */
static alm_str bytes_of_pair(const merger *m, const pair *p, uint32_t left, uint32_t right) {
    for (size_t k = 0; k < p->n; k++) {
        const word *w = &m->t->words[p->in[k]];
        const uint32_t *id = m->id + w->at;
        size_t at = w->at;
        for (uint32_t i = 0; i + 1 < m->len[p->in[k]]; at += m->piece[id[i++]].n)
            if (id[i] == left && id[i + 1] == right)
                return alm_str_make(m->t->bytes + at, m->piece[left].n + m->piece[right].n);
    }
    return (alm_str){0};
}

static alm_status start(merger *m, const alm_bpe_trainer *t, alm_error *err) {
    size_t n_known = 1024;
    while (n_known < 2 * t->n_vocab) n_known *= 2;
    m->t = t;
    m->known_mask = n_known - 1;
    m->id = alm_calloc(t->n_byte, sizeof *m->id);
    m->len = alm_calloc(t->n_word, sizeof *m->len);
    m->piece = alm_calloc(t->n_vocab, sizeof *m->piece);
    m->merge = alm_calloc(t->n_vocab, sizeof *m->merge);
    m->known = alm_calloc(n_known, sizeof *m->known);
    if (!m->id || !m->len || !m->piece || !m->merge || !m->known || !index_pairs(m, (1 << 12) - 1))
        return alm_fail_memory(err);
    m->n_id = FIRST_BYTE;
    for (unsigned c = 0; c < 256; c++) {
        m->alphabet[c] = (char)(unsigned char)c;
        add_piece(m, alm_str_make(&m->alphabet[c], 1));
    }
    for (size_t w = 0; w < t->n_word; w++) {
        const word *of = &t->words[w];
        uint32_t *id = m->id + of->at;
        m->len[w] = of->n;
        for (uint32_t i = 0; i < of->n; i++) id[i] = FIRST_BYTE + (unsigned char)t->bytes[of->at + i];
        for (uint32_t i = 0; i + 1 < of->n; i++)
            if (!add_place(m, id[i], id[i + 1], (uint32_t)w, 0)) return alm_fail_memory(err);
    }
    return offer_touched(m) ? ALM_OK : alm_fail_memory(err);
}

static alm_status merge_all(merger *m, alm_error *err) {
    while (m->n_heap && m->n_id < m->t->n_vocab) {
        candidate c = heap_pop(m);
        pair *p = &m->pairs[c.pair];
        if (p->passed || p->count < 2) continue;
        if (p->count != c.count) { /* it fell since it was offered */
            if (!heap_push(m, (candidate){p->count, p->key, c.pair})) return alm_fail_memory(err);
            continue;
        }
        uint32_t left = (uint32_t)(c.key >> 32), right = (uint32_t)c.key, made = (uint32_t)m->n_id;
        alm_str bytes = bytes_of_pair(m, p, left, right);
        p->passed = true;
        if (*known_of(m, bytes)) continue;
        add_piece(m, bytes);
        m->merge[made - FIRST_MERGE] = (alm_bpe_merge){left, right, made};
        /* Adding pairs may move the entry, not its list. */
        uint32_t *in = p->in;
        size_t n = p->n;
        p->in = NULL;
        p->n = p->cap = 0;
        bool good = true;
        for (size_t i = 0; good && i < n; i++) good = merge_in(m, in[i], left, right, made);
        alm_free(in);
        if (!good || !offer_touched(m)) return alm_fail_memory(err);
    }
    return ALM_OK;
}

static alm_status build(alm_bpe **out, const merger *m, alm_error *err) {
    static const char *const special[ALM_BPE_N_SPECIAL] = {"<|begin_of_text|>", "<|end_of_text|>"};
    alm_bpe *b = NULL;
    alm_status st = alm_bpe_new(&b, m->n_id, m->n_id - FIRST_MERGE, err);
    if (st == ALM_OK) st = alm_bpe_set_pre(b, ALM_STR("qwen2"), err);
    for (size_t i = 0; st == ALM_OK && i < m->n_id; i++) {
        bool control = i < ALM_BPE_N_SPECIAL;
        alm_str *at = control ? &b->text[i] : &b->piece[i];
        b->type[i] = control ? ALM_BPE_CONTROL : ALM_BPE_NORMAL;
        *at = alm_arena_copy(b->arena, control ? alm_str_of(special[i]) : m->piece[i]);
        if (!at->at) st = alm_fail_memory(err);
    }
    if (st == ALM_OK) {
        memcpy(b->merge, m->merge, b->n_merge * sizeof *b->merge);
        b->bos = 0;
        b->eos = 1;
        b->add_bos = true;
        st = alm_bpe_finish(b, "learned vocabulary", err);
    }
    if (st == ALM_OK) {
        *out = b;
        b = NULL;
    }
    alm_bpe_free(b);
    return st;
}

static void merger_release(merger *m) {
    for (size_t i = 0; i < m->n_pair; i++) alm_free(m->pairs[i].in);
    alm_free(m->id);
    alm_free(m->len);
    alm_free(m->pairs);
    alm_free(m->slot);
    alm_free(m->heap);
    alm_free(m->touched);
    alm_free(m->piece);
    alm_free(m->known);
    alm_free(m->merge);
}

alm_status alm_bpe_trainer_finish(alm_bpe_trainer *t, alm_bpe **out, alm_error *err) {
    merger m = {0};
    *out = NULL;
    alm_status st = alm_bpe_trainer_feed_part(t, (alm_str){"", 0}, true, err); /* a document without its last part */
    if (st == ALM_OK) st = start(&m, t, err);
    if (st == ALM_OK) st = merge_all(&m, err);
    if (st == ALM_OK) st = build(out, &m, err);
    merger_release(&m);
    return st;
}
