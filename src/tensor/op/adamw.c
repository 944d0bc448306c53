/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/adamw.c - one update of weights by AdamW, and the square sum that clipping needs. Formulas: adamw.h. */
#include "tensor/op/adamw.h"

#include "base/mathx.h"
#include "tensor/kernel/kernels.h"

#include <math.h>

enum { NUMBERS = 4096, BLOCKS = 256 /* sums that wait for their turn */ };

typedef struct update {
    const alm_kernels *k;
    float *w, *m, *v;
    const float *grad;
    float how[9];
} update;

static void update_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const update *j = arg;
    j->k->adamw(j->w + from, j->grad + from, j->m + from, j->v + from, to - from, j->how);
}

/* beta^n by squaring, in double. */
static double power(double beta, uint64_t n) {
    double out = 1, square = beta;
    while (n) {
        if (n & 1) out *= square;
        n >>= 1;
        square *= square;
    }
    return out;
}

void alm_adamw(alm_compute *c, float *w, const float *grad, float *m, float *v, size_t n, const alm_adamw_params *p) {
    double rest1 = 1 - power(p->beta1, p->step), rest2 = 1 - power(p->beta2, p->step);
    update j = {.k = alm_compute_kernels(c),
                .w = w,
                .m = m,
                .v = v,
                .grad = grad,
                .how = {(float)p->clip, (float)p->beta1, (float)(1 - p->beta1), (float)p->beta2, (float)(1 - p->beta2),
                        (float)(1 - p->lr * p->weight_decay), (float)(p->lr / rest1), (float)sqrt(rest2),
                        (float)p->eps}};
    alm_pool_run(alm_compute_pool(c), n, NUMBERS, update_slice, &j);
}

typedef struct squares {
    const alm_kernels *k;
    const float *x;
    double sum[BLOCKS];
} squares;

static void squares_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)worker;
    squares *j = arg;
    j->sum[slice] = j->k->sum_squares_f64(j->x + from, to - from);
}

double alm_sum_squares(alm_compute *c, const float *grad, size_t n) {
    squares j = {.k = alm_compute_kernels(c)};
    double sum = 0;
    for (size_t at = 0; at < n; at += (size_t)NUMBERS * BLOCKS) {
        size_t some = n - at < (size_t)NUMBERS * BLOCKS ? n - at : (size_t)NUMBERS * BLOCKS;
        j.x = grad + at;
        alm_pool_run(alm_compute_pool(c), some, NUMBERS, squares_slice, &j);
        for (size_t i = 0; i * NUMBERS < some; i++) sum += j.sum[i];
    }
    return sum;
}
