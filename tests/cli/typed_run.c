/* SPDX-License-Identifier: Apache-2.0
 *
 * typed_run.c - a shell in a fresh folder. Output goes to files beside the folder, so no pipe can fill up and block. */
#include "typed.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char base[256];
static int n_folder;

static void die(const char *what) {
    printf("Bail out! %s: %s\n", what, strerror(errno));
    exit(99);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void clean(void) {
    if (base[0]) nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *typed_folder(void) {
    static char at[300];
    if (!base[0]) {
        snprintf(base, sizeof base, "%.200s/alm-typed-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
        if (!mkdtemp(base)) die("mkdtemp");
        atexit(clean);
    }
    snprintf(at, sizeof at, "%s/%d", base, ++n_folder);
    if (mkdir(at, 0700) != 0) die("mkdir");
    return at;
}

bool typed_under_german(void) {
    const char *language = getenv("LANGUAGE"), *all = getenv("LC_ALL");
    if (language && *language) return strncmp(language, "de", 2) == 0;
    return all && strncmp(all, "de", 2) == 0;
}

static char *slurp(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    size_t n = 0, cap = 1 << 16;
    char *at = malloc(cap);
    if (!at) die("malloc");
    for (size_t got; (got = fread(at + n, 1, cap - n - 1, f)) > 0;) {
        n += got;
        if (n + 1 < cap) continue;
        char *more = realloc(at, cap *= 2);
        if (!more) die("realloc");
        at = more;
    }
    fclose(f);
    for (size_t i = 0; i < n; i++)
        if (!at[i]) at[i] = '?';
    at[n] = '\0';
    return at;
}

/* A locale of the environment is kept when it is German already (the suite is run once under de_DE.UTF-8); otherwise
 * C.UTF-8 with LANGUAGE, which needs no locale to be installed. */
static void set_language(bool german) {
    if (german && typed_under_german() && getenv("LC_ALL")) return;
    setenv("LC_ALL", "C.UTF-8", 1);
    if (german) setenv("LANGUAGE", "de", 1);
    else unsetenv("LANGUAGE");
}

static void child(const char *folder, const char *script, const char *in, const char *out, const char *err,
                  bool german) {
    setpgid(0, 0);
    int fd0 = open(in, O_RDONLY), fd1 = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600),
        fd2 = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd0 < 0 || fd1 < 0 || fd2 < 0 || dup2(fd0, 0) < 0 || dup2(fd1, 1) < 0 || dup2(fd2, 2) < 0) _exit(98);
    close(fd0), close(fd1), close(fd2);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    char path[8192];
    const char *build = getenv("ALM_BUILD_ROOT"), *old = getenv("PATH");
    snprintf(path, sizeof path, "%s/src/cli:%s", build ? build : ".", old ? old : "/usr/bin:/bin");
    setenv("PATH", path, 1);
    setenv("HOME", folder, 1);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR"), unsetenv("COLUMNS"), unsetenv("ALM_LOCALE_DIR"), unsetenv("ALM_ISA");
    unsetenv("XDG_STATE_HOME"), unsetenv("XDG_DATA_HOME"), unsetenv("SOURCE_DATE_EPOCH");
    set_language(german);
    if (chdir(folder) != 0) _exit(98);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(97);
}

/* Waits up to three minutes (sanitizers are slow); a test that hangs is a failed test, not a suite that never ends. */
static int wait_for(pid_t pid) {
    for (int tick = 0; tick < 18000; tick++) {
        int status;
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        struct timespec pause = {0, tick < 100 ? 1000000 : 10000000};
        nanosleep(&pause, NULL);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 124;
}

typed_result typed_run(const char *folder, const char *script, const char *input, bool german) {
    char in[320], out[320], err[320];
    snprintf(in, sizeof in, "%s.in", folder);
    snprintf(out, sizeof out, "%s.out", folder);
    snprintf(err, sizeof err, "%s.err", folder);
    FILE *f = fopen(in, "wb");
    if (!f) die(in);
    if (input) fputs(input, f);
    if (fclose(f) != 0) die(in);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) child(folder, script, in, out, err, german);
    typed_result r = {.code = wait_for(pid)};
    r.out = slurp(out);
    r.err = slurp(err);
    return r;
}

void typed_result_free(typed_result *r) {
    free(r->out);
    free(r->err);
}
