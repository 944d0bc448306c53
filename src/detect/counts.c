/* SPDX-License-Identifier: Apache-2.0
 *
 * counts.c - detector: how often each event occurs in a session.
 *
 * A session's count vector c is compared with the different vectors v that were learned:
 *   known, n_v of n sessions had it:   -log(n_v / n)
 *   new:                               log(n + 1) + min over v of D(c, v)
 *       D(c, v) = sum over events e with c_e != v_e of  -log eps(e, v_e > 0) + 1/2 log 2 |c_e - v_e|
 * eps(e, .) is the probability that the count of e differs between a session and its nearest learned neighbours, estimated
 * by leaving each learned session out (soft assignment, six rounds of expectation and maximisation). So an event whose count
 * varies from session to session costs little, and one that always comes three times costs much; no event is named.
 *
 * A new vector always ranks above every known one. Only the ALM_MAX_VECTORS first different vectors serve as neighbours. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/detect.h"
#include "detect/words.h"
#include <stdlib.h>

#define LN2 0.69314718055994530942
enum { ROUNDS = 6, LEFT_OUT = 512 };

static uint64_t hash_of(const alm_count *c, uint32_t n) {
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++) h = alm_hash_mix(h, ((uint64_t)c[i].event << 32) | c[i].n);
    return h;
}

static double eps_of(const alm_normal *m, uint32_t e, bool some) { return e < m->n_eps ? m->eps[some][e] : 0.05; }

/* D(c, v); *worst is the event that costs most. Stops early above `bound`. */
static double distance(const alm_normal *m, const alm_count *c, uint32_t n_c, const alm_count *v, uint32_t n_v,
                       double bound, alm_count *worst, uint32_t *theirs) {
    double sum = 0, most = -1;
    uint32_t i = 0, j = 0;
    while ((i < n_c || j < n_v) && sum <= bound) {
        uint32_t e, a = 0, b = 0;
        if (j >= n_v || (i < n_c && c[i].event < v[j].event)) {
            e = c[i].event;
            a = c[i++].n;
        } else if (i >= n_c || v[j].event < c[i].event) {
            e = v[j].event;
            b = v[j++].n;
        } else {
            e = c[i].event;
            a = c[i++].n;
            b = v[j++].n;
        }
        if (a == b) continue;
        double part = -alm_log_f64(eps_of(m, e, b > 0)) + 0.5 * LN2 * (a > b ? a - b : b - a);
        sum += part;
        if (part > most) {
            most = part;
            *worst = (alm_count){e, a};
            *theirs = b;
        }
    }
    return sum;
}

static double end(alm_normal *m, const alm_group *g, bool ended, alm_evidence *e) {
    if (!ended || m->n_groups <= 0 || g->cut_start || g->overflow) return 0;
    uint64_t h = hash_of(g->count, g->n_count);
    e->y = (uint64_t)m->n_groups;
    uint32_t known = alm_table64_get(&m->by_vector, h);
    if (known != UINT32_MAX) {
        e->a = ALM_EVENT_START;
        e->x = (uint64_t)m->vector[known].seen;
        return -alm_log_f64(m->vector[known].seen / m->n_groups);
    }
    size_t at = (size_t)(h & 255);
    if (m->memo[at].hash != h) {
        double best = 1e6;
        alm_count worst = {0};
        uint32_t theirs = 0;
        for (size_t i = 0; i < m->n_vector && i < ALM_MAX_VECTORS; i++) {
            alm_count w = {0};
            uint32_t t = 0;
            double d = distance(m, g->count, g->n_count, m->pool + m->vector[i].at, m->vector[i].n, best, &w, &t);
            if (d < best) {
                best = d;
                worst = w;
                theirs = t;
            }
        }
        m->memo[at].hash = h;
        m->memo[at].distance = best;
        m->memo[at].a = worst.event;
        m->memo[at].mine = worst.n;
        m->memo[at].theirs = theirs;
    }
    e->a = m->memo[at].a;
    e->b = m->memo[at].theirs;
    e->x = m->memo[at].mine;
    e->z = 1;
    return alm_log_f64(m->n_groups + 1) + m->memo[at].distance;
}

