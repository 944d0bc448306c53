/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/k_scales.h - the 12 bytes in which q4_k and q5_k keep 8 scales and 8 minima of 6 bits; private to this room.
 *
 *   byte j      (0..3)   scale j below the two high bits of scale j + 4
 *   byte 4 + j           minimum j below the two high bits of minimum j + 4
 *   byte 8 + j           four low bits of scale j + 4 below those of minimum j + 4 */
#ifndef ALM_DTYPE_K_SCALES_H
#define ALM_DTYPE_K_SCALES_H

#include <stdint.h>

static inline void alm_k_scale(unsigned *scale, unsigned *minimum, const uint8_t *at, unsigned j) {
    if (j < 4) {
        *scale = at[j] & 63, *minimum = at[j + 4] & 63;
    } else {
        *scale = (at[j + 4] & 15U) | (unsigned)at[j - 4] >> 6 << 4;
        *minimum = (unsigned)at[j + 4] >> 4 | (unsigned)at[j] >> 6 << 4;
    }
}

static inline void alm_put_k_scales(uint8_t *at, const unsigned *scale, const unsigned *minimum) {
    for (unsigned j = 0; j < 4; j++) {
        at[j] = (uint8_t)(scale[j] | scale[j + 4] >> 4 << 6);
        at[4 + j] = (uint8_t)(minimum[j] | minimum[j + 4] >> 4 << 6);
        at[8 + j] = (uint8_t)((scale[j + 4] & 15) | (minimum[j + 4] & 15) << 4);
    }
}

#endif
