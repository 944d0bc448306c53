/* SPDX-License-Identifier: Apache-2.0
 *
 * line_blocks.c - the lines of an input, many at a time.
 *
 * Invariant: the text that waits is whole lines with their ends, then the part of a line that has no end yet. */
#include "cli/line_blocks.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 18, READ_BYTES = 1 << 16, MOST = 1 << 30 };

typedef struct blocks {
    alm_cli *cli;
    alm_lines_fn *fn;
    void *arg;
    alm_buf text;
} blocks;

/* Gives the whole lines that wait; `all`: what has no newline is a line too. */
static alm_status give(blocks *b, bool all, alm_error *err) {
    alm_str line[ALM_BLOCK_LINES], rest = alm_buf_str(&b->text);
    alm_status st = ALM_OK;
    for (size_t n = 0; st == ALM_OK;) {
        size_t end = alm_str_find_byte(rest, '\n');
        bool has = end != SIZE_MAX || (all && rest.n);
        if (has) {
            alm_str l = alm_str_slice(rest, 0, end == SIZE_MAX ? rest.n : end);
            rest = alm_str_slice(rest, end == SIZE_MAX ? rest.n : end + 1, rest.n);
            if (l.n && l.at[l.n - 1] == '\r') l.n--;
            line[n++] = l;
        }
        if (n && (n == ALM_BLOCK_LINES || !has)) {
            st = b->fn(b->arg, line, n, err);
            n = 0;
        }
        if (!has) break;
    }
    if (rest.n) memmove(b->text.at, rest.at, rest.n);
    b->text.n = rest.n;
    return st;
}

static bool waits(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

static alm_status read_all(blocks *b, int fd, const char *name, alm_error *err) {
    for (;;) {
        if (alm_cli_stopped(b->cli)) return alm_fail(err, ALM_INTERRUPTED, "%s", _("interrupted"));
        if (!alm_buf_reserve(&b->text, READ_BYTES)) return alm_buf_status(&b->text, err);
        ssize_t n = read(fd, b->text.at + b->text.n, READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return alm_fail_errno(err, errno, "%s", name);
        if (n == 0) return give(b, true, err);
        b->text.n += (size_t)n;
        if (b->text.n >= BLOCK_BYTES || waits(fd)) {
            alm_status st = give(b, false, err);
            if (st != ALM_OK) return st;
            if (waits(fd)) alm_out_flush(&b->cli->out);
        }
        if (b->cli->out.error_number) return ALM_END;
    }
}

alm_status alm_line_blocks(alm_cli *cli, const char *name, alm_lines_fn *fn, void *arg, alm_error *err) {
    blocks b = {.cli = cli, .fn = fn, .arg = arg, .text = alm_buf_with_limit(MOST)};
    int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return alm_fail_errno(err, errno, "%s", name);
    alm_status st = read_all(&b, fd, name, err);
    alm_buf_free(&b.text);
    if (fd > STDIN_FILENO) close(fd);
    return st;
}
