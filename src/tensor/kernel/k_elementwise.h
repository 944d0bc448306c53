/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_elementwise.h - what is done number by number: sums, SwiGLU, and sums of rows.
 *
 *   silu(g) = g / (1 + exp(-g));  y = silu(g) u
 *   back:  s = 1 / (1 + exp(-g));  dg = (dy u) (s fma(g, 1 - s, 1));  du = dy silu(g) */
#if defined(ALM_KERNEL)
ALM_KERNEL(void, add, (float *out, const float *a, const float *b, size_t n))
ALM_KERNEL(void, swiglu, (float *y, const float *gate, const float *up, size_t n))
/* Writes where `fresh`, else adds. */
ALM_KERNEL(void, swiglu_back,
           (float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n, bool fresh_gate,
            bool fresh_up))
/* out[0..n) += rule C over rows of x, which lie `stride` apart: t = t + x in blocks of 256 rows. */
ALM_KERNEL(void, add_rows, (float *out, const float *x, size_t n_rows, size_t stride, size_t n))
ALM_KERNEL(void, scale_twice, (float *x, size_t n, float a, float b)) /* x = (x a) b */

#elif defined(ALM_KERNEL_CHECKS)
enum { ELEMENTWISE_CHECK = 43 };

static bool check_add(const alm_kernels *a, const alm_kernels *b) {
    float x[ELEMENTWISE_CHECK], y[ELEMENTWISE_CHECK], p[ELEMENTWISE_CHECK], q[ELEMENTWISE_CHECK];
    alm_check_fill(x, ELEMENTWISE_CHECK, 21), alm_check_fill(y, ELEMENTWISE_CHECK, 22);
    a->add(p, x, y, ELEMENTWISE_CHECK), b->add(q, x, y, ELEMENTWISE_CHECK);
    return alm_check_same(p, q, ELEMENTWISE_CHECK);
}
static bool check_swiglu(const alm_kernels *a, const alm_kernels *b) {
    float x[ELEMENTWISE_CHECK], y[ELEMENTWISE_CHECK], p[ELEMENTWISE_CHECK], q[ELEMENTWISE_CHECK];
    alm_check_fill(x, ELEMENTWISE_CHECK, 23), alm_check_fill(y, ELEMENTWISE_CHECK, 24);
    a->swiglu(p, x, y, ELEMENTWISE_CHECK), b->swiglu(q, x, y, ELEMENTWISE_CHECK);
    return alm_check_same(p, q, ELEMENTWISE_CHECK);
}
static bool check_swiglu_back(const alm_kernels *a, const alm_kernels *b) {
    enum { N = ELEMENTWISE_CHECK };
    float x[N], y[N], dy[N], p[2 * N] = {0}, q[2 * N] = {0};
    alm_check_fill(x, N, 25), alm_check_fill(y, N, 26), alm_check_fill(dy, N, 27);
    for (int fresh = 0; fresh < 4; fresh++) {
        a->swiglu_back(p, p + N, dy, x, y, N, (fresh & 1) != 0, (fresh & 2) != 0);
        b->swiglu_back(q, q + N, dy, x, y, N, (fresh & 1) != 0, (fresh & 2) != 0);
        if (!alm_check_same(p, q, 2 * N)) return false;
    }
    return true;
}
static bool check_add_rows(const alm_kernels *a, const alm_kernels *b) {
    enum { ROWS = 3, N = ELEMENTWISE_CHECK };
    float x[ROWS * N], p[N] = {0}, q[N] = {0};
    alm_check_fill(x, ROWS * N, 28);
    a->add_rows(p, x, ROWS, N, N), b->add_rows(q, x, ROWS, N, N);
    return alm_check_same(p, q, N);
}
static bool check_scale_twice(const alm_kernels *a, const alm_kernels *b) {
    float p[ELEMENTWISE_CHECK], q[ELEMENTWISE_CHECK];
    alm_check_fill(p, ELEMENTWISE_CHECK, 29), alm_check_fill(q, ELEMENTWISE_CHECK, 29);
    a->scale_twice(p, ELEMENTWISE_CHECK, 0.3f, 0.7f), b->scale_twice(q, ELEMENTWISE_CHECK, 0.3f, 0.7f);
    return alm_check_same(p, q, ELEMENTWISE_CHECK);
}

#elif defined(ALM_LANES)
#include "tensor/math/exp.h"

static void add(float *out, const float *a, const float *b, size_t n) {
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(out + i, vf_add(vf_load(a + i), vf_load(b + i)));
    if (i < n) vf_store_n(out + i, vf_add(vf_load_n(a + i, n - i), vf_load_n(b + i, n - i)), n - i);
}

static void scale_twice(float *x, size_t n, float a, float b) {
    vf p = vf_set(a), q = vf_set(b);
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(x + i, vf_mul(vf_mul(vf_load(x + i), p), q));
    if (i < n) vf_store_n(x + i, vf_mul(vf_mul(vf_load_n(x + i, n - i), p), q), n - i);
}

static inline vf one_swiglu(vf g, vf u) { return vf_mul(vf_div(g, vf_add(vf_set(1.0f), vf_exp(vf_neg(g)))), u); }

static void swiglu(float *y, const float *gate, const float *up, size_t n) {
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(y + i, one_swiglu(vf_load(gate + i), vf_load(up + i)));
    if (i < n) vf_store_n(y + i, one_swiglu(vf_load_n(gate + i, n - i), vf_load_n(up + i, n - i)), n - i);
}

static void swiglu_back(float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n,
                        bool fresh_gate, bool fresh_up) {
    const vf one = vf_set(1.0f);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf g = vf_load_n(gate + i, left), u = vf_load_n(up + i, left), d = vf_load_n(dy + i, left);
        vf below = vf_add(one, vf_exp(vf_neg(g))), s = vf_div(one, below);
        vf dg = vf_mul(vf_mul(d, u), vf_mul(s, vf_fma(g, vf_sub(one, s), one)));
        vf_store_n(dgate + i, fresh_gate ? dg : vf_add(vf_load_n(dgate + i, left), dg), left);
        vf du = vf_mul(d, vf_div(g, below));
        vf_store_n(dup + i, fresh_up ? du : vf_add(vf_load_n(dup + i, left), du), left);
    }
}

static void add_rows(float *out, const float *x, size_t n_rows, size_t stride, size_t n) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf all = vf_load_n(out + i, left);
        for (size_t from = 0; from < n_rows; from += 256) {
            size_t to = n_rows - from < 256 ? n_rows : from + 256;
            vf t = vf_zero();
            for (size_t k = from; k < to; k++) t = vf_add(t, vf_load_n(x + k * stride + i, left));
            all = vf_add(all, t);
        }
        vf_store_n(out + i, all, left);
    }
}
#endif
