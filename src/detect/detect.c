/* SPDX-License-Identifier: Apache-2.0
 *
 * detect.c - a stream is judged: each record when it comes, each group when it has ended.
 *
 * When does a group end? When it has been silent for longer than the longest gap that was learned behind its last event (in
 * records, or in time where there are times). At the end of the input a group that is not yet overdue, and whose last event
 * is not the usual last one, is CUT: what is missing is not held against it. So is what is missing at the beginning of a
 * group that was already running when the stream began.
 *
 * A mass stop: a group that is overdue is held against itself only if the source went on. If no older group has had a record
 * since the moment at which this one should have gone on, and at least two others are overdue in the same way, then the
 * source fell silent (was cut, rotated, restarted), all of them are cut, and one incident says so. `peers` answers "the
 * oldest beginning of a group that had a record after x": a list in which both the position and the beginning rise.
 *
 * Memory is bounded: open groups, unseen templates, incidents, the adaptive windows. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/ahead.h"
#include "detect/open_groups.h"
#include "detect/surprise.h"
#include <stdio.h>

enum {
    WINDOW = 2000,
    GROUP_WINDOW = 2000,
    PEERS = 4096,
    NOVEL = 10000,
    SEQUENCE = 1024,
    SPARE = 16,
    CAUSES = 1024,
    REPEAT_RECORDS = 500,
    MASS = 3,
    LOOK_AHEAD = 64,
    ENOUGH = 30
};

#define REPEAT_NS ((int64_t)600 * 1000000000)

typedef struct recent_cause {
    uint64_t key, at;
    int64_t time_ns;
} recent_cause;

typedef struct peer {
    uint64_t at, first_at;
} peer;

struct alm_detection {
    alm_normal *m;
    alm_detect_options o;
    double threshold;
    alm_guarantee guarantee;
    alm_miner *novel;
    uint32_t *novel_event; /* index -> event, or 0 */
    size_t n_novel, cap_novel;
    alm_open_groups open;
    alm_adaptive records, groups;
    alm_incidents *incidents;
    peer *peer;
    recent_cause cause[CAUSES];
    size_t peer_from, peer_n;
    uint64_t at; /* position of the record that was fed last, from 1 */
    int64_t now_ns;
    uint64_t mass_last; /* groups that fell silent up to here belong to the mass stop */
    bool finished, drained, explain;
    alm_verdict *pending; /* a group that had to be closed to make room */
    bool has_pending;
    alm_event last;
    uint32_t last_event;
    uint32_t n_param;
    const alm_param *param;
    alm_buf text;
    alm_group session;
    alm_detect_summary sum;
    size_t n_known; /* events of the model */
    alm_buf *name;  /* text of learned templates, by event, as they are asked for */
};

static alm_status checked(const alm_detect_options *given, const alm_normal *m, alm_detect_options *o, alm_error *err) {
    *o = (alm_detect_options){.size = sizeof *o};
    if (given) {
        if (given->size < sizeof(size_t) || given->size > sizeof *o)
            return alm_fail(err, ALM_INVALID, "detect options: size %zu is not known here", given->size);
        memcpy(o, given, given->size);
    }
    if (o->alpha == 0) o->alpha = m->alpha;
    if (!(o->alpha > 0 && o->alpha < 1))
        return alm_fail(err, ALM_INVALID, "alpha must lie between 0 and 1, both excluded");
    if (o->max_groups == 0) o->max_groups = 16384;
    if (o->max_groups > (1u << 24)) o->max_groups = 1u << 24;
    return ALM_OK;
}

static alm_status fill(alm_detection *d, alm_error *err) {
    alm_normal *m = d->m;
    alm_status st = alm_adaptive_new(&d->records, d->o.alpha, WINDOW, err);
    if (st == ALM_OK) st = alm_adaptive_new(&d->groups, d->o.alpha, GROUP_WINDOW, err);
    if (st == ALM_OK) st = alm_incidents_new(&d->incidents, d->o.min_alarms, d->o.min_score, err);
    if (st == ALM_OK) st = alm_open_groups_new(&d->open, d->o.max_groups, err);
    if (st == ALM_OK && !m->sessions) {
        alm_miner_options mo = {.size = sizeof mo, .max_templates = NOVEL};
        st = alm_miner_new(&d->novel, &mo, err);
    }
    if (st != ALM_OK) return st;
    d->peer = alm_calloc(PEERS, sizeof *d->peer);
    d->pending = alm_calloc(1, sizeof *d->pending);
    d->name = alm_calloc(d->n_known, sizeof *d->name);
    if (!d->peer || !d->pending || !d->name) return alm_fail_memory(err);
    for (size_t i = 0; i < m->n_free_cal; i++) alm_adaptive_push(&d->records, m->free_cal[i]);
    for (size_t i = m->n_group_cal; i > 0; i--) alm_adaptive_push(&d->groups, m->group_cal[i - 1]);
    d->threshold = alm_calibrate_threshold(m->group_cal, m->n_group_cal, d->o.alpha, &d->guarantee);
    return ALM_OK;
}

