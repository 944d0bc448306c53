/* SPDX-License-Identifier: Apache-2.0
 *
 * base/clock.h - time: a steady clock for durations, the calendar for stamps. */
#ifndef ALM_BASE_CLOCK_H
#define ALM_BASE_CLOCK_H

#include <allmende/base.h>

#define ALM_NO_TIME INT64_MIN /* a record without a time stamp */

/* Nanoseconds of a clock that never jumps. */
int64_t alm_clock_steady_ns(void);
/* Nanoseconds since 1970-01-01 UTC; SOURCE_DATE_EPOCH (seconds) overrides it so that outputs can be reproduced. */
int64_t alm_clock_now_ns(void);
/* Days since 1970-01-01 of a proleptic Gregorian date; no checks. */
int64_t alm_days_from_civil(int64_t year, int month, int day);
void alm_civil_from_days(int64_t days, int64_t *year, int *month, int *day);
/* "2026-03-14T09:26:53.123456Z" (fraction only as long as needed: 0, 3, 6 or 9 digits); returns the length, `at` has 40 bytes. */
size_t alm_time_to_str(char *at, int64_t unix_ns);

#endif
