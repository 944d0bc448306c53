/* SPDX-License-Identifier: Apache-2.0
 *
 * learn.c - from a stream of records to the tables of what is normal, and to the calibration scores.
 *
 * While records come in, templates are mined and rare values judged and counted at once (each value is judged before it is
 * learned, so its part is as strange as it would have been then); of the record itself only 24 bytes are kept: template,
 * severity, group, time, value part. The rule that finds groups is chosen after SEARCH records; until then their text is kept.
 *
 * alm_learn_finish then knows the final templates and how long the stream is, and goes over what was kept:
 *   1. groups; how long an event is followed by silence inside a group, how long groups last; which groups are cut by the
 *      beginning or the end of the stream (they are not learned)
 *   2. the first 75 % of the groups (in the order in which they ended) and of the stream are learned,
 *   3. the rest is only scored: the calibration part.
 * With more than max_events records kept, half of the groups (by hash) and every second record outside groups are dropped,
 * again and again: what stays are whole groups, and gaps are scaled back. */
#include "base/alloc.h"
#include "detect/ahead.h"
#include "detect/detect.h"
#include "detect/surprise.h"
#include <stdlib.h>

enum { SEARCH = 50000, SEARCH_BYTES = 16 << 20, GAP_BINS = 40, SEVERITY_SHIFT = 28, READ_SHIFT = 30 };
#define FIT_SHARE 3 / 4

typedef struct kept {
    uint64_t group; /* 0: none */
    int64_t time_ns;
    uint32_t what; /* index in the miner, later event; severity in the upper bits */
    float value;
} kept;

typedef struct span { /* a group among what was kept */
    uint32_t first, last, n;
    bool cut;
} span;

struct alm_learner {
    alm_learn_options o;
    alm_normal *m;
    kept *at;
    size_t n, cap;
    unsigned level; /* groups were halved this often */
    bool searching, finished;
    alm_group_search *search;
    alm_surprise_lines *lines; /* NULL: no language model */
    alm_buf text;              /* of the records until the rule is chosen, each with its length in front */
    uint64_t n_given, n_grouped, n_labelled_out;
    uint64_t n_session;
    char *group_by;
};

static alm_status checked(const alm_learn_options *given, alm_learn_options *o, alm_error *err) {
    *o = (alm_learn_options){.size = sizeof *o};
    if (given) {
        if (given->size < sizeof(size_t) || given->size > sizeof *o)
            return alm_fail(err, ALM_INVALID, "learn options: size %zu is not known here", given->size);
        memcpy(o, given, given->size);
    }
    if (o->alpha == 0) o->alpha = 0.01;
    if (!(o->alpha > 0 && o->alpha < 1))
        return alm_fail(err, ALM_INVALID, "alpha must lie between 0 and 1, both excluded");
    if (o->max_events == 0) o->max_events = 2000000;
    if (o->max_events < 100) o->max_events = 100;
    if (o->max_events > UINT32_MAX / 2) o->max_events = UINT32_MAX / 2;
    return ALM_OK;
}

static alm_status new_tables(alm_normal **out, const alm_learn_options *o, alm_error *err) {
    alm_normal *m = NULL;
    alm_status st = alm_normal_new(&m, err);
    if (st != ALM_OK) return st;
    m->alpha = o->alpha;
    m->sessions = o->sessions;
    if (o->sessions) m->rule.kind = ALM_RULE_SESSIONS;
    else {
        alm_miner_options mo = {.size = sizeof mo, .max_templates = o->max_templates};
        st = alm_group_rule_make(&m->rule, o->group_by, err);
        if (st == ALM_OK) st = alm_miner_new(&m->miner, &mo, err);
    }
    if (st != ALM_OK) {
        alm_normal_free(m);
        return st;
    }
    *out = m;
    return ALM_OK;
}

