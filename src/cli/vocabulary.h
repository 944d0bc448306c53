/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/vocabulary.h - what `alm tokenize` and `alm detokenize` share: the tokenizer of a model, and reading a whole input. */
#ifndef ALM_CLI_VOCABULARY_H
#define ALM_CLI_VOCABULARY_H

#include "cli/cli.h"
#include "text/tokenizer.h"

/* MODEL is a GGUF file (a model, or what `alm learn` wrote), a tokenizer.json, tokenizer.model or rank file, plain or packed, or a
 * folder that holds one of the first two. */
alm_status alm_vocabulary_open(alm_tokenizer **out, const alm_cli *cli, const char *model, alm_error *err);
/* All of a file or, for "-", of standard input; packed files are unpacked. */
alm_status alm_vocabulary_read(alm_buf *out, const alm_cli *cli, const char *path, alm_error *err);

#endif