alm_status alm_detect_new(alm_detection **out, alm_normal *m, const alm_detect_options *options, alm_error *err) {
    alm_detect_options o;
    alm_status st = checked(options, m, &o, err);
    if (st != ALM_OK) return st;
    alm_detection *d = alm_calloc(1, sizeof *d);
    if (!d) return alm_fail_memory(err);
    d->m = m;
    d->o = o;
    d->now_ns = ALM_NO_TIME;
    d->n_known = m->n_event;
    d->text = alm_buf_with_limit(1 << 20);
    d->sum.promised = o.alpha;
    st = fill(d, err);
    if (st != ALM_OK) {
        alm_detect_free(d);
        return st;
    }
    m->novel = d->novel;
    if (m->surprise) alm_surprise_begin(m->surprise);
    m->rate_learns = o.prequential;
    *out = d;
    return ALM_OK;
}

void alm_detect_free(alm_detection *d) {
    if (!d) return;
    d->m->novel = NULL;
    alm_miner_free(d->novel);
    alm_free(d->novel_event);
    alm_open_groups_free(&d->open);
    alm_adaptive_free(&d->records);
    alm_adaptive_free(&d->groups);
    alm_incidents_free(d->incidents);
    alm_free(d->peer);
    alm_free(d->pending);
    alm_buf_free(&d->text);
    alm_group_drop(&d->session);
    for (size_t i = 0; d->name && i < d->n_known; i++) alm_buf_free(&d->name[i]);
    alm_free(d->name);
    alm_free(d);
}

void alm_detect_explain(alm_detection *d, bool always) { d->explain = always; }

/* ---- the record's template ---- */

static alm_status novel_event(alm_detection *d, uint32_t index, uint32_t *out, alm_error *err) {
    if (index >= d->n_novel) {
        if (!alm_grow((void **)&d->novel_event, &d->cap_novel, index + 1, sizeof *d->novel_event))
            return alm_fail_memory(err);
        memset(d->novel_event + d->n_novel, 0, (index + 1 - d->n_novel) * sizeof *d->novel_event);
        d->n_novel = index + 1;
    }
    uint32_t live = alm_miner_resolve(d->novel, index);
    if (live != ALM_NO_TEMPLATE && live < d->n_novel && d->novel_event[live]) index = live;
    if (!d->novel_event[index]) {
        uint32_t e;
        uint64_t id = alm_miner_id(d->novel, index);
        size_t before = d->m->n_event;
        alm_status st = alm_normal_event(d->m, id, &e, err);
        if (st != ALM_OK) return st;
        if (d->m->n_event > before) d->m->event[e].novel = index + 1;
        d->novel_event[index] = e;
    }
    *out = d->novel_event[index];
    return ALM_OK;
}

static alm_status recognise(alm_detection *d, const alm_event *event, const alm_kept_tokens *tokens, alm_look *look,
                            alm_error *err) {
    alm_match match = {.index = ALM_NO_TEMPLATE};
    alm_normal *m = d->m;
    if (m->n_event_of) alm_miner_match_tokens(m->miner, event->text, tokens, &match);
    uint32_t e = match.index < m->n_event_of ? m->event_of[match.index] : UINT32_MAX;
    if (e == UINT32_MAX) {
        alm_status st = alm_miner_add_tokens(d->novel, event->text, tokens, event->time_ns, &match, err);
        if (st == ALM_OK) st = novel_event(d, match.index, &e, err);
        if (st != ALM_OK) return st;
    }
    *look = (alm_look){
        .event = e, .time_ns = event->time_ns, .text = event->text, .n_params = match.n_params, .params = match.params};
    look->unseen = m->event[e].n_all < 1;
    return ALM_OK;
}

/* ---- verdicts ---- */

static void hex_of(char out[17], uint64_t x) {
    for (unsigned i = 0; i < 16; i++) out[i] = "0123456789abcdef"[x >> (60 - 4 * i) & 15];
    out[16] = 0;
}

static double tie_of(uint64_t hash) { return (double)(alm_hash_mix(hash, 0x7469) >> 11) * 0x1p-53; }

static void copy_name(char *to, size_t room, alm_str s) {
    size_t n = s.n < room - 1 ? s.n : room - 1;
    while (n > 0 && n < s.n && ((unsigned char)s.at[n] & 0xC0) == 0x80) n--;
    if (n) memcpy(to, s.at, n);
    to[n] = 0;
}

