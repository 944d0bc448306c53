/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_diff.h - two streams, one miner: which templates are new, gone, or changed in rate, and is it more than chance?
 *
 * Mine both streams with the same miner (first A, then B), so that a template generalises alike in both, and count each
 * index apart; alm_log_diff resolves the indices itself. */
#ifndef ALM_DETECT_LOG_DIFF_H
#define ALM_DETECT_LOG_DIFF_H

#include "detect/log_template.h"

typedef enum alm_change {
    ALM_CHANGE_NONE,
    ALM_CHANGE_NEW,
    ALM_CHANGE_GONE,
    ALM_CHANGE_MORE,
    ALM_CHANGE_LESS
} alm_change;

typedef struct alm_diff_row {
    uint32_t index;
    uint64_t id;
    uint64_t count_a, count_b;
    double share_a, share_b; /* of all records of A, of B */
    double ratio;            /* share_b / share_a with half a record added on both sides, so that it is finite */
    double p;                /* of the counts if the shares were equal: exact test, given their sum */
    double
        p_adjusted; /* after Holm: the chance that any of the rows is called significant without cause stays below it */
    alm_change change; /* NEW and GONE by the counts; MORE and LESS where p_adjusted <= level */
    bool significant;  /* p_adjusted <= level */
} alm_diff_row;

typedef struct alm_diff {
    alm_diff_row *row; /* most surprising first: p, then the size of the ratio, then id */
    size_t n_row;
    uint64_t n_a, n_b; /* records of A and B, unmatched ones included */
    double level;
} alm_diff;

/* Counts by index as alm_match gave it; arrays may be shorter than the miner's indices (missing is 0). unmatched_* are the
 * records that match-only did not place; they make no row. level is the family-wise level, such as 0.05. */
alm_status alm_log_diff(alm_diff *out, const alm_miner *m, const uint64_t *a, size_t n_a, uint64_t unmatched_a,
                        const uint64_t *b, size_t n_b, uint64_t unmatched_b, double level, alm_error *err);
void alm_log_diff_free(alm_diff *d);
/* "new", "gone", "more", "less", "same" */
const char *alm_change_name(alm_change change);

#endif
