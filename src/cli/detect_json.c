/* SPDX-License-Identifier: Apache-2.0
 *
 * detect_json.c - verdicts as NDJSON: the contract with scripts (field names, null where there is nothing). */
#include "base/clock.h"
#include "base/json.h"
#include "cli/detection.h"
#include <math.h>
#include <stdio.h>

static void text_or_null(alm_json_writer *w, const char *key, const char *text) {
    alm_json_key(w, key);
    if (text && *text) alm_json_text(w, text);
    else alm_json_null(w);
}

static void time_or_null(alm_json_writer *w, const char *key, int64_t ns) {
    char at[40];
    alm_json_key(w, key);
    if (ns == ALM_NO_TIME) alm_json_null(w);
    else alm_json_string(w, alm_str_make(at, alm_time_to_str(at, ns)));
}

static void why(alm_json_writer *w, const alm_verdict *v) {
    alm_json_key(w, "why");
    alm_json_begin_array(w);
    for (unsigned i = 0; i < v->n_why; i++) {
        alm_json_begin_object(w);
        alm_json_key(w, "detector"), alm_json_text(w, v->why[i].detector);
        alm_json_key(w, "text"), alm_json_text(w, v->why[i].text);
        alm_json_key(w, "score"), alm_json_number(w, v->why[i].score);
        alm_json_end_object(w);
    }
    alm_json_end_array(w);
}

void alm_detection_json(alm_shown *s, const alm_verdict *v) {
    alm_json_writer w = alm_json_writer_on(&s->cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "id"), alm_json_text(&w, v->id);
    alm_json_key(&w, "line"), alm_json_u64(&w, v->line);
    time_or_null(&w, "time", v->time_ns);
    text_or_null(&w, "source", v->source);
    text_or_null(&w, "group", v->group);
    if (!v->is_group) {
        alm_str text = alm_detect_template(s->detection);
        alm_json_key(&w, "template"), alm_json_string(&w, text);
        text_or_null(&w, "template_id", v->template_id);
        alm_json_key(&w, "params");
        alm_json_begin_array(&w);
        for (size_t i = 0, n = alm_detect_param_count(s->detection); i < n; i++) alm_json_string(&w, alm_detect_param(s->detection, i));
        alm_json_end_array(&w);
    } else {
        alm_json_key(&w, "level"), alm_json_text(&w, "group");
        alm_json_key(&w, "first_line"), alm_json_u64(&w, v->first_line);
        time_or_null(&w, "first_time", v->first_ns);
        alm_json_key(&w, "records"), alm_json_u64(&w, v->n_records);
        alm_json_key(&w, "ended"), alm_json_bool(&w, v->ended);
        alm_json_key(&w, "cut"), alm_json_bool(&w, v->cut);
    }
    alm_json_key(&w, "score"), alm_json_number(&w, v->score);
    alm_json_key(&w, "p"), alm_json_number(&w, v->p);
    alm_json_key(&w, "alarm"), alm_json_bool(&w, v->alarm);
    why(&w, v);
    alm_json_end_object(&w);
    alm_out_text(&s->cli->out, "\n");
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
    alm_json_key(&w, "incidents"), alm_json_u64(&w, alm_detect_incident_count(s->detection) + alm_detect_incidents_dropped(s->detection));
    if (s->has_labels) {
        const alm_labels_score *c = &s->score;
        alm_json_key(&w, "false_alarm_rate"), alm_json_number(&w, c->n_normal ? (double)c->n_false / (double)c->n_normal : (double)NAN);
        alm_json_key(&w, "false_alarms"), alm_json_u64(&w, c->n_false);
        alm_json_key(&w, "false_alarm_n"), alm_json_u64(&w, c->n_normal);
        alm_json_key(&w, "false_alarm_p"), alm_json_number(&w, s->binomial_p);
        alm_json_key(&w, "recall"), alm_json_number(&w, c->n_anomalous ? (double)c->n_found / (double)c->n_anomalous : (double)NAN);
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
        return _("guaranteed: with confidence 0.95 over calibration sets, the rate among normal ones is at most the promised one");
    case ALM_GUARANTEE_MARGINAL: return _("guaranteed on average over calibration sets only: too few calibration rows for more");
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
    if (u->n_records) alm_buf_printf(&b, P_("%llu record, ", "%llu records, ", (unsigned long)u->n_records), (unsigned long long)u->n_records);
    if (u->n_groups) alm_buf_printf(&b, P_("%llu group, ", "%llu groups, ", (unsigned long)u->n_groups), (unsigned long long)u->n_groups);
    alm_buf_printf(&b, P_("%llu alarm", "%llu alarms", (unsigned long)u->n_unit_alarms), (unsigned long long)u->n_unit_alarms);
    alm_buf_add_text(&b, "; ");
    alm_buf_printf(&b, _("promised rate %s, alarm rate %s"), percent(promised, u->promised), percent(rate, u->alarm_rate));
    if (s->has_labels && s->score.n_normal) {
        alm_buf_add_text(&b, ", ");
        alm_buf_printf(&b, _("false-alarm rate %s (n = %llu, exact test p = %.3g)"), percent(share, (double)s->score.n_false / (double)s->score.n_normal),
                       (unsigned long long)s->score.n_normal, s->binomial_p);
    }
    if (s->has_labels && s->score.n_anomalous) {
        alm_buf_add_text(&b, ", ");
        alm_buf_printf(&b, _("recall %s (n = %llu)"), percent(share, (double)s->score.n_found / (double)s->score.n_anomalous), (unsigned long long)s->score.n_anomalous);
    }
    if (u->n_ignored) {
        alm_buf_add_text(&b, "; ");
        alm_buf_printf(&b, _("%llu below the floor ignored"), (unsigned long long)u->n_ignored);
    }
    if (s->interrupted) alm_buf_printf(&b, "; %s", _("interrupted: this is what was read so far"));
    alm_buf_printf(&b, "; %s", alm_detection_guarantee(u->n_groups ? u->guarantee_groups : u->guarantee_free));
    if (alm_buf_text(&b)) alm_cli_note(s->cli, "%s", b.at);
    alm_buf_free(&b);
}
