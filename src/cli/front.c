/* SPDX-License-Identifier: Apache-2.0
 *
 * front.c - from argv to an exit code: finds the command, reads its options, runs it, tells what went wrong.
 *
 * Results go to cli->out, everything else to stderr. Output is finished here, after the command, so that a write that
 * fails at the very end still changes the exit code. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/stored.h"
#include "store/store.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int alm_cli_exit_code(alm_status status) {
    switch (status) {
    case ALM_OK:
    case ALM_END: return ALM_EXIT_DONE;
    case ALM_INVALID: return ALM_EXIT_USAGE;
    case ALM_REFUSED: return ALM_EXIT_REFUSED;
    case ALM_INTERRUPTED: return ALM_EXIT_INTERRUPTED;
    default: return ALM_EXIT_FAILED;
    }
}

/* ── messages ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void tell(alm_cli *cli, alm_style style, const char *label, const char *text) {
    alm_meter_clear(&cli->meter);
    alm_buf b = alm_buf_with_limit(1 << 16);
    alm_buf_add_text(&b, alm_style_on(&cli->err_term, style));
    alm_buf_add_text(&b, label);
    alm_buf_add_text(&b, alm_style_off(&cli->err_term, style));
    alm_buf_add_visible(&b, alm_str_of(text));
    alm_buf_add_byte(&b, '\n');
    /* Nobody can be told that stderr cannot be written. */
    if (!b.failed && write(STDERR_FILENO, b.at, b.n) < 0) { /* see above */
    }
    alm_buf_free(&b);
}

int alm_cli_fail(alm_cli *cli, const alm_error *err) {
    tell(cli, ALM_BAD, "alm: ", err->text[0] ? err->text : alm_status_text(err->status));
    if (err->hint[0]) tell(cli, ALM_BOLD, _("hint: "), err->hint);
    return alm_cli_exit_code(err->status == ALM_OK ? ALM_IO : err->status);
}

int alm_cli_usage(alm_cli *cli, const char *hint, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tell(cli, ALM_BAD, "alm: ", text);
    if (hint) tell(cli, ALM_BOLD, _("hint: "), hint);
    return ALM_EXIT_USAGE;
}

static void say(alm_cli *cli, alm_style style, const char *label, const char *format, va_list args) {
    if (cli->common.quiet) return;
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    tell(cli, style, label, text);
}

void alm_cli_warn(alm_cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char label[64];
    snprintf(label, sizeof label, "alm: %s: ", _("warning"));
    say(cli, ALM_WARN, label, format, args);
    va_end(args);
}

void alm_cli_note(alm_cli *cli, const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(cli, ALM_PLAIN, "", format, args);
    va_end(args);
}

static void on_message(void *arg, alm_log_level level, const char *text) {
    alm_cli *cli = arg;
    if (level <= ALM_LOG_WARNING) alm_cli_warn(cli, "%s", text);
    else alm_cli_note(cli, "%s", text);
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total) {
    alm_cli *cli = arg;
    alm_meter_show(&cli->meter, what, done, total);
}

int alm_cli_finish(alm_cli *cli, int code) {
    alm_error err = {0};
    alm_status st = alm_out_finish(&cli->out, &err);
    if (st == ALM_OK) return code;
    /* A reader such as `head` that has seen enough is no reason for a message. */
    if (st != ALM_END) alm_cli_fail(cli, &err);
    return ALM_EXIT_FAILED;
}

/* ── the way in ─────────────────────────────────────────────────────────────────────────────────────────────── */

static int unknown_command(alm_cli *cli, const char *typed) {
    const char *nearest = NULL;
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < alm_n_command; i++) {
        uint32_t d = alm_opt_nearness(typed, alm_commands[i].name);
        if (d < best) best = d, nearest = alm_commands[i].name;
    }
    char hint[200];
    if (nearest) snprintf(hint, sizeof hint, _("did you mean `alm %s`? `alm help` lists all commands"), nearest);
    else snprintf(hint, sizeof hint, "%s", _("`alm help` lists all commands"));
    if (typed[0] == '-')
        return alm_cli_usage(cli, _("a command comes first; `alm help` lists all commands"), _("unknown option: %s"),
                             typed);
    return alm_cli_usage(cli, hint, _("unknown command: %s"), typed);
}

static int check_operands(alm_cli *cli) {
    const alm_command_spec *s = cli->command->spec;
    char hint[200];
    snprintf(hint, sizeof hint, "alm %s %s", cli->command->name, *s->operands ? _(s->operands) : "");
    if (cli->operands.n < s->min_operands)
        return alm_cli_usage(cli, hint, _("something is missing after the command: alm %s"), cli->command->name);
    if (cli->operands.n > s->max_operands)
        return alm_cli_usage(cli, hint, _("one word too many: %s"), cli->operands.at[s->max_operands]);
    return ALM_EXIT_DONE;
}

/* Help is given even where the rest of the line is wrong: that is when it is wanted. */
static void look_for_help(alm_cli_common *common, int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) common->long_help = true;
        if (strcmp(argv[i], "-h") == 0) common->help = true;
    }
}

