/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/isa_neon.c - all kernels over 4 lanes of 64-bit ARM. */
#include "tensor/kernel/lanes_neon.h"

#define ALM_ISA_NAME  neon
#define ALM_ISA_NEEDS (ALM_CPU_NEON)
#include "tensor/kernel/isa.inc"
