/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pickle.c - the stack machine: values, names, bounds. Pickles are written down opcode by opcode; what they mean is
 * checked against Python's pickletools. */
#include "alm_test.h"
#include "format/pickle.h"

static alm_pickle *parsed;

static const alm_pickle_value *read_one(const char *at, size_t n) {
    alm_error err = {0};
    alm_pickle_free(parsed);
    parsed = NULL;
    CHECK_OK(alm_pickle_parse(&parsed, "test", (alm_str){at, n}, NULL, &err), &err);
    return alm_pickle_root(parsed);
}
#define READ(literal) read_one(literal, sizeof(literal) - 1)

static void refused(const char *at, size_t n, const char *class) {
    alm_error err = {0};
    alm_pickle *p = NULL;
    CHECK(alm_pickle_parse(&p, "test", (alm_str){at, n}, NULL, &err) != ALM_OK, "%s is accepted", class);
    CHECK_HOLDS(err.text, class);
}
#define REFUSED(literal, class) refused(literal, sizeof(literal) - 1, class)

static int done(void **state) {
    (void)state;
    alm_pickle_free(parsed);
    parsed = NULL;
    return 0;
}

static void plain_values_are_read(void **state) {
    (void)state;
    CHECK(READ("\x80\2N.")->kind == ALM_PICKLE_NONE);
    CHECK(READ("\x80\2\x88.")->i == 1 && READ("I01\n.")->kind == ALM_PICKLE_BOOL);
    CHECK_INT(READ("\x80\2K\xFF.")->i, 255);
    CHECK_INT(READ("\x80\2M\x34\x12.")->i, 0x1234);
    CHECK_INT(READ("\x80\2J\xFE\xFF\xFF\xFF.")->i, -2);
    CHECK_INT(READ("\x80\2\x8A\0.")->i, 0);
    CHECK_INT(READ("\x80\2\x8A\1\xFF.")->i, -1);
    CHECK_INT(READ("\x80\2\x8A\2\xFF\0.")->i, 255);
    CHECK_INT(READ("\x80\2\x8A\x0A\1\0\0\0\0\0\0\0\0\0.")->i, 1);
    CHECK_INT(READ("\x80\2\x8A\x09\1\0\0\0\0\0\0\x80\xFF.")->i, INT64_MIN + 1);
    CHECK(READ("\x80\2\x8A\x09\0\0\0\0\0\0\0\x80\0.")->kind == ALM_PICKLE_LONG);
    CHECK_BITS(READ("\x80\2G\x3F\xF8\0\0\0\0\0\0.")->f, 1.5);
    CHECK_STR(READ("\x80\2X\2\0\0\0\xC3\xA4.")->s, "\xC3\xA4");
    CHECK_STR(READ("\x80\4\x95\5\0\0\0\0\0\0\0\x8C\2hi.")->s, "hi");
    CHECK_STR(READ("S'hi'\n.")->s, "hi");
    CHECK_STR(READ("\x80\3"
                   "C\2\xFF\1.")
                  ->s,
              "\xFF\1");
}

static void containers_are_filled_and_shared(void **state) {
    (void)state;
    const alm_pickle_value *v = READ("\x80\2]q\0(K\1K\2eh\0\x86.");
    CHECK(v->kind == ALM_PICKLE_TUPLE && v->n == 2 && v->item[0] == v->item[1]);
    CHECK(v->item[0]->kind == ALM_PICKLE_LIST && v->item[0]->n == 2 && v->item[0]->item[1]->i == 2);
    CHECK_INT(v->weight, 7);
    CHECK_INT(v->height, 2);
    v = READ("\x80\2}(X\1\0\0\0aK\1X\1\0\0\0aK\2u.");
    CHECK(alm_pickle_get(v, "a")->i == 2 && !alm_pickle_get(v, "b") && v->n == 4);
    v = READ("\x80\2"
             "ccollections\nOrderedDict\n]X\1\0\0\0aK\7\x86"
             "a\x85R.");
    CHECK(v->kind == ALM_PICKLE_DICT && alm_pickle_get(v, "a")->i == 7);
    v = READ("\x80\2"
             "ccollections\nOrderedDict\n)R}X\11\0\0\0_metadataNsb.");
    CHECK(v->kind == ALM_PICKLE_DICT && v->n == 0);
}

static void bytes_of_protocol_2_come_from_their_encoding(void **state) {
    (void)state;
    const alm_pickle_value *v = READ("\x80\2"
                                     "c_codecs\nencode\nX\4\0\0\0\xC3\xBF"
                                     "a\1X\6\0\0\0latin1\x86R.");
    CHECK(v->kind == ALM_PICKLE_BYTES && v->s.n == 3 &&
          memcmp(v->s.at,
                 "\xFF"
                 "a\1",
                 3) == 0);
    REFUSED("\x80\2"
            "c_codecs\nencode\nX\3\0\0\0\xE2\x82\xACX\6\0\0\0latin1\x86R.",
            "bad_pickle");
    REFUSED("\x80\2"
            "c_codecs\nencode\nX\1\0\0\0aX\5\0\0\0rot13\x86R.",
            "unsupported");
}

