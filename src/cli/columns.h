/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/columns.h - a table that fits the window: columns as wide as their cells, the flexible one takes what is left. */
#ifndef ALM_CLI_COLUMNS_H
#define ALM_CLI_COLUMNS_H

#include "base/arena.h"
#include "cli/out.h"
#include "cli/term.h"

typedef struct alm_column {
    const char *head; /* translated already */
    bool right;       /* numbers stand at the right */
    bool flexible;    /* is cut when the table is too wide; one column at most */
    bool slots;       /* <words> in angle brackets are set off in colour */
} alm_column;

typedef struct alm_columns alm_columns;

/* `column` must outlive the table; cells are copied. */
alm_status alm_columns_new(alm_columns **out, const alm_column *column, size_t n, alm_error *err);
void alm_columns_free(alm_columns *t);
/* The next cell, row by row. Control characters and ill-formed bytes are escaped here. */
alm_status alm_columns_add(alm_columns *t, alm_str text, alm_style style, alm_error *err);
/* For tables of any length, which are not kept: the rows are added twice. After _measure cells only tell how wide the columns
 * must be; after _write, which writes the heads, cells are written as they come. */
void alm_columns_measure(alm_columns *t);
alm_status alm_columns_write(alm_columns *t, alm_out *out, const alm_term *term, alm_error *err);
/* Heads, then rows. Cells are never cut where the output is no terminal: a file has no edge. */
alm_status alm_columns_print(alm_columns *t, alm_out *out, const alm_term *term, alm_error *err);

/* Appends `s` (already visible) cut to `width` columns, with an ellipsis when cut; returns the columns used. */
size_t alm_columns_cut(alm_buf *out, alm_str s, size_t width, bool utf8);
/* Appends `s` (already visible) in lines of at most `width` columns, broken at blanks; those after the first begin with
 * `indent` blanks, and the first is taken to begin there too. Ends with a line end. */
void alm_columns_wrap(alm_buf *out, alm_str s, size_t indent, size_t width);
/* A row of bars for n values, scaled to the largest: "▁▂▅█" or, without UTF-8, ".:+#". Values below 0 count as 0. */
void alm_columns_spark(alm_buf *out, const double *value, size_t n, bool utf8);
/* Digits in groups of three from 10,000 on, parted by a thin blank (ISO 80000-1), or by nothing without UTF-8. */
void alm_columns_count(alm_buf *out, uint64_t n, bool utf8);

#endif
