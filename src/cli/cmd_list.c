/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_list.c - `alm list`: the models on this machine, and what this build knows. */
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/sizes.h"
#include "dtype/dtype.h"
#include "format/format.h"
#include "model/model.h"
#include "store/store.h"

typedef struct values {
    bool json, families, formats, types;
} values;

static const alm_opt opts[] = {
    {.name = "families",
     .type = ALM_OPT_FLAG,
     .section = N_("What this build knows"),
     .help = N_("list the families of models that are computed"),
     .at = offsetof(values, families)},
    {.name = "formats",
     .type = ALM_OPT_FLAG,
     .section = N_("What this build knows"),
     .help = N_("list the file formats that are read and written"),
     .at = offsetof(values, formats)},
    {.name = "types",
     .type = ALM_OPT_FLAG,
     .section = N_("What this build knows"),
     .help = N_("list the types of numbers that are read and written"),
     .at = offsetof(values, types)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("one JSON object a line"),
     .at = offsetof(values, json)},
};

static const alm_example examples[] = {
    {"alm list", N_("Which models are here?")},
    {"alm list --json", N_("The same for a script, with the path of each.")},
    {"alm list --families", N_("Which models can be computed?")},
    {"alm list --formats", N_("Which files can be read?")},
};

/* -- models -------------------------------------------------------------------------------------------------------------- */

static void model_json(alm_cli *cli, const alm_stored *s) {
    alm_json_writer w = alm_json_writer_on(&cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "name"), alm_json_text(&w, s->name);
    alm_json_key(&w, "store"), alm_json_text(&w, s->store->name);
    alm_json_key(&w, "bytes"), alm_json_u64(&w, s->n_bytes);
    alm_json_key(&w, "path"), alm_json_text(&w, s->path);
    alm_json_end_object(&w);
    alm_out_text(&cli->out, "\n");
}

static alm_status models(alm_cli *cli, bool json, alm_error *err) {
    const alm_column heads[] = {
        {.head = _("name"), .flexible = true}, {.head = _("size"), .right = true}, {.head = _("in")}};
    alm_stored_list l = {0};
    alm_columns *table = NULL;
    alm_status st = alm_store_list_all(&l, err);
    if (st == ALM_OK) st = alm_columns_new(&table, heads, 3, err);
    for (size_t i = 0; i < l.n && st == ALM_OK; i++) {
        char size[ALM_SIZE_BYTES];
        if (json) {
            model_json(cli, &l.at[i]);
            continue;
        }
        st = alm_columns_add(table, alm_str_of(l.at[i].name), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(alm_size_text(size, l.at[i].n_bytes)), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(l.at[i].store->name), ALM_PLAIN, err);
    }
    if (st == ALM_OK && !json && l.n) st = alm_columns_print(table, &cli->out, &cli->out_term, err);
    if (st == ALM_OK && !json && !l.n) alm_cli_note(cli, "%s", _("no models here yet: `alm pull FILE` adds one"));
    alm_columns_free(table);
    alm_stored_list_free(&l);
    return st;
}

/* -- what this build knows ------------------------------------------------------------------------------------------------- */

enum { CELLS = 4 }; /* of a row, at most; NULL behind the last */

typedef struct sheet {
    alm_cli *cli;
    bool json;
    const alm_column *head;
    const char *const *key; /* the cells' names in JSON */
    size_t n;
    alm_columns *table;
} sheet;

static alm_status add_row(sheet *s, const char *const cell[CELLS], alm_error *err) {
    alm_status st = ALM_OK;
    if (s->json) {
        alm_json_writer w = alm_json_writer_on(&s->cli->out.buf);
        alm_json_begin_object(&w);
        for (size_t i = 0; i < s->n && cell[i]; i++) alm_json_key(&w, s->key[i]), alm_json_text(&w, cell[i]);
        alm_json_end_object(&w);
        alm_out_text(&s->cli->out, "\n");
        return ALM_OK;
    }
    for (size_t i = 0; i < s->n && cell[i] && st == ALM_OK; i++)
        st = alm_columns_add(s->table, alm_str_of(cell[i]), ALM_PLAIN, err);
    return st;
}

