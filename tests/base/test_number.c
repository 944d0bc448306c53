/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_number.c - doubles as text and back, against tests/golden/number (Python). */
#include "alm_test.h"

static double from_hex(alm_str hex) {
    char text[20];
    snprintf(text, sizeof text, "%.*s", ALM_ARG(hex));
    uint64_t bits = strtoull(text, NULL, 16);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

static void doubles_are_written_as_ecmascript_writes_them(void **state) {
    (void)state;
    size_t n_bytes, n_row = 0;
    char *text = alm_test_slurp(alm_test_source("tests/golden/number/write.tsv"), &n_bytes);
    alm_str rest = {text, n_bytes}, line, bits;
    while (alm_str_split(&rest, '\n', &line) && line.n) {
        char got[32];
        double back;
        CHECK(alm_str_split(&line, '\t', &bits));
        double x = from_hex(bits);
        size_t n = alm_f64_to_str(got, x);
        CHECK(n <= 25 && got[n] == '\0' && alm_str_eq((alm_str){got, n}, line), "%.*s: %s, not %.*s", ALM_ARG(bits),
              got, ALM_ARG(line));
        CHECK(alm_str_to_f64((alm_str){got, n}, &back) && (x == 0 || alm_test_bits(back) == alm_test_bits(x)), "%s",
              got);
        n_row++;
    }
    CHECK(n_row > 1500, "%zu rows", n_row);
    alm_free(text);
}

static void doubles_are_read_with_one_rounding(void **state) {
    (void)state;
    size_t n_bytes, n_row = 0;
    char *text = alm_test_slurp(alm_test_source("tests/golden/number/read.tsv"), &n_bytes);
    alm_str rest = {text, n_bytes}, line, written;
    while (alm_str_split(&rest, '\n', &line) && line.n) {
        double got = 77;
        CHECK(alm_str_split(&line, '\t', &written));
        bool good = alm_str_to_f64(written, &got);
        if (alm_str_eq(line, ALM_STR("no"))) CHECK(!good && got == 77, "%.*s", ALM_ARG(written));
        else
            CHECK(good && alm_test_bits(got) == alm_test_bits(from_hex(line)), "%.60s: %.17g, not %.*s", written.at,
                  got, ALM_ARG(line));
        n_row++;
    }
    CHECK(n_row > 700, "%zu rows", n_row);
    alm_free(text);
}

static void what_is_no_number_is_written_as_null(void **state) {
    (void)state;
    char at[32];
    double inf = 1e308 * 10;
    CHECK_INT(alm_f64_to_str(at, inf), 4);
    CHECK_STR(alm_str_of(at), "null");
    alm_f64_to_str(at, inf - inf);
    CHECK_STR(alm_str_of(at), "null");
}

static void every_double_comes_back(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = alm_hash64(&i, sizeof i, 42);
        double x, back;
        char at[32];
        memcpy(&x, &bits, 8);
        if ((bits >> 52 & 0x7FF) == 0x7FF) continue;
        size_t n = alm_f64_to_str(at, x);
        CHECK(alm_str_to_f64((alm_str){at, n}, &back) && alm_test_bits(back) == bits, "%s", at);
    }
}

static void the_locale_and_the_heap_have_no_say(void **state) {
    (void)state;
    char at[32];
    double x;
    char kept[100];
    snprintf(kept, sizeof kept, "%s", setlocale(LC_ALL, NULL));
    /* Where no German locale is installed this tests the one that is there. */
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) setlocale(LC_ALL, "de_DE.utf8");
    alm_test_fail_alloc(1, true);
    alm_f64_to_str(at, 1234.5);
    CHECK_STR(alm_str_of(at), "1234.5");
    CHECK(alm_str_to_f64(ALM_STR("1234.5"), &x) && x == 1234.5);
    CHECK(alm_str_to_f64(ALM_STR("9007199254740993.5"), &x) && x == 9007199254740994.0); /* by the C library's strtod */
    CHECK(!alm_str_to_f64(ALM_STR("1,5"), &x));
    CHECK_INT(alm_test_alloc_count(), 0);
    alm_test_fail_alloc(0, false);
    setlocale(LC_ALL, kept);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(doubles_are_written_as_ecmascript_writes_them),
    cmocka_unit_test(doubles_are_read_with_one_rounding),
    cmocka_unit_test(what_is_no_number_is_written_as_null),
    cmocka_unit_test(every_double_comes_back),
    cmocka_unit_test(the_locale_and_the_heap_have_no_say),
};
ALM_TEST_MAIN(tests)
