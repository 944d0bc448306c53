/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_gate.h - number by number: GELU in its two forms, alone and as a gate; the clamped gate of gpt-oss; a
 * factor; a soft limit.
 *
 *   tanh form:  t = tanh(x fma(x², c1, c0)), c0 = sqrt(2/π), c1 = 0.044715 c0;  gelu = (x / 2) (1 + t)
 *               slope = fma((x / 2) fma(-t, t, 1), fma(x², 3 c1, c0), (1 + t) / 2)
 *   erf form:   e = erf(x sqrt(1/2));  gelu = (x / 2) (1 + e);  slope = fma(x exp(-(x²) / 2), 1/sqrt(2π), (1 + e) / 2)
 *   geglu:      y = gelu(g) u;  dg = (dy u) slope(g);  du = dy gelu(g)
 *   clamped:    g at most `limit`, u within ±limit;  y = (u + 1) (g / (1 + exp(-(a g))))
 *               s = 1 / (1 + exp(-(a g)));  dg = (dy (u + 1)) (s fma(a g, 1 - s, 1)), 0 beyond the limit;
 *               du = dy (g / (1 + exp(-(a g)))), 0 beyond the limit
 *   softcap:    t = tanh(x / c);  y = c t;  dx = dy fma(-t, t, 1) */
#if defined(ALM_KERNEL)
ALM_KERNEL(void, gelu, (float *y, const float *x, size_t n, bool by_erf))
/* Here and below: writes where `fresh`, else adds. */
ALM_KERNEL(void, gelu_back, (float *dx, const float *dy, const float *x, size_t n, bool by_erf, bool fresh))
ALM_KERNEL(void, geglu, (float *y, const float *gate, const float *up, size_t n, bool by_erf))
ALM_KERNEL(void, geglu_back,
           (float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n, bool by_erf,
            bool fresh_gate, bool fresh_up))
ALM_KERNEL(void, clamped_swiglu, (float *y, const float *gate, const float *up, size_t n, float a, float limit))
ALM_KERNEL(void, clamped_swiglu_back,
           (float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n, float a,
            float limit, bool fresh_gate, bool fresh_up))
ALM_KERNEL(void, softcap, (float *y, const float *x, size_t n, float c))
ALM_KERNEL(void, softcap_back, (float *dx, const float *dy, const float *x, size_t n, float c, bool fresh))
ALM_KERNEL(void, times,
           (float *y, const float *x, size_t n, float by, bool fresh)) /* y = x by, or y + x by: two roundings */

#elif defined(ALM_KERNEL_CHECKS)
enum { GATE_CHECK = 43 };

