/* SPDX-License-Identifier: Apache-2.0
 *
 * charsmap.c - the compiled table of replacements in a SentencePiece model: a double-array trie and the texts that it leads to.
 *
 *     u32 size of the trie in bytes | trie: units of u32 | texts, each ends with NUL
 *     unit: bits 0..7 and 31 the label, 8 whether a value hangs below, 9 whether the offset counts by 256, 10..30 the offset;
 *           a unit with a value: bits 0..30 are where its text begins
 *
 * Every index is checked at the time of use: a broken table ends a match, it never reads elsewhere. */
#include "text/tokenizer_inner.h"

static uint32_t word_at(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

alm_status alm_charsmap_read(alm_charsmap *out, alm_str bytes, alm_error *err) {
    const unsigned char *at = (const unsigned char *)bytes.at;
    if (bytes.n < 8) return alm_fail(err, ALM_MALFORMED, "precompiled_charsmap: truncated: it has %zu bytes", bytes.n);
    uint32_t n = word_at(at);
    if (n % 4 || n < 4 || n > bytes.n - 4)
        return alm_fail(err, ALM_MALFORMED, "precompiled_charsmap: bad_length: a trie of %u bytes in %zu", n, bytes.n);
    alm_str text = alm_str_slice(bytes, 4 + (size_t)n, bytes.n);
    if (text.n && text.at[text.n - 1])
        return alm_fail(err, ALM_MALFORMED, "precompiled_charsmap: bad_string: the last text has no end");
    *out = (alm_charsmap){at + 4, n / 4, text};
    return ALM_OK;
}

static uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

bool alm_charsmap_match(const alm_charsmap *m, alm_str s, alm_str *to, size_t *n) {
    uint32_t value = UINT32_MAX;
    size_t node = offset_of(word_at(m->unit));
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.at[i];
        node ^= byte;
        if (node >= m->n_unit) break;
        uint32_t unit = word_at(m->unit + 4 * node);
        if ((unit & (1u << 31 | 0xFF)) != byte) break;
        node ^= offset_of(unit);
        if (!(unit >> 8 & 1)) continue;
        if (node >= m->n_unit) break;
        value = word_at(m->unit + 4 * node) & 0x7FFFFFFF;
        *n = i + 1;
    }
    if (value >= m->text.n) return false;
    *to = alm_str_of(m->text.at + value); /* the table ends with a NUL */
    return true;
}
