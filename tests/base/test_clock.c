/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_clock.c - the calendar and the clocks. */
#include "alm_test.h"

#include "base/clock.h"

#include <time.h>

static void the_calendar_goes_there_and_back(void **state) {
    (void)state;
    /* Day by day over 2,000 years, counted by the plain rule of leap years. */
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = alm_days_from_civil(0, 1, 1);
    CHECK_INT(days, -719528);
    for (int64_t year = 0; year < 2400; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= length[month - 1] + (month == 2 && leap); day++, days++) {
                int64_t y;
                int m, d;
                CHECK(alm_days_from_civil(year, month, day) == days, "%lld-%d-%d", (long long)year, month, day);
                alm_civil_from_days(days, &y, &m, &d);
                CHECK(y == year && m == month && d == day, "day %lld", (long long)days);
            }
        }
    }
    CHECK_INT(alm_days_from_civil(1970, 1, 1), 0);
    CHECK_INT(alm_days_from_civil(2000, 3, 1), 11017);
    int64_t y;
    int m, d;
    alm_civil_from_days(-719529, &y, &m, &d);
    CHECK(y == -1 && m == 12 && d == 31);
}

static void stamps_have_as_many_digits_as_they_need(void **state) {
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } row[] = {{0, "1970-01-01T00:00:00Z"},
               {1, "1970-01-01T00:00:00.000000001Z"},
               {-1, "1969-12-31T23:59:59.999999999Z"},
               {1773480413123456000, "2026-03-14T09:26:53.123456Z"},
               {951827696500000000, "2000-02-29T12:34:56.500Z"},
               {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
               {INT64_MIN, "1677-09-21T00:12:43.145224192Z"}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char at[40];
        size_t n = alm_time_to_str(at, row[i].ns);
        CHECK_STR(((alm_str){at, n}), row[i].text);
        CHECK(at[n] == '\0');
    }
}

static void the_steady_clock_does_not_go_back(void **state) {
    (void)state;
    int64_t before = alm_clock_steady_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = alm_clock_steady_ns();
        CHECK(now >= before);
        before = now;
    }
}

static void the_date_can_be_fixed_from_outside(void **state) {
    (void)state;
    setenv("SOURCE_DATE_EPOCH", "1234567890", 1);
    CHECK_INT(alm_clock_now_ns(), 1234567890000000000);
    setenv("SOURCE_DATE_EPOCH", "99999999999999", 1); /* beyond 2262: the real time */
    CHECK(alm_clock_now_ns() / 1000000000 - (int64_t)time(NULL) < 3);
    setenv("SOURCE_DATE_EPOCH", "soon", 1);
    int64_t off = alm_clock_now_ns() / 1000000000 - (int64_t)time(NULL);
    CHECK(off > -3 && off < 3);
    unsetenv("SOURCE_DATE_EPOCH");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_calendar_goes_there_and_back),
    cmocka_unit_test(stamps_have_as_many_digits_as_they_need),
    cmocka_unit_test(the_steady_clock_does_not_go_back),
    cmocka_unit_test(the_date_can_be_fixed_from_outside),
};
ALM_TEST_MAIN(tests)
