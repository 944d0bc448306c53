/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_learn.c - `alm learn`: reads normal records, learns what is normal in them, writes one model file.
 *
 * The model is written aside and put in place at the end: there is the whole file or none. Ctrl-C ends the reading, not
 * the learning: what was read so far becomes the model, and the exit code tells that it is not all. */
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "cli/detection.h"
#include "cli/learn_recipe.h"
#include "cli/sessions.h"
#include "detect/ahead.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

typedef struct values {
    alm_input_values input;
    const char *output, *group_by, *recipe_out;
    double alpha;
    bool sessions, no_lm, json;
    uint64_t max_templates, steps;
    double time_limit;
} values;

#define PLACE(field) offsetof(values, field)
static const alm_opt opts[] = {
    {.name = "output",
     .letter = 'o',
     .type = ALM_OPT_FILE,
     .arg = N_("MODEL"),
     .section = N_("Output"),
     .help = N_("the model file to write"),
     .at = PLACE(output)},
    {.name = "recipe-out",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Output"),
     .help =
         N_("also write what was learned from and how, with digests, so that it can be learned again to the same bits"),
     .at = PLACE(recipe_out)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("say what was learned as one JSON object"),
     .at = PLACE(json)},
    ALM_INPUT_OPTS(values, input),
    {.name = "sessions",
     .type = ALM_OPT_FLAG,
     .section = N_("Input"),
     .help = N_("the input is TSV of whole sessions: session<TAB>events; a column `label` keeps anomalous ones out"),
     .at = PLACE(sessions)},
    {.name = "alpha",
     .letter = 'a',
     .type = ALM_OPT_REAL,
     .flags = ALM_OPT_OPEN,
     .arg = N_("RATE"),
     .min = 0,
     .max = 1,
     .fallback = "0.01",
     .section = N_("Learning"),
     .help = N_("promised rate of alarms among what is normal"),
     .at = PLACE(alpha)},
    {.name = "group-by",
     .letter = 'g',
     .type = ALM_OPT_TEXT,
     .arg = N_("REGEX|field:NAME|off"),
     .section = N_("Learning"),
     .help = N_("what links records into groups: the first capture of a regex, or else its match; a field; without it "
                "the identifier "
                "that links records is looked for"),
     .at = PLACE(group_by)},
    {.name = "max-templates",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 10,
     .max = 10000000,
     .fallback = "100000",
     .section = N_("Learning"),
     .help = N_("keep at most N templates"),
     .at = PLACE(max_templates)},
    {.name = "no-lm",
     .type = ALM_OPT_FLAG,
     .section = N_("Learning"),
     .help = N_("by counting, order and calibration only: no language model reads what was never seen"),
     .at = PLACE(no_lm)},
    {.name = "time-limit",
     .type = ALM_OPT_REAL,
     .arg = N_("SECONDS"),
     .min = 1,
     .max = 1e6,
     .fallback = "60",
     .section = N_("Learning"),
     .help = N_("train the language model no longer than this; it often needs less"),
     .at = PLACE(time_limit)},
    {.name = "steps",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1000000000,
     .section = N_("Learning"),
     .help = N_("train it for N steps instead, whatever the clock says: the same input then gives the same file"),
     .at = PLACE(steps)},
};

static const alm_example examples[] = {
    {"alm learn normal.log -o normal.gguf", N_("Learn from a stretch of ordinary life.")},
    {"alm learn 'logs/*.log' -o fleet.gguf --alpha 0.001",
     N_("From several files, with at most one alarm in a thousand.")},
    {"alm learn normal.log -o session.gguf --group-by 'session=([0-9]+)'",
     N_("Judge sessions as a whole: what links their lines is the number.")},
    {"alm learn app.jsonl -o trace.gguf --group-by field:trace", N_("The same for JSON lines with a field.")},
    {"alm learn --sessions sessions.tsv -o sessions.gguf --json", N_("From sessions that were cut already.")},
    {"alm learn normal.log -o counted.gguf --no-lm --recipe-out counted.recipe.json",
     N_("With a recipe beside it: which data, by which digests, with which options.")},
};

/* A target that cannot be written should be told before an hour of reading, not after it. */
static alm_status check_target(const char *path, bool recipe, alm_error *err) {
    char dir[4096];
    alm_str d = alm_path_dir(path);
    snprintf(dir, sizeof dir, "%.*s", ALM_ARG(d));
    if (access(dir, W_OK) == 0) return ALM_OK;
    alm_fail_errno(err, errno, recipe ? _("cannot write the recipe: %s") : _("cannot write the model: %s"), path);
    if (err) err->status = ALM_IO;
    return ALM_IO;
}

