/* SPDX-License-Identifier: Apache-2.0
 *
 * multiline.c - which lines belong to the record before them.
 *
 * Two kinds of knowledge. The shape of stack traces: a frame of Java, C#, Node ("\tat f(…)"), Ruby ("\tfrom f:1:in"), what
 * stands between frames ("Caused by: …", "... 12 more"), the traceback of Python up to its last line, the goroutines of a
 * Go panic, the numbered frames of PHP and Rust. These continue wherever they stand. And the header of the input: when its
 * first line begins with a time stamp, the others are expected to as well, and an indented line without one continues;
 * lines that are not indented continue only where they are few (at most one to four headers), for then they are the
 * inside of messages and not records of another writer.
 *
 * An indented line in an input without headers is a record of its own: lists and tables are printed like that. */
#include "record/multiline.h"

enum { HEADER_BYTES = 64 };

/* With a literal, so that the compiler compares words and calls nothing. */
#define starts(s, literal) ((s).n >= sizeof(literal) - 1 && memcmp((s).at, (literal), sizeof(literal) - 1) == 0)
static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static alm_str unindented(alm_str s) {
    while (s.n && is_blank(*s.at)) s.at++, s.n--;
    return s;
}

static bool has_byte(alm_str s, char c) { return s.n && memchr(s.at, c, s.n) != NULL; }

/* "at com.example.A.b(A.java:12)", "at Program.Main() in x.cs:line 3", "at fn (/srv/a.js:1:2)", "at async x.js:1:2" */
static bool is_at_frame(alm_str s) {
    if (!starts(s, "at ") || s.n < 5) return false;
    alm_str rest = {s.at + 3, s.n - 3};
    if (is_blank(*rest.at)) return false;
    return has_byte(rest, '(') || has_byte(rest, ':') || has_byte(rest, '.');
}

/* "from app.rb:12:in `x'" */
static bool is_from_frame(alm_str s) {
    if (!starts(s, "from ")) return false;
    size_t in = alm_str_find(s, ALM_STR(":in "));
    return in != SIZE_MAX && in > 5 && is_digit(s.at[in - 1]);
}

/* "... 12 more", "... 3 common frames omitted" */
static bool is_more(alm_str s) {
    return starts(s, "... ") && s.n > 5 && is_digit(s.at[4]) &&
           (alm_str_ends(s, ALM_STR("more")) || alm_str_ends(s, ALM_STR("omitted")));
}

/* "#0 /srv/a.php(12): f()" */
static bool is_numbered(alm_str s) {
    return s.n > 3 && s.at[0] == '#' && is_digit(s.at[1]) && has_byte((alm_str){s.at, s.n < 6 ? s.n : 6}, ' ');
}

static bool is_inner_note(alm_str s) {
    return starts(s, "Caused by: ") || starts(s, "Suppressed: ") || starts(s, "Wrapped by: ") ||
           starts(s, "--- End of ") || starts(s, "---> ");
}

static bool is_python_bridge(alm_str s) {
    return starts(s, "During handling of the above exception") || starts(s, "The above exception was the direct cause");
}

static bool is_goroutine(alm_str s) { return starts(s, "goroutine ") && s.n > 10 && is_digit(s.at[10]); }

/* "java.lang.IllegalStateException: no", "ValueError", "app.BadThing: x" with a name that says what it is */
static bool is_exception_name(alm_str s) {
    size_t n = 0;
    while (n < s.n && ((unsigned char)((s.at[n] | 32) - 'a') < 26 || is_digit(s.at[n]) || s.at[n] == '.' ||
                       s.at[n] == '_' || s.at[n] == '$'))
        n++;
    if (n < 5 || (n < s.n && s.at[n] != ':')) return false;
    alm_str name = {s.at, n};
    return alm_str_ends(name, ALM_STR("Exception")) || alm_str_ends(name, ALM_STR("Error")) ||
           alm_str_ends(name, ALM_STR("Throwable"));
}

