/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_open.c - models are made, opened, written and refused. */
#include "alm_hostile.h"
#include "alm_models.h"
#include "dtype/dtype.h"
#include "model/family.h"

static const alm_config small = {.family = "llama",
                                 .n_vocab = 40,
                                 .hidden = 16,
                                 .n_layers = 2,
                                 .n_heads = 4,
                                 .n_kv_heads = 2,
                                 .head_dim = 6,
                                 .ffn = 32,
                                 .context = 64,
                                 .norm_eps = 1e-5,
                                 .rope_theta = 10000.0};

static alm_model *made(const alm_config *c, uint64_t seed) {
    alm_model *m;
    alm_error err = {0};
    CHECK_OK(alm_model_new(&m, c, seed, &err), &err);
    return m;
}

static alm_model *opened(const char *path) {
    alm_model *m;
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    return m;
}

/* All values as f32; free with alm_free. */
static float *values(alm_model *m, size_t i) {
    const alm_weight *w = alm_model_weight(m, i);
    size_t n = w->n_rows * w->n_cols;
    float *at = alm_calloc(n, sizeof *at);
    for (size_t r = 0; r < w->n_rows; r++) alm_weight_decode_row(at + r * w->n_cols, w, r);
    return at;
}

static void same_values(alm_model *a, alm_model *b) {
    CHECK_INT(alm_model_weight_count(a), alm_model_weight_count(b));
    for (size_t i = 0; i < alm_model_weight_count(a); i++) {
        const alm_weight *w = alm_model_weight(a, i), *v = alm_model_weight(b, i);
        CHECK(alm_str_eq(w->name, v->name) && w->n_rows == v->n_rows && w->n_cols == v->n_cols);
        float *x = values(a, i), *y = values(b, i);
        CHECK(memcmp(x, y, w->n_rows * w->n_cols * sizeof *x) == 0, "%.*s differs", ALM_ARG(w->name));
        alm_free(x);
        alm_free(y);
    }
}

static void same_config(const alm_config *a, const alm_config *b) {
    CHECK(strcmp(a->family, b->family) == 0 && a->n_vocab == b->n_vocab && a->hidden == b->hidden &&
          a->n_layers == b->n_layers && a->n_heads == b->n_heads && a->n_kv_heads == b->n_kv_heads &&
          a->head_dim == b->head_dim && a->ffn == b->ffn && a->context == b->context && a->tied == b->tied);
    CHECK_BITS(a->norm_eps, b->norm_eps);
    CHECK_BITS(a->rope_theta, b->rope_theta);
    CHECK_BITS(a->rope_factor, b->rope_factor);
    CHECK_BITS(a->rope_low, b->rope_low);
    CHECK_BITS(a->rope_high, b->rope_high);
    CHECK_INT(a->rope_original, b->rope_original);
    CHECK(a->attention_bias == b->attention_bias && a->output_bias == b->output_bias && a->mlp_bias == b->mlp_bias);
}

/* -- fresh models ------------------------------------------------------------------------------------------------------- */

static void the_same_seed_gives_the_same_weights_and_another_seed_others(void **state) {
    (void)state;
    alm_model *a = made(&small, 7), *b = made(&small, 7), *c = made(&small, 8);
    same_values(a, b);
    float *x = values(a, 0), *y = values(c, 0);
    size_t n_same = 0, n = small.n_vocab * small.hidden;
    for (size_t i = 0; i < n; i++) n_same += x[i] == y[i];
    CHECK(n_same == 0, "%zu of %zu are the same", n_same, n);
    alm_free(x);
    alm_free(y);
    alm_model_free(a);
    alm_model_free(b);
    alm_model_free(c);
}

/* Recorded from a second implementation (Python integers and doubles): element e of weight i under a seed. */
static void fresh_weights_have_recorded_bits(void **state) {
    (void)state;
    alm_model *m = made(&small, 42);
    const float *embedding = alm_model_weight(m, 0)->at, *q = alm_model_weight(m, 2)->at,
                *down = alm_model_weight(m, 9)->at;
#include "fresh_weights.inc"
    alm_model_free(m);
}

