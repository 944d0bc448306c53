/* SPDX-License-Identifier: Apache-2.0
 *
 * base/json.h - strict JSON (RFC 8259): read in place, write, canonical form (RFC 8785).
 *
 * A document is a flat array of nodes in document order (a tape): the children of a container follow it, `next` leaps over
 * a whole value. Strings without escapes point into the input; strings with escapes are decoded in place, which is why the
 * input is char * and must outlive the document. Refused: comments, trailing commas, bare NaN, lone surrogates, ill-formed
 * UTF-8, control characters in strings, a byte order mark, anything behind the value, depth and size beyond the limits. */
#ifndef ALM_BASE_JSON_H
#define ALM_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

typedef enum alm_json_type {
    ALM_JSON_NULL,
    ALM_JSON_FALSE,
    ALM_JSON_TRUE,
    ALM_JSON_NUMBER,
    ALM_JSON_STRING,
    ALM_JSON_ARRAY,
    ALM_JSON_OBJECT
} alm_json_type;

/* 24 bytes: the tape of a log line stays in the nearest cache. */
typedef struct alm_json {
    alm_str text;           /* number: its digits as written; string: decoded bytes; else empty */
    uint32_t n;             /* array: elements, object: members (key node then value node) */
    alm_json_type type : 3; /* clang and gcc read it back unsigned */
    unsigned key : 1;       /* 1 when this string is a member's key */
    unsigned next : 28;     /* nodes from this one to the one behind its whole value */
} alm_json;

#define ALM_JSON_MAX_NODES ((size_t)(1u << 28) - 1)
#define ALM_JSON_MAX_DEPTH 1024

typedef struct alm_json_doc {
    alm_json *node; /* node[0] is the value */
    size_t n_node, cap;
    const alm_json **key; /* scratch for refuse_duplicates */
    size_t key_cap;
} alm_json_doc; /* zero-initialise; reusable: parsing again reuses the memory */

typedef struct alm_json_limits {
    uint32_t max_depth;     /* 0: 128; never more than ALM_JSON_MAX_DEPTH */
    size_t max_bytes;       /* 0: 1 GiB */
    size_t max_nodes;       /* 0: 64 Mi; never more than ALM_JSON_MAX_NODES */
    bool refuse_duplicates; /* the same key twice in one object is ALM_MALFORMED */
    bool prefix;            /* stop right behind the first value; alm_json_parse then reports where in *used */
} alm_json_limits;

/* `text` is changed (escapes decoded in place), also when it is refused. The error names byte offset, line and column (in
 * bytes, from 1). limits NULL: defaults. used may be NULL. Returns OK, MALFORMED, LIMIT (depth, bytes, nodes), NO_MEMORY;
 * after a failure the document is empty and may be used again. Memory: 24 bytes a node, linear time in every case. */
alm_status alm_json_parse(alm_json_doc *doc, char *text, size_t n, const alm_json_limits *limits, size_t *used,
                          alm_error *err);
void alm_json_doc_free(alm_json_doc *doc);

/* Value of a member (the last one of that name), or NULL; also NULL when v is NULL or no object. */
const alm_json *alm_json_get(const alm_json *v, const char *key);
/* Walks children: first = alm_json_first(v), then alm_json_next(v, c) until NULL. For objects c is the key node, c + 1 its value. */
const alm_json *alm_json_first(const alm_json *v);
const alm_json *alm_json_next(const alm_json *parent, const alm_json *child);
/* The node is a number and fits; else false and *out is unchanged. A number too large for a double does not fit. */
bool alm_json_f64(const alm_json *v, double *out);
bool alm_json_i64(const alm_json *v, int64_t *out); /* integers only: no point, no exponent */

/* Writer: commas and quotes are placed by it; nesting is checked by assert. Strings that are not UTF-8 get U+FFFD for each ill-formed part. */
typedef struct alm_json_writer {
    alm_buf *out;
    uint64_t in_object; /* one bit a level, up to 64 */
    uint32_t depth;
    bool need_comma, after_key;
} alm_json_writer;
static inline alm_json_writer alm_json_writer_on(alm_buf *out) { return (alm_json_writer){.out = out}; }
void alm_json_begin_object(alm_json_writer *w);
void alm_json_end_object(alm_json_writer *w);
void alm_json_begin_array(alm_json_writer *w);
void alm_json_end_array(alm_json_writer *w);
void alm_json_key(alm_json_writer *w, const char *key);
void alm_json_key_str(alm_json_writer *w, alm_str key);
void alm_json_string(alm_json_writer *w, alm_str s);
void alm_json_text(alm_json_writer *w, const char *terminated);
void alm_json_u64(alm_json_writer *w, uint64_t x);
void alm_json_int(alm_json_writer *w, int64_t x);
void alm_json_number(alm_json_writer *w, double x); /* shortest form that reads back; NaN, inf: null */
void alm_json_bool(alm_json_writer *w, bool x);
void alm_json_null(alm_json_writer *w);
/* The quoted, escaped string alone. */
bool alm_json_quote(alm_buf *out, alm_str s);

/* Order of RFC 8785 for two valid UTF-8 strings: by UTF-16 code units; <0, 0, >0. */
int alm_json_key_cmp(alm_str a, alm_str b);
/* Sorts key nodes by alm_json_key_cmp, in place, n log n in the worst case. */
void alm_json_sort_keys(const alm_json **key, size_t n);

/* RFC 8785: members sorted by UTF-16 code units, shortest numbers, no blanks. Duplicate keys and numbers beyond a double are ALM_MALFORMED. */
alm_status alm_json_canonical(alm_buf *out, const alm_json *v, alm_error *err);
/* As it stands in the document, compact. */
alm_status alm_json_write(alm_buf *out, const alm_json *v, alm_error *err);

#endif
