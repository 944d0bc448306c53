/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_rm.c - `alm rm`: takes models out of the own store. */
#include "base/error.h"
#include "cli/cli.h"
#include "store/store.h"

static const alm_example examples[] = {
    {"alm pull tiny.gguf && alm rm tiny", N_("In, and out again; tiny.gguf itself stays.")},
    {"alm pull tiny.gguf --name a/b && alm pull tiny.gguf --name a/c && alm rm a/b a/c", N_("Several at once.")},
};

/* A name that is not ours may be one of a cache: then say whose it is. */
static void whose(const char *name, alm_error *err) {
    alm_stored_list l = {0};
    if (alm_ref_match(&l, name, NULL) == ALM_OK && l.n)
        alm_hint(err, _("it is in the cache of %s, which alm does not change: remove it there"), l.at[0].store->name);
    alm_stored_list_free(&l);
}

static int run(alm_cli *cli, const void *given) {
    (void)given;
    alm_error err = {0};
    for (size_t i = 0; i < cli->operands.n; i++) {
        const char *name = cli->operands.at[i];
        if (alm_str_starts(alm_str_of(name), ALM_STR("store:"))) name += 6;
        alm_status st = alm_store_remove(name, &err);
        if (st == ALM_NOT_FOUND) whose(name, &err);
        if (st != ALM_OK) return alm_cli_fail(cli, &err);
    }
    return ALM_EXIT_DONE;
}

const alm_command_spec alm_cmd_rm = {
    .operands = N_("NAME..."),
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .about = N_("Takes models out of the own store. The files that they were made from stay where they are, and what "
                "other models "
                "of the store share with them stays, too. Caches of other programs are never changed."),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "list pull",
    .run = run,
};
