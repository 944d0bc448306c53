/* SPDX-License-Identifier: Apache-2.0
 *
 * detect_view.c - alarms for eyes: incidents with the first cause, the original lines, the reason in a sentence.
 *
 *     1  14:03:07  session 7781 and 3 more · 12 alarms · p 0.0004
 *        template never seen while learning: disk <path> is full
 *   >      1204  2026-03-14 14:03:07 disk /var/log is full
 *
 * Everything that comes from records is made visible first: data cannot steer the terminal. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/mathx.h"
#include "cli/columns.h"
#include "cli/detection.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void styled(alm_shown *s, alm_style style, const char *text) {
    const alm_term *t = &s->cli->out_term;
    alm_buf_add_text(&s->cli->out.buf, alm_style_on(t, style));
    alm_buf_add_visible(&s->cli->out.buf, alm_str_of(text));
    alm_buf_add_text(&s->cli->out.buf, alm_style_off(t, style));
}

/* A line of data from column `indent` on, cut at the window's edge where there is one. */
static void data_line(alm_shown *s, alm_str text, size_t indent, alm_style style) {
    const alm_term *t = &s->cli->out_term;
    alm_buf visible = alm_buf_with_limit(1 << 16);
    alm_str first = text;
    size_t end = alm_str_find_byte(text, '\n');
    if (end != SIZE_MAX) first = alm_str_slice(text, 0, end);
    if (first.n && first.at[first.n - 1] == '\r') first.n--;
    for (size_t tab; (tab = alm_str_find_byte(first, '\t')) != SIZE_MAX;
         first = alm_str_slice(first, tab + 1, first.n)) {
        alm_buf_add_visible(&visible, alm_str_slice(first, 0, tab));
        alm_buf_add_text(&visible, "    "); /* a tab is no threat, and stack traces are full of them */
    }
    alm_buf_add_visible(&visible, first);
    alm_buf_add_text(&s->cli->out.buf, alm_style_on(t, style));
    if (t->is_terminal && t->width > indent + 8)
        alm_columns_cut(&s->cli->out.buf, alm_buf_str(&visible), t->width - indent, t->utf8);
    else alm_buf_add_str(&s->cli->out.buf, alm_buf_str(&visible));
    alm_buf_add_text(&s->cli->out.buf, alm_style_off(t, style));
    alm_out_text(&s->cli->out, "\n");
    alm_buf_free(&visible);
}

/* A sentence, in as many lines as it needs. */
static void sentence(alm_shown *s, const char *text, size_t indent, alm_style style) {
    const alm_term *t = &s->cli->out_term;
    alm_buf visible = alm_buf_with_limit(1 << 16);
    alm_buf_add_visible(&visible, alm_str_of(text));
    alm_buf_add_text(&s->cli->out.buf, alm_style_on(t, style));
    alm_columns_wrap(&s->cli->out.buf, alm_buf_str(&visible), indent, t->width < 120 ? t->width : 120);
    alm_buf_add_text(&s->cli->out.buf, alm_style_off(t, style));
    alm_buf_free(&visible);
}

/* Places of the lines in the order of the input; the first cause, which the library gives first, need not be the first. */
static void order_lines(const alm_incident *i, unsigned at[ALM_INCIDENT_LINES]) {
    for (unsigned k = 0; k < i->n_line; k++) {
        unsigned j = k;
        for (; j > 0 && i->line[at[j - 1]] > i->line[k]; j--) at[j] = at[j - 1];
        at[j] = k;
    }
}

static void clock_text(char at[40], int64_t ns) {
    size_t n = ns == ALM_NO_TIME ? 0 : alm_time_to_str(at, ns);
    /* "2026-03-14T09:26:53.123Z" becomes "2026-03-14 09:26:53": what a person compares */
    if (n > 19) n = 19;
    at[n] = '\0';
    if (n > 10) at[10] = ' ';
}

/* The line with the tokens that surprised the language model in colour; false: it was not read, or it has more than one line. */
static bool read_line(alm_shown *s, alm_str text, size_t indent) {
    const alm_term *term = &s->cli->out_term;
    alm_token_surprise t;
    if (!alm_detect_token_count(s->detection) || alm_str_find_byte(text, '\n') != SIZE_MAX) return false;
    if (term->is_terminal && text.n + indent > term->width) return false;
    size_t end = 0;
    for (size_t i = 0; alm_detect_token(s->detection, i, &t) && (size_t)t.at + t.n <= text.n; i++) {
        alm_style style = t.nll > 6 ? ALM_BAD : t.nll > 3 ? ALM_WARN : ALM_PLAIN;
        alm_buf_add_text(&s->cli->out.buf, alm_style_on(term, style));
        alm_buf_add_visible(&s->cli->out.buf, alm_str_slice(text, t.at, (size_t)t.at + t.n));
        alm_buf_add_text(&s->cli->out.buf, alm_style_off(term, style));
        end = (size_t)t.at + t.n;
    }
    alm_out_visible(&s->cli->out, alm_str_slice(text, end, text.n));
    alm_out_text(&s->cli->out, "\n");
    return true;
}

