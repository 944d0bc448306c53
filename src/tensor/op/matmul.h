/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/matmul.h - products of matrices under rule C (docs/numbers.md): the three of a linear layer, packed weights.
 *
 * Every number of a result is one chain. With `first` = +0, or what stood in `out` where the function adds:
 *     out = first;  for each block of 256 k, ascending:  t = +0;  for k ascending: t = fma(a[k], b[k], t);  out = out + t
 * Tiles, instruction sets and threads divide outputs, never a chain. Weights of any type are decoded (exactly) before they
 * are multiplied: the bits are those of a product with the decoded matrix. Matrices are row-major without gaps. Each function returns false when memory for packing is out; `out` is
 * then as it was or partly computed. n = 0 or an empty weight is fine; inputs and output must not overlap. */
#ifndef ALM_TENSOR_OP_MATMUL_H
#define ALM_TENSOR_OP_MATMUL_H

#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/tape.h"

/* y[n][n_rows] = x[n][n_cols] W^T; k runs over n_cols. Takes w->panels when the weight is packed. */
bool alm_matmul_forward(alm_compute *c, float *y, const float *x, const alm_weight *w, size_t n);
/* dx[n][n_cols] = dy[n][n_rows] W, or += with `add`; k runs over n_rows. */
bool alm_matmul_input(alm_compute *c, float *dx, const float *dy, const alm_weight *w, size_t n, bool add);
/* dw[n_rows][n_cols] += dy[n][n_rows]^T x[n][n_cols]; k runs over the n rows of the step. */
bool alm_matmul_weight(alm_compute *c, float *dw, const float *dy, const float *x, size_t n_rows, size_t n_cols,
                       size_t n);

/* The general form. Element (i, k) of A is a[i * a_row + k * a_k]; element (k, j) of B is number j * b_col + k * b_k behind b.
 * Of types other than f32, bf16 and f16, and with b_heads, B has whole rows: b_col or b_k is 1, and the other is the numbers
 * of a row, a multiple of the type's block. */
typedef struct alm_product {
    float *out; /* [m][n], row i begins at out + i * out_row */
    size_t out_row, m, n, k;
    const float *a;
    size_t a_row, a_k;
    uint32_t b_type; /* of types.def */
    const void *b;
    size_t b_col, b_k;
    size_t b_heads; /* alm_row_place, for the rows of B as it lies */
    bool b_across;  /* these rows are the k of B, else its columns */
    /* B packed, or NULL: for each block of 256 k (the last may have fewer) ceil(n / 16) panels [k of the block][16]; bf16 and
     * f16 as they are, everything else as f32 */
    const void *panels;
    bool add; /* the chains begin at out */
} alm_product;
bool alm_matmul(alm_compute *c, const alm_product *p);

/* Where a panel begins, in numbers, for the block that begins at k and has kk. Blocks lie one behind the other, so that what
 * is read together is close together: at a distance of k * 64 bytes, often a power of two, panels would drive each other out
 * of the cache (measured: an eighth of the speed). */
static inline size_t alm_panel_place(size_t n_panel, size_t panel, size_t k, size_t kk) {
    return (k * n_panel + panel * kk) * ALM_PANEL;
}
static inline bool alm_is_half(uint32_t type) { return type == ALM_BF16 || type == ALM_F16; }

#endif