static void say_all(const alm_detection *d, alm_verdict *v, const alm_evidence *e, unsigned n) {
    v->n_why = n < ALM_WHY_MAX ? n : ALM_WHY_MAX;
    for (unsigned i = 0; i < v->n_why; i++) alm_evidence_say(d->m, &e[i], &v->why[i]);
}

static bool floor_rule(alm_detection *d, bool alarm, double score) {
    if (!alarm || !(score < d->o.min_score)) return alarm;
    d->sum.n_ignored++;
    return false;
}

static void count_label(alm_detection *d, int label, bool alarm) {
    if (label == 0) {
        d->sum.n_normal++;
        d->sum.n_false_alarms += alarm;
    } else if (label == 1) {
        d->sum.n_anomalous++;
        d->sum.n_found += alarm;
    }
}

static alm_str original(const alm_event *event) { return event->raw.n ? event->raw : event->text; }

/* What the record at hand does to the incidents, by its verdict. */
static alm_cause cause_of(const alm_detection *d, const alm_event *event, uint32_t number, const alm_verdict *v) {
    return (alm_cause){.at = d->at,
                       .first_at = d->at,
                       .line = event->line,
                       .time_ns = event->time_ns,
                       .source = event->source,
                       .event = number,
                       .score = v->score,
                       .p = v->p,
                       .why = v->n_why ? &v->why[0] : NULL,
                       .text = original(event)};
}

/* The same for one that stands for its group; `more` is a second line to show. */
static alm_cause cause_of_group(const alm_detection *d, const alm_group *g, const alm_event *event,
                                const alm_verdict *v, const char *more, uint64_t more_line) {
    alm_cause c = cause_of(d, event, g->last, v);
    c.first_at = g->first_at;
    c.group_key = g->key;
    c.group = g->name;
    c.more = alm_str_of(more);
    c.more_line = more_line;
    return c;
}

/* ---- the end of a group ---- */

static bool weak_end(const alm_normal *m, uint32_t e) {
    return m->event[e].n_ends >= 0.01 * m->n_groups || 2 * m->event[e].n_ends >= m->event[e].n_from;
}
static bool strong_end(const alm_normal *m, uint32_t e) {
    return m->event[e].n_from > 0 && 2 * m->event[e].n_ends >= m->event[e].n_from;
}

/* The longest gap behind an event; one that was rarely seen may be followed by any silence that a group has. */
static uint64_t gap_of(const alm_normal *m, uint32_t e) {
    const alm_event_row *r = &m->event[e];
    return r->n_from >= ENOUGH || r->gap > m->longest_group ? r->gap : m->longest_group;
}

static bool overdue(const alm_detection *d, const alm_group *g) {
    const alm_event_row *r = &d->m->event[g->last];
    uint64_t silent = d->at - g->last_at;
    if (r->gap_ns > 0 && d->now_ns != ALM_NO_TIME && g->last_ns != ALM_NO_TIME && r->n_from >= ENOUGH)
        return d->now_ns - g->last_ns > r->gap_ns + 1000000000 && silent > SPARE;
    return silent > gap_of(d->m, g->last) + SPARE;
}

static void note_peer(alm_detection *d, uint64_t first_at) {
    while (d->peer_n && d->peer[(d->peer_from + d->peer_n - 1) % PEERS].first_at >= first_at) d->peer_n--;
    if (d->peer_n == PEERS) {
        d->peer_from = (d->peer_from + 1) % PEERS;
        d->peer_n--;
    }
    d->peer[(d->peer_from + d->peer_n++) % PEERS] = (peer){d->at, first_at};
}

/* Has a group that began before `began` had a record after position x? */
static bool source_went_on(const alm_detection *d, uint64_t x, uint64_t began) {
    size_t low = 0, high = d->peer_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (d->peer[(d->peer_from + mid) % PEERS].at > x) high = mid;
        else low = mid + 1;
    }
    return low < d->peer_n && d->peer[(d->peer_from + low) % PEERS].first_at <= began;
}

typedef enum fate { WAITS, ENDED, CUT, SILENT } fate;

static fate fate_of(alm_detection *d, const alm_group *g) {
    if (!overdue(d, g)) {
        if (!d->finished) return WAITS;
        return strong_end(d->m, g->last) ? ENDED : CUT;
    }
    if (weak_end(d->m, g->last)) return ENDED;
    uint64_t due = g->last_at + gap_of(d->m, g->last);
    if (source_went_on(d, due, g->last_at)) return ENDED;
    if (g->last_at <= d->mass_last) return SILENT;
    if (!d->finished && d->at <= due + d->m->longest_group + SPARE) return WAITS;
    unsigned n = 1, looked = 0;
    uint64_t last = g->last_at;
    for (const alm_group *o = alm_open_groups_next(&d->open, g); o && looked < LOOK_AHEAD;
         o = alm_open_groups_next(&d->open, o), looked++) {
        if (o->first_at > due || weak_end(d->m, o->last) || !overdue(d, o)) continue;
        n++;
        if (o->last_at > last) last = o->last_at;
    }
    if (n < MASS) return ENDED;
    d->mass_last = last;
    d->sum.n_silences++;
    return SILENT;
}

