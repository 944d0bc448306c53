/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json_write.c - the writer of JSON and the canonical form: what is written, what is refused, failing memory. */
#include "base/alloc.h"
#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void write_a_bit_of_everything(alm_buf *out) {
    alm_json_writer w = alm_json_writer_on(out);
    alm_json_begin_object(&w);
    alm_json_key(&w, "a");
    alm_json_begin_array(&w);
    alm_json_u64(&w, UINT64_MAX);
    alm_json_int(&w, INT64_MIN);
    alm_json_number(&w, 0.1);
    alm_json_number(&w, 1e300 * 1e300);
    alm_json_begin_array(&w);
    alm_json_end_array(&w);
    alm_json_begin_object(&w);
    alm_json_end_object(&w);
    alm_json_end_array(&w);
    alm_json_key_str(&w, ALM_STR("b\"\n"));
    alm_json_text(&w, "x");
    alm_json_key(&w, "c");
    alm_json_bool(&w, true);
    alm_json_key(&w, "d");
    alm_json_bool(&w, false);
    alm_json_key(&w, "e");
    alm_json_null(&w);
    alm_json_key(&w, "f");
    alm_json_string(&w, ALM_STR("\xc3\xbc"));
    alm_json_end_object(&w);
}

static void commas_colons_and_quotes_are_placed_by_the_writer(void **state) {
    (void)state;
    alm_buf out = alm_buf_with_limit(4096);
    write_a_bit_of_everything(&out);
    assert_string_equal(alm_buf_text(&out),
                        "{\"a\":[18446744073709551615,-9223372036854775808,0.1,null,[],{}],\"b\\\"\\n\":\"x\","
                        "\"c\":true,\"d\":false,\"e\":null,\"f\":\"\xc3\xbc\"}");
    alm_buf_free(&out);
}

static void sixty_four_levels_are_kept_apart(void **state) {
    (void)state;
    alm_buf out = alm_buf_with_limit(4096);
    alm_json_writer w = alm_json_writer_on(&out);
    alm_json_doc doc = {0};
    for (int i = 0; i < 32; i++) {
        alm_json_begin_array(&w);
        alm_json_u64(&w, 1);
        alm_json_begin_object(&w);
        alm_json_key(&w, "x");
        alm_json_u64(&w, 2);
        alm_json_key(&w, "y");
    }
    alm_json_null(&w);
    for (int i = 0; i < 32; i++) {
        alm_json_end_object(&w);
        alm_json_u64(&w, 3);
        alm_json_end_array(&w);
    }
    assert_int_equal(alm_json_parse(&doc, out.at, out.n, NULL, NULL, NULL), ALM_OK);
    assert_int_equal(doc.node[0].n, 3);
    alm_json_doc_free(&doc);
    alm_buf_free(&out);
}

static void values_in_a_row_at_the_top_need_a_writer_each(void **state) {
    (void)state;
    alm_buf out = alm_buf_with_limit(4096);
    for (int i = 0; i < 2; i++) {
        alm_json_writer w = alm_json_writer_on(&out);
        alm_json_int(&w, i);
        alm_buf_add_byte(&out, '\n');
    }
    assert_string_equal(alm_buf_text(&out), "0\n1\n");
    alm_buf_free(&out);
}

static void a_string_is_escaped_as_little_as_must_be(void **state) {
    (void)state;
    static const struct {
        alm_str in;
        const char *out;
    } CASE[] = {
        {{"", 0}, "\"\""},
        {{"a/b", 3}, "\"a/b\""},
        {{"\0\x1f\x7f", 3}, "\"\\u0000\\u001f\x7f\""},
        {{"\b\f\n\r\t\"\\", 7}, "\"\\b\\f\\n\\r\\t\\\"\\\\\""},
        {{"\xe2\x82\xac", 3}, "\"\xe2\x82\xac\""},
        {{"\xff", 1}, "\"\xef\xbf\xbd\""},
        {{"a\xc3", 2}, "\"a\xef\xbf\xbd\""},
        {{"a\xc3z", 3}, "\"a\xef\xbf\xbdz\""},
        {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {{"\xf0\x9f\x98q", 4}, "\"\xef\xbf\xbdq\""},
    };
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        alm_buf out = alm_buf_with_limit(64);
        assert_true(alm_json_quote(&out, CASE[i].in));
        assert_string_equal(alm_buf_text(&out), CASE[i].out);
        alm_buf_free(&out);
    }
}