static void fresh_weights_are_normal_with_the_stated_deviation_and_norms_are_one(void **state) {
    (void)state;
    alm_config c = small;
    c.n_vocab = 500, c.hidden = 64, c.ffn = 256, c.head_dim = 16;
    alm_model *m = made(&c, 1);
    for (size_t i = 0; i < alm_model_weight_count(m); i++) {
        const alm_weight *w = alm_model_weight(m, i);
        const float *x = w->at;
        size_t n = w->n_rows * w->n_cols, within = 0;
        double sum = 0, squares = 0, want = 0.02;
        if (w->n_rows == 1) {
            for (size_t k = 0; k < n; k++) CHECK(x[k] == 1.0F);
            continue;
        }
        if (strstr(w->name.at, "ffn_down") || strstr(w->name.at, "attn_output")) want = 0.01; /* 0.02 / sqrt(2 · 2) */
        for (size_t k = 0; k < n; k++) sum += (double)x[k], squares += (double)x[k] * (double)x[k];
        double mean = sum / (double)n, deviation = squares / (double)n;
        for (size_t k = 0; k < n; k++) within += (double)x[k] < want && (double)x[k] > -want;
        /* four standard errors of each */
        CHECK_NEAR(mean, 0.0, 4 * want / 45.0);
        CHECK_NEAR(deviation, want * want, want * want * 4 * 1.42 / 45.0);
        CHECK_NEAR((double)within / (double)n, 0.6827, 4 * 0.466 / 45.0);
        CHECK(n >= 2048);
    }
    alm_model_free(m);
}

static void a_shape_that_makes_no_sense_is_refused_with_the_reason(void **state) {
    (void)state;
    alm_model *m;
    alm_error err = {0};
#define REFUSED(member, value, part)                                     \
    do {                                                                 \
        alm_config c = small;                                            \
        c.member = (value);                                              \
        CHECK_STATUS(alm_model_new(&m, &c, 1, &err), ALM_INVALID, &err); \
        CHECK_HOLDS(err.text, part);                                     \
    } while (0)
    REFUSED(n_vocab, 0, "vocabulary");
    REFUSED(hidden, 0, "width");
    REFUSED(n_layers, 0, "layers");
    REFUSED(n_layers, SIZE_MAX, "layers");
    REFUSED(n_heads, 0, "heads");
    REFUSED(n_kv_heads, 3, "share");
    REFUSED(n_kv_heads, 0, "key-value heads");
    REFUSED(head_dim, 7, "pairs");
    REFUSED(ffn, SIZE_MAX, "feed-forward");
    REFUSED(context, 0, "context");
    REFUSED(norm_eps, 0.0, "epsilon");
    REFUSED(norm_eps, 0.0 / small.rope_low, "epsilon");
    REFUSED(rope_theta, 0.5, "rope_theta");
    REFUSED(rope_factor, 8.0, "scaling");
    REFUSED(family[0], 'x', "family");
}

