/* SPDX-License-Identifier: Apache-2.0
 *
 * base/cpu.c - what the processor can do, and which set of kernels to use.
 *
 * The compiler's runtime asks CPUID and XGETBV once, before main; this file keeps nothing. */
#include "base/cpu.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

unsigned alm_cpu_features(void) {
    unsigned bits = 0, a, b, c, d;
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") != 0; /* the system saves the registers, too */
    if (avx2) bits |= ALM_CPU_AVX2;
    if (__builtin_cpu_supports("fma")) bits |= ALM_CPU_FMA;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        bits |= ALM_CPU_AVX512;
    }
    /* Asked by hand: clang 14 does not know this name. */
    if (avx2 && __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1)) bits |= ALM_CPU_F16C;
    return bits;
}
#elif defined(__aarch64__)
unsigned alm_cpu_features(void) { return ALM_CPU_NEON | ALM_CPU_FMA; } /* part of the base architecture */
#else
unsigned alm_cpu_features(void) { return 0; }
#endif

alm_status alm_cpu_isa(const char **out, alm_error *err) {
    static const struct {
        const char *name;
        unsigned needs;
    } isa[] = {/* best first */
               {"avx512", ALM_CPU_AVX512 | ALM_CPU_AVX2 | ALM_CPU_FMA | ALM_CPU_F16C},
               {"avx2", ALM_CPU_AVX2 | ALM_CPU_FMA | ALM_CPU_F16C},
               {"neon", ALM_CPU_NEON},
               {"plain", 0}};
    const char *wanted = getenv("ALM_ISA");
    unsigned has = alm_cpu_features();
    for (size_t i = 0; i < sizeof isa / sizeof *isa; i++) {
        bool can = (has & isa[i].needs) == isa[i].needs;
        if (wanted && *wanted) {
            if (strcmp(wanted, isa[i].name) != 0) continue;
            if (!can) return alm_fail(err, ALM_REFUSED, "ALM_ISA=%s: this machine cannot do that", wanted);
        } else if (!can) {
            continue;
        }
        *out = isa[i].name;
        return ALM_OK;
    }
    alm_fail(err, ALM_INVALID, "ALM_ISA=%s: there is no such set", wanted ? wanted : "");
    return alm_hint(err, "use plain, avx2, avx512 or neon, or leave it unset"), ALM_INVALID;
}
