/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_tokenize.c - `alm tokenize`: the ids that a model's tokenizer gives to a text, exactly, for scripts. */
#include "base/error.h"
#include "base/json.h"
#include "cli/vocabulary.h"

typedef struct values {
    bool no_special, add_bos, json, lines;
} values;

#define PLACE(field) offsetof(values, field)
static const alm_opt opts[] = {
    {.name = "no-special",
     .type = ALM_OPT_FLAG,
     .section = N_("Tokens"),
     .help = N_("names of special tokens in the text are text, as in everything that comes from others"),
     .at = PLACE(no_special)},
    {.name = "add-bos",
     .type = ALM_OPT_FLAG,
     .section = N_("Tokens"),
     .help = N_("put around the text what the model wants there (begin and end of text)"),
     .at = PLACE(add_bos)},
    {.name = "lines",
     .type = ALM_OPT_FLAG,
     .section = N_("Input"),
     .help = N_("each line of the input is a JSON string; the answer is one JSON array of ids a line"),
     .at = PLACE(lines)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .not_with = "lines",
     .section = N_("Output"),
     .help = N_("one object with ids and the piece of text of each"),
     .at = PLACE(json)},
};

static const alm_example examples[] = {
    {"printf 'disk sda is full' | alm tokenize tokenizer.json", N_("The ids of a text.")},
    {"printf 'disk sda is full' | alm tokenize --json tokenizer.json -", N_("With the piece that each id stands for.")},
    {"printf '\"one\"\\n\"two\"\\n' | alm tokenize --lines tokenizer.json", N_("Many texts, one JSON string a line.")},
    {"printf 'disk sda is full' | alm tokenize builtin:",
     N_("With the vocabulary of the small model inside the program.")},
};

typedef struct work {
    alm_cli *cli;
    const values *v;
    alm_tokenizer *tokenizer;
    alm_tokenizer_scratch *scratch;
    alm_buf ids;
} work;

static void frame(work *w, const uint32_t *(*part)(const alm_tokenizer *, size_t *)) {
    size_t n;
    const uint32_t *id = part(w->tokenizer, &n);
    if (w->v->add_bos) alm_buf_add(&w->ids, id, n * sizeof *id);
}

static alm_status tokenize(work *w, alm_str text, alm_error *err) {
    alm_specials specials = w->v->no_special ? ALM_SPECIALS_NONE : ALM_SPECIALS_OWN;
    alm_buf_clear(&w->ids);
    frame(w, alm_tokenizer_before);
    alm_status st = alm_tokenizer_encode(w->tokenizer, w->scratch, text, specials, &w->ids, err);
    frame(w, alm_tokenizer_behind);
    return st == ALM_OK ? alm_buf_status(&w->ids, err) : st;
}

static size_t n_ids(const work *w) { return w->ids.n / sizeof(uint32_t); }
static uint32_t id_at(const work *w, size_t i) {
    uint32_t id;
    memcpy(&id, w->ids.at + i * sizeof id, sizeof id);
    return id;
}

static void write_ids(work *w, alm_json_writer *json) {
    alm_json_begin_array(json);
    for (size_t i = 0; i < n_ids(w); i++) alm_json_u64(json, id_at(w, i));
    alm_json_end_array(json);
}

static void write_object(work *w) {
    alm_json_writer json = alm_json_writer_on(&w->cli->out.buf);
    alm_json_begin_object(&json);
    alm_json_key(&json, "ids");
    write_ids(w, &json);
    alm_json_key(&json, "pieces");
    alm_json_begin_array(&json);
    for (size_t i = 0; i < n_ids(w); i++) alm_json_string(&json, alm_tokenizer_name(w->tokenizer, id_at(w, i)));
    alm_json_end_array(&json);
    alm_json_end_object(&json);
}

static alm_status whole(work *w, alm_str text, alm_error *err) {
    alm_status st = tokenize(w, text, err);
    if (st != ALM_OK) return st;
    if (w->v->json) write_object(w);
    for (size_t i = 0; !w->v->json && i < n_ids(w); i++) {
        if (i) alm_buf_add_byte(&w->cli->out.buf, ' ');
        alm_buf_add_u64(&w->cli->out.buf, id_at(w, i));
        if (!alm_out_tick(&w->cli->out)) break;
    }
    alm_out_text(&w->cli->out, "\n");
    return ALM_OK;
}

static alm_status one_line(work *w, alm_json_doc *doc, alm_str line, size_t number, alm_error *err) {
    /* The lines lie in a buffer of this command; the parser decodes escapes in it. */
    alm_status st = alm_json_parse(doc, (char *)line.at, line.n, NULL, NULL, err);
    if (st == ALM_OK && doc->node[0].type != ALM_JSON_STRING) {
        alm_fail(err, ALM_MALFORMED, _("line %zu of the input is no JSON string"), number);
        alm_hint(err, "%s", _("with --lines each line is one string in quotes"));
        st = ALM_MALFORMED;
    }
    if (st == ALM_OK) st = tokenize(w, doc->node[0].text, err);
    if (st != ALM_OK) return st;
    alm_json_writer json = alm_json_writer_on(&w->cli->out.buf);
    write_ids(w, &json);
    alm_out_text(&w->cli->out, "\n");
    return ALM_OK;
}

static alm_status each_line(work *w, alm_str text, alm_error *err) {
    alm_json_doc doc = {0};
    alm_status st = ALM_OK;
    alm_str line;
    if (alm_str_ends(text, ALM_STR("\n"))) text.n--;
    for (size_t number = 1; st == ALM_OK && text.n && alm_str_split(&text, '\n', &line); number++) {
        st = alm_cli_stopped(w->cli) ? ALM_INTERRUPTED : one_line(w, &doc, line, number, err);
        if (!alm_out_tick(&w->cli->out)) break;
    }
    alm_json_doc_free(&doc);
    return st;
}

static int run(alm_cli *cli, const void *given) {
    work w = {.cli = cli, .v = given, .ids = alm_buf_with_limit(SIZE_MAX)};
    alm_error err = {0};
    alm_buf text = alm_buf_with_limit(UINT32_MAX);
    alm_status st = alm_vocabulary_open(&w.tokenizer, cli, cli->operands.at[0], &err);
    if (st == ALM_OK) st = alm_tokenizer_scratch_new(&w.scratch, w.tokenizer, &err);
    if (st == ALM_OK) st = alm_vocabulary_read(&text, cli, cli->operands.n > 1 ? cli->operands.at[1] : "-", &err);
    if (st == ALM_OK) st = w.v->lines ? each_line(&w, alm_buf_str(&text), &err) : whole(&w, alm_buf_str(&text), &err);
    alm_buf_free(&text);
    alm_buf_free(&w.ids);
    alm_tokenizer_scratch_free(w.scratch);
    alm_tokenizer_free(w.tokenizer);
    if (st == ALM_INTERRUPTED) return ALM_EXIT_INTERRUPTED;
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_tokenize = {
    .operands = N_("MODEL [FILE|-]"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .about = N_(
        "Shows the ids that the tokenizer of MODEL gives to a text: on one line, with blanks between them. MODEL is a "
        "GGUF file, a tokenizer.json, a tokenizer.model of SentencePiece, a rank file of tiktoken (all of them also "
        "packed), "
        "or a folder that holds a tokenizer.json or tokenizer.model.\n\n"
        "The text is taken as it is, with its last line end. Special tokens that are named in it are recognised "
        "unless --no-special is given; a tokenizer.model recognises none, as SentencePiece itself."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "detokenize",
    .run = run,
};
