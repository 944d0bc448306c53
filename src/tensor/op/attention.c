/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/attention.c - attention within documents, rule E (Vaswani et al. 2017; groups: Ainslie et al. 2023; softcap: Gemma
 * Team 2024; sinks: Xiao et al. 2024, as one learned score a head).
 *
 *   score[p] = (rule C over head_dim of q k[p]) scale, with a softcap c: tanh(. (1/c)) c;  m the largest;  e[p] = exp(score[p] - m);
 *   sum by rule D, partial = p mod 16, then + exp(sink - m);  o[d] = rule C over positions of e[p] v[p][d], in blocks of 256
 *   positions of the document;  o = o (1/sum)
 *
 * Back, per head, with prob = e (1/sum):
 *   dp[p] = rule C over head_dim of do v[p];  D = rule D of prob dp;  ds = (prob (dp - D)) scale, with a softcap times 1 - tanh^2;
 *   dq[d] = rule C over positions of ds[p] k[p][d];  dk[p][d], dv[p][d] = rule C over queries of ds q, prob do, in blocks of 256
 *   queries of the document; the heads of a group follow each other in one chain of blocks;  dsink = rows of -(sink's prob) D
 *
 * Positions count within the document, so it gives the same bits wherever it lies. Threads divide (document, kv head) pairs;
 * lanes are positions (scores) or numbers of a head (mixed values): kernel/k_chains.h. Up to six queries go together: of
 * neighbouring rows, or, where a step has few rows, of the heads that share a kv head.
 *
 * Keys and values are read in pages of 256 positions. A document with a kv (tensor/kv.h) has them already in the form that is
 * read, and adds its new rows; otherwise keys are transposed once for a pair, and rows are used in place where a head is a
 * multiple of 16 long, else copied with zeros behind. A column is a position, counted from the begin of the first page. */
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/kv.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { TILE = 6 };

typedef struct heads {
    const alm_kernels *k;
    alm_step *s;
    unsigned char *scratch;
    size_t worker_bytes;
    float *dsink; /* [rows][heads], back with sinks */
    atomic_size_t bad;
} heads;

/* Rows of [n][dim16], in place or copied. */
typedef struct view {
    const float *at;
    size_t row;
} view;

/* One document and one kv head. */
typedef struct pair {
    const alm_kernels *k;
    const alm_attention *a;
    size_t first, n;       /* rows of the document */
    size_t at, n16;        /* column of the first; at + n up to a multiple of 16 */
    size_t low;            /* lowest column with a key */
    size_t dim, dim16, kv; /* head_dim; kv head */
    size_t q_row, kv_row;  /* numbers in a row of q and of k, v */
    alm_kv *store;         /* or NULL: keys and values as below */
    size_t number;         /* in the store */
    const float *keys;     /* [dim][n16] */
    view values;
    float *next; /* scratch not yet given out */
} pair;

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }

static float *scratch_of(pair *p, size_t numbers) {
    float *at = p->next;
    p->next += numbers;
    return at;
}

/* The document's rows, column by column; nothing in those below p->at. */
static view rows_of(pair *p, const float *from, size_t row) {
    if (p->dim == p->dim16 && p->at == 0) return (view){from, row};
    float *to = scratch_of(p, (p->at + p->n) * p->dim16);
    for (size_t r = 0; r < p->n; r++) {
        float *line = to + (p->at + r) * p->dim16;
        memcpy(line, from + r * row, p->dim * sizeof *to);
        memset(line + p->dim, 0, (p->dim16 - p->dim) * sizeof *to);
    }
    return (view){to, p->dim16};
}

/* [dim][n16], zeros around. */
static const float *transposed(pair *p, const float *from, size_t row) {
    float *to = scratch_of(p, p->dim * p->n16);
    for (size_t d = 0; d < p->dim; d++) {
        float *line = to + d * p->n16;
        memset(line, 0, p->at * sizeof *line);
        for (size_t r = 0; r < p->n; r++) line[p->at + r] = from[r * row + d];
        for (size_t c = p->at + p->n; c < p->n16; c++) line[c] = 0;
    }
    return to;
}

