/* SPDX-License-Identifier: Apache-2.0
 *
 * base/str.c - strings are a pointer and a length: compare, search, cut, and read whole numbers.
 *
 * An empty string may have a NULL pointer; no function here gives such a pointer to memcmp or memchr, where it would be
 * undefined although the length is 0. */
#include "base/str.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

int alm_str_cmp(alm_str a, alm_str b) {
    size_t n = least(a.n, b.n);
    int order = n ? memcmp(a.at, b.at, n) : 0;
    if (order) return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool alm_str_starts(alm_str s, alm_str prefix) {
    return s.n >= prefix.n && alm_str_eq((alm_str){s.at, prefix.n}, prefix);
}

bool alm_str_ends(alm_str s, alm_str suffix) {
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.at + (s.n - suffix.n), suffix.at, suffix.n) == 0);
}

size_t alm_str_find(alm_str s, alm_str needle) {
    if (needle.n == 0) return 0;
    if (needle.n > s.n) return SIZE_MAX;
    /* memmem is linear in glibc and musl; a loop over memchr would be quadratic on "aaaa…". */
    const char *at = memmem(s.at, s.n, needle.at, needle.n);
    return at ? (size_t)(at - s.at) : SIZE_MAX;
}

size_t alm_str_find_byte(alm_str s, char byte) {
    const char *at = s.n ? memchr(s.at, (unsigned char)byte, s.n) : NULL;
    return at ? (size_t)(at - s.at) : SIZE_MAX;
}

alm_str alm_str_slice(alm_str s, size_t from, size_t to) {
    to = least(to, s.n);
    from = least(from, to);
    return (alm_str){s.at ? s.at + from : NULL, to - from};
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

alm_str alm_str_trim(alm_str s) {
    while (s.n && blank(s.at[s.n - 1])) s.n--;
    while (s.n && blank(*s.at)) s.at++, s.n--;
    return s;
}

bool alm_str_split(alm_str *rest, char byte, alm_str *part) {
    if (!rest->at) return false;
    size_t at = alm_str_find_byte(*rest, byte);
    if (at == SIZE_MAX) {
        *part = *rest;
        *rest = (alm_str){NULL, 0};
        return true;
    }
    *part = (alm_str){rest->at, at};
    *rest = (alm_str){rest->at + at + 1, rest->n - at - 1};
    return true;
}

bool alm_str_to_u64(alm_str s, uint64_t *out) {
    uint64_t x = 0;
    if (s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        if (digit > 9 || x > UINT64_MAX / 10 || x * 10 > UINT64_MAX - digit) return false;
        x = x * 10 + digit;
    }
    *out = x;
    return true;
}

bool alm_str_to_i64(alm_str s, int64_t *out) {
    uint64_t x;
    bool negative = s.n > 0 && *s.at == '-';
    if (s.n > 0 && (negative || *s.at == '+')) s = alm_str_slice(s, 1, s.n);
    if (!alm_str_to_u64(s, &x) || x > (uint64_t)INT64_MAX + negative) return false;
    *out = negative ? (int64_t)(0 - x) : (int64_t)x;
    return true;
}