alm_status alm_learn_new(alm_learner **out, const alm_learn_options *options, alm_error *err) {
    alm_learn_options o;
    alm_status st = checked(options, &o, err);
    if (st != ALM_OK) return st;
    alm_learner *l = alm_calloc(1, sizeof *l);
    if (!l) return alm_fail_memory(err);
    l->o = o;
    l->text = alm_buf_with_limit(SEARCH_BYTES + ((size_t)32 << 20));
    st = new_tables(&l->m, &o, err);
    l->searching = !o.sessions && !o.group_by && !o.no_group_search;
    if (st == ALM_OK && l->searching) st = alm_group_search_new(&l->search, err);
    if (st == ALM_OK && o.lm && !o.sessions) st = alm_surprise_lines_new(&l->lines, err);
    if (st == ALM_OK && o.group_by) {
        size_t n = strlen(o.group_by) + 1;
        l->group_by = alm_alloc(n);
        if (l->group_by) memcpy(l->group_by, o.group_by, n);
        else st = alm_fail_memory(err);
    }
    if (st != ALM_OK) {
        alm_learn_free(l);
        return st;
    }
    *out = l;
    return ALM_OK;
}

void alm_learn_free(alm_learner *l) {
    if (!l) return;
    alm_normal_free(l->m);
    alm_free(l->at);
    alm_group_search_free(l->search);
    alm_surprise_lines_free(l->lines);
    alm_buf_free(&l->text);
    alm_free(l->group_by);
    alm_free(l);
}

const char *alm_learn_group_field(const alm_learner *l) { return l->m ? alm_normal_group_field(l->m) : NULL; }

alm_status alm_normal_empty(alm_normal **out, const alm_learn_options *options, alm_error *err) {
    alm_learn_options o;
    alm_normal *m;
    alm_status st = checked(options, &o, err);
    if (st == ALM_OK) st = new_tables(&m, &o, err);
    if (st != ALM_OK) return st;
    if (o.lm && !o.sessions && (st = alm_surprise_builtin(&m->surprise, err)) != ALM_OK) {
        alm_normal_free(m);
        return st;
    }
    m->info.alpha = m->alpha;
    m->info.guarantee = ALM_GUARANTEE_NONE;
    m->settled = true;
    *out = m;
    return ALM_OK;
}

static uint64_t group_key(alm_str v) {
    uint64_t h = alm_hash_str(v);
    return h ? h : 1;
}

/* The rule is chosen; the records so far get their groups. */
static void choose_rule(alm_learner *l) {
    alm_group_search_best(l->search, &l->m->rule);
    alm_group_search_free(l->search);
    l->search = NULL;
    l->searching = false;
    size_t at = 0;
    for (size_t i = 0; i < l->n && at + 4 <= l->text.n; i++) {
        uint32_t n;
        memcpy(&n, l->text.at + at, 4);
        alm_str v = alm_group_of(&l->m->rule, (alm_str){l->text.at + at + 4, n});
        if (v.n) {
            l->at[i].group = group_key(v);
            l->n_grouped++;
        }
        at += 4 + (size_t)n;
    }
    alm_buf_free(&l->text);
}

static bool stays(const kept *k, size_t i, unsigned level) {
    uint64_t h = k->group ? k->group * 0x9E3779B97F4A7C15ULL : (uint64_t)i;
    return k->group ? (h >> (63 - level) & 1) == 0 : (h & 1) == 0;
}

static alm_status keep(alm_learner *l, const kept *k, alm_error *err) {
    for (unsigned i = 0; k->group && i < l->level; i++)
        if (!stays(k, 0, i)) return ALM_OK;
    if (!k->group && l->level && l->n_given % ((uint64_t)1 << l->level)) return ALM_OK;
    if (l->n >= l->o.max_events && l->level < 40) {
        size_t n = 0, cursor = 0;
        for (size_t i = 0; i < l->n; i++) {
            bool stay = stays(&l->at[i], i, l->level);
            if (l->at[i].what >> READ_SHIFT) alm_surprise_lines_next(l->lines, &cursor, !stay);
            if (stay) l->at[n++] = l->at[i];
        }
        l->n = n;
        l->level++;
        return keep(l, k, err);
    }
    if (!alm_grow((void **)&l->at, &l->cap, l->n + 1, sizeof *l->at)) return alm_fail_memory(err);
    l->at[l->n++] = *k;
    return ALM_OK;
}