static void a_name_that_is_not_on_the_list_is_refused_where_it_stands(void **state) {
    (void)state;
    REFUSED("cos\nsystem\n(S'true'\ntR.", "unsafe_code: at byte 0: os.system");
    REFUSED("\x80\2"
            "ctorch\nFloatStorage\n)R.",
            "may be named, not called");
    REFUSED("\x80\2)K\1)R.", "unsafe_code");
    REFUSED("\x80\4\x8C\2os\x8C\6system\x93.", "os.system");
    REFUSED("\x80\4\x8C\5torch\x8C\13Float.upper\x93.", "unsafe_code");
    REFUSED("\x80\4K\1K\2\x93.", "bad_pickle");
    REFUSED("\x80\2\x82\1.", "unsafe_code");
    REFUSED("\x80\2N.N.", "unsafe_code");
    REFUSED("\x80\2K\1}b.", "unsafe_code");
}

static void what_breaks_the_machine_is_refused(void **state) {
    (void)state;
    REFUSED("", "truncated");
    REFUSED("\x80\2N", "truncated");
    REFUSED("\x80\6N.", "bad_version");
    REFUSED("\x80\2.", "bad_pickle");
    REFUSED("\x80\2NN.", "bad_pickle");
    REFUSED("\x80\2(N.", "bad_pickle");
    REFUSED("\x80\2(0.", "bad_pickle");
    REFUSED("\x80\2K\1(R.", "bad_pickle");
    REFUSED("\x80\2t.", "bad_pickle");
    REFUSED("\x80\2}K\1a.", "bad_pickle");
    REFUSED("\x80\2](K\1u.", "bad_pickle");
    REFUSED("\x80\2}(K\1u.", "bad_pickle");
    REFUSED("\x80\2h\1.", "bad_pickle");
    REFUSED("\x80\2Nr\xFF\xFF\xFF\x7F.", "bad_count");
    REFUSED("\x80\2X\xFF\xFF\xFF\xFF.", "bad_length");
    REFUSED("\x80\2X\1\0\0\0\xFF.", "bad_string");
    REFUSED("\x80\2\x8B\xFF\xFF\xFF\xFF.", "bad_length");
    REFUSED("\x80\2\xFF.", "no opcode");
    REFUSED("\x80\2]q\0h\0a.", "inside itself");
}

static void depth_is_bounded_and_sharing_does_not_hide_it(void **state) {
    (void)state;
    char deep[400] = "\x80\2N";
    size_t n = 3;
    for (int i = 0; i < ALM_PICKLE_MAX_HEIGHT - 1; i++) deep[n++] = '\x85';
    deep[n++] = '.';
    CHECK_INT(read_one(deep, n)->height, ALM_PICKLE_MAX_HEIGHT - 1);
    deep[n - 1] = '\x85', deep[n++] = '.';
    refused(deep, n, "too_deep");
    /* a tower that was measured before it came to lie deeper */
    memcpy(deep, "\x80\2N", 3);
    n = 3;
    for (int i = 0; i < 70; i++) deep[n++] = '\x85';
    memcpy(deep + n, "q\0h\0", 4), n += 4;
    for (int i = 0; i < 70; i++) deep[n++] = '\x85';
    memcpy(deep + n, "\x86.", 2), n += 2;
    refused(deep, n, "too_deep");
}

static alm_status parse_again(void *arg) {
    static const char bytes[] = "\x80\2(c_codecs\nencode\nX\1\0\0\0aX\6\0\0\0latin1\x86R}q\1X\1\0\0\0kNsK\2Qt.";
    (void)arg;
    alm_pickle *p = NULL;
    alm_status st = alm_pickle_parse(&p, "test", (alm_str){bytes, sizeof bytes - 1}, NULL, NULL);
    alm_pickle_free(p);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(parse_again, NULL) > 4);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(plain_values_are_read, done),
    cmocka_unit_test_teardown(containers_are_filled_and_shared, done),
    cmocka_unit_test_teardown(bytes_of_protocol_2_come_from_their_encoding, done),
    cmocka_unit_test(a_name_that_is_not_on_the_list_is_refused_where_it_stands),
    cmocka_unit_test(what_breaks_the_machine_is_refused),
    cmocka_unit_test_teardown(depth_is_bounded_and_sharing_does_not_hide_it, done),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
