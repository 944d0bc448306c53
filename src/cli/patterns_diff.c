/* SPDX-License-Identifier: Apache-2.0
 *
 * patterns_diff.c - which templates are new, gone, or changed in rate between two inputs, and which of it is chance.
 *
 * Both inputs are mined by one miner, so that a template has one id in both. Of a template's a + b records, a fall into A
 * with probability n_a / (n_a + n_b) if its share is the same in both: an exact two-sided binomial test (above 20,000
 * records the chi-square test with one degree of freedom, which agrees there). Many templates are tested at once, so the
 * p-values are adjusted after Benjamini and Hochberg (1995): among the changes that are called significant at q, a
 * share of at most q is chance. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/mathx.h"
#include "cli/columns.h"
#include "cli/patterns.h"
#include <stdio.h>
#include <stdlib.h>

static const double significant = 0.05;

typedef struct row {
    uint32_t index;
    uint64_t id, a, b;
    double p, q;
} row;

static double test(uint64_t a, uint64_t b, uint64_t n_a, uint64_t n_b) {
    double n = (double)(a + b), share = (double)n_a / ((double)n_a + (double)n_b);
    if (n_a == 0 || n_b == 0) return 1;
    if (a + b <= 20000) return alm_binomial_test((long long)a, (long long)(a + b), share);
    double want = n * share, d = (double)a - want;
    return alm_chi2_sf(d * d / (want * (1 - share)), 1);
}

static int by_p(const void *x, const void *y) {
    const row *a = x, *b = y;
    if (a->p != b->p) return a->p < b->p ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Benjamini and Hochberg: q of the i-th smallest p is the least p n / rank from there on. */
static void adjust(row *rows, size_t n) {
    double least = 1;
    for (size_t i = n; i-- > 0;) {
        double q = rows[i].p * (double)n / (double)(i + 1);
        if (q < least) least = q;
        rows[i].q = least;
    }
}

static const char *kind(const row *r, uint64_t n_a, uint64_t n_b) {
    if (!r->a) return "new";
    if (!r->b) return "gone";
    if (r->q > significant) return "same";
    return (double)r->b * (double)n_a > (double)r->a * (double)n_b ? "more" : "less";
}

static void write_json(alm_out *out, const alm_miner *m, const row *r, uint64_t n_a, uint64_t n_b, alm_buf *text) {
    char id[ALM_TEMPLATE_ID_CHARS + 1];
    alm_miner_id_text(id, r->id);
    alm_buf_clear(text);
    alm_miner_text(m, r->index, ALM_TEXT_TYPED, text);
    alm_json_writer w = alm_json_writer_on(&out->buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "id"), alm_json_text(&w, id);
    alm_json_key(&w, "change"), alm_json_text(&w, kind(r, n_a, n_b));
    alm_json_key(&w, "count_a"), alm_json_u64(&w, r->a);
    alm_json_key(&w, "count_b"), alm_json_u64(&w, r->b);
    alm_json_key(&w, "share_a"), alm_json_number(&w, n_a ? (double)r->a / (double)n_a : 0);
    alm_json_key(&w, "share_b"), alm_json_number(&w, n_b ? (double)r->b / (double)n_b : 0);
    alm_json_key(&w, "p"), alm_json_number(&w, r->p);
    alm_json_key(&w, "q"), alm_json_number(&w, r->q);
    alm_json_key(&w, "significant"), alm_json_bool(&w, r->q <= significant);
    alm_json_key(&w, "template"), alm_json_string(&w, alm_buf_str(text));
    alm_json_end_object(&w);
    alm_out_text(out, "\n");
}

/* "x 3.2" more, "/ 4.0" less often; nothing where one side has none. */
static void factor(char at[32], const row *r, uint64_t n_a, uint64_t n_b) {
    double ratio = r->a && r->b ? (double)r->b * (double)n_a / ((double)r->a * (double)n_b) : 0;
    if (ratio >= 1) snprintf(at, 32, "x %.3g", ratio);
    else if (ratio > 0) snprintf(at, 32, "/ %.3g", 1 / ratio);
    else at[0] = '\0';
}

