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
#include "detect/log_hash.h"
#include "detect/log_lexer.h"

uint64_t alm_log_word_hash(const char *at, size_t n) { return word_hash(head_of(at, n, n), at, n); }
uint64_t alm_log_share_of(uint64_t s, uint64_t w) { return share(s, w); }
uint64_t alm_log_slot_share(uint64_t s) { return share(s, SLOT_WORD); }
uint64_t alm_log_share(const alm_token *t) {
    return share(t->sep_hash, t->type == ALM_SLOT_CONST ? t->hash : SLOT_WORD);
}
uint64_t alm_log_sep_hash(const char *sep, size_t n, uint32_t position) { return sep_hash(sep, n, position); }
uint64_t alm_log_tail_share(const char *sep, size_t n, uint32_t n_token) {
    return share(sep_hash(sep, n, n_token), n_token);
}

/* --- emitting -------------------------------------------------------------------------------------------------------- */

typedef struct lexer {
    alm_tokens *out;
    const alm_log_marks *mark;
    const char *s;
    size_t length; /* of the record, as far as it is looked at */
    size_t n;      /* end of what may be looked at now */
    size_t done;   /* end of the last token */
    uint64_t key, types;
    const alm_mask_hit *hit;
    size_t n_hit;
    bool value; /* the next token stands behind `=` */
    bool full;
} lexer;

static inline unsigned acc_of(const lexer *x, size_t a, size_t e) { return classes_in(x->mark, a, e); }

/* a,b,c and "blk_1 blk_2 blk_3": values of one type in a row are one value, so that records with lists of different lengths
 * are one template. Numbers join only without a blank (1,024); identifiers only when they begin alike. */
static bool continues_list(lexer *x, size_t a, unsigned flags) {
    const alm_token *last = &x->out->at[x->out->n - 1];
    const char *s = x->s;
    size_t gap = a - x->done;
    if ((last->flags | flags) & ALM_TOKEN_SOFT || gap < 1 || gap > 2 || last->type >= ALM_SLOT_MASK) return false;
    bool comma = s[x->done] == ',';
    if (gap == 2 && !(comma && s[x->done + 1] == ' ')) return false;
    if (gap == 1 && !comma && s[x->done] != ' ') return false;
    switch (last->type) {
    case ALM_SLOT_NUM: return comma && gap == 1;
    case ALM_SLOT_PATH: return comma;
    case ALM_SLOT_ID:
        if (last->n < 3 || a + 3 > x->n) return false;
        for (size_t i = 0; i < 3; i++) {
            if (digit(s[last->at + i])) alm_looked_at(&x->out->look, last->at + i);
            if (digit(s[a + i])) alm_looked_at(&x->out->look, a + i);
        }
        return memcmp(s + last->at, s + a, 3) == 0;
    case ALM_SLOT_IP:
    case ALM_SLOT_UUID:
    case ALM_SLOT_HOST: return true;
    default: return false;
    }
}

/* `hash` is that of the bytes for constants and soft slots, 0 for others. */
static void put(lexer *x, size_t a, size_t e, unsigned type, unsigned flags, uint64_t hash) {
    alm_tokens *o = x->out;
    if (o->n == ALM_LOG_MAX_TOKENS - 1) { /* the last place takes all that is left */
        x->full = true;
        return;
    }
    alm_token *t = &o->at[o->n];
    if (type >= ALM_SLOT_NUM && o->n && t[-1].type == type && continues_list(x, a, flags)) {
        t[-1].n = (uint32_t)(e - t[-1].at);
        x->done = e;
        return;
    }
    uint64_t sep = sep_hash(x->s + x->done, a - x->done, o->n);
    t->hash = hash;
    t->sep_hash = sep;
    t->at = (uint32_t)a;
    t->n = (uint32_t)(e - a);
    t->sep_at = (uint32_t)x->done;
    t->type = (uint8_t)type;
    t->flags = (uint8_t)flags;
    x->key += share(sep, type == ALM_SLOT_CONST ? hash : SLOT_WORD);
    x->types = x->types * 31 + type;
    x->done = e;
    x->value = false;
    o->n++;
}

static inline uint64_t hash_at(const lexer *x, size_t a, size_t e) {
    return word_hash(head_of(x->s + a, e - a, x->length - a), x->s + a, e - a);
}

static void emit(lexer *x, size_t a, size_t e, unsigned type, unsigned flags) {
    put(x, a, e, type, flags, type == ALM_SLOT_CONST || (flags & ALM_TOKEN_SOFT) ? hash_at(x, a, e) : 0);
}

/* Alone between quotes, or the only argument of a call: chdir(name). */
static inline bool quoted(const lexer *x, size_t a, size_t e) {
    if (a == 0 || e >= x->n) return false;
    char q = x->s[a - 1];
    if (q == ' ') return false;
    if (q == '(') return x->s[e] == ')' && a >= 2 && (cls(x->s[a - 2]) & (LET | DIG | UND));
    return (q == '"' || q == '\'' || q == '`') && (x->s[e] == q || (q == '`' && x->s[e] == '\''));
}

