/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/lm.h - the language model that reads lines: bytes in, one negative log-likelihood a token out.
 *
 * A line is read for itself: the begin-of-text token, then its tokens; nothing of the lines before. Only its first
 * ALM_READ_BYTES bytes and ALM_READ_TOKENS tokens are read. The same line gives the same bits on every machine. */
#ifndef ALM_DETECT_LM_H
#define ALM_DETECT_LM_H

#include "model/model.h"
#include "text/bpe.h"

enum { ALM_READ_BYTES = 1024, ALM_READ_TOKENS = 256 };

typedef struct alm_reading {
    uint32_t n;
    uint32_t end[ALM_READ_TOKENS]; /* byte offset in the line behind token i */
    float nll[ALM_READ_TOKENS];    /* nats */
} alm_reading;

typedef struct alm_lm alm_lm;
/* Takes model and tokenizer (they are freed with it, also when this fails); the model is packed for reading. */
alm_status alm_lm_new(alm_lm **out, alm_model *model, alm_bpe *bpe, alm_error *err);
/* From keys and tensors under a prefix; takes the container, which the weights lie in. */
alm_status alm_lm_from_gguf(alm_lm **out, alm_gguf *container, const char *prefix, alm_error *err);
alm_status alm_lm_to_gguf(const alm_lm *lm, alm_gguf_writer *w, const char *prefix, alm_error *err);
void alm_lm_free(alm_lm *lm);
alm_status alm_lm_read(alm_lm *lm, alm_str line, alm_reading *out, alm_error *err);
const alm_config *alm_lm_config(const alm_lm *lm);
uint64_t alm_lm_parameters(const alm_lm *lm);
/* One document for training: begin-of-text, the line's tokens, end-of-text, appended to ids. */
alm_status alm_lm_document(const alm_bpe *bpe, alm_str line, alm_buf *ids, alm_error *err);

#endif
