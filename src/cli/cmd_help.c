/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_help.c - `alm help [COMMAND]`: what --help shows; --scd is for the build, which makes the man pages of it. */
#include "cli/help.h"
#include <string.h>

typedef struct values {
    bool scd;
} values;

static const alm_opt opts[] = {
    {.name = "scd",
     .type = ALM_OPT_FLAG,
     .flags = ALM_OPT_HIDDEN,
     .section = N_("Output"),
     .help = N_("the man page in scdoc's notation"),
     .at = offsetof(values, scd)},
};

static const alm_example examples[] = {
    {"alm help", N_("List the commands.")},
    {"alm help patterns", N_("Show everything about one of them.")},
};

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *name = cli->operands.n ? cli->operands.at[0] : "alm";
    bool program = strcmp(name, "alm") == 0;
    const alm_command *command = program ? NULL : alm_command_find(name);
    if (!program && !command)
        return alm_cli_usage(cli, _("`alm help` lists all commands"), _("unknown command: %s"), name);
    if (v->scd) alm_help_scd(&cli->out, command);
    else if (command) alm_help_command(&cli->out, &cli->out_term, command, true);
    else alm_help_program(&cli->out, &cli->out_term, true);
    return ALM_EXIT_DONE;
}

const alm_command_spec alm_cmd_help = {
    .operands = N_("[COMMAND]"),
    .max_operands = 1,
    .words = "@commands",
    .about = N_("Shows the list of commands, or everything about one of them: what it does, its options with range and "
                "default, examples that can be typed as they stand, and the exit codes."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .run = run,
};
