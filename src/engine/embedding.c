/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/embedding.c - texts as vectors.
 *
 *   mean:  +0, then rows in order, in blocks of 256 (rule C), times 1/n;   length: sqrt of the square sum by rule D, times its
 *   inverse                                                                                        (docs/numbers.md) */
#include "engine/embedding.h"

#include "base/alloc.h"
#include "tensor/kernel/kernels.h"

#include <math.h>
#include <string.h>

static void pool_one(float *out, const float *x, size_t n, size_t dim, alm_pooling pooling, const alm_kernels *k) {
    if (pooling != ALM_POOL_MEAN) {
        memcpy(out, pooling == ALM_POOL_FIRST ? x : x + (n - 1) * dim, dim * sizeof *out);
        return;
    }
    memset(out, 0, dim * sizeof *out);
    k->add_rows(out, x, n, dim, dim);
    k->times(out, out, dim, 1.0F / (float)n, true);
}

static void make_unit(float *x, size_t dim, const alm_kernels *k) {
    float length = sqrtf(k->sum_squares(x, dim));
    if (length > 0.0F) k->times(x, x, dim, 1.0F / length, true);
}

alm_status alm_embedding(float *out, alm_model *m, alm_compute *c, const alm_rows *rows, alm_pooling pooling, bool unit,
                         alm_error *err) {
    const alm_config *config = alm_model_config(m);
    const alm_kernels *k = alm_compute_kernels(c);
    alm_tape *t = NULL;
    float *x = NULL;
    for (size_t d = 0; d < rows->n_docs; d++)
        if (rows->start[d] >= rows->start[d + 1]) return alm_fail(err, ALM_INVALID, "text %zu has no tokens", d);
    if (pooling == ALM_POOL_UNSAID) pooling = config->pooling;
    if (pooling == ALM_POOL_UNSAID) pooling = config->encoder ? ALM_POOL_MEAN : ALM_POOL_LAST;
    alm_status st = alm_tape_new(&t, c, ALM_TAPE_INFER, 0, err);
    if (st == ALM_OK && !(x = alm_calloc(rows->n, config->hidden * sizeof *x))) st = alm_fail_memory(err);
    if (st == ALM_OK) st = alm_model_read(m, t, rows, x, err);
    if (st == ALM_OK) {
        alm_fp_mode mode = alm_fp_enter();
        for (size_t d = 0; d < rows->n_docs; d++) {
            size_t first = rows->start[d], dim = config->hidden;
            pool_one(out + d * dim, x + first * dim, rows->start[d + 1] - first, dim, pooling, k);
            if (unit) make_unit(out + d * dim, dim, k);
        }
        alm_fp_leave(mode);
    }
    alm_free(x);
    alm_tape_free(t);
    return st;
}
