/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.c - rows of CSV and TSV (RFC 4180): cells may be quoted, quotes may hold separators, line ends and doubled quotes.
 *
 * The separator is found out from the first rows (, ; tab |), and so is whether the first row names the columns. Each row
 * becomes fields; its text is key=value key="a b" …, so that what is mined sees the names. Without names the text is the row
 * itself and the keys are c1, c2, … Blank lines are skipped.
 *
 * What breaks the rules is kept and flagged: a quote that is not closed (within 1 MiB: otherwise one stray quote would
 * swallow the rest of the file) makes its line a row without quotes; a row with more or fewer cells than the first has the
 * cells that it has. A quote in the middle of a cell stands for itself. */
#include "record/reader.h"

#include "base/alloc.h"

enum { SNIFF_ROWS = 200, MAX_NAME_BYTES = 256 };

typedef struct row {
    size_t end, next; /* offsets from the row's start; next: behind the line end */
    unsigned n_line;
    bool open;   /* a quote is not closed */
    bool stray;  /* a quote in the middle of a cell, or text behind a closed quote */
    bool at_end; /* the text ended before the row did */
} row;

/* Walks one row. `ended`: nothing can follow the text. */
static void scan_row(alm_str s, char sep, row *out) {
    size_t i = 0;
    bool quoted = false, cell_start = true, closed = false;
    *out = (row){.n_line = 1};
    for (; i < s.n; i++) {
        char c = s.at[i];
        if (quoted) {
            if (c == '"') {
                if (i + 1 < s.n && s.at[i + 1] == '"') i++;
                else quoted = false, closed = true;
            } else if (c == '\n') out->n_line++;
        } else if (c == '"' && cell_start) quoted = true, cell_start = false;
        else if (c == sep) cell_start = true, closed = false;
        else if (c == '\n') {
            out->end = i && s.at[i - 1] == '\r' ? i - 1 : i;
            out->next = i + 1;
            return;
        } else {
            if ((c == '"' || closed) && !(c == '\r' && i + 1 < s.n && s.at[i + 1] == '\n')) out->stray = true;
            cell_start = false;
        }
    }
    out->end = out->next = s.n;
    out->at_end = true;
    out->open = quoted;
}

/* Cuts the next cell off *rest (which is one row). *last: it was the last. Doubled quotes are made single in the arena. */
static alm_status take_cell(alm_reader *r, alm_str *rest, char sep, bool plain, alm_str *cell, bool *last,
                            alm_error *err) {
    alm_str s = *rest;
    if (s.n && s.at[0] == '"' && !plain) {
        size_t i = 1;
        bool doubled = false;
        for (; i < s.n; i++) {
            if (s.at[i] != '"') continue;
            if (i + 1 < s.n && s.at[i + 1] == '"') i++, doubled = true;
            else break;
        }
        *cell = (alm_str){s.at + 1, (i < s.n ? i : s.n) - 1};
        size_t stop = i < s.n ? i + 1 : s.n;
        while (stop < s.n && s.at[stop] != sep) stop++; /* text behind the quote is dropped from the cell; raw has it */
        *last = stop >= s.n;
        *rest = alm_str_slice(s, *last ? s.n : stop + 1, s.n);
        if (!doubled) return ALM_OK;
        char *to = alm_arena_alloc(r->keys, cell->n + 1, 1);
        size_t k = 0;
        if (!to) return alm_fail_memory(err);
        for (size_t j = 0; j < cell->n; j++) {
            to[k++] = cell->at[j];
            if (cell->at[j] == '"') j++;
        }
        *cell = (alm_str){to, k};
        return ALM_OK;
    }
    const char *stop = s.n ? memchr(s.at, sep, s.n) : NULL;
    *last = !stop;
    *cell = (alm_str){s.at, stop ? (size_t)(stop - s.at) : s.n};
    *rest = alm_str_slice(s, stop ? cell->n + 1 : s.n, s.n);
    return ALM_OK;
}

static bool is_blank_row(alm_str s) { return s.n == 0; }

/* -- one row of the window ---------------------------------------------------------------------------------------------- */