static alm_status report_silence(alm_detection *d, const alm_group *g, alm_error *err) {
    alm_why why = {.detector = "order"};
    snprintf(why.text, sizeof why.text,
             alm_say(d->m,
                     "several sessions fell silent together near line %llu and none went on: the source stopped or "
                     "was restarted; they are not judged as incomplete"),
             (unsigned long long)g->last_line);
    alm_cause c = {.at = d->at,
                   .first_at = g->last_at,
                   .line = g->last_line,
                   .time_ns = g->last_ns,
                   .source = g->source,
                   .event = g->last,
                   .group_key = g->key,
                   .group = g->name,
                   .p = 1,
                   .why = &why,
                   .text = alm_str_of(g->last_text),
                   .silence = true};
    return alm_incidents_add(d->incidents, &c, err);
}

static alm_status learn_ended(alm_detection *d, alm_group *g, alm_error *err) {
    alm_status st = ALM_OK;
    if (g->n_records > SEQUENCE || !g->sequence) return ALM_OK;
    uint32_t *sequence = g->sequence, n = (uint32_t)g->n_records;
    alm_group *replay = &d->session;
    alm_group_begin(replay);
    for (uint32_t i = 0; i < n && st == ALM_OK; i++) {
        alm_look look = {.event = sequence[i], .time_ns = ALM_NO_TIME};
        st = alm_learn_record_of(d->m, &look, err);
        for (size_t k = 0; k < ALM_DETECTOR_COUNT && st == ALM_OK; k++)
            if (alm_detectors[k]->learn_step) st = alm_detectors[k]->learn_step(d->m, replay, sequence[i], err);
        if (st == ALM_OK) st = alm_group_take(replay, sequence[i], err);
    }
    return st == ALM_OK ? alm_learn_end_of(d->m, replay, err) : st;
}

/* The group's verdict; counts it, opens incidents, learns it. */
static alm_status judge_group(alm_detection *d, alm_group *g, bool ended, bool cut, alm_verdict *v, alm_error *err) {
    alm_evidence e[ALM_WHY_MAX];
    unsigned n;
    alm_status st = ALM_OK;
    double score = alm_score_group(d->m, g, ended, e, ALM_WHY_MAX, &n);
    v->is_group = true;
    hex_of(v->id, alm_hash_mix(g->key, g->first_line));
    v->line = g->last_line;
    v->first_line = g->first_line;
    v->n_records = g->n_records;
    v->time_ns = g->last_ns;
    v->first_ns = g->first_ns;
    v->source = g->source;
    memcpy(v->group, g->name, sizeof v->group);
    if (d->m->sessions) v->template_id[0] = 0;
    else hex_of(v->template_id, d->m->event[g->last].id);
    v->score = score;
    v->ended = ended;
    v->cut = cut || g->cut_start;
    v->n_why = 0;
    if (d->o.prequential) {
        bool judged = alm_adaptive_judge(&d->groups, score, tie_of(alm_hash_mix(g->key, g->first_line)), 0, &v->p) ==
                      ALM_JUDGED_ALARM;
        v->alarm = floor_rule(d, judged || g->alarmed, score);
    } else {
        v->p = alm_calibrate_p(d->m->group_cal, d->m->n_group_cal, score);
        v->alarm = floor_rule(d, score > d->threshold || g->alarmed, score);
    }
    if (v->alarm || d->explain) say_all(d, v, e, n);
    d->sum.n_groups++;
    d->sum.n_groups_cut += v->cut;
    d->sum.n_group_alarms += v->alarm;
    count_label(d, g->label, v->alarm);
    if (v->alarm && !g->alarmed) {
        alm_event first = {
            .text = alm_str_of(g->first_text), .line = g->first_line, .time_ns = g->first_ns, .source = g->source};
        alm_cause c = cause_of_group(d, g, &first, v, g->last_text, g->last_line);
        st = alm_incidents_add(d->incidents, &c, err);
    }
    if (st == ALM_OK && d->o.prequential && !v->alarm && !v->cut) st = learn_ended(d, g, err);
    return st;
}

