/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/isa_wide.c - the code of AVX-512 over generic vectors: for tests, on any machine, slowly. */
#define ALM_LANES_GENERIC 1
#include "tensor/kernel/lanes_avx512.h"

#define ALM_ISA_NAME  wide
#define ALM_ISA_NEEDS (0)
#include "tensor/kernel/isa.inc"
