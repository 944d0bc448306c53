/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_csv.c - LineId,EventId,EventTemplate for every line of the input (RFC 4180).
 *
 * While the input is read, each line leaves the index of its template in a file without a name; at the end the file is
 * read once more and each index becomes the text that its template has by then. So a line from the beginning shows the
 * same template as one from the end, and memory does not grow with the input. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "cli/patterns.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 14 };

alm_status alm_line_log_begin(alm_line_log *l, alm_error *err) {
    *l = (alm_line_log){.fd = -1};
    const char *dir = getenv("TMPDIR");
    char path[4096];
    alm_buf b = alm_buf_with_limit(sizeof path - 1);
    alm_buf_printf(&b, "%s/alm-lines-XXXXXX", dir && *dir ? dir : "/tmp");
    const char *text = alm_buf_text(&b);
    if (text) memcpy(path, text, b.n + 1);
    alm_buf_free(&b);
    if (!text) return alm_fail(err, ALM_INVALID, _("the name of the temporary folder is too long: TMPDIR"));
    l->fd = mkostemp(path, O_CLOEXEC);
    if (l->fd < 0) return alm_fail_errno(err, errno, _("cannot make a temporary file: %s"), path);
    unlink(path);
    l->block = alm_alloc(BLOCK * sizeof *l->block);
    return l->block ? ALM_OK : alm_fail_memory(err);
}

static alm_status write_block(alm_line_log *l, alm_error *err) {
    const char *at = (const char *)l->block;
    for (size_t left = l->n * sizeof *l->block; left;) {
        ssize_t n = write(l->fd, at, left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            alm_fail_errno(err, errno, _("cannot write the temporary file for --csv: %s"), getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
            return alm_hint(err, _("set TMPDIR to a folder with more room: four bytes a line are needed"));
        }
        at += n;
        left -= (size_t)n;
    }
    l->n_written += l->n;
    l->n = 0;
    return ALM_OK;
}

alm_status alm_line_log_add(alm_line_log *l, uint32_t index, uint64_t n, alm_error *err) {
    while (n--) {
        l->block[l->n++] = index;
        if (l->n < BLOCK) continue;
        alm_status st = write_block(l, err);
        if (st != ALM_OK) return st;
    }
    return ALM_OK;
}

/* A field of RFC 4180: quoted when it holds a comma, a quote or a line end, quotes doubled. */
static void field(alm_buf *out, alm_str s) {
    bool quote = false;
    for (size_t i = 0; i < s.n && !quote; i++) quote = memchr(",\"\r\n", s.at[i], 4) != NULL;
    if (!quote) {
        alm_buf_add_str(out, s);
        return;
    }
    alm_buf_add_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.at[i] == '"') alm_buf_add_byte(out, '"');
        alm_buf_add_byte(out, s.at[i]);
    }
    alm_buf_add_byte(out, '"');
}

/* ",EventId,EventTemplate\n" of each live template, made when it is first met. */
typedef struct tails {
    alm_str *at;
    uint32_t n;
    alm_arena *arena;
    alm_buf row, text;
} tails;

static alm_status tail_of(tails *t, const alm_miner *m, uint32_t index, alm_str *out, alm_error *err) {
    uint32_t live = alm_miner_resolve(m, index);
    if (live == ALM_NO_TEMPLATE || live >= t->n) return *out = ALM_STR(",,\n"), ALM_OK;
    if (!t->at[live].at) {
        char id[ALM_TEMPLATE_ID_CHARS + 1];
        alm_buf_clear(&t->row);
        alm_buf_clear(&t->text);
        alm_miner_id_text(id, alm_miner_id(m, live));
        alm_miner_text(m, live, ALM_TEXT_STARS, &t->text);
        alm_buf_printf(&t->row, ",%s,", id);
        field(&t->row, alm_buf_str(&t->text));
        alm_buf_add_byte(&t->row, '\n');
        if (t->row.failed || t->text.failed) return alm_fail_memory(err);
        t->at[live] = alm_arena_copy(t->arena, alm_buf_str(&t->row));
        if (!t->at[live].at) return alm_fail_memory(err);
    }
    *out = t->at[live];
    return ALM_OK;
}

static alm_status write_rows(alm_line_log *l, alm_cli *cli, const alm_miner *m, tails *t, alm_error *err) {
    alm_out_text(&cli->out, "LineId,EventId,EventTemplate\n");
    if (lseek(l->fd, 0, SEEK_SET) < 0) return alm_fail_errno(err, errno, _("cannot read the temporary file for --csv"));
    for (uint64_t line = 0; line < l->n_written;) {
        ssize_t got = read(l->fd, l->block, BLOCK * sizeof *l->block);
        if (got < 0 && errno == EINTR) continue;
        if (got < (ssize_t)sizeof *l->block) return alm_fail_errno(err, got < 0 ? errno : EIO, _("cannot read the temporary file for --csv"));
        for (size_t i = 0; i < (size_t)got / sizeof *l->block; i++) {
            alm_str tail = {0};
            alm_status st = tail_of(t, m, l->block[i], &tail, err);
            if (st != ALM_OK) return st;
            alm_buf_add_u64(&cli->out.buf, ++line);
            alm_buf_add_str(&cli->out.buf, tail);
            if (!alm_out_tick(&cli->out)) return ALM_OK; /* told when the output is finished */
        }
    }
    return ALM_OK;
}

alm_status alm_line_log_csv(alm_line_log *l, alm_cli *cli, const alm_miner *m, alm_error *err) {
    alm_status st = write_block(l, err);
    if (st != ALM_OK) return st;
    tails t = {.n = alm_miner_n_index(m), .row = alm_buf_with_limit(1 << 24), .text = alm_buf_with_limit(1 << 24)};
    t.at = alm_calloc(t.n ? t.n : 1, sizeof *t.at);
    st = t.at ? alm_arena_new(&t.arena, 1 << 16, 0, err) : alm_fail_memory(err);
    if (st == ALM_OK) st = write_rows(l, cli, m, &t, err);
    alm_arena_free(t.arena);
    alm_buf_free(&t.row);
    alm_buf_free(&t.text);
    alm_free(t.at);
    return st;
}

void alm_line_log_end(alm_line_log *l) {
    if (l->fd >= 0) close(l->fd);
    alm_free(l->block);
    *l = (alm_line_log){.fd = -1};
}
