/* SPDX-License-Identifier: Apache-2.0
 *
 * base/buf.c - a growing byte buffer that is born with its maximum.
 *
 * Memory grows by half and one byte more than the content, so that a NUL always fits behind it.
 *
 * Invariant: n <= limit; n < cap when cap > 0; after a failure content and memory stay as they are until alm_buf_clear. */
#include "base/buf.h"

#include "base/alloc.h"
#include "base/error.h"

#include <stdio.h>

static bool fails(alm_buf *b, alm_status why) {
    if (b->failed == ALM_OK) b->failed = why;
    return false;
}

void alm_buf_free(alm_buf *b) {
    alm_free(b->at);
    *b = alm_buf_with_limit(b->limit);
}

void alm_buf_clear(alm_buf *b) {
    b->n = 0;
    b->failed = ALM_OK;
}

bool alm_buf_reserve(alm_buf *b, size_t more) {
    if (b->failed != ALM_OK) return false;
    if (more > b->limit - b->n) return fails(b, ALM_LIMIT);
    if (b->cap > b->n && more < b->cap - b->n) return true;
    size_t need;
    if (!alm_add_size(&need, b->n, more) || !alm_add_size(&need, need, 1)) return fails(b, ALM_NO_MEMORY);
    size_t to = b->cap + b->cap / 2;
    if (to < 64) to = 64;
    if (b->limit < SIZE_MAX && to > b->limit + 1) to = b->limit + 1;
    if (to < need) to = need;
    char *at = alm_realloc(b->at, to);
    if (!at) return fails(b, ALM_NO_MEMORY);
    b->at = at;
    b->cap = to;
    return true;
}

bool alm_buf_add(alm_buf *b, const void *at, size_t n) {
    if (!alm_buf_reserve(b, n)) return false;
    if (n) memcpy(b->at + b->n, at, n);
    b->n += n;
    return true;
}

bool alm_buf_add_byte(alm_buf *b, char byte) {
    if (!alm_buf_reserve(b, 1)) return false;
    b->at[b->n++] = byte;
    return true;
}

static bool add_decimal(alm_buf *b, uint64_t x, bool negative) {
    char digit[24];
    size_t from = sizeof digit;
    do {
        digit[--from] = (char)('0' + x % 10);
        x /= 10;
    } while (x);
    if (negative) digit[--from] = '-';
    return alm_buf_add(b, digit + from, sizeof digit - from);
}

bool alm_buf_add_u64(alm_buf *b, uint64_t x) { return add_decimal(b, x, false); }

bool alm_buf_add_i64(alm_buf *b, int64_t x) { return add_decimal(b, x < 0 ? 0 - (uint64_t)x : (uint64_t)x, x < 0); }

bool alm_buf_add_f64(alm_buf *b, double x) {
    char text[32];
    return alm_buf_add(b, text, alm_f64_to_str(text, x));
}

bool alm_buf_vprintf(alm_buf *b, const char *format, va_list args) {
    if (!alm_buf_reserve(b, 0)) return false;
    va_list again;
    va_copy(again, args);
    int length = alm_str_vprint(b->at + b->n, b->cap - b->n, format, args);
    bool good = length >= 0 ? alm_buf_reserve(b, (size_t)length) : fails(b, ALM_NO_MEMORY);
    if (good && length > 0) {
        alm_str_vprint(b->at + b->n, (size_t)length + 1, format, again);
        b->n += (size_t)length;
    }
    va_end(again);
    return good;
}

bool alm_buf_printf(alm_buf *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    bool good = alm_buf_vprintf(b, format, args);
    va_end(args);
    return good;
}

bool alm_buf_add_le32(alm_buf *b, uint32_t x) {
    unsigned char at[4];
    for (unsigned i = 0; i < 4; i++) at[i] = (unsigned char)(x >> (8 * i));
    return alm_buf_add(b, at, sizeof at);
}

bool alm_buf_add_le64(alm_buf *b, uint64_t x) {
    unsigned char at[8];
    for (unsigned i = 0; i < 8; i++) at[i] = (unsigned char)(x >> (8 * i));
    return alm_buf_add(b, at, sizeof at);
}

static bool plain(char c) { return c >= 0x20 && c < 0x7F; }

bool alm_buf_add_visible(alm_buf *b, alm_str s) {
    size_t pos = 0;
    while (pos < s.n) {
        size_t from = pos;
        while (pos < s.n && plain(s.at[pos])) pos++;
        if (pos > from && !alm_buf_add(b, s.at + from, pos - from)) return false;
        if (pos == s.n) break;
        char step[ALM_VISIBLE_BYTES];
        size_t n = alm_visible_next(s, &pos, step);
        if (!alm_buf_add(b, step, n)) return false;
    }
    return b->failed == ALM_OK;
}

static const char *html_name(char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

bool alm_buf_add_html(alm_buf *b, alm_str s) {
    size_t pos = 0;
    while (pos < s.n) {
        const char *name = html_name(s.at[pos]);
        if (name) {
            if (!alm_buf_add_text(b, name)) return false;
            pos++;
            continue;
        }
        char step[ALM_VISIBLE_BYTES];
        size_t n = alm_visible_next(s, &pos, step);
        if (!alm_buf_add(b, step, n)) return false;
    }
    return b->failed == ALM_OK;
}

const char *alm_buf_text(alm_buf *b) {
    if (!alm_buf_reserve(b, 0)) return NULL;
    b->at[b->n] = '\0';
    return b->at;
}

alm_status alm_buf_status(const alm_buf *b, alm_error *err) {
    if (b->failed == ALM_NO_MEMORY) return alm_fail_memory(err);
    if (b->failed == ALM_LIMIT) {
        return alm_fail(err, ALM_LIMIT, "a text would be longer than its limit of %zu bytes", b->limit);
    }
    return b->failed;
}
