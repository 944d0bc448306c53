/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_write.c - values as text: str and repr as Python writes them, and tojson as its json.dumps does.
 *
 * Nesting is bounded by the rendering's depth, so a value that was built deep by a loop cannot use up the stack. */
#include "text/chat_inner.h"

alm_buf alm_chat_buf(const alm_chat_run *r) {
    return alm_buf_with_limit(r->memory_bytes < UINT32_MAX ? r->memory_bytes : UINT32_MAX);
}

bool alm_chat_buf_ok(alm_chat_run *r, const alm_buf *b) {
    if (!b->failed) return true;
    if (b->failed == ALM_LIMIT) return alm_chat_fail(r, ALM_LIMIT, "the template makes a text that is too long");
    return alm_chat_fail(r, b->failed, "not enough memory");
}

static size_t word(char *at, const char *text) {
    size_t n = strlen(text);
    memcpy(at, text, n + 1); /* every caller has room for 32 */
    return n;
}

/* 1e+16 and 1e-05 as Python has them, from the shortest digits: exponents from 16 on and below -4. */
size_t alm_chat_float_text(char *at, double x) {
    char digits[40], raw[40];
    size_t n_raw = 0, n = 0, n_digit = 0;
    int point = 0, exponent = 0;
    bool seen_point = false;
    if (x != x) return word(at, "nan");
    if (x > 1.7976931348623157e308 || x < -1.7976931348623157e308) return word(at, x < 0 ? "-inf" : "inf");
    if (x < 0 || (x == 0.0 && __builtin_signbit(x))) at[n++] = '-', x = -x;
    n_raw = alm_f64_to_str(raw, x);
    raw[n_raw] = '\0';
    for (size_t i = 0; i < n_raw; i++) {
        if (raw[i] == 'e') {
            int64_t e = 0;
            const size_t from = i + 1 + (raw[i + 1] == '+');
            alm_str_to_i64(alm_str_make(raw + from, n_raw - from), &e);
            exponent = (int)e;
            break;
        }
        if (raw[i] == '.') {
            seen_point = true;
            continue;
        }
        if (raw[i] == '0' && !n_digit) {
            point -= seen_point;
            continue;
        }
        digits[n_digit++] = raw[i];
        point += !seen_point;
    }
    /* 0.digits * 10^(point + exponent) */
    while (n_digit > 1 && digits[n_digit - 1] == '0') n_digit--;
    if (!n_digit) return n + word(at + n, "0.0");
    int e = point + exponent - 1;
    if (e < -4 || e >= 16) {
        at[n++] = digits[0];
        if (n_digit > 1) at[n++] = '.';
        for (size_t i = 1; i < n_digit; i++) at[n++] = digits[i];
        return n + (size_t)alm_str_print(at + n, 8, "e%c%02d", e < 0 ? '-' : '+', e < 0 ? -e : e);
    }
    if (e < 0) {
        at[n++] = '0', at[n++] = '.';
        for (int i = -1; i > e; i--) at[n++] = '0';
        for (size_t i = 0; i < n_digit; i++) at[n++] = digits[i];
        return n;
    }
    for (int i = 0; i <= e; i++) at[n++] = (size_t)i < n_digit ? digits[i] : '0';
    at[n++] = '.';
    for (size_t i = (size_t)e + 1; i < n_digit; i++) at[n++] = digits[i];
    if ((size_t)e + 1 >= n_digit) at[n++] = '0';
    return n;
}

