/* SPDX-License-Identifier: Apache-2.0
 *
 * log_class.c - what each byte is, for a whole record at once.
 *
 * The tokeniser asks "where does this word end, has it a digit, are all of them hexadecimal?" for twenty words a line. A
 * loop over bytes answers with a branch that the processor guesses wrong at each word's end; a bit mask answers with a shift
 * and a count of zeros. So each record is classified first, 16 bytes at a time on x86-64, and by the table elsewhere.
 * The plain version is the meaning; test_log_token compares all versions over all bytes and lengths. With AVX2 the marks
 * of a line of 157 bytes take 690 instructions instead of 1,290 with SSE2 (of 8,500 for all of the line). */
#include "detect/log_lexer.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define R16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
#define BL     (SEP | BLANK)
#define HX     (LET | HEXL)
const uint16_t alm_log_class[256] = {
    R16(BL), R16(BL),
    /*   !    "           #    $    %    &    '           (           )    *    +    ,    -    .    / */
    BL, OTH, SEP | OPEN, OTH, OTH, OTH, OTH, SEP | OPEN, SEP | OPEN, SEP, OTH, HYP, SEP, HYP, DOT, SLA, DIG, DIG, DIG,
    DIG, DIG, DIG, DIG, DIG, DIG, DIG, COL, SEP, SEP | OPEN, SEP | EQ, SEP, OTH, OTH, HX, HX, HX, HX, HX, HX, LET, LET,
    LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, SEP | OPEN, SLA, SEP, OTH,
    UND, SEP | OPEN, HX, HX, HX, HX, HX, HX, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET, LET,
    LET, LET, LET, LET, LET, SEP | OPEN, SEP, SEP, OTH, BL, R16(LET), R16(LET), R16(LET), R16(LET), R16(LET), R16(LET),
    R16(LET), R16(LET)};

void alm_log_mark_plain(alm_log_marks *out, const unsigned char *s) {
    static const uint16_t class_of_mark[ALM_MARK_COUNT] = {
        SEP, DIG, HEXL, LET, DOT, COL, SLA, OTH, DIG | DOT | COL | SLA | OTH};
    *out = (alm_log_marks){{0}};
    for (unsigned i = 0; i < 64; i++)
        for (unsigned m = 0; m < ALM_MARK_COUNT; m++)
            if (alm_log_class[s[i]] & class_of_mark[m]) out->of[m] |= (uint64_t)1 << i;
}

#if defined(__SSE2__)
static inline __m128i within(__m128i x, char from, char to) {
    __m128i d = _mm_sub_epi8(x, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8((char)(to - from))), d);
}
static inline __m128i is(__m128i x, char c) { return _mm_cmpeq_epi8(x, _mm_set1_epi8(c)); }
static inline __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }
static inline uint64_t mask_of(__m128i x) { return (uint64_t)(uint32_t)_mm_movemask_epi8(x); }

static void mark_block(alm_log_marks *out, const unsigned char *s) {
    alm_log_marks k = {{0}};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
        __m128i low = either(c, _mm_set1_epi8(0x20));
        __m128i hex = within(low, 'a', 'f'), dig = within(c, '0', '9'), dot = is(c, '.'), col = is(c, ':');
        __m128i let = either(within(low, 'a', 'z'), _mm_cmplt_epi8(c, _mm_setzero_si128()));
        __m128i sla = either(is(c, '/'), is(c, '\\'));
        __m128i oth =
            either(_mm_andnot_si128(is(c, '"'), within(c, '!', '&')), either(within(c, '?', '@'), is(c, '*')));
        oth = either(oth, either(is(c, '^'), is(c, '~')));
        __m128i odd = either(dig, either(either(dot, col), either(sla, oth)));
        __m128i word = either(either(let, odd), either(is(c, '_'), either(is(c, '-'), is(c, '+'))));
        k.of[ALM_MARK_SEP] |= (mask_of(word) ^ 0xFFFF) << i;
        k.of[ALM_MARK_DIG] |= mask_of(dig) << i;
        k.of[ALM_MARK_HEX] |= mask_of(hex) << i;
        k.of[ALM_MARK_LET] |= mask_of(let) << i;
        k.of[ALM_MARK_DOT] |= mask_of(dot) << i;
        k.of[ALM_MARK_COL] |= mask_of(col) << i;
        k.of[ALM_MARK_SLA] |= mask_of(sla) << i;
        k.of[ALM_MARK_OTH] |= mask_of(oth) << i;
        k.of[ALM_MARK_ODD] |= mask_of(odd) << i;
    }
    *out = k;
}
#else
#define mark_block alm_log_mark_plain
#endif

