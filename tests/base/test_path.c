/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_path.c - path names and the XDG folders. */
#include "alm_test.h"

#include "base/path.h"

static void joined_paths_have_one_slash_between(void **state) {
    (void)state;
    static const char *const row[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"},  {"a//", "/b", "a/b"},
                                         {"/", "b", "/b"},  {"//", "//b", "/b"}, {"", "b", "b"},
                                         {"", "/b", "/b"},  {"a", "", "a/"}};
    alm_buf out = alm_buf_with_limit(100);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        CHECK_OK(alm_path_join(&out, row[i][0], row[i][1], NULL), NULL);
        CHECK_STR(alm_buf_str(&out), row[i][2]);
        CHECK(out.at[out.n] == '\0');
    }
    alm_error err;
    alm_buf small = alm_buf_with_limit(3);
    CHECK_STATUS(alm_path_join(&small, "ab", "cd", &err), ALM_LIMIT, &err);
    CHECK_OK(alm_path_join(&small, "a", "b", &err), &err); /* joining again begins anew */
    alm_buf_free(&small);
    alm_buf_free(&out);
}

static void parts_of_a_path_are_found(void **state) {
    (void)state;
    static const char *const row[][4] = {/* path, folder, name, extension */
                                         {"/a/b.txt", "/a", "b.txt", ".txt"},
                                         {"b", ".", "b", ""},
                                         {"/b", "/", "b", ""},
                                         {"a.d/b", "a.d", "b", ""},
                                         {"x.tar.gz", ".", "x.tar.gz", ".gz"},
                                         {".bashrc", ".", ".bashrc", ""},
                                         {"a/.x.y", "a", ".x.y", ".y"},
                                         {"a//b", "a", "b", ""},
                                         {"//b", "/", "b", ""},
                                         {"", ".", "", ""},
                                         {"a/", "a", "", ""},
                                         {"a.", ".", "a.", "."}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        CHECK_STR(alm_path_dir(row[i][0]), row[i][1]);
        CHECK_STR(alm_path_base(row[i][0]), row[i][2]);
        CHECK_STR(alm_path_ext(row[i][0]), row[i][3]);
    }
}

static void the_xdg_folders_follow_the_standard(void **state) {
    (void)state;
    alm_error err;
    alm_buf out = alm_buf_with_limit(1000);
    setenv("HOME", "/home/k", 1);
    unsetenv("XDG_DATA_HOME"), unsetenv("XDG_CONFIG_HOME"), unsetenv("XDG_CACHE_HOME"), unsetenv("XDG_STATE_HOME");
    static const char *const home[] = {"/home/k/.local/share/allmende", "/home/k/.config/allmende",
                                       "/home/k/.cache/allmende", "/home/k/.local/state/allmende"};
    for (int i = 0; i < 4; i++) {
        CHECK_OK(alm_path_xdg(&out, (alm_xdg)i, &err), &err);
        CHECK_STR(alm_buf_str(&out), home[i]);
    }
    setenv("XDG_DATA_HOME", "/data", 1);
    CHECK_OK(alm_path_xdg(&out, ALM_XDG_DATA, &err), &err);
    CHECK_STR(alm_buf_str(&out), "/data/allmende");
    setenv("XDG_DATA_HOME", "relative", 1);
    CHECK_OK(alm_path_xdg(&out, ALM_XDG_DATA, &err), &err);
    CHECK_STR(alm_buf_str(&out), home[0]);
    unsetenv("HOME");
    CHECK_STATUS(alm_path_xdg(&out, ALM_XDG_DATA, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.hint, "XDG_DATA_HOME");
    alm_buf_free(&out);
    setenv("HOME", "/", 1);
}

static alm_status both(void *arg) {
    (void)arg;
    alm_buf out = alm_buf_with_limit(1000);
    alm_status st = alm_path_join(&out, "some/folder", "name", NULL);
    if (st == ALM_OK) st = alm_path_xdg(&out, ALM_XDG_CACHE, NULL);
    alm_buf_free(&out);
    return st;
}

static void a_failed_allocation_is_reported(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(both, NULL) >= 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(joined_paths_have_one_slash_between),
    cmocka_unit_test(parts_of_a_path_are_found),
    cmocka_unit_test(the_xdg_folders_follow_the_standard),
    cmocka_unit_test(a_failed_allocation_is_reported),
};
ALM_TEST_MAIN(tests)
