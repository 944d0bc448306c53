/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_apply.c - a text becomes ids: cut into words, the bytes of each word merged, the pair of the lowest rank first and of
 * equal ones the leftmost.
 *
 * Log lines repeat their words, so a scratch remembers the ids of words; it is emptied when it is full. What a word becomes
 * depends on its bytes alone, therefore no result depends on what a scratch holds. A short word is merged in an array
 * by looking for the lowest rank again and again; a long one through a heap, so that a megabyte of letters takes n log n. */
#include "base/alloc.h"
#include "text/bpe_inner.h"

enum {
    SHORT_WORD = ALM_BPE_SHORT_WORD,
    CACHE_SLOTS = 1 << 15, /* 24 bytes each */
    CACHE_WORDS = CACHE_SLOTS / 2,
    CACHE_BYTES = 1 << 19,
    CACHE_IDS = 1 << 18
};

typedef struct seen {
    uint64_t hash;
    uint32_t at, id_at; /* in word, id */
    uint16_t n, n_id;   /* n 0: an empty place */
} seen;

#define NONE ALM_BPE_GONE

struct alm_bpe_scratch {
    uint64_t owner; /* digest of the vocabulary whose words these are */
    seen *slot;     /* NULL: remembers nothing */
    char *word;
    uint32_t *id;
    uint32_t n_seen, word_used, id_used;
    alm_bpe_link *chain;
    size_t chain_cap;
    alm_bpe_heap heap;
    alm_bpe_symbols symbols;
};

static void scratch_release(alm_bpe_scratch *s) {
    alm_free(s->slot);
    alm_free(s->word);
    alm_free(s->id);
    alm_free(s->chain);
    alm_free(s->heap.at);
    alm_free(s->symbols.at);
}

void alm_bpe_scratch_free(alm_bpe_scratch *s) {
    if (!s) return;
    scratch_release(s);
    alm_free(s);
}

alm_status alm_bpe_scratch_new(alm_bpe_scratch **out, alm_error *err) {
    *out = NULL;
    alm_bpe_scratch *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->slot = alm_calloc(CACHE_SLOTS, sizeof *s->slot);
    s->word = alm_alloc(CACHE_BYTES);
    s->id = alm_alloc(CACHE_IDS * sizeof *s->id);
    if (!s->slot || !s->word || !s->id) {
        alm_bpe_scratch_free(s);
        return alm_fail_memory(err);
    }
    *out = s;
    return ALM_OK;
}

static void forget(alm_bpe_scratch *s) {
    if (s->slot) memset(s->slot, 0, CACHE_SLOTS * sizeof *s->slot);
    s->n_seen = s->word_used = s->id_used = 0;
}

/* -- one word --------------------------------------------------------------------------------------------------------- */

/* id: [n] the ids of the bytes, changed in place; returns how many are left. 2 <= n <= SHORT_WORD. */
static size_t merge_short(const alm_bpe *b, uint32_t *id, size_t n) {
    uint32_t rank[SHORT_WORD], made[SHORT_WORD];
    for (size_t i = 0; i + 1 < n; i++) {
        const alm_bpe_pair *p = alm_bpe_find_pair(b, id[i], id[i + 1]);
        rank[i] = p ? p->rank : NONE;
        made[i] = p ? p->id : 0;
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == NONE) break;
        id[best] = made[best];
        n--;
        memmove(id + best + 1, id + best + 2, (n - best - 1) * sizeof *id);
        if (best + 1 < n) {
            memmove(rank + best, rank + best + 1, (n - best - 1) * sizeof *rank);
            memmove(made + best, made + best + 1, (n - best - 1) * sizeof *made);
            const alm_bpe_pair *p = alm_bpe_find_pair(b, id[best], id[best + 1]);
            rank[best] = p ? p->rank : NONE;
            made[best] = p ? p->id : 0;
        }
        if (best) {
            const alm_bpe_pair *p = alm_bpe_find_pair(b, id[best - 1], id[best]);
            rank[best - 1] = p ? p->rank : NONE;
            made[best - 1] = p ? p->id : 0;
        }
    }
    return n;
}

