/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/dtype/test_types.c - the types against golden vectors (tests/data/quants), and all values of 16 bits against their
 * definition in doubles. */
#include "alm_test.h"

#include "dtype/dtype.h"
#include "dtype/half.h"

#include <math.h>

static void same_bytes(const void *got, const void *want, size_t n, const char *what) {
    const uint8_t *a = got, *b = want;
    for (size_t i = 0; i < n; i++) CHECK(a[i] == b[i], "%s: byte %zu is %02x, not %02x", what, i, a[i], b[i]);
}

static const alm_type *named(const char *lower) {
    const alm_type *t = alm_type_named(lower);
    CHECK(t != NULL, "%s", lower);
    return t;
}

/* "q4_k" as the vectors' files are called. */
static const char *upper(const alm_type *t) {
    static char out[16];
    size_t n = strlen(t->name);
    CHECK(n < sizeof out);
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)(t->name[i] >= 'a' && t->name[i] <= 'z' ? t->name[i] - 32 : t->name[i]);
    return out;
}

static void decodes_to(const alm_type *t, const char *blocks_path, const char *f32_path) {
    size_t n_blocks, n_want;
    char *blocks = alm_test_slurp(blocks_path, &n_blocks), *want = alm_test_slurp(f32_path, &n_want);
    size_t n = n_want / 4;
    CHECK(n > 0 && n % 512 == 0, "%s: %zu numbers", t->name, n);
    CHECK_INT(n_blocks, n / t->block * t->block_bytes);
    float *got = alm_calloc(n, 4);
    /* At an odd address: files align nothing for us. */
    char *odd = alm_alloc(n_blocks + 1);
    CHECK(got && odd);
    memcpy(odd + 1, blocks, n_blocks);
    t->decode(got, odd + 1, n);
    same_bytes(got, want, n_want, t->name);
    alm_free(odd), alm_free(got), alm_free(want), alm_free(blocks);
}

/* Types that other programs keep activations in; nobody has vectors of them. */
static bool is_of_activations(const alm_type *t) { return t->gguf == 9 || t->gguf == 15; }

static void decoding_gives_the_golden_bits(void **state) {
    (void)state;
    for (const alm_type *const *t = alm_type_list(); *t; t++) {
        char path[2][64];
        if ((*t)->gguf == ALM_F32 || is_of_activations(*t)) continue;
        snprintf(path[0], sizeof path[0], "tests/data/quants/%s.blocks.bin", upper(*t));
        snprintf(path[1], sizeof path[1], "tests/data/quants/%s.f32.bin", upper(*t));
        char *blocks = strdup(alm_test_source(path[0]));
        decodes_to(*t, blocks, alm_test_source(path[1]));
        free(blocks);
    }
}

static void all_shared_vectors_decode_to_the_golden_bits(void **state) {
    (void)state;
    size_t n = 0;
    if (!alm_test_shared("oracles/quants/index.json")) {
        print_message("the shared vectors are not here\n");
        skip();
    }
    for (const alm_type *const *t = alm_type_list(); *t; t++) {
        char path[2][64];
        snprintf(path[0], sizeof path[0], "oracles/quants/deq/%s.blocks.bin", upper(*t));
        snprintf(path[1], sizeof path[1], "oracles/quants/deq/%s.f32.bin", upper(*t));
        const char *found = alm_test_shared(path[0]);
        if (!found) continue;
        char *blocks = strdup(found);
        decodes_to(*t, blocks, alm_test_shared(path[1]));
        free(blocks);
        n++;
    }
    CHECK_INT(n, 24);
}

/* d, then the numbers: by definition. */
static void the_types_of_activations_are_a_scale_times_bytes(void **state) {
    (void)state;
    uint8_t block[292] = {0};
    float out[256];
    alm_store_u16(block, alm_f16_from_f32(0.375F));
    for (size_t i = 0; i < 32; i++) block[4 + i] = (uint8_t)(i * 37);
    named("q8_1")->decode(out, block, 32);
    for (size_t i = 0; i < 32; i++) CHECK_BITS((double)out[i], 0.375 * (double)(int8_t)(i * 37));
    memcpy(block, &(float){0x1.8p-5F}, 4);
    for (size_t i = 0; i < 256; i++) block[4 + i] = (uint8_t)(i * 37);
    named("q8_k")->decode(out, block, 256);
    for (size_t i = 0; i < 256; i++) CHECK_BITS((double)out[i], 0x1.8p-5 * (double)(int8_t)(i * 37));
}

