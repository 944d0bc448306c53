/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_file.c - reading files, folders, patterns. */
#include "alm_test.h"

static void a_mapped_file_is_the_file(void **state) {
    (void)state;
    alm_error err;
    alm_map m;
    const char *path = alm_test_path("mapped");
    alm_test_write(path, "some\0bytes", 10);
    CHECK_OK(alm_map_open(&m, path, &err), &err);
    CHECK(m.n == 10 && memcmp(m.at, "some\0bytes", 10) == 0);
    alm_map_close(&m);
    CHECK(m.base == NULL && m.n == 0);
    alm_map_close(&m);
    alm_test_write(path, "", 0);
    CHECK_OK(alm_map_open(&m, path, &err), &err);
    CHECK(m.n == 0);
    alm_map_close(&m);
}

static void what_cannot_be_mapped_is_said(void **state) {
    (void)state;
    alm_error err;
    alm_map m;
    CHECK_STATUS(alm_map_open(&m, alm_test_path("absent"), &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "absent: cannot open: ");
    CHECK_STATUS(alm_map_open(&m, alm_test_dir(), &err), ALM_IO, &err);
    CHECK_HOLDS(err.text, "is a folder, not a regular file");
    CHECK_STATUS(alm_map_open(&m, "/dev/null", &err), ALM_IO, &err);
    alm_map_close(&m);
}

static void a_file_is_read_whole_up_to_the_limit(void **state) {
    (void)state;
    alm_error err;
    const char *path = alm_test_path("whole");
    static char big[300000];
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)(i * 7 + i / 256);
    alm_test_write(path, big, sizeof big);
    alm_buf b = alm_buf_with_limit(sizeof big + 3);
    alm_buf_add_text(&b, "abc");
    CHECK_OK(alm_file_read(&b, path, &err), &err);
    CHECK(b.n == sizeof big + 3 && memcmp(b.at + 3, big, sizeof big) == 0);
    alm_buf_free(&b);
    b = alm_buf_with_limit(sizeof big + 2);
    alm_buf_add_text(&b, "abc");
    CHECK_STATUS(alm_file_read(&b, path, &err), ALM_LIMIT, &err);
    CHECK_HOLDS(err.text, "has 300000 bytes, the limit is 300002");
    CHECK_STR(alm_buf_str(&b), "abc");
    CHECK_STATUS(alm_file_read(&b, alm_test_path("absent"), &err), ALM_NOT_FOUND, &err);
    CHECK_STATUS(alm_file_read(&b, alm_test_dir(), &err), ALM_IO, &err);
    CHECK_STR(alm_buf_str(&b), "abc");
    alm_buf_free(&b);
    /* /proc says that its files are empty */
    b = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_file_read(&b, "/proc/self/status", &err), &err);
    CHECK(b.n > 50);
    alm_buf_free(&b);
    b = alm_buf_with_limit(20);
    CHECK_STATUS(alm_file_read(&b, "/proc/self/status", &err), ALM_LIMIT, &err);
    CHECK(b.n == 0);
    alm_buf_free(&b);
}

static void folders_are_made_with_their_parents(void **state) {
    (void)state;
    alm_error err;
    struct stat info;
    CHECK_OK(alm_dir_make(alm_test_path("a/b//c/"), &err), &err);
    CHECK(stat(alm_test_path("a/b/c"), &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 0777) == 0700);
    CHECK_OK(alm_dir_make(alm_test_path("a/b/c"), &err), &err);
    CHECK_OK(alm_dir_make("/", &err), &err);
    alm_test_write(alm_test_path("a/file"), "x", 1);
    CHECK_STATUS(alm_dir_make(alm_test_path("a/file/d"), &err), ALM_IO, &err);
    CHECK_HOLDS(err.text, "a/file: cannot make the folder");
    CHECK_STATUS(alm_dir_make("", &err), ALM_INVALID, &err);
    CHECK(alm_file_exists(alm_test_path("a/file")) && !alm_file_exists(alm_test_path("a/other")));
}

