/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_filter_text.c - filters that give a text or a number: trim, replace, indent, tojson, int, round … */
#include "text/chat_inner.h"

#include <math.h>

#define FILTER(name) \
    bool alm_chat_filter_##name(alm_chat_run *r, alm_cv v, const alm_cv *arg, const alm_chat_args *all, alm_cv *out)

static bool given(alm_cv v) { return v.kind != ALM_CV_MISSING; }

/* An argument that is true or false; `fallback` when it is not given. */
static bool flag(alm_chat_run *r, alm_cv v, bool fallback, bool *out) {
    if (!given(v)) return *out = fallback, true;
    return alm_cv_true(r, v, out);
}

static bool whole(alm_chat_run *r, alm_cv v, int64_t fallback, int64_t *out) {
    if (!given(v)) return *out = fallback, true;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (alm_cv_is_int(v)) return *out = v.as.i, true;
    return alm_chat_fail(r, ALM_MISMATCH, "'%s' object cannot be interpreted as an integer", alm_cv_type(v));
}

/* ── case and blanks ──────────────────────────────────────────────────────────────────────────────────────────── */

static bool recase(alm_chat_run *r, alm_cv v, alm_chat_recase how, alm_cv *out) {
    alm_str s;
    return alm_cv_to_str(r, v, &s) && alm_chat_recase_str(r, s, how, out);
}

FILTER(upper) {
    (void)arg, (void)all;
    return recase(r, v, ALM_RECASE_UPPER, out);
}

FILTER(lower) {
    (void)arg, (void)all;
    return recase(r, v, ALM_RECASE_LOWER, out);
}

FILTER(capitalize) {
    (void)arg, (void)all;
    return recase(r, v, ALM_RECASE_CAPITALIZE, out);
}

/* Words begin behind blanks, hyphens and opening brackets; unlike str.title, a letter behind a digit stays small. */
FILTER(title) {
    alm_str s;
    alm_cv all_of_it = alm_cv_str(ALM_STR("")), piece;
    (void)arg, (void)all;
    if (!alm_cv_to_str(r, v, &s)) return false;
    for (size_t pos = 0; pos < s.n;) {
        size_t from = pos, next = pos;
        bool between = true, is_between;
        for (; pos < s.n; pos = next) {
            uint32_t c;
            next = pos;
            if (!alm_utf8_next(s, &next, &c)) break;
            is_between = (c < 128 && c && strchr("-({[<", (int)c)) || alm_letter_class(c) & ALM_LETTER_SPACE;
            if (pos == from) between = is_between;
            else if (between != is_between) break;
        }
        alm_str part = alm_str_slice(s, from, pos);
        if (between) piece = alm_cv_str(part);
        else {
            /* The first character in upper case, the rest in lower case, each by itself. */
            size_t one = alm_chat_offset(part, 1);
            alm_cv head, tail;
            if (!alm_chat_recase_str(r, alm_str_slice(part, 0, one), ALM_RECASE_UPPER, &head) ||
                !alm_chat_recase_str(r, alm_str_slice(part, one, part.n), ALM_RECASE_LOWER, &tail) ||
                !alm_chat_join(r, alm_cv_text(head), alm_cv_text(tail), &piece))
                return false;
        }
        if (!alm_chat_join(r, alm_cv_text(all_of_it), alm_cv_text(piece), &all_of_it)) return false;
    }
    return *out = all_of_it, true;
}

FILTER(trim) {
    alm_str s, chars;
    (void)all;
    if (!alm_cv_to_str(r, v, &s)) return false;
    bool some = given(arg[0]) && arg[0].kind != ALM_CV_NONE;
    if (some && arg[0].kind != ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "strip arg must be None or str, not %s", alm_cv_type(arg[0]));
    chars = alm_cv_text(arg[0]);
    return *out = alm_cv_str(alm_chat_strip(s, some ? &chars : NULL, true, true)), alm_chat_spend_bytes(r, s.n);
}

