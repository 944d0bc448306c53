/* SPDX-License-Identifier: Apache-2.0
 *
 * json_write.c - JSON written into a buffer: a writer that places commas, and a parsed document as it stands.
 *
 * Escaped is what must be (quote, backslash, control characters; the short escapes where there are such), in the form of
 * RFC 8785, so that the writer and the canonical form agree on strings. What comes out is always valid UTF-8. */
#include "base/json.h"
#include "base/json_inner.h"
#include <assert.h>

/* 0: as it is; 1: look closer (above ASCII); 'u': \u00XX; else the letter behind the backslash. */
static const char escape_of[256] = {
    [0] = 'u',
    ['"'] = '"',
    ['\\'] = '\\',
    ['\b'] = 'b',
    ['\f'] = 'f',
    ['\n'] = 'n',
    ['\r'] = 'r',
    ['\t'] = 't',
    [1] = 'u',
    [2] = 'u',
    [3] = 'u',
    [4] = 'u',
    [5] = 'u',
    [6] = 'u',
    [7] = 'u',
    [11] = 'u',
    [14] = 'u',
    [15] = 'u',
    [16] = 'u',
    [17] = 'u',
    [18] = 'u',
    [19] = 'u',
    [20] = 'u',
    [21] = 'u',
    [22] = 'u',
    [23] = 'u',
    [24] = 'u',
    [25] = 'u',
    [26] = 'u',
    [27] = 'u',
    [28] = 'u',
    [29] = 'u',
    [30] = 'u',
    [31] = 'u',
    [128] = 1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
    1,
};

bool alm_json_quote(alm_buf *out, alm_str s) {
    static const char hex[] = "0123456789abcdef";
    size_t run = 0, i = 0; /* s[run..i) goes as it is */
    alm_buf_add_byte(out, '"');
    while (i < s.n) {
        char e = escape_of[(unsigned char)s.at[i]];
        if (e == 0) {
            i++;
            continue;
        }
        if (e == 1) {
            size_t next = i;
            uint32_t scalar;
            if (alm_utf8_next(s, &next, &scalar)) {
                i = next;
                continue;
            }
            alm_buf_add(out, s.at + run, i - run);
            alm_buf_add(out, "\xEF\xBF\xBD", 3); /* U+FFFD for the ill-formed part */
            run = i = next;
            continue;
        }
        char at[6] = {'\\', e, '0', '0', hex[(unsigned char)s.at[i] >> 4], hex[s.at[i] & 15]};
        alm_buf_add(out, s.at + run, i - run);
        alm_buf_add(out, at, e == 'u' ? 6 : 2);
        run = ++i;
    }
    alm_buf_add(out, s.at + run, i - run);
    return alm_buf_add_byte(out, '"');
}

/* What stands before a value: nothing behind a key, else a comma from the second on. */
static void before_value(alm_json_writer *w) {
    assert(w->after_key || w->depth == 0 || (w->in_object >> (w->depth - 1) & 1) == 0);
    if (w->need_comma && !w->after_key) alm_buf_add_byte(w->out, ',');
    w->after_key = false, w->need_comma = true;
}

static void begin(alm_json_writer *w, char bracket, bool object) {
    before_value(w);
    assert(w->depth < 64);
    w->in_object = (w->in_object & ~(1ull << w->depth)) | (uint64_t)object << w->depth;
    w->depth++;
    w->need_comma = false;
    alm_buf_add_byte(w->out, bracket);
}

static void end(alm_json_writer *w, char bracket, bool object) {
    assert(w->depth > 0 && !w->after_key && (w->in_object >> (w->depth - 1) & 1) == object);
    (void)object;
    w->depth--;
    w->need_comma = true;
    alm_buf_add_byte(w->out, bracket);
}

void alm_json_begin_object(alm_json_writer *w) { begin(w, '{', true); }
void alm_json_end_object(alm_json_writer *w) { end(w, '}', true); }
void alm_json_begin_array(alm_json_writer *w) { begin(w, '[', false); }
void alm_json_end_array(alm_json_writer *w) { end(w, ']', false); }

void alm_json_key_str(alm_json_writer *w, alm_str key) {
    assert(w->depth > 0 && !w->after_key && (w->in_object >> (w->depth - 1) & 1) == 1);
    if (w->need_comma) alm_buf_add_byte(w->out, ',');
    alm_json_quote(w->out, key);
    alm_buf_add_byte(w->out, ':');
    w->after_key = true;
}

void alm_json_key(alm_json_writer *w, const char *key) { alm_json_key_str(w, alm_str_of(key)); }

void alm_json_string(alm_json_writer *w, alm_str s) {
    before_value(w);
    alm_json_quote(w->out, s);
}

void alm_json_text(alm_json_writer *w, const char *terminated) { alm_json_string(w, alm_str_of(terminated)); }

void alm_json_u64(alm_json_writer *w, uint64_t x) {
    before_value(w);
    alm_buf_add_u64(w->out, x);
}

void alm_json_int(alm_json_writer *w, int64_t x) {
    before_value(w);
    alm_buf_add_i64(w->out, x);
}

void alm_json_number(alm_json_writer *w, double x) {
    char at[32];
    before_value(w);
    alm_buf_add(w->out, at, alm_f64_to_str(at, x));
}

void alm_json_bool(alm_json_writer *w, bool x) {
    before_value(w);
    alm_buf_add_text(w->out, x ? "true" : "false");
}

void alm_json_null(alm_json_writer *w) {
    before_value(w);
    alm_buf_add_text(w->out, "null");
}

void alm_json_put_scalar(alm_buf *out, const alm_json *v) {
    switch (v->type) {
    case ALM_JSON_NULL: alm_buf_add(out, "null", 4); break;
    case ALM_JSON_FALSE: alm_buf_add(out, "false", 5); break;
    case ALM_JSON_TRUE: alm_buf_add(out, "true", 4); break;
    case ALM_JSON_NUMBER: alm_buf_add_str(out, v->text); break;
    case ALM_JSON_STRING: alm_json_quote(out, v->text); break;
    case ALM_JSON_ARRAY:
    case ALM_JSON_OBJECT: break;
    }
}

/* Depth is bounded by ALM_JSON_MAX_DEPTH, so recursion is. */
static void put(alm_buf *out, const alm_json *v) {
    bool object = v->type == ALM_JSON_OBJECT;
    if (v->type < ALM_JSON_ARRAY) {
        alm_json_put_scalar(out, v);
        return;
    }
    alm_buf_add_byte(out, object ? '{' : '[');
    for (const alm_json *c = alm_json_first(v), *first = c; c != NULL; c = alm_json_next(v, c)) {
        if (c != first) alm_buf_add_byte(out, ',');
        if (object) {
            alm_json_quote(out, c->text);
            alm_buf_add_byte(out, ':');
        }
        put(out, object ? c + 1 : c);
    }
    alm_buf_add_byte(out, object ? '}' : ']');
}

alm_status alm_json_write(alm_buf *out, const alm_json *v, alm_error *err) {
    put(out, v);
    return alm_buf_status(out, err);
}