static alm_status next_row(alm_reader *r, row *out, bool *plain, alm_error *err) {
    alm_window *w = &r->w;
    *plain = false;
    for (;;) {
        size_t left = alm_window_left(w);
        alm_status st = ALM_OK;
        if (left == 0 && w->ended) return ALM_END;
        if (left) {
            alm_str s = {alm_window_at(w, 0), left};
            scan_row(s, r->csv.separator, out);
            bool too_long = out->n_line > 1 && out->end > ALM_JOIN_BYTES;
            if (!out->at_end && !too_long) return ALM_OK;
            if (out->at_end && !w->ended && !too_long) {
                if (!(out->open && left > ALM_JOIN_BYTES)) {
                    /* The end is not there yet: read at least as much again before the next look, so that a long row costs
                     * a few walks, not one for every piece that a pipe brings. */
                    size_t goal = left * 2;
                    while (alm_window_left(w) < goal && alm_window_more(w, &st, err)) continue;
                    if (st != ALM_OK) return st;
                    if (alm_window_left(w) > left || w->ended) continue;
                }
            } else if (out->at_end && !out->open) return ALM_OK;
            return *plain = true, ALM_OK; /* a quote without end, or a row that is too long */
        }
        if (!alm_window_more(w, &st, err) && st != ALM_OK) return st;
    }
}

/* The first row's names, copied: they outlive the window. */
static alm_status keep_names(alm_reader *r, alm_str raw, bool plain, alm_error *err) {
    alm_csv_state *c = &r->csv;
    bool last = false;
    alm_arena_reset(r->keys);
    for (alm_str rest = raw, cell; !last;) {
        alm_status st = take_cell(r, &rest, c->separator, plain, &cell, &last, err);
        if (st != ALM_OK) return st;
        if (!c->has_header) {
            c->n_column++;
            continue;
        }
        if (c->n_column >= ALM_MAX_FIELDS) break;
        if (!alm_grow((void **)&c->column, &c->cap, c->n_column + 1, sizeof *c->column)) return alm_fail_memory(err);
        cell = alm_str_trim(cell);
        if (cell.n > MAX_NAME_BYTES) cell.n = alm_utf8_valid_prefix((alm_str){cell.at, MAX_NAME_BYTES});
        alm_str name = alm_arena_copy(c->names, cell);
        if (!name.at) return alm_fail_memory(err);
        c->column[c->n_column++] = name;
    }
    return ALM_OK;
}

static alm_status frame(alm_reader *r, alm_record *out, alm_error *err) {
    alm_window *w = &r->w;
    for (;;) {
        row at;
        bool plain;
        w->from += r->consumed;
        r->consumed = 0;
        if (r->skip_line) return alm_lines_frame_one(r, out, err); /* the line behind one that was cut */
        alm_status st = next_row(r, &at, &plain, err);
        if (st != ALM_OK) return st;
        r->csv_plain = plain || at.end > r->o.max_record_bytes;
        if (r->csv_plain) { /* its first line, as it stands; cut where that is too long */
            st = alm_lines_frame_one(r, out, err);
            if (st != ALM_OK) return st;
            out->flags |= ALM_RECORD_BAD_CSV;
            if (!r->csv.header_done) {
                r->csv.has_header = false;
                if ((st = keep_names(r, out->raw, true, err)) != ALM_OK) return st;
                r->csv.header_done = true;
            }
            return ALM_OK;
        }
        alm_str raw = {alm_window_at(w, 0), at.end};
        bool is_header = !r->csv.header_done && raw.n && r->csv.has_header;
        if (!r->csv.header_done && raw.n) {
            if ((st = keep_names(r, raw, false, err)) != ALM_OK) return st;
            r->csv.header_done = true;
        }
        r->consumed = at.next;
        if (is_header || is_blank_row(raw)) {
            r->counts.bytes_skipped += at.next;
            r->line += at.n_line;
            continue;
        }
        out->raw = raw;
        out->line = r->line + 1;
        out->n_lines = at.n_line;
        r->counts.bytes_raw += raw.n;
        r->counts.bytes_line_end += at.next - at.end;
        if (at.next == at.end) out->flags |= ALM_RECORD_NO_NEWLINE;
        else if (at.next - at.end == 2) out->flags |= ALM_RECORD_CRLF;
        if (at.stray) out->flags |= ALM_RECORD_BAD_CSV;
        return ALM_OK;
    }
}

/* -- fields and text ----------------------------------------------------------------------------------------------------- */

static bool needs_quotes(alm_str s) {
    if (s.n == 0) return true;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.at[i] <= ' ' || s.at[i] == '"' || s.at[i] == '=') return true;
    return false;
}

