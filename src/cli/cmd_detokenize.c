/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_detokenize.c - `alm detokenize`: the bytes that ids stand for, exactly; nothing is added, also no line end. */
#include "base/error.h"
#include "cli/vocabulary.h"

static const alm_example examples[] = {
    {"alm detokenize tokenizer.json 102 107 117 109", N_("The text of four ids.")},
    {"alm tokenize tokenizer.json app.log | alm detokenize tokenizer.json - | cmp - app.log",
     N_("There and back again: not a byte is different.")},
};

/* The first id of all begins the text. */
typedef struct reader {
    alm_cli *cli;
    alm_tokenizer *t;
    bool at_start;
} reader;

static alm_status write_id(reader *r, alm_str word, alm_error *err) {
    uint64_t id;
    if (!alm_str_to_u64(word, &id) || id >= alm_tokenizer_vocab(r->t)) {
        alm_fail(err, ALM_INVALID, _("%.*s is no id of this vocabulary"), word.n > 40 ? 40 : (int)word.n, word.at);
        alm_hint(err, _("its ids go from 0 to %zu"), alm_tokenizer_vocab(r->t) - 1);
        return ALM_INVALID;
    }
    alm_tokenizer_decode_one(r->t, (uint32_t)id, &r->at_start, &r->cli->out.buf);
    return ALM_OK;
}

static bool parts(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ','; }

static alm_status write_all(reader *r, alm_str ids, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t at = 0; st == ALM_OK && at < ids.n;) {
        size_t end = at;
        while (end < ids.n && !parts(ids.at[end])) end++;
        if (end > at) st = write_id(r, alm_str_slice(ids, at, end), err);
        if (!alm_out_tick(&r->cli->out)) break;
        at = end + 1;
    }
    return st;
}

static int run(alm_cli *cli, const void *given) {
    (void)given;
    reader r = {.cli = cli, .at_start = true};
    alm_error err = {0};
    alm_buf text = alm_buf_with_limit(UINT32_MAX);
    alm_status st = alm_vocabulary_open(&r.t, cli, cli->operands.at[0], &err);
    for (size_t i = 1; st == ALM_OK && i < cli->operands.n; i++) {
        alm_str ids = alm_str_of(cli->operands.at[i]);
        if (alm_str_eq(ids, ALM_STR("-"))) {
            alm_buf_clear(&text);
            st = alm_vocabulary_read(&text, cli, "-", &err);
            ids = alm_buf_str(&text);
        }
        if (st == ALM_OK) st = write_all(&r, ids, &err);
    }
    alm_buf_free(&text);
    alm_tokenizer_free(r.t);
    if (st == ALM_INTERRUPTED) return ALM_EXIT_INTERRUPTED;
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_detokenize = {
    .operands = N_("MODEL IDS...|-"),
    .min_operands = 2,
    .n_models = 1,
    .max_operands = SIZE_MAX,
    .operands_are_files = true,
    .about = N_("Writes the bytes that ids stand for in the vocabulary of MODEL, and nothing else. Ids may be parted "
                "by blanks or "
                "commas; - reads them from standard input. A special token is written by its name."),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "tokenize",
    .run = run,
};
