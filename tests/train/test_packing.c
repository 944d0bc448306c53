/* SPDX-License-Identifier: Apache-2.0
 *
 * test_packing.c - every token is predicted once an epoch, from its own document only. */
#include "train/examples.h"
#include "trainer_help.h"

static help_data data;

/* Reads one epoch and counts how often each token of the data was a label behind its true predecessor. */
static void every_token_but_the_first_is_a_label_once_an_epoch(void **state) {
    (void)state;
    help_fill(&data, 1);
    alm_examples e;
    alm_micro m;
    alm_error err = {0};
    CHECK_OK(alm_examples_new(&e, &data.d, 7, HELP_VOCAB, 3, true, &err), &err);
    CHECK_OK(alm_micro_new(&m, 50, &err), &err);
    uint32_t pairs[HELP_VOCAB][HELP_VOCAB] = {{0}};
    for (size_t i = 0; i < data.d.n; i++)
        for (uint64_t k = data.start[i]; k + 1 < data.start[i + 1]; k++) pairs[data.id[k]][data.id[k + 1]]++;
    size_t rows = 0;
    while (alm_micro_fill(&m, &e, 50, false)) {
        CHECK(m.rows.n <= 50 && m.rows.n_docs >= 1);
        CHECK_INT(m.rows.start[m.rows.n_docs], m.rows.n);
        for (size_t p = 0; p < m.rows.n_docs; p++) {
            CHECK(m.rows.start[p + 1] > m.rows.start[p] && m.rows.start[p + 1] - m.rows.start[p] <= 7);
            /* Within a piece the label of a row is what the next row reads. */
            for (uint32_t i = m.rows.start[p]; i + 1 < m.rows.start[p + 1]; i++) CHECK_INT(m.label[i], m.id[i + 1]);
        }
        for (size_t i = 0; i < m.rows.n; i++) pairs[m.id[i]][m.label[i]]--;
        rows += m.rows.n;
    }
    CHECK_INT(rows, e.n_rows);
    CHECK_INT(rows, data.start[data.d.n] - data.d.n);
    for (size_t a = 0; a < HELP_VOCAB; a++)
        for (size_t b = 0; b < HELP_VOCAB; b++) CHECK_INT(pairs[a][b], 0);
    alm_micro_free(&m);
    alm_examples_free(&e);
}

static void epochs_have_orders_of_their_own_that_can_be_made_again(void **state) {
    (void)state;
    help_fill(&data, 1);
    alm_examples e;
    alm_error err = {0};
    CHECK_OK(alm_examples_new(&e, &data.d, 24, HELP_VOCAB, 3, true, &err), &err);
    uint32_t first[HELP_DOCS * 4];
    memcpy(first, e.order, e.n * sizeof *first);
    alm_examples_seek(&e, 1, 0);
    CHECK(memcmp(first, e.order, e.n * sizeof *first) != 0);
    alm_examples_seek(&e, 0, 5);
    CHECK(memcmp(first, e.order, e.n * sizeof *first) == 0 && e.next == 5);
    uint64_t sum = 0;
    for (size_t i = 0; i < e.n; i++) sum += e.order[i];
    CHECK_INT(sum, e.n * (e.n - 1) / 2);
    alm_examples_free(&e);
}

static void a_piece_that_does_not_fit_begins_the_next_micro_batch(void **state) {
    (void)state;
    const uint32_t id[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const uint64_t start[] = {0, 5, 10};
    alm_documents d = {.id = id, .start = start, .n = 2};
    alm_examples e;
    alm_micro m;
    alm_error err = {0};
    CHECK_OK(alm_examples_new(&e, &d, 4, 11, 0, false, &err), &err);
    CHECK_OK(alm_micro_new(&m, 7, &err), &err);
    CHECK(alm_micro_fill(&m, &e, 7, false));
    CHECK_INT(m.rows.n, 4);
    CHECK(alm_micro_fill(&m, &e, 7, false));
    CHECK_INT(m.rows.n, 4);
    CHECK_INT(m.label[3], 10);
    CHECK(!alm_micro_fill(&m, &e, 7, false));
    alm_micro_free(&m);
    alm_examples_free(&e);
}

static void tokens_that_are_given_are_not_labels(void **state) {
    (void)state;
    const uint32_t id[] = {1, 2, 3, 4, 5};
    const uint64_t start[] = {0, 5};
    const unsigned char given[] = {1, 1, 1, 0, 0};
    alm_documents d = {.id = id, .start = start, .n = 1, .given = given};
    alm_examples e;
    alm_micro m;
    alm_error err = {0};
    CHECK_OK(alm_examples_new(&e, &d, 9, 11, 0, false, &err), &err);
    CHECK_INT(e.n_counted, 2);
    CHECK_OK(alm_micro_new(&m, 9, &err), &err);
    CHECK(alm_micro_fill(&m, &e, 9, false));
    const int32_t expect[] = {-1, -1, 4, 5};
    for (size_t i = 0; i < 4; i++) CHECK_INT(m.label[i], expect[i]);
    CHECK_INT(m.n_counted, 2);
    alm_micro_free(&m);
    alm_examples_free(&e);
}

static void nothing_to_predict_and_foreign_tokens_are_refused(void **state) {
    (void)state;
    const uint32_t id[] = {1, 2, 30};
    const uint64_t single[] = {0, 1, 2, 3}, one[] = {0, 3};
    alm_documents d = {.id = id, .start = single, .n = 3};
    alm_examples e;
    alm_error err = {0};
    CHECK_INT(alm_examples_new(&e, &d, 4, 100, 0, true, &err), ALM_NOT_FOUND);
    d = (alm_documents){.id = id, .start = one, .n = 1};
    CHECK_INT(alm_examples_new(&e, &d, 4, 30, 0, true, &err), ALM_MISMATCH);
    CHECK_HOLDS(err.text, "token 30");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_but_the_first_is_a_label_once_an_epoch),
        cmocka_unit_test(epochs_have_orders_of_their_own_that_can_be_made_again),
        cmocka_unit_test(a_piece_that_does_not_fit_begins_the_next_micro_batch),
        cmocka_unit_test(tokens_that_are_given_are_not_labels),
        cmocka_unit_test(nothing_to_predict_and_foreign_tokens_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