static alm_status add_row(alm_columns *t, alm_cli *cli, const alm_miner *m, const row *r, uint64_t n_a, uint64_t n_b, alm_buf *text, alm_error *err) {
    const char *change = kind(r, n_a, n_b);
    bool sure = r->q <= significant;
    alm_style style = !sure ? ALM_DIM : change[0] == 'n' ? ALM_WARN : change[0] == 'g' ? ALM_BAD : ALM_BOLD;
    const char *word = change[0] == 'n' ? _("new") : change[0] == 'g' ? _("gone") : change[0] == 'm' ? _("more") : change[0] == 'l' ? _("less") : _("same");
    char cell[32];
    alm_status st;
    if ((st = alm_columns_add(t, alm_str_of(word), style, err)) != ALM_OK) return st;
    for (int side = 0; side < 2; side++) {
        alm_buf_clear(text);
        alm_columns_count(text, side ? r->b : r->a, cli->out_term.utf8);
        if ((st = alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err)) != ALM_OK) return st;
    }
    factor(cell, r, n_a, n_b);
    if ((st = alm_columns_add(t, alm_str_of(cell), style, err)) != ALM_OK) return st;
    snprintf(cell, sizeof cell, r->q < 0.0001 ? "%.0e" : "%.4f", r->q);
    if ((st = alm_columns_add(t, alm_str_of(cell), sure ? ALM_PLAIN : ALM_DIM, err)) != ALM_OK) return st;
    alm_buf_clear(text);
    alm_miner_text(m, r->index, ALM_TEXT_TYPED, text);
    return alm_columns_add(t, alm_buf_str(text), ALM_PLAIN, err);
}

static alm_status print(alm_cli *cli, const alm_miner *m, const row *rows, size_t n, uint64_t n_a, uint64_t n_b, uint64_t top, bool json, alm_error *err) {
    const alm_column column[] = {{.head = _("change")}, {.head = "A", .right = true}, {.head = "B", .right = true}, {.head = _("share"), .right = true},
                                 {.head = "q", .right = true}, {.head = _("template"), .flexible = true, .slots = true}};
    alm_columns *t = NULL;
    alm_buf text = alm_buf_with_limit(1 << 24);
    alm_status st = json ? ALM_OK : alm_columns_new(&t, column, sizeof column / sizeof column[0], err);
    size_t shown = 0, n_sure = 0, n_new = 0, n_gone = 0;
    for (size_t i = 0; st == ALM_OK && i < n; i++) {
        n_sure += rows[i].q <= significant;
        n_new += !rows[i].a;
        n_gone += !rows[i].b;
        /* The table is for eyes: what stayed the same is not in it. Scripts get everything. */
        if (top && shown >= top) continue;
        if (!json && rows[i].q > significant && rows[i].a && rows[i].b) continue;
        shown++;
        if (json) write_json(&cli->out, m, &rows[i], n_a, n_b, &text);
        else st = add_row(t, cli, m, &rows[i], n_a, n_b, &text, err);
    }
    if (st == ALM_OK && !json && shown) st = alm_columns_print(t, &cli->out, &cli->out_term, err);
    alm_out_flush(&cli->out);
    if (st == ALM_OK)
        alm_cli_note(cli, _("A: %llu records, B: %llu; %zu templates: %zu new, %zu gone; %zu of the differences are significant (q <= %.2f)"), (unsigned long long)n_a,
                     (unsigned long long)n_b, n, n_new, n_gone, n_sure, significant);
    alm_columns_free(t);
    alm_buf_free(&text);
    return st;
}

alm_status alm_patterns_diff(alm_cli *cli, const alm_miner *m, const uint64_t *count_a, uint32_t n_index, uint64_t n_a, uint64_t top, bool json,
                             alm_error *err) {
    uint32_t *rank = NULL;
    size_t n = 0, kept = 0;
    uint64_t n_b = alm_miner_n_records(m) - n_a;
    alm_status st = alm_miner_ranking(m, &rank, &n, err);
    row *rows = st == ALM_OK ? alm_calloc(n ? n : 1, sizeof *rows) : NULL;
    uint64_t *in_a = st == ALM_OK ? alm_calloc(alm_miner_n_index(m) + 1U, sizeof *in_a) : NULL;
    if (st == ALM_OK && (!rows || !in_a)) st = alm_fail_memory(err);
    for (uint32_t i = 0; st == ALM_OK && i < n_index; i++) {
        uint32_t live = alm_miner_resolve(m, i);
        if (live != ALM_NO_TEMPLATE) in_a[live] += count_a[i];
    }
    for (size_t i = 0; st == ALM_OK && i < n; i++) {
        alm_template_info info;
        if (!alm_miner_info(m, rank[i], &info)) continue;
        uint64_t a = in_a[rank[i]] < info.count ? in_a[rank[i]] : info.count, b = info.count - a;
        rows[kept++] = (row){.index = rank[i], .id = info.id, .a = a, .b = b, .p = test(a, b, n_a, n_b)};
    }
    if (st == ALM_OK) {
        qsort(rows, kept, sizeof *rows, by_p);
        adjust(rows, kept);
        st = print(cli, m, rows, kept, n_a, n_b, top, json, err);
    }
    alm_free(rank);
    alm_free(rows);
    alm_free(in_a);
    return st;
}
