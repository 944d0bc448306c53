/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_method.c - methods of texts, lists, dicts and loops, as Python's own do it. Positions in texts count characters. */
#include "text/chat_inner.h"

#define METHOD(name) \
    bool alm_chat_method_##name(alm_chat_run *r, alm_cv v, const alm_cv *arg, const alm_chat_args *all, alm_cv *out)

static bool given(alm_cv v) { return v.kind != ALM_CV_MISSING && v.kind != ALM_CV_NONE; }

static bool text_of(alm_chat_run *r, alm_cv v, alm_str *out) {
    if (v.kind == ALM_CV_STR) return *out = alm_cv_text(v), true;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    return alm_chat_fail(r, ALM_MISMATCH, "a str is expected, not %s", alm_cv_type(v));
}

static bool whole(alm_chat_run *r, alm_cv v, int64_t fallback, int64_t *out) {
    if (!given(v)) return *out = fallback, true;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (alm_cv_is_int(v)) return *out = v.as.i, true;
    return alm_chat_fail(r, ALM_MISMATCH, "'%s' object cannot be interpreted as an integer", alm_cv_type(v));
}

METHOD(refused) {
    (void)v, (void)arg, (void)all, (void)out;
    return alm_chat_fail(r, ALM_MISMATCH, "a template cannot change a value");
}

/* ── case, ends, width ────────────────────────────────────────────────────────────────────────────────────────── */

#define RECASE(name, how)                                        \
    METHOD(name) {                                               \
        (void)arg, (void)all;                                    \
        return alm_chat_recase_str(r, alm_cv_text(v), how, out); \
    }
RECASE(upper, ALM_RECASE_UPPER)
RECASE(lower, ALM_RECASE_LOWER)
RECASE(title, ALM_RECASE_TITLE)
RECASE(capitalize, ALM_RECASE_CAPITALIZE)
RECASE(swapcase, ALM_RECASE_SWAP)

/* Lower case, with the one letter that has another folded form in everyday text. */
METHOD(casefold) {
    (void)arg, (void)all;
    alm_cv args[3] = {alm_cv_str(ALM_STR("\xC3\x9F")), alm_cv_str(ALM_STR("ss")), alm_cv_of(ALM_CV_MISSING)}, low;
    return alm_chat_recase_str(r, alm_cv_text(v), ALM_RECASE_LOWER, &low) &&
           alm_chat_method_replace(r, low, args, NULL, out);
}

static bool strip(alm_chat_run *r, alm_cv v, alm_cv chars, bool left, bool right, alm_cv *out) {
    alm_str set = {0};
    if (given(chars) && !text_of(r, chars, &set)) return false;
    *out = alm_cv_str(alm_chat_strip(alm_cv_text(v), given(chars) ? &set : NULL, left, right));
    return alm_chat_spend_bytes(r, v.n);
}

METHOD(strip) {
    (void)all;
    return strip(r, v, arg[0], true, true, out);
}

METHOD(lstrip) {
    (void)all;
    return strip(r, v, arg[0], true, false, out);
}

METHOD(rstrip) {
    (void)all;
    return strip(r, v, arg[0], false, true, out);
}

METHOD(removeprefix) {
    alm_str s = alm_cv_text(v), part;
    (void)all;
    if (!text_of(r, arg[0], &part)) return false;
    return *out = alm_cv_str(alm_str_starts(s, part) ? alm_str_slice(s, part.n, s.n) : s), true;
}

METHOD(removesuffix) {
    alm_str s = alm_cv_text(v), part;
    (void)all;
    if (!text_of(r, arg[0], &part)) return false;
    return *out = alm_cv_str(alm_str_ends(s, part) ? alm_str_slice(s, 0, s.n - part.n) : s), true;
}

static bool fill(alm_chat_run *r, alm_cv v, int64_t left, int64_t right, alm_str with, alm_cv *out) {
    alm_cv a, b, c;
    return alm_chat_binary(r, ALM_OP_MUL, alm_cv_str(with), alm_cv_int(left), &a) &&
           alm_chat_binary(r, ALM_OP_MUL, alm_cv_str(with), alm_cv_int(right), &b) &&
           alm_chat_join(r, alm_cv_text(a), alm_cv_text(v), &c) &&
           alm_chat_join(r, alm_cv_text(c), alm_cv_text(b), out);
}

