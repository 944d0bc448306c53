/* SPDX-License-Identifier: Apache-2.0
 *
 * test_opt.c - the parser of options, by a table of its own. */
#include "alm_test.h"
#include "base/str.h"
#include "cli/opt.h"

typedef struct values {
    bool flag, other;
    uint64_t count;
    double real;
    const char *text, *file, *maybe;
    int choice;
    const char *pair[2];
    alm_opt_list list;
} values;

static bool is_word(const char *word) { return strcmp(word, "word") == 0; }

#define AT(f) offsetof(values, f)
static const alm_opt table[] = {
    {.name = "flag", .letter = 'f', .type = ALM_OPT_FLAG, .help = "x", .at = AT(flag)},
    {.name = "other", .letter = 'o', .type = ALM_OPT_FLAG, .not_with = "flag", .help = "x", .at = AT(other)},
    {.name = "count",
     .letter = 'n',
     .type = ALM_OPT_COUNT,
     .arg = "N",
     .min = 1,
     .max = 9,
     .fallback = "3",
     .help = "x",
     .at = AT(count)},
    {.name = "real",
     .type = ALM_OPT_REAL,
     .flags = ALM_OPT_OPEN,
     .arg = "X",
     .min = 0,
     .max = 1,
     .fallback = "0.01",
     .help = "x",
     .at = AT(real)},
    {.name = "text", .letter = 't', .type = ALM_OPT_TEXT, .arg = "T", .help = "x", .at = AT(text)},
    {.name = "file", .type = ALM_OPT_FILE, .arg = "FILE", .help = "x", .at = AT(file)},
    {.name = "maybe",
     .type = ALM_OPT_TEXT,
     .flags = ALM_OPT_OPTIONAL,
     .arg = "W",
     .fits = is_word,
     .help = "x",
     .at = AT(maybe)},
    {.name = "choice",
     .type = ALM_OPT_CHOICE,
     .choices = "red|green|blue",
     .fallback = "green",
     .help = "x",
     .at = AT(choice)},
    {.name = "pair", .type = ALM_OPT_FILE, .flags = ALM_OPT_TWO, .arg = "A B", .help = "x", .at = AT(pair)},
    {.name = "list",
     .letter = 'l',
     .type = ALM_OPT_TEXT,
     .flags = ALM_OPT_REPEAT,
     .arg = "L",
     .help = "x",
     .at = AT(list)},
};

static values v;
static alm_opt_set set;
static alm_opt_operands operands;
static alm_error err;

static alm_status parse(const char *line) {
    static char words[512];
    static char *argv[32];
    int argc = 0;
    alm_opt_free(&set, set.values ? 1 : 0, &operands);
    snprintf(words, sizeof words, "%s", line);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) argv[argc++] = w;
    v = (values){0};
    err = (alm_error){0};
    set = (alm_opt_set){.opt = table, .n = sizeof table / sizeof table[0], .values = &v};
    return alm_opt_parse(&set, 1, &operands, "alm test", argc, argv, &err);
}

static int done(void **state) {
    (void)state;
    alm_opt_free(&set, set.values ? 1 : 0, &operands);
    return 0;
}

static void defaults_hold_where_nothing_is_typed(void **state) {
    (void)state;
    CHECK_OK(parse(""), &err);
    CHECK(!v.flag && v.count == 3 && v.real == 0.01 && v.text == NULL && v.choice == 1);
    CHECK(set.given == 0 && operands.n == 0);
}

static void every_way_to_write_a_value_is_the_same(void **state) {
    (void)state;
    static const char *const lines[] = {"--count 7", "--count=7", "-n 7", "-n7", "-fn7", "-f -n 7"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK_OK(parse(lines[i]), &err);
        CHECK(v.count == 7 && alm_opt_given(&set, "count"), "%s", lines[i]);
    }
}

static void operands_and_options_mix_and_two_dashes_end_the_options(void **state) {
    (void)state;
    CHECK_OK(parse("a --flag b -t x - -- --count -n"), &err);
    CHECK_INT(operands.n, 5);
    static const char *const want[] = {"a", "b", "-", "--count", "-n"};
    for (size_t i = 0; i < 5; i++) CHECK(strcmp(operands.at[i], want[i]) == 0, "%s", operands.at[i]);
    CHECK(v.flag && strcmp(v.text, "x") == 0);
}

static void the_last_value_counts_and_a_list_keeps_all(void **state) {
    (void)state;
    CHECK_OK(parse("-n1 -n2 -l a --list=b -lc"), &err);
    CHECK(v.count == 2 && v.list.n == 3 && strcmp(v.list.at[2], "c") == 0);
}

