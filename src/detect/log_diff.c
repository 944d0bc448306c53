/* SPDX-License-Identifier: Apache-2.0
 *
 * log_diff.c - the comparison of two streams, template by template.
 *
 * If a template has the same share in A and in B, then of its k = a + b records each is in B with chance N_B / (N_A + N_B):
 * b is binomial (the conditional test of two Poisson rates; Przyborowski and Wilenski 1940). Records of a log come in
 * bursts, so the test says "the counts differ by more than independent records would", not why. p-values are adjusted by
 * Holm (1979). Above EXACT_LIMIT records the sum of the exact test is replaced by the likelihood-ratio test (G, one degree
 * of freedom), whose error is then far below any level of use. */
#include "detect/log_diff.h"

#include "base/alloc.h"
#include "base/mathx.h"
#include <stdlib.h>

enum { EXACT_LIMIT = 10000 };

static double times_log(double x, double y) { return x > 0 ? x * alm_log_f64(x / y) : 0; }

static double p_value(uint64_t a, uint64_t b, uint64_t n_a, uint64_t n_b) {
    if (n_a == 0 || n_b == 0 || a + b == 0) return 1;
    double share = (double)n_b / ((double)n_a + (double)n_b);
    if (a + b <= EXACT_LIMIT) return alm_binomial_test((long long)b, (long long)a + (long long)b, share);
    double k = (double)a + (double)b;
    double g = 2 * (times_log((double)a, k * (1 - share)) + times_log((double)b, k * share));
    return alm_chi2_sf(g > 0 ? g : 0, 1);
}

static double distance(double ratio) { return ratio < 1 ? 1 / ratio : ratio; }

static int by_surprise(const void *x, const void *y) {
    const alm_diff_row *a = x, *b = y;
    if (a->p != b->p) return a->p < b->p ? -1 : 1;
    double da = distance(a->ratio), db = distance(b->ratio);
    if (da != db) return da > db ? -1 : 1;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

alm_status alm_log_diff(alm_diff *out, const alm_miner *m, const uint64_t *a, size_t n_a, uint64_t unmatched_a,
                        const uint64_t *b, size_t n_b, uint64_t unmatched_b, double level, alm_error *err) {
    *out = (alm_diff){.level = level, .n_a = unmatched_a, .n_b = unmatched_b};
    if (!(level > 0 && level < 1))
        return alm_fail(err, ALM_INVALID, "the level of the comparison must lie between 0 and 1");
    size_t n = alm_miner_n_index(m);
    uint64_t *count = alm_calloc(n ? n : 1, 2 * sizeof *count);
    alm_diff_row *row = alm_calloc(n ? n : 1, sizeof *row);
    alm_status st = ALM_OK;
    if (!count || !row) {
        st = alm_fail_memory(err);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t live = alm_miner_resolve(m, (uint32_t)i);
        uint64_t in_a = i < n_a ? a[i] : 0, in_b = i < n_b ? b[i] : 0;
        count[2 * (size_t)live] += in_a;
        count[2 * (size_t)live + 1] += in_b;
        out->n_a += in_a, out->n_b += in_b;
    }
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t in_a = count[2 * i], in_b = count[2 * i + 1];
        if (in_a + in_b == 0) continue;
        alm_diff_row *r = &row[k++];
        *r = (alm_diff_row){.index = (uint32_t)i, .id = alm_miner_id(m, (uint32_t)i), .count_a = in_a, .count_b = in_b};
        r->share_a = out->n_a ? (double)in_a / (double)out->n_a : 0;
        r->share_b = out->n_b ? (double)in_b / (double)out->n_b : 0;
        r->ratio = (((double)in_b + 0.5) / ((double)out->n_b + 1)) / (((double)in_a + 0.5) / ((double)out->n_a + 1));
        r->p = p_value(in_a, in_b, out->n_a, out->n_b);
    }
    qsort(row, k, sizeof *row, by_surprise);
    double running = 0; /* Holm: the i-th smallest times the number of those not yet passed, never falling */
    for (size_t i = 0; i < k; i++) {
        double adjusted = row[i].p * (double)(k - i);
        if (adjusted > running) running = adjusted;
        row[i].p_adjusted = running < 1 ? running : 1;
        row[i].significant = row[i].p_adjusted <= level;
        if (row[i].count_a == 0) row[i].change = ALM_CHANGE_NEW;
        else if (row[i].count_b == 0) row[i].change = ALM_CHANGE_GONE;
        else if (row[i].significant) row[i].change = row[i].ratio > 1 ? ALM_CHANGE_MORE : ALM_CHANGE_LESS;
    }
    out->row = row, out->n_row = k, row = NULL;
done:
    alm_free(count);
    alm_free(row);
    return st;
}

void alm_log_diff_free(alm_diff *d) {
    alm_free(d->row);
    *d = (alm_diff){0};
}

const char *alm_change_name(alm_change change) {
    static const char *const name[] = {"same", "new", "gone", "more", "less"};
    return (unsigned)change < sizeof name / sizeof *name ? name[change] : "same";
}
