/* SPDX-License-Identifier: Apache-2.0
 *
 * allmende/detect.h - learn what is normal in a stream of records, then find what is not, at a promised rate, and say why.
 *
 *     alm_learner *l;                                    alm_detector_run *d;
 *     alm_learn_new(&l, &lo, err);                       alm_model_open(&m, "normal.gguf", err);
 *     while (record) alm_learn_add(l, &event, err);      alm_detect_new(&d, m, &dopt, err);
 *     alm_learn_finish(&m, l, err);                      while (record) {
 *     alm_normal_save(m, "normal.gguf", err);                 alm_detect_feed(d, &event, &verdict, err);    the record
 *                                                            while (alm_detect_next_group(d, &verdict)) …  groups that just ended
 *                                                        }
 *                                                        alm_detect_finish(d, err);
 *                                                        while (alm_detect_next_group(d, &verdict)) …      groups still open
 *                                                        alm_detect_summary_of(d, &summary);
 *                                                        for (i …) alm_detect_incident(d, i, &incident)
 *
 * The units that are judged: a GROUP of records (a session, a block, a request) where an identifier links records, else the
 * single RECORD. A record inside a group shows what the group's score has reached so far; `alarm` is set on the record with
 * which its group went over the threshold. What only shows when a group ends (something is missing) is told by the group's
 * own verdict. Formulas, what is promised and under which assumptions: docs/detect.md. */
#ifndef ALLMENDE_DETECT_H
#define ALLMENDE_DETECT_H

#include <allmende/base.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef struct alm_normal alm_normal;       /* a model: what is normal */
typedef struct alm_learner alm_learner;     /* learning in progress */
typedef struct alm_detection alm_detection; /* a stream being judged */

/* One record as the detectors see it. Bytes are not kept unless said. */
typedef struct alm_event {
    alm_str text; /* what patterns are mined from */
    alm_str raw;  /* the original bytes; shown with incidents (cut). Empty: text serves */
    alm_str
        group; /* value of the grouping field (alm_normal_group_field names it); empty: found in text by the model's rule */
    int64_t time_ns; /* INT64_MIN: no time stamp */
    uint64_t line;   /* from 1 in its input */
    const char *
        source; /* name of the input; NULL is fine. Must live until the stream is freed or be the same pointer per input */
    int label; /* only for the summary's false-alarm rate: 0 normal, 1 anomalous, -1 unknown. Never used to judge */
} alm_event;

typedef struct alm_learn_options {
    size_t size;  /* sizeof(alm_learn_options) */
    double alpha; /* promised rate of alarms among normal units, in (0, 1); 0: 0.01 */
    const char
        *group_by; /* NULL: found by itself; "off": every record for itself; "field:NAME"; anything else is a regex
                                 whose first capture, or whole match, is the group */
    bool sessions; /* whole sessions come in through alm_learn_session */
    bool no_group_search;   /* with group_by NULL: as "off" */
    uint32_t max_templates; /* 0: 100,000 */
    size_t
        max_events; /* records kept for calibration (24 bytes each): 0: 2,000,000; beyond it groups are sampled by hash */
    const alm_cancel
        *cancel;       /* NULL: cannot be stopped. After it is set, add returns ALM_INTERRUPTED; finish still works */
    bool lm;           /* also train a language model on the lines (not in sessions): the detector `surprise` */
    double lm_seconds; /* its time limit, 0: 60; the steps that fit are fixed by the speed of the first ones ... */
    uint64_t lm_steps; /* ... or given: then the same input gives the same model. 0: by the time limit */
    uint64_t seed;
    unsigned threads; /* for its training, 0: all; no bit depends on it */
    void (*lm_progress)(void *arg, uint64_t step, uint64_t steps, double loss); /* NULL: silent */
    void *lm_progress_arg;
} alm_learn_options;

alm_status alm_learn_new(alm_learner **out, const alm_learn_options *options, alm_error *err);
alm_status alm_learn_add(alm_learner *l, const alm_event *event, alm_error *err);
/* A whole session: `events` are words separated by blanks, in order. label 1 is not learned (it is known to be anomalous). */
alm_status alm_learn_session(alm_learner *l, alm_str name, alm_str events, int label, alm_error *err);
/* The name of the field to hand in as event.group, or NULL when groups are found in the text (or there are none). */
const char *alm_learn_group_field(const alm_learner *l);
/* Makes the model from what was added. The learner stays (free it) but takes no more records.
 * ALM_INVALID when there was nothing to learn from. A group_by that never matched is ALM_NOT_FOUND with a hint. */
alm_status alm_learn_finish(alm_normal **out, alm_learner *l, alm_error *err);
void alm_learn_free(alm_learner *l);

