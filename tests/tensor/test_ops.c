/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_ops.c - every operation of ops.def: forward against double, backward against finite differences of the
 * same in double, and the same bits from every set of kernels and number of threads.
 *
 * Bounds, relative to the largest number of the result: forward 4e-6, gradients 2e-5 (measured and printed by the tests). */
#include "ops_cases.h"

#include "base/cpu.h"

static const uint32_t few[] = {0, 1, 8, 8, 23};

/* Shapes with every kind of tail. */
static const ref_shape small[] = {
    {.n_vocab = 13, .hidden = 10, .n_heads = 4, .n_kv_heads = 2, .head_dim = 6, .ffn = 19, .start = few, .n_docs = 4},
    {.n_vocab = 11,
     .hidden = 16,
     .n_heads = 3,
     .n_kv_heads = 1,
     .head_dim = 16,
     .ffn = 18,
     .window = 4,
     .interleaved = true,
     .start = few,
     .n_docs = 4},
    {.n_vocab = 9,
     .hidden = 7,
     .n_heads = 2,
     .n_kv_heads = 2,
     .head_dim = 5,
     .n_pairs = 1,
     .ffn = 3,
     .recompute = true,
     .start = few,
     .n_docs = 4},
};
enum { SMALL = sizeof small / sizeof *small };

static double largest_of(const double *x, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++)
        if (fabs(x[i]) > most) most = fabs(x[i]);
    return most;
}

static void forward_equals_the_formulas_in_double(void **state) {
    (void)state;
    double worst = 0;
    alm_compute *c = ref_compute("plain", NULL);
    for (size_t i = 0; i < REF_CASES * SMALL; i++) {
        ref_world o;
        ref_make(&o, &ref_cases[i / SMALL], &small[i % SMALL]);
        alm_tape *t = NULL;
        alm_error err = {0};
        CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
        alm_node *y = o.how->tape(&o, t);
        CHECK_OK(alm_tape_run(t, y, &err), &err);
        size_t dim;
        double *exact = o.how->exact(&o, &dim), *nll = ref_new(o.rows.n), most = largest_of(exact, o.rows.n * dim);
        CHECK(y->dim == dim && y->n == o.rows.n && most > 0);
        for (size_t k = 0; k < o.rows.n * dim; k++) {
            double off = fabs((double)y->x[k] - exact[k]) / most;
            if (off > worst) worst = off;
            CHECK(off <= 4e-6, "%s: number %zu is %g, not %g", o.how->name, k, (double)y->x[k], exact[k]);
        }
        alm_tape_cross_entropy(t, y, &o.w[0], o.label, 1, o.nll);
        CHECK_OK(alm_tape_status(t, &err), &err);
        ref_loss(&o, nll);
        for (size_t r = 0; r < o.rows.n; r++)
            CHECK(fabs((double)o.nll[r] - nll[r]) <= 4e-6 * (1 + nll[r]), "%s: row %zu loses %g, not %g", o.how->name,
                  r, (double)o.nll[r], nll[r]);
        free(exact), free(nll);
        alm_tape_free(t);
        ref_free(&o);
    }
    alm_compute_free(c);
    print_message("# largest difference: %.1e\n", worst);
}