/* ── str and repr ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void write_quoted(alm_buf *b, alm_str s) {
    char quote = alm_str_find_byte(s, '\'') != SIZE_MAX && alm_str_find_byte(s, '"') == SIZE_MAX ? '"' : '\'';
    alm_buf_add_byte(b, quote);
    for (size_t pos = 0; pos < s.n;) {
        size_t from = pos;
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        if (c == (unsigned char)quote || c == '\\') alm_buf_add_byte(b, '\\'), alm_buf_add_byte(b, (char)c);
        else if (c == '\n') alm_buf_add_text(b, "\\n");
        else if (c == '\r') alm_buf_add_text(b, "\\r");
        else if (c == '\t') alm_buf_add_text(b, "\\t");
        else if (alm_letter_class(c) & ALM_LETTER_PRINTABLE) alm_buf_add(b, s.at + from, pos - from);
        else if (c < 256) alm_buf_printf(b, "\\x%02x", c);
        else if (c < 65536) alm_buf_printf(b, "\\u%04x", c);
        else alm_buf_printf(b, "\\U%08x", c);
    }
    alm_buf_add_byte(b, quote);
}

static bool write_items(alm_chat_run *r, alm_buf *b, const alm_cv_list *l, const char *open, const char *close) {
    alm_buf_add_text(b, open);
    for (size_t i = 0; i < l->n; i++) {
        if (i) alm_buf_add_text(b, ", ");
        if (!alm_cv_write_repr(r, b, l->at[i])) return false;
    }
    alm_buf_add_text(b, close);
    return true;
}

static bool write_dict(alm_chat_run *r, alm_buf *b, const alm_cv_dict *d) {
    alm_buf_add_byte(b, '{');
    for (size_t i = 0; i < alm_cv_dict_n(d); i++) {
        alm_cv key, v;
        alm_cv_dict_at(d, i, &key, &v);
        if (i) alm_buf_add_text(b, ", ");
        if (!alm_cv_write_repr(r, b, key)) return false;
        alm_buf_add_text(b, ": ");
        if (!alm_cv_write_repr(r, b, v)) return false;
    }
    return alm_buf_add_byte(b, '}'), true;
}

static bool write_tuple(alm_chat_run *r, alm_buf *b, const alm_cv_list *l) {
    return write_items(r, b, l, "(", l->n == 1 ? ",)" : ")");
}

static bool write_range(alm_buf *b, const alm_cv_range *x) {
    if (x->step == 1) alm_buf_printf(b, "range(%lld, %lld)", (long long)x->start, (long long)x->stop);
    else alm_buf_printf(b, "range(%lld, %lld, %lld)", (long long)x->start, (long long)x->stop, (long long)x->step);
    return true;
}

static bool write_value(alm_chat_run *r, alm_buf *b, alm_cv v) {
    char number[40];
    static const char *const views[] = {"dict_items([", "dict_keys([", "dict_values(["};
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_MISSING:
    case ALM_CV_UNDEFINED: return alm_buf_add_text(b, "Undefined"), true;
    case ALM_CV_NONE: return alm_buf_add_text(b, "None"), true;
    case ALM_CV_BOOL: return alm_buf_add_text(b, v.as.i ? "True" : "False"), true;
    case ALM_CV_INT: return alm_buf_add_i64(b, v.as.i), true;
    case ALM_CV_FLOAT: return alm_buf_add(b, number, alm_chat_float_text(number, v.as.f)), true;
    case ALM_CV_BIG: return alm_buf_add_str(b, alm_cv_text(v)), true;
    case ALM_CV_STR: return write_quoted(b, alm_cv_text(v)), alm_chat_spend_bytes(r, v.n);
    case ALM_CV_LIST: return write_items(r, b, v.as.list, "[", "]");
    case ALM_CV_TUPLE: return write_tuple(r, b, v.as.list);
    case ALM_CV_DICT: return write_dict(r, b, v.as.dict);
    case ALM_CV_RANGE: return write_range(b, v.as.range);
    case ALM_CV_VIEW: return write_items(r, b, v.as.list, views[v.sub], "])");
    case ALM_CV_NAMESPACE:
        alm_buf_add_text(b, "<Namespace ");
        if (!write_dict(r, b, v.as.dict)) return false;
        return alm_buf_add_byte(b, '>'), true;
    case ALM_CV_LOOP: return alm_buf_printf(b, "<LoopContext %zu/%zu>", v.as.loop->at + 1, v.as.loop->n), true;
    case ALM_CV_MACRO: return alm_buf_printf(b, "<Macro '%.*s'>", ALM_ARG(v.as.macro->name)), true;
    default: return alm_buf_printf(b, "<%s object>", alm_cv_type(v)), true;
    }
}

bool alm_cv_write_repr(alm_chat_run *r, alm_buf *b, alm_cv v) {
    if (!alm_chat_spend(r, 1) || !alm_chat_enter(r) || !write_value(r, b, v) || !alm_chat_buf_ok(r, b)) return false;
    alm_chat_leave(r);
    return true;
}

bool alm_cv_write_str(alm_chat_run *r, alm_buf *b, alm_cv v) {
    if (v.kind == ALM_CV_STR)
        return alm_buf_add_str(b, alm_cv_text(v)), alm_chat_spend_bytes(r, v.n) && alm_chat_buf_ok(r, b);
    if (v.kind == ALM_CV_MISSING || v.kind == ALM_CV_UNDEFINED) return true;
    return alm_cv_write_repr(r, b, v);
}

bool alm_cv_to_str(alm_chat_run *r, alm_cv v, alm_str *out) {
    alm_cv s = v;
    if (v.kind != ALM_CV_STR) {
        alm_buf b = alm_chat_buf(r);
        bool ok = alm_cv_write_str(r, &b, v);
        ok = alm_cv_buf_str(r, &b, &s) && ok;
        if (!ok) return false;
    }
    *out = alm_cv_text(s);
    return true;
}

/* ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void json_string(alm_buf *b, alm_str s, bool ascii) {
    static const char named[] = "\"\\\n\r\t\b\f", letter[] = "\"\\nrtbf";
    alm_buf_add_byte(b, '"');
    for (size_t pos = 0; pos < s.n;) {
        size_t from = pos;
        uint32_t c;
        const char *name;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        if (c && c < 128 && (name = strchr(named, (int)c))) {
            alm_buf_add_byte(b, '\\');
            alm_buf_add_byte(b, letter[name - named]);
        } else if (c < 32 || (ascii && c > 126 && c < 65536)) {
            alm_buf_printf(b, "\\u%04x", c);
        } else if (ascii && c >= 65536) {
            alm_buf_printf(b, "\\u%04x\\u%04x", 0xD800 + ((c - 65536) >> 10), 0xDC00 + ((c - 65536) & 1023));
        } else {
            alm_buf_add(b, s.at + from, pos - from);
        }
    }
    alm_buf_add_byte(b, '"');
}

typedef struct json_run {
    alm_chat_run *r;
    alm_buf *b;
    const alm_chat_json *how;
    size_t level;
} json_run;

static bool json_value(json_run *j, alm_cv v);

static void new_line(json_run *j) {
    if (!j->how->pretty) return;
    alm_buf_add_byte(j->b, '\n');
    for (size_t i = 0; i < j->level; i++) alm_buf_add_str(j->b, j->how->indent);
}

static bool json_list(json_run *j, const alm_cv_list *l) {
    if (!l->n) return alm_buf_add_text(j->b, "[]"), true;
    alm_buf_add_byte(j->b, '[');
    j->level++;
    for (size_t i = 0; i < l->n; i++) {
        if (i) alm_buf_add_str(j->b, j->how->item_sep);
        new_line(j);
        if (!json_value(j, l->at[i])) return false;
    }
    j->level--;
    new_line(j);
    return alm_buf_add_byte(j->b, ']'), true;
}

/* Keys of a JSON object are strings; numbers and the three words become some. */
static bool json_key(json_run *j, alm_cv key) {
    if (key.kind == ALM_CV_STR) return json_value(j, key);
    if (!alm_cv_is_number(key) && key.kind != ALM_CV_NONE && key.kind != ALM_CV_BIG)
        return alm_chat_fail(j->r, ALM_MISMATCH, "keys must be str, int, float, bool or None, not %s",
                             alm_cv_type(key));
    alm_buf_add_byte(j->b, '"');
    bool ok = json_value(j, key);
    return alm_buf_add_byte(j->b, '"'), ok;
}

