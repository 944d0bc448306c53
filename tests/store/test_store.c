/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c - the own store keeps what it is given without a copy; caches of others are read and never changed; a name
 * leads to one model or to a question. */
#include "alm_test.h"
#include "store/link.h"
#include "store/store.h"

#include <fcntl.h>
#include <time.h>

static void set_home(const char *name) {
    alm_error err = {0};
    const char *home = alm_test_path(name);
    CHECK_OK(alm_dir_make(home, &err), &err);
    setenv("HOME", home, 1);
    unsetenv("XDG_DATA_HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HF_HOME");
    unsetenv("HF_HUB_CACHE");
    unsetenv("OLLAMA_MODELS");
}

static const char *home_path(const char *name) { return alm_test_join(getenv("HOME"), name); }

static void copy_file(const char *from, const char *to) {
    size_t n;
    char *at = alm_test_slurp(from, &n);
    alm_test_write(to, at, n);
    alm_free(at);
}

static const char *model_file(void) {
    static char place[PATH_MAX];
    snprintf(place, sizeof place, "%s", alm_test_path("small.gguf"));
    copy_file(alm_test_source("tests/data/hostile/gguf/ok-two.gguf"), place);
    return place;
}

static alm_store_model added(const char *path, const char *name) {
    alm_store_model m = {0};
    alm_error err = {0};
    CHECK_OK(alm_store_add(&m, path, name, NULL, NULL, &err), &err);
    return m;
}

static size_t count_of(const char *folder) {
    alm_names names = {0};
    size_t n = alm_dir_list(&names, folder, NULL) == ALM_OK ? names.n : 0;
    alm_names_free(&names);
    return n;
}

static void a_file_comes_in_without_a_copy_and_goes_out_again(void **state) {
    (void)state;
    set_home("one");
    const char *file = model_file();
    struct stat before, blob;
    char path[PATH_MAX];
    alm_error err = {0};
    alm_store_model m = added(file, NULL), again;
    CHECK(strcmp(m.name, "small") == 0 && !m.was_there && m.n_file == 1 && strlen(m.file[0].digest) == 64);
    CHECK(stat(file, &before) == 0 && stat(m.path, &blob) == 0);
    CHECK(before.st_ino == blob.st_ino || strcmp(m.file[0].how, "reflink") == 0, "%s", m.file[0].how);
    snprintf(path, sizeof path, "%s", m.path);
    alm_store_model_free(&m);
    again = added(file, NULL);
    CHECK(again.was_there && strcmp(again.path, path) == 0);
    alm_store_model_free(&again);
    m = added(file, "me/other:q8");
    CHECK(strcmp(m.file[0].how, "there already") == 0);
    alm_store_model_free(&m);
    CHECK_OK(alm_store_get(&m, "me/other:q8", &err), &err);
    CHECK(m.n_file == 1 && strcmp(m.file[0].origin, file) == 0);
    alm_store_model_free(&m);
    CHECK_INT(count_of(home_path(".local/share/allmende/blobs")), 1);
    CHECK_OK(alm_store_remove("small", &err), &err);
    CHECK_INT(count_of(home_path(".local/share/allmende/blobs")), 1);
    CHECK_OK(alm_store_remove("me/other:q8", &err), &err);
    CHECK_INT(count_of(home_path(".local/share/allmende/blobs")), 0);
    CHECK_INT(count_of(home_path(".local/share/allmende/models")), 0);
    CHECK(alm_file_exists(file));
    CHECK_STATUS(alm_store_remove("small", &err), ALM_NOT_FOUND, &err);
    CHECK_STATUS(alm_store_get(&m, "small", &err), ALM_NOT_FOUND, &err);
}

