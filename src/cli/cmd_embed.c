/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_embed.c - `alm embed`: each line as a vector.
 *
 * The lines of a block (line_blocks.h) go through the model side by side, so many rows at once as a step should have; a line's
 * vector does not depend on its neighbours. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/line_blocks.h"
#include "cli/vocabulary.h"
#include "engine/embedding.h"

typedef struct values {
    int pooling; /* place in pooling_of */
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
};

static const alm_example examples[] = {
    {"alm embed logs.gguf today.log", N_("One object a line, with the vector of that line.")},
    {"echo 'disk is full' | alm embed logs.gguf --pooling mean -", N_("The mean over all tokens.")},
};

enum { STEP_ROWS = 2048 };

typedef struct job {
    alm_cli *cli;
    alm_model *model;
    alm_compute *compute;
    const alm_tokenizer *tokenizer;
    alm_tokenizer_scratch *scratch;
    alm_pooling pooling;
    bool unit;
    uint64_t line; /* the last one that was tokenised, from 1 */
    alm_buf id;    /* of the lines that wait, one behind the other */
    uint32_t start[ALM_BLOCK_LINES + 1];
    float *out; /* [ALM_BLOCK_LINES][hidden] */
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

/* The ids of one line, with what the model wants around a text. */
static alm_status add_line(job *j, alm_str line, alm_error *err) {
    size_t n_before, n_behind, from = j->id.n, context = alm_model_config(j->model)->context;
    const uint32_t *before = alm_tokenizer_before(j->tokenizer, &n_before),
                   *behind = alm_tokenizer_behind(j->tokenizer, &n_behind);
    j->line++;
    alm_buf_add(&j->id, before, n_before * sizeof *before);
    alm_status st = alm_tokenizer_encode(j->tokenizer, j->scratch, line, ALM_SPECIALS_NONE, &j->id, err);
    alm_buf_add(&j->id, behind, n_behind * sizeof *behind);
    if (st == ALM_OK) st = alm_buf_status(&j->id, err);
    if (st != ALM_OK) return st;
    size_t n = (j->id.n - from) / sizeof(uint32_t);
    if (n > context)
        return alm_fail(err, ALM_LIMIT, _("line %llu has %zu tokens; the model's context has %zu"),
                        (unsigned long long)j->line, n, context);
    if (!n)
        return alm_fail(err, ALM_INVALID, _("line %llu is empty: there is nothing to embed"),
                        (unsigned long long)j->line);
    return ALM_OK;
}

/* What waits goes through the model. */
static alm_status flush(job *j, size_t n_docs, alm_error *err) {
    const alm_rows rows = {
        .n = j->start[n_docs], .n_docs = n_docs, .id = (const uint32_t *)(const void *)j->id.at, .start = j->start};
    if (!n_docs) return ALM_OK;
    alm_status st = alm_embedding(j->out, j->model, j->compute, &rows, j->pooling, j->unit, err);
    size_t hidden = alm_model_config(j->model)->hidden;
    for (size_t d = 0; st == ALM_OK && d < n_docs; d++) tell(j, j->out + d * hidden);
    alm_buf_clear(&j->id);
    return st;
}

static alm_status embed(void *arg, const alm_str *line, size_t n, alm_error *err) {
    job *j = arg;
    size_t n_docs = 0;
    for (size_t i = 0; i < n; i++) {
        alm_status st = add_line(j, line[i], err);
        if (st != ALM_OK) return st;
        j->start[++n_docs] = (uint32_t)(j->id.n / sizeof(uint32_t));
        if (j->start[n_docs] >= STEP_ROWS) {
            if ((st = flush(j, n_docs, err)) != ALM_OK) return st;
            n_docs = 0;
        }
    }
    return flush(j, n_docs, err);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *path = cli->operands.at[0], *name = cli->operands.n > 1 ? cli->operands.at[1] : "-";
    alm_error err = {0};
    alm_tokenizer *t = NULL;
    alm_pool *pool = NULL;
    job j = {.cli = cli, .pooling = pooling_of[v->pooling], .unit = !v->raw, .id = alm_buf_with_limit(1 << 30)};
    alm_status st = alm_vocabulary_open(&t, cli, path, &err);
    if (st == ALM_OK) st = alm_model_open(&j.model, path, &err);
    if (st == ALM_OK) st = alm_pool_new(&pool, (unsigned)cli->common.threads, &err);
    if (st == ALM_OK) st = alm_compute_new(&j.compute, pool, &err);
    if (st == ALM_OK) st = alm_model_pack(j.model, j.compute, &err);
    if (st == ALM_OK) st = alm_tokenizer_scratch_new(&j.scratch, t, &err);
    if (st == ALM_OK) {
        j.tokenizer = t;
        j.out = alm_calloc(ALM_BLOCK_LINES, alm_model_config(j.model)->hidden * sizeof *j.out);
        st = j.out ? alm_line_blocks(cli, name, embed, &j, &err) : alm_fail_memory(&err);
    }
    int code = st == ALM_OK || st == ALM_END ? ALM_EXIT_DONE
               : st == ALM_INTERRUPTED       ? ALM_EXIT_INTERRUPTED
                                             : alm_cli_fail(cli, &err);
    alm_free(j.out);
    alm_buf_free(&j.id);
    alm_tokenizer_scratch_free(j.scratch);
    alm_compute_free(j.compute);
    alm_pool_free(pool);
    alm_model_free(j.model);
    alm_tokenizer_free(t);
    return code;
}

const alm_command_spec alm_cmd_embed = {
    .operands = N_("MODEL [FILE|-]"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .about = N_(
        "Reads lines and gives each as a vector, so that lines of like meaning lie near each other: with vectors of "
        "length 1, the sum of the products of their numbers is 1 for the same line and smaller for others.\n"
        "\n"
        "MODEL is best an encoder made for it (BERT and its kin, as MiniLM and E5); what such a model wants at the "
        "ends "
        "of a text is put there. Where it wants a word before a text (\"query: \"), the line has to begin with it. A "
        "line longer than the model's context is an error, not cut."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "score tokenize",
    .run = run,
};
