/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_hash.h - inside the tokeniser: hashes of words, separators and tokens, and the short words that are values.
 *
 * These hashes live as long as the process: ids and files use alm_hash64. */
#ifndef ALM_DETECT_LOG_HASH_H
#define ALM_DETECT_LOG_HASH_H

#include "detect/log_lexer.h"

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

/* A word's first 16 bytes as two numbers, zeros behind its end: without a branch on its length, which nobody can guess.
 * `room` is how many bytes may be read. On a big-endian machine keys differ, but keys are never stored. */
typedef struct head {
    uint64_t lo, hi;
} head;
static inline head head_of(const char *at, size_t n, size_t room) {
    static const uint64_t mask[17] = {0,
                                      0xFF,
                                      0xFFFF,
                                      0xFFFFFF,
                                      0xFFFFFFFF,
                                      0xFFFFFFFFFF,
                                      0xFFFFFFFFFFFF,
                                      0xFFFFFFFFFFFFFF,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0,
                                      ~(uint64_t)0};
    char copy[16];
    if (room < 16) { /* at the end of a record */
        memset(copy, 0, sizeof copy);
        memcpy(copy, at, n < 16 ? n : 16);
        at = copy;
    }
    size_t m = n < 16 ? n : 16;
    return (head){load64(at) & mask[m], load64(at + 8) & mask[m > 8 ? m - 8 : 0]};
}

static inline uint64_t word_hash(head h, const char *at, size_t n) {
    uint64_t x = fold(h.lo ^ K0, h.hi ^ n * K2 ^ K1);
    if (n <= 16) return x;
    for (size_t i = 16; i + 8 < n; i += 8) x = fold(x ^ load64(at + i), K1);
    return fold(x ^ load64(at + n - 8), K2);
}

/* Words of up to five letters that may be values: truth values, names of days and months, units, and `-`. The multiplier
 * was searched so that each has a place of its own. */
#define W(a, b, c, d, e) \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32)
static const uint64_t special[256] = {
    [0] = W('n', 'u', 'l', 'l', 0),    [14] = W('J', 'u', 'n', 0, 0),     [21] = W('T', 'R', 'U', 'E', 0),
    [32] = W('M', 'a', 'y', 0, 0),     [51] = W('F', 'a', 'l', 's', 'e'), [52] = W('T', 'B', 0, 0, 0),
    [56] = W('T', 'r', 'u', 'e', 0),   [63] = W('B', 0, 0, 0, 0),         [66] = W('F', 'A', 'L', 'S', 'E'),
    [77] = W('u', 's', 0, 0, 0),       [79] = W('P', 'B', 0, 0, 0),       [88] = W('W', 'e', 'd', 0, 0),
    [89] = W('f', 'a', 'l', 's', 'e'), [90] = W('M', 'a', 'r', 0, 0),     [95] = W('t', 'r', 'u', 'e', 0),
    [99] = W('M', 'B', 0, 0, 0),       [106] = W('S', 'a', 't', 0, 0),    [112] = W('n', 'i', 'l', 0, 0),
    [113] = W('K', 'B', 0, 0, 0),      [119] = W('T', 'i', 'B', 0, 0),    [125] = W('n', 's', 0, 0, 0),
    [126] = W('s', 'e', 'c', 0, 0),    [131] = W('m', 's', 0, 0, 0),      [133] = W('A', 'u', 'g', 0, 0),
    [140] = W('G', 'B', 0, 0, 0),      [147] = W('F', 'e', 'b', 0, 0),    [152] = W('k', 'B', 0, 0, 0),
    [158] = W('N', 'o', 'v', 0, 0),    [167] = W('M', 'i', 'B', 0, 0),    [175] = W('m', 'i', 'n', 0, 0),
    [180] = W('K', 'i', 'B', 0, 0),    [183] = W('N', 'U', 'L', 'L', 0),  [185] = W('A', 'p', 'r', 0, 0),
    [189] = W('D', 'e', 'c', 0, 0),    [193] = W('M', 'o', 'n', 0, 0),    [200] = W('S', 'e', 'p', 0, 0),
    [203] = W('T', 'u', 'e', 0, 0),    [206] = W('-', 0, 0, 0, 0),        [208] = W('G', 'i', 'B', 0, 0),
    [209] = W('S', 'u', 'n', 0, 0),    [214] = W('J', 'u', 'l', 0, 0),    [236] = W('T', 'h', 'u', 0, 0),
    [237] = W('O', 'c', 't', 0, 0),    [242] = W('s', 0, 0, 0, 0),        [252] = W('J', 'a', 'n', 0, 0),
    [254] = W('N', 'o', 'n', 'e', 0),  [255] = W('F', 'r', 'i', 0, 0),
};
#undef W
static inline bool is_special(uint64_t lo) { return lo && special[lo * 0xF9341C68966BAEA1u >> 56] == lo; }

static inline uint64_t sep_hash(const char *at, size_t n, uint32_t position) {
    uint64_t h = (position + 1) * K0;
    if (n == 1) {
        unsigned char c = (unsigned char)at[0];
        return h ^ (uint64_t)((alm_log_class[c] & BLANK) ? ' ' : c) * K1;
    }
    uint64_t x = 0; /* for one character: c * K1 as above, so that many blanks equal one */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        if (alm_log_class[c] & BLANK) {
            while (i + 1 < n && (cls(at[i + 1]) & BLANK)) i++;
            c = ' ';
        }
        x = ((x ^ x >> 31) + c) * K1;
    }
    return h ^ x;
}

static inline uint64_t share(uint64_t sep, uint64_t word) { return fold(sep ^ K2, word ^ sep >> 32 ^ K0); }

#endif
