/* SPDX-License-Identifier: Apache-2.0
 *
 * report_timeline.c - the time line of `alm detect --html` as SVG: records, alarms, incidents above one axis.
 *
 *     records   ▂▃▅▇▆▃▂     grey bars, to their own scale
 *     alarms      ▂ ▇        red bars, to their own scale: one alarm among a thousand records is still seen
 *     incidents   1─  2──    a stroke as long as the incident, with its number, linked to its description
 *     axis      06:00  12:00
 *
 * Incidents that would touch go to the next row, up to ROWS; beyond that they keep their stroke and lose their number. When
 * there are many, only the strongest have a number; the others are ticks in one row above them. */
#include "cli/html.h"
#include "cli/lang.h"
#include "cli/report_inner.h"

enum { WIDTH = 1056, ROWS = 6, ROW = 20, LANE_RECORDS = 72, LANE_ALARMS = 40, LABEL = 18 };

typedef struct scale {
    int64_t from, to; /* ns, or record numbers */
    bool timed;
} scale;

static double place(const scale *s, int64_t at) {
    if (s->to <= s->from || at <= s->from) return 0;
    if (at >= s->to) return WIDTH;
    return WIDTH * ((double)(at - s->from) / (double)(s->to - s->from));
}

static uint32_t largest(const uint32_t *v, size_t n) {
    uint32_t top = 0;
    for (size_t i = 0; i < n; i++) top = v[i] > top ? v[i] : top;
    return top;
}

static void put_lane(alm_buf *out, const char *kind, const char *label, const uint32_t *v, size_t n, double y,
                     double h) {
    uint32_t top = largest(v, n);
    double w = WIDTH / (double)n, gap = w > 3 ? 1 : 0;
    alm_buf_printf(out, "<text class=\"lane\" x=\"0\" y=\"%.0f\">", y - 5);
    alm_html_text(out, label);
    alm_buf_printf(out, "</text><line class=\"base\" x1=\"0\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", WIDTH, y + h + .5,
                   y + h + .5);
    if (top == 0) return;
    alm_buf_printf(out, "<path class=\"%s\" d=\"", kind);
    for (size_t i = 0; i < n; i++)
        if (v[i] > 0) {
            double bar = h * v[i] / top;
            if (bar < 1.5) bar = 1.5; /* a single one is still seen */
            alm_buf_printf(out, "M%.1f %.1fh%.1fv%.1fh-%.1fz", (double)i * w, y + h - bar, w - gap, bar, w - gap);
        }
    alm_html_raw(out, "\"/>\n");
}

/* The largest round step that gives at most ten ticks. */
static int64_t step_for(const scale *s) {
    static const int64_t SECONDS[] = {1,    5,     15,    30,    60,    300,    900,    1800,    3600,
                                      7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000};
    int64_t width = s->to - s->from;
    if (s->timed) {
        for (size_t i = 0; i < sizeof SECONDS / sizeof *SECONDS; i++)
            if (width / (SECONDS[i] * 1000000000) < 10) return SECONDS[i] * 1000000000;
        return (width / 10 / 86400000000000 + 1) * 86400000000000;
    }
    int64_t step = 1;
    for (int k = 0; width / step > 8; k++) step = k % 3 == 1 ? step / 2 * 5 : step * 2; /* 1 2 5 10 20 50 ... */
    return step;
}

