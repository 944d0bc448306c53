/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_tape.c - the tape: what it keeps, what it counts, what it refuses; AdamW and the table of rope. */
#include "ops_cases.h"

#include "base/mathx.h"
#include "tensor/op/adamw.h"

static const uint32_t borders[] = {0, 5, 9, 22};
static const ref_shape shape = {.n_vocab = 13,
                                .hidden = 10,
                                .n_heads = 4,
                                .n_kv_heads = 2,
                                .head_dim = 6,
                                .ffn = 19,
                                .start = borders,
                                .n_docs = 3};

static alm_tape *tape(alm_compute *c, alm_tape_mode mode, size_t limit) {
    alm_tape *t = NULL;
    alm_error err = {0};
    CHECK_OK(alm_tape_new(&t, c, mode, limit, &err), &err);
    return t;
}

static void make_layers(ref_world *o, bool recompute) {
    ref_shape s = shape;
    s.recompute = recompute;
    ref_make(o, &ref_cases[REF_CASES - 1], &s);
}

static uint64_t digest_of(const ref_world *o) {
    uint64_t digest = alm_hash64(o->nll, o->rows.n * sizeof *o->nll, 0);
    for (size_t w = 0; w < o->n_weights; w++)
        digest = alm_hash64(o->w[w].grad, o->w[w].n_rows * o->w[w].n_cols * sizeof(float), digest);
    return digest;
}

/* -- memory ------------------------------------------------------------------------------------------------------------- */

static void recomputing_takes_less_memory_and_gives_the_same_bits(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    uint64_t digest[2];
    size_t n_bytes[2];
    for (int again = 0; again < 2; again++) {
        ref_world o;
        make_layers(&o, again != 0);
        alm_tape *t = tape(c, ALM_TAPE_TRAIN, 0);
        CHECK_OK(ref_train(&o, t, NULL), NULL);
        digest[again] = digest_of(&o);
        n_bytes[again] = alm_tape_bytes(t);
        alm_tape_free(t);
        ref_free(&o);
    }
    CHECK(digest[0] == digest[1]);
    CHECK(n_bytes[1] < n_bytes[0] * 9 / 10, "%zu and %zu bytes", n_bytes[1], n_bytes[0]);
    alm_compute_free(c);
}

static void measuring_counts_what_training_takes(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        alm_pool *pool = NULL;
        CHECK_OK(alm_pool_new(&pool, threads, NULL), NULL);
        alm_compute *c = ref_compute("plain", pool);
        for (size_t i = 0; i < 2 * REF_CASES; i++) {
            if (ref_cases[i / 2].only_forward) continue;
            ref_world o;
            ref_shape s = shape;
            s.recompute = i % 2 != 0;
            ref_make(&o, &ref_cases[i / 2], &s);
            alm_tape *train = tape(c, ALM_TAPE_TRAIN, 0), *measure = tape(c, ALM_TAPE_MEASURE, 0);
            /* Nothing is computed: no weight has a value, there are no labels. */
            const void *was[REF_WEIGHTS];
            for (size_t w = 0; w < o.n_weights; w++) was[w] = o.w[w].at, o.w[w].at = NULL;
            alm_tape_cross_entropy(measure, o.how->tape(&o, measure), &o.w[0], NULL, 1, NULL);
            alm_tape_backward(measure);
            CHECK_OK(alm_tape_status(measure, NULL), NULL);
            for (size_t w = 0; w < o.n_weights; w++) o.w[w].at = was[w];
            size_t n_bytes = alm_tape_bytes(measure);
            CHECK_OK(ref_train(&o, train, NULL), NULL);
            CHECK(n_bytes > 0 && n_bytes == alm_tape_bytes(train), "%s: %zu and %zu bytes", o.how->name, n_bytes,
                  alm_tape_bytes(train));
            /* The same step within exactly that limit, and not within less. */
            uint64_t digest = digest_of(&o);
            ref_clear_gradients(&o);
            alm_tape *just = tape(c, ALM_TAPE_TRAIN, n_bytes), *less = tape(c, ALM_TAPE_TRAIN, n_bytes - 1);
            CHECK_OK(ref_train(&o, just, NULL), NULL);
            CHECK(digest_of(&o) == digest);
            alm_error err = {0};
            CHECK_STATUS(ref_train(&o, less, &err), ALM_LIMIT, &err);
            CHECK_HOLDS(err.text, "the limit is");
            alm_tape_free(train), alm_tape_free(measure), alm_tape_free(just), alm_tape_free(less);
            ref_free(&o);
        }
        alm_compute_free(c);
        alm_pool_free(pool);
    }
}

