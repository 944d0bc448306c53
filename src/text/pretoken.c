/* SPDX-License-Identifier: Apache-2.0
 *
 * pretoken.c - the three rules written out as a scanner: one pass, no backtracking beyond one character.
 *
 * The alternatives of the regexes are tried in their order, and each is greedy, so the first character (and for a leading
 * blank or mark the second) decides which one it is; then a run of one class is followed to its end. Of `\s*[\r\n]+` and
 * `\s+(?!\S)` only the place of the last line end and of the last blank in the run of blanks are needed.
 *
 * ASCII is looked up in a table of 128, everything else is decoded and searched in the ranges of classes.inc. */
#include "text/pretoken.h"

enum { OTHER = ALM_CLASS_OTHER, LETTER = ALM_CLASS_LETTER, NUMBER = ALM_CLASS_NUMBER, SPACE = ALM_CLASS_SPACE };

typedef struct range {
    uint32_t from, to;
} range;

static const range letters[] = {
#define ALM_LETTER(from, to) {from, to},
#define ALM_NUMBER(from, to)
#include "text/classes.inc"
#undef ALM_LETTER
#undef ALM_NUMBER
};

static const range numbers[] = {
#define ALM_LETTER(from, to)
#define ALM_NUMBER(from, to) {from, to},
#include "text/classes.inc"
#undef ALM_LETTER
#undef ALM_NUMBER
};

static const unsigned char ascii[128] = {
    ['\t'] = SPACE, ['\n'] = SPACE, ['\v'] = SPACE, ['\f'] = SPACE, ['\r'] = SPACE, [' '] = SPACE,  ['0'] = NUMBER,
    ['1'] = NUMBER, ['2'] = NUMBER, ['3'] = NUMBER, ['4'] = NUMBER, ['5'] = NUMBER, ['6'] = NUMBER, ['7'] = NUMBER,
    ['8'] = NUMBER, ['9'] = NUMBER, ['A'] = LETTER, ['B'] = LETTER, ['C'] = LETTER, ['D'] = LETTER, ['E'] = LETTER,
    ['F'] = LETTER, ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER,
    ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER, ['Q'] = LETTER, ['R'] = LETTER, ['S'] = LETTER,
    ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = LETTER, ['X'] = LETTER, ['Y'] = LETTER, ['Z'] = LETTER,
    ['a'] = LETTER, ['b'] = LETTER, ['c'] = LETTER, ['d'] = LETTER, ['e'] = LETTER, ['f'] = LETTER, ['g'] = LETTER,
    ['h'] = LETTER, ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER,
    ['o'] = LETTER, ['p'] = LETTER, ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER, ['u'] = LETTER,
    ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
};

static bool within(const range *table, size_t n, uint32_t scalar) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (scalar > table[mid].to) low = mid + 1;
        else high = mid;
    }
    return low < n && scalar >= table[low].from;
}

static bool is_blank(uint32_t c) {
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

alm_pretoken_class alm_pretoken_class_of(uint32_t scalar) {
    if (scalar < 128) return (alm_pretoken_class)ascii[scalar];
    if (is_blank(scalar)) return ALM_CLASS_SPACE;
    if (within(letters, sizeof letters / sizeof *letters, scalar)) return ALM_CLASS_LETTER;
    if (within(numbers, sizeof numbers / sizeof *numbers, scalar)) return ALM_CLASS_NUMBER;
    return ALM_CLASS_OTHER;
}

/* The class of the character at *pos < s.n, moving *pos behind it. */
static inline int take(alm_str s, size_t *pos) {
    unsigned char byte = (unsigned char)s.at[*pos];
    if (byte < 128) {
        ++*pos;
        return ascii[byte];
    }
    uint32_t scalar;
    return alm_utf8_next(s, pos, &scalar) ? (int)alm_pretoken_class_of(scalar) : OTHER;
}

/* The end of the run of one class that goes on at pos, of at most `most` characters. */
static inline size_t run_of(int class, alm_str s, size_t pos, size_t most) {
    while (pos < s.n && most--) {
        size_t next = pos;
        if (take(s, &next) != class) break;
        pos = next;
    }
    return pos;
}

/* What follows an apostrophe: 's 't 'd 'm 're 've 'll; 0 when none does. */
static size_t contraction(alm_str s, bool any_case) {
    if (s.n < 2) return 0;
    unsigned char a = (unsigned char)s.at[1], b = s.n > 2 ? (unsigned char)s.at[2] : 0;
    if (any_case) {
        /* U+017F, the long s, is an s to a regex that ignores case. */
        if (a == 0xC5 && b == 0xBF) return 3;
        if (a >= 'A' && a <= 'Z') a |= 0x20;
        if (b >= 'A' && b <= 'Z') b |= 0x20;
    }
    if (a == 's' || a == 't' || a == 'd' || a == 'm') return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* A run of blanks that begins at 0; `lines`: it ends behind its last line end, where it has one. */
static size_t blanks(alm_str s, bool lines) {
    size_t pos = 0, last = 0, line = 0; /* where the last character begins, where the last line end ends */
    while (pos < s.n) {
        size_t next = pos;
        if (take(s, &next) != SPACE) break;
        if (s.at[pos] == '\n' || s.at[pos] == '\r') line = next;
        last = pos;
        pos = next;
    }
    if (lines && line) return line;
    /* The last blank before a word belongs to what follows, unless it is the only one. */
    return pos < s.n && last ? last : pos;
}

static size_t next_gpt2(alm_str s) {
    size_t pos = 0, n;
    if (s.at[0] == '\'' && (n = contraction(s, false))) return n;
    int class = take(s, &pos);
    if (s.at[0] == ' ' && s.n > 1) {
        size_t second = 1;
        class = take(s, &second);
        if (class != SPACE) pos = second;
    }
    return class == SPACE ? blanks(s, false) : run_of(class, s, pos, SIZE_MAX);
}

static size_t next_llama(alm_str s, size_t n_digit) {
    size_t pos = 0, n;
    if (s.at[0] == '\'' && (n = contraction(s, true))) return n;
    int class = take(s, &pos);
    if (class == LETTER) return run_of(LETTER, s, pos, SIZE_MAX);
    if (class == NUMBER) return run_of(NUMBER, s, pos, n_digit - 1);
    bool line = s.at[0] == '\n' || s.at[0] == '\r';
    size_t second = pos;
    int then = pos < s.n ? take(s, &second) : -1;
    if (then == LETTER && !line) return run_of(LETTER, s, second, SIZE_MAX);
    if (class == SPACE && !(s.at[0] == ' ' && then == OTHER)) return blanks(s, true);
    pos = run_of(OTHER, s, pos, SIZE_MAX);
    while (pos < s.n && (s.at[pos] == '\n' || s.at[pos] == '\r')) pos++;
    return pos;
}

size_t alm_pretoken_next(alm_pretoken rule, alm_str s) {
    return rule == ALM_PRETOKEN_GPT2 ? next_gpt2(s) : next_llama(s, rule == ALM_PRETOKEN_LLAMA3 ? 3 : 1);
}
