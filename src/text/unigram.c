/* SPDX-License-Identifier: Apache-2.0
 *
 * unigram.c - each token has a logarithmic probability; a text becomes the tokens whose sum is the largest.
 *
 *     best[i]   the largest sum over tokens that cover the first i bytes, and the token that ends there
 *
 * From each place all tokens that begin there are walked in a trie. A character without a token costs 10 more than the rarest
 * one. Of equal sums the one found first stays, and the sums are rounded as the program does it whose file it is: SentencePiece
 * keeps them in single precision, Hugging Face in double. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

enum { MAX_PIECE = 1024 };
static const double penalty = 10;

static void find_bytes(alm_tokenizer *t) {
    unsigned byte;
    for (size_t i = 0; i < t->n_vocab; i++)
        if (alm_bpe_is_byte_token(t->name[i], &byte) && t->byte_id[byte] == UINT32_MAX) t->byte_id[byte] = (uint32_t)i;
}

alm_status alm_tokenizer_set_unigram(alm_tokenizer *t, const double *score, bool single, alm_error *err) {
    alm_status st = ALM_OK;
    t->score = alm_arena_array(t->arena, double, t->n_vocab);
    if (!t->score) return alm_fail_memory(err);
    t->single = single;
    bool any = false;
    if (t->fallback) find_bytes(t);
    for (size_t i = 0; st == ALM_OK && i < t->n_vocab; i++) {
        if (!(score[i] <= 1e30 && score[i] >= -1e30))
            return alm_fail(err, ALM_MALFORMED, "tokenizer: bad_value: the score of token %zu is no number", i);
        t->score[i] = score[i];
        if (t->type[i] != ALM_TOKEN_NORMAL) continue;
        if (t->name[i].n > MAX_PIECE)
            return alm_fail(err, ALM_UNSUPPORTED, "tokenizer: token %zu has %zu bytes, more than %d", i, t->name[i].n,
                            (int)MAX_PIECE);
        if (!any || score[i] < t->least) t->least = score[i];
        any = true;
        st = alm_trie_add(&t->pieces, t->name[i], (uint32_t)i, err);
    }
    if (st == ALM_OK && t->unknown < 0)
        st = alm_fail(err, ALM_MALFORMED, "tokenizer: bad_value: a unigram vocabulary without an unknown token");
    return st;
}

static void reach(const alm_tokenizer *t, alm_best *target, double sum, uint32_t id, size_t from) {
    if (target->id != UINT32_MAX && !(sum > target->score)) return;
    *target = (alm_best){t->single ? (double)(float)sum : sum, id, (uint32_t)from};
}

static size_t char_at(alm_str s, size_t at, bool *whole) {
    uint32_t c;
    size_t end = at;
    *whole = alm_utf8_next(s, &end, &c);
    return *whole ? end - at : 1;
}

static void forward(const alm_tokenizer *t, alm_best *best, alm_str s) {
    double unknown = t->single ? (double)((float)t->least - (float)penalty) : t->least - penalty;
    best[0] = (alm_best){0, 0, 0};
    for (size_t i = 1; i <= s.n; i++) best[i].id = UINT32_MAX;
    for (size_t at = 0, n; at < s.n; at += n) {
        bool whole, alone = false;
        uint32_t node = 0;
        double here = best[at].score;
        n = char_at(s, at, &whole);
        for (size_t i = at; i < s.n && t->pieces.n_node; i++) {
            node = alm_trie_step(&t->pieces, node, (unsigned char)s.at[i]);
            if (!node) break;
            uint32_t id = t->pieces.value[node];
            if (id == ALM_TRIE_NONE || i + 1 < at + n) continue;
            reach(t, &best[i + 1], here + t->score[id], id, at);
            alone |= i + 1 == at + n;
        }
        if (!alone) reach(t, &best[at + n], here + unknown, (uint32_t)t->unknown, at);
    }
}

static bool has_bytes(const alm_tokenizer *t, alm_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (t->byte_id[(unsigned char)s.at[i]] == UINT32_MAX) return false;
    return t->fallback;
}

static alm_status put_all(const alm_tokenizer *t, alm_best *best, alm_str s, alm_buf *ids, alm_error *err) {
    /* The way lies from the end to the beginning; turned round in place: best[i].from becomes where the token ends. */
    size_t next = s.n;
    for (size_t at = s.n; at;) {
        size_t from = best[at].from;
        uint32_t id = best[at].id;
        best[at].from = (uint32_t)next;
        next = at;
        /* The token that ends at `at` begins at `from`: its id is kept where it begins. */
        best[from].score = (double)id;
        at = from;
    }
    bool before = false; /* an unknown one */
    for (size_t at = 0, end; at < s.n; at = end) {
        uint32_t id = (uint32_t)best[at].score;
        end = at ? best[at].from : next;
        if (id != (uint32_t)t->unknown) {
            alm_buf_add(ids, &id, sizeof id);
            before = false;
            continue;
        }
        alm_str part = alm_str_slice(s, at, end);
        bool bytes = has_bytes(t, part);
        for (size_t i = 0; bytes && i < part.n; i++)
            alm_buf_add(ids, &t->byte_id[(unsigned char)part.at[i]], sizeof(uint32_t));
        if (!bytes && !before) alm_buf_add(ids, &id, sizeof id);
        before = !bytes;
    }
    return alm_buf_status(ids, err);
}

static alm_status text(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str piece, alm_buf *ids, alm_error *err) {
    void *items = s->best;
    if (!piece.n) return ALM_OK;
    if (piece.n + 1 > s->best_cap && !alm_grow(&items, &s->best_cap, piece.n + 1, sizeof *s->best))
        return alm_fail_memory(err);
    s->best = items;
    forward(t, s->best, piece);
    return put_all(t, s->best, piece, ids, err);
}

static uint32_t find(const alm_tokenizer *t, alm_str piece) { return alm_trie_find(&t->pieces, piece); }

const alm_tokenizer_kind_ops alm_tokenizer_unigram = {"unigram", text, text, find};
