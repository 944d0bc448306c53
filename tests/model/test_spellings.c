/* SPDX-License-Identifier: Apache-2.0
 *
 * test_spellings.c - the same weights under other names and in other shapes, as older and newer programs write them: the model
 * gives the same bits. Each case rewrites a file and opens both. */
#include "alm_models.h"
#include "base/file.h"

enum { PIECES = 16, TOKENS = 12 };

/* A file being written, and memory that lives until it is. */
typedef struct rewriting {
    alm_safetensors *s;
    alm_safetensors_writer *w;
    alm_gguf *g;
    alm_gguf_writer *gw;
    void *piece[PIECES];
    size_t n_pieces;
} rewriting;

static void *piece(rewriting *r, size_t n_bytes) {
    CHECK(r->n_pieces < PIECES);
    return r->piece[r->n_pieces++] = alm_calloc(n_bytes, 1);
}

static const char *named(char out[160], const char *format, size_t a, size_t b, const char *c) {
    snprintf(out, 160, format, a, b, c); /* NOLINT(clang-diagnostic-format-nonliteral) */
    return out;
}

static const alm_safetensors_tensor *tensor(const rewriting *r, const char *name) {
    const alm_safetensors_tensor *t = alm_safetensors_find(r->s, name);
    CHECK(t != NULL, "%s", name);
    return t;
}

/* -- Hugging Face --------------------------------------------------------------------------------------------------------- */

/* Experts of a layer as transformers 5 holds them: gate and up of one after the other, then down; the router beside them. */
static void stack_experts(rewriting *r, size_t layer, size_t n, const char *gate, const char *up, const char *down) {
    char name[160];
    const alm_safetensors_tensor *t = tensor(r, named(name, gate, layer, 0, ""));
    uint64_t both[3] = {n, 2 * t->dim[0], t->dim[1]}, one[3] = {n, t->dim[1], t->dim[0]};
    unsigned char *a = piece(r, 2 * n * t->n_bytes), *b = piece(r, n * t->n_bytes);
    alm_safetensors_type type = t->type;
    for (size_t e = 0; e < n; e++) {
        t = tensor(r, named(name, gate, layer, e, ""));
        memcpy(a + 2 * e * t->n_bytes, t->at, t->n_bytes);
        t = tensor(r, named(name, up, layer, e, ""));
        memcpy(a + (2 * e + 1) * t->n_bytes, t->at, t->n_bytes);
        t = tensor(r, named(name, down, layer, e, ""));
        memcpy(b + e * t->n_bytes, t->at, t->n_bytes);
    }
    alm_safetensors_add(r->w, named(name, "model.layers.%zu.mlp.experts.gate_up_proj", layer, 0, ""), type, 3, both, a);
    alm_safetensors_add(r->w, named(name, "model.layers.%zu.mlp.experts.down_proj", layer, 0, ""), type, 3, one, b);
}

static bool replace(char out[160], alm_str name, const char *old, const char *new) {
    snprintf(out, 160, "%.*s", ALM_ARG(name));
    char *at = strstr(out, old);
    if (!at) return false;
    char rest[160];
    snprintf(rest, sizeof rest, "%s", at + strlen(old));
    snprintf(at, (size_t)(out + 160 - at), "%s%s", new, rest);
    return true;
}

static void copy_under(rewriting *r, const alm_safetensors_tensor *t, const char *name) {
    alm_safetensors_add(r->w, name, t->type, t->n_dims, t->dim, t->at);
}

