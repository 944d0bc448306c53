/* SPDX-License-Identifier: Apache-2.0
 *
 * base/number.c - doubles to text and back, with a point whatever the locale says.
 *
 * To text: the shortest decimal inside the interval of reals that round to x; of several, the one nearest to x. All is
 * done in integers: with q the exponent of x = c 2^q and 10^k <= width of the interval, x and both borders are
 * multiplied by 10^-k, taken from a table of 128-bit values rounded up, and rounded to odd at the last place, which
 * keeps every comparison exact (Giulietti, "The Schubfach way to render doubles", 2020). The form is ECMAScript's
 * Number::toString, which RFC 8785 prescribes.
 *
 * From text: up to 19 digits w and a power of ten. w < 2^53 and |e| <= 22: one exact operation (Clinger 1990). Else
 * w 10^e is bracketed by the same table; when both ends of the bracket round to one double, that is the answer. The few
 * that are left go to the C library's strtod in the "C" locale, with at most 800 digits: a double's neighbour needs no
 * more than 768, and a digit behind that only counts as "not all zero". */
#include "base/str.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#define POW10_MIN (-292)
#define POW10_MAX 324

typedef struct u128 {
    uint64_t high, low;
} u128;

static const u128 pow10_table[] = {
#define ALM_POW10(k, high, low) {high, low},
#include "base/pow10.inc"
#undef ALM_POW10
};

static inline u128 mul64(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (u128){(uint64_t)(product >> 64), (uint64_t)product};
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t low = al * bl, mid1 = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid1;
    return (u128){ah * bh + (mid1 >> 32) + (mid2 >> 32), (mid2 << 32) | (uint32_t)low};
#endif
}

/* floor(log2(10^k)); right shifts of negative numbers are arithmetic in every compiler that we build with. */
static inline int log2_pow10(int k) { return (k * 1741647) >> 19; }

/* (g * c) / 2^128 rounded to odd: exact but for one bit that says "and something more". */
static inline uint64_t scale_to_odd(u128 g, uint64_t c) {
    u128 low = mul64(g.low, c), high = mul64(g.high, c);
    uint64_t middle = high.low + low.high;
    uint64_t top = high.high + (middle < low.high);
    return top | (middle > 1);
}

typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

static decimal shortest(uint64_t fraction, int biased) {
    uint64_t c = fraction;
    int q = 1 - 1075;
    if (biased != 0) {
        c |= 1ULL << 52;
        q = biased - 1075;
        if (q <= 0 && q > -53 && (c & ((1ULL << -q) - 1)) == 0) return (decimal){c >> -q, 0}; /* a whole number */
    }
    bool closed = c % 2 == 0; /* borders round to even, so they belong to an even c */
    bool near_below = fraction == 0 && biased > 1;
    uint64_t below = 4 * c - 2 + near_below, middle = 4 * c, above = 4 * c + 2;
    int k = (q * 1262611 - (near_below ? 524031 : 0)) >> 22;
    int h = q + log2_pow10(-k) + 1;
    u128 g = pow10_table[-k - POW10_MIN];
    uint64_t lower = scale_to_odd(g, below << h) + !closed;
    uint64_t v = scale_to_odd(g, middle << h);
    uint64_t upper = scale_to_odd(g, above << h) - !closed;
    uint64_t s = v / 4;
    if (s >= 10) {
        uint64_t ten = s / 10;
        bool down = lower <= 40 * ten, up = 40 * ten + 40 <= upper;
        if (down != up) return (decimal){ten + up, k + 1};
    }
    bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
    if (down != up) return (decimal){s + up, k};
    uint64_t half = 4 * s + 2;
    bool round_up = v > half || (v == half && s % 2 == 1);
    return (decimal){s + round_up, k};
}

static size_t put_exponent(char *at, int exponent) {
    size_t n = 0;
    at[n++] = 'e';
    at[n++] = exponent < 0 ? '-' : '+';
    unsigned e = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (e >= 100) at[n++] = (char)('0' + e / 100);
    if (e >= 10) at[n++] = (char)('0' + e / 10 % 10);
    at[n++] = (char)('0' + e % 10);
    return n;
}

