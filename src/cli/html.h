/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/html.h - the frame and the parts that the HTML pages share: head and style, counts, shares, times, templates, sparks.
 *
 * Everything appends to a buffer, escapes what comes from data, and leaves failures to alm_buf_status. */
#ifndef ALM_CLI_HTML_H
#define ALM_CLI_HTML_H

#include "base/buf.h"

/* From <!doctype> to the open <main> with its heading; `title` is translated, `source` may be NULL. */
void alm_html_begin(alm_buf *out, const char *title, const char *source);
/* The line that says what made the page (command may be NULL), and the end. */
void alm_html_end(alm_buf *out, const char *command);

/* Markup of ours, as it is. */
static inline void alm_html_raw(alm_buf *out, const char *markup) { alm_buf_add_text(out, markup); }
void alm_html_text(alm_buf *out, const char *text); /* escaped */
/* A record: line feeds stay, tabs become blanks, cut to max_bytes on a character with an ellipsis. */
void alm_html_record(alm_buf *out, alm_str record, size_t max_bytes);

void alm_html_count(alm_buf *out, uint64_t n);                       /* 48 210, with narrow blanks */
void alm_html_share(alm_buf *out, double share);                     /* 0.0083: "0.83 %" */
void alm_html_p(alm_buf *out, double p);                             /* "p = 0.0004", "p < 0.0001" */
void alm_html_time(alm_buf *out, int64_t unix_ns);                   /* 2026-03-14 09:26:53 */
void alm_html_span(alm_buf *out, int64_t first_ns, int64_t last_ns); /* the date once when it is the same */
void alm_html_duration(alm_buf *out, int64_t ns);                    /* 4 min 9 s */

/* A template: each <slot> in the colour of its kind. */
void alm_html_template(alm_buf *out, alm_str text);
/* A little area chart, 120 x 24. */
void alm_html_spark(alm_buf *out, const uint32_t *value, size_t n);
/* One of the large numbers at the top: what is already in `number` (markup), and what it counts. */
void alm_html_figure(alm_buf *out, const alm_buf *number, const char *label);

#endif
