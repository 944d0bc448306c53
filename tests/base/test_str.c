/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_str.c - strings with lengths, whole numbers, the hash. */
#include "alm_test.h"

static void strings_compare_by_bytes(void **state) {
    (void)state;
    alm_str none = {NULL, 0};
    CHECK(alm_str_cmp(ALM_STR("a"), ALM_STR("b")) < 0 && alm_str_cmp(ALM_STR("b"), ALM_STR("a")) > 0);
    CHECK(alm_str_cmp(ALM_STR("a"), ALM_STR("ab")) < 0 && alm_str_cmp(ALM_STR("ab"), ALM_STR("a")) > 0);
    CHECK(alm_str_cmp(ALM_STR("\x7f"), ALM_STR("\x80")) < 0); /* unsigned */
    CHECK(alm_str_cmp(ALM_STR("a\0b"), ALM_STR("a\0c")) < 0);
    CHECK(alm_str_cmp(none, none) == 0 && alm_str_cmp(none, ALM_STR("a")) < 0 && alm_str_eq(none, ALM_STR("")));
    CHECK(alm_str_starts(ALM_STR("abc"), ALM_STR("ab")) && alm_str_starts(none, none) &&
          !alm_str_starts(ALM_STR("a"), ALM_STR("ab")));
    CHECK(alm_str_ends(ALM_STR("abc"), ALM_STR("bc")) && alm_str_ends(none, none) &&
          !alm_str_ends(ALM_STR("abc"), ALM_STR("ab")));
}

static void what_is_searched_is_found_first(void **state) {
    (void)state;
    alm_str s = ALM_STR("abc\0abd");
    CHECK_INT(alm_str_find(s, ALM_STR("ab")), 0);
    CHECK_INT(alm_str_find(s, ALM_STR("abd")), 4);
    CHECK_INT(alm_str_find(s, ALM_STR("")), 0);
    CHECK(alm_str_find(s, ALM_STR("abe")) == SIZE_MAX && alm_str_find(ALM_STR("a"), s) == SIZE_MAX);
    CHECK_INT(alm_str_find_byte(s, '\0'), 3);
    CHECK(alm_str_find_byte(s, 'z') == SIZE_MAX && alm_str_find_byte((alm_str){NULL, 0}, 'z') == SIZE_MAX);
}

static void slices_are_clipped(void **state) {
    (void)state;
    alm_str s = ALM_STR("hello");
    CHECK_STR(alm_str_slice(s, 1, 3), "el");
    CHECK_STR(alm_str_slice(s, 3, 99), "lo");
    CHECK_STR(alm_str_slice(s, 9, 99), "");
    CHECK_STR(alm_str_slice(s, 3, 1), "");
    CHECK(alm_str_slice((alm_str){NULL, 0}, 1, 2).at == NULL);
    CHECK_STR(alm_str_trim(ALM_STR(" \t\r\n a b \n")), "a b");
    CHECK_STR(alm_str_trim(ALM_STR(" \t ")), "");
    CHECK_STR(alm_str_trim((alm_str){NULL, 0}), "");
}

static void splitting_gives_every_part_also_empty_ones(void **state) {
    (void)state;
    static const char *const want[] = {"", "a", "", "b", ""};
    alm_str rest = ALM_STR(",a,,b,"), part;
    size_t n = 0;
    while (alm_str_split(&rest, ',', &part)) {
        CHECK(n < 5);
        CHECK_STR(part, want[n]);
        n++;
    }
    CHECK_INT(n, 5);
    rest = ALM_STR("");
    CHECK(alm_str_split(&rest, ',', &part) && part.n == 0 && !alm_str_split(&rest, ',', &part));
}

