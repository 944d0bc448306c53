/* SPDX-License-Identifier: Apache-2.0
 *
 * base/error.h - a status to act on, a sentence to read. */
#ifndef ALM_BASE_ERROR_H
#define ALM_BASE_ERROR_H

#include <allmende/base.h>

/* Writes the sentence into err (NULL is fine), clears its hint and returns `status`, so that a failing function ends in
 *     return alm_fail(err, ALM_MALFORMED, "%s: tensor %s ends at %zu, the file has %zu bytes", path, name, end, n);
 * Control characters and invalid UTF-8 in the result are escaped as \xNN: a message is always safe to print. */
alm_status alm_fail(alm_error *err, alm_status status, const char *format, ...) ALM_PRINTF(3, 4);

/* Adds what to do about it; call it right after alm_fail. It gives no status back, so that none can be lost where err is
 * NULL: `alm_fail(err, status, ...); alm_hint(err, ...); return status;` */
void alm_hint(alm_error *err, const char *format, ...) ALM_PRINTF(2, 3);

/* The same with the text of errno behind it: "FILE: cannot open: No such file or directory".
 * The status is chosen from errno: ENOENT NOT_FOUND, ENOMEM NO_MEMORY, EINTR INTERRUPTED, everything else IO. */
alm_status alm_fail_errno(alm_error *err, int error_number, const char *format, ...) ALM_PRINTF(3, 4);

/* "not enough memory" with nothing allocated on the way. */
alm_status alm_fail_memory(alm_error *err);

#if defined(__clang_analyzer__) && !defined(ALM_BASE_ERROR_C)
/* The analyzer sees one file at a time: tell it that a failure is never ALM_OK, or it follows paths that do not exist. */
#define alm_fail(err, status, ...)       (alm_fail(err, status, __VA_ARGS__), (status))
#define alm_fail_errno(err, number, ...) (alm_fail_errno(err, number, __VA_ARGS__), ALM_IO)
#define alm_fail_memory(err)             (alm_fail_memory(err), ALM_NO_MEMORY)
#endif

/* Empties err (NULL is fine). */
void alm_error_clear(alm_error *err);

/* Asked to stop? NULL: never. The request may come from a signal handler or from another thread. */
static inline bool alm_cancel_requested(const alm_cancel *c) {
    return c && __atomic_load_n(&c->requested, __ATOMIC_RELAXED) != 0;
}
static inline void alm_cancel_request(alm_cancel *c) { __atomic_store_n(&c->requested, 1, __ATOMIC_RELAXED); }

#endif
