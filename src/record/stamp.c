/* SPDX-License-Identifier: Apache-2.0
 *
 * stamp.c - time stamps (the forms are listed in stamp.h).
 *
 * One function tells from the first bytes (how many digits, what stands behind them, or a month's or weekday's letters)
 * which form it can be; each form is a short function that reads it or says no. There is no table of formats to try one
 * after the other, so a line without a stamp costs little more than looking at its bytes.
 *
 * Invariant: a stamp that is returned is a date that exists (month 1-12, day of that month, hour < 24, minute < 60,
 * second <= 60); years are 1900 to 2261 (what 64 bits of nanoseconds hold), an epoch lies in 2001 to 2100. */
#include "record/stamp.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

/* The text that is read: every step checks the end. */
typedef struct text {
    const char *at, *end, *from;
} text;

static bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }
static bool is_alnum(char c) { return is_digit(c) || (unsigned char)((c | 32) - 'a') < 26; }

static unsigned digits_at(const char *at, const char *end) {
    unsigned n = 0;
    while (at < end && n < 20 && is_digit(*at)) at++, n++;
    return n;
}

/* Exactly n digits (n <= 9), whatever follows. */
static bool number(text *t, unsigned n, int *out) {
    if ((size_t)(t->end - t->at) < n) return false;
    int x = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!is_digit(t->at[i])) return false;
        x = x * 10 + (t->at[i] - '0');
    }
    t->at += n;
    return *out = x, true;
}

static bool byte(text *t, char c) {
    if (t->at >= t->end || *t->at != c) return false;
    t->at++;
    return true;
}

static char peek(const text *t) { return t->at < t->end ? *t->at : 0; }

/* Three letters, "Jan" to "Dec" (or "jan", "JAN": the case of letters does not matter); 0 when it is none. */
static int month_at(const char *at, const char *end) {
    if (end - at < 3) return 0;
    unsigned key = (unsigned)(at[0] | 32) << 16 | (unsigned)(at[1] | 32) << 8 | (unsigned)(at[2] | 32);
#define KEY(a, b, c) ((unsigned)(a) << 16 | (unsigned)(b) << 8 | (unsigned)(c))
    switch (key) {
    case KEY('j', 'a', 'n'): return 1;
    case KEY('f', 'e', 'b'): return 2;
    case KEY('m', 'a', 'r'): return 3;
    case KEY('a', 'p', 'r'): return 4;
    case KEY('m', 'a', 'y'): return 5;
    case KEY('j', 'u', 'n'): return 6;
    case KEY('j', 'u', 'l'): return 7;
    case KEY('a', 'u', 'g'): return 8;
    case KEY('s', 'e', 'p'): return 9;
    case KEY('o', 'c', 't'): return 10;
    case KEY('n', 'o', 'v'): return 11;
    case KEY('d', 'e', 'c'): return 12;
    default: return 0;
    }
}

static bool weekday_at(const char *at, const char *end) {
    if (end - at < 3) return false;
    switch ((unsigned)(at[0] | 32) << 16 | (unsigned)(at[1] | 32) << 8 | (unsigned)(at[2] | 32)) {
    case KEY('m', 'o', 'n'):
    case KEY('t', 'u', 'e'):
    case KEY('w', 'e', 'd'):
    case KEY('t', 'h', 'u'):
    case KEY('f', 'r', 'i'):
    case KEY('s', 'a', 't'):
    case KEY('s', 'u', 'n'): return true;
    default: return false;
    }
}

static bool date_exists(int year, int month, int day) {
    static const unsigned char days[13] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || day > days[month]) return false;
    if (year == 0) return true; /* the 29th of February of some year */
    if (year < 1900 || year > 2261) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month != 2 || day < 29 || leap;
}

/* Digits of a fraction behind its point; at least one. */
static bool fraction(text *t, int64_t *ns) {
    unsigned n = digits_at(t->at, t->end);
    if (n == 0) return false;
    int64_t x = 0, scale = SECOND;
    for (unsigned i = 0; i < n; i++)
        if (i < 9) x = x * 10 + (t->at[i] - '0'), scale /= 10;
    t->at += n;
    return *ns += x * scale, true;
}

