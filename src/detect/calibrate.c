/* SPDX-License-Identifier: Apache-2.0
 *
 * calibrate.c - from a score to a promise: split conformal prediction for groups, an adaptive level for streams.
 *
 * Fixed (groups). n scores of normal groups that were not learned from; the threshold is the k-th largest of them, and a
 * group alarms when its score is above it (a tie does not alarm: conservative). If the next normal groups are exchangeable
 * with the calibration groups, the rate of false alarms given this calibration set is at most Beta(k, n + 1 - k), whose mean
 * is k / (n + 1) (Vovk 2012). k is the largest with P(Beta(k, n + 1 - k) <= alpha) >= 0.95; when n is too small for that,
 * the largest with k / (n + 1) <= alpha; when n < 1/alpha - 1 there is none, and nothing is promised: then only what is above
 * all calibration scores alarms.
 *
 * Adaptive (records outside groups, and everything in prequential mode). p is the rank of the score among the last scores
 * that did not alarm, p = (#{>} + u (1 + #{=})) / (n + 1) with u from a hash of the record; the record alarms when p <= level, and level += GAMMA (alpha - alarm)
 * (adaptive conformal inference, Gibbs and Candes 2021). As long as the level stays in its bounds the number of alarms in T
 * records is within (bounds' width) / GAMMA of alpha T, whatever the stream does. The level is kept in [-1, 10 alpha]; a burst of alarms
 * is paid back by a lower level afterwards. But a level that has spent its alarms must not be blind to what is extreme: a
 * record is exempt from the level when one of its detectors states a tail probability below alpha / 10 (an unseen template
 * where the Good-Turing chance of a new one is that low, a new value, a rate), as long as fewer than
 * alpha T + sqrt(alpha T) + 1 of the T records so far have alarmed, which is within what chance gives at the promised rate. And
 * a score of at most log(1 / (10 alpha)) never alarms: ordinary records do not alarm only to use up the rate. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/detect.h"

#define CONFIDENCE  0.95
#define GAMMA       0.02
#define LEAST_LEVEL (-1.0)
#define MOST_LEVEL  10.0 /* times alpha */
enum { BINS = 4096, LEAST_WINDOW = 20 };
#define BIN_LOW   (-8.0)
#define BIN_WIDTH (1.0 / 64)

size_t alm_calibrate_rank(size_t n, double alpha, alm_guarantee *guarantee) {
    double most = alpha * (double)(n + 1);
    size_t marginal = most >= (double)n ? n : (size_t)most;
    if (marginal == 0) {
        *guarantee = ALM_GUARANTEE_NONE;
        return 0;
    }
    /* P(Beta(k, n + 1 - k) <= alpha) falls with k: look for the last k where it is high enough. */
    size_t low = 0, high = marginal;
    while (low < high) {
        size_t k = low + (high - low + 1) / 2;
        if (alm_beta_cdf(alpha, (double)k, (double)(n + 1 - k)) >= CONFIDENCE) low = k;
        else high = k - 1;
    }
    *guarantee = low ? ALM_GUARANTEE_TRAINING : ALM_GUARANTEE_MARGINAL;
    return low ? low : marginal;
}

double alm_calibrate_threshold(const double *cal, size_t n, double alpha, alm_guarantee *guarantee) {
    size_t k = alm_calibrate_rank(n, alpha, guarantee);
    if (n == 0) return 25; /* below an unseen template, above what known ones reach together in a small model */
    return cal[k ? k - 1 : 0];
}

double alm_calibrate_p(const double *cal, size_t n, double score) {
    size_t low = 0, high = n; /* how many are >= score */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cal[mid] >= score) low = mid + 1;
        else high = mid;
    }
    return (double)(low + 1) / (double)(n + 1);
}

static size_t bin_of(double score) {
    double b = (score - BIN_LOW) / BIN_WIDTH;
    return b < 0 ? 0 : b >= BINS - 1 ? BINS - 1 : (size_t)b;
}

static void tree_add(uint32_t *tree, size_t bin, bool take) {
    for (size_t i = bin + 1; i <= BINS; i += i & (~i + 1)) tree[i] = take ? tree[i] - 1 : tree[i] + 1;
}