/* What a line makes of the state when it stands first, or continues. */
static alm_trace trace_of(alm_str line, alm_trace before) {
    alm_str s = unindented(line);
    if (starts(s, "Traceback (most recent call last)")) return ALM_TRACE_PYTHON;
    if (starts(line, "panic: ") || starts(line, "fatal error: ") || is_goroutine(line)) return ALM_TRACE_GO;
    if (starts(s, "Stack trace:") || starts(s, "PHP Stack trace:")) return ALM_TRACE_PHP;
    if (starts(s, "stack backtrace:") ||
        (starts(s, "thread '") && alm_str_find(s, ALM_STR("' panicked at")) != SIZE_MAX))
        return ALM_TRACE_RUST;
    if (is_at_frame(s) || is_more(s) || is_inner_note(s) || is_from_frame(s)) return ALM_TRACE_FRAMES;
    return before;
}

/* A trace's first line, or a line that makes one, begins with one of these; all others are told by one byte. */
static bool may_make_trace(alm_str line) {
    switch (line.n ? line.at[0] : 0) {
    case ' ':
    case '\t':
    case 'T':
    case 'p':
    case 'P':
    case 'f':
    case 'g':
    case 's':
    case 'S':
    case 't': return true;
    default: return false;
    }
}

void alm_multiline_first(alm_multiline *m, alm_str line) {
    m->trace = ALM_TRACE_NONE;
    if (m->mode != ALM_MULTILINE_TRACES && m->mode != ALM_MULTILINE_HEADER) return;
    if (!may_make_trace(line)) return;
    m->trace = trace_of(line, ALM_TRACE_NONE);
    if (m->trace == ALM_TRACE_FRAMES && !is_blank(line.at[0])) m->trace = ALM_TRACE_NONE;
}

bool alm_multiline_needs_behind(const alm_multiline *m, alm_str line) {
    if (m->mode != ALM_MULTILINE_TRACES && m->mode != ALM_MULTILINE_HEADER) return false;
    if (line.n == 0) return m->mode == ALM_MULTILINE_HEADER || m->trace != ALM_TRACE_NONE;
    return m->trace == ALM_TRACE_GO && !is_blank(line.at[0]);
}

/* The shape of a trace, whatever the input. */
static bool continues_trace(alm_multiline *m, alm_str line, alm_str behind) {
    bool indented = line.n && is_blank(line.at[0]);
    if (!indented && m->trace == ALM_TRACE_NONE) return false; /* nearly every line */
    alm_str s = unindented(line);
    if (indented && (is_at_frame(s) || is_from_frame(s) || is_more(s))) return true;
    if (is_inner_note(s) && (indented || m->trace == ALM_TRACE_FRAMES)) return true;
    switch (m->trace) {
    case ALM_TRACE_PYTHON:
        if (indented || line.n == 0) return line.n != 0 || is_python_bridge(behind);
        m->trace = ALM_TRACE_PYTHON_DONE; /* the line that names the exception ends it */
        return true;
    case ALM_TRACE_PYTHON_DONE: /* another may follow: blank, the sentence that joins them, blank, the next traceback */
        if (line.n == 0) return is_python_bridge(behind) || starts(behind, "Traceback (most recent");
        return is_python_bridge(line) || starts(line, "Traceback (most recent");
    case ALM_TRACE_GO:
        if (line.n == 0) return is_goroutine(behind);
        if (is_goroutine(line) || line.at[0] == '\t' || starts(line, "[signal ") || starts(line, "created by "))
            return true;
        return behind.n && behind.at[0] == '\t' && alm_str_ends(line, ALM_STR(")")); /* a function; the place follows */
    case ALM_TRACE_PHP: return is_numbered(s) || (indented && starts(s, "thrown in ")) || starts(s, "{main}");
    case ALM_TRACE_RUST: return indented || starts(line, "stack backtrace:") || starts(line, "note: ");
    case ALM_TRACE_FRAMES: return indented;
    case ALM_TRACE_NONE: break;
    }
    return false;
}