/* The column of a document's first row. */
static size_t column_of(const alm_step *s, size_t d) {
    size_t position = alm_rows_position(&s->rows, d);
    return s->rows.kv && s->rows.kv[d] ? position : position % ALM_BLOCK;
}

static pair pair_at(const heads *j, size_t index, unsigned worker) {
    const alm_step *s = j->s;
    const alm_attention *a = &s->with.attention.how;
    size_t d = index / a->n_kv_heads, first = s->rows.start[d], n = s->rows.start[d + 1] - first, at = column_of(s, d);
    alm_kv *store = s->rows.kv ? s->rows.kv[d] : NULL;
    return (pair){.k = j->k,
                  .a = a,
                  .first = first,
                  .n = n,
                  .at = at,
                  .n16 = up16(at + n),
                  .low = store ? 0 : at,
                  .dim = a->head_dim,
                  .dim16 = up16(a->head_dim),
                  .kv = index % a->n_kv_heads,
                  .q_row = a->n_heads * a->head_dim,
                  .kv_row = a->n_kv_heads * a->head_dim,
                  .store = store,
                  .number = s->with.attention.number,
                  .next = (float *)(void *)(j->scratch + worker * j->worker_bytes)};
}

/* Columns [*lo, *hi) that row q of the document sees. */
static void seen(const pair *p, size_t q, size_t *lo, size_t *hi) {
    size_t own = p->at + q, window = p->a->window;
    *lo = window && own + 1 > window && own + 1 - window > p->low ? own + 1 - window : p->low;
    *hi = p->a->both_ways ? p->at + p->n : own + 1;
}

/* Up to six queries: of rows q, q + 1, ... and one head, or of one row and heads h, h + 1, ... */
typedef struct tile {
    size_t q, h, m;
    bool of_heads;
    size_t lo[TILE], hi[TILE], from, to; /* columns; [from, to) in stretches of 16 holds them all */
} tile;

static tile tile_at(const pair *p, size_t q, size_t h, size_t m, bool of_heads) {
    tile t = {.q = q, .h = h, .m = m, .of_heads = of_heads};
    for (size_t i = 0; i < m; i++) seen(p, of_heads ? q : q + i, &t.lo[i], &t.hi[i]);
    t.from = t.lo[0] & ~(size_t)15;
    t.to = up16(t.hi[m - 1]);
    return t;
}

/* out[i][column] = rule C over head_dim of rows a (a_row apart) and columns of b [dim][b_row], columns [from, to). */
static void over_head(const pair *p, float *out, const float *a, size_t a_row, const float *b, size_t b_row, size_t n,
                      size_t m) {
    static const size_t zero[TILE] = {0};
    const size_t dim[TILE] = {p->dim, p->dim, p->dim, p->dim, p->dim, p->dim};
    p->k->chains(out, p->n16, a, a_row, 1, b, b_row, n, m, zero, dim, true);
}

/* The score as it goes into the softmax, but for the factor that is returned: attention_row multiplies with it. */
static float capped(const pair *p, float *score, size_t n) {
    float cap = p->a->softcap;
    if (!(cap > 0)) return p->a->scale;
    p->k->scale_twice(score, n, p->a->scale, 1.0f / cap);
    p->k->math_tanh(score, score, n);
    return cap;
}

/* -- forward -------------------------------------------------------------------------------------------------------- */

