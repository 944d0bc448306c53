/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/exp_interim.h - exp over lanes until tensor/math has its own. */
#ifndef ALM_EXP_INTERIM_H
#define ALM_EXP_INTERIM_H
static inline vf vf_exp(vf x) {
    vf n = vf_rint(vf_mul(x, vf_set(0x1.715476p+0f)));
    vf r = vf_fma(n, vf_set(-0x1.62e4p-1f), x);
    r = vf_fma(n, vf_set(-0x1.7f7d1cp-20f), r);
    vf p = vf_set(0x1.6ce2b4p-10f);
    p = vf_fma(p, r, vf_set(0x1.126f14p-7f));
    p = vf_fma(p, r, vf_set(0x1.55553p-5f));
    p = vf_fma(p, r, vf_set(0x1.55541p-3f));
    p = vf_fma(p, r, vf_set(0.5f));
    p = vf_fma(p, r, vf_set(1.0f));
    p = vf_fma(p, r, vf_set(1.0f));
    vi e = vi_of_f(vf_min(vf_max(n, vf_set(-200.0f)), vf_set(200.0f))), h = vi_sar(e, 1);
    vf a = vf_of_bits(vi_shl(vi_add(h, vi_set(127)), 23)), b = vf_of_bits(vi_shl(vi_add(vi_sub(e, h), vi_set(127)), 23));
    vf y = vf_mul(vf_mul(p, a), b);
    y = vf_select(vf_lt(vf_set(88.72283f), x), vf_set(HUGE_VALF), y);
    y = vf_select(vf_le(x, vf_set(-87.33654f)), vf_zero(), y);
    return vf_select(vf_is_nan(x), x, y);
}
#endif
