/* SPDX-License-Identifier: Apache-2.0
 *
 * format/gguf.h - the GGUF container: metadata (typed keys) and tensors (named bytes). Specified in docs/format/gguf.md.
 *
 * Reading: versions 2 and 3, little-endian. A file that opens is wholly checked: every count and length lies inside the
 * file before anything is allocated for it, keys and tensor names occur once, tensors lie in order without overlap or
 * hole inside the file. A refusal names its class: "FILE: bad_count: …" (ALM_MALFORMED, or ALM_UNSUPPORTED for another
 * version or byte order). All pointers that a reader gives lie in the file's bytes and live until alm_gguf_close.
 *
 * Writing: version 3. Keys and tensors are written in the order in which they were added. */
#ifndef ALM_FORMAT_GGUF_H
#define ALM_FORMAT_GGUF_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef enum alm_gguf_type {
    ALM_GGUF_U8,
    ALM_GGUF_I8,
    ALM_GGUF_U16,
    ALM_GGUF_I16,
    ALM_GGUF_U32,
    ALM_GGUF_I32,
    ALM_GGUF_F32,
    ALM_GGUF_BOOL,
    ALM_GGUF_STRING,
    ALM_GGUF_ARRAY,
    ALM_GGUF_U64,
    ALM_GGUF_I64,
    ALM_GGUF_F64,
    ALM_GGUF_TYPE_COUNT
} alm_gguf_type;

/* Tensor types by their number in the file; those that this project writes today. alm_gguf_tensor_type_name knows more. */
enum {
    ALM_GGUF_T_F32 = 0,
    ALM_GGUF_T_I8 = 24,
    ALM_GGUF_T_I16 = 25,
    ALM_GGUF_T_I32 = 26,
    ALM_GGUF_T_I64 = 27,
    ALM_GGUF_T_F64 = 28
};

enum {
    ALM_GGUF_MAX_DIMS = 4,
    ALM_GGUF_MAX_NAME = 63,
    ALM_GGUF_MAX_KEY = 65535,
    ALM_GGUF_ALIGNMENT = 32,
    ALM_GGUF_MAX_ALIGNMENT = 65536
};

typedef struct alm_gguf_value {
    alm_str key;
    alm_gguf_type type;      /* of the value; of an array: ALM_GGUF_ARRAY */
    alm_gguf_type item;      /* of the elements of an array, else as type */
    uint64_t n;              /* elements; 1 for a single value */
    const unsigned char *at; /* little-endian, unaligned; strings: u64 length and bytes, one behind the other */
    size_t n_bytes;
} alm_gguf_value;

typedef struct alm_gguf_tensor {
    alm_str name;
    uint32_t type, n_dims;
    uint64_t dim[ALM_GGUF_MAX_DIMS]; /* the innermost (fastest) first; 1 beyond n_dims */
    uint64_t n_items;
    const unsigned char *at; /* little-endian; aligned to the file's alignment in a mapped file */
    size_t n_bytes;
} alm_gguf_tensor;

typedef struct alm_gguf alm_gguf;
/* Maps the file; "builtin:" is the model inside the program (builtin.h). One part of a split file (split.count,
 * "NAME-00001-of-00003.gguf") opens all of them: the keys are those of the first, the tensors those of all in the order of the
 * parts. ALM_NOT_FOUND when one is missing. */
alm_status alm_gguf_open(alm_gguf **out, const char *path, alm_error *err);
/* The same over bytes that outlive it; `name` stands in messages. */
alm_status alm_gguf_parse(alm_gguf **out, const char *name, alm_str bytes, alm_error *err);
void alm_gguf_close(alm_gguf *g); /* NULL is fine */

uint32_t alm_gguf_version(const alm_gguf *g);
uint32_t alm_gguf_alignment(const alm_gguf *g);
/* Bytes behind the last tensor's padding: 0 in a clean file. */
size_t alm_gguf_trailing(const alm_gguf *g);
size_t alm_gguf_value_count(const alm_gguf *g);
const alm_gguf_value *alm_gguf_value_at(const alm_gguf *g, size_t i); /* in file order */
size_t alm_gguf_tensor_count(const alm_gguf *g);
const alm_gguf_tensor *alm_gguf_tensor_at(const alm_gguf *g, size_t i);
/* By name, or NULL. */
const alm_gguf_value *alm_gguf_find(const alm_gguf *g, const char *key);
const alm_gguf_tensor *alm_gguf_find_tensor(const alm_gguf *g, const char *name);