static void stacked(rewriting *r, const char *gate, const char *up, const char *down) {
    for (size_t layer = 0; layer < 2; layer++) stack_experts(r, layer, 8, gate, up, down);
    for (size_t i = 0; i < alm_safetensors_tensor_count(r->s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(r->s, i);
        char name[160];
        replace(name, t->name, "block_sparse_moe.gate", "mlp.gate");
        if (!strstr(name, ".experts.")) copy_under(r, t, name);
    }
}
static void mixtral_stacked(rewriting *r) {
    stacked(r, "model.layers.%zu.block_sparse_moe.experts.%zu.w1.weight",
            "model.layers.%zu.block_sparse_moe.experts.%zu.w3.weight",
            "model.layers.%zu.block_sparse_moe.experts.%zu.w2.weight");
}
static void qwen_stacked(rewriting *r) {
    stacked(r, "model.layers.%zu.mlp.experts.%zu.gate_proj.weight", "model.layers.%zu.mlp.experts.%zu.up_proj.weight",
            "model.layers.%zu.mlp.experts.%zu.down_proj.weight");
}

/* The hub's GPT-2: no root, and masks that are called biases. */
static void gpt2_bare(rewriting *r) {
    static const float mask[4] = {1, 0, 1, 1};
    const uint64_t dim[4] = {1, 1, 2, 2};
    for (size_t i = 0; i < alm_safetensors_tensor_count(r->s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(r->s, i);
        char name[160];
        CHECK(replace(name, t->name, "transformer.", ""));
        copy_under(r, t, name);
    }
    alm_safetensors_add(r->w, "h.0.attn.bias", ALM_SAFETENSORS_F32, 4, dim, mask);
    alm_safetensors_add(r->w, "h.1.attn.masked_bias", ALM_SAFETENSORS_F32, 1, dim, mask);
}

/* The first BERT: gamma and beta, a root, and what it guessed words with. */
static void bert_first(rewriting *r) {
    static const float guess[2] = {1, 2};
    const uint64_t dim[1] = {2};
    for (size_t i = 0; i < alm_safetensors_tensor_count(r->s); i++) {
        const alm_safetensors_tensor *t = alm_safetensors_tensor_at(r->s, i);
        char name[160], whole[170];
        if (!replace(name, t->name, "LayerNorm.weight", "LayerNorm.gamma"))
            replace(name, t->name, "LayerNorm.bias", "LayerNorm.beta");
        snprintf(whole, sizeof whole, "bert.%s", name);
        copy_under(r, t, whole);
    }
    alm_safetensors_add(r->w, "cls.predictions.bias", ALM_SAFETENSORS_F32, 1, dim, guess);
}

static void rewrite_folder(const char *from, const char *to, void (*how)(rewriting *)) {
    rewriting r = {0};
    alm_error err = {0};
    size_t n;
    CHECK_OK(alm_dir_make(to, &err), &err);
    CHECK_OK(alm_safetensors_open(&r.s, from, &err), &err);
    CHECK_OK(alm_safetensors_writer_new(&r.w, &err), &err);
    how(&r);
    CHECK_OK(alm_safetensors_writer_save(r.w, alm_test_join(to, "model.safetensors"), &err), &err);
    char *text = alm_test_slurp(alm_test_join(from, "config.json"), &n);
    alm_test_write(alm_test_join(to, "config.json"), text, n);
    alm_free(text);
    alm_safetensors_writer_free(r.w);
    alm_safetensors_close(r.s);
    for (size_t i = 0; i < r.n_pieces; i++) alm_free(r.piece[i]);
}

/* -- GGUF ----------------------------------------------------------------------------------------------------------------- */

static const alm_gguf_tensor *part(const rewriting *r, const char *format, size_t layer, const char *what) {
    char name[160];
    snprintf(name, sizeof name, format, layer, what); /* NOLINT(clang-diagnostic-format-nonliteral) */
    const alm_gguf_tensor *t = alm_gguf_find_tensor(r->g, name);
    CHECK(t != NULL, "%s", name);
    return t;
}

/* A tensor an expert, as llama.cpp wrote Mixtral until April 2024. */
static bool mixtral_single(rewriting *r, const alm_gguf_tensor *t) {
    char name[160];
    if (!replace(name, t->name, "_exps.weight", "")) return false;
    for (size_t e = 0; e < t->dim[2]; e++) {
        char whole[200];
        size_t n_bytes = (size_t)(t->dim[0] * t->dim[1]) * sizeof(float);
        snprintf(whole, sizeof whole, "%s.%zu.weight", name, e);
        CHECK_INT(t->type, 0);
        alm_gguf_add_tensor(r->gw, whole, t->type, 2, t->dim, t->at + e * n_bytes);
    }
    return true;
}

/* q, k and v in one, as llama.cpp wrote Phi-2 at first. */
static bool phi2_fused(rewriting *r, const alm_gguf_tensor *t) {
    static const char *const what[] = {"q", "k", "v"};
    char name[160];
    bool matrix = replace(name, t->name, "attn_q.weight", "attn_qkv.weight"),
         vector = !matrix && replace(name, t->name, "attn_q.bias", "attn_qkv.bias");
    if (!matrix && !vector) {
        snprintf(name, sizeof name, "%.*s", ALM_ARG(t->name));
        return strstr(name, "attn_k.") || strstr(name, "attn_v.");
    }
    size_t layer = (size_t)(name[4] - '0'), n_bytes = 0;
    unsigned char *all = piece(r, 3 * (size_t)t->n_items * sizeof(float));
    for (size_t i = 0; i < 3; i++) {
        const alm_gguf_tensor *p = part(r, matrix ? "blk.%zu.attn_%s.weight" : "blk.%zu.attn_%s.bias", layer, what[i]);
        memcpy(all + n_bytes, p->at, (size_t)p->n_items * sizeof(float));
        n_bytes += (size_t)p->n_items * sizeof(float);
    }
    const uint64_t dim[2] = {matrix ? t->dim[0] : n_bytes / sizeof(float), n_bytes / sizeof(float) / t->dim[0]};
    alm_gguf_add_tensor(r->gw, name, t->type, t->n_dims, dim, all);
    return true;
}

static void rewrite_gguf(const char *from, const char *to, bool (*how)(rewriting *, const alm_gguf_tensor *)) {
    rewriting r = {0};
    alm_error err = {0};
    CHECK_OK(alm_gguf_open(&r.g, from, &err), &err);
    CHECK_OK(alm_gguf_writer_new(&r.gw, &err), &err);
    for (size_t i = 0; i < alm_gguf_value_count(r.g); i++) alm_gguf_set_value(r.gw, alm_gguf_value_at(r.g, i));
    for (size_t i = 0; i < alm_gguf_tensor_count(r.g); i++) {
        const alm_gguf_tensor *t = alm_gguf_tensor_at(r.g, i);
        char name[160];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(t->name));
        if (!how(&r, t)) alm_gguf_add_tensor(r.gw, name, t->type, t->n_dims, t->dim, t->at);
    }
    CHECK_OK(alm_gguf_writer_save(r.gw, to, &err), &err);
    alm_gguf_writer_free(r.gw);
    alm_gguf_close(r.g);
    for (size_t i = 0; i < r.n_pieces; i++) alm_free(r.piece[i]);
}

/* -- the same bits ---------------------------------------------------------------------------------------------------------- */

/* Logits of a decoder, the stream of an encoder. */
static float *numbers(const char *path, size_t *n) {
    alm_model *m;
    alm_compute *c;
    alm_tape *t;
    alm_error err = {0};
    uint32_t id[TOKENS];
    const uint32_t start[2] = {0, TOKENS};
    const alm_rows rows = {.n = TOKENS, .n_docs = 1, .id = id, .start = start};
    CHECK_OK(alm_model_open(&m, path, &err), &err);
    const alm_config *config = alm_model_config(m);
    for (size_t i = 0; i < TOKENS; i++) id[i] = (uint32_t)((i * 37 + 5) % config->n_vocab);
    CHECK_OK(alm_compute_new(&c, NULL, &err), &err);
    CHECK_OK(alm_tape_new(&t, c, ALM_TAPE_INFER, 0, &err), &err);
    *n = TOKENS * (config->encoder ? config->hidden : config->n_vocab);
    float *out = alm_calloc(*n, sizeof *out);
    if (config->encoder) CHECK_OK(alm_model_read(m, t, &rows, out, &err), &err);
    else CHECK_OK(alm_model_logits(m, t, &rows, out, &err), &err);
    alm_tape_free(t);
    alm_compute_free(c);
    alm_model_free(m);
    return out;
}

static void compare(const char *what, const char *a, const char *b) {
    size_t n, m;
    float *p = numbers(a, &n), *q = numbers(b, &m);
    CHECK(n == m && memcmp(p, q, n * sizeof *p) == 0, "%s", what);
    alm_free(p), alm_free(q);
}

static void folders_of_other_programs_give_the_same_bits(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*how)(rewriting *);
    } cases[] = {
        {"mixtral", mixtral_stacked}, {"qwen3moe", qwen_stacked}, {"gpt2", gpt2_bare}, {"bert-embed", bert_first}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shared[80], from[PATH_MAX], to[PATH_MAX];
        snprintf(shared, sizeof shared, "oracles/models/%s", cases[i].name);
        const char *place = alm_test_shared(shared);
        if (!place) skip();
        snprintf(from, sizeof from, "%s", place);
        snprintf(to, sizeof to, "%s", alm_test_path(cases[i].name));
        rewrite_folder(from, to, cases[i].how);
        compare(cases[i].name, from, to);
    }
}