static bool justify(alm_chat_run *r, alm_cv v, const alm_cv *arg, int side, alm_cv *out) {
    int64_t width;
    alm_str with = ALM_STR(" ");
    if (!whole(r, arg[0], 0, &width) || (given(arg[1]) && !text_of(r, arg[1], &with))) return false;
    if (alm_chat_length(with) != 1)
        return alm_chat_fail(r, ALM_MISMATCH, "The fill character must be exactly one character long");
    int64_t n = (int64_t)alm_chat_length(alm_cv_text(v)), gap = width > n ? width - n : 0;
    /* As CPython centres: the odd blank goes to the left where the width is odd. */
    int64_t left = side < 0 ? 0 : side > 0 ? gap : gap / 2 + (gap & width & 1);
    return fill(r, v, left, gap - left, with, out);
}

METHOD(center) {
    (void)all;
    return justify(r, v, arg, 0, out);
}

METHOD(ljust) {
    (void)all;
    return justify(r, v, arg, -1, out);
}

METHOD(rjust) {
    (void)all;
    return justify(r, v, arg, 1, out);
}

METHOD(zfill) {
    int64_t width, n = (int64_t)alm_chat_length(alm_cv_text(v));
    (void)all;
    if (!whole(r, arg[0], 0, &width)) return false;
    alm_str s = alm_cv_text(v), sign = alm_str_slice(s, 0, s.n && (s.at[0] == '-' || s.at[0] == '+'));
    alm_cv zeros, body = alm_cv_str(alm_str_slice(s, sign.n, s.n));
    return fill(r, body, width > n ? width - n : 0, 0, ALM_STR("0"), &zeros) &&
           alm_chat_join(r, sign, alm_cv_text(zeros), out);
}

METHOD(expandtabs) {
    int64_t size;
    size_t column = 0;
    alm_str s = alm_cv_text(v);
    (void)all;
    if (!whole(r, arg[0], 8, &size)) return false;
    alm_buf b = alm_chat_buf(r);
    for (size_t i = 0; i < s.n && !b.failed; i++) {
        if (s.at[i] == '\t') {
            size_t n = size > 0 ? (size_t)size - column % (size_t)size : 0;
            for (column += n; n && !b.failed; n--) alm_buf_add_byte(&b, ' ');
            continue;
        }
        alm_buf_add_byte(&b, s.at[i]);
        if (((unsigned char)s.at[i] & 0xC0) != 0x80) column++;
        if (s.at[i] == '\n' || s.at[i] == '\r') column = 0;
    }
    return alm_cv_buf_str(r, &b, out) && alm_chat_spend_bytes(r, out->n);
}

/* ── what kind of characters ──────────────────────────────────────────────────────────────────────────────────── */

static bool all_of(alm_chat_run *r, alm_cv v, unsigned class, bool empty, alm_cv *out) {
    alm_str s = alm_cv_text(v);
    bool holds = empty || s.n;
    for (size_t pos = 0; pos < s.n && holds;) {
        uint32_t c;
        if (alm_utf8_next(s, &pos, &c)) holds = (alm_letter_class(c) & class) != 0;
    }
    return *out = alm_cv_bool(holds), alm_chat_spend_bytes(r, s.n);
}
#define ALL_OF(name, class, empty)              \
    METHOD(name) {                              \
        (void)arg, (void)all;                   \
        return all_of(r, v, class, empty, out); \
    }
ALL_OF(isalpha, ALM_LETTER_ALPHA, false)
ALL_OF(isalnum, ALM_LETTER_ALPHA | ALM_LETTER_DECIMAL | ALM_LETTER_DIGIT | ALM_LETTER_NUMERIC, false)
ALL_OF(isdecimal, ALM_LETTER_DECIMAL, false)
ALL_OF(isdigit, ALM_LETTER_DIGIT | ALM_LETTER_DECIMAL, false)
ALL_OF(isnumeric, ALM_LETTER_NUMERIC | ALM_LETTER_DIGIT | ALM_LETTER_DECIMAL, false)
ALL_OF(isspace, ALM_LETTER_SPACE, false)
ALL_OF(isprintable, ALM_LETTER_PRINTABLE, true)

