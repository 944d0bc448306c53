/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c - keeps all cells until the widths are known, then writes them; or measures first and writes what comes after.
 *
 * Widths are columns of the terminal, not bytes: an ideograph takes two, a combining mark none. Cells are made visible
 * when they are added, so that what is counted is what is written and data cannot move the cursor. */
#include "cli/columns.h"
#include "base/alloc.h"
#include "base/error.h"
#include <string.h>

typedef struct cell {
    alm_str text;
    size_t width;
    alm_style style;
} cell;

enum { MAX_COLUMNS = 32, MIN_FLEXIBLE = 12 };
struct alm_columns {
    const alm_column *column;
    size_t n;
    enum { KEEP, MEASURE, WRITE } mode;
    size_t width[MAX_COLUMNS]; /* of the widest cell; once writing: of the column */
    alm_out *out;
    const alm_term *term;
    cell *cells; /* none but in mode KEEP */
    size_t n_cell, cap;
    alm_arena *text;
    alm_buf visible, cut;
};

alm_status alm_columns_new(alm_columns **out, const alm_column *column, size_t n, alm_error *err) {
    *out = NULL;
    if (n > MAX_COLUMNS) return alm_fail(err, ALM_INVALID, "a table of %zu columns: at most %d", n, MAX_COLUMNS);
    alm_columns *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->column = column;
    t->n = n;
    t->visible = alm_buf_with_limit(64 << 20);
    t->cut = alm_buf_with_limit(64 << 20);
    alm_status st = alm_arena_new(&t->text, 1 << 14, 0, err);
    if (st != ALM_OK) return alm_columns_free(t), st;
    *out = t;
    return ALM_OK;
}

void alm_columns_free(alm_columns *t) {
    if (!t) return;
    alm_arena_free(t->text);
    alm_buf_free(&t->visible);
    alm_buf_free(&t->cut);
    alm_free(t->cells);
    alm_free(t);
}

size_t alm_columns_cut(alm_buf *out, alm_str s, size_t width, bool utf8) {
    size_t all = alm_utf8_columns(s);
    if (all <= width) return alm_buf_add_str(out, s), all;
    size_t dots = utf8 ? 1 : 2, used = 0, pos = 0;
    if (width < dots) return 0;
    while (pos < s.n) {
        size_t next = pos;
        uint32_t scalar;
        (void)alm_utf8_next(s, &next, &scalar);
        size_t w = alm_utf8_columns(alm_str_slice(s, pos, next));
        if (used + w + dots > width) break;
        used += w;
        pos = next;
    }
    alm_buf_add(out, s.at, pos);
    alm_buf_add_text(out, utf8 ? "…" : "..");
    return used + dots;
}

static void pad(alm_buf *b, size_t n) {
    while (n--) alm_buf_add_byte(b, ' ');
}

/* A template's text with its slots set off: "Connection from <ip> closed". */
static void add_slots(alm_buf *b, alm_str s, const alm_term *term) {
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.at[i] != '<') continue;
        size_t end = i + 1;
        while (end < s.n && (s.at[end] == '*' || s.at[end] == '_' || (s.at[end] >= 'a' && s.at[end] <= 'z'))) end++;
        if (end == i + 1 || end >= s.n || s.at[end] != '>') continue;
        alm_buf_add(b, s.at + from, i - from);
        alm_buf_add_text(b, alm_style_on(term, ALM_SLOT));
        alm_buf_add(b, s.at + i, end + 1 - i);
        alm_buf_add_text(b, alm_style_off(term, ALM_SLOT));
        from = end + 1;
        i = end;
    }
    alm_buf_add(b, s.at + from, s.n - from);
}

static void write_cell(alm_columns *t, alm_out *out, const alm_term *term, const cell *c, size_t i, size_t width) {
    bool last = i + 1 == t->n;
    alm_buf *b = &out->buf;
    if (t->column[i].right && c->width < width) pad(b, width - c->width);
    alm_buf_add_text(b, alm_style_on(term, c->style));
    size_t used = c->width;
    alm_str text = c->text;
    if (term->is_terminal && t->column[i].flexible && c->width > width) { /* a file has no edge */
        alm_buf_clear(&t->cut);
        used = alm_columns_cut(&t->cut, c->text, width, term->utf8);
        text = alm_buf_str(&t->cut);
    }
    if (t->column[i].slots && term->color && c->style == ALM_PLAIN) add_slots(b, text, term);
    else alm_buf_add_str(b, text);
    alm_buf_add_text(b, alm_style_off(term, c->style));
    if (!t->column[i].right && !last && used < width) pad(b, width - used);
    if (!last) pad(b, 2);
}

