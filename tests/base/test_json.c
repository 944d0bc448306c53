/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c - the reader of JSON: agreement with tests/golden/json, places of errors, limits, reuse, failing memory. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct corpus_case {
    alm_str name, expected, doubles, differs;
    alm_buf input, written, canonical; /* decoded; canonical.n == 0: there is none */
} corpus_case;

static void decode_base64(alm_buf *out, alm_str s) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0, n = 0;
    alm_buf_clear(out);
    if (s.n == 1) return; /* "-" or "." */
    for (size_t i = 0; i < s.n && s.at[i] != '='; i++) {
        const char *d = strchr(digits, s.at[i]);
        assert_non_null(d);
        bits = bits << 6 | (uint32_t)(d - digits), n += 6;
        if (n >= 8) n -= 8, assert_true(alm_buf_add_byte(out, (char)(bits >> n & 255)));
    }
}

/* Calls `check` for each line of cases.tsv; returns how many there were. */
static size_t each_case(void (*check)(corpus_case *c)) {
    const char *root = getenv("ALM_SOURCE_ROOT");
    alm_buf file = alm_buf_with_limit(16 << 20), path = alm_buf_with_limit(4096);
    alm_str rest, line, field[7];
    corpus_case c = {.input.limit = 1 << 20, .written.limit = 1 << 20, .canonical.limit = 1 << 20};
    size_t n = 0;
    alm_error err;
    assert_true(alm_buf_printf(&path, "%s/tests/golden/json/cases.tsv", root != NULL ? root : "."));
    if (alm_file_read(&file, alm_buf_text(&path), &err) != ALM_OK) fail_msg("%s", err.text);
    for (rest = alm_buf_str(&file); alm_str_split(&rest, '\n', &line) && line.n > 0; n++) {
        for (int i = 0; i < 7; i++) assert_true(alm_str_split(&line, '\t', &field[i]));
        c.name = field[0], c.expected = field[2], c.doubles = field[4], c.differs = field[6];
        decode_base64(&c.input, field[1]);
        decode_base64(&c.written, field[3]);
        decode_base64(&c.canonical, field[5]);
        check(&c);
    }
    alm_buf_free(&c.input), alm_buf_free(&c.written), alm_buf_free(&c.canonical);
    alm_buf_free(&file), alm_buf_free(&path);
    return n;
}

/* A copy of exactly n bytes on the heap, so that the address sanitizer sees one byte too many. */
static char *exact_copy(alm_str s) {
    char *t = malloc(s.n > 0 ? s.n : 1);
    assert_non_null(t);
    if (s.n > 0) memcpy(t, s.at, s.n);
    return t;
}

static void same_verdict_and_value(corpus_case *c) {
    alm_json_doc doc = {0};
    alm_error err = {0};
    char *text = exact_copy(alm_buf_str(&c->input));
    alm_status st = alm_json_parse(&doc, text, c->input.n, NULL, NULL, &err);
    bool expected = alm_str_eq(c->expected, ALM_STR("ok"));
    if ((st == ALM_OK) != expected) fail_msg("%.*s: %s", ALM_ARG(c->name), st == ALM_OK ? "was accepted" : err.text);
    if (st == ALM_OK) {
        alm_buf out = alm_buf_with_limit(1 << 20);
        assert_int_equal(alm_json_write(&out, doc.node, &err), ALM_OK);
        if (!alm_str_eq(alm_buf_str(&out), alm_buf_str(&c->written)))
            fail_msg("%.*s: written %.*s", ALM_ARG(c->name), ALM_ARG(alm_buf_str(&out)));
        alm_buf_free(&out);
    } else {
        assert_true(st == ALM_MALFORMED || (st == ALM_LIMIT && c->input.n > 128));
        if (alm_str_eq(c->differs, ALM_STR("depth"))) assert_int_equal(st, ALM_LIMIT);
        assert_int_equal(err.status, st);
        assert_int_equal(doc.n_node, 0);
    }
    alm_json_doc_free(&doc);
    free(text);
}

static void python_and_we_agree_on_what_is_json_and_what_it_says(void **state) {
    (void)state;
    size_t n = each_case(same_verdict_and_value);
    assert_true(n >= 300);
}

