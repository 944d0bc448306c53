/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/out.h - standard output, buffered, with every failed write noticed.
 *
 * A result that was lost because the disk is full or the reader went away must not end with exit code 0. */
#ifndef ALM_CLI_OUT_H
#define ALM_CLI_OUT_H

#include "base/buf.h"

typedef struct alm_out {
    int fd;
    int error_number; /* errno of the first failed write, 0 so far */
    alm_buf buf;      /* append here freely, then call alm_out_tick */
} alm_out;

alm_out alm_out_on(int fd);
void alm_out_free(alm_out *o);
/* Writes the buffer out when it is long enough; false after the first failure (then stop producing). */
static inline bool alm_out_tick(alm_out *o);
bool alm_out_flush(alm_out *o);
/* Appends and ticks. */
bool alm_out_add(alm_out *o, const void *at, size_t n);
bool alm_out_text(alm_out *o, const char *terminated);
bool alm_out_printf(alm_out *o, const char *format, ...) ALM_PRINTF(2, 3);
/* Text that may come from data: control characters and ill-formed UTF-8 are escaped as \xNN. */
bool alm_out_visible(alm_out *o, alm_str s);
/* Flushes; the first failure as a status. A reader that went away (EPIPE) is ALM_END: it wants no message. */
alm_status alm_out_finish(alm_out *o, alm_error *err);

enum { ALM_OUT_BLOCK = 1 << 16 };
static inline bool alm_out_tick(alm_out *o) {
    return o->buf.n < ALM_OUT_BLOCK ? !o->error_number && !o->buf.failed : alm_out_flush(o);
}

#endif
