/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_interim.c - stands in until products take packed weights: nothing is packed, products pack as they run. The real
 * functions (op/matmul.c) take the place of these weak ones; then this file goes. */
#include "tensor/tape.h"

__attribute__((weak)) alm_status alm_weight_pack(alm_weight *w, alm_compute *c, alm_error *err) {
    (void)w, (void)c, (void)err;
    return ALM_OK;
}

__attribute__((weak)) void alm_weight_unpack(alm_weight *w) { (void)w; }
