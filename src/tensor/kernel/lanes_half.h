/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/lanes_half.h - IEEE binary16 in integer operations, for lanes whose machine cannot convert it.
 *
 * Decoding is exact; encoding rounds to nearest even, keeps denormals, gives infinity from 65520 on, and a quiet NaN for
 * NaN. */
#ifndef ALM_LANES_HALF_H
#define ALM_LANES_HALF_H

#include <stdint.h>
#include <string.h>

static inline float alm_half_decode(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 1023, bits;
    if (e == 0) {
        /* m * 2^-24: exact, and normal in f32. */
        float f = (float)m * 0x1p-24f;
        memcpy(&bits, &f, 4);
        bits |= sign;
    } else if (e == 31) {
        bits = sign | 0x7f800000 | m << 13 | (m ? 0x400000 : 0);
    } else {
        bits = sign | (e + 112) << 23 | m << 13;
    }
    float out;
    memcpy(&out, &bits, 4);
    return out;
}

static inline uint16_t alm_half_encode(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 */
    if (size < 0x38800000) {                                  /* below 2^-14: steps of 2^-24 */
        uint32_t e = size >> 23, m = (size & 0x7fffff) | (e ? 0x800000 : 0);
        if (e < 102) return (uint16_t)sign; /* below half a step */
        uint32_t cut = 126 - e, low = m & ((1U << cut) - 1), half = 1U << (cut - 1);
        uint32_t out = m >> cut;
        out += low > half || (low == half && (out & 1));
        return (uint16_t)(sign | out);
    }
    uint32_t out = size + 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | ((out - 0x38000000) >> 13));
}

#endif
