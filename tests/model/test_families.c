/* SPDX-License-Identifier: Apache-2.0
 *
 * test_families.c - what configurations say in each family, and what is refused, with which words. */
#include "alm_models.h"
#include "dtype/dtype.h"
#include "model/family.h"

static alm_status read_config(alm_config *c, const char *text, alm_error *err) {
    char place[4000];
    size_t n = (size_t)snprintf(place, sizeof place, "%s", text);
    CHECK(n < sizeof place);
    return alm_config_from_hf(c, "config.json", place, n, err);
}

static void every_row_names_a_family_and_files_find_it(void **state) {
    (void)state;
    CHECK(alm_family_count() >= 8);
    for (size_t i = 0; i < alm_family_count(); i++) {
        const alm_family_info *info = alm_family_at(i);
        const alm_family *f = alm_family_named(alm_str_of(info->name));
        CHECK(f && strcmp(f->name, info->name) == 0, "%s", info->name);
        CHECK(*info->title && *info->gguf && *info->hf && f->n_rows <= ALM_FAMILY_ROWS);
    }
    CHECK(!alm_family_named(ALM_STR("llam")) && !alm_family_named(ALM_STR("")));
}

static void an_unknown_family_is_told_with_the_nearest_name(void **state) {
    (void)state;
    alm_config c;
    alm_error err = {0};
    CHECK_STATUS(read_config(&c, "{\"model_type\":\"lama\"}", &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.text, "model_type \"lama\"");
    CHECK_HOLDS(err.hint, "the nearest name is llama; this build computes: llama, ");
    CHECK_STATUS(read_config(&c, "{\"model_type\":\"gemma3_txt\"}", &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.hint, "the nearest name is gemma3_text;");
    CHECK_STATUS(read_config(&c, "{\"model_type\":\"stablediffusion\"}", &err), ALM_UNSUPPORTED, &err);
    CHECK(strncmp(err.hint, "this build computes: ", 21) == 0);
    CHECK_STATUS(read_config(&c, "{}", &err), ALM_UNSUPPORTED, &err);
}

/* Models that also see pictures say only what differs from defaults, one level down. */
static void a_gemma_3_that_sees_pictures_has_its_text_inside(void **state) {
    (void)state;
    alm_config c;
    alm_error err = {0};
    CHECK_OK(read_config(&c,
                         "{\"model_type\":\"gemma3\",\"vision_config\":{\"hidden_size\":1152},\"text_config\":{"
                         "\"hidden_size\":2560,\"intermediate_size\":10240,\"model_type\":\"gemma3_text\","
                         "\"num_hidden_layers\":34,\"rope_scaling\":{\"factor\":8.0,\"rope_type\":\"linear\"},"
                         "\"sliding_window\":1024}}",
                         &err),
             &err);
    CHECK(strcmp(c.family, "gemma3") == 0);
    CHECK(c.hidden == 2560 && c.ffn == 10240 && c.n_layers == 34 && c.n_heads == 8 && c.n_kv_heads == 4);
    CHECK(c.head_dim == 256 && c.n_vocab == 262208 && c.context == 131072 && c.tied && c.window == 1024);
    CHECK(c.rope_theta == 1e6 && c.rope_local_theta == 1e4 && c.rope_factor == 8.0 && c.rope_kind == ALM_ROPE_LINEAR);
    CHECK(alm_config_is_local(&c, 0) && alm_config_is_local(&c, 4) && !alm_config_is_local(&c, 5));
    CHECK_NEAR(c.attention_scale, 1.0 / 16.0, 1e-15);
}

#define SHAPE                                                                                \
    "\"vocab_size\":64,\"hidden_size\":32,\"intermediate_size\":48,\"num_hidden_layers\":4," \
    "\"num_attention_heads\":4,\"max_position_embeddings\":128,\"rms_norm_eps\":1e-6"

static void windows_cover_the_layers_that_the_configuration_says(void **state) {
    (void)state;
    static const struct {
        const char *more;
        size_t window;
        const char *local; /* a digit a layer */
    } cases[] = {
        {"\"model_type\":\"mistral\",\"sliding_window\":9", 9, "1111"},
        {"\"model_type\":\"mistral\",\"sliding_window\":null", 0, "0000"},
        {"\"model_type\":\"llama\",\"sliding_window\":9", 0, "0000"},
        {"\"model_type\":\"phi3\",\"sliding_window\":9", 9, "1111"},
        {"\"model_type\":\"qwen2\",\"sliding_window\":9,\"max_window_layers\":1", 0, "0000"},
        {"\"model_type\":\"qwen2\",\"use_sliding_window\":true,\"sliding_window\":9,\"max_window_layers\":3", 9,
         "0001"},
        {"\"model_type\":\"qwen3\",\"use_sliding_window\":true,\"sliding_window\":9,\"layer_types\":["
         "\"full_attention\",\"sliding_attention\",\"full_attention\",\"sliding_attention\"]",
         9, "0101"},
        {"\"model_type\":\"gemma2\",\"sliding_window\":9", 9, "1010"},
        {"\"model_type\":\"gemma3_text\",\"sliding_window\":9,\"sliding_window_pattern\":3", 9, "1101"},
        {"\"model_type\":\"gemma3_text\",\"sliding_window\":9,\"_sliding_window_pattern\":2", 9, "1010"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        alm_config c;
        alm_error err = {0};
        snprintf(text, sizeof text, "{" SHAPE ",%s}", cases[i].more);
        CHECK_OK(read_config(&c, text, &err), &err);
        CHECK_INT(c.window, cases[i].window);
        for (size_t k = 0; k < 4; k++)
            CHECK(alm_config_is_local(&c, k) == (cases[i].local[k] == '1'), "%s: layer %zu", cases[i].more, k);
    }
}

static void layers_without_experts_are_those_that_the_configuration_says(void **state) {
    (void)state;
    static const struct {
        const char *more, *dense; /* a digit a layer */
    } cases[] = {
        {"\"num_experts\":8", "0000"},
        {"\"num_experts\":8,\"mlp_only_layers\":null,\"decoder_sparse_step\":1", "0000"},
        {"\"num_experts\":8,\"decoder_sparse_step\":2", "1010"},
        {"\"num_experts\":8,\"decoder_sparse_step\":5", "1111"},
        {"\"num_experts\":8,\"mlp_only_layers\":[0,3,3,-1,9999,1000000]", "1001"},
        {"\"num_local_experts\":8,\"decoder_sparse_step\":2,\"mlp_only_layers\":[1]", "1110"},
        {"\"num_experts\":0", "1111"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        alm_config c;
        alm_error err = {0};
        snprintf(text, sizeof text, "{" SHAPE ",\"model_type\":\"qwen3_moe\",%s}", cases[i].more);
        CHECK_OK(read_config(&c, text, &err), &err);
        for (size_t k = 0; k < 4; k++)
            CHECK(alm_config_is_dense(&c, k) == (cases[i].dense[k] == '1'), "%s: layer %zu", cases[i].more, k);
    }
}

static void settings_that_make_no_model_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *more;
        alm_status status;
        const char *part;
    } cases[] = {
        {"\"model_type\":\"phi3\",\"partial_rotary_factor\":1.5", ALM_MALFORMED, "partial_rotary_factor is 1.5"},
        {"\"model_type\":\"phi3\",\"partial_rotary_factor\":0.4", ALM_MALFORMED, "3 numbers do not rotate in pairs"},
        {"\"model_type\":\"phi3\",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1,1,1,1],\"long_factor\":["
         "1]}",
         ALM_MALFORMED, "longrope has 4 and 1 divisors, 4 pairs rotate"},
        {"\"model_type\":\"phi3\",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1,1,0,1],\"long_factor\":["
         "1,1,1,1]}",
         ALM_MALFORMED, "divides a frequency by 0"},
        {"\"model_type\":\"phi3\",\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":7}", ALM_MALFORMED,
         "no array"},
        {"\"model_type\":\"qwen2\",\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4.0,\"beta_fast\":1,\"beta_slow\":2}",
         ALM_MALFORMED, "scaling"},
        {"\"model_type\":\"phi3\",\"attention_bias\":true", ALM_UNSUPPORTED, "biases (attention_bias)"},
        {"\"model_type\":\"qwen2\",\"use_sliding_window\":true,\"sliding_window\":9,\"layer_types\":[\"full_"
         "attention\"]",
         ALM_MALFORMED, "layer_types are not one for each of 4 layers"},
        {"\"model_type\":\"gemma2\",\"layer_types\":[\"a\",\"a\",\"a\",\"a\"]", ALM_UNSUPPORTED, "another type"},
        {"\"model_type\":\"gemma2\",\"final_logit_softcapping\":-3.0", ALM_MALFORMED, "the cap of the logits is -3"},
        {"\"model_type\":\"gemma2\",\"query_pre_attn_scalar\":0", ALM_MALFORMED, "the scale of attention"},
        {"\"model_type\":\"gemma2\",\"hidden_activation\":\"silu\"", ALM_UNSUPPORTED, "hidden_activation"},
        {"\"model_type\":\"gemma3_text\",\"use_bidirectional_attention\":true", ALM_UNSUPPORTED, "both directions"},
        {"\"model_type\":\"granite\",\"logits_scaling\":0", ALM_MALFORMED, "divided by 0"},
        {"\"model_type\":\"granite\",\"residual_multiplier\":1e9", ALM_MALFORMED, "the multiplier of the residuals"},
        {"\"model_type\":\"qwen3_moe\",\"decoder_sparse_step\":0", ALM_MALFORMED, "decoder_sparse_step is 0"},
        {"\"model_type\":\"qwen3_moe\",\"mlp_only_layers\":2", ALM_MALFORMED, "mlp_only_layers is no array of layers"},
        {"\"model_type\":\"qwen3_moe\",\"mlp_only_layers\":[\"a\"]", ALM_MALFORMED, "no array of layers"},
        {"\"model_type\":\"olmo2\",\"hidden_act\":\"tanh\"", ALM_UNSUPPORTED, "hidden_act \"tanh\""},
        {"\"model_type\":\"llama\",\"sliding_window\":-1,\"num_hidden_layers\":9999999", ALM_MALFORMED, "layers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        alm_config c;
        alm_error err = {0};
        snprintf(text, sizeof text, "{" SHAPE ",%s}", cases[i].more);
        CHECK_STATUS(read_config(&c, text, &err), cases[i].status, &err);
        CHECK_HOLDS(err.text, cases[i].part);
    }
}

/* A folder with phi4-mini-longrope's configuration and these tensors only. */
static void what_is_missing_is_told_at_once(void **state) {
    (void)state;
    const char *source = alm_models_path("phi4-mini-longrope", NULL), *folder = alm_test_path("few");
    alm_safetensors *s = alm_models_open_expected(source);
    alm_safetensors_writer *w;
    alm_model *m = NULL;
    alm_error err = {0};
    size_t n;
    CHECK_OK(alm_dir_make(folder, &err), &err);
    char *config = alm_test_slurp(alm_test_join(source, "config.json"), &n);
    alm_test_write(alm_test_join(folder, "config.json"), config, n);
    CHECK_OK(alm_safetensors_writer_new(&w, &err), &err);
    for (size_t i = 0; i < alm_safetensors_tensor_count(s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(s, i);
        char name[100];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(t->name));
        if (strstr(name, "layers.1.self_attn") || strstr(name, "model.norm")) continue;
        alm_safetensors_add(w, name, t->type, t->n_dims, t->dim, t->at);
    }
    CHECK_OK(alm_safetensors_writer_save(w, alm_test_join(folder, "model.safetensors"), &err), &err);
    CHECK_STATUS(alm_model_open(&m, folder, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "missing_tensor: ");
    CHECK_HOLDS(err.text, "model.layers.1.self_attn.qkv_proj.weight, model.layers.1.self_attn.o_proj.weight, "
                          "model.norm.weight are not there");
    alm_safetensors_writer_free(w);
    alm_safetensors_close(s);
    alm_free(config);
}

/* Before hours of training, not behind them. */
static void what_cannot_be_written_says_so_at_once(void **state) {
    (void)state;
    static const struct {
        const char *name;
        alm_status status;
    } cases[] = {{"llama3", ALM_OK}, {"mistral-swa", ALM_OK}, {"qwen3", ALM_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_model *m;
        alm_error err = {0};
        CHECK_OK(alm_model_open(&m, alm_models_path(cases[i].name, NULL), &err), &err);
        CHECK_STATUS(alm_model_writable(m, &err), cases[i].status, &err);
        alm_gguf_writer *w;
        CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
        CHECK_STATUS(alm_model_to_gguf(m, w, "", ALM_F32, &err), cases[i].status, &err);
        CHECK_STATUS(alm_model_to_hf(m, alm_test_path(cases[i].name), ALM_F32, &err), cases[i].status, &err);
        if (cases[i].status != ALM_OK) CHECK_HOLDS(err.text, "models of the family qwen3 are read, not written");
        alm_gguf_writer_free(w);
        alm_model_free(m);
    }
}

static alm_status open_fused(void *arg) {
    alm_model *m = NULL;
    alm_status st = alm_model_open(&m, arg, NULL);
    alm_model_free(m);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_models_path("phi4-mini-longrope", NULL));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_fused, path) > 10);
    snprintf(path, sizeof path, "%s", alm_test_source("tests/golden/models/qwen3moe-dense"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_fused, path) > 10);
    snprintf(path, sizeof path, "%s", alm_models_path("gemma2", NULL));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_fused, path) > 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_row_names_a_family_and_files_find_it),
    cmocka_unit_test(an_unknown_family_is_told_with_the_nearest_name),
    cmocka_unit_test(a_gemma_3_that_sees_pictures_has_its_text_inside),
    cmocka_unit_test(windows_cover_the_layers_that_the_configuration_says),
    cmocka_unit_test(layers_without_experts_are_those_that_the_configuration_says),
    cmocka_unit_test(settings_that_make_no_model_are_refused),
    cmocka_unit_test(what_is_missing_is_told_at_once),
    cmocka_unit_test(what_cannot_be_written_says_so_at_once),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
