/* SPDX-License-Identifier: Apache-2.0
 *
 * surprise_kind.c - which lines are of one kind, and what of a line the language model is shown.
 *
 * Kind: the template's id, and the shape of each value. Of numbers, times, addresses, identifiers the type is the shape (their
 * values are the detector `value`'s concern). A value without a blank is shaped by its classes: runs of small letters, of
 * capitals, of digits, of bytes beyond ASCII each become one sign, other bytes stand for themselves, and a pair of signs that
 * repeats counts once (`/var/log/x` and `/usr/y` are both `/a`). A value with a blank in it is text that somebody wrote: it
 * is its own shape, but for digits. So a wrong language, an injected command, a path where a name should stand are of a new
 * kind; the next customer's number is not. */
#include "detect/surprise.h"

enum { SIGNS = 40 };

static bool is_random(unsigned type) {
    switch (type) {
    case ALM_SLOT_NUM:
    case ALM_SLOT_HEX:
    case ALM_SLOT_IP:
    case ALM_SLOT_UUID:
    case ALM_SLOT_MAC:
    case ALM_SLOT_TIME:
    case ALM_SLOT_ID:
    case ALM_SLOT_BOOL: return true;
    default: return false;
    }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static char sign_of(char c) {
    if (c >= 'a' && c <= 'z') return 'a';
    if (c >= 'A' && c <= 'Z') return 'A';
    if (is_digit(c)) return '0';
    return (unsigned char)c >= 0x80 ? 'u' : c;
}

static uint64_t shape_of_word(alm_str v) {
    char sign[SIGNS];
    size_t n = 0;
    for (size_t i = 0; i < v.n && n < SIGNS; i++) {
        char c = sign_of(v.at[i]);
        if (n && sign[n - 1] == c && (c == 'a' || c == 'A' || c == '0' || c == 'u')) continue;
        sign[n++] = c;
        if (n >= 4 && sign[n - 1] == sign[n - 3] && sign[n - 2] == sign[n - 4]) n -= 2;
    }
    return alm_hash64(sign, n, 1);
}

static uint64_t shape_of_text(alm_str v) {
    char text[256];
    size_t n = v.n < sizeof text ? v.n : sizeof text;
    for (size_t i = 0; i < n; i++) text[i] = is_digit(v.at[i]) ? '0' : v.at[i];
    return alm_hash64(text, n, 2);
}

uint64_t alm_surprise_kind(uint64_t id, const alm_look *look) {
    uint64_t h = id;
    for (uint32_t i = 0; i < look->n_params; i++) {
        const alm_param *p = &look->params[i];
        if (is_random(p->type)) continue; /* the template's id tells that it is there */
        alm_str v = {look->text.at + p->at, p->n};
        h = alm_hash_mix(h, v.n && memchr(v.at, ' ', v.n) ? shape_of_text(v) : shape_of_word(v));
    }
    return h ? h : 1;
}

bool alm_surprise_line(alm_buf *out, const alm_look *look) {
    size_t n = look->text.n < ALM_READ_BYTES ? look->text.n : ALM_READ_BYTES, from = out->n;
    if (!alm_buf_add(out, look->text.at, n)) return false;
    char *line = out->at + from;
    for (uint32_t i = 0; i < look->n_params; i++) {
        const alm_param *p = &look->params[i];
        bool all =
            p->type == ALM_SLOT_HEX || p->type == ALM_SLOT_UUID || p->type == ALM_SLOT_MAC || p->type == ALM_SLOT_ID;
        for (size_t j = p->at; j < (size_t)p->at + p->n && j < n; j++) {
            char s = sign_of(line[j]);
            if (s == '0' || (all && (s == 'a' || s == 'A'))) line[j] = '0';
        }
    }
    return true;
}
