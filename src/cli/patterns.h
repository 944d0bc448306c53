/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/patterns.h - what `alm patterns` shows, in its several forms; cmd_patterns.c mines, the others write. */
#ifndef ALM_CLI_PATTERNS_H
#define ALM_CLI_PATTERNS_H

#include "cli/cli.h"
#include "detect/log_template.h"

/* A list of templates, most frequent first; unmatched records are a row of their own, without id. */
alm_status alm_patterns_json(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err);
alm_status alm_patterns_table(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err);

/* The same as a page, written to `path`. */
alm_status alm_patterns_html(alm_cli *cli, const alm_miner *m, uint64_t top, const char *path, alm_error *err);

/* --csv: which template each line of the input belongs to. The final text of a template is known only at the end, so the
 * lines wait in a temporary file, four bytes each, and not in memory. */
typedef struct alm_line_log {
    int fd;
    uint32_t *block;
    size_t n, n_written; /* lines in the block, in the file */
} alm_line_log;
alm_status alm_line_log_begin(alm_line_log *l, alm_error *err);
/* The next n lines belong to `index` (ALM_NO_TEMPLATE: to none). */
alm_status alm_line_log_add(alm_line_log *l, uint32_t index, uint64_t n, alm_error *err);
alm_status alm_line_log_csv(alm_line_log *l, alm_cli *cli, const alm_miner *m, alm_error *err);
void alm_line_log_end(alm_line_log *l);

/* --diff: each template in two inputs. count_a has the records of A by index, those of B are the rest; indices are resolved here. */
alm_status alm_patterns_diff(alm_cli *cli, const alm_miner *m, const uint64_t *count_a, uint32_t n_index, uint64_t n_a, uint64_t top,
                             bool json, alm_error *err);

#endif
