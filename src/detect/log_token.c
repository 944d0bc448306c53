/* SPDX-License-Identifier: Apache-2.0
 *
 * log_token.c - the tokeniser: one pass over the bytes with a class table, then a closer look at the few atoms that need it.
 *
 * An atom is a run of bytes that are no separators. Most atoms are letters only and are done after the first loop. The
 * others are trimmed (`.`, `:`, `!`, `?` at their end belong to the separator), cut at inner `:`, `@`, `#`, `/` where one
 * side is a value, and each piece is typed by its form. The rules are about how people write values, never about one
 * program's log: a word that begins with a digit is a value; `name-12`, `name.12`, `name#12` are a name and a number; a
 * word with three digits or two groups of them is an identifier; one with a lone digit (eth0, ssh2, L1) is a soft slot.
 *
 * Invariant: tokens are in order and do not overlap; separators fill the gaps; nothing outside [0, n) is read. */
#include "detect/log_token.h"

enum {
    LET = 1,     /* letter, or a byte of a character beyond ASCII */
    DIG = 2,     /* 0-9 */
    HEXL = 4,    /* a-f A-F (beside LET) */
    UND = 8,     /* _ */
    DOT = 16,    /* . */
    HYP = 32,    /* - + */
    COL = 64,    /* : */
    SLA = 128,   /* / and backslash */
    OTH = 256,   /* the rest of what may stand in a word: @ # $ % & * ! ? ^ ~ */
    SEP = 512,   /* separator */
    BLANK = 1024, /* white space, control characters (beside SEP) */
    LOW = 2048,  /* a-z (beside LET) */
    OPEN = 4096, /* ( [ { < " ' ` (beside SEP) */
    EQ = 8192    /* = (beside SEP) */
};

#define R16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
#define BL (SEP | BLANK)
#define UH (LET | HEXL)
#define LH (LET | HEXL | LOW)
#define LO (LET | LOW)
static const uint16_t class_of[256] = {
    R16(BL), R16(BL),
    /*   !    "           #    $    %    &    '           (           )    *    +    ,    -    .    / */
    BL, OTH, SEP | OPEN, OTH, OTH, OTH, OTH, SEP | OPEN, SEP | OPEN, SEP, OTH, HYP, SEP, HYP, DOT, SLA,
    DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, COL, SEP, SEP | OPEN, SEP | EQ, SEP, OTH,
    OTH, UH, UH, UH, UH, UH, UH, LET, LET, LET, LET, LET, LET, LET, LET, LET,
    LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, SEP | OPEN, SLA, SEP, OTH, UND,
    SEP | OPEN, LH, LH, LH, LH, LH, LH, LO, LO, LO, LO, LO, LO, LO, LO, LO,
    LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, SEP | OPEN, SEP, SEP, OTH, BL,
    R16(LET), R16(LET), R16(LET), R16(LET), R16(LET), R16(LET), R16(LET), R16(LET)};

static inline unsigned cls(char c) { return class_of[(unsigned char)c]; }
static inline bool digit(char c) { return (unsigned)(c - '0') < 10; }
static inline bool hexdigit(char c) { return (cls(c) & (DIG | HEXL)) != 0; }

/* --- hashing ------------------------------------------------------------------------------------------------------- */

static const uint64_t K0 = 0x9E3779B97F4A7C15u, K1 = 0xC2B2AE3D27D4EB4Fu, K2 = 0x165667B19E3779F9u;
static const uint64_t SLOT_WORD = 0x7F4A7C159E3779B9u;

static inline uint64_t fold(uint64_t a, uint64_t b) {
    __uint128_t p = (__uint128_t)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}
static inline uint64_t load64(const char *at) {
    uint64_t x;
    memcpy(&x, at, 8);
    return x;
}
static inline uint64_t load32(const char *at) {
    uint32_t x;
    memcpy(&x, at, 4);
    return x;
}

/* Little-endian loads: on a big-endian machine keys differ, but keys are never stored (ids use alm_hash64). */
static inline uint64_t word_hash(const char *at, size_t n) {
    uint64_t h = n * K2;
    if (n > 16) {
        size_t i = 0;
        for (; i + 16 < n; i += 8) h = fold(h ^ load64(at + i), K1);
        return fold(load64(at + n - 16) ^ K0, load64(at + n - 8) ^ h ^ K1);
    }
    if (n >= 8) return fold(load64(at) ^ K0, load64(at + n - 8) ^ h);
    if (n >= 4) return fold(load32(at) << 32 | load32(at + n - 4), h ^ K0);
    if (n == 0) return K1;
    uint64_t x = (uint64_t)(unsigned char)at[0] << 16 | (uint64_t)(unsigned char)at[n >> 1] << 8 | (unsigned char)at[n - 1];
    return fold(x ^ K0, h ^ K1);
}