static alm_status add_vector(alm_normal *m, const alm_count *c, uint32_t n, double seen, alm_error *err) {
    uint64_t h = hash_of(c, n);
    uint32_t known = alm_table64_get(&m->by_vector, h);
    if (known != UINT32_MAX) {
        m->vector[known].seen += seen;
        return ALM_OK;
    }
    if (m->n_vector >= (1 << 20)) return ALM_OK;
    if (!alm_grow((void **)&m->pool, &m->cap_pool, m->n_pool + n, sizeof *m->pool) ||
        !alm_grow((void **)&m->vector, &m->cap_vector, m->n_vector + 1, sizeof *m->vector))
        return alm_fail_memory(err);
    alm_status st = alm_table64_set(&m->by_vector, h, (uint32_t)m->n_vector, err);
    if (st != ALM_OK) return st;
    if (n) memcpy(m->pool + m->n_pool, c, n * sizeof *c);
    m->vector[m->n_vector++] = (alm_vector){h, m->n_pool, n, seen};
    m->n_pool += n;
    for (unsigned i = 0; i < 256; i++) m->memo[i].hash = 0;
    return ALM_OK;
}

/* A vector of the calibration part is known, as rare as can be; counts of known ones stay. */
static alm_status remember_end(alm_normal *m, const alm_group *g, alm_error *err) {
    if (g->overflow || alm_table64_get(&m->by_vector, hash_of(g->count, g->n_count)) != UINT32_MAX) return ALM_OK;
    return add_vector(m, g->count, g->n_count, 1, err);
}

static alm_status settle(alm_normal *m, alm_error *err);

static alm_status learn_end(alm_normal *m, const alm_group *g, alm_error *err) {
    m->n_groups += 1;
    if (g->overflow) return ALM_OK;
    alm_status st = add_vector(m, g->count, g->n_count, 1, err);
    /* In a stream that is learned as it goes, eps is estimated anew whenever the sessions have doubled. */
    if (st == ALM_OK && m->settled && m->n_groups >= 20 && m->n_groups >= 2 * m->settled_at) st = settle(m, err);
    return st;
}

/* log of the likelihood of c as a copy of v, without the share of events that neither has. */
static double likeness(const alm_normal *m, double *const logs[4], const alm_vector *c, const alm_vector *v) {
    const alm_count *x = m->pool + c->at, *y = m->pool + v->at;
    double l = 0;
    uint32_t i = 0, j = 0;
    while (i < c->n || j < v->n) {
        if (j >= v->n || (i < c->n && x[i].event < y[j].event)) {
            l += logs[0][x[i].event] - logs[1][x[i].event] - x[i].n * LN2;
            i++;
        } else {
            uint32_t e = y[j].event, b = y[j].n, a = 0;
            if (i < c->n && x[i].event == e) a = x[i++].n;
            l += (a == b ? logs[3][e] : logs[2][e] - (a > b ? a - b : b - a) * LN2) - logs[1][e];
            j++;
        }
    }
    return l;
}

/* Adds weight w to what changed (0: none -> some, 1: some -> other) and to what there was to change. */
static void count_changes(const alm_normal *m, double *const changed[2], double *some, const alm_vector *c,
                          const alm_vector *v, double w) {
    const alm_count *x = m->pool + c->at, *y = m->pool + v->at;
    uint32_t i = 0, j = 0;
    while (i < c->n || j < v->n) {
        if (j >= v->n || (i < c->n && x[i].event < y[j].event)) {
            changed[0][x[i++].event] += w;
        } else {
            uint32_t e = y[j].event, a = 0;
            if (i < c->n && x[i].event == e) a = x[i++].n;
            if (a != y[j].n) changed[1][e] += w;
            some[e] += w;
            j++;
        }
    }
}

