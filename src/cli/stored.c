/* SPDX-License-Identifier: Apache-2.0
 *
 * stored.c - warnings about models of the store. A warning and no refusal: a file whose time alone was set is still the same. */
#include "cli/stored.h"

void alm_cli_warn_stored(alm_cli *cli, const alm_store_model *m) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_file; i++) {
        const alm_store_file *f = &m->file[i];
        if (f->state == ALM_STORED_CHANGED)
            alm_cli_warn(cli, _("%s: %s was written to after `alm pull`: its size or time is another"), m->name,
                         f->name);
        if (f->state == ALM_STORED_GONE) alm_cli_warn(cli, _("%s: %s has gone"), m->name, f->name);
        n += f->state != ALM_STORED_AS_ADDED;
    }
    if (n)
        alm_cli_note(cli, "%s%s", _("hint: "),
                     _("`alm rm` and `alm pull` take in what is there now; `alm pull` of the old content mends it"));
}

void alm_cli_warn_stored_at(alm_cli *cli, const char *path) {
    alm_store_model m = {0};
    if (alm_store_at(&m, path, NULL) == ALM_OK) alm_cli_warn_stored(cli, &m);
    alm_store_model_free(&m);
}