/* "for user anna", "invalid user anna": behind these words stands who it was, however often the same name is seen. */
static bool names_user(const lexer *x, const alm_token *last) {
    const char *s = x->s, *before = s + last[-1].at;
    if (memcmp(s + last->at, "user", 4) != 0 || s[x->done] != ' ') return false;
    return (last[-1].n == 3 && memcmp(before, "for", 3) == 0) || (last[-1].n == 7 && memcmp(before, "invalid", 7) == 0);
}

/* A word: a constant, unless its place says that it is a value. */
static inline void put_word(lexer *x, size_t a, size_t e, bool colon, uint64_t hash) {
    unsigned type = ALM_SLOT_CONST, flags = 0;
    const alm_token *last = &x->out->at[x->out->n - (x->out->n > 0)];
    if (x->value) {
        if (!(e < x->n && x->s[e] == '='))
            type = ALM_SLOT_WORD,
            flags = ALM_TOKEN_SOFT | ALM_TOKEN_VALUE; /* in a=b=c the middle word is a key again */
    } else if (a > 0 && x->s[a - 1] != ' ' && !colon && quoted(x, a, e)) {
        type = ALM_SLOT_WORD, flags = ALM_TOKEN_SOFT | ALM_TOKEN_QUOTED;
    } else if (last->n == 4 && x->out->n > 1 && a == x->done + 1 && names_user(x, last)) {
        type = ALM_SLOT_WORD, hash = 0;
    }
    put(x, a, e, type, flags, hash);
}
static void emit_const(lexer *x, size_t a, size_t e, bool colon) { put_word(x, a, e, colon, hash_at(x, a, e)); }

/* Soft, unless it is a key or the name of a function. */
static void emit_soft(lexer *x, size_t a, size_t e, unsigned type) {
    bool key = e + 1 < x->n && x->s[e] == '=' && x->s[e + 1] != '=';
    bool call = e < x->n && x->s[e] == '(';
    if (key || call) emit(x, a, e, ALM_SLOT_CONST, 0);
    else emit(x, a, e, type, ALM_TOKEN_SOFT);
}

/* --- words ------------------------------------------------------------------------------------------------------------ */

/* "370.0 KB": the unit is soft, since it changes with the size of the number. */
static bool unit(lexer *x, size_t a, size_t e) {
    const alm_tokens *o = x->out;
    if (!o->n || o->at[o->n - 1].type != ALM_SLOT_NUM || a != x->done + 1 || x->s[x->done] != ' ') return false;
    if ((e < x->n && x->s[e] == '=') || !alm_form_unit(x->s + a, e - a)) return false;
    emit(x, a, e, ALM_SLOT_WORD, ALM_TOKEN_SOFT);
    return true;
}

/* Words of up to five letters, some of which are values. Returns true when it has emitted one; *end may have moved. */
static bool short_word(lexer *x, size_t a, size_t e, size_t *end) {
    const char *s = x->s + a;
    size_t n = e - a;
    if (n >= 3 && alm_form_bool(s, n)) {
        emit(x, a, e, ALM_SLOT_BOOL, 0);
        return true;
    }
    if (n > 3) return false;
    if (n == 3 && (alm_form_weekday(s) || alm_form_month(s))) {
        size_t to = alm_form_calendar(x->s, a, x->n, &x->out->look);
        if (to) {
            emit(x, a, to, ALM_SLOT_TIME, 0);
            *end = to;
            return true;
        }
    }
    if (n == 1 && s[0] == '-') { /* a lone `-` stands for a value that is absent */
        emit(x, a, e, ALM_SLOT_ANY, ALM_TOKEN_SOFT);
        return true;
    }
    return unit(x, a, e);
}

/* A word of letters, `_`, `-` and `+`. Returns its end, which a date may have moved. */
static inline size_t word(lexer *x, size_t a, size_t e) {
    size_t end = e, n = e - a;
    head h = head_of(x->s + a, n, x->length - a);
    if (n <= 5 && is_special(h.lo) && short_word(x, a, e, &end)) return end;
    if (n >= 8 && n <= 64 && (n & 7) == 0 &&
        bits(x->mark, ALM_MARK_HEX, a, n) == ~(uint64_t)0 >> (64 - n)) { /* ffffffff */
        emit(x, a, e, ALM_SLOT_HEX, 0);
        return e;
    }
    if (!(cls(x->s[a]) & LET)) { /* ---- and ___ are part of the separator, - before a word too */
        if (first(x->mark, ALM_MARK_LET, a, e) == e) return e;
        while (cls(x->s[a]) & HYP) a++;
        emit_const(x, a, e, false);
        return e;
    }
    put_word(x, a, e, false, word_hash(h, x->s + a, n));
    return e;
}

