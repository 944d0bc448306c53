/* SPDX-License-Identifier: Apache-2.0
 *
 * test_oracles.c - every family on tiny models whose numbers other programs computed: one row a model.
 *
 * A row's model is opened as a Hugging Face folder, as that folder with the configuration that transformers 5 writes, and as
 * GGUF, as far as these are there; each must give the reference's logits at every position, hidden states of every layer,
 * surprise, greedy path, and the last logits of a long sequence. Add a row when a family is added. */
#include "alm_models.h"

#include <dirent.h>
#include <math.h>

/* f32 in another order of sums is off by 4e-6 to 2e-5 at these models (max_abs_diff_vs_float64 of expected.json). */
static const double bound = 1e-4;

static const char *const names[] = {
    "llama2",
    "llama3",
    "llama32-tied",
    "llama3-k256",
    "mistral-swa",
    "mistral-v3",
    "qwen2",
    "qwen2-yarn",
    "phi3-mini",
    "phi4",
    "phi4-mini-longrope",
    "qwen3",
    "gemma2",
    "gemma3",
    "mixtral",
    "qwen3moe",
    "gpt2",
    "gptneox",
    "phi2",
};

/* Made by tests/golden/models/make.py and make_gpt_oss.py. */
static const char *const own_names[] = {"olmo2",      "olmo2-tied",     "granite", "granite-tied",
                                        "llama-bias", "qwen3moe-dense", "gpt-oss", "gpt-oss-mxfp4"};

typedef struct truth {
    alm_json_doc doc;
    char *text;
    alm_safetensors *numbers;
    uint32_t *tokens, *long_tokens, *greedy;
    size_t n_tokens, n_long, n_greedy;
} truth;

static truth truth_of(const char *folder) {
    truth e = {0};
    alm_error err = {0};
    size_t n;
    e.text = alm_test_slurp(alm_test_join(folder, "expected.json"), &n);
    CHECK_OK(alm_json_parse(&e.doc, e.text, n, NULL, NULL, &err), &err);
    e.numbers = alm_models_open_expected(alm_test_join(folder, "expected.safetensors"));
    e.tokens = alm_models_ids(alm_json_get(e.doc.node, "tokens"), &e.n_tokens);
    e.long_tokens = alm_models_ids(alm_json_get(e.doc.node, "long_tokens"), &e.n_long);
    e.greedy = alm_models_ids(alm_json_get(e.doc.node, "greedy"), &e.n_greedy);
    return e;
}

static void truth_free(truth *e) {
    alm_json_doc_free(&e->doc);
    alm_safetensors_close(e->numbers);
    alm_free(e->text);
    alm_free(e->tokens);
    alm_free(e->long_tokens);
    alm_free(e->greedy);
}

/* -- one model against its truth ------------------------------------------------------------------------------------------- */

typedef struct look {
    const float *want; /* [layers + 1][n][dim] */
    size_t n_want, seen;
    double off;
} look;

static void compare_layer(void *arg, size_t layer, const float *x, size_t n, size_t dim) {
    look *l = arg;
    CHECK((layer + 1) * n * dim <= l->n_want, "layer %zu", layer);
    double off = alm_models_distance(x, l->want + layer * n * dim, n * dim);
    if (!(off <= l->off)) l->off = off;
    l->seen++;
}

static void check_first(const char *what, alm_model *m, alm_compute *c, const truth *e) {
    size_t n, n_vocab = alm_model_config(m)->n_vocab;
    look l = {0};
    l.want = alm_models_floats(e->numbers, "hidden_states", &l.n_want);
    alm_model_watch(m, compare_layer, &l);
    float *logits = alm_models_logits(m, c, e->tokens, e->n_tokens);
    alm_model_watch(m, NULL, NULL);
    const float *want = alm_models_floats(e->numbers, "logits", &n);
    CHECK_INT(n, e->n_tokens * n_vocab);
    double off = alm_models_distance(logits, want, n);
    print_message("%s: logits off by %.2g, hidden states by %.2g\n", what, off, l.off);
    CHECK(off <= bound && l.off <= bound, "%s: logits off by %g, hidden states by %g", what, off, l.off);
    CHECK_INT(l.seen, alm_model_config(m)->n_layers + 1);
    alm_free(logits);
}