FILTER(string) {
    alm_str s;
    (void)arg, (void)all;
    return alm_cv_to_str(r, v, &s) && (*out = alm_cv_str(s), true);
}

FILTER(center) {
    alm_str s;
    int64_t width;
    (void)all;
    if (!alm_cv_to_str(r, v, &s) || !whole(r, arg[0], 80, &width)) return false;
    alm_cv args[2] = {alm_cv_int(width), alm_cv_of(ALM_CV_MISSING)};
    return alm_chat_method_center(r, alm_cv_str(s), args, NULL, out);
}

/* ── parts of a text ──────────────────────────────────────────────────────────────────────────────────────────── */

FILTER(replace) {
    alm_str s, from, to;
    (void)all;
    if (!alm_cv_to_str(r, v, &s) || !alm_cv_to_str(r, arg[0], &from) || !alm_cv_to_str(r, arg[1], &to)) return false;
    alm_cv args[3] = {alm_cv_str(from), alm_cv_str(to), arg[2]};
    if (arg[2].kind == ALM_CV_NONE) args[2] = alm_cv_of(ALM_CV_MISSING);
    return alm_chat_method_replace(r, alm_cv_str(s), args, NULL, out);
}

FILTER(indent) {
    alm_str s, pad;
    bool first, blank;
    char blanks[256];
    (void)all;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (v.kind != ALM_CV_STR) return alm_chat_fail(r, ALM_MISMATCH, "indent wants a str, not %s", alm_cv_type(v));
    s = alm_cv_text(v);
    if (!flag(r, arg[1], false, &first) || !flag(r, arg[2], false, &blank)) return false;
    if (arg[0].kind == ALM_CV_STR) pad = alm_cv_text(arg[0]);
    else {
        int64_t width;
        if (!whole(r, arg[0], 4, &width)) return false;
        if (width > (int64_t)sizeof blanks)
            return alm_chat_fail(r, ALM_LIMIT, "indent by more than %zu", sizeof blanks);
        pad = alm_str_make(blanks, width > 0 ? (size_t)width : 0);
        memset(blanks, ' ', pad.n);
    }
    const alm_cv *line;
    size_t n;
    alm_cv lines, no = alm_cv_of(ALM_CV_MISSING), with_end;
    if (!alm_chat_join(r, s, ALM_STR("\n"), &with_end) || !alm_chat_method_splitlines(r, with_end, &no, NULL, &lines) ||
        !alm_cv_items(r, lines, &line, &n))
        return false;
    alm_buf b = alm_chat_buf(r);
    for (size_t i = 0; i < n; i++) {
        if (i) alm_buf_add_byte(&b, '\n');
        if (i ? blank || line[i].n : first) alm_buf_add_str(&b, pad);
        alm_buf_add_str(&b, alm_cv_text(line[i]));
    }
    return alm_chat_spend_bytes(r, b.n) ? alm_cv_buf_str(r, &b, out) : (alm_buf_free(&b), false);
}

FILTER(truncate) {
    alm_str s, end = ALM_STR("...");
    int64_t length, leeway;
    bool kill;
    (void)all;
    if (v.kind == ALM_CV_UNDEFINED) return *out = v, true;
    if (v.kind != ALM_CV_STR) return alm_chat_fail(r, ALM_MISMATCH, "truncate wants a str, not %s", alm_cv_type(v));
    s = alm_cv_text(v);
    if (!whole(r, arg[0], 255, &length) || !flag(r, arg[1], false, &kill) ||
        (given(arg[2]) && !alm_cv_to_str(r, arg[2], &end)))
        return false;
    if (!whole(r, arg[3].kind == ALM_CV_NONE ? alm_cv_of(ALM_CV_MISSING) : arg[3], 5, &leeway)) return false;
    int64_t n_end = (int64_t)alm_chat_length(end), n = (int64_t)alm_chat_length(s);
    if (length < n_end) return alm_chat_fail(r, ALM_MISMATCH, "expected length >= %lld", (long long)n_end);
    if (leeway < 0) return alm_chat_fail(r, ALM_MISMATCH, "expected leeway >= 0");
    if (n <= length || n - length <= leeway) return *out = alm_cv_str(s), true;
    alm_str cut = alm_str_slice(s, 0, alm_chat_offset(s, (size_t)(length - n_end)));
    for (size_t i = cut.n; !kill && i-- > 0;)
        if (cut.at[i] == ' ') {
            cut.n = i;
            break;
        }
    return alm_chat_join(r, cut, end, out);
}