/* What most of a record is: letters behind one blank that are no value by any rule. False, and nothing done: word() knows. */
static inline bool plain_word(lexer *x, size_t a, size_t e) {
    alm_tokens *o = x->out;
    size_t n = e - a;
    if (x->done + 1 != a || x->s[x->done] != ' ' || x->value || (n & 7) == 0 || !(cls(x->s[a]) & LET)) return false;
    if (o->n == 0 || o->n >= ALM_LOG_MAX_TOKENS - 1 || o->at[o->n - 1].n == 4) return false;
    head h = head_of(x->s + a, n, x->length - a);
    if (n <= 5 && is_special(h.lo)) return false;
    uint64_t sep = (o->n + 1) * K0 ^ (uint64_t)' ' * K1, hash = word_hash(h, x->s + a, n);
    o->at[o->n++] = (alm_token){.hash = hash,
                                .sep_hash = sep,
                                .at = (uint32_t)a,
                                .n = (uint32_t)n,
                                .sep_at = (uint32_t)x->done,
                                .type = ALM_SLOT_CONST};
    x->key += share(sep, hash);
    x->types = x->types * 31 + ALM_SLOT_CONST;
    x->done = e;
    return true;
}

/* --- pieces with a digit ------------------------------------------------------------------------------------------------ */

/* Which bytes of a piece of up to 64 are what; bit 0 is its first byte. */
typedef struct atom {
    uint64_t dig, hex, let, dot, col, sla, oth, all;
} atom;

static inline atom look(const lexer *x, size_t a, size_t n) {
    size_t b = a >> 6, shift = a & 63;
    const uint64_t *lo = x->mark[b].of, *hi = x->mark[b + 1].of;
    uint64_t all = ~(uint64_t)0 >> (64 - n);
#define LOOK(m) ((lo[m] >> shift | hi[m] << 1 << (63 - shift)) & all)
    return (atom){LOOK(ALM_MARK_DIG), LOOK(ALM_MARK_HEX), LOOK(ALM_MARK_LET), LOOK(ALM_MARK_DOT),
                  LOOK(ALM_MARK_COL), LOOK(ALM_MARK_SLA), LOOK(ALM_MARK_OTH), all};
#undef LOOK
}

static inline atom part(const atom *t, size_t from, size_t n) {
    uint64_t all = ~(uint64_t)0 >> (64 - n);
    return (atom){t->dig >> from & all,
                  t->hex >> from & all,
                  t->let >> from & all,
                  t->dot >> from & all,
                  0,
                  0,
                  t->oth >> from & all,
                  all};
}

/* A piece that begins with a digit (or a sign and a digit) is a value. */
static unsigned number_type(const char *s, size_t a, size_t e, const atom *t) {
    size_t n = e - a, f = a + !digit(s[a]);
    unsigned lead = (unsigned)__builtin_ctzll(~(t->dig >> (f - a))); /* digits that it begins with */
    if (!t->let) {
        if (t->dot & (t->dot - 1)) {
            if (lead <= 3 && alm_form_quad(s, f, e) == e - f) return ALM_SLOT_IP;
            return alm_form_time(s, a, e) ? ALM_SLOT_TIME : ALM_SLOT_NUM;
        }
        if (n >= 8 && (lead == 4 || lead == 2)) {
            if (alm_form_time(s, a, e)) return ALM_SLOT_TIME;
            if (n >= 17 && alm_form_mac(s, a, e)) return ALM_SLOT_MAC;
        }
        return n == 36 && lead == 8 && alm_form_uuid(s, a, e) ? ALM_SLOT_UUID : ALM_SLOT_NUM;
    }
    if (s[f] == '0' && f + 1 < e && (s[f + 1] | 0x20) == 'x') return ALM_SLOT_HEX;
    if (e - f >= 6 && (((t->dig | t->hex) ^ t->all) >> (f - a)) == 0) return ALM_SLOT_HEX;
    if (n == 36 && alm_form_uuid(s, a, e)) return ALM_SLOT_UUID;
    unsigned word = (unsigned)__builtin_ctzll(t->let); /* 64172MB, 10000ms, 16K: letters at the end only, few: a unit */
    if (t->let >> word == t->all >> word && n - word <= 4) return ALM_SLOT_NUM;
    if (lead == 4 && alm_form_time(s, a, e)) return ALM_SLOT_TIME;
    if (n >= 17 && alm_form_mac(s, a, e)) return ALM_SLOT_MAC;
    return t->dot && alm_form_host(s, a, e) ? ALM_SLOT_HOST : ALM_SLOT_ID;
}

