/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_reduce.h - one number from a vector, rule D: 16 partials, partial l takes elements l, l+16, ... in order,
 * starting from +0 (a maximum: from -inf); then the fold by 8, 4, 2, 1 (lanes_common.h). */
#if defined(ALM_KERNEL)
ALM_KERNEL(float, sum, (const float *x, size_t n))                 /* p = p + x */
ALM_KERNEL(float, sum_squares, (const float *x, size_t n))         /* p = fma(x, x, p) */
ALM_KERNEL(float, dot, (const float *x, const float *y, size_t n)) /* p = fma(x, y, p) */
ALM_KERNEL(float, largest, (const float *x, size_t n))             /* p = p > x ? p : x; a NaN anywhere makes it NaN */

#elif defined(ALM_KERNEL_CHECKS)
enum { REDUCE_CHECK = 75 }; /* four whole stretches and a tail of 11 */

static bool check_sum(const alm_kernels *a, const alm_kernels *b) {
    float x[REDUCE_CHECK], p, q;
    alm_check_fill(x, REDUCE_CHECK, 1);
    p = a->sum(x, REDUCE_CHECK), q = b->sum(x, REDUCE_CHECK);
    return alm_check_same(&p, &q, 1);
}
static bool check_sum_squares(const alm_kernels *a, const alm_kernels *b) {
    float x[REDUCE_CHECK], p, q;
    alm_check_fill(x, REDUCE_CHECK, 2);
    p = a->sum_squares(x, REDUCE_CHECK), q = b->sum_squares(x, REDUCE_CHECK);
    return alm_check_same(&p, &q, 1);
}
static bool check_dot(const alm_kernels *a, const alm_kernels *b) {
    float x[REDUCE_CHECK], y[REDUCE_CHECK], p, q;
    alm_check_fill(x, REDUCE_CHECK, 3), alm_check_fill(y, REDUCE_CHECK, 4);
    p = a->dot(x, y, REDUCE_CHECK), q = b->dot(x, y, REDUCE_CHECK);
    return alm_check_same(&p, &q, 1);
}
static bool check_largest(const alm_kernels *a, const alm_kernels *b) {
    float x[REDUCE_CHECK];
    alm_check_fill(x, REDUCE_CHECK, 5);
    for (size_t at = REDUCE_CHECK; at > 0; at -= 25) { /* the largest at the end, in the middle; then a NaN before it */
        x[at - 1] = 100.0f + (float)at;
        float p = a->largest(x, REDUCE_CHECK), q = b->largest(x, REDUCE_CHECK);
        if (!alm_check_same(&p, &q, 1)) return false;
    }
    x[7] = 0.0f / (x[7] - x[7]);
    float p = a->largest(x, REDUCE_CHECK), q = b->largest(x, REDUCE_CHECK);
    return alm_check_same(&p, &q, 1);
}

#elif defined(ALM_LANES)
static float sum(const float *x, size_t n) {
    v16 p = v16_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) p = v16_add(p, v16_load(x + i));
    if (i < n) p = v16_add(p, v16_load_n(x + i, n - i));
    return v16_fold_add(p);
}

static float sum_squares(const float *x, size_t n) {
    v16 p = v16_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16 a = v16_load(x + i);
        p = v16_fma(a, a, p);
    }
    if (i < n) {
        v16 a = v16_load_n(x + i, n - i);
        p = v16_fma(a, a, p);
    }
    return v16_fold_add(p);
}

static float dot(const float *x, const float *y, size_t n) {
    v16 p = v16_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) p = v16_fma(v16_load(x + i), v16_load(y + i), p);
    if (i < n) p = v16_keep(v16_fma(v16_load_n(x + i, n - i), v16_load_n(y + i, n - i), p), p, n - i);
    return v16_fold_add(p);
}

/* The comparison drops a NaN in its first operand and keeps one in the second; so NaN is looked for by itself. */
static float largest(const float *x, size_t n) {
    v16 p = v16_set(-HUGE_VALF);
    vm nan = vi_eq(vi_set(0), vi_set(1));
    size_t i = 0;
    for (; i < n; i += 16) {
        size_t left = n - i;
        v16 a = left >= 16 ? v16_load(x + i) : v16_load_n(x + i, left);
        v16 q = v16_max(p, a);
        p = left >= 16 ? q : v16_keep(q, p, left);
        for (size_t part = 0; part < ALM_PARTS; part++) nan = vm_or(nan, vf_is_nan(a.part[part]));
    }
    return vm_any(nan) ? NAN : v16_fold_max(p);
}
#endif