static void same_doubles(corpus_case *c) {
    alm_json_doc doc = {0};
    char *text = exact_copy(alm_buf_str(&c->input));
    alm_str left = c->doubles, one;
    if (!alm_str_eq(c->expected, ALM_STR("ok")) || c->doubles.n == 1) goto done;
    assert_int_equal(alm_json_parse(&doc, text, c->input.n, NULL, NULL, NULL), ALM_OK);
    for (size_t i = 0; i < doc.n_node; i++) {
        double x = 0;
        char hex[17];
        uint64_t bits;
        if (doc.node[i].type != ALM_JSON_NUMBER) continue;
        assert_true(alm_str_split(&left, ',', &one));
        bool fits = alm_json_f64(&doc.node[i], &x);
        if (one.at[1] == 'f' && one.at[2] == 'f' && (one.at[0] == '7' || one.at[0] == 'f')) { /* an infinity */
            if (fits) fail_msg("%.*s: %.*s fits a double", ALM_ARG(c->name), ALM_ARG(doc.node[i].text));
            continue;
        }
        memcpy(&bits, &x, 8);
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)bits);
        if (!fits || !alm_str_eq(one, alm_str_of(hex)))
            fail_msg("%.*s: %.*s is %s, expected %.*s", ALM_ARG(c->name), ALM_ARG(doc.node[i].text), hex, ALM_ARG(one));
    }
done:
    alm_json_doc_free(&doc);
    free(text);
}

static void every_number_has_the_same_double_as_in_python(void **state) {
    (void)state;
    assert_true(each_case(same_doubles) >= 300);
}

static void same_canonical(corpus_case *c) {
    alm_json_doc doc = {0};
    char *text = exact_copy(alm_buf_str(&c->input)), *again = NULL;
    alm_buf out = alm_buf_with_limit(1 << 20), twice = alm_buf_with_limit(1 << 20);
    if (!alm_str_eq(c->expected, ALM_STR("ok"))) goto done;
    assert_int_equal(alm_json_parse(&doc, text, c->input.n, NULL, NULL, NULL), ALM_OK);
    alm_status st = alm_json_canonical(&out, doc.node, NULL);
    if ((st == ALM_OK) != (c->canonical.n > 0))
        fail_msg("%.*s: canonical form: %s", ALM_ARG(c->name), alm_status_text(st));
    if (st != ALM_OK) {
        assert_int_equal(st, ALM_MALFORMED);
        goto done;
    }
    if (!alm_str_eq(alm_buf_str(&out), alm_buf_str(&c->canonical)))
        fail_msg("%.*s: canonical %.*s, expected %.*s", ALM_ARG(c->name), ALM_ARG(alm_buf_str(&out)),
                 ALM_ARG(alm_buf_str(&c->canonical)));
    again = exact_copy(alm_buf_str(&out));
    assert_int_equal(alm_json_parse(&doc, again, out.n, NULL, NULL, NULL), ALM_OK);
    assert_int_equal(alm_json_canonical(&twice, doc.node, NULL), ALM_OK);
    assert_true(alm_str_eq(alm_buf_str(&out), alm_buf_str(&twice)));
done:
    alm_json_doc_free(&doc);
    alm_buf_free(&out), alm_buf_free(&twice);
    free(text), free(again);
}

static void the_canonical_form_is_that_of_an_independent_writer_and_its_own_fixed_point(void **state) {
    (void)state;
    assert_true(each_case(same_canonical) >= 300);
}

static void every_start_of_a_text_is_refused_or_read_without_reaching_beyond_it(corpus_case *c) {
    alm_json_doc doc = {0};
    size_t step = c->input.n > 400 ? c->input.n / 97 : 1;
    for (size_t n = 0; n < c->input.n; n += step) {
        char *text = exact_copy((alm_str){c->input.at, n});
        (void)alm_json_parse(&doc, text, n, NULL, NULL, NULL);
        free(text);
    }
    alm_json_doc_free(&doc);
}

static void a_text_cut_anywhere_is_handled(void **state) {
    (void)state;
    assert_true(each_case(every_start_of_a_text_is_refused_or_read_without_reaching_beyond_it) >= 300);
}

static alm_status parse(alm_json_doc *doc, char *text, const alm_json_limits *l, alm_error *err) {
    return alm_json_parse(doc, text, strlen(text), l, NULL, err);
}

