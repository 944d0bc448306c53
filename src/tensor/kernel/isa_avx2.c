/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/isa_avx2.c - all kernels over 8 lanes (built with -mavx2 -mfma -mf16c). */
#include "tensor/kernel/lanes_avx2.h"

#define ALM_ISA_NAME  avx2
#define ALM_ISA_NEEDS (ALM_CPU_AVX2 | ALM_CPU_FMA | ALM_CPU_F16C)
#include "tensor/kernel/isa.inc"
