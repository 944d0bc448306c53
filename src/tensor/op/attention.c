/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/attention.c - causal attention within documents, rule E (Vaswani et al. 2017; groups: Ainslie et al. 2023).
 *
 *   score[p] = (rule C over head_dim of q k[p]) scale;  m the largest;  e[p] = exp(score[p] - m);  sum by rule D, partial = p
 *   mod 16;  o[d] = rule C over positions of e[p] v[p][d], in blocks of 256 positions of the document;  o = o (1/sum)
 *
 * Back, per head, with prob = e (1/sum):
 *   dp[p] = rule C over head_dim of do v[p];  D = rule D of prob dp;  ds = (prob (dp - D)) scale
 *   dq[d] = rule C over positions of ds[p] k[p][d];  dk[p][d], dv[p][d] = rule C over queries of ds q, prob do, in blocks of 256
 *   queries of the document; the heads of a group follow each other in one chain of blocks
 *
 * Positions count from the document's first row, so a document gives the same bits wherever it lies. Threads divide (document,
 * kv head) pairs; lanes are positions (scores) or numbers of a head (mixed values): kernel/k_chains.h. Six queries go together.
 * Keys are transposed once for a pair; rows are used in place where a head is a multiple of 16 long, else copied with zeros
 * behind. */
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { TILE = 6 };

typedef struct heads {
    const alm_kernels *k;
    alm_step *s;
    unsigned char *scratch;
    size_t worker_bytes;
    atomic_size_t bad;
} heads;

/* One document and one kv head. */
typedef struct pair {
    const alm_kernels *k;
    const alm_attention *a;
    size_t first, n, n16;  /* rows of the document; n up to a multiple of 16 */
    size_t dim, dim16, kv; /* head_dim; kv head */
    size_t q_row, kv_row;  /* numbers in a row of q and of k, v */
    float *next;           /* scratch not yet given out */
} pair;

/* Rows of [n][dim16], in place or copied. */
typedef struct view {
    const float *at;
    size_t row;
} view;

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }

static float *scratch_of(pair *p, size_t numbers) {
    float *at = p->next;
    p->next += numbers;
    return at;
}

static view rows_of(pair *p, const float *from, size_t row) {
    if (p->dim == p->dim16) return (view){from, row};
    float *to = scratch_of(p, p->n * p->dim16);
    for (size_t r = 0; r < p->n; r++) {
        memcpy(to + r * p->dim16, from + r * row, p->dim * sizeof *to);
        memset(to + r * p->dim16 + p->dim, 0, (p->dim16 - p->dim) * sizeof *to);
    }
    return (view){to, p->dim16};
}

/* [dim][n16], zeros behind n. */
static const float *transposed(pair *p, const float *from, size_t row) {
    float *to = scratch_of(p, p->dim * p->n16);
    for (size_t d = 0; d < p->dim; d++) {
        float *line = to + d * p->n16;
        for (size_t r = 0; r < p->n; r++) line[r] = from[r * row + d];
        for (size_t r = p->n; r < p->n16; r++) line[r] = 0;
    }
    return to;
}

static pair pair_at(const heads *j, size_t index, unsigned worker) {
    const alm_attention *a = &j->s->with.attention;
    size_t d = index / a->n_kv_heads, first = j->s->rows.start[d], n = j->s->rows.start[d + 1] - first;
    return (pair){.k = j->k,
                  .a = a,
                  .first = first,
                  .n = n,
                  .n16 = up16(n),
                  .dim = a->head_dim,
                  .dim16 = up16(a->head_dim),
                  .kv = index % a->n_kv_heads,
                  .q_row = a->n_heads * a->head_dim,
                  .kv_row = a->n_kv_heads * a->head_dim,
                  .next = (float *)(void *)(j->scratch + worker * j->worker_bytes)};
}

/* Positions [*lo, *hi) that query q sees. */
static void seen(const alm_attention *a, size_t q, size_t *lo, size_t *hi) {
    *lo = a->window && q + 1 > a->window ? q + 1 - a->window : 0;
    *hi = q + 1;
}