/* Widths are known: heads. */
static void begin(alm_columns *t, alm_out *out, const alm_term *term) {
    size_t total = 0, flexible = SIZE_MAX;
    for (size_t i = 0; i < t->n; i++) {
        size_t head = alm_utf8_columns(alm_str_of(t->column[i].head));
        if (head > t->width[i]) t->width[i] = head;
        total += t->width[i] + (i ? 2 : 0);
        if (t->column[i].flexible) flexible = i;
    }
    if (term->is_terminal && total > term->width && flexible != SIZE_MAX) {
        size_t over = total - term->width;
        t->width[flexible] = t->width[flexible] > over + MIN_FLEXIBLE ? t->width[flexible] - over : MIN_FLEXIBLE;
    }
    for (size_t i = 0; i < t->n; i++) {
        alm_str head = alm_str_of(t->column[i].head);
        cell c = {head, alm_utf8_columns(head), ALM_DIM};
        write_cell(t, out, term, &c, i, t->width[i]);
    }
    alm_out_text(out, "\n");
}

void alm_columns_measure(alm_columns *t) { t->mode = MEASURE; }

alm_status alm_columns_write(alm_columns *t, alm_out *out, const alm_term *term, alm_error *err) {
    if (t->mode != MEASURE) return alm_fail(err, ALM_INVALID, "the columns of this table have not been measured");
    begin(t, out, term);
    t->mode = WRITE, t->n_cell = 0;
    t->out = out, t->term = term;
    return ALM_OK;
}

alm_status alm_columns_add(alm_columns *t, alm_str text, alm_style style, alm_error *err) {
    alm_buf_clear(&t->visible);
    alm_buf_add_visible(&t->visible, text);
    if (t->visible.failed) return alm_buf_status(&t->visible, err);
    alm_str shown = alm_buf_str(&t->visible);
    cell c = {shown, alm_utf8_columns(shown), style};
    size_t column = t->n_cell % t->n;
    if (t->mode == WRITE) {
        write_cell(t, t->out, t->term, &c, column, t->width[column]);
        if (column + 1 == t->n) alm_out_text(t->out, "\n");
        t->n_cell++;
        return ALM_OK;
    }
    if (t->mode == KEEP) {
        c.text = alm_arena_copy(t->text, shown);
        if (!c.text.at || !alm_grow((void **)&t->cells, &t->cap, t->n_cell + 1, sizeof *t->cells))
            return alm_fail_memory(err);
        t->cells[t->n_cell] = c;
    }
    if (c.width > t->width[column]) t->width[column] = c.width;
    t->n_cell++;
    return ALM_OK;
}

alm_status alm_columns_print(alm_columns *t, alm_out *out, const alm_term *term, alm_error *err) {
    (void)err;
    if (t->n == 0 || t->mode != KEEP) return ALM_OK;
    begin(t, out, term);
    for (size_t k = 0; k < t->n_cell; k++) {
        write_cell(t, out, term, &t->cells[k], k % t->n, t->width[k % t->n]);
        if (k % t->n + 1 == t->n && !alm_out_text(out, "\n"))
            break; /* the caller learns of it when it finishes `out` */
    }
    return ALM_OK;
}

void alm_columns_wrap(alm_buf *out, alm_str s, size_t indent, size_t width) {
    size_t at = indent;
    alm_str rest = s, word;
    bool first = true;
    while (alm_str_split(&rest, ' ', &word)) {
        size_t w = alm_utf8_columns(word);
        if (!first && at + 1 + w > width) {
            alm_buf_add_byte(out, '\n');
            pad(out, indent);
            at = indent;
        } else if (!first) alm_buf_add_byte(out, ' '), at++;
        alm_buf_add_str(out, word);
        at += w;
        first = false;
    }
    alm_buf_add_byte(out, '\n');
}

void alm_columns_spark(alm_buf *out, const double *value, size_t n, bool utf8) {
    static const char *const bar[8] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[8] = {'.', '.', ':', ':', '+', '+', '#', '#'};
    double most = 0;
    for (size_t i = 0; i < n; i++) most = value[i] > most ? value[i] : most;
    for (size_t i = 0; i < n; i++) {
        if (!(value[i] > 0)) {
            alm_buf_add_text(out, utf8 ? "·" : " ");
            continue;
        }
        int level = (int)(value[i] / most * 7.999);
        if (utf8) alm_buf_add_text(out, bar[level]);
        else alm_buf_add_byte(out, plain[level]);
    }
}

void alm_columns_count(alm_buf *out, uint64_t n, bool utf8) {
    char digits[24];
    size_t len = 0;
    do digits[len++] = (char)('0' + n % 10);
    while (n /= 10);
    for (size_t i = len; i-- > 0;) {
        alm_buf_add_byte(out, digits[i]);
        /* Four digits stay together, as ISO 80000-1 advises. */
        if (utf8 && len > 4 && i > 0 && i % 3 == 0) alm_buf_add_text(out, "\xe2\x80\xaf");
    }
}
