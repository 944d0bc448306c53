/* SPDX-License-Identifier: Apache-2.0
 *
 * input.c - opens the records that a command was given and tells afterwards what was odd about them. */
#include "cli/input.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/pool.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Formats of files, in words; the live sources have names of their own ("journal:") and are no formats to choose. */
const char alm_input_formats[] = "auto|lines|jsonl|csv|tsv|syslog";

static alm_record_format format_of(int choice) {
    char word[32];
    alm_record_format format = ALM_RECORD_AUTO;
    if (alm_opt_choice(alm_input_formats, (size_t)choice, word, sizeof word)) (void)alm_record_format_of(&format, word);
    return format;
}

/* A following word is taken for RULES when it can be nothing else: names of classes, and no file of that name. */
bool alm_input_is_redact_rules(const char *word) {
    alm_str rest = alm_str_of(word), part;
    if (alm_file_exists(word) || !*word) return false;
    while (alm_str_split(&rest, ',', &part)) {
        bool known = alm_str_eq(part, ALM_STR("all"));
#define KNOWN(name) known = known || alm_str_eq(part, ALM_STR(#name));
        ALM_REDACT_CLASSES(KNOWN)
#undef KNOWN
        if (!known) return false;
    }
    return true;
}

/* Pipes, terminals, the journal: what comes from a person or a program that is still running. */
static bool may_wait(const char *name) {
    struct stat s;
    if (strcmp(name, "-") == 0) return fstat(STDIN_FILENO, &s) == 0 && !S_ISREG(s.st_mode);
    return stat(name, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISCHR(s.st_mode));
}

/* Whoever reads the results of a live stream must have them before the next wait. */
static void on_idle(void *arg) {
    alm_cli *cli = arg;
    if (cli->out.buf.n) alm_out_flush(&cli->out);
}

alm_status alm_input_open(alm_input *out, alm_cli *cli, const alm_input_values *v, const char *const *names,
                          size_t n_names, unsigned without, const char *what, alm_error *err) {
    alm_input in = {.cli = cli, .what = what};
    alm_status st;
    if (v->redact && (st = alm_redact_new(&in.redact, v->redact, NULL, 0, err)) != ALM_OK) return st;
    in.live = n_names == 0 && may_wait("-");
    for (size_t i = 0; i < n_names; i++) in.live = in.live || may_wait(names[i]);
    alm_reader_options options = {
        .size = sizeof options,
        .format = format_of(v->format),
        .multiline = v->multiline,
        .strict = v->strict,
        .no_time = (without & ALM_INPUT_NO_TIME) != 0,
        .no_fields = (without & ALM_INPUT_NO_FIELDS) != 0,
        .idle_ns = in.live ? 1000000000 : 0,
        .redact = in.redact,
        .cancel = cli->cancel,
    };
    alm_read_ahead_options how = {
        .threaded = (cli->common.threads ? cli->common.threads : alm_cpu_count()) > 1,
        .tokens = !(without & ALM_INPUT_NO_TOKENS),
        .log = &cli->log,
        .idle = in.live ? on_idle : NULL,
        .idle_arg = cli,
    };
    st = alm_read_ahead_open(&in.ahead, names, n_names, &options, &how, err);
    if (st != ALM_OK) {
        alm_redact_free(in.redact);
        return st;
    }
    *out = in;
    return ALM_OK;
}

alm_status alm_input_next(alm_input *in, alm_record *out, alm_error *err) {
    if ((++in->n & 4095) == 0 && in->cli->meter.on) {
        uint64_t done, total;
        alm_read_ahead_progress(in->ahead, &done, &total);
        char what[48];
        snprintf(what, sizeof what, total ? "%s (MB)" : "%s", in->what);
        alm_meter_show(&in->cli->meter, what, total ? done / 1000000 : in->n, total / 1000000);
    }
    alm_status st = alm_read_ahead_next(in->ahead, out, &in->tokens, err);
    if (st != ALM_OK) return st;
    for (uint32_t rest = out->flags; rest; rest &= rest - 1) in->flag[__builtin_ctz(rest)]++;
    return ALM_OK;
}

bool alm_input_report(alm_input *in) {
    uint64_t n_unreadable, n_truncated;
    if (!in->ahead) return true;
    alm_read_ahead_broken(in->ahead, &n_unreadable, &n_truncated);
    for (unsigned i = 0; i < ALM_RECORD_FLAG_COUNT; i++) {
        /* These two are as common as they are harmless. */
        if (!in->flag[i] || i == ALM_RECORD_AT_CRLF || i == ALM_RECORD_AT_NO_NEWLINE) continue;
        if (i == ALM_RECORD_AT_REDACTED)
            alm_cli_note(in->cli,
                         P_("personal data replaced in %llu record", "personal data replaced in %llu records",
                            (unsigned long)in->flag[i]),
                         (unsigned long long)in->flag[i]);
        else
            alm_cli_warn(in->cli, P_("%llu record: %s", "%llu records: %s", (unsigned long)in->flag[i]),
                         (unsigned long long)in->flag[i], _(alm_record_flag_text(i)));
    }
    if (n_truncated)
        alm_cli_warn(in->cli,
                     P_("%llu compressed file is damaged or ends too early: read up to there",
                        "%llu compressed files are damaged or end too early: read up to there",
                        (unsigned long)n_truncated),
                     (unsigned long long)n_truncated);
    if (n_unreadable)
        alm_cli_warn(in->cli,
                     P_("%llu input could not be read; the result is of the others",
                        "%llu inputs could not be read; the result is of the others", (unsigned long)n_unreadable),
                     (unsigned long long)n_unreadable);
    return n_unreadable == 0 && n_truncated == 0;
}

void alm_input_close(alm_input *in) {
    alm_read_ahead_close(in->ahead);
    alm_redact_free(in->redact);
    in->ahead = NULL;
    in->redact = NULL;
}
