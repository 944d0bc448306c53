/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/isa_avx512.c - all kernels over 16 lanes (built with -mavx512f and others). */
#include "tensor/kernel/lanes_avx512.h"

#define ALM_ISA_NAME  avx512
#define ALM_ISA_NEEDS (ALM_CPU_AVX512 | ALM_CPU_AVX2 | ALM_CPU_FMA | ALM_CPU_F16C)
#include "tensor/kernel/isa.inc"