alm_status alm_learn_add(alm_learner *l, const alm_event *event, alm_error *err) {
    return alm_learn_add_tokens(l, event, NULL, err);
}

alm_status alm_learn_add_tokens(alm_learner *l, const alm_event *event, const alm_kept_tokens *tokens, alm_error *err) {
    if (l->finished || l->o.sessions)
        return alm_fail(err, ALM_INVALID, "learn: %s",
                        l->finished ? "it is finished" : "sessions were announced, a record came");
    if (alm_cancel_requested(l->o.cancel)) return alm_fail(err, ALM_INTERRUPTED, "stopped while learning");
    if (event->label == 1) {
        l->n_labelled_out++;
        return ALM_OK;
    }
    alm_match match;
    alm_status st = alm_miner_add_tokens(l->m->miner, event->text, tokens, event->time_ns, &match, err);
    if (st != ALM_OK) return st;
    /* Rare values: the places are those of the miner's index; alm_learn_finish gives them their events. */
    alm_look look = {.event = match.index,
                     .time_ns = event->time_ns,
                     .text = event->text,
                     .n_params = match.n_params,
                     .params = match.params};
    alm_evidence e;
    double value = alm_detector_value.record(l->m, &look, &e);
    st = alm_detector_value.learn_record(l->m, &look, err);
    if (st != ALM_OK) return st;
    kept k = {.time_ns = event->time_ns,
              .value = (float)value,
              .what = match.index | alm_severity_of(event->text) << SEVERITY_SHIFT};
    bool read = false;
    if (l->lines) st = alm_surprise_lines_add(l->lines, &look, l->n_given, &read, err);
    if (st != ALM_OK) return st;
    if (read) k.what |= 1u << READ_SHIFT;
    if (l->searching) {
        uint32_t n = (uint32_t)(event->text.n < 4096 ? event->text.n : 4096);
        st = alm_group_search_add(l->search, event->text, match.index, err);
        if (st != ALM_OK) return st;
        if (!alm_buf_reserve(&l->text, n + 4u) || !alm_buf_add(&l->text, &n, 4) ||
            !alm_buf_add(&l->text, event->text.at, n))
            return alm_buf_status(&l->text, err);
    } else {
        alm_str v = event->group.n ? event->group : alm_group_of(&l->m->rule, event->text);
        if (v.n) {
            k.group = group_key(v);
            l->n_grouped++;
        }
    }
    st = keep(l, &k, err);
    if (st != ALM_OK) return st;
    l->n_given++;
    if (l->searching && (l->n >= SEARCH || l->text.n >= SEARCH_BYTES || l->n + 1 >= l->o.max_events)) choose_rule(l);
    return ALM_OK;
}

/* The event of a session's word; the word is kept for sentences. */
static alm_status word_event(alm_normal *m, alm_str word, uint32_t *out, alm_error *err) {
    uint64_t id = alm_hash64(word.at, word.n, 0x73657373);
    size_t before = m->n_event;
    alm_status st = alm_normal_event(m, id, out, err);
    if (st != ALM_OK || m->n_event == before) return st;
    size_t n = word.n < 200 ? word.n : 200, at = m->names.n;
    if (!alm_buf_add(&m->names, word.at, n)) {
        alm_error ignored; /* without its name the event still counts */
        return alm_buf_status(&m->names, &ignored) == ALM_NO_MEMORY ? alm_fail_memory(err) : ALM_OK;
    }
    m->event[*out].name_at = (uint32_t)at;
    m->event[*out].name_n = (uint32_t)n;
    return ALM_OK;
}

alm_status alm_session_next(alm_normal *m, alm_str *rest, uint32_t *out, alm_error *err) {
    while (rest->n && (rest->at[0] == ' ' || rest->at[0] == '\t' || rest->at[0] == '\r')) rest->at++, rest->n--;
    if (rest->n == 0) return ALM_END;
    size_t n = 0;
    while (n < rest->n && rest->at[n] != ' ' && rest->at[n] != '\t' && rest->at[n] != '\r') n++;
    alm_str word = {rest->at, n};
    rest->at += n;
    rest->n -= n;
    return word_event(m, word, out, err);
}