static void lists_are_sorted_by_bytes(void **state) {
    (void)state;
    static const char *const name[] = {"Zebra", "apple", "\xc3\xa4pfel", ".hidden", "b", "a b"};
    static const char *const sorted[] = {".hidden", "Zebra", "a b", "apple", "b", "\xc3\xa4pfel"};
    alm_error err;
    alm_names names;
    CHECK_OK(alm_dir_make(alm_test_path("list"), &err), &err);
    for (size_t i = 0; i < 6; i++) alm_test_write(alm_test_join(alm_test_path("list"), name[i]), "", 0);
    CHECK_OK(alm_dir_list(&names, alm_test_path("list"), &err), &err);
    CHECK_INT(names.n, 6);
    for (size_t i = 0; i < 6; i++) CHECK_STR(alm_str_of(names.at[i]), sorted[i]);
    alm_names_free(&names);
    CHECK(names.n == 0 && names.at == NULL);
    alm_names_free(&names);
    CHECK_STATUS(alm_dir_list(&names, alm_test_path("list/absent"), &err), ALM_NOT_FOUND, &err);
    CHECK_STATUS(alm_dir_list(&names, alm_test_path("list/b"), &err), ALM_IO, &err);
    CHECK_OK(alm_glob(&names, alm_test_path("list/[Za]*"), &err), &err);
    CHECK_INT(names.n, 3);
    CHECK(alm_str_ends(alm_str_of(names.at[0]), ALM_STR("list/Zebra")) &&
          alm_str_ends(alm_str_of(names.at[2]), ALM_STR("list/apple")));
    alm_names_free(&names);
    CHECK_OK(alm_glob(&names, alm_test_path("list/q*"), &err), &err);
    CHECK_INT(names.n, 0);
    alm_names_free(&names);
}

static alm_status map(void *arg) {
    alm_map m;
    alm_status st = alm_map_open(&m, arg, NULL);
    alm_map_close(&m);
    return st;
}
static alm_status read_whole(void *arg) {
    alm_buf b = alm_buf_with_limit(1 << 20);
    alm_status st = alm_file_read(&b, arg, NULL);
    if (st != ALM_OK) CHECK_INT(b.n, 0);
    alm_buf_free(&b);
    return st;
}
static alm_status make(void *arg) { return alm_dir_make(arg, NULL); }
static alm_status list(void *arg) {
    alm_names names;
    alm_status st = alm_dir_list(&names, arg, NULL);
    if (st != ALM_OK) CHECK(names.n == 0 && !names.at);
    alm_names_free(&names);
    return st;
}
static alm_status match(void *arg) {
    alm_names names;
    alm_status st = alm_glob(&names, arg, NULL);
    if (st != ALM_OK) CHECK(names.n == 0 && !names.at);
    alm_names_free(&names);
    return st;
}

static void no_allocation_that_fails_leaks(void **state) {
    (void)state;
    char path[PATH_MAX] = "";
    snprintf(path, sizeof path, "%s", alm_test_path("many"));
    alm_test_write(path, path, sizeof path);
    CHECK_INT(ALM_FOR_EACH_ALLOC_FAILURE(map, path), 0);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(read_whole, path) >= 1);
    snprintf(path, sizeof path, "%s", alm_test_path("list"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(make, path) >= 1);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(list, path) >= 6);
    snprintf(path, sizeof path, "%s", alm_test_path("list/*"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(match, path) >= 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_mapped_file_is_the_file),
    cmocka_unit_test(what_cannot_be_mapped_is_said),
    cmocka_unit_test(a_file_is_read_whole_up_to_the_limit),
    cmocka_unit_test(folders_are_made_with_their_parents),
    cmocka_unit_test(lists_are_sorted_by_bytes),
    cmocka_unit_test(no_allocation_that_fails_leaks),
};
ALM_TEST_MAIN(tests)
