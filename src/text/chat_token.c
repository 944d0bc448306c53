/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_token.c - the source of a chat template in tokens.
 *
 *     text {{ expression }} text {% tag %} text {# comment #} text {% raw %} text {% endraw %}
 *
 * Outside the braces everything is text. Which blanks of the text belong to a tag:
 *   - a `-` inside the braces takes all blanks on that side, a `+` keeps them;
 *   - else the line end behind `%}` and `#}` goes (trim_blocks), and so do blanks between a line's begin and `{%` or `{#`
 *     (lstrip_blocks). `{{` and `}}` take nothing.
 * A line end is LF, CR LF or CR, always given as LF; one at the end of the source is cut off. */
#include "base/alloc.h"
#include "text/chat_inner.h"

#include <math.h>

static bool fail(alm_chat_lexer *l, uint32_t line, alm_status st, const char *what) {
    if (l->st == ALM_OK) l->st = alm_fail(l->err, st, "line %u: %s", line, what);
    return false;
}

static bool no_memory(alm_chat_lexer *l) {
    if (l->st == ALM_OK) l->st = alm_fail_memory(l->err);
    return false;
}

bool alm_chat_lexer_start(alm_chat_lexer *l, alm_arena *arena, alm_str source, alm_error *err) {
    *l = (alm_chat_lexer){.arena = arena, .line = 1, .at_line_start = true, .err = err};
    if (source.n > ALM_CHAT_MAX_SOURCE) {
        l->st = alm_fail(err, ALM_LIMIT, "the template has %zu bytes, more than %d", source.n, ALM_CHAT_MAX_SOURCE);
        return false;
    }
    if (!alm_utf8_valid(source)) {
        l->st = alm_fail(err, ALM_MALFORMED, "the template is no UTF-8: byte %zu", alm_utf8_valid_prefix(source));
        return false;
    }
    char *at = alm_arena_alloc(arena, source.n + 1, 1);
    if (!at) return no_memory(l);
    size_t n = 0;
    for (size_t i = 0; i < source.n; i++) {
        at[n++] = source.at[i] == '\r' ? '\n' : source.at[i];
        if (source.at[i] == '\r' && i + 1 < source.n && source.at[i + 1] == '\n') i++;
    }
    if (n && at[n - 1] == '\n') n--;
    l->source = alm_str_make(at, n);
    return true;
}

/* ── blanks and marks ─────────────────────────────────────────────────────────────────────────────────────────── */

static size_t skip_blanks(alm_str s, size_t pos) {
    while (pos < s.n) {
        size_t next = pos;
        uint32_t c;
        if (!alm_utf8_next(s, &next, &c) || !(alm_letter_class(c) & ALM_LETTER_SPACE)) break;
        pos = next;
    }
    return pos;
}

static bool at(alm_str s, size_t pos, const char *what) {
    size_t n = strlen(what);
    return pos <= s.n && s.n - pos >= n && memcmp(s.at + pos, what, n) == 0;
}

static void move_to(alm_chat_lexer *l, size_t pos) {
    for (; l->pos < pos; l->pos++) l->line += l->source.at[l->pos] == '\n';
}

/* Behind the end mark "%}" or "#}" at pos, which may have its sign; SIZE_MAX when there is none. */
static size_t behind_end(alm_str s, size_t pos, const char *mark, bool trim) {
    if (at(s, pos, "-") && at(s, pos + 1, mark)) return skip_blanks(s, pos + 3);
    if (trim && at(s, pos, "+") && at(s, pos + 1, mark)) return pos + 3;
    if (!at(s, pos, mark)) return SIZE_MAX;
    return pos + 2 + (trim && at(s, pos + 2, "\n"));
}

/* What is left of the text before a tag that opens with `sign`. */
static alm_str cut_text(const alm_chat_lexer *l, alm_str text, char sign, bool is_output) {
    if (sign == '-') return alm_chat_strip(text, NULL, false, true);
    if (sign == '+' || is_output) return text;
    size_t line = text.n;
    while (line && text.at[line - 1] != '\n') line--;
    if ((line || l->at_line_start) && skip_blanks(text, line) == text.n) text.n = line;
    return text;
}

/* ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t find_open(alm_str s, size_t pos) {
    for (; pos + 1 < s.n; pos++) {
        const char *brace = memchr(s.at + pos, '{', s.n - 1 - pos);
        if (!brace) break;
        pos = (size_t)(brace - s.at);
        if (strchr("{%#", s.at[pos + 1])) return pos;
    }
    return s.n;
}

static char sign_at(alm_str s, size_t pos) { return at(s, pos, "-") || at(s, pos, "+") ? s.at[pos] : '\0'; }

/* Behind a "{% raw %}" at pos, or SIZE_MAX. */
static size_t behind_raw(alm_str s, size_t pos) {
    pos += 2;
    if (sign_at(s, pos)) pos++;
    pos = skip_blanks(s, pos);
    if (!at(s, pos, "raw")) return SIZE_MAX;
    return behind_end(s, skip_blanks(s, pos + 3), "%}", false);
}

static bool text_token(alm_ct *out, uint32_t line, alm_str text) {
    *out = (alm_ct){.kind = ALM_CT_TEXT, .line = line, .text = text};
    return true;
}

/* From behind "{% raw %}" to behind its "{% endraw %}"; *text is what stands between. */
static bool raw_text(alm_chat_lexer *l, alm_str *text) {
    uint32_t line = l->line;
    for (size_t p = l->pos; p < l->source.n; p++) {
        if (!at(l->source, p, "{%")) continue;
        char sign = sign_at(l->source, p + 2);
        size_t word = skip_blanks(l->source, p + 2 + (sign != '\0'));
        if (!at(l->source, word, "endraw")) continue;
        size_t end = behind_end(l->source, skip_blanks(l->source, word + 6), "%}", true);
        if (end == SIZE_MAX) continue;
        *text = cut_text(l, alm_str_slice(l->source, l->pos, p), sign, false);
        move_to(l, end);
        l->at_line_start = end && l->source.at[end - 1] == '\n';
        return true;
    }
    return fail(l, line, ALM_MALFORMED, "{% raw %} has no {% endraw %}");
}

static bool skip_comment(alm_chat_lexer *l) {
    uint32_t line = l->line;
    size_t p = l->pos + 2 + (sign_at(l->source, l->pos + 2) != '\0');
    for (; p < l->source.n; p++) {
        size_t end = behind_end(l->source, p, "#}", true);
        if (end == SIZE_MAX) continue;
        move_to(l, end);
        l->at_line_start = l->source.at[end - 1] == '\n';
        return true;
    }
    return fail(l, line, ALM_MALFORMED, "a comment {# has no end #}");
}

/* The next text, or the tag that opens; sets *again after what gives no token. */
static bool lex_text(alm_chat_lexer *l, alm_ct *out, bool *again) {
    size_t open = find_open(l->source, l->pos);
    uint32_t line = l->line;
    if (!l->pending) {
        alm_str text = alm_str_slice(l->source, l->pos, open);
        if (open < l->source.n) text = cut_text(l, text, sign_at(l->source, open + 2), l->source.at[open + 1] == '{');
        move_to(l, open);
        l->at_line_start = false;
        l->pending = true;
        if (text.n) return text_token(out, line, text);
    }
    l->pending = false;
    if (open == l->source.n) {
        *out = (alm_ct){.kind = ALM_CT_END, .line = l->line};
        return true;
    }
    size_t raw = l->source.at[open + 1] == '%' ? behind_raw(l->source, open) : SIZE_MAX;
    if (raw != SIZE_MAX) {
        alm_str text;
        move_to(l, raw);
        l->at_line_start = l->source.at[raw - 1] == '\n';
        line = l->line;
        if (!raw_text(l, &text)) return false;
        *again = text.n == 0;
        return text_token(out, line, text);
    }
    if (l->source.at[open + 1] == '#') {
        *again = true;
        return skip_comment(l);
    }
    bool is_output = l->source.at[open + 1] == '{';
    l->state = is_output ? ALM_LEX_OUT : ALM_LEX_TAG;
    l->n_bracket = 0;
    *out = (alm_ct){.kind = is_output ? ALM_CT_OUT_BEGIN : ALM_CT_TAG_BEGIN, .line = l->line};
    move_to(l, open + 2 + (sign_at(l->source, open + 2) != '\0'));
    return true;
}

/* ── inside the braces ────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static int hex_of(char c) {
    if (is_digit(c)) return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of a base with single `_` between them; behind the last. */
static size_t digits(alm_str s, size_t pos, int base) {
    size_t end = pos;
    for (size_t p = pos; p < s.n; p++) {
        if (s.at[p] == '_' && p > pos && s.at[p - 1] != '_') continue;
        int d = hex_of(s.at[p]);
        if (d < 0 || d >= base) break;
        end = p + 1;
    }
    return end;
}

static bool number_text(alm_chat_lexer *l, size_t from, size_t to, alm_str *out) {
    char *copy = alm_arena_alloc(l->arena, to - from + 1, 1);
    if (!copy) return no_memory(l);
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        if (l->source.at[i] != '_') copy[n++] = l->source.at[i];
    *out = alm_str_make(copy, n);
    return true;
}

static bool based_number(alm_chat_lexer *l, alm_ct *out, int base) {
    size_t from = l->pos + 2 + at(l->source, l->pos + 2, "_"), to = digits(l->source, from, base);
    uint64_t x = 0;
    for (size_t i = from; i < to; i++) {
        if (l->source.at[i] == '_') continue;
        if (x > (uint64_t)INT64_MAX / (unsigned)base)
            return fail(l, l->line, ALM_LIMIT, "an integer has more than 64 bits");
        x = x * (unsigned)base + (unsigned)hex_of(l->source.at[i]);
    }
    if (x > INT64_MAX) return fail(l, l->line, ALM_LIMIT, "an integer has more than 64 bits");
    *out = (alm_ct){.kind = ALM_CT_INT, .line = l->line, .value = alm_cv_int((int64_t)x)};
    move_to(l, to);
    return true;
}

static bool lex_number(alm_chat_lexer *l, alm_ct *out) {
    alm_str s = l->source;
    char prefix = at(s, l->pos, "0") && l->pos + 2 < s.n ? (char)(s.at[l->pos + 1] | 32) : '\0';
    const int base = prefix == 'b' ? 2 : prefix == 'o' ? 8 : prefix == 'x' ? 16 : 0;
    if (base) {
        size_t from = l->pos + 2 + at(s, l->pos + 2, "_");
        if (digits(s, from, base) > from) return based_number(l, out, base);
    }
    size_t to = digits(s, l->pos, 10);
    bool is_float = false, behind_dot = l->pos && s.at[l->pos - 1] == '.';
    /* `a.0.1` are two subscripts: behind a dot no fraction begins. */
    if (!behind_dot && at(s, to, ".") && digits(s, to + 1, 10) > to + 1) {
        to = digits(s, to + 1, 10);
        is_float = true;
    }
    if (!behind_dot && (at(s, to, "e") || at(s, to, "E"))) {
        size_t from = to + 1 + (sign_at(s, to + 1) != '\0');
        if (digits(s, from, 10) > from) {
            to = digits(s, from, 10);
            is_float = true;
        }
    }
    /* A number that begins with 0 and goes on is 0 and then the rest, which no rule of the parser takes. */
    if (!is_float && s.at[l->pos] == '0')
        for (to = l->pos + 1; to < s.n && (s.at[to] == '0' || (s.at[to] == '_' && at(s, to + 1, "0"))); to++) {}
    *out = (alm_ct){.kind = is_float ? ALM_CT_FLOAT : ALM_CT_INT, .line = l->line};
    if (!number_text(l, l->pos, to, &out->text)) return false;
    double x = 0.0;
    int64_t i = 0;
    /* With an exponent the double may be too large; Python then has inf. */
    if (is_float) out->value = alm_cv_float(alm_str_to_f64(out->text, &x) ? x : (double)INFINITY);
    else if (alm_str_to_i64(out->text, &i)) out->value = alm_cv_int(i);
    else return fail(l, l->line, ALM_LIMIT, "an integer has more than 64 bits");
    move_to(l, to);
    return true;
}

/* The value of n hexadecimal digits at *p, or UINT32_MAX. */
static uint32_t hex_digits(alm_str s, size_t *p, size_t n) {
    uint32_t x = 0;
    for (size_t i = 0; i < n; i++) {
        int d = *p + i < s.n ? hex_of(s.at[*p + i]) : -1;
        if (d < 0) return UINT32_MAX;
        x = x << 4 | (uint32_t)d;
    }
    *p += n;
    return x;
}

/* One escape behind the backslash at s[*p - 1], as Python's string literals have it; false when it is cut or no character. */
static bool unescape(alm_str s, size_t *p, char *to, size_t *n) {
    static const char from[] = "abfnrtv\\'\"", into[] = "\a\b\f\n\r\t\v\\'\"";
    char c = s.at[(*p)++];
    const char *simple = c ? strchr(from, c) : NULL;
    uint32_t x = UINT32_MAX;
    if (c == '\n') return true;
    if (simple) {
        to[(*n)++] = into[simple - from];
        return true;
    }
    if (c == 'x' || c == 'u' || c == 'U') x = hex_digits(s, p, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    else if (c >= '0' && c <= '7') {
        x = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && *p < s.n && s.at[*p] >= '0' && s.at[*p] <= '7'; i++)
            x = x << 3 | (uint32_t)(s.at[(*p)++] - '0');
    } else if (c != 'N') {
        to[(*n)++] = '\\';
        to[(*n)++] = c;
        return true;
    }
    if (x > 0x10FFFF || (x >= 0xD800 && x < 0xE000)) return false;
    *n += alm_utf8_put(to + *n, x);
    return true;
}

static bool lex_string(alm_chat_lexer *l, alm_ct *out) {
    char quote = l->source.at[l->pos];
    size_t end = l->pos + 1;
    while (end < l->source.n && l->source.at[end] != quote) end += l->source.at[end] == '\\' ? 2 : 1;
    if (end >= l->source.n) return fail(l, l->line, ALM_MALFORMED, "a string in quotes has no end");
    alm_str s = alm_str_slice(l->source, l->pos + 1, end);
    char *to = alm_arena_alloc(l->arena, s.n + 8, 1); /* no escape gets longer, and room for one character */
    if (!to) return no_memory(l);
    size_t n = 0;
    for (size_t p = 0; p < s.n;) {
        if (s.at[p] != '\\') to[n++] = s.at[p++];
        else if (p++, !unescape(s, &p, to, &n))
            return fail(l, l->line, ALM_MALFORMED, "a string has an escape that is none");
    }
    *out = (alm_ct){.kind = ALM_CT_STRING, .line = l->line, .text = alm_str_make(to, n)};
    move_to(l, end + 1);
    return true;
}

static size_t name_end(alm_str s, size_t pos, bool *is_name) {
    const size_t from = pos;
    *is_name = true;
    while (pos < s.n) {
        size_t next = pos;
        uint32_t c;
        if (!alm_utf8_next(s, &next, &c)) break;
        unsigned class = alm_letter_class(c);
        if (c != '_' && !(class & (ALM_LETTER_ALPHA | ALM_LETTER_NUMERIC))) break;
        if (pos == from && c != '_' && !(class & ALM_LETTER_ALPHA)) *is_name = false;
        pos = next;
    }
    return pos;
}

static const struct {
    char text[4];
    alm_chat_op op;
} ops[] = {
    {"//", ALM_OP_FLOORDIV}, {"**", ALM_OP_POW},   {"==", ALM_OP_EQ},      {"!=", ALM_OP_NE},      {">=", ALM_OP_GE},
    {"<=", ALM_OP_LE},       {"+", ALM_OP_ADD},    {"-", ALM_OP_SUB},      {"/", ALM_OP_DIV},      {"*", ALM_OP_MUL},
    {"%", ALM_OP_MOD},       {"~", ALM_OP_TILDE},  {"[", ALM_OP_LBRACKET}, {"]", ALM_OP_RBRACKET}, {"(", ALM_OP_LPAREN},
    {")", ALM_OP_RPAREN},    {"{", ALM_OP_LBRACE}, {"}", ALM_OP_RBRACE},   {">", ALM_OP_GT},       {"<", ALM_OP_LT},
    {"=", ALM_OP_ASSIGN},    {".", ALM_OP_DOT},    {":", ALM_OP_COLON},    {"|", ALM_OP_PIPE},     {",", ALM_OP_COMMA},
    {";", ALM_OP_SEMICOLON},
};

static bool balance(alm_chat_lexer *l, char c) {
    static const char open[] = "([{", close[] = ")]}";
    const char *o = strchr(open, c), *k = strchr(close, c);
    if (o) {
        if (l->n_bracket == sizeof l->bracket) return fail(l, l->line, ALM_LIMIT, "brackets are nested too deep");
        l->bracket[l->n_bracket++] = close[o - open];
    }
    if (k && (!l->n_bracket || l->bracket[--l->n_bracket] != c))
        return fail(l, l->line, ALM_MALFORMED, "a bracket is closed that was not opened");
    return true;
}

static bool lex_op(alm_chat_lexer *l, alm_ct *out) {
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (!at(l->source, l->pos, ops[i].text)) continue;
        *out = (alm_ct){.kind = ALM_CT_OP,
                        .op = (uint8_t)ops[i].op,
                        .line = l->line,
                        .text = alm_str_slice(l->source, l->pos, l->pos + strlen(ops[i].text))};
        if (!ops[i].text[1] && !balance(l, ops[i].text[0])) return false;
        move_to(l, l->pos + strlen(ops[i].text));
        return true;
    }
    return fail(l, l->line, ALM_MALFORMED, "a character that has no meaning here");
}

