/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_lanes.c - every operation of every set of lanes gives the bits of the plain one, tails included, on
 * special values against each other and on random bits. */
#include "alm_test.h"

#include "base/cpu.h"
#include "base/fpmode.h"
#include "tensor/kernel/check.h"

#include "lanes_probe.h"

#include <math.h>

static const struct {
    const char *isa;
    unsigned needs;
    lanes_probe *probe;
} sets[] = {
#define ALM_KERNEL_SET(name, bits) {#name, bits, probe_##name},
#include "tensor/kernel/kernels.def"
#undef ALM_KERNEL_SET
};

static const uint32_t special[] = {0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000,
                                   0x80800000, 0x00800001, 0x33000000, 0x33000001, 0x33800000, 0x337fffff, 0x387fc000,
                                   0x387fe000, 0x38800000, 0x3effffff, 0x3f000000, 0xbf000000, 0x3f000001, 0x3f7fffff,
                                   0x3f800000, 0xbf800000, 0x3f800001, 0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000,
                                   0x477fe000, 0x477fefff, 0x477ff000, 0x477fffff, 0x4affffff, 0x4b000000, 0xcb000001,
                                   0x4b7fffff, 0x4effffff, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
                                   0xffc00000, 0x7f800001, 0x3f808000, 0x3f818000, 0x3f80ffff, 0x7f7f8000};
enum { N_SPECIAL = sizeof special / sizeof *special, PAIRS = N_SPECIAL * N_SPECIAL, COUNT = PAIRS + 8192 };

static void every_operation_gives_the_bits_of_the_plain_one(void **state) {
    (void)state;
    float *a = calloc(COUNT, 4), *b = calloc(COUNT, 4), *c = calloc(COUNT, 4), *want = calloc(COUNT, 4),
          *got = calloc(COUNT + 1, 4);
    CHECK(a && b && c && want && got);
    uint32_t seed = 7;
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t bits[3];
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525U + 1013904223U;
            bits[k] = (seed >> 16) | (seed * 2654435761U & 0xffff0000U);
        }
        if (i < PAIRS)
            bits[0] = special[i / N_SPECIAL], bits[1] = special[i % N_SPECIAL], bits[2] = special[bits[2] % N_SPECIAL];
        memcpy(a + i, bits, 4), memcpy(b + i, bits + 1, 4), memcpy(c + i, bits + 2, 4);
    }
    static const size_t counts[] = {COUNT, 1, 2, 3, 5, 7, 9, 13, 15, 31, 63};
    size_t n_op = 0, n_set = 0;
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        if ((alm_cpu_features() & sets[s].needs) != sets[s].needs) continue;
        n_set++;
        for (int op = 0; probe_plain(op, want, a, b, c, 0); op++) {
            if (s == 0) n_op++;
            for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
                size_t n = counts[k], from = n < 1000 ? 2200 : 0; /* a stretch with ordinary and with special numbers */
                memset(want, 0, COUNT * 4), memset(got, 0, COUNT * 4);
                got[n] = 42;
                CHECK(probe_plain(op, want, a + from, b + from, c + from, n));
                CHECK(sets[s].probe(op, got, a + from, b + from, c + from, n));
                CHECK(got[n] == 42, "%s, operation %d writes behind %zu numbers", sets[s].isa, op, n);
                for (size_t i = 0; i < n; i++)
                    CHECK(alm_check_same(got + i, want + i, 1), "%s, operation %d, (%a, %a, %a) of %zu: %a, not %a",
                          sets[s].isa, op, a[from + i], b[from + i], c[from + i], n, got[i], want[i]);
            }
        }
    }
    CHECK(n_set >= 2, "only one set of lanes was built");
    free(a), free(b), free(c), free(want), free(got);
}

