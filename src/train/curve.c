/* SPDX-License-Identifier: Apache-2.0
 *
 * curve.c - the learning curve as SVG, drawn with plain paths and text: it opens in every browser and needs nothing else.
 *
 * The vertical axis ends at the largest moving mean and not at the largest single loss, so that one bad step does not press the rest
 * flat; what lies above is cut at the frame. */
#include "train/curve.h"
#include <math.h>

enum { LEFT = 64, RIGHT = 856, TOP = 52, BOTTOM = 358, RATE_TOP = 396, RATE_BOTTOM = 452, MOST = 800 };

typedef struct picture {
    alm_buf *out;
    const alm_train_point *p;
    size_t n, every; /* points are taken in groups of `every` */
    double low, high, rate;
} picture;

static const char style[] =
    "<style>"
    "svg{background:#fff;color:#1f2328;font:13px system-ui,sans-serif}"
    ".grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1}text{fill:currentColor}.small{font-size:"
    "11.5px;"
    "fill:#59636e}.title{font-size:15px;font-weight:600}.raw{stroke:#0969da;stroke-opacity:.28;stroke-width:1;fill:"
    "none}"
    ".mean{stroke:#0969da;stroke-width:2;fill:none}.eval{stroke:#bc4c00;stroke-width:2;fill:none}.dot{fill:#bc4c00}"
    ".best{stroke:#bc4c00;stroke-width:2;fill:none}.rate{stroke:#59636e;stroke-width:1.5;fill:none}"
    "@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.grid{stroke:#262c36}.axis{stroke:#656c76}"
    ".small{fill:#9198a1}.raw,.mean{stroke:#58a6ff}.eval,.best{stroke:#f0883e}.dot{fill:#f0883e}.rate{stroke:#9198a1}}"
    "</style>";

static double x_of(const picture *g, double step) {
    return LEFT + (RIGHT - LEFT) * (g->n > 1 ? (step - 1) / ((double)g->n - 1) : 0.5);
}

static double y_of(const picture *g, double loss) {
    double y = BOTTOM - (BOTTOM - TOP) * (loss - g->low) / (g->high - g->low);
    return y < TOP ? TOP : y > BOTTOM ? BOTTOM : y;
}

static double rate_of(const picture *g, double lr) {
    return RATE_BOTTOM - (RATE_BOTTOM - RATE_TOP) * (g->rate > 0 ? lr / g->rate : 0);
}

/* Mean of the losses in [from, to). */
static double mean(const picture *g, size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; i++) sum += g->p[i].loss;
    return to > from ? sum / (double)(to - from) : NAN;
}

/* 1, 2 or 5 times a power of ten, so that about `parts` fit into the span. */
static double tick(double span, double parts) {
    double x = 1e-9;
    if (!(span > 0)) return 1;
    while (1) {
        for (int k = 0; k < 3; k++) {
            static const double nice[] = {1, 2, 5};
            if (span / (x * nice[k]) <= parts) return x * nice[k];
        }
        x *= 10;
    }
}