static void one_round(alm_normal *m, double *const logs[4], double *const changed[2], double *some, double *weight) {
    size_t n_e = m->n_eps, n_v = m->n_vector < ALM_MAX_VECTORS ? m->n_vector : ALM_MAX_VECTORS;
    for (size_t e = 0; e < n_e; e++) {
        for (unsigned b = 0; b < 2; b++) {
            logs[2 * b][e] = alm_log_f64(m->eps[b][e]);
            logs[2 * b + 1][e] = alm_log_f64(1 - m->eps[b][e]);
            changed[b][e] = 0;
        }
        some[e] = 0;
    }
    double total = 0;
    size_t stride = (n_v + LEFT_OUT - 1) / LEFT_OUT;
    for (size_t i = 0; i < n_v; i += stride) {
        const alm_vector *c = &m->vector[i];
        double most = -1e300, sum = 0;
        for (size_t j = 0; j < n_v; j++) {
            double seen = m->vector[j].seen - (i == j ? 1 : 0);
            weight[j] = seen > 0 ? alm_log_f64(seen) + likeness(m, logs, c, &m->vector[j]) : -1e300;
            if (weight[j] > most) most = weight[j];
        }
        if (most <= -1e299) continue;
        for (size_t j = 0; j < n_v; j++) {
            weight[j] = weight[j] - most < -30 ? 0 : alm_exp_f64(weight[j] - most);
            sum += weight[j];
        }
        for (size_t j = 0; j < n_v; j++)
            if (weight[j] > 0) count_changes(m, changed, some, c, &m->vector[j], c->seen * weight[j] / sum);
        total += c->seen;
    }
    for (size_t e = 0; e < n_e; e++) {
        double n[2] = {total - some[e], some[e]};
        for (unsigned b = 0; b < 2; b++) {
            double eps = (changed[b][e] + 0.05) / ((n[b] > 0 ? n[b] : 0) + 1);
            m->eps[b][e] = eps < 0.5 ? eps : 0.5;
        }
    }
}

static alm_status eps_room(alm_normal *m, size_t n_e, alm_error *err) {
    size_t cap = m->cap_eps;
    if (!alm_grow((void **)&m->eps[0], &cap, n_e, sizeof(double))) return alm_fail_memory(err);
    cap = m->cap_eps;
    if (!alm_grow((void **)&m->eps[1], &cap, n_e, sizeof(double))) return alm_fail_memory(err);
    m->cap_eps = cap;
    m->n_eps = n_e;
    return ALM_OK;
}

static alm_status settle(alm_normal *m, alm_error *err) {
    size_t n_e = m->n_event, n_v = m->n_vector < ALM_MAX_VECTORS ? m->n_vector : ALM_MAX_VECTORS;
    alm_status st = eps_room(m, n_e, err);
    if (st != ALM_OK) return st;
    for (unsigned b = 0; b < 2; b++)
        for (size_t e = 0; e < n_e; e++) m->eps[b][e] = 0.01;
    double *work = alm_calloc(n_e * 7 + n_v + 1, sizeof *work);
    if (!work) return alm_fail_memory(err);
    double *const logs[4] = {work, work + n_e, work + 2 * n_e, work + 3 * n_e};
    double *const changed[2] = {work + 4 * n_e, work + 5 * n_e};
    for (unsigned r = 0; r < ROUNDS; r++) one_round(m, logs, changed, work + 6 * n_e, work + 7 * n_e);
    alm_free(work);
    m->settled_at = m->n_groups;
    for (unsigned i = 0; i < 256; i++) m->memo[i].hash = 0;
    return ALM_OK;
}

