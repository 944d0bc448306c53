/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_detect.c - `alm detect`: judges a stream of records by a model, says what is not normal and why.
 *
 * One record is read, judged, written; groups are told when they end. On a terminal the result is a view of incidents,
 * which are known at the end only; for scripts it is one JSON object a record or group, as it comes. Labels, where there
 * are any, are compared with the alarms after the fact. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mathx.h"
#include "cli/detection.h"
#include "cli/sessions.h"
#include "detect/ahead.h"
#include "format/builtin.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEVEL_RECORD, LEVEL_GROUP };

typedef struct values {
    alm_input_values input;
    const char *model, *group_by, *labels, *html;
    double alpha, min_score;
    bool only_alarms, exit_code, prequential, no_lm, fixed, explain, sessions, json, incidents;
    int level;
    uint64_t min_alarms, top;
} values;

#define PLACE(field) offsetof(values, field)
static const alm_opt opts[] = {
    {.name = "model",
     .letter = 'm',
     .type = ALM_OPT_FILE,
     .flags = ALM_OPT_MODEL,
     .arg = N_("MODEL"),
     .section = N_("Judging"),
     .help =
         N_("what is normal: a file that `alm learn` has written; without it the stream is judged while it is learned"),
     .at = PLACE(model)},
    {.name = "alpha",
     .letter = 'a',
     .type = ALM_OPT_REAL,
     .flags = ALM_OPT_OPEN,
     .arg = N_("RATE"),
     .min = 0,
     .max = 1,
     .section = N_("Judging"),
     .help = N_("promised rate of alarms among what is normal; without it the model's"),
     .at = PLACE(alpha)},
    {.name = "prequential",
     .type = ALM_OPT_FLAG,
     .section = N_("Judging"),
     .help = N_("judge each record or group, then learn it, unless it raised an alarm; always so without a model"),
     .at = PLACE(prequential)},
    {.name = "no-lm",
     .type = ALM_OPT_FLAG,
     .section = N_("Judging"),
     .help = N_("without a model: the small language model inside the program does not read what is new"),
     .at = PLACE(no_lm)},
    {.name = "group-by",
     .letter = 'g',
     .type = ALM_OPT_TEXT,
     .arg = N_("REGEX|field:NAME|off"),
     .section = N_("Judging"),
     .help = N_("without a model: what links records into groups"),
     .at = PLACE(group_by)},
    {.name = "fixed",
     .type = ALM_OPT_FLAG,
     .section = N_("Judging"),
     .help =
         N_("keep the threshold of the model for records outside groups; without it the threshold follows the stream"),
     .at = PLACE(fixed)},
    {.name = "min-alarms",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1e9,
     .fallback = "1",
     .section = N_("Judging"),
     .help = N_("ignore incidents with fewer alarms"),
     .at = PLACE(min_alarms)},
    {.name = "min-score",
     .type = ALM_OPT_REAL,
     .arg = N_("X"),
     .min = 0,
     .max = 1e300,
     .fallback = "0",
     .section = N_("Judging"),
     .help = N_("ignore alarms with a lower score"),
     .at = PLACE(min_score)},
    ALM_INPUT_OPTS(values, input),
    {.name = "sessions",
     .type = ALM_OPT_FLAG,
     .section = N_("Input"),
     .help = N_("the input is TSV of whole sessions: session<TAB>events; a column `label` counts in the summary only"),
     .at = PLACE(sessions)},
    {.name = "labels",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Input"),
     .help = N_("known answers, for the false-alarm rate only: TSV or CSV with columns group (or line) and label"),
     .at = PLACE(labels)},
    {.name = "only-alarms",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("write alarms only"),
     .at = PLACE(only_alarms)},
    {.name = "level",
     .type = ALM_OPT_CHOICE,
     .choices = "record|group",
     .fallback = "record",
     .section = N_("Output"),
     .help = N_("one object a record, or one a group"),
     .at = PLACE(level)},
    {.name = "explain",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("say why for every record, not for alarms only"),
     .at = PLACE(explain)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("NDJSON on a terminal too, and the summary as its last line"),
     .at = PLACE(json)},
    {.name = "incidents",
     .type = ALM_OPT_FLAG,
     .not_with = "json",
     .section = N_("Output"),
     .help = N_("incidents to read, in a pipe or a file too (for a mail)"),
     .at = PLACE(incidents)},
    {.name = "top",
     .letter = 'n',
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 0,
     .max = 1e9,
     .fallback = "20",
     .section = N_("Output"),
     .help = N_("of the incidents to read show the N strongest; 0: all"),
     .at = PLACE(top)},
    {.name = "html",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Output"),
     .help = N_("write a page with the incidents and a time line"),
     .at = PLACE(html)},
    {.name = "exit-code",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("end with 1 when there is an alarm"),
     .at = PLACE(exit_code)},
};