static inline uint64_t sep_hash(const char *at, size_t n, uint32_t position) {
    uint64_t h = (position + 1) * K0;
    if (n == 1) {
        unsigned char c = (unsigned char)at[0];
        return h ^ (uint64_t)((class_of[c] & BLANK) ? ' ' : c) * K1;
    }
    uint64_t x = 0; /* for one character: c * K1 as above, so that many blanks equal one */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        if (class_of[c] & BLANK) {
            while (i + 1 < n && (cls(at[i + 1]) & BLANK)) i++;
            c = ' ';
        }
        x = ((x ^ x >> 31) + c) * K1;
    }
    return h ^ x;
}

static inline uint64_t share(uint64_t sep, uint64_t word) { return fold(sep ^ K2, word ^ sep >> 32 ^ K0); }

uint64_t alm_log_word_hash(const char *at, size_t n) { return word_hash(at, n); }
uint64_t alm_log_share_of(uint64_t s, uint64_t w) { return share(s, w); }
uint64_t alm_log_slot_share(uint64_t s) { return share(s, SLOT_WORD); }
uint64_t alm_log_share(const alm_token *t) { return share(t->sep_hash, t->type == ALM_SLOT_CONST ? t->hash : SLOT_WORD); }
uint64_t alm_log_sep_hash(const char *sep, size_t n, uint32_t position) { return sep_hash(sep, n, position); }
uint64_t alm_log_tail_share(const char *sep, size_t n, uint32_t n_token) {
    return share(sep_hash(sep, n, n_token), n_token);
}

static const char *const slot_name[ALM_SLOT_BUILTIN_COUNT] = {
#define ALM_SLOT_NAME(name, text) text,
    ALM_SLOT_TYPES(ALM_SLOT_NAME)
#undef ALM_SLOT_NAME
};
const char *alm_slot_name(unsigned type) { return type < ALM_SLOT_BUILTIN_COUNT ? slot_name[type] : NULL; }

uint8_t alm_slot_join(uint8_t a, uint8_t b) {
    if (a == b) return a;
    bool a_small = a == ALM_SLOT_NUM || a == ALM_SLOT_HEX || a == ALM_SLOT_ID;
    bool b_small = b == ALM_SLOT_NUM || b == ALM_SLOT_HEX || b == ALM_SLOT_ID;
    if (a_small && b_small) return a == ALM_SLOT_ID || b == ALM_SLOT_ID ? ALM_SLOT_ID : ALM_SLOT_HEX;
    bool a_word = a == ALM_SLOT_ID || a == ALM_SLOT_WORD, b_word = b == ALM_SLOT_ID || b == ALM_SLOT_WORD;
    if (a_word && b_word) return ALM_SLOT_WORD;
    if ((a == ALM_SLOT_HOST && (b == ALM_SLOT_IP || b_word)) || (b == ALM_SLOT_HOST && (a == ALM_SLOT_IP || a_word)))
        return ALM_SLOT_HOST;
    return ALM_SLOT_ANY;
}

/* --- forms of values ------------------------------------------------------------------------------------------------ */

/* All of these look at s[a, e). */

static size_t digits(const char *s, size_t a, size_t e) {
    size_t i = a;
    while (i < e && digit(s[i])) i++;
    return i - a;
}

