/* SPDX-License-Identifier: Apache-2.0
 *
 * train/recipe.h - what a model was made of and how, so that anybody can make it again: docs/format/recipe.md. */
#ifndef ALM_TRAIN_RECIPE_H
#define ALM_TRAIN_RECIPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "train/train.h"

enum { ALM_RECIPE_VERSION = 1, ALM_NUMBERS = 0 /* NUMBERS: 0 until the whole matrix of digests has passed */ };

typedef struct alm_recipe_file {
    const char *path; /* as it was given */
    uint64_t bytes;
    char sha256[65];
} alm_recipe_file;

typedef struct alm_recipe {
    alm_recipe_file *data;
    size_t n_data;
    const char *format, *field, *multiline, *redact; /* how records are read; NULL: as the command does by itself */
    char tokens_sha256[65]; /* of all documents' ids: alm_documents_digest, training then evaluation */
    uint64_t n_documents, n_tokens;
    double eval_share;
    const char *tokenizer; /* file it came from; NULL: learned from the data */
    char tokenizer_sha256[65];
    const char *base; /* model file that training began from; NULL: fresh weights from the seed */
    char base_sha256[65];
    alm_config config;
    alm_train_options options; /* with the schedule as it came to be: alm_trainer_plan */
    const char *type;          /* of the tensors in the file: "f32" */
    uint32_t numbers;
    const char *version; /* of the program */
    /* what came of it */
    uint64_t steps_done, best_step, tokens_done;
    double loss, eval_loss; /* of the last step; the best (NaN: none) */
    char model_sha256[65];  /* of the file; only in the recipe beside it */
} alm_recipe;

/* JSON; indented and with a newline at the end where a person will read it. */
alm_status alm_recipe_write(alm_buf *out, const alm_recipe *r, bool indented, alm_error *err);
/* `name` stands in messages; strings and lists are copied into the arena. ALM_MALFORMED when something is missing or has another type, ALM_UNSUPPORTED for
 * another version of the format. Values are only checked for their range where a size comes from them. */
alm_status alm_recipe_parse(alm_recipe *out, const char *name, alm_str json, alm_arena *a, alm_error *err);
/* Compact JSON laid out for a person: two levels, each member on its own line, and a newline at the end. */
void alm_recipe_indent(alm_buf *out, alm_str json);

#endif
