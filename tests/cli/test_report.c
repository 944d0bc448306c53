/* SPDX-License-Identifier: Apache-2.0
 *
 * test_report.c - the HTML pages: nothing from a record becomes markup, every element is closed, numbers are right, and
 * failing memory is reported. */
#include "alm_test.h"

#include "cli/html.h"
#include "cli/report.h"

#define EVIL "<script>alert(1)</script>\"'&\x1b[31m\xff</td></table><i>"

static void fill(alm_report_patterns *r, alm_report_pattern *p, uint32_t *spark) {
    for (uint32_t i = 0; i < 16; i++) spark[i] = i * 3 % 7;
    p[0] = (alm_report_pattern){.id = ALM_STR("0123456789abcdef"),
                                .text = ALM_STR("job <num> of <path> " EVIL),
                                .example = ALM_STR("job 7 " EVIL "\n\tat x"),
                                .count = 1234567,
                                .first_ns = 1773480413000000000,
                                .last_ns = 1773480414000000000,
                                .spark = spark,
                                .n_spark = 16};
    p[1] = (alm_report_pattern){
        .id = ALM_STR("ffff"), .text = ALM_STR("<*>"), .count = 1, .first_ns = ALM_NO_TIME, .last_ns = ALM_NO_TIME};
    *r = (alm_report_patterns){.source = EVIL,
                               .n_records = 2469134,
                               .n_patterns = 5,
                               .n_unmatched = 3,
                               .first_ns = 1773480413000000000,
                               .last_ns = 1773566813000000000,
                               .at = p,
                               .n = 2,
                               .command = "alm patterns " EVIL};
}

static alm_status detect_page(alm_buf *out, bool labels, bool timed, alm_error *err) {
    uint32_t records[50], alarms[50], spark[16];
    alm_report_pattern p[2];
    alm_report_patterns patterns;
    alm_report_incident x[40];
    alm_report_line line[3] = {{.line = 41, .text = ALM_STR("before"), .source = ALM_STR(EVIL)},
                               {.line = 42, .text = ALM_STR(EVIL), .alarm = true, .source = ALM_STR("b.log")},
                               {.line = 1043, .text = ALM_STR("trace\r\n\tat a\n\tat b"), .alarm = true}};
    alm_str follows[1] = {ALM_STR("then <ip> " EVIL)};
    fill(&patterns, p, spark);
    for (uint32_t i = 0; i < 50; i++) records[i] = 100 + i, alarms[i] = i % 9 == 0;
    for (uint32_t i = 0; i < 40; i++)
        x[i] = (alm_report_incident){.reason = ALM_STR("never seen: \"<num> " EVIL "\""),
                                     .detector = ALM_STR(EVIL),
                                     .group = ALM_STR(EVIL),
                                     .first_ns = timed ? 1773480413000000000 + i * 1000000000 : ALM_NO_TIME,
                                     .last_ns = timed ? 1773480473000000000 + i * 60000000000 : ALM_NO_TIME,
                                     .first_record = 100 * i + 1,
                                     .n_alarms = 2,
                                     .n_records = 7,
                                     .n_followers = 1240,
                                     .p = i % 2 ? 0.00001 : 0.0042,
                                     .line = line,
                                     .n_line = 3,
                                     .n_hidden = 4,
                                     .follows = follows,
                                     .n_follows = 1};
    alm_report_detect r = {.source = "a.log",
                           .n_records = 6225,
                           .n_alarms = 62,
                           .first_ns = timed ? 1773480413000000000 : ALM_NO_TIME,
                           .last_ns = timed ? 1773566813000000000 : ALM_NO_TIME,
                           .alpha = 0.01,
                           .n_calibration = 900,
                           .guaranteed = labels,
                           .guarantee = ALM_STR(EVIL),
                           .has_labels = labels,
                           .n_normal = 6000,
                           .n_false = 30,
                           .n_ignored = 2,
                           .bin_records = records,
                           .bin_alarms = alarms,
                           .n_bin = 50,
                           .at = x,
                           .n = 40,
                           .n_incidents = 44,
                           .patterns = &patterns,
                           .command = EVIL};
    return alm_report_detect_html(out, &r, err);
}

static bool has(const alm_buf *b, const char *text) {
    return alm_str_find(alm_buf_str(b), alm_str_of(text)) != SIZE_MAX;
}