/* A model without any knowledge, for alm_detect_options.prequential. options->lm: the small language model inside the library
 * reads lines of kinds that did not come before; what is usual for it, it takes from the stream. It is not saved. */
alm_status alm_normal_empty(alm_normal **out, const alm_learn_options *options, alm_error *err);
/* GGUF with alm.* keys; written aside and renamed. */
alm_status alm_normal_save(const alm_normal *m, const char *path, alm_error *err);
alm_status alm_normal_open(alm_normal **out, const char *path, alm_error *err);
void alm_normal_free(alm_normal *m);
const char *alm_normal_group_field(const alm_normal *m); /* as alm_learn_group_field */
bool alm_normal_sessions(const alm_normal *m);           /* learned from whole sessions */

typedef enum alm_guarantee {
    ALM_GUARANTEE_TRAINING, /* with 95 % confidence over calibration sets the rate is at most alpha */
    ALM_GUARANTEE_MARGINAL, /* at most alpha on average over calibration sets: too few rows for the stronger one */
    ALM_GUARANTEE_ADAPTIVE, /* the threshold follows the stream so that the long-run alarm rate is alpha */
    ALM_GUARANTEE_NONE      /* fewer than 1/alpha calibration rows */
} alm_guarantee;
const char *alm_guarantee_text(alm_guarantee g); /* a sentence */
const char *alm_guarantee_name(alm_guarantee g); /* "training-conditional", "marginal", "adaptive", "none" */

/* What was learned, for the end of `alm learn`. */
typedef struct alm_normal_info {
    double alpha;
    uint64_t n_records, n_templates;
    uint64_t n_groups, n_groups_fit, n_groups_calibrate,
        n_groups_cut;                      /* cut: began before or ended after the input, not learned */
    uint64_t n_free_fit, n_free_calibrate; /* records outside groups */
    uint64_t n_labelled_out;               /* sessions with label 1 that were left out */
    alm_guarantee guarantee;               /* for the groups, or for the records when there are no groups */
    double threshold;                      /* of the group score */
    char group_rule[160];                  /* in words, "" when there are no groups */
    double rate_bucket_s;                  /* 0: no rates learned (too few times) */
    uint64_t lm_parameters, lm_lines,
        lm_steps;   /* of the language model; 0 parameters: there is none, for this reason */
    double lm_loss; /* nats a token, of its last step */
    char lm_reason[160];
    uint64_t lm_schedule; /* length of its schedule: what lm_steps must be for the same bits again */
} alm_normal_info;
void alm_normal_info_of(const alm_normal *m, alm_normal_info *out);
/* From now on the sentences of this model (why, incidents, group_rule) go through `translate`, which gets the English
 * printf format and returns one with the same conversions in the same order (as gettext does). NULL: English again. */
void alm_normal_translate(alm_normal *m, const char *(*translate)(const char *english));

typedef struct alm_detect_options {
    size_t size;         /* sizeof(alm_detect_options) */
    double alpha;        /* 0: the model's. Outside (0, 1): ALM_INVALID */
    bool prequential;    /* each record or group is judged, then learned unless it alarmed */
    bool fixed;          /* records outside groups: a fixed threshold instead of the adaptive one */
    uint32_t max_groups; /* open groups kept: 0: 16,384; the one silent for longest is closed first */
    uint32_t min_alarms; /* an incident with fewer alarms is ignored (floor rule); 0: 1 */
    double min_score;    /* alarms with a lower score are ignored (floor rule); 0: none */
    const alm_cancel *cancel;
} alm_detect_options;

enum { ALM_WHY_MAX = 6, ALM_WHY_BYTES = 320, ALM_VERDICT_GROUP_BYTES = 120 };
typedef struct alm_why {
    const char *detector; /* a row of detectors.def */
    char text[ALM_WHY_BYTES];
    double score; /* its part of the sum */
} alm_why;

typedef struct alm_verdict {
    bool is_group; /* a whole group; else one record */
    char id[17];   /* 16 hexadecimal digits: of the record (text and place) or of the group (key and place) */
    uint64_t line; /* the record's; of a group: its last record's */
    uint64_t first_line, n_records; /* of a group */
    int64_t time_ns, first_ns;
    const char *source;                  /* may be NULL */
    char group[ALM_VERDICT_GROUP_BYTES]; /* its key, cut; "" when there is none */
    char template_id[17];                /* "" in sessions, for groups: of the last record */
    double score, p;
    bool alarm;
    bool ended; /* group: it came to its end, and what is missing was judged */
    bool cut;   /* group: its beginning or end lies outside the input, or its source fell silent as a whole */
    unsigned n_why;
    alm_why why[ALM_WHY_MAX]; /* the strongest first; filled when alarm, or always with alm_detect_explain */
} alm_verdict;