/* A single value as …: ALM_NOT_FOUND when the key is missing, ALM_MISMATCH when it has another type (any integer type serves
 * for u64 and i64 as far as it fits, F32, F64 and integers up to 2^53 for f64). */
alm_status alm_gguf_u64(const alm_gguf *g, const char *key, uint64_t *out, alm_error *err);
alm_status alm_gguf_i64(const alm_gguf *g, const char *key, int64_t *out, alm_error *err);
alm_status alm_gguf_f64(const alm_gguf *g, const char *key, double *out, alm_error *err);
alm_status alm_gguf_bool(const alm_gguf *g, const char *key, bool *out, alm_error *err);
alm_status alm_gguf_str(const alm_gguf *g, const char *key, alm_str *out, alm_error *err);
/* The array under a key, checked to have this element type. */
alm_status alm_gguf_array(const alm_gguf *g, const char *key, alm_gguf_type item, const alm_gguf_value **out,
                          alm_error *err);
/* Element i of an array or single value of numbers, i < v->n. */
uint64_t alm_gguf_item_u64(const alm_gguf_value *v,
                           uint64_t i); /* integers and bool; negative ones as two's complement */
double alm_gguf_item_f64(const alm_gguf_value *v, uint64_t i); /* any number */
/* Walks strings: *offset begins at 0; false behind the last. */
bool alm_gguf_next_str(const alm_gguf_value *v, size_t *offset, alm_str *out);
/* A tensor by name, checked for type and dimensions (n_dims of them, innermost first; a dim of UINT64_MAX takes any). */
alm_status alm_gguf_tensor_get(const alm_gguf *g, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dim,
                               const alm_gguf_tensor **out, alm_error *err);

/* "F32", "Q4_K" …, or NULL for an unknown number; *block items make *block_bytes (each may be NULL). */
const char *alm_gguf_tensor_type_name(uint32_t type, uint32_t *block, uint32_t *block_bytes);

/* Writer. The setters cannot fail at the call: the first failure (memory, a key twice, a bad name) is kept and reported by save. */
typedef struct alm_gguf_writer alm_gguf_writer;
alm_status alm_gguf_writer_new(alm_gguf_writer **out, alm_error *err);
void alm_gguf_writer_free(alm_gguf_writer *w);
void alm_gguf_set_u32(alm_gguf_writer *w, const char *key, uint32_t x);
void alm_gguf_set_u64(alm_gguf_writer *w, const char *key, uint64_t x);
void alm_gguf_set_i64(alm_gguf_writer *w, const char *key, int64_t x);
void alm_gguf_set_f32(alm_gguf_writer *w, const char *key, float x);
void alm_gguf_set_f64(alm_gguf_writer *w, const char *key, double x);
void alm_gguf_set_bool(alm_gguf_writer *w, const char *key, bool x);
void alm_gguf_set_str(alm_gguf_writer *w, const char *key, alm_str x);
/* n numbers (or bools, one byte each) of the machine's own layout. */
void alm_gguf_set_array(alm_gguf_writer *w, const char *key, alm_gguf_type item, const void *items, uint64_t n);
void alm_gguf_set_strings(alm_gguf_writer *w, const char *key, const alm_str *items, uint64_t n);
/* Any value as a reader gave it: so a file can be copied key by key. */
void alm_gguf_set_value(alm_gguf_writer *w, const alm_gguf_value *v);
/* `data` holds the tensor's bytes in file layout (little-endian) and is kept by pointer until the writer is saved or freed. */
void alm_gguf_add_tensor(alm_gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dim,
                         const void *data);
/* Aside, fsync, rename: the file is there whole or not at all. */
alm_status alm_gguf_writer_save(alm_gguf_writer *w, const char *path, alm_error *err);
alm_status alm_gguf_writer_bytes(alm_gguf_writer *w, alm_buf *out, alm_error *err);

#endif
