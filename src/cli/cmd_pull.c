/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_pull.c - `alm pull`: a model gets a name in the store. */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/sizes.h"
#include "store/store.h"

#include <stdio.h>

typedef struct values {
    const char *name;
    bool json;
} values;

static const alm_opt opts[] = {
    {.name = "name",
     .type = ALM_OPT_TEXT,
     .arg = N_("NAME"),
     .section = N_("Store"),
     .help = N_("the model's name in the store; otherwise that of the file or folder"),
     .at = offsetof(values, name)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("say as a JSON object what came in, with digests"),
     .at = offsetof(values, json)},
};

static const alm_example examples[] = {
    {"alm pull tiny.gguf", N_("From now on the model is called tiny.")},
    {"alm pull tiny.gguf --name me/small:q8", N_("Under another name.")},
};

static void as_json(alm_cli *cli, const alm_store_model *m) {
    alm_json_writer w = alm_json_writer_on(&cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "name"), alm_json_text(&w, m->name);
    alm_json_key(&w, "path"), alm_json_text(&w, m->path);
    alm_json_key(&w, "bytes"), alm_json_u64(&w, m->n_bytes);
    alm_json_key(&w, "files"), alm_json_begin_array(&w);
    for (size_t i = 0; i < m->n_file; i++) {
        alm_json_begin_object(&w);
        alm_json_key(&w, "name"), alm_json_text(&w, m->file[i].name);
        alm_json_key(&w, "bytes"), alm_json_u64(&w, m->file[i].n_bytes);
        alm_json_key(&w, "sha256"), alm_json_text(&w, m->file[i].digest);
        alm_json_key(&w, "how"), alm_json_text(&w, m->file[i].how);
        alm_json_end_object(&w);
    }
    alm_json_end_array(&w);
    alm_json_end_object(&w);
    alm_out_text(&cli->out, "\n");
}

static void as_text(alm_cli *cli, const alm_store_model *m) {
    char size[ALM_SIZE_BYTES];
    alm_out_visible(&cli->out, alm_str_of(m->name));
    if (m->was_there) {
        alm_out_printf(&cli->out, ": %s\n",
                       m->mended ? _("in the store already, and mended: a file had changed")
                                 : _("in the store already"));
        return;
    }
    alm_out_printf(&cli->out, P_(": %zu file, %s\n", ": %zu files, %s\n", m->n_file), m->n_file,
                   alm_size_text(size, m->n_bytes));
    for (size_t i = 0; i < m->n_file; i++)
        if (strcmp(m->file[i].how, "symbolic link") == 0) {
            alm_cli_note(
                cli, "%s",
                _("on another file system: the store holds symbolic links, so the files must stay where they are"));
            break;
        }
}

/* Bytes are too fine a measure for somebody who waits. */
static void show_progress(void *arg, const char *what, uint64_t done, uint64_t total) {
    enum { MB = 1000000 };
    alm_cli *cli = arg;
    char text[40];
    snprintf(text, sizeof text, "%s, MB", what);
    alm_meter_show(&cli->meter, text, done / MB, total / MB);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *path = cli->operands.at[0];
    alm_error err = {0};
    alm_store_model m = {0};
    if (!alm_file_exists(path)) {
        alm_fail(&err, ALM_NOT_FOUND, _("%s: no such file or folder"), path);
        alm_hint(&err, "%s",
                 _("this build adds files of this machine; it fetches nothing over the network. `alm list` shows what "
                   "is here"));
        return alm_cli_fail(cli, &err);
    }
    alm_log log = {.progress = show_progress, .arg = cli};
    alm_status st = alm_store_add(&m, path, v->name, &log, cli->cancel, &err);
    alm_meter_clear(&cli->meter);
    if (st == ALM_INTERRUPTED) {
        alm_cli_note(cli, "%s", _("interrupted: nothing came into the store"));
        return ALM_EXIT_INTERRUPTED;
    }
    if (st == ALM_OK) v->json ? as_json(cli, &m) : as_text(cli, &m);
    alm_store_model_free(&m);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_pull = {
    .operands = N_("FILE|FOLDER"),
    .min_operands = 1,
    .max_operands = 1,
    .operands_are_files = true,
    .about = N_(
        "Adds a model of this machine to the store, under a name that can be given wherever a MODEL is wanted: a GGUF "
        "file "
        "(all parts of a split one), or a folder with config.json and weights. The weights are opened and checked "
        "first, "
        "and each file's SHA-256 is kept; Ctrl-C while it is computed leaves the store as it was.\n\n"
        "Nothing is copied. Where the file system can share blocks, the store shares them; else it holds a hard link, "
        "so "
        "that the model stays when the first name is removed; from another file system a symbolic link, and then the "
        "file must stay where it is."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "list show rm",
    .run = run,
};
