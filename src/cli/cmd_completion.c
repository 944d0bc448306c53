/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_completion.c - `alm completion SHELL`: the script that lets a shell complete commands, options and values. */
#include "cli/help.h"
#include <string.h>

static const alm_example examples[] = {
    {"alm completion bash > alm.bash", N_("Write the script for bash; `. ./alm.bash` switches it on.")},
    {"alm completion zsh > _alm", N_("For zsh: a file named _alm in a folder of $fpath.")},
    {"alm completion fish > alm.fish", N_("For fish: a file in ~/.config/fish/completions.")},
};

static int run(alm_cli *cli, const void *given) {
    (void)given;
    static const char *const names[] = {[ALM_BASH] = "bash", [ALM_ZSH] = "zsh", [ALM_FISH] = "fish"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], cli->operands.at[0]) == 0)
            return alm_help_completion(&cli->out, (alm_shell)i), ALM_EXIT_DONE;
    return alm_cli_usage(cli, _("possible are bash, zsh, fish"), _("no script for this shell: %s"),
                         cli->operands.at[0]);
}

const alm_command_spec alm_cmd_completion = {
    .operands = "bash|zsh|fish",
    .min_operands = 1,
    .max_operands = 1,
    .words = "bash|zsh|fish",
    .about = N_(
        "Writes a script to standard output. It completes commands, options, their values and file names, and is made "
        "from the same table as the parser, so it knows exactly the options of this version."),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .run = run,
};
