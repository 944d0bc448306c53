/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_rmsnorm.h - one row of a root-mean-square norm, forward and back, and the gradient of its weights.
 *
 *   ss = rule D of x²;  r = 1 / sqrt(ss / n + eps);  y = (x r) w
 *   back:  g = dy w;  s = rule D of g (x r);  dx = r (g - (x r) (s / n));  dw = rule C over rows of dy (x r) */
#if defined(ALM_KERNEL)
ALM_KERNEL(float, rmsnorm, (float *y, const float *x, const float *w, size_t n, float eps)) /* gives ss */
/* Writes dx where `fresh`, else adds; gives r. */
ALM_KERNEL(float, rmsnorm_back,
           (float *dx, const float *dy, const float *x, const float *w, size_t n, float eps, bool fresh))
/* dw[0..n) of a stretch of columns; rows of dy and x lie `stride` apart, r[row]. */
ALM_KERNEL(void, rmsnorm_weight,
           (float *dw, const float *dy, const float *x, const float *r, size_t n_rows, size_t stride, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
enum { RMSNORM_CHECK = 43 };

static bool check_rmsnorm(const alm_kernels *a, const alm_kernels *b) {
    float x[RMSNORM_CHECK], w[RMSNORM_CHECK], p[RMSNORM_CHECK + 1], q[RMSNORM_CHECK + 1];
    alm_check_fill(x, RMSNORM_CHECK, 11), alm_check_fill(w, RMSNORM_CHECK, 12);
    p[RMSNORM_CHECK] = a->rmsnorm(p, x, w, RMSNORM_CHECK, 1e-5f);
    q[RMSNORM_CHECK] = b->rmsnorm(q, x, w, RMSNORM_CHECK, 1e-5f);
    return alm_check_same(p, q, RMSNORM_CHECK + 1);
}
static bool check_rmsnorm_back(const alm_kernels *a, const alm_kernels *b) {
    float x[RMSNORM_CHECK], w[RMSNORM_CHECK], dy[RMSNORM_CHECK], p[RMSNORM_CHECK + 1], q[RMSNORM_CHECK + 1];
    alm_check_fill(x, RMSNORM_CHECK, 13), alm_check_fill(w, RMSNORM_CHECK, 14), alm_check_fill(dy, RMSNORM_CHECK, 15);
    for (int fresh = 1; fresh >= 0; fresh--) {
        p[RMSNORM_CHECK] = a->rmsnorm_back(p, dy, x, w, RMSNORM_CHECK, 1e-5f, fresh != 0);
        q[RMSNORM_CHECK] = b->rmsnorm_back(q, dy, x, w, RMSNORM_CHECK, 1e-5f, fresh != 0);
    }
    return alm_check_same(p, q, RMSNORM_CHECK + 1);
}
static bool check_rmsnorm_weight(const alm_kernels *a, const alm_kernels *b) {
    enum { ROWS = 3, N = RMSNORM_CHECK };
    float x[ROWS * N], dy[ROWS * N], r[ROWS], p[N] = {0}, q[N] = {0};
    alm_check_fill(x, ROWS * N, 16), alm_check_fill(dy, ROWS * N, 17), alm_check_fill(r, ROWS, 18);
    a->rmsnorm_weight(p, dy, x, r, ROWS, N, N);
    b->rmsnorm_weight(q, dy, x, r, ROWS, N, N);
    return alm_check_same(p, q, N);
}

#elif defined(ALM_LANES)
static float root_of_mean(float ss, size_t n, float eps) { return 1.0f / sqrtf(ss / (float)n + eps); }

static float rmsnorm(float *y, const float *x, const float *w, size_t n, float eps) {
    float ss = sum_squares(x, n);
    vf r = vf_set(root_of_mean(ss, n, eps));
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), r), vf_load(w + i)));
    if (i < n) vf_store_n(y + i, vf_mul(vf_mul(vf_load_n(x + i, n - i), r), vf_load_n(w + i, n - i)), n - i);
    return ss;
}

static float rmsnorm_back(float *dx, const float *dy, const float *x, const float *w, size_t n, float eps, bool fresh) {
    float root = root_of_mean(sum_squares(x, n), n, eps);
    vf r = vf_set(root);
    v16 p = v16_set(0.0f);
    for (size_t i = 0; i < n; i += 16) {
        size_t left = n - i < 16 ? n - i : 16;
        v16 a = v16_load_n(dy + i, left), b = v16_load_n(w + i, left), c = v16_load_n(x + i, left), q;
        for (size_t k = 0; k < ALM_PARTS; k++)
            q.part[k] = vf_fma(vf_mul(a.part[k], b.part[k]), vf_mul(c.part[k], r), p.part[k]);
        p = left == 16 ? q : v16_keep(q, p, left);
    }
    vf m = vf_set(v16_fold_add(p) / (float)n);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i;
        if (left >= ALM_LANES) {
            vf d = vf_mul(r, vf_fnma(vf_mul(vf_load(x + i), r), m, vf_mul(vf_load(dy + i), vf_load(w + i))));
            vf_store(dx + i, fresh ? d : vf_add(vf_load(dx + i), d));
        } else {
            vf d = vf_mul(r, vf_fnma(vf_mul(vf_load_n(x + i, left), r), m,
                                     vf_mul(vf_load_n(dy + i, left), vf_load_n(w + i, left))));
            vf_store_n(dx + i, fresh ? d : vf_add(vf_load_n(dx + i, left), d), left);
        }
    }
    return root;
}

static void rmsnorm_weight(float *dw, const float *dy, const float *x, const float *r, size_t n_rows, size_t stride,
                           size_t n) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf sum_ = vf_load_n(dw + i, left);
        for (size_t from = 0; from < n_rows; from += 256) {
            size_t to = n_rows - from < 256 ? n_rows : from + 256;
            vf t = vf_zero();
            if (left == ALM_LANES) {
                for (size_t k = from; k < to; k++)
                    t = vf_fma(vf_load(dy + k * stride + i), vf_mul(vf_load(x + k * stride + i), vf_set(r[k])), t);
            } else {
                for (size_t k = from; k < to; k++)
                    t = vf_fma(vf_load_n(dy + k * stride + i, left),
                               vf_mul(vf_load_n(x + k * stride + i, left), vf_set(r[k])), t);
            }
            sum_ = vf_add(sum_, t);
        }
        vf_store_n(dw + i, sum_, left);
    }
}
#endif
