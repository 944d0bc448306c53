/* SPDX-License-Identifier: Apache-2.0
 *
 * out.c - a block at a time to a file descriptor. stdio is not used: it forgets which write failed, and why. */
#include "cli/out.h"
#include "base/error.h"
#include "cli/lang.h"
#include <errno.h>
#include <unistd.h>

/* The buffer holds one block and what one record adds to it; a record of 10 MB with all its bytes escaped still fits. */
enum { LIMIT = 256 << 20 };

alm_out alm_out_on(int fd) { return (alm_out){.fd = fd, .buf = alm_buf_with_limit(LIMIT)}; }

void alm_out_free(alm_out *o) { alm_buf_free(&o->buf); }

bool alm_out_flush(alm_out *o) {
    if (o->buf.failed) {
        o->error_number = o->error_number ? o->error_number : ENOMEM;
        alm_buf_clear(&o->buf);
    }
    for (size_t done = 0; done < o->buf.n && !o->error_number;) {
        ssize_t n = write(o->fd, o->buf.at + done, o->buf.n - done);
        if (n >= 0) done += (size_t)n;
        else if (errno != EINTR) o->error_number = errno;
    }
    alm_buf_clear(&o->buf);
    return o->error_number == 0;
}

bool alm_out_add(alm_out *o, const void *at, size_t n) {
    alm_buf_add(&o->buf, at, n);
    return alm_out_tick(o);
}

bool alm_out_text(alm_out *o, const char *terminated) { return alm_out_add(o, terminated, strlen(terminated)); }

bool alm_out_printf(alm_out *o, const char *format, ...) {
    va_list args;
    va_start(args, format);
    alm_buf_vprintf(&o->buf, format, args);
    va_end(args);
    return alm_out_tick(o);
}

bool alm_out_visible(alm_out *o, alm_str s) {
    alm_buf_add_visible(&o->buf, s);
    return alm_out_tick(o);
}

alm_status alm_out_finish(alm_out *o, alm_error *err) {
    if (alm_out_flush(o)) return ALM_OK;
    if (o->error_number == EPIPE) return ALM_END;
    alm_fail_errno(err, o->error_number, _("cannot write the result: standard output"));
    if (o->error_number == ENOSPC) alm_hint(err, _("the disk is full; what was written so far is incomplete"));
    if (err) err->status = ALM_IO;
    return ALM_IO;
}
