/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_format.c - "%s of %d" % values, "{} of {n:>4}".format(…) and strftime, as Python writes them.
 *
 * All three give digits with a point whatever the locale, and names of days and months in English. */
#include "base/clock.h"
#include "text/chat_inner.h"

enum { MAX_WIDTH = 10000, MAX_PRECISION = 300 };

/* What stands between % (or the colon) and the letter. */
typedef struct spec {
    uint32_t fill;
    char align, sign; /* < > ^ =, or 0; + - blank, or 0 */
    bool alternate, zero, comma, underscore;
    int64_t width, precision; /* -1: none */
    char type;
} spec;

static bool too_wide(alm_chat_run *r) {
    return alm_chat_fail(r, ALM_LIMIT, "a field of a format is wider than %d", MAX_WIDTH);
}

static void add_times(alm_buf *b, uint32_t c, int64_t n) {
    char at[8];
    size_t n_bytes = alm_utf8_put(at, c);
    for (; n > 0 && !b->failed; n--) alm_buf_add(b, at, n_bytes);
}

/* sign, prefix and digits with what fills the field. */
static void pad(alm_buf *b, const spec *f, char fallback, alm_str sign, alm_str body) {
    int64_t gap = f->width - (int64_t)(alm_chat_length(sign) + alm_chat_length(body));
    char align = f->align ? f->align : fallback;
    int64_t left = gap <= 0 ? 0 : align == '>' ? gap : align == '^' ? gap / 2 : 0;
    if (align != '=') add_times(b, f->fill, left);
    alm_buf_add_str(b, sign);
    if (align == '=') add_times(b, f->fill, gap);
    alm_buf_add_str(b, body);
    if (align == '<' || align == '^') add_times(b, f->fill, gap - left);
}

static size_t group(char *to, alm_str digits, char sep, size_t every) {
    size_t n = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (i && (digits.n - i) % every == 0) to[n++] = sep;
        to[n++] = digits.at[i];
    }
    return n;
}

static alm_str sign_of(const spec *f, bool minus) {
    return minus ? ALM_STR("-") : f->sign == '+' ? ALM_STR("+") : f->sign == ' ' ? ALM_STR(" ") : ALM_STR("");
}

static void add_int(alm_buf *b, const spec *f, int64_t x) {
    char digits[80], grouped[160], sign[8];
    size_t n = sizeof digits, n_sign = 0;
    unsigned base = f->type == 'x' || f->type == 'X' ? 16 : f->type == 'o' ? 8 : f->type == 'b' ? 2 : 10;
    uint64_t u = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    const char *letters = f->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    do digits[--n] = letters[u % base];
    while (u /= base);
    alm_str body = alm_str_make(digits + n, sizeof digits - n), plus = sign_of(f, x < 0);
    if (f->comma || f->underscore) {
        body.n = group(grouped, body, f->comma ? ',' : '_', base == 10 ? 3 : 4);
        body.at = grouped;
    }
    if (plus.n) sign[n_sign++] = plus.at[0];
    if (f->alternate && base != 10) sign[n_sign++] = '0', sign[n_sign++] = f->type;
    pad(b, f, '>', alm_str_make(sign, n_sign), body);
}

