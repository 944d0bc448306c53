/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_mask.c - the user's masks: what they claim, what is refused, what happens to a regex that never ends. */
#include "alm_test.h"
#include "detect/log_mask.h"

static alm_mask_set *parse(const char *text) {
    alm_error err = {0};
    alm_mask_set *s = NULL;
    CHECK_OK(alm_mask_set_parse(&s, alm_str_of(text), "masks.tsv", &err), &err);
    return s;
}

static void masks_claim_what_they_match(void **state) {
    (void)state;
    alm_mask_set *s = parse("# orders\r\norder\tORD-[0-9]+\r\n\nword_x\tx+\nlate\tRD\n");
    alm_mask_hit hit[8];
    CHECK_INT(alm_mask_set_count(s), 3);
    CHECK_STR(alm_mask_set_name(s, 0), "<order>");
    CHECK_INT(alm_mask_set_find(s, ALM_STR("xx ORD-17, ORD-8 x"), hit, 8), 4);
    CHECK(hit[0].at == 0 && hit[0].n == 2 && hit[0].type == ALM_SLOT_MASK + 1);
    CHECK(hit[1].at == 3 && hit[1].n == 6 && hit[1].type == ALM_SLOT_MASK);
    CHECK(hit[2].at == 11 && hit[3].at == 17);
    CHECK_INT(alm_mask_set_find(s, ALM_STR("xx ORD-17, ORD-8 x"), hit, 2), 2);
    CHECK_INT(alm_mask_set_find(s, ALM_STR("\xff\xfe x\xff"), hit, 8), 1);
    alm_mask_set_free(s);
}

static void what_is_wrong_is_said_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"order ORD", "masks.tsv:1: no tab"},
        {"a\tb\nOrder\tx", "masks.tsv:2: slot name 'Order'"},
        {"num\t[0-9]+", "is a built-in slot"},
        {"a\tb\na\tc", "stands twice"},
        {"a\t(b", "masks.tsv:1: regex of <a>"},
        {"a\t", "1 to 4096 bytes"},
        {"\tx", "1 to 30 letters"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        alm_error err = {0};
        alm_mask_set *s = NULL;
        CHECK_STATUS(alm_mask_set_parse(&s, alm_str_of(rows[i].text), "masks.tsv", &err), ALM_MALFORMED, &err);
        CHECK(s == NULL);
        CHECK_HOLDS(err.text, rows[i].part);
    }
}

static void a_regex_that_explodes_gives_up_and_is_counted(void **state) {
    (void)state;
    alm_mask_set *s = parse("bad\t(a+)+(a+)+(a+)+$\n");
    alm_mask_hit hit[8];
    char text[3000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    CHECK_INT(alm_mask_set_find(s, (alm_str){text, sizeof text}, hit, 8), 0);
    CHECK_INT(alm_mask_set_gave_up(s), 1);
    alm_mask_set_free(s);
}

static void digests_tell_sets_apart(void **state) {
    (void)state;
    alm_mask_set *a = parse("a\tb\nc\td\n"), *b = parse("# x\na\tb\r\nc\td"), *c = parse("c\td\na\tb\n"),
                 *none = parse("");
    CHECK(alm_mask_set_digest(a) == alm_mask_set_digest(b));
    CHECK(alm_mask_set_digest(a) != alm_mask_set_digest(c));
    CHECK(alm_mask_set_digest(none) == 0 && alm_mask_set_digest(NULL) == 0);
    alm_mask_set_free(a), alm_mask_set_free(b), alm_mask_set_free(c), alm_mask_set_free(none);
}

static alm_status parse_and_find(void *arg) {
    (void)arg;
    alm_mask_set *s = NULL;
    alm_mask_hit hit[4];
    alm_status st = alm_mask_set_parse(&s, ALM_STR("a\tb+\nc\td[0-9]\n"), "masks", NULL);
    if (st == ALM_OK) alm_mask_set_find(s, ALM_STR("bb d1"), hit, 4);
    alm_mask_set_free(s);
    return st;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(parse_and_find, NULL) > 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(masks_claim_what_they_match),
    cmocka_unit_test(what_is_wrong_is_said_with_its_line),
    cmocka_unit_test(a_regex_that_explodes_gives_up_and_is_counted),
    cmocka_unit_test(digests_tell_sets_apart),
    cmocka_unit_test(every_allocation_may_fail),
};
ALM_TEST_MAIN(tests)
