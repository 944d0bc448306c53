/* SPDX-License-Identifier: Apache-2.0
 *
 * base/cpu.h - what the processor can do: asked once, constant after. */
#ifndef ALM_BASE_CPU_H
#define ALM_BASE_CPU_H

#include <allmende/base.h>

enum { ALM_CPU_AVX2 = 1, ALM_CPU_FMA = 2, ALM_CPU_AVX512 = 4 /* F, BW, DQ, VL */, ALM_CPU_NEON = 8, ALM_CPU_F16C = 16 };
/* Bits of the running machine (and operating system: registers must be saved). */
unsigned alm_cpu_features(void);
/* "plain", "avx2", "avx512", "neon": the best set, or the one that ALM_ISA names. ALM_REFUSED when the machine lacks that, ALM_INVALID for another word. */
alm_status alm_cpu_isa(const char **out, alm_error *err);

#endif