static void any_bytes_become_a_string_that_is_read_again(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    for (unsigned x = 0; x < 65536; x++) {
        char in[4] = {(char)(x >> 8), (char)x, (char)(x * 7 >> 3), 'z'};
        alm_buf out = alm_buf_with_limit(64), again = alm_buf_with_limit(64);
        assert_true(alm_json_quote(&out, (alm_str){in, 4}));
        alm_buf_add_str(&again, alm_buf_str(&out));
        assert_int_equal(alm_json_parse(&doc, again.at, again.n, NULL, NULL, NULL), ALM_OK);
        if (alm_utf8_valid((alm_str){in, 4})) assert_true(alm_str_eq(doc.node[0].text, (alm_str){in, 4}));
        alm_buf_free(&out), alm_buf_free(&again);
    }
    alm_json_doc_free(&doc);
}

static void keys_are_ordered_by_utf_16(void **state) {
    (void)state;
    /* in this order; U+10000 and U+10FFFF stand before U+E000 although their bytes are greater */
    static const char *const ORDER[] = {"",
                                        "\x01",
                                        "A",
                                        "AA",
                                        "B",
                                        "\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf0\x90\x80\x80z",
                                        "\xf0\x9f\x98\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xef\xbf\xbf\xf0\x90\x80\x80",
                                        "\xef\xbf\xbf\xee\x80\x80"};
    enum { N = sizeof ORDER / sizeof *ORDER };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            assert_int_equal(alm_json_key_cmp(alm_str_of(ORDER[i]), alm_str_of(ORDER[j])), i < j ? -1 : i > j);
}

static void what_has_no_canonical_form_is_refused_with_its_reason(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } CASE[] = {
        {"{\"a\":1,\"b\":{\"x\":1,\"x\":2}}", "\"x\" stands twice"},
        {"[1e309]", "1e309 is beyond a double"},
        {"-1e999", "-1e999 is beyond a double"},
    };
    alm_json_doc doc = {0};
    alm_error err;
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        alm_buf in = alm_buf_with_limit(256), out = alm_buf_with_limit(256);
        alm_buf_add_text(&in, CASE[i].text);
        assert_int_equal(alm_json_parse(&doc, in.at, in.n, NULL, NULL, NULL), ALM_OK);
        assert_int_equal(alm_json_canonical(&out, doc.node, &err), ALM_MALFORMED);
        assert_non_null(strstr(err.text, CASE[i].why));
        alm_buf_free(&in), alm_buf_free(&out);
    }
    alm_json_doc_free(&doc);
}

static void a_full_buffer_is_reported_by_write_and_canonical(void **state) {
    (void)state;
    char text[] = "{\"b\":[1,2,3],\"a\":\"0123456789\"}";
    alm_json_doc doc = {0};
    assert_int_equal(alm_json_parse(&doc, text, strlen(text), NULL, NULL, NULL), ALM_OK);
    alm_buf out = alm_buf_with_limit(10);
    assert_int_equal(alm_json_write(&out, doc.node, NULL), ALM_LIMIT);
    alm_buf_clear(&out);
    assert_int_equal(alm_json_canonical(&out, doc.node, NULL), ALM_LIMIT);
    alm_buf_free(&out);
    alm_json_doc_free(&doc);
}

static void failing_memory_is_reported_and_nothing_leaks(void **state) {
    (void)state;
    size_t live = alm_test_live_blocks();
    char text[] = "{\"b\":[1,{\"z\":1,\"y\":{\"x\":[0.1,1e21]}}],\"a\":\"0123456789\"}";
    alm_json_doc doc = {0};
    assert_int_equal(alm_json_parse(&doc, text, strlen(text), NULL, NULL, NULL), ALM_OK);
    for (int canonical = 0; canonical < 3; canonical++)
        for (size_t n = 1;; n++) {
            alm_buf out = alm_buf_with_limit(4096);
            alm_test_fail_alloc(n, true);
            alm_status st;
            if (canonical == 2) write_a_bit_of_everything(&out), st = alm_buf_status(&out, NULL);
            else st = canonical ? alm_json_canonical(&out, doc.node, NULL) : alm_json_write(&out, doc.node, NULL);
            alm_test_fail_alloc(0, false);
            alm_buf_free(&out);
            if (st == ALM_OK) {
                assert_true(n > 1);
                break;
            }
            assert_int_equal(st, ALM_NO_MEMORY);
        }
    alm_json_doc_free(&doc);
    assert_int_equal(alm_test_live_blocks(), live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_colons_and_quotes_are_placed_by_the_writer),
        cmocka_unit_test(sixty_four_levels_are_kept_apart),
        cmocka_unit_test(values_in_a_row_at_the_top_need_a_writer_each),
        cmocka_unit_test(a_string_is_escaped_as_little_as_must_be),
        cmocka_unit_test(any_bytes_become_a_string_that_is_read_again),
        cmocka_unit_test(keys_are_ordered_by_utf_16),
        cmocka_unit_test(what_has_no_canonical_form_is_refused_with_its_reason),
        cmocka_unit_test(a_full_buffer_is_reported_by_write_and_canonical),
        cmocka_unit_test(failing_memory_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