/* key=value as logfmt writes it. */
static void add_pair(alm_buf *b, alm_str key, alm_str value) {
    if (b->n) alm_buf_add_byte(b, ' ');
    for (size_t i = 0; i < key.n; i++)
        alm_buf_add_byte(b, (unsigned char)key.at[i] <= ' ' || key.at[i] == '=' || key.at[i] == '"' ? '_' : key.at[i]);
    alm_buf_add_byte(b, '=');
    if (!needs_quotes(value)) {
        alm_buf_add_str(b, value);
        return;
    }
    alm_buf_add_byte(b, '"');
    for (size_t i = 0; i < value.n; i++) {
        char c = value.at[i];
        if (c == '"' || c == '\\') alm_buf_add_byte(b, '\\');
        if (c == '\n') alm_buf_add_text(b, "\\n");
        else if (c == '\r') alm_buf_add_text(b, "\\r");
        else alm_buf_add_byte(b, c);
    }
    alm_buf_add_byte(b, '"');
}

static bool is_number(alm_str s) {
    double x;
    return s.n && s.n < 40 && alm_str_to_f64(s, &x);
}

/* c1, c2, … without names, and for cells behind the last name. */
static alm_str column_key(alm_reader *r, size_t i) {
    if (r->csv.has_header && i < r->csv.n_column && r->csv.column[i].n) return r->csv.column[i];
    char name[24] = "c";
    alm_buf b = {.at = name, .n = 1, .cap = sizeof name, .limit = sizeof name};
    alm_buf_add_u64(&b, i + 1);
    return alm_arena_copy(r->keys, alm_buf_str(&b));
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    bool last = false, want_text = r->csv.has_header;
    size_t n_cell = 0;
    unsigned best = 0;
    alm_str time = {0};
    out->text = out->raw;
    if (out->flags & ALM_RECORD_CUT) return ALM_OK;
    if (r->o.no_fields && r->o.no_time) return ALM_OK;
    alm_arena_reset(r->keys);
    alm_buf_clear(&r->text);
    for (alm_str rest = out->raw, cell; !last; n_cell++) {
        alm_status st = take_cell(r, &rest, r->csv.separator, r->csv_plain, &cell, &last, err);
        if (st != ALM_OK) return st;
        if (n_cell >= ALM_MAX_FIELDS) {
            out->flags |= ALM_RECORD_FIELDS_CUT;
            break;
        }
        alm_str key = column_key(r, n_cell);
        if (!key.at) return alm_fail_memory(err);
        (void)alm_reader_add_field(r, out, key, cell,
                                   cell.n == 0       ? ALM_FIELD_NULL
                                   : is_number(cell) ? ALM_FIELD_NUMBER
                                                     : ALM_FIELD_STRING);
        if (want_text) add_pair(&r->text, key, cell);
        unsigned rank = r->csv.has_header ? alm_time_field_rank(key) : 0;
        alm_stamp s;
        if (rank && (!best || rank < best) && alm_stamp_value(&s, cell)) best = rank, time = cell;
    }
    if (n_cell != r->csv.n_column && last) out->flags |= ALM_RECORD_BAD_CSV;
    if (!r->o.no_time) {
        if (best) (void)alm_reader_value_time(r, out, time);
        else alm_reader_find_time(r, out);
    }
    if (want_text && !r->o.no_fields) {
        if (r->text.failed == ALM_NO_MEMORY) return alm_fail_memory(err);
        if (r->text.failed == ALM_OK) out->text = alm_buf_str(&r->text);
    }
    if (r->o.no_fields) out->field = NULL, out->n_field = r->n_field = 0;
    return ALM_OK;
}

/* -- finding out --------------------------------------------------------------------------------------------------------- */

static size_t count_cells(alm_str raw, char sep) {
    size_t n = 1;
    bool quoted = false;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.at[i] == '"') quoted = !quoted;
        else if (raw.at[i] == sep && !quoted) n++;
    }
    return n;
}

