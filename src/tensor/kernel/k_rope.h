/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_rope.h - turning the pairs of one head:  a' = fma(a, c, -(b s)),  b' = fma(a, s, b c)  (rule G).
 *
 * Back is the turn by the opposite angle: s with the other sign. */
#if defined(ALM_KERNEL)
/* sign: 1 or -1. Pairs (i, i + n_pairs), or (2i, 2i + 1) where `interleaved`. Writes where `fresh`, else adds. */
ALM_KERNEL(void, rope,
           (float *y, const float *x, const float *cos_, const float *sin_, size_t n_pairs, float sign,
            bool interleaved, bool fresh))

#elif defined(ALM_KERNEL_CHECKS)
static bool check_rope(const alm_kernels *a, const alm_kernels *b) {
    enum { N = 21 };
    float x[2 * N], c[N], s[N], p[2 * N] = {0}, q[2 * N] = {0};
    alm_check_fill(x, 2 * N, 51), alm_check_fill(c, N, 52), alm_check_fill(s, N, 53);
    for (int form = 3; form >= 0; form--) {
        float sign = form & 1 ? 1.0f : -1.0f;
        a->rope(p, x, c, s, N, sign, (form & 1) != 0, (form & 2) != 0);
        b->rope(q, x, c, s, N, sign, (form & 1) != 0, (form & 2) != 0);
        if (!alm_check_same(p, q, 2 * N)) return false;
    }
    return true;
}

#elif defined(ALM_LANES)
static void rope(float *y, const float *x, const float *cos_, const float *sin_, size_t n_pairs, float sign,
                 bool interleaved, bool fresh) {
    if (interleaved) { /* left to the compiler: lanes have no shuffles, and the table is small beside the products */
        for (size_t i = 0; i < n_pairs; i++) {
            float a = x[2 * i], b = x[2 * i + 1], c = cos_[i], s = sin_[i] * sign;
            float p = fmaf(a, c, -(b * s)), q = fmaf(a, s, b * c);
            y[2 * i] = fresh ? p : y[2 * i] + p;
            y[2 * i + 1] = fresh ? q : y[2 * i + 1] + q;
        }
        return;
    }
    for (size_t i = 0; i < n_pairs; i += ALM_LANES) {
        size_t left = n_pairs - i < ALM_LANES ? n_pairs - i : ALM_LANES;
        vf a = vf_load_n(x + i, left), b = vf_load_n(x + n_pairs + i, left), c = vf_load_n(cos_ + i, left);
        vf s = vf_mul(vf_load_n(sin_ + i, left), vf_set(sign));
        vf p = vf_fma(a, c, vf_neg(vf_mul(b, s))), q = vf_fma(a, s, vf_mul(b, c));
        float *lower = y + i, *upper = y + n_pairs + i;
        vf_store_n(lower, fresh ? p : vf_add(vf_load_n(lower, left), p), left);
        vf_store_n(upper, fresh ? q : vf_add(vf_load_n(upper, left), q), left);
    }
}
#endif
