/* SPDX-License-Identifier: Apache-2.0
 *
 * incident.c - alarms that belong together become one incident; its first cause comes first.
 *
 * An alarm joins the youngest of the last OPEN incidents that shares its group, or its template within FAR records (or
 * TIME_FAR), or that had an alarm within NEAR records (and, where there are times, TIME_NEAR). Otherwise it opens an
 * incident. The first cause is the alarm whose unit began first; its sentence is the incident's reason.
 *
 * The floor rule drops incidents with fewer than min_alarms alarms or with no alarm of min_score or more, at the end.
 * Bounds: KEEP incidents in full, later ones are only counted. */
#include "base/alloc.h"
#include "detect/detect.h"
#include <stdlib.h>

enum { KEEP = 4000, OPEN = 64, NEAR = 20, FAR = 2000, EVENTS = 8 };
#define TIME_NEAR ((int64_t)10 * 1000000000)
#define TIME_FAR  ((int64_t)600 * 1000000000)

typedef struct entry {
    alm_incident view;
    uint64_t first_at, last_at;
    uint64_t group[ALM_INCIDENT_NAMES * 4];
    uint32_t event[EVENTS];
    unsigned n_group_key, n_event;
} entry;

struct alm_incidents {
    entry **at; /* in the order in which they opened */
    size_t n, cap;
    uint64_t n_dropped;
    uint32_t min_alarms;
    double min_score;
};

alm_status alm_incidents_new(alm_incidents **out, uint32_t min_alarms, double min_score, alm_error *err) {
    alm_incidents *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->min_alarms = min_alarms ? min_alarms : 1;
    s->min_score = min_score;
    *out = s;
    return ALM_OK;
}

void alm_incidents_free(alm_incidents *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) alm_free(s->at[i]);
    alm_free(s->at);
    alm_free(s);
}

static bool has_group(const entry *e, uint64_t key) {
    for (unsigned i = 0; i < e->n_group_key; i++)
        if (e->group[i] == key) return true;
    return false;
}

static bool has_event(const entry *e, uint32_t event) {
    for (unsigned i = 0; i < e->n_event; i++)
        if (e->event[i] == event) return true;
    return false;
}

static bool within(const entry *e, const alm_cause *c, uint64_t records, int64_t time) {
    if (c->at > e->last_at + records) return false;
    if (c->time_ns == ALM_NO_TIME || e->view.last_ns == ALM_NO_TIME) return true;
    int64_t later = c->time_ns > e->view.last_ns ? c->time_ns - e->view.last_ns : e->view.last_ns - c->time_ns;
    return later <= time;
}

static bool belongs(const entry *e, const alm_cause *c) {
    if (c->silence || e->view.silence) return c->silence && e->view.silence && within(e, c, FAR, TIME_FAR);
    if (c->group_key && has_group(e, c->group_key)) return within(e, c, UINT32_MAX, INT64_MAX);
    if (has_event(e, c->event) && within(e, c, FAR, TIME_FAR)) return true;
    return within(e, c, NEAR, TIME_NEAR);
}

static size_t cut_text(char *to, size_t room, const char *at, size_t n) {
    if (n > room - 1) {
        n = room - 1;
        while (n > 0 && ((unsigned char)at[n] & 0xC0) == 0x80) n--;
    }
    if (n) memcpy(to, at, n);
    to[n] = 0;
    return n;
}

static void add_line(alm_incident *v, uint64_t line, alm_str text) {
    if (text.n == 0) return;
    for (unsigned i = 0; i < v->n_line; i++)
        if (v->line[i] == line && line) return;
    if (v->n_line >= ALM_INCIDENT_LINES) return;
    v->line[v->n_line] = line;
    cut_text(v->text[v->n_line++], ALM_INCIDENT_LINE_BYTES, text.at, text.n);
}

static void lead(entry *e, const alm_cause *c) { /* c is the first cause */
    e->first_at = c->first_at;
    e->view.detector = c->why ? c->why->detector : "";
    cut_text(e->view.reason, ALM_WHY_BYTES, c->why ? c->why->text : "", c->why ? strlen(c->why->text) : 0);
}

