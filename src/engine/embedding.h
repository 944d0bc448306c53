/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/embedding.h - texts as vectors: what a model's last layer says of a text, pooled into one vector.
 *
 * For encoders (BERT and its kin) with any pooling; for decoders the last position has seen the whole text. Whether a text
 * begins with "query: " (E5), and which tokens stand at its ends, is the caller's. */
#ifndef ALM_ENGINE_EMBEDDING_H
#define ALM_ENGINE_EMBEDDING_H

#include "model/model.h"
#include "text/tokenizer.h"

/* One vector for each document of rows, of the model's width: out [n_docs][hidden].
 *   pooling: ALM_POOL_UNSAID takes what the model's files say, else the mean for an encoder, the last position otherwise
 *   unit:    divided by its length (a vector of zeros stays one)
 * The bits of a document's vector do not depend on its neighbours. ALM_INVALID when a document is empty or longer than the
 * model's context. */
alm_status alm_embedding(float *out, alm_model *m, alm_compute *c, const alm_rows *rows, alm_pooling pooling, bool unit,
                         alm_error *err);

/* The same from texts: each becomes tokens, with what the model wants before and behind it. A text longer than the model's context
 * is ALM_LIMIT; with max_tokens it is cut behind so many tokens, those at its ends included. Memory is that of a step of about
 * 2,048 tokens, however many texts there are. out [n][hidden]. */
alm_status alm_embedding_of(float *out, alm_model *m, const alm_tokenizer *tokenizer, alm_compute *c,
                            const alm_str *text, size_t n, size_t max_tokens, alm_pooling pooling, bool unit,
                            alm_error *err);

#endif
