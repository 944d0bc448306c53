/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_list.c - the templates as NDJSON for scripts and as a table for eyes, most frequent first. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/columns.h"
#include "cli/patterns.h"
#include <stdio.h>

static void json_time(alm_json_writer *w, int64_t ns) {
    char at[40];
    if (ns == ALM_NO_TIME) alm_json_null(w);
    else alm_json_string(w, alm_str_make(at, alm_time_to_str(at, ns)));
}

static double share_of(uint64_t count, uint64_t all) { return all ? (double)count / (double)all : 0; }

static bool write_json(alm_out *out, const alm_miner *m, uint32_t index, uint64_t all, alm_buf *text) {
    alm_template_info info;
    char id[ALM_TEMPLATE_ID_CHARS + 1];
    if (!alm_miner_info(m, index, &info)) return true;
    alm_miner_id_text(id, info.id);
    alm_buf_clear(text);
    alm_miner_text(m, index, ALM_TEXT_TYPED, text);
    alm_json_writer w = alm_json_writer_on(&out->buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "id"), alm_json_text(&w, id);
    alm_json_key(&w, "count"), alm_json_u64(&w, info.count);
    alm_json_key(&w, "share"), alm_json_number(&w, share_of(info.count, all));
    alm_json_key(&w, "first"), json_time(&w, info.first_ns);
    alm_json_key(&w, "last"), json_time(&w, info.last_ns);
    alm_json_key(&w, "template"), alm_json_string(&w, alm_buf_str(text));
    alm_json_key(&w, "example"), alm_json_string(&w, info.example);
    alm_json_key(&w, "first_record"), alm_json_u64(&w, info.first_record);
    alm_json_key(&w, "last_record"), alm_json_u64(&w, info.last_record);
    alm_json_end_object(&w);
    return alm_out_text(out, "\n");
}

alm_status alm_patterns_json(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err) {
    uint32_t *rank = NULL;
    size_t n = 0;
    alm_status st = alm_miner_ranking(m, &rank, &n, err);
    if (st != ALM_OK) return st;
    alm_buf text = alm_buf_with_limit(1 << 24);
    uint64_t all = alm_miner_n_records(m), unmatched = alm_miner_n_unmatched(m);
    for (size_t i = 0; i < n && (!top || i < top); i++)
        if (!write_json(&cli->out, m, rank[i], all, &text)) break;
    if (unmatched) {
        alm_json_writer w = alm_json_writer_on(&cli->out.buf);
        alm_json_begin_object(&w);
        alm_json_key(&w, "id"), alm_json_null(&w);
        alm_json_key(&w, "count"), alm_json_u64(&w, unmatched);
        alm_json_key(&w, "share"), alm_json_number(&w, share_of(unmatched, all));
        alm_json_key(&w, "first"), alm_json_null(&w);
        alm_json_key(&w, "last"), alm_json_null(&w);
        alm_json_key(&w, "template"), alm_json_null(&w);
        alm_json_key(&w, "example"), alm_json_null(&w);
        alm_json_end_object(&w);
        alm_out_text(&cli->out, "\n");
    }
    alm_buf_free(&text);
    alm_free(rank);
    return ALM_OK;
}

/* ── the table ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* [i] of the template's spark covers equal stretches of the stream; what lies beyond its end is not drawn. */
static void spark(alm_buf *out, const alm_template_info *info, uint64_t n_records, bool utf8) {
    double value[ALM_SPARK_BINS] = {0};
    size_t n = ALM_SPARK_BINS;
    if (info->spark_width) {
        uint64_t used = (n_records + info->spark_width - 1) / info->spark_width;
        if (used < n) n = used ? (size_t)used : 1;
    }
    for (size_t i = 0; i < n; i++) value[i] = (double)info->spark[i];
    alm_columns_spark(out, value, n, utf8);
}

static alm_status add_row(alm_columns *t, alm_cli *cli, const alm_miner *m, const alm_template_info *info,
                          alm_buf *text, bool with_text, alm_error *err) {
    uint64_t all = alm_miner_n_records(m);
    bool utf8 = cli->out_term.utf8;
    char percent[32], id[ALM_TEMPLATE_ID_CHARS + 1];
    alm_status st;
    alm_buf_clear(text);
    alm_columns_count(text, info->count, utf8);
    if ((st = alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err)) != ALM_OK) return st;
    snprintf(percent, sizeof percent, "%.2f", 100 * share_of(info->count, all));
    if ((st = alm_columns_add(t, alm_str_of(percent), ALM_DIM, err)) != ALM_OK) return st;
    alm_buf_clear(text);
    spark(text, info, all, utf8);
    if ((st = alm_columns_add(t, alm_buf_str(text), ALM_GOOD, err)) != ALM_OK) return st;
    alm_miner_id_text(id, info->id);
    if ((st = alm_columns_add(t, alm_str_of(id), ALM_DIM, err)) != ALM_OK) return st;
    alm_buf_clear(text);
    if (with_text) alm_miner_text(m, info->index, ALM_TEXT_TYPED, text);
    return alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err);
}

alm_status alm_patterns_table(alm_cli *cli, const alm_miner *m, uint64_t top, alm_error *err) {
    const alm_column column[] = {{.head = _("count"), .right = true},
                                 {.head = "%", .right = true},
                                 {.head = _("over time")},
                                 {.head = "id"},
                                 {.head = _("template"), .flexible = true, .slots = true}};
    uint32_t *rank = NULL;
    size_t n = 0;
    alm_columns *t = NULL;
    alm_buf text = alm_buf_with_limit(1 << 24);
    uint64_t shown = 0;
    alm_status st = alm_miner_ranking(m, &rank, &n, err);
    if (st == ALM_OK) st = alm_columns_new(&t, column, sizeof column / sizeof column[0], err);
    size_t rows = top && top < n ? (size_t)top : n;
    if (st == ALM_OK) alm_columns_measure(t); /* a hundred thousand rows are not kept: each is made twice */
    for (size_t i = 0; st == ALM_OK && i < rows; i++) {
        alm_template_info info;
        if (!alm_miner_info(m, rank[i], &info)) continue;
        shown += info.count;
        st = add_row(t, cli, m, &info, &text, cli->out_term.is_terminal, err);
    }
    if (st == ALM_OK && n) st = alm_columns_write(t, &cli->out, &cli->out_term, err);
    for (size_t i = 0; st == ALM_OK && i < rows && alm_out_tick(&cli->out); i++) {
        alm_template_info info;
        if (alm_miner_info(m, rank[i], &info)) st = add_row(t, cli, m, &info, &text, true, err);
    }
    alm_out_flush(&cli->out);
    uint64_t all = alm_miner_n_records(m), unmatched = alm_miner_n_unmatched(m), evicted = alm_miner_n_evicted(m);
    if (st == ALM_OK) {
        alm_cli_note(cli,
                     P_("%llu record, %zu templates; shown: %zu, %.1f %% of the records",
                        "%llu records, %zu templates; shown: %zu, %.1f %% of the records", (unsigned long)all),
                     (unsigned long long)all, n, rows, 100 * share_of(shown, all));
        if (unmatched) alm_cli_note(cli, _("no template fits %llu of them"), (unsigned long long)unmatched);
        if (evicted)
            alm_cli_note(cli, _("%llu rare templates were joined to keep within --max-templates"),
                         (unsigned long long)evicted);
    }
    alm_columns_free(t);
    alm_buf_free(&text);
    alm_free(rank);
    return st;
}
