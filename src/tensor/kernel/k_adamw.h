/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_adamw.h - one AdamW update number by number, and the square sum of a stretch in double.
 *
 *   g = grad clip;  m = fma(beta1, m, (1 - beta1) g);  v = fma(beta2, v, ((1 - beta2) g) g)
 *   w = w (1 - lr decay);  w = w - step (m / (sqrt(v) / root + eps)) */
#if defined(ALM_KERNEL)
/* how: clip, beta1, 1 - beta1, beta2, 1 - beta2, 1 - lr decay, step, root, eps */
ALM_KERNEL(void, adamw, (float *w, const float *grad, float *m, float *v, size_t n, const float how[9]))
/* Rule D in double: 16 partials, p = p + (double)x (double)x; the product is exact. */
ALM_KERNEL(double, sum_squares_f64, (const float *x, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
static bool check_adamw(const alm_kernels *a, const alm_kernels *b) {
    enum { N = 43 };
    const float how[9] = {0.7f, 0.9f, 0.1f, 0.99f, 0.01f, 0.999f, 0.01f, 0.3f, 1e-8f};
    float g[N], p[3 * N], q[3 * N];
    alm_check_fill(g, N, 61), alm_check_fill(p, 3 * N, 62);
    for (size_t i = 2 * N; i < 3 * N; i++) p[i] = p[i] * p[i];
    memcpy(q, p, sizeof p);
    a->adamw(p, g, p + N, p + 2 * N, N, how), b->adamw(q, g, q + N, q + 2 * N, N, how);
    return alm_check_same(p, q, 3 * N);
}
static bool check_sum_squares_f64(const alm_kernels *a, const alm_kernels *b) {
    float x[75];
    alm_check_fill(x, 75, 63);
    double p = a->sum_squares_f64(x, 75), q = b->sum_squares_f64(x, 75);
    return memcmp(&p, &q, sizeof p) == 0;
}

#elif defined(ALM_LANES)
static void adamw(float *w, const float *grad, float *m, float *v, size_t n, const float how[9]) {
    vf clip = vf_set(how[0]), beta1 = vf_set(how[1]), rest1 = vf_set(how[2]), beta2 = vf_set(how[3]);
    vf rest2 = vf_set(how[4]), keep = vf_set(how[5]), step = vf_set(how[6]), root = vf_set(how[7]),
       eps = vf_set(how[8]);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf g = vf_mul(vf_load_n(grad + i, left), clip);
        vf first = vf_fma(beta1, vf_load_n(m + i, left), vf_mul(rest1, g));
        vf second = vf_fma(beta2, vf_load_n(v + i, left), vf_mul(vf_mul(rest2, g), g));
        vf below = vf_add(vf_div(vf_sqrt(second), root), eps);
        vf old = vf_mul(vf_load_n(w + i, left), keep);
        vf_store_n(m + i, first, left);
        vf_store_n(v + i, second, left);
        vf_store_n(w + i, vf_sub(old, vf_mul(step, vf_div(first, below))), left);
    }
}

static double sum_squares_f64(const float *x, size_t n) {
    double p[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (size_t l = 0; l < 16; l++) p[l] += (double)x[i + l] * (double)x[i + l];
    for (size_t l = 0; i + l < n; l++) p[l] += (double)x[i + l] * (double)x[i + l];
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] += p[l + half];
    return p[0];
}
#endif