/* h:m[:s[.f]]; `sep` stands between. The fraction may follow a point, a comma or another `sep`. */
static bool clock_time(text *t, char sep, bool one_digit_hour, alm_stamp *s) {
    int h, m, sec = 0;
    if (!number(t, 2, &h)) {
        if (!one_digit_hour || !number(t, 1, &h)) return false;
    }
    if (h > 23 || !byte(t, sep) || !number(t, 2, &m) || m > 59) return false;
    s->ns = ((int64_t)h * 3600 + m * 60) * SECOND;
    if (peek(t) == sep) {
        text save = *t;
        t->at++;
        if (!number(t, 2, &sec) || sec > 60) {
            *t = save;
            return sep == ':' && !is_digit(peek(t));
        }
        s->ns += (int64_t)sec * SECOND;
        if (t->at + 1 < t->end && (*t->at == '.' || *t->at == ',' || *t->at == sep) && is_digit(t->at[1])) {
            t->at++;
            (void)fraction(t, &s->ns);
        }
    }
    return !is_digit(peek(t));
}

/* A zone directly behind or after one blank; its offset is taken off s->ns. Nothing there: UTC. */
static void zone(text *t, alm_stamp *s) {
    const char *at = t->at;
    if (at < t->end && *at == ' ') at++;
    size_t left = (size_t)(t->end - at);
    if (left >= 1 && (*at == 'Z' || *at == 'z') && (left == 1 || !is_alnum(at[1]))) {
        t->at = at + 1;
        return;
    }
    if (left >= 3 && (memcmp(at, "UTC", 3) == 0 || memcmp(at, "GMT", 3) == 0) && (left == 3 || !is_alnum(at[3]))) {
        t->at = at + 3;
        return;
    }
    if (left >= 3 && (*at == '+' || *at == '-') && is_digit(at[1]) && is_digit(at[2])) {
        int h = (at[1] - '0') * 10 + at[2] - '0', m = 0;
        const char *end = at + 3;
        if (left >= 5 && is_digit(at[3]) && is_digit(at[4])) m = (at[3] - '0') * 10 + at[4] - '0', end = at + 5;
        else if (left >= 6 && at[3] == ':' && is_digit(at[4]) && is_digit(at[5]))
            m = (at[4] - '0') * 10 + at[5] - '0', end = at + 6;
        /* "- 12" and "-12.5" behind a stamp are no zones; real ones reach from -12:00 to +14:00 */
        if (h > 14 || m > 59 || (end < t->end && (is_alnum(*end) || *end == '.'))) return;
        int64_t offset = ((int64_t)h * 3600 + m * 60) * SECOND;
        s->ns += *at == '-' ? offset : -offset;
        t->at = end;
    }
}

/* 2026-11-24, 2026/11/24, 2026.11.24, then a clock time */
static bool iso(text *t, alm_stamp *s) {
    s->form = ALM_STAMP_ISO;
    if (!number(t, 4, &s->year)) return false;
    char sep = peek(t);
    if (sep != '-' && sep != '/' && sep != '.') return false;
    t->at++;
    if (!number(t, 2, &s->month) || !byte(t, sep) || !number(t, 2, &s->day)) return false;
    char joint = peek(t);
    if (joint != 'T' && joint != 't' && joint != ' ' && joint != '_' && joint != '-' && joint != ':') return false;
    t->at++;
    bool points = joint == '-' && t->end - t->at > 2 && t->at[2] == '.';
    if (!clock_time(t, points ? '.' : ':', false, s)) return false;
    zone(t, s);
    return true;
}

/* 20261124T182500, 20261124-18:25:00 */
static bool iso_basic(text *t, alm_stamp *s) {
    int h, m, sec;
    s->form = ALM_STAMP_ISO;
    if (!number(t, 4, &s->year) || !number(t, 2, &s->month) || !number(t, 2, &s->day)) return false;
    char joint = peek(t);
    if (joint != 'T' && joint != '-' && joint != ' ' && joint != '_') return false;
    t->at++;
    if (t->end - t->at > 2 && t->at[2] == ':') {
        if (!clock_time(t, ':', false, s)) return false;
    } else {
        if (digits_at(t->at, t->end) != 6 || !number(t, 2, &h) || !number(t, 2, &m) || !number(t, 2, &sec))
            return false;
        if (h > 23 || m > 59 || sec > 60) return false;
        s->ns = ((int64_t)h * 3600 + m * 60 + sec) * SECOND;
        if ((peek(t) == '.' || peek(t) == ',') && t->at + 1 < t->end && is_digit(t->at[1]))
            t->at++, (void)fraction(t, &s->ns);
    }
    zone(t, s);
    return true;
}

