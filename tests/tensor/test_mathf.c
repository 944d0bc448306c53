/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_mathf.c - the functions of tensor/math: their error on a seeded sample of arguments, the same bits from
 * every instruction set, and the special values. slow_math.c does the same for every argument. */
#include "alm_test.h"

#include "base/cpu.h"
#include "math_reference.h"
#include "tensor/math/mathf.h"

enum { N = 150001 }; /* arguments of a function; odd, so that a tail is left */

static uint64_t state_of_sample;
static uint32_t next32(void) {
    state_of_sample = state_of_sample * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state_of_sample >> 32);
}

/* A third of all patterns; a third between 2^-6 and 2^7, where the functions bend; a third next to numbers on which an
 * algorithm turns: limits of ranges, multiples of pi/2, overflow. */
static float *sample(uint64_t seed) {
    static const float turns[] = {0.0f,        1.0f,       -1.0f,       0.34657359f,  -0.34657359f,
                                  0.70710677f, 1.4142135f, 0.41421354f, -0.29289323f, 0.55f,
                                  9.0f,        3.92f,      88.72284f,   -87.33655f,   -103.97208f,
                                  -17.32868f,  16384.0f,   1.5707964f,  3.1415927f,   4712.389f,
                                  0x1p-126f,   0x1p-149f,  0x1p24f,     0x1p127f,     0x1.fffffep127f};
    float *x = alm_alloc(N * sizeof *x);
    CHECK(x != NULL);
    state_of_sample = seed;
    for (size_t i = 0; i < N; i++) {
        uint32_t bits = next32();
        if (i % 3 == 1) bits = (bits & 0x807fffff) | (121 + (bits >> 23 & 0xff) % 13) << 23;
        if (i % 3 == 2) bits = math_bits(turns[next32() % (sizeof turns / sizeof *turns)]) + next32() % 401 - 200;
        x[i] = math_of_bits(bits);
    }
    memcpy(x, turns, sizeof turns);
    x[30] = HUGE_VALF, x[31] = -HUGE_VALF, x[32] = NAN, x[33] = -0.0f;
    return x;
}

typedef void array_fn(float *out, const float *x, size_t n);

/* Every set that can run here against the plain one; returns plain's results. */
static float *on_every_set(const char *name, array_fn *(*of)(const alm_kernels *), const float *x) {
    float *want = alm_alloc(N * sizeof *want), *got = alm_alloc(N * sizeof *got);
    CHECK(want && got);
    of (&alm_kernels_plain)(want, x, N);
    for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
        if (!alm_kernels_can(*k)) continue;
        memset(got, 0, N * sizeof *got);
        of (*k)(got, x, N);
        for (size_t i = 0; i < N; i++) {
            bool same = math_bits(got[i]) == math_bits(want[i]) || (got[i] != got[i] && want[i] != want[i]);
            CHECK(same, "%s: %s(%a) is %a, plain says %a", (*k)->isa, name, (double)x[i], (double)got[i],
                  (double)want[i]);
        }
    }
    alm_free(got);
    return want;
}

static void sampled(const char *name, array_fn *(*of)(const alm_kernels *), float (*one)(float),
                    double (*truth)(double), double bound) {
    float *x = sample(20260314), *y = on_every_set(name, of, x);
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < N; i++) {
        double want = truth((double)x[i]), e = math_error(y[i], want);
        CHECK(e <= bound, "%s(%a) is %a, not %a: %.3f ulp", name, (double)x[i], (double)y[i], want, e);
        if (e > worst) worst = e, at = x[i];
        if (i % 16 == 0) {
            float scalar = one(x[i]);
            CHECK(math_bits(scalar) == math_bits(y[i]) || (scalar != scalar && y[i] != y[i]), "%s(%a)", name,
                  (double)x[i]);
        }
    }
    print_message("%s: %.4f ulp at %a\n", name, worst, (double)at);
    alm_free(x), alm_free(y);
}

