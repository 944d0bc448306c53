/* SPDX-License-Identifier: Apache-2.0
 *
 * base/hash.c - 64 bits from the content, the same on every machine and in every version.
 *
 * fold(a, b) is the 128-bit product of two words, high half XOR low half: one multiplication carries every bit of
 * either factor to about half of the result. Bytes are read as little-endian words.
 *
 *   state     h = fold(seed ^ K0, n ^ K1)
 *   n >= 16   for each whole 16 bytes (a, b) but the last:  h = rotl(h, 25) ^ fold(a ^ K2, b ^ h)
 *   n > 48    while more than 48 bytes are left, three such states run side by side (h, h + K3, h + K4) over
 *             48 bytes at a time and are joined by  h = h1 ^ rotl(h2, 17) ^ rotl(h3, 41)
 *   tail      a, b: the last 16 bytes (n >= 16) · first and last 8 (n >= 8) · first and last 4 (n >= 4) ·
 *             a = first | middle << 8 | last << 16, b = 0 (n >= 1) · 0, 0
 *   result    h = fold(a ^ K3 ^ h, b ^ K4 ^ rotl(h, 32)) ^ h;   fold(h ^ K5, h ^ K6) ^ h
 *
 * The rotated state joins by XOR beside the product, so a factor that happens to be 0 drops that one word of input and
 * never the state. K0..K6 are the first 64 bits behind the point of sqrt(2), sqrt(3), sqrt(5), sqrt(7), sqrt(11),
 * sqrt(13), sqrt(17), made odd. The vectors in tests/golden/hash64 come from a second implementation in Python. */
#include "base/str.h"

#define K0 0x6a09e667f3bcc909ULL
#define K1 0xbb67ae8584caa73bULL
#define K2 0x3c6ef372fe94f82bULL
#define K3 0xa54ff53a5f1d36f1ULL
#define K4 0x510e527fade682d1ULL
#define K5 0x9b05688c2b3e6c1fULL
#define K6 0x1f83d9abfb41bd6bULL

static inline uint64_t fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t low = al * bl, mid1 = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid1;
    return ((mid2 << 32) | (uint32_t)low) ^ (ah * bh + (mid1 >> 32) + (mid2 >> 32));
#endif
}

static inline uint64_t rotl(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static inline uint64_t le64(const unsigned char *p) {
    uint64_t x;
    memcpy(&x, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline uint64_t le32(const unsigned char *p) {
    uint32_t x;
    memcpy(&x, p, 4);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap32(x);
#endif
    return x;
}

static inline uint64_t step(uint64_t h, const unsigned char *p) {
    return rotl(h, 25) ^ fold(le64(p) ^ K2, le64(p + 8) ^ h);
}

uint64_t alm_hash64(const void *at, size_t n, uint64_t seed) {
    const unsigned char *p = at;
    uint64_t h = fold(seed ^ K0, (uint64_t)n ^ K1), a = 0, b = 0;
    if (n >= 16) {
        size_t left = n;
        if (left > 48) {
            uint64_t h2 = h + K3, h3 = h + K4;
            do {
                h = step(h, p);
                h2 = step(h2, p + 16);
                h3 = step(h3, p + 32);
                p += 48;
                left -= 48;
            } while (left > 48);
            h ^= rotl(h2, 17) ^ rotl(h3, 41);
        }
        for (; left > 16; left -= 16, p += 16) h = step(h, p);
        /* May overlap bytes that were read: the length is in the state, so nothing collides by that. */
        a = le64(p + left - 16);
        b = le64(p + left - 8);
    } else if (n >= 8) {
        a = le64(p);
        b = le64(p + n - 8);
    } else if (n >= 4) {
        a = le32(p);
        b = le32(p + n - 4);
    } else if (n > 0) {
        a = (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
    }
    h = fold(a ^ K3 ^ h, b ^ K4 ^ rotl(h, 32)) ^ h;
    return fold(h ^ K5, h ^ K6) ^ h;
}