alm_status alm_learn_session(alm_learner *l, alm_str name, alm_str events, int label, alm_error *err) {
    (void)name; /* two rows of one name are two sessions */
    if (l->finished || !l->o.sessions)
        return alm_fail(err, ALM_INVALID, "learn: %s",
                        l->finished ? "it is finished" : "records were announced, a session came");
    if (alm_cancel_requested(l->o.cancel)) return alm_fail(err, ALM_INTERRUPTED, "stopped while learning");
    if (label == 1) {
        l->n_labelled_out++;
        return ALM_OK;
    }
    kept k = {.group = ++l->n_session, .time_ns = ALM_NO_TIME};
    alm_status st;
    while ((st = alm_session_next(l->m, &events, &k.what, err)) == ALM_OK) {
        if ((st = keep(l, &k, err)) != ALM_OK) return st;
        l->n_given++;
        l->n_grouped++;
    }
    return st == ALM_END ? ALM_OK : st;
}

/* ---- finish ---- */

static unsigned log2_bin(uint64_t x) {
    unsigned b = 0;
    while (x && b < GAP_BINS - 1) x >>= 1, b++;
    return b;
}

/* The upper edge of the bin that holds the share q of what was counted. */
static uint64_t quantile(const uint32_t *bin, double q) {
    uint64_t n = 0, sum = 0;
    for (unsigned b = 0; b < GAP_BINS; b++) n += bin[b];
    if (n == 0) return 0;
    for (unsigned b = 0; b < GAP_BINS; b++) {
        sum += bin[b];
        if ((double)sum >= q * (double)n) return (uint64_t)1 << b;
    }
    return (uint64_t)1 << (GAP_BINS - 1);
}

/* What finish works with. */
typedef struct work {
    alm_learner *l;
    alm_normal *m;
    span *group;
    size_t n_group, cap_group;
    uint32_t *next;  /* next record of the same group */
    uint32_t *order; /* groups that are learned or scored, by their end */
    size_t n_order;
    uint8_t *seen; /* events of the fit part */
    alm_group g;
} work;

static uint32_t event_at(const work *w, size_t i) { return w->l->at[i].what & ((1u << SEVERITY_SHIFT) - 1); }

/* Indices of the miner become events; the places of values move to them. */
static alm_status give_events(alm_learner *l, alm_error *err) {
    alm_normal *m = l->m;
    alm_status st = ALM_OK;
    if (m->sessions) return ALM_OK;
    st = alm_miner_settle(m->miner, err);
    if (st != ALM_OK) return st;
    uint32_t n = alm_miner_n_index(m->miner), mask = (1u << SEVERITY_SHIFT) - 1;
    uint32_t *event = alm_alloc((n ? n : 1) * sizeof *event);
    if (!event) return alm_fail_memory(err);
    memset(event, 0xFF, n * sizeof *event);
    for (size_t i = 0; i < l->n && st == ALM_OK; i++) {
        uint32_t index = l->at[i].what & mask;
        if (event[index] == UINT32_MAX) st = alm_normal_event(m, alm_miner_id(m->miner, index), &event[index], err);
        if (st == ALM_OK) l->at[i].what = event[index] | (l->at[i].what & ~mask);
    }
    /* Templates that only dropped records had. */
    for (uint32_t i = 0; i < n && st == ALM_OK; i++)
        if (event[i] == UINT32_MAX && alm_miner_resolve(m->miner, i) != ALM_NO_TEMPLATE)
            st = alm_normal_event(m, alm_miner_id(m->miner, i), &event[i], err);
    alm_table64_clear(&m->by_slot);
    size_t kept_slots = 0;
    for (size_t i = 0; i < m->n_slot && st == ALM_OK; i++) {
        alm_slot_values s = m->slot[i];
        uint32_t index = (uint32_t)(s.key >> 16);
        if (index >= n || alm_miner_resolve(m->miner, index) != index || event[index] == UINT32_MAX)
            continue; /* merged away: its places have moved */
        s.key = ((uint64_t)event[index] << 16) | (s.key & 0xFFFF);
        st = alm_table64_set(&m->by_slot, s.key, (uint32_t)kept_slots, err);
        m->slot[kept_slots++] = s;
    }
    m->n_slot = kept_slots;
    alm_free(event);
    return st == ALM_OK ? alm_normal_index(m, err) : st;
}

