/* SPDX-License-Identifier: Apache-2.0
 *
 * detect_json.c - verdicts as NDJSON: the contract with scripts (field names, null where there is nothing). */
#include "base/clock.h"
#include "base/json.h"
#include "cli/detection.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A record takes a microsecond or two to judge, so writing it must not take as long again: names and brackets are literals,
 * and strings in which nothing needs an escape (nearly all) are copied. Everything else goes through base/json. */
#define PUT(b, literal) alm_buf_add((b), "" literal, sizeof(literal) - 1)

/* Only printable ASCII without quote and backslash. No early end: so the compiler can look at many bytes at once. */
static bool is_simple(alm_str s) {
    unsigned char bad = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.at[i];
        bad = (unsigned char)(bad | (c < 0x20) | (c > 0x7e) | (c == '"') | (c == '\\'));
    }
    return !bad;
}

static void put_string(alm_buf *b, alm_str s) {
    if (!is_simple(s) || !alm_buf_reserve(b, s.n + 2)) {
        (void)alm_json_quote(b, s);
        return;
    }
    b->at[b->n] = '"';
    if (s.n) memcpy(b->at + b->n + 1, s.at, s.n);
    b->at[b->n + 1 + s.n] = '"';
    b->n += s.n + 2;
}

static void put_text_or_null(alm_buf *b, const char *text) {
    if (text && *text) put_string(b, alm_str_of(text));
    else PUT(b, "null");
}

static void put_time_or_null(alm_buf *b, int64_t ns) {
    char at[40];
    if (ns == ALM_NO_TIME) PUT(b, "null");
    else put_string(b, alm_str_make(at, alm_time_to_str(at, ns)));
}

/* Scores repeat (0 and 1 above all), and the shortest decimal of a double is costly to find. */
static void put_number(alm_buf *b, double x) {
    char at[32];
    if (x == 0) PUT(b, "0");
    else if (x == 1) PUT(b, "1");
    else alm_buf_add(b, at, alm_f64_to_str(at, x));
}

static void put_bool(alm_buf *b, bool x) {
    if (x) PUT(b, "true");
    else PUT(b, "false");
}

enum { MOST_TOKENS = 8 };
#define STRANGE 3.0 /* nats: less than a twentieth */

/* The tokens that surprised most, in their order. */
static void put_tokens(alm_buf *b, const alm_detection *d, alm_str text) {
    double least = STRANGE;
    size_t n = alm_detect_token_count(d);
    alm_token_surprise t;
    for (;;) { /* raise the bar until few enough are above it */
        size_t above = 0;
        double next = HUGE_VAL;
        for (size_t i = 0; alm_detect_token(d, i, &t); i++)
            if (t.nll > least) above++, next = t.nll < next ? t.nll : next;
        if (above <= MOST_TOKENS) break;
        least = next;
    }
    for (size_t i = 0; i < n && alm_detect_token(d, i, &t); i++) {
        if (!(t.nll > least) || (size_t)t.at + t.n > text.n) continue;
        PUT(b, ",{\"detector\":\"surprise\",\"token\":");
        put_string(b, alm_str_slice(text, t.at, (size_t)t.at + t.n));
        PUT(b, ",\"nll\":");
        put_number(b, t.nll);
        PUT(b, "}");
    }
}

static bool is_surprised(const alm_verdict *v) {
    for (unsigned i = 0; i < v->n_why; i++)
        if (!strcmp(v->why[i].detector, "surprise")) return true;
    return false;
}

static void put_why(alm_buf *b, const alm_shown *s, const alm_verdict *v, alm_str text) {
    PUT(b, ",\"why\":[");
    for (unsigned i = 0; i < v->n_why; i++) {
        if (i) PUT(b, ",");
        PUT(b, "{\"detector\":");
        put_string(b, alm_str_of(v->why[i].detector));
        PUT(b, ",\"text\":");
        put_string(b, alm_str_of(v->why[i].text));
        PUT(b, ",\"score\":");
        put_number(b, v->why[i].score);
        PUT(b, "}");
    }
    if (!v->is_group && is_surprised(v)) put_tokens(b, s->detection, text);
    PUT(b, "]");
}

static void put_record(alm_buf *b, alm_detection *d, const alm_verdict *v) {
    PUT(b, ",\"template\":");
    put_string(b, alm_detect_template(d));
    PUT(b, ",\"template_id\":");
    put_text_or_null(b, v->template_id);
    PUT(b, ",\"params\":[");
    for (size_t i = 0, n = alm_detect_param_count(d); i < n; i++) {
        if (i) PUT(b, ",");
        put_string(b, alm_detect_param(d, i));
    }
    PUT(b, "]");
}