static void a_tape_is_used_again_without_new_memory(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    ref_world o;
    make_layers(&o, false);
    alm_tape *t = tape(c, ALM_TAPE_TRAIN, 0);
    CHECK_OK(ref_train(&o, t, NULL), NULL);
    uint64_t digest = digest_of(&o);
    size_t live = alm_test_live_blocks(), n_bytes = alm_tape_bytes(t);
    for (int i = 0; i < 3; i++) {
        alm_tape_reset(t);
        CHECK_INT(alm_tape_bytes(t), 0);
        ref_clear_gradients(&o);
        CHECK_OK(ref_train(&o, t, NULL), NULL);
        CHECK(digest_of(&o) == digest);
        CHECK_INT(alm_tape_bytes(t), n_bytes);
        CHECK_INT(alm_test_live_blocks(), live);
    }
    alm_tape_free(t);
    ref_free(&o);
    alm_compute_free(c);
}

static void gradients_are_added_to_what_is_there(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    ref_world o;
    make_layers(&o, false);
    alm_tape *t = tape(c, ALM_TAPE_TRAIN, 0);
    CHECK_OK(ref_train(&o, t, NULL), NULL);
    float once = o.w[WQ].grad[3];
    alm_tape_reset(t);
    CHECK_OK(ref_train(&o, t, NULL), NULL);
    CHECK(once != 0 && fabsf(o.w[WQ].grad[3] - 2 * once) <= 1e-6f * fabsf(once));
    /* A weight without a place for its gradient is not trained. */
    alm_tape_reset(t);
    ref_clear_gradients(&o);
    float *grad = o.w[WV].grad;
    o.w[WV].grad = NULL;
    CHECK_OK(ref_train(&o, t, NULL), NULL);
    o.w[WV].grad = grad;
    CHECK(grad[0] == 0 && o.w[WQ].grad[3] == once);
    alm_tape_free(t);
    ref_free(&o);
    alm_compute_free(c);
}