static bool add_double(alm_chat_run *r, alm_buf *b, const spec *f, double x) {
    char text[800], grouped[1200], how[16];
    int64_t precision = f->precision < 0 ? 6 : f->precision;
    if (precision > MAX_PRECISION)
        return alm_chat_fail(r, ALM_LIMIT, "a format with more than %d digits", MAX_PRECISION);
    bool minus = __builtin_signbit(x) && x == x, percent = f->type == '%';
    double y = (minus ? -x : x) * (percent ? 100.0 : 1.0);
    size_t n;
    char type = percent ? 'f' : f->type ? f->type : 'g';
    if (y != y || y > 1.7976931348623157e308) {
        bool upper = type == 'F' || type == 'E' || type == 'G';
        n = (size_t)alm_str_print(text, sizeof text, "%s", y != y ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"));
    } else if (!f->type && f->precision < 0) {
        n = alm_chat_float_text(text, y);
    } else {
        alm_str_print(how, sizeof how, f->alternate ? "%%#.*%c" : "%%.*%c", type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        n = (size_t)alm_str_print(text, sizeof text, how, (int)precision, y);
#pragma GCC diagnostic pop
        if (n >= sizeof text) return too_wide(r);
    }
    if (percent) text[n++] = '%';
    alm_str body = alm_str_make(text, n);
    if (f->comma || f->underscore) {
        size_t whole = 0;
        while (whole < n && text[whole] >= '0' && text[whole] <= '9') whole++;
        size_t k = group(grouped, alm_str_make(text, whole), f->comma ? ',' : '_', 3);
        memcpy(grouped + k, text + whole, n - whole);
        body = alm_str_make(grouped, k + n - whole);
    }
    pad(b, f, '>', sign_of(f, minus), body);
    return true;
}

static void add_text(alm_buf *b, const spec *f, alm_str s) {
    if (f->precision >= 0) s.n = alm_chat_offset(s, (size_t)f->precision);
    pad(b, f, '<', ALM_STR(""), s);
}

static bool read_number(alm_chat_run *r, alm_str s, size_t *pos, int64_t *out) {
    if (*pos >= s.n || s.at[*pos] < '0' || s.at[*pos] > '9') return true;
    for (*out = 0; *pos < s.n && s.at[*pos] >= '0' && s.at[*pos] <= '9'; ++*pos) {
        *out = *out * 10 + (s.at[*pos] - '0');
        if (*out > MAX_WIDTH) return too_wide(r);
    }
    return true;
}

/* ── % ────────────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct percent_run {
    alm_chat_run *r;
    alm_buf *b;
    alm_cv args;
    size_t used, n;
    bool by_name;
} percent_run;

static bool next_arg(percent_run *p, alm_cv *out) {
    if (p->used >= p->n) return alm_chat_fail(p->r, ALM_MISMATCH, "not enough arguments for format string");
    *out = p->args.kind == ALM_CV_TUPLE ? p->args.as.list->at[p->used] : p->args;
    p->used++;
    return true;
}

static bool star(percent_run *p, alm_str s, size_t *pos, int64_t *out) {
    alm_cv v;
    if (*pos >= s.n || s.at[*pos] != '*') return read_number(p->r, s, pos, out);
    ++*pos;
    if (!next_arg(p, &v)) return false;
    if (!alm_cv_is_int(v)) return alm_chat_fail(p->r, ALM_MISMATCH, "* wants int");
    if (v.as.i > MAX_WIDTH || v.as.i < -MAX_WIDTH) return too_wide(p->r);
    return *out = v.as.i, true;
}

static bool percent_value(percent_run *p, spec *f, alm_cv v) {
    alm_chat_run *r = p->r;
    alm_cv text;
    if (f->zero && !f->align && f->type != 's' && f->type != 'r' && f->type != 'c') f->align = '=', f->fill = '0';
    if (f->type == 's' || f->type == 'r' || f->type == 'a') {
        alm_buf b = alm_chat_buf(r);
        bool ok = f->type == 's' ? alm_cv_write_str(r, &b, v) : alm_cv_write_repr(r, &b, v);
        if (!alm_cv_buf_str(r, &b, &text) || !ok) return false;
        if (!f->align) f->align = '>';
        return add_text(p->b, f, alm_cv_text(text)), true;
    }
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (f->type == 'c') {
        char at[8];
        if (v.kind == ALM_CV_STR && alm_chat_length(alm_cv_text(v)) == 1)
            return add_text(p->b, f, alm_cv_text(v)), true;
        if (!alm_cv_is_int(v) || v.as.i < 0 || v.as.i > 0x10FFFF || (v.as.i >= 0xD800 && v.as.i < 0xE000))
            return alm_chat_fail(r, ALM_MISMATCH, "%%c requires int or char");
        return add_text(p->b, f, alm_str_make(at, alm_utf8_put(at, (uint32_t)v.as.i))), true;
    }
    if (!alm_cv_is_number(v))
        return alm_chat_fail(r, ALM_MISMATCH, "%%%c format: a real number is required, not %s", f->type,
                             alm_cv_type(v));
    if (strchr("eEfFgG", f->type)) return add_double(r, p->b, f, alm_cv_double(v));
    if (v.kind == ALM_CV_FLOAT) {
        if (strchr("xXo", f->type))
            return alm_chat_fail(r, ALM_MISMATCH, "%%%c format: an integer is required, not float", f->type);
        if (!(v.as.f > -9.2e18 && v.as.f < 9.2e18))
            return alm_chat_fail(r, ALM_LIMIT, "an integer has more than 64 bits");
        v = alm_cv_int((int64_t)v.as.f);
    }
    if (f->precision > 0) { /* at least so many digits */
        char digits[MAX_PRECISION + 40];
        int64_t want = f->precision > MAX_PRECISION ? MAX_PRECISION : f->precision;
        alm_buf b = alm_buf_with_limit(sizeof digits);
        spec plain = {
            .fill = '0', .align = '=', .sign = f->sign, .alternate = f->alternate, .type = f->type, .width = want};
        plain.width += sign_of(f, v.as.i < 0).n ? 1 : 0;
        plain.width += f->alternate && strchr("xXo", f->type) ? 2 : 0;
        add_int(&b, &plain, v.as.i);
        size_t n = b.n < sizeof digits ? b.n : sizeof digits;
        if (n) memcpy(digits, b.at, n);
        bool ok = alm_chat_buf_ok(r, &b);
        alm_buf_free(&b);
        return pad(p->b, f, '>', ALM_STR(""), alm_str_make(digits, n)), ok;
    }
    return add_int(p->b, f, v.as.i), true;
}