static const alm_example examples[] = {
    {"alm detect --model normal.gguf today.log",
     N_("What was not normal today? On a terminal: incidents; in a pipe: one JSON object a line.")},
    {"alm detect --model normal.gguf --only-alarms today.log > alarms.ndjson", N_("Only the alarms, for a script.")},
    {"alm detect --model normal.gguf --exit-code -q today.log > /dev/null || echo look at it",
     N_("In a script: is there anything?")},
    {"cat today.log | alm detect --model normal.gguf --only-alarms -", N_("Follow a stream (tail -F in real life).")},
    {"alm detect --model session.gguf --level group --json today.log",
     N_("One verdict a session, and a summary for machines.")},
    {"alm detect --model sessions.gguf --sessions new.tsv --only-alarms", N_("Sessions that were cut already.")},
    {"alm detect today.log --only-alarms",
     N_("Without a model: what is new in this stream, judged while it is learned?")},
    {"alm detect --model normal.gguf --incidents --top 5 today.log > mail.txt",
     N_("The five strongest incidents, for a mail.")},
    {"alm detect --model normal.gguf --html report.html today.log > all.ndjson", N_("A page to send to somebody.")},
};

/* Groups that are open and have raised an alarm by one of their records: their end is no second alarm. A set of hashes
 * with linear probing; a hash of 0 is a free place. */
typedef struct hash_set {
    uint64_t *at;
    size_t cap, n;
} hash_set;

static uint64_t *set_find(hash_set *s, uint64_t h) {
    size_t i = (size_t)h & (s->cap - 1);
    while (s->at[i] && s->at[i] != h) i = (i + 1) & (s->cap - 1);
    return &s->at[i];
}

static bool set_has(hash_set *s, uint64_t h) { return s->cap && *set_find(s, h ? h : 1) != 0; }

static bool set_add(hash_set *s, uint64_t h) {
    h = h ? h : 1;
    if ((s->n + 1) * 2 > s->cap) {
        hash_set more = {.cap = s->cap ? s->cap * 2 : 256};
        if (!(more.at = alm_calloc(more.cap, sizeof *more.at))) return false;
        for (size_t i = 0; i < s->cap; i++)
            if (s->at[i]) *set_find(&more, s->at[i]) = s->at[i], more.n++;
        alm_free(s->at);
        *s = more;
    }
    uint64_t *place = set_find(s, h);
    if (!*place) *place = h, s->n++;
    return true;
}

typedef struct work {
    alm_cli *cli;
    const values *v;
    alm_normal *model;
    alm_labels *labels;
    alm_shown shown;
    hash_set told;
    bool ndjson; /* objects as they come; else a view for eyes */
    bool live;
    bool all_read;
    uint64_t n_read;
    alm_input in;
} work;

