/* SPDX-License-Identifier: Apache-2.0
 *
 * test_stamp.c - time stamps in their forms, what is none, and years that nobody wrote. */
#include "alm_test.h"

#include "record/stamp.h"

#define NOW_NS (INT64_C(20781) * 86400 * 1000000000) /* 2026-11-24 */

static const struct {
    const char *text, *time; /* as alm_time_to_str writes it; NULL: no stamp */
    unsigned at;
    alm_stamp_form form;
} cases[] = {
    {"2026-11-24T18:25:00Z x", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"2026-11-24t18:25:00.5z", "2026-11-24T18:25:00.500Z", 0, ALM_STAMP_ISO},
    {"2026-11-24T18:25:00.123456789+01:00 x", "2026-11-24T17:25:00.123456789Z", 0, ALM_STAMP_ISO},
    {"2026-11-24T18:25:00-0330", "2026-11-24T21:55:00Z", 0, ALM_STAMP_ISO},
    {"2026-11-24T18:25:00+01", "2026-11-24T17:25:00Z", 0, ALM_STAMP_ISO},
    {"2026-11-24T18:25Z", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"[2026-11-24 18:25:00,123] x", "2026-11-24T18:25:00.123Z", 1, ALM_STAMP_ISO},
    {"2026-11-24 18:25:00.123 +0100 x", "2026-11-24T17:25:00.123Z", 0, ALM_STAMP_ISO},
    {"2026-11-24 18:25:00 UTC LOG", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"2026-11-24 18:25:00 - 12 left", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"2026/11/24 18:25:00 [error]", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"20261124T182500Z", "2026-11-24T18:25:00Z", 0, ALM_STAMP_ISO},
    {"20261124-18:25:00:606|x", "2026-11-24T18:25:00.606Z", 0, ALM_STAMP_ISO},
    {"x 2005-06-03-15.42.50.675872 y", "2005-06-03T15:42:50.675872Z", 2, ALM_STAMP_ISO},
    {"level=info ts=2026-11-24T18:25:00Z", "2026-11-24T18:25:00Z", 14, ALM_STAMP_ISO},
    {"a.log.2017-05-16_13:53:08 2017-05-16 00:00:01.008 x", "2017-05-16T00:00:01.008Z", 26, ALM_STAMP_ISO},
    {"2000-02-29 00:00:00", "2000-02-29T00:00:00Z", 0, ALM_STAMP_ISO},
    {"Nov 24 18:25:00 host app: x", "2026-11-24T18:25:00Z", 0, ALM_STAMP_BSD},
    {"Nov  4 18:25:00 host app: x", "2026-11-04T18:25:00Z", 0, ALM_STAMP_BSD},
    {"Nov 4 18:25:00.25 host", "2026-11-04T18:25:00.250Z", 0, ALM_STAMP_BSD},
    {"<34>Dec 24 18:25:00 host", "2025-12-24T18:25:00Z", 4, ALM_STAMP_BSD},
    {"Nov 24 2001 18:25:00 host", "2001-11-24T18:25:00Z", 0, ALM_STAMP_BSD},
    {"Nov 24 18:25:00 2001-x", "2026-11-24T18:25:00Z", 0, ALM_STAMP_BSD},
    {"[Sun Dec 04 04:47:44 2005] [notice]", "2005-12-04T04:47:44Z", 1, ALM_STAMP_CTIME},
    {"Sun Dec  4 04:47:44.25 CET 2005", "2005-12-04T04:47:44.250Z", 0, ALM_STAMP_CTIME},
    {"Tue, 24 Nov 2026 18:25:00 +0100", "2026-11-24T17:25:00Z", 0, ALM_STAMP_RFC2822},
    {"4 Nov 2026 18:25:00 x", "2026-11-04T18:25:00Z", 0, ALM_STAMP_RFC2822},
    {"24-Nov-2026 18:25:00.123 queries:", "2026-11-24T18:25:00.123Z", 0, ALM_STAMP_RFC2822},
    {"10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET", "2000-10-10T20:55:36Z", 14, ALM_STAMP_CLF},
    {"1764008700 x", "2025-11-24T18:25:00Z", 0, ALM_STAMP_EPOCH},
    {"- 1764008700 x", "2025-11-24T18:25:00Z", 2, ALM_STAMP_EPOCH},
    {"1764008700.25 x", "2025-11-24T18:25:00.250Z", 0, ALM_STAMP_EPOCH},
    {"1764008700123 x", "2025-11-24T18:25:00.123Z", 0, ALM_STAMP_EPOCH},
    {"1764008700123456", "2025-11-24T18:25:00.123456Z", 0, ALM_STAMP_EPOCH},
    {"1764008700123456789", "2025-11-24T18:25:00.123456789Z", 0, ALM_STAMP_EPOCH},
    {"type=X msg=audit(1364481363.243:24287): y", "2013-03-28T14:36:03.243Z", 17, ALM_STAMP_EPOCH},
    {"081109 203615 148 INFO x", "2008-11-09T20:36:15Z", 0, ALM_STAMP_COMPACT},
    {"11-24 18:25:00.123  100  200 D x", "2026-11-24T18:25:00.123Z", 0, ALM_STAMP_MONTHDAY},
    {"[11.24 18:25:00] x", "2026-11-24T18:25:00Z", 1, ALM_STAMP_MONTHDAY},
    {"W1124 18:25:00.123456  7 x.go:1]", "2026-11-24T18:25:00.123456Z", 0, ALM_STAMP_MONTHDAY},
    {"24.11.2026 18:25:00,5 x", "2026-11-24T18:25:00.500Z", 0, ALM_STAMP_GERMAN},
    {"am 24.11.2026, 18:25 x", "2026-11-24T18:25:00Z", 3, ALM_STAMP_GERMAN},
    {"17/06/09 20:10:40 INFO", "2017-06-09T20:10:40Z", 0, ALM_STAMP_SLASH},
    {"11/24/2026 18:25:00 x", "2026-11-24T18:25:00Z", 0, ALM_STAMP_SLASH},
    {"24/11/2026 18:25:00 x", "2026-11-24T18:25:00Z", 0, ALM_STAMP_SLASH},
    {"1/4/2026, 6:25:00 PM x", "2026-01-04T18:25:00Z", 0, ALM_STAMP_SLASH},
    {"1/4/2026 12:05:00 AM", "2026-01-04T00:05:00Z", 0, ALM_STAMP_SLASH},
    {"12:34:56 only a clock", NULL, 0, ALM_STAMP_NONE},
    {"2026-13-24T18:25:00Z", NULL, 0, ALM_STAMP_NONE},
    {"2026-02-29T18:25:00Z", NULL, 0, ALM_STAMP_NONE},
    {"2026-11-24T24:25:00Z", NULL, 0, ALM_STAMP_NONE},
    {"2026-11-24 is a day", NULL, 0, ALM_STAMP_NONE},
    {"read 1764008700 bytes", NULL, 0, ALM_STAMP_NONE},
    {"9999999999 is too late", NULL, 0, ALM_STAMP_NONE},
    {"blk_1764008700 x", NULL, 0, ALM_STAMP_NONE},
    {"x 081109 203615", NULL, 0, ALM_STAMP_NONE},
    {"version 10.24.2026 x", NULL, 0, ALM_STAMP_NONE},
    {"10.0.0.1:8080 to 10.0.0.2:80", NULL, 0, ALM_STAMP_NONE},
    {"March of the penguins", NULL, 0, ALM_STAMP_NONE},
    {"Nov 31 18:25:00 host", NULL, 0, ALM_STAMP_NONE},
    {"", NULL, 0, ALM_STAMP_NONE},
};

