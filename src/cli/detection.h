/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/detection.h - what `alm detect` shows, in its several forms; cmd_detect.c judges, the others write. */
#ifndef ALM_CLI_DETECTION_H
#define ALM_CLI_DETECTION_H

#include "cli/cli.h"
#include <allmende/detect.h>

/* ── labels: for the false-alarm rate only ──────────────────────────────────────────────────────────────────── */

typedef struct alm_labels alm_labels;
/* TSV or CSV whose header has a column `label` and one of group, session, instance, id, line; 0, normal or - is normal. */
alm_status alm_labels_read(alm_labels **out, const char *path, alm_cli *cli, alm_error *err);
void alm_labels_free(alm_labels *l);
/* A unit with this key was seen; `alarm` once is enough. */
void alm_labels_seen(alm_labels *l, alm_str group, uint64_t line, bool alarm);
typedef struct alm_labels_score {
    uint64_t n_normal, n_false, n_anomalous, n_found;
} alm_labels_score;
alm_labels_score alm_labels_score_of(const alm_labels *l);

/* ── when did what happen: equal bins over an unknown length ────────────────────────────────────────────────── */

enum { ALM_TIMELINE_BINS = 384 };
typedef struct alm_timeline {
    int64_t first, last, width;
    uint32_t records[ALM_TIMELINE_BINS], alarms[ALM_TIMELINE_BINS];
    bool any;
} alm_timeline;
/* `at` is a time in ns or a record's number. Bins double their width when the end is passed. */
void alm_timeline_add(alm_timeline *t, int64_t at, uint32_t records, uint32_t alarms);
/* Bins in use. */
size_t alm_timeline_used(const alm_timeline *t);

/* ── forms ──────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct alm_shown {
    alm_cli *cli;
    alm_detection *detection;
    alm_detect_summary summary;
    bool has_labels; /* the four numbers below are known */
    alm_labels_score score;
    double binomial_p; /* exact two-sided test of the false alarms against alpha */
    bool interrupted;
    const char *source; /* "app.log", "3 inputs" */
    const char *model;
    alm_timeline by_time, by_record;
    int64_t first_ns, last_ns;
} alm_shown;

/* What is promised, in the user's language. */
const char *alm_detection_guarantee(alm_guarantee g);
/* One object a record or group; `text` is the record's, as it was judged (empty for groups). */
void alm_detection_json(alm_shown *s, const alm_verdict *v, alm_str text);
void alm_detection_summary_json(alm_shown *s);
/* The last line on stderr. */
void alm_detection_summary_line(alm_shown *s);
/* How much an incident weighs: a burst of alarms weighs more than one alarm of the same score. */
double alm_detection_weight(const alm_incident *i);
/* An alarm as it comes, one line; incidents at the end, in the order of their beginnings, of many the `top` heaviest (0: all). */
void alm_detection_alarm_line(alm_shown *s, const alm_verdict *v, alm_str text, alm_str raw);
void alm_detection_incidents(alm_shown *s, uint64_t top);
alm_status alm_detection_html(alm_shown *s, const char *path, alm_error *err);

#endif
