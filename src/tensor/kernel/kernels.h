/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/kernels.h - the table of fast loops: written once over lanes, built once per instruction set.
 *
 * Every set returns the bits of the plain one, for every argument (any NaN equals any NaN). */
#ifndef ALM_TENSOR_KERNEL_KERNELS_H
#define ALM_TENSOR_KERNEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct alm_kernels {
    const char *isa; /* "plain", "avx2", ... */
    unsigned needs;  /* bits of base/cpu.h */
#define ALM_KERNEL(type, name, params) type(*name) params;
#include "tensor/kernel/kernel_list.def"
#undef ALM_KERNEL
} alm_kernels;

extern const alm_kernels alm_kernels_plain;

enum { ALM_PANEL = 16, ALM_BLOCK = 256, ALM_MATMUL_SCRATCH = 48 * 272 }; /* k_matmul.h; rule C */
enum { ALM_ROWS_M = 4 };                                                 /* k_rows.h */

/* The set of that name, NULL when this build has none; it may need what the machine lacks (alm_kernels_can). */
const alm_kernels *alm_kernels_find(const char *isa);
bool alm_kernels_can(const alm_kernels *k);
/* The sets that this build has, in the order of kernels.def, NULL behind the last. */
const alm_kernels *const *alm_kernels_all(void);

/* *out = fast, but with the plain kernel wherever the fast one fails its check (a case with tails, under 1 ms for all
 * kernels together). Returns how many stood aside. */
size_t alm_kernels_checked(alm_kernels *out, const alm_kernels *fast);

#endif