/* New keys and values go to where they are read. */
static void fill_pages(const pair *p, const float *keys, const float *values) {
    for (size_t r = 0; r < p->n;) {
        size_t page = (p->at + r) / ALM_KV_PAGE, column = (p->at + r) % ALM_KV_PAGE;
        size_t m = ALM_KV_PAGE - column < p->n - r ? ALM_KV_PAGE - column : p->n - r;
        float *k = alm_kv_keys(p->store, p->number, page, p->kv) + column;
        float *v = alm_kv_values(p->store, p->number, page, p->kv) + column * p->dim16;
        for (size_t d = 0; d < p->dim; d++)
            for (size_t i = 0; i < m; i++) k[d * ALM_KV_PAGE + i] = keys[(r + i) * p->kv_row + d];
        for (size_t i = 0; i < m; i++) memcpy(v + i * p->dim16, values + (r + i) * p->kv_row, p->dim * sizeof *v);
        r += m;
    }
}

/* score[i][column] of a tile, page by page. */
static void scores(const pair *p, const tile *t, float *score, const float *q, size_t q_row) {
    for (size_t c = t->from; c < t->to;) {
        size_t page = c / ALM_BLOCK, end = (page + 1) * ALM_BLOCK < t->to ? (page + 1) * ALM_BLOCK : t->to;
        const float *keys = p->store ? alm_kv_keys(p->store, p->number, page, p->kv) + c % ALM_BLOCK : p->keys + c;
        over_head(p, score + c, q, q_row, keys, p->store ? ALM_KV_PAGE : p->n16, end - c, t->m);
        c = end;
    }
}

/* mixed[i][d] = rule C over columns of e[i] and values, page by page: a page is a block of the chain. */
static void mix(const pair *p, const tile *t, float *mixed, const float *e) {
    bool fresh = true;
    for (size_t page = t->from / ALM_BLOCK, base = page * ALM_BLOCK; base < t->to; page++, base += ALM_BLOCK) {
        view values = p->store ? (view){alm_kv_values(p->store, p->number, page, p->kv), p->dim16}
                               : (view){p->values.at + base * p->values.row, p->values.row};
        size_t lo[TILE], hi[TILE];
        for (size_t i = 0; i < t->m; i++) {
            lo[i] = t->lo[i] > base ? t->lo[i] - base : 0;
            hi[i] = t->hi[i] < base + ALM_BLOCK ? t->hi[i] - base : ALM_BLOCK;
            if (t->hi[i] <= base || lo[i] >= ALM_BLOCK) lo[i] = hi[i] = 0; /* nothing here */
        }
        p->k->chains(mixed, p->dim16, e + base, p->n16, 1, values.at, values.row, p->dim16, t->m, lo, hi, fresh);
        fresh = false;
    }
}

static void tile_forward(heads *j, const pair *p, const tile *t, float *score, float *mixed) {
    const alm_step *s = j->s;
    size_t row = t->of_heads ? p->dim : p->q_row, at = (p->first + t->q) * p->q_row + t->h * p->dim;
    const float *sinks = p->a->sinks ? p->a->sinks->at : NULL;
    float by[TILE];
    scores(p, t, score, s->in[0]->node.x + at, row);
    for (size_t i = 0; i < t->m; i++) {
        float *e = score + i * p->n16, sink = sinks ? sinks[t->of_heads ? t->h + i : t->h] : 0;
        size_t from = t->lo[i] & ~(size_t)15;
        float factor = capped(p, e + from, up16(t->hi[i]) - from);
        float sum = p->k->attention_row(e, t->lo[i], t->hi[i], factor, sinks ? &sink : NULL);
        if (!isfinite(sum)) alm_note_row(&j->bad, p->first + (t->of_heads ? t->q : t->q + i));
        by[i] = 1.0f / sum;
    }
    mix(p, t, mixed, score);
    for (size_t i = 0; i < t->m; i++) {
        float *out = s->out->node.x + at + i * row;
        for (size_t d = 0; d < p->dim; d++) out[d] = mixed[i * p->dim16 + d] * by[i];
    }
}