static void encoding_gives_the_golden_blocks(void **state) {
    (void)state;
    static const char *const names[] = {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "tq1_0", "tq2_0", "mxfp4"};
    size_t n_in, n_want;
    char *in = alm_test_slurp(alm_test_source("tests/data/quants/input.f32.bin"), &n_in);
    float *x = alm_alloc(n_in);
    CHECK(x);
    memcpy(x, in, n_in);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const alm_type *t = named(names[k]);
        char path[64];
        snprintf(path, sizeof path, "tests/data/quants/%s.quantized.bin", upper(t));
        char *want = alm_test_slurp(alm_test_source(path), &n_want);
        CHECK_INT(n_want, n_in / 4 / t->block * t->block_bytes);
        uint8_t *got = alm_calloc(1, n_want);
        CHECK(got);
        t->encode(got, x, n_in / 4);
        same_bytes(got, want, n_want, t->name);
        alm_free(got), alm_free(want);
    }
    alm_free(x), alm_free(in);
}

static double relative_error(const float *x, const float *y, size_t n) {
    double off = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)y[i] - (double)x[i];
        off += d * d, all += (double)x[i] * (double)x[i];
    }
    return sqrt(off / all);
}

/* Error by row (root of the sum of squares, relative) of what ggml's own quantiser makes of the same numbers: index.json of the
 * shared vectors. */
static void what_is_searched_for_loses_no_more_than_the_reference(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double row[4];
    } most[] = {
        {"q2_k", {0.3050990700721741, 0.30342409014701843, 0.2747260332107544, 0.2423039823770523}},
        {"q3_k", {0.15506821870803833, 0.14980563521385193, 0.14590997993946075, 0.13249719142913818}},
        {"q4_k", {0.07046694308519363, 0.06951222568750381, 0.06753188371658325, 0.09436308592557907}},
        {"q5_k", {0.03519175946712494, 0.034053705632686615, 0.03532304987311363, 0.049199141561985016}},
        {"q6_k", {0.017575731500983238, 0.016882698982954025, 0.016418462619185448, 0.023891370743513107}},
        {"iq4_nl", {0.07830923795700073, 0.07742635160684586, 0.07410304993391037, 0.11814047396183014}},
        {"iq4_xs", {0.07874180376529694, 0.07827068120241165, 0.07471984624862671, 0.11985575407743454}},
    };
    size_t n_in;
    char *in = alm_test_slurp(alm_test_source("tests/data/quants/input.f32.bin"), &n_in);
    static float x[2048], y[2048];
    static uint8_t blocks[8192];
    CHECK_INT(n_in, sizeof x);
    memcpy(x, in, n_in);
    for (size_t k = 0; k < sizeof most / sizeof *most; k++) {
        const alm_type *t = named(most[k].name);
        t->encode(blocks, x, 2048);
        t->decode(y, blocks, 2048);
        for (size_t r = 0; r < 4; r++) {
            double e = relative_error(x + 512 * r, y + 512 * r, 512);
            CHECK(e <= most[k].row[r], "%s, row %zu: %g, the reference %g", t->name, r, e, most[k].row[r]);
        }
    }
    alm_free(in);
}

/* Three values come back: q4_0 and q5_0, which have one level less above than below, are off by a level at most. */
static void zeros_stay_zeros_and_three_values_are_kept(void **state) {
    (void)state;
    static float x[256], y[256];
    static uint8_t blocks[2048];
    for (const alm_type *const *t = alm_type_list(); *t; t++) {
        if (!(*t)->encode) continue;
        memset(x, 0, sizeof x);
        (*t)->encode(blocks, x, 256);
        (*t)->decode(y, blocks, 256);
        for (size_t i = 0; i < 256; i++) CHECK(y[i] == 0, "%s of 0 is %g", (*t)->name, (double)y[i]);
        for (size_t i = 0; i < 256; i++) x[i] = i % 32 ? 0.5F * (float)((int)(i % 3) - 1) : -0.5F;
        (*t)->encode(blocks, x, 256);
        (*t)->decode(y, blocks, 256);
        double e = relative_error(x, y, 256);
        CHECK(e < 0.1, "%s: three values come back off by %g", (*t)->name, e);
    }
}

