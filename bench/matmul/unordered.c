/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/matmul/unordered.c - what our kernels would be if nobody promised an order: chains of 512 k instead of 256 (half as
 * many roundings and visits to the result), sums over eight vectors at once instead of 16 partials. */
#if defined(__aarch64__)
#include "tensor/kernel/lanes_neon.h"
#else
#include "tensor/kernel/lanes_avx2.h"
#endif
#define ALM_MATMUL_ROW 528
#include "tensor/kernel/k_matmul.h"

#include "unordered.h"

void unordered_matmul(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const float *b, size_t step,
                      size_t m, size_t n, size_t k, bool add, float *scratch) {
    (void)pack, (void)widen_bf16, (void)matmul_bf16;
    matmul(out, ldo, a, ai, ap, b, step, m, n, k, add, scratch);
}

float unordered_dot(const float *x, const float *y, size_t n) {
    vf p[8];
    float out = 0, lane[ALM_LANES];
    size_t i = 0;
    for (int l = 0; l < 8; l++) p[l] = vf_zero();
    for (; i + 8 * ALM_LANES <= n; i += 8 * ALM_LANES)
        for (int l = 0; l < 8; l++)
            p[l] = vf_fma(vf_load(x + i + (size_t)l * ALM_LANES), vf_load(y + i + (size_t)l * ALM_LANES), p[l]);
    for (int l = 1; l < 8; l++) p[0] = vf_add(p[0], p[l]);
    vf_store(lane, p[0]);
    for (int l = 0; l < ALM_LANES; l++) out += lane[l];
    for (; i < n; i++) out += x[i] * y[i];
    return out;
}
float unordered_sum(const float *x, size_t n) {
    vf p[8];
    float out = 0, lane[ALM_LANES];
    size_t i = 0;
    for (int l = 0; l < 8; l++) p[l] = vf_zero();
    for (; i + 8 * ALM_LANES <= n; i += 8 * ALM_LANES)
        for (int l = 0; l < 8; l++) p[l] = vf_add(p[l], vf_load(x + i + (size_t)l * ALM_LANES));
    for (int l = 1; l < 8; l++) p[0] = vf_add(p[0], p[l]);
    vf_store(lane, p[0]);
    for (int l = 0; l < ALM_LANES; l++) out += lane[l];
    for (; i < n; i++) out += x[i];
    return out;
}