FILTER(wordcount) {
    alm_str s;
    int64_t n = 0;
    bool inside = false;
    (void)arg, (void)all;
    if (!alm_cv_to_str(r, v, &s) || !alm_chat_spend_bytes(r, s.n)) return false;
    for (size_t pos = 0; pos < s.n;) {
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        bool word = c == '_' || alm_letter_class(c) & (ALM_LETTER_ALPHA | ALM_LETTER_NUMERIC);
        n += word && !inside;
        inside = word;
    }
    return *out = alm_cv_int(n), true;
}

FILTER(escape) {
    alm_str s;
    (void)arg, (void)all;
    if (!alm_cv_to_str(r, v, &s) || !alm_chat_spend_bytes(r, s.n)) return false;
    alm_buf b = alm_chat_buf(r);
    for (size_t i = 0; i < s.n; i++) {
        if (s.at[i] == '&') alm_buf_add_text(&b, "&amp;");
        else if (s.at[i] == '<') alm_buf_add_text(&b, "&lt;");
        else if (s.at[i] == '>') alm_buf_add_text(&b, "&gt;");
        else if (s.at[i] == '"') alm_buf_add_text(&b, "&#34;");
        else if (s.at[i] == '\'') alm_buf_add_text(&b, "&#39;");
        else alm_buf_add_byte(&b, s.at[i]);
    }
    return alm_cv_buf_str(r, &b, out);
}

static void add_quoted(alm_buf *b, alm_str s, bool in_query) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("_.-~", c)) || (c == '/' && !in_query);
        if (plain) alm_buf_add_byte(b, c);
        else if (c == ' ' && in_query) alm_buf_add_byte(b, '+');
        else alm_buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

/* A text; or the pairs of a query string, where a slash is no more plain and a blank is a plus. */
FILTER(urlencode) {
    alm_buf b = alm_chat_buf(r);
    alm_str s;
    bool ok = true;
    (void)arg, (void)all;
    if (v.kind == ALM_CV_STR || !alm_cv_iterable(v) || v.kind == ALM_CV_UNDEFINED) {
        ok = alm_cv_to_str(r, v, &s) && alm_chat_spend_bytes(r, s.n);
        if (ok) add_quoted(&b, s, false);
    } else {
        const alm_cv *at, *pair;
        size_t n = 0;
        alm_cv_list *items = v.as.list;
        if (v.kind == ALM_CV_DICT) {
            ok = alm_cv_dict_view(r, v.as.dict, ALM_CV_ITEMS, &items);
            v = alm_cv_from_list(ALM_CV_LIST, items);
        }
        ok = ok && alm_cv_items(r, v, &at, &n);
        for (size_t i = 0; ok && i < n; i++) {
            ok = alm_cv_unpack(r, at[i], 2, &pair);
            if (i) alm_buf_add_byte(&b, '&');
            for (int k = 0; ok && k < 2; k++) {
                ok = alm_cv_to_str(r, pair[k], &s) && alm_chat_spend_bytes(r, s.n);
                if (k) alm_buf_add_byte(&b, '=');
                if (ok) add_quoted(&b, s, true);
            }
        }
    }
    return alm_cv_buf_str(r, &b, out) && ok;
}

