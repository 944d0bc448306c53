/* SPDX-License-Identifier: Apache-2.0
 *
 * report_detect.c - the page of `alm detect --html`: what was promised, what was found, when, and why.
 *
 * First the promise (promised rate, alarm rate, false-alarm rate where it is known, what is guaranteed), then the time
 * line, then the incidents in the order in which they began, each with its reason and its original lines. */
#include "base/mathx.h"
#include "cli/html.h"
#include "cli/lang.h"
#include "cli/report_inner.h"

enum { LINE_BYTES = 2000 };

static double share_of(uint64_t part, uint64_t whole) { return whole > 0 ? (double)part / (double)whole : 0; }

static bool timed(int64_t first_ns, int64_t last_ns) {
    return first_ns != ALM_NO_TIME && last_ns != ALM_NO_TIME && (first_ns != 0 || last_ns != 0);
}

/* A bar for `rate` with a tick where the promise stands; red for what lies beyond it. */
static void put_gauge(alm_buf *out, double rate, double promise) {
    double top = (rate > promise ? rate : promise) * 1.25, scale = top > 0 ? 200 / top : 0;
    double within = (rate < promise ? rate : promise) * scale;
    alm_buf_printf(out,
                   "<svg class=\"gauge\" width=\"100%%\" height=\"12\" viewBox=\"0 0 200 12\" "
                   "preserveAspectRatio=\"none\" aria-hidden=\"true\">"
                   "<rect class=\"track\" x=\"0\" y=\"3\" width=\"200\" height=\"6\"/><rect class=\"fill\" x=\"0\" "
                   "y=\"3\" width=\"%.1f\" height=\"6\"/>",
                   within);
    if (rate > promise)
        alm_buf_printf(out, "<rect class=\"over\" x=\"%.1f\" y=\"3\" width=\"%.1f\" height=\"6\"/>", within,
                       rate * scale - within);
    alm_buf_printf(
        out,
        "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"12\" vector-effect=\"non-scaling-stroke\"/></svg>",
        promise * scale, promise * scale);
}

static void put_count_of(alm_buf *out, const char *before, uint64_t part, const char *between, uint64_t whole,
                         const char *after) {
    alm_html_text(out, before);
    alm_html_count(out, part);
    alm_html_text(out, between);
    alm_html_count(out, whole);
    alm_html_text(out, after);
}

/* With a capital in front and a full stop behind, whatever it came with. */
static void put_sentence(alm_buf *out, alm_str s) {
    bool small = s.n > 0 && s.at[0] >= 'a' && s.at[0] <= 'z';
    if (small) alm_buf_add_byte(out, (char)(s.at[0] - 'a' + 'A'));
    alm_buf_add_html(out, alm_str_slice(s, small ? 1 : 0, s.n));
    if (s.n > 0 && s.at[s.n - 1] != '.') alm_buf_add_byte(out, '.');
}

static void open_cell(alm_buf *out, const char *head) {
    alm_html_raw(out, "<div><h3>");
    alm_html_text(out, head);
    alm_html_raw(out, "</h3>");
}