size_t alm_f64_to_str(char *at, double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    uint64_t fraction = bits & ((1ULL << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7FF);
    if (biased == 0x7FF) {
        memcpy(at, "null", 5);
        return 4;
    }
    if (biased == 0 && fraction == 0) { /* also -0: ECMAScript writes "0" */
        memcpy(at, "0", 2);
        return 1;
    }
    decimal d = shortest(fraction, biased);
    while (d.digits % 10 == 0) d.digits /= 10, d.exponent++;
    char digit[20];
    int n = 0;
    for (uint64_t rest = d.digits; rest; rest /= 10) n++;
    for (int i = n - 1; i >= 0; i--, d.digits /= 10) digit[i] = (char)('0' + d.digits % 10);

    char *to = at;
    int point = n + d.exponent; /* digits before the point */
    if (bits >> 63) *to++ = '-';
    if (point > 21 || point <= -6) { /* d.ddde+x */
        *to++ = digit[0];
        if (n > 1) {
            *to++ = '.';
            memcpy(to, digit + 1, (size_t)n - 1);
            to += n - 1;
        }
        to += put_exponent(to, point - 1);
    } else if (point <= 0) { /* 0.000ddd */
        memcpy(to, "0.000000", 8);
        to += 2 - point;
        memcpy(to, digit, (size_t)n);
        to += n;
    } else if (point >= n) { /* ddd000 */
        memcpy(to, digit, (size_t)n);
        memset(to + n, '0', (size_t)(point - n));
        to += point;
    } else { /* dd.dd */
        memcpy(to, digit, (size_t)point);
        to[point] = '.';
        memcpy(to + point + 1, digit + point, (size_t)(n - point));
        to += n + 1;
    }
    *to = '\0';
    return (size_t)(to - at);
}

/* What was read: the first 19 significant digits, the power of ten behind them, where all digits lie. */
typedef struct scanned {
    bool negative, cut; /* cut: there were more digits, not all of them zero */
    uint64_t w;
    int64_t exponent;
    alm_str mantissa;
    int64_t written; /* exponent as written */
} scanned;

static bool digit_at(alm_str s, size_t i) { return i < s.n && s.at[i] >= '0' && s.at[i] <= '9'; }

static bool scan_exponent(alm_str s, size_t *i, int64_t *out) {
    bool negative = false;
    if (*i < s.n && (s.at[*i] == '-' || s.at[*i] == '+')) negative = s.at[(*i)++] == '-';
    if (!digit_at(s, *i)) return false;
    int64_t e = 0;
    for (; digit_at(s, *i); (*i)++) {
        if (e < INT64_C(1000000000000))
            e = e * 10 + (s.at[*i] - '0'); /* far beyond what any length of digits makes up for */
    }
    *out = negative ? -e : e;
    return true;
}

static bool scan(alm_str s, scanned *out) {
    size_t i = 0, n_digit = 0, n_kept = 0;
    *out = (scanned){0};
    if (s.n && (*s.at == '-' || *s.at == '+')) out->negative = s.at[i++] == '-';
    size_t from = i;
    bool point = false;
    for (;; i++) {
        if (i < s.n && s.at[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!digit_at(s, i)) break;
        n_digit++;
        unsigned digit = (unsigned)(s.at[i] - '0');
        if (n_kept < 19) {
            out->w = out->w * 10 + digit;
            if (out->w) n_kept++;
            out->exponent -= point;
        } else {
            if (digit) out->cut = true;
            out->exponent += !point;
        }
    }
    out->mantissa = alm_str_slice(s, from, i);
    if (n_digit == 0) return false;
    if (i < s.n && (s.at[i] == 'e' || s.at[i] == 'E')) {
        i++;
        if (!scan_exponent(s, &i, &out->written)) return false;
        out->exponent += out->written;
    }
    return i == s.n;
}

/* x * 2^e for a 64-bit x with its top bit set, rounded to nearest even; false near the ends of the range, where the C
 * library decides. `more`: the value lies a little above x. */
static bool round_to_double(uint64_t x, bool more, int e, double *out) {
    int biased = e + 63 + 1023;
    if (biased < 1 || biased > 2045) return false;
    uint64_t fraction = x >> 11, rest = x & 0x7FF;
    if (rest > 0x400 || (rest == 0x400 && (more || (fraction & 1)))) fraction++;
    /* A carry out of the fraction raises the exponent by itself. */
    uint64_t bits = ((uint64_t)biased << 52) + (fraction - (1ULL << 52));
    memcpy(out, &bits, 8);
    return true;
}

/* w 10^e when its bracket leaves no doubt. The table's g is at most one unit too large, so the true product lies in
 * (w g - w, w g] in units of the lowest bit; a cut mantissa widens it to (w g - w, (w + 1) g). */
static bool bracket(const scanned *in, double *out) {
    if (in->exponent < POW10_MIN || in->exponent > POW10_MAX) return false;
    int k = (int)in->exponent, shift = __builtin_clzll(in->w);
    u128 g = pow10_table[k - POW10_MIN];
    uint64_t w = in->w << shift, unit = 1ULL << shift;
    u128 low = mul64(g.low, w), high = mul64(g.high, w);
    uint64_t middle = high.low + low.high, top = high.high + (middle < low.high);
    /* The product is top:middle:low.low. Down by w: at most 1 off middle. Up by g << shift when digits were cut. */
    uint64_t low_top = top, low_middle = middle - 1, high_top = top, high_middle = middle;
    if (middle == 0) low_top--;
    if (in->cut) {
        uint64_t add_top = shift ? g.high >> (64 - shift) : 0, add_middle = (g.high << shift) + unit;
        high_middle += add_middle;
        high_top += add_top + (high_middle < add_middle) + (add_middle < unit);
        if (high_top < top) return false;
    }
    int e = log2_pow10(k) - 127 - shift + 128; /* value = top * 2^e */
    double a, b;
    if (!(low_top >> 63)) {
        /* One leading zero at most: two words shifted left by one. */
        if (!(low_top >> 62) || (high_top >> 63)) return false;
        low_top = low_top << 1 | low_middle >> 63;
        low_middle <<= 1;
        high_top = high_top << 1 | high_middle >> 63;
        e--;
    }
    if (!round_to_double(low_top, low_middle != 0, e, &a) || !round_to_double(high_top, true, e, &b)) return false;
    /* An exact tie at either end is doubt too: which side the true value lies on is not known. */
    if ((low_top & 0x7FF) == 0x400 && low_middle == 0) return false;
    if ((high_top & 0x7FF) == 0x400) return false;
    *out = a;
    return memcmp(&a, &b, 8) == 0;
}

static bool by_library(const scanned *in, double *out) {
    enum { KEEP = 800 };
    char text[KEEP + 40];
    size_t n = 0, n_kept = 0;
    int64_t exponent = in->written;
    bool point = false, cut = false;
    for (size_t i = 0; i < in->mantissa.n; i++) {
        char c = in->mantissa.at[i];
        if (c == '.') {
            point = true;
            continue;
        }
        if (n_kept == 0 && c == '0') {
            exponent -= point;
            continue;
        }
        if (n_kept < KEEP) {
            text[n++] = c;
            n_kept++;
            exponent -= point;
        } else {
            cut |= c != '0';
            exponent += !point;
        }
    }
    if (cut) {
        text[n++] = '1';
        exponent--;
    }
    if (exponent > 99999) exponent = 99999; /* overflow or zero in any case */
    if (exponent < -99999) exponent = -99999;
    text[n++] = 'e';
    text[n++] = exponent < 0 ? '-' : '+';
    unsigned e = (unsigned)(exponent < 0 ? -exponent : exponent);
    for (unsigned unit = 10000; unit; unit /= 10) text[n++] = (char)('0' + e / unit % 10);
    text[n] = '\0';
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* static in glibc and musl: nothing is allocated */
    if (!c_locale) return false;
    *out = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return true;
}

bool alm_str_to_f64(alm_str s, double *out) {
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    scanned in;
    double x = 0;
    if (!scan(s, &in)) return false;
    if (in.w == 0) x = 0;
    else if (!in.cut && in.w <= 1ULL << 53 && in.exponent >= -22 && in.exponent <= 22) {
        x = in.exponent < 0 ? (double)in.w / exact[-in.exponent] : (double)in.w * exact[in.exponent];
    } else if (!bracket(&in, &x) && !by_library(&in, &x)) return false;
    if (x > 1.7976931348623157e308) return false; /* overflow: there is no such double */
    *out = in.negative ? -x : x;
    return true;
}

int alm_str_vprint(char *out, size_t cap, const char *format, va_list args) {
    /* A program that embeds us may have set LC_NUMERIC; its threads are not disturbed, uselocale is this thread's own. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale) return -1;
    locale_t before = uselocale(c_locale);
    int n = vsnprintf(out, cap, format, args);
    uselocale(before);
    freelocale(c_locale);
    return n;
}

int alm_str_print(char *out, size_t cap, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = alm_str_vprint(out, cap, format, args);
    va_end(args);
    return n;
}
