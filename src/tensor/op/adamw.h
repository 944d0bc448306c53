/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/adamw.h - AdamW (Loshchilov & Hutter 2019) and the norm of a gradient. */
#ifndef ALM_TENSOR_OP_ADAMW_H
#define ALM_TENSOR_OP_ADAMW_H

#include "tensor/compute.h"

typedef struct alm_adamw_params {
    double lr, beta1, beta2, eps, weight_decay;
    double clip;   /* each gradient is multiplied by this first: min(1, limit / norm); 1: as it is */
    uint64_t step; /* from 1: the bias corrections are 1 - beta^step */
} alm_adamw_params;

/* In f32, number by number (constants computed in double, rounded once):
 *   g = grad clip;  m = fma(beta1, m, (1 - beta1) g);  v = fma(beta2, v, ((1 - beta2) g) g)
 *   w = w (1 - lr decay) - (lr / (1 - beta1^step)) (m / (sqrt(v) / sqrt(1 - beta2^step) + eps)) */
void alm_adamw(alm_compute *c, float *w, const float *grad, float *m, float *v, size_t n, const alm_adamw_params *p);

/* Sum of squares in double: blocks of 4096, each by rule D, added in order. The norm of several gradients is the square root
 * of their sums, added in the order of the weights. Not finite where a number is not. */
double alm_sum_squares(alm_compute *c, const float *grad, size_t n);

#endif