/* The borders of m queries from q; columns [*from, *to) in stretches of 16 hold them all. */
static void borders(const pair *p, size_t q, size_t m, size_t *lo, size_t *hi, size_t *from, size_t *to) {
    for (size_t i = 0; i < m; i++) seen(p->a, q + i, &lo[i], &hi[i]);
    *from = lo[0] & ~(size_t)15;
    *to = up16(hi[m - 1]);
}

/* out[i][position] = rule C over head_dim of rows a and columns of b (transposed). */
static void over_head(const pair *p, float *out, const float *a, size_t a_row, const float *b, size_t from, size_t to,
                      size_t m) {
    static const size_t zero[TILE] = {0};
    const size_t dim[TILE] = {p->dim, p->dim, p->dim, p->dim, p->dim, p->dim};
    p->k->chains(out + from, p->n16, a, a_row, 1, b + from, p->n16, to - from, m, zero, dim, true);
}

/* -- forward -------------------------------------------------------------------------------------------------------- */

static void pairs_forward(void *arg, size_t slice, size_t index, size_t end, unsigned worker) {
    (void)slice, (void)end;
    heads *j = arg;
    pair p = pair_at(j, index, worker);
    if (p.n == 0) return;
    const alm_step *s = j->s;
    size_t group = p.a->n_heads / p.a->n_kv_heads, at_kv = p.first * p.kv_row + p.kv * p.dim;
    const float *keys = transposed(&p, s->in[1]->node.x + at_kv, p.kv_row);
    view values = rows_of(&p, s->in[2]->node.x + at_kv, p.kv_row);
    float *score = scratch_of(&p, TILE * p.n16), *mixed = scratch_of(&p, TILE * p.dim16);
    for (size_t h = p.kv * group; h < (p.kv + 1) * group; h++) {
        for (size_t q = 0; q < p.n; q += TILE) {
            size_t m = p.n - q < TILE ? p.n - q : TILE, lo[TILE], hi[TILE], from, to;
            size_t at = (p.first + q) * p.q_row + h * p.dim;
            float by[TILE];
            borders(&p, q, m, lo, hi, &from, &to);
            over_head(&p, score, s->in[0]->node.x + at, p.q_row, keys, from, to, m);
            for (size_t i = 0; i < m; i++) {
                float sum = p.k->attention_row(score + i * p.n16, lo[i], hi[i], p.a->scale);
                if (!isfinite(sum)) alm_note_row(&j->bad, p.first + q + i);
                by[i] = 1.0f / sum;
            }
            p.k->chains(mixed, p.dim16, score, p.n16, 1, values.at, values.row, p.dim16, m, lo, hi, true);
            for (size_t i = 0; i < m; i++) {
                float *out = s->out->node.x + at + i * p.q_row;
                for (size_t d = 0; d < p.dim; d++) out[d] = mixed[i * p.dim16 + d] * by[i];
            }
        }
    }
}

static size_t longest(const alm_step *s) {
    size_t n = 0;
    for (size_t d = 0; d < s->rows.n_docs; d++) {
        size_t length = s->rows.start[d + 1] - s->rows.start[d];
        if (length > n) n = length;
    }
    return n;
}

static size_t worker_bytes(const alm_step *s, bool back) {
    size_t n = longest(s), n16 = up16(n), dim = s->with.attention.head_dim, dim16 = up16(dim);
    size_t copied = dim == dim16 ? 0 : n * dim16, queries = n < ALM_ROW_BLOCK ? n : ALM_ROW_BLOCK;
    size_t numbers = back ? 2 * dim * n16 + 3 * copied + 2 * queries * n16 + TILE * dim16 + 2 * n * dim16
                          : dim * n16 + copied + TILE * n16 + TILE * dim16;
    return numbers * sizeof(float); /* a multiple of 64: every part is one of 16 numbers */
}

static size_t forward_bytes(const alm_tape *t, const alm_step *s) {
    return worker_bytes(s, false) * alm_tape_workers(t);
}
static size_t backward_bytes(const alm_tape *t, const alm_step *s) {
    return worker_bytes(s, true) * alm_tape_workers(t);
}

