/* SPDX-License-Identifier: Apache-2.0
 *
 * record/regex.h - a user's regex (PCRE2): compiled once, bounded when it matches.
 *
 * Patterns see bytes, unless they are made for text: records may hold anything. A pattern that needs more than a fixed number of steps on a line gives up
 * there (ALM_REGEX_HARD), so no pattern and no line can stop the program. */
#ifndef ALM_RECORD_REGEX_H
#define ALM_RECORD_REGEX_H

#include "base/error.h"
#include "base/str.h"

typedef struct alm_regex alm_regex;             /* not changed by matching */
typedef struct alm_regex_match alm_regex_match; /* one per thread and regex */

typedef enum alm_regex_result { ALM_REGEX_NO, ALM_REGEX_YES, ALM_REGEX_HARD, ALM_REGEX_NO_MEMORY } alm_regex_result;

/* what: "multi-line regex", "names.txt:3", for the message. ALM_INVALID with the place of the fault. */
alm_status alm_regex_new(alm_regex **out, const char *pattern, const char *what, alm_error *err);
/* The same for text: \p{L}, \s and the like know Unicode, parentheses only group. It is matched against valid UTF-8 only,
 * which is the caller's promise (alm_utf8_valid). */
alm_status alm_regex_new_utf(alm_regex **out, const char *pattern, const char *what, alm_error *err);
void alm_regex_free(alm_regex *r);
/* NULL without memory. */
alm_regex_match *alm_regex_match_new(const alm_regex *r);
void alm_regex_match_free(alm_regex_match *m);
/* Searches from `from`; on YES [*at, *end) is the first capture group where the pattern has one and it took part, else the whole match;
 * *whole_end (may be NULL) is the end of the whole match. */
alm_regex_result alm_regex_find(const alm_regex *r, alm_regex_match *m, alm_str text, size_t from, size_t *at,
                                size_t *end, size_t *whole_end);

#endif
