/* SPDX-License-Identifier: Apache-2.0
 *
 * lm.c - the language model that reads lines (lm.h). One thread, one line: a line is short, and reading is rare. */
#include "detect/lm.h"
#include "base/alloc.h"
#include "dtype/dtype.h"

struct alm_lm {
    alm_model *model;
    alm_bpe *bpe;
    alm_compute *compute;
    alm_tape *tape;
    alm_bpe_scratch *scratch;
    alm_gguf *container; /* NULL: the weights are the model's own */
    alm_buf ids, ends;
};

static uint32_t begin_of(const alm_bpe *bpe) {
    int32_t bos = alm_bpe_bos(bpe), eos = alm_bpe_eos(bpe);
    return bos >= 0 ? (uint32_t)bos : eos >= 0 ? (uint32_t)eos : 0;
}

alm_status alm_lm_document(const alm_bpe *bpe, alm_str line, alm_buf *ids, alm_error *err) {
    uint32_t bos = begin_of(bpe), eos = alm_bpe_eos(bpe) >= 0 ? (uint32_t)alm_bpe_eos(bpe) : bos;
    if (line.n > ALM_READ_BYTES) line.n = ALM_READ_BYTES;
    size_t before = ids->n;
    if (!alm_buf_add(ids, &bos, sizeof bos)) return alm_buf_status(ids, err);
    alm_status st = alm_bpe_encode(bpe, NULL, line, ids, NULL, err);
    if (st != ALM_OK) return st;
    size_t most = before + (ALM_READ_TOKENS + 1) * sizeof bos;
    if (ids->n > most) ids->n = most;
    return alm_buf_add(ids, &eos, sizeof eos) ? ALM_OK : alm_buf_status(ids, err);
}

alm_status alm_lm_new(alm_lm **out, alm_model *model, alm_bpe *bpe, alm_error *err) {
    alm_lm *lm = alm_calloc(1, sizeof *lm);
    if (!lm) {
        alm_model_free(model);
        alm_bpe_free(bpe);
        return alm_fail_memory(err);
    }
    *lm = (alm_lm){.model = model,
                   .bpe = bpe,
                   .ids = alm_buf_with_limit(sizeof(uint32_t) * (ALM_READ_BYTES + 8)),
                   .ends = alm_buf_with_limit(sizeof(uint32_t) * (ALM_READ_BYTES + 8))};
    alm_status st = ALM_OK;
    if (alm_model_config(model)->n_vocab < alm_bpe_vocab(bpe))
        st = alm_fail(err, ALM_MALFORMED, "language model: %zu tokens in the tokenizer, %zu rows in the model",
                      alm_bpe_vocab(bpe), alm_model_config(model)->n_vocab);
    if (st == ALM_OK) st = alm_compute_new(&lm->compute, NULL, err);
    if (st == ALM_OK) st = alm_tape_new(&lm->tape, lm->compute, ALM_TAPE_INFER, (size_t)256 << 20, err);
    if (st == ALM_OK) st = alm_bpe_scratch_new(&lm->scratch, err);
    if (st == ALM_OK) st = alm_model_pack(model, lm->compute, err);
    if (st != ALM_OK) {
        alm_lm_free(lm);
        return st;
    }
    *out = lm;
    return ALM_OK;
}

alm_status alm_lm_from_gguf(alm_lm **out, alm_gguf *container, const char *prefix, alm_error *err) {
    alm_model *model = NULL;
    alm_bpe *bpe = NULL;
    alm_lm *lm = NULL;
    alm_status st = alm_model_from_gguf(&model, container, prefix, err);
    if (st == ALM_OK) st = alm_bpe_from_gguf(&bpe, container, prefix, err);
    if (st == ALM_OK) st = alm_lm_new(&lm, model, bpe, err);
    else alm_model_free(model);
    if (st != ALM_OK) {
        alm_gguf_close(container);
        return st;
    }
    lm->container = container;
    *out = lm;
    return ALM_OK;
}

alm_status alm_lm_to_gguf(const alm_lm *lm, alm_gguf_writer *w, const char *prefix, alm_error *err) {
    alm_status st = alm_model_to_gguf(lm->model, w, prefix, ALM_F32, err);
    return st == ALM_OK ? alm_bpe_to_gguf(lm->bpe, w, prefix, err) : st;
}

void alm_lm_free(alm_lm *lm) {
    if (!lm) return;
    alm_bpe_scratch_free(lm->scratch);
    alm_tape_free(lm->tape);
    alm_model_free(lm->model);
    alm_bpe_free(lm->bpe);
    alm_compute_free(lm->compute);
    alm_gguf_close(lm->container);
    alm_buf_free(&lm->ids);
    alm_buf_free(&lm->ends);
    alm_free(lm);
}

const alm_config *alm_lm_config(const alm_lm *lm) { return alm_model_config(lm->model); }
uint64_t alm_lm_parameters(const alm_lm *lm) { return alm_model_parameter_count(lm->model); }

alm_status alm_lm_read(alm_lm *lm, alm_str line, alm_reading *out, alm_error *err) {
    uint32_t bos = begin_of(lm->bpe), id[ALM_READ_TOKENS + 1];
    int32_t label[ALM_READ_TOKENS];
    if (line.n > ALM_READ_BYTES) line.n = ALM_READ_BYTES;
    out->n = 0;
    alm_buf_clear(&lm->ids);
    alm_buf_clear(&lm->ends);
    alm_status st = alm_bpe_encode(lm->bpe, lm->scratch, line, &lm->ids, &lm->ends, err);
    if (st != ALM_OK) return st;
    size_t n = lm->ids.n / sizeof *id, most = alm_model_config(lm->model)->context;
    if (n > ALM_READ_TOKENS) n = ALM_READ_TOKENS;
    if (n > most) n = most;
    if (n == 0) return ALM_OK;
    id[0] = bos;
    memcpy(id + 1, lm->ids.at, n * sizeof *id);
    memcpy(out->end, lm->ends.at, n * sizeof *out->end);
    for (size_t i = 0; i < n; i++) label[i] = (int32_t)id[i + 1];
    const uint32_t start[2] = {0, (uint32_t)n};
    alm_tape_reset(lm->tape);
    st = alm_model_loss(lm->model, lm->tape, &(alm_rows){.n = n, .n_docs = 1, .id = id, .start = start}, label, 1,
                        false, out->nll, err);
    if (st == ALM_OK) out->n = (uint32_t)n;
    return st;
}
