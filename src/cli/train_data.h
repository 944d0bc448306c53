/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/train_data.h - from the files that `alm train` is given to tokenised documents. */
#ifndef ALM_CLI_TRAIN_DATA_H
#define ALM_CLI_TRAIN_DATA_H

#include "base/arena.h"
#include "cli/input.h"
#include "text/bpe.h"
#include "train/recipe.h"

typedef struct alm_train_data {
    alm_arena *names;
    alm_recipe_file *file; /* every input that gave records, in order */
    size_t n_files, file_cap;
    alm_buf text, end; /* all documents' bytes; where each ends (uint64_t) */
    uint64_t n_documents, n_without_field;
    bool all_read;
    alm_bpe *bpe;
    char bpe_sha256[65];
    alm_buf id, start; /* uint32_t; uint64_t */
    uint64_t n_tokens;
    alm_documents train, eval;
} alm_train_data; /* zeroed, then alm_train_data_free whatever happened */

/* Every record that is not blank is a document: its text, or the value of a field. */
alm_status alm_train_data_read(alm_train_data *d, alm_cli *cli, const alm_input_values *v, const char *field,
                               const char *const *names, size_t n_names, alm_error *err);
/* SHA-256 and size of each file. */
alm_status alm_train_data_digest(alm_train_data *d, alm_error *err);
/* From a model file, or learned from the documents where path is NULL. */
alm_status alm_train_data_tokenizer(alm_train_data *d, alm_cli *cli, const char *path, size_t n_vocab, alm_error *err);
/* Documents become ids, the last ones held out: a share of them, and at most 65,536 tokens. The text is forgotten. */
alm_status alm_train_data_encode(alm_train_data *d, alm_cli *cli, double eval_share, alm_error *err);
void alm_train_data_free(alm_train_data *d);

#endif