static bool check_gelu(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], p[2 * GATE_CHECK], q[2 * GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 41);
    for (size_t e = 0; e < 2; e++) {
        a->gelu(p + e * GATE_CHECK, x, GATE_CHECK, e != 0), b->gelu(q + e * GATE_CHECK, x, GATE_CHECK, e != 0);
    }
    return alm_check_same(p, q, 2 * GATE_CHECK);
}
static bool check_gelu_back(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], dy[GATE_CHECK], p[GATE_CHECK] = {0}, q[GATE_CHECK] = {0};
    alm_check_fill(x, GATE_CHECK, 42), alm_check_fill(dy, GATE_CHECK, 43);
    for (int e = 0; e < 4; e++) {
        a->gelu_back(p, dy, x, GATE_CHECK, (e & 1) != 0, (e & 2) != 0);
        b->gelu_back(q, dy, x, GATE_CHECK, (e & 1) != 0, (e & 2) != 0);
        if (!alm_check_same(p, q, GATE_CHECK)) return false;
    }
    return true;
}
static bool check_geglu(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], y[GATE_CHECK], p[2 * GATE_CHECK], q[2 * GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 44), alm_check_fill(y, GATE_CHECK, 45);
    for (size_t e = 0; e < 2; e++) {
        a->geglu(p + e * GATE_CHECK, x, y, GATE_CHECK, e != 0), b->geglu(q + e * GATE_CHECK, x, y, GATE_CHECK, e != 0);
    }
    return alm_check_same(p, q, 2 * GATE_CHECK);
}
static bool check_geglu_back(const alm_kernels *a, const alm_kernels *b) {
    enum { N = GATE_CHECK };
    float x[N], y[N], dy[N], p[2 * N] = {0}, q[2 * N] = {0};
    alm_check_fill(x, N, 46), alm_check_fill(y, N, 47), alm_check_fill(dy, N, 48);
    for (int e = 0; e < 8; e++) {
        a->geglu_back(p, p + N, dy, x, y, N, (e & 1) != 0, (e & 2) != 0, (e & 4) != 0);
        b->geglu_back(q, q + N, dy, x, y, N, (e & 1) != 0, (e & 2) != 0, (e & 4) != 0);
        if (!alm_check_same(p, q, 2 * N)) return false;
    }
    return true;
}
static bool check_clamped_swiglu(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], y[GATE_CHECK], p[GATE_CHECK], q[GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 49), alm_check_fill(y, GATE_CHECK, 50);
    a->clamped_swiglu(p, x, y, GATE_CHECK, 1.702f, 3.0f), b->clamped_swiglu(q, x, y, GATE_CHECK, 1.702f, 3.0f);
    return alm_check_same(p, q, GATE_CHECK);
}
static bool check_clamped_swiglu_back(const alm_kernels *a, const alm_kernels *b) {
    enum { N = GATE_CHECK };
    float x[N], y[N], dy[N], p[2 * N] = {0}, q[2 * N] = {0};
    alm_check_fill(x, N, 51), alm_check_fill(y, N, 52), alm_check_fill(dy, N, 53);
    for (int e = 0; e < 4; e++) {
        a->clamped_swiglu_back(p, p + N, dy, x, y, N, 1.702f, 3.0f, (e & 1) != 0, (e & 2) != 0);
        b->clamped_swiglu_back(q, q + N, dy, x, y, N, 1.702f, 3.0f, (e & 1) != 0, (e & 2) != 0);
        if (!alm_check_same(p, q, 2 * N)) return false;
    }
    return true;
}
static bool check_softcap(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], p[GATE_CHECK], q[GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 54);
    a->softcap(p, x, GATE_CHECK, 5.0f), b->softcap(q, x, GATE_CHECK, 5.0f);
    return alm_check_same(p, q, GATE_CHECK);
}
static bool check_softcap_back(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], dy[GATE_CHECK], p[GATE_CHECK], q[GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 55), alm_check_fill(dy, GATE_CHECK, 56);
    for (int fresh = 1; fresh >= 0; fresh--) {
        a->softcap_back(p, dy, x, GATE_CHECK, 5.0f, fresh != 0),
            b->softcap_back(q, dy, x, GATE_CHECK, 5.0f, fresh != 0);
    }
    return alm_check_same(p, q, GATE_CHECK);
}
static bool check_times(const alm_kernels *a, const alm_kernels *b) {
    float x[GATE_CHECK], p[GATE_CHECK], q[GATE_CHECK];
    alm_check_fill(x, GATE_CHECK, 57);
    for (int fresh = 1; fresh >= 0; fresh--) {
        a->times(p, x, GATE_CHECK, 0.3f, fresh != 0), b->times(q, x, GATE_CHECK, 0.3f, fresh != 0);
    }
    return alm_check_same(p, q, GATE_CHECK);
}

#elif defined(ALM_LANES)
#include "tensor/math/erf.h"
#include "tensor/math/exp.h"
#include "tensor/math/tanh.h"

/* Tails and whole vectors go one way: computing costs more here than loading. */
static inline size_t lanes_left(size_t left) { return left < ALM_LANES ? left : ALM_LANES; }

#define GELU_C0 0x1.988454p-1f /* sqrt(2/π) */
#define GELU_C1 0x1.2444f2p-5f /* 0.044715 sqrt(2/π) */
#define GELU_C3 0x1.b6676cp-4f /* 3 times that */

/* What both gelu and its slope need: 1 + tanh(..) or 1 + erf(..), and the inner value. */
static inline vf gelu_step(vf x, bool by_erf) {
    const vf one = vf_set(1.0f);
    if (by_erf) return vf_add(one, vf_erf(vf_mul(x, vf_set(0x1.6a09e6p-1f))));
    return vf_add(one, vf_tanh(vf_mul(x, vf_fma(vf_mul(x, x), vf_set(GELU_C1), vf_set(GELU_C0)))));
}
static inline vf gelu_of(vf x, vf step) { return vf_mul(vf_mul(x, vf_set(0.5f)), step); }
static inline vf gelu_slope(vf x, vf step, bool by_erf) {
    const vf one = vf_set(1.0f), half = vf_set(0.5f);
    vf x2 = vf_mul(x, x), level = vf_mul(step, half);
    if (by_erf) return vf_fma(vf_mul(x, vf_exp(vf_mul(x2, vf_set(-0.5f)))), vf_set(0x1.988454p-2f), level);
    vf t = vf_sub(step, one);
    return vf_fma(vf_mul(vf_mul(x, half), vf_fnma(t, t, one)), vf_fma(x2, vf_set(GELU_C3), vf_set(GELU_C0)), level);
}

