/* SPDX-License-Identifier: Apache-2.0
 *
 * test_recipe.c - a recipe is written and read back whole; a broken one is refused by name. The picture of a curve. */
#include "alm_test.h"
#include "train/curve.h"
#include "train/recipe.h"
#include <math.h>

static alm_recipe_file files[] = {{.path = "a \"log\".txt", .bytes = 12345}, {.path = "b.jsonl", .bytes = UINT64_MAX}};

static alm_recipe sample(void) {
    alm_recipe r = {.data = files,
                    .n_data = 2,
                    .field = "msg",
                    .n_documents = 100,
                    .n_tokens = 4321,
                    .eval_share = 0.05,
                    .type = "f32",
                    .version = "0.1.0",
                    .numbers = 0,
                    .steps_done = 17,
                    .best_step = 10,
                    .tokens_done = 999,
                    .loss = 1.25,
                    .eval_loss = NAN,
                    .config = {.family = "llama",
                               .n_vocab = 512,
                               .hidden = 64,
                               .n_layers = 2,
                               .n_heads = 4,
                               .n_kv_heads = 2,
                               .head_dim = 16,
                               .ffn = 192,
                               .context = 128,
                               .norm_eps = 1e-5,
                               .rope_theta = 10000,
                               .tied = true}};
    alm_train_defaults(&r.options);
    r.options.epochs = 0;
    r.options.seed = UINT64_MAX, r.options.steps = 20, r.options.stop_at = 17, r.options.bf16 = true;
    memset(files[0].sha256, 'a', 64), memset(files[1].sha256, '0', 64);
    memset(r.tokens_sha256, 'b', 64), memset(r.tokenizer_sha256, 'c', 64);
    return r;
}

static void it_is_written_and_read_back_whole(void **state) {
    (void)state;
    alm_recipe r = sample(), back;
    alm_arena *a;
    alm_error err = {0};
    CHECK_OK(alm_arena_new(&a, 4096, 0, &err), &err);
    for (int indented = 0; indented < 2; indented++)
        for (int full = 0; full < 2; full++) {
            if (full) {
                r.tokenizer = "t.gguf", r.base = "base.gguf", r.format = "jsonl", r.redact = "", r.multiline = "off";
                r.eval_loss = 2.5;
                memset(r.base_sha256, 'd', 64), memset(r.model_sha256, 'e', 64);
            }
            alm_buf one = alm_buf_with_limit(1 << 20), two = alm_buf_with_limit(1 << 20);
            CHECK_OK(alm_recipe_write(&one, &r, indented, &err), &err);
            CHECK_OK(alm_recipe_parse(&back, "r", alm_buf_str(&one), a, &err), &err);
            CHECK_INT(back.n_data, 2);
            CHECK_STR(alm_str_of(back.data[0].path), files[0].path);
            CHECK(back.data[1].bytes == UINT64_MAX && back.options.seed == UINT64_MAX && back.options.bf16);
            CHECK(!full || strcmp(back.redact, "") == 0);
            CHECK_OK(alm_recipe_write(&two, &back, indented, &err), &err);
            CHECK_STR(alm_buf_str(&two), alm_buf_text(&one));
            alm_buf_free(&one), alm_buf_free(&two);
        }
    alm_arena_free(a);
}

static void what_is_missing_or_wrong_is_named(void **state) {
    (void)state;
    alm_recipe r = sample(), back;
    alm_arena *a;
    alm_error err = {0};
    CHECK_OK(alm_arena_new(&a, 4096, 0, &err), &err);
    alm_buf b = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_recipe_write(&b, &r, false, &err), &err);
    static const struct {
        const char *from, *to, *says;
        alm_status st;
    } cases[] = {{"\"hidden\":64", "\"hidden\":-4", "model.hidden", ALM_MALFORMED},
                 {"\"lr\":", "\"lx\":", "training.lr", ALM_MALFORMED},
                 {"\"recipe\":1", "\"recipe\":9", "version 9", ALM_UNSUPPORTED},
                 {"\"recipe\":1", "\"receipt\":1", "no recipe", ALM_MALFORMED},
                 {"cccc", "CCCC", "tokenizer.sha256", ALM_MALFORMED},
                 {"\"tied\":true", "\"tied\":1", "model.tied", ALM_MALFORMED},
                 {"\"bytes\":12345", "\"bytes\":1.5", "data file 1", ALM_MALFORMED},
                 {"\"data\":", "\"date\":", "names no data", ALM_MALFORMED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t at = alm_str_find(alm_buf_str(&b), alm_str_of(cases[i].from));
        CHECK(at != SIZE_MAX);
        alm_buf bad = alm_buf_with_limit(1 << 20);
        alm_buf_add(&bad, b.at, at);
        alm_buf_add_text(&bad, cases[i].to);
        size_t behind = at + strlen(cases[i].from);
        alm_buf_add(&bad, b.at + behind, b.n - behind);
        CHECK_INT(alm_recipe_parse(&back, "r.json", alm_buf_str(&bad), a, &err), cases[i].st);
        CHECK_HOLDS(err.text, cases[i].says);
        alm_buf_free(&bad);
    }
    for (size_t n = 0; n < b.n; n += 7) {
        alm_status st = alm_recipe_parse(&back, "r", alm_str_make(b.at, n), a, &err);
        CHECK_INT(st, ALM_MALFORMED);
    }
    alm_buf_free(&b);
    alm_arena_free(a);
}

static void a_curve_is_one_svg_of_bounded_size(void **state) {
    (void)state;
    static alm_train_point p[30000];
    alm_error err = {0};
    for (size_t i = 0; i < 30000; i++)
        p[i] = (alm_train_point){.loss = 1 + 3 / (1 + (double)i / 50),
                                 .lr = 1e-3,
                                 .eval_loss = i % 100 == 99 ? 1.2 + 3 / (1 + (double)i / 50) : NAN};
    const size_t sizes[] = {0, 1, 2, 50, 801, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        alm_buf b = alm_buf_with_limit(1 << 20);
        CHECK_OK(alm_curve_svg(&b, p, sizes[i], &(alm_curve_words){.title = "<a&b>"}, &err), &err);
        const char *text = alm_buf_text(&b);
        CHECK(b.n < 100000);
        CHECK(alm_str_starts(alm_buf_str(&b), ALM_STR("<svg ")) && alm_str_ends(alm_buf_str(&b), ALM_STR("</svg>\n")));
        CHECK_HOLDS(text, "&lt;a&amp;b&gt;");
        CHECK(!strstr(text, "nan") && !strstr(text, "inf"));
        CHECK(sizes[i] < 200 || strstr(text, "class=\"eval\"") != NULL);
        alm_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_written_and_read_back_whole),
        cmocka_unit_test(what_is_missing_or_wrong_is_named),
        cmocka_unit_test(a_curve_is_one_svg_of_bounded_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
