/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/lanes_probe.c - every operation of one set of lanes, applied to arrays: built once per instruction set with
 * PROBE_HEADER ("tensor/kernel/lanes_avx2.h") and PROBE (probe_avx2); test_lanes.c compares what they write. */
#include PROBE_HEADER

#include "lanes_probe.h"

#include <stdlib.h>

#define EACH(out_n, expression)                                      \
    for (size_t i = 0; i < (out_n); i += ALM_LANES) {                \
        size_t n = (out_n)-i < ALM_LANES ? (out_n)-i : ALM_LANES;    \
        vf x = n < ALM_LANES ? vf_load_n(a + i, n) : vf_load(a + i); \
        vf y = n < ALM_LANES ? vf_load_n(b + i, n) : vf_load(b + i); \
        vf z = n < ALM_LANES ? vf_load_n(c + i, n) : vf_load(c + i); \
        vf r = (expression);                                         \
        (void)x, (void)y, (void)z;                                   \
        if (n < ALM_LANES) vf_store_n(out + i, r, n);                \
        else vf_store(out + i, r);                                   \
    }                                                                \
    break

/* Integers of the same bits. */
static vi bits_n(const float *at, size_t n) {
    int32_t part[16] = {0};
    memcpy(part, at, 4 * n);
    return n < ALM_LANES ? vi_load_n(part, n) : vi_load(part);
}
static void put_n(float *at, vi a, size_t n) {
    int32_t part[16] = {0};
    if (n < ALM_LANES) vi_store_n(part, a, n);
    else vi_store(part, a);
    memcpy(at, part, 4 * n);
}
#define EACH_I(out_n, expression)                                 \
    for (size_t i = 0; i < (out_n); i += ALM_LANES) {             \
        size_t n = (out_n)-i < ALM_LANES ? (out_n)-i : ALM_LANES; \
        vi x = bits_n(a + i, n), y = bits_n(b + i, n);            \
        (void)x, (void)y;                                         \
        put_n(out + i, (expression), n);                          \
    }                                                             \
    break

static vf yes(vm m) { return vf_select(m, vf_set(1.0f), vf_set(0.0f)); }

/* u16 there and back: an even number of whole stretches, then the tail. */
static vf through_16(vf x, size_t n, int how) {
    uint16_t half[17];
    memset(half, 0xa5, sizeof half);
    if (how == 0) {
        if (n < ALM_LANES) vf_store_bf16_n(half, x, n);
        else vf_store_bf16(half, x);
    } else if (how == 1) {
        if (n < ALM_LANES) vf_store_f16_n(half, x, n);
        else vf_store_f16(half, x);
    } else {
        if (n < ALM_LANES) vi_store_u16_n(half, vf_bits(x), n);
        else vi_store_u16(half, vf_bits(x));
    }
    for (size_t l = n; l < 17; l++)
        if (half[l] != 0xa5a5) abort(); /* a store went past its end */
    if (how == 0) return n < ALM_LANES ? vf_load_bf16_n(half, n) : vf_load_bf16(half);
    if (how == 1) return n < ALM_LANES ? vf_load_f16_n(half, n) : vf_load_f16(half);
    return vf_of_i(n < ALM_LANES ? vi_load_u16_n(half, n) : vi_load_u16(half));
}