static bool regex_matches(const alm_multiline *m, alm_str line) {
    size_t at, end;
    /* too hard to tell: a line of its own */
    return alm_regex_find(m->regex, m->match, line, 0, &at, &end, NULL) != ALM_REGEX_NO;
}

/* The first line of a trace that stands behind a record's own first line. */
static bool begins_inside(alm_str line) {
    return starts(line, "Traceback (most recent") || is_exception_name(line) || is_inner_note(line) ||
           is_goroutine(line) || starts(line, "Stack trace:") || starts(line, "stack backtrace:");
}

/* Begins the line as the records of this input do? */
static bool is_header(const alm_multiline *m, alm_str line, const alm_stamp *stamp) {
    return stamp && stamp->form == m->form && stamp->at < HEADER_BYTES && line.n && !is_blank(line.at[0]);
}

static bool continues(alm_multiline *m, alm_str line, const alm_stamp *stamp, alm_str behind) {
    switch (m->mode) {
    case ALM_MULTILINE_OFF: return false;
    case ALM_MULTILINE_REGEX: return !regex_matches(m, line);
    case ALM_MULTILINE_TRACES: return continues_trace(m, line, behind);
    case ALM_MULTILINE_HEADER: break;
    }
    if (is_header(m, line, stamp)) return false;
    if (continues_trace(m, line, behind)) return true;
    if (line.n == 0) /* a blank line belongs to the record when more of it follows */
        return behind.n && (is_blank(behind.at[0]) || begins_inside(behind));
    if (is_blank(line.at[0])) return true;
    return begins_inside(line) || m->join_all;
}

bool alm_multiline_continues(alm_multiline *m, alm_str line, const alm_stamp *stamp, alm_str behind) {
    alm_trace before = m->trace;
    if (!continues(m, line, stamp, behind)) {
        m->trace = before;
        return false;
    }
    if (m->mode == ALM_MULTILINE_TRACES || m->mode == ALM_MULTILINE_HEADER) m->trace = trace_of(line, m->trace);
    return true;
}

/* Counts what the first lines are. */
void alm_multiline_look(alm_multiline *m, alm_str head) {
    alm_stamp_reader reader = {0};
    alm_stamp stamp;
    alm_str rest = head, line;
    size_t n_header = 0, n_loose = 0;
    if (m->mode == ALM_MULTILINE_REGEX) return;
    m->mode = ALM_MULTILINE_TRACES;
    m->join_all = false;
    m->trace = ALM_TRACE_NONE;
    while (alm_str_split(&rest, '\n', &line)) {
        if (line.n && line.at[line.n - 1] == '\r') line.n--;
        if (line.n == 0) continue;
        bool found = alm_stamp_search(&reader, &stamp, line, HEADER_BYTES);
        if (m->mode == ALM_MULTILINE_TRACES) {
            if (!found || is_blank(line.at[0])) return; /* the first line has no header */
            m->mode = ALM_MULTILINE_HEADER;
            m->form = stamp.form;
        }
        if (is_header(m, line, found ? &stamp : NULL)) {
            n_header++;
            alm_multiline_first(m, line);
        } else if (!alm_multiline_continues(m, line, NULL, (alm_str){0})) n_loose++;
    }
    m->join_all = n_loose * 4 <= n_header;
    m->trace = ALM_TRACE_NONE;
}

alm_status alm_multiline_compile(alm_multiline *m, const char *regex, alm_error *err) {
    alm_status st = alm_regex_new(&m->regex, regex, "multi-line regex", err);
    if (st != ALM_OK) return st;
    m->match = alm_regex_match_new(m->regex);
    if (!m->match) return alm_fail_memory(err);
    m->mode = ALM_MULTILINE_REGEX;
    return ALM_OK;
}

void alm_multiline_free(alm_multiline *m) {
    alm_regex_match_free(m->match);
    alm_regex_free(m->regex);
    *m = (alm_multiline){0};
}