/* 081109 203615 */
static bool compact(text *t, alm_stamp *s) {
    int h, m, sec;
    s->form = ALM_STAMP_COMPACT;
    if (!number(t, 2, &s->year) || !number(t, 2, &s->month) || !number(t, 2, &s->day) || !byte(t, ' ')) return false;
    if (digits_at(t->at, t->end) != 6 || !number(t, 2, &h) || !number(t, 2, &m) || !number(t, 2, &sec)) return false;
    if (h > 23 || m > 59 || sec > 60) return false;
    s->year += s->year < 70 ? 2000 : 1900;
    s->ns = ((int64_t)h * 3600 + m * 60 + sec) * SECOND;
    return true;
}

static bool epoch(text *t, alm_stamp *s, unsigned n) {
    int64_t x = 0, unit = n == 10 ? SECOND : n == 13 ? SECOND / 1000 : n == 16 ? 1000 : 1;
    s->form = ALM_STAMP_EPOCH;
    for (unsigned i = 0; i < n; i++) {
        if (x > (INT64_MAX - 9) / 10) return false;
        x = x * 10 + (t->at[i] - '0');
    }
    t->at += n;
    int64_t seconds = n == 10 ? x : x / (SECOND / unit);
    if (seconds < 1000000000 || seconds > 4102444800) return false;
    s->ns = x * unit;
    if (n == 10 && peek(t) == '.' && t->at + 1 < t->end && is_digit(t->at[1])) t->at++, (void)fraction(t, &s->ns);
    return t->at >= t->end || !is_alnum(*t->at);
}

/* 24/Nov/2026:18:25:00 +0100 · 24-Nov-2026 18:25:00 · 24 Nov 2026 18:25:00 */
static bool day_month_name(text *t, alm_stamp *s, unsigned n_digits) {
    if (!number(t, n_digits, &s->day)) return false;
    char sep = peek(t);
    t->at++;
    if (!(s->month = month_at(t->at, t->end))) return false;
    t->at += 3;
    if (!byte(t, sep) || !number(t, 4, &s->year)) return false;
    s->form = sep == '/' ? ALM_STAMP_CLF : ALM_STAMP_RFC2822;
    if (!byte(t, ':') && !byte(t, ' ')) return false;
    if (!clock_time(t, ':', false, s)) return false;
    zone(t, s);
    return true;
}

/* 24.11.2026 18:25:00 · 24.11.2026, 18:25 · 11.24 18:25:00 (month first) */
static bool dotted(text *t, alm_stamp *s) {
    int a, b;
    if (!number(t, 2, &a) || !byte(t, '.') || !number(t, 2, &b)) return false;
    if (peek(t) == '.') {
        t->at++;
        s->form = ALM_STAMP_GERMAN;
        s->day = a, s->month = b;
        if (!number(t, 4, &s->year)) return false;
        (void)byte(t, ',');
        if (!byte(t, ' ')) return false;
        if (!clock_time(t, ':', false, s)) return false;
        zone(t, s);
        return true;
    }
    s->form = ALM_STAMP_MONTHDAY;
    s->month = a, s->day = b;
    return byte(t, ' ') && digits_at(t->at, t->end) == 2 && clock_time(t, ':', false, s);
}

/* 11-24 18:25:00.123 */
static bool month_day(text *t, alm_stamp *s) {
    s->form = ALM_STAMP_MONTHDAY;
    return number(t, 2, &s->month) && byte(t, '-') && number(t, 2, &s->day) && byte(t, ' ') &&
           clock_time(t, ':', false, s);
}

/* W1124 18:25:00.123456 */
static bool level_month_day(text *t, alm_stamp *s) {
    s->form = ALM_STAMP_MONTHDAY;
    t->at++;
    return number(t, 2, &s->month) && number(t, 2, &s->day) && byte(t, ' ') && clock_time(t, ':', false, s);
}