static void a_refusal_names_byte_line_and_column(void **state) {
    (void)state;
    static const struct {
        const char *text, *where;
    } CASE[] = {
        {"", "byte 0 (line 1, column 1)"},
        {"[1,\n 2,\n  x]", "byte 10 (line 3, column 3)"},
        {"{\"a\":\"\\n\\n\\n\",\n\"b\" 1}", "byte 19 (line 2, column 5)"}, /* escapes are not lines */
        {"[\"\\n\\n\\q\"]", "byte 6 (line 1, column 7)"},
        {"[\"\\n\\nabc\ndef\"]", "byte 9 (line 1, column 10)"},
        {"{\"a\":1,\n\"b\":2,\n\"a\":3}", "byte 15 (line 3, column 1)"},
        {"1 2", "byte 2 (line 1, column 3)"},
        {"\xEF\xBB\xBF{}", "byte 0 (line 1, column 1): no value begins with this byte (a byte order mark is not JSON)"},
    };
    alm_json_doc doc = {0};
    alm_error err;
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", CASE[i].text);
        assert_int_equal(parse(&doc, text, &(alm_json_limits){.refuse_duplicates = true}, &err), ALM_MALFORMED);
        if (strstr(err.text, CASE[i].where) == NULL) fail_msg("case %zu: %s, expected %s", i, err.text, CASE[i].where);
    }
    alm_json_doc_free(&doc);
}

static void a_key_that_stands_twice_is_refused_when_asked_and_else_the_last_one_counts(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    alm_error err;
    int64_t x = 0;
    char a[] = "{\"k\":1,\"\\u006b\":2}", b[] = "{\"k\":1,\"\\u006b\":2}";
    assert_int_equal(parse(&doc, a, &(alm_json_limits){.refuse_duplicates = true}, &err), ALM_MALFORMED);
    assert_int_equal(parse(&doc, b, NULL, &err), ALM_OK);
    assert_true(alm_json_i64(alm_json_get(doc.node, "k"), &x));
    assert_int_equal(x, 2);
    /* many members take the other way through the code */
    for (int twice = 0; twice < 2; twice++) {
        alm_buf t = alm_buf_with_limit(1 << 20);
        alm_buf_add_text(&t, "[{");
        for (int i = 0; i < 3000; i++) alm_buf_printf(&t, "%s\"key %d\":[%d]", i ? "," : "", i * 7919 % 3001, i);
        alm_buf_printf(&t, ",\"key %d\":0}]", twice ? 1234 : 3001);
        assert_int_equal(alm_buf_status(&t, NULL), ALM_OK);
        assert_int_equal(alm_json_parse(&doc, t.at, t.n, &(alm_json_limits){.refuse_duplicates = true}, NULL, &err),
                         twice ? ALM_MALFORMED : ALM_OK);
        alm_buf_free(&t);
    }
    alm_json_doc_free(&doc);
}

static void limits_on_depth_bytes_and_nodes_hold_exactly(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    alm_error err;
    char t[] = "[[[1,2]]]";
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_depth = 3}, &err), ALM_OK);
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_depth = 2}, &err), ALM_LIMIT);
    assert_non_null(strstr(err.text, "byte 2 "));
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_nodes = 5}, &err), ALM_OK);
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_nodes = 4}, &err), ALM_LIMIT);
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_bytes = 9}, &err), ALM_OK);
    assert_int_equal(parse(&doc, t, &(alm_json_limits){.max_bytes = 8}, &err), ALM_LIMIT);
    /* what is asked for is cut to what the tape can hold */
    char *deep = malloc(4096);
    assert_non_null(deep);
    memset(deep, '[', 2048), memset(deep + 2048, ']', 2048);
    assert_int_equal(alm_json_parse(&doc, deep, 4096, &(alm_json_limits){.max_depth = 1u << 30}, NULL, &err),
                     ALM_LIMIT);
    memset(deep, '[', 1024), memset(deep + 1024, ']', 1024);
    assert_int_equal(alm_json_parse(&doc, deep, 2048, &(alm_json_limits){.max_depth = 1u << 30}, NULL, &err), ALM_OK);
    free(deep);
    alm_json_doc_free(&doc);
}

static void prefix_mode_stops_right_behind_the_first_value(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t used;
    } CASE[] = {
        {"{\"a\":1} rest", 7}, {" [1]]", 4}, {"12,", 2}, {"\"x\"\"y\"", 3}, {"true\n", 4}, {"nullx", 4}, {"0 1", 1},
    };
    alm_json_doc doc = {0};
    size_t used;
    for (size_t i = 0; i < sizeof CASE / sizeof *CASE; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", CASE[i].text);
        used = 99;
        assert_int_equal(alm_json_parse(&doc, text, strlen(text), &(alm_json_limits){.prefix = true}, &used, NULL),
                         ALM_OK);
        assert_int_equal(used, CASE[i].used);
    }
    char cut[] = "1.x"; /* no shorter number is taken instead */
    assert_int_equal(alm_json_parse(&doc, cut, 3, &(alm_json_limits){.prefix = true}, &used, NULL), ALM_MALFORMED);
    alm_json_doc_free(&doc);
}

