/* SPDX-License-Identifier: Apache-2.0
 *
 * format/npy.h - writes one array as NumPy stores it (NPY 1.0, little-endian, row-major). */
#ifndef ALM_FORMAT_NPY_H
#define ALM_FORMAT_NPY_H

#include "base/buf.h"
#include "base/error.h"

/* The head of a file whose items are `descr` ("<f4", "<i8", "|u1"), n_dims dimensions, the outermost first. */
alm_status alm_npy_head(alm_buf *out, const char *descr, uint32_t n_dims, const uint64_t *dim, alm_error *err);
/* Head and n_bytes of data, aside, then in place. */
alm_status alm_npy_write(const char *path, const char *descr, uint32_t n_dims, const uint64_t *dim, const void *at,
                         size_t n_bytes, alm_error *err);

#endif
