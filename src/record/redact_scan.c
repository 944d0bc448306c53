/* SPDX-License-Identifier: Apache-2.0
 *
 * redact_scan.c - the scanners of personal data (redact_scan.h).
 *
 * Each looks at one place and decides from the bytes around it; none goes back, so a text costs its length. They lean towards
 * silence where a number is more likely something else: a phone number needs a plus, or the leading 0 of a German number with a
 * grouping that German numbers have (or the prefix of a mobile one); an IBAN needs its country's length and the right
 * checksum; an address of version 6 needs eight groups, or :: and a digit. */
#include "record/redact_scan.h"

static bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }
static bool is_letter(char c) { return (unsigned char)((c | 32) - 'a') < 26; }
static bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
bool alm_scan_is_word(char c) { return is_alnum(c) || (unsigned char)c >= 0x80; }

static int hex(char c) {
    if (is_digit(c)) return c - '0';
    char l = (char)(c | 32);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static char byte_at(alm_str s, size_t i) { return i < s.n ? s.at[i] : 0; }

/* -- addresses of machines ------------------------------------------------------------------------------------------------ */

size_t alm_scan_ipv4(alm_str s, size_t at) {
    size_t i = at;
    if (at && (alm_scan_is_word(s.at[at - 1]) || s.at[at - 1] == '.' || s.at[at - 1] == '_')) return 0;
    for (int part = 0; part < 4; part++) {
        int x = 0;
        size_t from = i;
        while (i < s.n && i - from < 3 && is_digit(s.at[i])) x = x * 10 + s.at[i++] - '0';
        if (i == from || x > 255) return 0;
        if (part < 3 && byte_at(s, i++) != '.') return 0;
    }
    char next = byte_at(s, i);
    if (alm_scan_is_word(next) || next == '_' || (next == '.' && is_digit(byte_at(s, i + 1)))) return 0;
    return i - at;
}

size_t alm_scan_ipv6(alm_str s, size_t at, unsigned char address[16]) {
    unsigned char bytes[16] = {0};
    size_t i = at, n = 0, gap = SIZE_MAX;
    bool digit = false;
    if (at && (alm_scan_is_word(s.at[at - 1]) || s.at[at - 1] == ':' || s.at[at - 1] == '_')) return 0;
    if (byte_at(s, i) == ':') {
        if (byte_at(s, i + 1) != ':') return 0;
        gap = 0, i += 2;
    }
    while (n < 16 && i < s.n && hex(s.at[i]) >= 0) {
        size_t v4 = n <= 12 && (n == 12 || gap != SIZE_MAX) && is_digit(s.at[i]) && i > at
                        ? alm_scan_ipv4((alm_str){s.at + i, s.n - i}, 0)
                        : 0;
        if (v4) { /* the last four bytes written as version 4 */
            int x = 0;
            for (size_t k = 0; k <= v4; k++) {
                char c = k < v4 ? s.at[i + k] : '.';
                if (c == '.') bytes[n++] = (unsigned char)x, x = 0;
                else x = x * 10 + c - '0';
            }
            i += v4, digit = true;
            break;
        }
        unsigned x = 0;
        size_t from = i;
        while (i < s.n && i - from < 4 && hex(s.at[i]) >= 0)
            digit |= is_digit(s.at[i]), x = x << 4 | (unsigned)hex(s.at[i++]);
        bytes[n++] = (unsigned char)(x >> 8), bytes[n++] = (unsigned char)x;
        if (byte_at(s, i) != ':') break;
        if (byte_at(s, i + 1) == ':') {
            if (gap != SIZE_MAX) return 0;
            gap = n, i += 2;
        } else if (n < 16 && i + 1 < s.n && hex(s.at[i + 1]) >= 0) i++;
        else break; /* a colon behind the address */
    }
    char next = byte_at(s, i);
    if (alm_scan_is_word(next) || next == '_' || !digit) return 0;
    if (gap == SIZE_MAX ? n != 16 : n > 14) return 0;
    if (next == ':' && gap == SIZE_MAX && hex(byte_at(s, i + 1)) >= 0) return 0; /* nine groups: something else */
    if (address) {
        memset(address, 0, 16);
        size_t front = gap == SIZE_MAX ? n : gap;
        memcpy(address, bytes, front);
        memcpy(address + 16 - (n - front), bytes + front, n - front);
    }
    return i - at;
}

/* -- accounts --------------------------------------------------------------------------------------------------------------- */

/* Country and length, ISO 13616 registry. */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18"
    "GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15"
    "PK24PL28PS29PT25QA29RO24RS22SA24SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";

static size_t iban_length(char a, char b) {
    for (const char *p = iban_lengths; *p; p += 4)
        if (p[0] == (a & ~32) && p[1] == (b & ~32)) return (size_t)((p[2] - '0') * 10 + p[3] - '0');
    return 0;
}

size_t alm_scan_iban(alm_str s, size_t at) {
    if (s.n - at < 15 || !is_letter(s.at[at]) || !is_letter(s.at[at + 1]) || !is_digit(s.at[at + 2]) ||
        !is_digit(s.at[at + 3]))
        return 0;
    if (at && (alm_scan_is_word(s.at[at - 1]) || s.at[at - 1] == '_')) return 0;
    size_t length = iban_length(s.at[at], s.at[at + 1]), n = 0, i = at;
    if (!length) return 0;
    char digits[36];
    for (; i < s.n && n < length; i++) {
        char c = s.at[i];
        if (is_alnum(c)) digits[n++] = c;
        else if ((c != ' ' && c != '-') || n == 0 || !is_alnum(byte_at(s, i + 1))) return 0;
    }
    if (n < length || alm_scan_is_word(byte_at(s, i)) || byte_at(s, i) == '_') return 0;
    unsigned rest = 0; /* mod 97 of the number with the first four at the end, letters as 10 to 35 */
    for (size_t k = 0; k < n; k++) {
        char c = digits[(k + 4) % n];
        if (is_digit(c)) rest = (rest * 10 + (unsigned)(c - '0')) % 97;
        else rest = (rest * 100 + (unsigned)((c | 32) - 'a' + 10)) % 97;
    }
    return rest == 1 ? i - at : 0;
}

/* -- phones ----------------------------------------------------------------------------------------------------------------- */

static size_t digits_from(alm_str s, size_t i) {
    size_t n = 0;
    while (i + n < s.n && is_digit(s.at[i + n])) n++;
    return n;
}

static bool ends_well(alm_str s, size_t i) {
    char next = byte_at(s, i);
    if (alm_scan_is_word(next) || next == '_') return false;
    return !((next == '.' || next == ':' || next == ',' || next == '/' || next == '-') && is_digit(byte_at(s, i + 1)));
}

/* Groups of digits behind `i`, each after one separator (or a bracket, or " / "). Returns the last end at which a number may
 * end and updates the digits and groups up to there; 0 when there is no such end. */
static size_t groups(alm_str s, size_t i, size_t *n_digit, size_t most, size_t *n_group) {
    size_t good = 0, digits = *n_digit, count = 0;
    for (;;) {
        if (ends_well(s, i)) good = i, *n_digit = digits, *n_group = count;
        size_t k = i;
        while (k < s.n && k - i < 3 && strchr(" -/.()", s.at[k]) && s.at[k]) k++;
        size_t n = digits_from(s, k);
        if (k == i || n == 0 || digits + n > most) return good;
        if (n == 1 && s.at[k - 1] != '(' && !(k + 1 < s.n && strchr(" -/)", s.at[k + 1]) && digits_from(s, k + 2) >= 2))
            return good;
        if (s.at[k - 1] == '.' && n < 2) return good;
        i = k + n;
        digits += n;
        count++;
    }
}

/* Permissions as `ls` and chmod write them. */
static bool is_file_mode(const char *at) {
    return at[1] >= '4' && at[1] <= '7' && strchr("0456", at[2]) == NULL
               ? at[2] == '7' && strchr("057", at[3])
               : at[1] >= '4' && at[1] <= '7' && strchr("0456", at[2]) && strchr("0456", at[3]);
}

static size_t national(alm_str s, size_t at) {
    size_t area = digits_from(s, at), n_group = 0;
    bool bracket = at && s.at[at - 1] == '(';
    if (byte_at(s, at) != '0' || area < 2 || byte_at(s, at + 1) == '0') return 0;
    const char *p = s.at + at;
    bool mobile = p[1] == '1' && area >= 3 && (p[2] == '5' || p[2] == '6' || p[2] == '7');
    if (mobile && (area == 11 || area == 12)) return ends_well(s, at + area) ? area : 0;
    switch (area) {
    case 3: /* Berlin, Hamburg, Frankfurt, Munich: the only codes of this length */
        if (memcmp(p, "030", 3) != 0 && memcmp(p, "040", 3) != 0 && memcmp(p, "069", 3) != 0 &&
            memcmp(p, "089", 3) != 0)
            return 0;
        break;
    case 4:
        if (byte_at(s, at + 4) == ' ' && is_file_mode(p)) return 0;
        break;
    case 5: break;
    case 6: /* 03 3… to 03 9… only: everything else with six digits is a date or a number */
        if (p[1] != '3' || p[2] < '3') return 0;
        break;
    default: return 0;
    }
    size_t i = at + area, n_digit = area;
    char sep = byte_at(s, i);
    if (bracket != (sep == ')')) return 0;
    if (sep != ' ' && sep != '-' && sep != '/' && sep != ')') return 0;
    size_t first = i;
    while (first < s.n && first - i < 3 && strchr(" -/)", s.at[first]) && s.at[first]) first++;
    if (digits_from(s, first) < 2 && !bracket) return 0;
    i = groups(s, i, &n_digit, 13, &n_group);
    /* in a column of numbers a blank separates everything: more digits are wanted there */
    if (!i || n_group == 0 || n_digit < (sep == ' ' ? 9u : 8u)) return 0;
    return i - at;
}

size_t alm_scan_phone(alm_str s, size_t at) {
    char c = s.at[at];
    if (at && (alm_scan_is_word(s.at[at - 1]) || strchr("._-+/:", s.at[at - 1]))) {
        /* "tel:+49…" and "tel:030…" are phones; 12:030 is not */
        if (s.at[at - 1] != ':' || at < 2 || !is_letter(s.at[at - 2])) return 0;
    }
    size_t n_digit = 0, n_group = 0;
    if (c == '(' && byte_at(s, at + 1) == '0') {
        size_t n = national(s, at + 1);
        return n ? n + 1 : 0;
    }
    bool plus = c == '+';
    if (plus || (c == '0' && byte_at(s, at + 1) == '0')) {
        size_t from = at + (plus ? 1 : 2), n = digits_from(s, from);
        char first = byte_at(s, from);
        if (n == 0 || n > 15 || first == '0') return 0;
        n_digit = n;
        size_t i = groups(s, from + n, &n_digit, 16, &n_group);
        if (!i || n_digit < 8) return 0;
        /* 00… without groups is a padded number, unless it calls Germany, Austria or Switzerland */
        bool neighbour =
            first == '4' && (s.at[from + 1] == '9' || s.at[from + 1] == '3' || s.at[from + 1] == '1') && n_digit >= 9;
        if (!plus && (n_group == 0 ? !neighbour : n > 4)) return 0;
        return i - at;
    }
    return c == '0' && (!at || s.at[at - 1] != '(') ? national(s, at) : 0;
}

/* -- e-mail ----------------------------------------------------------------------------------------------------------------- */

static bool is_local(char c) {
    return is_alnum(c) || (unsigned char)c >= 0x80 || (c && strchr(".!#$%&'*+-/=?^_`{|}~", c));
}
/* Characters that may be part of an address but more often stand in front of one. */
static bool is_front(char c) { return strchr(".!#$%&'*+-/=?^`{|}~", c) != NULL; }

size_t alm_scan_email(alm_str s, size_t at, size_t *from) {
    size_t sign = s.at[at] == '@' ? 1 : 3, i = at, domain = at + sign, last_dot = 0;
    while (i > 0 && at - i < 128 && is_local(s.at[i - 1])) i--;
    /* key=value, /path/, 'quoted': the address begins behind the last of these */
    for (size_t k = i; k < at; k++)
        if (s.at[k] == '=' || s.at[k] == '/' || s.at[k] == '\'' || s.at[k] == '|' || s.at[k] == '?' || s.at[k] == '&' ||
            s.at[k] == '{')
            i = k + 1;
    while (i < at && is_front(s.at[i])) i++;
    if (i == at || (!alm_scan_is_word(s.at[at - 1]) && !strchr("_-+", s.at[at - 1]))) return 0;
    size_t j = domain;
    while (j < s.n && (alm_scan_is_word(s.at[j]) || s.at[j] == '-' ||
                       (s.at[j] == '.' && j + 1 < s.n && alm_scan_is_word(s.at[j + 1])))) {
        if (s.at[j] == '.') {
            if (j == domain) return 0;
            last_dot = j;
        }
        j++;
    }
    while (j > domain && s.at[j - 1] == '-') j--;
    if (last_dot <= domain || j - last_dot < 3) return 0;
    for (size_t k = last_dot + 1; k < j; k++) /* a top-level domain has letters; user@10.0.0.1 does not */
        if (is_digit(s.at[k]) && !(j - last_dot > 5 && memcmp(s.at + last_dot + 1, "xn--", 4) == 0)) return 0;
    *from = i;
    return j - i;
}

/* -- what is there already, and the normal form ------------------------------------------------------------------------------- */

size_t alm_scan_pseudonym(alm_str s, size_t at) {
    size_t i = at + 1, from = i;
    while (i < s.n && (is_alnum(s.at[i]) || s.at[i] == '_' || s.at[i] == '-') && i - from <= 32) i++;
    if (i == from || byte_at(s, i) != ':' || s.n - i < 14 || s.at[i + 13] != '>') return 0;
    for (size_t k = i + 1; k < i + 13; k++)
        if (!is_digit(s.at[k]) && !(s.at[k] >= 'a' && s.at[k] <= 'f')) return 0;
    return i + 14 - at;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c; }

size_t alm_scan_normal(char *to, int class, alm_str found) {
    size_t n = 0;
    switch (class) {
    case ALM_REDACT_AT_ip: {
        unsigned char address[16];
        if (memchr(found.at, ':', found.n) && alm_scan_ipv6(found, 0, address) == found.n) {
            memcpy(to, address, 16);
            return 16;
        }
        memcpy(to, found.at, found.n);
        return found.n;
    }
    case ALM_REDACT_AT_iban:
        for (size_t i = 0; i < found.n; i++)
            if (is_alnum(found.at[i])) to[n++] = lower(found.at[i]);
        return n;
    case ALM_REDACT_AT_phone: {
        /* +49 (0)30 …, 0049 30 …, 030 … are one number: written with the country's code, Germany's where none is */
        size_t i = 0;
        bool international = true;
        if (found.at[0] == '+') i = 1;
        else if (found.n > 2 && found.at[0] == '0' && found.at[1] == '0') i = 2;
        else international = false;
        to[n++] = '+';
        if (!international) {
            to[n++] = '4', to[n++] = '9';
            while (i < found.n && found.at[i] != '0') i++;
            i++;
        }
        for (; i < found.n; i++) {
            if (international && i + 2 < found.n && memcmp(found.at + i, "(0)", 3) == 0) i += 2;
            else if (is_digit(found.at[i])) to[n++] = found.at[i];
        }
        return n;
    }
    default:
        for (size_t i = 0; i < found.n; i++) {
            if (class == ALM_REDACT_AT_email && found.at[i] == '%' && i + 2 < found.n &&
                memcmp(found.at + i, "%40", 3) == 0)
                to[n++] = '@', i += 2;
            else to[n++] = lower(found.at[i]);
        }
        return n;
    }
}
