/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_patterns.c - `alm patterns`: reads records, mines their templates, shows them in the form that was asked for.
 *
 * Order of the end: mine, settle, save the state, then write. A state that cannot be saved is told before there is any
 * output; after Ctrl-C what was read so far is saved and shown all the same. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/patterns.h"
#include "detect/log_mask.h"
#include <string.h>

typedef struct values {
    alm_input_values input;
    const char *mask, *state, *html, *diff[2];
    bool match_only, csv, json;
    uint64_t top, max_templates;
} values;

#define PLACE(field) offsetof(values, field)
static const alm_opt opts[] = {
    ALM_INPUT_OPTS(values, input),
    {.name = "mask",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Patterns"),
     .help = N_("own slots, one a line: name<TAB>regex; they go before the built-in ones"),
     .at = PLACE(mask)},
    {.name = "state",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Patterns"),
     .help = N_("go on from the templates in FILE where it exists, and save them there at the end"),
     .at = PLACE(state)},
    {.name = "match-only",
     .type = ALM_OPT_FLAG,
     .section = N_("Patterns"),
     .help = N_("make and change no template: only look up those of --state, which stays as it is"),
     .at = PLACE(match_only)},
    {.name = "max-templates",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 10,
     .max = 10000000,
     .fallback = "100000",
     .section = N_("Patterns"),
     .help = N_("keep at most N templates; beyond that the rarest and oldest are joined into one"),
     .at = PLACE(max_templates)},
    {.name = "csv",
     .type = ALM_OPT_FLAG,
     .not_with = "json",
     .section = N_("Output"),
     .help = N_("LineId,EventId,EventTemplate for every line of the input"),
     .at = PLACE(csv)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("one JSON object a template"),
     .at = PLACE(json)},
    {.name = "diff",
     .type = ALM_OPT_FILE,
     .flags = ALM_OPT_TWO,
     .arg = N_("A B"),
     .not_with = "csv",
     .section = N_("Output"),
     .help = N_("compare two inputs: what is new, gone, or changed in rate, and what of it is no chance"),
     .at = PLACE(diff)},
    {.name = "top",
     .letter = 'n',
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1e9,
     .not_with = "csv",
     .section = N_("Output"),
     .help = N_("show only the N most frequent (with --diff: the N clearest differences)"),
     .at = PLACE(top)},
    {.name = "html",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .not_with = "diff",
     .section = N_("Output"),
     .help = N_("write a page with the patterns too"),
     .at = PLACE(html)},
};

static const alm_example examples[] = {
    {"alm patterns app.log", N_("What kinds of lines are there, and how many of each?")},
    {"alm patterns --top 10 'logs/*.log'", N_("The ten most frequent kinds in several files.")},
    {"zcat old.log.gz | alm patterns --json -",
     N_("From a pipe, for a script. (Compressed files are also read as they are.)")},
    {"alm patterns --diff monday.log tuesday.log", N_("What is new since yesterday?")},
    {"alm patterns --csv app.log > lines.csv", N_("Which pattern does each line belong to?")},
    {"alm patterns --state app.state -q app.log > table.txt",
     N_("Keep the templates, so that tomorrow's lines get the same ids.")},
    {"alm patterns --state app.state --match-only --json app.log", N_("Count by known templates only.")},
    {"printf 'order\\tORD-[0-9]+\\n' > my.masks && alm patterns --mask my.masks app.log",
     N_("Own slots: what matches the regex is shown as <order>.")},
    {"alm patterns --html patterns.html app.log", N_("A page to send to somebody.")},
    {"alm patterns --redact app.log", N_("Show no e-mail or IP addresses, IBAN or phone numbers.")},
};

/* What lives while the command runs. */
typedef struct work {
    alm_cli *cli;
    const values *v;
    alm_mask_set *masks;
    alm_miner *miner;
    alm_spool lines;
    struct side {
        uint64_t *count, n_unmatched; /* --diff: records of this input by index */
        size_t cap;
    } side[2];
    bool all_read;
} work;

static alm_status start(work *w, alm_error *err) {
    const values *v = w->v;
    alm_status st;
    if (v->mask && (st = alm_mask_set_load(&w->masks, v->mask, err)) != ALM_OK) return st;
    alm_miner_options o = {
        .size = sizeof o, .max_templates = (uint32_t)v->max_templates, .match_only = v->match_only, .masks = w->masks};
    if (!v->state || (!v->match_only && !alm_file_exists(v->state))) return alm_miner_new(&w->miner, &o, err);
    return alm_miner_load_file(&w->miner, v->state, &o, err);
}

/* Lines between two records that are no record themselves (CSV heads, blank lines of JSON) keep their number. */
typedef struct line_count {
    uint32_t source;
    uint64_t next;
    bool any;
} line_count;

static alm_status spool(alm_spool *s, uint32_t index, uint64_t n, alm_error *err) {
    alm_status st = ALM_OK;
    while (st == ALM_OK && n--) st = alm_spool_add(s, index, err);
    return st;
}

static alm_status log_lines(work *w, line_count *c, const alm_record *r, uint32_t index, alm_error *err) {
    if (!c->any || r->source_index != c->source) *c = (line_count){.source = r->source_index, .next = 1, .any = true};
    alm_status st = ALM_OK;
    if (r->line > c->next) st = spool(&w->lines, ALM_NO_TEMPLATE, r->line - c->next, err);
    if (st == ALM_OK) st = spool(&w->lines, index, r->n_lines, err);
    c->next = r->line + r->n_lines;
    return st;
}