static bool percent_field(percent_run *p, alm_str s, size_t *pos) {
    spec f = {.fill = ' ', .width = 0, .precision = -1};
    alm_cv v = alm_cv_of(ALM_CV_MISSING);
    bool has_value = false;
    if (*pos < s.n && s.at[*pos] == '(') {
        size_t from = ++*pos, depth = 1;
        for (; *pos < s.n && depth; ++*pos) depth += s.at[*pos] == '(' ? 1u : s.at[*pos] == ')' ? (size_t)-1 : 0u;
        if (depth) return alm_chat_fail(p->r, ALM_MISMATCH, "incomplete format key");
        if (p->args.kind != ALM_CV_DICT) return alm_chat_fail(p->r, ALM_MISMATCH, "format requires a mapping");
        alm_str key = alm_str_slice(s, from, *pos - 1);
        if (!alm_cv_dict_get(p->r, p->args.as.dict, alm_cv_str(key), &v)) return false;
        if (v.kind == ALM_CV_MISSING)
            return alm_chat_fail(p->r, ALM_MISMATCH, "the format's key '%.*s' is missing", ALM_ARG(key));
        has_value = p->by_name = true;
    }
    for (; *pos < s.n && s.at[*pos] && strchr("#0- +", s.at[*pos]); ++*pos) {
        char c = s.at[*pos];
        if (c == '#') f.alternate = true;
        else if (c == '0') f.zero = true;
        else if (c == '-') f.align = '<';
        else if (f.sign != '+') f.sign = c;
    }
    if (!star(p, s, pos, &f.width)) return false;
    if (f.width < 0) f.align = '<', f.width = -f.width;
    if (*pos < s.n && s.at[*pos] == '.') {
        ++*pos;
        f.precision = 0;
        if (!star(p, s, pos, &f.precision)) return false;
        if (f.precision < 0) f.precision = 0;
    }
    while (*pos < s.n && s.at[*pos] && strchr("hlL", s.at[*pos])) ++*pos;
    if (*pos >= s.n) return alm_chat_fail(p->r, ALM_MISMATCH, "incomplete format");
    f.type = s.at[(*pos)++];
    if (f.type == '%') return alm_buf_add_byte(p->b, '%'), true;
    if (f.type == 'i' || f.type == 'u') f.type = 'd';
    if (!f.type || !strchr("srdxXoeEfFgGca", f.type))
        return alm_chat_fail(p->r, ALM_MISMATCH, "unsupported format character '%c'", f.type ? f.type : '0');
    return (has_value || next_arg(p, &v)) && percent_value(p, &f, v);
}

