/* SPDX-License-Identifier: Apache-2.0
 *
 * spm_bpe.c - pieces with scores become a vocabulary for BPE over characters (bpe_symbols.c). */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

/* The higher the score, the lower the rank; equal scores have equal ranks. */
static uint32_t rank_of(float score) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    uint32_t rising = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return UINT32_MAX - 1 - (rising > 1 ? rising - 1 : 0);
}

alm_status alm_tokenizer_set_spm_bpe(alm_tokenizer *t, const double *score, bool fallback, const char *what,
                                     alm_error *err) {
    alm_bpe *b = NULL;
    alm_status st = alm_bpe_new(&b, t->n_vocab, 0, err);
    if (st == ALM_OK && !(b->rank = alm_arena_array(b->arena, uint32_t, t->n_vocab))) st = alm_fail_memory(err);
    if (st == ALM_OK) {
        b->chars = true;
        b->fuse_unknown = true;
        b->unknown = t->unknown >= 0 ? (uint32_t)t->unknown : UINT32_MAX;
        memcpy(b->type, t->type, t->n_vocab);
        st = alm_bpe_set_tokens(b, t->name, what, err);
    }
    for (size_t i = 0; st == ALM_OK && i < t->n_vocab; i++) {
        if (!(score[i] <= 3e38 && score[i] >= -3e38))
            st = alm_fail(err, ALM_MALFORMED, "%s: bad_value: the score of token %zu is no number", what, i);
        else b->rank[i] = rank_of(score[i] == 0 ? 0.0F : (float)score[i]); /* -0 is 0 */
    }
    if (st == ALM_OK && fallback) alm_bpe_find_byte_tokens(b, t->name);
    else if (st == ALM_OK) memset(b->byte_id, 0xFF, sizeof b->byte_id);
    if (st == ALM_OK) st = alm_bpe_finish(b, what, err);
    if (st == ALM_OK) {
        t->bpe = b;
        memcpy(t->byte_id, b->byte_id, sizeof t->byte_id);
        b = NULL;
    }
    alm_bpe_free(b);
    return st;
}