static void put_promise(alm_buf *out, const alm_report_detect *r) {
    uint64_t n_units = r->n_units > 0 ? r->n_units : r->n_records;
    double rate = share_of(r->n_alarms, n_units);
    alm_html_raw(out, "<section class=\"promise\">\n");

    open_cell(out, _("Promised rate"));
    alm_html_raw(out, "<b>");
    alm_html_share(out, r->alpha);
    alm_html_raw(out, "</b><p>");
    alm_html_text(out,
                  _("of normal records at most may raise an alarm. Fixed before a record of this stream was read."));
    alm_html_raw(out, "</p></div>\n");

    open_cell(out, _("Alarm rate"));
    alm_html_raw(out, "<b>");
    alm_html_share(out, rate);
    alm_html_raw(out, "</b>");
    put_gauge(out, rate, r->alpha);
    alm_html_raw(out, "<p>");
    put_count_of(out, "", r->n_alarms, _(" alarms in "), n_units,
                 n_units == r->n_records
                     ? _(" records; true incidents are among them.")
                     : _(" units (a session is one, so is a record outside sessions); true incidents are among them."));
    alm_html_raw(out, "</p></div>\n");

    open_cell(out, _("False-alarm rate"));
    if (r->has_labels) {
        alm_html_raw(out, "<b>");
        alm_html_share(out, share_of(r->n_false, r->n_normal));
        alm_html_raw(out, "</b>");
        put_gauge(out, share_of(r->n_false, r->n_normal), r->alpha);
        alm_html_raw(out, "<p>");
        put_count_of(out, "", r->n_false, _(" alarms on records known to be normal, n = "), r->n_normal, ".");
    } else {
        alm_html_raw(out, "<b class=\"word\">");
        alm_html_text(out, _("not known"));
        alm_html_raw(out, "</b><p>");
        alm_html_text(out, _("It needs labels or answers of a person; the alarm rate is no substitute for it."));
    }
    alm_html_raw(out, "</p></div>\n");

    open_cell(out, _("Guarantee"));
    alm_html_raw(out, "<b class=\"word\">");
    alm_html_text(out, r->guarantee_word != NULL ? r->guarantee_word : r->guaranteed ? _("holds") : _("none"));
    alm_html_raw(out, "</b><p>");
    put_sentence(out, r->guarantee);
    if (r->n_calibration > 0) {
        if (r->guarantee.n > 0) alm_html_raw(out, " ");
        alm_html_text(out, _("Calibrated on "));
        alm_html_count(out, r->n_calibration);
        alm_html_text(out, _(" records."));
    }
    alm_html_raw(out, "</p></div>\n</section>\n");
}

static void put_line(alm_buf *out, const alm_report_line *l) {
    alm_html_raw(out, l->alarm ? "<div class=\"a\"><span class=\"mono\">" : "<div><span class=\"mono\">");
    alm_html_count(out, l->line);
    alm_html_raw(out, "</span><code>");
    alm_html_record(out, l->text, LINE_BYTES);
    alm_html_raw(out, "</code></div>\n");
}

static void put_lines(alm_buf *out, const alm_report_incident *x, alm_str only_source) {
    alm_str source = only_source;
    alm_html_raw(out, "<div class=\"lines\">\n");
    for (size_t i = 0; i < x->n_line; i++) {
        if (x->line[i].source.n > 0 && !alm_str_eq(x->line[i].source, source)) {
            source = x->line[i].source;
            alm_html_raw(out, "<div class=\"src\">");
            alm_buf_add_html(out, source);
            alm_html_raw(out, "</div>\n");
        }
        put_line(out, &x->line[i]);
    }
    alm_html_raw(out, "</div>\n");
    if (x->n_hidden > 0) {
        alm_html_raw(out, "<p class=\"more\">");
        alm_html_count(out, x->n_hidden);
        alm_buf_add_byte(out, ' ');
        alm_html_text(out, P_("more line", "more lines", (unsigned long)x->n_hidden));
        alm_html_raw(out, "</p>\n");
    }
}

/* The sentence quotes templates: their slots get their colours. */
static void put_reason(alm_buf *out, alm_str reason) {
    alm_html_template(out, alm_str_slice(reason, 0, reason.n > LINE_BYTES ? LINE_BYTES : reason.n));
    if (reason.n > LINE_BYTES) alm_html_raw(out, "…");
}

static void put_groups(alm_buf *out, const alm_report_incident *x) {
    alm_html_raw(out, "<span>");
    alm_html_text(out, x->n_more_group > 0 ? _("groups ") : _("group "));
    for (size_t i = 0; i <= x->n_more_group; i++) {
        alm_html_raw(out, i > 0 ? ", <code>" : "<code>");
        alm_html_record(out, i > 0 ? x->more_group[i - 1] : x->group, 120);
        alm_html_raw(out, "</code>");
    }
    if (x->n_groups > x->n_more_group + 1) {
        alm_html_text(out, _(" and "));
        alm_html_count(out, x->n_groups - x->n_more_group - 1);
        alm_html_text(out, _(" more"));
    }
    alm_html_raw(out, "</span>");
}