/* "<1 sec": below the smallest number that is told. Emits it and returns true. */
static bool below(lexer *x, size_t a, size_t e) {
    const char *s = x->s;
    if (a < 2 || s[a - 1] != '<' || s[a - 2] != ' ' || a - 1 < x->done || (e < x->n && s[e] == '>')) return false;
    size_t to = e;
    if (e + 1 < x->n && s[e] == ' ') {
        size_t w = e + 1;
        while (w < x->n && w < e + 8 && (cls(s[w]) & LET)) w++;
        if (alm_form_unit(s + e + 1, w - e - 1) && (w == x->n || (cls(s[w]) & (SEP | DOT)))) to = w;
    }
    emit(x, a - 1, to, ALM_SLOT_NUM, 0);
    return true;
}

/* Is the piece at a key, the name of a function, or the part of the program that speaks ("eth0: ...")? */
static bool names_something(const lexer *x, size_t e, uint64_t dig, bool groups) {
    if (e >= x->n) return false;
    if (x->s[e] == '(' || x->s[e] == '=') return true;
    return x->out->n == 0 && !groups && __builtin_popcountll(dig) <= 4 && x->s[e] == ':' &&
           (e + 1 == x->n || x->s[e + 1] == ' ');
}

/* part_7: a name and a running number. */
static bool counted(const char *s, size_t a, size_t e) {
    size_t i = e;
    while (i > a && digit(s[i - 1])) i--;
    return i < e && i > a + 1 && s[i - 1] == '_';
}

/* A piece with a digit that begins with a letter or `_`. */
static void named(lexer *x, size_t a, size_t e, const atom *t) {
    const char *s = x->s;
    size_t n = e - a;
    uint64_t dig = t->dig, starts = dig & ~(dig << 1), but_one = dig & (dig - 1);
    bool groups = (starts & (starts - 1)) != 0, three = (but_one & (but_one - 1)) != 0;
    unsigned type = t->dot && alm_form_host(s, a, e) ? ALM_SLOT_HOST : ALM_SLOT_ID,
             lead = (unsigned)__builtin_ctzll(~t->let);
    bool soft = false;
    if (n >= 4 && (dig | t->hex) == t->all) type = ALM_SLOT_HEX;
    else if (n == 36 && alm_form_uuid(s, a, e)) type = ALM_SLOT_UUID;
    else if (n >= 17 && alm_form_mac(s, a, e)) type = ALM_SLOT_MAC;
    else if ((s[a] | 0x20) == 'v' && (dig & 2) && but_one) type = ALM_SLOT_NUM;
    else {
        size_t number =
            lead >= 2 && lead < n && (s[a + lead] == '.' || s[a + lead] == '-') ? alm_form_name_number(s, a, e) : 0;
        if (number) {
            emit(x, a, number - 1, ALM_SLOT_CONST, 0);
            bool hex = t->let >> (number - a) != 0;
            type = alm_form_uuid(s, number, e) ? ALM_SLOT_UUID : hex ? ALM_SLOT_HEX : ALM_SLOT_NUM;
            a = number;
        } else if (names_something(x, e, dig, groups)) soft = true;
        else if (!three && !groups && !counted(s, a, e)) {
            if (alm_form_host_behind(s, e, x->n)) type = ALM_SLOT_HOST;
            else soft = true;
        }
    }
    if (soft) emit_soft(x, a, e, type);
    else emit(x, a, e, type, 0);
}

/* A piece that is cut no further. */
static void leaf(lexer *x, size_t a, size_t e, const atom *whole) {
    const char *s = x->s;
    size_t from = a;
    while (a < e && (cls(s[a]) & (OTH | DOT))) a++; /* * $ & before it */
    if (a == e) return;
    bool sign = (cls(s[a]) & HYP) != 0;
    bool number = digit(s[a]) || (sign && a + 1 < e && digit(s[a + 1]));
    if (!number)
        while (a < e && (cls(s[a]) & HYP)) a++;
    if (a == e) return;
    atom t = *whole;
    if (a > from) t = part(whole, a - from, e - a);
    if (number) {
        if (a == 0 || s[a - 1] != '<' || !below(x, a, e)) put(x, a, e, number_type(s, a, e, &t), 0, 0);
    } else if (t.dig) named(x, a, e, &t);
    else if (t.dot && alm_form_host_behind(s, e, x->n) && ((t.dot & (t.dot - 1)) || alm_form_domain(s, a, e)))
        emit(x, a, e, ALM_SLOT_HOST, 0);
    else emit_const(x, a, e, false);
}