#define ONE(name, bound, symmetry)                                                   \
    static array_fn *of_##name(const alm_kernels *k) { return k->math_##name; }      \
    static void name##_is_within_its_bound_and_the_same_on_every_set(void **state) { \
        (void)state;                                                                 \
        sampled(#name, of_##name, alm_##name##f, math_##name, bound);                \
    }
MATH_FUNCTIONS(ONE)

/* Bases of all sizes with exponents that keep the result finite, bases next to 1 with large ones, patterns of any kind. */
static void pow_is_within_its_bound_and_the_same_on_every_set(void **state) {
    (void)state;
    float *x = alm_alloc(N * sizeof *x), *y = alm_alloc(N * sizeof *y), *want = alm_alloc(N * sizeof *want);
    float *got = alm_alloc(N * sizeof *got);
    CHECK(x && y && want && got);
    state_of_sample = 20260315;
    for (size_t i = 0; i < N; i++) {
        uint32_t bits = next32();
        if (i % 4 < 3) bits &= 0x7fffffff;
        if (i % 4 == 1) bits = 0x3f700000 + bits % 0x180000;
        if (i % 4 == 2 && bits >= 0x7f800000) bits -= 0x7f000000;
        x[i] = math_of_bits(bits);
        double size = fabs(log(fabs((double)x[i]))), part = (double)next32() * 0x1p-31 - 1;
        y[i] = size > 0 ? (float)(part * 105 / size) : (float)part;
        if (i % 4 == 3) y[i] = i % 8 == 3 ? math_of_bits(next32()) : (float)(next32() % 61) - 30;
    }
    alm_kernels_plain.math_pow(want, x, y, N);
    for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
        if (!alm_kernels_can(*k)) continue;
        (*k)->math_pow(got, x, y, N);
        for (size_t i = 0; i < N; i++)
            CHECK(math_bits(got[i]) == math_bits(want[i]) || (got[i] != got[i] && want[i] != want[i]),
                  "%s: pow(%a, %a) is %a, plain says %a", (*k)->isa, (double)x[i], (double)y[i], (double)got[i],
                  (double)want[i]);
    }
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < N; i++) {
        double truth = pow((double)x[i], (double)y[i]), e = math_error(want[i], truth);
        /* What the double lost below 2^-1074 is a zero here too. */
        CHECK(e <= MATH_POW_BOUND, "pow(%a, %a) is %a, not %a: %.3f ulp", (double)x[i], (double)y[i], (double)want[i],
              truth, e);
        if (e > worst) worst = e, at = i;
    }
    print_message("pow: %.4f ulp at %a, %a\n", worst, (double)x[at], (double)y[at]);
    alm_free(x), alm_free(y), alm_free(want), alm_free(got);
}

static void pow_has_the_special_cases_of_c(void **state) {
    (void)state;
    static const float v[] = {0.0f,
                              -0.0f,
                              0.5f,
                              -0.5f,
                              1.0f,
                              -1.0f,
                              2.0f,
                              -2.0f,
                              3.0f,
                              -3.0f,
                              2.5f,
                              -2.5f,
                              0x1p-149f,
                              -0x1p-149f,
                              16777215.0f,
                              -16777215.0f,
                              16777216.0f,
                              8388607.5f,
                              -8388607.5f,
                              8388609.0f,
                              0x1.fffffep127f,
                              -0x1.fffffep127f,
                              0x1.fffffep-1f,
                              -0x1.000002p0f,
                              HUGE_VALF,
                              -HUGE_VALF,
                              NAN};
    enum { M = sizeof v / sizeof *v };
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < M; j++) {
            double want = pow((double)v[i], (double)v[j]);
            float got = alm_powf(v[i], v[j]);
            double e = math_error(got, fabs(want) < 0x1p-160 && want != 0 ? copysign(0x1p-160, want) : want);
            CHECK(e <= MATH_POW_BOUND, "pow(%a, %a) is %a, not %a", (double)v[i], (double)v[j], (double)got, want);
        }
}

