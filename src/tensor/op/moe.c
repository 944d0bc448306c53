/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/moe.c - a mixture of experts, rule H (Shazeer et al. 2017; Jiang et al. 2024).
 *
 *   p = softmax of the router's scores (m the largest, e = exp(score - m), sum by rule D, p = e (1/sum))
 *   the n_used most probable, probability descending, then index ascending; their weights are p, or p / (sum of the chosen p
 *   in that order); where the softmax goes over the chosen only: by score, e = exp(score - best), w = e / (sum in that order)
 *   expert: gate and up by rule C (+ bias), silu(gate) up or the clamped gate, down by rule C (+ bias)
 *   y = +0;  for each chosen expert in that order: y = fma(weight, its output, y)
 *
 * Rows are sorted by expert, so that each expert's matrices are walked once a step; every number is its own chain, so neither the
 * sorting nor the neighbours show. There is no way back yet: a tape that trains refuses. */
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/math/mathf.h"
#include "tensor/op/matmul.h"
#include "tensor/tape_inner.h"

#include <math.h>

enum { NUMBERS = 2048 };

typedef struct experts {
    const alm_kernels *k;
    const alm_step *s;
    const alm_moe *moe;
    size_t used, dim, ffn;
    float *weight, *prob, *said, *x, *gate,
        *up;                  /* [n][used], [n][n_experts], [n used][dim], of one expert: [n][dim], [n][ffn] */
    uint32_t *expert, *place; /* [n][used]: who, and which row of `said` holds it */
    uint32_t *row, *from;     /* sorted by expert: whose row; [n_experts + 1] */
    size_t now, n_now;        /* the expert at work and its rows */
    const alm_weight *bias;
    float *biased;
    size_t biased_dim;
    atomic_size_t bad;
} experts;

static size_t up64(size_t n_bytes) { return (n_bytes + 63) & ~(size_t)63; }

/* Cuts the scratch, or (from NULL) counts it. No overflow: nodes of these sizes were checked, and used <= n_experts. */
static size_t cut(experts *j, unsigned char *at) {
    size_t n = j->s->out->node.n, n_used = n * j->used, n_bytes = 0;
    struct {
        void **to;
        size_t numbers;
    } part[] = {{(void **)&j->weight, n_used},        {(void **)&j->prob, n * j->moe->n_experts},
                {(void **)&j->said, n_used * j->dim}, {(void **)&j->x, n * j->dim},
                {(void **)&j->gate, n * j->ffn},      {(void **)&j->up, n * j->ffn},
                {(void **)&j->expert, n_used},        {(void **)&j->place, n_used},
                {(void **)&j->row, n_used},           {(void **)&j->from, j->moe->n_experts + 1}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (at) *part[i].to = at + n_bytes;
        n_bytes += up64(part[i].numbers * 4);
    }
    return n_bytes;
}

static experts start(const alm_step *s) {
    const alm_moe *moe = &s->with.moe;
    return (experts){
        .s = s, .moe = moe, .used = moe->n_used, .dim = s->out->node.dim, .ffn = moe->gate->n_rows, .bad = ALM_NOWHERE};
}

static size_t forward_bytes(const alm_tape *t, const alm_step *s) {
    (void)t;
    experts j = start(s);
    return cut(&j, NULL);
}

/* -- who is asked --------------------------------------------------------------------------------------------------------- */

static bool is_taken(const uint32_t *expert, size_t n, size_t i) {
    for (size_t k = 0; k < n; k++)
        if (expert[k] == i) return true;
    return false;
}

/* The `used` largest, the first among equals, largest first. */
static void choose(uint32_t *expert, const float *p, size_t n, size_t used) {
    for (size_t k = 0; k < used; k++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < n; i++) {
            if (is_taken(expert, k, i)) continue;
            if (best == SIZE_MAX || p[i] > p[best]) best = i;
        }
        expert[k] = (uint32_t)best;
    }
}

static float add_up(const float *x, size_t n) {
    float all = x[0];
    for (size_t i = 1; i < n; i++) all = all + x[i];
    return all;
}