/* Cuts at `:`, `@`, `#`, `/` from the left. */
static void pieces(lexer *x, size_t a, size_t e) {
    const char *s = x->s;
    while (e - a > 64) { /* longer than a mask: cut by hand */
        size_t to = first(x->mark, ALM_MARK_SLA, a, first(x->mark, ALM_MARK_COL, a, e));
        for (size_t o = first(x->mark, ALM_MARK_OTH, a, to); o < to; o = first(x->mark, ALM_MARK_OTH, o + 1, to))
            if (s[o] == '@' || s[o] == '#') to = o;
        if (to - a > 64) { /* nobody writes words of this length */
            if (acc_of(x, a, to) & DIG) emit(x, a, to, ALM_SLOT_ID, 0);
            else emit_const(x, a, to, false);
        } else if (to > a) {
            atom one = look(x, a, to - a);
            leaf(x, a, to, &one);
        }
        if (to >= e) return;
        a = to + 1;
    }
    if (a >= e) return;
    atom t = look(x, a, e - a);
    uint64_t cuts = t.col | t.sla;
    for (uint64_t left = t.oth; left; left &= left - 1) {
        unsigned at = (unsigned)__builtin_ctzll(left);
        if (s[a + at] == '@' || s[a + at] == '#') cuts |= (uint64_t)1 << at;
    }
    for (size_t from = 0, n = e - a; from < n;) {
        uint64_t next = cuts >> from;
        size_t to = next ? from + (size_t)__builtin_ctzll(next) : n;
        if (to > from) {
            atom one = part(&t, from, to - from);
            leaf(x, a + from, a + to, &one);
        }
        from = to + 1;
    }
}

/* --- atoms with more in them than letters --------------------------------------------------------------------------------- */

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

static inline bool ends_sentence(char c) { return c == '.' || c == ':' || c == '!' || c == '?'; }

static size_t url(lexer *x, size_t a, size_t scheme, size_t end) {
    size_t to = extend_url(x, end), from = scheme + 3;
    while (to > from && ends_sentence(x->s[to - 1])) to--;
    x->value = false;
    emit(x, a, scheme, ALM_SLOT_CONST, 0);
    if (to > from) emit(x, from, to, ALM_SLOT_URL, (acc_of(x, from, to) & DIG) ? 0 : ALM_TOKEN_SOFT);
    return to > end ? to : end;
}

/* With a colon inside. True when it has emitted something. */
static bool with_colon(lexer *x, size_t a, size_t e, unsigned acc) {
    const char *s = x->s;
    if (acc & DIG) {
        unsigned type = ALM_SLOT_CONST;
        if (digit(s[a]) && alm_form_time(s, a, e)) type = ALM_SLOT_TIME;
        else if (alm_form_mac(s, a, e)) type = ALM_SLOT_MAC;
        else if (hexdigit(s[a]) && alm_form_colon_hex(s, a, e)) type = (acc & DOT) ? ALM_SLOT_ID : ALM_SLOT_IP;
        if (type == ALM_SLOT_CONST) return false;
        emit(x, a, e, type, 0);
        return true;
    }
    size_t last = e; /* enabled:true */
    while (last > a && s[last - 1] != ':') last--;
    if (last > a + 1 && e - last >= 3 && e - last <= 5 && alm_form_bool(s + last, e - last)) {
        emit_const(x, a, last - 1, true);
        emit(x, last, e, ALM_SLOT_BOOL, 0);
        return true;
    }
    if ((acc & DOT) && !(acc & SLA) && last > a + 1 && last < e &&
        first(x->mark, ALM_MARK_DOT, a, last) == last) { /* action:org.example.Run */
        emit_const(x, a, last - 1, true);
        if (x->full) return true;
        emit_soft(x, last, e, alm_form_host(s, last, e) ? ALM_SLOT_HOST : ALM_SLOT_WORD);
        return true;
    }
    return false;
}

/* With a slash or backslash inside; `end` is where the atom ended before trimming. Returns its end, or 0: not emitted. */
static size_t with_slash(lexer *x, size_t a, size_t e, size_t end, unsigned acc) {
    const char *s = x->s;
    if (s[a] == '/' && a + 1 < e && digit(s[a + 1])) {
        size_t k = alm_form_quad(s, a + 1, e);
        if (k) { /* /10.1.2.3:80 */
            emit(x, a, a + 1 + k, ALM_SLOT_IP, 0);
            if (a + 1 + k < e) pieces(x, a + 1 + k, e);
            return end;
        }
    }
    size_t slash = first(x->mark, ALM_MARK_SLA, a, e), slashes = 0, back = 0;
    for (size_t i = slash; i < e; i = first(x->mark, ALM_MARK_SLA, i + 1, e))
        slashes += s[i] == '/', back += s[i] != '/';
    bool tag = slash == a && a > 0 && s[a - 1] == '<'; /* </name> */
    bool dots = (s[a] == '.' || s[a] == '~') && slash <= a + 2 && (slash == a + 1 || s[a + 1] == '.');
    bool drive = e - a >= 3 && s[a + 1] == ':' && slash == a + 2 && (cls(s[a]) & LET);
    if ((slash == a && !tag) || dots || drive || back > 0) {
        size_t to = extend_request(x, memchr(s + a, '?', e - a) ? extend_url(x, end) : end);
        emit(x, a, to > end ? to : e, ALM_SLOT_PATH, 0);
        return to > end ? to : end;
    }
    if (digit(s[a]) && alm_form_time(s, a, e)) {
        emit(x, a, e, ALM_SLOT_TIME, 0);
        return end;
    }
    if (slash > a + 1 && s[slash - 1] == ':') { /* file:/a/b: a name, then a path */
        emit(x, a, slash - 1, ALM_SLOT_CONST, 0);
        emit(x, slash, e, ALM_SLOT_PATH, 0);
        return end;
    }
    if (slashes >= 2 && !tag) {
        emit(x, a, e, ALM_SLOT_PATH, (acc & DIG) ? 0 : ALM_TOKEN_SOFT);
        return end;
    }
    return 0;
}

