/* SPDX-License-Identifier: Apache-2.0
 *
 * log_form.c - how values are written: addresses, times, dates, identifiers. Each function looks at s[a, e) and says yes or
 * no (or how long); none knows what stands around it. The rules are those of the notations, not of any program's log. */
#include "detect/log_lexer.h"

size_t alm_form_digits(const char *s, size_t a, size_t e) {
    size_t i = a;
    while (i < e && digit(s[i])) i++;
    return i - a;
}

/* Length of a dotted quad at a, or 0. */
size_t alm_form_quad(const char *s, size_t a, size_t e) {
    size_t i = a;
    for (int part = 0; part < 4; part++) {
        size_t k = alm_form_digits(s, i, e);
        if (k < 1 || k > 3) return 0;
        i += k;
        if (part < 3) {
            if (i >= e || s[i] != '.') return 0;
            i++;
        }
    }
    if (i < e && (cls(s[i]) & (LET | DIG | UND))) return 0;
    if (i + 1 < e && (s[i] == '.' || s[i] == '-') && (cls(s[i + 1]) & (LET | DIG))) return 0;
    return i - a;
}

bool alm_form_uuid(const char *s, size_t a, size_t e) {
    if (e - a != 36) return false;
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[a + i] != '-') return false;
        } else if (!hexdigit(s[a + i])) return false;
    return true;
}

/* hh:mm, hh:mm:ss, with fraction or zone behind; or a date: 2026-03-14, 2026/03/14, 2026.03.14, 14/03/2026, 14.03.2026. */
bool alm_form_time(const char *s, size_t a, size_t e) {
    size_t k = alm_form_digits(s, a, e), n = e - a;
    const char *t = s + a;
    if ((k == 1 || k == 2) && n >= k + 3 && t[k] == ':' && digit(t[k + 1]) && digit(t[k + 2])) {
        if (n == k + 3) return true;
        return t[k + 3] == ':' && n >= k + 6 && digit(t[k + 4]) && digit(t[k + 5]) &&
               (n == k + 6 || !(cls(t[k + 6]) & (COL | LET | DIG)) || t[k + 6] == 'Z');
    }
    if (k == 4 && n >= 8 && (t[4] == '-' || t[4] == '/' || t[4] == '.')) {
        size_t m = alm_form_digits(s, a + 5, e), at = 5 + m;
        if (m < 1 || m > 2 || at >= n || t[at] != t[4]) return false;
        size_t d = alm_form_digits(s, a + at + 1, e);
        return (d == 1 || d == 2) && (at + 1 + d == n || t[at + 1 + d] != t[4]);
    }
    if (k == 2 && n == 10 && (t[2] == '/' || t[2] == '.' || t[2] == '-') && digit(t[3]) && digit(t[4]) &&
        t[5] == t[2] && alm_form_digits(s, a + 6, e) == 4)
        return true;
    return false;
}

/* Pairs of hexadecimal digits joined by `:` (or `-`), six or more: 00:1b:44:11:3a:b7 and longer hardware addresses. */
bool alm_form_mac(const char *s, size_t a, size_t e) {
    size_t n = e - a;
    if (n < 17 || (n + 1) % 3 != 0) return false;
    char joint = s[a + 2];
    if (joint != ':' && joint != '-') return false;
    for (size_t i = 0; i < n; i++)
        if (i % 3 == 2 ? s[a + i] != joint : !hexdigit(s[a + i])) return false;
    return true;
}

/* Groups of hexadecimal digits with two colons or more: IPv6, PCI addresses, long ids. */
bool alm_form_colon_hex(const char *s, size_t a, size_t e) {
    size_t colons = 0, run = 0;
    for (size_t i = a; i < e; i++)
        if (s[i] == ':') colons++, run = 0;
        else if ((!hexdigit(s[i]) && s[i] != '.') || ++run > 4) return false;
    return colons >= 2;
}

/* letters, one of . - # /, then a number or version: core.2275, jetty-6.1.26, CPU-3. Gives where the number begins, or 0. */
size_t alm_form_name_number(const char *s, size_t a, size_t e) {
    size_t i = a;
    while (i < e && (cls(s[i]) & LET)) i++;
    if (i - a < 2 || i + 1 >= e || (s[i] != '.' && s[i] != '-')) return 0;
    size_t from = i + 1;
    if (alm_form_uuid(s, from, e)) return from;
    bool has_digit = false, hex = e - from >= 4, number = digit(s[from]);
    for (size_t k = from; k < e; k++) {
        has_digit = has_digit || digit(s[k]);
        hex = hex && hexdigit(s[k]);
        number = number && (digit(s[k]) || s[k] == '.' || s[k] == '-');
    }
    if (!number && !(hex && has_digit && s[i] == '-')) return 0;
    return from;
}

static bool in_list(const char *s, const char *list) {
    for (; *list; list += 3)
        if (s[0] == list[0] && s[1] == list[1] && s[2] == list[2]) return true;
    return false;
}
bool alm_form_weekday(const char *s) { return in_list(s, "MonTueWedThuFriSatSun"); }
bool alm_form_month(const char *s) { return in_list(s, "JanFebMarAprMayJunJulAugSepOctNovDec"); }

static size_t blanks(const char *s, size_t i, size_t n) {
    while (i < n && s[i] == ' ') i++;
    return i;
}

/* "Fri Jul 01 08:16:53 PDT 2005", "Jun 14 15:16:01", "Sat, 14 Mar 2026 09:26:53 +0000", any prefix of at least two parts.
 * Gives its end, or 0. */