static void text(picture *g, double x, double y, const char *cls, const char *anchor, const char *words) {
    alm_buf_printf(g->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", cls, x, y, anchor);
    alm_buf_add_html(g->out, alm_str_of(words));
    alm_buf_add_text(g->out, "</text>");
}

static void number(picture *g, double x, double y, const char *anchor, double value) {
    char at[40];
    alm_str_print(at, sizeof at, "%.6g", value);
    text(g, x, y, "small", anchor, at);
}

static void line(picture *g, const char *cls, double x1, double y1, double x2, double y2) {
    alm_buf_printf(g->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", cls, x1, y1, x2, y2);
}

/* What the axes span. */
static void measure(picture *g) {
    g->every = (g->n + MOST - 1) / MOST;
    if (!g->every) g->every = 1;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < g->n; i += g->every) {
        double m = mean(g, i, i + g->every < g->n ? i + g->every : g->n);
        if (m < low) low = m;
        if (m > high) high = m;
    }
    for (size_t i = 0; i < g->n; i++) {
        double e = g->p[i].eval_loss;
        if (e < low) low = e;
        if (e > high && isfinite(e)) high = e;
        if (g->p[i].lr > g->rate) g->rate = g->p[i].lr;
    }
    if (!isfinite(low) || !isfinite(high)) low = 0, high = 1;
    if (high - low < 1e-6) high = low + 1e-6;
    double t = tick(high - low, 6);
    g->low = floor(low / t) * t;
    g->high = ceil(high / t) * t;
}

static void axes(picture *g, const alm_curve_words *w) {
    double t = tick(g->high - g->low, 7);
    double first = ceil(g->low / t);
    for (int k = 0; k < 100; k++) {
        double v = (first + k) * t;
        if (!(v <= g->high + t / 2 && v <= g->high * (1 + 1e-12))) break;
        line(g, "grid", LEFT, y_of(g, v), RIGHT, y_of(g, v));
        number(g, LEFT - 8, y_of(g, v) + 4, "end", v);
    }
    double s = tick((double)g->n, 9);
    if (s < 1) s = 1;
    line(g, "axis", LEFT, BOTTOM, RIGHT, BOTTOM);
    line(g, "axis", LEFT, RATE_BOTTOM, RIGHT, RATE_BOTTOM);
    for (int k = 1; k < 100 && k * s <= (double)g->n; k++) {
        double v = k * s;
        line(g, "grid", x_of(g, v), TOP, x_of(g, v), BOTTOM);
        line(g, "grid", x_of(g, v), RATE_TOP, x_of(g, v), RATE_BOTTOM);
        number(g, x_of(g, v), RATE_BOTTOM + 17, "middle", v);
    }
    text(g, (LEFT + RIGHT) / 2.0, RATE_BOTTOM + 35, "small", "middle", w->step ? w->step : "step");
    text(g, LEFT, TOP - 10, "small", "end", w->loss ? w->loss : "loss");
    text(g, LEFT, RATE_TOP - 8, "small", "start", w->rate ? w->rate : "learning rate");
    number(g, LEFT - 8, RATE_TOP + 5, "end", g->rate);
    number(g, LEFT - 8, RATE_BOTTOM + 4, "end", 0);
}

/* Every loss, or for each group its smallest and largest. */
static void raw_path(picture *g) {
    alm_buf_add_text(g->out, "<path class=\"raw\" d=\"M");
    for (size_t i = 0; i < g->n; i += g->every) {
        double low = g->p[i].loss, high = low;
        for (size_t k = i; k < g->n && k < i + g->every; k++) {
            if (g->p[k].loss < low) low = g->p[k].loss;
            if (g->p[k].loss > high) high = g->p[k].loss;
        }
        double x = x_of(g, (double)i + 1 + (double)(g->every - 1) / 2);
        alm_buf_printf(g->out, " %.1f %.1f", x, y_of(g, high));
        if (g->every > 1) alm_buf_printf(g->out, " %.1f %.1f", x, y_of(g, low));
    }
    alm_buf_add_text(g->out, "\"/>");
}

/* Mean over a window of a fiftieth of the run around each point, cut at the ends. Sums slide along, so that a long run costs no square. */
static void mean_path(picture *g) {
    size_t half = g->n / 100, from = 0, to = 0;
    double sum = 0;
    alm_buf_add_text(g->out, "<path class=\"mean\" d=\"M");
    for (size_t i = 0; i < g->n; i += g->every) {
        size_t want_from = i > half ? i - half : 0, want_to = i + half + 1 < g->n ? i + half + 1 : g->n;
        for (; to < want_to; to++) sum += g->p[to].loss;
        for (; from < want_from; from++) sum -= g->p[from].loss;
        alm_buf_printf(g->out, " %.1f %.1f", x_of(g, (double)i + 1), y_of(g, sum / (double)(to - from)));
    }
    alm_buf_add_text(g->out, "\"/>");
}

static void eval_path(picture *g, const alm_curve_words *w) {
    size_t n = 0, best = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (!isfinite(g->p[i].eval_loss)) continue;
        if (!n++ || g->p[i].eval_loss < g->p[best].eval_loss) best = i;
    }
    if (!n) return;
    size_t every = (n + MOST - 1) / MOST, k = 0;
    alm_buf_add_text(g->out, "<path class=\"eval\" d=\"M");
    for (size_t i = 0; i < g->n; i++)
        if (isfinite(g->p[i].eval_loss) && (k++ % every == 0 || i == best))
            alm_buf_printf(g->out, " %.1f %.1f", x_of(g, (double)i + 1), y_of(g, g->p[i].eval_loss));
    alm_buf_add_text(g->out, "\"/>");
    for (size_t i = 0; n <= 60 && i < g->n; i++)
        if (isfinite(g->p[i].eval_loss))
            alm_buf_printf(g->out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", x_of(g, (double)i + 1),
                           y_of(g, g->p[i].eval_loss));
    double x = x_of(g, (double)best + 1), y = y_of(g, g->p[best].eval_loss);
    char label[96];
    alm_str_print(label, sizeof label, "%s %.4f", w->best ? w->best : "best", g->p[best].eval_loss);
    alm_buf_printf(g->out, "<circle class=\"best\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>", x, y);
    /* Above the point, where the curve has come down from the left. */
    text(g, x < (LEFT + RIGHT) / 2.0 ? x + 10 : x - 4, y - 12, "small", x < (LEFT + RIGHT) / 2.0 ? "start" : "end",
         label);
}

static void rate_path(picture *g) {
    alm_buf_add_text(g->out, "<path class=\"rate\" d=\"M");
    for (size_t i = 0; i < g->n; i += g->every)
        alm_buf_printf(g->out, " %.1f %.1f", x_of(g, (double)i + 1), rate_of(g, g->p[i].lr));
    alm_buf_add_text(g->out, "\"/>");
}

static void legend(picture *g, const alm_curve_words *w, bool evaluated) {
    line(g, "mean", RIGHT - 250, 30, RIGHT - 226, 30);
    text(g, RIGHT - 220, 34, "small", "start", w->training ? w->training : "training");
    if (!evaluated) return;
    line(g, "eval", RIGHT - 120, 30, RIGHT - 96, 30);
    text(g, RIGHT - 90, 34, "small", "start", w->evaluation ? w->evaluation : "evaluation");
}

alm_status alm_curve_svg(alm_buf *out, const alm_train_point *point, size_t n, const alm_curve_words *words,
                         alm_error *err) {
    static const alm_curve_words none;
    const alm_curve_words *w = words ? words : &none;
    picture g = {.out = out, .p = point, .n = n};
    bool evaluated = false;
    for (size_t i = 0; i < n; i++) evaluated = evaluated || isfinite(point[i].eval_loss);
    alm_buf_add_text(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 880 500\" width=\"880\" height=\"500\" role=\"img\">");
    alm_buf_add_text(out, style);
    measure(&g);
    text(&g, LEFT, 28, "title", "start", w->title ? w->title : "");
    legend(&g, w, evaluated);
    axes(&g, w);
    if (n) {
        raw_path(&g);
        mean_path(&g);
        eval_path(&g, w);
        rate_path(&g);
    }
    alm_buf_add_text(out, "</svg>\n");
    return alm_buf_status(out, err);
}