METHOD(isascii) {
    bool holds = true;
    (void)arg, (void)all;
    for (size_t i = 0; i < v.n; i++) holds &= (unsigned char)v.as.at[i] < 128;
    return *out = alm_cv_bool(holds), alm_chat_spend_bytes(r, v.n);
}

METHOD(islower) {
    (void)all;
    return alm_chat_test_lower(r, v, arg, NULL, out);
}

METHOD(isupper) {
    (void)all;
    return alm_chat_test_upper(r, v, arg, NULL, out);
}

METHOD(istitle) {
    alm_str s = alm_cv_text(v);
    bool inside = false, holds = true, some = false;
    (void)arg, (void)all;
    for (size_t pos = 0; pos < s.n;) {
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        unsigned class = alm_letter_class(c);
        bool big = class & (ALM_LETTER_UPPER | ALM_LETTER_TITLE), small = class & ALM_LETTER_LOWER;
        if ((big && inside) || (small && !inside)) holds = false;
        inside = big || small;
        some |= inside;
    }
    return *out = alm_cv_bool(holds && some), alm_chat_spend_bytes(r, s.n);
}

METHOD(is_integer) {
    (void)r, (void)arg, (void)all;
    double x = v.as.f;
    return *out = alm_cv_bool(x == x && x - __builtin_fmod(x, 1.0) == x && x <= 1.7976931348623157e308 &&
                              x >= -1.7976931348623157e308),
           true;
}

/* ── searching ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The part between `start` and `end` and how many characters stand before it; *none when start lies behind the end. */
static bool window(alm_chat_run *r, alm_cv v, const alm_cv *range, alm_str *out, int64_t *before, bool *none) {
    alm_str s = alm_cv_text(v);
    *none = false, *before = 0, *out = s;
    if (!alm_chat_spend_bytes(r, s.n)) return false;
    if (!given(range[0]) && !given(range[1])) return true;
    int64_t n = (int64_t)alm_chat_length(s), from, to;
    if (!whole(r, range[0], 0, &from) || !whole(r, range[1], n, &to)) return false;
    if (from < 0) from = from + n < 0 ? 0 : from + n;
    if (to < 0) to = to + n < 0 ? 0 : to + n;
    if (to > n) to = n;
    *none = from > to || from > n;
    if (*none) return true;
    size_t begin = alm_chat_offset(s, (size_t)from);
    size_t end = begin + alm_chat_offset(alm_str_slice(s, begin, s.n), (size_t)(to - from));
    *out = alm_str_slice(s, begin, end), *before = from;
    return true;
}

static bool edge(alm_chat_run *r, alm_cv v, const alm_cv *arg, bool begin, alm_cv *out) {
    alm_str s, part;
    int64_t before;
    bool none, holds = false;
    if (!window(r, v, arg + 1, &s, &before, &none)) return false;
    if (arg[0].kind == ALM_CV_TUPLE) {
        const alm_cv_list *l = arg[0].as.list;
        for (size_t i = 0; i < l->n && !holds; i++) {
            if (!text_of(r, l->at[i], &part)) return false;
            holds = !none && (begin ? alm_str_starts(s, part) : alm_str_ends(s, part));
        }
    } else {
        if (!text_of(r, arg[0], &part)) return false;
        holds = !none && (begin ? alm_str_starts(s, part) : alm_str_ends(s, part));
    }
    return *out = alm_cv_bool(holds), true;
}

METHOD(startswith) {
    (void)all;
    return edge(r, v, arg, true, out);
}

METHOD(endswith) {
    (void)all;
    return edge(r, v, arg, false, out);
}

static size_t find_last(alm_str s, alm_str part) {
    for (size_t i = s.n - part.n + 1; part.n <= s.n && i-- > 0;)
        if (part.n == 0 || memcmp(s.at + i, part.at, part.n) == 0) return i;
    return SIZE_MAX;
}

static bool search(alm_chat_run *r, alm_cv v, const alm_cv *arg, bool last, bool must, alm_cv *out) {
    alm_str s, part;
    int64_t before;
    bool none;
    if (!window(r, v, arg + 1, &s, &before, &none) || !text_of(r, arg[0], &part)) return false;
    if (!alm_chat_spend_bytes(r, last ? s.n * (1 + part.n / 64) : 0)) return false;
    size_t at = none ? SIZE_MAX : last ? find_last(s, part) : alm_str_find(s, part);
    if (at == SIZE_MAX && must) return alm_chat_fail(r, ALM_MISMATCH, "substring not found");
    *out = alm_cv_int(at == SIZE_MAX ? -1 : before + (int64_t)alm_chat_length(alm_str_slice(s, 0, at)));
    return true;
}