static void route_rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    experts *j = arg;
    const alm_moe *moe = j->moe;
    size_t n = moe->n_experts, used = j->used;
    for (size_t r = from; r < to; r++) {
        const float *score = j->s->in[1]->node.x + r * n;
        float *p = j->prob + r * n, *w = j->weight + r * used, sum;
        uint32_t *expert = j->expert + r * used;
        if (moe->among_chosen) {
            choose(expert, score, n, used);
            for (size_t k = 0; k < used; k++) w[k] = alm_expf(score[expert[k]] - score[expert[0]]);
            sum = add_up(w, used);
            for (size_t k = 0; k < used; k++) w[k] = w[k] / sum;
        } else {
            memcpy(p, score, n * sizeof *p);
            sum = j->k->exp_sum(p, n, j->k->largest(score, n));
            j->k->times(p, p, n, 1.0f / sum, true);
            choose(expert, p, n, used);
            for (size_t k = 0; k < used; k++) w[k] = p[expert[k]];
            float chosen = add_up(w, used);
            for (size_t k = 0; k < used && moe->renormalise; k++) w[k] = w[k] / chosen;
        }
        if (!isfinite(sum)) alm_note_row(&j->bad, r);
    }
}

/* Rows of each expert, ascending. */
static void sort_rows(experts *j) {
    size_t n_used = j->s->out->node.n * j->used, n = j->moe->n_experts;
    memset(j->from, 0, (n + 1) * sizeof *j->from);
    for (size_t i = 0; i < n_used; i++) j->from[j->expert[i] + 1]++;
    for (size_t e = 0; e < n; e++) j->from[e + 1] += j->from[e];
    for (size_t i = 0; i < n_used; i++) {
        uint32_t at = j->from[j->expert[i]]++;
        j->row[at] = (uint32_t)(i / j->used);
        j->place[i] = at;
    }
    for (size_t e = n; e > 0; e--) j->from[e] = j->from[e - 1];
    j->from[0] = 0;
}

/* -- an expert at work ----------------------------------------------------------------------------------------------------- */

static void gather(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const experts *j = arg;
    const uint32_t *row = j->row + j->from[j->now];
    for (size_t i = from; i < to; i++)
        memcpy(j->x + i * j->dim, j->s->in[0]->node.x + row[i] * j->dim, j->dim * sizeof(float));
}

static void add_bias(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const experts *j = arg;
    for (size_t i = from; i < to; i++) {
        float *at = j->biased + i * j->biased_dim;
        j->k->add(at, at, j->bias->at, j->biased_dim);
    }
}

static void gates(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const experts *j = arg;
    float *gate = j->gate + from, *up = j->up + from;
    if (j->moe->limit > 0) j->k->clamped_swiglu(gate, gate, up, to - from, j->moe->alpha, j->moe->limit);
    else j->k->swiglu(gate, gate, up, to - from);
}

static bool product(alm_tape *t, experts *j, float *out, const float *x, const alm_weight *w, const alm_weight *bias) {
    if (!alm_matmul_forward(t->compute, out, x, w, j->n_now)) return false;
    if (!bias) return true;
    j->bias = bias, j->biased = out, j->biased_dim = w->n_rows;
    alm_pool_run(alm_compute_pool(t->compute), j->n_now, alm_slice_rows(w->n_rows), add_bias, j);
    return true;
}

static const alm_weight *of_expert(const alm_weight *all, size_t e) { return all ? all + e : NULL; }

static bool ask(alm_tape *t, experts *j) {
    alm_pool *pool = alm_compute_pool(t->compute);
    const alm_moe *m = j->moe;
    size_t e = j->now;
    alm_pool_run(pool, j->n_now, alm_slice_rows(j->dim), gather, j);
    if (!product(t, j, j->gate, j->x, &m->gate[e], of_expert(m->gate_bias, e)) ||
        !product(t, j, j->up, j->x, &m->up[e], of_expert(m->up_bias, e))) {
        return false;
    }
    alm_pool_run(pool, j->n_now * j->ffn, NUMBERS, gates, j);
    return product(t, j, j->said + j->from[e] * j->dim, j->gate, &m->down[e], of_expert(m->down_bias, e));
}