static alm_status close_group(alm_detection *d, alm_group *g, fate f, alm_verdict *v, alm_error *err) {
    alm_status st = f == SILENT ? report_silence(d, g, err) : ALM_OK;
    if (st == ALM_OK) st = judge_group(d, g, f == ENDED, f != ENDED, v, err);
    alm_open_groups_close(&d->open, g);
    return st;
}

bool alm_detect_next_group(alm_detection *d, alm_verdict *out) {
    if (d->has_pending) {
        *out = *d->pending;
        d->has_pending = false;
        return true;
    }
    alm_group *g = alm_open_groups_oldest(&d->open);
    if (g) {
        fate f = fate_of(d, g);
        if (f == WAITS && !d->finished) return false;
        alm_error err;
        close_group(d, g, f, out,
                    &err); /* without memory the verdict stands, only the incident or the learning is missing */
        return true;
    }
    if (d->finished && !d->drained) {
        d->drained = true;
        alm_incidents_settle(d->incidents);
    }
    return false;
}

/* ---- records ---- */

static void record_verdict(alm_detection *d, const alm_event *event, const alm_look *look, alm_verdict *v) {
    uint64_t h = alm_hash_mix(alm_hash_str(event->text), event->line);
    v->is_group = false;
    hex_of(v->id, h);
    v->line = v->first_line = event->line;
    v->n_records = 1;
    v->time_ns = v->first_ns = event->time_ns;
    v->source = event->source;
    v->group[0] = 0;
    hex_of(v->template_id, d->m->event[look->event].id);
    v->score = 0;
    v->p = 1;
    v->alarm = v->ended = v->cut = false;
    v->n_why = 0;
}

/* What a record says apart from its values: its strongest reason, the template that this is about, and the new value. */
static uint64_t cause_key(const alm_evidence *e) {
    uint64_t h = alm_hash64(e->by->name, strlen(e->by->name), e->a);
    return e->snippet[0] && !e->b ? alm_hash_mix(h, alm_hash_str(alm_str_of(e->snippet))) : h;
}

/* Has the same cause alarmed a short while ago? Then this record belongs to that incident and is no new alarm. */
static bool repeats(alm_detection *d, const alm_evidence *e, unsigned n, const alm_event *event) {
    if (n == 0) return false;
    uint64_t key = cause_key(&e[0]);
    recent_cause *c = &d->cause[key % CAUSES];
    if (c->key != key || c->at == 0) return false;
    bool timed = event->time_ns != ALM_NO_TIME && c->time_ns != ALM_NO_TIME;
    bool fresh = timed ? event->time_ns - c->time_ns < REPEAT_NS && event->time_ns - c->time_ns > -REPEAT_NS
                       : d->at - c->at < REPEAT_RECORDS;
    return fresh;
}

static void note_cause(alm_detection *d, const alm_evidence *e, unsigned n, const alm_event *event) {
    if (n == 0) return;
    uint64_t key = cause_key(&e[0]);
    d->cause[key % CAUSES] = (recent_cause){key, d->at, event->time_ns};
}

static bool is_exempt(const alm_detection *d, const alm_evidence *e, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        if (e[i].tail > 0 && e[i].tail < d->o.alpha / 10) return true;
    return false;
}

/* Counted with its incident, kept out of the calibration window. A prequential run learns it: what keeps coming becomes normal. */
static alm_status follow(alm_detection *d, const alm_event *event, const alm_look *look, double score, alm_verdict *v,
                         alm_error *err) {
    v->score = score;
    d->sum.n_free++;
    d->sum.n_followers++;
    count_label(d, event->label, false);
    alm_cause c = cause_of(d, event, look->event, v);
    c.follower = true;
    alm_status st = alm_incidents_add(d->incidents, &c, err);
    return st == ALM_OK && d->o.prequential ? alm_learn_record_of(d->m, look, err) : st;
}

static alm_status judge_free(alm_detection *d, const alm_event *event, alm_look *look, alm_verdict *v, alm_error *err) {
    alm_evidence e[ALM_WHY_MAX];
    unsigned n;
    look->severity = alm_severity_of(event->text);
    double score = alm_score_record(d->m, look, e, ALM_WHY_MAX, &n);
    bool alarm;
    uint64_t h = alm_hash_mix(alm_hash_str(event->text), event->line);
    if (d->o.fixed) {
        v->p = alm_adaptive_p(&d->records, score, 0); /* ties do not alarm */
        alarm = v->p <= d->o.alpha;
    } else {
        unsigned rules = (is_exempt(d, e, n) ? ALM_JUDGE_EXEMPT : 0u) | (repeats(d, e, n, event) ? ALM_JUDGE_MUTE : 0u);
        alm_judgement j = alm_adaptive_judge(&d->records, score, tie_of(h), rules, &v->p);
        if (j == ALM_JUDGED_MUTED) return follow(d, event, look, score, v, err);
        alarm = j == ALM_JUDGED_ALARM;
        if (alarm) note_cause(d, e, n, event);
        if (alarm && look->unseen) d->m->n_strange += 1;
    }
    v->score = score;
    v->alarm = floor_rule(d, alarm, score);
    if (v->alarm || d->explain) say_all(d, v, e, n);
    d->sum.n_free++;
    d->sum.n_free_alarms += v->alarm;
    d->sum.n_record_alarms += v->alarm;
    count_label(d, event->label, v->alarm);
    if (v->alarm) {
        alm_cause c = cause_of(d, event, look->event, v);
        alm_status st = alm_incidents_add(d->incidents, &c, err);
        if (st != ALM_OK) return st;
    }
    return d->o.prequential && !alarm ? alm_learn_record_of(d->m, look, err) : ALM_OK;
}