static void inferring_keeps_only_what_is_needed(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    ref_world o;
    make_layers(&o, false);
    alm_tape *infer = tape(c, ALM_TAPE_INFER, 0), *train = tape(c, ALM_TAPE_TRAIN, 0);
    alm_tape_cross_entropy(infer, o.how->tape(&o, infer), &o.w[0], o.label, 1, o.nll);
    CHECK_OK(alm_tape_status(infer, NULL), NULL);
    float *nll = malloc(o.rows.n * sizeof *nll);
    memcpy(nll, o.nll, o.rows.n * sizeof *nll);
    CHECK_OK(ref_train(&o, train, NULL), NULL);
    CHECK(memcmp(nll, o.nll, o.rows.n * sizeof *nll) == 0);
    CHECK(alm_tape_bytes(infer) < alm_tape_bytes(train) / 2, "%zu and %zu", alm_tape_bytes(infer),
          alm_tape_bytes(train));
    /* Step by step: what was read stays while more is computed. */
    alm_tape_reset(infer);
    alm_node *x = alm_tape_lookup(infer, &o.w[TABLE], &o.rows);
    CHECK_OK(alm_tape_run(infer, x, NULL), NULL);
    CHECK(memcmp(x->x, (const float *)o.w[TABLE].at + o.rows.id[0] * x->dim, x->dim * sizeof(float)) == 0);
    alm_node *y = alm_tape_rmsnorm(infer, x, &o.w[NORM], REF_EPS), *z = alm_tape_add(infer, x, y);
    CHECK_OK(alm_tape_run(infer, z, NULL), NULL);
    CHECK(x->x && !y->x && z->x);
    CHECK(memcmp(x->x, (const float *)o.w[TABLE].at + o.rows.id[0] * x->dim, x->dim * sizeof(float)) == 0);
    alm_error err = {0};
    CHECK(!alm_tape_add(infer, x, y));
    CHECK_STATUS(alm_tape_status(infer, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "forgotten");
    free(nll);
    alm_tape_free(infer), alm_tape_free(train);
    ref_free(&o);
    alm_compute_free(c);
}

typedef struct failing {
    ref_world o;
} failing;

static alm_status whole_step(void *arg) {
    failing *f = arg;
    alm_compute *c = NULL; /* with its scratch, which it keeps */
    alm_tape *t = NULL;
    alm_error err = {0};
    alm_status st = alm_compute_new_isa(&c, "plain", NULL, &err);
    if (st == ALM_OK) st = alm_tape_new(&t, c, ALM_TAPE_TRAIN, 0, &err);
    if (st != ALM_OK) {
        alm_compute_free(c);
        return st;
    }
    st = ref_train(&f->o, t, &err);
    if (st == ALM_OK) {
        alm_tape_reset(t);
        st = ref_train(&f->o, t, &err);
    }
    alm_tape_free(t);
    alm_compute_free(c);
    return st;
}

static void a_failed_allocation_is_told_and_nothing_is_lost(void **state) {
    (void)state;
    for (int recompute = 0; recompute < 2; recompute++) {
        failing f = {0};
        make_layers(&f.o, recompute != 0);
        CHECK(ALM_FOR_EACH_ALLOC_FAILURE(whole_step, &f) > 4);
        ref_free(&f.o);
    }
}

/* -- refusing ------------------------------------------------------------------------------------------------------------ */

enum refusal {
    TABLE_TYPE,
    TOKEN,
    DOCUMENTS,
    NORM_SHAPE,
    LINEAR_SHAPE,
    BIAS_SHAPE,
    ROPE_HEADS,
    ROPE_LENGTH,
    GROUPS,
    Q_WIDTH,
    SAME_NODE,
    SCALE,
    SWIGLU_SHAPE,
    ADD_SHAPE,
    ROWS_DIFFER,
    HEAD_SHAPE,
    LABEL,
    NO_LOSS,
    AFTER_LOSS,
    REFUSALS
};

static void refuse(ref_world *o, alm_tape *t, enum refusal what) {
    alm_weight odd = {.name = ALM_STR("odd"), .type = ALM_F32, .n_rows = 3, .n_cols = 7, .at = o->w[0].at};
    alm_rows rows = o->rows;
    uint32_t crossed[] = {0, 9, 5, 22};
    alm_rope rope = o->rope;
    alm_attention a = o->attention;
    if (what == TABLE_TYPE) odd = o->w[TABLE], odd.type = ALM_Q8_0, alm_tape_lookup(t, &odd, &rows);
    if (what == TOKEN) odd.n_cols = 10, alm_tape_lookup(t, &odd, &rows);
    if (what == DOCUMENTS) rows.start = crossed, alm_tape_lookup(t, &o->w[TABLE], &rows);
    if (t && alm_tape_status(t, NULL) != ALM_OK) return;
    alm_node *x = alm_tape_lookup(t, &o->w[TABLE], &o->rows);
    alm_node *q = alm_tape_linear(t, x, &o->w[WQ], NULL), *k = alm_tape_linear(t, x, &o->w[WK], NULL);
    alm_node *v = alm_tape_linear(t, x, &o->w[WV], NULL);
    CHECK(x && q && k && v);
    switch (what) {
    case NORM_SHAPE: alm_tape_rmsnorm(t, x, &odd, REF_EPS); break;
    case LINEAR_SHAPE: alm_tape_linear(t, x, &odd, NULL); break;
    case BIAS_SHAPE: alm_tape_linear(t, x, &o->w[WQ], &odd); break;
    case ROPE_HEADS: alm_tape_rope(t, q, 5, &rope, &rows); break;
    case ROPE_LENGTH: rope.n_positions = 12, alm_tape_rope(t, q, 4, &rope, &rows); break;
    case GROUPS: a.n_kv_heads = 3, alm_tape_attention(t, q, k, v, &a, &rows); break;
    case Q_WIDTH: alm_tape_attention(t, x, k, v, &a, &rows); break;
    case SAME_NODE: alm_tape_attention(t, q, k, k, &a, &rows); break;
    case SCALE: a.scale = -1, alm_tape_attention(t, q, k, v, &a, &rows); break;
    case SWIGLU_SHAPE: alm_tape_swiglu(t, q, k); break;
    case ADD_SHAPE: alm_tape_add(t, q, k); break;
    case ROWS_DIFFER: rows.n = 21, alm_tape_rope(t, q, 4, &rope, &rows); break;
    case HEAD_SHAPE: alm_tape_cross_entropy(t, x, &odd, o->label, 1, o->nll); break;
    case LABEL: o->label[2] = 13, alm_tape_cross_entropy(t, x, &o->w[HEAD], o->label, 1, o->nll); break;
    case NO_LOSS: alm_tape_backward(t); break;
    case AFTER_LOSS:
        alm_tape_cross_entropy(t, x, &o->w[HEAD], o->label, 1, o->nll);
        alm_tape_add(t, x, x);
        break;
    default: break;
    }
}

static void shapes_that_do_not_fit_are_refused_with_their_place(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    alm_tape *t = tape(c, ALM_TAPE_TRAIN, 0);
    for (int what = 0; what < REFUSALS; what++) {
        ref_world o;
        make_layers(&o, false);
        alm_error err = {0};
        alm_tape_reset(t);
        refuse(&o, t, (enum refusal)what);
        CHECK_STATUS(alm_tape_status(t, &err), ALM_INVALID, &err);
        CHECK(strlen(err.text) > 20, "case %d: %s", what, err.text);
        /* Nothing more happens, nothing is computed. */
        CHECK(!alm_tape_lookup(t, &o.w[TABLE], &o.rows));
        alm_tape_backward(t);
        CHECK(o.w[WQ].grad[0] == 0);
        ref_free(&o);
    }
    alm_tape_free(t);
    alm_compute_free(c);
}

static void a_number_that_is_not_finite_stops_the_step_and_names_its_row(void **state) {
    (void)state;
    alm_compute *c = ref_compute("plain", NULL);
    static const struct {
        size_t weight, at;
        float value;
        const char *op;
    } broken[] = {{TABLE, 4, NAN, "rmsnorm"},
                  {TABLE, 4, 1e30f, "rmsnorm"},
                  {WQ, 7, INFINITY, "attention"},
                  {GATE, 0, NAN, "rmsnorm"},
                  {LAST, 0, INFINITY, "cross_entropy"}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        ref_world o;
        make_layers(&o, i % 2 != 0);
        o.id[6] = 0;
        for (size_t r = 0; r < o.rows.n; r++)
            if (r != 6 && o.id[r] == 0) o.id[r] = 1;
        ((float *)(uintptr_t)o.w[broken[i].weight].at)[broken[i].at] = broken[i].value;
        alm_tape *t = tape(c, ALM_TAPE_TRAIN, 0);
        alm_error err = {0};
        CHECK_STATUS(ref_train(&o, t, &err), ALM_LIMIT, &err);
        CHECK_HOLDS(err.text, broken[i].op);
        CHECK_HOLDS(err.text, broken[i].weight == TABLE ? "row 6" : "row 0");
        CHECK(o.w[WQ].grad[0] == 0 && o.w[TABLE].grad[0] == 0);
        alm_tape_free(t);
        ref_free(&o);
    }
    alm_compute_free(c);
}

/* -- the optimiser -------------------------------------------------------------------------------------------------------- */

static void adamw_is_its_formula_on_every_instruction_set(void **state) {
    (void)state;
    enum { N = 9001, STEPS = 3 };
    const alm_adamw_params p = {.lr = 1e-2, .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1, .clip = 0.5};
    static float grad[STEPS][N], start[N], got[3][N], want[3][N];
    alm_rng r = alm_rng_seed(3, 0, 3);
    for (size_t i = 0; i < N; i++) start[i] = 2 * alm_rng_f32(&r) - 1;
    for (size_t i = 0; i < STEPS * N; i++) grad[i / N][i % N] = i % 97 == 0 ? 0 : 2 * alm_rng_f32(&r) - 1;
    const alm_kernels *const *all = alm_kernels_all();
    uint64_t digest = 0;
    for (size_t k = 0; all[k]; k++) {
        if (!alm_kernels_can(all[k])) continue;
        alm_pool *pool = NULL;
        CHECK_OK(alm_pool_new(&pool, (unsigned)(k % 3) + 1, NULL), NULL);
        alm_compute *c = ref_compute(all[k]->isa, pool);
        memcpy(got[0], start, sizeof start);
        memset(got[1], 0, 2 * sizeof start);
        for (uint64_t step = 1; step <= STEPS; step++) {
            alm_adamw_params now = p;
            now.step = step;
            alm_adamw(c, got[0], grad[step - 1], got[1], got[2], N, &now);
        }
        uint64_t mine = alm_hash64(got, sizeof got, 0);
        CHECK(digest == 0 || mine == digest, "%s", all[k]->isa);
        digest = mine;
        alm_compute_free(c);
        alm_pool_free(pool);
    }
    /* The formula in double, within a few roundings; and in f32, bit by bit. */
    for (size_t i = 0; i < N; i++) {
        double w = (double)start[i], m = 0, v = 0;
        float wf = start[i], mf = 0, vf = 0;
        for (int step = 1; step <= STEPS; step++) {
            double g = (double)grad[step - 1][i] * 0.5, c1 = 1 - pow(0.9, step), c2 = 1 - pow(0.95, step);
            m = 0.9 * m + (1 - 0.9) * g;
            v = 0.95 * v + (1 - 0.95) * g * g;
            w = w * (1 - 1e-2 * 0.1) - 1e-2 / c1 * (m / (sqrt(v) / sqrt(c2) + 1e-8));
            float gf = grad[step - 1][i] * 0.5f;
            double b1 = 1, b2 = 1;
            for (double s1 = 0.9, s2 = 0.95, n = step; n >= 1; n = floor(n / 2), s1 *= s1, s2 *= s2)
                if (fmod(n, 2) == 1) b1 *= s1, b2 *= s2;
            mf = fmaf(0.9f, mf, (float)(1 - 0.9) * gf);
            vf = fmaf(0.95f, vf, (float)(1 - 0.95) * gf * gf);
            wf = wf * (float)(1 - 1e-2 * 0.1) -
                 (float)(1e-2 / (1 - b1)) * (mf / (sqrtf(vf) / (float)sqrt(1 - b2) + 1e-8f));
        }
        want[0][i] = wf, want[1][i] = mf, want[2][i] = vf;
        CHECK(fabs((double)got[0][i] - w) <= 1e-6, "number %zu: %g, not %g", i, (double)got[0][i], w);
    }
    CHECK(memcmp(got, want, sizeof got) == 0);
}

static void the_square_sum_has_one_order(void **state) {
    (void)state;
    static float x[3 * 4096 * 100 + 77];
    size_t n = sizeof x / sizeof *x;
    alm_rng r = alm_rng_seed(4, 0, 4);
    for (size_t i = 0; i < n; i++) x[i] = 2 * alm_rng_f32(&r) - 1;
    double want = 0, plain = 0;
    for (size_t block = 0; block < n; block += 4096) {
        double p[16] = {0};
        for (size_t i = block; i < n && i < block + 4096; i++) p[(i - block) % 16] += (double)x[i] * (double)x[i];
        for (size_t half = 8; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++) p[l] += p[l + half];
        want += p[0];
    }
    for (size_t i = 0; i < n; i++) plain += (double)x[i] * (double)x[i];
    for (unsigned threads = 1; threads <= 3; threads++) {
        alm_pool *pool = NULL;
        CHECK_OK(alm_pool_new(&pool, threads, NULL), NULL);
        for (size_t k = 0; alm_kernels_all()[k]; k++) {
            if (!alm_kernels_can(alm_kernels_all()[k])) continue;
            alm_compute *c = ref_compute(alm_kernels_all()[k]->isa, pool);
            CHECK_BITS(alm_sum_squares(c, x, n), want);
            CHECK_BITS(alm_sum_squares(c, x, 0), 0);
            alm_compute_free(c);
        }
        alm_pool_free(pool);
    }
    CHECK_NEAR(want / plain, 1, 1e-12);
}

static void the_table_of_rope_is_rounded_once(void **state) {
    (void)state;
    enum { POSITIONS = 3000, PAIRS = 16 };
    static float c[POSITIONS * PAIRS], s[POSITIONS * PAIRS], factor[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) factor[i] = i < 8 ? 1.0f : 8.0f;
    alm_rope_table(c, s, POSITIONS, PAIRS, 10000, 2 * PAIRS, factor, 1);
    for (size_t p = 0; p < POSITIONS; p++) {
        for (size_t i = 0; i < PAIRS; i++) {
            double angle = (double)p * pow(10000, -(double)i / PAIRS) / (double)factor[i];
            CHECK(fabs((double)c[p * PAIRS + i] - cos(angle)) <= 0x1p-25 + 1e-12, "position %zu, pair %zu", p, i);
            CHECK(fabs((double)s[p * PAIRS + i] - sin(angle)) <= 0x1p-25 + 1e-12, "position %zu, pair %zu", p, i);
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(recomputing_takes_less_memory_and_gives_the_same_bits),
    cmocka_unit_test(measuring_counts_what_training_takes),
    cmocka_unit_test(a_tape_is_used_again_without_new_memory),
    cmocka_unit_test(gradients_are_added_to_what_is_there),
    cmocka_unit_test(inferring_keeps_only_what_is_needed),
    cmocka_unit_test(a_failed_allocation_is_told_and_nothing_is_lost),
    cmocka_unit_test(shapes_that_do_not_fit_are_refused_with_their_place),
    cmocka_unit_test(a_number_that_is_not_finite_stops_the_step_and_names_its_row),
    cmocka_unit_test(adamw_is_its_formula_on_every_instruction_set),
    cmocka_unit_test(the_square_sum_has_one_order),
    cmocka_unit_test(the_table_of_rope_is_rounded_once),
};
ALM_TEST_MAIN(tests)
