/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/detect.h - what the files of this room share: the tables of what is normal, a group in the making, a detector.
 *
 * Everything that is judged is a number in nats, the larger the stranger. A detector adds its part for a record, for a step
 * of a group (a record joining it) and for the end of a group; detect/combine.c sums the parts, detect/calibrate.c turns the
 * sum into a p-value. So a detector never has a threshold of its own.
 *
 * Events are templates under dense numbers: 0 is the beginning of a group, 1 its end, from 2 on templates (or, in sessions,
 * words). Numbers are assigned by first appearance, so they are the same for the same input. */
#ifndef ALM_DETECT_DETECT_H
#define ALM_DETECT_DETECT_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "detect/group.h"
#include "detect/log_template.h"
#include "detect/table64.h"
#include "format/gguf.h"
#include <allmende/detect.h>

enum {
    ALM_EVENT_START = 0,
    ALM_EVENT_END = 1,
    ALM_EVENT_FIRST = 2,
    ALM_MAX_EVENTS = 1 << 20,
    ALM_GROUP_COUNTS = 256, /* distinct events of a group; the rest share one place */
    ALM_GROUP_EVIDENCE = 6,
    ALM_SNIPPET = 60,
    ALM_GROUP_LINE = 200,
    ALM_VALUE_KEEP = 24,    /* distinct values of a slot that are remembered; with more the slot is open */
    ALM_MAX_VECTORS = 4096, /* distinct count vectors that are neighbours of new ones */
    ALM_MAX_PAIRS = 1 << 20,
    ALM_MAX_SLOTS = 1 << 16,
    ALM_RATE_MAX_EVENTS = 4096,
    ALM_SEASON_SLOTS = 24,
    ALM_CALIBRATION_MAX = 20000
};

typedef struct alm_event_row {
    uint64_t id;              /* of the template; sessions: hash of the word */
    double n_all;             /* records learned from */
    double n_free;            /* of these, outside groups */
    double n_from, n_to;      /* pairs that begin, end with it */
    double n_ends;            /* groups whose last event it is */
    uint64_t gap;             /* the longest silence behind it inside a group, in records ... */
    int64_t gap_ns;           /* ... and in time */
    uint32_t name_at, name_n; /* sessions: the word in alm_normal.names */
    uint32_t novel;           /* 1 + index in alm_normal.novel; 0: a learned template */
} alm_event_row;

/* One piece of evidence: enough to write the sentence later. */
typedef struct alm_evidence {
    const struct alm_detector *by;
    double score;
    uint32_t a, b; /* events */
    uint64_t x, y; /* counts */
    double z;
    double
        tail; /* probability that a normal record has evidence like this, as far as the detector knows; 0: not said */
    char snippet[ALM_SNIPPET];
} alm_evidence;

typedef struct alm_count {
    uint32_t event, n;
} alm_count;

/* A group while it is open. */
typedef struct alm_group {
    uint64_t key;
    uint64_t first_at, last_at; /* positions in the stream, from 1 */
    uint64_t first_line, last_line, n_records;
    int64_t first_ns, last_ns;
    const char *source;
    uint32_t first, last; /* events */
    alm_count *count;     /* sorted by event */
    uint32_t n_count, cap_count;
    double parts; /* evidence gathered so far, without the end */
    double value_parts;
    unsigned n_evidence;
    alm_evidence evidence[ALM_GROUP_EVIDENCE];
    uint64_t novel[16]; /* pairs and unseen events that were counted already */
    unsigned n_novel;
    int label;
    bool alarmed, cut_start, overflow;
    char name[ALM_VERDICT_GROUP_BYTES];
    char first_text[ALM_GROUP_LINE], cause_text[ALM_GROUP_LINE], last_text[ALM_GROUP_LINE];
    uint64_t cause_line;
    uint32_t *sequence; /* prequential: the events, to learn them when it ends */
    uint32_t cap_sequence;
    uint32_t older, newer, chain; /* the table's links */
    bool used;
} alm_group;

/* A record as a detector looks at it. */
typedef struct alm_look {
    uint32_t event;
    unsigned severity; /* 0..3 */
    bool unseen;       /* no learned template fits */
    bool free;         /* belongs to no group */
    int64_t time_ns;
    alm_str text;
    uint32_t n_params;
    const alm_param *params;
} alm_look;