FILTER(format) {
    alm_str s;
    (void)arg;
    if (!alm_cv_to_str(r, v, &s)) return false;
    if (all->n_pos && all->n_kw)
        return alm_chat_fail(r, ALM_MISMATCH, "can't handle positional and keyword arguments at the same time");
    if (!all->n_kw) {
        alm_cv_list *l = alm_cv_list_new(r, all->n_pos);
        if (!l) return false;
        if (all->n_pos) memcpy(l->at, all->pos, all->n_pos * sizeof *l->at);
        l->n = all->n_pos;
        return alm_chat_percent(r, s, alm_cv_from_list(ALM_CV_TUPLE, l), out);
    }
    alm_cv_dict *d = alm_cv_dict_new(r, all->n_kw);
    for (uint32_t i = 0; i < all->n_kw; i++)
        if (!alm_cv_dict_set(r, d, alm_cv_str(all->kw_name[i]), all->kw[i])) return false;
    return d && alm_chat_percent(r, s, (alm_cv){.kind = ALM_CV_DICT, .as.dict = d}, out);
}

FILTER(tojson) {
    alm_chat_json how = {.item_sep = ALM_STR(", "), .key_sep = ALM_STR(": ")};
    char blanks[64];
    (void)all;
    if (!flag(r, arg[0], false, &how.ascii) || !flag(r, arg[3], false, &how.sort)) return false;
    if (given(arg[1]) && arg[1].kind != ALM_CV_NONE) {
        how.pretty = true;
        how.item_sep = ALM_STR(",");
        if (arg[1].kind == ALM_CV_STR) how.indent = alm_cv_text(arg[1]);
        else {
            int64_t width;
            if (!whole(r, arg[1], 0, &width)) return false;
            if (width > (int64_t)sizeof blanks)
                return alm_chat_fail(r, ALM_LIMIT, "tojson indents by more than %zu", sizeof blanks);
            how.indent = alm_str_make(blanks, width > 0 ? (size_t)width : 0);
            memset(blanks, ' ', sizeof blanks);
        }
    }
    if (given(arg[2]) && arg[2].kind != ALM_CV_NONE) {
        const alm_cv *pair;
        if (!alm_cv_unpack(r, arg[2], 2, &pair)) return false;
        if (pair[0].kind != ALM_CV_STR || pair[1].kind != ALM_CV_STR)
            return alm_chat_fail(r, ALM_MISMATCH, "the separators of tojson are no texts");
        how.item_sep = alm_cv_text(pair[0]), how.key_sep = alm_cv_text(pair[1]);
    }
    alm_buf b = alm_chat_buf(r);
    bool ok = alm_cv_write_json(r, &b, v, &how);
    return alm_cv_buf_str(r, &b, out) && ok;
}

/* ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────── */

FILTER(abs) {
    (void)arg, (void)all;
    if (v.kind == ALM_CV_FLOAT) return *out = alm_cv_float(v.as.f < 0 ? -v.as.f : v.as.f + 0.0), true;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (v.kind == ALM_CV_BIG) {
        alm_str digits = alm_cv_text(v);
        *out = v;
        if (digits.at[0] == '-') out->as.at++, out->n--;
        return true;
    }
    if (!alm_cv_is_int(v)) return alm_chat_fail(r, ALM_MISMATCH, "bad operand type for abs(): '%s'", alm_cv_type(v));
    return v.as.i < 0 ? alm_chat_negate(r, v, true, out) : (*out = alm_cv_int(v.as.i), true);
}

/* Digits with single `_` between them, as Python takes them in texts. */
static bool plain_number(alm_str s, char *to, size_t cap, alm_str *out) {
    size_t n = 0;
    s = alm_chat_strip(s, NULL, true, true);
    if (s.n >= cap) return false;
    for (size_t i = 0; i < s.n; i++) {
        bool between =
            i && i + 1 < s.n && s.at[i - 1] >= '0' && s.at[i - 1] <= '9' && s.at[i + 1] >= '0' && s.at[i + 1] <= '9';
        if (s.at[i] == '_' && between) continue;
        to[n++] = s.at[i];
    }
    *out = alm_str_make(to, n);
    return true;
}

