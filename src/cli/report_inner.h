/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/report_inner.h - what the files of the pages share. */
#ifndef ALM_CLI_REPORT_INNER_H
#define ALM_CLI_REPORT_INNER_H

#include "cli/report.h"

/* When there are many incidents, these few are named first: indices by score and number of alarms, the strongest first. */
enum { ALM_REPORT_SHORT = 10, ALM_REPORT_MANY = 30 };
size_t alm_report_strongest(size_t out[ALM_REPORT_SHORT], const alm_report_detect *r);

/* The SVG with records, alarms and incidents; nothing when there are no bins. */
void alm_report_timeline(alm_buf *out, const alm_report_detect *r);

/* Explanation, legend, table, and how many rows were left out. */
void alm_report_patterns_table(alm_buf *out, const alm_report_patterns *r);

#endif
