/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/patterns.h - what `alm patterns` shows, in its several forms; cmd_patterns.c mines, the others write. */
#ifndef ALM_CLI_PATTERNS_H
#define ALM_CLI_PATTERNS_H

#include "cli/cli.h"
#include "detect/log_diff.h"
#include "detect/log_spool.h"
#include "detect/log_template.h"

/* A list of templates, most frequent first; unmatched records are a row of their own, without id. */
alm_status alm_patterns_json(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err);
alm_status alm_patterns_table(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err);

/* The same as a page, written to `path`. */
alm_status alm_patterns_html(alm_cli *cli, const alm_miner *m, uint64_t top, const char *path, alm_error *err);

/* --csv: `lines` has the index of each line of the input, ALM_NO_TEMPLATE where it belongs to none. */
alm_status alm_patterns_csv(alm_cli *cli, const alm_miner *m, alm_spool *lines, alm_error *err);

/* --diff: `d` as alm_log_diff gave it. */
alm_status alm_patterns_diff(alm_cli *cli, const alm_miner *m, const alm_diff *d, uint64_t top, bool json,
                             alm_error *err);

#endif
