/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/product.c - the products of a linear layer as plain loops: what rule C says, number by number. */
#include "tensor/op/product.h"

#include "dtype/dtype.h"
#include "tensor/tape_inner.h"

#include <math.h>

typedef struct product {
    float *out;
    const float *a, *b;
    size_t n, a_row, a_k, b_k, b_j, n_j, n_k;
    bool fresh;
} product;

static void rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const product *p = arg;
    for (size_t i = from; i < to; i++) {
        for (size_t j = 0; j < p->n_j; j++) {
            float out = p->fresh ? 0 : p->out[i * p->n_j + j];
            for (size_t block = 0; block < p->n_k; block += 256) {
                float t = 0;
                for (size_t k = block; k < p->n_k && k < block + 256; k++)
                    t = fmaf(p->a[i * p->a_row + k * p->a_k], p->b[k * p->b_k + j * p->b_j], t);
                out = out + t;
            }
            p->out[i * p->n_j + j] = out;
        }
    }
}

void alm_product_forward(alm_compute *c, float *y, const float *x, const alm_weight *w, size_t n) {
    product p = {y, x, w->at, n, w->n_cols, 1, 1, w->n_cols, w->n_rows, w->n_cols, true};
    alm_pool_run(alm_compute_pool(c), n, 4, rows, &p);
}

void alm_product_input(alm_compute *c, float *dx, const float *dy, const alm_weight *w, size_t n, bool fresh) {
    product p = {dx, dy, w->at, n, w->n_rows, 1, w->n_cols, 1, w->n_cols, w->n_rows, fresh};
    alm_pool_run(alm_compute_pool(c), n, 4, rows, &p);
}

void alm_product_weight(alm_compute *c, alm_weight *w, const float *dy, const float *x, size_t n) {
    product p = {w->grad, dy, x, w->n_rows, 1, w->n_rows, w->n_cols, 1, w->n_cols, n, false};
    alm_pool_run(alm_compute_pool(c), w->n_rows, 4, rows, &p);
}
