/* SPDX-License-Identifier: Apache-2.0
 *
 * npy.c - writes NPY 1.0: magic, version, the length of the head, a Python dictionary, blanks, the items.
 *
 *     "\x93NUMPY" 01 00 | u16 n | {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } blanks \n | items
 *
 * The items begin at a multiple of 64, so a reader may map them. */
#include "format/npy.h"

#include "base/file.h"

enum { NPY_BEFORE_HEAD = 10, NPY_ALIGNMENT = 64 };

alm_status alm_npy_head(alm_buf *out, const char *descr, uint32_t n_dims, const uint64_t *dim, alm_error *err) {
    size_t from = out->n;
    alm_buf_add(out, "\x93NUMPY\x01\x00\x00\x00", NPY_BEFORE_HEAD);
    alm_buf_printf(out, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (uint32_t i = 0; i < n_dims; i++) alm_buf_printf(out, "%s%llu", i ? ", " : "", (unsigned long long)dim[i]);
    alm_buf_add_text(out, n_dims == 1 ? ",), }" : "), }");
    while ((out->n - from + 1) % NPY_ALIGNMENT && alm_buf_add_byte(out, ' ')) {}
    alm_buf_add_byte(out, '\n');
    alm_status st = alm_buf_status(out, err);
    if (st != ALM_OK) return st;
    size_t n = out->n - from - NPY_BEFORE_HEAD;
    if (n > UINT16_MAX) return alm_fail(err, ALM_LIMIT, "an array of %u dimensions has no head in NPY 1.0", n_dims);
    out->at[from + 8] = (char)(n & 255);
    out->at[from + 9] = (char)(n >> 8);
    return ALM_OK;
}

alm_status alm_npy_write(const char *path, const char *descr, uint32_t n_dims, const uint64_t *dim, const void *at,
                         size_t n_bytes, alm_error *err) {
    alm_buf head = alm_buf_with_limit(1 << 17);
    alm_write file = {0};
    alm_status st = alm_npy_head(&head, descr, n_dims, dim, err);
    if (st == ALM_OK && (st = alm_write_begin(&file, path, err)) == ALM_OK) {
        alm_write_add(&file, head.at, head.n);
        alm_write_add(&file, at, n_bytes);
        st = alm_write_commit(&file, err);
    }
    alm_write_abort(&file);
    alm_buf_free(&head);
    return st;
}