/* Smallest and largest count of the event among the learned vectors. */
static void range_of(const alm_normal *m, uint32_t event, uint32_t *low, uint32_t *high) {
    *low = UINT32_MAX;
    *high = 0;
    for (size_t i = 0; i < m->n_vector; i++) {
        uint32_t n = 0;
        for (uint32_t j = 0; j < m->vector[i].n; j++)
            if (m->pool[m->vector[i].at + j].event == event) n = m->pool[m->vector[i].at + j].n;
        if (n < *low) *low = n;
        if (n > *high) *high = n;
    }
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    if (e->z <= 0) {
        alm_buf_printf(out, alm_say(m, "%llu of %llu sessions had these counts of events while learning"),
                       (unsigned long long)e->x, (unsigned long long)e->y);
        return;
    }
    uint32_t low, high;
    char name[ALM_NAME_BYTES];
    range_of(m, e->a, &low, &high);
    alm_normal_name(m, e->a, name);
    unsigned long long n = (unsigned long long)e->x;
    if (e->x > high) alm_buf_printf(out, alm_say(m, "count of %s is %llu, at most %u while learning"), name, n, high);
    else if (e->x < low)
        alm_buf_printf(out, alm_say(m, "count of %s is %llu, at least %u while learning"), name, n, low);
    else
        alm_buf_printf(out, alm_say(m, "count of %s is %llu, and %u in the most similar session that was learned"),
                       name, n, e->b);
}

static bool save(const alm_normal *m, alm_buf *out) {
    bool fine = alm_buf_add_le64(out, (uint64_t)m->n_groups) && alm_buf_add_le64(out, m->n_eps);
    for (size_t e = 0; e < m->n_eps && fine; e++)
        fine = alm_words_add_f64(out, m->eps[0][e]) && alm_words_add_f64(out, m->eps[1][e]);
    fine = fine && alm_buf_add_le64(out, m->n_vector);
    for (size_t i = 0; i < m->n_vector && fine; i++) {
        const alm_vector *v = &m->vector[i];
        fine = alm_buf_add_le64(out, (uint64_t)v->seen) && alm_buf_add_le64(out, v->n);
        for (uint32_t j = 0; j < v->n && fine; j++)
            fine = alm_buf_add_le64(out, ((uint64_t)m->pool[v->at + j].event << 32) | m->pool[v->at + j].n);
    }
    return fine;
}

static alm_status load(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    alm_count c[ALM_GROUP_COUNTS];
    uint64_t groups = alm_words_below(&w, (uint64_t)1 << 53);
    uint64_t n_eps = alm_words_count(&w, 2, m->n_event);
    alm_status room = w.fine ? eps_room(m, (size_t)n_eps, err) : ALM_OK;
    if (room != ALM_OK) return room;
    for (uint64_t e = 0; e < n_eps; e++)
        for (unsigned b = 0; b < 2; b++) {
            m->eps[b][e] = alm_words_f64(&w);
            if (!(m->eps[b][e] > 1e-12 && m->eps[b][e] <= 0.5)) w.fine = false;
        }
    uint64_t n = alm_words_count(&w, 2, 1 << 20);
    for (uint64_t i = 0; i < n && w.fine; i++) {
        uint64_t seen = alm_words_below(&w, (uint64_t)1 << 53);
        uint64_t n_c = alm_words_count(&w, 1, ALM_GROUP_COUNTS);
        for (uint64_t j = 0; j < n_c; j++) {
            uint64_t x = alm_words_u64(&w);
            c[j] = (alm_count){(uint32_t)(x >> 32), (uint32_t)x};
            if (c[j].event >= m->n_event || c[j].n == 0 || (j && c[j].event <= c[j - 1].event)) w.fine = false;
        }
        if (seen == 0) w.fine = false;
        if (!w.fine) break;
        alm_status st = add_vector(m, c, (uint32_t)n_c, (double)seen, err);
        if (st != ALM_OK) return st;
    }
    m->n_groups = (double)groups;
    m->settled_at = m->n_groups;
    return alm_words_end(&w, "alm.counts", err);
}

const alm_detector alm_detector_counts = {.name = "counts",
                                          .text = "counts of events in a session",
                                          .end = end,
                                          .learn_end = learn_end,
                                          .remember_end = remember_end,
                                          .settle = settle,
                                          .say = say,
                                          .save = save,
                                          .load = load};
