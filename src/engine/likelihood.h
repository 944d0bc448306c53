/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/likelihood.h - how surprising is a text for a model: the negative log-likelihood of each of its tokens. */
#ifndef ALM_ENGINE_LIKELIHOOD_H
#define ALM_ENGINE_LIKELIHOOD_H

#include "base/buf.h"
#include "model/model.h"
#include "text/tokenizer.h"

/* One text. The first token is read only, unless the tokenizer has a token that begins a text: then that is. */
typedef struct alm_scored {
    uint32_t n;         /* tokens with a likelihood */
    double nll;         /* their sum, in nats: rule D, in double */
    const uint32_t *id; /* [n] */
    const float *piece; /* [n] nll of each */
} alm_scored;

typedef struct alm_scorer alm_scorer;
/* All three must outlive it. The model should be packed. One scorer belongs to one thread. */
alm_status alm_scorer_new(alm_scorer **out, alm_model *m, const alm_tokenizer *t, alm_compute *c, alm_error *err);
void alm_scorer_free(alm_scorer *s); /* NULL is fine */
/* Texts are laid side by side, as many at once as memory is planned for, and none sees another: a text's numbers do not depend on its
 * neighbours. A text longer than the context is read in windows; each begins half a context before the tokens that it judges.
 * out [n]; what it points to lives until the next call. */
alm_status alm_scorer_run(alm_scorer *s, alm_scored *out, const alm_str *text, size_t n, alm_error *err);

#endif