static void an_outline_measures_what_training_takes(void **state) {
    (void)state;
    alm_model *o, *m = made(&small, 3);
    alm_compute *c;
    alm_error err = {0};
    size_t bytes[2];
    const uint32_t ids[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, start[2] = {0, 10};
    const int32_t label[10] = {2, 3, 4, 5, 6, 7, 8, 9, 10, -1};
    const alm_rows rows = {10, 1, ids, start};
    float nll[10];
    CHECK_OK(alm_model_outline(&o, &small, &err), &err);
    CHECK_INT(alm_model_parameter_count(o), alm_model_parameter_count(m));
    CHECK_OK(alm_model_trainable(m, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    for (int i = 0; i < 2; i++) {
        alm_tape *t;
        CHECK_OK(alm_tape_new(&t, c, i ? ALM_TAPE_TRAIN : ALM_TAPE_MEASURE, 0, &err), &err);
        CHECK_OK(alm_model_loss(i ? m : o, t, &rows, i ? label : NULL, 0.1F, false, i ? nll : NULL, &err), &err);
        alm_tape_backward(t);
        CHECK_OK(alm_tape_status(t, &err), &err);
        bytes[i] = alm_tape_bytes(t);
        alm_tape_free(t);
    }
    CHECK(bytes[0] > 0 && bytes[0] == bytes[1], "measured %zu, taken %zu", bytes[0], bytes[1]);
    alm_compute_free(c);
    alm_model_free(m);
    alm_model_free(o);
}

/* -- written and read ---------------------------------------------------------------------------------------------------- */

static const char *write_gguf(alm_model *m, const char *name, const char *prefix, uint32_t type) {
    alm_gguf_writer *w;
    alm_error err = {0};
    const char *path = alm_test_path(name);
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    CHECK_OK(alm_model_to_gguf(m, w, prefix, type, &err), &err);
    CHECK_OK(alm_gguf_writer_save(w, path, &err), &err);
    alm_gguf_writer_free(w);
    return path;
}

static void what_is_written_is_the_same_model(void **state) {
    (void)state;
    static const char *const names[] = {"llama3", "llama32-tied", "llama-gqa/model"};
    for (size_t i = 0; i < 3; i++) {
        alm_error err = {0};
        alm_model *m = opened(alm_models_path(names[i], NULL));
        alm_model *g = opened(write_gguf(m, "m.gguf", "", ALM_F32));
        same_values(m, g);
        same_config(alm_model_config(m), alm_model_config(g));
        const char *folder = alm_test_path("m-hf");
        CHECK_OK(alm_model_to_hf(g, folder, ALM_F32, &err), &err);
        alm_model *h = opened(folder);
        same_values(m, h);
        same_config(alm_model_config(m), alm_model_config(h));
        alm_model_free(h);
        alm_model_free(g);
        alm_model_free(m);
    }
}

/* What somebody else's converter makes of the same folder holds the same numbers in the same rows. */
static void rows_of_q_and_k_lie_as_another_converter_puts_them(void **state) {
    (void)state;
    alm_model *m = opened(alm_models_path("llama32-tied", NULL)),
              *g = opened(alm_models_path("gguf/llama32-tied-f32.gguf", NULL));
    same_values(m, g);
    for (size_t i = 0; i < 16; i++) CHECK_NEAR(m->rope_factor[i] / g->rope_factor[i], 1.0, 1e-6);
    alm_model_free(g);
    alm_model_free(m);
}

/* And the folder that is written holds the bytes of the one that was read. */
static void a_folder_read_and_written_has_the_same_tensors(void **state) {
    (void)state;
    alm_error err = {0};
    alm_model *m = opened(alm_models_path("llama3", NULL));
    const char *folder = alm_test_path("again");
    CHECK_OK(alm_model_to_hf(m, folder, ALM_F32, &err), &err);
    alm_safetensors *a = alm_models_open_expected(alm_models_path("llama3", NULL)),
                    *b = alm_models_open_expected(folder);
    CHECK_INT(alm_safetensors_tensor_count(a), alm_safetensors_tensor_count(b));
    for (size_t i = 0; i < alm_safetensors_tensor_count(a); i++) {
        const alm_safetensors_tensor *x = alm_safetensors_tensor_at(a, i), *y = alm_safetensors_tensor_at(b, i);
        CHECK(alm_str_eq(x->name, y->name) && x->type == y->type && x->n_bytes == y->n_bytes);
        CHECK(memcmp(x->at, y->at, x->n_bytes) == 0, "%.*s", ALM_ARG(x->name));
    }
    alm_safetensors_close(a);
    alm_safetensors_close(b);
    alm_model_free(m);
}

/* Those of q and k lie in the order of their rows, which is another one in each kind of file. */
static void biases_are_read_and_written_in_the_order_of_their_rows(void **state) {
    (void)state;
    char place[PATH_MAX];
    alm_error err = {0};
    snprintf(place, sizeof place, "%s", alm_test_source("tests/golden/models/llama-bias"));
    alm_model *m = opened(place), *theirs = opened(alm_test_join(place, "model.gguf")),
              *g = opened(write_gguf(m, "bias.gguf", "", ALM_F32));
    same_values(m, theirs);
    same_values(m, g);
    const uint32_t types[] = {ALM_F32, ALM_BF16}; /* bf16 is what they were */
    for (size_t i = 0; i < 2; i++) {
        snprintf(place, sizeof place, "%s", alm_test_path("bias"));
        CHECK_OK(alm_model_to_hf(g, place, types[i], &err), &err);
        alm_model *h = opened(place);
        same_values(m, h);
        same_config(alm_model_config(m), alm_model_config(h));
        alm_model_free(h);
    }
    alm_model_free(g);
    alm_model_free(theirs);
    alm_model_free(m);
}

/* GGUF says with its tensors which biases there are; config.json has fewer words. */
static void biases_without_a_word_in_config_json_are_refused(void **state) {
    (void)state;
    static const struct {
        bool attention, output, mlp;
        size_t window;
        const char *part; /* NULL: it is written */
    } cases[] = {{true, true, true, 0, NULL},
                 {false, false, true, 0, NULL},
                 {true, false, false, 0, "biases on q, k and v alone"},
                 {false, true, false, 0, "biases on the output projection alone"},
                 {true, true, false, 8, "a window beside biases"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_error err = {0};
        alm_config c = small;
        c.attention_bias = cases[i].attention, c.output_bias = cases[i].output, c.mlp_bias = cases[i].mlp;
        c.window = cases[i].window;
        if (c.window) memset(c.local, 0xFF, sizeof c.local);
        alm_model *m = made(&c, 7);
        for (size_t k = 0; k < alm_model_weight_count(m); k++) /* fresh biases are 0: others show where they lie */
            if (strstr(m->slot[k].origin[0].name, ".bias"))
                for (size_t e = 0; e < m->slot[k].n_cols; e++) ((float *)m->own[k])[e] = (float)(e + 1);
        alm_model *g = opened(write_gguf(m, "some.gguf", "", ALM_F32));
        same_values(m, g);
        same_config(alm_model_config(m), alm_model_config(g));
        alm_status st = alm_model_to_hf(g, alm_test_path("some"), ALM_F32, &err);
        if (cases[i].part) CHECK_STATUS(st, ALM_UNSUPPORTED, &err);
        else CHECK_OK(st, &err);
        CHECK_HOLDS(err.text, cases[i].part ? cases[i].part : "");
        alm_model_free(g);
        alm_model_free(m);
    }
}

static void other_types_hold_what_they_can(void **state) {
    (void)state;
    static const struct {
        uint32_t type;
        double relative, absolute;
    } cases[] = {{ALM_F16, 1.0 / 2048, 1e-7}, {ALM_BF16, 1.0 / 256, 0.0}, {ALM_Q8_0, 0.0, 0.08 / 127}};
    alm_model *m = made(&small, 5);
    for (size_t k = 0; k < 3; k++) {
        alm_model *g = opened(write_gguf(m, "t.gguf", "", cases[k].type));
        for (size_t i = 0; i < alm_model_weight_count(m); i++) {
            const alm_weight *w = alm_model_weight(m, i);
            float *x = values(m, i), *y = values(g, i);
            /* a row of 16 is no block of 32: it stays as it is */
            bool kept = w->n_rows == 1 || (cases[k].type == ALM_Q8_0 && w->n_cols % 32);
            for (size_t j = 0; j < w->n_rows * w->n_cols; j++) {
                double size = x[j] < 0 ? -(double)x[j] : (double)x[j];
                CHECK_NEAR(x[j], y[j], kept ? 0.0 : cases[k].relative * size + cases[k].absolute);
            }
            alm_free(x);
            alm_free(y);
        }
        alm_model_free(g);
    }
    alm_model_free(m);
}

static void a_model_lives_under_a_prefix_inside_another_file(void **state) {
    (void)state;
    alm_model *m = made(&small, 5), *inner;
    alm_gguf_writer *w;
    alm_gguf *g;
    alm_error err = {0};
    const char *path = alm_test_path("outer.gguf");
    const float other[2] = {1, 2};
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    alm_gguf_set_str(w, "general.architecture", ALM_STR("something-else"));
    CHECK_OK(alm_model_to_gguf(m, w, "alm.lm.", ALM_F32, &err), &err);
    alm_gguf_add_tensor(w, "other", ALM_F32, 1, (const uint64_t[]){2}, other);
    CHECK_OK(alm_gguf_writer_save(w, path, &err), &err);
    alm_gguf_writer_free(w);
    CHECK_OK(alm_gguf_open(&g, path, &err), &err);
    CHECK_OK(alm_model_from_gguf(&inner, g, "alm.lm.", &err), &err);
    same_values(m, inner);
    alm_model_free(inner);
    alm_gguf_close(g);
    CHECK_STATUS(alm_model_open(&inner, path, &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.text, "something-else");
    alm_model_free(m);
}

static void a_model_that_was_read_becomes_trainable(void **state) {
    (void)state;
    alm_error err = {0};
    alm_model *m = opened(alm_models_path("gguf/llama3-bf16.gguf", NULL)),
              *other = opened(alm_models_path("gguf/llama3-bf16.gguf", NULL));
    CHECK_OK(alm_model_trainable(m, &err), &err);
    same_values(m, other);
    for (size_t i = 0; i < alm_model_weight_count(m); i++) {
        alm_weight *w = alm_model_weight(m, i);
        CHECK(w->type == ALM_F32 && w->grad && w->grad[0] == 0.0F);
    }
    alm_model_free(m);
    alm_model_free(other);
}

/* -- refused ------------------------------------------------------------------------------------------------------------- */

/* The tensors of llama3, changed by `how`, beside its configuration. */
static void refused_folder(const char *how, alm_status want, const char *part) {
    const char *source = alm_models_path("llama3", NULL), *folder = alm_test_path("changed");
    alm_error err = {0};
    alm_safetensors *s = alm_models_open_expected(source);
    alm_safetensors_writer *w;
    size_t n;
    CHECK_OK(alm_dir_make(folder, &err), &err);
    char *config = alm_test_slurp(alm_test_join(source, "config.json"), &n);
    alm_test_write(alm_test_join(folder, "config.json"), config, n);
    CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
    for (size_t i = 0; i < alm_safetensors_tensor_count(s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(s, i);
        bool hit = alm_str_eq(t->name, ALM_STR("model.layers.1.mlp.up_proj.weight"));
        char *name = calloc(1, t->name.n + 1);
        CHECK(name);
        memcpy(name, t->name.at, t->name.n);
        uint64_t dim[2] = {t->dim[0], t->dim[1]};
        if (hit && strcmp(how, "turned") == 0) dim[0] = t->dim[1], dim[1] = t->dim[0];
        alm_safetensors_type type = hit && strcmp(how, "type") == 0 ? ALM_SAFETENSORS_U32 : t->type;
        if (!(hit && strcmp(how, "missing") == 0)) alm_safetensors_add(w, name, type, t->n_dims, dim, t->at);
        if (hit && strcmp(how, "more") == 0)
            alm_safetensors_add(w, "model.layers.1.self_attn.q_proj.bias", t->type, 1, dim, t->at);
        if (hit && strcmp(how, "buffer") == 0)
            alm_safetensors_add(w, "model.layers.0.self_attn.rotary_emb.inv_freq", t->type, 1, dim, t->at);
        free(name);
    }
    CHECK_OK(alm_safetensors_writer_save(w, alm_test_join(folder, "model.safetensors"), &err), &err);
    alm_safetensors_writer_free(w);
    alm_model *m = NULL;
    CHECK_STATUS(alm_model_open(&m, folder, &err), want, &err);
    if (part) CHECK_HOLDS(err.text, part);
    if (part) CHECK_HOLDS(err.text, "changed");
    alm_model_free(m);
    alm_safetensors_close(s);
    alm_free(config);
}

static void every_tensor_is_there_in_its_shape_and_nothing_is_left_over(void **state) {
    (void)state;
    refused_folder("as it is", ALM_OK, NULL);
    refused_folder("buffer", ALM_OK, NULL);
    refused_folder("missing", ALM_MALFORMED, "missing_tensor: model.layers.1.mlp.up_proj.weight");
    refused_folder("turned", ALM_MALFORMED, "bad_shape: tensor model.layers.1.mlp.up_proj.weight is 64 x 96");
    refused_folder("type", ALM_UNSUPPORTED, "cannot decode");
    refused_folder("more", ALM_UNSUPPORTED, "no place for tensor model.layers.1.self_attn.q_proj.bias");
}

static alm_status read_config(alm_config *c, const char *text, alm_error *err) {
    char place[2000];
    size_t n = (size_t)snprintf(place, sizeof place, "%s", text);
    return alm_config_from_hf(c, "config.json", place, n, err);
}

#define SHAPE                                                                                  \
    "\"model_type\":\"llama\",\"vocab_size\":384,\"hidden_size\":64,\"intermediate_size\":96," \
    "\"num_hidden_layers\":2,\"num_attention_heads\":4"

static void an_option_that_would_change_the_result_is_refused(void **state) {
    (void)state;
    alm_config c;
    alm_error err = {0};
    CHECK_OK(read_config(&c, "{" SHAPE "}", &err), &err);
    CHECK(c.n_kv_heads == 4 && c.head_dim == 16 && c.context == 2048 && !c.tied);
    CHECK_BITS(c.norm_eps, 1e-6);
    CHECK_OK(read_config(&c, "{" SHAPE ",\"rope_scaling\":null,\"head_dim\":null,\"auto_map\":{\"a\":\"b.C\"}}", &err),
             &err);
    static const struct {
        const char *more;
        alm_status status;
        const char *part;
    } cases[] = {
        {"\"model_type\":\"mistral\",\"attention_bias\":true", ALM_UNSUPPORTED, "biases"},
        {"\"model_type\":\"mistral\",\"mlp_bias\":true", ALM_UNSUPPORTED, "biases"},
        {"\"attention_bias\":1", ALM_MALFORMED, "attention_bias is no bool"},
        {"\"hidden_act\":\"gelu\"", ALM_UNSUPPORTED, "hidden_act"},
        {"\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2.0}", ALM_UNSUPPORTED, "RoPE scaled by \"dynamic\""},
        {"\"rope_parameters\":{\"rope_type\":\"yarn\"}", ALM_MALFORMED, "factor is missing"},
        {"\"rope_scaling\":{\"type\":\"linear\",\"factor\":0.5}", ALM_MALFORMED, "scaling"},
        {"\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8.0}", ALM_MALFORMED, "low_freq_factor"},
        {"\"rope_scaling\":7", ALM_MALFORMED, "bad_value"},
        {"\"partial_rotary_factor\":0.5", ALM_UNSUPPORTED, "rotate"},
        {"\"quantization_config\":{}", ALM_UNSUPPORTED, "quantised"},
        {"\"num_key_value_heads\":3", ALM_MALFORMED, "share"},
        {"\"num_key_value_heads\":-1", ALM_MALFORMED, "no count"},
        {"\"head_dim\":15", ALM_MALFORMED, "pairs"},
        {"\"rms_norm_eps\":\"x\"", ALM_MALFORMED, "no number"},
        {"\"tie_word_embeddings\":1", ALM_MALFORMED, "no bool"},
        {"\"model_type\":\"albert\"", ALM_UNSUPPORTED, "albert"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        snprintf(text, sizeof text, "{" SHAPE ",%s}", cases[i].more);
        CHECK_STATUS(read_config(&c, text, &err), cases[i].status, &err);
        CHECK_HOLDS(err.text, cases[i].part);
    }
    CHECK_STATUS(read_config(&c, "{\"model_type\":\"llama\"}", &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "vocab_size is missing");
    CHECK_STATUS(read_config(&c, "[]", &err), ALM_MALFORMED, &err);
}

static void both_forms_of_a_configuration_mean_the_same(void **state) {
    (void)state;
    alm_config a, b;
    alm_error err = {0};
    const char *folder = alm_models_path("llama3", NULL);
    size_t n;
    char *text = alm_test_slurp(alm_test_join(folder, "config.json"), &n);
    CHECK_OK(alm_config_from_hf(&a, "config.json", text, n, &err), &err);
    alm_free(text);
    text = alm_test_slurp(alm_test_join(folder, "config.transformers5.json"), &n);
    CHECK_OK(alm_config_from_hf(&b, "config.json", text, n, &err), &err);
    alm_free(text);
    same_config(&a, &b);
    CHECK(a.rope_factor == 8.0 && a.rope_original == 64 && a.rope_theta == 500000.0);
}

static alm_status judge_gguf(const char *path, alm_error *err) {
    alm_model *m = NULL;
    alm_status st = alm_model_open(&m, path, err);
    alm_model_free(m);
    return st;
}

/* Files of `config`: those that a loader of models reads, read as it reads them. */
static alm_status judge_config(const char *path, alm_error *err) {
    alm_config c;
    size_t n;
    if (!strstr(path, "config/config.json") && !strstr(path, "/config.json")) return ALM_END;
    if (strstr(path, "auto-map")) return ALM_END; /* it names no model at all: what it asks for is a scan's business */
    char *text = alm_test_slurp(path, &n);
    alm_status st = alm_config_from_hf(&c, path, text, n, err);
    alm_free(text);
    return st;
}

static void hostile_files_get_their_verdict(void **state) {
    (void)state;
    size_t n = alm_hostile_judge("gguf-model", judge_gguf);
    CHECK(n >= 20, "only %zu models", n);
    n = alm_hostile_judge("config", judge_config);
    CHECK(n >= 1, "only %zu configurations", n);
}

static alm_status open_all(void *arg) {
    alm_model *m = NULL;
    (void)arg;
    alm_status st = alm_model_open(&m, alm_models_path("llama-gqa/model", NULL), NULL);
    if (st == ALM_OK) st = alm_model_trainable(m, NULL);
    alm_model_free(m);
    m = NULL;
    if (st == ALM_OK) st = alm_model_open(&m, alm_test_path("memory.gguf"), NULL);
    alm_model_free(m);
    m = NULL;
    if (st == ALM_OK) st = alm_model_new(&m, &small, 1, NULL);
    alm_model_free(m);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    alm_model *m = made(&small, 2);
    write_gguf(m, "memory.gguf", "", ALM_F16);
    alm_model_free(m);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_all, NULL) > 50);
}

static void pytorchs_files_give_the_same_model_as_safetensors(void **state) {
    (void)state;
    alm_model *want = opened(alm_test_source("tests/data/torch/tiny-llama/safetensors"));
    static const char *const forms[] = {"tests/data/torch/tiny-llama/zip", "tests/data/torch/tiny-llama/legacy"};
    for (size_t i = 0; i < 2; i++) {
        alm_model *m = opened(alm_test_source(forms[i]));
        same_config(alm_model_config(want), alm_model_config(m));
        same_values(want, m);
        alm_model_free(m);
    }
    alm_model_free(want);
    alm_model *none = NULL;
    alm_error err = {0};
    CHECK_STATUS(alm_model_open(&none, alm_test_source("tests/data/torch/tiny-llama/zip/pytorch_model.bin"), &err),
                 ALM_INVALID, &err);
    CHECK_HOLDS(err.hint, "folder");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_seed_gives_the_same_weights_and_another_seed_others),
    cmocka_unit_test(fresh_weights_have_recorded_bits),
    cmocka_unit_test(fresh_weights_are_normal_with_the_stated_deviation_and_norms_are_one),
    cmocka_unit_test(a_shape_that_makes_no_sense_is_refused_with_the_reason),
    cmocka_unit_test(an_outline_measures_what_training_takes),
    cmocka_unit_test(what_is_written_is_the_same_model),
    cmocka_unit_test(rows_of_q_and_k_lie_as_another_converter_puts_them),
    cmocka_unit_test(a_folder_read_and_written_has_the_same_tensors),
    cmocka_unit_test(biases_are_read_and_written_in_the_order_of_their_rows),
    cmocka_unit_test(biases_without_a_word_in_config_json_are_refused),
    cmocka_unit_test(other_types_hold_what_they_can),
    cmocka_unit_test(a_model_lives_under_a_prefix_inside_another_file),
    cmocka_unit_test(a_model_that_was_read_becomes_trainable),
    cmocka_unit_test(every_tensor_is_there_in_its_shape_and_nothing_is_left_over),
    cmocka_unit_test(an_option_that_would_change_the_result_is_refused),
    cmocka_unit_test(both_forms_of_a_configuration_mean_the_same),
    cmocka_unit_test(hostile_files_get_their_verdict),
    cmocka_unit_test(no_allocation_failure_leaks),
    cmocka_unit_test(pytorchs_files_give_the_same_model_as_safetensors),
};
ALM_TEST_MAIN(tests)