void alm_detection_alarm_line(alm_shown *s, const alm_verdict *v, alm_str text, alm_str raw) {
    char at[40];
    clock_text(at, v->time_ns);
    if (*at) styled(s, ALM_DIM, at), alm_out_text(&s->cli->out, "  ");
    styled(s, ALM_BAD, v->group[0] ? v->group : _("no group"));
    alm_out_text(&s->cli->out, "  ");
    alm_out_visible(&s->cli->out, alm_str_of(v->n_why ? v->why[0].text : ""));
    alm_out_text(&s->cli->out, "\n");
    if (raw.n) {
        alm_out_printf(&s->cli->out, "  %llu  ", (unsigned long long)v->line);
        if (v->is_group || !read_line(s, text, 12)) data_line(s, raw, 12, ALM_PLAIN);
    }
    alm_out_flush(&s->cli->out);
}

static void head(alm_shown *s, const alm_incident *i) {
    alm_out *out = &s->cli->out;
    const char *dot = s->cli->out_term.utf8 ? " · " : " - ";
    char at[40];
    clock_text(at, i->first_ns);
    alm_out_printf(out, "%s%3llu%s  ", alm_style_on(&s->cli->out_term, ALM_BAD), (unsigned long long)i->number,
                   alm_style_off(&s->cli->out_term, ALM_BAD));
    if (*at) styled(s, ALM_BOLD, at);
    else alm_out_printf(out, _("line %llu"), (unsigned long long)i->first_line);
    if (i->n_group) {
        alm_out_text(out, dot);
        alm_out_visible(out, alm_str_of(i->group[0]));
        if (i->n_groups > 1)
            alm_out_text(out, " "), alm_out_printf(out, _("and %llu more"), (unsigned long long)(i->n_groups - 1));
    }
    alm_out_text(out, dot);
    alm_out_printf(out, P_("%llu alarm", "%llu alarms", (unsigned long)i->n_alarms), (unsigned long long)i->n_alarms);
    if (i->n_followers) {
        alm_out_text(out, dot);
        alm_out_printf(out, P_("%llu more like it", "%llu more like it", (unsigned long)i->n_followers),
                       (unsigned long long)i->n_followers);
    }
    alm_out_printf(out, "%sp %.2g\n", dot, i->p);
}

double alm_detection_weight(const alm_incident *i) {
    uint64_t n = i->n_alarms + i->n_followers;
    return i->score + alm_log_f64((double)(n > 0 ? n : 1));
}

static int heavier(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The weight of the lightest incident that is shown; minus infinity shows all, and so it is without memory for the list. */
static double lightest(const alm_shown *s, size_t n, uint64_t top) {
    double *weight = top > 0 && top < n ? alm_alloc(n * sizeof *weight) : NULL, least;
    alm_incident i;
    if (!weight) return -HUGE_VAL;
    for (size_t k = 0; k < n; k++)
        weight[k] = alm_detect_incident(s->detection, k, &i) ? alm_detection_weight(&i) : -HUGE_VAL;
    qsort(weight, n, sizeof *weight, heavier);
    least = weight[top - 1];
    alm_free(weight);
    return least;
}

static void incident(alm_shown *s, const alm_incident *i) {
    alm_out *out = &s->cli->out;
    head(s, i);
    alm_out_text(out, "     ");
    sentence(s, i->reason, 5, ALM_WARN);
    unsigned order[ALM_INCIDENT_LINES] = {0};
    order_lines(i, order);
    for (unsigned j = 0; j < i->n_line; j++) {
        bool cause = order[j] == 0;
        alm_out_printf(out, "   %s %s%7llu%s  ", cause ? ">" : " ", alm_style_on(&s->cli->out_term, ALM_DIM),
                       (unsigned long long)i->line[order[j]], alm_style_off(&s->cli->out_term, ALM_DIM));
        data_line(s, alm_str_of(i->text[order[j]]), 14, cause ? ALM_BOLD : ALM_PLAIN);
    }
    if (i->n_alarms + i->n_followers > i->n_line && i->n_line)
        alm_out_printf(out, "     %s\n", s->cli->out_term.utf8 ? "      …" : "     ...");
    alm_out_text(out, "\n");
}

void alm_detection_incidents(alm_shown *s, uint64_t top) {
    alm_out *out = &s->cli->out;
    alm_incident i;
    size_t n = alm_detect_incident_count(s->detection), n_shown = 0;
    double least = lightest(s, n, top);
    for (size_t k = 0; k < n && alm_detect_incident(s->detection, k, &i); k++) {
        if (alm_detection_weight(&i) < least || (least > -HUGE_VAL && n_shown == top)) continue;
        n_shown++;
        incident(s, &i);
        if (!alm_out_tick(out)) return;
    }
    if (!n) alm_out_printf(out, "%s\n", _("no incident"));
    if (n_shown < n)
        alm_out_printf(out,
                       P_("%zu weaker incident is not shown (--top 0 shows all)\n",
                          "%zu weaker incidents are not shown (--top 0 shows all)\n", (unsigned long)(n - n_shown)),
                       n - n_shown);
    uint64_t dropped = alm_detect_incidents_dropped(s->detection);
    if (dropped) alm_out_printf(out, _("%llu more incidents were only counted\n"), (unsigned long long)dropped);
}