/* An atom with something other than letters, `_` and `-` in it. Returns its end, which a URL may have moved. */
static size_t complex_atom(lexer *x, size_t a, size_t end) {
    const char *s = x->s;
    size_t e = end;
    while (e > a && ends_sentence(s[e - 1])) e--;
    unsigned acc;
    if (e - a - 1 < 64) {
        atom t = look(x, a, e - a);
        if (t.dig && !(t.col | t.sla | t.oth) && !(t.dot & t.dot >> 1)) { /* the most frequent: a digit and no cut */
            if (t.dig == t.all && s[a - (a > 0)] != '<') emit(x, a, e, ALM_SLOT_NUM, 0);
            else leaf(x, a, e, &t);
            return end;
        }
        acc = (t.dig ? DIG : 0u) | (t.let ? LET : 0u) | (t.dot ? DOT : 0u) | (t.col ? COL : 0u) | (t.sla ? SLA : 0u) |
              (t.oth ? OTH : 0u);
    } else acc = acc_of(x, a, e);
    if (!(acc & (DIG | DOT | COL | SLA | OTH))) {
        if (e > a) word(x, a, e);
        return end;
    }
    if (!(acc & (LET | DIG | SLA))) return end; /* ***: part of the separator */
    if (acc & COL) {
        if (acc & SLA) {
            size_t colon = first(x->mark, ALM_MARK_COL, a, e);
            if (colon > a && colon + 2 < e && s[colon + 1] == '/' && s[colon + 2] == '/') return url(x, a, colon, end);
        }
        if (with_colon(x, a, e, acc)) return end;
    }
    if (acc & SLA) {
        size_t to = with_slash(x, a, e, end, acc);
        if (to) return to;
    }
    if (acc & DOT) { /* "instruction......0": a leader of dots */
        const char *dots = memmem(s + a, e - a, "..", 2);
        if (dots && dots > s + a) {
            size_t cut = (size_t)(dots - s), from = cut;
            while (from < e && s[from] == '.') from++;
            complex_atom(x, a, cut);
            if (from < e) complex_atom(x, from, e);
            return end;
        }
    }
    if ((acc & OTH) && (acc & DOT) && !(acc & SLA)) { /* name@host.domain */
        const char *at = memchr(s + a, '@', e - a);
        size_t host = at ? (size_t)(at - s) + 1 : a;
        if (host > a + 1 && host < e && first(x->mark, ALM_MARK_DOT, host, e) < e &&
            first(x->mark, ALM_MARK_COL, host, e) == e && (cls(s[e - 1]) & LET)) {
            emit_soft(x, a, e, ALM_SLOT_EMAIL);
            return end;
        }
    }
    if (acc & DIG) {
        pieces(x, a, e);
        return end;
    }
    while (a < e && !(cls(s[a]) & (LET | UND))) a++;
    if (a == e) return end;
    if ((acc & DOT) && !(acc & COL) && e == end && x->out->n > 0)
        emit_soft(x, a, e, alm_form_host(s, a, e) ? ALM_SLOT_HOST : ALM_SLOT_WORD);
    else emit_const(x, a, e, (acc & COL) != 0);
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
    const alm_token *k = x->out->n ? &x->out->at[x->out->n - 1] : NULL;
    return k && alm_form_message_key(x->s + k->at, k->n);
}

/* The separator [sep, a) holds `=` or an opening bracket or quote: is an empty value in it, or a value behind it? Emits
 * the value where it is empty or a quoted string of several words. */