/* 26/11/24 18:25:00 · 11/24/2026 18:25:00 · 11/24/2026, 6:25:00 PM */
static bool slashed(text *t, alm_stamp *s, unsigned n_digits) {
    int a, b;
    s->form = ALM_STAMP_SLASH;
    if (!number(t, n_digits, &a) || !byte(t, '/')) return false;
    unsigned n = digits_at(t->at, t->end);
    if (n < 1 || n > 2 || !number(t, n, &b) || !byte(t, '/')) return false;
    n = digits_at(t->at, t->end);
    if (n == 4) {
        if (!number(t, 4, &s->year)) return false;
        s->month = a, s->day = b;
        if (a > 12) s->month = b, s->day = a;
    } else {
        if (n != 2 || n_digits != 2 || !number(t, 2, &s->day)) return false;
        s->year = a + (a < 70 ? 2000 : 1900), s->month = b;
    }
    (void)byte(t, ',');
    if (!byte(t, ' ')) return false;
    if (!clock_time(t, ':', true, s)) return false;
    if (t->end - t->at >= 3 && t->at[0] == ' ' && (t->at[1] == 'A' || t->at[1] == 'P') && t->at[2] == 'M') {
        int64_t hour = s->ns / (3600 * SECOND);
        if (t->at[1] == 'P' && hour < 12) s->ns += 12 * 3600 * SECOND;
        if (t->at[1] == 'A' && hour == 12) s->ns -= 12 * 3600 * SECOND;
        t->at += 3;
    } else zone(t, s);
    return true;
}

/* Behind "Nov 24": a clock time (bsd), a year and a clock time (bsd), a clock time and a year (ctime). */
static bool month_first(text *t, alm_stamp *s, int month) {
    s->form = ALM_STAMP_BSD;
    s->month = month;
    t->at += 3;
    if (!byte(t, ' ')) return false;
    (void)byte(t, ' '); /* a day of one digit is padded by a blank */
    unsigned n = digits_at(t->at, t->end);
    if (n < 1 || n > 2 || !number(t, n, &s->day)) return false;
    (void)byte(t, ',');
    if (!byte(t, ' ')) return false;
    if (digits_at(t->at, t->end) == 4) {
        if (!number(t, 4, &s->year)) return false;
        (void)byte(t, ',');
        if (!byte(t, ' ')) return false;
    }
    if (!clock_time(t, ':', true, s)) return false;
    if (s->year) {
        zone(t, s);
        return true;
    }
    /* a year behind the time, perhaps with the letters of a zone in between; a number there that is no year (a process) stays */
    text save = *t;
    if (byte(t, ' ')) {
        const char *word = t->at;
        while (t->at < t->end && (unsigned char)(*t->at - 'A') < 26) t->at++;
        bool letters = t->at - word >= 2 && t->at - word <= 5;
        if (letters && !byte(t, ' ')) letters = false;
        if ((t->at == word || letters) && digits_at(t->at, t->end) == 4) {
            int year = 0;
            (void)number(t, 4, &year);
            if (year >= 1970 && year <= 2261 && !is_alnum(peek(t)) && peek(t) != '.' && peek(t) != ':' &&
                peek(t) != '-') {
                s->year = year;
                s->form = ALM_STAMP_CTIME;
                return true;
            }
        }
    }
    *t = save;
    return true;
}

static bool weekday_first(text *t, alm_stamp *s) {
    t->at += 3;
    bool comma = byte(t, ',');
    if (!byte(t, ' ')) return false;
    unsigned n = digits_at(t->at, t->end);
    if (n == 1 || n == 2) {
        if (t->end - t->at <= (ptrdiff_t)n || (t->at[n] != ' ' && t->at[n] != '-')) return false;
        return day_month_name(t, s, n);
    }
    int month = comma ? 0 : month_at(t->at, t->end);
    return month && month_first(t, s, month);
}

/* Nothing but punctuation and blanks stands in front: the first word of the line. */
static bool first_word(const text *t) {
    for (const char *p = t->from; p < t->at; p++)
        if (is_alnum(*p) || (unsigned char)*p >= 0x80) return false;
    return true;
}

static bool behind_audit(const text *t) { return t->at - t->from >= 6 && memcmp(t->at - 6, "audit(", 6) == 0; }

