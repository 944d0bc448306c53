/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/rope.c - rotary positions (Su et al. 2021), rule G: each head's pairs turn by an angle that grows with the position
 * within the document.
 *
 * The table holds cosines and sines; a head's numbers behind the pairs (rope->n_pairs < head_dim / 2) stay as they are. Back is
 * the turn by the opposite angle. */
#include "base/mathx.h"
#include "tensor/kernel/kernels.h"
#include "tensor/tape_inner.h"

typedef struct turn {
    const alm_kernels *k;
    const alm_step *s;
    float *out;
    const float *in;
    float sign;
    bool fresh;
} turn;

/* The document of row r: documents may be empty. */
static size_t document_of(const alm_rows *rows, size_t r) {
    size_t low = 0, high = rows->n_docs;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (rows->start[mid] <= r) low = mid;
        else high = mid;
    }
    return low;
}

static void turn_rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    const turn *j = arg;
    const alm_rope *table = &j->s->with.rope.table;
    const alm_rows *rows = &j->s->rows;
    size_t n_heads = j->s->with.rope.n_heads, dim = j->s->out->node.dim, head = dim / n_heads, n = table->n_pairs;
    size_t d = document_of(rows, from);
    for (size_t r = from; r < to; r++) {
        while (rows->start[d + 1] <= r) d++;
        size_t at = (alm_rows_position(rows, d) + r - rows->start[d]) * n;
        const float *c = table->cos + at, *s = table->sin + at;
        for (size_t h = 0; h < n_heads; h++) {
            float *y = j->out + r * dim + h * head;
            const float *x = j->in + r * dim + h * head;
            j->k->rope(y, x, c, s, n, j->sign, table->interleaved, j->fresh);
            if (head == 2 * n) continue;
            if (j->fresh) memcpy(y + 2 * n, x + 2 * n, (head - 2 * n) * sizeof *y);
            else j->k->add(y + 2 * n, y + 2 * n, x + 2 * n, head - 2 * n);
        }
    }
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    turn j = {alm_compute_kernels(t->compute), s, s->out->node.x, s->in[0]->node.x, 1.0f, true};
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n, alm_slice_rows(s->out->node.dim), turn_rows, &j);
}

static void backward(alm_tape *t, alm_step *s, void *scratch) {
    (void)scratch;
    turn j = {alm_compute_kernels(t->compute), s, s->in[0]->node.dx, s->out->node.dx, -1.0f, s->fresh[0]};
    alm_pool_run(alm_compute_pool(t->compute), s->rows.n, alm_slice_rows(s->out->node.dim), turn_rows, &j);
}

const alm_op alm_op_rope = {.name = "rope", .forward = forward, .backward = backward};

alm_node *alm_tape_rope(alm_tape *t, alm_node *x, size_t n_heads, const alm_rope *rope, const alm_rows *rows) {
    const alm_op *op = &alm_op_rope;
    if (!x) return NULL;
    if (!alm_tape_check(t, op, rope && n_heads > 0 && x->dim % n_heads == 0 && rope->n_pairs <= x->dim / n_heads / 2,
                        "%zu numbers do not make %zu heads of %zu pairs", x->dim, n_heads, rope ? rope->n_pairs : 0) ||
        !alm_tape_check_documents(t, op, rows, x->n)) {
        return NULL;
    }
    if (!alm_tape_check(t, op, alm_rows_reach(rows) <= rope->n_positions,
                        "a document reaches to position %zu, the table to %zu", alm_rows_reach(rows),
                        rope->n_positions)) {
        return NULL;
    }
    alm_step *s = alm_tape_step(t, op, x->n, x->dim);
    if (!s) return NULL;
    s->rows = *rows;
    s->with.rope.table = *rope;
    s->with.rope.n_heads = n_heads;
    alm_step_reads(t, s, 0, x);
    return alm_step_node(t, s);
}

void alm_rope_table(float *cos_out, float *sin_out, size_t n_positions, size_t n_pairs, double theta, size_t dim,
                    const float *factor, double amplitude) {
    for (size_t i = 0; i < n_pairs; i++) {
        double turns = alm_pow_f64(theta, -(double)(2 * i) / (double)dim);
        if (factor) turns = turns * (1.0 / (double)factor[i]);
        for (size_t p = 0; p < n_positions; p++) {
            cos_out[p * n_pairs + i] = (float)(amplitude * alm_cos_f64((double)p * turns));
            sin_out[p * n_pairs + i] = (float)(amplitude * alm_sin_f64((double)p * turns));
        }
    }
}