static void put_meta(alm_buf *out, const alm_report_incident *x) {
    alm_html_raw(out, "<p class=\"meta\">");
    if (x->detector.n > 0) {
        alm_html_raw(out, "<span>");
        alm_buf_add_html(out, x->detector);
        alm_html_raw(out, "</span>");
    }
    alm_html_raw(out, "<span>");
    alm_html_count(out, x->n_alarms);
    alm_buf_printf(out, " %s", P_("alarm", "alarms", (unsigned long)x->n_alarms));
    if (x->n_followers > 0) {
        alm_html_raw(out, "</span><span>");
        alm_html_count(out, x->n_followers);
        alm_buf_printf(out, " %s", P_("more record like it", "more records like it", (unsigned long)x->n_followers));
    }
    alm_html_raw(out, "</span><span>");
    alm_html_p(out, x->p);
    alm_html_raw(out, "</span>");
    if (x->group.n > 0) put_groups(out, x);
    alm_html_raw(out, "</p>\n");
}

static void put_incident(alm_buf *out, const alm_report_incident *x, size_t number, alm_str only_source) {
    alm_buf_printf(out, "<article class=\"inc\" id=\"i%zu\"><div class=\"when\"><b>%zu</b>", number, number);
    if (timed(x->first_ns, x->last_ns)) {
        alm_html_span(out, x->first_ns, x->first_ns);
        if (x->last_ns - x->first_ns >= 1000000000) {
            alm_html_raw(out, "<br>");
            alm_html_text(out, _("for "));
            alm_html_duration(out, x->last_ns - x->first_ns);
        }
    } else {
        alm_html_text(out, _("record "));
        alm_html_count(out, x->first_record);
    }
    alm_html_raw(out, "</div>\n<div><h3>");
    put_reason(out, x->reason);
    alm_html_raw(out, "</h3>\n");
    put_meta(out, x);
    if (x->n_follows > 0) {
        alm_html_raw(out, "<ul class=\"then\">");
        for (size_t i = 0; i < x->n_follows; i++) {
            alm_html_raw(out, "<li>");
            put_reason(out, x->follows[i]);
            alm_html_raw(out, "</li>");
        }
        alm_html_raw(out, "</ul>\n");
    }
    if (x->n_line > 0) put_lines(out, x, only_source);
    alm_html_raw(out, "</div></article>\n");
}

static void put_head(alm_buf *out, const alm_report_detect *r) {
    alm_html_raw(out, "<p class=\"sub\">");
    alm_html_count(out, r->n_incidents);
    alm_buf_printf(out, " %s · ", P_("incident", "incidents", (unsigned long)r->n_incidents));
    alm_html_count(out, r->n_records);
    alm_buf_printf(out, " %s", P_("record", "records", (unsigned long)r->n_records));
    if (r->source != NULL && *r->source) {
        alm_html_raw(out, " · ");
        alm_html_text(out, strcmp(r->source, "-") == 0 ? _("standard input") : r->source);
    }
    if (timed(r->first_ns, r->last_ns)) {
        alm_html_raw(out, " · ");
        alm_html_span(out, r->first_ns, r->last_ns);
    }
    alm_html_raw(out, "</p>\n</header>\n");
}

/* A burst weighs more than one record of the same score. */
static double weight_of(const alm_report_incident *x) {
    uint64_t n = x->n_alarms + x->n_followers;
    return x->score + alm_log_f64((double)(n > 0 ? n : 1));
}

size_t alm_report_strongest(size_t out[ALM_REPORT_SHORT], const alm_report_detect *r) {
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (n == ALM_REPORT_SHORT) {
            if (weight_of(&r->at[i]) <= weight_of(&r->at[out[n - 1]])) continue;
            n--;
        }
        size_t k = n++;
        for (; k > 0 && weight_of(&r->at[i]) > weight_of(&r->at[out[k - 1]]); k--) out[k] = out[k - 1];
        out[k] = i;
    }
    return n;
}

