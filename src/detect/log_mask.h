/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_mask.h - the user's own slot types: a file of `name<TAB>regex` lines (PCRE2, UTF-8, # begins a comment line).
 *
 * What a regex matches becomes one slot <name> before any built-in form is looked at. Where two
 * overlap, the mask that stands earlier in the file wins. Names are lower-case letters and _ and must not be those of a built-in slot. Every match runs under
 * fixed limits of steps and memory: a record on which a regex gives up is mined without that mask and counted. */
#ifndef ALM_DETECT_LOG_MASK_H
#define ALM_DETECT_LOG_MASK_H

#include "base/error.h"
#include "base/str.h"
#include "detect/log_token.h"

typedef struct alm_mask_set alm_mask_set;

/* `name` stands in errors ("FILE:3: ..."). */
alm_status alm_mask_set_parse(alm_mask_set **out, alm_str text, const char *name, alm_error *err);
alm_status alm_mask_set_load(alm_mask_set **out, const char *path, alm_error *err);
void alm_mask_set_free(alm_mask_set *s);
size_t alm_mask_set_count(const alm_mask_set *s);
alm_str alm_mask_set_name(const alm_mask_set *s, size_t i);
/* 64 bits of all names and regexes in order: two sets with the same digest mask alike. 0 for NULL. */
uint64_t alm_mask_set_digest(const alm_mask_set *s);
/* Records on which a regex hit its limits. */
uint64_t alm_mask_set_gave_up(const alm_mask_set *s);
/* Hits in `record`, sorted, not overlapping, at most cap of them, taken as they are even where they cut a word. Returns how many. Not thread-safe (the set keeps match scratch). */
size_t alm_mask_set_find(const alm_mask_set *s, alm_str record, alm_mask_hit *out, size_t cap);

#endif
