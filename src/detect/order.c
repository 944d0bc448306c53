/* SPDX-License-Identifier: Apache-2.0
 *
 * order.c - detector: an event behind one that it never followed, and a session that should have gone on.
 *
 * Pairs of neighbours are counted over the learned sessions, with the beginning and the end of a session as events of their
 * own. A pair (a, b) that never occurred adds  log(1 + E),  E = n(a, .) n(., b) / N: how often chance would have brought it.
 * So "b never follows a" weighs much when both are common, and nothing when one of them is rare: the back-off from the pair
 * to its single events. A pair that did occur, however seldom, adds nothing: many orders of parallel work are normal, and
 * their frequencies would drown what matters. Each different pair counts once in a group.
 *
 * The end is a pair too: (last, end) unseen means that the session should have gone on; it counts only when the group is
 * known to have ended (detect.c), not when the input did. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/detect.h"
#include "detect/words.h"
#include <stdlib.h>

static uint64_t key_of(uint32_t a, uint32_t b) { return ((uint64_t)a << 32) | b; }

/* Nats for b behind a; 0 when the pair is known. */
static double novelty(const alm_normal *m, uint32_t a, uint32_t b) {
    if (m->n_pairs_all <= 0 || a >= m->n_event || b >= m->n_event) return 0;
    if (alm_table64_get(&m->pair, key_of(a, b)) != UINT32_MAX) return 0;
    return alm_log1p_f64(m->event[a].n_from * m->event[b].n_to / m->n_pairs_all);
}

static double step(alm_normal *m, alm_group *g, const alm_look *look, alm_evidence *e) {
    uint32_t before = g->n_records ? g->last : ALM_EVENT_START;
    if (before == ALM_EVENT_START && g->cut_start) return 0;
    double part = novelty(m, before, look->event);
    if (part <= 0 || !alm_group_first_time(g, key_of(before, look->event))) return 0;
    e->a = before;
    e->b = look->event;
    e->x = (uint64_t)m->event[before].n_from;
    return part;
}

static double end(alm_normal *m, const alm_group *g, bool ended, alm_evidence *e) {
    if (!ended) return 0;
    e->a = g->last;
    e->b = ALM_EVENT_END;
    e->x = (uint64_t)m->event[g->last].n_from;
    return novelty(m, g->last, ALM_EVENT_END);
}

static alm_status know_pair(alm_normal *m, uint32_t a, uint32_t b, uint32_t *out, alm_error *err) {
    *out = alm_table64_get(&m->pair, key_of(a, b));
    if (*out != UINT32_MAX || m->n_pair >= ALM_MAX_PAIRS)
        return ALM_OK; /* when the table is full, what is new stays new */
    if (!alm_grow((void **)&m->pair_n, &m->cap_pair, m->n_pair + 1, sizeof *m->pair_n)) return alm_fail_memory(err);
    alm_status st = alm_table64_set(&m->pair, key_of(a, b), (uint32_t)m->n_pair, err);
    if (st != ALM_OK) return st;
    m->pair_n[m->n_pair] = 0;
    *out = (uint32_t)m->n_pair++;
    return ALM_OK;
}

static alm_status learn_pair(alm_normal *m, uint32_t a, uint32_t b, alm_error *err) {
    uint32_t i;
    alm_status st = know_pair(m, a, b, &i, err);
    if (st != ALM_OK || i == UINT32_MAX) return st;
    m->pair_n[i] += 1;
    m->event[a].n_from += 1;
    m->event[b].n_to += 1;
    m->n_pairs_all += 1;
    return ALM_OK;
}

static alm_status remember_step(alm_normal *m, const alm_group *g, uint32_t event, alm_error *err) {
    uint32_t i;
    return know_pair(m, g->n_records ? g->last : ALM_EVENT_START, event, &i, err);
}

static alm_status remember_end(alm_normal *m, const alm_group *g, alm_error *err) {
    uint32_t i;
    return know_pair(m, g->last, ALM_EVENT_END, &i, err);
}

static alm_status learn_step(alm_normal *m, const alm_group *g, uint32_t event, alm_error *err) {
    return learn_pair(m, g->n_records ? g->last : ALM_EVENT_START, event, err);
}

