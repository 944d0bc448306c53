/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_buf.c - the buffer with a limit. */
#include "alm_test.h"

static void appended_bytes_are_there_in_order(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(10000);
    CHECK(alm_buf_add(&b, NULL, 0) && b.n == 0);
    CHECK(alm_buf_add_text(&b, "a=") && alm_buf_add_u64(&b, UINT64_MAX) && alm_buf_add_byte(&b, ' '));
    CHECK(alm_buf_add_i64(&b, INT64_MIN) && alm_buf_add_byte(&b, ' ') && alm_buf_add_i64(&b, 0) &&
          alm_buf_add_byte(&b, ' '));
    CHECK(alm_buf_add_f64(&b, -0.5) && alm_buf_add_str(&b, ALM_STR(" \0")) && alm_buf_printf(&b, "%s%d%%", "x", 5));
    CHECK(alm_str_eq(alm_buf_str(&b), ALM_STR("a=18446744073709551615 -9223372036854775808 0 -0.5 \0x5%")));
    alm_buf_clear(&b);
    CHECK(alm_buf_add_le32(&b, 0x01020304) && alm_buf_add_le64(&b, 0x0102030405060708ULL));
    CHECK(alm_str_eq(alm_buf_str(&b), ALM_STR("\4\3\2\1\10\7\6\5\4\3\2\1")));
    CHECK(alm_buf_text(&b) == b.at && b.at[b.n] == '\0');
    alm_buf_free(&b);
    CHECK(b.at == NULL && b.n == 0 && b.limit == 10000);
    alm_buf_free(&b);
}

static void it_grows_to_its_limit_and_not_beyond(void **state) {
    (void)state;
    alm_error err;
    alm_buf b = alm_buf_with_limit(100);
    for (int i = 0; i < 100; i++) CHECK(alm_buf_add_byte(&b, 'x'));
    CHECK(b.cap <= 101 && alm_buf_text(&b) && alm_buf_status(&b, NULL) == ALM_OK);
    CHECK(alm_buf_add(&b, "", 0));
    CHECK(!alm_buf_add_byte(&b, 'y') && b.n == 100);
    CHECK(!alm_buf_add(&b, "", 0) && !alm_buf_text(&b) && !alm_buf_printf(&b, "x"));
    CHECK_STATUS(alm_buf_status(&b, &err), ALM_LIMIT, &err);
    CHECK_HOLDS(err.text, "100 bytes");
    alm_buf_clear(&b);
    CHECK(alm_buf_add_text(&b, "again") && alm_buf_status(&b, NULL) == ALM_OK);
    alm_buf_free(&b);
    alm_buf none = alm_buf_with_limit(0);
    CHECK(alm_buf_text(&none) && !*none.at && !alm_buf_add_byte(&none, 'x'));
    alm_buf_free(&none);
    alm_buf all = alm_buf_with_limit(SIZE_MAX);
    CHECK(alm_buf_add_text(&all, "x") && !alm_buf_reserve(&all, SIZE_MAX - 1) && all.failed == ALM_NO_MEMORY);
    alm_buf_free(&all);
}

static void a_limit_stops_printf_whole(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(10);
    CHECK(alm_buf_printf(&b, "%s", "0123456789") && b.n == 10);
    alm_buf_clear(&b);
    CHECK(!alm_buf_printf(&b, "%s", "0123456789x") && b.n == 0 && b.failed == ALM_LIMIT);
    alm_buf_free(&b);
}

static void visible_text_cannot_steer_a_terminal(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(10000);
    alm_str hostile = ALM_STR("plain \x1b]0;title\x07 \0 \xc2\x85 \xe2\x82\xac \x9b"
                              "31m \xf0\x9f\x98\x80 tab\tend\xe2\x82");
    CHECK(alm_buf_add_visible(&b, hostile));
    CHECK_STR(alm_buf_str(&b), "plain \\x1B]0;title\\x07 \\x00 \\xC2\\x85 € \\x9B31m 😀 tab\\x09end\\xE2\\x82");
    alm_buf_clear(&b);
    CHECK(alm_buf_add_html(&b, ALM_STR("<a href=\"x\">'&'\x1b</a>")));
    CHECK_STR(alm_buf_str(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\\x1B&lt;/a&gt;");
    for (unsigned c = 0; c < 256; c++) { /* whatever the byte, what comes out is printable */
        char in[3] = {'a', (char)c, 'b'};
        alm_buf_clear(&b);
        CHECK(alm_buf_add_visible(&b, (alm_str){in, 3}) && alm_utf8_valid(alm_buf_str(&b)));
        for (size_t i = 0; i < b.n; i++) CHECK((unsigned char)b.at[i] >= 0x20 && b.at[i] != 0x7F, "byte %u", c);
    }
    alm_buf_free(&b);
}

static alm_status everything(void *arg) {
    (void)arg;
    alm_buf b = alm_buf_with_limit(1 << 20);
    for (int i = 0; i < 50; i++) {
        alm_buf_printf(&b, "%d %s", i, "some text that makes it grow now and then");
        alm_buf_add_u64(&b, 7), alm_buf_add_i64(&b, -7), alm_buf_add_f64(&b, 1.5), alm_buf_add_byte(&b, 'c');
        alm_buf_add_le32(&b, 7), alm_buf_add_le64(&b, 7), alm_buf_add_text(&b, "t");
        alm_buf_add_visible(&b, ALM_STR("x\ny")), alm_buf_add_html(&b, ALM_STR("<x>"));
    }
    const char *text = alm_buf_text(&b);
    alm_status st = alm_buf_status(&b, NULL);
    CHECK((text != NULL) == (st == ALM_OK));
    alm_buf_free(&b);
    return st;
}

static void a_failed_allocation_is_seen_at_the_end(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(everything, NULL) > 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(appended_bytes_are_there_in_order),
    cmocka_unit_test(it_grows_to_its_limit_and_not_beyond),
    cmocka_unit_test(a_limit_stops_printf_whole),
    cmocka_unit_test(visible_text_cannot_steer_a_terminal),
    cmocka_unit_test(a_failed_allocation_is_seen_at_the_end),
};
ALM_TEST_MAIN(tests)