METHOD(find) {
    (void)all;
    return search(r, v, arg, false, false, out);
}

METHOD(index) {
    (void)all;
    return search(r, v, arg, false, true, out);
}

METHOD(rfind) {
    (void)all;
    return search(r, v, arg, true, false, out);
}

METHOD(rindex) {
    (void)all;
    return search(r, v, arg, true, true, out);
}

METHOD(count) {
    alm_str s, part;
    int64_t before, n = 0;
    bool none;
    (void)all;
    if (!window(r, v, arg + 1, &s, &before, &none) || !text_of(r, arg[0], &part)) return false;
    if (none) return *out = alm_cv_int(0), true;
    if (!part.n) return *out = alm_cv_int((int64_t)alm_chat_length(s) + 1), true;
    for (size_t at; (at = alm_str_find(s, part)) != SIZE_MAX; n++) s = alm_str_slice(s, at + part.n, s.n);
    return *out = alm_cv_int(n), true;
}

METHOD(replace) {
    alm_str s = alm_cv_text(v), from, to;
    int64_t most;
    (void)all;
    if (!text_of(r, arg[0], &from) || !text_of(r, arg[1], &to) || !whole(r, arg[2], -1, &most)) return false;
    if (!alm_chat_spend_bytes(r, s.n)) return false;
    alm_buf b = alm_chat_buf(r);
    for (int64_t n = 0; (most < 0 || n < most) && !b.failed; n++) {
        size_t at = from.n ? alm_str_find(s, from) : n ? alm_chat_offset(s, 1) : 0;
        if (at == SIZE_MAX || (!from.n && n && !s.n)) break;
        alm_buf_add(&b, s.at, at);
        alm_buf_add_str(&b, to);
        s = alm_str_slice(s, at + from.n, s.n);
    }
    alm_buf_add_str(&b, s);
    return alm_cv_buf_str(r, &b, out) && alm_chat_spend_bytes(r, out->n);
}

/* ── taking apart and joining ─────────────────────────────────────────────────────────────────────────────────── */

static bool add_part(alm_chat_run *r, alm_cv_list *l, alm_str s, size_t from, size_t to) {
    return alm_cv_list_add(r, l, alm_cv_str(alm_str_slice(s, from, to)));
}

static bool is_blank(alm_str s, size_t pos, size_t *next) {
    uint32_t c;
    *next = pos;
    return alm_utf8_next(s, next, &c) && alm_letter_class(c) & ALM_LETTER_SPACE;
}

/* At runs of blanks, none at the ends. */
static bool split_blanks(alm_chat_run *r, alm_str s, int64_t most, alm_cv_list *l) {
    size_t next;
    for (int64_t n = 0;; n++) {
        s = alm_chat_strip(s, NULL, true, false);
        if (!s.n) return true;
        if (most >= 0 && n >= most) return add_part(r, l, s, 0, s.n); /* the rest, with the blanks at its end */
        size_t end = 0;
        while (end < s.n && !is_blank(s, end, &next)) end = next;
        if (!add_part(r, l, s, 0, end)) return false;
        s = alm_str_slice(s, end, s.n);
    }
}

static bool rsplit_blanks(alm_chat_run *r, alm_str s, int64_t most, alm_cv_list *l) {
    for (int64_t n = 0;; n++) {
        s = alm_chat_strip(s, NULL, false, true);
        if (!s.n) return true;
        if (most >= 0 && n >= most) return add_part(r, l, s, 0, s.n);
        size_t from = s.n, next;
        while (from) {
            size_t one = from - 1;
            while (one && ((unsigned char)s.at[one] & 0xC0) == 0x80) one--;
            if (is_blank(s, one, &next)) break;
            from = one;
        }
        if (!add_part(r, l, s, from, s.n)) return false;
        s = alm_str_slice(s, 0, from);
    }
}

static void turn_round(alm_cv_list *l) {
    for (size_t i = 0; i < l->n / 2; i++) {
        alm_cv swap = l->at[i];
        l->at[i] = l->at[l->n - 1 - i];
        l->at[l->n - 1 - i] = swap;
    }
}