static void gguf_of_other_programs_gives_the_same_bits(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool (*how)(rewriting *, const alm_gguf_tensor *);
    } cases[] = {{"mixtral-f32.gguf", mixtral_single}, {"phi2-f32.gguf", phi2_fused}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shared[80], from[PATH_MAX], to[PATH_MAX];
        snprintf(shared, sizeof shared, "oracles/gguf/%s", cases[i].name);
        const char *place = alm_test_shared(shared);
        if (!place) skip();
        snprintf(from, sizeof from, "%s", place);
        snprintf(to, sizeof to, "%s", alm_test_path(cases[i].name));
        rewrite_gguf(from, to, cases[i].how);
        compare(cases[i].name, from, to);
    }
}

/* -- what does not fit ------------------------------------------------------------------------------------------------------ */

static int broken; /* which way: see blocks_broken */

static void blocks_broken(rewriting *r) {
    for (size_t i = 0; i < alm_safetensors_tensor_count(r->s); i++) {
        alm_safetensors_tensor t = *alm_safetensors_tensor_at(r->s, i);
        char name[160];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(t.name));
        bool scales = strcmp(name, "model.layers.1.mlp.experts.down_proj_scales") == 0,
             blocks = strcmp(name, "model.layers.1.mlp.experts.gate_up_proj_blocks") == 0;
        if (broken == 0 && scales) continue;                    /* not there */
        if (broken == 1 && scales) t.dim[1] /= 2;               /* half of them */
        if (broken == 2 && blocks) t.dim[0] /= 2;               /* the blocks of half the experts */
        if (broken == 3 && scales) t.type = ALM_SAFETENSORS_I8; /* another type */
        copy_under(r, &t, name);
    }
}

