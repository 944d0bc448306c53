/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/stored.h - a model of the store whose files are no longer those that came in: what is said about it. */
#ifndef ALM_CLI_STORED_H
#define ALM_CLI_STORED_H

#include "cli/cli.h"
#include "store/store.h"

/* A warning for each file that was changed or has gone, and one hint; nothing for a model that is as it was added. */
void alm_cli_warn_stored(alm_cli *cli, const alm_store_model *m);
/* The same for the path behind a name; paths that are none of the store's are nobody's business here. */
void alm_cli_warn_stored_at(alm_cli *cli, const char *path);

#endif
