/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_of_jobs.h - records that the tests make themselves: jobs that are queued, started, worked on and finished, several
 * at a time, with a heartbeat between them. Everything follows from a seed. */
#ifndef ALM_FLEET_OF_JOBS_H
#define ALM_FLEET_OF_JOBS_H

#include "alm_test.h"
#include "base/rng.h"
#include <allmende/detect.h>

#define FLEET_START ((int64_t)1767225600 * 1000000000)

typedef struct fleet {
    alm_rng rng;
    uint64_t line, next_job;
    struct {
        uint64_t id;
        unsigned step, steps, reads;
        bool bad;
    } job[8];
    char text[256];
    int64_t time_ns;
} fleet;

static inline fleet fleet_of(uint64_t seed) {
    return (fleet){.rng = alm_rng_seed(seed, 1, 1), .next_job = 4000 + seed * 100000, .time_ns = FLEET_START};
}

/* The next line. A job that begins is bad with probability 1 / one_in (0: never): it stops after "started", reads far too
 * often, or fails with a message that no good job has, in turn. *bad tells whether the line's job is. */
static inline alm_event fleet_next(fleet *f, uint32_t one_in, bool *bad) {
    static const char *const host[] = {"alpha", "beta", "gamma"};
    f->line++;
    f->time_ns += 200000000 + (int64_t)alm_rng_below(&f->rng, 200000000);
    *bad = false;
    if (alm_rng_below(&f->rng, 10) == 0) {
        snprintf(f->text, sizeof f->text, "INFO monitor heartbeat load %u.%02u", alm_rng_below(&f->rng, 3),
                 alm_rng_below(&f->rng, 100));
    } else {
        size_t i = alm_rng_below(&f->rng, 8);
        if (f->job[i].step == f->job[i].steps) {
            f->job[i].id = f->next_job++;
            f->job[i].step = 0;
            f->job[i].reads = 1 + alm_rng_below(&f->rng, 3);
            f->job[i].steps = 4 + f->job[i].reads;
            f->job[i].bad = one_in && alm_rng_below(&f->rng, one_in) == 0;
            if (f->job[i].bad && f->job[i].id % 3 == 0) f->job[i].steps = 2;
            if (f->job[i].bad && f->job[i].id % 3 == 1) f->job[i].steps += 30, f->job[i].reads += 30;
        }
        unsigned step = f->job[i].step++, reads = f->job[i].reads;
        unsigned long long id = f->job[i].id;
        *bad = f->job[i].bad;
        if (step == 0) snprintf(f->text, sizeof f->text, "INFO queue job_%llu accepted from %s", id, host[id % 3]);
        else if (step == 1)
            snprintf(f->text, sizeof f->text, "INFO worker job_%llu started on slot %u", id, (unsigned)i);
        else if (step < 2 + reads)
            snprintf(f->text, sizeof f->text, "DEBUG store job_%llu read %u bytes", id,
                     100 + alm_rng_below(&f->rng, 100000));
        else if (step == 2 + reads && *bad && id % 3 == 2)
            snprintf(f->text, sizeof f->text, "ERROR worker job_%llu lost its lease and gave up", id);
        else if (step == 2 + reads)
            snprintf(f->text, sizeof f->text, "INFO worker job_%llu finished in %u ms", id,
                     10 + alm_rng_below(&f->rng, 5000));
        else snprintf(f->text, sizeof f->text, "INFO queue job_%llu archived", id);
    }
    alm_str text = alm_str_of(f->text);
    return (alm_event){
        .text = text, .raw = text, .time_ns = f->time_ns, .line = f->line, .source = "fleet.log", .label = *bad};
}

/* A model of n lines of good jobs. */
static inline alm_normal *fleet_learn(uint64_t seed, unsigned n, const char *group_by, double alpha) {
    alm_learn_options o = {.size = sizeof o, .group_by = group_by, .alpha = alpha};
    alm_error err = {0};
    alm_learner *l;
    alm_normal *m;
    fleet f = fleet_of(seed);
    CHECK_OK(alm_learn_new(&l, &o, &err), &err);
    for (unsigned i = 0; i < n; i++) {
        bool bad;
        alm_event e = fleet_next(&f, 0, &bad);
        CHECK_OK(alm_learn_add(l, &e, &err), &err);
    }
    CHECK_OK(alm_learn_finish(&m, l, &err), &err);
    alm_learn_free(l);
    return m;
}

#endif
