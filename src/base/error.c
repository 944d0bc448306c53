/* SPDX-License-Identifier: Apache-2.0
 *
 * base/error.c - a status to act on, a sentence to read.
 *
 * A sentence is formatted beside its place, then copied in visible form: so an argument may be the old text of the same
 * alm_error ("%s: %s" with err->text wraps a message), and nothing that a file name or a record holds can steer a terminal.
 *
 * Invariant: text and hint are terminated and valid UTF-8; nothing here allocates. */
#define ALM_BASE_ERROR_C
#include "base/error.h"

#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define DRAFT_BYTES 2048

const char *alm_status_text(alm_status status) {
    static const char *const text[] = {
#define ALM_STATUS_TEXT(name, sentence) sentence,
        ALM_STATUS(ALM_STATUS_TEXT)
#undef ALM_STATUS_TEXT
    };
    return (unsigned)status < ALM_STATUS_COUNT ? text[status] : "unknown status";
}

const char *alm_status_name(alm_status status) {
    static const char *const name[] = {
#define ALM_STATUS_NAME(word, sentence) #word,
        ALM_STATUS(ALM_STATUS_NAME)
#undef ALM_STATUS_NAME
    };
    return (unsigned)status < ALM_STATUS_COUNT ? name[status] : "UNKNOWN";
}

const char *alm_version(void) { return ALM_VERSION; }
int alm_abi(void) { return ALM_ABI; }

alm_status alm_fail(alm_error *err, alm_status status, const char *format, ...) {
    if (!err) return status;
    int saved = errno;
    char draft[DRAFT_BYTES];
    va_list args;
    va_start(args, format);
    if (alm_str_vprint(draft, sizeof draft, format, args) < 0) memcpy(draft, "?", 2);
    va_end(args);
    err->status = status;
    alm_visible_copy(err->text, sizeof err->text, alm_str_of(draft));
    err->hint[0] = '\0';
    errno = saved;
    return status;
}

void alm_hint(alm_error *err, const char *format, ...) {
    if (!err) return;
    int saved = errno;
    char draft[DRAFT_BYTES];
    va_list args;
    va_start(args, format);
    if (alm_str_vprint(draft, sizeof draft, format, args) < 0) memcpy(draft, "?", 2);
    va_end(args);
    alm_visible_copy(err->hint, sizeof err->hint, alm_str_of(draft));
    errno = saved;
}

static alm_status status_of_errno(int error_number) {
    switch (error_number) {
    case ENOENT: return ALM_NOT_FOUND;
    case ENOMEM: return ALM_NO_MEMORY;
    case EINTR: return ALM_INTERRUPTED;
    default: return ALM_IO;
    }
}

alm_status alm_fail_errno(alm_error *err, int error_number, const char *format, ...) {
    alm_status status = status_of_errno(error_number);
    if (!err) return status;
    char draft[DRAFT_BYTES], why[128];
    va_list args;
    va_start(args, format);
    int n = alm_str_vprint(draft, sizeof draft, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof draft ? (size_t)n : sizeof draft - 1;
    /* The GNU version returns the text, which may lie elsewhere than in `why`; it is safe among threads. */
    snprintf(draft + used, sizeof draft - used, ": %s", strerror_r(error_number, why, sizeof why));
    err->status = status;
    alm_visible_copy(err->text, sizeof err->text, alm_str_of(draft));
    err->hint[0] = '\0';
    return status;
}

alm_status alm_fail_memory(alm_error *err) { return alm_fail(err, ALM_NO_MEMORY, "not enough memory"); }

void alm_error_clear(alm_error *err) {
    if (!err) return;
    err->status = ALM_OK;
    err->text[0] = err->hint[0] = '\0';
}