bool alm_chat_percent(alm_chat_run *r, alm_str s, alm_cv args, alm_cv *out) {
    alm_buf b = alm_chat_buf(r);
    percent_run p = {r, &b, args, 0, args.kind == ALM_CV_TUPLE ? args.as.list->n : 1, false};
    bool ok = alm_chat_spend_bytes(r, s.n);
    for (size_t pos = 0; ok && pos < s.n;) {
        if (s.at[pos] != '%') alm_buf_add_byte(&b, s.at[pos++]);
        else pos++, ok = percent_field(&p, s, &pos) && alm_chat_buf_ok(r, &b);
    }
    /* A tuple must be used up, a single value too unless it could be looked into by name. */
    bool may_stay = args.kind == ALM_CV_DICT || args.kind == ALM_CV_LIST || args.kind == ALM_CV_RANGE ||
                    args.kind == ALM_CV_UNDEFINED;
    if (ok && p.used < p.n && !p.by_name && !may_stay)
        ok = alm_chat_fail(r, ALM_MISMATCH, "not all arguments converted during string formatting");
    return alm_cv_buf_str(r, &b, out) && ok;
}

/* ── str.format ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool read_spec(alm_chat_run *r, alm_str s, spec *f) {
    size_t pos = 0, next = 0;
    uint32_t c = 0;
    *f = (spec){.fill = ' ', .precision = -1};
    if (s.n && alm_utf8_next(s, &next, &c) && next < s.n && strchr("<>=^", s.at[next]) && s.at[next]) {
        f->fill = c, f->align = s.at[next];
        pos = next + 1;
    } else if (s.n && s.at[0] && strchr("<>=^", s.at[0])) {
        f->align = s.at[pos++];
    }
    if (pos < s.n && s.at[pos] && strchr("+- ", s.at[pos])) f->sign = s.at[pos++];
    if (pos < s.n && s.at[pos] == '#') f->alternate = true, pos++;
    if (pos < s.n && s.at[pos] == '0') {
        f->zero = true, pos++;
        if (!f->align) f->align = '=', f->fill = '0';
    }
    if (!read_number(r, s, &pos, &f->width)) return false;
    if (pos < s.n && (s.at[pos] == ',' || s.at[pos] == '_'))
        f->comma = s.at[pos] == ',', f->underscore = !f->comma, pos++;
    if (pos < s.n && s.at[pos] == '.') {
        pos++;
        if (!read_number(r, s, &pos, &f->precision)) return false;
        if (f->precision < 0) return alm_chat_fail(r, ALM_MISMATCH, "Format specifier missing precision");
    }
    if (pos < s.n) f->type = s.at[pos++];
    return pos == s.n || alm_chat_fail(r, ALM_MISMATCH, "Invalid format specifier");
}

static bool formatted(alm_chat_run *r, alm_buf *b, alm_cv v, alm_str how) {
    spec f;
    if (!how.n) return alm_cv_write_str(r, b, v);
    if (!read_spec(r, how, &f)) return false;
    if (v.kind == ALM_CV_STR) {
        if (f.type && f.type != 's')
            return alm_chat_fail(r, ALM_MISMATCH, "Unknown format code '%c' for object of type 'str'", f.type);
        if (f.align == '=' && !f.zero)
            return alm_chat_fail(r, ALM_MISMATCH, "'=' alignment not allowed in string format specifier");
        if (f.align == '=') f.align = '<';
        return add_text(b, &f, alm_cv_text(v)), true;
    }
    bool for_doubles = f.type && strchr("eEfFgG%", f.type), for_ints = f.type && strchr("dxXobn", f.type);
    if (f.type == 'n') f.type = 'd';
    if (alm_cv_is_number(v) && (for_doubles || (v.kind == ALM_CV_FLOAT && !f.type)))
        return add_double(r, b, &f, alm_cv_double(v));
    if (alm_cv_is_int(v) && (for_ints || !f.type)) {
        if (f.precision >= 0)
            return alm_chat_fail(r, ALM_MISMATCH, "Precision not allowed in integer format specifier");
        return add_int(b, &f, v.as.i), true;
    }
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    return alm_chat_fail(r, ALM_MISMATCH, "unsupported format string passed to %s.__format__", alm_cv_type(v));
}

/* name, .attribute and [item] behind it. */
static bool field_value(alm_chat_run *r, alm_str name, const alm_chat_args *a, size_t *counted, alm_cv *out) {
    size_t n = 0;
    int64_t number;
    while (n < name.n && name.at[n] != '.' && name.at[n] != '[') n++;
    alm_str first = alm_str_slice(name, 0, n);
    *out = alm_cv_of(ALM_CV_MISSING);
    if (!first.n || alm_str_to_i64(first, &number)) {
        size_t i = first.n ? (size_t)number : (*counted)++;
        if (i >= a->n_pos)
            return alm_chat_fail(r, ALM_MISMATCH, "Replacement index %zu out of range for positional args tuple", i);
        *out = a->pos[i];
    }
    for (uint32_t i = 0; i < a->n_kw; i++)
        if (alm_str_eq(a->kw_name[i], first)) *out = a->kw[i];
    if (out->kind == ALM_CV_MISSING)
        return alm_chat_fail(r, ALM_MISMATCH, "the format's name '%.*s' is missing", ALM_ARG(first));
    while (n < name.n) {
        bool bracket = name.at[n] == '[';
        size_t from = ++n;
        while (n < name.n && (bracket ? name.at[n] != ']' : name.at[n] != '.' && name.at[n] != '[')) n++;
        alm_str part = alm_str_slice(name, from, n);
        if (bracket && n++ >= name.n) return alm_chat_fail(r, ALM_MISMATCH, "Missing ']' in format string");
        uint32_t method = alm_chat_find(alm_chat_methods, alm_chat_n_method, part) + 1;
        alm_cv key = bracket && alm_str_to_i64(part, &number) ? alm_cv_int(number) : alm_cv_str(part);
        if (!(bracket ? alm_chat_item(r, *out, key, out) : alm_chat_attr(r, *out, part, method, out))) return false;
    }
    return true;
}