static alm_status count_side(struct side *s, uint32_t index, alm_error *err) {
    if (index == ALM_NO_TEMPLATE) return s->n_unmatched++, ALM_OK;
    if (index >= s->cap) {
        size_t old = s->cap;
        if (!alm_grow((void **)&s->count, &s->cap, index + 1U, sizeof *s->count)) return alm_fail_memory(err);
        memset(s->count + old, 0, (s->cap - old) * sizeof *s->count);
    }
    s->count[index]++;
    return ALM_OK;
}

/* ALM_OK at the end of the input, ALM_INTERRUPTED when it was stopped before. `side`: NULL without --diff. */
static alm_status mine(work *w, const char *const *names, size_t n_names, struct side *side, alm_error *err) {
    alm_input in = {0};
    unsigned without = ALM_INPUT_NO_FIELDS | (w->v->csv || side ? ALM_INPUT_NO_TIME : 0U);
    alm_status st = alm_input_open(&in, w->cli, &w->v->input, names, n_names, without, _("mining"), err);
    if (st != ALM_OK) return st;
    alm_read_ahead_masks(in.ahead, w->masks);
    line_count count = {0};
    alm_record r;
    alm_match match;
    while ((st = alm_input_next(&in, &r, err)) == ALM_OK) {
        if ((st = alm_miner_add_tokens(w->miner, r.text, in.tokens, r.time_ns, &match, err)) != ALM_OK) break;
        if (w->v->csv && (st = log_lines(w, &count, &r, match.index, err)) != ALM_OK) break;
        if (side && (st = count_side(side, match.index, err)) != ALM_OK) break;
    }
    if (st == ALM_END) st = ALM_OK;
    if (st == ALM_OK || st == ALM_INTERRUPTED) w->all_read = alm_input_report(&in) && w->all_read;
    alm_input_close(&in);
    return st;
}

static alm_status read_all(work *w, alm_error *err) {
    const values *v = w->v;
    if (!v->diff[0]) return mine(w, w->cli->operands.at, w->cli->operands.n, NULL, err);
    alm_status st = mine(w, &v->diff[0], 1, &w->side[0], err);
    return st == ALM_OK ? mine(w, &v->diff[1], 1, &w->side[1], err) : st;
}

static alm_status show_diff(work *w, alm_error *err) {
    static const double level = 0.05;
    const struct side *a = &w->side[0], *b = &w->side[1];
    alm_diff d = {0};
    alm_status st =
        alm_log_diff(&d, w->miner, a->count, a->cap, a->n_unmatched, b->count, b->cap, b->n_unmatched, level, err);
    if (st == ALM_OK) st = alm_patterns_diff(w->cli, w->miner, &d, w->v->top, w->v->json, err);
    alm_log_diff_free(&d);
    return st;
}

static alm_status show(work *w, alm_error *err) {
    const values *v = w->v;
    if (v->html) {
        alm_status st = alm_patterns_html(w->cli, w->miner, v->top, v->html, err);
        if (st != ALM_OK) return st;
    }
    if (v->diff[0]) return show_diff(w, err);
    if (v->csv) return alm_patterns_csv(w->cli, w->miner, &w->lines, err);
    if (v->json) return alm_patterns_json(w->cli, w->miner, v->top, err);
    return alm_patterns_table(w->cli, w->miner, v->top, err);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    if (v->match_only && !v->state)
        return alm_cli_usage(cli, _("write --state FILE, a file that `alm patterns --state FILE` has made"),
                             _("known templates are missing: --match-only"));
    if (v->diff[0] && cli->operands.n)
        return alm_cli_usage(cli, _("--diff takes its two inputs itself"), _("one word too many: %s"),
                             cli->operands.at[0]);
    if (v->diff[0] && v->state)
        return alm_cli_usage(cli, _("give one of them"), _("these two contradict each other: --%s --%s"), "diff",
                             "state");
    alm_error err = {0};
    work w = {.cli = cli, .v = v, .all_read = true};
    alm_status st = start(&w, &err), stopped = ALM_OK;
    if (st == ALM_OK) st = read_all(&w, &err);
    if (st == ALM_INTERRUPTED && !v->diff[0]) stopped = st, st = ALM_OK;
    if (st == ALM_OK && !v->match_only) st = alm_miner_settle(w.miner, &err);
    if (st == ALM_OK && v->state && !v->match_only) st = alm_miner_save_file(w.miner, v->state, &err);
    alm_meter_clear(&cli->meter);
    if (st == ALM_OK) st = show(&w, &err);
    int code = st != ALM_OK        ? alm_cli_fail(cli, &err)
               : stopped != ALM_OK ? ALM_EXIT_INTERRUPTED
               : w.all_read        ? ALM_EXIT_DONE
                                   : ALM_EXIT_FAILED;
    if (st == ALM_OK && stopped != ALM_OK) alm_cli_note(cli, _("interrupted: this is what was read so far"));
    alm_spool_free(&w.lines);
    alm_miner_free(w.miner);
    alm_mask_set_free(w.masks);
    alm_free(w.side[0].count);
    alm_free(w.side[1].count);
    return code;
}

const alm_command_spec alm_cmd_patterns = {
    .operands = N_("[FILE|FOLDER|GLOB|-]..."),
    .max_operands = SIZE_MAX,
    .operands_are_files = true,
    .about =
        N_("Reads records and finds the patterns that they are made by: text that stays, and slots for what varies, "
           "such as "
           "<ip>, <num>, <hex>, <uuid>, <path>, <time>. Records are lines, multi-line records such as stack traces, "
           "JSON lines, "
           "CSV, TSV or syslog; files may be compressed with gzip or zstd; folders are read with all that is in them.\n"
           "\n"
           "A pattern's id comes from its text alone, so it is the same tomorrow and on another machine. Counts always "
           "add up "
           "to the number of records. Memory is bounded: the input may be larger than it by any factor."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "learn detect",
    .run = run,
};