static alm_status learn_end(alm_normal *m, const alm_group *g, alm_error *err) {
    m->event[g->last].n_ends += 1;
    return learn_pair(m, g->last, ALM_EVENT_END, err);
}

/* The likeliest event behind a (the end excluded), and its share among what follows. */
static uint32_t likeliest(const alm_normal *m, uint32_t a, double *share) {
    uint32_t best = ALM_EVENT_END;
    double most = 0;
    for (size_t i = 0; i < m->pair.cap; i++) {
        if (!m->pair.value[i] || (uint32_t)(m->pair.key[i] >> 32) != a) continue;
        uint32_t b = (uint32_t)m->pair.key[i];
        double n = m->pair_n[m->pair.value[i] - 1];
        if (b != ALM_EVENT_END && (n > most || (n == most && b < best))) {
            most = n;
            best = b;
        }
    }
    *share = m->event[a].n_from > 0 ? most / m->event[a].n_from : 0;
    return best;
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    double share;
    char before[ALM_NAME_BYTES], after[ALM_NAME_BYTES];
    unsigned long long n = (unsigned long long)e->x;
    alm_normal_name(m, e->a, before);
    if (e->b == ALM_EVENT_END) {
        uint32_t next = likeliest(m, e->a, &share);
        alm_normal_name(m, next, after);
        if (next == ALM_EVENT_END)
            alm_buf_printf(out, alm_say(m, "ended after %s: none of %llu sessions ended there"), before, n);
        else
            alm_buf_printf(out, alm_say(m, "ended after %s: none of %llu sessions ended there, %.0f %% go on with %s"),
                           before, n, share * 100, after);
        return;
    }
    alm_normal_name(m, e->b, after);
    if (e->a == ALM_EVENT_START)
        alm_buf_printf(out, alm_say(m, "begins with %s, as none of %llu sessions did while learning"), after, n);
    else
        alm_buf_printf(out, alm_say(m, "%s came right after %s, never so in %llu times while learning"), after, before,
                       n);
}

static int by_key(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

/* Pairs sorted by key, each key and count: the file does not depend on the table's size. */
static bool save(const alm_normal *m, alm_buf *out) {
    uint64_t *key = alm_alloc((m->n_pair ? m->n_pair : 1) * sizeof *key);
    if (!key) return false;
    size_t n = 0;
    for (size_t i = 0; i < m->pair.cap; i++)
        if (m->pair.value[i]) key[n++] = m->pair.key[i];
    if (n) qsort(key, n, sizeof *key, by_key);
    bool fine = alm_buf_add_le64(out, n);
    for (size_t i = 0; i < n && fine; i++)
        fine = alm_buf_add_le64(out, key[i]) &&
               alm_buf_add_le64(out, (uint64_t)m->pair_n[alm_table64_get(&m->pair, key[i])]);
    alm_free(key);
    return fine;
}

static alm_status load(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    uint64_t n = alm_words_count(&w, 2, ALM_MAX_PAIRS);
    for (uint64_t i = 0; i < n && w.fine; i++) {
        uint64_t key = alm_words_u64(&w), count = alm_words_below(&w, (uint64_t)1 << 53);
        uint32_t a = (uint32_t)(key >> 32), b = (uint32_t)key;
        if (a >= m->n_event || b >= m->n_event) w.fine = false;
        if (!w.fine) break;
        uint32_t at;
        alm_status st = know_pair(m, a, b, &at, err);
        if (st != ALM_OK) return st;
        if (at == UINT32_MAX) continue;
        m->pair_n[at] += (double)count;
        m->event[a].n_from += (double)count;
        m->event[b].n_to += (double)count;
        m->n_pairs_all += (double)count;
    }
    return alm_words_end(&w, "alm.order", err);
}

const alm_detector alm_detector_order = {.name = "order",
                                         .text = "order of events",
                                         .step = step,
                                         .end = end,
                                         .learn_step = learn_step,
                                         .learn_end = learn_end,
                                         .remember_step = remember_step,
                                         .remember_end = remember_end,
                                         .say = say,
                                         .save = save,
                                         .load = load};
