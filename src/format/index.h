/* SPDX-License-Identifier: Apache-2.0
 *
 * format/index.h - the index of weights that lie in several files: model.safetensors.index.json, pytorch_model.bin.index.json.
 *
 *     {"metadata": {...}, "weight_map": {"tensor name": "file beside the index", ...}}
 *
 * An index that opens names only plain files in its own folder, and they are there. */
#ifndef ALM_FORMAT_INDEX_H
#define ALM_FORMAT_INDEX_H

#include "base/error.h"
#include "base/str.h"

enum { ALM_INDEX_MAX_FILES = 10000, ALM_INDEX_MAX_BYTES = 100000000 };

typedef struct alm_index_entry {
    alm_str name; /* of a tensor */
    size_t file;  /* number of its file */
} alm_index_entry;

typedef struct alm_index alm_index;
/* ALM_MALFORMED, ALM_REFUSED for a file that lies elsewhere, ALM_NOT_FOUND for one that is missing. */
alm_status alm_index_open(alm_index **out, const char *path, alm_error *err);
void alm_index_free(alm_index *x); /* NULL is fine */

size_t alm_index_file_count(const alm_index *x);
const char *alm_index_file_path(const alm_index *x, size_t i);
size_t alm_index_count(const alm_index *x);
const alm_index_entry *alm_index_at(const alm_index *x, size_t i);

#endif