static bool usual_start(const alm_normal *m, uint32_t e) {
    uint32_t i = alm_table64_get(&m->pair, ((uint64_t)ALM_EVENT_START << 32) | e);
    return i != UINT32_MAX && m->pair_n[i] >= 0.01 * m->n_groups;
}

static alm_status open_group(alm_detection *d, uint64_t key, alm_str name, const alm_event *event, const alm_look *look,
                             alm_group **out, alm_error *err) {
    if (d->open.n >= d->o.max_groups) { /* make room: the one that has been silent for longest */
        alm_group *oldest = alm_open_groups_oldest(&d->open);
        alm_status st = close_group(d, oldest, overdue(d, oldest) ? fate_of(d, oldest) == SILENT ? SILENT : ENDED : CUT,
                                    d->pending, err);
        d->has_pending = true;
        if (st != ALM_OK) return st;
    }
    alm_group *g = alm_open_groups_add(&d->open, key);
    if (!g) return alm_fail_memory(err);
    g->first_at = d->at;
    g->first_line = event->line;
    g->first_ns = event->time_ns;
    g->source = event->source;
    g->cut_start =
        d->at <= d->m->longest_group && !d->o.prequential && !usual_start(d->m, look->event) && !look->unseen;
    copy_name(g->name, sizeof g->name, name);
    copy_name(g->first_text, sizeof g->first_text, original(event));
    *out = g;
    return ALM_OK;
}

static alm_status note_sequence(alm_group *g, uint32_t event, alm_error *err) {
    if (g->n_records >= SEQUENCE) return ALM_OK;
    size_t cap = g->cap_sequence;
    if (!alm_grow((void **)&g->sequence, &cap, (size_t)g->n_records + 1, sizeof *g->sequence))
        return alm_fail_memory(err);
    g->cap_sequence = (uint32_t)cap;
    g->sequence[g->n_records] = event;
    return ALM_OK;
}

static alm_status group_alarm(alm_detection *d, alm_group *g, const alm_event *event, alm_verdict *v, alm_error *err) {
    alm_cause c = cause_of_group(d, g, event, v, g->first_text, g->first_line);
    g->alarmed = true;
    return alm_incidents_add(d->incidents, &c, err);
}

static alm_status judge_grouped(alm_detection *d, const alm_event *event, alm_look *look, alm_str name, alm_verdict *v,
                                alm_error *err) {
    uint64_t key = alm_hash_str(name);
    if (!key) key = 1;
    alm_evidence e;
    alm_detector_rate.record(d->m, look, &e);
    copy_name(v->group, sizeof v->group, name);
    alm_group *g = alm_open_groups_find(&d->open, key);
    if (!g) {
        /* A record behind the end of its group opens no new one unless it begins like one. */
        if (alm_open_groups_was_closed(&d->open, key) && !usual_start(d->m, look->event)) {
            v->cut = true;
            return ALM_OK;
        }
        alm_status st = open_group(d, key, name, event, look, &g, err);
        if (st != ALM_OK) return st;
    }
    if (look->unseen) look->severity = alm_severity_of(event->text);
    alm_status st = d->o.prequential ? note_sequence(g, look->event, err) : ALM_OK;
    if (st == ALM_OK) st = alm_score_step(d->m, g, look, err);
    if (st != ALM_OK) {
        if (g->n_records == 0) alm_open_groups_close(&d->open, g);
        return st;
    }
    g->last_at = d->at;
    g->last_line = event->line;
    g->last_ns = event->time_ns;
    if (event->label > g->label) g->label = event->label;
    copy_name(g->last_text, sizeof g->last_text, original(event));
    alm_open_groups_touch(&d->open, g);
    note_peer(d, g->first_at);
    v->score = g->parts;
    bool above;
    if (d->o.prequential) {
        v->p = g->parts > 0 ? alm_adaptive_p(&d->groups, g->parts, 0) : 1;
        above = g->parts > 0 && v->p <= d->groups.level && g->parts >= 30; /* only what no ending can take back */
    } else {
        v->p = g->parts > 0 ? alm_calibrate_p(d->m->group_cal, d->m->n_group_cal, g->parts) : 1;
        above = g->parts > d->threshold;
    }
    if ((above && !g->alarmed) || d->explain) say_all(d, v, g->evidence, g->n_evidence);
    if (!above || g->alarmed || g->parts < d->o.min_score) return ALM_OK;
    v->alarm = true;
    d->sum.n_record_alarms++;
    return group_alarm(d, g, event, v, err);
}