bool alm_bpe_heap_push(alm_bpe_heap *h, alm_bpe_turn t) {
    void *items = h->at;
    if (h->n == h->cap && !alm_grow(&items, &h->cap, h->n + 1, sizeof *h->at)) return false;
    h->at = items;
    size_t at = h->n++;
    while (at && h->at[(at - 1) / 2].order > t.order) {
        h->at[at] = h->at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->at[at] = t;
    return true;
}

alm_bpe_turn alm_bpe_heap_pop(alm_bpe_heap *h) {
    alm_bpe_turn top = h->at[0], last = h->at[--h->n];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->at[child + 1].order < h->at[child].order) child++;
        if (h->at[child].order >= last.order) break;
        h->at[at] = h->at[child];
    }
    h->at[at] = last;
    return top;
}

static bool wait_at(const alm_bpe *b, alm_bpe_scratch *s, uint32_t at) {
    if (at == NONE || s->chain[at].next == NONE) return true;
    uint32_t left = s->chain[at].id, right = s->chain[s->chain[at].next].id;
    const alm_bpe_pair *p = alm_bpe_find_pair(b, left, right);
    return !p || alm_bpe_heap_push(&s->heap, (alm_bpe_turn){(uint64_t)p->rank << 32 | at, left, right});
}

static alm_status merge_long(const alm_bpe *b, alm_bpe_scratch *s, alm_str word, alm_error *err) {
    uint32_t n = (uint32_t)word.n;
    void *chain = s->chain;
    if (n > s->chain_cap && !alm_grow(&chain, &s->chain_cap, n, sizeof *s->chain)) return alm_fail_memory(err);
    s->chain = chain;
    s->heap.n = 0;
    for (uint32_t i = 0; i < n; i++)
        s->chain[i] = (alm_bpe_link){b->byte_id[(unsigned char)word.at[i]], i ? i - 1 : NONE, i + 1 < n ? i + 1 : NONE};
    for (uint32_t i = 0; i < n; i++)
        if (!wait_at(b, s, i)) return alm_fail_memory(err);
    while (s->heap.n) {
        alm_bpe_turn t = alm_bpe_heap_pop(&s->heap);
        alm_bpe_link *left = &s->chain[(uint32_t)t.order];
        if (left->id != t.left || left->next == NONE || s->chain[left->next].id != t.right) continue; /* no longer so */
        alm_bpe_link *right = &s->chain[left->next];
        const alm_bpe_pair *p = alm_bpe_find_pair(b, t.left, t.right);
        left->id = p->id;
        left->next = right->next;
        right->id = NONE;
        if (left->next != NONE) s->chain[left->next].prev = (uint32_t)t.order;
        if (!wait_at(b, s, left->prev) || !wait_at(b, s, (uint32_t)t.order)) return alm_fail_memory(err);
    }
    return ALM_OK;
}

/* -- words that were seen --------------------------------------------------------------------------------------------- */

static seen *place_of(alm_bpe_scratch *s, alm_str word, uint64_t hash) {
    for (size_t at = (size_t)hash % CACHE_SLOTS;; at = (at + 1) % CACHE_SLOTS) {
        seen *e = &s->slot[at];
        if (!e->n || (e->hash == hash && e->n == word.n && memcmp(s->word + e->at, word.at, word.n) == 0)) return e;
    }
}

static void remember(alm_bpe_scratch *s, alm_str word, uint64_t hash, const uint32_t *id, size_t n_id) {
    if (s->n_seen == CACHE_WORDS || s->word_used + word.n > CACHE_BYTES || s->id_used + n_id > CACHE_IDS) forget(s);
    seen *e = place_of(s, word, hash);
    *e = (seen){hash, s->word_used, s->id_used, (uint16_t)word.n, (uint16_t)n_id};
    memcpy(s->word + e->at, word.at, word.n);
    memcpy(s->id + e->id_at, id, n_id * sizeof *id);
    s->n_seen++;
    s->word_used += (uint32_t)word.n;
    s->id_used += (uint32_t)n_id;
}

/* -- a text ----------------------------------------------------------------------------------------------------------- */

