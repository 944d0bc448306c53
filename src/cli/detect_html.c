/* SPDX-License-Identifier: Apache-2.0
 *
 * detect_html.c - hands what was found to the page of report.h and writes the file. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/detection.h"
#include "cli/report.h"

enum { MAX_SHOWN = 500, PAGE_LIMIT = 64 << 20 };

typedef struct page {
    alm_incident *incident; /* the texts that the report points into */
    alm_report_incident *at;
    alm_report_line (*line)[ALM_INCIDENT_LINES];
    alm_str (*group)[ALM_INCIDENT_NAMES];
    size_t n;
} page;

static void fill(page *p, size_t k) {
    const alm_incident *i = &p->incident[k];
    alm_report_incident *r = &p->at[k];
    *r = (alm_report_incident){.reason = alm_str_of(i->reason),
                               .detector = alm_str_of(i->detector ? i->detector : ""),
                               .first_ns = i->first_ns,
                               .last_ns = i->last_ns,
                               .first_record = i->first_line,
                               .n_alarms = i->n_alarms,
                               .p = i->p,
                               .score = i->score,
                               .n_groups = i->n_groups,
                               .n_followers = i->n_followers,
                               .line = p->line[k],
                               .n_line = i->n_line};
    if (i->n_group) r->group = alm_str_of(i->group[0]);
    for (unsigned j = 0; j < i->n_line; j++)
        p->line[k][j] = (alm_report_line){.line = i->line[j],
                                          .source = alm_str_of(i->source ? i->source : ""),
                                          .text = alm_str_of(i->text[j]),
                                          .alarm = true};
    if (i->n_alarms + i->n_followers > i->n_line) r->n_hidden = i->n_alarms + i->n_followers - i->n_line;
    for (unsigned j = 1; j < i->n_group; j++) p->group[k][r->n_more_group++] = alm_str_of(i->group[j]);
    r->more_group = p->group[k];
}

/* The guarantee in two words; the sentence stands below them. */
static const char *word_of(alm_guarantee g) {
    switch (g) {
    case ALM_GUARANTEE_TRAINING: return _("95 % confidence");
    case ALM_GUARANTEE_MARGINAL: return _("on average");
    case ALM_GUARANTEE_ADAPTIVE: return _("in the long run");
    case ALM_GUARANTEE_NONE: break;
    }
    return _("none");
}

static alm_status write_page(alm_shown *s, page *p, const char *path, alm_error *err) {
    const alm_detect_summary *u = &s->summary;
    alm_guarantee g = u->n_groups ? u->guarantee_groups : u->guarantee_free;
    const alm_timeline *t = s->by_time.any ? &s->by_time : &s->by_record;
    alm_report_detect r = {.source = s->source,
                           .model = s->model,
                           .n_records = u->n_records,
                           .n_alarms = u->n_unit_alarms,
                           .n_units = u->n_units,
                           .first_ns = s->first_ns,
                           .last_ns = s->last_ns,
                           .alpha = u->promised,
                           .n_calibration = u->n_groups ? u->n_calibrate_groups : u->n_calibrate_free,
                           .guaranteed = g != ALM_GUARANTEE_NONE,
                           .guarantee_word = word_of(g),
                           .guarantee = alm_str_of(alm_detection_guarantee(g)),
                           .has_labels = s->has_labels,
                           .n_normal = s->score.n_normal,
                           .n_false = s->score.n_false,
                           .n_ignored = u->n_ignored,
                           .bin_records = t->records,
                           .bin_alarms = t->alarms,
                           .n_bin = alm_timeline_used(t),
                           .bin_ns = s->by_time.any ? t->width : 0,
                           .at = p->at,
                           .n = p->n,
                           .n_incidents =
                               alm_detect_incident_count(s->detection) + alm_detect_incidents_dropped(s->detection)};
    alm_buf html = alm_buf_with_limit(PAGE_LIMIT);
    alm_status st = alm_report_detect_html(&html, &r, err);
    if (st == ALM_OK) st = alm_file_write(path, html.at, html.n, err);
    alm_buf_free(&html);
    return st;
}

alm_status alm_detection_html(alm_shown *s, const char *path, alm_error *err) {
    size_t n = alm_detect_incident_count(s->detection);
    page p = {.n = n < MAX_SHOWN ? n : MAX_SHOWN};
    p.incident = alm_calloc(p.n + 1, sizeof *p.incident);
    p.at = alm_calloc(p.n + 1, sizeof *p.at);
    p.line = alm_calloc(p.n + 1, sizeof *p.line);
    p.group = alm_calloc(p.n + 1, sizeof *p.group);
    alm_status st = ALM_OK;
    if (!p.incident || !p.at || !p.line || !p.group) st = alm_fail_memory(err);
    for (size_t k = 0; st == ALM_OK && k < p.n; k++)
        if (alm_detect_incident(s->detection, k, &p.incident[k])) fill(&p, k);
    if (st == ALM_OK) st = write_page(s, &p, path, err);
    alm_free(p.incident);
    alm_free(p.at);
    alm_free(p.line);
    alm_free(p.group);
    return st;
}