static void pairs_forward(void *arg, size_t slice, size_t index, size_t end, unsigned worker) {
    (void)slice, (void)end;
    heads *j = arg;
    pair p = pair_at(j, index, worker);
    if (p.n == 0) return;
    const alm_step *s = j->s;
    size_t group = p.a->n_heads / p.a->n_kv_heads, at_kv = p.first * p.kv_row + p.kv * p.dim;
    const float *keys = s->in[1]->node.x + at_kv, *values = s->in[2]->node.x + at_kv;
    if (p.store) {
        fill_pages(&p, keys, values);
    } else {
        p.keys = transposed(&p, keys, p.kv_row);
        p.values = rows_of(&p, values, p.kv_row);
    }
    float *score = scratch_of(&p, TILE * p.n16), *mixed = scratch_of(&p, TILE * p.dim16);
    bool of_heads = p.n * ((group + TILE - 1) / TILE) < group * ((p.n + TILE - 1) / TILE);
    size_t most = of_heads ? group : p.n, other = of_heads ? p.n : group;
    for (size_t o = 0; o < other; o++) {
        for (size_t i = 0; i < most; i += TILE) {
            size_t m = most - i < TILE ? most - i : TILE;
            tile t = of_heads ? tile_at(&p, o, p.kv * group + i, m, true) : tile_at(&p, i, p.kv * group + o, m, false);
            tile_forward(j, &p, &t, score, mixed);
        }
    }
}

/* Scratch of a worker, for the document that takes most. */
static size_t worker_bytes(const alm_step *s, bool back) {
    size_t dim = s->with.attention.how.head_dim, dim16 = up16(dim), most = 0;
    for (size_t d = 0; d < s->rows.n_docs; d++) {
        size_t at = column_of(s, d), n = s->rows.start[d + 1] - s->rows.start[d], n16 = up16(at + n);
        size_t copied = dim == dim16 && at == 0 ? 0 : (at + n) * dim16;
        size_t queries = n < ALM_ROW_BLOCK ? n : ALM_ROW_BLOCK, slope = s->with.attention.how.softcap > 0 ? n16 : 0;
        size_t numbers = TILE * dim16;
        if (back) numbers += 2 * dim * n16 + 3 * copied + 2 * queries * n16 + slope + 2 * n * dim16;
        else numbers += TILE * n16 + (s->rows.kv && s->rows.kv[d] ? 0 : dim * n16 + copied);
        if (numbers > most) most = numbers;
    }
    return most * sizeof(float); /* a multiple of 64: every part is one of 16 numbers */
}

static size_t sink_bytes(const alm_step *s) {
    return s->w[0] ? s->rows.n * s->with.attention.how.n_heads * sizeof(float) : 0;
}
static size_t forward_bytes(const alm_tape *t, const alm_step *s) {
    return worker_bytes(s, false) * alm_tape_workers(t);
}
static size_t backward_bytes(const alm_tape *t, const alm_step *s) {
    return worker_bytes(s, true) * alm_tape_workers(t) + sink_bytes(s);
}

static void run_pairs(alm_tape *t, alm_step *s, void *scratch, bool back, alm_slice_fn *fn) {
    heads j = {.k = alm_compute_kernels(t->compute),
               .s = s,
               .scratch = scratch,
               .worker_bytes = worker_bytes(s, back),
               .bad = ALM_NOWHERE};
    if (back && s->w[0]) j.dsink = (float *)(void *)(j.scratch + j.worker_bytes * alm_tape_workers(t));
    const alm_attention *a = &s->with.attention.how;
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n_docs * a->n_kv_heads, 1, fn, &j);
    alm_tape_check_rows(t, s, &j.bad, "the sum over the scores");
    if (j.dsink && s->w[0]->grad) j.k->add_rows(s->w[0]->grad, j.dsink, s->rows.n, a->n_heads, a->n_heads);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    run_pairs(t, s, scratch, false, pairs_forward);
    if (!s->rows.kv || t->error.status != ALM_OK) return;
    for (size_t d = 0; d < s->rows.n_docs; d++) {
        size_t end = alm_rows_position(&s->rows, d) + s->rows.start[d + 1] - s->rows.start[d];
        if (s->rows.kv[d]) alm_kv_set_filled(s->rows.kv[d], s->with.attention.number, end);
    }
}

