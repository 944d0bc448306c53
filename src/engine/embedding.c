/* SPDX-License-Identifier: Apache-2.0
 *
 * engine/embedding.c - texts as vectors.
 *
 *   mean:  +0, then rows in order, in blocks of 256 (rule C), times 1/n;   length: sqrt of the square sum by rule D, times its
 *   inverse                                                                                        (docs/numbers.md) */
#include "engine/embedding.h"

#include "base/alloc.h"
#include "tensor/kernel/kernels.h"

#include <math.h>
#include <string.h>

static void pool_one(float *out, const float *x, size_t n, size_t dim, alm_pooling pooling, const alm_kernels *k) {
    if (pooling != ALM_POOL_MEAN) {
        memcpy(out, pooling == ALM_POOL_FIRST ? x : x + (n - 1) * dim, dim * sizeof *out);
        return;
    }
    memset(out, 0, dim * sizeof *out);
    k->add_rows(out, x, n, dim, dim);
    k->times(out, out, dim, 1.0F / (float)n, true);
}

static void make_unit(float *x, size_t dim, const alm_kernels *k) {
    float length = sqrtf(k->sum_squares(x, dim));
    if (length > 0.0F) k->times(x, x, dim, 1.0F / length, true);
}

alm_status alm_embedding(float *out, alm_model *m, alm_compute *c, const alm_rows *rows, alm_pooling pooling, bool unit,
                         alm_error *err) {
    const alm_config *config = alm_model_config(m);
    const alm_kernels *k = alm_compute_kernels(c);
    alm_tape *t = NULL;
    float *x = NULL;
    for (size_t d = 0; d < rows->n_docs; d++)
        if (rows->start[d] >= rows->start[d + 1]) return alm_fail(err, ALM_INVALID, "text %zu has no tokens", d);
    if (pooling == ALM_POOL_UNSAID) pooling = config->pooling;
    if (pooling == ALM_POOL_UNSAID) pooling = config->encoder ? ALM_POOL_MEAN : ALM_POOL_LAST;
    alm_status st = alm_tape_new(&t, c, ALM_TAPE_INFER, 0, err);
    if (st == ALM_OK && !(x = alm_calloc(rows->n, config->hidden * sizeof *x))) st = alm_fail_memory(err);
    if (st == ALM_OK) st = alm_model_read(m, t, rows, x, err);
    if (st == ALM_OK) {
        alm_fp_mode mode = alm_fp_enter();
        for (size_t d = 0; d < rows->n_docs; d++) {
            size_t first = rows->start[d], dim = config->hidden;
            pool_one(out + d * dim, x + first * dim, rows->start[d + 1] - first, dim, pooling, k);
            if (unit) make_unit(out + d * dim, dim, k);
        }
        alm_fp_leave(mode);
    }
    alm_free(x);
    alm_tape_free(t);
    return st;
}

/* -- from texts ------------------------------------------------------------------------------------------------------ */

/* Appends the ids of one text. */
static alm_status add_text(alm_buf *ids, const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, size_t most,
                           alm_error *err) {
    size_t n_before, n_behind, first = ids->n / sizeof(uint32_t);
    const uint32_t *before = alm_tokenizer_before(t, &n_before), *behind = alm_tokenizer_behind(t, &n_behind);
    if (n_before + n_behind >= most)
        return alm_fail(err, ALM_INVALID, "%zu tokens leave no room for a text: %zu stand at its ends", most,
                        n_before + n_behind);
    alm_buf_add(ids, before, n_before * sizeof *before);
    alm_status st = alm_tokenizer_encode(t, s, text, ALM_SPECIALS_NONE, ids, err);
    if (st != ALM_OK) return st;
    size_t room = first + most - n_behind, n = ids->n / sizeof(uint32_t);
    if (n > room) ids->n = room * sizeof(uint32_t);
    alm_buf_add(ids, behind, n_behind * sizeof *behind);
    return ids->failed == ALM_OK ? ALM_OK : alm_fail_memory(err);
}

alm_status alm_embedding_of(float *out, alm_model *m, const alm_tokenizer *tokenizer, alm_compute *c,
                            const alm_str *text, size_t n, size_t max_tokens, alm_pooling pooling, bool unit,
                            alm_error *err) {
    size_t most = alm_model_config(m)->context;
    alm_buf ids = alm_buf_with_limit(SIZE_MAX);
    alm_tokenizer_scratch *s = NULL;
    uint32_t *start = NULL;
    if (max_tokens && max_tokens < most) most = max_tokens;
    if (n == 0) return ALM_OK;
    alm_status st = alm_tokenizer_scratch_new(&s, tokenizer, err);
    if (st == ALM_OK && !(start = alm_calloc(n + 1, sizeof *start))) st = alm_fail_memory(err);
    for (size_t i = 0; i < n && st == ALM_OK; i++) {
        st = add_text(&ids, tokenizer, s, text[i], most, err);
        if (st == ALM_OK && ids.n / sizeof(uint32_t) > UINT32_MAX)
            st = alm_fail(err, ALM_LIMIT, "%zu texts have more tokens than one step can hold", n);
        if (st == ALM_OK) start[i + 1] = (uint32_t)(ids.n / sizeof(uint32_t));
    }
    if (st == ALM_OK) {
        const alm_rows rows = {
            .n = start[n], .n_docs = n, .id = (const uint32_t *)(const void *)ids.at, .start = start};
        st = alm_embedding(out, m, c, &rows, pooling, unit, err);
    }
    alm_free(start);
    alm_tokenizer_scratch_free(s);
    alm_buf_free(&ids);
    return st;
}
