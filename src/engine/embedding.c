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

/* A step has at most this many texts, and begins no other beyond this many rows: enough to keep every core busy. */
enum { STEP_TEXTS = 256, STEP_ROWS = 2048, MOST_BYTES = 1 << 28 };

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
                           bool cut, alm_error *err) {
    size_t n_before, n_behind, first = ids->n / sizeof(uint32_t);
    const uint32_t *before = alm_tokenizer_before(t, &n_before), *behind = alm_tokenizer_behind(t, &n_behind);
    if (n_before + n_behind >= most)
        return alm_fail(err, ALM_INVALID, "%zu tokens leave no room for a text: %zu stand at its ends", most,
                        n_before + n_behind);
    alm_buf_add(ids, before, n_before * sizeof *before);
    alm_status st = alm_tokenizer_encode(t, s, text, ALM_SPECIALS_NONE, ids, err);
    if (st != ALM_OK) return st;
    size_t room = first + most - n_behind, n = ids->n / sizeof(uint32_t);
    if (n > room && !cut) {
        alm_fail(err, ALM_LIMIT, "the text that begins with \"%.*s\" has %zu tokens; the model's context has %zu",
                 (int)alm_utf8_valid_prefix(alm_str_slice(text, 0, text.n < 40 ? text.n : 40)), text.at,
                 n - first + n_behind, most);
        alm_hint(err, "a text is cut only where the number of tokens to keep is said");
        return ALM_LIMIT;
    }
    if (n > room) ids->n = room * sizeof(uint32_t);
    alm_buf_add(ids, behind, n_behind * sizeof *behind);
    return ids->failed == ALM_OK ? ALM_OK : alm_fail_memory(err);
}

/* Tokens and vectors of as many texts as a step should have, from text `first`; *end is the one behind the last. */
static alm_status step(float *out, alm_model *m, const alm_tokenizer *tokenizer, alm_tokenizer_scratch *s,
                       alm_compute *c, const alm_str *text, size_t n, size_t max_tokens, alm_pooling pooling, bool unit,
                       alm_buf *ids, uint32_t start[STEP_TEXTS + 1], size_t *end, alm_error *err) {
    size_t most = alm_model_config(m)->context, i = 0;
    if (max_tokens && max_tokens < most) most = max_tokens;
    alm_buf_clear(ids);
    start[0] = 0;
    while (i < n && i < STEP_TEXTS && start[i] < STEP_ROWS) {
        alm_status st = add_text(ids, tokenizer, s, text[i], most, max_tokens != 0, err);
        if (st != ALM_OK) return st;
        start[++i] = (uint32_t)(ids->n / sizeof(uint32_t));
    }
    const alm_rows rows = {.n = start[i], .n_docs = i, .id = (const uint32_t *)(const void *)ids->at, .start = start};
    *end = i;
    return alm_embedding(out, m, c, &rows, pooling, unit, err);
}

alm_status alm_embedding_of(float *out, alm_model *m, const alm_tokenizer *tokenizer, alm_compute *c,
                            const alm_str *text, size_t n, size_t max_tokens, alm_pooling pooling, bool unit,
                            alm_error *err) {
    size_t dim = alm_model_config(m)->hidden, done = 0;
    alm_buf ids = alm_buf_with_limit(MOST_BYTES);
    alm_tokenizer_scratch *s = NULL;
    uint32_t start[STEP_TEXTS + 1];
    alm_status st = n ? alm_tokenizer_scratch_new(&s, tokenizer, err) : ALM_OK;
    while (st == ALM_OK && done < n) {
        size_t end = 0;
        st = step(out + done * dim, m, tokenizer, s, c, text + done, n - done, max_tokens, pooling, unit, &ids, start,
                  &end, err);
        done += end;
    }
    alm_tokenizer_scratch_free(s);
    alm_buf_free(&ids);
    return st;
}
