/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_csv.c - LineId,EventId,EventTemplate for every line of the input (RFC 4180).
 *
 * While the input is read, each line leaves the index of its template in a spool (memory, then a file without a name); at
 * the end the spool is read once more and each index becomes the text that its template has by then. So a line from the
 * beginning shows the same template as one from the end, and memory does not grow with the input. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "cli/patterns.h"

/* A field of RFC 4180: quoted when it holds a comma, a quote or a line end, quotes doubled. */
static void field(alm_buf *out, alm_str s) {
    bool quote = false;
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = s.at[i] == ',' || s.at[i] == '"' || s.at[i] == '\r' || s.at[i] == '\n';
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

static alm_status write_rows(alm_spool *lines, alm_cli *cli, const alm_miner *m, tails *t, alm_error *err) {
    alm_out_text(&cli->out, "LineId,EventId,EventTemplate\n");
    alm_status st = alm_spool_rewind(lines, err);
    uint32_t index = 0;
    for (uint64_t line = 1; st == ALM_OK && (st = alm_spool_next(lines, &index, err)) == ALM_OK; line++) {
        alm_str tail = {0};
        if ((st = tail_of(t, m, index, &tail, err)) != ALM_OK) break;
        alm_buf_add_u64(&cli->out.buf, line);
        alm_buf_add_str(&cli->out.buf, tail);
        if (!alm_out_tick(&cli->out)) return ALM_OK; /* told when the output is finished */
    }
    return st == ALM_END ? ALM_OK : st;
}

alm_status alm_patterns_csv(alm_cli *cli, const alm_miner *m, alm_spool *lines, alm_error *err) {
    tails t = {.n = alm_miner_n_index(m), .row = alm_buf_with_limit(1 << 24), .text = alm_buf_with_limit(1 << 24)};
    t.at = alm_calloc(t.n ? t.n : 1, sizeof *t.at);
    alm_status st = t.at ? alm_arena_new(&t.arena, 1 << 16, 0, err) : alm_fail_memory(err);
    if (st == ALM_OK) st = write_rows(lines, cli, m, &t, err);
    alm_arena_free(t.arena);
    alm_buf_free(&t.row);
    alm_buf_free(&t.text);
    alm_free(t.at);
    return st;
}
