/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/help.h - what the tables of commands and options say, for a person (help), for man (scdoc), for a shell (completion). */
#ifndef ALM_CLI_HELP_H
#define ALM_CLI_HELP_H

#include "cli/cli.h"

/* All commands; `all` adds the options that every command takes, the exit codes and the environment. */
void alm_help_program(alm_out *out, const alm_term *term, bool all);
/* One command; `all` adds what it does, ranges and defaults, examples, exit codes. */
void alm_help_command(alm_out *out, const alm_term *term, const alm_command *command, bool all);
/* The man page in scdoc's notation; NULL is the page of the program itself. */
void alm_help_scd(alm_out *out, const alm_command *command);
typedef enum alm_shell { ALM_BASH, ALM_ZSH, ALM_FISH } alm_shell;
void alm_help_completion(alm_out *out, alm_shell shell);

/* The pieces: "-o, --output FILE"; the sentence, with default and range when `all`. */
void alm_help_label(alm_buf *b, const alm_opt *o);
void alm_help_sentence(alm_buf *b, const alm_opt *o, bool all);
/* The exit codes in words; NULL behind the last. */
typedef struct alm_exit_text {
    const char *code, *text;
} alm_exit_text;
extern const alm_exit_text alm_help_exits[];
extern const alm_exit_text alm_help_environment[];
/* Walks a command's options, then the common ones, leaving hidden ones out: i from 0; NULL at the end. */
const alm_opt *alm_help_opt(const alm_command *command, size_t *i);

#endif