static void put_group(alm_buf *b, const alm_verdict *v) {
    PUT(b, ",\"level\":\"group\",\"first_line\":");
    alm_buf_add_u64(b, v->first_line);
    PUT(b, ",\"first_time\":");
    put_time_or_null(b, v->first_ns);
    PUT(b, ",\"records\":");
    alm_buf_add_u64(b, v->n_records);
    PUT(b, ",\"ended\":");
    put_bool(b, v->ended);
    PUT(b, ",\"cut\":");
    put_bool(b, v->cut);
}

void alm_detection_json(alm_shown *s, const alm_verdict *v, alm_str text) {
    alm_buf *b = &s->cli->out.buf;
    PUT(b, "{\"id\":");
    put_string(b, alm_str_of(v->id));
    PUT(b, ",\"line\":");
    alm_buf_add_u64(b, v->line);
    PUT(b, ",\"time\":");
    put_time_or_null(b, v->time_ns);
    PUT(b, ",\"source\":");
    put_text_or_null(b, v->source);
    PUT(b, ",\"group\":");
    put_text_or_null(b, v->group);
    if (v->is_group) put_group(b, v);
    else put_record(b, s->detection, v);
    PUT(b, ",\"score\":");
    put_number(b, v->score);
    PUT(b, ",\"p\":");
    put_number(b, v->p);
    PUT(b, ",\"alarm\":");
    put_bool(b, v->alarm);
    put_why(b, s, v, text);
    PUT(b, "}\n");
    (void)alm_out_tick(&s->cli->out);
}

void alm_detection_summary_json(alm_shown *s) {
    const alm_detect_summary *u = &s->summary;
    alm_json_writer w = alm_json_writer_on(&s->cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "summary");
    alm_json_begin_object(&w);
    alm_json_key(&w, "records"), alm_json_u64(&w, u->n_records);
    alm_json_key(&w, "alarms"), alm_json_u64(&w, u->n_unit_alarms);
    alm_json_key(&w, "units"), alm_json_u64(&w, u->n_units);
    alm_json_key(&w, "promised_rate"), alm_json_number(&w, u->promised);
    alm_json_key(&w, "alarm_rate"), alm_json_number(&w, u->alarm_rate);
    alm_json_key(&w, "groups"), alm_json_u64(&w, u->n_groups);
    alm_json_key(&w, "groups_cut"), alm_json_u64(&w, u->n_groups_cut);
    alm_json_key(&w, "group_alarms"), alm_json_u64(&w, u->n_group_alarms);
    alm_json_key(&w, "group_alarm_rate"), alm_json_number(&w, u->group_alarm_rate);
    alm_json_key(&w, "free_records"), alm_json_u64(&w, u->n_free);
    alm_json_key(&w, "free_alarms"), alm_json_u64(&w, u->n_free_alarms);
    alm_json_key(&w, "free_alarm_rate"), alm_json_number(&w, u->free_alarm_rate);
    alm_json_key(&w, "record_alarms"), alm_json_u64(&w, u->n_record_alarms);
    alm_json_key(&w, "ignored"), alm_json_u64(&w, u->n_ignored);
    alm_json_key(&w, "unseen"), alm_json_u64(&w, u->n_unseen);
    alm_json_key(&w, "silences"), alm_json_u64(&w, u->n_silences);
    uint64_t n_read = alm_detect_lines_read(s->detection);
    alm_json_key(&w, "lines_read"), alm_json_u64(&w, n_read);
    alm_json_key(&w, "lines_read_share"),
        alm_json_number(&w, u->n_records ? (double)n_read / (double)u->n_records : (double)NAN);
    alm_json_key(&w, "incidents"),
        alm_json_u64(&w, alm_detect_incident_count(s->detection) + alm_detect_incidents_dropped(s->detection));
    if (s->has_labels) {
        const alm_labels_score *c = &s->score;
        alm_json_key(&w, "false_alarm_rate"),
            alm_json_number(&w, c->n_normal ? (double)c->n_false / (double)c->n_normal : (double)NAN);
        alm_json_key(&w, "false_alarms"), alm_json_u64(&w, c->n_false);
        alm_json_key(&w, "false_alarm_n"), alm_json_u64(&w, c->n_normal);
        alm_json_key(&w, "false_alarm_p"), alm_json_number(&w, s->binomial_p);
        alm_json_key(&w, "recall"),
            alm_json_number(&w, c->n_anomalous ? (double)c->n_found / (double)c->n_anomalous : (double)NAN);
        alm_json_key(&w, "recall_n"), alm_json_u64(&w, c->n_anomalous);
    }
    bool groups = u->n_groups > 0;
    alm_guarantee g = groups ? u->guarantee_groups : u->guarantee_free;
    alm_json_key(&w, "guarantee"), alm_json_text(&w, alm_guarantee_name(g));
    alm_json_key(&w, "guarantee_text"), alm_json_text(&w, alm_guarantee_text(g));
    alm_json_key(&w, "guarantee_free"), alm_json_text(&w, alm_guarantee_name(u->guarantee_free));
    alm_json_key(&w, "calibration_groups"), alm_json_u64(&w, u->n_calibrate_groups);
    alm_json_key(&w, "calibration_records"), alm_json_u64(&w, u->n_calibrate_free);
    alm_json_key(&w, "interrupted"), alm_json_bool(&w, s->interrupted);
    alm_json_end_object(&w);
    alm_json_end_object(&w);
    alm_out_text(&s->cli->out, "\n");
}