static void each_form_is_read_and_nothing_else(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_stamp_reader r = {.now_ns = NOW_NS};
        alm_stamp s;
        int64_t ns;
        char time[41] = "";
        alm_str text = alm_str_of(cases[i].text);
        bool found = alm_stamp_search(&r, &s, text, 160) && alm_stamp_resolve(&r, &s, &ns);
        if (!cases[i].time) {
            CHECK(!found, "%s has a stamp", cases[i].text);
            continue;
        }
        CHECK(found, "%s has none", cases[i].text);
        time[alm_time_to_str(time, ns)] = 0;
        CHECK(strcmp(time, cases[i].time) == 0, "%s is %s, not %s", cases[i].text, time, cases[i].time);
        CHECK(s.at == cases[i].at && s.form == cases[i].form, "%s: at %u, form %d", cases[i].text, s.at, (int)s.form);
        CHECK(s.at + s.n <= text.n);
        /* every cut of the line is read without touching what is behind it */
        for (size_t n = 0; n < text.n; n++) {
            char *exact = malloc(n + 1);
            CHECK(exact != NULL);
            memcpy(exact, text.at, n);
            exact[n] = '7';
            alm_stamp_reader again = {.now_ns = NOW_NS};
            if (alm_stamp_search(&again, &s, (alm_str){exact, n}, 160)) CHECK(s.at + s.n <= n);
            free(exact);
        }
    }
}

