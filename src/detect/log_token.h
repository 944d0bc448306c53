/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_token.h - one record becomes a sequence of tokens: constant words and typed slots, with a key for the whole.
 *
 * A token is a stretch of the record; what stands between two tokens is a separator (blanks, brackets, quotes, `=`, `,` ...)
 * and belongs to the token behind it. The key is a sum of one hash per token (position, separator, word), in which every slot
 * counts as "some value": so records that differ in values only share a key, and the key of "the same with a slot at
 * position p" is one subtraction and one addition away.
 *
 * Three kinds of token:
 *   constant   a word that the program's author wrote, as far as its form can tell
 *   slot       a value by its form: number, address, path, time ...; shown as a slot even if it never changes
 *   soft slot  a value by its place or by a lone digit (after `=`, in quotes, `eth0`): it is grouped as a slot, but shown as
 *              the word it is for as long as the template has seen only this one */
#ifndef ALM_DETECT_LOG_TOKEN_H
#define ALM_DETECT_LOG_TOKEN_H

#include "base/str.h"

/* Names are what stands between < and > in a template's text. */
#define ALM_SLOT_TYPES(X) \
    X(CONST, "const")     \
    X(ANY, "*")           \
    X(NUM, "num")         \
    X(HEX, "hex")         \
    X(IP, "ip")           \
    X(UUID, "uuid")       \
    X(MAC, "mac")         \
    X(PATH, "path")       \
    X(URL, "url")         \
    X(TIME, "time")       \
    X(EMAIL, "email")     \
    X(HOST, "host")       \
    X(ID, "id")           \
    X(WORD, "word")       \
    X(STR, "str")         \
    X(BOOL, "bool")       \
    X(LIST, "list")

typedef enum alm_slot_type {
#define ALM_SLOT_ENUM(name, text) ALM_SLOT_##name,
    ALM_SLOT_TYPES(ALM_SLOT_ENUM)
#undef ALM_SLOT_ENUM
        ALM_SLOT_BUILTIN_COUNT,
    ALM_SLOT_MASK = 32, /* 32 + i is the i-th user mask */
    ALM_SLOT_MASK_MAX = 64
} alm_slot_type;

enum {
    ALM_LOG_MAX_TOKENS = 200,   /* what follows becomes one last slot */
    ALM_LOG_MAX_BYTES = 1 << 16 /* likewise: bytes beyond this are not looked at */
};

enum {
    ALM_TOKEN_SOFT = 1,  /* soft slot; `type` is what it looks like */
    ALM_TOKEN_VALUE = 2, /* stands where a value stands (after `=`) */
    ALM_TOKEN_QUOTED = 4 /* alone between quotes, or the one argument of a call */
};

typedef struct alm_token {
    uint64_t hash;     /* of its bytes; 0 for slots that are not soft */
    uint64_t sep_hash; /* of the separator before it and of its position */
    uint32_t at, n;    /* where in the record */
    uint32_t sep_at;   /* the separator is [sep_at, at) */
    uint8_t type;      /* alm_slot_type; ALM_SLOT_CONST for constants */
    uint8_t flags;
} alm_token;

/* A stretch that a user mask has claimed: it becomes a slot as a whole. Sorted, not overlapping. */
typedef struct alm_mask_hit {
    uint32_t at, n;
    uint8_t type;
} alm_mask_hit;

/* Scratch: one bit for each byte and class (log_lexer.h). */
enum {
    ALM_MARK_SEP,
    ALM_MARK_DIG,
    ALM_MARK_HEX,
    ALM_MARK_LET,
    ALM_MARK_DOT,
    ALM_MARK_COL,
    ALM_MARK_SLA,
    ALM_MARK_OTH,
    ALM_MARK_ODD, /* digit, dot, colon, slash or other: not of a plain word */
    ALM_MARK_COUNT
};
typedef struct alm_log_marks {
    uint64_t of[ALM_MARK_COUNT];
} alm_log_marks;
/* The marks of 64 bytes: the portable version, and for tests the i-th version that this machine can run, NULL behind the last. */
typedef void alm_log_mark_fn(alm_log_marks *out, const unsigned char *s);
alm_log_mark_fn alm_log_mark_plain;
alm_log_mark_fn *alm_log_mark_version(unsigned i);

/* Places whose very byte decided, where otherwise only the class of a byte does (log_shape.c). More than ALM_LOOKED_MAX: the rest
 * is not noted. */
enum { ALM_LOOKED_MAX = 12 };
typedef struct alm_looked {
    uint32_t n;
    uint32_t at[ALM_LOOKED_MAX];
} alm_looked;
static inline void alm_looked_at(alm_looked *look, size_t at) {
    if (look->n < ALM_LOOKED_MAX) look->at[look->n] = (uint32_t)at;
    look->n += look->n <= ALM_LOOKED_MAX;
}

/* About 85 KiB: not for the stack. */
typedef struct alm_tokens {
    alm_token at[ALM_LOG_MAX_TOKENS];
    uint32_t n;
    uint32_t tail_at, tail_end; /* the separator behind the last token, without blanks at the end */
    uint64_t key;               /* never 0 */
    uint64_t types;             /* hash of the types in order */
    alm_looked look;
    alm_log_marks mark[ALM_LOG_MAX_BYTES / 64 + 2];
} alm_tokens;

/* Splits a record; cannot fail. `hit` may be NULL when n_hit is 0. Depends on its arguments only. A record that is one
 * JSON object is taken by its structure (keys constant, values slots, arrays one slot) unless lines_only. */
void alm_log_tokenise(alm_tokens *out, alm_str line, const alm_mask_hit *hit, size_t n_hit, bool lines_only);

/* A token's share of the key: as it is, and as a slot. */
uint64_t alm_log_share(const alm_token *t);
uint64_t alm_log_share_of(uint64_t sep_hash, uint64_t word_hash);
uint64_t alm_log_slot_share(uint64_t sep_hash);
/* What the separator before the first, or behind the last token and the number of tokens add. */
uint64_t alm_log_tail_share(const char *sep, size_t n, uint32_t n_token);
uint64_t alm_log_sep_hash(const char *sep, size_t n, uint32_t position);
uint64_t alm_log_word_hash(const char *at, size_t n);
/* The narrowest type that covers both. */
uint8_t alm_slot_join(uint8_t a, uint8_t b);
/* "num"; NULL for values that are no built-in type. */
const char *alm_slot_name(unsigned type);

#endif
