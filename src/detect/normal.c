/* SPDX-License-Identifier: Apache-2.0
 *
 * normal.c - the tables of what is normal, as memory: events and their ids, and a group in the making.
 *
 * Invariant: events 0 and 1 are the beginning and the end; every id occurs once in by_id; event_of maps each index of the
 * miner that has an event. A group's counts are sorted by event, each at least 1. */
#include "base/alloc.h"
#include "detect/detect.h"
#include "detect/surprise.h"

alm_status alm_normal_new(alm_normal **out, alm_error *err) {
    alm_normal *m = alm_calloc(1, sizeof *m);
    if (!m) return alm_fail_memory(err);
    m->alpha = 0.01;
    m->names = alm_buf_with_limit((size_t)256 << 20);
    uint32_t e;
    alm_status st = alm_normal_event(m, 0, &e, err);
    if (st == ALM_OK) st = alm_normal_event(m, 1, &e, err);
    if (st != ALM_OK) {
        alm_normal_free(m);
        return st;
    }
    *out = m;
    return ALM_OK;
}

void alm_normal_free(alm_normal *m) {
    if (!m) return;
    alm_group_rule_free(&m->rule);
    alm_miner_free(m->miner);
    alm_free(m->event_of);
    alm_free(m->event);
    alm_table64_free(&m->by_id);
    alm_buf_free(&m->names);
    alm_table64_free(&m->pair);
    alm_free(m->pair_n);
    alm_free(m->pool);
    alm_free(m->vector);
    alm_table64_free(&m->by_vector);
    alm_free(m->eps[0]);
    alm_free(m->eps[1]);
    alm_table64_free(&m->by_slot);
    alm_free(m->slot);
    alm_free(m->rate);
    alm_surprise_free(m->surprise);
    alm_free(m->group_cal);
    alm_free(m->free_cal);
    alm_free(m);
}

alm_status alm_normal_event(alm_normal *m, uint64_t id, uint32_t *out, alm_error *err) {
    uint32_t e = alm_table64_get(&m->by_id, id);
    if (e == UINT32_MAX) {
        if (m->n_event >= ALM_MAX_EVENTS)
            return alm_fail(err, ALM_LIMIT, "more than %d different events", ALM_MAX_EVENTS);
        if (!alm_grow((void **)&m->event, &m->cap_event, m->n_event + 1, sizeof *m->event)) return alm_fail_memory(err);
        e = (uint32_t)m->n_event;
        alm_status st = alm_table64_set(&m->by_id, id, e, err);
        if (st != ALM_OK) return st;
        m->event[m->n_event++] = (alm_event_row){.id = id};
    }
    *out = e;
    return ALM_OK;
}

alm_status alm_normal_index(alm_normal *m, alm_error *err) {
    uint32_t n = m->miner ? alm_miner_n_index(m->miner) : 0;
    uint32_t *of = alm_alloc((n ? n : 1) * sizeof *of);
    if (!of) return alm_fail_memory(err);
    for (uint32_t i = 0; i < n; i++) of[i] = alm_table64_get(&m->by_id, alm_miner_id(m->miner, i));
    alm_free(m->event_of);
    m->event_of = of;
    m->n_event_of = n;
    return ALM_OK;
}

const char *alm_say(const alm_normal *m, const char *english) { return m->translate ? m->translate(english) : english; }

void alm_normal_translate(alm_normal *m, const char *(*translate)(const char *english)) { m->translate = translate; }

