/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_letters.c - what Unicode says of characters, as Python's str methods use it: classes, cases, lengths, blanks at ends.
 *
 * The tables are runs in the order of characters (letters.inc), searched by halving; ASCII, which is nearly everything, is
 * decided before. Lower case of a capital sigma is the final form behind a letter and before none. */
#include "base/alloc.h"
#include "text/chat_inner.h"

typedef struct class_run {
    uint32_t first, last;
    uint16_t class;
} class_run;
typedef struct case_run {
    uint32_t first, last;
    int32_t step, difference;
} case_run;
typedef struct case_many {
    uint32_t from;
    uint32_t to[3];
} case_many;

#define NOTHING(...)
#define CLASS(first, last, class)          {first, last, class},
#define RUN(first, last, step, difference) {first, last, step, difference},
#define MANY(from, a, b, c)                {from, {a, b, c}},

#define ALM_CLASS      CLASS
#define ALM_UPPER      NOTHING
#define ALM_LOWER      NOTHING
#define ALM_TITLE      NOTHING
#define ALM_UPPER_MANY NOTHING
#define ALM_LOWER_MANY NOTHING
#define ALM_TITLE_MANY NOTHING
static const class_run classes[] = {
#include "text/letters.inc"
};
#undef ALM_CLASS
#undef ALM_UPPER
#define ALM_CLASS NOTHING
#define ALM_UPPER RUN
static const case_run upper[] = {
#include "text/letters.inc"
};
#undef ALM_UPPER
#undef ALM_LOWER
#define ALM_UPPER NOTHING
#define ALM_LOWER RUN
static const case_run lower[] = {
#include "text/letters.inc"
};
#undef ALM_LOWER
#undef ALM_TITLE
#define ALM_LOWER NOTHING
#define ALM_TITLE RUN
static const case_run title[] = {
#include "text/letters.inc"
};
#undef ALM_TITLE
#undef ALM_UPPER_MANY
#define ALM_TITLE      NOTHING
#define ALM_UPPER_MANY MANY
static const case_many upper_many[] = {
#include "text/letters.inc"
};
#undef ALM_UPPER_MANY
#undef ALM_LOWER_MANY
#define ALM_UPPER_MANY NOTHING
#define ALM_LOWER_MANY MANY
static const case_many lower_many[] = {
#include "text/letters.inc"
};
#undef ALM_LOWER_MANY
#undef ALM_TITLE_MANY
#define ALM_LOWER_MANY NOTHING
#define ALM_TITLE_MANY MANY
static const case_many title_many[] = {
#include "text/letters.inc"
};

static const struct {
    const case_run *run;
    size_t n;
    const case_many *many;
    size_t n_many;
} cases[] = {
    {upper, sizeof upper / sizeof *upper, upper_many, sizeof upper_many / sizeof *upper_many},
    {lower, sizeof lower / sizeof *lower, lower_many, sizeof lower_many / sizeof *lower_many},
    {title, sizeof title / sizeof *title, title_many, sizeof title_many / sizeof *title_many},
};

static unsigned ascii_class(uint32_t c) {
    if (c >= 'a' && c <= 'z') return ALM_LETTER_ALPHA | ALM_LETTER_LOWER | ALM_LETTER_PRINTABLE;
    if (c >= 'A' && c <= 'Z') return ALM_LETTER_ALPHA | ALM_LETTER_UPPER | ALM_LETTER_PRINTABLE;
    if (c >= '0' && c <= '9') return ALM_LETTER_DECIMAL | ALM_LETTER_DIGIT | ALM_LETTER_NUMERIC | ALM_LETTER_PRINTABLE;
    if ((c >= 9 && c <= 13) || (c >= 28 && c <= 31)) return ALM_LETTER_SPACE;
    if (c == ' ') return ALM_LETTER_SPACE | ALM_LETTER_PRINTABLE;
    return c > 31 && c < 127 ? ALM_LETTER_PRINTABLE : 0;
}

unsigned alm_letter_class(uint32_t c) {
    if (c < 128) return ascii_class(c);
    size_t from = 0, to = sizeof classes / sizeof *classes;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (classes[middle].last < c) from = middle + 1;
        else to = middle;
    }
    return from < sizeof classes / sizeof *classes && classes[from].first <= c ? classes[from].class : 0;
}