static bool json_dict(json_run *j, const alm_cv_dict *d) {
    size_t n = alm_cv_dict_n(d);
    if (!n) return alm_buf_add_text(j->b, "{}"), true;
    alm_cv *key = alm_chat_memory(j->r, n, sizeof *key), *value = alm_chat_memory(j->r, n, sizeof *value);
    if (!key || !value) return false;
    for (size_t i = 0; i < n; i++) alm_cv_dict_at(d, i, &key[i], &value[i]);
    if (j->how->sort && !alm_cv_sort(j->r, value, key, n, false)) return false;
    alm_buf_add_byte(j->b, '{');
    j->level++;
    for (size_t i = 0; i < n; i++) {
        if (i) alm_buf_add_str(j->b, j->how->item_sep);
        new_line(j);
        if (!json_key(j, key[i])) return false;
        alm_buf_add_str(j->b, j->how->key_sep);
        if (!json_value(j, value[i])) return false;
    }
    j->level--;
    new_line(j);
    return alm_buf_add_byte(j->b, '}'), true;
}

static void json_float(alm_buf *b, double x) {
    char at[40];
    if (x != x) alm_buf_add_text(b, "NaN");
    else if (x > 1.7976931348623157e308 || x < -1.7976931348623157e308)
        alm_buf_add_text(b, x < 0 ? "-Infinity" : "Infinity");
    else alm_buf_add(b, at, alm_chat_float_text(at, x));
}

static bool json_inner(json_run *j, alm_cv v) {
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_NONE: return alm_buf_add_text(j->b, "null"), true;
    case ALM_CV_BOOL: return alm_buf_add_text(j->b, v.as.i ? "true" : "false"), true;
    case ALM_CV_INT: return alm_buf_add_i64(j->b, v.as.i), true;
    case ALM_CV_FLOAT: return json_float(j->b, v.as.f), true;
    case ALM_CV_BIG: return alm_buf_add_str(j->b, alm_cv_text(v)), true;
    case ALM_CV_STR: return json_string(j->b, alm_cv_text(v), j->how->ascii), alm_chat_spend_bytes(j->r, v.n);
    case ALM_CV_LIST:
    case ALM_CV_TUPLE: return json_list(j, v.as.list);
    case ALM_CV_DICT: return json_dict(j, v.as.dict);
    default: return alm_chat_fail(j->r, ALM_MISMATCH, "Object of type %s is not JSON serializable", alm_cv_type(v));
    }
}

static bool json_value(json_run *j, alm_cv v) {
    if (!alm_chat_spend(j->r, 1) || !alm_chat_enter(j->r) || !json_inner(j, v) || !alm_chat_buf_ok(j->r, j->b))
        return false;
    alm_chat_leave(j->r);
    return true;
}

bool alm_cv_write_json(alm_chat_run *r, alm_buf *b, alm_cv v, const alm_chat_json *how) {
    return json_value(&(json_run){r, b, how, 0}, v);
}
