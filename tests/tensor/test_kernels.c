/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_kernels.c - the sets of kernels: complete, chosen as asked, compared with the plain one at start; sums
 * and maxima give the same bits on every set. */
#include "alm_test.h"

#include "base/cpu.h"
#include "tensor/compute.h"
#include "tensor/kernel/check.h"
#include "tensor/kernel/kernels.h"

#include <dirent.h>
#include <math.h>

static void every_set_has_every_kernel_and_passes_the_check(void **state) {
    (void)state;
    size_t n_can = 0;
    for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
#define ALM_KERNEL(type, name, params) CHECK((*k)->name != NULL, "%s has no " #name, (*k)->isa);
#include "tensor/kernel/kernel_list.def"
#undef ALM_KERNEL
        CHECK(alm_kernels_find((*k)->isa) == *k);
        if (!alm_kernels_can(*k)) continue;
        n_can++;
        alm_kernels checked;
        CHECK_INT(alm_kernels_checked(&checked, *k), 0);
    }
    CHECK(n_can >= 2, "plain and wide run anywhere");
    CHECK(alm_kernels_find("mmx") == NULL);
}

static float wrong_sum(const float *x, size_t n) {
    return nextafterf(alm_kernels_plain.sum(x, n), 0);
} /* the last bit */
static void wrong_pack(float *out, size_t step, const float *b, size_t bj, size_t bp, size_t n, size_t k) {
    alm_kernels_plain.pack(out, step, b, bj, bp, n, k);
    if (n > 20) out[step + 3] = out[step + 4]; /* one number of one panel */
}

static void a_kernel_that_differs_stands_aside(void **state) {
    (void)state;
    const alm_kernels *fast = alm_kernels_find("wide");
    alm_kernels broken = *fast, out;
    broken.sum = wrong_sum;
    broken.pack = wrong_pack;
    CHECK_INT(alm_kernels_checked(&out, &broken), 2);
    CHECK(out.sum == alm_kernels_plain.sum && out.pack == alm_kernels_plain.pack);
    CHECK(out.dot == fast->dot && out.matmul == fast->matmul);
}

static void the_chosen_set_has_a_row_and_nothing_stands_aside(void **state) {
    (void)state;
    alm_kernels out;
    const char *isa;
    CHECK_OK(alm_cpu_isa(&isa, NULL), NULL);
    const alm_kernels *k = alm_kernels_find(isa);
    CHECK(k != NULL, "kernels.def has no row for %s", isa);
    CHECK_INT(alm_kernels_checked(&out, k), 0);
}

static void the_set_is_the_one_that_was_asked_for(void **state) {
    (void)state;
    alm_compute *c;
    alm_error err;
    CHECK_OK(alm_compute_new_isa(&c, "plain", NULL, &err), &err);
    CHECK_STR(alm_str_of(alm_compute_isa(c)), "plain");
    CHECK(alm_compute_pool(c) == NULL && alm_compute_kernels(c)->sum == alm_kernels_plain.sum);
    char *at = alm_compute_scratch(c, 0, 1000);
    CHECK(at && (uintptr_t)at % 64 == 0);
    memset(at, 1, 1000);
    CHECK(alm_compute_scratch(c, 0, 900) == at, "scratch is kept");
    at = alm_compute_scratch(c, 0, 100000);
    CHECK(at && (uintptr_t)at % 64 == 0);
    char *all = alm_compute_shared(c, 5000);
    CHECK(all && all != at && (uintptr_t)all % 64 == 0);
    memset(at, 2, 100000), memset(all, 3, 5000);
    CHECK(at[99999] == 2);
    alm_compute_free(c);
    CHECK_STATUS(alm_compute_new_isa(&c, "mmx", NULL, &err), ALM_REFUSED, &err);
    const char *other = alm_cpu_features() & ALM_CPU_NEON ? "avx2" : "neon";
    CHECK_STATUS(alm_compute_new_isa(&c, other, NULL, &err), ALM_REFUSED, &err);
    setenv("ALM_ISA", "plain", 1);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_STR(alm_str_of(alm_compute_isa(c)), "plain");
    alm_compute_free(c);
    setenv("ALM_ISA", "mmx", 1);
    CHECK_STATUS(alm_compute_new(&c, NULL, &err), ALM_INVALID, &err);
    unsetenv("ALM_ISA");
    alm_compute_free(NULL);
}