static void an_optional_value_is_taken_only_when_it_fits(void **state) {
    (void)state;
    CHECK_OK(parse("--maybe file"), &err);
    CHECK(strcmp(v.maybe, "") == 0 && operands.n == 1);
    CHECK_OK(parse("--maybe word file"), &err);
    CHECK(strcmp(v.maybe, "word") == 0 && operands.n == 1);
    CHECK_OK(parse("--maybe=anything file"), &err);
    CHECK(strcmp(v.maybe, "anything") == 0 && operands.n == 1);
}

static void two_values_are_taken_together(void **state) {
    (void)state;
    CHECK_OK(parse("--pair a b c"), &err);
    CHECK(strcmp(v.pair[0], "a") == 0 && strcmp(v.pair[1], "b") == 0 && operands.n == 1);
    CHECK_STATUS(parse("--pair a"), ALM_INVALID, &err);
}

/* line, part of the sentence, part of the hint */
static const char *const refused[][3] = {
    {"--flga", "unknown option: --flga", "--flag"},
    {"--cou 3", "unknown option: --cou", "--count"},
    {"--c 3", "unknown option: --c", "--count or --choice"},
    {"--nothing-like-it", "unknown option: --nothing-like-it", "alm test --help"},
    {"-x", "unknown option: -x", "alm test --help"},
    {"-fx", "unknown option: -x", "alm test --help"},
    {"--count", "a value is missing: --count", "--count N"},
    {"-n", "a value is missing: --count", "--count N"},
    {"--count 0", "--count 0", "from 1 to 9"},
    {"--count 10", "--count 10", "from 1 to 9"},
    {"--count 1.5", "--count 1.5", "from 1 to 9"},
    {"--count 99999999999999999999", "--count 99999999999999999999", "from 1 to 9"},
    {"--real 0", "--real 0", "above 0 and below 1"},
    {"--real 1", "--real 1", "above 0 and below 1"},
    {"--real -0.5", "--real -0.5", "above 0 and below 1"},
    {"--real nan", "--real nan", "above 0 and below 1"},
    {"--real 0,5", "--real 0,5", "above 0 and below 1"},
    {"--choice grene", "--choice grene", "did you mean green"},
    {"--choice", "a value is missing: --choice", "red|green|blue"},
    {"--flag=1", "--flag=1", "alm test --help"},
    {"--flag --other", "--other --flag", "one of them"},
};

static void whatever_is_wrong_is_said_with_what_to_do(void **state) {
    (void)state;
    setlocale(LC_ALL, "C"); /* the sentences below are the English ones */
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_STATUS(parse(refused[i][0]), ALM_INVALID, &err);
        CHECK_HOLDS(err.text, refused[i][1]);
        CHECK_HOLDS(err.hint, refused[i][2]);
    }
    setlocale(LC_ALL, "");
}

static void numbers_have_a_point_in_every_locale(void **state) {
    (void)state;
    CHECK_OK(parse("--real=0.25"), &err);
    CHECK(v.real == 0.25);
}

static void distance_counts_slips(void **state) {
    (void)state;
    CHECK_INT(alm_opt_distance("", ""), 0);
    CHECK_INT(alm_opt_distance("abc", "abc"), 0);
    CHECK_INT(alm_opt_distance("abc", "acb"), 1);
    CHECK_INT(alm_opt_distance("format", "fromat"), 1);
    CHECK_INT(alm_opt_distance("kitten", "sitting"), 3);
    CHECK_INT(alm_opt_distance("", "abcd"), 4);
}

static alm_status parse_all(void *arg) {
    (void)arg;
    alm_status st = parse("a --count 3 -l x -l y --list z -- b");
    done(NULL);
    return st;
}

static void no_memory_is_an_error_and_leaks_nothing(void **state) {
    (void)state;
    done(NULL);
    ALM_FOR_EACH_ALLOC_FAILURE(parse_all, NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(defaults_hold_where_nothing_is_typed, done),
    cmocka_unit_test_teardown(every_way_to_write_a_value_is_the_same, done),
    cmocka_unit_test_teardown(operands_and_options_mix_and_two_dashes_end_the_options, done),
    cmocka_unit_test_teardown(the_last_value_counts_and_a_list_keeps_all, done),
    cmocka_unit_test_teardown(an_optional_value_is_taken_only_when_it_fits, done),
    cmocka_unit_test_teardown(two_values_are_taken_together, done),
    cmocka_unit_test_teardown(whatever_is_wrong_is_said_with_what_to_do, done),
    cmocka_unit_test_teardown(numbers_have_a_point_in_every_locale, done),
    cmocka_unit_test_teardown(distance_counts_slips, done),
    cmocka_unit_test_teardown(no_memory_is_an_error_and_leaks_nothing, done),
};
ALM_TEST_MAIN(tests)
