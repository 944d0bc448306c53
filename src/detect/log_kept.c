/* SPDX-License-Identifier: Apache-2.0
 *
 * log_kept.c - the tokens of a record as one flat block, so that whoever reads ahead can lay it beside the record and
 * another thread can go on from there. The view of what was kept equals the view that was kept. */
#include "detect/log_shape.h"
#include <string.h>

_Static_assert(sizeof(alm_kept_tokens) % _Alignof(alm_token) == 0, "tokens follow the head");
_Static_assert(_Alignof(alm_param) <= _Alignof(alm_token), "values follow the tokens");

static size_t token_bytes(uint32_t n) { return n * sizeof(alm_token); }

size_t alm_kept_tokens_bytes(const alm_log_view *v) {
    return sizeof(alm_kept_tokens) + token_bytes(v->n) + (v->param ? v->n_param * sizeof *v->param : 0);
}

void alm_tokens_keep(alm_kept_tokens *out, const alm_log_view *v) {
    *out = (alm_kept_tokens){.key = v->key,
                             .types = v->types,
                             .n = v->n,
                             .n_param = v->param ? v->n_param : UINT32_MAX,
                             .tail_at = v->tail_at,
                             .tail_end = v->tail_end};
    if (v->n) memcpy(out->at, v->at, token_bytes(v->n));
    if (v->param && v->n_param) memcpy(out->at + v->n, v->param, v->n_param * sizeof *v->param);
}

void alm_tokens_view(alm_log_view *out, const alm_kept_tokens *kept) {
    bool prepared = kept->n_param != UINT32_MAX;
    *out = (alm_log_view){.at = kept->at,
                          .n = kept->n,
                          .tail_at = kept->tail_at,
                          .tail_end = kept->tail_end,
                          .key = kept->key,
                          .types = kept->types,
                          .param = prepared ? (const alm_param *)(const void *)(kept->at + kept->n) : NULL,
                          .n_param = prepared ? kept->n_param : 0};
}
