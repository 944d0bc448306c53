/* SPDX-License-Identifier: Apache-2.0
 *
 * base/log.c - the library tells, the program decides where it goes.
 *
 * Messages are formatted on the stack, cut at 1 KiB and made visible, so telling never fails and never allocates. */
#include "base/log.h"

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_BYTES   1024
#define PROGRESS_GAP_NS 100000000

void alm_log_say(const alm_log *log, alm_log_level level, const char *format, ...) {
    if (!log || !log->message || level > log->level) return;
    char draft[MESSAGE_BYTES], text[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    int n = alm_str_vprint(draft, sizeof draft, format, args);
    va_end(args);
    if (n < 0) return;
    alm_visible_copy(text, sizeof text, alm_str_of(draft));
    log->message(log->arg, level, text);
}

void alm_progress(alm_log *log, const char *what, uint64_t done, uint64_t total) {
    if (!log || !log->progress) return;
    int64_t now = alm_clock_steady_ns();
    bool last = total != 0 && done >= total; /* the end is always told, so that a bar can be full */
    if (!last && log->last_progress_ns != 0 && now - log->last_progress_ns < PROGRESS_GAP_NS) return;
    log->last_progress_ns = now;
    log->progress(log->arg, what, done, total);
}
