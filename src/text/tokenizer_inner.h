/* SPDX-License-Identifier: Apache-2.0
 *
 * text/tokenizer_inner.h - what the files of the tokenizer share: its parts, and how a reader puts one together.
 *
 *     text -> added tokens found, the rest in fragments -> normalised -> cut into words -> the kind's model -> ids
 *             added.c                                      normalize.c   pretokenize.c     bpe*.c unigram.c wordpiece.c */
#ifndef ALM_TEXT_TOKENIZER_INNER_H
#define ALM_TEXT_TOKENIZER_INNER_H

#include "base/arena.h"
#include "record/regex.h"
#include "text/bpe_inner.h"
#include "text/tokenizer.h"
#include "text/trie.h"
#include "text/unicode.h"

enum {
    ALM_TOKENIZER_MAX_STEPS = 16,
    ALM_TOKENIZER_MAX_FRAME = 8,
    ALM_TOKENIZER_MAX_VOCAB = ALM_BPE_MAX_VOCAB,
    ALM_TOKENIZER_MAX_BYTES = 1 << 28 /* of a file with a vocabulary */
};

/* -- added tokens ------------------------------------------------------------------------------------------------------ */

typedef struct alm_added {
    alm_str text;
    uint32_t id;
    bool control;        /* only where it is asked for */
    bool lstrip, rstrip; /* takes the blanks beside it */
    bool single_word;    /* only where no letter, digit or _ stands beside it */
} alm_added;

typedef struct alm_added_set {
    alm_trie trie; /* by text; value: index in at */
    alm_added *at;
    size_t n, cap;
    bool has_user;
} alm_added_set;
alm_status alm_added_add(alm_added_set *set, alm_added token, alm_error *err); /* token.text must live as long */
void alm_added_free(alm_added_set *set);
/* The next token at *pos or behind it; NULL: none. What lies before *from is a fragment; the next search begins at *to. */
const alm_added *alm_added_next(const alm_added_set *set, alm_str text, bool control, size_t pos, size_t *from,
                                size_t *to);

/* -- normalising ------------------------------------------------------------------------------------------------------- */

typedef enum alm_norm_kind {
    ALM_NORM_FORM, /* form */
    ALM_NORM_LOWER,
    ALM_NORM_ACCENTS, /* marks (Mn) are dropped */
    ALM_NORM_STRIP,   /* left, right */
    ALM_NORM_REPLACE, /* a or regex by b */
    ALM_NORM_PREPEND, /* a, unless the fragment is empty */
    ALM_NORM_BERT,    /* clean, chinese, accents, lower */
    ALM_NORM_CHARSMAP,
    ALM_NORM_SPM /* dummy, squeeze, escape, after the charsmap, if there is one */
} alm_norm_kind;

typedef struct alm_charsmap {
    const unsigned char *unit; /* [n_unit * 4] a double array, little-endian */
    size_t n_unit;
    alm_str text; /* replacements, each ends with NUL */
} alm_charsmap;
/* `bytes` as in tokenizer.model; they must live as long. */
alm_status alm_charsmap_read(alm_charsmap *out, alm_str bytes, alm_error *err);
/* What the longest match at the beginning of s (not empty) becomes, its length in *n; false: nothing matches. */
bool alm_charsmap_match(const alm_charsmap *m, alm_str s, alm_str *to, size_t *n);

typedef struct alm_norm {
    alm_norm_kind kind;
    alm_form form;
    bool left, right;
    bool clean, chinese, accents, lower;
    bool dummy, squeeze, escape, suffix;
    alm_str a, b;
    size_t regex; /* index + 1; 0: none */
    alm_charsmap map;
} alm_norm;

/* -- cutting into words ------------------------------------------------------------------------------------------------- */

typedef enum alm_pre_kind {
    ALM_PRE_RULE,   /* rule of pretoken.h */
    ALM_PRE_REGEX,  /* regex */
    ALM_PRE_STRING, /* a */
    ALM_PRE_DIGITS, /* runs of numbers; each one where `single` */
    ALM_PRE_PUNCT,
    ALM_PRE_BLANKS,
    ALM_PRE_BERT,      /* blanks dropped, each punctuation mark for itself */
    ALM_PRE_METASPACE, /* blanks become a, which is put before; `first`, `always`; cut where `cut` */
    ALM_PRE_SPACE      /* a blank is put before a word that begins with none */
} alm_pre_kind;
typedef enum alm_pre_way {
    ALM_WAY_REMOVED,
    ALM_WAY_ISOLATED,
    ALM_WAY_WITH_PREVIOUS,
    ALM_WAY_WITH_NEXT,
    ALM_WAY_CONTIGUOUS
} alm_pre_way;

typedef struct alm_pre {
    alm_pre_kind kind;
    alm_pre_way way;
    alm_pretoken rule;
    bool inverted, single, first, always, cut;
    alm_str a;
    size_t regex; /* index + 1 */
} alm_pre;

/* -- ids to text ---------------------------------------------------------------------------------------------------------- */