alm_status alm_incidents_add(alm_incidents *s, const alm_cause *c, alm_error *err) {
    entry *e = NULL;
    for (size_t i = s->n, k = 0; i > 0 && k < OPEN && !e; i--, k++)
        if (belongs(s->at[i - 1], c)) e = s->at[i - 1];
    if (c->follower) {
        if (!e) return ALM_OK;
        e->view.n_followers++;
        if (c->at > e->last_at) e->last_at = c->at;
        if (c->line > e->view.last_line) e->view.last_line = c->line;
        if (c->time_ns != ALM_NO_TIME && (e->view.last_ns == ALM_NO_TIME || c->time_ns > e->view.last_ns))
            e->view.last_ns = c->time_ns;
        if (!has_event(e, c->event)) return ALM_OK;
        add_line(&e->view, c->line, c->text);
        return ALM_OK;
    }
    if (!e) {
        if (s->n >= KEEP) {
            s->n_dropped++;
            return ALM_OK;
        }
        if (!alm_grow((void **)&s->at, &s->cap, s->n + 1, sizeof *s->at)) return alm_fail_memory(err);
        e = alm_calloc(1, sizeof *e);
        if (!e) return alm_fail_memory(err);
        s->at[s->n++] = e;
        e->view.first_ns = e->view.last_ns = c->time_ns;
        e->view.first_line = e->view.last_line = c->line;
        e->view.source = c->source;
        e->view.p = c->p;
        e->view.silence = c->silence;
        lead(e, c);
    } else if (c->first_at < e->first_at) {
        lead(e, c);
    }
    alm_incident *v = &e->view;
    v->n_alarms++;
    if (c->score > v->score) v->score = c->score;
    if (c->p < v->p) v->p = c->p;
    if (c->at > e->last_at) e->last_at = c->at;
    if (c->line > v->last_line) v->last_line = c->line;
    if (c->line < v->first_line) v->first_line = c->line;
    if (c->time_ns != ALM_NO_TIME) {
        if (v->first_ns == ALM_NO_TIME || c->time_ns < v->first_ns) v->first_ns = c->time_ns;
        if (v->last_ns == ALM_NO_TIME || c->time_ns > v->last_ns) v->last_ns = c->time_ns;
    }
    if (c->group_key && !has_group(e, c->group_key)) {
        v->n_groups++;
        if (e->n_group_key < sizeof e->group / sizeof *e->group) e->group[e->n_group_key++] = c->group_key;
        if (v->n_group < ALM_INCIDENT_NAMES && c->group)
            cut_text(v->group[v->n_group++], ALM_VERDICT_GROUP_BYTES, c->group, strlen(c->group));
    }
    if (!has_event(e, c->event) && e->n_event < EVENTS) e->event[e->n_event++] = c->event;
    add_line(v, c->line, c->text);
    add_line(v, c->more_line, c->more);
    return ALM_OK;
}

static int first_cause_first(const void *a, const void *b) {
    const entry *x = *(entry *const *)a, *y = *(entry *const *)b;
    if (x->first_at != y->first_at) return x->first_at < y->first_at ? -1 : 1;
    return x->view.first_line < y->view.first_line ? -1 : x->view.first_line > y->view.first_line;
}

size_t alm_incidents_settle(alm_incidents *s) {
    if (s->n) qsort(s->at, s->n, sizeof *s->at, first_cause_first);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        entry *e = s->at[i];
        bool above = e->view.silence || (e->view.n_alarms >= s->min_alarms && e->view.score >= s->min_score);
        if (!above) {
            alm_free(e);
            continue;
        }
        e->view.number = n + 1;
        s->at[n++] = e;
    }
    s->n = n;
    return n;
}

bool alm_incidents_get(const alm_incidents *s, size_t i, alm_incident *out) {
    if (i >= s->n) return false;
    *out = s->at[i]->view;
    return true;
}

size_t alm_incidents_count(const alm_incidents *s) { return s->n; }
uint64_t alm_incidents_dropped(const alm_incidents *s) { return s->n_dropped; }