static void the_tape_can_be_walked_member_by_member(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    char t[] = "{\"a\":[1,[2,3],{}],\"b\":\"x\",\"c\":{\"d\":null}}";
    assert_int_equal(parse(&doc, t, NULL, NULL), ALM_OK);
    assert_int_equal(sizeof(alm_json), 24);
    assert_int_equal(doc.node[0].n, 3);
    assert_int_equal(doc.node[0].next, doc.n_node);
    const alm_json *k = alm_json_first(doc.node);
    assert_true(alm_str_eq(k->text, ALM_STR("a")) && k->key);
    const alm_json *a = k + 1, *e = alm_json_first(a);
    assert_int_equal(a->n, 3);
    assert_true(alm_str_eq(e->text, ALM_STR("1")));
    e = alm_json_next(a, e);
    assert_int_equal(e->n, 2);
    e = alm_json_next(a, e);
    assert_int_equal(e->type, ALM_JSON_OBJECT);
    assert_null(alm_json_first(e));
    assert_null(alm_json_next(a, e));
    k = alm_json_next(doc.node, k);
    assert_true(alm_str_eq(k->text, ALM_STR("b")));
    k = alm_json_next(doc.node, k);
    assert_true(alm_str_eq(k->text, ALM_STR("c")));
    assert_null(alm_json_next(doc.node, k));
    assert_int_equal(alm_json_get(alm_json_get(doc.node, "c"), "d")->type, ALM_JSON_NULL);
    assert_null(alm_json_get(doc.node, "d"));
    assert_null(alm_json_get(NULL, "d"));
    assert_null(alm_json_get(a, "d"));
    double x = 7;
    int64_t i = 7;
    assert_false(alm_json_f64(alm_json_get(doc.node, "b"), &x));
    assert_false(alm_json_i64(NULL, &i));
    assert_true(x == 7 && i == 7);
    alm_json_doc_free(&doc);
}

static void integers_are_whole_numbers_without_point_or_exponent(void **state) {
    (void)state;
    alm_json_doc doc = {0};
    char t[] = "[9223372036854775807,-9223372036854775808,9223372036854775808,1.0,1e2,-0]";
    static const struct {
        bool fits;
        int64_t x;
    } WANT[] = {{true, INT64_MAX}, {true, INT64_MIN}, {false, 0}, {false, 0}, {false, 0}, {true, 0}};
    assert_int_equal(parse(&doc, t, NULL, NULL), ALM_OK);
    for (size_t i = 0; i < 6; i++) {
        int64_t x = 0;
        assert_int_equal(alm_json_i64(&doc.node[1 + i], &x), WANT[i].fits);
        assert_true(x == WANT[i].x);
    }
    alm_json_doc_free(&doc);
}

static void failing_memory_leaves_an_empty_document_and_no_block(void **state) {
    (void)state;
    size_t live = alm_test_live_blocks();
    for (size_t n = 1;; n++) {
        alm_json_doc doc = {0};
        alm_error err;
        char text[4096], *p = text;
        p += snprintf(p, 8, "[{");
        for (int i = 0; i < 150; i++) p += snprintf(p, 24, "%s\"k%d\":[]", i ? "," : "", 150 - i);
        snprintf(p, 8, "}]");
        alm_test_fail_alloc(n, true);
        alm_status st = parse(&doc, text, &(alm_json_limits){.refuse_duplicates = true}, &err);
        alm_test_fail_alloc(0, false);
        if (st != ALM_OK) {
            assert_int_equal(st, ALM_NO_MEMORY);
            assert_int_equal(doc.n_node, 0);
        }
        alm_json_doc_free(&doc);
        assert_int_equal(alm_test_live_blocks(), live);
        if (st == ALM_OK) {
            assert_true(n > 3); /* the tape grew more than once, and the keys were sorted */
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_and_we_agree_on_what_is_json_and_what_it_says),
        cmocka_unit_test(every_number_has_the_same_double_as_in_python),
        cmocka_unit_test(the_canonical_form_is_that_of_an_independent_writer_and_its_own_fixed_point),
        cmocka_unit_test(a_text_cut_anywhere_is_handled),
        cmocka_unit_test(a_refusal_names_byte_line_and_column),
        cmocka_unit_test(a_key_that_stands_twice_is_refused_when_asked_and_else_the_last_one_counts),
        cmocka_unit_test(limits_on_depth_bytes_and_nodes_hold_exactly),
        cmocka_unit_test(prefix_mode_stops_right_behind_the_first_value),
        cmocka_unit_test(the_tape_can_be_walked_member_by_member),
        cmocka_unit_test(integers_are_whole_numbers_without_point_or_exponent),
        cmocka_unit_test(failing_memory_leaves_an_empty_document_and_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