/* Length of a dotted quad at a, or 0. */
static size_t quad(const char *s, size_t a, size_t e) {
    size_t i = a;
    for (int part = 0; part < 4; part++) {
        size_t k = digits(s, i, e);
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

static bool is_uuid(const char *s, size_t a, size_t e) {
    if (e - a != 36) return false;
    for (size_t i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[a + i] != '-') return false;
        } else if (!hexdigit(s[a + i]))
            return false;
    return true;
}

/* hh:mm, hh:mm:ss, with fraction or zone behind; or a date: 2026-03-14, 2026/03/14, 2026.03.14, 14/03/2026, 14.03.2026. */
static bool is_time(const char *s, size_t a, size_t e) {
    size_t k = digits(s, a, e), n = e - a;
    const char *t = s + a;
    if ((k == 1 || k == 2) && n >= k + 3 && t[k] == ':' && digit(t[k + 1]) && digit(t[k + 2])) {
        if (n == k + 3) return true;
        return t[k + 3] == ':' && n >= k + 6 && digit(t[k + 4]) && digit(t[k + 5]) && (n == k + 6 || !(cls(t[k + 6]) & (COL | LET | DIG)) || t[k + 6] == 'Z');
    }
    if (k == 4 && n >= 10 && (t[4] == '-' || t[4] == '/' || t[4] == '.') && digit(t[5]) && digit(t[6]) && t[7] == t[4] &&
        digit(t[8]) && digit(t[9]))
        return n == 10 || !(cls(t[10]) & DIG);
    if (k == 2 && n == 10 && (t[2] == '/' || t[2] == '.' || t[2] == '-') && digit(t[3]) && digit(t[4]) && t[5] == t[2] &&
        digits(s, a + 6, e) == 4)
        return true;
    return false;
}

/* Pairs of hexadecimal digits joined by `:` (or `-`), six or more: 00:1b:44:11:3a:b7 and longer hardware addresses. */
static bool is_mac(const char *s, size_t a, size_t e) {
    size_t n = e - a;
    if (n < 17 || (n + 1) % 3 != 0) return false;
    char joint = s[a + 2];
    if (joint != ':' && joint != '-') return false;
    for (size_t i = 0; i < n; i++)
        if (i % 3 == 2 ? s[a + i] != joint : !hexdigit(s[a + i])) return false;
    return true;
}

/* Groups of hexadecimal digits with two colons or more: IPv6, PCI addresses, long ids. */
static bool is_colon_hex(const char *s, size_t a, size_t e) {
    size_t colons = 0, run = 0;
    for (size_t i = a; i < e; i++)
        if (s[i] == ':')
            colons++, run = 0;
        else if ((!hexdigit(s[i]) && s[i] != '.') || ++run > 4)
            return false;
    return colons >= 2;
}

/* letters, one of . - # /, then a number or version: core.2275, jetty-6.1.26, CPU-3. Gives where the number begins, or 0. */
static size_t name_and_number(const char *s, size_t a, size_t e) {
    size_t i = a;
    while (i < e && (cls(s[i]) & LET)) i++;
    if (i - a < 2 || i + 1 >= e || (s[i] != '.' && s[i] != '-')) return 0;
    size_t from = i + 1;
    if (!digit(s[from])) return 0;
    bool hex = s[i] != '.';
    for (i = from; i < e; i++)
        if (!digit(s[i]) && s[i] != '.' && s[i] != '-' && !(hex && (cls(s[i]) & HEXL))) return 0;
    return from;
}

/* --- emitting -------------------------------------------------------------------------------------------------------- */

typedef struct lexer {
    alm_tokens *out;
    const char *s;
    size_t n;
    size_t done;     /* end of the last token */
    uint64_t key;
    bool value;      /* the next token stands behind `=` */
    bool full;
    size_t moved;    /* a value that took more than its atom ends here */
} lexer;

/* a,b,c and "blk_1 blk_2 blk_3": values of one type in a row are one value, so that records with lists of different lengths
 * are one template. Numbers join only without a blank (1,024); identifiers only when they begin alike. */
static bool continues_list(const lexer *x, size_t a, unsigned flags) {
    const alm_token *last = &x->out->at[x->out->n - 1];
    const char *s = x->s;
    size_t gap = a - x->done;
    if ((last->flags | flags) & ALM_TOKEN_SOFT || gap < 1 || gap > 2 || last->type >= ALM_SLOT_MASK) return false;
    bool comma = s[x->done] == ',';
    if (gap == 2 && !(comma && s[x->done + 1] == ' ')) return false;
    if (gap == 1 && !comma && s[x->done] != ' ') return false;
    switch (last->type) {
    case ALM_SLOT_NUM: return comma && gap == 1;
    case ALM_SLOT_ID: return last->n >= 3 && a + 3 <= x->n && memcmp(s + last->at, s + a, 3) == 0;
    case ALM_SLOT_IP:
    case ALM_SLOT_UUID:
    case ALM_SLOT_PATH:
    case ALM_SLOT_HOST: return true;
    default: return false;
    }
}

static inline void emit(lexer *x, size_t a, size_t e, unsigned type, unsigned flags) {
    alm_tokens *o = x->out;
    if (o->n == ALM_LOG_MAX_TOKENS - 1) { /* the last place takes all that is left */
        x->full = true;
        return;
    }
    if (type >= ALM_SLOT_NUM && o->n && o->at[o->n - 1].type == type && continues_list(x, a, flags)) {
        alm_token *list = &o->at[o->n - 1];
        list->n = (uint32_t)(e - list->at);
        x->done = e;
        return;
    }
    alm_token *t = &o->at[o->n];
    t->sep_at = (uint32_t)x->done;
    t->at = (uint32_t)a;
    t->n = (uint32_t)(e - a);
    t->sep_hash = sep_hash(x->s + x->done, a - x->done, o->n);
    t->hash = word_hash(x->s + a, e - a);
    t->type = (uint8_t)type;
    t->flags = (uint8_t)flags;
    x->key += share(t->sep_hash, type == ALM_SLOT_CONST ? t->hash : SLOT_WORD);
    x->done = e;
    x->value = false;
    o->n++;
}

/* Alone between quotes, or the only argument of a call: chdir(name). */
static bool quoted(const lexer *x, size_t a, size_t e) {
    if (a == 0 || e >= x->n) return false;
    char q = x->s[a - 1];
    if (q == '(') return x->s[e] == ')' && a >= 2 && (cls(x->s[a - 2]) & (LET | DIG | UND));
    return (q == '"' || q == '\'' || q == '`') && (x->s[e] == q || (q == '`' && x->s[e] == '\''));
}

static inline void emit_const(lexer *x, size_t a, size_t e, unsigned acc) {
    unsigned flags = (acc & LOW) ? 0 : ALM_TOKEN_UPPER;
    if (x->value) {
        /* a=b=c: the middle word is a key again */
        if (!(e < x->n && x->s[e] == '=' )) {
            emit(x, a, e, ALM_SLOT_WORD, flags | ALM_TOKEN_SOFT | ALM_TOKEN_VALUE);
            return;
        }
    } else if (quoted(x, a, e) && !(acc & COL)) {
        emit(x, a, e, ALM_SLOT_WORD, flags | ALM_TOKEN_SOFT | ALM_TOKEN_QUOTED);
        return;
    }
    emit(x, a, e, ALM_SLOT_CONST, flags);
}

static void emit_soft(lexer *x, size_t a, size_t e, unsigned type, unsigned acc) {
    bool key = e < x->n && x->s[e] == '=' && e + 1 < x->n && x->s[e + 1] != '=';
    bool call = e < x->n && x->s[e] == '(';
    if (key || call) emit(x, a, e, ALM_SLOT_CONST, (acc & LOW) ? 0 : ALM_TOKEN_UPPER);
    else emit(x, a, e, type, ((acc & LOW) ? 0u : ALM_TOKEN_UPPER) | ALM_TOKEN_SOFT);
}

/* --- words of the calendar -------------------------------------------------------------------------------------------- */

static bool in_list(const char *s, const char *list) {
    for (; *list; list += 3)
        if (s[0] == list[0] && s[1] == list[1] && s[2] == list[2]) return true;
    return false;
}
static bool weekday(const char *s) { return in_list(s, "MonTueWedThuFriSatSun"); }
static bool month(const char *s) { return in_list(s, "JanFebMarAprMayJunJulAugSepOctNovDec"); }

static size_t blanks(const lexer *x, size_t i) {
    while (i < x->n && x->s[i] == ' ') i++;
    return i;
}

/* "Fri Jul 01 08:16:53 PDT 2005", "Jun 14 15:16:01", "Sat, 14 Mar 2026 09:26:53 +0000", any prefix of at least two parts.
 * Gives its end, or 0. */
static size_t calendar(const lexer *x, size_t a) {
    const char *s = x->s;
    size_t i = a, e = 0, n = x->n;
    bool has_month = false;
    if (i + 3 < n && weekday(s + i)) {
        i += 3;
        if (s[i] == ',') i++;
        if (i >= n || s[i] != ' ') return 0;
        i = blanks(x, i);
    }
    size_t k = digits(s, i, n);
    if (k >= 1 && k <= 2 && i > a && i + k + 4 < n && s[i + k] == ' ' && month(s + i + k + 1)) {
        i = e = i + k + 4, has_month = true; /* 14 Mar */
    } else if (i + 4 < n && month(s + i) && s[i + 3] == ' ') {
        i = blanks(x, i + 3);
        k = digits(s, i, n);
        if (k < 1 || k > 2) return 0;
        i += k, e = i, has_month = true;
    }
    if (!has_month || (i < n && (cls(s[i]) & (LET | UND | DOT | SLA | COL)))) return 0;
    for (int part = 0; part < 4; part++) { /* time, year, zone in any order */
        if (i < n && s[i] == ',') i++;
        if (i >= n || s[i] != ' ') break;
        i = blanks(x, i);
        size_t j = i;
        while (j < n && !(cls(s[j]) & SEP)) j++;
        while (j > i && (s[j - 1] == ':' || s[j - 1] == '.')) j--;
        k = digits(s, i, j);
        bool ok = is_time(s, i, j) || (k == 4 && k == j - i && (s[i] == '1' || s[i] == '2')) ||
                  (j - i == 5 && (s[i] == '+' || s[i] == '-') && digits(s, i + 1, j) == 4);
        if (!ok && part > 0 && j - i >= 3 && j - i <= 4 && s[j - 1] == 'T' ) { /* PDT, CEST, GMT: zones end in T */
            ok = true;
            for (size_t q = i; q < j; q++) ok = ok && s[q] >= 'A' && s[q] <= 'Z';
        }
        if (!ok && part > 0 && j - i == 3 && memcmp(s + i, "UTC", 3) == 0) ok = true;
        if (!ok) break;
        i = e = j;
    }
    return e;
}

/* --- atoms ------------------------------------------------------------------------------------------------------------ */

static bool is_bool_word(const char *s, size_t n) {
    if (n == 4) return !memcmp(s, "true", 4) || !memcmp(s, "null", 4) || !memcmp(s, "True", 4) || !memcmp(s, "None", 4) || !memcmp(s, "TRUE", 4) || !memcmp(s, "NULL", 4);
    if (n == 5) return !memcmp(s, "false", 5) || !memcmp(s, "False", 5) || !memcmp(s, "FALSE", 5);
    return n == 3 && !memcmp(s, "nil", 3);
}

/* The unit of a quantity, "370.0 KB": soft, since it changes with the size of the number. */
static bool unit(lexer *x, size_t a, size_t e) {
    const alm_tokens *o = x->out;
    if (!o->n || o->at[o->n - 1].type != ALM_SLOT_NUM || a != x->done + 1 || x->s[x->done] != ' ') return false;
    if (e < x->n && x->s[e] == '=') return false;
    alm_str w = {x->s + a, e - a};
    static const char list[] = " B KB MB GB TB PB kB KiB MiB GiB TiB ns us ms s sec min ";
    char padded[5] = {' '};
    memcpy(padded + 1, w.at, w.n);
    padded[w.n + 1] = ' ';
    if (alm_str_find((alm_str){list, sizeof list - 1}, (alm_str){padded, w.n + 2}) == SIZE_MAX) return false;
    emit(x, a, e, ALM_SLOT_WORD, ALM_TOKEN_SOFT);
    return true;
}

/* A word of letters, `_` and `-`. Returns its end, which a date may have moved. */
static inline size_t word(lexer *x, size_t a, size_t e, unsigned acc) {
    size_t n = e - a;
    if (n <= 5 && n >= 3) {
        const char *s = x->s + a;
        char c = s[0];
        if ((c == 't' || c == 'f' || c == 'n' || c == 'T' || c == 'F' || c == 'N') && is_bool_word(s, n)) {
            emit(x, a, e, ALM_SLOT_BOOL, 0);
            return e;
        }
        if (n <= 3 && unit(x, a, e)) return e;
        if (n == 3 && c <= 'Z' && (weekday(s) || month(s))) {
            size_t end = calendar(x, a);
            if (end) {
                emit(x, a, end, ALM_SLOT_TIME, 0);
                return end;
            }
        }
    } else if (n <= 2 && unit(x, a, e)) {
        return e;
    } else if (n == 1 && (acc & HYP)) { /* a lone `-` stands for a value that is absent */
        emit(x, a, e, ALM_SLOT_ANY, ALM_TOKEN_SOFT);
        return e;
    }
    if (!(acc & LET)) return e; /* ----, ___: part of the separator */
    while (a < e && (cls(x->s[a]) & HYP)) a++;
    emit_const(x, a, e, acc);
    return e;
}

static unsigned classes(const char *s, size_t a, size_t e) {
    unsigned acc = 0;
    for (size_t i = a; i < e; i++) acc |= cls(s[i]);
    return acc;
}

/* Is a port or an address behind it: name:8080, name/10.1.2.3? */
static bool names_host(const lexer *x, size_t e) {
    if (e + 1 >= x->n) return false;
    if (x->s[e] == ':') {
        size_t k = digits(x->s, e + 1, x->n);
        return k >= 2 && k <= 5 && (e + 1 + k == x->n || !(cls(x->s[e + 1 + k]) & (LET | UND | DOT)) || (cls(x->s[e + 1 + k]) & DOT));
    }
    return x->s[e] == '/' && quad(x->s, e + 1, x->n) > 0;
}

static bool all_hex(const char *s, size_t a, size_t e) {
    for (size_t i = a; i < e; i++)
        if (!hexdigit(s[i])) return false;
    return true;
}

/* A piece with a digit that is cut no further. */
static void leaf(lexer *x, size_t a, size_t e) {
    const char *s = x->s;
    size_t b = a;
    while (b < e && !(cls(s[b]) & (LET | DIG | HYP | UND))) b++; /* * $ & before it */
    if (b == e) return;
    size_t f = b;
    if ((cls(s[f]) & HYP) && f + 1 < e) f++;
    if (digit(s[f])) {
        unsigned acc = classes(s, b, e);
        if (b == a && b >= 2 && s[b - 1] == '<' && s[b - 2] == ' ' && b - 1 >= x->done && !(e < x->n && s[e] == '>')) {
            size_t to = e; /* "<1 sec": below the smallest number that is told */
            while (to < x->n && (s[to] == ' ' || (cls(s[to]) & LET)) && to < e + 8) to++;
            bool whole = to > e + 1 && s[e] == ' ' && (to == x->n || (cls(s[to]) & SEP)) && !memchr(s + e + 1, ' ', to - e - 1);
            x->moved = whole ? to : e;
            emit(x, b - 1, x->moved, ALM_SLOT_NUM, 0);
            return;
        }
        if (f + 1 < e && s[f] == '0' && (s[f + 1] == 'x' || s[f + 1] == 'X')) emit(x, b, e, ALM_SLOT_HEX, 0);
        else if (quad(s, f, e) == e - f) emit(x, b, e, ALM_SLOT_IP, 0);
        else if (is_uuid(s, b, e)) emit(x, b, e, ALM_SLOT_UUID, 0);
        else if (is_time(s, b, e)) emit(x, b, e, ALM_SLOT_TIME, 0);
        else if (is_mac(s, b, e)) emit(x, b, e, ALM_SLOT_MAC, 0);
        else if (!(acc & ~(unsigned)(DIG | DOT | HYP | UND | OTH))) emit(x, b, e, ALM_SLOT_NUM, 0);
        else if (e - f >= 6 && all_hex(s, f, e)) emit(x, b, e, ALM_SLOT_HEX, 0);
        else {
            size_t k = digits(s, f, e); /* 64172MB, 10000ms, 16K: a quantity with its unit */
            size_t i = f + k;
            while (i < e && (digit(s[i]) || s[i] == '.')) i++;
            size_t unit = 0;
            while (i < e && (cls(s[i]) & LET)) i++, unit++;
            emit(x, b, e, i == e && unit <= 4 ? ALM_SLOT_NUM : (acc & DOT) ? ALM_SLOT_HOST : ALM_SLOT_ID, 0);
        }
        return;
    }
    while (b < e && (cls(s[b]) & HYP)) b++;
    if (b == e) return;
    if (is_uuid(s, b, e)) {
        emit(x, b, e, ALM_SLOT_UUID, 0);
        return;
    }
    if (is_mac(s, b, e)) {
        emit(x, b, e, ALM_SLOT_MAC, 0);
        return;
    }
    unsigned acc = classes(s, b, e);
    size_t n_digit = 0, groups = 0, dots = 0;
    bool hex = true;
    for (size_t i = b; i < e; i++) {
        if (digit(s[i])) n_digit++, groups += i == b || !digit(s[i - 1]);
        else if (!(cls(s[i]) & HEXL)) hex = false;
        dots += s[i] == '.';
    }
    if (n_digit == 0) {
        if (dots >= 2 && names_host(x, e)) emit(x, b, e, ALM_SLOT_HOST, 0);
        else emit_const(x, b, e, acc);
        return;
    }
    if (hex && e - b >= 4) {
        emit(x, b, e, ALM_SLOT_HEX, 0);
        return;
    }
    if ((s[b] == 'v' || s[b] == 'V') && digit(s[b + 1]) && n_digit > 1) {
        emit(x, b, e, ALM_SLOT_NUM, 0);
        return;
    }
    size_t number = name_and_number(s, b, e);
    if (number) {
        emit(x, b, number - 1, ALM_SLOT_CONST, (acc & LOW) ? 0 : ALM_TOKEN_UPPER);
        emit(x, number, e, ALM_SLOT_NUM, 0);
        return;
    }
    bool call = e < x->n && (s[e] == '(' || s[e] == '=');
    if (x->out->n == 0 && n_digit <= 4 && groups == 1 && e < x->n && s[e] == ':' && (e + 1 == x->n || s[e + 1] == ' '))
        call = true; /* "eth0: ...", the part of the program that speaks */
    if (!call && names_host(x, e)) emit(x, b, e, ALM_SLOT_HOST, 0);
    else if (!call && (n_digit >= 3 || groups >= 2)) emit(x, b, e, dots ? ALM_SLOT_HOST : ALM_SLOT_ID, 0);
    else emit_soft(x, b, e, dots ? ALM_SLOT_HOST : ALM_SLOT_ID, acc);
}

/* Cuts at `:`, `@`, `#`, `/` from the left; a piece without a digit is a constant. */
static void pieces(lexer *x, size_t a, size_t e) {
    const char *s = x->s;
    while (a < e) {
        size_t i = a;
        while (i < e && s[i] != ':' && s[i] != '@' && s[i] != '#' && s[i] != '/') i++;
        if (i > a) leaf(x, a, i);
        a = i + 1;
    }
}

/* End of a URL or of a path with a query: it may hold = & , ; as long as something follows them. */
static size_t extend_url(const lexer *x, size_t e) {
    while (e + 1 < x->n && (x->s[e] == '=' || x->s[e] == ';' || x->s[e] == ',') && !(cls(x->s[e + 1]) & SEP)) {
        e++;
        while (e < x->n && !(cls(x->s[e]) & SEP)) e++;
    }
    return e;
}

/* "/index.html HTTP/1.1": the request target and the version are one value. */
static size_t extend_request(const lexer *x, size_t e) {
    if (e + 9 <= x->n && !memcmp(x->s + e, " HTTP/", 6) && digit(x->s[e + 6])) {
        e += 6;
        while (e < x->n && (digit(x->s[e]) || x->s[e] == '.')) e++;
    }
    return e;
}

static size_t find(const char *s, size_t a, size_t e, const char *what, size_t n_what) {
    for (size_t i = a; i + n_what <= e; i++)
        if (!memcmp(s + i, what, n_what)) return i;
    return 0;
}

/* An atom with something other than letters, `_` and `-` in it. Returns its end, which a URL may have moved. */
static size_t complex_atom(lexer *x, size_t a, size_t e, unsigned acc) {
    const char *s = x->s;
    size_t end = e;
    while (e > a && (cls(s[e - 1]) & (DOT | COL) || s[e - 1] == '!' || s[e - 1] == '?')) e--;
    if (e < end) {
        acc = classes(s, a, e);
        if (!(acc & ~(unsigned)(LET | HEXL | UND | HYP | LOW))) {
            if (e > a) word(x, a, e, acc);
            return x->done > end ? x->done : end;
        }
    }
    if (!(acc & (LET | DIG | SLA))) return end;
    if (acc & COL) {
        size_t scheme = find(s, a, e, "://", 3);
        if (scheme > a) {
            size_t to = extend_url(x, end);
            while (to > scheme + 3 && (cls(s[to - 1]) & (DOT | COL) || s[to - 1] == '!' || s[to - 1] == '?')) to--;
            to = to > e ? to : e;
            x->value = false;
            emit(x, a, scheme, ALM_SLOT_CONST, 0);
            if (to > scheme + 3) {
                bool has_digit = (classes(s, scheme + 3, to) & DIG) != 0;
                emit(x, scheme + 3, to, ALM_SLOT_URL, has_digit ? 0 : ALM_TOKEN_SOFT);
            }
            return to > end ? to : end;
        }
        if (acc & DIG) {
            if (is_time(s, a, e)) {
                emit(x, a, e, ALM_SLOT_TIME, 0);
                return end;
            }
            if (is_mac(s, a, e)) {
                emit(x, a, e, ALM_SLOT_MAC, 0);
                return end;
            }
            if (is_colon_hex(s, a, e)) {
                emit(x, a, e, (acc & DOT) ? ALM_SLOT_ID : ALM_SLOT_IP, 0);
                return end;
            }
        }
    }
    if (acc & SLA) {
        size_t slashes = 0, back = 0;
        for (size_t i = a; i < e; i++) slashes += s[i] == '/', back += s[i] == '\\';
        if (s[a] == '/' && a + 1 < e && digit(s[a + 1])) {
            size_t k = quad(s, a + 1, e);
            if (k) { /* /10.1.2.3:80 */
                emit(x, a, a + 1 + k, ALM_SLOT_IP, 0);
                if (a + 1 + k < e) pieces(x, a + 1 + k, e);
                return end;
            }
        }
        bool drive = e - a >= 3 && s[a + 1] == ':' && (cls(s[a]) & LET) && (cls(s[a + 2]) & SLA);
        if (s[a] == '/' || ((s[a] == '~' || s[a] == '.') && find(s, a + 1, e < a + 4 ? e : a + 4, "/", 1)) || drive || back > 0) {
            size_t to = extend_request(x, find(s, a, e, "?", 1) ? extend_url(x, end) : end);
            emit(x, a, to > end ? to : e, ALM_SLOT_PATH, 0);
            return to > end ? to : end;
        }
        if (is_time(s, a, e)) {
            emit(x, a, e, ALM_SLOT_TIME, 0);
            return end;
        }
        size_t colon = find(s, a, e, ":/", 2); /* file:/a/b: a name, then a path */
        if (colon > a) {
            emit(x, a, colon, ALM_SLOT_CONST, 0);
            emit(x, colon + 1, e, ALM_SLOT_PATH, 0);
            return end;
        }
        if (slashes >= 2) {
            bool soft = !(acc & DIG);
            emit(x, a, e, ALM_SLOT_PATH, soft ? ALM_TOKEN_SOFT : 0);
            return end;
        }
    }
    if (acc & DOT) { /* "instruction......0": a leader of dots */
        size_t dots = find(s, a, e, "..", 2);
        if (dots > a) {
            size_t from = dots;
            while (from < e && s[from] == '.') from++;
            complex_atom(x, a, dots, classes(s, a, dots));
            complex_atom(x, from, e, classes(s, from, e));
            return end;
        }
    }
    if (acc & OTH) {
        size_t at = find(s, a, e, "@", 1);
        if (at > a && find(s, at + 2, e, ".", 1) && !(classes(s, at + 1, e) & (COL | SLA)) && (cls(s[e - 1]) & LET)) {
            emit_soft(x, a, e, ALM_SLOT_EMAIL, acc);
            return end;
        }
    }
    if (acc & DIG) {
        pieces(x, a, e);
        return end;
    }
    size_t b = a;
    while (b < e && !(cls(s[b]) & (LET | UND))) b++;
    if (b == e) return end;
    if (acc & COL) { /* enabled:true */
        size_t last = e;
        while (last > b && s[last - 1] != ':') last--;
        if (last > b + 1 && e - last >= 3 && e - last <= 5 && is_bool_word(s + last, e - last)) {
            emit_const(x, b, last - 1, acc);
            emit(x, last, e, ALM_SLOT_BOOL, 0);
            return end;
        }
    }
    if ((acc & DOT) && !(acc & (COL | OTH | SLA)) && e == end && x->out->n > 0 && s[b] != '.') {
        emit_soft(x, b, e, ALM_SLOT_HOST, acc);
        return end;
    }
    emit_const(x, b, e, acc);
    if (x->out->n && (acc & DOT)) x->out->at[x->out->n - 1].flags |= ALM_TOKEN_DOTTED;
    return end;
}

/* --- the line ---------------------------------------------------------------------------------------------------------- */

/* Inside a separator: `()` or `""` that stands where a value would stand holds an empty value. */
static size_t empty_pair(const char *s, size_t from, size_t to) {
    for (size_t i = from; i + 1 < to; i++) {
        char c = s[i], d = s[i + 1];
        if ((c == '(' && d == ')') || (c == '[' && d == ']') || (c == '"' && d == '"') || (c == '\'' && d == '\'')) {
            if (i > 0 && ((cls(s[i - 1]) & (BLANK | EQ)) || s[i - 1] == ':' || s[i - 1] == ',')) return i + 1;
        }
    }
    return 0;
}

/* Is the token at the end of the output the key of the record's message, whose words are constants? */
static bool message_key(const lexer *x) {
    const alm_tokens *o = x->out;
    if (!o->n) return false;
    const alm_token *k = &o->at[o->n - 1];
    static const char *const keys[] = {"msg", "message", "text", "event", "error", "err", "reason", "log", "body", "exception", "detail", "description"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strlen(keys[i]) == k->n && memcmp(keys[i], x->s + k->at, k->n) == 0) return true;
    return false;
}

/* The separator [sep, a) holds `=` or an opening bracket or quote: is an empty value in it, or a value behind it? */
static void value_place(lexer *x, size_t sep, size_t a, unsigned acc) {
    const char *s = x->s;
    size_t pair = (acc & OPEN) && a - sep >= 2 ? empty_pair(s, sep, a) : 0;
    if (pair) {
        emit(x, pair, pair, ALM_SLOT_ANY, ALM_TOKEN_SOFT);
        return;
    }
    if (!(acc & EQ)) return;
    bool key_before = s[sep] == '=' && sep > 0;
    bool empty = a - sep == 1 ? a == x->n : strchr(",;)]}", s[sep + 1]) != NULL && s[sep + 1];
    if (key_before && empty) {
        emit(x, sep + 1, sep + 1, ALM_SLOT_ANY, ALM_TOKEN_SOFT); /* key=, */
        return;
    }
    if (a - sep == 2 && key_before && (s[a - 1] == '"' || s[a - 1] == '\'')) { /* key="two words" */
        size_t close = a;
        while (close < x->n && s[close] != s[a - 1] && close < a + 256) close++;
        if (close < x->n && s[close] == s[a - 1] && memchr(s + a, ' ', close - a) && !message_key(x)) {
            bool has_digit = (classes(s, a, close) & DIG) != 0;
            emit(x, a, close, ALM_SLOT_STR, has_digit ? 0 : ALM_TOKEN_SOFT | ALM_TOKEN_VALUE);
            return;
        }
    }
    size_t eq = a; /* the value follows `=` and at most a quote, a bracket or a blank */
    while (eq > sep && s[eq - 1] != '=') eq--;
    x->value = a - eq <= 1;
}

void alm_log_tokenise(alm_tokens *out, alm_str line, const alm_mask_hit *hit, size_t n_hit) {
    out->n = 0;
    size_t n = line.n < ALM_LOG_MAX_BYTES ? line.n : ALM_LOG_MAX_BYTES;
    const char *s = line.at;
    size_t i = 0;
    while (i < n && (cls(s[i]) & BLANK)) i++;
    if (n == line.n)
        while (n > i && (cls(s[n - 1]) & BLANK)) n--;
    lexer x = {.out = out, .s = s, .n = n, .done = i};
    size_t next_hit = 0;
    while (i < n && !x.full) {
        size_t stop = n; /* a user mask claims what it covers before any form is looked at */
        while (next_hit < n_hit && hit[next_hit].at < i) next_hit++;
        if (next_hit < n_hit && hit[next_hit].at < n) stop = hit[next_hit].at;
        x.n = stop;
        size_t sep = i;
        unsigned acc = 0, c;
        while (i < stop && ((c = cls(s[i])) & SEP)) acc |= c, i++;
        if (acc & (EQ | OPEN)) {
            value_place(&x, sep, i, acc);
            if (x.done > i) {
                i = x.done;
                continue;
            }
        }
        if (i == stop) {
            if (stop == n) break;
            size_t e = i + hit[next_hit].n < n ? i + hit[next_hit].n : n;
            emit(&x, i, e, hit[next_hit].type, 0);
            i = e;
            continue;
        }
        size_t a = i;
        acc = 0;
        while (i < stop && !((c = cls(s[i])) & SEP)) acc |= c, i++;
        if (x.value && a - sep >= 2 && s[sep] == '=' && i < stop && s[i] == '=') {
            emit(&x, sep + 1, sep + 1, ALM_SLOT_ANY, ALM_TOKEN_SOFT); /* "a= b=1": a has no value */
            x.value = false;
        }
        if (!(acc & ~(unsigned)(LET | HEXL | UND | HYP | LOW))) i = word(&x, a, i, acc);
        else i = complex_atom(&x, a, i, acc);
        if (x.done > i) i = x.done;
    }
    x.n = n;
    if (x.full || n < line.n) { /* what is left is one value */
        alm_token *t = &out->at[out->n];
        size_t a = x.done;
        *t = (alm_token){.sep_hash = sep_hash(s, 0, out->n), .at = (uint32_t)a, .n = (uint32_t)((line.n < UINT32_MAX ? line.n : UINT32_MAX) - a), .sep_at = (uint32_t)a, .type = ALM_SLOT_STR};
        t->hash = word_hash(s + a, n - a);
        x.key += share(t->sep_hash, SLOT_WORD);
        out->n++;
        x.done = n;
        out->tail_at = out->tail_end = (uint32_t)n;
    } else {
        out->tail_at = (uint32_t)x.done;
        out->tail_end = (uint32_t)n;
    }
    x.key += alm_log_tail_share(s + out->tail_at, out->tail_end - out->tail_at, out->n);
    out->key = x.key ? x.key : 1;
}
