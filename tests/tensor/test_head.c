/* SPDX-License-Identifier: Apache-2.0
 *
 * test_head.c - heads with a bias, a factor and a soft limit: their logits by the formula, and the loss of those logits. */
#include "alm_test.h"
#include "base/alloc.h"
#include "dtype/dtype.h"
#include "tensor/tape.h"

#include <math.h>

enum { N = 5, DIM = 24, VOCAB = 70 };

static float table[VOCAB * DIM], weights[VOCAB * DIM], biases[VOCAB];
static alm_weight embedding = {.name = {"table", 5}, .type = ALM_F32, .n_rows = VOCAB, .n_cols = DIM, .at = table},
                  head = {.name = {"head", 4}, .type = ALM_F32, .n_rows = VOCAB, .n_cols = DIM, .at = weights},
                  bias = {.name = {"bias", 4}, .type = ALM_F32, .n_rows = 1, .n_cols = VOCAB, .at = biases};
static const uint32_t ids[N] = {3, 69, 0, 12, 40}, start[2] = {0, N};
static const alm_rows rows = {.n = N, .n_docs = 1, .id = ids, .start = start};
static const int32_t label[N] = {7, 0, -1, 69, 33};

static const alm_head heads[] = {
    {.w = &head},
    {.w = &head, .bias = &bias},
    {.w = &head, .scale = 0.125F},
    {.w = &head, .softcap = 2.0F},
    {.w = &head, .bias = &bias, .scale = 0.5F, .softcap = 3.0F},
};

static int make(void **state) {
    (void)state;
    for (size_t i = 0; i < VOCAB * DIM; i++) {
        table[i] = (float)((i * 37 + 11) % 101) / 50.0F - 1.0F;
        weights[i] = (float)((i * 53 + 5) % 97) / 48.0F - 1.0F;
    }
    for (size_t i = 0; i < VOCAB; i++) biases[i] = (float)((i * 29) % 31) / 15.0F - 1.0F;
    return 0;
}

static double exact(const alm_head *h, size_t row, size_t k) {
    double sum = h->bias ? (double)biases[k] : 0.0;
    for (size_t i = 0; i < DIM; i++) sum += (double)table[ids[row] * DIM + i] * (double)weights[k * DIM + i];
    if (h->scale != 0.0F) sum *= (double)h->scale;
    return h->softcap != 0.0F ? (double)h->softcap * tanh(sum / (double)h->softcap) : sum;
}

static double exact_nll(const alm_head *h, size_t row) {
    double sum = 0.0;
    if (label[row] < 0) return 0.0;
    for (size_t k = 0; k < VOCAB; k++) sum += exp(exact(h, row, k));
    return log(sum) - exact(h, row, (size_t)label[row]);
}

static void logits_and_their_loss_follow_the_formula(void **state) {
    (void)state;
    alm_compute *c;
    alm_tape *t;
    alm_error err = {0};
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        float nll[N];
        alm_node *y = alm_tape_head(t, alm_tape_lookup(t, &embedding, &rows), &heads[i]);
        CHECK_OK(alm_tape_run(t, y, &err), &err);
        for (size_t r = 0; r < N; r++)
            for (size_t k = 0; k < VOCAB; k++) CHECK_NEAR(y->x[r * VOCAB + k], exact(&heads[i], r, k), 1e-5);
        alm_tape_reset(t);
        alm_tape_head_loss(t, alm_tape_lookup(t, &embedding, &rows), &heads[i], label, 1.0F, nll);
        CHECK_OK(alm_tape_status(t, &err), &err);
        for (size_t r = 0; r < N; r++) CHECK_NEAR(nll[r], exact_nll(&heads[i], r), 1e-5);
        alm_tape_reset(t);
    }
    alm_tape_free(t);
    alm_compute_free(c);
}

static void only_a_plain_head_is_trained(void **state) {
    (void)state;
    alm_compute *c;
    alm_error err = {0};
    float nll[N];
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        alm_tape *t;
        CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_TRAIN, 0, &err), &err);
        alm_tape_head_loss(t, alm_tape_lookup(t, &embedding, &rows), &heads[i], label, 1.0F, nll);
        CHECK_STATUS(alm_tape_status(t, &err), i == 0 ? ALM_OK : ALM_INVALID, &err);
        if (i) CHECK_HOLDS(err.text, "is not trained");
        alm_tape_free(t);
    }
    alm_compute_free(c);
}

static void a_bias_of_another_length_is_refused(void **state) {
    (void)state;
    alm_compute *c;
    alm_tape *t;
    alm_error err = {0};
    float nll[N];
    alm_weight odd = bias;
    odd.n_cols = VOCAB - 1;
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    alm_tape_head_loss(t, alm_tape_lookup(t, &embedding, &rows), &(alm_head){.w = &head, .bias = &odd}, label, 1.0F,
                       nll);
    CHECK_STATUS(alm_tape_status(t, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "the bias of head");
    alm_tape_free(t);
    alm_compute_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(logits_and_their_loss_follow_the_formula, make),
    cmocka_unit_test_setup(only_a_plain_head_is_trained, make),
    cmocka_unit_test_setup(a_bias_of_another_length_is_refused, make),
};
ALM_TEST_MAIN(tests)
