/* SPDX-License-Identifier: Apache-2.0
 *
 * interrupt.c - the handler only sets a flag; long work looks at it between records. No SA_RESTART: a read that waits
 * for a terminal or a pipe must come back to see the flag. */
#include "cli/interrupt.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static alm_cancel cancel;

static void on_signal(int number) {
    (void)number;
    cancel.requested = 1;
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
    action.sa_flags = (int)SA_RESETHAND;
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
