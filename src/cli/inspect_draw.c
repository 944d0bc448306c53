/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect_draw.c - a model as boxes along the way of a token: embedding, blocks with their two parts, output.
 *
 *       tokens
 *         |
 *     +---+-- embedding ----+
 *     |   token_embd ...    |
 *     +---+-----------------+
 *
 * 78 columns, so that it fits any terminal; lines of UTF-8 where the locale has them, else of ASCII. */
#include "cli/cli.h"
#include "cli/inspect.h"
#include "cli/sizes.h"

#include <stdio.h>

enum { WIDTH = 76, NAME = 36, SHAPE = 17, TYPE = 8, MAX_LINES = 400 };

typedef struct pen {
    alm_out *out;
    const char *across, *down, *tee, *left_top, *right_top, *left_bottom, *right_bottom, *left_tee, *right_tee, *plus;
    size_t lines;
} pen;

static const pen boxes = {NULL, "─", "│", "┴", "┌", "┐", "└", "┘", "├", "┤", "⊕", 0};
static const pen ascii = {NULL, "-", "|", "+", "+", "+", "+", "+", "+", "+", "+", 0};

static void repeat(pen *p, const char *s, size_t n) {
    while (n-- > 0) alm_out_text(p->out, s);
}

/* left ─ tee ─ title ────── right */
static void edge(pen *p, const char *left, const char *tee, const char *title, const char *right) {
    size_t n = title && *title ? alm_utf8_columns(alm_str_of(title)) + 2 : 0;
    alm_out_text(p->out, "  ");
    alm_out_text(p->out, left);
    repeat(p, p->across, 2);
    alm_out_text(p->out, tee);
    repeat(p, p->across, 1);
    if (n) alm_out_printf(p->out, " %s ", title);
    if (WIDTH > n + 6) repeat(p, p->across, WIDTH - 6 - n);
    alm_out_text(p->out, right);
    alm_out_text(p->out, "\n");
}

static void between(pen *p) { alm_out_printf(p->out, "     %s\n", p->down); }

/* A cell of so many columns; too long ones are cut. */
static void cell(pen *p, alm_str s, size_t width, bool right) {
    alm_buf text = alm_buf_with_limit(1 << 16);
    alm_buf seen = alm_buf_with_limit(1 << 16);
    alm_buf_add_visible(&seen, s);
    size_t used = 0, pos = 0;
    alm_str v = alm_buf_str(&seen);
    while (pos < v.n) {
        size_t from = pos;
        uint32_t c;
        alm_utf8_next(v, &pos, &c);
        size_t columns = alm_utf8_columns(alm_str_slice(v, from, pos));
        if (used + columns > width) break;
        alm_buf_add(&text, v.at + from, pos - from);
        used += columns;
    }
    if (right) repeat(p, " ", width - used);
    alm_out_add(p->out, text.at, text.n);
    if (!right) repeat(p, " ", width - used);
    alm_buf_free(&text);
    alm_buf_free(&seen);
}

const char *alm_inspect_shape(char *at, const alm_inspect_row *r) {
    size_t n = 0;
    *at = '\0';
    if (r->varies) return alm_str_print(at, ALM_INSPECT_SHAPE, "%s", _("differs")), at;
    for (uint32_t k = 0; k < r->n_dims; k++)
        n += (size_t)snprintf(at + n, ALM_INSPECT_SHAPE - n, "%s%llu", k ? " x " : "", (unsigned long long)r->dim[k]);
    return at;
}

static void line(pen *p, const alm_inspect_row *r, size_t blocks, bool inner) {
    char shape[ALM_INSPECT_SHAPE], size[ALM_SIZE_BYTES], name[700];
    size_t each = blocks ? r->n / blocks : 1;
    if (p->lines++ >= MAX_LINES) return;
    alm_str shown = r->name; /* nearly all are weights */
    if (alm_str_ends(shown, ALM_STR(".weight"))) shown = alm_str_slice(shown, 0, shown.n - 7);
    if (each > 1) snprintf(name, sizeof name, "%.*s (%zu)", ALM_ARG(shown), each);
    else snprintf(name, sizeof name, "%.*s", ALM_ARG(shown));
    alm_out_printf(p->out, "  %s  %s ", p->down, inner ? p->down : " ");
    cell(p, alm_str_of(name), NAME - 1, false);
    alm_out_text(p->out, " ");
    cell(p, alm_str_of(alm_inspect_shape(shape, r)), SHAPE, false);
    cell(p, alm_str_of(r->type ? r->type : _("several")), TYPE, false);
    cell(p, alm_str_of(alm_size_text(size, r->n_bytes)), WIDTH - NAME - SHAPE - TYPE - 7, true);
    alm_out_printf(p->out, " %s\n", p->down);
}