/* The loss that training and scoring use says the same. */
static void check_nll(const char *what, alm_model *m, alm_compute *c, const truth *e) {
    int32_t label[64];
    float nll[64];
    alm_tape *t;
    alm_error err = {0};
    const uint32_t start[2] = {0, (uint32_t)e->n_tokens};
    const alm_rows rows = {.n = e->n_tokens, .n_docs = 1, .id = e->tokens, .start = start};
    const alm_json *list = alm_json_get(e->doc.node, "nll"), *at = alm_json_first(list);
    CHECK(e->n_tokens <= 64 && list->n == e->n_tokens - 1);
    for (size_t i = 0; i < e->n_tokens; i++) label[i] = i + 1 < e->n_tokens ? (int32_t)e->tokens[i + 1] : -1;
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    CHECK_OK(alm_model_loss(m, t, &rows, label, 1.0F, false, nll, &err), &err);
    for (size_t i = 0; at; i++, at = alm_json_next(list, at)) {
        double want;
        CHECK(alm_json_f64(at, &want));
        CHECK(fabs(want - (double)nll[i]) <= bound, "%s: nll %zu is %g, not %g", what, i, (double)nll[i], want);
    }
    alm_tape_free(t);
}

static uint32_t likeliest(const float *logits, size_t n_vocab) {
    uint32_t best = 0;
    for (uint32_t k = 1; k < n_vocab; k++)
        if (logits[k] > logits[best]) best = k;
    return best;
}

/* Behind each token of the path, the next one is the likeliest. */
static void check_greedy(const char *what, alm_model *m, alm_compute *c, const truth *e) {
    uint32_t ids[128];
    size_t n_vocab = alm_model_config(m)->n_vocab, n = e->n_tokens + e->n_greedy;
    CHECK(n <= 128);
    memcpy(ids, e->tokens, e->n_tokens * sizeof *ids);
    memcpy(ids + e->n_tokens, e->greedy, e->n_greedy * sizeof *ids);
    float *logits = alm_models_logits(m, c, ids, n - 1);
    for (size_t i = 0; i < e->n_greedy; i++) {
        uint32_t best = likeliest(logits + (e->n_tokens - 1 + i) * n_vocab, n_vocab);
        CHECK(best == e->greedy[i], "%s: token %zu is %u, not %u", what, i, best, e->greedy[i]);
    }
    alm_free(logits);
}

static void check_long(const char *what, alm_model *m, alm_compute *c, const truth *e) {
    size_t n, n_vocab = alm_model_config(m)->n_vocab;
    int64_t best = -1;
    const float *want = alm_models_floats(e->numbers, "long_logits_last4", &n);
    CHECK_INT(n, 4 * n_vocab);
    float *logits = alm_models_logits(m, c, e->long_tokens, e->n_long), *last = logits + (e->n_long - 4) * n_vocab;
    double off = alm_models_distance(last, want, n);
    CHECK(off <= bound, "%s: logits of %zu tokens off by %g", what, e->n_long, off);
    CHECK(alm_json_i64(alm_json_get(e->doc.node, "long_last_argmax"), &best));
    CHECK_INT(likeliest(last + 3 * n_vocab, n_vocab), best);
    alm_free(logits);
}

static void check_model(const char *what, const char *path, const truth *e) {
    alm_model *m;
    alm_compute *c;
    alm_error err = {0};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    check_first(what, m, c, e);
    check_nll(what, m, c, e);
    check_greedy(what, m, c, e);
    check_long(what, m, c, e);
    alm_compute_free(c);
    alm_model_free(m);
}

