/* SPDX-License-Identifier: Apache-2.0
 *
 * base/fpmode.h - the control register of floating point: nearest even, denormals kept, no traps.
 *
 * An embedding program may have set another rounding or "flush to zero" (a program linked with -ffast-math does so at its
 * start, and threads inherit it). Between enter and leave the register has the one value that results rely on. */
#ifndef ALM_BASE_FPMODE_H
#define ALM_BASE_FPMODE_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
typedef unsigned alm_fp_mode;
static inline unsigned alm_fp_get(void) { return _mm_getcsr(); }
static inline void alm_fp_set(unsigned mode) { _mm_setcsr(mode); }
#define ALM_FP_PLAIN  0x1f80U /* all traps masked, nearest even, FTZ and DAZ off */
#define ALM_FP_STICKY 0x003fU /* flags of what happened: no setting */
#elif defined(__aarch64__)
typedef uint64_t alm_fp_mode;
static inline uint64_t alm_fp_get(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
static inline void alm_fp_set(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#define ALM_FP_PLAIN  UINT64_C(0)
#define ALM_FP_STICKY UINT64_C(0)
#else
#include <fenv.h>
typedef int alm_fp_mode;
static inline int alm_fp_get(void) { return fegetround(); }
static inline void alm_fp_set(int mode) { fesetround(mode); }
#define ALM_FP_PLAIN  FE_TONEAREST
#define ALM_FP_STICKY 0
#endif

/* Writing the register is slow, so it is written only when it differs. */
static inline alm_fp_mode alm_fp_enter(void) {
    alm_fp_mode mode = alm_fp_get();
    if ((mode & ~ALM_FP_STICKY) != ALM_FP_PLAIN) alm_fp_set(ALM_FP_PLAIN);
    return mode;
}
static inline void alm_fp_leave(alm_fp_mode mode) {
    if ((mode & ~ALM_FP_STICKY) != ALM_FP_PLAIN) alm_fp_set(mode);
}

#endif