typedef struct sink {
    const alm_bpe *b;
    alm_buf *ids, *ends;
    uint32_t end; /* of what has been put */
    size_t begin; /* of what this call has put into ids */
} sink;

/* Space for n more ids; inline, since most words have one or two. */
static inline bool room(alm_buf *b, size_t n) {
    return (b->cap - b->n > n * sizeof(uint32_t) && b->failed == ALM_OK) || alm_buf_reserve(b, n * sizeof(uint32_t));
}

static inline void append(alm_buf *b, uint32_t x) {
    memcpy(b->at + b->n, &x, sizeof x);
    b->n += sizeof x;
}

static inline bool put(sink *o, const uint32_t *id, size_t n) {
    if (!room(o->ids, n) || (o->ends && !room(o->ends, n))) return false;
    for (size_t i = 0; i < n; i++) append(o->ids, id[i]);
    for (size_t i = 0; o->ends && i < n; i++) {
        o->end += (uint32_t)o->b->piece[id[i]].n;
        append(o->ends, o->end);
    }
    return true;
}

static alm_status failed(const sink *o, alm_error *err) {
    return alm_buf_status(o->ids->failed ? o->ids : o->ends, err);
}

/* A word of chars may begin with what the word before ended in: an unknown character, of which many are one. */
static bool put_symbols(sink *o, const uint32_t *id, size_t n) {
    const alm_bpe *b = o->b;
    if (b->fuse_unknown && n && id[0] == b->unknown && o->ids->n > o->begin) {
        uint32_t before;
        memcpy(&before, o->ids->at + o->ids->n - sizeof before, sizeof before);
        if (before == b->unknown) id++, n--;
    }
    return put(o, id, n);
}

/* Words that begin as characters, or whose merges are found by what they make. */
static alm_status put_other(sink *o, alm_bpe_scratch *s, alm_str word, uint64_t hash, alm_error *err) {
    const alm_bpe *b = o->b;
    uint32_t id[SHORT_WORD];
    size_t n = 1;
    if (b->whole_words && (id[0] = alm_bpe_find_word(b, word)) != UINT32_MAX) n = 1;
    else if (word.n <= SHORT_WORD) n = alm_bpe_symbols_short(b, word, id);
    else {
        uint32_t first;
        size_t from = o->ids->n;
        alm_status st = alm_bpe_symbols_long(b, &s->symbols, &s->heap, word, o->ids, err);
        if (st != ALM_OK || !b->fuse_unknown || from == o->begin || o->ids->n == from) return st;
        memcpy(&first, o->ids->at + from, sizeof first);
        memcpy(id, o->ids->at + from - sizeof first, sizeof first);
        if (first == b->unknown && id[0] == first) {
            memmove(o->ids->at + from, o->ids->at + from + sizeof first, o->ids->n - from - sizeof first);
            o->ids->n -= sizeof first;
        }
        return st;
    }
    if (hash) remember(s, word, hash, id, n);
    return put_symbols(o, id, n) ? ALM_OK : failed(o, err);
}

static alm_status put_word(sink *o, alm_bpe_scratch *s, alm_str word, alm_error *err) {
    const alm_bpe *b = o->b;
    uint32_t id[SHORT_WORD];
    size_t n = word.n;
    if (n == 1 && !b->chars) {
        id[0] = b->byte_id[(unsigned char)word.at[0]];
        return put(o, id, 1) ? ALM_OK : failed(o, err);
    }
    uint64_t hash = 0;
    if (n <= SHORT_WORD && s->slot) {
        hash = alm_hash64(word.at, n, 0);
        const seen *e = place_of(s, word, hash);
        if (e->n) return put_symbols(o, s->id + e->id_at, e->n_id) ? ALM_OK : failed(o, err);
    }
    if (b->chars || b->rank) return put_other(o, s, word, hash, err);
    if (b->whole_words && (id[0] = alm_bpe_find_word(b, word)) != UINT32_MAX) {
        n = 1;
    } else if (n <= SHORT_WORD) {
        for (size_t i = 0; i < n; i++) id[i] = b->byte_id[(unsigned char)word.at[i]];
        n = merge_short(b, id, n);
    } else {
        alm_status st = merge_long(b, s, word, err);
        for (uint32_t i = 0; st == ALM_OK && i != NONE; i = s->chain[i].next)
            if (!put(o, &s->chain[i].id, 1)) st = failed(o, err);
        return st;
    }
    if (hash) remember(s, word, hash, id, n);
    return put(o, id, n) ? ALM_OK : failed(o, err);
}