static bool lex_inside(alm_chat_lexer *l, alm_ct *out) {
    bool is_output = l->state == ALM_LEX_OUT, is_name;
    for (;;) {
        if (!l->n_bracket) {
            size_t end = behind_end(l->source, l->pos, is_output ? "}}" : "%}", !is_output);
            if (end != SIZE_MAX) {
                *out = (alm_ct){.kind = is_output ? ALM_CT_OUT_END : ALM_CT_TAG_END, .line = l->line};
                move_to(l, end);
                l->at_line_start = l->source.at[end - 1] == '\n';
                l->state = ALM_LEX_TEXT;
                return true;
            }
        }
        size_t next = skip_blanks(l->source, l->pos);
        if (next == l->pos) break;
        move_to(l, next);
    }
    if (l->pos == l->source.n) {
        *out = (alm_ct){.kind = ALM_CT_END, .line = l->line};
        return true;
    }
    char c = l->source.at[l->pos];
    if (is_digit(c)) return lex_number(l, out);
    if (c == '"' || c == '\'') return lex_string(l, out);
    size_t end = name_end(l->source, l->pos, &is_name);
    if (end == l->pos) return lex_op(l, out);
    if (!is_name) return fail(l, l->line, ALM_MALFORMED, "a name cannot begin so");
    *out = (alm_ct){.kind = ALM_CT_NAME, .line = l->line, .text = alm_str_slice(l->source, l->pos, end)};
    move_to(l, end);
    return true;
}

bool alm_chat_lex(alm_chat_lexer *l, alm_ct *out) {
    if (l->st != ALM_OK) return false;
    if (l->state != ALM_LEX_TEXT) return lex_inside(l, out);
    for (bool again = true; again;) {
        again = false;
        if (!lex_text(l, out, &again)) return false;
    }
    return true;
}
