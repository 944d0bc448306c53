/* SPDX-License-Identifier: Apache-2.0
 *
 * base/utf8.c - UTF-8 as RFC 3629 has it: no surrogates, nothing beyond U+10FFFF, shortest form only.
 *
 *   lead      second byte     bytes
 *   00..7F    -               1
 *   C2..DF    80..BF          2
 *   E0        A0..BF          3      (below A0 there is a shorter form)
 *   ED        80..9F          3      (from A0 on lie the surrogates)
 *   E1..EF    80..BF          3      (the others)
 *   F0        90..BF          4
 *   F1..F3    80..BF          4
 *   F4        80..8F          4      (from 90 on lies nothing)
 *
 * A maximal ill-formed part (Unicode 3.9, U+FFFD practice) is the longest beginning of a character that is cut off or
 * goes wrong, or one byte where none begins. ASCII is passed 32 bytes at a time. */
#include "base/str.h"

typedef struct range {
    uint32_t from, to;
} range;

static const range wide[] = {
#define ALM_WIDE(from, to) {from, to},
#define ALM_ZERO(from, to)
#include "base/columns.inc"
#undef ALM_WIDE
#undef ALM_ZERO
};

static const range zero[] = {
#define ALM_WIDE(from, to)
#define ALM_ZERO(from, to) {from, to},
#include "base/columns.inc"
#undef ALM_WIDE
#undef ALM_ZERO
};

static size_t skip_ascii(const unsigned char *p, size_t n) {
    const uint64_t high = 0x8080808080808080ULL;
    size_t i = 0;
    for (; n - i >= 32; i += 32) {
        uint64_t w[4];
        memcpy(w, p + i, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & high) break;
    }
    for (; n - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        if (w & high) break;
    }
    while (i < n && p[i] < 0x80) i++;
    return i;
}

/* Bytes of the character at p; *good tells whether it is one, else the result is the maximal ill-formed part. n >= 1. */
static size_t measure(const unsigned char *p, size_t n, bool *good) {
    unsigned lead = p[0], from = 0x80, to = 0xBF;
    size_t want;
    *good = false;
    if (lead < 0x80) {
        *good = true;
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) return 1;
    want = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0) from = 0xA0;
    else if (lead == 0xED) to = 0x9F;
    else if (lead == 0xF0) from = 0x90;
    else if (lead == 0xF4) to = 0x8F;
    for (size_t i = 1; i < want; i++) {
        if (i == n || p[i] < from || p[i] > to) return i;
        from = 0x80, to = 0xBF;
    }
    *good = true;
    return want;
}

size_t alm_utf8_valid_prefix(alm_str s) {
    const unsigned char *p = (const unsigned char *)s.at;
    size_t i = 0;
    while (i < s.n) {
        if (p[i] < 0x80) {
            i += skip_ascii(p + i, s.n - i);
            continue;
        }
        bool good;
        size_t n = measure(p + i, s.n - i, &good);
        if (!good) return i;
        i += n;
    }
    return i;
}

bool alm_utf8_valid(alm_str s) { return alm_utf8_valid_prefix(s) == s.n; }

bool alm_utf8_next(alm_str s, size_t *pos, uint32_t *out) {
    if (*pos >= s.n) return false;
    const unsigned char *p = (const unsigned char *)s.at + *pos;
    bool good;
    size_t n = measure(p, s.n - *pos, &good);
    *pos += n;
    if (!good) return false;
    static const unsigned char lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t scalar = p[0] & lead_mask[n];
    for (size_t i = 1; i < n; i++) scalar = scalar << 6 | (p[i] & 0x3F);
    *out = scalar;
    return true;
}

size_t alm_utf8_put(char *at, uint32_t scalar) {
    unsigned char *p = (unsigned char *)at;
    if (scalar < 0x80) {
        p[0] = (unsigned char)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        p[0] = (unsigned char)(0xC0 | scalar >> 6);
        p[1] = (unsigned char)(0x80 | (scalar & 0x3F));
        return 2;
    }
    /* What is no scalar value becomes the replacement character rather than ill-formed bytes. */
    if ((scalar >= 0xD800 && scalar <= 0xDFFF) || scalar > 0x10FFFF) scalar = 0xFFFD;
    if (scalar < 0x10000) {
        p[0] = (unsigned char)(0xE0 | scalar >> 12);
        p[1] = (unsigned char)(0x80 | (scalar >> 6 & 0x3F));
        p[2] = (unsigned char)(0x80 | (scalar & 0x3F));
        return 3;
    }
    p[0] = (unsigned char)(0xF0 | scalar >> 18);
    p[1] = (unsigned char)(0x80 | (scalar >> 12 & 0x3F));
    p[2] = (unsigned char)(0x80 | (scalar >> 6 & 0x3F));
    p[3] = (unsigned char)(0x80 | (scalar & 0x3F));
    return 4;
}

size_t alm_visible_next(alm_str s, size_t *pos, char *at) {
    static const char hex[] = "0123456789ABCDEF";
    size_t from = *pos, n = 0;
    uint32_t scalar = 0;
    bool good = alm_utf8_next(s, pos, &scalar);
    if (good && scalar >= 0x20 && (scalar < 0x7F || scalar > 0x9F)) {
        memcpy(at, s.at + from, *pos - from);
        return *pos - from;
    }
    for (size_t i = from; i < *pos; i++) {
        unsigned byte = (unsigned char)s.at[i];
        at[n++] = '\\';
        at[n++] = 'x';
        at[n++] = hex[byte >> 4];
        at[n++] = hex[byte & 15];
    }
    return n;
}

size_t alm_visible_copy(char *at, size_t at_bytes, alm_str s) {
    static const char dots[] = "...";
    size_t pos = 0, n = 0, safe = 0; /* safe: the longest whole beginning that leaves room for the dots */
    while (pos < s.n) {
        char step[ALM_VISIBLE_BYTES];
        size_t more = alm_visible_next(s, &pos, step);
        if (n + more + 1 > at_bytes) {
            memcpy(at + safe, dots, sizeof dots);
            return safe + sizeof dots - 1;
        }
        memcpy(at + n, step, more);
        n += more;
        if (n + sizeof dots <= at_bytes) safe = n;
    }
    at[n] = '\0';
    return n;
}

static bool within(const range *table, size_t n, uint32_t scalar) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (scalar > table[mid].to) low = mid + 1;
        else high = mid;
    }
    return low < n && scalar >= table[low].from;
}

static size_t columns_of(uint32_t scalar) {
    if (scalar < 0x20 || scalar == 0x7F) return 0;
    if (scalar < 0x300) return scalar != 0xAD && (scalar < 0x80 || scalar > 0x9F);
    if (within(zero, sizeof zero / sizeof *zero, scalar)) return 0;
    return within(wide, sizeof wide / sizeof *wide, scalar) ? 2 : 1;
}

size_t alm_utf8_columns(alm_str s) {
    size_t pos = 0, sum = 0;
    while (pos < s.n) {
        uint32_t scalar;
        sum += alm_utf8_next(s, &pos, &scalar) ? columns_of(scalar) : 1; /* shown as U+FFFD */
    }
    return sum;
}