/* How many scores lie in bins below. */
static uint64_t tree_below(const uint32_t *tree, size_t bin) {
    uint64_t sum = 0;
    for (size_t i = bin; i > 0; i &= i - 1) sum += tree[i];
    return sum;
}

alm_status alm_adaptive_new(alm_adaptive *a, double alpha, size_t window, alm_error *err) {
    *a = (alm_adaptive){.alpha = alpha, .level = alpha, .cap = window};
    a->ring = alm_calloc(window, sizeof *a->ring);
    a->tree = alm_calloc(BINS + 1, sizeof *a->tree);
    if (a->ring && a->tree) return ALM_OK;
    alm_adaptive_free(a);
    return alm_fail_memory(err);
}

void alm_adaptive_free(alm_adaptive *a) {
    alm_free(a->ring);
    alm_free(a->tree);
    *a = (alm_adaptive){0};
}

void alm_adaptive_push(alm_adaptive *a, double score) {
    if (a->n == a->cap) tree_add(a->tree, bin_of(a->ring[a->next]), true);
    else a->n++;
    a->ring[a->next] = score;
    a->next = (a->next + 1) % a->cap;
    tree_add(a->tree, bin_of(score), false);
}

/* Scores of one bin (1/64 nat) are ties; among them the rank is drawn by `tie`, in [0, 1): a hash of the record, so that the
 * same input has the same alarms and p is uniform all the same. */
double alm_adaptive_p(const alm_adaptive *a, double score, double tie) {
    if (a->n < LEAST_WINDOW) return 1;
    size_t bin = bin_of(score);
    uint64_t below = tree_below(a->tree, bin), upto = tree_below(a->tree, bin + 1);
    return ((double)(a->n - upto) + (1 - tie) * (double)(upto - below + 1)) / (double)(a->n + 1);
}

alm_judgement alm_adaptive_judge(alm_adaptive *a, double score, double tie, unsigned rules, double *p) {
    *p = alm_adaptive_p(a, score, tie);
    double due = a->alpha * (double)a->n_seen, spent = (double)a->n_alarms - due - 1;
    bool exempt = (rules & ALM_JUDGE_EXEMPT) && a->n >= LEAST_WINDOW && !(spent > 0 && spent * spent >= due);
    bool alarm = (*p <= a->level || exempt) && score > -alm_log_f64(MOST_LEVEL * a->alpha);
    bool muted = alarm && (rules & ALM_JUDGE_MUTE), counts = alarm && !muted;
    a->n_seen++;
    a->n_alarms += counts;
    if (a->n >= LEAST_WINDOW) {
        a->level += GAMMA * (a->alpha - (counts ? 1 : 0));
        double most = MOST_LEVEL * a->alpha < 0.5 ? MOST_LEVEL * a->alpha : 0.5;
        if (a->level > most) a->level = most;
        if (a->level < LEAST_LEVEL) a->level = LEAST_LEVEL;
    }
    if (!alarm) alm_adaptive_push(a, score);
    return counts ? ALM_JUDGED_ALARM : muted ? ALM_JUDGED_MUTED : ALM_JUDGED_NORMAL;
}

const char *alm_guarantee_text(alm_guarantee g) {
    switch (g) {
    case ALM_GUARANTEE_TRAINING:
        return "with 95 % confidence at most the promised rate of normal units alarms, as long as they come as while "
               "learning";
    case ALM_GUARANTEE_MARGINAL:
        return "the promised rate holds on average over calibration sets; for 95 % confidence there were too few "
               "calibration rows";
    case ALM_GUARANTEE_ADAPTIVE:
        return "the threshold follows the stream so that the alarm rate stays at the promised rate in the long run";
    case ALM_GUARANTEE_NONE: break;
    }
    return "no guarantee: fewer than 1/alpha calibration rows";
}

const char *alm_guarantee_name(alm_guarantee g) {
    static const char *const name[] = {"training-conditional", "marginal", "adaptive", "none"};
    return (unsigned)g < sizeof name / sizeof *name ? name[g] : "none";
}