static void see_time(alm_shown *s, int64_t ns, uint32_t records, uint32_t alarms, uint64_t number) {
    alm_timeline_add(&s->by_record, (int64_t)number, records, alarms);
    if (ns == INT64_MIN) return;
    alm_timeline_add(&s->by_time, ns, records, alarms);
    if (s->first_ns == INT64_MIN || ns < s->first_ns) s->first_ns = ns;
    if (s->last_ns == INT64_MIN || ns > s->last_ns) s->last_ns = ns;
}

static alm_status see_record(work *w, const alm_verdict *d, alm_str text, alm_str raw, alm_error *err) {
    uint64_t h = alm_hash64(d->group, strlen(d->group), 0);
    if (d->alarm && d->group[0] && !set_add(&w->told, h)) return alm_fail_memory(err);
    if (w->labels) alm_labels_seen(w->labels, alm_str_of(d->group), d->line, d->alarm);
    see_time(&w->shown, d->time_ns, 1, d->alarm, w->n_read);
    if (w->v->level == LEVEL_GROUP || (w->v->only_alarms && !d->alarm)) return ALM_OK;
    if (w->ndjson) alm_detection_json(&w->shown, d, text);
    else if (w->live && d->alarm) alm_detection_alarm_line(&w->shown, d, text, raw);
    return ALM_OK;
}

static void see_group(work *w, const alm_verdict *d) {
    bool told = d->alarm && set_has(&w->told, alm_hash64(d->group, strlen(d->group), 0));
    if (w->labels) alm_labels_seen(w->labels, alm_str_of(d->group), d->line, d->alarm);
    if (d->alarm && !told) see_time(&w->shown, d->time_ns, 0, 1, w->n_read);
    /* At the level of records a group speaks only when it has something to say that no record of it has said. */
    bool wanted = w->v->level == LEVEL_GROUP ? d->alarm || !w->v->only_alarms : d->alarm && !told;
    if (!wanted) return;
    if (w->ndjson) alm_detection_json(&w->shown, d, (alm_str){0});
    else if (w->live) alm_detection_alarm_line(&w->shown, d, (alm_str){0}, (alm_str){0});
}

static void see_groups(work *w) {
    alm_verdict d;
    while (alm_detect_next_group(w->shown.detection, &d)) see_group(w, &d);
}

static alm_status judge_records(work *w, alm_error *err) {
    alm_cli *cli = w->cli;
    const char *field = alm_normal_group_field(w->model);
    alm_input in = {0};
    alm_status st = alm_input_open(&in, cli, &w->v->input, cli->operands.at, cli->operands.n,
                                   field ? 0 : ALM_INPUT_NO_FIELDS, _("judging"), err);
    if (st != ALM_OK) return st;
    w->live = in.live && !w->v->incidents;
    alm_record r;
    alm_verdict d;
    while ((st = alm_input_next(&in, &r, err)) == ALM_OK) {
        w->n_read++;
        alm_event e = {
            .text = r.text, .raw = r.raw, .time_ns = r.time_ns, .line = r.line, .source = r.source, .label = -1};
        if (field) e.group = alm_record_field(&r, alm_str_of(field));
        if ((st = alm_detect_feed_tokens(w->shown.detection, &e, in.tokens, &d, err)) != ALM_OK) break;
        if ((st = see_record(w, &d, r.text, r.raw, err)) != ALM_OK) break;
        see_groups(w);
        if (cli->out.error_number) break; /* nobody reads on; told when the output is finished */
    }
    bool stopped = st == ALM_INTERRUPTED;
    if (st == ALM_END || stopped) st = ALM_OK;
    if (st == ALM_OK && (st = alm_detect_finish(w->shown.detection, err)) == ALM_OK) see_groups(w);
    alm_meter_clear(&cli->meter);
    if (st == ALM_OK) w->all_read = alm_input_report(&in);
    w->shown.interrupted = stopped;
    w->in = in; /* the names of its sources are in the incidents */
    return st;
}

