/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_diff.c - the differences between two inputs as NDJSON for scripts, all of them, and as a table for eyes, without
 * what stayed the same. */
#include "base/error.h"
#include "base/json.h"
#include "cli/columns.h"
#include "cli/patterns.h"
#include <stdio.h>

static void write_json(alm_out *out, const alm_miner *m, const alm_diff_row *r, alm_buf *text) {
    char id[ALM_TEMPLATE_ID_CHARS + 1];
    alm_miner_id_text(id, r->id);
    alm_buf_clear(text);
    alm_miner_text(m, r->index, ALM_TEXT_TYPED, text);
    alm_json_writer w = alm_json_writer_on(&out->buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "id"), alm_json_text(&w, id);
    alm_json_key(&w, "change"), alm_json_text(&w, alm_change_name(r->change));
    alm_json_key(&w, "count_a"), alm_json_u64(&w, r->count_a);
    alm_json_key(&w, "count_b"), alm_json_u64(&w, r->count_b);
    alm_json_key(&w, "share_a"), alm_json_number(&w, r->share_a);
    alm_json_key(&w, "share_b"), alm_json_number(&w, r->share_b);
    alm_json_key(&w, "ratio"), alm_json_number(&w, r->ratio);
    alm_json_key(&w, "p"), alm_json_number(&w, r->p);
    alm_json_key(&w, "p_adjusted"), alm_json_number(&w, r->p_adjusted);
    alm_json_key(&w, "significant"), alm_json_bool(&w, r->significant);
    alm_json_key(&w, "template"), alm_json_string(&w, alm_buf_str(text));
    alm_json_end_object(&w);
    alm_out_text(out, "\n");
}

/* "x 3.2" more, "/ 4.0" less often; nothing where one side has none. */
static void factor(char at[32], const alm_diff_row *r) {
    double ratio = r->count_a && r->count_b ? r->share_b / r->share_a : 0;
    if (ratio >= 1) snprintf(at, 32, "x %.3g", ratio);
    else if (ratio > 0) snprintf(at, 32, "/ %.3g", 1 / ratio);
    else at[0] = '\0';
}

static const char *word_of(alm_change change) {
    switch (change) {
    case ALM_CHANGE_NEW: return _("new");
    case ALM_CHANGE_GONE: return _("gone");
    case ALM_CHANGE_MORE: return _("more");
    case ALM_CHANGE_LESS: return _("less");
    case ALM_CHANGE_NONE: break;
    }
    return _("same");
}

static alm_status add_row(alm_columns *t, alm_cli *cli, const alm_miner *m, const alm_diff_row *r, alm_buf *text,
                          alm_error *err) {
    static const alm_style styles[] = {[ALM_CHANGE_NONE] = ALM_DIM,
                                       [ALM_CHANGE_NEW] = ALM_WARN,
                                       [ALM_CHANGE_GONE] = ALM_BAD,
                                       [ALM_CHANGE_MORE] = ALM_BOLD,
                                       [ALM_CHANGE_LESS] = ALM_BOLD};
    alm_style style = r->significant ? styles[r->change] : ALM_DIM;
    char cell[32];
    alm_status st;
    if ((st = alm_columns_add(t, alm_str_of(word_of(r->change)), style, err)) != ALM_OK) return st;
    for (int side = 0; side < 2; side++) {
        alm_buf_clear(text);
        alm_columns_count(text, side ? r->count_b : r->count_a, cli->out_term.utf8);
        if ((st = alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err)) != ALM_OK) return st;
    }
    factor(cell, r);
    if ((st = alm_columns_add(t, alm_str_of(cell), style, err)) != ALM_OK) return st;
    snprintf(cell, sizeof cell, r->p_adjusted < 0.0001 ? "%.0e" : "%.4f", r->p_adjusted);
    if ((st = alm_columns_add(t, alm_str_of(cell), style, err)) != ALM_OK) return st;
    alm_buf_clear(text);
    alm_miner_text(m, r->index, ALM_TEXT_TYPED, text);
    return alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err);
}

alm_status alm_patterns_diff(alm_cli *cli, const alm_miner *m, const alm_diff *d, uint64_t top, bool json,
                             alm_error *err) {
    const alm_column column[] = {
        {.head = _("change")},        {.head = "A", .right = true},
        {.head = "B", .right = true}, {.head = _("share"), .right = true},
        {.head = "p", .right = true}, {.head = _("template"), .flexible = true, .slots = true}};
    alm_columns *t = NULL;
    alm_buf text = alm_buf_with_limit(1 << 24);
    alm_status st = json ? ALM_OK : alm_columns_new(&t, column, sizeof column / sizeof column[0], err);
    size_t shown = 0, n_sure = 0, n_new = 0, n_gone = 0;
    for (size_t i = 0; st == ALM_OK && i < d->n_row; i++) {
        const alm_diff_row *r = &d->row[i];
        n_sure += r->significant;
        n_new += r->change == ALM_CHANGE_NEW;
        n_gone += r->change == ALM_CHANGE_GONE;
        if ((top && shown >= top) || (!json && r->change == ALM_CHANGE_NONE)) continue;
        shown++;
        if (json) write_json(&cli->out, m, r, &text);
        else st = add_row(t, cli, m, r, &text, err);
        if (!alm_out_tick(&cli->out)) break;
    }
    if (st == ALM_OK && !json && shown) st = alm_columns_print(t, &cli->out, &cli->out_term, err);
    alm_out_flush(&cli->out);
    if (st == ALM_OK)
        alm_cli_note(cli,
                     _("A: %llu records, B: %llu; %zu templates: %zu new, %zu gone; %zu of the differences are "
                       "significant (p <= %.2f, after Holm)"),
                     (unsigned long long)d->n_a, (unsigned long long)d->n_b, d->n_row, n_new, n_gone, n_sure, d->level);
    alm_columns_free(t);
    alm_buf_free(&text);
    return st;
}
