/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/progress.h - one line on stderr that says how far it is: only on a terminal, at most ten times a second. */
#ifndef ALM_CLI_PROGRESS_H
#define ALM_CLI_PROGRESS_H

#include "base/log.h"
#include "base/str.h"
#include "cli/term.h"

typedef struct alm_meter {
    bool on, shown;
    alm_term term;
    int64_t start_ns, last_ns;
    uint64_t last_done;
    char what[48];
} alm_meter;

/* `quiet` switches it off; so does a stderr that is no terminal. */
void alm_meter_start(alm_meter *m, const alm_term *stderr_term, bool quiet);
/* done of total units (0: unknown); `unit` is translated already ("records"). A new `what` starts a new measurement. */
void alm_meter_show(alm_meter *m, const char *what, uint64_t done, uint64_t total);
/* A line of the caller's own, under the same rules. */
void alm_meter_text(alm_meter *m, alm_str line);
/* Removes the line, so that what follows begins at the left edge. */
void alm_meter_clear(alm_meter *m);

/* The line itself, for `elapsed_ns` of work: "learning  12 500 of 50 000  25 %  41 200/s  0:03 left". */
size_t alm_meter_line(char *at, size_t n, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ns,
                      bool utf8);

#endif
