/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_embed.c - `alm embed`: each line as a vector.
 *
 * The lines of a block (line_blocks.h) go through the model side by side; a line's vector does not depend on its neighbours. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/line_blocks.h"
#include "cli/vocabulary.h"
#include "engine/embedding.h"

typedef struct values {
    int pooling; /* place in pooling_of */
    uint64_t max_tokens;
    bool raw;
} values;

static const alm_pooling pooling_of[] = {ALM_POOL_UNSAID, ALM_POOL_MEAN, ALM_POOL_FIRST, ALM_POOL_LAST};

static const alm_opt opts[] = {
    {.name = "pooling",
     .type = ALM_OPT_CHOICE,
     .choices = "auto|mean|first|last",
     .fallback = "auto",
     .section = N_("Output"),
     .help = N_("which rows of the last layer make the vector: their mean, the first (CLS), the last; auto: as the "
                "model's files say, else the mean for an encoder and the last for others"),
     .at = offsetof(values, pooling)},
    {.name = "raw",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("leave the vectors at their length; otherwise each has the length 1"),
     .at = offsetof(values, raw)},
    {.name = "max-tokens",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1e9,
     .section = N_("Input"),
     .help = N_("cut a line behind N tokens; otherwise one that is longer than the model's context is an error"),
     .at = offsetof(values, max_tokens)},
};

static const alm_example examples[] = {
    {"alm embed logs.gguf today.log", N_("One object a line, with the vector of that line.")},
    {"echo 'disk is full' | alm embed logs.gguf --pooling mean -", N_("The mean over all tokens.")},
    {"tail -n 3 today.log | alm embed builtin: -", N_("By the small model inside the program; no file is needed.")},
};

typedef struct job {
    alm_cli *cli;
    alm_model *model;
    alm_compute *compute;
    alm_tokenizer *tokenizer;
    alm_pooling pooling;
    bool unit;
    size_t max_tokens;
    uint64_t n_lines; /* that were embedded */
    float *out;       /* [ALM_BLOCK_LINES][hidden] */
} job;

static void tell(job *j, const float *x) {
    alm_json_writer w = alm_json_writer_on(&j->cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "embedding"), alm_json_begin_array(&w);
    for (size_t i = 0; i < alm_model_config(j->model)->hidden; i++) alm_json_number(&w, (double)x[i]);
    alm_json_end_array(&w);
    alm_json_end_object(&w);
    alm_out_text(&j->cli->out, "\n");
}

static alm_status embed(void *arg, const alm_str *line, size_t n, alm_error *err) {
    job *j = arg;
    alm_error why = {0};
    alm_status st =
        alm_embedding_of(j->out, j->model, j->tokenizer, j->compute, line, n, j->max_tokens, j->pooling, j->unit, &why);
    if (st != ALM_OK) {
        alm_fail(err, st, _("lines %llu to %llu: %s"), (unsigned long long)j->n_lines + 1,
                 (unsigned long long)(j->n_lines + n), why.text);
        if (st == ALM_LIMIT) alm_hint(err, "%s", _("--max-tokens N cuts longer lines"));
        return st;
    }
    for (size_t i = 0; i < n; i++) tell(j, j->out + i * alm_model_config(j->model)->hidden);
    j->n_lines += n;
    return ALM_OK;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *path = cli->operands.at[0], *name = cli->operands.n > 1 ? cli->operands.at[1] : "-";
    alm_error err = {0};
    alm_pool *pool = NULL;
    job j = {.cli = cli, .pooling = pooling_of[v->pooling], .unit = !v->raw, .max_tokens = (size_t)v->max_tokens};
    alm_status st = alm_vocabulary_open(&j.tokenizer, cli, path, &err);
    if (st == ALM_OK) st = alm_model_open(&j.model, path, &err);
    if (st == ALM_OK) st = alm_pool_new(&pool, (unsigned)cli->common.threads, &err);
    if (st == ALM_OK) st = alm_compute_new(&j.compute, pool, &err);
    if (st == ALM_OK) st = alm_model_pack(j.model, j.compute, &err);
    if (st == ALM_OK) {
        j.out = alm_calloc(ALM_BLOCK_LINES, alm_model_config(j.model)->hidden * sizeof *j.out);
        st = j.out ? alm_line_blocks(cli, name, embed, &j, &err) : alm_fail_memory(&err);
    }
    int code = st == ALM_OK || st == ALM_END ? ALM_EXIT_DONE
               : st == ALM_INTERRUPTED       ? ALM_EXIT_INTERRUPTED
                                             : alm_cli_fail(cli, &err);
    alm_free(j.out);
    alm_compute_free(j.compute);
    alm_pool_free(pool);
    alm_model_free(j.model);
    alm_tokenizer_free(j.tokenizer);
    return code;
}

const alm_command_spec alm_cmd_embed = {
    .operands = N_("MODEL [FILE|-]"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .about =
        N_("Reads lines and gives each as a vector, so that lines of like meaning lie near each other: with vectors of "
           "length 1, the sum of the products of their numbers is 1 for the same line and smaller for others.\n"
           "\n"
           "MODEL is best an encoder made for it (BERT and its kin, as MiniLM and E5); what such a model wants at the "
           "ends of a text is put there. Where it wants a word before a text (\"query: \"), the line has to begin with "
           "it."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "score tokenize",
    .run = run,
};