size_t alm_letter_map(uint32_t c, alm_letter_case how, uint32_t out[3]) {
    out[0] = c;
    if (c < 128) {
        bool is_lower = c >= 'a' && c <= 'z', is_upper = c >= 'A' && c <= 'Z';
        if (how == ALM_CASE_LOWER ? is_upper : is_lower) out[0] = c ^ 32;
        return 1;
    }
    size_t low = 0, high = cases[how].n_many;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cases[how].many[middle].from < c) low = middle + 1;
        else high = middle;
    }
    if (low < cases[how].n_many && cases[how].many[low].from == c) {
        memcpy(out, cases[how].many[low].to, sizeof cases[how].many[low].to);
        return out[2] ? 3 : 2;
    }
    /* The last run that begins at c or before: none overlaps the one behind it. */
    size_t from = 0, to = cases[how].n;
    while (to - from > 1) {
        size_t middle = from + (to - from) / 2;
        if (cases[how].run[middle].first <= c) from = middle;
        else to = middle;
    }
    const case_run *run = &cases[how].run[from];
    if (c >= run->first && c <= run->last && (c - run->first) % (uint32_t)run->step == 0)
        out[0] = (uint32_t)((int64_t)c + run->difference);
    return 1;
}

static bool next_is_letter(alm_str s, size_t pos) {
    uint32_t c;
    return pos < s.n && alm_utf8_next(s, &pos, &c) && alm_letter_class(c) & ALM_LETTER_ALPHA;
}

bool alm_chat_recase_str(alm_chat_run *r, alm_str s, alm_chat_recase how, alm_cv *out) {
    alm_buf b = alm_chat_buf(r);
    bool after_letter = false, first = true;
    /* Each character is looked up: that costs more than moving it. */
    if (!alm_chat_spend(r, 1 + s.n / 2) || !alm_buf_reserve(&b, s.n)) return alm_chat_buf_ok(r, &b) && false;
    for (size_t pos = 0; pos < s.n;) {
        uint32_t c, to[3];
        char bytes[16];
        size_t n_bytes = 0;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        unsigned class = alm_letter_class(c);
        bool cased = class & (ALM_LETTER_UPPER | ALM_LETTER_LOWER | ALM_LETTER_TITLE);
        alm_letter_case want = ALM_CASE_LOWER;
        if (how == ALM_RECASE_UPPER) want = ALM_CASE_UPPER;
        else if (how == ALM_RECASE_TITLE) want = after_letter ? ALM_CASE_LOWER : ALM_CASE_TITLE;
        else if (how == ALM_RECASE_CAPITALIZE) want = first ? ALM_CASE_TITLE : ALM_CASE_LOWER;
        else if (how == ALM_RECASE_SWAP) want = class & ALM_LETTER_UPPER ? ALM_CASE_LOWER : ALM_CASE_UPPER;
        size_t n = alm_letter_map(c, want, to);
        if (c == 0x3A3 && want == ALM_CASE_LOWER && after_letter && !next_is_letter(s, pos)) to[0] = 0x3C2;
        for (size_t i = 0; i < n; i++) n_bytes += alm_utf8_put(bytes + n_bytes, to[i]);
        alm_buf_add(&b, bytes, n_bytes);
        after_letter = how == ALM_RECASE_TITLE ? cased : (class & ALM_LETTER_ALPHA) != 0;
        first = false;
    }
    return alm_cv_buf_str(r, &b, out);
}

size_t alm_chat_length(alm_str s) {
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.at[i] & 0xC0) != 0x80;
    return n;
}

size_t alm_chat_offset(alm_str s, size_t character) {
    size_t i = 0;
    for (; i < s.n; i++)
        if (((unsigned char)s.at[i] & 0xC0) != 0x80 && character-- == 0) break;
    return i;
}

static bool is_one_of(alm_str character, const alm_str *chars) {
    uint32_t c = 0;
    size_t pos = 0;
    if (chars) return alm_str_find(*chars, character) != SIZE_MAX; /* UTF-8: no character is found inside another */
    return alm_utf8_next(character, &pos, &c) && alm_letter_class(c) & ALM_LETTER_SPACE;
}

alm_str alm_chat_strip(alm_str s, const alm_str *chars, bool left, bool right) {
    while (left && s.n) {
        size_t n = alm_chat_offset(s, 1);
        if (!is_one_of(alm_str_make(s.at, n), chars)) break;
        s.at += n, s.n -= n;
    }
    while (right && s.n) {
        size_t n = 1;
        while (n < s.n && ((unsigned char)s.at[s.n - n] & 0xC0) == 0x80) n++;
        if (!is_one_of(alm_str_make(s.at + s.n - n, n), chars)) break;
        s.n -= n;
    }
    return s;
}
