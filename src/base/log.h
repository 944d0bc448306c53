/* SPDX-License-Identifier: Apache-2.0
 *
 * base/log.h - the library tells, the program decides where it goes: a sink for messages and one for progress.
 * Both are handed in by the caller (no global); a NULL pointer or callback is silence. */
#ifndef ALM_BASE_LOG_H
#define ALM_BASE_LOG_H

#include <allmende/base.h>

typedef enum alm_log_level { ALM_LOG_ERROR, ALM_LOG_WARNING, ALM_LOG_INFO, ALM_LOG_DEBUG } alm_log_level;
typedef struct alm_log {
    void (*message)(void *arg, alm_log_level level, const char *text);
    /* done of total units (0: unknown) of what is named; called at most ten times a second by alm_progress. */
    void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
    void *arg;
    alm_log_level level; /* messages above it are dropped before they are formatted */
    int64_t last_progress_ns;
} alm_log;
void alm_log_say(const alm_log *log, alm_log_level level, const char *format, ...) ALM_PRINTF(3, 4);
void alm_progress(alm_log *log, const char *what, uint64_t done, uint64_t total);

#endif