static bool split_at(alm_chat_run *r, alm_str s, alm_str sep, int64_t most, bool last, alm_cv_list *l) {
    for (int64_t n = 0; most < 0 || n < most; n++) {
        size_t at = last ? find_last(s, sep) : alm_str_find(s, sep);
        if (at == SIZE_MAX) break;
        if (!(last ? add_part(r, l, s, at + sep.n, s.n) : add_part(r, l, s, 0, at))) return false;
        s = last ? alm_str_slice(s, 0, at) : alm_str_slice(s, at + sep.n, s.n);
    }
    return add_part(r, l, s, 0, s.n);
}

static bool split(alm_chat_run *r, alm_cv v, const alm_cv *arg, bool last, alm_cv *out) {
    alm_str s = alm_cv_text(v), sep = {0};
    int64_t most;
    alm_cv_list *l = alm_cv_list_new(r, 0);
    if (!l || !alm_chat_spend_bytes(r, s.n) || !whole(r, arg[1], -1, &most)) return false;
    if (!given(arg[0])) {
        if (!(last ? rsplit_blanks(r, s, most, l) : split_blanks(r, s, most, l))) return false;
    } else {
        if (!text_of(r, arg[0], &sep)) return false;
        if (!sep.n) return alm_chat_fail(r, ALM_MISMATCH, "empty separator");
        if (last && !alm_chat_spend_bytes(r, s.n * (1 + sep.n / 64))) return false;
        if (!split_at(r, s, sep, most, last, l)) return false;
    }
    if (last) turn_round(l);
    return *out = alm_cv_from_list(ALM_CV_LIST, l), true;
}

METHOD(split) {
    (void)all;
    return split(r, v, arg, false, out);
}

METHOD(rsplit) {
    (void)all;
    return split(r, v, arg, true, out);
}

/* A line ends with LF, CR, CR LF, and with what else Unicode takes for an end of a line or of a paragraph. */
METHOD(splitlines) {
    alm_str s = alm_cv_text(v);
    bool keep = false;
    size_t from = 0;
    (void)all;
    alm_cv_list *l = alm_cv_list_new(r, 0);
    if (!l || !alm_chat_spend_bytes(r, s.n) || (given(arg[0]) && !alm_cv_true(r, arg[0], &keep))) return false;
    for (size_t pos = 0; pos < s.n;) {
        size_t end = pos;
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        if (!((c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029)) continue;
        if (c == '\r' && pos < s.n && s.at[pos] == '\n') pos++;
        if (!add_part(r, l, s, from, keep ? pos : end)) return false;
        from = pos;
    }
    if (from < s.n && !add_part(r, l, s, from, s.n)) return false;
    return *out = alm_cv_from_list(ALM_CV_LIST, l), true;
}

static bool partition(alm_chat_run *r, alm_cv v, const alm_cv *arg, bool last, alm_cv *out) {
    alm_str s = alm_cv_text(v), sep;
    alm_cv_list *l = alm_cv_list_new(r, 3);
    if (!l || !text_of(r, arg[0], &sep) || !alm_chat_spend_bytes(r, s.n * (1 + sep.n / 64))) return false;
    if (!sep.n) return alm_chat_fail(r, ALM_MISMATCH, "empty separator");
    size_t at = last ? find_last(s, sep) : alm_str_find(s, sep);
    if (at == SIZE_MAX) at = last ? 0 : s.n, sep.n = 0;
    if (!add_part(r, l, s, 0, at) || !add_part(r, l, s, at, at + sep.n) || !add_part(r, l, s, at + sep.n, s.n))
        return false;
    return *out = alm_cv_from_list(ALM_CV_TUPLE, l), true;
}

METHOD(partition) {
    (void)all;
    return partition(r, v, arg, false, out);
}

METHOD(rpartition) {
    (void)all;
    return partition(r, v, arg, true, out);
}

METHOD(join) {
    const alm_cv *at;
    size_t n;
    alm_str part;
    (void)all;
    if (!alm_cv_items(r, arg[0], &at, &n)) return false;
    alm_buf b = alm_chat_buf(r);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        if (at[i].kind != ALM_CV_STR)
            ok = alm_chat_fail(r, ALM_MISMATCH, "sequence item %zu: expected str instance, %s found", i,
                               alm_cv_type(at[i]));
        part = alm_cv_text(at[i]);
        ok = ok && alm_chat_spend_bytes(r, v.n + part.n);
        if (ok && i) alm_buf_add_str(&b, alm_cv_text(v));
        if (ok) alm_buf_add_str(&b, part);
    }
    return alm_cv_buf_str(r, &b, out) && ok;
}