static alm_status find_groups(work *w, alm_error *err) {
    alm_learner *l = w->l;
    alm_table64 by_key = {0};
    alm_status st = ALM_OK;
    w->next = alm_alloc((l->n ? l->n : 1) * sizeof *w->next);
    if (!w->next) return alm_fail_memory(err);
    for (size_t i = 0; i < l->n && st == ALM_OK; i++) {
        w->next[i] = UINT32_MAX;
        if (!l->at[i].group) continue;
        uint32_t g = alm_table64_get(&by_key, l->at[i].group);
        if (g == UINT32_MAX) {
            if (!alm_grow((void **)&w->group, &w->cap_group, w->n_group + 1, sizeof *w->group))
                st = alm_fail_memory(err);
            else st = alm_table64_set(&by_key, l->at[i].group, (uint32_t)w->n_group, err);
            if (st != ALM_OK) break;
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): alm_grow has made room */
            w->group[w->n_group++] = (span){(uint32_t)i, (uint32_t)i, 1, false};
        } else {
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): g was found, so there are groups */
            w->next[w->group[g].last] = (uint32_t)i;
            w->group[g].last = (uint32_t)i;
            w->group[g].n++;
        }
    }
    alm_table64_free(&by_key);
    return st;
}

/* Gaps, lengths, and which groups are cut by the ends of the stream. */
static alm_status measure_groups(work *w, alm_error *err) {
    alm_learner *l = w->l;
    alm_normal *m = w->m;
    size_t n_e = m->n_event;
    uint32_t(*gap)[GAP_BINS] = alm_calloc(n_e, sizeof *gap), (*gap_ns)[GAP_BINS] = alm_calloc(n_e, sizeof *gap_ns);
    uint32_t *ends = alm_calloc(n_e * 3, sizeof *ends), *starts = ends + n_e, *n_of = ends + 2 * n_e;
    if (!gap || !gap_ns || !ends) {
        alm_free(gap);
        alm_free(gap_ns);
        alm_free(ends);
        return alm_fail_memory(err);
    }
    uint32_t length[GAP_BINS] = {0};
    for (size_t i = 0; i < w->n_group; i++) {
        span *s = &w->group[i];
        length[log2_bin(s->last - s->first)]++;
        starts[event_at(w, s->first)]++;
        ends[event_at(w, s->last)]++;
        for (uint32_t a = s->first, b = w->next[a]; b != UINT32_MAX; a = b, b = w->next[b]) {
            gap[event_at(w, a)][log2_bin(b - a)]++;
            int64_t from = l->at[a].time_ns, to = l->at[b].time_ns;
            if (from != ALM_NO_TIME && to != ALM_NO_TIME && to >= from)
                gap_ns[event_at(w, a)][log2_bin((uint64_t)(to - from) >> 20)]++;
            n_of[event_at(w, a)]++;
        }
        n_of[event_at(w, s->last)]++;
    }
    m->longest_group = quantile(length, 0.99) << l->level;
    for (size_t e = 0; e < n_e; e++) {
        m->event[e].gap = quantile(gap[e], 0.999) << l->level;
        m->event[e].gap_ns = (int64_t)(quantile(gap_ns[e], 0.999) << 20);
    }
    for (size_t i = 0; i < w->n_group && !m->sessions; i++) {
        span *s = &w->group[i];
        uint32_t last = event_at(w, s->last), first = event_at(w, s->first);
        uint64_t silent = (uint64_t)(l->n - 1 - s->last) << l->level;
        bool usual_end = 2 * (uint64_t)ends[last] >= n_of[last],
             usual_start = 2 * (uint64_t)starts[first] >= n_of[first];
        s->cut = (!usual_end && silent <= m->event[last].gap) ||
                 (!usual_start && ((uint64_t)s->first << l->level) <= m->longest_group);
    }
    alm_free(gap);
    alm_free(gap_ns);
    alm_free(ends);
    return ALM_OK;
}