/* Elements are closed in the order in which they were opened; gives how many there are. */
static size_t check_nesting(const alm_buf *b) {
    static const char *const VOID[] = {"meta", "col", "br", NULL};
    alm_str open[64];
    size_t n = 0, elements = 0;
    for (size_t i = 0; i < b->n; i++) {
        if (b->at[i] != '<') continue;
        bool closing = b->at[i + 1] == '/';
        alm_str name = {b->at + i + 1 + closing, 0};
        while (name.at[name.n] >= '0' && name.at[name.n] != '>') name.n++; /* letters and digits */
        size_t end = i;
        for (bool quoted = false; quoted || b->at[end] != '>'; end++)
            if (b->at[end] == '"') quoted = !quoted;
        bool alone = b->at[end - 1] == '/' || b->at[i + 1] == '!';
        for (const char *const *v = VOID; *v != NULL; v++) alone |= alm_str_eq(name, alm_str_of(*v));
        elements++;
        if (closing) {
            CHECK(n > 0 && alm_str_eq(open[n - 1], name), "</%.*s> closes <%.*s> at byte %zu", ALM_ARG(name),
                  n > 0 ? (int)open[n - 1].n : 0, n > 0 ? open[n - 1].at : "", i);
            n--;
        } else if (!alone) {
            CHECK(n < 64);
            open[n++] = name;
            if (alm_str_eq(name, ALM_STR("style")))
                end = i + alm_str_find((alm_str){b->at + i, b->n - i}, ALM_STR("</style>")) - 1;
        }
        i = end;
    }
    CHECK(n == 0, "%zu elements stay open", n);
    return elements;
}

