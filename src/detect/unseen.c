/* SPDX-License-Identifier: Apache-2.0
 *
 * unseen.c - detector: a template that was never seen while learning, or seldom; and how severe the record calls itself.
 *
 * A record outside groups:  -log((n + 1/2) / (N + 1)) + 2 s     n of N learned records have its template, s = 0 ... 3 its severity
 *                           where a language model that was trained on these records reads what is new, no more than -log of the Good-Turing chance of a new
 *                           template: where people write freely every line is new, and what is strange in it the reader says
 * A step of a group:        30 + 2 s for each different unseen template; nothing for known ones (counts.c knows them)
 *
 * The severity words (WARN, ERROR, FATAL ...) are the author's own statement that something is not normal: e^2 a level is the
 * weight of that statement against frequency. 30 is far above what the other detectors can add for a session of known
 * templates that was learned from less than e^20 sessions: so an unseen template ranks first. */
#include "base/mathx.h"
#include "detect/surprise.h"

#define UNSEEN_PART   30.0
#define SEVERITY_PART 2.0

static double record(alm_normal *m, const alm_look *look, alm_evidence *e) {
    const alm_event_row *row = &m->event[look->event];
    double n = look->unseen ? 0 : row->n_free;
    e->a = look->event;
    e->b = look->severity;
    e->x = (uint64_t)n;
    e->y = (uint64_t)m->n_free;
    e->z = look->unseen ? 1 : 0;
    /* Good-Turing: the chance that the next template is new. Unseen ones that alarmed were not learned, but they happened. */
    double p = (n + 0.5) / (m->n_free + 1), p_new = (m->n_once + m->n_strange + 0.5) / (m->n_free + m->n_strange + 1);
    if (look->unseen) e->tail = p_new;
    if (m->surprise && !m->surprise->stream && p < p_new) p = p_new;
    return -alm_log_f64(p) + SEVERITY_PART * look->severity;
}

static double step(alm_normal *m, alm_group *g, const alm_look *look, alm_evidence *e) {
    (void)m;
    if (!look->unseen || !alm_group_first_time(g, look->event)) return 0;
    e->a = look->event;
    e->b = look->severity;
    e->z = 1;
    return UNSEEN_PART + SEVERITY_PART * look->severity;
}

static alm_status learn_record(alm_normal *m, const alm_look *look, alm_error *err) {
    (void)err;
    alm_event_row *row = &m->event[look->event];
    row->n_all += 1;
    m->n_records += 1;
    if (look->free) {
        m->n_once += row->n_free < 0.5 ? 1 : row->n_free < 1.5 ? -1 : 0;
        row->n_free += 1;
        m->n_free += 1;
    }
    return ALM_OK;
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    char name[ALM_NAME_BYTES];
    alm_normal_name(m, e->a, name);
    if (e->z > 0) alm_buf_printf(out, alm_say(m, "template never seen while learning: %s"), name);
    else if (e->x == 0) alm_buf_printf(out, alm_say(m, "template not seen outside sessions while learning: %s"), name);
    else
        alm_buf_printf(out, alm_say(m, "rare template, seen %llu times in %llu records: %s"), (unsigned long long)e->x,
                       (unsigned long long)e->y, name);
    switch (e->b & 3) {
    case 1: alm_buf_add_text(out, alm_say(m, ", and the record calls itself a warning")); break;
    case 2: alm_buf_add_text(out, alm_say(m, ", and the record calls itself an error")); break;
    case 3: alm_buf_add_text(out, alm_say(m, ", and the record calls itself fatal")); break;
    default: break;
    }
}

static const char *name_of(const alm_evidence *e) { return e->z > 0 ? "unseen" : "rare"; }

const alm_detector alm_detector_unseen = {.name = "unseen",
                                          .text = "template never or seldom seen",
                                          .record = record,
                                          .step = step,
                                          .learn_record = learn_record,
                                          .say = say,
                                          .name_of = name_of};
