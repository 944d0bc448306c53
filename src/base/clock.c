/* SPDX-License-Identifier: Apache-2.0
 *
 * base/clock.c - time: a steady clock for durations, the calendar for stamps.
 *
 * Days are counted in eras of 400 years (146,097 days) whose years begin on 1 March, so that the leap day is the last
 * of its year and no table of months is needed: day m of such a year is (153 m + 2) / 5. */
#include "base/clock.h"

#include "base/str.h"

#include <stdlib.h>
#include <time.h>

#define NS_PER_S   1000000000LL
#define S_PER_DAY  86400LL
#define ERA_DAYS   146097LL
#define EPOCH_DAYS 719468LL /* 0000-03-01 to 1970-01-01 */

int64_t alm_clock_steady_ns(void) {
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t alm_clock_now_ns(void) {
    uint64_t fixed;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch && alm_str_to_u64(alm_str_of(epoch), &fixed) && fixed <= (uint64_t)(INT64_MAX / NS_PER_S)) {
        return (int64_t)fixed * NS_PER_S;
    }
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

int64_t alm_days_from_civil(int64_t year, int month, int day) {
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

void alm_civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
    int64_t z = days + EPOCH_DAYS;
    int64_t era = floor_div(z, ERA_DAYS), day_of_era = z - era * ERA_DAYS;
    /* Leap days that came before are taken out, so that the rest divides by 365. */
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static char *digits(char *at, int64_t x, int width) {
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + x % 10);
        x /= 10;
    }
    return at + width;
}

size_t alm_time_to_str(char *at, int64_t unix_ns) {
    int64_t s = floor_div(unix_ns, NS_PER_S), days = floor_div(s, S_PER_DAY), year;
    int64_t ns = unix_ns % NS_PER_S, of_day = s - days * S_PER_DAY;
    if (ns < 0) ns += NS_PER_S;
    int month, day;
    alm_civil_from_days(days, &year, &month, &day); /* 64-bit nanoseconds reach from 1677 to 2262: four digits */
    char *to = digits(at, year, 4);
    *to++ = '-';
    to = digits(to, month, 2);
    *to++ = '-';
    to = digits(to, day, 2);
    *to++ = 'T';
    to = digits(to, of_day / 3600, 2);
    *to++ = ':';
    to = digits(to, of_day / 60 % 60, 2);
    *to++ = ':';
    to = digits(to, of_day % 60, 2);
    if (ns) {
        *to++ = '.';
        if (ns % 1000000 == 0) to = digits(to, ns / 1000000, 3);
        else if (ns % 1000 == 0) to = digits(to, ns / 1000, 6);
        else to = digits(to, ns, 9);
    }
    *to++ = 'Z';
    *to = '\0';
    return (size_t)(to - at);
}
