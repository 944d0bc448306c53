/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_write.c - a file is there whole, or as it was before. */
#include "alm_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

static size_t files_in(const char *folder) {
    alm_names names;
    alm_error err;
    CHECK_OK(alm_dir_list(&names, folder, &err), &err);
    size_t n = names.n;
    alm_names_free(&names);
    return n;
}

static bool holds(const char *path, const char *text) {
    size_t n;
    char *got = alm_test_slurp(path, &n);
    bool same = n == strlen(text) && memcmp(got, text, n) == 0;
    alm_free(got);
    return same;
}

static const char *fresh(const char *name) {
    alm_error err;
    const char *folder = alm_test_path(name);
    CHECK_OK(alm_dir_make(folder, &err), &err);
    return folder;
}

static void the_target_changes_at_commit_only(void **state) {
    (void)state;
    alm_error err;
    alm_write w;
    const char *folder = fresh("commit"), *path = alm_test_join(folder, "target");
    alm_test_write(path, "old", 3);
    CHECK_OK(alm_write_begin(&w, path, &err), &err);
    for (int i = 0; i < 100000; i++) CHECK(alm_write_add(&w, "0123456789", 10));
    CHECK(alm_write_add(&w, NULL, 0));
    CHECK_INT(w.n_written, 1000000);
    CHECK(holds(path, "old") && files_in(folder) == 2);
    CHECK_OK(alm_write_commit(&w, &err), &err);
    size_t n;
    char *got = alm_test_slurp(path, &n);
    CHECK(n == 1000000 && memcmp(got + 999990, "0123456789", 10) == 0);
    alm_free(got);
    CHECK_INT(files_in(folder), 1);
    alm_write_abort(&w);
    CHECK_STATUS(alm_write_commit(&w, &err), ALM_INVALID, &err);
}

static void an_abort_leaves_no_trace(void **state) {
    (void)state;
    alm_error err;
    const char *folder = fresh("abort"), *path = alm_test_join(folder, "target");
    alm_write w, never = {0};
    CHECK_OK(alm_write_begin(&w, path, &err), &err);
    CHECK(alm_write_add(&w, "x", 1));
    alm_write_abort(&w);
    CHECK_INT(files_in(folder), 0);
    alm_write_abort(&w);
    alm_write_abort(&never); /* whose fd is 0: standard input stays open */
    CHECK(fcntl(0, F_GETFD) != -1 || errno == EBADF);
    CHECK(!alm_write_add(&w, "x", 1));
}

static void modes_and_links_are_kept(void **state) {
    (void)state;
    struct stat info;
    const char *folder = fresh("modes"), *path = alm_test_join(folder, "target"), *link = alm_test_join(folder, "link");
    mode_t before = umask(027);
    alm_test_write(path, "old", 3);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0640);
    umask(before);
    CHECK(chmod(path, 0604) == 0 && symlink("target", link) == 0);
    alm_test_write(link, "new", 3);
    CHECK(lstat(link, &info) == 0 && S_ISLNK(info.st_mode));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 07777) == 0604 && holds(path, "new"));
    CHECK_INT(files_in(folder), 2);
}

static void a_full_disk_is_said_and_the_old_file_stays(void **state) {
    (void)state;
    alm_error err = {0};
    CHECK_STATUS(alm_file_write("/dev/full", "x", 1, &err), ALM_IO, &err);
    CHECK_HOLDS(err.text, "/dev/full: cannot write: ");
    CHECK_HOLDS(err.hint, "the disk or quota is full");
    /* A limit on file size is as good as a full disk for a file that is put in place. */
    const char *folder = fresh("full"), *path = alm_test_join(folder, "target");
    alm_test_write(path, "old", 3);
    struct rlimit kept, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &kept) == 0);
    small = kept;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    static char big[200000];
    alm_status st = alm_file_write(path, big, sizeof big, &err);
    setrlimit(RLIMIT_FSIZE, &kept);
    CHECK_STATUS(st, ALM_IO, &err);
    CHECK_HOLDS(err.text, "target: cannot write: ");
    CHECK_HOLDS(err.hint, "ulimit");
    CHECK(holds(path, "old"));
    CHECK_INT(files_in(folder), 1);
}

static void what_cannot_be_begun_is_said(void **state) {
    (void)state;
    alm_error err;
    alm_write w;
    CHECK_STATUS(alm_write_begin(&w, alm_test_path("absent/target"), &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "absent/: cannot make a file in this folder");
    CHECK_HOLDS(err.hint, "make the folder first");
    CHECK_STATUS(alm_write_begin(&w, alm_test_dir(), &err), ALM_IO, &err);
    CHECK_HOLDS(err.text, "is a folder");
    alm_write_abort(&w);
    char name[260];
    memset(name, 'n', sizeof name);
    name[255] = '\0'; /* as long as a name may be: the temporary one is shorter */
    alm_test_write(alm_test_join(fresh("long"), name), "x", 1);
    CHECK(holds(alm_test_join(alm_test_path("long"), name), "x"));
}

static void a_pipe_is_written_directly(void **state) {
    (void)state;
    alm_error err;
    const char *path = alm_test_path("pipe");
    CHECK(mkfifo(path, 0600) == 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_OK(alm_file_write(path, "through", 7, &err), &err);
    char got[10];
    CHECK(read(fd, got, sizeof got) == 7 && memcmp(got, "through", 7) == 0);
    close(fd);
    struct stat info;
    CHECK(stat(path, &info) == 0 && S_ISFIFO(info.st_mode));
    unlink(path);
}

static alm_status write_all(void *arg) { return alm_file_write(arg, "new", 3, NULL); }

static void a_failed_allocation_leaves_the_old_file(void **state) {
    (void)state;
    char path[PATH_MAX];
    const char *folder = fresh("memory");
    snprintf(path, sizeof path, "%s", alm_test_join(folder, "target"));
    alm_test_write(path, "old", 3);
    alm_test_fail_alloc(3, false); /* the buffer of pending bytes */
    CHECK(alm_file_write(path, "new", 3, NULL) == ALM_NO_MEMORY);
    alm_test_fail_alloc(0, false);
    CHECK(holds(path, "old"));
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(write_all, path) == 3);
    CHECK(holds(path, "new"));
    CHECK_INT(files_in(folder), 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_target_changes_at_commit_only),
    cmocka_unit_test(an_abort_leaves_no_trace),
    cmocka_unit_test(modes_and_links_are_kept),
    cmocka_unit_test(a_full_disk_is_said_and_the_old_file_stays),
    cmocka_unit_test(what_cannot_be_begun_is_said),
    cmocka_unit_test(a_pipe_is_written_directly),
    cmocka_unit_test(a_failed_allocation_leaves_the_old_file),
};
ALM_TEST_MAIN(tests)