static void run_pairs(alm_tape *t, alm_step *s, void *scratch, bool back, alm_slice_fn *fn) {
    heads j = {.k = alm_compute_kernels(t->compute),
               .s = s,
               .scratch = scratch,
               .worker_bytes = worker_bytes(s, back),
               .bad = ALM_NOWHERE};
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n_docs * s->with.attention.n_kv_heads, 1, fn, &j);
    alm_tape_check_rows(t, s, &j.bad, "the sum over the scores");
}

static void forward(alm_tape *t, alm_step *s, void *scratch) { run_pairs(t, s, scratch, false, pairs_forward); }

/* -- back ----------------------------------------------------------------------------------------------------------- */

static void put(float *to, const float *from, size_t n, bool fresh) {
    if (fresh) memcpy(to, from, n * sizeof *to);
    else
        for (size_t d = 0; d < n; d++) to[d] = to[d] + from[d];
}

/* prob and ds of up to 256 queries from `block`, and their dq. */
static void queries_back(const pair *p, const alm_step *s, size_t h, size_t block, size_t n_queries,
                         const float *keys_t, const float *values_t, view keys, float *prob, float *ds, float *mixed) {
    for (size_t q = block; q < block + n_queries; q += TILE) {
        size_t m = block + n_queries - q < TILE ? block + n_queries - q : TILE, lo[TILE], hi[TILE], from, to;
        size_t at = (p->first + q) * p->q_row + h * p->dim;
        float *e = prob + (q - block) * p->n16, *d = ds + (q - block) * p->n16;
        borders(p, q, m, lo, hi, &from, &to);
        over_head(p, e, s->in[0]->node.x + at, p->q_row, keys_t, from, to, m);
        over_head(p, d, s->out->node.dx + at, p->q_row, values_t, from, to, m);
        for (size_t i = 0; i < m; i++) {
            float sum = p->k->attention_row(e + i * p->n16, lo[i], hi[i], p->a->scale);
            size_t first = lo[i] & ~(size_t)15;
            p->k->scale_twice(e + i * p->n16 + first, up16(hi[i]) - first, 1.0f / sum, 1.0f);
            p->k->attention_row_back(d + i * p->n16, e + i * p->n16, lo[i], hi[i], p->a->scale);
        }
        p->k->chains(mixed, p->dim16, d, p->n16, 1, keys.at, keys.row, p->dim16, m, lo, hi, true);
        for (size_t i = 0; i < m; i++) {
            put(s->in[0]->node.dx + at + i * p->q_row, mixed + i * p->dim16, p->dim, s->fresh[0]);
        }
    }
}

/* dk and dv from the queries [block, block + n_queries). */
static void keys_back(const pair *p, size_t block, size_t n_queries, const float *prob, const float *ds, view queries,
                      view dout, float *dk, float *dv) {
    size_t end = block + n_queries, window = p->a->window ? p->a->window : SIZE_MAX;
    for (size_t k = window > block ? 0 : block + 1 - window; k < end; k += TILE) {
        size_t m = end - k < TILE ? end - k : TILE, lo[TILE], hi[TILE];
        for (size_t i = 0; i < m; i++) { /* queries that see position k + i, counted from the block's first */
            lo[i] = k + i > block ? k + i - block : 0;
            hi[i] = window < end - k - i ? k + i + window - block : n_queries;
        }
        p->k->chains(dk + k * p->dim16, p->dim16, ds + k, 1, p->n16, queries.at + block * queries.row, queries.row,
                     p->dim16, m, lo, hi, false);
        p->k->chains(dv + k * p->dim16, p->dim16, prob + k, 1, p->n16, dout.at + block * dout.row, dout.row, p->dim16,
                     m, lo, hi, false);
    }
}

