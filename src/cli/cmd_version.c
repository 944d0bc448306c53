/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_version.c - `alm version`: which program this is, and what its build and machine can do. */
#include "base/cpu.h"
#include "base/json.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "format/builtin.h"

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
    {"alm version", N_("Show the version.")},
    {"alm version --json", N_("The same for a script.")},
};

#ifdef ALM_HAVE_JOURNAL
static const bool has_journal = true;
#else
static const bool has_journal = false;
#endif

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    const char *isa = NULL;
    alm_error err = {0};
    if (alm_cpu_isa(&isa, &err) != ALM_OK) return alm_cli_fail(cli, &err);
    if (v->json) {
        alm_json_writer w = alm_json_writer_on(&cli->out.buf);
        alm_json_begin_object(&w);
        alm_json_key(&w, "version"), alm_json_text(&w, alm_version());
        alm_json_key(&w, "abi"), alm_json_int(&w, alm_abi());
        alm_json_key(&w, "isa"), alm_json_text(&w, isa);
        alm_json_key(&w, "threads"), alm_json_u64(&w, alm_cpu_count());
        alm_json_key(&w, "journal"), alm_json_bool(&w, has_journal);
        alm_json_key(&w, "builtin_sha256"), alm_json_text(&w, alm_builtin_sha256());
        alm_json_end_object(&w);
        alm_out_text(&cli->out, "\n");
        return ALM_EXIT_DONE;
    }
    alm_out_printf(&cli->out, "alm %s\n", alm_version());
    alm_out_printf(&cli->out, _("instruction set %s, %u threads, systemd journal: %s"), isa, alm_cpu_count(),
                   has_journal ? _("yes") : _("no (-Djournal)"));
    alm_out_text(&cli->out, "\n");
    alm_out_printf(&cli->out, _("model %s of %zu bytes, SHA-256 %s"), ALM_BUILTIN, alm_builtin_bytes().n,
                   alm_builtin_sha256());
    alm_out_text(&cli->out, "\n");
    return ALM_EXIT_DONE;
}

const alm_command_spec alm_cmd_version = {
    .operands = "",
    .about = N_("Shows the version, the number of the library's interface, the instruction set in use and the features "
                "of this build."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .run = run,
};
