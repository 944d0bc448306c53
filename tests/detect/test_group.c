/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/detect/test_group.c - the identifier that links records, by a rule that is given and by one that is found. */
#include "alm_test.h"
#include "base/rng.h"
#include "detect/group.h"

static void check_group(const char *rule, const char *text, const char *want) {
    alm_group_rule r;
    alm_error err = {0};
    CHECK_OK(alm_group_rule_make(&r, rule, &err), &err);
    CHECK_STR(alm_group_of(&r, alm_str_of(text)), want);
    alm_group_rule_free(&r);
}

static void the_group_is_the_first_capture_or_the_whole_match(void **state) {
    (void)state;
    check_group("id=([a-z]+)", "x id=abc y", "abc");
    check_group("job-[0-9]+", "run job-17 now", "job-17");
    check_group("(?:a|(b))c", "xac", "ac"); /* a capture that took no part */
    check_group("id=([a-z]*)", "id= nothing", "");
    check_group("nomatch", "text", "");
    check_group("off", "id=abc", "");
}

static void a_bad_regex_is_refused_with_its_place(void **state) {
    (void)state;
    alm_group_rule r;
    alm_error err = {0};
    CHECK_STATUS(alm_group_rule_make(&r, "ab(c", &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "character");
    CHECK_STATUS(alm_group_rule_make(&r, "field:", &err), ALM_INVALID, &err);
    char longer[ALM_RULE_TEXT + 1];
    memset(longer, 'a', sizeof longer);
    longer[ALM_RULE_TEXT] = 0;
    CHECK_STATUS(alm_group_rule_make(&r, longer, &err), ALM_INVALID, &err);
}

typedef void make_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r);

/* 30 sessions at a time, each with five different steps; every line goes to the search. Returns the rule. */
static alm_group_rule search(make_line *make, unsigned n) {
    alm_group_search *s;
    alm_group_rule rule;
    struct {
        unsigned long long id;
        unsigned step;
    } open[30] = {{0}};
    alm_rng r = alm_rng_seed(11, 0, 0);
    CHECK_OK(alm_group_search_new(&s, NULL), NULL);
    for (unsigned i = 0; i < n; i++) {
        unsigned k = alm_rng_below(&r, 30);
        char line[300];
        if (open[k].step == 0) open[k].id = alm_rng_u64(&r);
        make(line, sizeof line, open[k].id, open[k].step, &r);
        CHECK_OK(alm_group_search_add(s, alm_str_of(line), open[k].step, NULL), NULL);
        open[k].step = (open[k].step + 1) % 5;
    }
    alm_group_search_best(s, &rule);
    alm_group_search_free(s);
    return rule;
}

static void check_found(make_line *make, const char *words, const char *line, const char *want) {
    alm_group_rule rule = search(make, 3000), again;
    alm_buf b = alm_buf_with_limit(1000);
    alm_group_rule_text(&rule, NULL, &b);
    CHECK_STR(alm_buf_str(&b), words);
    CHECK_STR(alm_group_of(&rule, alm_str_of(line)), want);
    alm_buf_clear(&b);
    CHECK(alm_group_rule_save(&rule, &b));
    CHECK_OK(alm_group_rule_load(&again, alm_buf_str(&b), NULL), NULL);
    CHECK_STR(alm_group_of(&again, alm_str_of(line)), want);
    alm_group_rule_free(&again);
    alm_buf_free(&b);
}

static const char *const verb[] = {"opens", "reads", "writes", "checks", "closes"};

