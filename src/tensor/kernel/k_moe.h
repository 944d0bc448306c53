/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_moe.h - what the chosen experts said, joined:  y = +0;  for each rank, ascending: y = fma(w, row, y). */
#if defined(ALM_KERNEL)
ALM_KERNEL(void, mix, (float *y, const float *const *row, const float *w, size_t n_rows, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
static bool check_mix(const alm_kernels *a, const alm_kernels *b) {
    enum { ROWS = 3, N = 43 };
    float x[ROWS * N], w[ROWS], p[N], q[N];
    const float *const row[ROWS] = {x, x + N, x + (size_t)2 * N};
    alm_check_fill(x, ROWS * N, 81), alm_check_fill(w, ROWS, 82);
    a->mix(p, row, w, ROWS, N), b->mix(q, row, w, ROWS, N);
    return alm_check_same(p, q, N);
}

#elif defined(ALM_LANES)
static void mix(float *y, const float *const *row, const float *w, size_t n_rows, size_t n) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf a = vf_zero();
        for (size_t k = 0; k < n_rows; k++) a = vf_fma(vf_set(w[k]), vf_load_n(row[k] + i, left), a);
        vf_store_n(y + i, a, left);
    }
}
#endif
