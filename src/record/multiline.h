/* SPDX-License-Identifier: Apache-2.0
 *
 * record/multiline.h - which lines belong to the record before them. */
#ifndef ALM_RECORD_MULTILINE_H
#define ALM_RECORD_MULTILINE_H

#include "base/error.h"
#include "base/str.h"
#include "record/regex.h"
#include "record/stamp.h"

typedef enum alm_multiline_mode {
    ALM_MULTILINE_OFF,
    ALM_MULTILINE_TRACES, /* stack traces only: the input's records have no header by which a first line is known */
    ALM_MULTILINE_HEADER, /* records begin with a time stamp: what has none and is indented or part of a trace continues */
    ALM_MULTILINE_REGEX
} alm_multiline_mode;

typedef enum alm_trace {
    ALM_TRACE_NONE,
    ALM_TRACE_FRAMES,
    ALM_TRACE_PYTHON,
    ALM_TRACE_PYTHON_DONE,
    ALM_TRACE_GO,
    ALM_TRACE_PHP,
    ALM_TRACE_RUST
} alm_trace;

typedef struct alm_multiline {
    alm_multiline_mode mode;
    bool join_all;       /* HEADER: every line without a header continues, also one that is not indented */
    alm_stamp_form form; /* HEADER: the form of its stamps */
    alm_trace trace;     /* what the record so far is in the middle of */
    alm_regex *regex;
    alm_regex_match *match;
} alm_multiline;

/* mode by itself for an input that begins with these lines; keeps a regex. */
void alm_multiline_look(alm_multiline *m, alm_str head);
/* ALM_INVALID with the place of the fault. */
alm_status alm_multiline_compile(alm_multiline *m, const char *regex, alm_error *err);
void alm_multiline_free(alm_multiline *m);

/* A record begins with this line. */
void alm_multiline_first(alm_multiline *m, alm_str line);
/* Does `line` continue the record? stamp: the one found in the line, or NULL (only looked at in HEADER mode). `behind` is the
 * line after it when that is at hand (at != NULL). Moves the state when the answer is yes. */
bool alm_multiline_continues(alm_multiline *m, alm_str line, const alm_stamp *stamp, alm_str behind);
/* Must `behind` be fetched to answer? */
bool alm_multiline_needs_behind(const alm_multiline *m, alm_str line);

#endif
