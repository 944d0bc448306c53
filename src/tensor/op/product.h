/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/product.h - the three products of a linear layer over n rows, rule C, as the operations use them. */
#ifndef ALM_TENSOR_OP_PRODUCT_H
#define ALM_TENSOR_OP_PRODUCT_H

#include "tensor/tape.h"

/* y[n][w->n_rows] = x[n][w->n_cols] W^T */
void alm_product_forward(alm_compute *c, float *y, const float *x, const alm_weight *w, size_t n);
/* dx[n][n_cols] = dy[n][n_rows] W; where not fresh the chain begins at dx instead of +0. */
void alm_product_input(alm_compute *c, float *dx, const float *dy, const alm_weight *w, size_t n, bool fresh);
/* w->grad[n_rows][n_cols] += dy^T x: the chain over rows begins at grad. */
void alm_product_weight(alm_compute *c, alm_weight *w, const float *dy, const float *x, size_t n);

#endif
