/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_cpu.c - the features are those that the system shows, and ALM_ISA is obeyed or refused. */
#include "alm_test.h"

#include "base/cpu.h"

static bool in_cpuinfo(const char *info, const char *flag) {
    char word[40];
    snprintf(word, sizeof word, " %s ", flag);
    return strstr(info, word) != NULL;
}

static void features_agree_with_the_system(void **state) {
    (void)state;
#if defined(__x86_64__)
    size_t n;
    char *info = alm_test_slurp("/proc/cpuinfo", &n);
    for (size_t i = 0; i < n; i++)
        if (info[i] == '\n') info[i] = ' ';
    unsigned has = alm_cpu_features();
    CHECK(((has & ALM_CPU_AVX2) != 0) == in_cpuinfo(info, "avx2"));
    CHECK(((has & ALM_CPU_FMA) != 0) == in_cpuinfo(info, "fma"));
    CHECK(((has & ALM_CPU_F16C) != 0) == in_cpuinfo(info, "f16c"));
    CHECK(((has & ALM_CPU_AVX512) != 0) == (in_cpuinfo(info, "avx512f") && in_cpuinfo(info, "avx512bw") &&
                                            in_cpuinfo(info, "avx512dq") && in_cpuinfo(info, "avx512vl")));
    CHECK(!(has & ALM_CPU_NEON));
    alm_free(info);
#else
    (void)in_cpuinfo;
    skip();
#endif
}

static void the_environment_chooses_the_set(void **state) {
    (void)state;
    alm_error err;
    const char *isa = NULL;
    unsetenv("ALM_ISA");
    CHECK_OK(alm_cpu_isa(&isa, &err), &err);
    CHECK(isa && *isa);
    setenv("ALM_ISA", "", 1);
    CHECK_OK(alm_cpu_isa(&isa, &err), &err);
    setenv("ALM_ISA", "plain", 1);
    CHECK_OK(alm_cpu_isa(&isa, &err), &err);
    CHECK_STR(alm_str_of(isa), "plain");
    setenv("ALM_ISA", "mmx", 1);
    CHECK_STATUS(alm_cpu_isa(&isa, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.hint, "plain, avx2");
    /* No machine is of both kinds. */
    setenv("ALM_ISA", alm_cpu_features() & ALM_CPU_NEON ? "avx2" : "neon", 1);
    CHECK_STATUS(alm_cpu_isa(&isa, &err), ALM_REFUSED, &err);
    unsetenv("ALM_ISA");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(features_agree_with_the_system),
    cmocka_unit_test(the_environment_chooses_the_set),
};
ALM_TEST_MAIN(tests)