static bool format_field(alm_chat_run *r, alm_buf *b, alm_str field, const alm_chat_args *a, size_t *counted) {
    size_t colon = 0, depth = 0;
    alm_cv v, text;
    for (; colon < field.n && (depth || field.at[colon] != ':'); colon++) {
        if (field.at[colon] == '[') depth = 1;
        if (field.at[colon] == ']') depth = 0;
    }
    alm_str name = alm_str_slice(field, 0, colon), how = alm_str_slice(field, colon + (colon < field.n), field.n);
    char convert = name.n > 1 && name.at[name.n - 2] == '!' ? name.at[name.n - 1] : '\0';
    if (convert) name.n -= 2;
    if (alm_str_find_byte(how, '{') != SIZE_MAX) return alm_chat_fail(r, ALM_UNSUPPORTED, "a format within a format");
    if (!field_value(r, name, a, counted, &v)) return false;
    if (convert) {
        alm_buf own = alm_chat_buf(r);
        bool ok = convert == 's' ? alm_cv_write_str(r, &own, v) : alm_cv_write_repr(r, &own, v);
        if (!alm_cv_buf_str(r, &own, &text) || !ok) return false;
        v = text;
    }
    return formatted(r, b, v, how);
}

bool alm_chat_str_format(alm_chat_run *r, alm_str s, const alm_chat_args *a, alm_cv *out) {
    alm_buf b = alm_chat_buf(r);
    size_t counted = 0;
    bool ok = alm_chat_spend_bytes(r, s.n);
    for (size_t pos = 0; ok && pos < s.n; pos++) {
        char c = s.at[pos];
        if (c != '{' && c != '}') {
            alm_buf_add_byte(&b, c);
        } else if (pos + 1 < s.n && s.at[pos + 1] == c) {
            alm_buf_add_byte(&b, c);
            pos++;
        } else if (c == '}') {
            ok = alm_chat_fail(r, ALM_MISMATCH, "Single '}' encountered in format string");
        } else {
            size_t end = pos + 1;
            for (int depth = 1; end < s.n; end++) {
                depth += s.at[end] == '{' ? 1 : s.at[end] == '}' ? -1 : 0;
                if (!depth) break;
            }
            if (end == s.n) ok = alm_chat_fail(r, ALM_MISMATCH, "expected '}' before end of string");
            else ok = format_field(r, &b, alm_str_slice(s, pos + 1, end), a, &counted) && alm_chat_buf_ok(r, &b);
            pos = end;
        }
    }
    return alm_cv_buf_str(r, &b, out) && ok;
}

