/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/input.h - what the commands that read records have in common: options, the reader, the report of what was odd. */
#ifndef ALM_CLI_INPUT_H
#define ALM_CLI_INPUT_H

#include "cli/cli.h"
#include "cli/read_ahead.h"

typedef struct alm_input_values {
    int format;
    const char *multiline, *redact;
    bool strict;
} alm_input_values;

/* "auto" and the names of sources.def that are formats of files, in the order of alm_input_format. */
extern const char alm_input_formats[];
bool alm_input_is_redact_rules(const char *word);

/* Rows for a command's table; `values` is its struct, `field` an alm_input_values in it. */
#define ALM_INPUT_OPTS(values, field)                                                                                  \
    {.name = "format",                                                                                                 \
     .type = ALM_OPT_CHOICE,                                                                                           \
     .choices = alm_input_formats,                                                                                     \
     .fallback = "auto",                                                                                               \
     .section = N_("Input"),                                                                                           \
     .help = N_("how the input is written; auto looks at it"),                                                         \
     .at = offsetof(values, field.format)},                                                                            \
        {.name = "multiline",                                                                                          \
         .type = ALM_OPT_TEXT,                                                                                         \
         .arg = "auto|off|REGEX",                                                                                      \
         .section = N_("Input"),                                                                                       \
         .help =                                                                                                       \
             N_("records of several lines: found by themselves, off, or a regex that matches the first line of each"), \
         .at = offsetof(values, field.multiline)},                                                                     \
        {.name = "strict",                                                                                             \
         .type = ALM_OPT_FLAG,                                                                                         \
         .section = N_("Input"),                                                                                       \
         .help = N_("a broken record is an error with file and line, not a warning"),                                  \
         .at = offsetof(values, field.strict)},                                                                        \
    {                                                                                                                  \
        .name = "redact", .type = ALM_OPT_TEXT, .flags = ALM_OPT_OPTIONAL, .arg = N_("RULES"),                         \
        .fits = alm_input_is_redact_rules, .section = N_("Input"),                                                     \
        .help = N_("replace personal data before anything is stored or shown; RULES: email, ip, iban, phone, files "   \
                   "of own rules; without RULES all four"),                                                            \
        .at = offsetof(values, field.redact)                                                                           \
    }

typedef struct alm_input {
    alm_cli *cli;
    alm_read_ahead *ahead;
    alm_redact *redact;
    const char *what; /* the word in the progress line */
    uint64_t n;
    uint64_t flag[ALM_RECORD_FLAG_COUNT]; /* records with that flag, of those that were given */
    const alm_kept_tokens *tokens;        /* of the record that was given last, or NULL: see read_ahead.h */
    bool live; /* some input is a pipe or a terminal: nothing may wait for a full block or for the next record */
} alm_input;

/* Which parts of a record the command does without. */
enum { ALM_INPUT_NO_TIME = 1, ALM_INPUT_NO_FIELDS = 2, ALM_INPUT_NO_TOKENS = 4 };
/* names of n_names 0: standard input. `what` is translated ("learning"). */
alm_status alm_input_open(alm_input *out, alm_cli *cli, const alm_input_values *v, const char *const *names,
                          size_t n_names, unsigned without, const char *what, alm_error *err);
/* As alm_reader_next, with the progress line, and with results flushed before a pipe is waited for. */
alm_status alm_input_next(alm_input *in, alm_record *out, alm_error *err);
/* Warnings for everything odd that was counted. False when an input could not be read to its end: the exit code is then
 * ALM_EXIT_FAILED, as the result says nothing about that part. */
bool alm_input_report(alm_input *in);
void alm_input_close(alm_input *in);

#endif