/* Groups that are whole, by their end: that is by the order of their last records. */
static alm_status order_groups(work *w, alm_error *err) {
    alm_learner *l = w->l;
    uint32_t *by_last = alm_alloc((l->n ? l->n : 1) * sizeof *by_last);
    w->order = alm_alloc((w->n_group ? w->n_group : 1) * sizeof *w->order);
    if (!by_last || !w->order) {
        alm_free(by_last);
        return alm_fail_memory(err);
    }
    memset(by_last, 0xFF, l->n * sizeof *by_last);
    for (size_t i = 0; i < w->n_group; i++)
        if (!w->group[i].cut) by_last[w->group[i].last] = (uint32_t)i;
        else w->m->info.n_groups_cut++;
    for (size_t i = 0; i < l->n; i++)
        if (by_last[i] != UINT32_MAX) w->order[w->n_order++] = by_last[i];
    alm_free(by_last);
    return ALM_OK;
}

/* Width of the buckets for rates: the narrowest with 20 records on average, if there are 48 of them. */
static void choose_bucket(work *w, size_t cut) {
    static const int64_t width_s[] = {1, 10, 60, 600, 3600, 21600, 86400};
    int64_t low = INT64_MAX, high = INT64_MIN;
    uint64_t n = 0;
    if (w->l->level) return; /* records were dropped: their rate is not known */
    for (size_t i = 0; i < cut; i++) {
        int64_t t = w->l->at[i].time_ns;
        if (t == ALM_NO_TIME) continue;
        if (t < low) low = t;
        if (t > high) high = t;
        n++;
    }
    if (n < 20 * 48 || n < cut / 2 || high - low <= 0) return;
    for (size_t i = 0; i < sizeof width_s / sizeof *width_s; i++) {
        double buckets = (double)(high - low) / ((double)width_s[i] * 1e9);
        if (buckets < 48) return;
        if ((double)n / buckets < 20) continue;
        w->m->bucket_ns = width_s[i] * 1000000000;
        w->m->season = width_s[i] <= 3600 && (double)(high - low) >= 3 * 86400e9;
        return;
    }
}

static alm_look look_at(const work *w, size_t i) {
    const kept *k = &w->l->at[i];
    uint32_t e = event_at(w, i);
    return (alm_look){.event = e,
                      .severity = k->what >> SEVERITY_SHIFT & 3,
                      .unseen = !w->seen[e],
                      .free = !k->group,
                      .time_ns = k->time_ns};
}

/* The stream before `cut`: frequencies and rates. */
static alm_status learn_stream(work *w, size_t cut, alm_error *err) {
    alm_normal *m = w->m;
    alm_status st = ALM_OK;
    choose_bucket(w, cut);
    m->rate_learns = true;
    for (size_t i = 0; i < cut && st == ALM_OK; i++) {
        alm_look look = look_at(w, i);
        alm_evidence e;
        if (look.free) w->seen[look.event] = 1;
        for (size_t d = 0; d < ALM_DETECTOR_COUNT && st == ALM_OK; d++)
            if (alm_detectors[d]->learn_record && d != ALM_DETECT_value)
                st = alm_detectors[d]->learn_record(m, &look, err);
        look.free = false; /* rates: count, and leave the evidence */
        alm_detector_rate.record(m, &look, &e);
    }
    m->rate_learns = false;
    m->rate_score = 0;
    return st;
}

static alm_status learn_group(work *w, const span *s, alm_error *err) {
    alm_status st = ALM_OK;
    alm_group_begin(&w->g);
    for (uint32_t i = s->first; i != UINT32_MAX && st == ALM_OK; i = w->next[i]) {
        uint32_t e = event_at(w, i);
        w->seen[e] = 1;
        for (size_t d = 0; d < ALM_DETECTOR_COUNT && st == ALM_OK; d++)
            if (alm_detectors[d]->learn_step) st = alm_detectors[d]->learn_step(w->m, &w->g, e, err);
        if (st == ALM_OK) st = alm_group_take(&w->g, e, err);
    }
    return st == ALM_OK ? alm_learn_end_of(w->m, &w->g, err) : st;
}

