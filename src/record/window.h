/* SPDX-License-Identifier: Apache-2.0
 *
 * record/window.h - a sliding view of a stream: records are slices of it, so that they need no copy.
 *
 *     at ── given out ──┬── from: the record that is being framed ──┬── to ── cap
 *                       └───────── offsets count from here ─────────┘
 *
 * Reading more may move the bytes: keep offsets until the record is framed, pointers from then to the next record. */
#ifndef ALM_RECORD_WINDOW_H
#define ALM_RECORD_WINDOW_H

#include "record/decompress.h"

typedef struct alm_window {
    alm_stream *stream;
    char *at;
    size_t cap, from, to;
    size_t limit;      /* most bytes of one record */
    bool ended;        /* the stream has no more */
    bool plain;        /* no byte in from..to is NUL or beyond ASCII: records need not be checked one by one */
    alm_status failed; /* ALM_MALFORMED, ALM_IO: why it ended, told in error */
    alm_error error;
    uint64_t bytes; /* from the stream so far */
} alm_window;

/* One line of the window, in offsets from `from`. */
typedef struct alm_line {
    size_t at, end; /* without the line end */
    size_t next;    /* behind the line end; end == next: the stream ends without one */
} alm_line;

typedef enum alm_line_status {
    ALM_LINE_OK,
    ALM_LINE_NONE, /* the stream ends at `offset` */
    ALM_LINE_LONG, /* limit bytes from `from` hold no end of this line */
    ALM_LINE_WAIT, /* nothing came within wait_ns */
    ALM_LINE_FAILED
} alm_line_status;

alm_status alm_window_begin(alm_window *w, alm_stream *stream, size_t limit,
                            alm_error *err); /* keeps its memory from before */
void alm_window_free(alm_window *w);
/* One read; false when nothing was added: the stream ended (w->ended), or memory failed (*st != ALM_OK). */
bool alm_window_more(alm_window *w, alm_status *st, alm_error *err);
/* The line that begins at `offset`. wait_ns > 0: give up (ALM_LINE_WAIT) when more must be read and the source stays silent
 * that long. *st and err tell why it failed. */
alm_line_status alm_window_line(alm_window *w, size_t offset, int64_t wait_ns, alm_line *out, alm_status *st,
                                alm_error *err);
static inline const char *alm_window_at(const alm_window *w, size_t offset) { return w->at + w->from + offset; }
static inline size_t alm_window_left(const alm_window *w) { return w->to - w->from; }

#endif