static void uuid_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    snprintf(out, room, "INFO unit [call-%04x] [volume: %08llx-1a2b-4c3d-9e8f-%012llx] %s in %u ms",
             alm_rng_below(r, 4096), id >> 32, id & 0xffffffffffff, verb[step], alm_rng_below(r, 90000));
}
static void signed_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    snprintf(out, room, "10.0.0.%u:50010 %s part part_%lld of size %u", alm_rng_below(r, 9), verb[step], (long long)id,
             alm_rng_below(r, 70000000));
}
static void pid_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    snprintf(out, room, "Mar  3 10:00:%02u host doord[%llu]: %s door %u", alm_rng_below(r, 60), 10000 + id % 50000,
             verb[step], alm_rng_below(r, 9));
}
static void json_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    snprintf(out, room, "{\"msg\":\"%s\",\"trace_id\":\"%016llx\",\"ms\":%u}", verb[step], id | 0xa,
             alm_rng_below(r, 100));
}
static void host_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    snprintf(out, room, "node-%04llu %s in %u ms", 1000 + id % 40, verb[step], alm_rng_below(r, 90000));
}
static void plain_line(char *out, size_t room, unsigned long long id, unsigned step, alm_rng *r) {
    (void)id;
    snprintf(out, room, "%s took %u ms at 0x%08x", verb[step], alm_rng_below(r, 90000), alm_rng_u32(r));
}

static void identifiers_that_come_and_go_are_found(void **state) {
    (void)state;
    check_found(uuid_line, "the <uuid> behind \"volume\"", "x [volume: 01234567-1a2b-4c3d-9e8f-0123456789ab] y",
                "01234567-1a2b-4c3d-9e8f-0123456789ab");
    check_found(signed_line, "identifiers like part_<number>", "closes part part_-99887766 now", "part_-99887766");
    check_found(pid_line, "the <number> behind \"doord\"", "host doord[4711]: opens", "4711");
    alm_group_rule rule = search(json_line, 3000);
    CHECK_STR(alm_group_of(&rule, alm_str_of("{\"msg\":\"reads\",\"trace_id\":\"00c0ffee00c0ffee\",\"ms\":1}")),
              "00c0ffee00c0ffee");
}

static void values_that_stay_and_values_that_never_return_link_nothing(void **state) {
    (void)state;
    CHECK(search(host_line, 3000).kind == ALM_RULE_NONE);
    CHECK(search(plain_line, 3000).kind == ALM_RULE_NONE);
}

static void a_damaged_rule_is_refused(void **state) {
    (void)state;
    alm_group_rule r, back;
    alm_buf b = alm_buf_with_limit(2000);
    alm_error err = {0};
    CHECK_OK(alm_group_rule_make(&r, "id=(\\d+)", &err), &err);
    CHECK(alm_group_rule_save(&r, &b));
    for (size_t n = 0; n < 4; n++)
        CHECK_STATUS(alm_group_rule_load(&back, alm_str_make(b.at, n), &err), ALM_MALFORMED, &err);
    for (size_t i = 0; i < 4; i++) {
        char kept = b.at[i];
        b.at[i] = (char)200;
        CHECK_STATUS(alm_group_rule_load(&back, alm_buf_str(&b), &err), ALM_MALFORMED, &err);
        b.at[i] = kept;
    }
    b.at[b.n - 1] = '(';
    CHECK_STATUS(alm_group_rule_load(&back, alm_buf_str(&b), &err), ALM_MALFORMED, &err);
    alm_group_rule_free(&r);
    alm_buf_free(&b);
}

static alm_status search_once(void *arg) {
    (void)arg;
    alm_group_search *s;
    alm_status st = alm_group_search_new(&s, NULL);
    if (st != ALM_OK) return st;
    for (unsigned i = 0; i < 300 && st == ALM_OK; i++) {
        char line[100];
        snprintf(line, sizeof line, "run job_%u now", 1000 + i / 3);
        st = alm_group_search_add(s, alm_str_of(line), i % 3, NULL);
    }
    alm_group_search_free(s);
    return st;
}

static void the_search_survives_every_allocation_failure(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(search_once, NULL) > 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_group_is_the_first_capture_or_the_whole_match),
    cmocka_unit_test(a_bad_regex_is_refused_with_its_place),
    cmocka_unit_test(identifiers_that_come_and_go_are_found),
    cmocka_unit_test(values_that_stay_and_values_that_never_return_link_nothing),
    cmocka_unit_test(a_damaged_rule_is_refused),
    cmocka_unit_test(the_search_survives_every_allocation_failure),
};
ALM_TEST_MAIN(tests)