/* Under the sanitizers: nothing is read or written outside, nothing undefined is computed. */
static void any_bytes_decode_and_any_numbers_encode(void **state) {
    (void)state;
    uint32_t bits = 99;
    for (const alm_type *const *t = alm_type_list(); *t; t++) {
        size_t n = 512, n_bytes = n / (*t)->block * (*t)->block_bytes;
        for (int round = 0; round < 64; round++) {
            uint8_t *bytes = alm_alloc(n_bytes);
            float *x = alm_alloc(n * sizeof *x);
            CHECK(bytes && x);
            for (size_t i = 0; i < n_bytes; i++) {
                bits = bits * 1664525 + 1013904223;
                bytes[i] = round == 0 ? 0 : round == 1 ? 255 : (uint8_t)(bits >> 24);
            }
            (*t)->decode(x, bytes, n);
            for (size_t i = 0; i < n && (*t)->encode; i++) {
                bits = bits * 1664525 + 1013904223;
                if (round % 4 == 0) x[i] = alm_f32_from_bits(bits); /* infinities and NaNs among them */
                if (round % 4 == 1) x[i] = ldexpf(x[i], (int)(bits >> 24) - 128);
                if (round % 16 == 2) x[i] = (float)NAN;
                if (round % 16 == 6) x[i] = i % 3 ? HUGE_VALF : -HUGE_VALF;
                if (round % 16 == 10) x[i] = -0.0F;
            }
            if ((*t)->encode) {
                (*t)->encode(bytes, x, n);
                (*t)->decode(x, bytes, n);
            }
            alm_free(bytes), alm_free(x);
        }
    }
}

/* The value of a pattern of 16 bits by its definition. */
static double value_of(unsigned h, int n_exponent, int n_fraction) {
    int bias = (1 << (n_exponent - 1)) - 1, e = (int)(h >> n_fraction) & ((1 << n_exponent) - 1);
    double f = (double)(h & ((1U << n_fraction) - 1)) / (double)(1U << n_fraction);
    double v = e == 0 ? ldexp(f, 1 - bias) : ldexp(1 + f, e - bias);
    if (e == (1 << n_exponent) - 1) v = f != 0 ? (double)NAN : HUGE_VAL;
    return h >> 15 ? -v : v;
}

typedef uint16_t from_f32(float);
typedef float to_f32(uint16_t);

static void every_pattern(to_f32 *to, from_f32 *from, int n_exponent, const char *what) {
    int n_fraction = 15 - n_exponent;
    unsigned last = (((1U << n_exponent) - 1) << n_fraction) - 1; /* the largest finite */
    for (unsigned h = 0; h < 0x10000; h++) {
        double want = value_of(h, n_exponent, n_fraction);
        float got = to((uint16_t)h);
        if (want != want) {
            CHECK(got != got, "%s %04x", what, h);
            CHECK_INT(from(got), h | 1U << (n_fraction - 1));
            continue;
        }
        CHECK_BITS((double)got, want);
        CHECK_INT(from(got), h);
        /* Between this and the next: just below, at and above the middle. */
        if ((h & 0x7fff) >= last) continue;
        double next = value_of(h + 1, n_exponent, n_fraction);
        float middle = (float)((want + next) / 2);
        if ((double)middle != (want + next) / 2)
            continue; /* two bf16 denormals at the end of f32 have no f32 between */
        CHECK_INT(from(middle), h & 1 ? h + 1 : h);
        CHECK_INT(from(nextafterf(middle, 0)), h);
        CHECK_INT(from(nextafterf(middle, middle > 0 ? HUGE_VALF : -HUGE_VALF)), h + 1);
    }
    unsigned infinite = last + 1;
    double end = value_of(last, n_exponent, n_fraction),
           half_step = (end - value_of(last - 1, n_exponent, n_fraction)) / 2;
    CHECK_INT(from((float)(end + half_step)), infinite);
    CHECK_INT(from(nextafterf((float)(end + half_step), 0)), last);
    CHECK_INT(from(-HUGE_VALF), infinite | 0x8000);
    CHECK_INT(from(0x1.fffffep127F), infinite);
}

static void every_f16_and_the_middles_between_round_to_even(void **state) {
    (void)state;
    every_pattern(alm_f16_to_f32, alm_f16_from_f32, 5, "f16");
}

static void every_bf16_and_the_middles_between_round_to_even(void **state) {
    (void)state;
    every_pattern(alm_bf16_to_f32, alm_bf16_from_f32, 8, "bf16");
}

static void the_arrays_are_the_scalars(void **state) {
    (void)state;
    enum { N = 997 };
    static float x[N], y[N];
    static uint8_t bytes[4 * N + 1];
    uint32_t bits = 12345;
    for (size_t i = 0; i < N; i++) bits = bits * 1664525 + 1013904223, x[i] = alm_f32_from_bits(bits);
    named("f16")->encode(bytes + 1, x, N);
    named("f16")->decode(y, bytes + 1, N);
    for (size_t i = 0; i < N; i++) {
        float want = alm_f16_to_f32(alm_f16_from_f32(x[i]));
        CHECK_INT(bytes[1 + 2 * i] | bytes[2 + 2 * i] << 8, alm_f16_from_f32(x[i]));
        CHECK_INT(alm_f32_bits(y[i]), alm_f32_bits(want));
    }
    named("bf16")->encode(bytes + 1, x, N);
    named("bf16")->decode(y, bytes + 1, N);
    for (size_t i = 0; i < N; i++) CHECK_INT(alm_f32_bits(y[i]), (uint32_t)alm_bf16_from_f32(x[i]) << 16);
    named("f32")->encode(bytes + 1, x, N);
    CHECK_INT(bytes[1], alm_f32_bits(x[0]) & 255);
    CHECK_INT(bytes[4], alm_f32_bits(x[0]) >> 24);
    named("f32")->decode(y, bytes + 1, N);
    same_bytes(y, x, sizeof x, "f32");
}