/* ── strftime ─────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct moment {
    int64_t year;
    int month, day, hour, minute, second, weekday, yearday; /* Sunday is 0; yearday from 0 */
    int64_t ns;
} moment;

static moment moment_of(int64_t now_ns) {
    moment m;
    int64_t second = now_ns / 1000000000 - (now_ns % 1000000000 < 0), days = second / 86400 - (second % 86400 < 0);
    int64_t rest = second - days * 86400;
    m.ns = now_ns - second * 1000000000;
    alm_civil_from_days(days, &m.year, &m.month, &m.day);
    m.hour = (int)(rest / 3600), m.minute = (int)(rest / 60 % 60), m.second = (int)(rest % 60);
    m.weekday = (int)(((days + 4) % 7 + 7) % 7);
    m.yearday = (int)(days - alm_days_from_civil(m.year, 1, 1));
    return m;
}

/* ISO 8601: the week that holds the year's first Thursday is its first. */
static int iso_week(const moment *m, int64_t *year) {
    int monday_based = (m->weekday + 6) % 7;
    int64_t days = alm_days_from_civil(m->year, 1, 1) + m->yearday, thursday = days - monday_based + 3;
    int month, day;
    alm_civil_from_days(thursday, year, &month, &day);
    return (int)((thursday - alm_days_from_civil(*year, 1, 1)) / 7 + 1);
}

