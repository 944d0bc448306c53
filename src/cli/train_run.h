/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/train_run.h - a training run as the terminal sees it: checkpoints, progress, the picture of the curve. */
#ifndef ALM_CLI_TRAIN_RUN_H
#define ALM_CLI_TRAIN_RUN_H

#include "cli/cli.h"
#include "train/train.h"

typedef struct alm_train_run {
    alm_cli *cli;
    alm_trainer *trainer;
    const char *checkpoints;   /* folder */
    uint64_t checkpoint_every; /* steps; 0: by the clock, every minute */
    bool own_folder;           /* named by the program, so it is tidied away after success */
    uint64_t saved_step;       /* of the last checkpoint; UINT64_MAX: none */
    bool save_failed;
    int64_t saved_ns, began_ns;
    uint64_t began_tokens;
} alm_train_run;

/* Goes on from the newest checkpoint in the folder that can be read. ALM_NOT_FOUND when there is none. */
alm_status alm_train_run_resume(alm_train_run *r, alm_error *err);
/* To the end. ALM_INTERRUPTED after Ctrl-C with a checkpoint written; a loss that is not finite is ALM_LIMIT, and then a
 * checkpoint of the step just before it is taken back in favour of the one before. */
alm_status alm_train_run_all(alm_train_run *r, alm_train_progress *p, alm_error *err);
/* After success: the checkpoints of a folder that the program named itself are removed. */
void alm_train_run_tidy(const alm_train_run *r);
alm_status alm_train_run_curve(const alm_train_run *r, const char *path, const char *title, alm_error *err);

/* "1.53 GiB" into `at`, which has 32 bytes; returns it. */
const char *alm_train_size(char *at, size_t n_bytes);

#endif
