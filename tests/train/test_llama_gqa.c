/* SPDX-License-Identifier: Apache-2.0
 *
 * test_llama_gqa.c - twenty optimiser steps against the same steps in double precision (tests/data/training/README.md):
 * the losses, the norms of the gradients, the schedule. */
#include "alm_test.h"
#include "base/json.h"
#include "train/train.h"
#include <math.h>

#define STEPS 20
/* The oracle's README asks for 1e-4 at the last loss; rounding of f32 grows over the steps. */
#define LOSS_BOUND 1e-4
#define NORM_BOUND 1e-3

typedef struct oracle {
    alm_json_doc batch, expected;
    char *batch_text, *expected_text;
    uint32_t id[512];
    unsigned char given[512];
    uint64_t start[3];
    alm_documents d;
    double loss[STEPS], norm[STEPS];
} oracle;

static const alm_json *item(const alm_json *list, size_t i) {
    const alm_json *c = alm_json_first(list);
    while (i--) c = alm_json_next(list, c);
    return c;
}

static double number(const alm_json *v) {
    double x = NAN;
    CHECK(v && alm_json_f64(v, &x));
    return x;
}

static void load(oracle *o) {
    alm_error err = {0};
    size_t n;
    *o = (oracle){0};
    o->batch_text = alm_test_slurp(alm_test_source("tests/data/training/llama-gqa/batch.json"), &n);
    CHECK_OK(alm_json_parse(&o->batch, o->batch_text, n, NULL, NULL, &err), &err);
    o->expected_text = alm_test_slurp(alm_test_source("tests/data/training/llama-gqa/expected.json"), &n);
    CHECK_OK(alm_json_parse(&o->expected, o->expected_text, n, NULL, NULL, &err), &err);
    const alm_json *ids = alm_json_get(o->batch.node, "input_ids"), *labels = alm_json_get(o->batch.node, "labels");
    uint64_t at = 0;
    for (size_t d = 0; d < 2; d++) {
        const alm_json *row = item(ids, d), *label = item(labels, d);
        for (size_t i = 0; i < row->n; i++, at++) {
            o->id[at] = (uint32_t)number(item(row, i));
            o->given[at] = number(item(label, i)) < 0;
        }
        o->start[d + 1] = at;
    }
    o->d = (alm_documents){.id = o->id, .start = o->start, .n = 2, .given = o->given};
    const alm_json *curve = alm_json_get(o->expected.node, "curve");
    for (size_t i = 0; i < STEPS; i++) {
        o->loss[i] = number(item(alm_json_get(curve, "loss_f64"), i));
        o->norm[i] = number(item(alm_json_get(curve, "grad_norm_f64"), i));
    }
}

static void unload(oracle *o) {
    alm_json_doc_free(&o->batch), alm_json_doc_free(&o->expected);
    alm_free(o->batch_text), alm_free(o->expected_text);
}

static alm_train_options options(void) {
    alm_train_options o;
    alm_train_defaults(&o);
    o.batch_tokens = 46, o.context = 24;
    o.steps = STEPS, o.warmup = 5;
    o.lr = 1e-3, o.lr_min_ratio = 0.1, o.beta2 = 0.999, o.weight_decay = 0.01, o.decay_all = true, o.clip = 1;
    return o;
}

/* Runs the curve; the largest distance to the oracle in loss and norm. */
static void run(const alm_train_options *o, const oracle *w, double *loss_off, double *norm_off) {
    alm_model *m;
    alm_compute *c;
    alm_trainer *t;
    alm_train_progress p = {0};
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, alm_test_source("tests/data/training/llama-gqa/model"), &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_trainer_new(&t, m, c, &w->d, NULL, o, &err), &err);
    *loss_off = *norm_off = 0;
    for (size_t i = 0; i < STEPS; i++) {
        CHECK_OK(alm_trainer_step(t, &p, &err), &err);
        *loss_off = fmax(*loss_off, fabs(p.loss - w->loss[i]));
        *norm_off = fmax(*norm_off, fabs(p.grad_norm - w->norm[i]));
    }
    CHECK(p.finished);
    alm_trainer_free(t);
    alm_compute_free(c);
    alm_model_free(m);
}

static void the_losses_of_twenty_steps_are_those_of_double_precision(void **state) {
    (void)state;
    oracle w;
    load(&w);
    alm_train_options o = options();
    double loss, norm;
    run(&o, &w, &loss, &norm);
    print_message("# 20 steps: loss off by %.3g at most, gradient norm by %.3g\n", loss, norm);
    CHECK_NEAR(loss, 0, LOSS_BOUND);
    CHECK_NEAR(norm, 0, NORM_BOUND);
    unload(&w);
}

static void they_are_in_two_micro_batches_too(void **state) {
    (void)state;
    oracle w;
    load(&w);
    alm_train_options o = options();
    o.context = o.micro_tokens = 23; /* one document each: the tree has two leaves */
    double loss, norm;
    run(&o, &w, &loss, &norm);
    CHECK_NEAR(loss, 0, LOSS_BOUND);
    CHECK_NEAR(norm, 0, NORM_BOUND);
    unload(&w);
}

static void a_wrong_decay_is_seen(void **state) {
    (void)state;
    oracle w;
    load(&w);
    alm_train_options o = options();
    o.weight_decay = 0.5;
    double loss, norm;
    run(&o, &w, &loss, &norm);
    CHECK(loss > LOSS_BOUND);
    unload(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_losses_of_twenty_steps_are_those_of_double_precision),
        cmocka_unit_test(they_are_in_two_micro_batches_too),
        cmocka_unit_test(a_wrong_decay_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
