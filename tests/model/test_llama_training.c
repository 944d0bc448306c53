/* SPDX-License-Identifier: Apache-2.0
 *
 * test_llama_training.c - loss, gradients, one step and twenty steps of AdamW equal a reference computed in doubles
 * (tests/data/models/README.md). */
#include "alm_models.h"
#include "dtype/dtype.h"
#include "tensor/op/adamw.h"

#include <math.h>

typedef struct example {
    alm_model *m;
    alm_compute *c;
    alm_tape *t;
    size_t n, n_counted;
    uint32_t ids[256], start[3];
    int32_t label[256];
    float nll[256];
    alm_rows rows;
    char *text;
    alm_json_doc doc; /* expected.json */
} example;

static const char *place(const char *name) {
    char part[200];
    snprintf(part, sizeof part, "llama-gqa/%s", name);
    return alm_models_path(part, NULL);
}

/* Position t predicts label t + 1; each sequence is a document. */
static void read_batch(example *e) {
    alm_json_doc doc = {0};
    alm_error err = {0};
    size_t n;
    char *text = alm_test_slurp(place("batch.json"), &n);
    CHECK_OK(alm_json_parse(&doc, text, n, NULL, NULL, &err), &err);
    const alm_json *ids = alm_json_get(doc.node, "input_ids"), *labels = alm_json_get(doc.node, "labels");
    const alm_json *a = alm_json_first(ids), *b = alm_json_first(labels);
    size_t d = 0;
    for (; a; a = alm_json_next(ids, a), b = alm_json_next(labels, b)) {
        size_t from = e->n;
        for (const alm_json *x = alm_json_first(a); x; x = alm_json_next(a, x)) {
            int64_t id;
            CHECK(alm_json_i64(x, &id));
            e->ids[e->n++] = (uint32_t)id;
        }
        size_t at = from;
        for (const alm_json *x = alm_json_first(b); x; x = alm_json_next(b, x), at++) {
            int64_t label;
            CHECK(alm_json_i64(x, &label));
            if (at > from) e->label[at - 1] = label < 0 ? -1 : (int32_t)label;
            e->n_counted += at > from && label >= 0;
        }
        e->label[e->n - 1] = -1;
        e->start[++d] = (uint32_t)e->n;
    }
    e->rows = (alm_rows){e->n, d, e->ids, e->start};
    alm_json_doc_free(&doc);
    alm_free(text);
}

static example *begin(void) {
    static example e;
    alm_error err = {0};
    size_t n;
    e = (example){0};
    read_batch(&e);
    e.text = alm_test_slurp(place("expected.json"), &n);
    CHECK_OK(alm_json_parse(&e.doc, e.text, n, NULL, NULL, &err), &err);
    CHECK_OK(alm_model_open(&e.m, place("model"), &err), &err);
    CHECK_OK(alm_model_trainable(e.m, &err), &err);
    CHECK_OK(alm_compute_new(&e.c, NULL, &err), &err);
    CHECK_OK(alm_tape_new(&e.t, e.c, ALM_TAPE_TRAIN, 0, &err), &err);
    return &e;
}

static void end(example *e) {
    alm_tape_free(e->t);
    alm_compute_free(e->c);
    alm_model_free(e->m);
    alm_json_doc_free(&e->doc);
    alm_free(e->text);
}

/* Forward and backward; the mean loss. */
static double step(example *e, bool recompute) {
    alm_error err = {0};
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
        alm_weight *w = alm_model_weight(e->m, i);
        memset(w->grad, 0, w->n_rows * w->n_cols * sizeof *w->grad);
    }
    alm_tape_reset(e->t);
    CHECK_OK(alm_model_loss(e->m, e->t, &e->rows, e->label, 1.0F / (float)e->n_counted, recompute, e->nll, &err), &err);
    alm_tape_backward(e->t);
    CHECK_OK(alm_tape_status(e->t, &err), &err);
    double sum = 0.0;
    for (size_t i = 0; i < e->n; i++) sum += (double)e->nll[i];
    return sum / (double)e->n_counted;
}

static double norm(example *e) {
    double sum = 0.0;
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
        alm_weight *w = alm_model_weight(e->m, i);
        sum += alm_sum_squares(e->c, w->grad, w->n_rows * w->n_cols);
    }
    return sqrt(sum);
}

static double expected(const example *e, const char *name) {
    double x;
    CHECK(alm_json_f64(alm_json_get(e->doc.node, name), &x));
    return x;
}

