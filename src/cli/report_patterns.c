/* SPDX-License-Identifier: Apache-2.0
 *
 * report_patterns.c - the page of `alm patterns --html`: what the records are made of, most frequent first.
 *
 * A head with four figures, then one row a pattern: the template with its slots coloured by kind, an example, the trend over
 * the stream, the count and the share. */
#include "cli/html.h"
#include "cli/lang.h"
#include "cli/report_inner.h"

static void figure_count(alm_buf *out, uint64_t n, const char *label) {
    alm_buf number = alm_buf_with_limit(64);
    alm_html_count(&number, n);
    alm_html_figure(out, &number, label);
    if (number.failed != ALM_OK && out->failed == ALM_OK) out->failed = number.failed;
    alm_buf_free(&number);
}

static void figure_share(alm_buf *out, double share, const char *label) {
    alm_buf number = alm_buf_with_limit(64);
    alm_html_share(&number, share);
    alm_html_figure(out, &number, label);
    if (number.failed != ALM_OK && out->failed == ALM_OK) out->failed = number.failed;
    alm_buf_free(&number);
}

static double share_of(uint64_t part, uint64_t whole) { return whole > 0 ? (double)part / (double)whole : 0; }

static void put_head(alm_buf *out, const alm_report_patterns *r) {
    uint64_t first_ten = 0;
    for (size_t i = 0; i < r->n && i < 10; i++) first_ten += r->at[i].count;
    alm_html_raw(out, "<p class=\"sub\">");
    if (r->source != NULL) alm_html_text(out, strcmp(r->source, "-") == 0 ? _("standard input") : r->source);
    if (r->first_ns != ALM_NO_TIME && r->last_ns != ALM_NO_TIME && (r->first_ns != 0 || r->last_ns != 0)) {
        if (r->source != NULL) alm_html_raw(out, ", ");
        alm_html_span(out, r->first_ns, r->last_ns);
    }
    alm_html_raw(out, "</p>\n</header>\n<div class=\"figs\">\n");
    figure_count(out, r->n_records, P_("record", "records", (unsigned long)r->n_records));
    figure_count(out, r->n_patterns, P_("pattern", "patterns", (unsigned long)r->n_patterns));
    if (r->n > 10) figure_share(out, share_of(first_ten, r->n_records), _("covered by the ten most frequent"));
    if (r->n_unmatched > 0) figure_count(out, r->n_unmatched, _("fit no pattern"));
    alm_html_raw(out, "</div>\n");
}

static void put_legend(alm_buf *out) {
    static const struct {
        const char *kind, *slots[5], *about;
    } LEGEND[] = {
        {"k-num", {"num", "hex"}, N_("numbers")},
        {"k-addr", {"ip", "host", "url", "email"}, N_("addresses")},
        {"k-time", {"time"}, N_("times")},
        {"k-path", {"path"}, N_("paths")},
        {"k-name", {"id", "uuid"}, N_("identifiers")},
        {"k-any", {"\xE2\x88\x97", "word", "str"}, N_("any other value")},
    };
    alm_html_raw(out, "<div class=\"legend\">");
    for (size_t i = 0; i < sizeof LEGEND / sizeof *LEGEND; i++) {
        alm_html_raw(out, "<span><code>");
        for (const char *const *slot = LEGEND[i].slots; *slot != NULL; slot++)
            alm_buf_printf(out, "<i class=\"%s\">%s</i> ", LEGEND[i].kind, *slot);
        alm_html_raw(out, "</code>");
        alm_html_text(out, _(LEGEND[i].about));
        alm_html_raw(out, "</span>");
    }
    alm_html_raw(out, "</div>\n");
}

static void put_row(alm_buf *out, const alm_report_patterns *r, size_t i) {
    const alm_report_pattern *p = &r->at[i];
    double share = share_of(p->count, r->n_records), top = share_of(r->at[0].count, r->n_records);
    bool timed = p->first_ns != ALM_NO_TIME && p->last_ns != ALM_NO_TIME && (p->first_ns != 0 || p->last_ns != 0);
    alm_buf_printf(out, "<tr><td class=\"rank r\">%zu</td><td class=\"tpl\"><code>", i + 1);
    alm_html_template(out, p->text);
    alm_html_raw(out, "</code><span class=\"ex mono\">");
    alm_html_record(out, p->example, 300);
    alm_html_raw(out, "</span><span class=\"ids\"><code>");
    alm_buf_add_html(out, p->id);
    alm_html_raw(out, "</code>");
    if (timed) {
        alm_html_raw(out, " · ");
        alm_html_span(out, p->first_ns, p->last_ns);
    }
    alm_html_raw(out, "</span></td><td class=\"hide\">");
    if (p->spark != NULL) alm_html_spark(out, p->spark, p->n_spark);
    alm_html_raw(out, "</td><td class=\"r\">");
    alm_html_count(out, p->count);
    alm_buf_printf(out, "</td><td><div class=\"share\"><u class=\"hide\"><s style=\"width:%.1f%%\"></s></u><span>",
                   top > 0 ? share / top * 100 : 0);
    alm_html_share(out, share);
    alm_html_raw(out, "</span></div></td></tr>\n");
}

static void put_table(alm_buf *out, const alm_report_patterns *r) {
    static const char *const HEAD[] = {N_("Pattern"), N_("Over the stream"), N_("Records"), N_("Share")};
    alm_html_raw(out, "<table>\n<colgroup><col style=\"width:44px\"><col><col class=\"hide\" style=\"width:152px\">"
                      "<col style=\"width:92px\"><col style=\"width:172px\"></colgroup>\n<thead><tr><th></th>");
    for (size_t i = 0; i < 4; i++) {
        alm_html_raw(out, i == 1 ? "<th class=\"hide\">" : i >= 2 ? "<th class=\"r\">" : "<th>");
        alm_html_text(out, _(HEAD[i]));
        alm_html_raw(out, "</th>");
    }
    alm_html_raw(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < r->n; i++) put_row(out, r, i);
    alm_html_raw(out, "</tbody>\n</table>\n");
}

void alm_report_patterns_table(alm_buf *out, const alm_report_patterns *r) {
    alm_html_raw(out, "<p class=\"note\">");
    alm_html_text(
        out,
        _("A pattern is what the records of one kind have in common; what varies is a coloured slot. Below it stand "
          "one record of that kind and the id, which is the same on every machine."));
    alm_html_raw(out, "</p>\n");
    put_legend(out);
    put_table(out, r);
    if (r->n_patterns <= r->n) return;
    alm_html_raw(out, "<p class=\"more\">");
    alm_html_count(out, r->n_patterns - r->n);
    alm_buf_add_byte(out, ' ');
    alm_html_text(
        out, P_("rarer pattern is not shown.", "rarer patterns are not shown.", (unsigned long)(r->n_patterns - r->n)));
    alm_html_raw(out, "</p>\n");
}

alm_status alm_report_patterns_html(alm_buf *out, const alm_report_patterns *r, alm_error *err) {
    alm_html_begin(out, _("What the records are made of"), r->source);
    put_head(out, r);
    alm_html_raw(out, "<h2>");
    alm_html_text(out, _("Patterns"));
    alm_html_raw(out, "</h2>\n");
    if (r->n > 0) {
        alm_report_patterns_table(out, r);
    } else {
        alm_html_raw(out, "<p class=\"none\">");
        alm_html_text(out, _("There were no records."));
        alm_html_raw(out, "</p>\n");
    }
    alm_html_end(out, r->command);
    return alm_buf_status(out, err);
}