static void a_name_belongs_to_one_content(void **state) {
    (void)state;
    set_home("two");
    alm_error err = {0};
    alm_store_model m = added(model_file(), "x");
    alm_store_model_free(&m);
    CHECK_STATUS(alm_store_add(&m, alm_test_source("tests/data/torch/tiny-llama/zip"), "x", NULL, NULL, &err),
                 ALM_INVALID, &err);
    CHECK_HOLDS(err.hint, "--name");
    static const char *const bad[] = {"", "../x", "a/b/c", "/a", "a/", ".x", "a--b", "a b", "a/.b", "a\\b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_STATUS(alm_store_add(&m, model_file(), bad[i], NULL, NULL, &err), ALM_INVALID, &err);
    CHECK_STATUS(alm_store_add(&m, alm_test_source("tests/data/hostile/pytorch/os-system.pt"), NULL, NULL, NULL, &err),
                 ALM_REFUSED, &err);
    CHECK_STATUS(alm_store_add(&m, alm_test_path("nothing"), NULL, NULL, NULL, &err), ALM_NOT_FOUND, &err);
}

static void a_folder_comes_in_with_its_files(void **state) {
    (void)state;
    set_home("three");
    alm_error err = {0};
    alm_store_model m = added(alm_test_source("tests/data/torch/tiny-llama/zip"), "org/tiny");
    CHECK_INT(m.n_file, 2);
    CHECK(alm_file_exists(alm_test_join(m.path, "config.json")));
    CHECK(alm_file_exists(alm_test_join(m.path, "pytorch_model.bin")));
    alm_buf path = alm_buf_with_limit(1 << 16);
    CHECK_OK(alm_ref_resolve(&path, "tiny", &err), &err);
    CHECK_STR(alm_buf_str(&path), m.path);
    alm_store_model_free(&m);
    alm_buf_free(&path);
}

/* -- what is changed behind the store's back ------------------------------------------------------------------------- */

static void set_time(const char *path, time_t s) {
    const struct timespec t[] = {{.tv_sec = s}, {.tv_sec = s}};
    CHECK(utimensat(AT_FDCWD, path, t, 0) == 0);
}

static alm_stored_state state_at(const char *path) {
    alm_store_model m = {0};
    alm_error err = {0};
    CHECK_OK(alm_store_at(&m, path, &err), &err);
    CHECK(strcmp(m.name, "x") == 0 && strcmp(m.path, path) == 0);
    alm_stored_state state = m.file[0].state;
    alm_store_model_free(&m);
    return state;
}

/* By a symbolic link in place of the blob, so that it does not depend on what the file system of the test can do. */
static void a_file_that_was_written_to_is_noticed_and_mended(void **state) {
    (void)state;
    set_home("changed");
    alm_error err = {0};
    const char *file = model_file();
    char blob[PATH_MAX], path[PATH_MAX], written[PATH_MAX];
    size_t n;
    char *content = alm_test_slurp(file, &n);
    alm_store_model m = added(file, "x");
    snprintf(path, sizeof path, "%s", m.path);
    CHECK(realpath(path, blob) != NULL);
    snprintf(written, sizeof written, "%s", alm_test_path("written.gguf"));
    alm_store_model_free(&m);
    CHECK_INT(state_at(path), ALM_STORED_AS_ADDED);
    CHECK_STATUS(alm_store_at(&m, file, &err), ALM_NOT_FOUND, &err);
    CHECK_STATUS(alm_store_at(&m, home_path(".local/share/allmende/models/y"), &err), ALM_NOT_FOUND, &err);

    set_time(blob, 1); /* the same size */
    CHECK_INT(state_at(path), ALM_STORED_CHANGED);
    CHECK(unlink(blob) == 0);
    CHECK_INT(state_at(path), ALM_STORED_GONE);
    alm_test_write(written, "longer", 6);
    CHECK(symlink(written, blob) == 0);
    CHECK_INT(state_at(path), ALM_STORED_CHANGED);

    m = added(file, "x"); /* the content that it should have */
    CHECK(m.was_there && m.mended && m.file[0].state == ALM_STORED_AS_ADDED);
    alm_store_model_free(&m);
    CHECK_INT(state_at(path), ALM_STORED_AS_ADDED);
    m = added(file, "x");
    CHECK(m.was_there && !m.mended);
    alm_store_model_free(&m);
    size_t n_blob;
    char *now = alm_test_slurp(path, &n_blob);
    CHECK(n_blob == n && memcmp(now, content, n) == 0);
    alm_free(now);

    CHECK(unlink(blob) == 0 && symlink(written, blob) == 0);
    m = added(file, "y"); /* a blob under this digest is taken only when it still has its content */
    CHECK(strcmp(m.file[0].how, "there already") != 0);
    alm_store_model_free(&m);
    CHECK_INT(state_at(path), ALM_STORED_AS_ADDED);
    CHECK_OK(alm_store_remove("x", &err), &err);
    CHECK_OK(alm_store_remove("y", &err), &err);
    alm_free(content);
}

static void ask_to_stop(void *arg, const char *what, uint64_t done, uint64_t total) {
    CHECK(what != NULL && done > 0 && done <= total);
    alm_cancel_request(arg);
}

static void adding_can_be_stopped_and_then_nothing_has_come_in(void **state) {
    (void)state;
    set_home("stopped");
    alm_cancel cancel = {0};
    alm_log log = {.progress = ask_to_stop, .arg = &cancel};
    alm_error err = {0};
    alm_store_model m = {0};
    CHECK_STATUS(alm_store_add(&m, model_file(), "x", &log, &cancel, &err), ALM_INTERRUPTED, &err);
    CHECK(m.name == NULL && !alm_file_exists(home_path(".local/share/allmende/store.db")));
    CHECK_INT(count_of(home_path(".local/share/allmende/blobs")), 0);
    CHECK_OK(alm_store_add(&m, model_file(), "x", NULL, NULL, &err), &err);
    alm_store_model_free(&m);
}

/* -- caches of others ------------------------------------------------------------------------------------------------- */

static void make_caches(void) {
    static const char *const folders[] = {".ollama/models/blobs",
                                          ".ollama/models/manifests/registry.ollama.ai/library/small",
                                          ".ollama/models/manifests/registry.ollama.ai/me/own",
                                          ".cache/huggingface/hub/models--org--small/refs",
                                          ".cache/huggingface/hub/models--org--small/snapshots/c0ffee",
                                          ".cache/huggingface/hub/models--org--files/snapshots/1"};
    static const char manifest[] =
        "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.template\",\"digest\":\"sha256:00\"},"
        "{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"sha256:"
        "0123456789012345678901234567890123456789012345678901234567890123\",\"size\":1}]}";
    static const char escape[] =
        "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"sha256:"
        "../../../../../../../../../../../../../../../../../../../etc/passwd\"}]}";
    alm_error err = {0};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        CHECK_OK(alm_dir_make(home_path(folders[i]), &err), &err);
    copy_file(model_file(), home_path(".ollama/models/blobs/"
                                      "sha256-0123456789012345678901234567890123456789012345678901234567890123"));
    const char *small = ".ollama/models/manifests/registry.ollama.ai/library/small";
    alm_test_write(alm_test_join(home_path(small), "1b"), manifest, sizeof manifest - 1);
    alm_test_write(alm_test_join(home_path(small), "latest"), manifest, sizeof manifest - 1);
    alm_test_write(alm_test_join(home_path(small), "bad"), escape, sizeof escape - 1);
    alm_test_write(alm_test_join(home_path(small), "broken"), "{", 1);
    alm_test_write(home_path(".ollama/models/manifests/registry.ollama.ai/me/own/q4"), manifest, sizeof manifest - 1);
    const char *hub = ".cache/huggingface/hub/models--org--small";
    alm_test_write(alm_test_join(home_path(hub), "refs/main"), "c0ffee", 6);
    alm_test_write(alm_test_join(home_path(hub), "snapshots/c0ffee/model.safetensors"), "x", 1);
    const char *files = ".cache/huggingface/hub/models--org--files/snapshots/1";
    alm_test_write(alm_test_join(home_path(files), "a-Q4_0.gguf"), "x", 1);
    alm_test_write(alm_test_join(home_path(files), "b-00001-of-00002.gguf"), "x", 1);
    alm_test_write(alm_test_join(home_path(files), "b-00002-of-00002.gguf"), "x", 1);
}

static void models_of_other_programs_are_found(void **state) {
    (void)state;
    set_home("four");
    make_caches();
    alm_error err = {0};
    alm_stored_list l = {0};
    static const char *const want[] = {
        "me/own:q4", "org/files/a-Q4_0.gguf", "org/files/b-00001-of-00002.gguf", "org/small",
        "small:1b",  "small:latest"};
    CHECK_OK(alm_store_list_all(&l, &err), &err);
    CHECK_INT(l.n, 6);
    for (size_t i = 0; i < l.n; i++) {
        CHECK(strcmp(l.at[i].name, want[i]) == 0, "%s", l.at[i].name);
        CHECK(alm_file_exists(l.at[i].path) && l.at[i].n_bytes > 0);
    }
    alm_stored_list_free(&l);
    setenv("OLLAMA_MODELS", "/nowhere", 1);
    setenv("HF_HOME", "/nowhere", 1);
    CHECK_OK(alm_store_list_all(&l, &err), &err);
    CHECK_INT(l.n, 0);
    alm_stored_list_free(&l);
}

static void a_name_leads_to_one_model_or_to_a_question(void **state) {
    (void)state;
    set_home("five");
    make_caches();
    alm_error err = {0};
    alm_buf path = alm_buf_with_limit(1 << 16);
    CHECK_OK(alm_ref_resolve(&path, "small:1b", &err), &err);
    CHECK(strstr(path.at, "blobs/sha256-0123"));
    CHECK_OK(alm_ref_resolve(&path, "small", &err),
             &err); /* the whole name small:latest, before the shortened org/small */
    CHECK(strstr(path.at, "blobs/sha256-0123"));
    CHECK_OK(alm_ref_resolve(&path, "huggingface:small", &err), &err);
    CHECK(strstr(path.at, "snapshots/c0ffee"));
    CHECK_OK(alm_ref_resolve(&path, "own", &err), &err);
    alm_store_model m = added(model_file(), "org/small");
    alm_store_model_free(&m);
    CHECK_STATUS(alm_ref_resolve(&path, "org/small", &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "huggingface:org/small, store:org/small");
    CHECK_OK(alm_ref_resolve(&path, "store:org/small", &err), &err);
    CHECK(strstr(path.at, "models/org--small/small.gguf"));
    CHECK_STATUS(alm_ref_resolve(&path, "unheard-of", &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.hint, "alm list");
    static const char *const as_they_are[] = {"builtin:", "./gone", "/gone", "gone.gguf", "."};
    for (size_t i = 0; i < sizeof as_they_are / sizeof *as_they_are; i++) {
        CHECK_OK(alm_ref_resolve(&path, as_they_are[i], &err), &err);
        CHECK_STR(alm_buf_str(&path), as_they_are[i]);
    }
    alm_buf_free(&path);
}

static alm_status look(void *arg) {
    alm_store_model m = {0};
    alm_buf path = alm_buf_with_limit(1 << 16);
    (void)arg;
    alm_status st = alm_ref_resolve(&path, "store:x", NULL);
    if (st == ALM_OK) st = alm_store_get(&m, "x", NULL);
    alm_store_model_free(&m);
    if (st == ALM_OK) st = alm_store_at(&m, path.at, NULL);
    alm_store_model_free(&m);
    alm_buf_free(&path);
    return st;
}

static void looking_without_memory_leaks_nothing(void **state) {
    (void)state;
    set_home("six");
    make_caches();
    alm_store_model m = added(model_file(), "x");
    alm_store_model_free(&m);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(look, NULL) > 30);
}

/* Every seventh request only: each try waits for the disk. */
static void adding_without_memory_leaves_nothing_half_done(void **state) {
    (void)state;
    set_home("seven");
    const char *file = model_file();
    for (size_t nth = 1;; nth += 7) {
        size_t before = alm_test_live_blocks();
        alm_store_model m = {0};
        alm_test_fail_alloc(nth, true);
        alm_status st = alm_store_add(&m, file, "x", NULL, NULL, NULL);
        alm_test_fail_alloc(0, false);
        alm_store_model_free(&m);
        CHECK(alm_test_live_blocks() == before, "allocation %zu", nth);
        if (st == ALM_OK) break;
        CHECK_STATUS(st, ALM_NO_MEMORY, NULL);
        CHECK_STATUS(alm_store_get(&m, "x", NULL), ALM_NOT_FOUND, NULL);
    }
    char blob[PATH_MAX];
    alm_error err = {0};
    alm_store_model m = added(file, "x");
    CHECK(realpath(m.path, blob) != NULL);
    alm_store_model_free(&m);
    CHECK(unlink(blob) == 0);
    for (size_t nth = 1;; nth += 7) { /* and mending */
        size_t before = alm_test_live_blocks();
        alm_test_fail_alloc(nth, true);
        alm_status st = alm_store_add(&m, file, "x", NULL, NULL, NULL);
        alm_test_fail_alloc(0, false);
        if (st == ALM_OK) CHECK(m.was_there && (m.mended || alm_file_exists(blob)));
        alm_store_model_free(&m);
        CHECK(alm_test_live_blocks() == before, "allocation %zu", nth);
        if (st == ALM_OK) break;
        CHECK_STATUS(st, ALM_NO_MEMORY, NULL);
    }
    CHECK_OK(alm_store_remove("x", &err), &err);
    CHECK_INT(count_of(home_path(".local/share/allmende/blobs")), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_comes_in_without_a_copy_and_goes_out_again),
    cmocka_unit_test(a_name_belongs_to_one_content),
    cmocka_unit_test(a_folder_comes_in_with_its_files),
    cmocka_unit_test(a_file_that_was_written_to_is_noticed_and_mended),
    cmocka_unit_test(adding_can_be_stopped_and_then_nothing_has_come_in),
    cmocka_unit_test(models_of_other_programs_are_found),
    cmocka_unit_test(a_name_leads_to_one_model_or_to_a_question),
    cmocka_unit_test(looking_without_memory_leaks_nothing),
    cmocka_unit_test(adding_without_memory_leaves_nothing_half_done),
};

/* Each adding and taking out is a transaction, and each of those waits for the disk: in memory, where there is such a place and
 * nobody has named another. The files are a few kB. */
int main(void) {
    setlocale(LC_ALL, "");
    if (access("/dev/shm", W_OK | X_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
