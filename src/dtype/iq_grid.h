/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq_grid.h - the codebooks of the IQ types, and how a sign byte is told with seven bits; private to this room.
 *
 * A code names a point of a codebook: 8 numbers (iq2, iq1) or 4 (iq3). iq_grid.inc keeps a point as the indices of its numbers
 * among the levels of the codebook, 2 bits each (3 for iq3), the first number lowest. */
#ifndef ALM_DTYPE_IQ_GRID_H
#define ALM_DTYPE_IQ_GRID_H

#include "dtype/block.h"

extern const uint16_t alm_grid_iq2_xxs[256], alm_grid_iq2_xs[512], alm_grid_iq2_s[1024]; /* levels 8, 25, 43 */
extern const uint16_t alm_grid_iq3_xxs[256];                                             /* 4, 12, 20 … 52, 62 */
extern const uint16_t alm_grid_iq3_s[512];                                               /* 1, 3, 5 … 15 */
extern const uint16_t alm_grid_iq1[2048];                                                /* -1, 0, 1 */

/* Bit i: number i of eight is negative. The eighth bit makes the number of set bits even. */
static inline unsigned alm_iq_signs(unsigned seven) {
    unsigned odd = seven ^ seven >> 4;
    odd ^= odd >> 2, odd ^= odd >> 1;
    return seven | (odd & 1) << 7;
}

static inline void alm_iq2_point(float *out, unsigned point, unsigned signs, float by) {
    static const float level[4] = {8, 25, 43, 0};
    for (unsigned i = 0; i < 8; i++) {
        float v = by * level[point >> 2 * i & 3];
        out[i] = signs >> i & 1 ? -v : v;
    }
}

static inline void alm_iq3_point(float *out, const float level[8], unsigned point, unsigned signs, float by) {
    for (unsigned i = 0; i < 4; i++) {
        float v = by * level[point >> 3 * i & 7];
        out[i] = signs >> i & 1 ? -v : v;
    }
}

static inline void alm_iq1_point(float *out, unsigned point, float shift, float by) {
    for (unsigned i = 0; i < 8; i++) out[i] = by * ((float)((int)(point >> 2 * i & 3) - 1) + shift);
}

#endif
