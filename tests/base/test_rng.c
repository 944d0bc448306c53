/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_rng.c - Philox against the vectors that its authors publish with Random123 (kat_vectors, philox4x32 10). */
#include "alm_test.h"

#include "base/rng.h"

static void philox_gives_the_published_vectors(void **state) {
    (void)state;
    static const uint32_t row[3][10] = {{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                                         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
                                         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        alm_philox(out, row[i], row[i] + 4);
        CHECK(memcmp(out, row[i] + 6, sizeof out) == 0, "row %zu", i);
    }
}

static void a_stream_is_philox_of_its_counters(void **state) {
    (void)state;
    alm_rng r = alm_rng_seed(0x0123456789abcdefULL, 7, 9);
    for (uint32_t block = 0; block < 10; block++) {
        uint32_t want[4];
        alm_philox(want, (const uint32_t[]){block, 0, 7, 9}, (const uint32_t[]){0x89abcdef, 0x01234567});
        for (int i = 0; i < 4; i++) CHECK(alm_rng_u32(&r) == want[i], "block %u word %d", block, i);
    }
    r.counter[0] = UINT32_MAX;
    r.left = 0;
    alm_rng_u32(&r);
    CHECK(r.counter[0] == 0 && r.counter[1] == 1); /* the count goes on in the second word */
}

static void numbers_below_n_are_even(void **state) {
    (void)state;
    alm_rng r = alm_rng_seed(3, 0, 0);
    size_t count[7] = {0};
    for (int i = 0; i < 70000; i++) count[alm_rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++) CHECK(count[i] > 9500 && count[i] < 10500, "%d: %zu", i, count[i]); /* 10,000 +- 5 sd */
    for (int i = 0; i < 100; i++) CHECK(alm_rng_below(&r, 1) == 0);
    /* 3 * 2^30: a quarter of all draws would be biased without drawing again; thirds must be equal. */
    size_t third[3] = {0};
    for (int i = 0; i < 30000; i++) third[alm_rng_below(&r, 3U << 30) >> 30]++;
    for (int i = 0; i < 3; i++) CHECK(third[i] > 9600 && third[i] < 10400, "%d: %zu", i, third[i]);
}

static void fractions_lie_in_0_to_1(void **state) {
    (void)state;
    alm_rng r = alm_rng_seed(4, 0, 0);
    double sum = 0, sum32 = 0;
    for (int i = 0; i < 100000; i++) {
        double x = alm_rng_f64(&r);
        float y = alm_rng_f32(&r);
        CHECK(x >= 0 && x < 1 && y >= 0 && y < 1);
        sum += x, sum32 += (double)y;
    }
    CHECK_NEAR(sum / 100000, 0.5, 0.005);
    CHECK_NEAR(sum32 / 100000, 0.5, 0.005);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(philox_gives_the_published_vectors),
    cmocka_unit_test(a_stream_is_philox_of_its_counters),
    cmocka_unit_test(numbers_below_n_are_even),
    cmocka_unit_test(fractions_lie_in_0_to_1),
};
ALM_TEST_MAIN(tests)