static void gradients_equal_finite_differences(void **state) {
    (void)state;
    const double h = 1e-5;
    double worst = 0;
    alm_compute *c = ref_compute("plain", NULL);
    for (size_t i = 0; i < REF_CASES * SMALL; i++) {
        ref_world o;
        ref_make(&o, &ref_cases[i / SMALL], &small[i % SMALL]);
        alm_tape *t = NULL;
        alm_error err = {0};
        CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_TRAIN, 0, &err), &err);
        if (o.how->only_forward) {
            CHECK_STATUS(ref_train(&o, t, &err), ALM_UNSUPPORTED, &err);
            alm_tape_free(t);
            ref_free(&o);
            continue;
        }
        CHECK_OK(ref_train(&o, t, &err), &err);
        for (size_t w = 0; w < o.n_weights; w++) {
            size_t n = o.w[w].n_rows * o.w[w].n_cols;
            double *want = ref_new(n);
            for (size_t k = 0; k < n; k++) {
                double was = o.exact[w][k];
                o.exact[w][k] = was + h;
                double up = ref_loss(&o, NULL);
                o.exact[w][k] = was - h;
                want[k] = (up - ref_loss(&o, NULL)) / (2 * h);
                o.exact[w][k] = was;
            }
            double most = largest_of(want, n);
            CHECK(most > 1e-6 || n == 0, "%s: weight %zu has no influence", o.how->name, w);
            for (size_t k = 0; k < n; k++) {
                double off = fabs((double)o.w[w].grad[k] - want[k]) / most;
                if (off > worst) worst = off;
                CHECK(off <= 2e-5, "%s, shape %zu: gradient %zu of weight %zu is %g, not %g (largest %g)", o.how->name,
                      i % SMALL, k, w, (double)o.w[w].grad[k], want[k], most);
            }
            free(want);
        }
        alm_tape_free(t);
        ref_free(&o);
    }
    alm_compute_free(c);
    print_message("# largest difference: %.1e\n", worst);
}

/* -- bits ------------------------------------------------------------------------------------------------------------- */

static const uint32_t many[] = {0, 17, 18, 18, 60, 330}, some[] = {0, 3, 44, 80};
static const ref_shape wide[] = {
    {.n_vocab = 21, .hidden = 38, .n_heads = 4, .n_kv_heads = 2, .head_dim = 18, .ffn = 35, .start = many, .n_docs = 5},
    {.n_vocab = 270,
     .hidden = 32,
     .n_heads = 2,
     .n_kv_heads = 1,
     .head_dim = 16,
     .ffn = 50,
     .window = 33,
     .interleaved = true,
     .recompute = true,
     .start = some,
     .n_docs = 3},
};

/* Losses and gradients of one step. */
static uint64_t digest_of(ref_world *o, alm_compute *c) {
    alm_tape *t = NULL;
    alm_error err = {0};
    CHECK_OK(alm_tape_new(&t, c, o->how->only_forward ? ALM_TAPE_INFER : ALM_TAPE_TRAIN, 0, &err), &err);
    ref_clear_gradients(o);
    CHECK_OK(ref_train(o, t, &err), &err);
    uint64_t digest = alm_hash64(o->nll, o->rows.n * sizeof *o->nll, 0);
    for (size_t w = 0; w < o->n_weights; w++)
        digest = alm_hash64(o->w[w].grad, o->w[w].n_rows * o->w[w].n_cols * sizeof(float), digest);
    alm_tape_free(t);
    return digest;
}

/* With one compute for all cases: kernels check themselves whenever one is made. */
static void digest_all(uint64_t *digest, const char *isa, unsigned threads) {
    alm_pool *pool = NULL;
    alm_error err = {0};
    CHECK_OK(alm_pool_new(&pool, threads, &err), &err);
    alm_compute *c = ref_compute(isa, pool);
    for (size_t i = 0; i < REF_CASES * 2; i++) {
        ref_world o;
        ref_make(&o, &ref_cases[i / 2], &wide[i % 2]);
        digest[i] = digest_of(&o, c);
        ref_free(&o);
    }
    alm_compute_free(c);
    alm_pool_free(pool);
}

static void every_instruction_set_and_thread_count_gives_the_same_bits(void **state) {
    (void)state;
    uint64_t want[REF_CASES * 2], got[REF_CASES * 2];
    digest_all(want, "plain", 1);
    const alm_kernels *const *all = alm_kernels_all();
    for (size_t k = 0; all[k]; k++) {
        static const unsigned threads[] = {1, 2, 3, 7};
        if (!alm_kernels_can(all[k])) continue;
        bool slow = strcmp(all[k]->isa, "wide") == 0;
        if (strcmp(all[k]->isa, "plain") == 0) continue; /* that is `want` */
        for (size_t n = 0; n < (slow ? 1 : 4); n++) {
            digest_all(got, all[k]->isa, threads[n]);
            for (size_t i = 0; i < REF_CASES * 2; i++)
                CHECK(got[i] == want[i], "%s with %s and %u threads", ref_cases[i / 2].name, all[k]->isa, threads[n]);
        }
    }
}

