/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule.c - warm-up, plateau, cosine.
 *
 * A time limit needs the plateau: with a plain cosine the rate of the very first step would depend on how many steps the
 * machine will manage. On the plateau nothing does; only the fall is laid into the time that is left, and it is two whole
 * numbers (where it begins, where it ends) that a recipe records. */
#include "train/schedule.h"

/* cos(pi x), 0 <= x <= 1: Taylor to x^24 on the nearer half, where the rest is below 2^-53. */
static double cos_pi(double x) {
    if (x > 0.5) return -cos_pi(1 - x);
    double a = 3.14159265358979323846 * x, y = a * a, p = 1;
    for (int k = 24; k >= 2; k -= 2) p = 1 - p * y / (k * (k - 1));
    return p;
}

static double up(const alm_schedule *s, uint64_t step) {
    return step < s->warmup ? (double)(step + 1) / (double)s->warmup : 1;
}

double alm_schedule_lr(const alm_schedule *s, uint64_t step) {
    if (s->steps == UINT64_MAX || step < s->decay_from || s->steps <= s->decay_from) return s->lr * up(s, step);
    double x = step >= s->steps ? 1 : (double)(step - s->decay_from) / (double)(s->steps - s->decay_from);
    double fall = s->min_ratio + (1 - s->min_ratio) * (0.5 * (1 + cos_pi(x)));
    /* A warm-up that the fall cut short stays where it had come. */
    return s->lr * (s->decay_from < s->warmup ? up(s, s->decay_from) : 1) * fall;
}

void alm_schedule_by_clock(alm_schedule *s, uint64_t steps_done, int64_t used_ns, int64_t limit_ns) {
    if (s->steps != UINT64_MAX || steps_done == 0 || used_ns < limit_ns / 5 * 4) return;
    /* A fiftieth is kept back: the last step should end before the limit, not begin before it. */
    double left = (double)(limit_ns - used_ns) * 0.98, step = (double)used_ns / (double)steps_done;
    double n = left / step;
    s->decay_from = steps_done;
    s->steps = steps_done + (n >= 1 ? (uint64_t)n : 1);
}
