/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupt.c - the handler only sets a flag; long work looks at it between records. No SA_RESTART: a read that waits
 * for a terminal or a pipe must come back to see the flag. */
#include "cli/interrupt.h"
#include "base/error.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static alm_cancel cancel;
static volatile sig_atomic_t asked;
static struct timespec asked_at; /* written before `asked` is set, by the first signal only */

/* `timeout` and some shells send one request twice, to the process and to its group: that is still one. Only a second one
 * after a fifth of a second means that somebody does not want to wait. */
static void on_signal(int number) {
    static const long long twice_ns = 200000000;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!asked) {
        asked_at = now;
        asked = 1;
        alm_cancel_request(&cancel);
        return;
    }
    long long ns = (now.tv_sec - asked_at.tv_sec) * 1000000000LL + (now.tv_nsec - asked_at.tv_nsec);
    if (ns < twice_ns) return;
    signal(number, SIG_DFL);
    raise(number); /* delivered as soon as this handler returns */
}

static void guard_descriptor(int fd, int flags) {
    if (fcntl(fd, F_GETFD) != -1) return;
    /* open gives the lowest free number: that is fd, as those below it are open by now. Where /dev/null is missing there
     * is nothing to save. */
    int got = open("/dev/null", flags | O_CLOEXEC);
    if (got > fd) close(got);
}

alm_cancel *alm_interrupt_start(void) {
    guard_descriptor(STDIN_FILENO, O_WRONLY);
    guard_descriptor(STDOUT_FILENO, O_RDONLY);
    guard_descriptor(STDERR_FILENO, O_RDONLY);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_signal;
    static const int asks[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        struct sigaction old;
        /* nohup and shells that start background jobs ignore some of them on purpose. */
        if (sigaction(asks[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
        sigaction(asks[i], &action, NULL);
    }
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    sigaction(SIGPIPE, &action, NULL);
    return &cancel;
}