static void pairs_back(void *arg, size_t slice, size_t index, size_t end, unsigned worker) {
    (void)slice, (void)end;
    heads *j = arg;
    pair p = pair_at(j, index, worker);
    if (p.n == 0) return;
    const alm_step *s = j->s;
    size_t group = p.a->n_heads / p.a->n_kv_heads, at_kv = p.first * p.kv_row + p.kv * p.dim;
    size_t most = p.n < ALM_ROW_BLOCK ? p.n : ALM_ROW_BLOCK;
    const float *keys_t = transposed(&p, s->in[1]->node.x + at_kv, p.kv_row);
    const float *values_t = transposed(&p, s->in[2]->node.x + at_kv, p.kv_row);
    view keys = rows_of(&p, s->in[1]->node.x + at_kv, p.kv_row);
    float *prob = scratch_of(&p, most * p.n16), *ds = scratch_of(&p, most * p.n16);
    float *mixed = scratch_of(&p, TILE * p.dim16);
    float *dk = scratch_of(&p, p.n * p.dim16), *dv = scratch_of(&p, p.n * p.dim16), *left = p.next;
    memset(dk, 0, p.n * p.dim16 * sizeof *dk);
    memset(dv, 0, p.n * p.dim16 * sizeof *dv);
    for (size_t h = p.kv * group; h < (p.kv + 1) * group; h++, p.next = left) {
        view queries = rows_of(&p, s->in[0]->node.x + p.first * p.q_row + h * p.dim, p.q_row);
        view dout = rows_of(&p, s->out->node.dx + p.first * p.q_row + h * p.dim, p.q_row);
        for (size_t block = 0; block < p.n; block += ALM_ROW_BLOCK) {
            size_t n_queries = p.n - block < ALM_ROW_BLOCK ? p.n - block : ALM_ROW_BLOCK;
            queries_back(&p, s, h, block, n_queries, keys_t, values_t, keys, prob, ds, mixed);
            keys_back(&p, block, n_queries, prob, ds, queries, dout, dk, dv);
        }
    }
    for (size_t r = 0; r < p.n; r++) {
        put(s->in[1]->node.dx + at_kv + r * p.kv_row, dk + r * p.dim16, p.dim, s->fresh[1]);
        put(s->in[2]->node.dx + at_kv + r * p.kv_row, dv + r * p.dim16, p.dim, s->fresh[2]);
    }
}

static void backward(alm_tape *t, alm_step *s, void *scratch) { run_pairs(t, s, scratch, true, pairs_back); }

const alm_op alm_op_attention = {.name = "attention",
                                 .reads_input = 7,
                                 .forward_bytes = forward_bytes,
                                 .backward_bytes = backward_bytes,
                                 .forward = forward,
                                 .backward = backward};

alm_node *alm_tape_attention(alm_tape *t, alm_node *q, alm_node *k, alm_node *v, const alm_attention *a,
                             const alm_rows *rows) {
    const alm_op *op = &alm_op_attention;
    if (!q || !k || !v) return NULL;
    if (!alm_tape_check(t, op, a && a->n_kv_heads > 0 && a->head_dim > 0 && a->n_heads % a->n_kv_heads == 0,
                        "%zu heads do not divide into groups for %zu kv heads of %zu", a ? a->n_heads : 0,
                        a ? a->n_kv_heads : 0, a ? a->head_dim : 0) ||
        !alm_tape_check(t, op,
                        q->dim == a->n_heads * a->head_dim && k->dim == a->n_kv_heads * a->head_dim && v->dim == k->dim,
                        "q, k, v have %zu, %zu, %zu numbers a row: not %zu and %zu heads of %zu", q->dim, k->dim,
                        v->dim, a->n_heads, a->n_kv_heads, a->head_dim) ||
        !alm_tape_check(t, op, k->n == q->n && v->n == q->n && q != k && q != v && k != v,
                        "q, k and v are not three nodes with as many rows") ||
        !alm_tape_check(t, op, a->scale > 0 && isfinite(a->scale), "the scale %g is not a positive number",
                        (double)a->scale) ||
        !alm_tape_check_documents(t, op, rows, q->n)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, q->n, q->dim);
    if (!s) return NULL;
    s->rows = *rows;
    s->with.attention = *a;
    alm_step_reads(t, s, 0, q);
    alm_step_reads(t, s, 1, k);
    alm_step_reads(t, s, 2, v);
    return alm_step_node(t, s);
}
