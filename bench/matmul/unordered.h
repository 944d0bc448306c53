/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/matmul/unordered.h - see unordered.c. */
#ifndef UNORDERED_H
#define UNORDERED_H

#include <stdbool.h>
#include <stddef.h>

enum { UNORDERED_BLOCK = 512, UNORDERED_SCRATCH = 48 * 528 };
void unordered_matmul(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const float *b, size_t step,
                      size_t m, size_t n, size_t k, bool add, float *scratch);
float unordered_dot(const float *x, const float *y, size_t n);
float unordered_sum(const float *x, size_t n);

#endif