static void value_place(lexer *x, size_t sep, size_t a) {
    const char *s = x->s;
    size_t pair = a - sep >= 2 ? empty_pair(s, sep, a) : 0;
    if (pair) {
        emit(x, pair, pair, ALM_SLOT_ANY, ALM_TOKEN_SOFT);
        return;
    }
    size_t eq = a;
    while (eq > sep && s[eq - 1] != '=') eq--;
    if (eq == sep) return;
    bool key_before = s[sep] == '=' && sep > 0;
    char after = a - sep == 1 ? 0 : s[sep + 1];
    if (key_before &&
        (a - sep == 1 ? a == x->n : after == ',' || after == ';' || after == ')' || after == ']' || after == '}')) {
        emit(x, sep + 1, sep + 1, ALM_SLOT_ANY, ALM_TOKEN_SOFT); /* key=, */
        return;
    }
    if (a - sep == 2 && key_before && (after == '"' || after == '\'')) { /* key="two words" */
        size_t close = a;
        while (close < x->n && s[close] != after && close < a + 256) close++;
        if (close < x->n && s[close] == after && memchr(s + a, ' ', close - a) && !message_key(x)) {
            emit(x, a, close, ALM_SLOT_STR, (acc_of(x, a, close) & DIG) ? 0 : ALM_TOKEN_SOFT | ALM_TOKEN_VALUE);
            return;
        }
    }
    x->value = a - eq <= 1 &&
               !(key_before && message_key(x)); /* the value follows `=` and at most a quote, a bracket or a blank */
}

