/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_text.c - bytes from anywhere: judged the same by every UTF-8 function, and harmless once made visible.
 *
 * Questions: the valid prefix ends where the first character is refused; visible and HTML text is valid UTF-8 without
 * control characters (and, in HTML, without an open bracket or quote), and leaves harmless text as it is; an error message
 * is valid, too; the parts of a split join to the whole; a hash does not look at the place in memory. */
#include "base/buf.h"
#include "base/error.h"
#include "fuzz.h"

static bool harmless(alm_str s) {
    size_t pos = 0;
    while (pos < s.n) {
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c) || c < 0x20 || (c >= 0x7F && c <= 0x9F)) return false;
    }
    return true;
}

static void one_judgement(alm_str s) {
    size_t pos = 0, prefix = alm_utf8_valid_prefix(s), columns = 0;
    uint32_t c;
    while (pos < prefix) {
        size_t from = pos;
        char at[4];
        CHECK(alm_utf8_next(s, &pos, &c) && pos <= prefix);
        CHECK(alm_utf8_put(at, c) == pos - from && memcmp(at, s.at + from, pos - from) == 0);
        columns += alm_utf8_columns(alm_str_slice(s, from, pos));
    }
    CHECK(columns == alm_utf8_columns(alm_str_slice(s, 0, prefix)));
    CHECK(prefix == s.n || !alm_utf8_next(s, &pos, &c));
    CHECK(alm_utf8_valid(s) == (prefix == s.n));
}

static void made_visible(alm_str s) {
    alm_buf b = alm_buf_with_limit((size_t)64 << 20);
    CHECK(alm_buf_add_visible(&b, s) && harmless(alm_buf_str(&b)));
    if (harmless(s)) CHECK(alm_str_eq(alm_buf_str(&b), s));
    alm_buf_clear(&b);
    CHECK(alm_buf_add_html(&b, s) && harmless(alm_buf_str(&b)));
    for (size_t i = 0; i < b.n; i++) CHECK(b.at[i] != '<' && b.at[i] != '>' && b.at[i] != '"' && b.at[i] != '\'');
    alm_buf_free(&b);
    alm_error err;
    alm_fail(&err, ALM_IO, "%.*s", s.n > 3000 ? 3000 : (int)s.n, s.at ? s.at : "");
    CHECK(harmless(alm_str_of(err.text)));
}

static void split_and_joined(alm_str s) {
    char byte = s.n ? s.at[s.n / 2] : ' ';
    alm_buf b = alm_buf_with_limit(s.n + 1);
    alm_str rest = s, part;
    bool first = true;
    while (alm_str_split(&rest, byte, &part)) {
        if (!first) CHECK(alm_buf_add_byte(&b, byte));
        CHECK(alm_str_find_byte(part, byte) == SIZE_MAX && alm_buf_add_str(&b, part));
        first = false;
    }
    CHECK(alm_str_eq(alm_buf_str(&b), s));
    alm_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_str s = {(const char *)data, n};
    one_judgement(s);
    made_visible(s);
    split_and_joined(s);
    char *moved = malloc(n + 3);
    CHECK(moved != NULL);
    if (n) memcpy(moved + 3, data, n);
    CHECK(alm_hash64(moved + 3, n, 5) == alm_hash64(data, n, 5));
    free(moved);
    return 0;
}