alm_status alm_detect_feed(alm_detection *d, const alm_event *event, alm_verdict *out, alm_error *err) {
    return alm_detect_feed_tokens(d, event, NULL, out, err);
}

alm_status alm_detect_feed_tokens(alm_detection *d, const alm_event *event, const alm_kept_tokens *tokens,
                                  alm_verdict *out, alm_error *err) {
    if (d->finished || d->m->sessions)
        return alm_fail(err, ALM_INVALID,
                        d->finished ? "detect: the stream is finished"
                                    : "detect: the model was learned from whole sessions, a record came");
    if (alm_cancel_requested(d->o.cancel)) return alm_fail(err, ALM_INTERRUPTED, "stopped while detecting");
    alm_look look;
    alm_status st = recognise(d, event, tokens, &look, err);
    if (st != ALM_OK) return st;
    d->at++;
    d->sum.n_records++;
    d->sum.n_unseen += look.unseen;
    if (event->time_ns != ALM_NO_TIME && (d->now_ns == ALM_NO_TIME || event->time_ns > d->now_ns))
        d->now_ns = event->time_ns;
    d->last = *event;
    d->last_event = look.event;
    d->n_param = look.n_params;
    d->param = look.params;
    record_verdict(d, event, &look, out);
    alm_str name = event->group.n ? event->group : alm_group_of(&d->m->rule, event->text);
    look.free = name.n == 0;
    if (d->m->surprise) d->m->surprise->last.n = 0;
    st = look.free ? judge_free(d, event, &look, out, err) : judge_grouped(d, event, &look, name, out, err);
    if (st == ALM_OK && d->m->surprise && d->m->surprise->status != ALM_OK)
        return alm_fail(err, d->m->surprise->status, "%s", d->m->surprise->error.text);
    return st;
}

alm_status alm_detect_session(alm_detection *d, alm_str name, alm_str events, int label, uint64_t line,
                              alm_verdict *out, alm_error *err) {
    if (d->finished || !d->m->sessions)
        return alm_fail(err, ALM_INVALID,
                        d->finished ? "detect: the stream is finished"
                                    : "detect: the model was learned from records, a session came");
    if (alm_cancel_requested(d->o.cancel)) return alm_fail(err, ALM_INTERRUPTED, "stopped while detecting");
    alm_group *g = &d->session;
    alm_group_begin(g);
    copy_name(g->name, sizeof g->name, name);
    copy_name(g->first_text, sizeof g->first_text, events);
    g->key = alm_hash_str(name);
    g->first_line = g->last_line = line;
    g->label = label;
    uint32_t *sequence = NULL; /* prequential: learned at once */
    size_t cap = 0;
    alm_look look = {.time_ns = ALM_NO_TIME};
    alm_status st;
    while ((st = alm_session_next(d->m, &events, &look.event, err)) == ALM_OK) {
        look.unseen = d->m->event[look.event].n_all < 1;
        d->sum.n_unseen += look.unseen;
        d->sum.n_records++;
        if (d->o.prequential) {
            if (!alm_grow((void **)&sequence, &cap, (size_t)g->n_records + 1, sizeof *sequence))
                st = alm_fail_memory(err);
            else sequence[g->n_records] = look.event;
        }
        if (st == ALM_OK) st = alm_score_step(d->m, g, &look, err);
        if (st != ALM_OK) break;
    }
    if (st == ALM_END) {
        bool preq = d->o.prequential;
        d->at++;
        g->first_at = g->last_at = d->at;
        alm_group taken = *g; /* learn_ended uses d->session for its replay */
        d->session.count = NULL;
        d->session.sequence = NULL;
        d->session.cap_count = d->session.cap_sequence = 0;
        taken.sequence = preq ? sequence : NULL;
        sequence = preq ? NULL : sequence;
        taken.cap_sequence = (uint32_t)cap;
        st = taken.n_records ? judge_group(d, &taken, true, false, out, err) : ALM_OK;
        if (!taken.n_records) {
            *out =
                (alm_verdict){.is_group = true, .line = line, .p = 1, .time_ns = ALM_NO_TIME, .first_ns = ALM_NO_TIME};
            copy_name(out->group, sizeof out->group, name);
            d->sum.n_groups++;
            count_label(d, label, false);
        }
        alm_group_drop(&taken);
    }
    alm_free(sequence);
    return st;
}

