/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_html.c - hands the templates to the page of report.h and writes the file. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/patterns.h"
#include "cli/report.h"
#include <stdio.h>

enum { MAX_SHOWN = 2000, PAGE_LIMIT = 64 << 20 };

static alm_status fill(alm_report_pattern *r, uint32_t *spark, const alm_miner *m, uint32_t index, alm_arena *text,
                       alm_buf *b, alm_error *err) {
    alm_template_info info;
    char id[ALM_TEMPLATE_ID_CHARS + 1];
    if (!alm_miner_info(m, index, &info)) return ALM_OK;
    alm_miner_id_text(id, info.id);
    alm_buf_clear(b);
    alm_miner_text(m, index, ALM_TEXT_TYPED, b);
    *r = (alm_report_pattern){.id = alm_arena_copy(text, alm_str_of(id)),
                              .text = alm_arena_copy(text, alm_buf_str(b)),
                              .example = alm_arena_copy(text, info.example),
                              .count = info.count,
                              .first_ns = info.first_ns,
                              .last_ns = info.last_ns,
                              .spark = spark,
                              .n_spark = ALM_SPARK_BINS};
    if (!r->id.at || !r->text.at || !r->example.at) return alm_fail_memory(err);
    if (info.spark_width) {
        uint64_t used = (alm_miner_n_records(m) + info.spark_width - 1) / info.spark_width;
        if (used < r->n_spark) r->n_spark = used ? (size_t)used : 1;
    }
    for (size_t i = 0; i < ALM_SPARK_BINS; i++) spark[i] = info.spark[i];
    return ALM_OK;
}

static void add_times(alm_report_patterns *page, const alm_report_pattern *r) {
    if (r->first_ns == ALM_NO_TIME) return;
    if (page->first_ns == ALM_NO_TIME || r->first_ns < page->first_ns) page->first_ns = r->first_ns;
    if (page->last_ns == ALM_NO_TIME || r->last_ns > page->last_ns) page->last_ns = r->last_ns;
}

alm_status alm_patterns_html(alm_cli *cli, const alm_miner *m, uint64_t top, const char *path, alm_error *err) {
    uint32_t *rank = NULL;
    size_t n = 0;
    alm_arena *text = NULL;
    alm_report_pattern *at = NULL;
    uint32_t(*spark)[ALM_SPARK_BINS] = NULL;
    alm_buf html = alm_buf_with_limit(PAGE_LIMIT), b = alm_buf_with_limit(1 << 24);
    alm_status st = alm_miner_ranking(m, &rank, &n, err);
    if (st == ALM_OK) st = alm_arena_new(&text, 1 << 16, 0, err);
    size_t shown = top && top < n ? (size_t)top : n;
    if (shown > MAX_SHOWN) shown = MAX_SHOWN;
    at = alm_calloc(shown + 1, sizeof *at);
    spark = alm_calloc(shown + 1, sizeof *spark);
    if (st == ALM_OK && (!at || !spark)) st = alm_fail_memory(err);
    char inputs[64];
    snprintf(inputs, sizeof inputs, P_("%zu input", "%zu inputs", (unsigned long)cli->operands.n), cli->operands.n);
    alm_report_patterns page = {.source = cli->operands.n == 1 ? cli->operands.at[0]
                                          : cli->operands.n    ? inputs
                                                               : "-",
                                .n_records = alm_miner_n_records(m),
                                .n_unmatched = alm_miner_n_unmatched(m),
                                .n_patterns = n,
                                .first_ns = ALM_NO_TIME,
                                .last_ns = ALM_NO_TIME,
                                .at = at,
                                .n = shown};
    for (size_t i = 0; st == ALM_OK && i < shown; i++) {
        st = fill(&at[i], spark[i], m, rank[i], text, &b, err);
        if (st == ALM_OK) add_times(&page, &at[i]);
    }
    if (st == ALM_OK) st = alm_report_patterns_html(&html, &page, err);
    if (st == ALM_OK) st = alm_file_write(path, html.at, html.n, err);
    alm_buf_free(&html);
    alm_buf_free(&b);
    alm_arena_free(text);
    alm_free(at);
    alm_free(spark);
    alm_free(rank);
    return st;
}
