/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/learn_recipe.h - the recipe of what `alm learn` has learned: docs/format/recipe.md. */
#ifndef ALM_CLI_LEARN_RECIPE_H
#define ALM_CLI_LEARN_RECIPE_H

#include "cli/input.h"
#include <allmende/detect.h>

/* The inputs that gave records, in their order, each once. Zeroed, then freed whatever happened. */
typedef struct alm_learn_sources {
    alm_buf names; /* terminated, one behind the other */
    size_t n, last;
} alm_learn_sources;
alm_status alm_learn_sources_add(alm_learn_sources *s, const char *name, alm_error *err);
void alm_learn_sources_free(alm_learn_sources *s);

/* Refuses what nobody could read again: standard input, the journal. */
alm_status alm_learn_recipe_check(const alm_cli *cli, alm_error *err);
/* Reads every source once more for its digest. */
alm_status alm_learn_recipe_write(const char *path, const alm_learn_sources *s, const alm_input_values *input,
                                  const alm_learn_options *o, const alm_normal_info *i, const char *model,
                                  bool interrupted, alm_error *err);

#endif
