/* SPDX-License-Identifier: Apache-2.0
 *
 * text/bpe_inner.h - what the files of the tokenizer share: the vocabulary as it lies in memory, and how one is built.
 *
 * A vocabulary does not change once it is built; any number of threads may read it. */
#ifndef ALM_TEXT_BPE_INNER_H
#define ALM_TEXT_BPE_INNER_H

#include "base/arena.h"
#include "text/bpe.h"
#include "text/pretoken.h"

/* Types of tokens, by their numbers in GGUF. */
enum {
    ALM_BPE_NORMAL = 1,
    ALM_BPE_UNKNOWN = 2,
    ALM_BPE_CONTROL = 3, /* in a text only where the caller allows it */
    ALM_BPE_USER = 4,    /* recognised in every text, before anything else */
    ALM_BPE_UNUSED = 5,  /* has an id and no use */
    ALM_BPE_BYTE = 6     /* other kinds of vocabularies have these; here as unused */
};

enum {
    ALM_BPE_N_SPECIAL = 2, /* of a vocabulary learned here: begin and end of text */
    ALM_BPE_MAX_VOCAB = 1 << 22,
    ALM_BPE_MAX_SPECIAL = 8192, /* tokens that are looked for in a text */
    ALM_BPE_NO_ID = -1
};

/* One merge: left and right beside each other become id; the lower the rank, the earlier. */
typedef struct alm_bpe_merge {
    uint32_t left, right, id;
} alm_bpe_merge;

typedef struct alm_bpe_pair {
    uint64_t key; /* left << 32 | right */
    uint32_t rank, id;
} alm_bpe_pair;

struct alm_bpe {
    alm_arena *arena; /* everything below */
    size_t n_vocab, n_merge;
    alm_str *piece;       /* [n_vocab] bytes; empty unless normal or user's */
    alm_str *text;        /* [n_vocab] of all that are not normal: as written in the file; else empty */
    unsigned char *type;  /* [n_vocab] */
    alm_bpe_merge *merge; /* [n_merge] by rank */
    alm_bpe_pair *pair;   /* [pair_mask + 1] open addressing; key UINT64_MAX is an empty place */
    uint32_t *word;       /* [word_mask + 1] ids + 1 of normal tokens by the hash of their bytes; 0 is an empty place */
    size_t pair_mask, word_mask;
    uint32_t byte_id[256];
    uint32_t *special;        /* [n_special] ids of control and user's tokens, by first byte, longest first */
    uint32_t special_at[257]; /* those that begin with byte c: special_at[c]..special_at[c + 1] */
    uint32_t n_special;
    alm_pretoken rule;
    const char *pre;  /* its name in GGUF */
    bool whole_words; /* a word that is a token is that token, whatever the merges say (llama-bpe) */
    bool add_bos, add_eos;
    bool has_user; /* some token is recognised in every text */
    int32_t bos, eos;
    uint64_t digest; /* of all that decides ids: a scratch knows by it whose words it holds */
};

static inline uint64_t alm_bpe_key(uint32_t left, uint32_t right) { return (uint64_t)left << 32 | right; }
static inline size_t alm_bpe_slot(uint64_t key) {
    key *= UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key ^ key >> 32);
}
/* NULL when the two do not merge. */
static inline const alm_bpe_pair *alm_bpe_find_pair(const alm_bpe *b, uint32_t left, uint32_t right) {
    uint64_t key = alm_bpe_key(left, right);
    for (size_t at = alm_bpe_slot(key) & b->pair_mask;; at = (at + 1) & b->pair_mask) {
        if (b->pair[at].key == key) return &b->pair[at];
        if (b->pair[at].key == UINT64_MAX) return NULL;
    }
}
/* The normal token with these bytes, or UINT32_MAX. */
uint32_t alm_bpe_find_word(const alm_bpe *b, alm_str bytes);

/* A rule by its name in GGUF: fills rule, pre, whole_words; ALM_UNSUPPORTED names it and those that are supported. */
alm_status alm_bpe_set_pre(alm_bpe *b, alm_str name, alm_error *err);

/* Space for n_vocab tokens and n_merge merges, all zero. */
alm_status alm_bpe_new(alm_bpe **out, size_t n_vocab, size_t n_merge, alm_error *err);
/* Tokens as files have them: `raw` in the alphabet where every byte is a printable character. Fills piece and text from
 * types (b->type, already set) and raw. Merges as two strings each: fills merge. `what` begins messages. */
alm_status alm_bpe_set_tokens(alm_bpe *b, const alm_str *raw, const char *what, alm_error *err);
alm_status alm_bpe_set_merges(alm_bpe *b, const alm_str *raw, const alm_str (*merge)[2], const char *what,
                              alm_error *err);
/* The tables, from piece, text, type and merge. ALM_MALFORMED when a byte has no token or a merge stands twice. */
alm_status alm_bpe_finish(alm_bpe *b, const char *what, alm_error *err);

/* Bytes in the alphabet of files and back. */
bool alm_bpe_write_piece(alm_buf *out, alm_str bytes);

#endif
