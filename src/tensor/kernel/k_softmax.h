/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_softmax.h - exponentials of a row and their sum (rule D), for attention and for the loss. */
#if defined(ALM_KERNEL)
/* x = exp(x - m); gives their sum. */
ALM_KERNEL(float, exp_sum, (float *x, size_t n, float m))
/* A row of scores over absolute positions, of which [lo, hi) count: s = exp(s scale - m), m their largest; +0 at the other
 * positions of the stretches of 16 in which lo and hi - 1 lie. Gives the sum, partials by position mod 16. Not finite where a
 * score is not. scale > 0. sink, where it is not NULL, is one more score, as it stands: m is the largest with it,
 * *sink = exp(*sink - m) is added to the sum last. */
ALM_KERNEL(float, attention_row, (float *s, size_t lo, size_t hi, float scale, float *sink))
/* Back through a row of probabilities p: D = rule D of p dp;  dp = (p (dp - D)) scale. The same stretches. Gives D. */
ALM_KERNEL(float, attention_row_back, (float *dp, const float *p, size_t lo, size_t hi, float scale))
/* Back through y = c tanh(x / c), t = tanh(x / c):  dx = dx fma(-t, t, 1). */
ALM_KERNEL(void, capped_row_back, (float *dx, const float *t, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
enum { SOFTMAX_CHECK = 75, SOFTMAX_ROOM = 80 };

static bool check_exp_sum(const alm_kernels *a, const alm_kernels *b) {
    float p[SOFTMAX_CHECK + 1], q[SOFTMAX_CHECK + 1];
    alm_check_fill(p, SOFTMAX_CHECK, 31), alm_check_fill(q, SOFTMAX_CHECK, 31);
    p[SOFTMAX_CHECK] = a->exp_sum(p, SOFTMAX_CHECK, 9.0f), q[SOFTMAX_CHECK] = b->exp_sum(q, SOFTMAX_CHECK, 9.0f);
    return alm_check_same(p, q, SOFTMAX_CHECK + 1);
}
static bool check_attention_row(const alm_kernels *a, const alm_kernels *b) {
    for (size_t lo = 0; lo < SOFTMAX_CHECK; lo += 37) {
        float p[SOFTMAX_ROOM + 2], q[SOFTMAX_ROOM + 2];
        alm_check_fill(p, SOFTMAX_ROOM, 32), alm_check_fill(q, SOFTMAX_ROOM, 32);
        float *sink_p = p + SOFTMAX_ROOM, *sink_q = q + SOFTMAX_ROOM;
        *sink_p = *sink_q = 0.7f;
        p[SOFTMAX_ROOM + 1] = a->attention_row(p, lo, SOFTMAX_CHECK, 0.3f, lo ? sink_p : NULL);
        q[SOFTMAX_ROOM + 1] = b->attention_row(q, lo, SOFTMAX_CHECK, 0.3f, lo ? sink_q : NULL);
        if (!alm_check_same(p, q, SOFTMAX_ROOM + 2)) return false;
    }
    return true;
}
static bool check_attention_row_back(const alm_kernels *a, const alm_kernels *b) {
    float p[SOFTMAX_ROOM + 1], q[SOFTMAX_ROOM + 1], prob[SOFTMAX_ROOM];
    alm_check_fill(p, SOFTMAX_ROOM, 33), alm_check_fill(q, SOFTMAX_ROOM, 33), alm_check_fill(prob, SOFTMAX_ROOM, 34);
    p[SOFTMAX_ROOM] = a->attention_row_back(p, prob, 21, SOFTMAX_CHECK, 0.3f);
    q[SOFTMAX_ROOM] = b->attention_row_back(q, prob, 21, SOFTMAX_CHECK, 0.3f);
    return alm_check_same(p, q, SOFTMAX_ROOM + 1);
}
static bool check_capped_row_back(const alm_kernels *a, const alm_kernels *b) {
    float p[SOFTMAX_CHECK], q[SOFTMAX_CHECK], t[SOFTMAX_CHECK];
    alm_check_fill(p, SOFTMAX_CHECK, 35), alm_check_fill(q, SOFTMAX_CHECK, 35), alm_check_fill(t, SOFTMAX_CHECK, 36);
    a->capped_row_back(p, t, SOFTMAX_CHECK), b->capped_row_back(q, t, SOFTMAX_CHECK);
    return alm_check_same(p, q, SOFTMAX_CHECK);
}

#elif defined(ALM_LANES)
#include "tensor/math/exp.h"

static inline v16 exp_minus(v16 a, float m) {
    for (size_t i = 0; i < ALM_PARTS; i++) a.part[i] = vf_exp(vf_sub(a.part[i], vf_set(m)));
    return a;
}

static float exp_sum(float *x, size_t n, float m) {
    v16 p = v16_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16 e = exp_minus(v16_load(x + i), m);
        v16_store(x + i, e);
        p = v16_add(p, e);
    }
    if (i < n) {
        float tail[16];
        v16_store(tail, exp_minus(v16_load_n(x + i, n - i), m));
        for (size_t l = 0; i + l < n; l++) x[i + l] = tail[l];
        p = v16_add(p, v16_load_n(x + i, n - i));
    }
    return v16_fold_add(p);
}

static float attention_row(float *s, size_t lo, size_t hi, float scale, float *sink) {
    size_t from = lo & ~(size_t)15, to = (hi + 15) & ~(size_t)15;
    for (size_t p = from; p < lo; p++) s[p] = -HUGE_VALF; /* exp makes +0 of it */
    for (size_t p = hi; p < to; p++) s[p] = -HUGE_VALF;
    v16 most = v16_set(-HUGE_VALF);
    for (size_t p = from; p < to; p += 16) {
        v16 a = v16_load(s + p);
        for (size_t i = 0; i < ALM_PARTS; i++) a.part[i] = vf_mul(a.part[i], vf_set(scale));
        v16_store(s + p, a);
        most = v16_max(a, most);
    }
    float m = v16_fold_max(most);
    if (sink && *sink > m) m = *sink;
    v16 sum_ = v16_set(0.0f);
    for (size_t p = from; p < to; p += 16) {
        v16 e = exp_minus(v16_load(s + p), m);
        v16_store(s + p, e);
        sum_ = v16_add(sum_, e);
    }
    float total = v16_fold_add(sum_);
    if (!sink) return total;
    float e[ALM_LANES];
    vf_store(e, vf_exp(vf_sub(vf_set(*sink), vf_set(m))));
    *sink = e[0];
    return total + e[0];
}

static float attention_row_back(float *dp, const float *p, size_t lo, size_t hi, float scale) {
    size_t from = lo & ~(size_t)15, to = (hi + 15) & ~(size_t)15;
    v16 sum_ = v16_set(0.0f);
    for (size_t k = from; k < to; k += 16) sum_ = v16_fma(v16_load(p + k), v16_load(dp + k), sum_);
    float total = v16_fold_add(sum_);
    vf d = vf_set(total), by = vf_set(scale);
    for (size_t k = from; k < to; k += 16) {
        v16 a = v16_load(dp + k), b = v16_load(p + k);
        for (size_t i = 0; i < ALM_PARTS; i++) a.part[i] = vf_mul(vf_mul(b.part[i], vf_sub(a.part[i], d)), by);
        v16_store(dp + k, a);
    }
    return total;
}

static void capped_row_back(float *dx, const float *t, size_t n) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = n - i < ALM_LANES ? n - i : ALM_LANES;
        vf a = vf_load_n(t + i, left);
        vf_store_n(dx + i, vf_mul(vf_load_n(dx + i, left), vf_fma(vf_neg(a), a, vf_set(1.0f))), left);
    }
}
#endif