METHOD(format) {
    (void)arg;
    return alm_chat_str_format(r, alm_cv_text(v), all, out);
}

/* ── lists, dicts, loops ──────────────────────────────────────────────────────────────────────────────────────── */

METHOD(copy) {
    (void)r, (void)arg, (void)all;
    return *out = v, true; /* nothing can change it */
}

METHOD(count_item) {
    const alm_cv *at;
    size_t n;
    int64_t found = 0;
    bool same;
    (void)all;
    if (!alm_cv_items(r, v, &at, &n)) return false;
    for (size_t i = 0; i < n; i++, found += same)
        if (!alm_chat_spend(r, 1) || !alm_cv_equal(r, at[i], arg[0], &same)) return false;
    return *out = alm_cv_int(found), true;
}

METHOD(index_item) {
    const alm_cv *at;
    size_t n;
    bool same;
    (void)all;
    if (!alm_cv_items(r, v, &at, &n)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!alm_chat_spend(r, 1) || !alm_cv_equal(r, at[i], arg[0], &same)) return false;
        if (same) return *out = alm_cv_int((int64_t)i), true;
    }
    return alm_chat_fail(r, ALM_MISMATCH, "the value is not in the %s", alm_cv_type(v));
}

METHOD(get) {
    (void)all;
    if (!alm_cv_dict_get(r, v.as.dict, arg[0], out)) return false;
    if (out->kind == ALM_CV_MISSING) *out = arg[1].kind == ALM_CV_MISSING ? alm_cv_of(ALM_CV_NONE) : arg[1];
    return true;
}

static bool view(alm_chat_run *r, alm_cv v, unsigned what, alm_cv *out) {
    alm_cv_list *l;
    if (!alm_cv_dict_view(r, v.as.dict, what, &l)) return false;
    *out = alm_cv_from_list(ALM_CV_VIEW, l);
    out->sub = (uint8_t)what;
    return true;
}

METHOD(items) {
    (void)arg, (void)all;
    return view(r, v, ALM_CV_ITEMS, out);
}

METHOD(keys) {
    (void)arg, (void)all;
    return view(r, v, ALM_CV_KEYS, out);
}

METHOD(values) {
    (void)arg, (void)all;
    return view(r, v, ALM_CV_VALUES, out);
}

METHOD(cycle) {
    (void)arg;
    if (!all->n_pos) return alm_chat_fail(r, ALM_MISMATCH, "no items for cycling given");
    return *out = all->pos[v.as.loop->at % all->n_pos], true;
}

METHOD(changed) {
    alm_chat_loop *l = v.as.loop;
    bool same = false;
    (void)arg;
    alm_cv_list *now = alm_cv_list_new(r, all->n_pos);
    if (!now) return false;
    if (all->n_pos) memcpy(now->at, all->pos, all->n_pos * sizeof *now->at);
    now->n = all->n_pos;
    alm_cv seen = alm_cv_from_list(ALM_CV_TUPLE, now);
    if (l->changed.kind != ALM_CV_MISSING && !alm_cv_equal(r, l->changed, seen, &same)) return false;
    l->changed = seen;
    return *out = alm_cv_bool(!same), true;
}

METHOD(next) {
    (void)r, (void)arg, (void)all;
    alm_cv_list *l = v.as.list;
    *out = l->at[l->walked];
    l->walked = (l->walked + 1) % l->n;
    return true;
}

METHOD(reset) {
    (void)r, (void)arg, (void)all;
    v.as.list->walked = 0;
    return *out = alm_cv_of(ALM_CV_NONE), true;
}

#define ALM_CHAT_METHOD(name, fn, signature, kinds) {name, signature, alm_chat_method_##fn, kinds},
const alm_chat_builtin alm_chat_methods[] = {
#include "text/chat_methods.def"
};
const size_t alm_chat_n_method = sizeof alm_chat_methods / sizeof *alm_chat_methods;
