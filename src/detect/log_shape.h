/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_shape.h - a memory of shapes, so that the tokeniser runs once for each shape of a record and not for each record.
 *
 * Logs repeat themselves: of 24,000 different lines of a service, 500 differ in more than digits and UUIDs. The shape of a
 * record is the record with every digit as 0 and with the hexadecimal digits of free-standing UUIDs as 0. What the tokeniser
 * makes of a record depends on its shape alone, but for the few bytes that it says it has looked at (alm_tokens.look), and
 * but for the hashes of words with digits in them, which are computed afresh.
 *
 * Results never depend on what is remembered: every answer equals alm_log_tokenise's, test_log_shape and fuzz_log_shape
 * compare them. Memory is bounded (about 2 MiB); without memory the shape is just not remembered. */
#ifndef ALM_DETECT_LOG_SHAPE_H
#define ALM_DETECT_LOG_SHAPE_H

#include "detect/log_template.h"

typedef struct alm_log_shapes alm_log_shapes;

/* What a record was found to be. All pointers live until the next call. */
typedef struct alm_log_view {
    const alm_token *at;
    uint32_t n;
    uint32_t tail_at, tail_end;
    uint64_t key, types;
    const alm_param *param; /* one for each token that is no constant, `constant` false; NULL: not prepared */
    uint32_t n_param;
} alm_log_view;

/* NULL without memory. */
alm_log_shapes *alm_log_shapes_new(void);
void alm_log_shapes_free(alm_log_shapes *s); /* NULL is fine */
/* As alm_log_tokenise without masks; `scratch` takes the tokens of records that are not remembered. lines_only must be the
 * same in all calls. */
void alm_log_shapes_tokenise(alm_log_shapes *s, alm_log_view *out, alm_tokens *scratch, alm_str line, bool lines_only);
/* The same as one flat block, to be kept or handed to another thread (log_kept.c). */
struct alm_kept_tokens {
    uint64_t key, types;
    uint32_t n, n_param, tail_at, tail_end; /* n_param UINT32_MAX: not prepared */
    alm_token at[];                         /* n of them, and behind them n_param alm_param */
};
size_t alm_kept_tokens_bytes(const alm_log_view *v);
/* `out` has room for alm_kept_tokens_bytes(v) and is aligned for 64 bits. */
void alm_tokens_keep(alm_kept_tokens *out, const alm_log_view *v);
/* What was kept, as it was; it points into `kept`. */
void alm_tokens_view(alm_log_view *out, const alm_kept_tokens *kept);
/* The shape of a line of 1 to ALM_SHAPE_BYTES bytes, as it is compared: out has room for ALM_SHAPE_BYTES + 16. For tests. */
enum { ALM_SHAPE_BYTES = 1024 };
void alm_log_shape_of(char *out, alm_str line);
/* How many records were answered from memory, and how many shapes are remembered. */
void alm_log_shapes_count(const alm_log_shapes *s, uint64_t *hits, size_t *shapes);

#endif
