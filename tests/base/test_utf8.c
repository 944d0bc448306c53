/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_utf8.c - UTF-8 against its definition, taken byte by byte. */
#include "alm_test.h"

static void every_scalar_value_is_written_and_read_back(void **state) {
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char at[4];
        uint32_t back;
        size_t n = alm_utf8_put(at, c), pos = 0;
        bool scalar = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        CHECK(n == (!scalar ? 3U : c < 0x80 ? 1U : c < 0x800 ? 2U : c < 0x10000 ? 3U : 4U), "U+%X", c);
        CHECK(alm_utf8_valid((alm_str){at, n}) && alm_utf8_next((alm_str){at, n}, &pos, &back) && pos == n, "U+%X", c);
        CHECK(back == (scalar ? c : 0xFFFD), "U+%X", c);
        for (size_t cut = 1; cut < n; cut++) CHECK(!alm_utf8_valid((alm_str){at, cut}), "U+%X", c);
    }
}

/* The definition: decode by lead byte, then look whether the value needed that many bytes and is a scalar value. */
static bool well_formed(const unsigned char *p, size_t n) {
    size_t i = 0;
    while (i < n) {
        size_t more = p[i] < 0x80 ? 0 : p[i] < 0xC0 ? 9 : p[i] < 0xE0 ? 1 : p[i] < 0xF0 ? 2 : p[i] < 0xF8 ? 3 : 9;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (more == 9 || more >= n - i) return false;
        uint32_t c = more == 0 ? p[i] : p[i] & (0x3FU >> more);
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xC0) != 0x80) return false;
            c = c << 6 | (p[i + k] & 0x3F);
        }
        if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
        i += more + 1;
    }
    return true;
}

static void every_two_and_three_bytes_are_judged_by_the_definition(void **state) {
    (void)state;
    static const unsigned char last[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                         0xBF, 0xC0, 0xC2, 0xE0, 0xF0, 0xF4, 0xFF};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t c = 0; c < sizeof last; c++)
                for (size_t d = 0; d < sizeof last; d++) {
                    unsigned char p[4] = {(unsigned char)a, (unsigned char)b, last[c], last[d]};
                    for (size_t n = 2; n <= 4; n++) {
                        bool want = well_formed(p, n);
                        if (alm_utf8_valid((alm_str){(char *)p, n}) != want)
                            CHECK(false, "%02x %02x %02x %02x (%zu) is %s", a, b, p[2], p[3], n, want ? "good" : "bad");
                    }
                }
}

static void the_valid_prefix_ends_before_the_fault_wherever_it_is(void **state) {
    (void)state;
    char text[200];
    for (size_t n = 0; n <= 120; n++) {
        memset(text, 'a', sizeof text);
        CHECK(alm_utf8_valid((alm_str){text, n}));
        for (size_t at = 0; at < n; at++) {
            text[at] = (char)0xFF;
            CHECK_INT(alm_utf8_valid_prefix((alm_str){text, n}), at);
            text[at] = (char)0xC3; /* and a character that the end cuts off */
            CHECK_INT(alm_utf8_valid_prefix((alm_str){text, n}), at);
            text[at] = 'a';
        }
    }
    CHECK(alm_utf8_valid((alm_str){NULL, 0}));
}

static void an_ill_formed_part_is_as_long_as_unicode_says(void **state) {
    (void)state;
    static const struct {
        const char *at;
        size_t n, part;
    } row[] = {{"\x80", 1, 1},
               {"\xC0\xAF", 2, 1},
               {"\xE1\x80", 2, 2},
               {"\xE1\x80"
                "A",
                3, 2},
               {"\xE0\x9F\x80", 3, 1},
               {"\xED\xA0\x80", 3, 1},
               {"\xF0\x80\x80", 3, 1},
               {"\xF1\x80\x80"
                "A",
                4, 3},
               {"\xF4\x90\x80\x80", 4, 1},
               {"\xF5\x80", 2, 1}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t pos = 0;
        uint32_t c;
        CHECK(!alm_utf8_next((alm_str){row[i].at, row[i].n}, &pos, &c) && pos == row[i].part, "row %zu: %zu", i, pos);
    }
    size_t pos = 3;
    uint32_t c;
    CHECK(!alm_utf8_next(ALM_STR("abc"), &pos, &c) && pos == 3);
}

static void columns_are_those_of_a_terminal(void **state) {
    (void)state;
    CHECK_INT(alm_utf8_columns(ALM_STR("hello")), 5);
    CHECK_INT(alm_utf8_columns(ALM_STR("grün")), 4);
    CHECK_INT(alm_utf8_columns(ALM_STR("gru\xCC\x88n")), 4); /* u and combining diaeresis */
    CHECK_INT(alm_utf8_columns(ALM_STR("日本語")), 6);
    CHECK_INT(alm_utf8_columns(ALM_STR("한글")), 4);
    CHECK_INT(alm_utf8_columns(ALM_STR("😀")), 2);
    CHECK_INT(alm_utf8_columns(ALM_STR("▁▂▃█")), 4);           /* sparklines */
    CHECK_INT(alm_utf8_columns(ALM_STR("a\xE2\x80\x8Bz")), 2); /* zero width space */
    CHECK_INT(alm_utf8_columns(ALM_STR("\xFF"
                                       "a")),
              2);
    CHECK_INT(alm_utf8_columns(ALM_STR("\xC2\xA0\xC2\xB0")), 2); /* no-break space, degree */
    CHECK_INT(alm_utf8_columns(ALM_STR("")), 0);
}

static void visible_text_is_cut_where_it_does_not_fit(void **state) {
    (void)state;
    char at[8];
    CHECK_INT(alm_visible_copy(at, 8, ALM_STR("1234567")), 7);
    CHECK_STR(alm_str_of(at), "1234567");
    CHECK_INT(alm_visible_copy(at, 8, ALM_STR("12345678")), 7);
    CHECK_STR(alm_str_of(at), "1234...");
    CHECK_INT(alm_visible_copy(at, 8, ALM_STR("123\n5678")), 6);
    CHECK_STR(alm_str_of(at), "123...");
    CHECK_INT(alm_visible_copy(at, 4, ALM_STR("\n")), 3);
    CHECK_STR(alm_str_of(at), "...");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_scalar_value_is_written_and_read_back),
    cmocka_unit_test(every_two_and_three_bytes_are_judged_by_the_definition),
    cmocka_unit_test(the_valid_prefix_ends_before_the_fault_wherever_it_is),
    cmocka_unit_test(an_ill_formed_part_is_as_long_as_unicode_says),
    cmocka_unit_test(columns_are_those_of_a_terminal),
    cmocka_unit_test(visible_text_is_cut_where_it_does_not_fit),
};
ALM_TEST_MAIN(tests)