alm_status alm_detect_new(alm_detection **out, alm_normal *m, const alm_detect_options *options,
                          alm_error *err); /* m is used (and, prequentially, changed) until free */
void alm_detect_free(alm_detection *d);
/* Judges one record. ALM_INTERRUPTED when cancelled (finish still works). */
alm_status alm_detect_feed(alm_detection *d, const alm_event *event, alm_verdict *out, alm_error *err);
/* Judges one whole session at once: out is a group verdict. */
alm_status alm_detect_session(alm_detection *d, alm_str name, alm_str events, int label, uint64_t line,
                              alm_verdict *out, alm_error *err);
/* The next group that has ended; false: none now. Look after each feed and after finish. */
bool alm_detect_next_group(alm_detection *d, alm_verdict *out);
/* End of input: all open groups end or are cut. */
alm_status alm_detect_finish(alm_detection *d, alm_error *err);
/* Fill `why` for every verdict, not only for alarms (slower). */
void alm_detect_explain(alm_detection *d, bool always);

/* The template of the record that was fed last: its text with <typed> slots, into a buffer owned by d, and its values
 * (until the next feed). Empty in sessions. */
alm_str alm_detect_template(alm_detection *d);
size_t alm_detect_param_count(const alm_detection *d);
alm_str alm_detect_param(const alm_detection *d, size_t i);
/* What the language model made of the record that was fed last: its tokens, each from the end of the one before. None when it
 * was not read: it is of a kind that was seen before, or there is no language model. */
typedef struct alm_token_surprise {
    uint32_t at, n; /* bytes in event.text */
    double nll;     /* nats */
} alm_token_surprise;
size_t alm_detect_token_count(const alm_detection *d);
bool alm_detect_token(const alm_detection *d, size_t i, alm_token_surprise *out);
/* Lines that the language model has read so far. */
uint64_t alm_detect_lines_read(const alm_detection *d);

typedef struct alm_detect_summary {
    uint64_t n_records, n_groups, n_groups_cut;
    uint64_t n_units, n_unit_alarms; /* the units that the promise is about: groups, and records outside groups */
    uint64_t n_group_alarms, n_free, n_free_alarms; /* groups; records outside groups */
    uint64_t n_record_alarms; /* records marked (outside groups, or their group passed the threshold with them) */
    uint64_t n_ignored;       /* alarms under the floor rule */
    uint64_t
        n_followers; /* records that repeat the cause of an alarm shortly before: part of its incident, no new alarm */
    uint64_t n_unseen;                        /* records that fit no learned template */
    uint64_t n_silences;                      /* mass stops: the source fell silent */
    double promised;                          /* alpha */
    double alarm_rate;                        /* n_unit_alarms / n_units */
    double group_alarm_rate, free_alarm_rate; /* NaN when there are none */
    alm_guarantee guarantee_groups, guarantee_free;
    uint64_t n_calibrate_groups, n_calibrate_free;
    /* only when labels came in; else n_normal is 0 and the rates NaN */
    uint64_t n_normal, n_false_alarms, n_anomalous, n_found;
    double false_alarm_rate, recall, binomial_p; /* exact two-sided test of false alarms against alpha */
} alm_detect_summary;
void alm_detect_summary_of(const alm_detection *d, alm_detect_summary *out);

enum { ALM_INCIDENT_LINES = 6, ALM_INCIDENT_LINE_BYTES = 320, ALM_INCIDENT_NAMES = 6 };
typedef struct alm_incident {
    uint64_t number; /* from 1, in order of the first cause */
    uint64_t n_alarms;
    uint64_t n_followers;      /* and this many more records like these */
    double score;              /* of the strongest alarm */
    double p;                  /* the smallest */
    int64_t first_ns, last_ns; /* INT64_MIN: no times */
    uint64_t first_line, last_line;
    const char *source;
    const char *detector;       /* of the first cause */
    char reason[ALM_WHY_BYTES]; /* one sentence: the first cause */
    unsigned n_group;           /* groups named here, of n_groups */
    uint64_t n_groups;
    char group[ALM_INCIDENT_NAMES][ALM_VERDICT_GROUP_BYTES];
    unsigned n_line; /* original lines kept, in order; the first is the first cause */
    uint64_t line[ALM_INCIDENT_LINES];
    char text[ALM_INCIDENT_LINES][ALM_INCIDENT_LINE_BYTES]; /* cut on a character; bytes as they came */
    bool silence;                                           /* a mass stop: several groups fell silent together */
} alm_incident;
/* After finish: incidents above the floor, first cause first. */
size_t alm_detect_incident_count(const alm_detection *d);
bool alm_detect_incident(const alm_detection *d, size_t i, alm_incident *out);
/* Incidents beyond the bound (4,000) that were only counted. */
uint64_t alm_detect_incidents_dropped(const alm_detection *d);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