static void attention_title(char *at, size_t n, const alm_inspection *x) {
    if (!x->model) {
        alm_str_print(at, n, "%s", _("attention"));
        return;
    }
    const alm_config *c = alm_model_config(x->model);
    if (c->n_heads == c->n_kv_heads) alm_str_print(at, n, _("attention: %zu heads of %zu"), c->n_heads, c->head_dim);
    else
        alm_str_print(at, n, _("attention: %zu heads of %zu, %zu for keys and values"), c->n_heads, c->head_dim,
                      c->n_kv_heads);
}

static void ffn_title(char *at, size_t n, const alm_inspection *x) {
    const alm_config *c = x->model ? alm_model_config(x->model) : NULL;
    if (c && c->n_experts)
        alm_str_print(at, n, _("feed-forward: %zu experts, %zu used, %zu wide"), c->n_experts, c->n_experts_used,
                      c->expert_ffn ? c->expert_ffn : c->ffn);
    else if (c) alm_str_print(at, n, _("feed-forward: %zu wide"), c->ffn);
    else alm_str_print(at, n, "%s", _("feed-forward"));
}

/* The rows [from, to) of one stack of blocks. */
static void stack(pen *p, const alm_inspection *x, size_t from, size_t to) {
    char title[160];
    size_t first = x->row[from].first, last = x->row[from].last;
    for (size_t i = from; i < to; i++) {
        if (x->row[i].first < first) first = x->row[i].first;
        if (x->row[i].last > last) last = x->row[i].last;
    }
    alm_str_print(title, sizeof title, P_("%zu block: %.*s.%zu", "%zu blocks: %.*s.%zu to %zu", last - first + 1),
                  last - first + 1, (int)(x->row[from].prefix.n < 40 ? x->row[from].prefix.n : 40),
                  x->row[from].prefix.at, first, last);
    edge(p, p->left_top, p->tee, title, p->right_top);
    for (size_t i = from; i < to; i++) {
        bool begins = i == from || x->row[i].section != x->row[i - 1].section;
        bool ends = i + 1 == to || x->row[i].section != x->row[i + 1].section;
        if (begins) {
            if (x->row[i].section == ALM_INSPECT_ATTENTION) attention_title(title, sizeof title, x);
            else ffn_title(title, sizeof title, x);
            alm_out_printf(p->out, "  %s  %s%s %s%*s%s\n", p->down, p->left_tee, p->across, title,
                           (int)(WIDTH - 7 - alm_utf8_columns(alm_str_of(title))), "", p->down);
        }
        line(p, &x->row[i], last - first + 1, true);
        if (ends) alm_out_printf(p->out, "  %s  %s%*s%s\n", p->down, p->plus, WIDTH - 5, "", p->down);
    }
    edge(p, p->left_bottom, p->across, NULL, p->right_bottom);
    between(p);
}

static void box(pen *p, const alm_inspection *x, size_t from, size_t to, const char *title) {
    edge(p, p->left_top, x->n_blocks ? p->tee : p->across, title, p->right_top);
    for (size_t i = from; i < to; i++) line(p, &x->row[i], 0, false);
    edge(p, p->left_bottom, p->across, NULL, p->right_bottom);
    if (x->n_blocks) between(p);
}

void alm_inspect_draw(const alm_inspection *x, alm_out *out, const alm_term *term) {
    pen p = term->utf8 ? boxes : ascii;
    size_t i = 0, from = 0;
    p.out = out;
    if (x->n_blocks == 0) { /* no way of a token can be read off these names */
        box(&p, x, 0, x->n_row, _("tensors"));
        return;
    }
    alm_out_printf(out, "   %s\n", _("tokens"));
    between(&p);
    while (i < x->n_row && !x->row[i].prefix.n && x->row[i].section == ALM_INSPECT_BEFORE) i++;
    if (i > from) box(&p, x, from, i, _("embedding"));
    while (i < x->n_row && x->row[i].prefix.n) {
        for (from = i; i < x->n_row && alm_str_eq(x->row[i].prefix, x->row[from].prefix);) i++;
        stack(&p, x, from, i);
    }
    if (i < x->n_row) box(&p, x, i, x->n_row, _("output"));
    bool tied = x->model && alm_model_config(x->model)->tied;
    alm_out_printf(out, "   %s\n", tied ? _("logits, by the embedding once more") : _("logits"));
    if (p.lines > MAX_LINES) alm_out_printf(out, _("%zu lines more; --json lists all tensors\n"), p.lines - MAX_LINES);
}
