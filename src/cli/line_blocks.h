/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/line_blocks.h - the lines of an input, many at a time, for commands that answer line by line. */
#ifndef ALM_CLI_LINE_BLOCKS_H
#define ALM_CLI_LINE_BLOCKS_H

#include "cli/cli.h"

enum { ALM_BLOCK_LINES = 512 };

/* n lines, at most ALM_BLOCK_LINES, without their ends ("\n" or "\r\n"). */
typedef alm_status alm_lines_fn(void *arg, const alm_str *line, size_t n, alm_error *err);

/* All lines of a file or, for "-", of standard input. From a pipe that falls silent the lines that are there are given as they are,
 * and what was answered is written out: nobody waits for a block to fill. ALM_END when the output is closed. */
alm_status alm_line_blocks(alm_cli *cli, const char *name, alm_lines_fn *fn, void *arg, alm_error *err);

#endif