typedef struct alm_decoder {
    bool blanks;     /* U+2581 is a blank */
    bool bytes;      /* <0x0A> is a byte */
    bool strip;      /* one blank at the beginning is not the text's */
    bool strip_all;  /* nor are the others there */
    bool spaces;     /* WordPiece: tokens are parted by blanks, unless they begin with the prefix */
    bool cleanup;    /* WordPiece: no blank before marks and n't 's ... */
    alm_str prefix;  /* "##"; may be empty */
    alm_str unknown; /* what the unknown token is written as; empty: by its name */
    alm_str suffix;  /* "</w>" at the end of a token is a blank; empty: none */
} alm_decoder;

/* -- the whole ------------------------------------------------------------------------------------------------------------ */

typedef struct alm_tokenizer_kind_ops {
    const char *name;
    /* A fragment that is not cut into words, and one word. Appends ids. */
    alm_status (*text)(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_buf *ids, alm_error *err);
    alm_status (*word)(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str word, alm_buf *ids, alm_error *err);
    uint32_t (*find)(const alm_tokenizer *t, alm_str piece); /* UINT32_MAX: none */
} alm_tokenizer_kind_ops;
#define ALM_TOKENIZER(kind, about) extern const alm_tokenizer_kind_ops alm_tokenizer_##kind;
#include "text/tokenizers.def"
#undef ALM_TOKENIZER

struct alm_tokenizer {
    alm_arena *arena;
    const alm_tokenizer_kind_ops *kind;
    size_t n_vocab;
    alm_str *name;       /* [n_vocab] */
    unsigned char *type; /* [n_vocab] */
    int32_t bos, eos, unknown;
    uint32_t before[ALM_TOKENIZER_MAX_FRAME], behind[ALM_TOKENIZER_MAX_FRAME];
    size_t n_before, n_behind;

    alm_added_set added;      /* found in the text as it is */
    alm_added_set normalized; /* found in the normalised text */
    bool hides_control;       /* control tokens are found only by ALM_SPECIALS_ALL */
    alm_norm norm[ALM_TOKENIZER_MAX_STEPS];
    alm_pre pre[ALM_TOKENIZER_MAX_STEPS];
    alm_regex *regex[ALM_TOKENIZER_MAX_STEPS];
    size_t n_norm, n_pre, n_regex;
    alm_decoder decoder;

    /* Of the kind. */
    alm_bpe *bpe;    /* bytes, chars */
    alm_trie pieces; /* unigram, wordpiece: value is the id */
    double *score;   /* [n_vocab] unigram */
    bool single;     /* unigram: sums are rounded to single precision, as SentencePiece has them */
    double least;    /* unigram: the lowest score */
    bool fallback;   /* unigram: bytes for what is unknown */
    uint32_t byte_id[256];
    alm_str continuing; /* wordpiece: "##" */
    size_t max_word;    /* wordpiece: characters of a word; a longer one is unknown */
};

typedef struct alm_best {
    double score;
    uint32_t id, from;
} alm_best;

struct alm_tokenizer_scratch {
    alm_bpe_scratch *bpe;
    alm_regex_match *match[ALM_TOKENIZER_MAX_STEPS];
    alm_buf norm[2], pre[2], id;
    alm_best *best;
    size_t best_cap;
};

/* An empty tokenizer of n_vocab tokens; `name` and `type` are zero. */
alm_status alm_tokenizer_new(alm_tokenizer **out, const alm_tokenizer_kind_ops *kind, size_t n_vocab, alm_error *err);
/* Names and types from a vocabulary for BPE, which the tokenizer owns from now on. */
void alm_tokenizer_take_bpe(alm_tokenizer *t, alm_bpe *b);
/* A step at the end; ALM_UNSUPPORTED when there are too many. */
alm_status alm_tokenizer_add_norm(alm_tokenizer *t, alm_norm step, alm_error *err);
alm_status alm_tokenizer_add_pre(alm_tokenizer *t, alm_pre step, alm_error *err);
/* Compiles a regex: *index is its number + 1. ALM_UNSUPPORTED with what is wrong with it. */
alm_status alm_tokenizer_add_regex(alm_tokenizer *t, alm_str regex, size_t *index, alm_error *err);
/* Makes a token that the type says is found in texts (control, user) known to `added`. */
alm_status alm_tokenizer_add_types(alm_tokenizer *t, alm_error *err);
/* Checks of every reader, the last thing that one does: ids lie inside, byte tokens are bytes. */
alm_status alm_tokenizer_finish(alm_tokenizer *t, alm_error *err);
/* Names, types and the unknown id are set; these make the model of the kind from them. `fallback`: bytes of what is unknown. */
alm_status alm_tokenizer_set_spm_bpe(alm_tokenizer *t, const double *score, bool fallback, const char *what,
                                     alm_error *err);
alm_status alm_tokenizer_set_unigram(alm_tokenizer *t, const double *score, bool single, alm_error *err);
alm_status alm_tokenizer_set_wordpiece(alm_tokenizer *t, alm_str continuing, size_t max_word, alm_error *err);

/* Whether bytes are a whole protobuf message with pieces. */
bool alm_sentencepiece_looks_like(alm_str bytes);

/* normalize.c: all steps over a fragment; *out lies in the scratch or is the fragment. */
alm_status alm_tokenizer_normalize(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_str *out,
                                   alm_error *err);
/* pretokenize.c: the words of a normalised fragment become ids. `first`: the fragment begins the text. */
alm_status alm_tokenizer_words(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, bool first, alm_buf *ids,
                               alm_error *err);

#endif
