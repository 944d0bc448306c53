/* SPDX-License-Identifier: Apache-2.0
 *
 * estimate.c - how much memory a run will take.
 *
 * Weights, gradients and moments follow from the configuration; activations come from a dry run of the tape over a full
 * micro-batch of pieces as long as the context, the largest that can occur. */
#include "base/alloc.h"
#include "train/trainer.h"

static size_t times(size_t a, size_t b) {
    size_t out;
    return alm_mul_size(&out, a, b) ? out : SIZE_MAX / 4;
}

/* A parameter has at most 2^50 bytes' worth of copies: sums below cannot overflow. */
static size_t parameters(const alm_config *c) {
    size_t q = times(c->n_heads, c->head_dim), kv = times(c->n_kv_heads, c->head_dim);
    size_t layer = times(c->hidden, 2 * q + 2 * kv + 2) + times(3 * c->hidden, c->ffn);
    size_t n = times(c->n_layers, layer) + times(c->n_vocab, c->hidden) * (c->tied ? 1 : 2) + c->hidden;
    return n < (size_t)1 << 50 ? n : (size_t)1 << 50;
}

void alm_train_memory_least(alm_train_bytes *out, const alm_config *config, const alm_train_options *o,
                            bool evaluates) {
    size_t n = parameters(config) * sizeof(float), micro = o->micro_tokens ? o->micro_tokens : o->batch_tokens;
    alm_train_options with = *o;
    with.micro_tokens = micro;
    *out = (alm_train_bytes){.weights = n,
                             .gradients = n * (1 + alm_train_levels(&with)),
                             .moments = 2 * n,
                             .best = evaluates ? n : 0,
                             .bf16 = o->bf16 ? n / 2 : 0};
    out->total = out->weights + out->gradients + out->moments + out->best + out->bf16;
}

alm_status alm_train_memory(alm_train_bytes *out, alm_model *m, const alm_train_options *o, bool evaluates,
                            alm_error *err) {
    alm_train_options checked = *o;
    alm_status st = alm_train_options_check(&checked, alm_model_config(m), err);
    if (st != ALM_OK) return st;
    alm_train_memory_least(out, alm_model_config(m), o, evaluates);
    size_t n = o->micro_tokens && o->micro_tokens < o->batch_tokens ? o->micro_tokens : o->batch_tokens, n_docs = 0;
    alm_compute *c = NULL;
    alm_tape *tape = NULL;
    alm_micro micro = {0};
    st = alm_compute_new(&c, NULL, err);
    if (st == ALM_OK) st = alm_tape_new(&tape, c, ALM_TAPE_MEASURE, 0, err);
    if (st == ALM_OK) st = alm_micro_new(&micro, n, err);
    if (st != ALM_OK) goto done;
    for (size_t i = 0; i < n; i += o->context) micro.start[n_docs++] = (uint32_t)i;
    micro.start[n_docs] = (uint32_t)n;
    micro.rows = (alm_rows){.n = n, .n_docs = n_docs, .id = micro.id, .start = micro.start};
    st = alm_model_loss(m, tape, &micro.rows, NULL, 1, o->recompute, NULL, err);
    out->activations = alm_tape_bytes(tape) + n * 20; /* and ids, labels, starts, losses */
    out->total += out->activations;
done:
    alm_micro_free(&micro);
    alm_tape_free(tape);
    alm_compute_free(c);
    return st;
}
