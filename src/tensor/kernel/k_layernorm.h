/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_layernorm.h - one row of a layer norm, forward and back, and the gradient of its weights.
 *
 *   m = (rule D of x) / n;  ss = rule D of (x - m)²;  r = 1 / sqrt(ss / n + eps);  z = (x - m) r;  y = z w, then + b
 *   back:  g = dy w;  s = rule D of g;  q = rule D of g z;  dx = r ((g - s / n) - z (q / n));  dw = rule C over rows of dy z */
#if defined(ALM_KERNEL)
/* b may be NULL; gives ss. */
ALM_KERNEL(float, layernorm, (float *y, const float *x, const float *w, const float *b, size_t n, float eps))
/* Writes dx where `fresh`, else adds; at_row[2] becomes m, r. */
ALM_KERNEL(void, layernorm_back,
           (float *dx, const float *dy, const float *x, const float *w, size_t n, float eps, bool fresh, float *at_row))
/* dw[0..n) of a stretch of columns; rows of dy and x lie `stride` apart; m, r of row k at at_row[2 k]. */
ALM_KERNEL(void, layernorm_weight,
           (float *dw, const float *dy, const float *x, const float *at_row, size_t n_rows, size_t stride, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
enum { LAYERNORM_CHECK = 43 };

static bool check_layernorm(const alm_kernels *a, const alm_kernels *b) {
    enum { N = LAYERNORM_CHECK };
    float x[N], w[N], bias[N], p[N + 1], q[N + 1];
    alm_check_fill(x, N, 61), alm_check_fill(w, N, 62), alm_check_fill(bias, N, 63);
    for (int with = 0; with < 2; with++) {
        p[N] = a->layernorm(p, x, w, with ? bias : NULL, N, 1e-5f);
        q[N] = b->layernorm(q, x, w, with ? bias : NULL, N, 1e-5f);
        if (!alm_check_same(p, q, N + 1)) return false;
    }
    return true;
}
static bool check_layernorm_back(const alm_kernels *a, const alm_kernels *b) {
    enum { N = LAYERNORM_CHECK };
    float x[N], w[N], dy[N], p[N + 2], q[N + 2];
    alm_check_fill(x, N, 64), alm_check_fill(w, N, 65), alm_check_fill(dy, N, 66);
    for (int fresh = 1; fresh >= 0; fresh--) {
        a->layernorm_back(p, dy, x, w, N, 1e-5f, fresh != 0, p + N);
        b->layernorm_back(q, dy, x, w, N, 1e-5f, fresh != 0, q + N);
    }
    return alm_check_same(p, q, N + 2);
}
static bool check_layernorm_weight(const alm_kernels *a, const alm_kernels *b) {
    enum { ROWS = 3, N = LAYERNORM_CHECK };
    float x[ROWS * N], dy[ROWS * N], at_row[2 * ROWS], p[N] = {0}, q[N] = {0};
    alm_check_fill(x, ROWS * N, 67), alm_check_fill(dy, ROWS * N, 68), alm_check_fill(at_row, 2 * ROWS, 69);
    a->layernorm_weight(p, dy, x, at_row, ROWS, N, N);
    b->layernorm_weight(q, dy, x, at_row, ROWS, N, N);
    return alm_check_same(p, q, N);
}

#elif defined(ALM_LANES)
/* *m the mean; gives the sum of squares of what differs from it. */
static float squares_about(float *m, const float *x, size_t n) {
    float mean = sum(x, n) / (float)n;
    vf by = vf_set(mean);
    v16 p = v16_set(0.0f);
    for (size_t i = 0; i < n; i += 16) {
        size_t left = n - i < 16 ? n - i : 16;
        v16 a = v16_load_n(x + i, left), q;
        for (size_t k = 0; k < ALM_PARTS; k++) {
            vf d = vf_sub(a.part[k], by);
            q.part[k] = vf_fma(d, d, p.part[k]);
        }
        p = left == 16 ? q : v16_keep(q, p, left);
    }
    *m = mean;
    return v16_fold_add(p);
}

static float layernorm(float *y, const float *x, const float *w, const float *b, size_t n, float eps) {
    float mean, ss = squares_about(&mean, x, n);
    vf m = vf_set(mean), r = vf_set(root_of_mean(ss, n, eps));
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf a = vf_mul(vf_mul(vf_sub(vf_load_n(x + i, left), m), r), vf_load_n(w + i, left));
        vf_store_n(y + i, b ? vf_add(a, vf_load_n(b + i, left)) : a, left);
    }
    return ss;
}

static void layernorm_back(float *dx, const float *dy, const float *x, const float *w, size_t n, float eps, bool fresh,
                           float *at_row) {
    float ss = squares_about(&at_row[0], x, n);
    at_row[1] = root_of_mean(ss, n, eps);
    vf m = vf_set(at_row[0]), r = vf_set(at_row[1]);
    v16 p = v16_set(0.0f), q = v16_set(0.0f);
    for (size_t i = 0; i < n; i += 16) {
        size_t left = n - i < 16 ? n - i : 16;
        v16 a = v16_load_n(dy + i, left), b = v16_load_n(w + i, left), c = v16_load_n(x + i, left), p1, q1;
        for (size_t k = 0; k < ALM_PARTS; k++) {
            vf g = vf_mul(a.part[k], b.part[k]);
            p1.part[k] = vf_add(p.part[k], g);
            q1.part[k] = vf_fma(g, vf_mul(vf_sub(c.part[k], m), r), q.part[k]);
        }
        p = left == 16 ? p1 : v16_keep(p1, p, left);
        q = left == 16 ? q1 : v16_keep(q1, q, left);
    }
    vf s = vf_set(v16_fold_add(p) / (float)n), t = vf_set(v16_fold_add(q) / (float)n);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf g = vf_mul(vf_load_n(dy + i, left), vf_load_n(w + i, left));
        vf z = vf_mul(vf_sub(vf_load_n(x + i, left), m), r);
        vf d = vf_mul(r, vf_fnma(z, t, vf_sub(g, s)));
        vf_store_n(dx + i, fresh ? d : vf_add(vf_load_n(dx + i, left), d), left);
    }
}

static void layernorm_weight(float *dw, const float *dy, const float *x, const float *at_row, size_t n_rows,
                             size_t stride, size_t n) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf all = vf_load_n(dw + i, left);
        for (size_t from = 0; from < n_rows; from += 256) {
            size_t to = n_rows - from < 256 ? n_rows : from + 256;
            vf t = vf_zero();
            for (size_t k = from; k < to; k++) {
                vf z = vf_mul(vf_sub(vf_load_n(x + k * stride + i, left), vf_set(at_row[2 * k])),
                              vf_set(at_row[2 * k + 1]));
                t = vf_fma(vf_load_n(dy + k * stride + i, left), z, t);
            }
            all = vf_add(all, t);
        }
        vf_store_n(dw + i, all, left);
    }
}
#endif