/* A name becomes the path that opens it; `kept` owns what is new. "-" is standard input, where a MODEL may be left out. */
static alm_status resolve(alm_cli *cli, const char **typed, alm_names *kept, alm_error *err) {
    if (strcmp(*typed, "-") == 0) return ALM_OK;
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_status st = alm_ref_resolve(&path, *typed, err);
    if (st == ALM_OK && strcmp(path.at, *typed) != 0) {
        alm_cli_warn_stored_at(cli, path.at);
        if (alm_names_add(kept, path.at)) *typed = kept->at[kept->n - 1];
        else st = alm_fail_memory(err);
    }
    alm_buf_free(&path);
    return st;
}

/* Wherever a MODEL is wanted, a name of the store or of a cache will do; commands see paths only. */
static alm_status resolve_models(alm_cli *cli, void *values, alm_names *kept, alm_error *err) {
    const alm_command_spec *s = cli->command->spec;
    alm_status st = ALM_OK;
    for (size_t i = 0; i < cli->operands.n && i < s->n_models && st == ALM_OK; i++)
        st = resolve(cli, &cli->operands.at[i], kept, err);
    for (size_t i = 0; i < s->n_opt && st == ALM_OK; i++) {
        const char **typed = (const char **)(void *)((char *)values + s->opt[i].at);
        if (s->opt[i].flags & ALM_OPT_MODEL && *typed) st = resolve(cli, typed, kept, err);
    }
    return st;
}

static int run_command(alm_cli *cli, int argc, char **argv) {
    const alm_command_spec *s = cli->command->spec;
    alm_error err = {0};
    char who[64];
    snprintf(who, sizeof who, "alm %s", cli->command->name);
    void *values = alm_calloc(1, s->values_bytes ? s->values_bytes : 1);
    if (!values) {
        alm_fail_memory(&err);
        return alm_cli_fail(cli, &err);
    }
    alm_opt_set sets[] = {{.opt = s->opt, .n = s->n_opt, .values = values},
                          {.opt = alm_cli_common_opts, .n = alm_cli_n_common_opt, .values = &cli->common}};
    alm_status st = alm_opt_parse(sets, 2, &cli->operands, who, argc, argv, &err);
    cli->given = sets[0];
    cli->out_term = alm_term_of(STDOUT_FILENO, (alm_color_mode)cli->common.color, 100);
    cli->err_term = alm_term_of(STDERR_FILENO, (alm_color_mode)cli->common.color, 80);
    alm_meter_start(&cli->meter, &cli->err_term, cli->common.quiet);
    cli->log = (alm_log){.message = on_message,
                         .progress = on_progress,
                         .arg = cli,
                         .level = cli->common.quiet     ? ALM_LOG_ERROR
                                  : cli->common.verbose ? ALM_LOG_INFO
                                                        : ALM_LOG_WARNING};
    alm_names kept = {0};
    int code;
    if (st != ALM_OK) look_for_help(&cli->common, argc, argv);
    if (cli->common.long_help || cli->common.help) {
        alm_help_command(&cli->out, &cli->out_term, cli->command, cli->common.long_help);
        code = ALM_EXIT_DONE;
    } else if (st != ALM_OK) code = alm_cli_fail(cli, &err);
    else if ((code = check_operands(cli)) == ALM_EXIT_DONE)
        code = resolve_models(cli, values, &kept, &err) == ALM_OK ? s->run(cli, values) : alm_cli_fail(cli, &err);
    alm_meter_clear(&cli->meter);
    code = alm_cli_finish(cli, code);
    alm_opt_free(sets, 2, &cli->operands);
    alm_names_free(&kept);
    alm_free(values);
    return code;
}

int alm_cli_main(int argc, char **argv) {
    alm_lang_start();
    alm_cli cli = {.cancel = alm_interrupt_start(), .out = alm_out_on(STDOUT_FILENO)};
    cli.out_term = alm_term_of(STDOUT_FILENO, ALM_COLOR_AUTO, 100);
    cli.err_term = alm_term_of(STDERR_FILENO, ALM_COLOR_AUTO, 80);
    int code;
    const char *word = argc > 1 ? argv[1] : "";
    if (argc < 2) {
        /* Nothing was asked: the list is the answer, but a script that forgot its command must notice. */
        cli.out.fd = STDERR_FILENO;
        alm_help_program(&cli.out, &cli.err_term, false);
        alm_cli_finish(&cli, ALM_EXIT_USAGE);
        code = ALM_EXIT_USAGE;
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        alm_help_program(&cli.out, &cli.out_term, strcmp(word, "--help") == 0);
        code = alm_cli_finish(&cli, ALM_EXIT_DONE);
    } else {
        if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) word = "version";
        cli.command = alm_command_find(word);
        code = cli.command ? run_command(&cli, argc - 2, argv + 2) : unknown_command(&cli, word);
    }
    alm_out_free(&cli.out);
    return code;
}
