/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/check.h - numbers for the checks of kernels, and the comparison of results. */
#ifndef ALM_TENSOR_KERNEL_CHECK_H
#define ALM_TENSOR_KERNEL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* n numbers of both signs between 2^-4 and 2^4, the same for the same seed. */
static inline void alm_check_fill(float *out, size_t n, uint32_t seed) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t bits = (seed & 0x80000000U) | (123U + (seed >> 28 & 7)) << 23 | (seed >> 5 & 0x7fffff);
        memcpy(out + i, &bits, 4);
    }
}

/* The same bits; any NaN equals any NaN. */
static inline bool alm_check_same(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (memcmp(a + i, b + i, 4) == 0) continue;
        if (a[i] == a[i] || b[i] == b[i]) return false;
    }
    return true;
}

#endif
