/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c - rate and time left from the mean since the start of a phase: steadier than the last second's rate, and a
 * log file is read at an even speed. */
#include "cli/progress.h"
#include "base/clock.h"
#include "cli/columns.h"
#include "cli/lang.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t SECOND_NS = 1000000000;

void alm_meter_start(alm_meter *m, const alm_term *stderr_term, bool quiet) {
    memset(m, 0, sizeof *m);
    m->term = *stderr_term;
    m->on = stderr_term->is_terminal && !quiet;
}

size_t alm_meter_line(char *at, size_t n, const char *what, uint64_t done, uint64_t total, int64_t elapsed_ns,
                      bool utf8) {
    alm_buf b = alm_buf_with_limit(1024);
    alm_buf_printf(&b, "%s  ", what);
    alm_columns_count(&b, done, utf8);
    if (total) {
        alm_buf_printf(&b, " %s ", _("of"));
        alm_columns_count(&b, total, utf8);
        alm_buf_printf(&b, "  %u %%", (unsigned)((double)(done < total ? done : total) / (double)total * 100));
    }
    /* The first tenth of a second says nothing about the rest. */
    if (elapsed_ns > SECOND_NS / 10 && done) {
        double rate = (double)done / ((double)elapsed_ns / 1e9);
        alm_buf_add_text(&b, "  ");
        alm_columns_count(&b, (uint64_t)rate, utf8);
        alm_buf_add_text(&b, "/s");
        if (total > done) {
            uint64_t left = (uint64_t)((double)(total - done) / rate + 0.5);
            if (left >= 3600)
                alm_buf_printf(&b, "  %llu:%02u:%02u", (unsigned long long)(left / 3600), (unsigned)(left / 60 % 60),
                               (unsigned)(left % 60));
            else alm_buf_printf(&b, "  %u:%02u", (unsigned)(left / 60), (unsigned)(left % 60));
            alm_buf_printf(&b, " %s", _("left"));
        }
    }
    size_t used = b.failed ? 0 : b.n < n ? b.n : n - 1;
    if (used) memcpy(at, b.at, used);
    at[used] = '\0';
    alm_buf_free(&b);
    return used;
}

static void put(alm_meter *m, alm_str line) {
    alm_buf b = alm_buf_with_limit(2048);
    alm_buf_add_text(&b, "\r");
    alm_columns_cut(&b, line, m->term.width - 1, m->term.utf8);
    alm_buf_add_text(&b, "\033[K");
    if (!b.failed && write(STDERR_FILENO, b.at, b.n) > 0) m->shown = true;
    alm_buf_free(&b);
}

void alm_meter_show(alm_meter *m, const char *what, uint64_t done, uint64_t total) {
    if (!m->on) return;
    int64_t now = alm_clock_steady_ns();
    if (strncmp(m->what, what, sizeof m->what - 1) != 0) {
        snprintf(m->what, sizeof m->what, "%s", what);
        m->start_ns = now;
        m->last_ns = now - SECOND_NS;
    }
    if (now - m->last_ns < SECOND_NS / 10 || (!m->shown && now - m->start_ns < SECOND_NS / 2)) return;
    m->last_ns = now;
    char line[512];
    size_t n = alm_meter_line(line, sizeof line, what, done, total, now - m->start_ns, m->term.utf8);
    put(m, alm_str_make(line, n));
}

void alm_meter_text(alm_meter *m, alm_str line) {
    if (!m->on) return;
    int64_t now = alm_clock_steady_ns();
    if (now - m->last_ns < SECOND_NS / 10) return;
    m->last_ns = now;
    put(m, line);
}

void alm_meter_clear(alm_meter *m) {
    if (!m->shown) return;
    static const char clear[] = "\r\033[K";
    if (write(STDERR_FILENO, clear, sizeof clear - 1) > 0) m->shown = false;
}