static void put_axis(alm_buf *out, const scale *s, double top, double y) {
    int64_t step = step_for(s),
            first = s->from % step == 0 ? s->from : s->from - s->from % step + (s->from > 0 ? step : 0);
    int64_t day = 86400000000000;
    double free_from = -100; /* labels do not touch */
    if (!s->timed && first == 0) first = step;
    for (int64_t t = first; t <= s->to; t += step) {
        double x = place(s, t);
        bool midnight = s->timed && t % day == 0;
        alm_buf_printf(out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>", x, x, top, y);
        if (x < free_from || x > WIDTH - 14) continue;
        free_from = x + 56;
        alm_buf_printf(out, "<text%s x=\"%.1f\" y=\"%.0f\"%s>", midnight ? " class=\"day\"" : "", x, y + 16,
                       x > 20 ? " text-anchor=\"middle\"" : "");
        if (s->timed) {
            int64_t days = t / day, year, second = t % day / 1000000000;
            int month, of_month;
            alm_civil_from_days(days, &year, &month, &of_month);
            if (midnight) alm_buf_printf(out, "%02d-%02d", month, of_month);
            else if (step < 60000000000)
                alm_buf_printf(out, "%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60),
                               (int)(second % 60));
            else alm_buf_printf(out, "%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60));
        } else alm_html_count(out, (uint64_t)t);
        alm_html_raw(out, "</text>\n");
    }
}

static int64_t start_of(const scale *s, const alm_report_incident *x) {
    return s->timed ? x->first_ns : (int64_t)x->first_record;
}
static int64_t end_of(const scale *s, const alm_report_incident *x) {
    return s->timed ? x->last_ns : (int64_t)(x->first_record + (x->n_records > 0 ? x->n_records - 1 : 0));
}

/* Which row each incident gets is decided twice, for the height and for the drawing; both times the same. */
static int next_row(double busy_to[ROWS], double x0, double x1) {
    for (int r = 0; r < ROWS; r++)
        if (x0 >= busy_to[r]) {
            busy_to[r] = x1;
            return r;
        }
    return -1;
}

static double width_of_mark(double x0, double x1, size_t number) {
    double text = number < 10 ? 9 : number < 100 ? 16 : 23;
    return (x1 - x0 > 4 ? x1 - x0 : 4) + 4 + text + 8;
}

typedef struct marks {
    double busy_to[ROWS];
    int rows;
} marks;

static int row_of(marks *m, double x0, double x1, size_t number) {
    int row = next_row(m->busy_to, x0, x0 + width_of_mark(x0, x1, number));
    if (row + 1 > m->rows) m->rows = row + 1;
    return row;
}

static void put_tick(alm_buf *out, const alm_report_incident *x, size_t number, double x0, double y) {
    alm_buf_printf(out, "<a href=\"#i%zu\"><title>", number);
    alm_html_record(out, x->reason, 200);
    alm_buf_printf(out, "</title><line class=\"minor\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/></a>\n", x0, x0,
                   y, y + 8);
}

static void put_mark(alm_buf *out, const alm_report_incident *x, size_t number, double x0, double x1, double y,
                     bool named) {
    bool left = x1 + 28 > WIDTH; /* the number stands before the stroke at the right edge */
    alm_buf_printf(out, "<a href=\"#i%zu\"><title>", number);
    alm_html_record(out, x->reason, 200);
    alm_buf_printf(out, "</title><line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x0, x1, y, y);
    if (named)
        alm_buf_printf(out, "<text class=\"no\" x=\"%.1f\" y=\"%.1f\"%s>%zu</text>", left ? x0 - 4 : x1 + 4, y + 4.5,
                       left ? " text-anchor=\"end\"" : "", number);
    alm_html_raw(out, "</a>\n");
}

/* out NULL: only finds how many rows there are. */
static int put_marks(alm_buf *out, const scale *s, const alm_report_detect *r, double y) {
    marks m = {0};
    bool many = r->n > ALM_REPORT_MANY;
    size_t top[ALM_REPORT_SHORT], n_top = many ? alm_report_strongest(top, r) : 0;
    for (size_t i = 0; i < r->n; i++) {
        double x0 = place(s, start_of(s, &r->at[i])), x1 = place(s, end_of(s, &r->at[i]));
        if (x1 - x0 < 4) x1 = x0 + 4;
        bool numbered = !many;
        for (size_t k = 0; k < n_top; k++) numbered |= top[k] == i;
        if (!numbered) {
            if (out != NULL) put_tick(out, &r->at[i], i + 1, x0, y + 4);
            continue;
        }
        int row = row_of(&m, x0, x1, i + 1), below = (row < 0 ? ROWS - 1 : row) + many;
        if (out != NULL) put_mark(out, &r->at[i], i + 1, x0, x1, y + ROW * below + ROW / 2.0, row >= 0);
    }
    return m.rows + many;
}

/* Invisible columns that say their numbers when pointed at. */
static void put_hints(alm_buf *out, const scale *s, const alm_report_detect *r, double y, double h) {
    double w = WIDTH / (double)r->n_bin;
    for (size_t i = 0; i < r->n_bin; i++) {
        if (r->bin_records[i] == 0) continue;
        alm_buf_printf(out, "<rect class=\"hit\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\"><title>",
                       (double)i * w, y, w, h);
        if (s->timed) {
            alm_html_time(out, s->from + (int64_t)((double)(s->to - s->from) * (double)i / (double)r->n_bin));
            alm_html_raw(out, " · ");
        }
        alm_html_count(out, r->bin_records[i]);
        alm_buf_printf(out, " %s", P_("record", "records", (unsigned long)r->bin_records[i]));
        if (r->bin_alarms[i] > 0)
            alm_buf_printf(out, " · %u %s", r->bin_alarms[i], P_("alarm", "alarms", (unsigned long)r->bin_alarms[i]));
        alm_html_raw(out, "</title></rect>");
    }
    alm_html_raw(out, "\n");
}

void alm_report_timeline(alm_buf *out, const alm_report_detect *r) {
    scale s = {.timed = r->first_ns != ALM_NO_TIME && r->last_ns != ALM_NO_TIME && r->last_ns > r->first_ns};
    if (r->n_bin == 0 || r->bin_records == NULL || r->bin_alarms == NULL) return;
    s.from = s.timed ? r->first_ns : 0, s.to = s.timed ? r->last_ns : (int64_t)r->n_records;
    if (s.timed && r->bin_ns > 0) s.to = s.from + (int64_t)r->n_bin * r->bin_ns;
    int rows = put_marks(NULL, &s, r, 0);
    double y_alarms = LABEL + LANE_RECORDS + 10 + LABEL, y_marks = y_alarms + LANE_ALARMS + 8;
    double y_axis = y_marks + rows * ROW + (rows > 0 ? 6 : 0);
    alm_html_raw(out, "<div class=\"tl\">");
    alm_buf_printf(out, "<svg viewBox=\"0 0 %d %.0f\" width=\"100%%\" role=\"img\" aria-label=\"", WIDTH, y_axis + 22);
    alm_html_text(out, _("Records, alarms and incidents over time"));
    alm_html_raw(out, "\">\n");
    put_axis(out, &s, LABEL, y_axis);
    put_lane(out, "rec", s.timed ? _("Records over time") : _("Records"), r->bin_records, r->n_bin, LABEL,
             LANE_RECORDS);
    put_lane(out, "alm", s.timed ? _("Alarms, to their own scale") : _("Alarms by record number"), r->bin_alarms,
             r->n_bin, y_alarms, LANE_ALARMS);
    put_hints(out, &s, r, LABEL, y_alarms + LANE_ALARMS - LABEL);
    put_marks(out, &s, r, y_marks);
    alm_html_raw(out, "</svg></div>\n");
}
