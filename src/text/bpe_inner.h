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
    uint32_t byte_id[256];    /* chars: of byte tokens, UINT32_MAX where there is none */
    uint32_t *special;        /* [n_special] ids of control and user's tokens, by first byte, longest first */
    uint32_t special_at[257]; /* those that begin with byte c: special_at[c]..special_at[c + 1] */
    uint32_t n_special;
    alm_pretoken rule;
    const char *pre;  /* its name in GGUF */
    bool whole_words; /* a word that is a token is that token, whatever the merges say (llama-bpe) */
    bool add_bos, add_eos;
    bool has_user; /* some token is recognised in every text */
    /* Other kinds than the one that is learned here, see bpe_symbols.c. */
    bool chars;        /* words begin as characters, not as bytes; pieces are as in the file, with U+2581 for a blank */
    bool fuse_unknown; /* unknown characters beside each other are one id */
    bool joins
        [256]; /* chars: some token holds U+2581 behind a character that ends with this byte; elsewhere a text may be cut
                      * before a run of U+2581 */
    uint32_t unknown; /* for characters that are no token and whose bytes are none; UINT32_MAX: they vanish */
    uint32_t
        *rank; /* [n_vocab] or NULL: two that together are a token merge into it, the lowest rank first; no merges */
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

/* A rule by its name in GGUF: fills rule, pre, whole_words; ALM_UNSUPPORTED names it when it is not one of pretoken.h's. */
alm_status alm_bpe_set_pre(alm_bpe *b, alm_str name, alm_error *err);
/* alm_bpe_from_gguf that takes names for regexes too: *as is what tokenizer.ggml.pre stands for. */
alm_status alm_bpe_read_gguf(alm_bpe **out, const alm_gguf *g, const char *prefix, const alm_pretoken_name **as,
                             alm_error *err);

/* Space for n_vocab tokens and n_merge merges, all zero. */
alm_status alm_bpe_new(alm_bpe **out, size_t n_vocab, size_t n_merge, alm_error *err);
/* Tokens as files have them: `raw` in the alphabet where every byte is a printable character. Fills piece and text from
 * types (b->type, already set) and raw. Merges as two strings each: fills merge. `what` begins messages. */
alm_status alm_bpe_set_tokens(alm_bpe *b, const alm_str *raw, const char *what, alm_error *err);
alm_status alm_bpe_set_merges(alm_bpe *b, const alm_str *raw, const alm_str (*merge)[2], const char *what,
                              alm_error *err);
/* "<0x0A>" */
bool alm_bpe_is_byte_token(alm_str s, unsigned *byte);
/* chars: fills byte_id from the tokens that are called <0x00> to <0xFF>. */
void alm_bpe_find_byte_tokens(alm_bpe *b, const alm_str *raw);
/* The tables, from piece, text, type and merge. ALM_MALFORMED when a byte has no token or a merge stands twice. */
alm_status alm_bpe_finish(alm_bpe *b, const char *what, alm_error *err);

/* Bytes in the alphabet of files. */
bool alm_bpe_write_piece(alm_buf *out, alm_str bytes);
/* A table of 2 n places and more, less one. */
size_t alm_bpe_mask_for(size_t n);

/* -- applying --------------------------------------------------------------------------------------------------------- */

enum { ALM_BPE_SHORT_WORD = 64 }; /* bytes of a word that is merged in an array and remembered */

/* One symbol of a word, and a merge that waits for its turn. */
typedef struct alm_bpe_link {
    uint32_t id, prev, next; /* id ALM_BPE_GONE: merged into the one before */
} alm_bpe_link;
typedef struct alm_bpe_turn {
    uint64_t order; /* rank << 32 | place */
    uint32_t left, right;
} alm_bpe_turn;
#define ALM_BPE_GONE UINT32_MAX

typedef struct alm_bpe_heap {
    alm_bpe_turn *at;
    size_t n, cap;
} alm_bpe_heap;
bool alm_bpe_heap_push(alm_bpe_heap *h, alm_bpe_turn t);
alm_bpe_turn alm_bpe_heap_pop(alm_bpe_heap *h);

/* What is not bytes merged by a table of pairs. Short: out has ALM_BPE_SHORT_WORD ids, returns how many. Long: appends to ids. */
typedef struct alm_bpe_symbol {
    uint32_t id, at, n; /* its bytes in the word; n 0: merged into the one before */
    uint32_t prev, next;
} alm_bpe_symbol;
typedef struct alm_bpe_symbols {
    alm_bpe_symbol *at;
    size_t cap;
} alm_bpe_symbols;
size_t alm_bpe_symbols_short(const alm_bpe *b, alm_str word, uint32_t *out);
alm_status alm_bpe_symbols_long(const alm_bpe *b, alm_bpe_symbols *s, alm_bpe_heap *heap, alm_str word, alm_buf *ids,
                                alm_error *err);
/* Bytes of the first part of a text that can be merged for itself (chars). */
size_t alm_bpe_cut(const alm_bpe *b, alm_str text);

/* The ids of a text, cut by the vocabulary's own rule, or of one word; no token is recognised by its name. */
alm_status alm_bpe_encode_text(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_error *err);
alm_status alm_bpe_encode_word(const alm_bpe *b, alm_bpe_scratch *s, alm_str word, alm_buf *ids, alm_error *err);

#endif
