/* SPDX-License-Identifier: Apache-2.0
 *
 * base/buf.h - a growing byte buffer that is born with its maximum.
 *
 * Appending beyond the limit or without memory marks the buffer as failed and changes nothing more; so a caller may
 * append many times and look once (alm_buf_status). Zero-initialised with a limit it owns nothing. */
#ifndef ALM_BASE_BUF_H
#define ALM_BASE_BUF_H

#include "base/str.h"
#include <stdarg.h>

typedef struct alm_buf {
    char *at;
    size_t n, cap, limit;
    alm_status failed; /* ALM_OK, ALM_NO_MEMORY or ALM_LIMIT: the first failure */
} alm_buf;

static inline alm_buf alm_buf_with_limit(size_t limit_bytes) { return (alm_buf){.limit = limit_bytes}; }
void alm_buf_free(alm_buf *b);
/* Empties it and forgives a failure; keeps the memory. */
void alm_buf_clear(alm_buf *b);
bool alm_buf_reserve(alm_buf *b, size_t more);
bool alm_buf_add(alm_buf *b, const void *at, size_t n);
static inline bool alm_buf_add_str(alm_buf *b, alm_str s) { return alm_buf_add(b, s.at, s.n); }
static inline bool alm_buf_add_text(alm_buf *b, const char *terminated) {
    return alm_buf_add(b, terminated, strlen(terminated));
}
bool alm_buf_add_byte(alm_buf *b, char byte);
bool alm_buf_add_u64(alm_buf *b, uint64_t x);
bool alm_buf_add_i64(alm_buf *b, int64_t x);
bool alm_buf_add_f64(alm_buf *b, double x);
bool alm_buf_printf(alm_buf *b, const char *format, ...) ALM_PRINTF(2, 3);
bool alm_buf_vprintf(alm_buf *b, const char *format, va_list args);
/* Little-endian words, for files. */
bool alm_buf_add_le32(alm_buf *b, uint32_t x);
bool alm_buf_add_le64(alm_buf *b, uint64_t x);
/* Text for a terminal: control characters (C0, C1, DEL) except none, and ill-formed UTF-8 are written as \xNN, so that data cannot steer it. */
bool alm_buf_add_visible(alm_buf *b, alm_str s);
/* Text for HTML: & < > " ' escaped, control characters as above. */
bool alm_buf_add_html(alm_buf *b, alm_str s);
/* NUL behind the content, not counted; NULL on failure. */
const char *alm_buf_text(alm_buf *b);
static inline alm_str alm_buf_str(const alm_buf *b) { return (alm_str){b->at, b->n}; }
/* ALM_OK, or the first failure with a sentence. */
alm_status alm_buf_status(const alm_buf *b, alm_error *err);

#endif