void alm_normal_name(const alm_normal *m, uint32_t event, char out[ALM_NAME_BYTES]) {
    out[0] = 0;
    if (event >= m->n_event) return;
    const alm_event_row *row = &m->event[event];
    alm_buf text = alm_buf_with_limit(1 << 16);
    if (event == ALM_EVENT_START) alm_buf_add_text(&text, alm_say(m, "the beginning"));
    else if (event == ALM_EVENT_END) alm_buf_add_text(&text, alm_say(m, "the end"));
    else if (row->name_n) alm_buf_add(&text, m->names.at + row->name_at, row->name_n);
    else if (row->novel) {
        if (m->novel) alm_miner_text(m->novel, row->novel - 1, ALM_TEXT_TYPED, &text);
    } else if (m->miner) {
        uint32_t index = alm_miner_find(m->miner, row->id);
        if (index != ALM_NO_TEMPLATE) alm_miner_text(m->miner, index, ALM_TEXT_TYPED, &text);
    }
    enum { MOST = 110 };
    size_t n = text.n < MOST ? text.n : MOST, at = 0;
    while (n > 0 && n < text.n && ((unsigned char)text.at[n] & 0xC0) == 0x80) n--;
    out[at++] = '"';
    for (size_t i = 0; i < n; i++) out[at++] = text.at[i] ? text.at[i] : ' ';
    if (n < text.n) memcpy(out + at, "…", sizeof "…" - 1), at += sizeof "…" - 1;
    out[at++] = '"';
    out[at] = 0;
    alm_buf_free(&text);
}

void alm_normal_info_of(const alm_normal *m, alm_normal_info *out) {
    *out = m->info;
    alm_buf b = alm_buf_with_limit(4096);
    alm_group_rule_text(&m->rule, m->translate, &b);
    size_t n = b.n < sizeof out->group_rule - 1 ? b.n : sizeof out->group_rule - 1;
    while (n > 0 && n < b.n && ((unsigned char)b.at[n] & 0xC0) == 0x80) n--;
    if (n) memcpy(out->group_rule, b.at, n);
    out->group_rule[n] = 0;
    alm_buf_free(&b);
}
bool alm_normal_sessions(const alm_normal *m) { return m->sessions; }
const char *alm_normal_group_field(const alm_normal *m) { return m->rule.kind == ALM_RULE_FIELD ? m->rule.text : NULL; }

void alm_group_begin(alm_group *g) {
    alm_count *count = g->count;
    uint32_t cap = g->cap_count, *sequence = g->sequence, cap_sequence = g->cap_sequence;
    *g = (alm_group){.count = count,
                     .cap_count = cap,
                     .sequence = sequence,
                     .cap_sequence = cap_sequence,
                     .label = -1,
                     .first_ns = ALM_NO_TIME,
                     .last_ns = ALM_NO_TIME};
}

void alm_group_drop(alm_group *g) {
    alm_free(g->count);
    alm_free(g->sequence);
    g->count = NULL;
    g->sequence = NULL;
    g->cap_count = g->n_count = g->cap_sequence = 0;
}

alm_status alm_group_take(alm_group *g, uint32_t event, alm_error *err) {
    uint32_t low = 0, high = g->n_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->count[mid].event < event) low = mid + 1;
        else high = mid;
    }
    if (low < g->n_count && g->count[low].event == event) {
        if (g->count[low].n < UINT32_MAX) g->count[low].n++;
    } else if (g->n_count >= ALM_GROUP_COUNTS) {
        g->overflow = true;
    } else {
        size_t cap = g->cap_count;
        if (!alm_grow((void **)&g->count, &cap, g->n_count + 1, sizeof *g->count)) return alm_fail_memory(err);
        g->cap_count = (uint32_t)cap;
        memmove(g->count + low + 1, g->count + low, (g->n_count - low) * sizeof *g->count);
        g->count[low] = (alm_count){event, 1};
        g->n_count++;
    }
    if (g->n_records == 0) g->first = event;
    g->last = event;
    g->n_records++;
    return ALM_OK;
}

bool alm_group_first_time(alm_group *g, uint64_t what) {
    enum { ROOM = sizeof g->novel / sizeof *g->novel };
    for (unsigned i = 0; i < g->n_novel; i++)
        if (g->novel[i] == what) return false;
    if (g->n_novel >= ROOM) return false; /* strange enough */
    g->novel[g->n_novel++] = what;
    return true;
}