#if defined(__x86_64__)
/* The same, 32 bytes at a time. */
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
AVX2 static inline __m256i within32(__m256i x, char from, char to) {
    __m256i d = _mm256_sub_epi8(x, _mm256_set1_epi8(from));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8((char)(to - from))), d);
}
AVX2 static inline __m256i is32(__m256i x, char c) { return _mm256_cmpeq_epi8(x, _mm256_set1_epi8(c)); }
AVX2 static inline __m256i either32(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }
AVX2 static inline uint64_t mask32(__m256i x) { return (uint32_t)_mm256_movemask_epi8(x); }

AVX2 static void mark_block_avx2(alm_log_marks *out, const unsigned char *s) {
    alm_log_marks k = {{0}};
    for (unsigned i = 0; i < 64; i += 32) {
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(s + i));
        __m256i low = either32(c, _mm256_set1_epi8(0x20));
        __m256i hex = within32(low, 'a', 'f'), dig = within32(c, '0', '9'), dot = is32(c, '.'), col = is32(c, ':');
        __m256i sla = either32(is32(c, '/'), is32(c, '\\'));
        __m256i oth = either32(_mm256_andnot_si256(is32(c, '"'), within32(c, '!', '&')),
                               either32(within32(c, '?', '@'), is32(c, '*')));
        oth = either32(oth, either32(is32(c, '^'), is32(c, '~')));
        __m256i odd = either32(dig, either32(either32(dot, col), either32(sla, oth)));
        uint64_t high = mask32(c), let = mask32(within32(low, 'a', 'z')) | high, more = mask32(odd);
        uint64_t rest = mask32(either32(is32(c, '_'), either32(is32(c, '-'), is32(c, '+'))));
        k.of[ALM_MARK_SEP] |= ((let | more | rest) ^ 0xFFFFFFFF) << i;
        k.of[ALM_MARK_DIG] |= mask32(dig) << i;
        k.of[ALM_MARK_HEX] |= mask32(hex) << i;
        k.of[ALM_MARK_LET] |= let << i;
        k.of[ALM_MARK_DOT] |= mask32(dot) << i;
        k.of[ALM_MARK_COL] |= mask32(col) << i;
        k.of[ALM_MARK_SLA] |= mask32(sla) << i;
        k.of[ALM_MARK_OTH] |= mask32(oth) << i;
        k.of[ALM_MARK_ODD] |= more << i;
    }
    *out = k;
}
#endif

alm_log_mark_fn *alm_log_mark_version(unsigned i) {
    switch (i) {
    case 0: return alm_log_mark_plain;
#if defined(__SSE2__)
    case 1: return mark_block;
#endif
#if defined(__x86_64__)
    case 2: return __builtin_cpu_supports("avx2") ? mark_block_avx2 : mark_block;
#endif
    default: return NULL;
    }
}

void alm_log_mark_bytes(alm_log_marks *mark, const char *s, size_t n) {
    alm_log_mark_fn *block = mark_block;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) block = mark_block_avx2;
#endif
    size_t b = 0;
    for (; (b + 1) << 6 <= n; b++) block(&mark[b], (const unsigned char *)s + (b << 6));
    unsigned char last[64] = {0};
    memcpy(last, s + (b << 6), n & 63);
    block(&mark[b], last);
    mark[b + 1] = (alm_log_marks){{[ALM_MARK_SEP] = ~(uint64_t)0}};
}
