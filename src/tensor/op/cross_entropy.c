/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/cross_entropy.c - the head and the loss in blocks of 256 rows, whose logits are forgotten at once.
 *
 *   logits = x W^T;  e[i] = exp(logit[i] - m), m the largest;  sum by rule D
 *   nll = (log(sum) + m) - logit[label]; the logarithm in double, rounded once
 *   TRAIN:  dlogit[i] = (e[i] (1/sum)) weight, at the label ((e (1/sum)) - 1) weight;  dx = dlogits W;  dW += dlogits^T x
 *
 * A head may have a bias, a factor and a soft limit: logits = c tanh(s (x W^T + bias) / c), each with the rounding of its own
 * operation, so that the loss is that of the logits which alm_tape_head gives.
 *
 * A block of rows is one block of rule C in dW, so that cutting changes no bit. Rows with label -1 have +0 for dlogits. */
#include "base/mathx.h"
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"
#include "tensor/op/matmul.h"
#include "tensor/tape_inner.h"

#include <math.h>

typedef struct loss_job {
    alm_tape *t;
    const alm_kernels *k;
    alm_step *s;
    float *logits;
    size_t first; /* row of the block */
    bool trains;
    atomic_size_t bad;
} loss_job;

static void loss_rows(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice, (void)worker;
    loss_job *j = arg;
    size_t n = j->s->w[0]->n_rows;
    for (size_t i = from; i < to; i++) {
        size_t r = j->first + i;
        int32_t label = j->s->with.loss.label[r];
        float *x = j->logits + i * n, scale = j->s->with.loss.scale, cap = j->s->with.loss.softcap;
        if (label < 0) {
            j->s->with.loss.nll[r] = 0;
            if (j->trains) memset(x, 0, n * sizeof *x);
            continue;
        }
        if (j->s->w[1]) j->k->add(x, x, j->s->w[1]->at, n);
        if (scale != 0) j->k->times(x, x, n, scale, true);
        if (cap != 0) j->k->softcap(x, x, n, cap);
        float m = j->k->largest(x, n), at_label = x[label], sum = j->k->exp_sum(x, n, m);
        if (!isfinite(sum)) {
            alm_note_row(&j->bad, r);
            continue;
        }
        j->s->with.loss.nll[r] = ((float)alm_log_f64((double)sum) + m) - at_label;
        if (!isfinite(j->s->with.loss.nll[r])) alm_note_row(&j->bad, r);
        if (!j->trains) continue;
        float by = 1.0f / sum, weight = j->s->with.loss.weight, e = x[label];
        j->k->scale_twice(x, n, by, weight);
        x[label] = (e * by - 1.0f) * weight;
    }
}

static size_t forward_bytes(const alm_tape *t, const alm_step *s) {
    (void)t;
    size_t n = s->in[0]->node.n;
    return (n < ALM_ROW_BLOCK ? n : ALM_ROW_BLOCK) * s->w[0]->n_rows * sizeof(float);
}

static void forward(alm_tape *t, alm_step *s, void *scratch) {
    const alm_node *x = &s->in[0]->node;
    loss_job j = {.t = t,
                  .k = alm_compute_kernels(t->compute),
                  .s = s,
                  .logits = scratch,
                  .trains = t->mode == ALM_TAPE_TRAIN,
                  .bad = ALM_NOWHERE};
    for (j.first = 0; j.first < x->n; j.first += ALM_ROW_BLOCK) {
        size_t n = x->n - j.first < ALM_ROW_BLOCK ? x->n - j.first : ALM_ROW_BLOCK, at = j.first * x->dim;
        alm_weight *w = s->w[0];
        if (!alm_matmul_forward(t->compute, j.logits, x->x + at, w, n)) {
            alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
            return;
        }
        alm_pool_run(alm_compute_pool(t->compute), n, 4, loss_rows, &j);
        if (atomic_load(&j.bad) != ALM_NOWHERE) break;
        if (!j.trains) continue;
        if (!alm_matmul_input(t->compute, x->dx + at, j.logits, w, n, false) ||
            (w->grad && !alm_matmul_weight(t->compute, w->grad, j.logits, x->x + at, w->n_rows, w->n_cols, n))) {
            alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
            return;
        }
    }
    alm_tape_check_rows(t, s, &j.bad, "the sum of exponentials");
}

const alm_op alm_op_cross_entropy = {.name = "cross_entropy", .forward_bytes = forward_bytes, .forward = forward};

static bool is_plain(const alm_head *h) { return !h->bias && h->scale == 0 && h->softcap == 0; }

void alm_tape_cross_entropy(alm_tape *t, alm_node *x, alm_weight *head, const int32_t *label, float weight,
                            float *nll) {
    alm_tape_head_loss(t, x, &(alm_head){.w = head}, label, weight, nll);
}

alm_node *alm_tape_head(alm_tape *t, alm_node *x, const alm_head *head) {
    x = alm_tape_linear(t, x, head->w, head->bias);
    if (head->scale != 0) x = alm_tape_scale(t, x, head->scale);
    return head->softcap != 0 ? alm_tape_softcap(t, x, head->softcap) : x;
}

void alm_tape_head_loss(alm_tape *t, alm_node *x, const alm_head *how, const int32_t *label, float weight, float *nll) {
    const alm_op *op = &alm_op_cross_entropy;
    alm_weight *head = how->w, *bias = how->bias;
    if (!x) return;
    bool measures = t->mode == ALM_TAPE_MEASURE;
    if (!alm_tape_check(t, op, head && alm_weight_is_readable(head), "%.*s has a type that this build cannot decode",
                        ALM_ARG(head ? head->name : ALM_STR("the head"))) ||
        !alm_tape_check(t, op, head->n_cols == x->dim, "%.*s takes %zu numbers a row, the input has %zu",
                        ALM_ARG(head->name), head->n_cols, x->dim) ||
        !alm_tape_check(t, op, measures || (label && nll), "no labels, or no place for the losses") ||
        !alm_tape_check(t, op, !bias || (bias->type == ALM_F32 && bias->n_rows == 1 && bias->n_cols == head->n_rows),
                        "the bias of %.*s is not one row of %zu f32 numbers", ALM_ARG(head->name), head->n_rows) ||
        !alm_tape_check(t, op, is_plain(how) || t->mode == ALM_TAPE_INFER,
                        "a head with a bias, a factor or a soft limit is not trained")) {
        return;
    }
    for (size_t r = 0; label && r < x->n; r++) {
        if (!alm_tape_check(t, op, label[r] < 0 || (size_t)label[r] < head->n_rows,
                            "row %zu has label %ld, %.*s has %zu rows", r, (long)label[r], ALM_ARG(head->name),
                            head->n_rows)) {
            return;
        }
    }
    alm_step *s = alm_tape_step(t, op, 0, 0);
    if (!s) return;
    s->out = NULL;
    s->w[0] = head;
    s->w[1] = bias;
    s->with.loss.scale = how->scale;
    s->with.loss.softcap = how->softcap;
    s->with.loss.label = label;
    s->with.loss.weight = weight;
    s->with.loss.nll = nll;
    alm_step_reads(t, s, 0, x);
    if (t->mode != ALM_TAPE_INFER) t->loss = s;
    alm_tape_forward(t);
}
