/* SPDX-License-Identifier: Apache-2.0
 *
 * rate.c - detector: a template that comes much more often, or more seldom, than at this time of day.
 *
 * Time is cut into buckets; their width is chosen while learning so that a bucket holds 20 records on average and the fit
 * part has at least 48 buckets (else there are no rates). Where the fit part covers three days, each hour of the day has its
 * own statistics. For each event and hour: mean and variance of t = 2 sqrt(count + 3/8), which makes counts nearly normal
 * with variance 1, over all buckets, also those in which the event did not come. The variance used is at least 1 (that of a
 * Poisson count), and more where the counts were more restless.
 *
 * When a bucket ends, each event with n >= 20 buckets is compared by Student's statistic, and
 *     (n / 2) log(1 + z^2 / (n - 1)) - log(2 k)        z = (t - mean) / sqrt(var (1 + 1/n)),  k events compared
 * is its part; the largest, if above 3, goes to the next record outside groups (an ordinary rate adds nothing).
 * A flood does not wait for the end of its bucket: at 16, 32, 64 ... records the same is asked, with log(10) less.
 * So a template that stopped coming is noticed by the record after the silence. A clock that jumps back counts into the open
 * bucket. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/detect.h"
#include "detect/words.h"

enum { ENOUGH = 20, MOST_EMPTY = 200, FLOOD = 16, LOOKS = 10 };
#define LEAST_PART 3.0
#define MOST_PART  15.0
#define DAY_NS     ((int64_t)86400 * 1000000000)

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static unsigned season_of(const alm_normal *m, int64_t bucket) {
    if (!m->season) return 0;
    int64_t ns = bucket * m->bucket_ns; /* fits: bucket is a time divided by bucket_ns */
    return (unsigned)((ns - floor_div(ns, DAY_NS) * DAY_NS) / (DAY_NS / ALM_SEASON_SLOTS)) % ALM_SEASON_SLOTS;
}

/* Part of one event when the bucket ends with its count. */
static double part_of(const alm_rate_row *r, unsigned s, double *mean) {
    double n = r->n[s];
    if (n < ENOUGH) return 0;
    double mu = r->sum[s] / n, var = (r->sum2[s] - n * mu * mu) / (n - 1);
    if (!(var > 1)) var = 1;
    double t = 2 * __builtin_sqrt(r->now + 0.375), z2 = (t - mu) * (t - mu) / (var * (1 + 1 / n));
    *mean = mu * mu / 4 - 0.375;
    if (*mean < 0) *mean = 0;
    return n / 2 * alm_log1p_f64(z2 / (n - 1));
}

static void close_bucket(alm_normal *m) {
    unsigned s = season_of(m, m->bucket);
    double k = 0, best = 0, mean = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < m->n_rate; i++) k += m->rate[i].n[s] >= ENOUGH;
    for (size_t i = 0; i < m->n_rate; i++) {
        double mu = 0, part = part_of(&m->rate[i], s, &mu);
        if (part > best) {
            best = part;
            mean = mu;
            at = (uint32_t)i;
        }
    }
    best -= k > 0 ? alm_log_f64(2 * k) : 0;
    if (best > LEAST_PART && best > m->rate_score) {
        m->rate_score = best < MOST_PART ? best : MOST_PART;
        m->rate_evidence = (alm_evidence){.a = at, .b = s, .x = (uint64_t)m->rate[at].now, .z = mean};
    }
    for (size_t i = 0; i < m->n_rate; i++) {
        alm_rate_row *r = &m->rate[i];
        if (m->rate_learns && best <= LEAST_PART) {
            double t = 2 * __builtin_sqrt(r->now + 0.375);
            r->n[s] += 1;
            r->sum[s] += t;
            r->sum2[s] += t * t;
        }
        r->now = 0;
    }
    m->n_buckets += 1;
}

/* Time moves on to the record's bucket; evidence of what ended waits in rate_score. */
static void move_to(alm_normal *m, int64_t time_ns) {
    int64_t to = floor_div(time_ns, m->bucket_ns);
    if (!m->bucket_open) {
        m->bucket = to;
        m->bucket_open = true;
    }
    unsigned n = 0;
    while (m->bucket < to) {
        close_bucket(m);
        m->bucket++;
        if (++n >= MOST_EMPTY) m->bucket = to; /* a long gap: the source was off, not each template silent */
    }
}