static void put_short_list(alm_buf *out, const alm_report_detect *r) {
    size_t top[ALM_REPORT_SHORT], n = alm_report_strongest(top, r);
    alm_html_raw(out, "<h2>");
    alm_html_text(out, _("The most unusual"));
    alm_html_raw(out, "</h2>\n<p class=\"note\">");
    alm_html_text(out, _("Strongest first. At the promised rate some of the incidents below are ordinary records that "
                         "look rare; these are the least ordinary."));
    alm_html_raw(out, "</p>\n<table class=\"short\"><tbody>\n");
    for (size_t k = 0; k < n; k++) {
        const alm_report_incident *x = &r->at[top[k]];
        alm_buf_printf(out, "<tr><td class=\"no\"><a href=\"#i%zu\">%zu</a></td><td class=\"at\">", top[k] + 1,
                       top[k] + 1);
        if (timed(x->first_ns, x->last_ns)) alm_html_time(out, x->first_ns);
        else alm_html_count(out, x->first_record);
        alm_html_raw(out, "</td><td class=\"tpl\">");
        put_reason(out, x->reason);
        alm_html_raw(out, "</td><td class=\"r at\">");
        alm_html_count(out, x->n_alarms + x->n_followers);
        alm_buf_printf(out, " %s</td></tr>\n", P_("record", "records", (unsigned long)(x->n_alarms + x->n_followers)));
    }
    alm_html_raw(out, "</tbody></table>\n");
}

/* One of many: a line that opens. */
static void put_slim(alm_buf *out, const alm_report_incident *x, size_t number, alm_str only_source) {
    alm_buf_printf(out, "<details class=\"slim\" id=\"i%zu\"><summary><b>%zu</b><span class=\"at\">", number, number);
    if (timed(x->first_ns, x->last_ns)) alm_html_time(out, x->first_ns);
    else alm_html_count(out, x->first_record);
    alm_html_raw(out, "</span><span class=\"tpl\">");
    put_reason(out, x->reason);
    alm_html_raw(out, "</span></summary>\n");
    put_meta(out, x);
    if (x->n_line > 0) put_lines(out, x, only_source);
    alm_html_raw(out, "</details>\n");
}

static void put_incidents(alm_buf *out, const alm_report_detect *r) {
    alm_html_raw(out, "<h2>");
    alm_html_text(out, _("Incidents"));
    alm_html_raw(out, "</h2>\n");
    if (r->n == 0) {
        alm_html_raw(out, "<p class=\"none\">");
        alm_html_text(out, _("Nothing was out of the ordinary."));
        alm_html_raw(out, "</p>\n");
        return;
    }
    alm_html_raw(out, "<p class=\"note\">");
    alm_html_text(out, _("Alarms that belong together are one incident; the heading is its first cause. Lines with a "
                         "red edge raised an alarm, the "
                         "others stand around them."));
    alm_html_raw(out, "</p>\n");
    size_t top[ALM_REPORT_SHORT], n_top = alm_report_strongest(top, r);
    for (size_t i = 0; i < r->n; i++) {
        bool slim = r->n > ALM_REPORT_MANY;
        for (size_t k = 0; k < n_top; k++) slim = slim && top[k] != i;
        if (slim) put_slim(out, &r->at[i], i + 1, alm_str_of(r->source));
        else put_incident(out, &r->at[i], i + 1, alm_str_of(r->source));
    }
    if (r->n_incidents > r->n || r->n_ignored > 0) {
        alm_html_raw(out, "<p class=\"more\">");
        if (r->n_incidents > r->n) {
            alm_html_count(out, r->n_incidents - r->n);
            alm_html_text(out, _(" further incidents are not shown. "));
        }
        if (r->n_ignored > 0) {
            alm_html_count(out, r->n_ignored);
            alm_html_text(out, _(" alarms lie below the floor that was set and belong to no incident."));
        }
        alm_html_raw(out, "</p>\n");
    }
}

alm_status alm_report_detect_html(alm_buf *out, const alm_report_detect *r, alm_error *err) {
    alm_html_begin(out, _("What was not normal"), r->source);
    put_head(out, r);
    put_promise(out, r);
    if (r->n_bin > 0) {
        alm_html_raw(out, "<h2>");
        alm_html_text(out, _("Time line"));
        alm_html_raw(out, "</h2>\n");
        alm_report_timeline(out, r);
    }
    if (r->n > ALM_REPORT_MANY) put_short_list(out, r);
    put_incidents(out, r);
    if (r->patterns != NULL && r->patterns->n > 0) {
        alm_html_raw(out, "<h2>");
        alm_html_text(out, _("What the records are made of"));
        alm_html_raw(out, "</h2>\n");
        alm_report_patterns_table(out, r->patterns);
    }
    alm_html_end(out, r->command);
    return alm_buf_status(out, err);
}
