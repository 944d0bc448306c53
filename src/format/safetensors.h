/* SPDX-License-Identifier: Apache-2.0
 *
 * format/safetensors.h - the safetensors container: named tensors behind a JSON head; one file, or several that an index
 * joins. Specified in docs/format/safetensors.md.
 *
 * A file that opens is wholly checked: the head's length, its JSON, each type, shape and place; the tensors fill the data
 * without overlap, hole or rest; names occur once, also across the files of an index. A refusal names its class:
 * "FILE: bad_offset: ..." (ALM_MALFORMED; ALM_REFUSED for an index that leads out of its folder, ALM_NOT_FOUND for a part
 * that is not there). What a reader gives lives until alm_safetensors_close. */
#ifndef ALM_FORMAT_SAFETENSORS_H
#define ALM_FORMAT_SAFETENSORS_H

#include "base/buf.h"
#include "base/error.h"

/* name in the file, bits of an item, the same type's number in GGUF (UINT32_MAX: GGUF has none) */
#define ALM_SAFETENSORS_TYPES(X)  \
    X(F4, 4, UINT32_MAX)          \
    X(F6_E2M3, 6, UINT32_MAX)     \
    X(F6_E3M2, 6, UINT32_MAX)     \
    X(BOOL, 8, UINT32_MAX)        \
    X(U8, 8, UINT32_MAX)          \
    X(I8, 8, 24)                  \
    X(F8_E5M2, 8, UINT32_MAX)     \
    X(F8_E4M3, 8, UINT32_MAX)     \
    X(F8_E8M0, 8, UINT32_MAX)     \
    X(F8_E4M3FNUZ, 8, UINT32_MAX) \
    X(F8_E5M2FNUZ, 8, UINT32_MAX) \
    X(I16, 16, 25)                \
    X(U16, 16, UINT32_MAX)        \
    X(F16, 16, 1)                 \
    X(BF16, 16, 30)               \
    X(I32, 32, 26)                \
    X(U32, 32, UINT32_MAX)        \
    X(F32, 32, 0)                 \
    X(C64, 64, UINT32_MAX)        \
    X(F64, 64, 28)                \
    X(I64, 64, 27)                \
    X(U64, 64, UINT32_MAX)

typedef enum alm_safetensors_type {
#define ALM_SAFETENSORS_ENUM(name, bits, gguf) ALM_SAFETENSORS_##name,
    ALM_SAFETENSORS_TYPES(ALM_SAFETENSORS_ENUM)
#undef ALM_SAFETENSORS_ENUM
        ALM_SAFETENSORS_TYPE_COUNT
} alm_safetensors_type;

enum { ALM_SAFETENSORS_MAX_DIMS = 8, ALM_SAFETENSORS_MAX_HEAD = 100000000 };

typedef struct alm_safetensors_tensor {
    alm_str name;
    alm_safetensors_type type;
    uint32_t n_dims;
    uint64_t dim[ALM_SAFETENSORS_MAX_DIMS]; /* the outermost first; 1 beyond n_dims */
    uint64_t n_items;
    const unsigned char *at; /* little-endian; need not be aligned */
    size_t n_bytes;
} alm_safetensors_tensor;

typedef struct alm_safetensors alm_safetensors;
/* Maps a file; or, where `path` ends in ".index.json", the files beside it that it names; or, where `path` is a folder, its
 * model.safetensors.index.json, else its model.safetensors. */
alm_status alm_safetensors_open(alm_safetensors **out, const char *path, alm_error *err);
/* One file's bytes, which outlive it; `name` stands in messages. */
alm_status alm_safetensors_parse(alm_safetensors **out, const char *name, alm_str bytes, alm_error *err);
void alm_safetensors_close(alm_safetensors *s); /* NULL is fine */

size_t alm_safetensors_tensor_count(const alm_safetensors *s);
/* In the bytewise order of the names. */
const alm_safetensors_tensor *alm_safetensors_tensor_at(const alm_safetensors *s, size_t i);
const alm_safetensors_tensor *alm_safetensors_find(const alm_safetensors *s, const char *name); /* or NULL */
/* A member of __metadata__ of the first part that has it; at is NULL where none has. */
alm_str alm_safetensors_meta(const alm_safetensors *s, const char *key);

const char *alm_safetensors_type_name(alm_safetensors_type type);
unsigned alm_safetensors_type_bits(alm_safetensors_type type);
uint32_t alm_safetensors_type_gguf(alm_safetensors_type type);

/* Writer. As with GGUF: the first failure is kept and save reports it. */
typedef struct alm_safetensors_writer alm_safetensors_writer;
alm_status alm_safetensors_writer_new(alm_safetensors_writer **out, alm_error *err);
void alm_safetensors_writer_free(alm_safetensors_writer *w);
void alm_safetensors_set_meta(alm_safetensors_writer *w, const char *key, alm_str text);
/* `data` is kept by pointer until the writer is saved or freed. */
void alm_safetensors_add(alm_safetensors_writer *w, const char *name, alm_safetensors_type type, uint32_t n_dims,
                         const uint64_t *dim, const void *data);
/* Aside, fsync, rename. */
alm_status alm_safetensors_writer_save(alm_safetensors_writer *w, const char *path, alm_error *err);
alm_status alm_safetensors_writer_bytes(alm_safetensors_writer *w, alm_buf *out, alm_error *err);

#endif