/* -- back ----------------------------------------------------------------------------------------------------------- */

static void put(float *to, const float *from, size_t n, bool fresh) {
    if (fresh) memcpy(to, from, n * sizeof *to);
    else
        for (size_t d = 0; d < n; d++) to[d] = to[d] + from[d];
}

/* prob and ds of up to 256 queries from `block`, and their dq. */
static void queries_back(const heads *j, const pair *p, size_t h, size_t block, size_t n_queries, const float *values_t,
                         view keys, float *prob, float *ds, float *slope, float *mixed) {
    const alm_step *s = j->s;
    const float *sinks = p->a->sinks ? p->a->sinks->at : NULL;
    for (size_t q = block; q < block + n_queries; q += TILE) {
        tile t = tile_at(p, q, h, block + n_queries - q < TILE ? block + n_queries - q : TILE, false);
        size_t at = (p->first + q) * p->q_row + h * p->dim, begin = (q - block) * p->n16;
        float *e = prob + begin, *d = ds + begin;
        over_head(p, e + t.from, s->in[0]->node.x + at, p->q_row, p->keys + t.from, p->n16, t.to - t.from, t.m);
        over_head(p, d + t.from, s->out->node.dx + at, p->q_row, values_t + t.from, p->n16, t.to - t.from, t.m);
        for (size_t i = 0; i < t.m; i++) {
            size_t first = t.lo[i] & ~(size_t)15, n = up16(t.hi[i]) - first, start = i * p->n16 + first;
            float factor = capped(p, e + start, n), sink = sinks ? sinks[h] : 0;
            if (slope) memcpy(slope, e + start, n * sizeof *slope);
            float by = 1.0f / p->k->attention_row(e + i * p->n16, t.lo[i], t.hi[i], factor, sinks ? &sink : NULL);
            p->k->scale_twice(e + start, n, by, 1.0f);
            float sum = p->k->attention_row_back(d + i * p->n16, e + i * p->n16, t.lo[i], t.hi[i], p->a->scale);
            if (slope) p->k->capped_row_back(d + start, slope, n);
            if (sinks) j->dsink[(p->first + q + i) * p->a->n_heads + h] = -((sink * by) * sum);
        }
        p->k->chains(mixed, p->dim16, d, p->n16, 1, keys.at, keys.row, p->dim16, t.m, t.lo, t.hi, true);
        for (size_t i = 0; i < t.m; i++) {
            put(s->in[0]->node.dx + at + i * p->q_row, mixed + i * p->dim16, p->dim, s->fresh[0]);
        }
    }
}

