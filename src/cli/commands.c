/* SPDX-License-Identifier: Apache-2.0
 *
 * commands.c - the table of commands, made from commands.def, and the options that all of them share. */
#include "cli/cli.h"
#include <string.h>

#define ALM_COMMAND(name, purpose, group) extern const alm_command_spec alm_cmd_##name;
#include "cli/commands.def"
#undef ALM_COMMAND

const alm_command alm_commands[] = {
#define ALM_COMMAND(name, purpose, group) {#name, purpose, group, &alm_cmd_##name},
#include "cli/commands.def"
#undef ALM_COMMAND
};
const size_t alm_n_command = sizeof alm_commands / sizeof alm_commands[0];

const alm_command *alm_command_find(const char *name) {
    for (size_t i = 0; i < alm_n_command; i++)
        if (strcmp(alm_commands[i].name, name) == 0) return &alm_commands[i];
    return NULL;
}

#define PLACE(field) offsetof(alm_cli_common, field)
const alm_opt alm_cli_common_opts[] = {
    {.name = "threads",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 0,
     .max = 1024,
     .fallback = "0",
     .section = N_("Common"),
     .help = N_("use at most N threads; 0 is one a processor; the result is the same for any number"),
     .at = PLACE(threads)},
    {.name = "seed",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 0,
     .max = 1.8e19,
     .fallback = "0",
     .section = N_("Common"),
     .help = N_("seed of everything that is random"),
     .at = PLACE(seed)},
    {.name = "color",
     .type = ALM_OPT_CHOICE,
     .choices = "auto|always|never",
     .fallback = "auto",
     .section = N_("Common"),
     .help = N_("colours; auto: on a terminal, unless NO_COLOR is set"),
     .at = PLACE(color)},
    {.name = "quiet",
     .letter = 'q',
     .type = ALM_OPT_FLAG,
     .section = N_("Common"),
     .help = N_("say nothing but results and errors"),
     .at = PLACE(quiet)},
    {.name = "verbose",
     .letter = 'v',
     .type = ALM_OPT_FLAG,
     .not_with = "quiet",
     .section = N_("Common"),
     .help = N_("say more on standard error"),
     .at = PLACE(verbose)},
    {.letter = 'h',
     .type = ALM_OPT_FLAG,
     .section = N_("Common"),
     .help = N_("show the options in short"),
     .at = PLACE(help)},
    {.name = "help",
     .type = ALM_OPT_FLAG,
     .section = N_("Common"),
     .help = N_("show everything, with examples"),
     .at = PLACE(long_help)},
};
const size_t alm_cli_n_common_opt = sizeof alm_cli_common_opts / sizeof alm_cli_common_opts[0];