/* A flood is noticed while it comes: at 16, 32, 64 ... records of one template in the open bucket. */
static void look_early(alm_normal *m, uint32_t event) {
    alm_rate_row *r = &m->rate[event];
    uint64_t n = (uint64_t)r->now;
    unsigned s = season_of(m, m->bucket);
    if (n < FLOOD || (n & (n - 1)) || r->n[s] < ENOUGH) return;
    double k = 0, mean = 0, part = part_of(r, s, &mean);
    if (r->now <= mean) return;
    for (size_t i = 0; i < m->n_rate; i++) k += m->rate[i].n[s] >= ENOUGH;
    part -= alm_log_f64(2 * k * LOOKS);
    if (part <= LEAST_PART || part <= m->rate_score) return;
    m->rate_score = part < MOST_PART ? part : MOST_PART;
    m->rate_evidence = (alm_evidence){.a = event, .b = s, .x = n, .z = mean};
}

static double record(alm_normal *m, const alm_look *look, alm_evidence *e) {
    if (m->bucket_ns && look->time_ns != ALM_NO_TIME) {
        move_to(m, look->time_ns);
        if (look->event < m->n_rate) {
            m->rate[look->event].now += 1;
            look_early(m, look->event);
        }
    }
    if (!look->free || m->rate_score <= 0) return 0;
    double part = m->rate_score;
    *e = m->rate_evidence;
    e->tail = alm_exp_f64(-part) * m->n_buckets / (m->n_records + 1); /* a chance a bucket, as one a record */
    m->rate_score = 0;
    return part;
}

static alm_status learn_record(alm_normal *m, const alm_look *look, alm_error *err) {
    if (!m->bucket_ns || look->event >= ALM_RATE_MAX_EVENTS) return ALM_OK;
    if (look->event < m->n_rate) return ALM_OK;
    if (!alm_grow((void **)&m->rate, &m->cap_rate, look->event + 1, sizeof *m->rate)) return alm_fail_memory(err);
    while (m->n_rate <= look->event) m->rate[m->n_rate++] = (alm_rate_row){0};
    return ALM_OK;
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    char name[ALM_NAME_BYTES];
    alm_normal_name(m, e->a, name);
    double s = (double)m->bucket_ns / 1e9;
    const char *unit = s >= 3600 ? "h" : s >= 60 ? "min" : "s";
    double length = s >= 3600 ? s / 3600 : s >= 60 ? s / 60 : s;
    alm_buf_printf(out,
                   m->season ? alm_say(m, "%s came %llu times in %.0f %s, usually about %.*f at this time of day")
                             : alm_say(m, "%s came %llu times in %.0f %s, usually about %.*f"),
                   name, (unsigned long long)e->x, length, unit, e->z < 10 ? 1 : 0, e->z);
}

static bool save(const alm_normal *m, alm_buf *out) {
    bool fine = alm_buf_add_le64(out, (uint64_t)m->bucket_ns) && alm_buf_add_le64(out, m->season) &&
                alm_buf_add_le64(out, m->n_rate);
    unsigned n_s = m->season ? ALM_SEASON_SLOTS : 1;
    for (size_t i = 0; i < m->n_rate && fine; i++)
        for (unsigned s = 0; s < n_s && fine; s++)
            fine = alm_buf_add_le64(out, (uint64_t)m->rate[i].n[s]) && alm_words_add_f64(out, m->rate[i].sum[s]) &&
                   alm_words_add_f64(out, m->rate[i].sum2[s]);
    return fine;
}

static alm_status load(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    m->bucket_ns = (int64_t)alm_words_below(&w, (uint64_t)DAY_NS + 1);
    m->season = alm_words_below(&w, 2) != 0;
    unsigned n_s = m->season ? ALM_SEASON_SLOTS : 1;
    uint64_t n = alm_words_count(&w, 3 * n_s, ALM_RATE_MAX_EVENTS);
    if (n > m->n_event) w.fine = false;
    if (w.fine && n) {
        alm_look last = {.event = (uint32_t)n - 1};
        int64_t keep = m->bucket_ns;
        m->bucket_ns = keep ? keep : 1;
        alm_status st = learn_record(m, &last, err);
        m->bucket_ns = keep;
        if (st != ALM_OK) return st;
    }
    for (uint64_t i = 0; i < n && w.fine; i++)
        for (unsigned s = 0; s < n_s; s++) {
            m->rate[i].n[s] = (double)alm_words_below(&w, (uint64_t)1 << 53);
            m->rate[i].sum[s] = alm_words_f64(&w);
            m->rate[i].sum2[s] = alm_words_f64(&w);
        }
    if (w.fine && m->bucket_ns > 0 && m->bucket_ns < 1000000) w.fine = false;
    return alm_words_end(&w, "alm.rate", err);
}

const alm_detector alm_detector_rate = {.name = "rate",
                                        .text = "rate of a template over time",
                                        .record = record,
                                        .learn_record = learn_record,
                                        .say = say,
                                        .save = save,
                                        .load = load};