static bool read_form(text *t, alm_stamp *s, bool whole) {
    char c = *t->at;
    if (is_digit(c)) {
        unsigned n = digits_at(t->at, t->end);
        char behind = t->at + n < t->end ? t->at[n] : 0;
        switch (n) {
        case 1:
        case 2:
            if (behind == '/' && t->at + n + 1 < t->end)
                return is_digit(t->at[n + 1]) ? slashed(t, s, n) : n == 2 && day_month_name(t, s, n);
            if (behind == ' ') return day_month_name(t, s, n);
            if (n == 1) return false;
            if (behind == '-')
                return t->at + 3 < t->end && is_digit(t->at[3]) ? month_day(t, s) : day_month_name(t, s, n);
            return behind == '.' && dotted(t, s);
        case 4: return (behind == '-' || behind == '/' || behind == '.') && iso(t, s);
        case 6: return behind == ' ' && (whole || first_word(t)) && compact(t, s);
        case 8: return iso_basic(t, s);
        case 10:
        case 13:
        case 16:
        case 19: return (whole || first_word(t) || behind_audit(t)) && epoch(t, s, n);
        default: return false;
        }
    }
    int month = month_at(t->at, t->end);
    if (month) return month_first(t, s, month);
    if (weekday_at(t->at, t->end)) return weekday_first(t, s);
    if ((c == 'I' || c == 'W' || c == 'E' || c == 'F' || c == 'D') && t->at == t->from &&
        digits_at(t->at + 1, t->end) == 4)
        return level_month_day(t, s);
    return false;
}

static bool parse(alm_stamp *out, alm_str s, size_t at, bool whole) {
    text t = {s.at + at, s.at + s.n, s.at};
    alm_stamp found = {0};
    if (t.at >= t.end || !read_form(&t, &found, whole)) return false;
    if (found.form != ALM_STAMP_EPOCH && !date_exists(found.year, found.month, found.day)) return false;
    found.at = (uint32_t)at;
    found.n = (uint32_t)((size_t)(t.at - s.at) - at);
    return *out = found, true;
}

bool alm_stamp_parse(alm_stamp *out, alm_str s, size_t at) { return parse(out, s, at, false); }

/* A stamp begins where a word begins: what stands in front is no letter, digit, or one of . - / _ + (part of a longer word). */
static bool may_begin(const char *s, size_t i) {
    if (i == 0) return true;
    char before = s[i - 1];
    return !is_alnum(before) && before != '.' && before != '-' && before != '/' && before != '_' && before != '+' &&
           (unsigned char)before < 0x80;
}

/* Digits, and the letters that begin months and weekdays or stand for a level. */
static bool is_start(char c) {
    static const bool starts[256] = {
        ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
        ['8'] = 1, ['9'] = 1, ['J'] = 1, ['F'] = 1, ['M'] = 1, ['A'] = 1, ['S'] = 1, ['O'] = 1,
        ['N'] = 1, ['D'] = 1, ['T'] = 1, ['W'] = 1, ['I'] = 1, ['E'] = 1};
    return starts[(unsigned char)c];
}

/* At most one word, of letters and the like, stands in front: a label that some writers put before an epoch. */
static bool second_word(alm_str s, size_t at) {
    size_t blanks = 0;
    for (size_t i = 0; i < at; i++) {
        if (is_digit(s.at[i])) return false;
        if (s.at[i] == ' ' || s.at[i] == '\t') blanks++;
    }
    return blanks == 1;
}

/* As parse; but where the record before had an epoch, a label may stand in front of this one's: a ten-digit number there is
 * no surprise. */
static bool parse_next(const alm_stamp_reader *r, alm_stamp *out, alm_str s, size_t at) {
    return parse(out, s, at,
                 r->form == ALM_STAMP_EPOCH && at < 40 && is_digit(s.at[at]) &&
                     digits_at(s.at + at, s.at + s.n) >= 10 && second_word(s, at));
}

/* Two digits with a colon between them, in the first n bytes: without, only forms that are all digits (epoch, compact, basic)
 * or have points can be there, and no word needs a look. */
static bool has_clock(alm_str s, size_t n) {
    const char *at = s.at, *end = s.at + (n < s.n ? n : s.n);
    while (at < end && (at = memchr(at, ':', (size_t)(end - at))) != NULL) {
        if (at > s.at && at + 1 < end && is_digit(at[-1]) && is_digit(at[1])) return true;
        at++;
    }
    return false;
}