static void q8_0_reads_back_within_half_a_scale(void **state) {
    (void)state;
    const alm_type *t = named("q8_0");
    float x[32], y[32];
    uint8_t block[34];
    uint32_t bits = 7;
    for (int round = 0; round < 2000; round++) {
        /* d stays a normal f16 below its maximum. */
        float most = 0, scale = ldexpf(1, round % 27 - 5);
        for (size_t i = 0; i < 32; i++) {
            bits = bits * 1664525 + 1013904223;
            x[i] = scale * ((float)(bits >> 8) * 0x1p-23F - 1);
            most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
        }
        t->encode(block, x, 32);
        t->decode(y, block, 32);
        for (size_t i = 0; i < 32; i++) {
            double off = fabs((double)y[i] - (double)x[i]),
                   bound = (double)most * (0.5 / 127 * (1 + 0x1p-20) + 0x1p-11);
            CHECK(off <= bound, "%g read back as %g", (double)x[i], (double)y[i]);
        }
    }
}

static void q8_0_of_odd_numbers_is_defined(void **state) {
    (void)state;
    const alm_type *t = named("q8_0");
    float x[32] = {0};
    uint8_t block[34];
    t->encode(block, x, 32);
    for (size_t i = 0; i < 34; i++) CHECK_INT(block[i], 0);
    x[3] = NAN, x[4] = 127, x[5] = -2.5F, x[6] = 2.5F;
    t->encode(block, x, 32);
    CHECK_INT(alm_load_u16(block), 0x3c00);
    CHECK_INT(block[2 + 3], 0);
    CHECK_INT((int8_t)block[2 + 4], 127);
    CHECK_INT((int8_t)block[2 + 5], -3); /* halves away from zero */
    CHECK_INT((int8_t)block[2 + 6], 3);
    x[7] = HUGE_VALF;
    t->encode(block, x, 32);
    CHECK_INT(alm_load_u16(block), 0x7c00);
    for (size_t i = 2; i < 34; i++) CHECK_INT(block[i], 0);
    for (size_t i = 0; i < 32; i++) x[i] = 0x1p-149F; /* the inverse of the scale would be infinite */
    t->encode(block, x, 32);
    for (size_t i = 0; i < 34; i++) CHECK_INT(block[i], 0);
}

static void a_type_is_found_by_number_and_by_name(void **state) {
    (void)state;
    size_t n = 0;
    for (const alm_type *const *t = alm_type_list(); *t; t++, n++) {
        CHECK(alm_type_find((*t)->gguf) == *t, "%s", (*t)->name);
        CHECK(alm_type_named((*t)->name) == *t, "%s", (*t)->name);
        CHECK((*t)->block > 0 && (*t)->block_bytes > 0 && (*t)->decode, "%s", (*t)->name);
        CHECK(256 % (*t)->block == 0, "%s: products decode 256 numbers at a time", (*t)->name);
    }
    CHECK_INT(n, 27);
    CHECK(alm_type_find(ALM_BF16) == named("bf16"));
    CHECK_INT(named("q8_0")->gguf, 8);
    CHECK(alm_type_find(4) == NULL);
    CHECK(alm_type_named("q8") == NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(decoding_gives_the_golden_bits),
    cmocka_unit_test(all_shared_vectors_decode_to_the_golden_bits),
    cmocka_unit_test(the_types_of_activations_are_a_scale_times_bytes),
    cmocka_unit_test(encoding_gives_the_golden_blocks),
    cmocka_unit_test(what_is_searched_for_loses_no_more_than_the_reference),
    cmocka_unit_test(zeros_stay_zeros_and_three_values_are_kept),
    cmocka_unit_test(any_bytes_decode_and_any_numbers_encode),
    cmocka_unit_test(every_f16_and_the_middles_between_round_to_even),
    cmocka_unit_test(every_bf16_and_the_middles_between_round_to_even),
    cmocka_unit_test(the_arrays_are_the_scalars),
    cmocka_unit_test(q8_0_reads_back_within_half_a_scale),
    cmocka_unit_test(q8_0_of_odd_numbers_is_defined),
    cmocka_unit_test(a_type_is_found_by_number_and_by_name),
};
ALM_TEST_MAIN(tests)