static void check_safe(const alm_buf *b) {
    CHECK(alm_utf8_valid(alm_buf_str(b)));
    CHECK(!has(b, "<script"));
    CHECK(!has(b, "\x1b"));
    CHECK(!has(b, "</table><i>"));
    CHECK(has(b, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    CHECK(has(b, "content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    CHECK(!has(b, "src=") && !has(b, "url(") && !has(b, "@import"), "the page loads something");
    CHECK(check_nesting(b) > 50);
}

static void no_record_becomes_markup_on_the_patterns_page(void **state) {
    (void)state;
    alm_report_patterns r;
    alm_report_pattern p[2];
    uint32_t spark[16];
    alm_buf b = alm_buf_with_limit(1 << 20);
    fill(&r, p, spark);
    CHECK(alm_report_patterns_html(&b, &r, NULL) == ALM_OK);
    check_safe(&b);
    CHECK(has(&b, "<i class=\"k-num\">num</i>") && has(&b, "<i class=\"k-path\">path</i>"));
    CHECK(has(&b, "1\xE2\x80\xAF"
                  "234\xE2\x80\xAF"
                  "567") &&
          has(&b, "50\xE2\x80\xAF%"));
    alm_buf_free(&b);
}

static void no_record_becomes_markup_on_the_detect_page(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        alm_buf b = alm_buf_with_limit(4 << 20);
        CHECK(detect_page(&b, k & 1, k & 2, NULL) == ALM_OK);
        check_safe(&b);
        CHECK(has(&b, "1\xE2\x80\xAF%") && has(&b, "p &lt; 0.0001") && has(&b, "p = 0.0042"));
        CHECK(has(&b, "1\xE2\x80\xAF"
                      "240 more records like it"));
        CHECK(has(&b, "href=\"#i40\"") && has(&b, "id=\"i40\""));
        alm_buf_free(&b);
    }
}

static void a_false_alarm_rate_is_stated_only_where_labels_are(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(4 << 20);
    CHECK(detect_page(&b, true, true, NULL) == ALM_OK);
    CHECK(has(&b, "<b>0.5\xE2\x80\xAF%</b>")); /* 30 of 6,000 */
    alm_buf_clear(&b);
    CHECK(detect_page(&b, false, true, NULL) == ALM_OK);
    CHECK(!has(&b, "<b>0.5\xE2\x80\xAF%</b>"));
    alm_buf_free(&b);
}

static void a_page_without_anything_is_still_a_page(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(1 << 20);
    CHECK(alm_report_patterns_html(&b, &(alm_report_patterns){0}, NULL) == ALM_OK);
    check_nesting(&b);
    alm_buf_clear(&b);
    CHECK(alm_report_detect_html(&b, &(alm_report_detect){0}, NULL) == ALM_OK);
    check_nesting(&b);
    alm_buf_free(&b);
}

static void expect(alm_buf *b, const char *want) {
    CHECK(alm_str_eq(alm_buf_str(b), alm_str_of(want)), "%.*s, expected %s", ALM_ARG(alm_buf_str(b)), want);
    alm_buf_clear(b);
}

static void numbers_times_and_templates_are_written_as_said(void **state) {
    (void)state;
    alm_buf b = alm_buf_with_limit(4096);
    alm_html_count(&b, 0), expect(&b, "0");
    alm_html_count(&b, 999), expect(&b, "999");
    alm_html_count(&b, UINT64_MAX), expect(&b, "18\xE2\x80\xAF"
                                               "446\xE2\x80\xAF"
                                               "744\xE2\x80\xAF"
                                               "073\xE2\x80\xAF"
                                               "709\xE2\x80\xAF"
                                               "551\xE2\x80\xAF"
                                               "615");
    static const struct {
        double x;
        const char *want;
    } SHARE[] = {{0, "0"},         {1, "100"},  {0.9999, "&gt;99.9"}, {0.00001, "&lt;0.01"},
                 {0.0083, "0.83"}, {0.01, "1"}, {0.546, "54.6"},      {0.1, "10"}};
    for (size_t i = 0; i < sizeof SHARE / sizeof *SHARE; i++) {
        char want[40];
        snprintf(want, sizeof want, "%s\xE2\x80\xAF%%", SHARE[i].want);
        alm_html_share(&b, SHARE[i].x), expect(&b, want);
    }
    alm_html_time(&b, -1), expect(&b, "1969-12-31\xC2\xA0"
                                      "23:59:59");
    alm_html_span(&b, 0, 86400000000000), expect(&b, "1970-01-01\xC2\xA0"
                                                     "00:00:00 – 1970-01-02\xC2\xA0"
                                                     "00:00:00");
    alm_html_span(&b, 0, 1000000000), expect(&b, "1970-01-01\xC2\xA0"
                                                 "00:00:00\xC2\xA0–\xC2\xA0"
                                                 "00:00:01");
    alm_html_template(&b, ALM_STR("a<b <num>> <A> <unknown-2> <")),
        expect(&b, "a&lt;b <i class=\"k-num\">num</i>&gt; &lt;A&gt; <i class=\"k-any\">unknown-2</i> &lt;");
    alm_html_record(&b, ALM_STR("a\r\n\tb\n"), 99), expect(&b, "a\n    b\n");
    alm_html_record(&b, ALM_STR("a\xc3\xbcz"), 2), expect(&b, "a…");
    alm_buf_free(&b);
}

static void failing_memory_is_reported_and_nothing_leaks(void **state) {
    (void)state;
    size_t live = alm_test_live_blocks();
    for (size_t n = 1;; n++) {
        alm_error err = {0};
        alm_report_patterns r;
        alm_report_pattern p[2];
        uint32_t spark[16];
        alm_buf b = alm_buf_with_limit(4 << 20), c = alm_buf_with_limit(4 << 20);
        fill(&r, p, spark);
        alm_test_fail_alloc(n, true);
        alm_status st = alm_report_patterns_html(&b, &r, &err);
        if (st == ALM_OK) st = detect_page(&c, true, true, &err);
        alm_test_fail_alloc(0, false);
        alm_buf_free(&b), alm_buf_free(&c);
        CHECK(alm_test_live_blocks() == live);
        if (st == ALM_OK) {
            CHECK(n > 5);
            return;
        }
        CHECK(st == ALM_NO_MEMORY);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_record_becomes_markup_on_the_patterns_page),
    cmocka_unit_test(no_record_becomes_markup_on_the_detect_page),
    cmocka_unit_test(a_false_alarm_rate_is_stated_only_where_labels_are),
    cmocka_unit_test(a_page_without_anything_is_still_a_page),
    cmocka_unit_test(numbers_times_and_templates_are_written_as_said),
    cmocka_unit_test(failing_memory_is_reported_and_nothing_leaks),
};
ALM_TEST_MAIN(tests)