/* -- the forms of a model ------------------------------------------------------------------------------------------------------ */

/* A folder of the test with the same tensors, and config.transformers5.json as its config.json; NULL: there is none. */
static const char *with_newer_config(const char *folder, const char *name) {
    static const char *const tensors[] = {"model.safetensors", "model.safetensors.index.json"};
    char from[PATH_MAX], to[PATH_MAX];
    size_t n;
    alm_error err = {0};
    snprintf(from, sizeof from, "%s/config.transformers5.json", folder);
    if (!alm_file_exists(from)) return NULL;
    const char *place = alm_test_path(name);
    CHECK_OK(alm_dir_make(place, &err), &err);
    char *text = alm_test_slurp(from, &n);
    alm_test_write(alm_test_join(place, "config.json"), text, n);
    alm_free(text);
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", folder, tensors[i]);
        snprintf(to, sizeof to, "%s/%s", place, tensors[i]);
        if (!alm_file_exists(from)) continue;
        text = alm_test_slurp(from, &n);
        alm_test_write(to, text, n);
        alm_free(text);
    }
    return place;
}

/* Every form of one model; how many there were. */
static size_t check_forms(const char *name, const char *folder, const char *gguf) {
    char path[PATH_MAX], what[120];
    truth e = truth_of(folder);
    check_model(name, folder, &e);
    const char *newer = with_newer_config(folder, name);
    if (newer) {
        snprintf(path, sizeof path, "%s", newer);
        snprintf(what, sizeof what, "%s, as transformers 5 writes it", name);
        check_model(what, path, &e);
    }
    if (gguf) {
        snprintf(path, sizeof path, "%s", gguf);
        snprintf(what, sizeof what, "%s, GGUF", name);
        check_model(what, path, &e);
    }
    truth_free(&e);
    return 1U + (newer != NULL) + (gguf != NULL);
}

static void every_model_gives_the_numbers_of_the_reference(void **state) {
    (void)state;
    size_t n_forms = 0, n_models = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char folder[PATH_MAX], path[PATH_MAX], ours[120];
        snprintf(path, sizeof path, "oracles/models/%s", names[i]);
        const char *found = alm_models_path(names[i], path);
        if (!found) {
            print_message("%s: skipped, the shared folder is not here\n", names[i]);
            continue;
        }
        snprintf(folder, sizeof folder, "%s", found);
        snprintf(path, sizeof path, "oracles/gguf/%s-f32.gguf", names[i]);
        snprintf(ours, sizeof ours, "gguf/%s-f32.gguf", names[i]);
        n_forms += check_forms(names[i], folder, alm_models_path(ours, path));
        n_models++;
    }
    print_message("%zu models in %zu forms\n", n_models, n_forms);
    CHECK(n_models > 0);
}

static void our_own_models_of_further_families_do(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s/%s", alm_test_source("tests/golden/models"), own_names[i]);
        const char *gguf = alm_test_join(folder, "model.gguf");
        check_forms(own_names[i], folder, alm_file_exists(gguf) ? gguf : NULL);
    }
}

/* Models that somebody made by `tests/golden/models/make.py --many`, for a look by hand. */
static void models_in_another_folder_do(void **state) {
    (void)state;
    const char *folder = getenv("ALM_MODELS_MORE");
    if (!folder || !*folder) {
        print_message("skipped, ALM_MODELS_MORE names no folder\n");
        skip();
    }
    DIR *d = opendir(folder);
    CHECK(d != NULL, "%s", folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[PATH_MAX];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        check_forms(e->d_name, path, NULL);
    }
    closedir(d);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_model_gives_the_numbers_of_the_reference),
    cmocka_unit_test(our_own_models_of_further_families_do),
    cmocka_unit_test(models_in_another_folder_do),
};
ALM_TEST_MAIN(tests)
