/* SPDX-License-Identifier: Apache-2.0
 *
 * base64.c - four characters become three bytes (base64.h). */
#include "base/base64.h"

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool alm_base64_decode(char *at, size_t *n, alm_str s) {
    size_t out = 0;
    *n = 0;
    if (s.n % 4) return false;
    for (size_t i = 0; i < s.n; i += 4) {
        bool last = i + 4 == s.n;
        int n_pad = last && s.at[i + 3] == '=' ? s.at[i + 2] == '=' ? 2 : 1 : 0;
        uint32_t word = 0;
        for (int k = 0; k < 4; k++) {
            int v = k < 4 - n_pad ? value_of(s.at[i + (size_t)k]) : 0;
            if (v < 0) return false;
            word = word << 6 | (uint32_t)v;
        }
        if ((n_pad == 1 && word & 0xFF) || (n_pad == 2 && word & 0xFFFF)) return false;
        for (int k = 0; k < 3 - n_pad; k++) at[out++] = (char)(unsigned char)(word >> (16 - 8 * k));
    }
    *n = out;
    return true;
}