/* The reference's name and the row of it that lies in row `row` of weight i: its rows of q and k are in the other order. */
static const float *reference(const alm_safetensors *s, example *e, size_t i) {
    static const char *const names[] = {"input_layernorm",  "self_attn.q_proj", "self_attn.k_proj",
                                        "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm",
                                        "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
    size_t n_layers = alm_model_config(e->m)->n_layers;
    char name[100];
    if (i == 0) return alm_models_floats(s, "model.embed_tokens.weight", NULL);
    if (i == 1 + 9 * n_layers) return alm_models_floats(s, "model.norm.weight", NULL);
    if (i == 2 + 9 * n_layers) return alm_models_floats(s, "lm_head.weight", NULL);
    snprintf(name, sizeof name, "model.layers.%zu.%s.weight", (i - 1) / 9, names[(i - 1) % 9]);
    return alm_models_floats(s, name, NULL);
}

static size_t row_of_reference(example *e, size_t i, size_t row) {
    size_t n_layers = alm_model_config(e->m)->n_layers, dim = alm_model_config(e->m)->head_dim, in = row % dim;
    if (i == 0 || i > 9 * n_layers || ((i - 1) % 9 != 1 && (i - 1) % 9 != 2)) return row;
    return row - in + in % 2 * (dim / 2) + in / 2;
}

static void loss_and_gradients_equal_the_reference(void **state) {
    (void)state;
    example *e = begin();
    for (int recompute = 0; recompute < 2; recompute++) {
        double loss = step(e, recompute != 0), want = expected(e, "loss_f64"), worst = 0.0;
        CHECK_NEAR(loss, want, 2e-6 * want);
        CHECK_NEAR(norm(e), expected(e, "grad_norm_f64"), 1e-5);
        alm_safetensors *s = alm_models_open_expected(place("grads.safetensors"));
        CHECK_INT(alm_safetensors_tensor_count(s), alm_model_weight_count(e->m));
        for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
            const alm_weight *w = alm_model_weight(e->m, i);
            const float *r = reference(s, e, i);
            double most = 0.0, off = 0.0;
            for (size_t row = 0; row < w->n_rows; row++)
                for (size_t k = 0; k < w->n_cols; k++) {
                    double a = (double)w->grad[row * w->n_cols + k],
                           b = (double)r[row_of_reference(e, i, row) * w->n_cols + k];
                    if (fabs(b) > most) most = fabs(b);
                    if (!(fabs(a - b) <= off)) off = fabs(a - b);
                }
            CHECK(off <= 1e-5 * most, "%.*s: off by %g of %g", ALM_ARG(w->name), off, most);
            if (off / most > worst) worst = off / most;
        }
        print_message("loss %.9f, reference %.9f; gradients off by at most %.2g of their largest\n", loss, want, worst);
        alm_safetensors_close(s);
    }
    end(e);
}

typedef struct moments {
    float *m[64], *v[64];
} moments;

static void moments_begin(example *e, moments *o) {
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
        const alm_weight *w = alm_model_weight(e->m, i);
        o->m[i] = alm_calloc(w->n_rows * w->n_cols, sizeof(float));
        o->v[i] = alm_calloc(w->n_rows * w->n_cols, sizeof(float));
    }
}

static void moments_end(example *e, moments *o) {
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) alm_free(o->m[i]), alm_free(o->v[i]);
}

static void update(example *e, moments *o, double lr, double clip, uint64_t n) {
    const alm_adamw_params p = {
        .lr = lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.01, .clip = clip, .step = n};
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
        alm_weight *w = alm_model_weight(e->m, i);
        alm_adamw(e->c, (float *)(uintptr_t)w->at, w->grad, o->m[i], o->v[i], w->n_rows * w->n_cols, &p);
    }
}

static void weights_after_one_step_equal_the_reference(void **state) {
    (void)state;
    example *e = begin();
    moments o;
    moments_begin(e, &o);
    step(e, false);
    update(e, &o, 1e-3, 1.0, 1);
    alm_safetensors *s = alm_models_open_expected(place("adamw_step1.safetensors")),
                    *g = alm_models_open_expected(place("grads.safetensors"));
    double worst = 0.0;
    size_t n_left_out = 0, n_all = 0;
    for (size_t i = 0; i < alm_model_weight_count(e->m); i++) {
        const alm_weight *w = alm_model_weight(e->m, i);
        const float *r = reference(s, e, i), *grad = reference(g, e, i), *at = w->at;
        for (size_t row = 0; row < w->n_rows; row++)
            for (size_t k = 0; k < w->n_cols; k++, n_all++) {
                size_t there = row_of_reference(e, i, row) * w->n_cols + k;
                /* Adam's first step is ±lr whatever the size of the gradient: one that is rounding noise may flip. */
                if (fabs((double)grad[there]) < 1e-6) {
                    n_left_out++;
                    continue;
                }
                double off = fabs((double)at[row * w->n_cols + k] - (double)r[there]);
                CHECK(off <= 1e-6, "%.*s [%zu][%zu]: off by %g", ALM_ARG(w->name), row, k, off);
                if (off > worst) worst = off;
            }
    }
    print_message("weights off by at most %.2g; %zu of %zu left out\n", worst, n_left_out, n_all);
    CHECK(n_left_out < n_all / 4);
    alm_safetensors_close(s);
    alm_safetensors_close(g);
    moments_end(e, &o);
    end(e);
}

static void losses_over_twenty_steps_equal_the_reference(void **state) {
    (void)state;
    example *e = begin();
    moments o;
    moments_begin(e, &o);
    const alm_json *want = alm_json_get(alm_json_get(e->doc.node, "curve"), "loss_f64");
    double worst = 0.0;
    int s = 0;
    for (const alm_json *c = alm_json_first(want); c; c = alm_json_next(want, c), s++) {
        double wanted, loss = step(e, false), size = norm(e);
        CHECK(alm_json_f64(c, &wanted));
        CHECK_NEAR(loss, wanted, 1e-4);
        if (fabs(loss - wanted) > worst) worst = fabs(loss - wanted);
        double lr = s < 5 ? 1e-3 * (s + 1) / 5 : 1e-3 * (0.1 + 0.9 * 0.5 * (1 + cos(M_PI * (s - 5) / 15)));
        update(e, &o, lr, size > 1.0 ? 1.0 / size : 1.0, (uint64_t)s + 1);
    }
    CHECK_INT(s, 20);
    print_message("losses off by at most %.2g over 20 steps\n", worst);
    moments_end(e, &o);
    end(e);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(loss_and_gradients_equal_the_reference),
    cmocka_unit_test(weights_after_one_step_equal_the_reference),
    cmocka_unit_test(losses_over_twenty_steps_equal_the_reference),
};
ALM_TEST_MAIN(tests)
