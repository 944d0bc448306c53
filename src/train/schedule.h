/* SPDX-License-Identifier: Apache-2.0
 *
 * train/schedule.h - the learning rate of a step, from whole numbers only: a schedule that was made by the clock can be
 * written down and followed again. */
#ifndef ALM_TRAIN_SCHEDULE_H
#define ALM_TRAIN_SCHEDULE_H

#include <allmende/base.h>

/* Rises over `warmup` steps, stays, falls as half a cosine from step `decay_from` (not before the warm-up ends, unless the
 * warm-up is cut there) to lr * min_ratio at step `steps`. */
typedef struct alm_schedule {
    double lr, min_ratio;
    uint64_t warmup, decay_from, steps; /* steps UINT64_MAX: its end is not known yet */
} alm_schedule;

/*   up     lr * (s + 1) / warmup                                            s < warmup
 *   down   lr * u * (r + (1 - r) * (1 + cos(pi (s - d) / (n - d))) / 2)     s >= d = decay_from, u: where `up` had come at d
 * In double, by own functions: the same bits everywhere. Steps count from 0. */
double alm_schedule_lr(const alm_schedule *s, uint64_t step);

/* By the clock: called before each step with the steps done and the time used of the limit. As soon as four fifths
 * are used up the fall begins, as long as the remaining time carries it at the mean speed so far. */
void alm_schedule_by_clock(alm_schedule *s, uint64_t steps_done, int64_t used_ns, int64_t limit_ns);

#endif