static void whole_numbers_are_read_whole_or_not_at_all(void **state) {
    (void)state;
    uint64_t u = 5;
    int64_t i = 5;
    CHECK(alm_str_to_u64(ALM_STR("0"), &u) && u == 0);
    CHECK(alm_str_to_u64(ALM_STR("18446744073709551615"), &u) && u == UINT64_MAX);
    CHECK(alm_str_to_u64(ALM_STR("007"), &u) && u == 7);
    CHECK(alm_str_to_i64(ALM_STR("-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(alm_str_to_i64(ALM_STR("+9223372036854775807"), &i) && i == INT64_MAX);
    CHECK(alm_str_to_i64(ALM_STR("-0"), &i) && i == 0);
    static const char *const bad_u[] = {
        "", "-1", "+1", " 1", "1 ", "1a", "18446744073709551616", "99999999999999999999", "1.0", "\xb2"};
    static const char *const bad_i[] = {"",   "-", "+", "--1", "+-1", "9223372036854775808", "-9223372036854775809",
                                        "1e3"};
    u = 5, i = 5;
    for (size_t k = 0; k < sizeof bad_u / sizeof *bad_u; k++)
        CHECK(!alm_str_to_u64(alm_str_of(bad_u[k]), &u) && u == 5, "%s", bad_u[k]);
    for (size_t k = 0; k < sizeof bad_i / sizeof *bad_i; k++)
        CHECK(!alm_str_to_i64(alm_str_of(bad_i[k]), &i) && i == 5, "%s", bad_i[k]);
}

/* -- hash --------------------------------------------------------------------------------------------------------- */

static void the_hash_has_its_recorded_values(void **state) {
    (void)state;
    size_t n_bytes, n_row = 0;
    char *text = alm_test_slurp(alm_test_source("tests/golden/hash64/hash64.tsv"), &n_bytes);
    alm_str rest = {text, n_bytes}, line, part;
    while (alm_str_split(&rest, '\n', &line) && line.n) {
        unsigned char data[4200];
        uint64_t n;
        char hex[2][20];
        CHECK(alm_str_split(&line, '\t', &part) && alm_str_to_u64(part, &n) && n <= 4096);
        for (size_t k = 0; k < 2; k++) {
            CHECK(alm_str_split(&line, '\t', &part) && part.n == 16);
            snprintf(hex[k], sizeof hex[k], "%.*s", ALM_ARG(part));
        }
        for (int shift = 0; shift < 3; shift++) { /* the place in memory does not matter */
            for (size_t i = 0; i < n; i++) data[(size_t)shift + i] = (unsigned char)(i * 131 + 7 * (i >> 3) + n);
            uint64_t h = alm_hash64(data + shift, n, strtoull(hex[0], NULL, 16));
            CHECK(h == strtoull(hex[1], NULL, 16), "length %llu", (unsigned long long)n);
        }
        n_row++;
    }
    CHECK_INT(n_row, 345);
    alm_free(text);
    CHECK(alm_hash64(NULL, 0, 0) == alm_hash64("", 0, 0));
}

static unsigned bits_of(uint64_t x) { return (unsigned)__builtin_popcountll(x); }

static void every_input_bit_changes_half_of_the_hash(void **state) {
    (void)state;
    static const size_t length[] = {1, 2, 3, 4, 7, 8, 12, 16, 17, 31, 48, 49, 64, 100, 200};
    for (size_t k = 0; k < sizeof length / sizeof *length; k++) {
        size_t n = length[k];
        for (size_t bit = 0; bit < n * 8; bit++) {
            double sum = 0;
            unsigned most = 0, least = 64;
            for (unsigned trial = 0; trial < 100; trial++) {
                unsigned char data[256];
                for (size_t i = 0; i < n; i++) data[i] = (unsigned char)(alm_hash64(&i, sizeof i, trial) >> 17);
                uint64_t before = alm_hash64(data, n, 0);
                data[bit / 8] ^= (unsigned char)(1U << bit % 8);
                unsigned changed = bits_of(before ^ alm_hash64(data, n, 0));
                sum += changed;
                if (changed > most) most = changed;
                if (changed < least) least = changed;
            }
            /* 100 draws of a binomial of 64 halves: mean 32, its deviation 0.4; six of them are 2.4. */
            CHECK(sum / 100 > 29.6 && sum / 100 < 34.4 && least > 6 && most < 58,
                  "length %zu bit %zu: mean %g, %u to %u", n, bit, sum / 100, least, most);
        }
    }
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void similar_words_do_not_collide(void **state) {
    (void)state;
    enum { N = 200000 };
    uint64_t *h = alm_alloc(N * sizeof *h);
    size_t low_bits[1024] = {0};
    CHECK(h != NULL);
    for (unsigned i = 0; i < N; i++) {
        char word[40];
        int n = snprintf(word, sizeof word, i % 2 ? "blk_-%u" : "%u.node", i / 2);
        h[i] = alm_hash64(word, (size_t)n, 0);
        low_bits[h[i] & 1023]++;
    }
    qsort(h, N, sizeof *h, by_value);
    for (size_t i = 1; i < N; i++) CHECK(h[i] != h[i - 1]);
    for (size_t i = 0; i < 1024; i++)
        CHECK(low_bits[i] > 100 && low_bits[i] < 310, "bucket %zu: %zu", i, low_bits[i]); /* 195 +- 8 sd */
    alm_free(h);
}

static void a_zero_factor_does_not_forget_the_state(void **state) {
    (void)state;
    /* A first word that meets its constant makes one product 0; what came before must still count. */
    const uint64_t k2 = 0x3c6ef372fe94f82bULL;
    unsigned char a[48] = {1}, b[48] = {2};
    for (size_t i = 0; i < 8; i++) a[16 + i] = b[16 + i] = (unsigned char)(k2 >> (8 * i));
    CHECK(alm_hash64(a, 48, 0) != alm_hash64(b, 48, 0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(strings_compare_by_bytes),
    cmocka_unit_test(what_is_searched_is_found_first),
    cmocka_unit_test(slices_are_clipped),
    cmocka_unit_test(splitting_gives_every_part_also_empty_ones),
    cmocka_unit_test(whole_numbers_are_read_whole_or_not_at_all),
    cmocka_unit_test(the_hash_has_its_recorded_values),
    cmocka_unit_test(every_input_bit_changes_half_of_the_hash),
    cmocka_unit_test(similar_words_do_not_collide),
    cmocka_unit_test(a_zero_factor_does_not_forget_the_state),
};
ALM_TEST_MAIN(tests)
