/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/report.h - the two pages that `--html` writes: structs in, one self-contained HTML file out.
 *
 * The page needs no network and no script; a policy in its head forbids both, so that no record can bring its own. All
 * strings may hold anything: they are escaped here. Nothing is kept after the call. Texts are translated. Zero-initialise
 * the structs: a field that is zero or empty is left out of the page. Return the status of the buffer. */
#ifndef ALM_CLI_REPORT_H
#define ALM_CLI_REPORT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

/* ---- alm patterns --html ---- */

typedef struct alm_report_pattern {
    alm_str id;   /* "3fa4…", as in --json */
    alm_str text; /* the template with typed slots: "Accepted <word> from <ip> port <num>" */
    alm_str example;
    uint64_t count;
    int64_t first_ns, last_ns; /* ALM_NO_TIME: none */
    const uint32_t *spark;     /* records over the stream, n_spark bins; NULL: none */
    size_t n_spark;
} alm_report_pattern;

typedef struct alm_report_patterns {
    const char *source; /* "access.log", "3 files" */
    uint64_t n_records;
    uint64_t n_unmatched;         /* match-only: records that fit no pattern */
    uint64_t n_patterns;          /* in all; more than n when --top cut the list */
    int64_t first_ns, last_ns;    /* ALM_NO_TIME: records had no time */
    const alm_report_pattern *at; /* most frequent first */
    size_t n;
    const char *command; /* how to make the page again; NULL: not said */
} alm_report_patterns;

alm_status alm_report_patterns_html(alm_buf *out, const alm_report_patterns *r, alm_error *err);

/* ---- alm detect --html ---- */

typedef struct alm_report_line { /* an original record of an incident */
    uint64_t line;
    alm_str source; /* shown when it differs from the report's only source */
    alm_str text;
    bool alarm; /* it raised an alarm itself; else it stands there for context */
} alm_report_line;

typedef struct alm_report_incident {
    alm_str reason;            /* the sentence: why, in words */
    alm_str detector;          /* "unseen template"; several are joined with ", " by the caller */
    alm_str group;             /* the session or entity; may be empty */
    const alm_str *more_group; /* further groups by name, and how many groups there are in all */
    size_t n_more_group;
    uint64_t n_groups;
    int64_t first_ns, last_ns;
    uint64_t first_record; /* place in the stream, from 1: the time line's axis where records have no time */
    uint64_t n_alarms, n_records;
    uint64_t n_followers;        /* records like these that came after and raised no alarm of their own */
    double p;                    /* the smallest p-value in it */
    double score;                /* of its strongest alarm: with n_alarms it decides what comes in the short list */
    const alm_report_line *line; /* what is shown, in order */
    size_t n_line;
    uint64_t n_hidden;      /* lines that were left out */
    const alm_str *follows; /* further reasons in order: what came after the first cause */
    size_t n_follows;
} alm_report_incident;

typedef struct alm_report_detect {
    const char *source, *model;
    uint64_t n_records;
    uint64_t n_alarms;
    uint64_t n_units;          /* what the alarm rate is about: groups, and records outside them. 0: all records */
    int64_t first_ns, last_ns; /* ALM_NO_TIME: records had no time; the time line then counts records */
    /* The promise. */
    double alpha;           /* promised rate, 0.01 */
    uint64_t n_calibration; /* rows that calibrated it */
    bool guaranteed;
    const char *guarantee_word; /* translated: "in the long run"; NULL: "holds" or "none" */
    alm_str guarantee;          /* the sentence: what is guaranteed, or why nothing is */
    bool has_labels;            /* the two below are known */
    uint64_t n_normal, n_false; /* labelled normal, and alarms among them */
    uint64_t n_ignored;         /* alarms below the floor rule ("ignore below") */
    /* The time line: n_bin bins of equal width from first to last (time, or record number without times). */
    const uint32_t *bin_records, *bin_alarms;
    size_t n_bin;
    int64_t bin_ns;                /* width of a bin; 0: the bins fill the span exactly */
    const alm_report_incident *at; /* first cause first */
    size_t n;
    uint64_t n_incidents;                /* in all; more than n when the list was cut */
    const alm_report_patterns *patterns; /* a last section; NULL: none */
    const char *command;
} alm_report_detect;

alm_status alm_report_detect_html(alm_buf *out, const alm_report_detect *r, alm_error *err);

#endif