static alm_status judge_sessions(work *w, alm_error *err) {
    alm_cli *cli = w->cli;
    alm_input in = {0};
    alm_status st = alm_sessions_open(&in, cli, &w->v->input, cli->operands.at, cli->operands.n, _("judging"), err);
    if (st != ALM_OK) return st;
    w->live = in.live && !w->v->incidents;
    alm_session s;
    alm_verdict d;
    while ((st = alm_sessions_next(&in, &s, err)) == ALM_OK) {
        w->n_read++;
        if ((st = alm_detect_session(w->shown.detection, s.name, s.events, s.label, s.line, &d, err)) != ALM_OK) break;
        if (w->labels) alm_labels_seen(w->labels, s.name, s.line, d.alarm);
        see_time(&w->shown, INT64_MIN, 1, d.alarm, w->n_read);
        if (d.alarm || !w->v->only_alarms) {
            if (w->ndjson) alm_detection_json(&w->shown, &d, (alm_str){0});
            else if (w->live && d.alarm) alm_detection_alarm_line(&w->shown, &d, (alm_str){0}, (alm_str){0});
        }
        if (cli->out.error_number) break;
    }
    bool stopped = st == ALM_INTERRUPTED;
    if (st == ALM_END || stopped) st = ALM_OK;
    if (st == ALM_OK && (st = alm_detect_finish(w->shown.detection, err)) == ALM_OK) see_groups(w);
    alm_meter_clear(&cli->meter);
    if (st == ALM_OK) w->all_read = alm_input_report(&in);
    w->shown.interrupted = stopped;
    w->in = in; /* the names of its sources are in the incidents */
    return st;
}

/* The false-alarm rate comes from --labels, else from the label column of sessions; else there is none. */
static void score(work *w) {
    alm_shown *s = &w->shown;
    alm_detect_summary_of(s->detection, &s->summary);
    if (w->labels) {
        s->score = alm_labels_score_of(w->labels);
        s->has_labels = true;
    } else if (s->summary.n_normal || s->summary.n_anomalous) {
        s->score = (alm_labels_score){s->summary.n_normal, s->summary.n_false_alarms, s->summary.n_anomalous,
                                      s->summary.n_found};
        s->has_labels = true;
    }
    s->binomial_p = s->score.n_normal ? alm_binomial_test((long long)s->score.n_false, (long long)s->score.n_normal,
                                                          s->summary.promised)
                                      : (double)NAN;
}

static alm_status show(work *w, alm_error *err) {
    score(w);
    if (w->cli->out.error_number) return ALM_OK; /* stopped half-way: a summary would not be true */
    alm_status st = w->v->html ? alm_detection_html(&w->shown, w->v->html, err) : ALM_OK;
    if (st != ALM_OK) return st;
    if (!w->ndjson) alm_detection_incidents(&w->shown, w->v->top);
    else if (w->v->json) alm_detection_summary_json(&w->shown);
    alm_out_flush(&w->cli->out);
    alm_detection_summary_line(&w->shown);
    const alm_detect_summary *u = &w->shown.summary;
    if (w->v->level == LEVEL_GROUP && !u->n_groups && u->n_records)
        alm_cli_warn(w->cli, _("no record belongs to a group: the group key never matched"));
    return ALM_OK;
}

/* Is there a model of what is normal? The built-in one only reads. */
static bool learned(const values *v) { return v->model && !alm_builtin_is(v->model); }

static alm_status start(work *w, alm_error *err) {
    const values *v = w->v;
    alm_status st;
    if (learned(v)) st = alm_normal_open(&w->model, v->model, err);
    else {
        alm_learn_options o = {.size = sizeof o,
                               .alpha = v->alpha,
                               .group_by = v->group_by,
                               .sessions = v->sessions,
                               .no_group_search = true,
                               .lm = !v->no_lm};
        st = alm_normal_empty(&w->model, &o, err);
    }
    if (st != ALM_OK) return st;
    if (!w->ndjson) alm_normal_translate(w->model, alm_lang_translate); /* NDJSON is for programs: English everywhere */
    if (v->labels && (st = alm_labels_read(&w->labels, v->labels, w->cli, err)) != ALM_OK) return st;
    alm_detect_options o = {.size = sizeof o,
                            .alpha = v->alpha,
                            .prequential = v->prequential || !learned(v),
                            .fixed = v->fixed,
                            .min_alarms = (uint32_t)(v->min_alarms < UINT32_MAX ? v->min_alarms : UINT32_MAX),
                            .min_score = v->min_score,
                            .cancel = w->cli->cancel};
    if ((st = alm_detect_new(&w->shown.detection, w->model, &o, err)) != ALM_OK) return st;
    if (v->explain) alm_detect_explain(w->shown.detection, true);
    return ALM_OK;
}