static alm_status put_words(sink *o, alm_bpe_scratch *s, alm_str text, alm_error *err) {
    alm_status st = ALM_OK;
    while (st == ALM_OK && text.n) {
        size_t n = o->b->chars ? alm_bpe_cut(o->b, text) : alm_pretoken_next(o->b->rule, text);
        st = put_word(o, s, alm_str_make(text.at, n), err);
        text.at += n;
        text.n -= n;
    }
    return st;
}

/* The longest token that stands at the beginning of text and is looked for there, or NONE. */
static uint32_t special_here(const alm_bpe *b, alm_str text, bool control) {
    unsigned char c = (unsigned char)text.at[0];
    for (uint32_t i = b->special_at[c]; i < b->special_at[c + 1]; i++) {
        uint32_t id = b->special[i];
        if ((control || b->type[id] == ALM_BPE_USER) && alm_str_starts(text, b->text[id])) return id;
    }
    return NONE;
}

static alm_status put_text(sink *o, alm_bpe_scratch *s, alm_str text, bool control, alm_error *err) {
    const alm_bpe *b = o->b;
    if (!b->n_special || (!control && !b->has_user)) return put_words(o, s, text, err);
    size_t from = 0, at = 0;
    alm_status st = ALM_OK;
    while (st == ALM_OK && at < text.n) {
        uint32_t id = special_here(b, alm_str_slice(text, at, text.n), control);
        if (id == NONE) {
            at++;
            continue;
        }
        st = put_words(o, s, alm_str_slice(text, from, at), err);
        /* A control token has no bytes; in the text that it was found in it covers its own. */
        if (st == ALM_OK && b->type[id] == ALM_BPE_CONTROL) o->end += (uint32_t)b->text[id].n;
        if (st == ALM_OK && !put(o, &id, 1)) st = failed(o, err);
        from = at += b->text[id].n;
    }
    return st == ALM_OK ? put_words(o, s, alm_str_slice(text, from, text.n), err) : st;
}

/* How a text is read. */
typedef enum reading { WORD, WORDS, TEXT, TEXT_WITH_CONTROL } reading;

static alm_status encode(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, reading way, alm_buf *ids, alm_buf *ends,
                         alm_error *err) {
    if (text.n >= UINT32_MAX)
        return alm_fail(err, ALM_LIMIT, "a text of %zu bytes is too long for the tokenizer", text.n);
    alm_bpe_scratch own = {0};
    if (s && s->owner != b->digest) {
        forget(s);
        s->owner = b->digest;
    }
    size_t n_id = ids->n, n_end = ends ? ends->n : 0;
    sink o = {b, ids, ends, 0, ids->n};
    alm_status st = ALM_OK;
    if (!s) s = &own;
    if (way == WORD && text.n) st = put_word(&o, s, text, err);
    else if (way == WORDS) st = put_words(&o, s, text, err);
    else st = put_text(&o, s, text, way == TEXT_WITH_CONTROL, err);
    if (st != ALM_OK) {
        ids->n = n_id;
        if (ends) ends->n = n_end;
    }
    scratch_release(&own);
    return st;
}

alm_status alm_bpe_encode(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_buf *ends,
                          alm_error *err) {
    return encode(b, s, text, TEXT, ids, ends, err);
}

alm_status alm_bpe_encode_special(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_buf *ends,
                                  alm_error *err) {
    return encode(b, s, text, TEXT_WITH_CONTROL, ids, ends, err);
}

alm_status alm_bpe_encode_text(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_error *err) {
    return encode(b, s, text, WORDS, ids, NULL, err);
}

alm_status alm_bpe_encode_word(const alm_bpe *b, alm_bpe_scratch *s, alm_str word, alm_buf *ids, alm_error *err) {
    return encode(b, s, word, WORD, ids, NULL, err);
}