/* Found by continued fractions: the f32 that lie nearest to a multiple of pi/2, and large ones. */
static void sin_and_cos_reduce_the_hardest_arguments(void **state) {
    (void)state;
    static const float hard[] = {0x1.f9cbe2p+7f, 0x1.f9cbe2p+79f, 0x1.6ac5b2p+62f,  0x1.f9cbe2p+23f, 0x1.921fb6p+1f,
                                 0x1.921fb4p+1f, 0x1.f37694p+99f, 0x1.fffffep+127f, 0x1p+127f,       0x1.3fffffp+13f,
                                 0x1.ffcp+13f,   0x1.002p+14f,    0x1.f3b34ep+95f,  0x1.86a15cp+40f};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            float x = (float)sign * hard[i];
            CHECK(math_error(alm_sinf(x), sin((double)x)) <= 1, "sin(%a)", (double)x);
            CHECK(math_error(alm_cosf(x), cos((double)x)) <= 1, "cos(%a)", (double)x);
        }
}

static void exact_results_are_exact(void **state) {
    (void)state;
    CHECK_BITS((double)alm_expf(0), 1);
    CHECK_BITS((double)alm_expf(-104), 0);
    CHECK_BITS((double)alm_expf(-103.9f), 0x1p-149); /* denormal results are kept */
    CHECK_BITS((double)alm_expf(89), HUGE_VAL);
    CHECK_BITS((double)alm_expm1f(-0.0f), -0.0);
    CHECK_BITS((double)alm_expm1f(-0x1p-149f), -0x1p-149);
    CHECK_BITS((double)alm_expm1f(-100), -1);
    CHECK_BITS((double)alm_logf(1), 0);
    CHECK_BITS((double)alm_logf(-0.0f), -HUGE_VAL);
    CHECK(alm_logf(-1) != alm_logf(-1));
    CHECK_BITS((double)alm_log1pf(-0.0f), -0.0);
    CHECK_BITS((double)alm_log1pf(-1), -HUGE_VAL);
    CHECK_BITS((double)alm_tanhf(10), 1);
    CHECK_BITS((double)alm_tanhf(-HUGE_VALF), -1);
    CHECK_BITS((double)alm_tanhf(-0.0f), -0.0);
    CHECK_BITS((double)alm_erff(4), 1);
    CHECK_BITS((double)alm_erff(-0.0f), -0.0);
    CHECK_BITS((double)alm_sinf(-0.0f), -0.0);
    CHECK_BITS((double)alm_cosf(-0.0f), 1);
    CHECK(alm_sinf(HUGE_VALF) != alm_sinf(HUGE_VALF));
    CHECK_BITS((double)alm_powf(-2, 3), -8);
    CHECK_BITS((double)alm_powf(-0.0f, 3), -0.0);
    CHECK_BITS((double)alm_powf(NAN, 0), 1);
    CHECK_BITS((double)alm_powf(1, NAN), 1);
    CHECK_BITS((double)alm_powf(2, -149), 0x1p-149);
    for (int i = 0; i < 150; i++) /* two is exact at every power */
        CHECK_BITS((double)alm_powf(2, (float)(i - 22)), ldexp(1, i - 22));
}

#define TEST(name, bound, symmetry) cmocka_unit_test(name##_is_within_its_bound_and_the_same_on_every_set),
static const struct CMUnitTest tests[] = {
    MATH_FUNCTIONS(TEST) cmocka_unit_test(pow_is_within_its_bound_and_the_same_on_every_set),
    cmocka_unit_test(pow_has_the_special_cases_of_c),
    cmocka_unit_test(sin_and_cos_reduce_the_hardest_arguments),
    cmocka_unit_test(exact_results_are_exact),
};
ALM_TEST_MAIN(tests)