size_t alm_form_calendar(const char *s, size_t a, size_t n, alm_looked *look) {
    size_t i = a, e = 0;
    bool has_month = false;
    if (i + 3 < n && alm_form_weekday(s + i)) {
        i += 3;
        if (s[i] == ',') i++;
        if (i >= n || s[i] != ' ') return 0;
        i = blanks(s, i, n);
    }
    size_t k = alm_form_digits(s, i, n);
    if (k >= 1 && k <= 2 && i > a && i + k + 4 < n && s[i + k] == ' ' && alm_form_month(s + i + k + 1)) {
        i = e = i + k + 4, has_month = true; /* 14 Mar */
    } else if (i + 4 < n && alm_form_month(s + i) && s[i + 3] == ' ') {
        i = blanks(s, i + 3, n);
        k = alm_form_digits(s, i, n);
        if (k < 1 || k > 2) return 0;
        i += k, e = i, has_month = true;
    }
    if (!has_month || (i < n && (cls(s[i]) & (LET | UND | DOT | SLA | COL)))) return 0;
    for (int part = 0; part < 4; part++) { /* time, year, zone in any order */
        if (i < n && s[i] == ',') i++;
        if (i >= n || s[i] != ' ') break;
        i = blanks(s, i, n);
        size_t j = i;
        while (j < n && !(cls(s[j]) & SEP)) j++;
        while (j > i && (s[j - 1] == ':' || s[j - 1] == '.')) j--;
        k = alm_form_digits(s, i, j);
        if (k == 4 && k == j - i) alm_looked_at(look, i);
        bool ok = alm_form_time(s, i, j) || (k == 4 && k == j - i && (s[i] == '1' || s[i] == '2')) ||
                  (j - i == 5 && (s[i] == '+' || s[i] == '-') && alm_form_digits(s, i + 1, j) == 4);
        if (!ok && part > 0 && j - i >= 3 && j - i <= 4 && s[j - 1] == 'T') { /* PDT, CEST, GMT: zones end in T */
            ok = true;
            for (size_t q = i; q < j; q++) ok = ok && s[q] >= 'A' && s[q] <= 'Z';
        }
        if (!ok && part > 0 && j - i == 3 && memcmp(s + i, "UTC", 3) == 0) ok = true;
        if (!ok) break;
        i = e = j;
    }
    return e;
}

bool alm_form_bool(const char *s, size_t n) {
    if (n == 4)
        return !memcmp(s, "true", 4) || !memcmp(s, "null", 4) || !memcmp(s, "True", 4) || !memcmp(s, "None", 4) ||
               !memcmp(s, "TRUE", 4) || !memcmp(s, "NULL", 4);
    if (n == 5) return !memcmp(s, "false", 5) || !memcmp(s, "False", 5) || !memcmp(s, "FALSE", 5);
    return n == 3 && !memcmp(s, "nil", 3);
}

bool alm_form_unit(const char *s, size_t n) {
    if (n == 1) return s[0] == 'B' || s[0] == 's';
    if (n == 2) return (s[1] == 'B' && s[0] && strchr("KMGTPk", s[0])) || (s[1] == 's' && s[0] && strchr("num", s[0]));
    if (n != 3) return false;
    if (s[1] == 'i' && s[2] == 'B') return s[0] && strchr("KMGT", s[0]);
    return memcmp(s, "sec", 3) == 0 || memcmp(s, "min", 3) == 0;
}

/* Is a port or an address behind it: name:8080, name/10.1.2.3? */
bool alm_form_host_behind(const char *s, size_t e, size_t n) {
    if (e + 1 >= n) return false;
    if (s[e] == ':') {
        size_t k = alm_form_digits(s, e + 1, n);
        return k >= 2 && k <= 5 &&
               (e + 1 + k == n || !(cls(s[e + 1 + k]) & (LET | UND | DOT)) || (cls(s[e + 1 + k]) & DOT));
    }
    return s[e] == '/' && alm_form_quad(s, e + 1, n) > 0;
}

bool alm_form_domain(const char *s, size_t a, size_t e) {
    static const char *const top[] = {"com", "net", "org", "edu", "gov", "info", "local", "lan", "internal"};
    size_t dot = e;
    while (dot > a && s[dot - 1] != '.') dot--;
    for (size_t i = 0; i < sizeof top / sizeof *top; i++)
        if (strlen(top[i]) == e - dot && memcmp(top[i], s + dot, e - dot) == 0) return true;
    return false;
}

bool alm_form_host(const char *s, size_t a, size_t e) {
    size_t dots = 0, label = 0;
    bool letters = true;
    for (size_t i = a; i < e; i++) {
        if (s[i] == '.') {
            dots++, label = 0, letters = true;
            continue;
        }
        if (!(cls(s[i]) & (LET | DIG)) && s[i] != '-') return false;
        label++;
        letters = letters && s[i] >= 'a' && s[i] <= 'z'; /* a class has a capital */
    }
    return label >= 2 && letters && (alm_form_domain(s, a, e) || (dots >= 2 && label <= 3));
}

bool alm_form_message_key(const char *s, size_t n) {
    static const char *const keys[] = {"msg",    "message", "text", "event",     "error",  "err",
                                       "reason", "log",     "body", "exception", "detail", "description"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strlen(keys[i]) == n && memcmp(keys[i], s, n) == 0) return true;
    return false;
}
