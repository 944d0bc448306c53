/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_number.c - text that is a number is the number that the C library reads, and a double comes back from its text.
 *
 * Questions: alm_str_to_f64 accepts exactly sign, digits with one point, exponent, and gives the bits of strtod in the "C"
 * locale unless that overflows; what alm_f64_to_str writes reads back to the same bits and is no longer than promised;
 * whole numbers are accepted exactly when printing them again (without leading zeros) gives the same digits. */
#include "base/str.h"
#include "fuzz.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

/* The grammar, by the plainest automaton. */
static bool grammar(const char *p) {
    size_t n = 0;
    if (*p == '+' || *p == '-') p++;
    while (*p >= '0' && *p <= '9') p++, n++;
    if (*p == '.') p++;
    while (*p >= '0' && *p <= '9') p++, n++;
    if (n == 0) return false;
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '+' || *p == '-') p++;
        if (*p < '0' || *p > '9') return false;
        while (*p >= '0' && *p <= '9') p++;
    }
    return *p == '\0';
}

static void the_text_comes_back(double x) {
    char at[32];
    double back;
    size_t n = alm_f64_to_str(at, x);
    CHECK(n <= 25 && at[n] == '\0' && strlen(at) == n);
    if (!isfinite(x)) {
        CHECK(strcmp(at, "null") == 0);
        return;
    }
    CHECK(grammar(at) && alm_str_to_f64((alm_str){at, n}, &back));
    CHECK(x == 0 ? back == 0 : bits_of(back) == bits_of(x));
}

static void whole_numbers(alm_str s) {
    uint64_t u;
    int64_t i;
    char again[32];
    if (alm_str_to_u64(s, &u)) {
        while (s.n > 1 && *s.at == '0') s = alm_str_slice(s, 1, s.n);
        snprintf(again, sizeof again, "%llu", (unsigned long long)u);
        CHECK(alm_str_eq(s, alm_str_of(again)));
    } else if (alm_str_to_i64(s, &i)) {
        CHECK(*s.at == '-' || *s.at == '+');
        CHECK(*s.at == '-' ? i <= 0 : i >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    double x = 0, want;
    if (n >= 8) {
        memcpy(&x, data, 8);
        the_text_comes_back(x);
    }
    char *text = malloc(n + 1);
    CHECK(text != NULL);
    if (n) memcpy(text, data, n);
    text[n] = '\0';
    whole_numbers((alm_str){text, n});
    bool right = grammar(text) && strlen(text) == n;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    want = right ? strtod_l(text, NULL, c_locale) : 0;
    freelocale(c_locale);
    bool good = alm_str_to_f64((alm_str){text, n}, &x);
    CHECK(good == (right && isfinite(want)));
    if (good) {
        CHECK(bits_of(x) == bits_of(want));
        the_text_comes_back(x);
    }
    free(text);
    return 0;
}
