/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.c - lines of text, joined where they belong together.
 *
 * A record of several lines is still one slice of the window: the lines stand behind one another in it. To know that a
 * record ends, the line behind it is looked at; the stamp that is found there is kept for the record that it begins. */
#include "record/reader.h"

/* Drops the record before and the rest of a line that was cut. ALM_OK, or ALM_END. */
static alm_status advance(alm_reader *r, alm_error *err) {
    alm_window *w = &r->w;
    w->from += r->consumed;
    r->consumed = 0;
    while (r->skip_line) {
        size_t left = alm_window_left(w);
        const char *at = alm_window_at(w, 0), *lf = left ? memchr(at, '\n', left) : NULL;
        size_t drop = lf ? (size_t)(lf - at) + 1 : left;
        w->from += drop;
        r->counts.bytes_skipped += drop;
        if (lf) {
            r->skip_line = false;
        } else {
            alm_status st;
            if (alm_window_more(w, &st, err)) continue;
            if (st != ALM_OK) return st;
            r->skip_line = false;
        }
    }
    return ALM_OK;
}

/* raw = the first `end` bytes; the line end is [end, next). */
static void give(alm_reader *r, alm_record *out, size_t end, size_t next) {
    out->raw = (alm_str){alm_window_at(&r->w, 0), end};
    r->consumed = next;
    r->counts.bytes_raw += end;
    r->counts.bytes_line_end += next - end;
    if (next == end) out->flags |= ALM_RECORD_NO_NEWLINE;
    else if (next - end == 2) out->flags |= ALM_RECORD_CRLF;
}

/* The limit falls into the line that begins at `offset`: it is cut there, its rest is skipped by the next call. */
static void give_cut(alm_reader *r, alm_record *out) {
    out->raw = (alm_str){alm_window_at(&r->w, 0), r->o.max_record_bytes};
    out->flags |= ALM_RECORD_CUT;
    r->consumed = r->o.max_record_bytes;
    r->skip_line = true;
    r->counts.bytes_raw += r->o.max_record_bytes;
}

static alm_status first_line(alm_reader *r, alm_record *out, alm_line *line, alm_error *err) {
    alm_status st = advance(r, err);
    if (st != ALM_OK) return st;
    out->line = r->line + 1;
    out->n_lines = 1;
    alm_line_status found = ALM_LINE_OK;
    if (r->has_next_line) *line = r->next_line;
    else found = alm_window_line(&r->w, 0, 0, line, &st, err);
    r->has_next_line = false;
    if (found == ALM_LINE_FAILED) return st;
    if (found == ALM_LINE_NONE) return ALM_END;
    if (found == ALM_LINE_LONG || line->end > r->o.max_record_bytes) {
        give_cut(r, out);
        line->end = r->o.max_record_bytes, line->next = 0;
    } else give(r, out, line->end, line->next);
    return ALM_OK;
}

alm_status alm_lines_frame_one(alm_reader *r, alm_record *out, alm_error *err) {
    alm_line line = {0};
    return first_line(r, out, &line, err);
}

/* The line at `offset` and, when the answer hangs on it, the one behind it. ALM_LINE_WAIT and _NONE end the record. */
static alm_line_status look_ahead(alm_reader *r, size_t offset, alm_line *line, alm_line *behind, bool *has_behind,
                                  alm_status *st, alm_error *err) {
    alm_line_status found = alm_window_line(&r->w, offset, r->o.idle_ns, line, st, err);
    *has_behind = false;
    if (found != ALM_LINE_OK) return found;
    alm_str s = {alm_window_at(&r->w, line->at), line->end - line->at};
    if (!alm_multiline_needs_behind(&r->multi, s)) return found;
    alm_line_status next = alm_window_line(&r->w, line->next, r->o.idle_ns, behind, st, err);
    if (next == ALM_LINE_FAILED) return next;
    *has_behind = next == ALM_LINE_OK;
    return found;
}

alm_status alm_lines_frame(alm_reader *r, alm_record *out, alm_error *err) {
    alm_line line = {0}, behind = {0};
    bool has_behind, cut = false;
    r->own = r->ahead;
    r->ahead.known = false;
    alm_status st = first_line(r, out, &line, err);
    if (st != ALM_OK || r->multi.mode == ALM_MULTILINE_OFF || r->skip_line || line.next == line.end) return st;

    size_t end = line.end, next = line.next;
    alm_multiline_first(&r->multi, out->raw);
    for (;;) {
        alm_line_status found = look_ahead(r, next, &line, &behind, &has_behind, &st, err);
        if (found == ALM_LINE_FAILED) return st;
        if (found != ALM_LINE_OK) break; /* the end, silence, or a line that is too long to belong here */
        r->next_line = (alm_line){0, line.end - next, line.next - next};
        r->has_next_line = true;
        alm_str s = {alm_window_at(&r->w, line.at), line.end - line.at}, b = {0};
        if (s.n > r->o.max_record_bytes)
            s.n = r->o.max_record_bytes; /* the rest would be cut off: no stamp from there */
        if (has_behind) b = (alm_str){alm_window_at(&r->w, behind.at), behind.end - behind.at};
        if (r->multi.mode == ALM_MULTILINE_HEADER) {
            r->ahead.known = true;
            r->ahead.found = alm_stamp_search(&r->time, &r->ahead.stamp, s, ALM_STAMP_BYTES);
        }
        if (!alm_multiline_continues(&r->multi, s, r->ahead.known && r->ahead.found ? &r->ahead.stamp : NULL, b)) break;
        cut = out->n_lines >= r->o.max_join_lines || line.end > ALM_JOIN_BYTES || line.end > r->o.max_record_bytes;
        if (cut) break;
        r->ahead.known = r->has_next_line = false;
        end = line.end, next = line.next;
        out->n_lines++;
        if (next == end) break;
    }
    /* The window may have moved, and the counts of the first line give way to those of the whole record. */
    r->counts.bytes_raw -= out->raw.n;
    r->counts.bytes_line_end -= r->consumed - out->raw.n;
    out->flags &= ~(uint32_t)(ALM_RECORD_CRLF | ALM_RECORD_NO_NEWLINE);
    give(r, out, end, next);
    if (cut) out->flags |= ALM_RECORD_JOIN_CUT;
    return ALM_OK;
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    (void)err;
    out->text = out->raw;
    if (!r->o.no_time) alm_reader_find_time(r, out);
    return ALM_OK;
}

static bool looks_like(alm_reader *r, alm_str head, const char *file_name) {
    (void)r, (void)head, (void)file_name;
    return true;
}

const alm_source_ops alm_source_lines = {"lines", ALM_RECORD_LINES, looks_like, NULL, alm_lines_frame, parse, NULL};
