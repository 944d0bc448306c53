/* SPDX-License-Identifier: Apache-2.0
 *
 * timeline.c - counts over time in a fixed number of bins although nobody knows how long the stream will be: when the
 * last bin is passed, neighbours join and every bin is twice as wide. */
#include "cli/detection.h"

static void halve(alm_timeline *t) {
    enum { HALF = ALM_TIMELINE_BINS / 2 };
    for (size_t i = 0; i < HALF; i++) {
        t->records[i] = t->records[2 * i] + t->records[2 * i + 1];
        t->alarms[i] = t->alarms[2 * i] + t->alarms[2 * i + 1];
    }
    for (size_t i = HALF; i < ALM_TIMELINE_BINS; i++) t->records[i] = t->alarms[i] = 0;
    t->width *= 2;
}

void alm_timeline_add(alm_timeline *t, int64_t at, uint32_t records, uint32_t alarms) {
    if (!t->any) {
        t->first = t->last = at;
        t->width = 1;
        t->any = true;
    }
    /* A clock that jumps back does not move the beginning: what seems to lie before it counts there. */
    int64_t from = at < t->first ? 0 : at - t->first;
    if (at > t->last) t->last = at;
    while (from / t->width >= ALM_TIMELINE_BINS) halve(t);
    t->records[from / t->width] += records;
    t->alarms[from / t->width] += alarms;
}

size_t alm_timeline_used(const alm_timeline *t) { return t->any ? (size_t)((t->last - t->first) / t->width) + 1 : 0; }