static int64_t next(alm_stamp_reader *r, const char *text) {
    alm_stamp s;
    int64_t ns = ALM_NO_TIME;
    CHECK(alm_stamp_search(r, &s, alm_str_of(text), 160), "%s", text);
    CHECK(alm_stamp_resolve(r, &s, &ns), "%s", text);
    return ns;
}

static int year_of(int64_t ns) {
    int64_t year;
    int month, day;
    alm_civil_from_days(ns / INT64_C(86400000000000), &year, &month, &day);
    return (int)year;
}

static void a_missing_year_passes_new_year_with_the_records(void **state) {
    (void)state;
    alm_stamp_reader r = {.now_ns = NOW_NS};
    CHECK_INT(year_of(next(&r, "Dec 30 10:00:00 h")), 2025);
    int64_t before = next(&r, "Dec 31 23:59:59 h"), after = next(&r, "Jan  1 00:00:00 h");
    CHECK_INT(after - before, 1000000000);
    CHECK_INT(year_of(next(&r, "Dec 31 23:59:59 late h")), 2025);
    CHECK_INT(year_of(next(&r, "Mar  3 00:00:00 h")), 2026);
    CHECK_INT(year_of(next(&r, "Aug  3 00:00:00 h")), 2026);
    CHECK_INT(year_of(next(&r, "Jan  3 00:00:00 h")), 2027);
}

static void a_missing_year_follows_a_neighbour_that_has_one(void **state) {
    (void)state;
    alm_stamp_reader r = {.now_ns = NOW_NS};
    (void)next(&r, "2005-11-09T12:00:00Z x");
    CHECK_INT(year_of(next(&r, "Nov  9 12:01:01 h")), 2005);
}

static void the_29th_of_february_finds_a_leap_year(void **state) {
    (void)state;
    alm_stamp_reader r = {.now_ns = NOW_NS};
    CHECK_INT(year_of(next(&r, "Feb 29 12:00:00 h")), 2024);
}

static void a_field_is_a_stamp_only_as_a_whole(void **state) {
    (void)state;
    alm_stamp s;
    CHECK(alm_stamp_value(&s, ALM_STR(" 2026-11-24T18:25:00Z ")));
    CHECK(alm_stamp_value(&s, ALM_STR("1764008700")));
    CHECK(!alm_stamp_value(&s, ALM_STR("2026-11-24T18:25:00Z and more")));
    CHECK(!alm_stamp_value(&s, ALM_STR("17640087")));
    CHECK(!alm_stamp_value(&s, ALM_STR("")));
}

static void an_epoch_behind_a_label_is_found_where_epochs_are_usual(void **state) {
    (void)state;
    alm_stamp_reader r = {.now_ns = NOW_NS};
    int64_t a = next(&r, "- 1764008700 node1 x"), b = next(&r, "KERNFAULT 1764008701 node1 x");
    CHECK_INT(b - a, 1000000000);
    alm_stamp s;
    CHECK(!alm_stamp_search(&r, &s, ALM_STR("node7 read 1764008702 bytes"), 160));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_form_is_read_and_nothing_else),
    cmocka_unit_test(a_missing_year_passes_new_year_with_the_records),
    cmocka_unit_test(a_missing_year_follows_a_neighbour_that_has_one),
    cmocka_unit_test(the_29th_of_february_finds_a_leap_year),
    cmocka_unit_test(a_field_is_a_stamp_only_as_a_whole),
    cmocka_unit_test(an_epoch_behind_a_label_is_found_where_epochs_are_usual),
};
ALM_TEST_MAIN(tests)