static void a_document_gives_the_same_bits_whatever_lies_beside_it(void **state) {
    (void)state;
    const char *best;
    CHECK_OK(alm_cpu_isa(&best, NULL), NULL);
    alm_compute *c = ref_compute(best, NULL); /* its bits are those of all others, as the test above says */
    for (size_t i = 0; i < REF_CASES * 2; i++) {
        ref_world o;
        ref_make(&o, &ref_cases[i / 2], &wide[i % 2]);
        digest_of(&o, c);
        float *whole = malloc(o.rows.n * sizeof *whole);
        memcpy(whole, o.nll, o.rows.n * sizeof *whole);
        alm_rows rows = o.rows;
        int32_t *label = o.label;
        for (size_t d = 0; d < rows.n_docs; d++) {
            uint32_t alone[] = {0, rows.start[d + 1] - rows.start[d]};
            if (alone[1] == 0) continue;
            o.rows = (alm_rows){alone[1], 1, rows.id + rows.start[d], alone};
            o.label = label + rows.start[d];
            digest_of(&o, c);
            CHECK(memcmp(o.nll, whole + rows.start[d], alone[1] * sizeof *whole) == 0, "%s, document %zu", o.how->name,
                  d);
        }
        o.rows = rows, o.label = label;
        free(whole);
        ref_free(&o);
    }
    alm_compute_free(c);
}

/* A loss of some rows is the loss of all of which the others do not count. */
static void picked_rows_give_the_bits_that_they_give_among_all(void **state) {
    (void)state;
    ref_world o;
    ref_make(&o, &ref_cases[0], &small[0]);
    alm_compute *c = ref_compute("plain", NULL);
    alm_tape *t = NULL;
    alm_error err = {0};
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_TRAIN, 0, &err), &err);
    static const uint32_t row[] = {0, 3, 4, 19};
    int32_t among[23], alone[4];
    float nll[23], nll_alone[4], *grad[2];
    for (size_t i = 0; i < 23; i++) among[i] = -1;
    for (size_t i = 0; i < 4; i++) among[row[i]] = alone[i] = (int32_t)i;
    alm_tape_cross_entropy(t, alm_tape_lookup(t, &o.w[1], &o.rows), &o.w[0], among, 0.25f, nll);
    alm_tape_backward(t);
    CHECK_OK(alm_tape_status(t, &err), &err);
    for (size_t w = 0; w < 2; w++) {
        size_t n_bytes = o.w[w].n_rows * o.w[w].n_cols * sizeof(float);
        grad[w] = malloc(n_bytes);
        memcpy(grad[w], o.w[w].grad, n_bytes);
    }
    ref_clear_gradients(&o);
    alm_tape_reset(t);
    alm_tape_cross_entropy(t, alm_tape_pick(t, alm_tape_lookup(t, &o.w[1], &o.rows), row, 4), &o.w[0], alone, 0.25f,
                           nll_alone);
    alm_tape_backward(t);
    CHECK_OK(alm_tape_status(t, &err), &err);
    for (size_t i = 0; i < 4; i++) CHECK(nll_alone[i] == nll[row[i]]);
    for (size_t w = 0; w < 2; w++) {
        for (size_t i = 0; i < o.w[w].n_rows * o.w[w].n_cols; i++)
            CHECK(o.w[w].grad[i] == grad[w][i], "gradient %zu of weight %zu", i, w);
        free(grad[w]);
    }
    alm_tape_reset(t);
    static const uint32_t backward[] = {4, 3};
    CHECK(!alm_tape_pick(t, alm_tape_lookup(t, &o.w[1], &o.rows), backward, 2));
    CHECK_STATUS(alm_tape_status(t, &err), ALM_INVALID, &err);
    alm_tape_free(t);
    alm_compute_free(c);
    ref_free(&o);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(forward_equals_the_formulas_in_double),
    cmocka_unit_test(gradients_equal_finite_differences),
    cmocka_unit_test(every_instruction_set_and_thread_count_gives_the_same_bits),
    cmocka_unit_test(a_document_gives_the_same_bits_whatever_lies_beside_it),
    cmocka_unit_test(picked_rows_give_the_bits_that_they_give_among_all),
};
ALM_TEST_MAIN(tests)