/* A program reads English. */
static const char *does(const sheet *s, bool writes) {
    if (s->json) return writes ? "reads, writes" : "reads";
    return writes ? _("reads, writes") : _("reads");
}

static alm_status formats(sheet *s, alm_error *err) {
    alm_status st = ALM_OK;
    for (const alm_format *const *f = alm_format_list(); *f && st == ALM_OK; f++) {
        const char *how = does(s, (*f)->flags & ALM_FORMAT_WRITE);
        st = add_row(s, (const char *const[CELLS]){(*f)->name, (*f)->text, (*f)->extensions, how}, err);
    }
    return st;
}

static alm_status types(sheet *s, alm_error *err) {
    alm_status st = ALM_OK;
    for (const alm_type *const *t = alm_type_list(); *t && st == ALM_OK; t++) {
        char bits[24];
        alm_str_print(bits, sizeof bits, "%.4g", (double)(*t)->block_bytes * 8.0 / (double)(*t)->block);
        st = add_row(s, (const char *const[CELLS]){(*t)->name, bits, does(s, (*t)->encode != NULL)}, err);
    }
    return st;
}

static alm_status families(sheet *s, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t i = 0; i < alm_family_count() && st == ALM_OK; i++) {
        const alm_family_info *f = alm_family_at(i);
        st = add_row(s, (const char *const[CELLS]){f->name, f->title}, err);
    }
    return st;
}

static alm_status known(alm_cli *cli, const values *v, alm_error *err) {
    const alm_column of_formats[] = {
        {.head = _("name")}, {.head = _("format")}, {.head = _("files end in")}, {.head = _("alm")}};
    const alm_column of_types[] = {{.head = _("name")}, {.head = _("bits"), .right = true}, {.head = _("alm")}};
    const alm_column of_families[] = {{.head = _("name")}, {.head = _("models"), .flexible = true}};
    static const char *const format_keys[] = {"name", "title", "extensions", "does"};
    static const char *const type_keys[] = {"name", "bits", "does"};
    static const char *const family_keys[] = {"name", "title"};
    sheet s = {.cli = cli, .json = v->json, .head = of_families, .key = family_keys, .n = 2};
    if (v->formats) s.head = of_formats, s.key = format_keys, s.n = 4;
    if (v->types) s.head = of_types, s.key = type_keys, s.n = 3;
    alm_status st = alm_columns_new(&s.table, s.head, s.n, err);
    if (st == ALM_OK) st = v->formats ? formats(&s, err) : v->types ? types(&s, err) : families(&s, err);
    if (st == ALM_OK && !v->json) st = alm_columns_print(s.table, &cli->out, &cli->out_term, err);
    alm_columns_free(s.table);
    return st;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    alm_error err = {0};
    if (v->families + v->formats + v->types > 1)
        return alm_cli_usage(cli, NULL, _("one list at a time: --families, --formats or --types"));
    alm_status st = v->families || v->formats || v->types ? known(cli, v, &err) : models(cli, v->json, &err);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_list = {
    .operands = "",
    .about = N_(
        "Lists the models on this machine: those of the own store, and those that Ollama and Hugging Face's tools have "
        "fetched, which are used where they lie and never changed. A name from the list can be given wherever a MODEL "
        "is wanted; where two places have it, with the place in front, as in ollama:llama3.2:1b.\n\n"
        "Ollama's models are looked for in $OLLAMA_MODELS or ~/.ollama/models, those of Hugging Face in $HF_HUB_CACHE, "
        "$HF_HOME/hub or ~/.cache/huggingface/hub."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "show pull rm inspect",
    .run = run,
};
