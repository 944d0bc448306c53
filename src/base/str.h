/* SPDX-License-Identifier: Apache-2.0
 *
 * base/str.h - strings are a pointer and a length; numbers are read and written with a point whatever the locale. */
#ifndef ALM_BASE_STR_H
#define ALM_BASE_STR_H

#include <allmende/base.h>
#include <stdarg.h>
#include <string.h>

#define ALM_STR(literal) ((alm_str){("" literal), sizeof(literal) - 1})
/* For printf: "%.*s", ALM_ARG(s) */
#define ALM_ARG(s) (int)(s).n, (s).at

static inline alm_str alm_str_of(const char *terminated) {
    return (alm_str){terminated, terminated ? strlen(terminated) : 0};
}
static inline alm_str alm_str_make(const char *at, size_t n) { return (alm_str){at, n}; }
static inline bool alm_str_eq(alm_str a, alm_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0); }
/* Bytewise order, shorter first on a tie: <0, 0, >0. */
int alm_str_cmp(alm_str a, alm_str b);
bool alm_str_starts(alm_str s, alm_str prefix);
bool alm_str_ends(alm_str s, alm_str suffix);
/* Index of the first occurrence, or SIZE_MAX. */
size_t alm_str_find(alm_str s, alm_str needle);
size_t alm_str_find_byte(alm_str s, char byte);
/* [from, to) clipped to the string. */
alm_str alm_str_slice(alm_str s, size_t from, size_t to);
/* Without blanks, tabs, CR, LF at both ends. */
alm_str alm_str_trim(alm_str s);
/* Cuts the part before the first `byte` off *rest and returns it; the whole rest when there is none. False when *rest is empty and used up (at == NULL). */
bool alm_str_split(alm_str *rest, char byte, alm_str *part);

/* The whole string must be the number; no blanks, no sign for u64; false on overflow. Doubles: decimal, correctly rounded, point only. */
bool alm_str_to_u64(alm_str s, uint64_t *out);
bool alm_str_to_i64(alm_str s, int64_t *out);
bool alm_str_to_f64(alm_str s, double *out);
/* Shortest decimal that reads back to the same double, as ECMAScript writes it (RFC 8785); returns its length (≤ 25; `at` has 32 bytes). NaN and infinities give "null". */
size_t alm_f64_to_str(char *at, double x);
/* As snprintf and vsnprintf, with numbers written as in the C locale whatever the program has set. */
int alm_str_print(char *out, size_t cap, const char *format, ...) ALM_PRINTF(3, 4);
int alm_str_vprint(char *out, size_t cap, const char *format, va_list args) ALM_PRINTF(3, 0);

/* 64 bits from the content, the same on every machine and in every version: ids and tables may rely on it.
 * Not a cryptographic digest: use proof/digest.h where somebody might profit from a collision. */
uint64_t alm_hash64(const void *at, size_t n, uint64_t seed);
static inline uint64_t alm_hash_str(alm_str s) { return alm_hash64(s.at, s.n, 0); }
/* Mixes one more word into a hash. */
static inline uint64_t alm_hash_mix(uint64_t h, uint64_t word) {
    h ^= word;
    h *= 0x9E3779B97F4A7C15ULL;
    return h ^ (h >> 29);
}

/* UTF-8 (RFC 3629: no surrogates, nothing beyond U+10FFFF, shortest form). */
bool alm_utf8_valid(alm_str s);
/* Length of the valid prefix. */
size_t alm_utf8_valid_prefix(alm_str s);
/* One scalar value from s at *pos, moving *pos; false at an ill-formed byte (then *pos moves over the maximal ill-formed part). */
bool alm_utf8_next(alm_str s, size_t *pos, uint32_t *out);
/* Writes 1..4 bytes, returns how many. */
size_t alm_utf8_put(char *at, uint32_t scalar);
/* The visible form of the next character of s, moving *pos (which must be < s.n): itself, or \xNN for each byte of a control
 * character (C0, DEL, C1) or ill-formed part. Returns its length; `at` has ALM_VISIBLE_BYTES. */
#define ALM_VISIBLE_BYTES 16
size_t alm_visible_next(alm_str s, size_t *pos, char *at);
/* All of s in visible form and a NUL, as far as it fits into at_bytes (>= 4): what is too long ends in "...". Returns the length. */
size_t alm_visible_copy(char *at, size_t at_bytes, alm_str s);
/* Columns that a terminal needs for it (wide East Asian 2, combining 0). */
size_t alm_utf8_columns(alm_str s);

#endif
