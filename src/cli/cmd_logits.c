/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_logits.c - `alm logits`: what a language model expects after each of some tokens, as numbers.
 *
 * With --batch N the tokens are computed N at a time, as they come in a conversation: a session keeps keys and values of those
 * before. */
#include "base/alloc.h"
#include "base/error.h"
#include "cli/cli.h"
#include "engine/batch.h"
#include "format/npy.h"
#include "proof/digest.h"

typedef struct values {
    const char *tokens, *output;
    bool last, digest;
    uint64_t batch, context;
} values;

static const alm_opt opts[] = {
    {.name = "tokens",
     .letter = 't',
     .type = ALM_OPT_TEXT,
     .arg = N_("IDS"),
     .section = N_("Input"),
     .help = N_("the ids of the tokens, parted by commas"),
     .at = offsetof(values, tokens)},
    {.name = "batch",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1e9,
     .section = N_("Input"),
     .help = N_("compute N tokens at a time (default: all); the bits are the same"),
     .at = offsetof(values, batch)},
    {.name = "ctx",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1e9,
     .section = N_("Input"),
     .help = N_("context length of the session (default: the number of tokens)"),
     .at = offsetof(values, context)},
    {.name = "last",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("only the row of the last token"),
     .at = offsetof(values, last)},
    {.name = "digest",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("print the SHA-256 of the numbers"),
     .at = offsetof(values, digest)},
    {.name = "output",
     .letter = 'o',
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Output"),
     .help = N_("write the numbers as a NumPy array: float32, one row a token, one column an entry of the vocabulary"),
     .at = offsetof(values, output)},
};

static const alm_example examples[] = {
    {"alm logits tiny.gguf --tokens 379,334,378 -o logits.npy", N_("Three rows, for NumPy.")},
    {"alm logits tiny.gguf --tokens 379,334,378 --digest", N_("The same numbers on every machine: compare this.")},
    {"alm logits tiny.gguf --tokens 379,334,378 --batch 1 --digest", N_("Token by token: the same bits.")},
    {"alm logits builtin: --tokens 379,334,378 --digest", N_("The small model inside the program.")},
};

/* "1,2,3"; free with alm_free. */
static alm_status read_ids(uint32_t **out, size_t *n, const char *text, alm_error *err) {
    alm_str rest = alm_str_of(text), word;
    size_t cap = 0;
    *out = NULL, *n = 0;
    while (alm_str_split(&rest, ',', &word)) {
        uint64_t id;
        if (!alm_str_to_u64(alm_str_trim(word), &id) || id > UINT32_MAX)
            return alm_fail(err, ALM_INVALID, _("--tokens: \"%.*s\" is no id of a token"), ALM_ARG(word));
        if (!alm_grow((void **)out, &cap, *n + 1, sizeof **out)) return alm_fail_memory(err);
        (*out)[(*n)++] = (uint32_t)id;
    }
    return *n ? ALM_OK : alm_fail(err, ALM_INVALID, _("--tokens: at least one id is needed"));
}

typedef struct work {
    alm_model *model;
    alm_pool *pool;
    alm_compute *compute;
    alm_session *session;
    alm_batch *batch;
    uint32_t *id;
    size_t n, n_rows; /* tokens; rows of logits, of the last tokens */
    float *logits;    /* [n_rows][n_vocab] */
} work;