/* The plain lanes against other words for the same thing. */
static void the_plain_operations_mean_what_they_say(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < 200000; i++) {
        float x, y, got, half;
        seed = seed * 1664525U + 1013904223U;
        uint32_t bits = i < N_SPECIAL ? special[i] : seed ^ seed >> 15;
        memcpy(&x, &bits, 4);
        y = x * 0.75f;
        probe_plain(9, &got, &x, &y, &y, 1);
        half = rintf(x);
        CHECK(alm_check_same(&got, &half, 1), "rint of %a", x);
        probe_plain(7, &got, &x, &y, &y, 1);
        half = x > y ? x : y;
        CHECK(alm_check_same(&got, &half, 1), "max of %a", x);
        /* bf16: the nearest of the two neighbours that have a short form, the even one in the middle */
        probe_plain(25, &got, &x, &y, &y, 1);
        if (x == x && fabsf(x) < 0x1.fep127f) {
            uint32_t low = bits & 0xffff0000U, high = low + 0x10000;
            float down, up;
            memcpy(&down, &low, 4), memcpy(&up, &high, 4);
            double from_down = fabs((double)x - (double)down), from_up = fabs((double)up - (double)x);
            float want = from_down < from_up ? down : from_up < from_down ? up : (low >> 16 & 1) ? up : down;
            CHECK(alm_check_same(&got, &want, 1), "bf16 of %a: %a, not %a", x, got, want);
        }
        probe_plain(26, &got, &x, &y, &y, 1);
        if (fabsf(x) < 65520.0f) { /* f16: a multiple of the step of its size, no further away than half a step */
            int e;
            double step = x == 0 || fabsf(x) < 0x1p-14f ? 0x1p-24 : (frexp((double)x, &e), ldexp(1.0, e - 11));
            double q = rint((double)x / step) * step; /* half to even: the quotient is exact */
            CHECK((double)got == q, "f16 of %a: %a, not %a", x, got, q);
        } else if (x == x) {
            CHECK(isinf(got) && signbit(got) == signbit(x), "f16 of %a", x);
        } else {
            CHECK(got != got);
        }
    }
}

/* fma is rounded once: a product that a second rounding would lose, compared with exact integers. */
static void fma_is_rounded_once(void **state) {
    (void)state;
    uint32_t seed = 3;
    for (size_t i = 0; i < 100000; i++) {
        seed = seed * 1664525U + 1013904223U;
        float a = (float)(int)(seed >> 8 & 0xffffff), c, got;
        seed = seed * 1664525U + 1013904223U;
        float b = (float)(int)(seed >> 8 & 0xffffff);
        double product = (double)a * (double)b; /* exact: 48 bits */
        c = -(float)product;
        float left = (float)(product + (double)c), round; /* exact again */
        for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
            if ((alm_cpu_features() & sets[s].needs) != sets[s].needs) continue;
            sets[s].probe(5, &got, &a, &b, &c, 1);
            CHECK(got == left, "%s: fma(%a, %a, %a) is %a, not %a", sets[s].isa, a, b, c, got, left);
        }
        round = a * b + c;
        (void)round;
    }
}

static void computing_keeps_denormals_and_gives_the_setting_back(void **state) {
    (void)state;
#if defined(__x86_64__)
    unsigned before = alm_fp_get();
    alm_fp_set(before | 0x8040); /* flush to zero, denormals are zero: what -ffast-math sets */
    volatile float small = 0x1p-140f, two = 2;
    volatile float lost = small * two;
    alm_fp_mode mode = alm_fp_enter();
    volatile float kept = small * two;
    alm_fp_leave(mode);
    bool back = (alm_fp_get() & 0x8040) == 0x8040;
    alm_fp_set(before);
    CHECK(lost == 0.0f && kept == 0x1p-139f && back);
#else
    skip();
#endif
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_operation_gives_the_bits_of_the_plain_one),
    cmocka_unit_test(the_plain_operations_mean_what_they_say),
    cmocka_unit_test(fma_is_rounded_once),
    cmocka_unit_test(computing_keeps_denormals_and_gives_the_setting_back),
};
ALM_TEST_MAIN(tests)