/* Ordinary text in [i, x->n). */
static void plain_text(lexer *x, size_t i) {
    const char *s = x->s;
    const alm_mask_hit *hit = x->hit;
    size_t n = x->n, n_hit = x->n_hit, next_hit = 0;
    while (i < n && !x->full) {
        size_t stop = n; /* a user mask claims what it covers before any form is looked at */
        if (n_hit) {
            while (next_hit < n_hit && hit[next_hit].at < i) next_hit++;
            if (next_hit < n_hit && hit[next_hit].at < n) stop = hit[next_hit].at;
            x->n = stop;
        }
        size_t sep = i;
        if (i + 1 < stop && s[i] == ' ' && !(cls(s[i + 1]) & SEP)) i++; /* one blank, as nearly always */
        else i = first_word(x->mark, i, stop);
        if (i - sep > 1 || (i != sep && s[sep] != ' ')) {
            unsigned acc = 0;
            for (size_t k = sep; k < i; k++) acc |= cls(s[k]);
            if (acc & (EQ | OPEN)) {
                value_place(x, sep, i);
                if (x->done > i) {
                    i = x->done;
                    continue;
                }
            }
        }
        if (i == stop) {
            if (stop == n) break;
            size_t e = i + hit[next_hit].n < n ? i + hit[next_hit].n : n;
            emit(x, i, e, hit[next_hit].type, 0);
            i = e;
            continue;
        }
        size_t a = i;
        i = first(x->mark, ALM_MARK_SEP, i, stop);
        if (x->value && a - sep >= 2 && s[sep] == '=' && i < stop && s[i] == '=') {
            emit(x, sep + 1, sep + 1, ALM_SLOT_ANY, ALM_TOKEN_SOFT); /* "a= b=1": a has no value */
            x->value = false;
        }
        size_t length = i - a;
        uint64_t odd = length <= 64 ? bits(x->mark, ALM_MARK_ODD, a, length) : 1;
        if (!odd) {
            if (!plain_word(x, a, i)) i = word(x, a, i);
        } else if (length < 64 &&
                   odd == ~(uint64_t)0 >> (64 - length) && /* the length first: a shift by 64 is undefined */
                   bits(x->mark, ALM_MARK_DIG, a, length) == odd && s[a - (a > 0)] != '<')
            put(x, a, i, ALM_SLOT_NUM, 0, 0); /* digits only */
        else if (length <= 64 && length > 1 && odd == (uint64_t)1 << (length - 1) &&
                 ends_sentence(s[i - 1])) { /* "word:" */
            size_t to = word(x, a, i - 1);
            i = to > i ? to : i;
        } else i = complex_atom(x, a, i);
        if (x->done > i) i = x->done;
    }
    x->n = n;
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */

static size_t json_blanks(const char *s, size_t i, size_t n) {
    while (i < n && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r')) i++;
    return i;
}

/* The closing quote of the string whose text begins at i, or n. */
static size_t json_string(const char *s, size_t i, size_t n) {
    while (i < n && s[i] != '"') i += s[i] == '\\' ? 2 : 1;
    return i < n ? i : n;
}

/* End of the array that begins at i, or 0. */
static size_t json_array(const char *s, size_t i, size_t n) {
    size_t depth = 0;
    for (; i < n; i++) {
        if (s[i] == '"') {
            i = json_string(s, i + 1, n);
            if (i == n) return 0;
        } else if (s[i] == '[' || s[i] == '{') depth++;
        else if ((s[i] == ']' || s[i] == '}') && --depth == 0) return i + 1;
    }
    return 0;
}

static const alm_mask_hit *hit_in(const lexer *x, size_t a, size_t e) {
    for (size_t i = 0; i < x->n_hit; i++)
        if (x->hit[i].at >= a && x->hit[i].at < e) return &x->hit[i];
    return NULL;
}

/* The text of a string value [a, e): words of the message, or one value. */
static void json_text(lexer *x, size_t a, size_t e, bool message) {
    size_t n = x->n;
    if (a == e) {
        emit(x, a, e, ALM_SLOT_ANY, ALM_TOKEN_SOFT);
        return;
    }
    bool one = first(x->mark, ALM_MARK_SEP, a, e) == e;
    if (message || one || hit_in(x, a, e)) {
        uint32_t before = x->out->n;
        x->n = e;
        x->value = !message;
        plain_text(x, a);
        x->n = n;
        x->value = false;
        if (message || x->out->n > before) return;
    }
    emit(x, a, e, ALM_SLOT_STR, (acc_of(x, a, e) & DIG) ? 0 : ALM_TOKEN_SOFT | ALM_TOKEN_VALUE);
}

/* An object in [i, x->n), flattened in its order: keys are constants, values slots, an array is one slot. False when the
 * record is not of that form; what has been emitted is then for the caller to take back. */
static bool json_record(lexer *x, size_t i) {
    enum { MAX_DEPTH = 32 };
    const char *s = x->s;
    size_t n = x->n, depth = 0;
    bool want_key = true;
    if (i >= n || s[i] != '{') return false;
    for (depth = 1, i = json_blanks(s, i + 1, n); i < n && depth && !x->full;) {
        if (s[i] == '}') {
            depth--;
            i = json_blanks(s, i + 1, n);
            want_key = false;
            continue;
        }
        if (!want_key) {
            if (s[i] != ',') return false;
            i = json_blanks(s, i + 1, n);
            want_key = true;
            continue;
        }
        if (s[i] != '"') return false;
        size_t key = i + 1, key_end = json_string(s, key, n);
        if (key_end >= n) return false;
        i = json_blanks(s, key_end + 1, n);
        if (i >= n || s[i] != ':') return false;
        i = json_blanks(s, i + 1, n);
        if (i >= n) return false;
        emit(x, key, key_end, ALM_SLOT_CONST, 0);
        bool message = alm_form_message_key(s + key, key_end - key);
        if (s[i] == '{') {
            if (++depth > MAX_DEPTH) return false;
            i = json_blanks(s, i + 1, n);
            continue;
        }
        if (s[i] == '"') {
            size_t end = json_string(s, i + 1, n);
            if (end >= n) return false;
            json_text(x, i + 1, end, message);
            i = end + 1;
        } else if (s[i] == '[') {
            size_t end = json_array(s, i, n);
            if (!end) return false;
            emit(x, i, end, ALM_SLOT_LIST, 0);
            i = end;
        } else {
            size_t a = i;
            while (i < n && s[i] != ',' && s[i] != '}' && !(cls(s[i]) & BLANK)) i++;
            if (i == a) return false;
            const alm_mask_hit *hit = x->n_hit ? hit_in(x, a, i) : NULL;
            if (hit) emit(x, a, i, hit->type, 0);
            else if (digit(s[a]) || s[a] == '-') emit(x, a, i, ALM_SLOT_NUM, 0);
            else if (alm_form_bool(s + a, i - a)) emit(x, a, i, ALM_SLOT_BOOL, 0);
            else return false;
        }
        i = json_blanks(s, i, n);
        want_key = false;
    }
    return x->full || (depth == 0 && i == n);
}

/* --- the record ------------------------------------------------------------------------------------------------------------ */

void alm_log_tokenise(alm_tokens *out, alm_str line, const alm_mask_hit *hit, size_t n_hit, bool lines_only) {
    out->n = 0;
    out->look.n = 0;
    bool cut = line.n > ALM_LOG_MAX_BYTES;
    size_t n = cut ? ALM_LOG_MAX_BYTES : line.n;
    const char *s = line.at;
    size_t i = 0;
    while (i < n && (cls(s[i]) & BLANK)) i++;
    if (!cut)
        while (n > i && (cls(s[n - 1]) & BLANK)) n--;
    alm_log_mark_bytes(out->mark, s, n);
    const lexer fresh = {
        .out = out, .mark = out->mark, .s = s, .length = n, .n = n, .done = i, .hit = hit, .n_hit = n_hit};
    lexer x = fresh;
    bool object = !lines_only && n > i + 1 && !cut && s[i] == '{' && s[n - 1] == '}';
    if (object && !json_record(&x, i)) {
        object = false;
        out->n = 0;
        x = fresh;
    }
    if (!object) plain_text(&x, i);
    if (x.full || cut) { /* what is left is one value */
        alm_token *t = &out->at[out->n];
        size_t a = x.done;
        *t = (alm_token){.sep_hash = sep_hash(s, 0, out->n),
                         .at = (uint32_t)a,
                         .n = (uint32_t)((line.n < UINT32_MAX ? line.n : UINT32_MAX) - a),
                         .sep_at = (uint32_t)a,
                         .type = ALM_SLOT_STR};
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
    out->types = x.types * K0 + out->n;
}