typedef struct alm_detector {
    const char *name, *text;
    /* Parts in nats; 0: nothing to say. `e` takes what the sentence needs (by and score are set by the caller). Each may be NULL. */
    double (*record)(alm_normal *m, const alm_look *look, alm_evidence *e);
    double (*step)(alm_normal *m, alm_group *g, const alm_look *look, alm_evidence *e); /* before g takes the record */
    double (*end)(alm_normal *m, const alm_group *g, bool ended, alm_evidence *e); /* ended: what is missing counts */
    alm_status (*learn_record)(alm_normal *m, const alm_look *look, alm_error *err);
    alm_status (*learn_step)(alm_normal *m, const alm_group *g, uint32_t event, alm_error *err); /* before g takes it */
    alm_status (*learn_end)(alm_normal *m, const alm_group *g, alm_error *err);
    alm_status (*settle)(alm_normal *m, alm_error *err); /* the fit part is complete */
    /* The calibration part, after it was scored: known from now on, not counted. May only lower scores to come. */
    alm_status (*remember_step)(alm_normal *m, const alm_group *g, uint32_t event, alm_error *err);
    alm_status (*remember_end)(alm_normal *m, const alm_group *g, alm_error *err);
    void (*say)(const alm_normal *m, const alm_evidence *e, alm_buf *out);
    const char *(*name_of)(const alm_evidence *e); /* another name for this evidence; NULL: name */
    /* Everything it has learned, as a flat list of numbers (docs/format/model.md). load checks every count and event. */
    bool (*save)(const alm_normal *m, alm_buf *out);
    alm_status (*load)(alm_normal *m, alm_str bytes, alm_error *err);
} alm_detector;

#define ALM_DETECTOR(name, text) extern const alm_detector alm_detector_##name;
#include "detect/detectors.def"
#undef ALM_DETECTOR
enum {
#define ALM_DETECTOR(name, text) ALM_DETECT_##name,
#include "detect/detectors.def"
#undef ALM_DETECTOR
    ALM_DETECTOR_COUNT
};
extern const alm_detector *const alm_detectors[ALM_DETECTOR_COUNT];

typedef struct alm_vector {
    uint64_t hash;
    size_t at; /* first pair in the pool */
    uint32_t n;
    double seen; /* groups with it */
} alm_vector;

typedef struct alm_slot_values {
    uint64_t key;
    uint64_t n;
    uint32_t n_value;
    bool open;                        /* too many different values: anything goes */
    uint64_t n_number, n_high, n_low; /* values that are numbers; of these, larger, smaller than all before */
    double low, high;
    uint64_t value[ALM_VALUE_KEEP];
    uint32_t count[ALM_VALUE_KEEP];
} alm_slot_values;

typedef struct alm_rate_row {
    double n[ALM_SEASON_SLOTS], sum[ALM_SEASON_SLOTS], sum2[ALM_SEASON_SLOTS]; /* of 2 sqrt(count + 3/8) over buckets */
    double now;                                                                /* count in the open bucket */
} alm_rate_row;

struct alm_normal {
    double alpha;
    bool sessions, settled, quiet; /* quiet: learned without labels of time */
    alm_group_rule rule;
    const char *(*translate)(const char *english); /* NULL: English */

    alm_miner *miner;   /* NULL in sessions */
    alm_miner *novel;   /* templates that were met while detecting; owned by the detection */
    uint32_t *event_of; /* miner index -> event, or UINT32_MAX */
    uint32_t n_event_of;
    alm_event_row *event;
    size_t n_event, cap_event;
    alm_table64 by_id; /* id -> event */
    alm_buf names;

    double n_records, n_free, n_groups; /* learned (fit part) */
    double n_once;                      /* templates outside groups that were learned once */
    double n_strange; /* records whose template was unseen and that were not learned, because they alarmed */
    alm_table64 pair; /* (a << 32 | b) -> index into pair_n */
    double *pair_n;
    size_t n_pair, cap_pair;
    double n_pairs_all;

    alm_count *pool;
    size_t n_pool, cap_pool;
    alm_vector *vector;
    size_t n_vector, cap_vector;
    alm_table64 by_vector;
    double *eps[2]; /* per event: that its count changes where the neighbour has none, has some */
    size_t n_eps, cap_eps;
    double settled_at; /* n_groups when eps was estimated */
    struct {
        uint64_t hash;
        double distance;
        uint32_t a, mine, theirs;
    } memo[256];

    alm_table64 by_slot;
    alm_slot_values *slot;
    size_t n_slot, cap_slot;

    int64_t bucket_ns; /* 0: no rates */
    bool season;
    int64_t bucket; /* the open one */
    bool bucket_open;
    double n_buckets;
    alm_rate_row *rate; /* by event */
    size_t n_rate, cap_rate;
    double rate_score; /* evidence of the bucket that closed last, until a record takes it */
    alm_evidence rate_evidence;
    bool rate_learns; /* buckets that close are learned */

    struct alm_surprise *surprise; /* detect/surprise.h; NULL: learned without a language model */

    uint64_t longest_group; /* records from first to last */
    double *group_cal;      /* scores of the calibration groups, the largest first */
    size_t n_group_cal, cap_group_cal;
    double *free_cal; /* of the records outside groups, in time order */
    size_t n_free_cal, cap_free_cal;
    alm_normal_info info;
};

/* normal.c: the tables themselves. */
alm_status alm_normal_new(alm_normal **out, alm_error *err);
/* The event with this id, made when new. */
alm_status alm_normal_event(alm_normal *m, uint64_t id, uint32_t *out, alm_error *err);
/* Builds event_of from the miner and the ids. */
alm_status alm_normal_index(alm_normal *m, alm_error *err);
/* Name of an event for a sentence: the template's text, cut, in quotes; terminated, a NUL in it becomes a blank. */
enum { ALM_NAME_BYTES = 128 };
void alm_normal_name(const alm_normal *m, uint32_t event, char out[ALM_NAME_BYTES]);
/* A sentence in the language of the program that uses us (alm_normal_translate); a format, checked as the English one. */
const char *alm_say(const alm_normal *m, const char *english) __attribute__((format_arg(2)));
const alm_detector *alm_detector_at(size_t i); /* NULL behind the last */