/* Does the first row name columns: every cell has letters and is no number or stamp, none occurs twice, none is long? */
static bool is_header_row(alm_str raw, char sep) {
    alm_str seen[64], cell, rest = raw;
    size_t n = 0;
    for (bool last = false; !last;) {
        const char *stop = rest.n ? memchr(rest.at, sep, rest.n) : NULL;
        last = !stop;
        cell = (alm_str){rest.at, stop ? (size_t)(stop - rest.at) : rest.n};
        rest = alm_str_slice(rest, stop ? cell.n + 1 : rest.n, rest.n);
        cell = alm_str_trim(cell);
        if (cell.n >= 2 && cell.at[0] == '"' && cell.at[cell.n - 1] == '"') cell = (alm_str){cell.at + 1, cell.n - 2};
        alm_stamp s;
        if (cell.n == 0 || cell.n > 64 || is_number(cell) || alm_stamp_value(&s, cell)) return false;
        bool letter = false;
        for (size_t i = 0; i < cell.n; i++)
            letter |= (unsigned char)((cell.at[i] | 32) - 'a') < 26 || (unsigned char)cell.at[i] >= 0x80;
        if (!letter) return false;
        for (size_t i = 0; i < n; i++)
            if (alm_str_eq(seen[i], cell)) return false;
        if (n < 64) seen[n++] = cell;
    }
    return true;
}

/* Rows of the head that have as many cells as the first; 0 when there are fewer than two cells. */
static bool fits(alm_str head, char sep, size_t *n_cell, size_t *n_row, size_t *n_same) {
    *n_cell = *n_row = *n_same = 0;
    for (alm_str rest = head; rest.n && *n_row < SNIFF_ROWS;) {
        row at;
        scan_row(rest, sep, &at);
        if (at.at_end && at.open) break;
        alm_str raw = {rest.at, at.end};
        rest = alm_str_slice(rest, at.next, rest.n);
        if (raw.n == 0) continue;
        size_t n = count_cells(raw, sep);
        if (*n_row == 0) *n_cell = n;
        ++*n_row;
        *n_same += n == *n_cell;
    }
    return *n_cell >= 2;
}

static bool has_extension(const char *name, const char *ext) {
    alm_str s = alm_str_of(name);
    if (alm_str_ends(s, ALM_STR(".gz"))) s.n -= 3;
    else if (alm_str_ends(s, ALM_STR(".zst"))) s.n -= 4;
    return alm_str_ends(s, alm_str_of(ext));
}

static alm_str first_row(alm_str head, char sep) {
    for (row at; head.n;) {
        scan_row(head, sep, &at);
        if (at.end) return (alm_str){head.at, at.end};
        if (at.next == 0) break;
        head = alm_str_slice(head, at.next, head.n);
    }
    return (alm_str){0};
}

/* Sets separator and header. True when it is CSV with this separator beyond doubt: by its name, or by rows that agree
 * under a row of names (prose and log lines have commas as well, but not the same number in every line). */
static bool look(alm_reader *r, alm_str head, const char *file_name, const char *separators, const char *extension) {
    size_t best = 0, n_cell, n_row, n_same;
    char chosen = 0;
    bool agreed = false;
    if (r->o.separator && (chosen = r->o.separator)) separators = "";
    for (const char *p = separators; *p; p++) {
        if (!fits(head, *p, &n_cell, &n_row, &n_same)) continue;
        size_t score = n_same * 1000 / (n_row ? n_row : 1) * 64 + (n_cell < 64 ? n_cell : 63);
        if (score > best) best = score, chosen = *p, agreed = n_same * 20 >= n_row * 19 && n_row >= 3 && n_cell >= 3;
    }
    if (!chosen) chosen = extension && strcmp(extension, ".tsv") == 0 ? '\t' : ',';
    alm_str first = first_row(head, chosen);
    r->csv.separator = chosen;
    r->csv.has_header = !r->o.no_header && is_header_row(first, chosen);
    if (best && has_extension(file_name, extension)) return true;
    return agreed && r->csv.has_header;
}

static bool looks_like_csv(alm_reader *r, alm_str head, const char *file_name) {
    return look(r, head, file_name, ",;|", ".csv");
}
static bool looks_like_tsv(alm_reader *r, alm_str head, const char *file_name) {
    return look(r, head, file_name, "\t", ".tsv");
}

static alm_status begin(alm_reader *r, alm_error *err) {
    alm_csv_state *c = &r->csv;
    c->header_done = false;
    c->n_column = 0;
    if (c->names) {
        alm_arena_reset(c->names);
        return ALM_OK;
    }
    return alm_arena_new(&c->names, (size_t)16 << 10, 0, err);
}

const alm_source_ops alm_source_csv = {"csv", ALM_RECORD_CSV, looks_like_csv, begin, frame, parse, NULL};
const alm_source_ops alm_source_tsv = {"tsv", ALM_RECORD_TSV, looks_like_tsv, begin, frame, parse, NULL};
