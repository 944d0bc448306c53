/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq4.h - the 16 levels of iq4_nl and iq4_xs: denser near 0, as weights are; private to this room. */
#ifndef ALM_DTYPE_IQ4_H
#define ALM_DTYPE_IQ4_H

#include <stdint.h>

static const int8_t alm_iq4_level[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

#endif