static void join_rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const experts *j = arg;
    const float *said[ALM_MOE_MAX_USED];
    for (size_t r = from; r < to; r++) {
        for (size_t k = 0; k < j->used; k++) said[k] = j->said + j->place[r * j->used + k] * j->dim;
        j->k->mix(j->s->out->node.x + r * j->dim, said, j->weight + r * j->used, j->used, j->dim);
    }
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    experts j = start(s);
    alm_pool *pool = alm_compute_pool(t->compute);
    size_t n = s->out->node.n;
    j.k = alm_compute_kernels(t->compute);
    cut(&j, scratch);
    alm_pool_run(pool, n, alm_slice_rows(j.moe->n_experts), route_rows, &j);
    alm_tape_check_rows(t, s, &j.bad, "the router's choice");
    if (t->error.status != ALM_OK) return;
    sort_rows(&j);
    for (j.now = 0; j.now < j.moe->n_experts; j.now++) {
        j.n_now = j.from[j.now + 1] - j.from[j.now];
        if (j.n_now && !ask(t, &j)) {
            alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
            return;
        }
    }
    alm_pool_run(pool, n, alm_slice_rows(j.dim), join_rows, &j);
}

/* Never called: a tape that trains has refused. */
static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    alm_tape_fail(t, ALM_UNSUPPORTED, "%s has no way back", s->op->name);
}

const alm_op alm_op_moe = {.name = "moe", .forward_bytes = forward_bytes, .forward = forward, .backward = backward};

static bool all_fit(const alm_weight *w, size_t n, size_t n_rows, size_t n_cols) {
    for (size_t e = 0; w && e < n; e++)
        if (w[e].n_rows != n_rows || w[e].n_cols != n_cols) return false;
    return true;
}
static bool biases_fit(const alm_weight *w, size_t n, size_t n_cols) {
    for (size_t e = 0; w && e < n; e++)
        if (w[e].type != ALM_F32) return false;
    return all_fit(w, n, 1, n_cols);
}

alm_node *alm_tape_moe(alm_tape *t, alm_node *x, alm_node *score, const alm_moe *moe) {
    const alm_op *op = &alm_op_moe;
    if (!x || !score) return NULL;
    if (t->mode != ALM_TAPE_INFER) {
        return alm_tape_fail(t, ALM_UNSUPPORTED, "a mixture of experts is computed, but not trained by this build");
    }
    size_t n = moe->n_experts;
    if (!alm_tape_check(t, op, score->n == x->n && score->dim == n, "%zu x %zu scores for %zu rows and %zu experts",
                        score->n, score->dim, x->n, n) ||
        !alm_tape_check(t, op, moe->n_used > 0 && moe->n_used <= n && moe->n_used <= ALM_MOE_MAX_USED,
                        "%zu of %zu experts cannot be asked (%d at most)", moe->n_used, n, ALM_MOE_MAX_USED) ||
        !alm_tape_check(t, op, moe->gate && moe->up && moe->down, "an expert's matrix is missing")) {
        return NULL;
    }
    size_t ffn = moe->gate->n_rows;
    if (!alm_tape_check(t, op,
                        all_fit(moe->gate, n, ffn, x->dim) && all_fit(moe->up, n, ffn, x->dim) &&
                            all_fit(moe->down, n, x->dim, ffn) && biases_fit(moe->gate_bias, n, ffn) &&
                            biases_fit(moe->up_bias, n, ffn) && biases_fit(moe->down_bias, n, x->dim),
                        "the experts are not all of one shape that fits rows of %zu numbers", x->dim) ||
        !alm_tape_check(t, op,
                        x->n <= UINT32_MAX / moe->n_used &&
                            (ffn > x->dim ? ffn : x->dim) <= SIZE_MAX / 4096 / (x->n + 1) &&
                            n <= SIZE_MAX / 4096 / (x->n + 1),
                        "%zu rows are more than experts can sort", x->n)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->with.moe = *moe;
    alm_step_reads(t, s, 0, x);
    alm_step_reads(t, s, 1, score);
    return alm_step_node(t, s);
}