static void blocks_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static const char *const says[] = {"missing_tensor: model.layers.1.mlp.experts.down_proj", "bad_shape", "bad_shape",
                                       "bad_shape"};
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof from, "%s", alm_test_source("tests/golden/models/gpt-oss-mxfp4"));
    snprintf(to, sizeof to, "%s", alm_test_path("broken"));
    for (broken = 0; broken < 4; broken++) {
        alm_model *m;
        alm_error err = {0};
        rewrite_folder(from, to, blocks_broken);
        CHECK_STATUS(alm_model_open(&m, to, &err), ALM_MALFORMED, &err);
        CHECK_HOLDS(err.text, says[broken]);
    }
}

static alm_status open_blocks(void *path) {
    alm_model *m = NULL;
    alm_error err = {0};
    alm_status st = alm_model_open(&m, path, &err);
    alm_model_free(m);
    return st;
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_source("tests/golden/models/gpt-oss-mxfp4"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(open_blocks, path) > 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(folders_of_other_programs_give_the_same_bits),
    cmocka_unit_test(gguf_of_other_programs_gives_the_same_bits),
    cmocka_unit_test(blocks_that_do_not_fit_are_refused),
    cmocka_unit_test(running_out_of_memory_is_told),
};
ALM_TEST_MAIN(tests)
