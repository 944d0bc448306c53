/* SPDX-License-Identifier: Apache-2.0
 *
 * decode.c - ids become the bytes that they stand for (alm_decoder says how a token is read). */
#include "text/tokenizer_inner.h"

static const alm_str mark = {"\xE2\x96\x81", 3};

static bool byte_of(const alm_tokenizer *t, uint32_t id, char *out) {
    unsigned value;
    if (!t->decoder.bytes || !alm_bpe_is_byte_token(t->name[id], &value)) return false;
    *out = (char)(unsigned char)value;
    return true;
}

/* A token that a blank would stand before, and does not in written English. */
static bool clings(alm_str s) {
    static const char *const begin[] = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (alm_str_starts(s, alm_str_of(begin[i]))) return true;
    return false;
}

static void with_spaces(const alm_tokenizer *t, alm_str s, bool at_start, alm_buf *out) {
    const alm_decoder *d = &t->decoder;
    if (d->prefix.n && !at_start && alm_str_starts(s, d->prefix)) s = alm_str_slice(s, d->prefix.n, s.n);
    else if (!at_start && !(d->cleanup && clings(s))) alm_buf_add_byte(out, ' ');
    alm_buf_add_str(out, s);
}

static void decode_one(const alm_tokenizer *t, uint32_t id, bool at_start, alm_buf *out) {
    const alm_decoder *d = &t->decoder;
    char byte;
    alm_str s = t->name[id];
    if (byte_of(t, id, &byte)) {
        alm_buf_add_byte(out, byte);
        return;
    }
    if (d->unknown.n && t->unknown == (int32_t)id) {
        alm_buf_add_str(out, d->unknown);
        return;
    }
    if (d->spaces) {
        with_spaces(t, s, at_start, out);
        return;
    }
    if (d->blanks && at_start && d->strip && alm_str_starts(s, mark)) s = alm_str_slice(s, mark.n, s.n);
    bool ends = d->suffix.n && t->type[id] == ALM_TOKEN_NORMAL && alm_str_ends(s, d->suffix);
    if (ends) s.n -= d->suffix.n;
    while (d->blanks && s.n) {
        size_t at = alm_str_find(s, mark);
        alm_buf_add_str(out, alm_str_slice(s, 0, at));
        if (at == SIZE_MAX) break;
        alm_buf_add_byte(out, ' ');
        s = alm_str_slice(s, at + mark.n, s.n);
    }
    if (!d->blanks) alm_buf_add_str(out, s);
    if (ends) alm_buf_add_byte(out, ' ');
}

bool alm_tokenizer_decode_one(const alm_tokenizer *t, uint32_t id, bool *at_start, alm_buf *out) {
    size_t n = out->n;
    if (id >= t->n_vocab) return false;
    decode_one(t, id, *at_start, out);
    /* Where blanks are squeezed, all at the beginning go, not only the one that was put there. */
    *at_start = *at_start && t->decoder.strip_all && out->n == n;
    return true;
}

alm_status alm_tokenizer_decode(const alm_tokenizer *t, const uint32_t *id, size_t n, alm_buf *out, alm_error *err) {
    bool at_start = true;
    for (size_t i = 0; i < n; i++)
        if (!alm_tokenizer_decode_one(t, id[i], &at_start, out)) {
            alm_fail(err, ALM_INVALID, "%u is no id of this vocabulary", id[i]);
            alm_hint(err, "its ids go from 0 to %zu", t->n_vocab - 1);
            return ALM_INVALID;
        }
    return alm_buf_status(out, err);
}