/* The first digit in s[i, n), or n: eight bytes at a time, since most of a line without a clock is none. */
static size_t next_digit(const char *s, size_t i, size_t n) {
    for (; i + 8 <= n; i += 8) {
        const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
        uint64_t x;
        memcpy(&x, s + i, 8);
        x ^= UINT64_C(0x3030303030303030); /* digits are 0 to 9 now: with 0x76 added they stay below 0x80 */
        if (~(((x & low) + UINT64_C(0x7676767676767676)) | x) & ~low) break;
    }
    while (i < n && !is_digit(s[i])) i++;
    return i;
}

bool alm_stamp_search(alm_stamp_reader *r, alm_stamp *out, alm_str s, size_t limit) {
    size_t n = s.n < limit ? s.n : limit;
    if (r->guess < n && is_start(s.at[r->guess]) && may_begin(s.at, r->guess) && parse_next(r, out, s, r->guess)) {
        r->form = out->form;
        r->n_miss = 0;
        return true;
    }
    /* Where stamps are rare, most lines would be searched for nothing: look at the first words only. The rule depends on the
     * lines alone, so a run is the same every time. */
    if (r->n_miss >= 64 && n > 40) n = 40;
    bool clock = has_clock(s, n + 32);
    for (size_t i = 0; i < n; i++) {
        if (!clock) {
            i = next_digit(s.at, i, n);
            if (i == n) break;
        } else if (!is_start(s.at[i])) continue;
        if (!may_begin(s.at, i)) continue;
        if (parse_next(r, out, s, i)) {
            r->form = out->form;
            r->guess = (uint32_t)i;
            r->n_miss = 0;
            return true;
        }
    }
    if (r->n_miss < UINT32_MAX) r->n_miss++;
    return false;
}

bool alm_stamp_value(alm_stamp *out, alm_str value) {
    alm_str v = alm_str_trim(value);
    return v.n > 0 && v.n <= 64 && parse(out, v, 0, true) && out->n == v.n;
}

static int64_t days_of(alm_stamp_reader *r, int year, int month, int day) {
    if (r->year != year || r->month != month || r->day != day) {
        r->days = alm_days_from_civil(year, month, day);
        r->year = year, r->month = month, r->day = day;
    }
    return r->days;
}

static uint64_t distance(int64_t a, int64_t b) { return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a; }

/* The year that fits best: with a record before it the closest time to that one, so December passes into January of the
 * next year and a late line stays in the old one; without, the last year in which it does not lie in the future. */
static int year_for(alm_stamp_reader *r, const alm_stamp *s) {
    int64_t anchor = r->has_last ? r->last_ns : r->now_ns, year;
    int month, day, best = 0;
    uint64_t least = UINT64_MAX;
    int64_t whole_days = anchor >= 0 ? anchor / DAY : -((-anchor + DAY - 1) / DAY);
    alm_civil_from_days(whole_days, &year, &month, &day);
    for (int k = -8; k <= 8; k++) { /* eight: 1900 was no leap year, so a 29th of February can be eight years away */
        int y = (int)year + k;
        if (y < 1970 || y > 2200 || !date_exists(y, s->month, s->day)) continue;
        int64_t ns = alm_days_from_civil(y, s->month, s->day) * DAY + s->ns;
        if (!r->has_last && ns > anchor + DAY) continue;
        uint64_t d = distance(ns, anchor);
        if (d < least) least = d, best = y;
    }
    return best;
}

bool alm_stamp_resolve(alm_stamp_reader *r, const alm_stamp *s, int64_t *out_ns) {
    int64_t ns;
    if (s->form == ALM_STAMP_EPOCH) ns = s->ns;
    else {
        int year = s->year;
        if (year == 0) {
            /* most stamps are of the same day as the one before */
            if (r->has_last && r->month == s->month && r->day == s->day &&
                distance(r->days * DAY, r->last_ns) < 32 * (uint64_t)DAY)
                year = r->year;
            else year = year_for(r, s);
            if (year == 0) return false;
        }
        if (__builtin_mul_overflow(days_of(r, year, s->month, s->day), DAY, &ns) ||
            __builtin_add_overflow(ns, s->ns, &ns))
            return false;
    }
    if (ns == ALM_NO_TIME) return false;
    r->last_ns = ns;
    r->has_last = true;
    return *out_ns = ns, true;
}