static void time_field(alm_buf *b, const moment *m, char c) {
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
    int hour12 = m->hour % 12 ? m->hour % 12 : 12;
    int64_t iso_year;
    int week = iso_week(m, &iso_year);
    switch (c) {
    case 'a': alm_buf_printf(b, "%.3s", days[m->weekday]); break;
    case 'A': alm_buf_add_text(b, days[m->weekday]); break;
    case 'b':
    case 'h': alm_buf_printf(b, "%.3s", months[m->month - 1]); break;
    case 'B': alm_buf_add_text(b, months[m->month - 1]); break;
    case 'C': alm_buf_printf(b, "%02d", (int)(m->year / 100)); break;
    case 'd': alm_buf_printf(b, "%02d", m->day); break;
    case 'e': alm_buf_printf(b, "%2d", m->day); break;
    case 'f': alm_buf_printf(b, "%06d", (int)(m->ns / 1000)); break;
    case 'g': alm_buf_printf(b, "%02d", (int)(iso_year % 100)); break;
    case 'G': alm_buf_printf(b, "%lld", (long long)iso_year); break;
    case 'H': alm_buf_printf(b, "%02d", m->hour); break;
    case 'I': alm_buf_printf(b, "%02d", hour12); break;
    case 'j': alm_buf_printf(b, "%03d", m->yearday + 1); break;
    case 'k': alm_buf_printf(b, "%2d", m->hour); break;
    case 'l': alm_buf_printf(b, "%2d", hour12); break;
    case 'm': alm_buf_printf(b, "%02d", m->month); break;
    case 'M': alm_buf_printf(b, "%02d", m->minute); break;
    case 'n': alm_buf_add_byte(b, '\n'); break;
    case 'p': alm_buf_add_text(b, m->hour < 12 ? "AM" : "PM"); break;
    case 'P': alm_buf_add_text(b, m->hour < 12 ? "am" : "pm"); break;
    case 'S': alm_buf_printf(b, "%02d", m->second); break;
    case 't': alm_buf_add_byte(b, '\t'); break;
    case 'u': alm_buf_printf(b, "%d", m->weekday ? m->weekday : 7); break;
    case 'U': alm_buf_printf(b, "%02d", (m->yearday + 7 - m->weekday) / 7); break;
    case 'V': alm_buf_printf(b, "%02d", week); break;
    case 'w': alm_buf_printf(b, "%d", m->weekday); break;
    case 'W': alm_buf_printf(b, "%02d", (m->yearday + 7 - (m->weekday + 6) % 7) / 7); break;
    case 'y': alm_buf_printf(b, "%02d", (int)(m->year % 100)); break;
    case 'Y': alm_buf_printf(b, "%lld", (long long)m->year); break;
    case 'z':
    case 'Z': break; /* a time without a zone has neither */
    case '%': alm_buf_add_byte(b, '%'); break;
    default: alm_buf_add_byte(b, '%'), alm_buf_add_byte(b, c); break;
    }
}

bool alm_chat_strftime(alm_chat_run *r, alm_str s, int64_t now_ns, alm_cv *out) {
    static const struct {
        char letter;
        const char *means;
    } together[] = {{'c', "%a %b %e %H:%M:%S %Y"},
                    {'D', "%m/%d/%y"},
                    {'F', "%Y-%m-%d"},
                    {'r', "%I:%M:%S %p"},
                    {'R', "%H:%M"},
                    {'T', "%H:%M:%S"},
                    {'x', "%m/%d/%y"},
                    {'X', "%H:%M:%S"}};
    alm_buf b = alm_chat_buf(r);
    const moment m = moment_of(now_ns);
    bool ok = alm_chat_spend_bytes(r, s.n * 8);
    for (size_t pos = 0; ok && pos < s.n; pos++) {
        if (s.at[pos] != '%' || pos + 1 == s.n) {
            alm_buf_add_byte(&b, s.at[pos]);
            continue;
        }
        char c = s.at[++pos];
        bool no_pad = c == '-' && pos + 1 < s.n; /* %-d: without the zero */
        if (no_pad) c = s.at[++pos];
        const char *means = NULL;
        for (size_t i = 0; i < sizeof together / sizeof *together; i++)
            if (together[i].letter == c) means = together[i].means;
        size_t from = b.n;
        if (!means) time_field(&b, &m, c);
        for (; means && *means; means++) {
            if (*means == '%') time_field(&b, &m, *++means);
            else alm_buf_add_byte(&b, *means);
        }
        while (no_pad && !b.failed && b.n > from + 1 && (b.at[from] == '0' || b.at[from] == ' ')) {
            memmove(b.at + from, b.at + from + 1, b.n - from - 1);
            b.n--;
        }
    }
    return alm_cv_buf_str(r, &b, out) && ok;
}