/* Rule D in its own words. */
static float spec_sum(const float *x, const float *y, size_t n, int how) {
    float p[16] = {0};
    for (size_t i = 0; i < n; i++)
        p[i % 16] = how == 0 ? p[i % 16] + x[i] : fmaf(x[i], how == 1 ? x[i] : y[i], p[i % 16]);
    for (size_t half = 8; half; half /= 2)
        for (size_t l = 0; l < half; l++) p[l] = p[l] + p[l + half];
    return p[0];
}

static void sums_and_maxima_have_the_same_bits_on_every_set(void **state) {
    (void)state;
    enum { N = 300 };
    static const uint32_t odd[] = {0,          0x80000000, 1,          0x80000001, 0x7f800000,
                                   0xff800000, 0x7fc00000, 0x20000000, 0xa0000000};
    float x[N], y[N];
    for (uint32_t round = 0; round < 4; round++) {
        alm_check_fill(x, N, round), alm_check_fill(y, N, round + 100);
        for (size_t i = 0; i < N && round; i++) {
            if ((i * 7 + round) % 5 == 0) memcpy(x + i, odd + i % (round == 1 ? 4 : 9), 4);
            if (round == 3) x[i] *= 0x1p-90f, y[i] *= -0x1p-60f;
        }
        for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
            if (!alm_kernels_can(*k)) continue;
            for (size_t n = 0; n <= 257; n++) {
                const float *a = x + n % 7;
                float got[4] = {(*k)->sum(a, n), (*k)->sum_squares(a, n), (*k)->dot(a, y, n), (*k)->largest(a, n)};
                float want[4] = {spec_sum(a, a, n, 0), spec_sum(a, a, n, 1), spec_sum(a, y, n, 2), -HUGE_VALF};
                for (size_t i = 0; i < n && want[3] == want[3]; i++)
                    want[3] = a[i] != a[i] ? a[i] : want[3] > a[i] ? want[3] : a[i];
                CHECK(alm_check_same(got, want, 3), "%s, %zu numbers", (*k)->isa, n);
                CHECK(got[3] == want[3] || (got[3] != got[3] && want[3] != want[3]),
                      "%s, %zu numbers: largest %a, not %a", (*k)->isa, n, got[3], want[3]);
                float plain = alm_kernels_plain.largest(a, n);
                CHECK(alm_check_same(got + 3, &plain, 1), "%s, %zu numbers: largest", (*k)->isa, n);
            }
        }
    }
}

static void every_file_of_kernels_is_in_the_list(void **state) {
    (void)state;
    const char *root = getenv("ALM_SOURCE_ROOT");
    char path[PATH_MAX];
    if (!root) skip();
    snprintf(path, sizeof path, "%s/src/tensor/kernel/kernel_list.def", root);
    size_t n, n_file = 0;
    char *list = alm_test_slurp(path, &n);
    snprintf(path, sizeof path, "%s/src/tensor/kernel", root);
    DIR *dir = opendir(path);
    CHECK(dir != NULL);
    for (struct dirent *e; (e = readdir(dir));) {
        size_t length = strlen(e->d_name);
        if (strncmp(e->d_name, "k_", 2) != 0 || length < 4 || strcmp(e->d_name + length - 2, ".h") != 0) continue;
        char row[300];
        snprintf(row, sizeof row, "\"tensor/kernel/%s\"", e->d_name);
        CHECK(strstr(list, row) != NULL, "%s has no row in kernel_list.def", e->d_name);
        n_file++;
    }
    closedir(dir);
    CHECK(n_file >= 2);
    alm_free(list);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_set_has_every_kernel_and_passes_the_check),
    cmocka_unit_test(a_kernel_that_differs_stands_aside),
    cmocka_unit_test(the_chosen_set_has_a_row_and_nothing_stands_aside),
    cmocka_unit_test(the_set_is_the_one_that_was_asked_for),
    cmocka_unit_test(sums_and_maxima_have_the_same_bits_on_every_set),
    cmocka_unit_test(every_file_of_kernels_is_in_the_list),
};
ALM_TEST_MAIN(tests)