bool PROBE(int op, float *out, const float *a, const float *b, const float *c, size_t count) {
    switch (op) {
    case 0: EACH(count, vf_add(x, y));
    case 1: EACH(count, vf_sub(x, y));
    case 2: EACH(count, vf_mul(x, y));
    case 3: EACH(count, vf_div(x, y));
    case 4: EACH(count, vf_sqrt(x));
    case 5: EACH(count, vf_fma(x, y, z));
    case 6: EACH(count, vf_fnma(x, y, z));
    case 7: EACH(count, vf_max(x, y));
    case 8: EACH(count, vf_min(x, y));
    case 9: EACH(count, vf_rint(x));
    case 10: EACH(count, yes(vf_lt(x, y)));
    case 11: EACH(count, yes(vf_le(x, y)));
    case 12: EACH(count, yes(vf_eq(x, y)));
    case 13: EACH(count, yes(vf_gt(x, y)));
    case 14: EACH(count, yes(vf_ge(x, y)));
    case 15: EACH(count, yes(vf_is_nan(x)));
    case 16: EACH(count, yes(vm_and(vf_lt(x, y), vf_lt(y, z))));
    case 17: EACH(count, yes(vm_or(vf_lt(x, y), vf_lt(y, z))));
    case 18: EACH(count, yes(vm_not(vf_lt(x, y))));
    case 19: EACH(count, vf_select(vf_lt(x, y), y, z));
    case 20: EACH(count, vf_abs(x));
    case 21: EACH(count, vf_neg(x));
    case 22: EACH(count, vf_copysign(x, y));
    /* Numbers that do not fit an integer are unspecified: left out. */
    case 23: EACH(count, vf_of_i(vi_of_f(vf_select(vf_lt(vf_abs(x), vf_set(0x1p30f)), x, vf_zero()))));
    case 24: EACH(count, vf_of_i(vf_bits(x)));
    case 25: EACH(count, through_16(x, n, 0));
    case 26: EACH(count, through_16(x, n, 1));
    case 27: EACH(count, through_16(x, n, 2));
    case 28: EACH(count, vf_gather(b, vi_and(vf_bits(x), vi_set(63))));
    case 29: EACH_I(count, vi_add(x, y));
    case 30: EACH_I(count, vi_sub(x, y));
    case 31: EACH_I(count, vi_mul(x, y));
    case 32: EACH_I(count, vi_and(x, y));
    case 33: EACH_I(count, vi_or(x, y));
    case 34: EACH_I(count, vi_xor(x, y));
    case 35: EACH_I(count, vi_shl(x, 0));
    case 36: EACH_I(count, vi_shl(x, 5));
    case 37: EACH_I(count, vi_shr(x, 0));
    case 38: EACH_I(count, vi_shr(x, 31));
    case 39: EACH_I(count, vi_shr(x, 9));
    case 40: EACH_I(count, vi_sar(x, 0));
    case 41: EACH_I(count, vi_sar(x, 31));
    case 42: EACH_I(count, vi_sar(x, 7));
    case 43: EACH_I(count, vi_select(vi_eq(x, y), vi_set(7), vi_set(-7)));
    case 44: EACH_I(count, vi_select(vi_gt(x, y), x, y));
    case 45: /* 16 numbers are one v16: the fold, whole and cut */
        for (size_t i = 0; i + 32 <= count; i += 16) {
            size_t n = i / 16 % 17;
            v16 p = v16_load(a + i), q = v16_load_n(b + i, n);
            v16_store(out + i, v16_keep(v16_fma(p, q, v16_load(c + i)), v16_add(p, q), n));
            out[i + 0] = v16_fold_add(p);
            out[i + 1] = v16_fold_max(p);
            out[i + 2] = v16_fold_max(v16_max(p, q));
            out[i + 3] = v16_fold_add(v16_set(a[i]));
        }
        break;
    case 46: { /* any, all: over 16 lanes in a row, so that the width does not show */
        for (size_t i = 0; i + 16 <= count; i += 16) {
            bool any = false, all = true;
            for (size_t l = 0; l < 16; l += ALM_LANES) {
                vm m = vf_lt(vf_load(a + i + l), vf_load(b + i + l));
                any = any || vm_any(m);
                all = all && vm_all(m);
            }
            out[i] = any ? 1.0f : 0.0f;
            out[i + 1] = all ? 1.0f : 0.0f;
        }
        break;
    }
    case 47: { /* a square turned twice is itself; turned once it has the right corner */
        for (size_t i = 0; i + 256 <= count; i += 256) {
            vf square[ALM_LANES];
            float back[ALM_LANES * ALM_LANES];
            for (size_t l = 0; l < ALM_LANES; l++) square[l] = vf_load(a + i + l * ALM_LANES);
            vf_turn(square);
            for (size_t l = 0; l < ALM_LANES; l++) vf_store(back + l * ALM_LANES, square[l]);
            for (size_t l = 0; l < ALM_LANES; l++)
                for (size_t k = 0; k < ALM_LANES; k++) out[i + l * ALM_LANES + k] = back[k * ALM_LANES + l];
            for (size_t l = ALM_LANES * ALM_LANES; l < 256; l++) out[i + l] = a[i + l];
        }
        break;
    }
    default: return false;
    }
    return true;
}
