/* SPDX-License-Identifier: Apache-2.0
 *
 * record/stamp.h - time stamps: found in a line, read from a field, made to nanoseconds since 1970 UTC.
 *
 * Two steps, because a line that is only looked at (does it continue the record before?) must not move the year:
 * alm_stamp_parse and alm_stamp_search read what is written; alm_stamp_resolve makes a time of it, in the order of the records.
 *
 * Forms, D for a day of two digits, h m s, f a fraction of 1 to 9 digits behind . or , or :
 *   iso      2026-11-24T18:25:00.123+01:00   2026-11-24 18:25:00,123   2026/11/24 18:25:00   20261124T182500Z
 *            2005-06-03-15.42.50.675872      2026-11-24T18:25Z         20171223-22:15:29:606
 *   bsd      Nov 24 18:25:00   Nov  4 18:25:00.123   Nov 24 2026 18:25:00
 *   ctime    Sun Dec 04 04:47:44 2005   Sun Dec  4 04:47:44.123456 CET 2005
 *   rfc2822  Thu, 24 Nov 2026 18:25:00 +0100   24 Nov 2026 18:25:00   24-Nov-2026 18:25:00.123
 *   clf      10/Oct/2000:13:55:36 -0700
 *   epoch    1764008700 (s), 1764008700.123, 1764008700123 (ms), … (us, ns): only as the first word of a line, after
 *            "audit(", or as a field
 *   compact  081109 203615 (yyMMdd HHmmss): only as the first word of a line
 *   monthday 11-24 18:25:00.123   11.24 18:25:00   W1124 18:25:00.123456 (the letter of a level, at the start of a line)
 *   german   24.11.2026 18:25:00   24.11.2026, 18:25
 *   slash    26/11/24 18:25:00 (yy/MM/dd)   11/24/2026 18:25:00   11/24/2026 6:25:00 PM (month first; day first where only that is a date)
 * A zone (Z, UTC, GMT, ±hh:mm, ±hhmm, ±hh) is heeded; without one the stamp is taken as UTC. */
#ifndef ALM_RECORD_STAMP_H
#define ALM_RECORD_STAMP_H

#include "base/clock.h"
#include "base/str.h"

typedef enum alm_stamp_form {
    ALM_STAMP_NONE,
    ALM_STAMP_ISO,
    ALM_STAMP_BSD,
    ALM_STAMP_CTIME,
    ALM_STAMP_RFC2822,
    ALM_STAMP_CLF,
    ALM_STAMP_EPOCH,
    ALM_STAMP_COMPACT,
    ALM_STAMP_MONTHDAY,
    ALM_STAMP_GERMAN,
    ALM_STAMP_SLASH
} alm_stamp_form;

/* What is written, not yet a time. year is 0 when none is written. EPOCH: ns alone counts. */
typedef struct alm_stamp {
    alm_stamp_form form;
    uint32_t at, n; /* where it stands in the text */
    int year, month, day;
    int64_t ns; /* since midnight minus the zone's offset; EPOCH: since 1970 */
} alm_stamp;

/* Keeps what makes the next stamp cheap and the next year right. Zero-initialise; now_ns is where a first stamp without a
 * year may lie at the latest (one day of grace). */
typedef struct alm_stamp_reader {
    int64_t now_ns;
    int64_t last_ns; /* valid when has_last */
    bool has_last;
    uint32_t guess;       /* where the last stamp stood */
    alm_stamp_form form;  /* and what it was */
    uint32_t n_miss;      /* searches in a row that found nothing */
    int year, month, day; /* of `days` */
    int64_t days;
} alm_stamp_reader;

/* A stamp that begins exactly at s.at[at]; false when there is none. */
bool alm_stamp_parse(alm_stamp *out, alm_str s, size_t at);
/* The first stamp in the first `limit` bytes; the place of the last one is tried first. */
bool alm_stamp_search(alm_stamp_reader *r, alm_stamp *out, alm_str s, size_t limit);
/* A field's whole value: blanks around it are allowed, more is not. */
bool alm_stamp_value(alm_stamp *out, alm_str value);
/* The time. A missing year is the one that brings the stamp closest to the record before it; the first such stamp lies at
 * or before now_ns. False when the time does not fit 64 bits. */
bool alm_stamp_resolve(alm_stamp_reader *r, const alm_stamp *s, int64_t *out_ns);

#endif
