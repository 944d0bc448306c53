/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_lexer.h - inside the tokeniser: classes of bytes, marks (one bit a byte and class), forms of values. */
#ifndef ALM_DETECT_LOG_LEXER_H
#define ALM_DETECT_LOG_LEXER_H

#include "detect/log_token.h"

enum {
    LET = 1,      /* letter, or a byte of a character beyond ASCII */
    DIG = 2,      /* 0-9 */
    HEXL = 4,     /* a-f A-F (beside LET) */
    UND = 8,      /* _ */
    DOT = 16,     /* . */
    HYP = 32,     /* - + */
    COL = 64,     /* : */
    SLA = 128,    /* / and backslash */
    OTH = 256,    /* the rest of what may stand in a word: @ # $ % & * ! ? ^ ~ */
    SEP = 512,    /* separator */
    BLANK = 1024, /* white space, control characters (beside SEP) */
    OPEN = 4096,  /* ( [ { < " ' ` (beside SEP) */
    EQ = 8192     /* = (beside SEP) */
};
extern const uint16_t alm_log_class[256];
static inline unsigned cls(char c) { return alm_log_class[(unsigned char)c]; }
static inline bool digit(char c) { return (unsigned)(c - '0') < 10; }
static inline bool hexdigit(char c) { return (cls(c) & (DIG | HEXL)) != 0; }

/* mark[b].of[M] has bit i set when byte 64 b + i is of the class; bytes from n on are separators. */
void alm_log_mark_bytes(alm_log_marks *mark, const char *s, size_t n);

/* Bits of [a, a + n), n from 1 to 64, bit 0 is byte a. */
static inline uint64_t bits(const alm_log_marks *mark, unsigned m, size_t a, size_t n) {
    size_t b = a >> 6, shift = a & 63;
    uint64_t x = mark[b].of[m] >> shift | mark[b + 1].of[m] << 1 << (63 - shift);
    return x & (~(uint64_t)0 >> (64 - n));
}
/* First byte in [a, e) of the class, or e. */
static inline size_t first(const alm_log_marks *mark, unsigned m, size_t a, size_t e) {
    if (a >= e) return e;
    size_t b = a >> 6;
    uint64_t x = mark[b].of[m] >> (a & 63);
    if (x) a += (size_t)__builtin_ctzll(x);
    else {
        do b++;
        while (b << 6 < e && !mark[b].of[m]);
        if (b << 6 >= e) return e;
        a = (b << 6) + (size_t)__builtin_ctzll(mark[b].of[m]);
    }
    return a < e ? a : e;
}
/* First byte in [a, e) that is no separator, or e. */
static inline size_t first_word(const alm_log_marks *mark, size_t a, size_t e) {
    if (a >= e) return e;
    size_t b = a >> 6;
    uint64_t x = ~mark[b].of[ALM_MARK_SEP] >> (a & 63);
    if (x) a += (size_t)__builtin_ctzll(x);
    else {
        do b++;
        while (b << 6 < e && !~mark[b].of[ALM_MARK_SEP]);
        if (b << 6 >= e) return e;
        a = (b << 6) + (size_t)__builtin_ctzll(~mark[b].of[ALM_MARK_SEP]);
    }
    return a < e ? a : e;
}
/* Which of LET DIG DOT COL SLA OTH occur in [a, e). */
static inline unsigned classes_in(const alm_log_marks *mark, size_t a, size_t e) {
    if (a >= e) return 0;
    unsigned acc = 0;
    static const uint16_t class_of_mark[] = {SEP, DIG, HEXL, LET, DOT, COL, SLA, OTH};
    if (e - a <= 64) {
        for (unsigned m = ALM_MARK_DIG; m < ALM_MARK_ODD; m++) acc |= bits(mark, m, a, e - a) ? class_of_mark[m] : 0u;
    } else
        for (unsigned m = ALM_MARK_DIG; m < ALM_MARK_ODD; m++) acc |= first(mark, m, a, e) < e ? class_of_mark[m] : 0u;
    return acc;
}

/* log_form.c: is s[a, e) written like this? Nothing outside is read. */
size_t alm_form_digits(const char *s, size_t a, size_t e); /* how many digits it begins with */
size_t alm_form_quad(const char *s, size_t a, size_t e);   /* length of a dotted quad at a, or 0 */
bool alm_form_uuid(const char *s, size_t a, size_t e);
bool alm_form_time(const char *s, size_t a, size_t e); /* a time of day or a date */
bool alm_form_mac(const char *s, size_t a, size_t e);  /* six or more pairs of hexadecimal digits */
bool alm_form_colon_hex(const char *s, size_t a,
                        size_t e);           /* IPv6, PCI address, ...: hexadecimal groups, two colons or more */
bool alm_form_bool(const char *s, size_t n); /* true, false, null as they are written in many languages */
bool alm_form_weekday(const char *s);        /* of three letters */
bool alm_form_month(const char *s);
/* "Fri Jul 01 08:16:53 PDT 2005", "Jun 14 15:16:01", "Sat, 14 Mar 2026 09:26:53 +0000" at a: its end, or 0. */
size_t alm_form_calendar(const char *s, size_t a, size_t n, alm_looked *look);
/* letters, then . or -, then a number or version (core.2275, jetty-6.1.26), a UUID or hexadecimal digits: where that begins, or 0. */
size_t alm_form_name_number(const char *s, size_t a, size_t e);
bool alm_form_unit(const char *s, size_t n); /* KB, ms, ... */
/* hh:mm or a name at e: a port or an address behind a host (name:8080, name/10.1.2.3)? n is the end of the record. */
bool alm_form_host_behind(const char *s, size_t e, size_t n);
/* Does a name with one dot end as domains do, not as files do: example.org? */
bool alm_form_domain(const char *s, size_t a, size_t e);
/* A domain name: letters, digits, - and dots, a last label of letters that is a known one, or short behind two dots. */
bool alm_form_host(const char *s, size_t a, size_t e);
/* A word that names the message of a JSON or logfmt record: msg, error, ... */
bool alm_form_message_key(const char *s, size_t n);

#endif