static inline void put(float *at, vf a, size_t n, bool fresh) {
    vf_store_n(at, fresh ? a : vf_add(vf_load_n(at, n), a), n);
}

static void gelu(float *y, const float *x, size_t n, bool by_erf) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf a = vf_load_n(x + i, left);
        vf_store_n(y + i, gelu_of(a, gelu_step(a, by_erf)), left);
    }
}

static void gelu_back(float *dx, const float *dy, const float *x, size_t n, bool by_erf, bool fresh) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf a = vf_load_n(x + i, left);
        put(dx + i, vf_mul(vf_load_n(dy + i, left), gelu_slope(a, gelu_step(a, by_erf), by_erf)), left, fresh);
    }
}

static void geglu(float *y, const float *gate, const float *up, size_t n, bool by_erf) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf g = vf_load_n(gate + i, left);
        vf_store_n(y + i, vf_mul(gelu_of(g, gelu_step(g, by_erf)), vf_load_n(up + i, left)), left);
    }
}

static void geglu_back(float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n,
                       bool by_erf, bool fresh_gate, bool fresh_up) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf g = vf_load_n(gate + i, left), u = vf_load_n(up + i, left), d = vf_load_n(dy + i, left);
        vf step = gelu_step(g, by_erf);
        put(dgate + i, vf_mul(vf_mul(d, u), gelu_slope(g, step, by_erf)), left, fresh_gate);
        put(dup + i, vf_mul(d, gelu_of(g, step)), left, fresh_up);
    }
}

/* The comparisons let a NaN through. */
static inline vf at_most(vf a, vf limit) { return vf_select(vf_gt(a, limit), limit, a); }
static inline vf at_least(vf a, vf limit) { return vf_select(vf_lt(a, limit), limit, a); }

static void clamped_swiglu(float *y, const float *gate, const float *up, size_t n, float a, float limit) {
    const vf one = vf_set(1.0f), most = vf_set(limit), least = vf_set(-limit);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf g = at_most(vf_load_n(gate + i, left), most);
        vf u = at_least(at_most(vf_load_n(up + i, left), most), least);
        vf below = vf_add(one, vf_exp(vf_neg(vf_mul(vf_set(a), g))));
        vf_store_n(y + i, vf_mul(vf_add(u, one), vf_div(g, below)), left);
    }
}

static void clamped_swiglu_back(float *dgate, float *dup, const float *dy, const float *gate, const float *up, size_t n,
                                float a, float limit, bool fresh_gate, bool fresh_up) {
    const vf one = vf_set(1.0f), most = vf_set(limit), least = vf_set(-limit);
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf g0 = vf_load_n(gate + i, left), u0 = vf_load_n(up + i, left), d = vf_load_n(dy + i, left);
        vf g = at_most(g0, most), u = at_least(at_most(u0, most), least), ag = vf_mul(vf_set(a), g);
        vf below = vf_add(one, vf_exp(vf_neg(ag))), s = vf_div(one, below);
        vf dg = vf_mul(vf_mul(d, vf_add(u, one)), vf_mul(s, vf_fma(ag, vf_sub(one, s), one)));
        vf du = vf_mul(d, vf_div(g, below));
        put(dgate + i, vf_select(vf_gt(g0, most), vf_zero(), dg), left, fresh_gate);
        put(dup + i, vf_select(vm_or(vf_gt(u0, most), vf_lt(u0, least)), vf_zero(), du), left, fresh_up);
    }
}

static void softcap(float *y, const float *x, size_t n, float c) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf_store_n(y + i, vf_mul(vf_set(c), vf_tanh(vf_div(vf_load_n(x + i, left), vf_set(c)))), left);
    }
}

static void softcap_back(float *dx, const float *dy, const float *x, size_t n, float c, bool fresh) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        vf t = vf_tanh(vf_div(vf_load_n(x + i, left), vf_set(c)));
        put(dx + i, vf_mul(vf_load_n(dy + i, left), vf_fnma(t, t, vf_set(1.0f))), left, fresh);
    }
}

static void times(float *y, const float *x, size_t n, float by, bool fresh) {
    for (size_t i = 0; i < n; i += ALM_LANES) {
        size_t left = lanes_left(n - i);
        put(y + i, vf_mul(vf_load_n(x + i, left), vf_set(by)), left, fresh);
    }
}
#endif
