/* SPDX-License-Identifier: Apache-2.0
 *
 * allmende/base.h - what all rooms share: status, error, strings with a length, cancelling, version. */
#ifndef ALLMENDE_BASE_H
#define ALLMENDE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ALM_API          __attribute__((visibility("default")))
#define ALM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ALM_API
#define ALM_PRINTF(f, a)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Rises whenever a public struct or function changes its meaning. */
#define ALM_ABI 1

/* One list makes the enum, the names and the texts. Act on the status; read the sentence in alm_error. */
#define ALM_STATUS(X)                                              \
    X(OK, "done")                                                  \
    X(NO_MEMORY, "not enough memory")                              \
    X(NOT_FOUND, "no such file, field or entry")                   \
    X(MALFORMED, "the data breaks its own format")                 \
    X(REFUSED, "a rule or signature forbids this")                 \
    X(INVALID, "wrongly called: an argument is outside its range") \
    X(IO, "reading or writing failed")                             \
    X(LIMIT, "a stated limit was reached")                         \
    X(UNSUPPORTED, "this build or version cannot do that")         \
    X(MISMATCH, "two things that must agree do not")               \
    X(INTERRUPTED, "stopped on request; the work so far is kept")  \
    X(END, "there is no more")

typedef enum alm_status {
#define ALM_STATUS_ENUM(name, text) ALM_##name,
    ALM_STATUS(ALM_STATUS_ENUM)
#undef ALM_STATUS_ENUM
        ALM_STATUS_COUNT
} alm_status;

/* What happened and where (`text`), and what to try (`hint`, may be empty). The caller owns the place; both are
 * terminated, valid UTF-8 as far as the data named in them is, and cut at the end when too long. */
typedef struct alm_error {
    alm_status status;
    char text[600];
    char hint[400];
} alm_error;

/* Bytes with a length: not terminated, not owned, may hold NUL. */
typedef struct alm_str {
    const char *at;
    size_t n;
} alm_str;

/* Set from any thread or a signal handler; long work looks at it between steps and returns ALM_INTERRUPTED. */
typedef struct alm_cancel {
    volatile int requested;
} alm_cancel;

/* A constant text such as "not enough memory"; never NULL, also for a value outside the enum. */
ALM_API const char *alm_status_text(alm_status status);
/* "NO_MEMORY" for ALM_NO_MEMORY; never NULL. */
ALM_API const char *alm_status_name(alm_status status);
/* The library's version, "0.1.0", and the ABI number that it was built with. */
ALM_API const char *alm_version(void);
ALM_API int alm_abi(void);

#ifdef __cplusplus
}
#endif
#endif
