/* SPDX-License-Identifier: Apache-2.0
 *
 * test_chat_source.c - a model's chat template and its tokens are found in GGUF files and folders. */
#include "alm_test.h"
#include "format/gguf.h"
#include "text/chat_source.h"

static void write_gguf(const char *path, const char *prefix, bool with_template) {
    alm_gguf_writer *w;
    alm_error err = {0};
    char key[100];
    const alm_str tokens[] = {ALM_STR("a"), ALM_STR("<s>"), ALM_STR("</s>")};
    CHECK_OK(alm_gguf_writer_new(&w, &err), &err);
    snprintf(key, sizeof key, "%stokenizer.ggml.tokens", prefix);
    alm_gguf_set_strings(w, key, tokens, 3);
    snprintf(key, sizeof key, "%stokenizer.ggml.bos_token_id", prefix);
    alm_gguf_set_u32(w, key, 1);
    snprintf(key, sizeof key, "%stokenizer.ggml.eos_token_id", prefix);
    alm_gguf_set_u32(w, key, 2);
    if (with_template) {
        snprintf(key, sizeof key, "%stokenizer.chat_template.tool_use", prefix);
        alm_gguf_set_str(w, key, ALM_STR("for tools"));
        snprintf(key, sizeof key, "%stokenizer.chat_template", prefix);
        alm_gguf_set_str(w, key, ALM_STR("usual"));
        snprintf(key, sizeof key, "%stokenizer.chat_templates", prefix);
        alm_gguf_set_str(w, key, ALM_STR("no template"));
    }
    CHECK_OK(alm_gguf_writer_save(w, path, &err), &err);
    alm_gguf_writer_free(w);
}

static void check_found(const char *path, const char *name, bool with_tools, const char *text, const char *bos,
                        const char *eos) {
    alm_chat_source s = {0};
    alm_error err = {0};
    CHECK_OK(alm_chat_source_open(&s, path, name, with_tools, &err), &err);
    CHECK_STR(alm_str_make(s.text, s.n), text);
    CHECK(strlen(s.text) == s.n);
    CHECK_STR(alm_str_of(s.bos_token), bos ? bos : "");
    CHECK_STR(alm_str_of(s.eos_token), eos ? eos : "");
    CHECK((s.bos_token != NULL) == (bos != NULL) && (s.eos_token != NULL) == (eos != NULL));
    alm_chat_source_free(&s);
}

static void check_refused(const char *path, const char *name, alm_status want, const char *part, const char *hint) {
    alm_chat_source s = {0};
    alm_error err = {0};
    CHECK_STATUS(alm_chat_source_open(&s, path, name, false, &err), want, &err);
    CHECK_HOLDS(err.text, part);
    CHECK_HOLDS(err.hint, hint);
    alm_chat_source_free(&s);
}

static void a_gguf_file_has_templates_by_name_and_the_tokens_of_its_vocabulary(void **state) {
    (void)state;
    const char *prefixes[] = {"", "alm.lm."};
    for (int i = 0; i < 2; i++) {
        const char *path = alm_test_path("with.gguf");
        write_gguf(path, prefixes[i], true);
        check_found(path, NULL, false, "usual", "<s>", "</s>");
        check_found(path, NULL, true, "for tools", "<s>", "</s>");
        check_found(path, "tool_use", false, "for tools", "<s>", "</s>");
        check_found(path, "default", true, "usual", "<s>", "</s>");
        check_refused(path, "rag", ALM_NOT_FOUND, "no chat template named 'rag'", "it has: tool_use, default");
        write_gguf(path, prefixes[i], false);
        check_refused(path, NULL, ALM_NOT_FOUND, "the model has no chat template", "");
    }
}

static void write_text(const char *folder, const char *name, const char *text) {
    alm_test_write(alm_test_join(folder, name), text, strlen(text));
}

static void a_folder_has_files_of_its_own_before_the_configuration(void **state) {
    (void)state;
    char folder[PATH_MAX];
    alm_error err = {0};
    snprintf(folder, sizeof folder, "%s", alm_test_path("model"));
    CHECK_OK(alm_dir_make(alm_test_join(folder, "additional_chat_templates"), &err), &err);
    check_refused(folder, NULL, ALM_NOT_FOUND, "the model has no chat template", "");
    write_text(folder, "special_tokens_map.json", "{\"bos_token\": {\"content\": \"<b>\"}, \"eos_token\": \"<e>\"}");
    write_text(folder, "tokenizer_config.json",
               "{\"chat_template\": \"in the configuration\", \"eos_token\": \"<end>\"}");
    check_found(folder, NULL, true, "in the configuration", "<b>", "<end>");
    write_text(folder, "chat_template.json", "{\"chat_template\": \"older\"}");
    check_found(folder, NULL, false, "older", "<b>", "<end>");
    write_text(folder, "chat_template.jinja", "own");
    check_found(folder, NULL, true, "own", "<b>", "<end>");
    write_text(folder, "additional_chat_templates/tool_use.jinja", "own for tools");
    check_found(folder, NULL, true, "own for tools", "<b>", "<end>");
    check_found(folder, "default", true, "own", "<b>", "<end>");
    check_found(folder, NULL, false, "own", "<b>", "<end>");
    check_refused(folder, "rag", ALM_NOT_FOUND, "no chat template named 'rag'", "it has: default");
    check_found(alm_test_join(folder, "chat_template.jinja"), NULL, false, "own", NULL, NULL);
    write_text(folder, "tokenizer_config.json", "{\"chat_template\": ");
    check_refused(folder, NULL, ALM_MALFORMED, "tokenizer_config.json: JSON at byte", "");
    check_refused(alm_test_path("nothing"), NULL, ALM_NOT_FOUND, "cannot open", "");
    check_refused(alm_test_path("nothing.json"), NULL, ALM_NOT_FOUND, "cannot open", "");
}

static void a_configuration_may_list_several(void **state) {
    (void)state;
    const char *path = alm_test_path("tokenizer_config.json");
    static const char several[] =
        "{\"bos_token\": null, \"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}, 7, "
        "{\"name\": \"default\", \"template\": \"d\"}, {\"name\": \"x\"}]}";
    alm_test_write(path, several, strlen(several));
    check_found(path, NULL, true, "d", NULL, NULL);
    check_found(path, "rag", false, "r", NULL, NULL);
    check_refused(path, "x", ALM_NOT_FOUND, "named 'x'", "it has: rag, default");
}

static alm_status open_one(void *path) {
    alm_chat_source s = {0};
    alm_error err = {0};
    alm_status st = alm_chat_source_open(&s, path, NULL, false, &err);
    alm_chat_source_free(&s);
    return st;
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_path("oom.gguf"));
    write_gguf(path, "", true);
    ALM_FOR_EACH_ALLOC_FAILURE(open_one, path);
    static const char config[] =
        "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"x\"}, \"chat_template\": \"t\"}";
    snprintf(path, sizeof path, "%s", alm_test_path("config"));
    alm_error err = {0};
    CHECK_OK(alm_dir_make(path, &err), &err);
    write_text(path, "tokenizer_config.json", config);
    ALM_FOR_EACH_ALLOC_FAILURE(open_one, path);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_gguf_file_has_templates_by_name_and_the_tokens_of_its_vocabulary),
    cmocka_unit_test(a_folder_has_files_of_its_own_before_the_configuration),
    cmocka_unit_test(a_configuration_may_list_several),
    cmocka_unit_test(every_failing_allocation_is_reported),
};
ALM_TEST_MAIN(tests)