const char *alm_detection_guarantee(alm_guarantee g) {
    switch (g) {
    case ALM_GUARANTEE_TRAINING:
        return _("guaranteed: with confidence 0.95 over calibration sets, the rate among normal ones is at most the "
                 "promised one");
    case ALM_GUARANTEE_MARGINAL:
        return _("guaranteed on average over calibration sets only: too few calibration rows for more");
    case ALM_GUARANTEE_ADAPTIVE:
        return _("the threshold follows the stream, so that the alarm rate in the long run is the promised one");
    case ALM_GUARANTEE_NONE: break;
    }
    return _("no guarantee: fewer than 1/alpha calibration rows");
}

/* "0.93 %", with as many digits as are worth reading. */
static const char *percent(char at[32], double rate) {
    if (!(rate >= 0)) snprintf(at, 32, "-");
    else snprintf(at, 32, "%.3g %%", rate * 100);
    return at;
}

void alm_detection_summary_line(alm_shown *s) {
    const alm_detect_summary *u = &s->summary;
    char promised[32], rate[32], share[32];
    alm_buf b = alm_buf_with_limit(4096);
    if (u->n_records)
        alm_buf_printf(&b, P_("%llu record, ", "%llu records, ", (unsigned long)u->n_records),
                       (unsigned long long)u->n_records);
    if (u->n_groups)
        alm_buf_printf(&b, P_("%llu group, ", "%llu groups, ", (unsigned long)u->n_groups),
                       (unsigned long long)u->n_groups);
    alm_buf_printf(&b, P_("%llu alarm", "%llu alarms", (unsigned long)u->n_unit_alarms),
                   (unsigned long long)u->n_unit_alarms);
    alm_buf_add_text(&b, "; ");
    alm_buf_printf(&b, _("promised rate %s, alarm rate %s"), percent(promised, u->promised),
                   percent(rate, u->alarm_rate));
    if (s->has_labels && s->score.n_normal) {
        alm_buf_add_text(&b, ", ");
        alm_buf_printf(&b, _("false-alarm rate %s (n = %llu, exact test p = %.3g)"),
                       percent(share, (double)s->score.n_false / (double)s->score.n_normal),
                       (unsigned long long)s->score.n_normal, s->binomial_p);
    }
    if (s->has_labels && s->score.n_anomalous) {
        alm_buf_add_text(&b, ", ");
        alm_buf_printf(&b, _("recall %s (n = %llu)"),
                       percent(share, (double)s->score.n_found / (double)s->score.n_anomalous),
                       (unsigned long long)s->score.n_anomalous);
    }
    if (u->n_ignored) {
        alm_buf_add_text(&b, "; ");
        alm_buf_printf(&b, _("%llu below the floor ignored"), (unsigned long long)u->n_ignored);
    }
    uint64_t n_read = alm_detect_lines_read(s->detection);
    if (n_read && u->n_records) {
        alm_buf_add_text(&b, "; ");
        alm_buf_printf(&b,
                       P_("the language model read %llu line (%s)", "the language model read %llu lines (%s)",
                          (unsigned long)n_read),
                       (unsigned long long)n_read, percent(share, (double)n_read / (double)u->n_records));
    }
    if (s->interrupted) alm_buf_printf(&b, "; %s", _("interrupted: this is what was read so far"));
    alm_buf_printf(&b, "; %s", alm_detection_guarantee(u->n_groups ? u->guarantee_groups : u->guarantee_free));
    if (u->n_groups && u->n_free)
        alm_buf_printf(&b, _("; records outside groups: %s"), alm_detection_guarantee(u->guarantee_free));
    if (alm_buf_text(&b)) alm_cli_note(s->cli, "%s", b.at);
    alm_buf_free(&b);
}