static alm_status read_records(alm_cli *cli, const values *v, alm_learner *l, alm_learn_sources *sources,
                               bool *all_read, alm_error *err) {
    const char *field = alm_learn_group_field(l);
    alm_input in = {0};
    alm_status st = alm_input_open(&in, cli, &v->input, cli->operands.at, cli->operands.n,
                                   field ? 0 : ALM_INPUT_NO_FIELDS, _("learning"), err);
    if (st != ALM_OK) return st;
    alm_record r;
    while ((st = alm_input_next(&in, &r, err)) == ALM_OK) {
        alm_event e = {
            .text = r.text, .raw = r.raw, .time_ns = r.time_ns, .line = r.line, .source = r.source, .label = -1};
        if (field) e.group = alm_record_field(&r, alm_str_of(field));
        if ((st = alm_learn_add_tokens(l, &e, in.tokens, err)) != ALM_OK) break;
        if (v->recipe_out && (st = alm_learn_sources_add(sources, r.source, err)) != ALM_OK) break;
    }
    if (st == ALM_END || st == ALM_INTERRUPTED) *all_read = alm_input_report(&in);
    alm_input_close(&in);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status read_sessions(alm_cli *cli, const values *v, alm_learner *l, alm_learn_sources *sources,
                                bool *all_read, alm_error *err) {
    alm_input in = {0};
    alm_status st = alm_sessions_open(&in, cli, &v->input, cli->operands.at, cli->operands.n, _("learning"), err);
    if (st != ALM_OK) return st;
    alm_session s;
    while ((st = alm_sessions_next(&in, &s, err)) == ALM_OK) {
        if ((st = alm_learn_session(l, s.name, s.events, s.label, err)) != ALM_OK) break;
        if (v->recipe_out && (st = alm_learn_sources_add(sources, s.source, err)) != ALM_OK) break;
    }
    if (st == ALM_END || st == ALM_INTERRUPTED) *all_read = alm_input_report(&in);
    alm_input_close(&in);
    return st == ALM_END ? ALM_OK : st;
}

static void tell_json(alm_cli *cli, const alm_normal_info *i, const char *path, bool interrupted) {
    alm_json_writer w = alm_json_writer_on(&cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "model"), alm_json_text(&w, path);
    alm_json_key(&w, "alpha"), alm_json_number(&w, i->alpha);
    alm_json_key(&w, "records"), alm_json_u64(&w, i->n_records);
    alm_json_key(&w, "templates"), alm_json_u64(&w, i->n_templates);
    alm_json_key(&w, "groups"), alm_json_u64(&w, i->n_groups);
    alm_json_key(&w, "groups_learned"), alm_json_u64(&w, i->n_groups_fit);
    alm_json_key(&w, "groups_calibration"), alm_json_u64(&w, i->n_groups_calibrate);
    alm_json_key(&w, "groups_cut"), alm_json_u64(&w, i->n_groups_cut);
    alm_json_key(&w, "labelled_out"), alm_json_u64(&w, i->n_labelled_out);
    alm_json_key(&w, "records_learned"), alm_json_u64(&w, i->n_free_fit);
    alm_json_key(&w, "records_calibration"), alm_json_u64(&w, i->n_free_calibrate);
    alm_json_key(&w, "group_rule");
    if (i->group_rule[0]) alm_json_text(&w, i->group_rule);
    else alm_json_null(&w);
    alm_json_key(&w, "threshold"), alm_json_number(&w, i->threshold);
    alm_json_key(&w, "guarantee"), alm_json_text(&w, alm_guarantee_name(i->guarantee));
    alm_json_key(&w, "guarantee_text"), alm_json_text(&w, alm_guarantee_text(i->guarantee));
    alm_json_key(&w, "lm");
    if (i->lm_parameters) {
        alm_json_begin_object(&w);
        alm_json_key(&w, "parameters"), alm_json_u64(&w, i->lm_parameters);
        alm_json_key(&w, "lines"), alm_json_u64(&w, i->lm_lines);
        alm_json_key(&w, "steps"), alm_json_u64(&w, i->lm_steps);
        alm_json_key(&w, "loss"), alm_json_number(&w, i->lm_loss);
        alm_json_end_object(&w);
    } else alm_json_null(&w);
    alm_json_key(&w, "interrupted"), alm_json_bool(&w, interrupted);
    alm_json_end_object(&w);
    alm_out_text(&cli->out, "\n");
}

static void tell(alm_cli *cli, const alm_normal_info *i, const char *path) {
    if (i->n_records)
        alm_cli_note(cli, _("learned %llu records in %llu templates: %s"), (unsigned long long)i->n_records,
                     (unsigned long long)i->n_templates, path);
    else
        alm_cli_note(cli, _("learned %llu sessions: %s"),
                     (unsigned long long)i->n_groups_fit + (unsigned long long)i->n_groups_calibrate, path);
    if (i->n_groups_fit + i->n_groups_calibrate) {
        if (i->group_rule[0]) alm_cli_note(cli, _("groups: %s"), i->group_rule);
        alm_cli_note(cli, _("%llu groups learned, %llu kept to calibrate, %llu cut at an edge and left out"),
                     (unsigned long long)i->n_groups_fit, (unsigned long long)i->n_groups_calibrate,
                     (unsigned long long)i->n_groups_cut);
    }
    if (i->n_free_fit + i->n_free_calibrate)
        alm_cli_note(cli, _("%llu records outside groups learned, %llu kept to calibrate"),
                     (unsigned long long)i->n_free_fit, (unsigned long long)i->n_free_calibrate);
    if (i->n_labelled_out)
        alm_cli_note(cli, _("%llu sessions labelled anomalous were left out"), (unsigned long long)i->n_labelled_out);
    if (i->lm_parameters)
        alm_cli_note(cli, _("language model: %llu parameters learned %llu lines in %llu steps, %.2f nats a token"),
                     (unsigned long long)i->lm_parameters, (unsigned long long)i->lm_lines,
                     (unsigned long long)i->lm_steps, i->lm_loss);
    else if (i->lm_reason[0]) alm_cli_note(cli, _("no language model: %s"), i->lm_reason);
    alm_cli_note(cli, _("promised rate %g %%; %s"), i->alpha * 100, alm_detection_guarantee(i->guarantee));
}

static void show_step(void *arg, uint64_t step, uint64_t steps, double loss) {
    alm_cli *cli = arg;
    (void)loss;
    alm_meter_show(&cli->meter, _("training"), step, steps);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    if (!v->output)
        return alm_cli_usage(cli, _("write -o MODEL.gguf"), _("the name of the model is missing: --output"));
    if (v->sessions && v->group_by)
        return alm_cli_usage(cli, _("a session is a group already"), _("these two contradict each other: --%s --%s"),
                             "sessions", "group-by");
    alm_error err = {0};
    alm_learner *l = NULL;
    alm_normal *m = NULL;
    alm_learn_sources sources = {0};
    bool all_read = true, interrupted = false;
    alm_learn_options o = {.size = sizeof o,
                           .alpha = v->alpha,
                           .group_by = v->group_by,
                           .sessions = v->sessions,
                           .max_templates = (uint32_t)v->max_templates,
                           .cancel = cli->cancel,
                           .lm = !v->no_lm && !v->sessions,
                           .lm_seconds = v->time_limit,
                           .lm_steps = v->steps,
                           .seed = cli->common.seed,
                           .threads = (unsigned)cli->common.threads,
                           .lm_progress = show_step,
                           .lm_progress_arg = cli};
    alm_status st = check_target(v->output, false, &err);
    if (st == ALM_OK && v->recipe_out) st = check_target(v->recipe_out, true, &err);
    if (st == ALM_OK && v->recipe_out) st = alm_learn_recipe_check(cli, &err);
    if (st == ALM_OK) st = alm_learn_new(&l, &o, &err);
    if (st == ALM_OK)
        st = v->sessions ? read_sessions(cli, v, l, &sources, &all_read, &err)
                         : read_records(cli, v, l, &sources, &all_read, &err);
    if (st == ALM_INTERRUPTED) interrupted = true, st = ALM_OK;
    if (st == ALM_OK) st = alm_learn_finish(&m, l, &err);
    if (st == ALM_OK) st = alm_normal_save(m, v->output, &err);
    if (st == ALM_OK && v->recipe_out) {
        alm_normal_info info;
        alm_normal_info_of(m, &info);
        st = alm_learn_recipe_write(v->recipe_out, &sources, &v->input, &o, &info, v->output, interrupted, &err);
    }
    alm_meter_clear(&cli->meter);
    int code = st != ALM_OK ? alm_cli_fail(cli, &err) : all_read ? ALM_EXIT_DONE : ALM_EXIT_FAILED;
    if (st == ALM_OK) {
        alm_normal_info info;
        alm_normal_info_of(m, &info);
        if (v->json) tell_json(cli, &info, v->output, interrupted);
        alm_normal_translate(m, alm_lang_translate);
        alm_normal_info_of(m, &info);
        tell(cli, &info, v->output);
    }
    if (interrupted) {
        if (st == ALM_OK) alm_cli_note(cli, _("interrupted: the model holds what was read so far"));
        code = ALM_EXIT_INTERRUPTED;
    }
    alm_normal_free(m);
    alm_learn_free(l);
    alm_learn_sources_free(&sources);
    return code;
}

const alm_command_spec alm_cmd_learn = {
    .operands = N_("[FILE|FOLDER|GLOB|-]... -o MODEL"),
    .max_operands = SIZE_MAX,
    .operands_are_files = true,
    .about = N_(
        "Reads records of normal life and learns their templates, how often they come, which belong together in a "
        "group, in what "
        "order, and which values are rare. The last quarter in time is not learned from: it calibrates, so that `alm "
        "detect` "
        "raises alarms among normal records at the promised rate, --alpha, and no more.\n"
        "\n"
        "The model is one GGUF file; `alm detect` needs nothing else. Fewer than 1/alpha calibration rows can promise "
        "nothing, and that is said here and by `alm detect`."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "detect patterns",
    .run = run,
};