/* model_file.c: a model in memory, for tests and fuzzing. The bytes must outlive the model when it holds a language model. */
alm_status alm_normal_bytes(const alm_normal *m, alm_buf *out, alm_error *err);
alm_status alm_normal_parse(alm_normal **out, const char *name, alm_str bytes, alm_error *err);
/* learn.c: the next word of a session as an event (ALM_END: none left); texts and thresholds of info from the tables. */
alm_status alm_session_next(alm_normal *m, alm_str *rest, uint32_t *out, alm_error *err);
void alm_normal_describe(alm_normal *m);

/* combine.c */
unsigned alm_severity_of(alm_str text);
double alm_score_record(alm_normal *m, const alm_look *look, alm_evidence *e, unsigned cap, unsigned *n);
/* The record joins the group: gathers evidence, then counts it. ALM_NO_MEMORY leaves g unchanged. */
alm_status alm_score_step(alm_normal *m, alm_group *g, const alm_look *look, alm_error *err);
/* Score of the whole group; e takes all evidence, the strongest first. */
double alm_score_group(alm_normal *m, const alm_group *g, bool ended, alm_evidence *e, unsigned cap, unsigned *n);
void alm_evidence_keep(alm_evidence *e, unsigned cap, unsigned *n, const alm_evidence *one);
void alm_evidence_say(const alm_normal *m, const alm_evidence *e, alm_why *out);
alm_status alm_learn_record_of(alm_normal *m, const alm_look *look, alm_error *err);
alm_status alm_learn_end_of(alm_normal *m, const alm_group *g, alm_error *err);

void alm_group_begin(alm_group *g); /* keeps the memory of count */
void alm_group_drop(alm_group *g);  /* frees it */
alm_status alm_group_take(alm_group *g, uint32_t event, alm_error *err);
bool alm_group_first_time(alm_group *g, uint64_t what); /* true once for each `what` (16 remembered) */

/* calibrate.c */
/* The rank k of the threshold: the largest k with P(Beta(k, n + 1 - k) <= alpha) >= 0.95; else floor(alpha (n + 1)); else 0. */
size_t alm_calibrate_rank(size_t n, double alpha, alm_guarantee *guarantee);
/* cal: the largest first. */
double alm_calibrate_threshold(const double *cal, size_t n, double alpha, alm_guarantee *guarantee);
double alm_calibrate_p(const double *cal, size_t n, double score);

/* A sliding window of scores with ranks, and the level that ACI moves. */
typedef struct alm_adaptive {
    double alpha, level;
    double *ring;
    size_t n, cap, next;
    uint32_t *tree; /* Fenwick over score bins */
    uint64_t n_seen, n_alarms;
} alm_adaptive;
alm_status alm_adaptive_new(alm_adaptive *a, double alpha, size_t window, alm_error *err);
void alm_adaptive_free(alm_adaptive *a);
void alm_adaptive_push(alm_adaptive *a, double score);
double alm_adaptive_p(const alm_adaptive *a, double score, double tie); /* tie in [0, 1) */
/* Judges and moves the level; the score enters the window unless it alarms (or would, muted). */
/* EXEMPT: alarms at any level as long as the rate so far allows it. MUTE: what would alarm is told apart, but costs no level. */
enum { ALM_JUDGE_EXEMPT = 1, ALM_JUDGE_MUTE = 2 };
typedef enum alm_judgement { ALM_JUDGED_NORMAL, ALM_JUDGED_ALARM, ALM_JUDGED_MUTED } alm_judgement;
alm_judgement alm_adaptive_judge(alm_adaptive *a, double score, double tie, unsigned rules, double *p);

/* incident.c */
typedef struct alm_incidents alm_incidents;
alm_status alm_incidents_new(alm_incidents **out, uint32_t min_alarms, double min_score, alm_error *err);
void alm_incidents_free(alm_incidents *s);
typedef struct alm_cause {
    uint64_t at, line, first_at;
    int64_t time_ns;
    const char *source;
    uint32_t event;
    uint64_t group_key;
    const char *group;
    double score, p;
    const alm_why *why; /* the strongest */
    alm_str text;       /* original line */
    alm_str more;       /* a second one, or empty */
    uint64_t more_line;
    bool silence;
    bool follower; /* more of what has alarmed already: counted, no alarm */
} alm_cause;
alm_status alm_incidents_add(alm_incidents *s, const alm_cause *cause, alm_error *err);
size_t alm_incidents_settle(alm_incidents *s);
bool alm_incidents_get(const alm_incidents *s, size_t i, alm_incident *out);
size_t alm_incidents_count(const alm_incidents *s);
uint64_t alm_incidents_dropped(const alm_incidents *s);

#endif