/* dk and dv from the queries [block, block + n_queries). */
static void keys_back(const pair *p, size_t block, size_t n_queries, const float *prob, const float *ds, view queries,
                      view dout, float *dk, float *dv) {
    size_t end = p->a->both_ways ? p->n : block + n_queries, window = p->a->window ? p->a->window : SIZE_MAX;
    for (size_t k = window > block ? 0 : block + 1 - window; k < end; k += TILE) {
        size_t m = end - k < TILE ? end - k : TILE, lo[TILE], hi[TILE];
        for (size_t i = 0; i < m; i++) { /* queries that see position k + i, counted from the block's first */
            lo[i] = k + i > block && !p->a->both_ways ? k + i - block : 0;
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
    p.keys = transposed(&p, s->in[1]->node.x + at_kv, p.kv_row);
    const float *values_t = transposed(&p, s->in[2]->node.x + at_kv, p.kv_row);
    view keys = rows_of(&p, s->in[1]->node.x + at_kv, p.kv_row);
    float *prob = scratch_of(&p, most * p.n16), *ds = scratch_of(&p, most * p.n16);
    float *slope = p.a->softcap > 0 ? scratch_of(&p, p.n16) : NULL;
    float *mixed = scratch_of(&p, TILE * p.dim16);
    float *dk = scratch_of(&p, p.n * p.dim16), *dv = scratch_of(&p, p.n * p.dim16), *left = p.next;
    memset(dk, 0, p.n * p.dim16 * sizeof *dk);
    memset(dv, 0, p.n * p.dim16 * sizeof *dv);
    for (size_t h = p.kv * group; h < (p.kv + 1) * group; h++, p.next = left) {
        view queries = rows_of(&p, s->in[0]->node.x + p.first * p.q_row + h * p.dim, p.q_row);
        view dout = rows_of(&p, s->out->node.dx + p.first * p.q_row + h * p.dim, p.q_row);
        for (size_t block = 0; block < p.n; block += ALM_ROW_BLOCK) {
            size_t n_queries = p.n - block < ALM_ROW_BLOCK ? p.n - block : ALM_ROW_BLOCK;
            queries_back(j, &p, h, block, n_queries, values_t, keys, prob, ds, slope, mixed);
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

/* Documents that begin before this step: what came before is there, and room for what comes. */
static bool check_continued(alm_tape *t, const alm_op *op, const alm_attention *a, const alm_rows *rows) {
    if (!alm_tape_check(t, op, t->mode == ALM_TAPE_INFER || (!rows->kv && !rows->position),
                        "documents that are continued cannot be differentiated") ||
        !alm_tape_check(t, op, alm_rows_reach(rows) <= UINT32_MAX, "position %zu is too high", alm_rows_reach(rows))) {
        return false;
    }
    for (size_t d = 0; rows->kv && d < rows->n_docs; d++) {
        alm_kv *kv = rows->kv[d];
        size_t position = alm_rows_position(rows, d), end = position + rows->start[d + 1] - rows->start[d];
        if (!kv) continue;
        if (!alm_tape_check(t, op, !a->both_ways, "rows that see what comes after them cannot be continued") ||
            !alm_tape_check(t, op, position <= alm_kv_filled(kv, t->n_attentions),
                            "document %zu goes on at position %zu, but is known up to %zu only", d, position,
                            alm_kv_filled(kv, t->n_attentions))) {
            return false;
        }
        for (size_t o = 0; o < d && t->n_attentions == 0; o++)
            if (!alm_tape_check(t, op, rows->kv[o] != kv, "documents %zu and %zu have the same kv", o, d)) return false;
        alm_status st = alm_kv_reserve(kv, t->n_attentions, a->n_kv_heads, a->head_dim, end);
        if (!alm_tape_check(t, op, st != ALM_MISMATCH, "the kv of document %zu belongs to another model", d))
            return false;
        if (st != ALM_OK)
            return alm_tape_fail(t, st, "not enough memory for the keys and values of %zu positions", end), false;
    }
    return true;
}

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
        !alm_tape_check(t, op, a->softcap >= 0 && isfinite(a->softcap), "the softcap %g is not a number above 0",
                        (double)a->softcap) ||
        !alm_tape_check(t, op, !a->both_ways || !a->window, "a window looks back: it does not go with both ways") ||
        !alm_tape_check(
            t, op, !a->sinks || (a->sinks->type == ALM_F32 && a->sinks->n_rows == 1 && a->sinks->n_cols == a->n_heads),
            "the sinks are not one row of %zu f32 numbers", a->n_heads) ||
        !alm_tape_check_documents(t, op, rows, q->n) || !check_continued(t, op, a, rows)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, q->n, q->dim);
    if (!s) return NULL;
    s->rows = *rows;
    s->w[0] = a->sinks;
    s->with.attention.how = *a;
    s->with.attention.number = t->n_attentions++;
    alm_step_reads(t, s, 0, q);
    alm_step_reads(t, s, 1, k);
    alm_step_reads(t, s, 2, v);
    return alm_step_node(t, s);
}
