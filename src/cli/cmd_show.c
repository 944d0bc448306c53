/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_show.c - `alm show`: where a model lies, and what belongs to it. */
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/sizes.h"
#include "cli/stored.h"
#include "store/store.h"

typedef struct values {
    bool json;
} values;

static const alm_opt opts[] = {
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("one JSON object"),
     .at = offsetof(values, json)},
};

static const alm_example examples[] = {
    {"alm pull tiny.gguf && alm show tiny", N_("Where does it lie, since when, with which digest?")},
    {"alm pull -q tiny.gguf && alm show tiny --json", N_("The same for a script.")},
};

static const char *const states[] = {
    [ALM_STORED_AS_ADDED] = "as added", [ALM_STORED_CHANGED] = "changed", [ALM_STORED_GONE] = "gone"};

static void as_json(alm_cli *cli, const alm_stored *s, const alm_store_model *m) {
    alm_json_writer w = alm_json_writer_on(&cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "name"), alm_json_text(&w, s->name);
    alm_json_key(&w, "store"), alm_json_text(&w, s->store->name);
    alm_json_key(&w, "path"), alm_json_text(&w, s->path);
    alm_json_key(&w, "bytes"), alm_json_u64(&w, s->n_bytes);
    if (m->name) {
        char when[40];
        alm_time_to_str(when, m->added * 1000000000);
        alm_json_key(&w, "added"), alm_json_text(&w, when);
        alm_json_key(&w, "files"), alm_json_begin_array(&w);
        for (size_t i = 0; i < m->n_file; i++) {
            alm_json_begin_object(&w);
            alm_json_key(&w, "name"), alm_json_text(&w, m->file[i].name);
            alm_json_key(&w, "bytes"), alm_json_u64(&w, m->file[i].n_bytes);
            alm_json_key(&w, "sha256"), alm_json_text(&w, m->file[i].digest);
            alm_json_key(&w, "from"), alm_json_text(&w, m->file[i].origin);
            alm_json_key(&w, "state"), alm_json_text(&w, states[m->file[i].state]);
            alm_json_end_object(&w);
        }
        alm_json_end_array(&w);
    }
    alm_json_end_object(&w);
    alm_out_text(&cli->out, "\n");
}

static alm_status files(alm_cli *cli, const alm_store_model *m, alm_error *err) {
    const alm_column heads[] = {
        {.head = _("file")}, {.head = _("size"), .right = true}, {.head = _("SHA-256"), .flexible = true}};
    alm_columns *table = NULL;
    alm_status st = alm_columns_new(&table, heads, 3, err);
    for (size_t i = 0; i < m->n_file && st == ALM_OK; i++) {
        char size[ALM_SIZE_BYTES];
        st = alm_columns_add(table, alm_str_of(m->file[i].name), ALM_PLAIN, err);
        if (st == ALM_OK)
            st = alm_columns_add(table, alm_str_of(alm_size_text(size, m->file[i].n_bytes)), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(m->file[i].digest), ALM_PLAIN, err);
    }
    if (st == ALM_OK) st = alm_columns_print(table, &cli->out, &cli->out_term, err);
    alm_columns_free(table);
    return st;
}

static alm_status as_text(alm_cli *cli, const alm_stored *s, const alm_store_model *m, alm_error *err) {
    char size[ALM_SIZE_BYTES], when[40];
    alm_out_visible(&cli->out, alm_str_of(s->name));
    alm_out_printf(&cli->out, _(": %s, in %s\n"), alm_size_text(size, s->n_bytes), s->store->name);
    alm_out_visible(&cli->out, alm_str_of(s->path));
    alm_out_text(&cli->out, "\n");
    if (!m->name) return ALM_OK;
    alm_time_to_str(when, m->added * 1000000000);
    alm_out_printf(&cli->out, _("since %s, from "), when);
    alm_out_visible(&cli->out, alm_str_of(m->n_file ? m->file[0].origin : ""));
    alm_out_text(&cli->out, "\n\n");
    return files(cli, m, err);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *typed = cli->operands.at[0];
    alm_error err = {0};
    alm_stored_list l = {0};
    alm_store_model m = {0};
    alm_status st = alm_ref_match(&l, typed, &err);
    if (st == ALM_OK && l.n != 1) {
        alm_buf path = alm_buf_with_limit(1 << 16);
        st = alm_ref_resolve(&path, typed, &err);
        if (st == ALM_OK) {
            st = alm_fail(&err, ALM_NOT_FOUND, _("%s: a path, not a model that has a name here"), typed);
            alm_hint(&err, "%s", _("`alm inspect` looks into a file; `alm pull` gives it a name"));
        }
        alm_buf_free(&path);
    }
    if (st == ALM_OK && l.at[0].store == &alm_store_local) st = alm_store_get(&m, l.at[0].name, &err);
    if (st == ALM_OK && v->json) as_json(cli, &l.at[0], &m);
    else if (st == ALM_OK) st = as_text(cli, &l.at[0], &m, &err);
    if (st == ALM_OK) alm_cli_warn_stored(cli, &m);
    alm_store_model_free(&m);
    alm_stored_list_free(&l);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_show = {
    .operands = N_("NAME"),
    .min_operands = 1,
    .max_operands = 1,
    .about = N_("Says where a model lies, how large it is and, for models of the own store, since when it is there, "
                "where it came "
                "from, and each file's digest; a file that was written to since is told. What is inside is shown by "
                "`alm inspect`."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "list inspect",
    .run = run,
};
