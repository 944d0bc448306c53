/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/cli.h - what a command is (a row of data) and what it is given when it runs. */
#ifndef ALM_CLI_CLI_H
#define ALM_CLI_CLI_H

#include "base/error.h"
#include "base/log.h"
#include "cli/lang.h"
#include "cli/opt.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/term.h"

/* The program's exit codes; part of the contract with scripts. */
enum {
    ALM_EXIT_DONE = 0,
    ALM_EXIT_FOUND = 1,
    ALM_EXIT_USAGE = 2,
    ALM_EXIT_REFUSED = 3,
    ALM_EXIT_ABSTAINED = 4,
    ALM_EXIT_FAILED = 5,
    ALM_EXIT_INTERRUPTED = 130,
};
int alm_cli_exit_code(alm_status status);

/* Options that every command takes. */
typedef struct alm_cli_common {
    bool quiet, verbose, help, long_help;
    int color;
    uint64_t threads; /* 0: as many as there are processors */
    uint64_t seed;
} alm_cli_common;
extern const alm_opt alm_cli_common_opts[];
extern const size_t alm_cli_n_common_opt;

typedef struct alm_example {
    const char *line; /* as typed in a shell; the tests run it in a folder with the files named in tests/cli/examples */
    const char *about; /* N_(): what it does */
} alm_example;

typedef struct alm_cli alm_cli;

/* One command: cmd_<name>.c defines `const alm_command_spec alm_cmd_<name>`. */
typedef struct alm_command_spec {
    const char *operands; /* "[FILE...|-]" in the usage line, N_(); "" for none */
    size_t min_operands, max_operands;
    bool operands_are_files; /* completion offers files */
    size_t n_models;   /* so many of the first operands are MODELs: a name becomes the path behind it before `run` */
    const char *words; /* completion offers these: "bash|zsh|fish", or all commands: "@commands"; NULL */
    const char *about; /* N_(): paragraphs, parted by an empty line, for --help and the man page */
    const alm_opt *opt;
    size_t n_opt;
    size_t values_bytes; /* the struct that `opt` fills */
    const alm_example *example;
    size_t n_example;
    const char *see_also;                         /* "learn detect" */
    int (*run)(alm_cli *cli, const void *values); /* gives the exit code */
} alm_command_spec;

typedef struct alm_command {
    const char *name, *purpose, *group; /* the row of commands.def; purpose and group are N_() */
    const alm_command_spec *spec;
} alm_command;
extern const alm_command alm_commands[];
extern const size_t alm_n_command;
const alm_command *alm_command_find(const char *name);

struct alm_cli {
    const alm_command *command;
    alm_cli_common common;
    alm_opt_set given; /* the command's own options: alm_opt_given(&cli->given, "json") */
    alm_opt_operands operands;
    alm_cancel *cancel;
    alm_out out; /* results */
    alm_term out_term, err_term;
    alm_meter meter;
    alm_log log; /* for library calls: messages by -q and -v, progress into the meter */
};

/* The whole program: argv[0] is its name. Gives the exit code; prints. */
int alm_cli_main(int argc, char **argv);

/* "alm: text" and "hint: …" on stderr, in colour where that may be; gives the exit code for err->status. */
int alm_cli_fail(alm_cli *cli, const alm_error *err);
/* The same for a wrong call: ALM_EXIT_USAGE. */
int alm_cli_usage(alm_cli *cli, const char *hint, const char *format, ...) ALM_PRINTF(3, 4);
/* "alm: warning: …" on stderr unless -q. */
void alm_cli_warn(alm_cli *cli, const char *format, ...) ALM_PRINTF(2, 3);
/* A line on stderr unless -q. */
void alm_cli_note(alm_cli *cli, const char *format, ...) ALM_PRINTF(2, 3);
/* Asked to stop by Ctrl-C? */
static inline bool alm_cli_stopped(const alm_cli *cli) { return alm_cancel_requested(cli->cancel); }
/* Puts the results out. `code` unless writing failed: then the failure is told and its code given. */
int alm_cli_finish(alm_cli *cli, int code);

#endif
