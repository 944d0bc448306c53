/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_error.c - a status to act on, a sentence that is always safe to print. */
#include "alm_test.h"

static void every_status_has_a_name_and_a_text(void **state) {
    (void)state;
    for (int st = 0; st < ALM_STATUS_COUNT; st++) {
        CHECK(strlen(alm_status_name((alm_status)st)) >= 2 && strlen(alm_status_text((alm_status)st)) >= 4);
        for (int other = 0; other < st; other++)
            CHECK(strcmp(alm_status_name((alm_status)st), alm_status_name((alm_status)other)) != 0);
    }
    CHECK_STR(alm_str_of(alm_status_name(ALM_NO_MEMORY)), "NO_MEMORY");
    CHECK_STR(alm_str_of(alm_status_text((alm_status)999)), "unknown status");
    CHECK_STR(alm_str_of(alm_status_name((alm_status)-1)), "UNKNOWN");
    CHECK_INT(alm_abi(), ALM_ABI);
    CHECK_STR(alm_str_of(alm_version()), ALM_VERSION);
}

static void a_failure_says_what_and_a_hint_what_to_do(void **state) {
    (void)state;
    alm_error err = {.hint = "old"};
    CHECK(alm_fail(&err, ALM_MALFORMED, "%s: byte %d", "x.gguf", 7) == ALM_MALFORMED);
    CHECK(err.status == ALM_MALFORMED);
    CHECK_STR(alm_str_of(err.text), "x.gguf: byte 7");
    CHECK_STR(alm_str_of(err.hint), "");
    alm_hint(&err, "try %s", "again");
    CHECK(err.status == ALM_MALFORMED);
    CHECK_STR(alm_str_of(err.hint), "try again");
    CHECK(alm_fail(NULL, ALM_IO, "nobody listens") == ALM_IO);
    alm_hint(NULL, "x");
    CHECK(alm_fail_memory(NULL) == ALM_NO_MEMORY && alm_fail_memory(&err) == ALM_NO_MEMORY);
    CHECK_STR(alm_str_of(err.text), "not enough memory");
    alm_error_clear(&err);
    alm_error_clear(NULL);
    CHECK(err.status == ALM_OK && !*err.text && !*err.hint);
}

static void a_message_may_wrap_the_old_one(void **state) {
    (void)state;
    alm_error err;
    alm_fail(&err, ALM_IO, "inner");
    alm_fail(&err, ALM_IO, "outer: %s", err.text);
    CHECK_STR(alm_str_of(err.text), "outer: inner");
}

static void nothing_in_a_message_steers_a_terminal(void **state) {
    (void)state;
    alm_error err;
    alm_fail(&err, ALM_IO, "%s",
             "a\x1b[31mb\r\n\t\x7f\xc2\x9b"
             "c\xff\xe2\x82"
             "d ü €");
    CHECK_STR(alm_str_of(err.text), "a\\x1B[31mb\\x0D\\x0A\\x09\\x7F\\xC2\\x9Bc\\xFF\\xE2\\x82"
                                    "d ü €");
    alm_hint(&err, "\x1b");
    CHECK_STR(alm_str_of(err.hint), "\\x1B");
}

static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    char text[3000];
    alm_error err;
    for (size_t n = 590; n < 605; n++) { /* around the border */
        memset(text, 'x', n);
        text[n] = '\0';
        alm_fail(&err, ALM_IO, "%s", text);
        if (n < sizeof err.text) CHECK_STR(alm_str_of(err.text), text);
        else CHECK(strlen(err.text) == sizeof err.text - 1 && strcmp(err.text + sizeof err.text - 4, "...") == 0);
    }
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3) memcpy(text + i, "€", 4);
        alm_fail(&err, ALM_IO, "%s", text);
        CHECK(alm_utf8_valid(alm_str_of(err.text)) && alm_str_ends(alm_str_of(err.text), ALM_STR("€...")));
        CHECK(strlen(err.text) + 4 >= sizeof err.text - 3);
    }
}

static void errno_chooses_the_status(void **state) {
    (void)state;
    alm_error err;
    CHECK(alm_fail_errno(&err, ENOENT, "%s: cannot open", "F") == ALM_NOT_FOUND);
    CHECK_HOLDS(err.text, "F: cannot open: ");
    CHECK(strlen(err.text) > strlen("F: cannot open: "));
    CHECK(alm_fail_errno(&err, ENOMEM, "x") == ALM_NO_MEMORY && alm_fail_errno(&err, EINTR, "x") == ALM_INTERRUPTED);
    CHECK(alm_fail_errno(NULL, EACCES, "x") == ALM_IO && alm_fail_errno(&err, 99999, "x") == ALM_IO);
}

static void failing_leaves_errno_and_the_heap_alone(void **state) {
    (void)state;
    alm_error err;
    errno = EDOM;
    alm_test_fail_alloc(1, true);
    alm_fail(&err, ALM_IO, "%d", 1);
    alm_hint(&err, "%d", 2);
    alm_fail_memory(&err);
    alm_fail_errno(&err, ENOSPC, "x");
    CHECK_INT(alm_test_alloc_count(), 0);
    alm_test_fail_alloc(0, false);
    CHECK_INT(errno, EDOM);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_status_has_a_name_and_a_text),
    cmocka_unit_test(a_failure_says_what_and_a_hint_what_to_do),
    cmocka_unit_test(a_message_may_wrap_the_old_one),
    cmocka_unit_test(nothing_in_a_message_steers_a_terminal),
    cmocka_unit_test(a_long_message_is_cut_between_characters),
    cmocka_unit_test(errno_chooses_the_status),
    cmocka_unit_test(failing_leaves_errno_and_the_heap_alone),
};
ALM_TEST_MAIN(tests)