static bool text_to_double(alm_str s, double *out) {
    static const char *const words[] = {"inf", "infinity", "nan"};
    char at[400], word[16];
    bool minus;
    if (!plain_number(s, at, sizeof at, &s) || !s.n) return false;
    minus = s.at[0] == '-';
    if (s.at[0] == '+' || minus) s.at++, s.n--;
    for (size_t i = 0; s.n < sizeof word && i < s.n + 1; i++) word[i] = i < s.n ? (char)(s.at[i] | 32) : '\0';
    for (size_t i = 0; s.n < sizeof word && i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = i == 2 ? (double)NAN : (double)INFINITY;
            if (minus) *out = -*out;
            return true;
        }
    /* What the reader of numbers does not take: ".5", "5.", "1e5" with a plus. */
    char full[420];
    size_t n = 0;
    bool digit = false;
    for (size_t i = 0; i < s.n && n + 2 < sizeof full; i++) {
        bool is_digit = s.at[i] >= '0' && s.at[i] <= '9';
        if (s.at[i] == '.' && !digit) full[n++] = '0';
        full[n++] = s.at[i];
        if (s.at[i] == '.' && (i + 1 == s.n || s.at[i + 1] < '0' || s.at[i + 1] > '9')) {
            if (!digit) return false;
            full[n++] = '0';
        }
        if (!is_digit && !strchr(".eE+-", s.at[i])) return false;
        digit |= is_digit;
    }
    if (!digit || s.at[0] == 'e' || s.at[0] == 'E' || s.at[0] == '-' || s.at[0] == '+') return false;
    if (!alm_str_to_f64(alm_str_make(full, n), out)) return false;
    if (minus) *out = -*out;
    return true;
}

static bool text_to_int(alm_str s, int64_t base, int64_t *out) {
    char at[80];
    uint64_t x = 0;
    if (!plain_number(s, at, sizeof at, &s) || !s.n) return false;
    bool minus = s.at[0] == '-';
    if (minus || s.at[0] == '+') s.at++, s.n--;
    if (s.n > 2 && s.at[0] == '0' && (base == 16 || base == 8 || base == 2)) {
        char mark = (char)(s.at[1] | 32);
        if (mark == (base == 16 ? 'x' : base == 8 ? 'o' : 'b')) s.at += 2, s.n -= 2;
    }
    if (!s.n) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'z' ? (c | 32) - 'a' + 10 : 99;
        if (d >= base || x > (UINT64_MAX - 36) / (uint64_t)base) return false;
        x = x * (uint64_t)base + (uint64_t)d;
    }
    if (x > (uint64_t)INT64_MAX) return false;
    *out = minus ? -(int64_t)x : (int64_t)x;
    return true;
}

FILTER(int) {
    int64_t base, x;
    double f;
    (void)all;
    alm_cv fallback = given(arg[0]) ? arg[0] : alm_cv_int(0);
    if (!whole(r, arg[1], 10, &base)) return false;
    if (base < 2 || base > 36) return alm_chat_fail(r, ALM_MISMATCH, "int() base must be >= 2 and <= 36");
    *out = fallback;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (alm_cv_is_int(v)) return *out = alm_cv_int(v.as.i), true;
    if (v.kind == ALM_CV_BIG) return *out = v, true;
    if (v.kind == ALM_CV_STR) {
        if (text_to_int(alm_cv_text(v), base, &x)) return *out = alm_cv_int(x), true;
        if (!text_to_double(alm_cv_text(v), &f)) return true;
    } else if (v.kind == ALM_CV_FLOAT) {
        f = v.as.f;
    } else {
        return true;
    }
    if (f > -9.2233720368547e18 && f < 9.2233720368547e18) *out = alm_cv_int((int64_t)f);
    else if (f == f && f <= 1.7976931348623157e308 && f >= -1.7976931348623157e308)
        return alm_chat_fail(r, ALM_LIMIT, "an integer has more than 64 bits");
    return true;
}

