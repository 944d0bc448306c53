/* SPDX-License-Identifier: Apache-2.0
 *
 * format/tensors.h - the tensors of a file, whatever kind of file it is: GGUF, safetensors, PyTorch; one file, the parts of
 * an index, or a folder as Hugging Face lays it out. What only one container has (GGUF's keys) is asked of that reader. */
#ifndef ALM_FORMAT_TENSORS_H
#define ALM_FORMAT_TENSORS_H

#include "base/error.h"
#include "base/str.h"
#include "format/format.h"
#include "format/gguf.h"
#include "format/safetensors.h"

enum { ALM_TENSOR_MAX_DIMS = 8 };

typedef struct alm_tensor_entry {
    alm_str name;
    const char *type_name; /* as the container calls it: "F32", "Q4_K" */
    uint32_t type;         /* its number in GGUF; UINT32_MAX: GGUF has none */
    uint32_t n_dims;
    uint64_t dim[ALM_TENSOR_MAX_DIMS]; /* the outermost first; 1 beyond n_dims */
    uint64_t n_items;
    const unsigned char *at; /* little-endian, row by row; need not be aligned */
    size_t n_bytes;
} alm_tensor_entry;

typedef struct alm_tensors alm_tensors;
/* A file, known by its first bytes; an index (NAME.index.json); or a folder: its model.safetensors.index.json, else its
 * model.safetensors, else its pytorch_model.bin.index.json, else its pytorch_model.bin. All of it is checked, as each
 * container's header says; nothing is run. */
alm_status alm_tensors_open(alm_tensors **out, const char *path, alm_error *err);
/* Of an open GGUF, which outlives it. */
alm_status alm_tensors_of_gguf(alm_tensors **out, const alm_gguf *g, alm_error *err);
void alm_tensors_close(alm_tensors *t); /* NULL is fine */

size_t alm_tensors_count(const alm_tensors *t);
/* GGUF: in the order of the file; else in the bytewise order of the names. */
const alm_tensor_entry *alm_tensors_at(const alm_tensors *t, size_t i);
const alm_tensor_entry *alm_tensors_find(const alm_tensors *t, alm_str name); /* or NULL */

/* Which container it is. */
const alm_format *alm_tensors_format(const alm_tensors *t);
/* The reader behind it, for what only this container has; NULL where it is another. */
const alm_gguf *alm_tensors_gguf(const alm_tensors *t);
const alm_safetensors *alm_tensors_safetensors(const alm_tensors *t);

#endif
