/* SPDX-License-Identifier: Apache-2.0
 *
 * pretoken.c - the rules written out as a scanner: one pass, no backtracking beyond one character.
 *
 * The alternatives of the regexes are tried in their order, and each is greedy, so the first character (and for a leading
 * blank or mark the second) decides which one it is; then a run of one class is followed to its end. Of `\s*[\r\n]+` and
 * `\s+(?!\S)` only the place of the last line end and of the last blank in the run of blanks are needed.
 *
 * ASCII is looked up in a table of 128, everything else is decoded and asked of unicode.h.
 *
 * Of o200k, with U = \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M} and L = \p{Ll}\p{Lm}\p{Lo}\p{M}, the alternatives .?U*L+ and .?U+L* come to this: behind the
 * longest run of U the longest run of L, if there is one; else the run of U ends behind its last character that is in L too; else
 * it is the whole run. */
#include "text/pretoken.h"
#include "text/unicode.h"

enum { OTHER, LETTER, NUMBER, SPACE };

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

static const unsigned char coarse[] = {
    [ALM_CLASS_UPPER] = LETTER,    [ALM_CLASS_LOWER] = LETTER, [ALM_CLASS_LETTER] = LETTER, [ALM_CLASS_NUMBER] = NUMBER,
    [ALM_CLASS_FRACTION] = NUMBER, [ALM_CLASS_SPACE] = SPACE,  [ALM_CLASS_CONTROL] = OTHER,
};

