/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_score.c - `alm score`: how surprising is each line for a model.
 *
 * The model reads many lines at once (line_blocks.h); a line's numbers do not depend on its neighbours. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/line_blocks.h"
#include "cli/vocabulary.h"
#include "engine/likelihood.h"
#include "format/builtin.h"
#include <string.h>

typedef struct values {
    bool pieces;
} values;

static const alm_opt opts[] = {
    {.name = "pieces",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("also each token with its own surprise"),
     .at = offsetof(values, pieces)},
};

static const alm_example examples[] = {
    {"alm score logs.gguf today.log", N_("One object a line: tokens, the sum of their surprise in nats, the mean.")},
    {"echo 'disk is full' | alm score logs.gguf --pieces -", N_("Which word is it that surprises?")},
    {"tail -n 3 today.log | alm score builtin: -", N_("By the small model inside the program; no file is needed.")},
};

typedef struct job {
    alm_cli *cli;
    alm_scorer *scorer;
    const alm_tokenizer *tokenizer;
    bool pieces;
} job;

static void tell(job *j, const alm_scored *s) {
    alm_json_writer w = alm_json_writer_on(&j->cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "tokens"), alm_json_u64(&w, s->n);
    alm_json_key(&w, "nll"), alm_json_number(&w, s->nll);
    alm_json_key(&w, "mean");
    if (s->n) alm_json_number(&w, s->nll / s->n);
    else alm_json_null(&w);
    if (j->pieces) {
        alm_json_key(&w, "pieces"), alm_json_begin_array(&w);
        for (uint32_t i = 0; i < s->n; i++) {
            alm_json_begin_object(&w);
            alm_json_key(&w, "id"), alm_json_u64(&w, s->id[i]);
            alm_json_key(&w, "text"), alm_json_string(&w, alm_tokenizer_name(j->tokenizer, s->id[i]));
            alm_json_key(&w, "nll"), alm_json_number(&w, (double)s->piece[i]);
            alm_json_end_object(&w);
        }
        alm_json_end_array(&w);
    }
    alm_json_end_object(&w);
    alm_out_text(&j->cli->out, "\n");
}

static alm_status score(void *arg, const alm_str *line, size_t n, alm_error *err) {
    job *j = arg;
    alm_scored out[ALM_BLOCK_LINES];
    alm_status st = alm_scorer_run(j->scorer, out, line, n, err);
    for (size_t i = 0; st == ALM_OK && i < n; i++) tell(j, &out[i]);
    return st;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    /* No model: the built-in one. A single `-` can only mean the lines. */
    const char *path = cli->operands.n ? cli->operands.at[0] : ALM_BUILTIN,
               *name = cli->operands.n > 1 ? cli->operands.at[1] : "-";
    if (cli->operands.n == 1 && strcmp(path, "-") == 0) path = ALM_BUILTIN;
    alm_error err = {0};
    alm_model *m = NULL;
    alm_tokenizer *t = NULL;
    alm_pool *pool = NULL;
    alm_compute *c = NULL;
    job j = {.cli = cli, .pieces = v->pieces};
    alm_status st = alm_model_open(&m, path, &err);
    if (st == ALM_OK) st = alm_vocabulary_open(&t, cli, path, &err);
    if (st == ALM_OK) st = alm_pool_new(&pool, (unsigned)cli->common.threads, &err);
    if (st == ALM_OK) st = alm_compute_new(&c, pool, &err);
    if (st == ALM_OK) st = alm_model_pack(m, c, &err);
    if (st == ALM_OK) st = alm_scorer_new(&j.scorer, m, t, c, &err);
    j.tokenizer = t;
    if (st == ALM_OK) st = alm_line_blocks(cli, name, score, &j, &err);
    int code = st == ALM_OK || st == ALM_END ? ALM_EXIT_DONE
               : st == ALM_INTERRUPTED       ? ALM_EXIT_INTERRUPTED
                                             : alm_cli_fail(cli, &err);
    alm_scorer_free(j.scorer);
    alm_compute_free(c);
    alm_pool_free(pool);
    alm_model_free(m);
    alm_tokenizer_free(t);
    return code;
}

const alm_command_spec alm_cmd_score = {
    .operands = N_("[MODEL] [FILE|-]"),
    .n_models = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .about = N_(
        "Reads lines and says how surprising each is for a model: the negative log-likelihood of its tokens in nats, "
        "as the model would have read them from the beginning of the line. Smaller is more usual; a mean of 0 would "
        "be foreseen word by word.\n"
        "\n"
        "Each line is for itself. A line longer than the model's context is read in windows that overlap by half.\n"
        "\n"
        "MODEL is a GGUF file, a Hugging Face folder, a name from `alm list`, or `builtin:`, the small model inside "
        "the program, which is also taken where no MODEL is given and the lines come from standard input."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "train detect",
    .run = run,
};