static int larger_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x > y ? -1 : x < y;
}

/* A score of the calibration part; beyond the bound every second one so far is dropped. */
static alm_status add_score(double **list, size_t *n, size_t *cap, double score, alm_error *err) {
    if (!alm_grow((void **)list, cap, *n + 1, sizeof **list)) return alm_fail_memory(err);
    (*list)[(*n)++] = score;
    return ALM_OK;
}

static alm_status score_group(work *w, const span *s, alm_error *err) {
    alm_normal *m = w->m;
    alm_status st = ALM_OK;
    alm_group_begin(&w->g);
    for (uint32_t i = s->first; i != UINT32_MAX && st == ALM_OK; i = w->next[i]) {
        alm_look look = look_at(w, i);
        double value = (double)w->l->at[i].value, left = 16 - w->g.value_parts;
        st = alm_score_step(m, &w->g, &look, err);
        if (value > left) value = left;
        w->g.value_parts += value;
        w->g.parts += value;
    }
    unsigned n;
    if (st != ALM_OK) return st;
    return add_score(&m->group_cal, &m->n_group_cal, &m->cap_group_cal, alm_score_group(m, &w->g, true, NULL, 0, &n),
                     err);
}

static alm_status remember_group(work *w, const span *s, alm_error *err) {
    alm_status st = ALM_OK;
    alm_group_begin(&w->g);
    for (uint32_t i = s->first; i != UINT32_MAX && st == ALM_OK; i = w->next[i]) {
        uint32_t e = event_at(w, i);
        for (size_t d = 0; d < ALM_DETECTOR_COUNT && st == ALM_OK; d++)
            if (alm_detectors[d]->remember_step) st = alm_detectors[d]->remember_step(w->m, &w->g, e, err);
        if (st == ALM_OK) st = alm_group_take(&w->g, e, err);
    }
    for (size_t d = 0; d < ALM_DETECTOR_COUNT && st == ALM_OK; d++)
        if (alm_detectors[d]->remember_end) st = alm_detectors[d]->remember_end(w->m, &w->g, err);
    return st;
}

static alm_status score_stream(work *w, size_t cut, alm_error *err) {
    alm_normal *m = w->m;
    alm_status st = ALM_OK;
    for (size_t i = cut; i < w->l->n && st == ALM_OK; i++) {
        alm_look look = look_at(w, i);
        unsigned n;
        alm_evidence e;
        if (!look.free) {
            alm_detector_rate.record(m, &look, &e);
            continue;
        }
        m->info.n_free_calibrate++;
        double score = alm_score_record(m, &look, NULL, 0, &n) + (double)w->l->at[i].value;
        st = add_score(&m->free_cal, &m->n_free_cal, &m->cap_free_cal, score, err);
    }
    if (m->n_free_cal > ALM_CALIBRATION_MAX) { /* the latest ones */
        memmove(m->free_cal, m->free_cal + m->n_free_cal - ALM_CALIBRATION_MAX,
                ALM_CALIBRATION_MAX * sizeof *m->free_cal);
        m->n_free_cal = ALM_CALIBRATION_MAX;
    }
    return st;
}

/* The language model learns; what it says of the records behind the cut joins their value part. */
static alm_status learn_language(work *w, alm_error *err) {
    alm_learner *l = w->l;
    if (!l->lines) return ALM_OK;
    size_t n = alm_surprise_lines_count(l->lines), at = 0;
    float *part = alm_calloc(n ? n : 1, sizeof *part);
    if (!part) return alm_fail_memory(err);
    uint64_t cut = l->n_given / 4 * 3 + l->n_given % 4 * FIT_SHARE;
    alm_status st = alm_surprise_learn(l->m, l->lines, &l->o, cut, part, err);
    for (size_t i = 0; i < l->n && st == ALM_OK; i++)
        if (l->at[i].what >> READ_SHIFT && at < n) l->at[i].value += part[at++];
    alm_free(part);
    return st;
}