/* The class of the character at *pos < s.n, moving *pos behind it. */
static inline int take(alm_str s, size_t *pos) {
    unsigned char byte = (unsigned char)s.at[*pos];
    if (byte < 128) {
        ++*pos;
        return ascii[byte];
    }
    uint32_t scalar;
    return alm_utf8_next(s, pos, &scalar) ? coarse[alm_class_of(scalar)] : OTHER;
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

/* -- o200k, tekken ------------------------------------------------------------------------------------------------------- */

enum {
    UPPER = 1u << ALM_CLASS_UPPER | 1u << ALM_CLASS_LETTER | ALM_MARKS,
    LOWER = 1u << ALM_CLASS_LOWER | 1u << ALM_CLASS_LETTER | ALM_MARKS
};

/* As take, with the class that unicode.h has. */
static inline alm_class take_exact(alm_str s, size_t *pos) {
    unsigned char byte = (unsigned char)s.at[*pos];
    if (byte < 128) {
        ++*pos;
        switch (ascii[byte]) {
        case LETTER: return byte & 0x20 ? ALM_CLASS_LOWER : ALM_CLASS_UPPER;
        case NUMBER: return ALM_CLASS_NUMBER;
        case SPACE: return ALM_CLASS_SPACE;
        default: return ALM_CLASS_PUNCT;
        }
    }
    uint32_t scalar;
    return alm_utf8_next(s, pos, &scalar) ? alm_class_of(scalar) : ALM_CLASS_OTHER;
}

/* The letters at the beginning of s, with the character before them; 0 when there are none. */
static size_t cased_word(alm_str s) {
    size_t first = 0;
    alm_class class = take_exact(s, &first);
    if (alm_class_in(class, ALM_NUMBERS) || s.at[0] == '\r' || s.at[0] == '\n') return 0;
    bool before = !alm_class_in(class, ALM_LETTERS);
    size_t from = before ? first : 0, upper = from, both = 0;
    for (size_t next = from; next < s.n; upper = next) {
        class = take_exact(s, &next);
        if (!alm_class_in(class, UPPER)) break;
        if (alm_class_in(class, LOWER)) both = next;
    }
    size_t lower = upper;
    for (size_t next = upper; next < s.n; lower = next)
        if (!alm_class_in(take_exact(s, &next), LOWER)) break;
    if (lower > upper) return lower;
    if (both) return both;
    first = 0;
    if (before && alm_class_in(take_exact(s, &first), ALM_MARKS)) return first; /* a mark is a word by itself */
    return upper > from ? upper : 0;
}

static size_t next_cased(alm_str s, size_t n_digit, bool apostrophes) {
    size_t pos = cased_word(s), n = 0;
    if (pos) {
        alm_str rest = alm_str_slice(s, pos, s.n);
        if (apostrophes && rest.n && rest.at[0] == '\'') n = contraction(rest, true);
        return pos + n;
    }
    int class = take(s, &pos);
    if (class == NUMBER) return run_of(NUMBER, s, pos, n_digit - 1);
    size_t second = pos;
    int then = pos < s.n ? take(s, &second) : -1;
    if (class == SPACE && !(s.at[0] == ' ' && then == OTHER)) return blanks(s, true);
    pos = run_of(OTHER, s, pos, SIZE_MAX);
    while (pos < s.n && (s.at[pos] == '\n' || s.at[pos] == '\r' || s.at[pos] == '/')) pos++;
    return pos;
}

/* Blanks up to the end of the text are one word. */
static size_t next_cl100k(alm_str s) {
    if (s.at[0] == ' ' || (unsigned char)s.at[0] >= 128 || ascii[(unsigned char)s.at[0]] == SPACE) {
        size_t end = run_of(SPACE, s, 0, SIZE_MAX);
        if (end == s.n) return end;
    }
    return next_llama(s, 3);
}

size_t alm_pretoken_next(alm_pretoken rule, alm_str s) {
    switch (rule) {
    case ALM_PRETOKEN_GPT2: return next_gpt2(s);
    case ALM_PRETOKEN_LLAMA3: return next_llama(s, 3);
    case ALM_PRETOKEN_QWEN2: return next_llama(s, 1);
    case ALM_PRETOKEN_CL100K: return next_cl100k(s);
    case ALM_PRETOKEN_O200K: return next_cased(s, 3, true);
    case ALM_PRETOKEN_TEKKEN: return next_cased(s, 1, false);
    case ALM_PRETOKEN_REGEX: break;
    }
    return s.n;
}

/* -- names and regexes ---------------------------------------------------------------------------------------------------- */

#define LIST(...) \
    { __VA_ARGS__ }
#define ALM_PRETOKEN_RULE(name, rule, whole_words, add_bos) {name, ALM_PRETOKEN_##rule, whole_words, add_bos, {0}},
#define ALM_PRETOKEN_REGEXES(name, ...)                     {name, ALM_PRETOKEN_REGEX, false, false, LIST(__VA_ARGS__)},
static const alm_pretoken_name names[] = {
#include "text/pretokens.def"
};
#undef ALM_PRETOKEN_RULE
#undef ALM_PRETOKEN_REGEXES

const alm_pretoken_name *alm_pretoken_find(alm_str name) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (alm_str_eq(name, alm_str_of(names[i].name))) return &names[i];
    return NULL;
}

#define ENDINGS  "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS  "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define REST     "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define REST_O   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define NOT_WORD "[^\\r\\n\\p{L}\\p{N}]?"

alm_pretoken alm_pretoken_of_regex(alm_str regex) {
    static const struct {
        const char *regex;
        alm_pretoken rule;
    } known[] = {
        {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", ALM_PRETOKEN_GPT2},
        {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", ALM_PRETOKEN_GPT2},
        {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s", ALM_PRETOKEN_GPT2},
        {ENDINGS LETTERS "\\p{N}{1,3}" REST, ALM_PRETOKEN_LLAMA3},
        {ENDINGS LETTERS "\\p{N}" REST, ALM_PRETOKEN_QWEN2},
        {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
         "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|"
         "\\s+(?!\\S)|\\s",
         ALM_PRETOKEN_CL100K},
        {NOT_WORD CAPITALS "*" SMALL "+" ENDINGS "?|" NOT_WORD CAPITALS "+" SMALL "*" ENDINGS "?|\\p{N}{1,3}" REST_O,
         ALM_PRETOKEN_O200K},
        {NOT_WORD CAPITALS "*" SMALL "+|" NOT_WORD CAPITALS "+" SMALL "*|\\p{N}" REST_O, ALM_PRETOKEN_TEKKEN},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (alm_str_eq(regex, alm_str_of(known[i].regex))) return known[i].rule;
    return ALM_PRETOKEN_REGEX;
}
