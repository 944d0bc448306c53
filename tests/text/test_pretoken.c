/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pretoken.c - words end where the rules' own regexes, run by PCRE2, end them; classes are those of Unicode. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "alm_test.h"
#include "base/rng.h"
#include "text/pretoken.h"
#include "text/unicode.h"
#include <pcre2.h>

static pcre2_code *compile(const char *pattern) {
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);
    CHECK(code != NULL, "error %d at %zu", error, (size_t)at);
    return code;
}

static const struct {
    alm_pretoken rule;
    const char *pattern;
} rules[] = {
    {ALM_PRETOKEN_GPT2, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
    {ALM_PRETOKEN_LLAMA3,
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
     "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    {ALM_PRETOKEN_QWEN2,
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
     "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    {ALM_PRETOKEN_CL100K,
     "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|"
     "\\s*[\\r\\n]|\\s+(?!\\S)|\\s"},
    {ALM_PRETOKEN_O200K, "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:"
                         "'s|'t|'re|'ve|'m|'ll|'d)?|"
                         "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:"
                         "'s|'t|'re|'ve|'m|'ll|'d)?|"
                         "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    {ALM_PRETOKEN_TEKKEN,
     "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
     "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}|"
     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}};

/* Characters that the rules tell apart, many of them near each other. */
static void make_text(alm_rng *r, alm_buf *out) {
    static const uint32_t some[] = {' ',    ' ',  ' ',   '\n',   '\n',   '\r',  '\t',   '\'',    '\'',   's',
                                    't',    'r',  'e',   'v',    'l',    'L',   'S',    'D',     'M',    'x',
                                    '0',    '1',  '2',   '.',    '-',    '_',   0xA0,   0x85,    0x17F,  0x2028,
                                    0xE9,   0xBD, 0x663, 0x3000, 0x4E2D, 0x301, 0x200B, 0x1F600, 0x2160, 0x1D7D8,
                                    0x212A, '\v', '\f',  0x1C,   '/',    'A',   'B',    0x1C5,   0x2B0,  0x903};
    alm_buf_clear(out);
    size_t n = 1 + alm_rng_below(r, 30);
    for (size_t i = 0; i < n; i++) {
        char at[4];
        alm_buf_add(out, at, alm_utf8_put(at, some[alm_rng_below(r, sizeof some / sizeof *some)]));
    }
}

static void words_are_those_of_the_regex(void **state) {
    (void)state;
    alm_rng r = alm_rng_seed(3, 0, 0);
    alm_buf text = alm_buf_with_limit(1 << 16);
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        pcre2_code *code = compile(rules[k].pattern);
        pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
        for (int round = 0; round < 8000; round++) {
            make_text(&r, &text);
            for (size_t at = 0; at < text.n;) {
                int got = pcre2_match(code, (PCRE2_SPTR)text.at, text.n, at, PCRE2_ANCHORED, match, NULL);
                CHECK(got > 0, "the regex matches everywhere: %d", got);
                size_t end = pcre2_get_ovector_pointer(match)[1];
                size_t n = alm_pretoken_next(rules[k].rule, alm_str_make(text.at + at, text.n - at));
                CHECK(at + n == end, "rule %zu: the word at %zu of \"%.*s\" has %zu bytes, not %zu", k, at,
                      ALM_ARG(alm_buf_str(&text)), n, end - at);
                at = end;
            }
        }
        pcre2_match_data_free(match);
        pcre2_code_free(code);
    }
    alm_buf_free(&text);
}

static bool is(pcre2_code *code, pcre2_match_data *match, const char *at, size_t n) {
    return pcre2_match(code, (PCRE2_SPTR)at, n, 0, PCRE2_ANCHORED, match, NULL) > 0;
}

/* PCRE2 may know an older Unicode than the table (then what it has not assigned is left out) or a newer one (then the table
 * may lack what is new). */
static void every_character_has_its_class(void **state) {
    (void)state;
    static const char *const pattern[] = {"\\p{Cn}", "[\\p{Lu}\\p{Lt}]", "\\p{Ll}",          "[\\p{Lm}\\p{Lo}]",
                                          "\\p{Mn}", "[\\p{Mc}\\p{Me}]", "[\\p{Nd}\\p{Nl}]", "\\p{No}",
                                          "\\s",     "\\p{P}",           "\\p{S}",           "\\p{C}"};
    enum { N = sizeof pattern / sizeof *pattern };
    pcre2_code *code[N];
    for (int i = 0; i < N; i++) code[i] = compile(pattern[i]);
    pcre2_match_data *match = pcre2_match_data_create(4, NULL);
    char version[64];
    size_t n_seen = 0, n_unassigned = 0, n_lacking = 0, n_other = 0;
    CHECK(pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version) > 0);
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c >= 0xD800 && c < 0xE000) continue;
        /* Planes 4 to 13 are empty, 15 and 16 for private use: a sample of them, and what is next to others. */
        bool samples = (c > 0x400FF && c < 0xDFF00) || c > 0xF00FF;
        if (samples && c % 61 != 0) continue;
        char at[4];
        size_t n = alm_utf8_put(at, c);
        unsigned got = alm_class_of(c);
        bool same = is(code[got], match, at, n) || (got == ALM_CLASS_SPACE && c == 0x85);
        if (same && c != 0x180E && got != ALM_CLASS_SPACE && is(code[ALM_CLASS_SPACE], match, at, n)) same = false;
        if (same) {
            n_seen += alm_class_in((alm_class)got, ALM_LETTERS | ALM_NUMBERS | 1u << ALM_CLASS_SPACE);
            continue;
        }
        if (got == ALM_CLASS_OTHER) n_lacking++;
        else if (is(code[0], match, at, n)) n_unassigned++;
        else print_message("U+%04X has the class %u by the table, not by PCRE2\n", c, got), n_other++;
    }
    /* A handful changed their category between the versions. */
    CHECK(n_other < 20, "%zu have another class", n_other);
    CHECK(n_seen > 130000, "%zu letters, numbers and blanks", n_seen);
    CHECK(n_lacking == 0 || atoi(version) > 16, "%zu of Unicode %s are lacking", n_lacking, version);
    CHECK(n_unassigned < 12000, "Unicode %s has %zu of them not assigned", version, n_unassigned);
    pcre2_match_data_free(match);
    for (int i = 0; i < N; i++) pcre2_code_free(code[i]);
}

static void broken_utf8_is_cut_as_marks(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {{"\xFF", 1},
                 {"\xC3", 1},
                 {"a\xFF", 1},
                 {"\xFF"
                  "a",
                  2},
                 {"\xE2\x82 x", 2},
                 {" \xFF\xFE.\n\nx", 6},
                 {"\xED\xA0\x80"
                  "1",
                  3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(alm_pretoken_next(ALM_PRETOKEN_QWEN2, alm_str_of(cases[i].text)), cases[i].n);
}

static void every_digit_is_a_word(void **state) {
    (void)state;
    alm_str s = ALM_STR("12345.6");
    CHECK_INT(alm_pretoken_next(ALM_PRETOKEN_QWEN2, s), 1);
    CHECK_INT(alm_pretoken_next(ALM_PRETOKEN_LLAMA3, s), 3);
    CHECK_INT(alm_pretoken_next(ALM_PRETOKEN_GPT2, s), 5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_those_of_the_regex),
    cmocka_unit_test(every_character_has_its_class),
    cmocka_unit_test(broken_utf8_is_cut_as_marks),
    cmocka_unit_test(every_digit_is_a_word),
};
ALM_TEST_MAIN(tests)