FILTER(float) {
    double f;
    (void)all;
    *out = given(arg[0]) ? arg[0] : alm_cv_float(0.0);
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (alm_cv_is_number(v)) *out = alm_cv_float(alm_cv_double(v));
    else if ((v.kind == ALM_CV_STR || v.kind == ALM_CV_BIG) && text_to_double(alm_cv_text(v), &f))
        *out = alm_cv_float(f);
    return true;
}

/* Rounded to n digits behind the point, exactly and ties to even, by way of the decimal text. */
static double round_to(double x, int64_t digits) {
    char at[360];
    double back = x;
    if (digits >= 0) {
        if (digits > 300) return x;
        int n = alm_str_print(at, sizeof at, "%.*f", (int)digits, x);
        if (n > 0 && (size_t)n < sizeof at) alm_str_to_f64(alm_str_make(at, (size_t)n), &back);
        return back;
    }
    if (digits < -308) return x < 0 ? -0.0 : 0.0;
    double scale = 1.0;
    for (int64_t i = 0; i < -digits; i++) scale *= 10.0;
    int n = alm_str_print(at, sizeof at, "%.0f", x / scale);
    if (n > 0 && (size_t)n < sizeof at && alm_str_to_f64(alm_str_make(at, (size_t)n), &back)) return back * scale;
    return x;
}

static bool round_int(alm_chat_run *r, int64_t x, int64_t digits, alm_cv *out) {
    int64_t scale = 1;
    if (digits >= 0) return *out = alm_cv_int(x), true;
    if (digits < -18) return *out = alm_cv_int(0), true;
    for (int64_t i = 0; i < -digits; i++) scale *= 10;
    int64_t down = x / scale - (x % scale < 0), rest = x - down * scale;
    if (rest * 2 > scale || (rest * 2 == scale && down % 2)) down++;
    if (__builtin_mul_overflow(down, scale, &x)) return alm_chat_fail(r, ALM_LIMIT, "an integer has more than 64 bits");
    return *out = alm_cv_int(x), true;
}

FILTER(round) {
    int64_t digits;
    alm_str method = ALM_STR("common");
    (void)all;
    if (!whole(r, arg[0], 0, &digits)) return false;
    if (given(arg[1]) && !alm_cv_to_str(r, arg[1], &method)) return false;
    bool up = alm_str_eq(method, ALM_STR("ceil")), down = alm_str_eq(method, ALM_STR("floor"));
    if (!up && !down && !alm_str_eq(method, ALM_STR("common")))
        return alm_chat_fail(r, ALM_MISMATCH, "method must be common, ceil or floor");
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (v.kind == ALM_CV_BIG && digits >= 0 && !up && !down) return *out = v, true;
    if (!alm_cv_is_number(v))
        return alm_chat_fail(r, ALM_MISMATCH, "type %s doesn't define __round__ method", alm_cv_type(v));
    double x = alm_cv_double(v);
    if (!up && !down) {
        if (alm_cv_is_int(v)) return round_int(r, v.as.i, digits, out);
        return *out = alm_cv_float(round_to(x, digits)), true;
    }
    double scale = 1.0;
    if (digits > 300 || digits < -300) return alm_chat_fail(r, ALM_LIMIT, "round() to more digits than a number has");
    for (int64_t i = 0; i < (digits < 0 ? -digits : digits); i++) scale *= 10.0;
    double scaled = digits < 0 ? x / scale : x * scale;
    if (scaled < 4503599627370496.0 && scaled > -4503599627370496.0) {
        double cut = (double)(int64_t)scaled;
        if (up && cut < scaled) cut += 1.0;
        if (down && cut > scaled) cut -= 1.0;
        scaled = cut;
    }
    return *out = alm_cv_float(digits < 0 ? scaled * scale : scaled / scale), true;
}