static int wrong_call(alm_cli *cli, const values *v) {
    if (learned(v) && v->no_lm)
        return alm_cli_usage(cli, _("give --no-lm to `alm learn`"), _("these two contradict each other: --%s --%s"),
                             "model", "no-lm");
    if (learned(v) && v->group_by)
        return alm_cli_usage(cli, _("the model knows what links records; give --group-by to `alm learn`"),
                             _("these two contradict each other: --%s --%s"), "model", "group-by");
    return ALM_EXIT_DONE;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    int code = wrong_call(cli, v);
    if (code != ALM_EXIT_DONE) return code;
    alm_error err = {0};
    char inputs[64];
    work w = {.cli = cli, .v = v, .all_read = true, .ndjson = v->json || (!v->incidents && !cli->out_term.is_terminal)};
    w.shown = (alm_shown){.cli = cli, .model = v->model, .first_ns = INT64_MIN, .last_ns = INT64_MIN};
    snprintf(inputs, sizeof inputs, P_("%zu input", "%zu inputs", (unsigned long)cli->operands.n), cli->operands.n);
    w.shown.source = cli->operands.n == 1 ? cli->operands.at[0] : cli->operands.n ? inputs : "-";
    alm_status st = start(&w, &err);
    bool sessions = st == ALM_OK && (v->sessions || alm_normal_sessions(w.model));
    if (st == ALM_OK) st = sessions ? judge_sessions(&w, &err) : judge_records(&w, &err);
    if (st == ALM_OK) st = show(&w, &err);
    if (st != ALM_OK) code = alm_cli_fail(cli, &err);
    else if (w.shown.interrupted) code = ALM_EXIT_INTERRUPTED;
    else if (!w.all_read) code = ALM_EXIT_FAILED;
    else code = v->exit_code && w.shown.summary.n_unit_alarms ? ALM_EXIT_FOUND : ALM_EXIT_DONE;
    alm_detect_free(w.shown.detection);
    alm_input_close(&w.in);
    alm_labels_free(w.labels);
    alm_normal_free(w.model);
    alm_free(w.told.at);
    return code;
}

const alm_command_spec alm_cmd_detect = {
    .operands = N_("[--model MODEL] [FILE|FOLDER|GLOB|-]..."),
    .max_operands = SIZE_MAX,
    .operands_are_files = true,
    .about =
        N_("Reads records and judges them by what `alm learn` has learned: templates never seen, counts and order "
           "within a group, "
           "rates over time, rare values. Each record gets a p-value; among normal records alarms come at the promised "
           "rate. "
           "Alarms that belong together are one incident, the first cause first, with the reason in a sentence.\n"
           "\n"
           "Without --model the stream is learned while it is judged, and a small language model inside the program "
           "(`builtin:`) reads what is of a kind that did not come before.\n"
           "\n"
           "In a pipe or a file the output is NDJSON: id, line, time, source, group, template, params, score, p, "
           "alarm, why. What shows only "
           "when a group ends (something is missing) is an object of the group, with \"level\":\"group\". The summary "
           "on standard error names the promised rate and the alarm rate; the false-alarm rate only where labels "
           "exist, with "
           "their number; and what is guaranteed, or why nothing is."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "learn patterns",
    .run = run,
};
