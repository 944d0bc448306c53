/* SPDX-License-Identifier: Apache-2.0
 *
 * test_columns.c - tables, sparks, the progress line: what they show is counted in columns, not in bytes. */
#include "alm_test.h"
#include "cli/columns.h"
#include "cli/progress.h"

static char *printed(const alm_column *column, size_t n, const char *const *cells, size_t n_cell,
                     const alm_term *term) {
    alm_columns *t = NULL;
    alm_error err = {0};
    alm_out out = alm_out_on(-1);
    CHECK_OK(alm_columns_new(&t, column, n, &err), &err);
    for (size_t i = 0; i < n_cell; i++) CHECK_OK(alm_columns_add(t, alm_str_of(cells[i]), ALM_PLAIN, &err), &err);
    CHECK_OK(alm_columns_print(t, &out, term, &err), &err);
    alm_columns_free(t);
    /* the same when the rows are not kept but added twice */
    alm_out twice = alm_out_on(-1);
    CHECK_OK(alm_columns_new(&t, column, n, &err), &err);
    alm_columns_measure(t);
    for (size_t i = 0; i < n_cell; i++) CHECK_OK(alm_columns_add(t, alm_str_of(cells[i]), ALM_PLAIN, &err), &err);
    CHECK_OK(alm_columns_write(t, &twice, term, &err), &err);
    for (size_t i = 0; i < n_cell; i++) CHECK_OK(alm_columns_add(t, alm_str_of(cells[i]), ALM_PLAIN, &err), &err);
    CHECK(alm_str_eq(alm_buf_str(&out.buf), alm_buf_str(&twice.buf)));
    alm_buf_free(&twice.buf);
    CHECK(alm_buf_text(&out.buf) != NULL);
    alm_columns_free(t);
    return out.buf.at;
}

static const alm_column two[] = {{.head = "n", .right = true}, {.head = "text", .flexible = true}};

static void numbers_stand_at_the_right_and_wide_characters_take_two_columns(void **state) {
    (void)state;
    static const alm_column three[] = {{.head = "name"}, {.head = "n", .right = true}, {.head = "end"}};
    static const char *const cells[] = {"日本", "7", "x", "abcdef", "1234", "y"};
    alm_term term = {.width = 80, .utf8 = true};
    char *got = printed(three, 3, cells, 6, &term);
    CHECK(strcmp(got, "name       n  end\n"
                      "日本       7  x\n"
                      "abcdef  1234  y\n") == 0,
          "\n%s", got);
    alm_free(got);
}

static void a_table_fits_the_terminal(void **state) {
    (void)state;
    char longest[400];
    memset(longest, 'a', 399), longest[399] = '\0';
    const char *const cells[] = {"1", longest, "2", "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語"};
    alm_term term = {.width = 40, .utf8 = true, .is_terminal = true};
    char *got = printed(two, 2, cells, 4, &term);
    alm_str rest = alm_str_of(got), line;
    while (alm_str_split(&rest, '\n', &line)) CHECK(alm_utf8_columns(line) <= 40, "%.*s", ALM_ARG(line));
    CHECK_HOLDS(got, "…");
    alm_free(got);
}

static void a_file_has_no_edge(void **state) {
    (void)state;
    char longest[400];
    memset(longest, 'a', 399), longest[399] = '\0';
    const char *const cells[] = {"1", longest};
    alm_term term = {.width = 40, .utf8 = true};
    char *got = printed(two, 2, cells, 2, &term);
    CHECK_HOLDS(got, longest);
    alm_free(got);
}

static void control_sequences_in_cells_are_escaped(void **state) {
    (void)state;
    const char *const cells[] = {"1", "red \033[31m and \xff"};
    alm_term term = {.width = 80, .utf8 = true, .is_terminal = true};
    char *got = printed(two, 2, cells, 2, &term);
    CHECK_HOLDS(got, "red \\x1B[31m and \\xFF");
    alm_free(got);
}

static void cutting_never_splits_a_character(void **state) {
    (void)state;
    alm_str s = alm_str_of("aé日本z");
    for (size_t width = 0; width <= 8; width++) {
        alm_buf b = alm_buf_with_limit(100);
        size_t used = alm_columns_cut(&b, s, width, true);
        CHECK(used <= width && alm_utf8_valid(alm_buf_str(&b)) && alm_utf8_columns(alm_buf_str(&b)) == used,
              "width %zu", width);
        alm_buf_free(&b);
    }
}

static void a_spark_shows_small_and_large_and_nothing(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(100);
    alm_columns_spark(&b, (const double[]){0, 1, 50, 100}, 4, true);
    CHECK_STR(alm_buf_str(&b), "·▁▄█");
    alm_buf_clear(&b);
    alm_columns_spark(&b, (const double[]){0, 1, 50, 100}, 4, false);
    CHECK_STR(alm_buf_str(&b), " .:#");
    alm_buf_free(&b);
}

static void counts_are_grouped_from_five_digits_on(void **state) {
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } rows[] = {{0, "0"},
                {9999, "9999"},
                {10000, "10\xe2\x80\xaf"
                        "000"},
                {1234567, "1\xe2\x80\xaf"
                          "234\xe2\x80\xaf"
                          "567"},
                {UINT64_MAX, NULL}};
    for (size_t i = 0; rows[i].text; i++) {
        alm_buf b = alm_buf_with_limit(100);
        alm_columns_count(&b, rows[i].n, true);
        CHECK_STR(alm_buf_str(&b), rows[i].text);
        alm_buf_free(&b);
    }
}

static void the_progress_line_has_share_rate_and_time_left(void **state) {
    (void)state;
    setlocale(LC_ALL, "C");
    char line[200];
    alm_meter_line(line, sizeof line, "learning", 250, 1000, 2500000000LL, false);
    CHECK(strcmp(line, "learning  250 of 1000  25 %  100/s  0:08 left") == 0, "%s", line);
    alm_meter_line(line, sizeof line, "reading", 36000, 0, 1000000000LL, false);
    CHECK(strcmp(line, "reading  36000  36000/s") == 0, "%s", line);
    alm_meter_line(line, sizeof line, "reading", 1, 7201, 1000000000LL, false);
    CHECK(strcmp(line, "reading  1 of 7201  0 %  1/s  2:00:00 left") == 0, "%s", line);
    setlocale(LC_ALL, "");
}

static void no_progress_is_drawn_where_stderr_is_a_file(void **state) {
    (void)state;
    alm_meter m;
    alm_term term = {.width = 80};
    alm_meter_start(&m, &term, false);
    CHECK(!m.on);
    term.is_terminal = true;
    alm_meter_start(&m, &term, true);
    CHECK(!m.on);
    alm_meter_start(&m, &term, false);
    CHECK(m.on);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_stand_at_the_right_and_wide_characters_take_two_columns),
    cmocka_unit_test(a_table_fits_the_terminal),
    cmocka_unit_test(a_file_has_no_edge),
    cmocka_unit_test(control_sequences_in_cells_are_escaped),
    cmocka_unit_test(cutting_never_splits_a_character),
    cmocka_unit_test(a_spark_shows_small_and_large_and_nothing),
    cmocka_unit_test(counts_are_grouped_from_five_digits_on),
    cmocka_unit_test(the_progress_line_has_share_rate_and_time_left),
    cmocka_unit_test(no_progress_is_drawn_where_stderr_is_a_file),
};
ALM_TEST_MAIN(tests)