alm_status alm_detect_finish(alm_detection *d, alm_error *err) {
    (void)err;
    d->finished = true;
    if (!d->has_pending && d->open.n == 0 && !d->drained) {
        d->drained = true;
        alm_incidents_settle(d->incidents);
    }
    return ALM_OK;
}

alm_str alm_detect_template(alm_detection *d) {
    const alm_event_row *row = &d->m->event[d->last_event];
    if (d->m->sessions || d->sum.n_records == 0) return (alm_str){"", 0};
    if (row->novel) {
        alm_buf_clear(&d->text);
        alm_miner_text(d->novel, row->novel - 1, ALM_TEXT_TYPED, &d->text);
        return alm_buf_str(&d->text);
    }
    if (d->last_event >= d->n_known) return (alm_str){"", 0};
    alm_buf *b = &d->name[d->last_event];
    if (!b->limit) { /* asked for the first time; the text itself may be empty */
        *b = alm_buf_with_limit(1 << 16);
        uint32_t index = alm_miner_find(d->m->miner, row->id);
        if (index != ALM_NO_TEMPLATE) alm_miner_text(d->m->miner, index, ALM_TEXT_TYPED, b);
    }
    return alm_buf_str(b);
}

size_t alm_detect_param_count(const alm_detection *d) { return d->n_param; }

alm_str alm_detect_param(const alm_detection *d, size_t i) {
    if (i >= d->n_param) return (alm_str){NULL, 0};
    return (alm_str){d->last.text.at + d->param[i].at, d->param[i].n};
}

size_t alm_detect_token_count(const alm_detection *d) { return d->m->surprise ? d->m->surprise->last.n : 0; }

bool alm_detect_token(const alm_detection *d, size_t i, alm_token_surprise *out) {
    if (i >= alm_detect_token_count(d)) return false;
    const alm_reading *r = &d->m->surprise->last;
    uint32_t from = i ? r->end[i - 1] : 0;
    *out = (alm_token_surprise){.at = from, .n = r->end[i] - from, .nll = (double)r->nll[i]};
    return true;
}

uint64_t alm_detect_lines_read(const alm_detection *d) { return d->m->surprise ? d->m->surprise->n_read : 0; }

void alm_detect_summary_of(const alm_detection *d, alm_detect_summary *out) {
    const double nan = __builtin_nan("");
    *out = d->sum;
    out->n_units = out->n_groups + out->n_free;
    out->n_unit_alarms = out->n_group_alarms + out->n_free_alarms;
    out->alarm_rate = out->n_units ? (double)out->n_unit_alarms / (double)out->n_units : nan;
    out->group_alarm_rate = out->n_groups ? (double)out->n_group_alarms / (double)out->n_groups : nan;
    out->free_alarm_rate = out->n_free ? (double)out->n_free_alarms / (double)out->n_free : nan;
    out->n_calibrate_groups = d->m->n_group_cal;
    out->n_calibrate_free = d->m->n_free_cal;
    out->guarantee_groups = d->guarantee;
    bool enough = (double)(d->m->n_free_cal + d->records.n_seen) * d->o.alpha >= 1;
    out->guarantee_free = d->o.fixed
                              ? (double)d->m->n_free_cal * d->o.alpha >= 1 ? ALM_GUARANTEE_MARGINAL : ALM_GUARANTEE_NONE
                          : enough ? ALM_GUARANTEE_ADAPTIVE
                                   : ALM_GUARANTEE_NONE;
    if (d->o.prequential)
        out->guarantee_groups = (double)(d->m->n_group_cal + d->groups.n_seen) * d->o.alpha >= 1
                                    ? ALM_GUARANTEE_ADAPTIVE
                                    : ALM_GUARANTEE_NONE;
    out->false_alarm_rate = out->n_normal ? (double)out->n_false_alarms / (double)out->n_normal : nan;
    out->recall = out->n_anomalous ? (double)out->n_found / (double)out->n_anomalous : nan;
    out->binomial_p =
        out->n_normal ? alm_binomial_test((long long)out->n_false_alarms, (long long)out->n_normal, d->o.alpha) : nan;
}

size_t alm_detect_incident_count(const alm_detection *d) { return d->drained ? alm_incidents_count(d->incidents) : 0; }
bool alm_detect_incident(const alm_detection *d, size_t i, alm_incident *out) {
    return d->drained && alm_incidents_get(d->incidents, i, out);
}
uint64_t alm_detect_incidents_dropped(const alm_detection *d) { return alm_incidents_dropped(d->incidents); }