static alm_status start(work *w, const alm_cli *cli, const values *v, alm_error *err) {
    alm_status st = read_ids(&w->id, &w->n, v->tokens, err);
    if (st != ALM_OK) return st;
    if (v->context && w->n > v->context)
        return alm_fail(err, ALM_INVALID, _("%zu tokens do not fit a context of %llu"), w->n,
                        (unsigned long long)v->context);
    if ((st = alm_model_open(&w->model, cli->operands.at[0], err)) != ALM_OK) return st;
    const alm_config *c = alm_model_config(w->model);
    if (v->context > c->context)
        return alm_fail(err, ALM_INVALID, _("a context of %llu; the model's has %zu"), (unsigned long long)v->context,
                        c->context);
    if (w->n > c->context)
        return alm_fail(err, ALM_INVALID, _("%zu tokens do not fit a context of %llu"), w->n,
                        (unsigned long long)c->context);
    if ((st = alm_session_new(&w->session, w->model, v->context ? (size_t)v->context : w->n, 0, err)) != ALM_OK)
        return st;
    if ((st = alm_pool_new(&w->pool, (unsigned)cli->common.threads, err)) != ALM_OK) return st;
    if ((st = alm_compute_new(&w->compute, w->pool, err)) != ALM_OK) return st;
    if ((st = alm_batch_new(&w->batch, w->model, w->compute, 0, err)) != ALM_OK) return st;
    w->n_rows = v->last ? 1 : w->n;
    size_t items;
    if (!alm_mul_size(&items, w->n_rows, c->n_vocab)) return alm_fail_memory(err);
    w->logits = alm_calloc(items, sizeof *w->logits);
    return w->logits ? ALM_OK : alm_fail_memory(err);
}

static alm_status compute_all(work *w, const alm_cli *cli, const values *v, alm_error *err) {
    size_t step = v->batch && v->batch < w->n ? (size_t)v->batch : w->n, n_vocab = alm_model_config(w->model)->n_vocab;
    size_t silent = w->n - w->n_rows;
    alm_status st = ALM_OK;
    if (step < w->n) st = alm_model_pack(w->model, w->compute, err); /* weights are read often */
    for (size_t from = 0; st == ALM_OK && from < w->n; from += step) {
        if (alm_cli_stopped(cli)) return alm_fail(err, ALM_INTERRUPTED, _("interrupted"));
        size_t to = w->n - from < step ? w->n : from + step, first = from > silent ? from : silent;
        size_t n_logits = to > first ? to - first : 0;
        float *logits = n_logits ? w->logits + (first - silent) * n_vocab : NULL;
        st = alm_batch_feed(w->batch, w->session, w->id + from, to - from, n_logits, logits, err);
    }
    return st;
}

static alm_status give(work *w, alm_cli *cli, const values *v, alm_error *err) {
    size_t n_vocab = alm_model_config(w->model)->n_vocab;
    const uint64_t dim[2] = {w->n_rows, n_vocab};
    const float *at = w->logits;
    size_t n_bytes = w->n_rows * n_vocab * sizeof *at;
    alm_status st = ALM_OK;
    if (v->output) st = alm_npy_write(v->output, "<f4", 2, dim, at, n_bytes, err);
    if (st != ALM_OK || !v->digest) return st;
    alm_digest digest;
    char hex[ALM_DIGEST_HEX_BYTES];
    if ((st = alm_digest_of(&digest, at, n_bytes, err)) == ALM_OK)
        alm_out_printf(&cli->out, "%s\n", alm_digest_hex(hex, &digest));
    return st;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    if (!v->tokens) return alm_cli_usage(cli, NULL, _("--tokens is missing: the ids to compute"));
    if (!v->output && !v->digest)
        return alm_cli_usage(cli, NULL,
                             _("nothing to give: -o FILE writes the numbers, --digest prints their SHA-256"));
    work w = {0};
    alm_error err = {0};
    alm_status st = start(&w, cli, v, &err);
    if (st == ALM_OK) st = compute_all(&w, cli, v, &err);
    if (st == ALM_OK) st = give(&w, cli, v, &err);
    alm_batch_free(w.batch);
    alm_session_free(w.session);
    alm_compute_free(w.compute);
    alm_pool_free(w.pool);
    alm_model_free(w.model);
    alm_free(w.id);
    alm_free(w.logits);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_logits = {
    .operands = N_("MODEL"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 1,
    .operands_are_files = true,
    .about =
        N_("Computes a language model over given tokens and writes, for each of them, a number for every entry of the "
           "vocabulary: how much the model expects it next. MODEL is a GGUF file, a Hugging Face folder, a name "
           "from `alm list`, or `builtin:`.\n\n"
           "The numbers have the same bits for any number of threads, instruction set and --batch."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "tensor",
    .run = run,
};