static alm_status fit_and_calibrate(work *w, alm_error *err) {
    alm_normal *m = w->m;
    size_t cut = w->l->n / 4 * 3 + w->l->n % 4 * FIT_SHARE, n_fit = w->n_order * FIT_SHARE;
    w->seen = alm_calloc(m->n_event, 1);
    if (!w->seen) return alm_fail_memory(err);
    alm_status st = learn_stream(w, cut, err);
    for (size_t i = 0; i < n_fit && st == ALM_OK; i++) st = learn_group(w, &w->group[w->order[i]], err);
    for (size_t d = 0; d < ALM_DETECTOR_COUNT && st == ALM_OK; d++)
        if (alm_detectors[d]->settle && (n_fit || d != ALM_DETECT_counts)) st = alm_detectors[d]->settle(m, err);
    for (size_t i = n_fit; i < w->n_order && st == ALM_OK; i++) st = score_group(w, &w->group[w->order[i]], err);
    for (size_t i = n_fit; i < w->n_order && st == ALM_OK; i++) st = remember_group(w, &w->group[w->order[i]], err);
    if (st == ALM_OK) st = score_stream(w, cut, err);
    if (st != ALM_OK) return st;
    if (m->n_group_cal) qsort(m->group_cal, m->n_group_cal, sizeof *m->group_cal, larger_first);
    m->info.n_groups_fit = n_fit;
    m->info.n_groups_calibrate = w->n_order - n_fit;
    m->info.n_free_fit = (uint64_t)m->n_free;
    /* What only the calibration part had is known from now on. */
    for (size_t e = ALM_EVENT_FIRST; e < m->n_event; e++)
        if (m->event[e].n_all < 1) m->event[e].n_all = 1;
    m->rate_score = 0;
    m->bucket_open = false;
    for (size_t i = 0; i < m->n_rate; i++) m->rate[i].now = 0;
    m->settled = true;
    return ALM_OK;
}

void alm_normal_describe(alm_normal *m) {
    m->info.alpha = m->alpha;
    m->info.threshold = alm_calibrate_threshold(m->group_cal, m->n_group_cal, m->alpha, &m->info.guarantee);
    if (m->rule.kind == ALM_RULE_NONE) {
        m->info.threshold = 0;
        m->info.guarantee = (double)m->n_free_cal * m->alpha >= 1 ? ALM_GUARANTEE_ADAPTIVE : ALM_GUARANTEE_NONE;
    }
    m->info.rate_bucket_s = (double)m->bucket_ns / 1e9;
    m->info.n_templates = m->n_event - ALM_EVENT_FIRST;
}

alm_status alm_learn_finish(alm_normal **out, alm_learner *l, alm_error *err) {
    if (l->finished) return alm_fail(err, ALM_INVALID, "learn: it is finished");
    if (l->n_given == 0) return alm_fail(err, ALM_INVALID, "there was no record to learn from");
    if (l->searching) choose_rule(l);
    if (l->group_by && l->m->rule.kind != ALM_RULE_NONE && l->n_grouped == 0) {
        alm_fail(err, ALM_NOT_FOUND, "group-by %s matched none of %llu records", l->group_by,
                 (unsigned long long)l->n_given);
        alm_hint(err, "leave --group-by out to have the identifier found, or use --group-by off");
        return ALM_NOT_FOUND;
    }
    l->finished = true; /* whatever happens now: what was kept is being turned over */
    work w = {.l = l, .m = l->m};
    l->m->info = (alm_normal_info){.n_records = l->n_given, .n_labelled_out = l->n_labelled_out};
    alm_status st = give_events(l, err);
    if (st == ALM_OK) st = find_groups(&w, err);
    if (st == ALM_OK) st = measure_groups(&w, err);
    if (st == ALM_OK) st = order_groups(&w, err);
    l->m->info.n_groups = w.n_group;
    if (st == ALM_OK) st = learn_language(&w, err);
    if (st == ALM_OK) st = fit_and_calibrate(&w, err);
    alm_free(w.group);
    alm_free(w.next);
    alm_free(w.order);
    alm_free(w.seen);
    alm_group_drop(&w.g);
    if (st != ALM_OK) return st;
    alm_normal_describe(l->m);
    *out = l->m;
    l->m = NULL;
    return ALM_OK;
}
