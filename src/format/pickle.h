/* SPDX-License-Identifier: Apache-2.0
 *
 * format/pickle.h - reads Python's pickles without ever running what they ask for. Specified in docs/format/pickle.md.
 *
 * A pickle is a program for a small stack machine. This reader is such a machine whose only results are values: a name that
 * is not in pickle_globals.def is refused ("unsafe_code: os.system ..."), and a call of one that is becomes a dictionary,
 * bytes, or a note of what was to be called with what. Protocols 0 to 5.
 *
 * Shared values stay shared: the result is a graph without cycles. Its height and the number of values that a walk over it
 * meets are bounded (ALM_PICKLE_MAX_HEIGHT, ALM_PICKLE_MAX_WEIGHT), so a reader may walk it by plain recursion. A refusal
 * names its class: "NAME: bad_pickle: ..." (ALM_MALFORMED; ALM_REFUSED for unsafe_code, ALM_LIMIT for too_large). */
#ifndef ALM_FORMAT_PICKLE_H
#define ALM_FORMAT_PICKLE_H

#include "base/error.h"
#include "base/str.h"
#include "format/safetensors.h"

enum {
    ALM_PICKLE_MAX_HEIGHT = 128,
    ALM_PICKLE_MAX_WEIGHT = 1 << 24,
    ALM_PICKLE_ITEM_NONE = ALM_SAFETENSORS_TYPE_COUNT,
    ALM_PICKLE_ITEM_RAW
};

typedef enum alm_pickle_id {
#define ALM_PICKLE_GLOBAL(id, module, name, role, item) ALM_PICKLE_ID_##id,
#include "format/pickle_globals.def"
#undef ALM_PICKLE_GLOBAL
    ALM_PICKLE_ID_COUNT
} alm_pickle_id;

typedef struct alm_pickle_global {
    alm_pickle_id id;
    int role; /* for pickle.c */
    int item; /* alm_safetensors_type, ALM_PICKLE_ITEM_NONE or _RAW */
    const char *module, *name;
} alm_pickle_global;

typedef enum alm_pickle_kind {
    ALM_PICKLE_NONE,
    ALM_PICKLE_BOOL,   /* i */
    ALM_PICKLE_INT,    /* i */
    ALM_PICKLE_LONG,   /* s: an integer that does not fit, little-endian two's complement */
    ALM_PICKLE_FLOAT,  /* f */
    ALM_PICKLE_STRING, /* s: UTF-8 (protocol 0 and Python 2: bytes) */
    ALM_PICKLE_BYTES,  /* s */
    ALM_PICKLE_TUPLE,  /* item[n] */
    ALM_PICKLE_LIST,
    ALM_PICKLE_SET,
    ALM_PICKLE_DICT,      /* item[n]: key, value, key, value */
    ALM_PICKLE_GLOBAL,    /* global */
    ALM_PICKLE_CALL,      /* global, item[n]: its arguments */
    ALM_PICKLE_PERSISTENT /* item[0]: the id */
} alm_pickle_kind;

typedef struct alm_pickle_value {
    uint8_t kind, state;
    uint16_t height;
    uint32_t weight; /* values that a walk meets, itself included */
    union {
        int64_t i;
        double f;
        alm_str s;
        struct {
            struct alm_pickle_value **item;
            uint32_t n, cap;
        };
    };
    const alm_pickle_global *global;
} alm_pickle_value;

typedef struct alm_pickle alm_pickle;
/* Bytes that outlive it; `name` stands in messages. *used: bytes up to the pickle's end; with used NULL anything behind it is
 * refused. */
alm_status alm_pickle_parse(alm_pickle **out, const char *name, alm_str in, size_t *used, alm_error *err);
void alm_pickle_free(alm_pickle *p); /* NULL is fine */

const alm_pickle_value *alm_pickle_root(const alm_pickle *p);
/* Every persistent id that the pickle mentions, reachable from the root or not, in order. */
size_t alm_pickle_persistent_count(const alm_pickle *p);
const alm_pickle_value *alm_pickle_persistent_at(const alm_pickle *p, size_t i);
/* The value under a key of a dictionary (the last one), or NULL. */
const alm_pickle_value *alm_pickle_get(const alm_pickle_value *dict, const char *key);

#endif
