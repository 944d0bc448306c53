/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/isa_plain.c - all kernels, one number at a time: what they mean. */
#include "tensor/kernel/lanes_plain.h"

#define ALM_ISA_NAME  plain
#define ALM_ISA_NEEDS (0)
#include "tensor/kernel/isa.inc"
