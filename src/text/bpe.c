/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe.c - a byte-level vocabulary in memory: the alphabet of files, the tables, looking things up.
 *
 * Files write a token with a printable character for every byte (the GPT-2 alphabet): the bytes 21..7E, A1..AC and AE..FF
 * stand for themselves as U+0021..U+00FF, the 68 others for U+0100, U+0101, ... in their order; a blank is U+0120. A token
 * that holds any other character stands for its own UTF-8.
 *
 * Invariants of a finished vocabulary: each byte has a token; each merge joins two tokens whose bytes, one behind the other,
 * are those of the token that it makes, and makes no token but a normal one; no pair has two merges. So what is encoded can
 * always be decoded, and no text can make a control token. */
#include "base/alloc.h"
#include "text/bpe_inner.h"
#include <stdlib.h>

/* -- the alphabet of files ------------------------------------------------------------------------------------------- */

static bool is_itself(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* 00..20 are 0..32, 7F..A0 are 33..66, AD is 67. */
static unsigned number_of(unsigned byte) { return byte <= 0x20 ? byte : byte == 0xAD ? 67 : byte - 0x7F + 33; }

static bool byte_of(uint32_t scalar, unsigned char *out) {
    if (scalar < 256) {
        *out = (unsigned char)scalar;
        return is_itself(scalar);
    }
    uint32_t n = scalar - 256;
    if (n > 67) return false;
    *out = (unsigned char)(n <= 32 ? n : n == 67 ? 0xAD : n - 33 + 0x7F);
    return true;
}

bool alm_bpe_write_piece(alm_buf *out, alm_str bytes) {
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned byte = (unsigned char)bytes.at[i];
        char at[4];
        alm_buf_add(out, at, alm_utf8_put(at, is_itself(byte) ? byte : 256 + number_of(byte)));
    }
    return out->failed == ALM_OK;
}

/* Decodes into `at`, which has raw.n bytes. */
static size_t read_piece(char *at, alm_str raw) {
    size_t pos = 0, n = 0;
    while (pos < raw.n) {
        uint32_t scalar;
        unsigned char byte;
        if (!alm_utf8_next(raw, &pos, &scalar) || !byte_of(scalar, &byte)) {
            memcpy(at, raw.at, raw.n);
            return raw.n;
        }
        at[n++] = (char)byte;
    }
    return n;
}

/* -- a table of strings, for the time of building --------------------------------------------------------------------- */

typedef struct names {
    const alm_str *raw;
    uint32_t *slot; /* id + 1 */
    size_t mask;
} names;

static uint32_t *place(const names *t, alm_str s) {
    size_t at = (size_t)alm_hash_str(s) & t->mask;
    while (t->slot[at] && !alm_str_eq(t->raw[t->slot[at] - 1], s)) at = (at + 1) & t->mask;
    return &t->slot[at];
}

size_t alm_bpe_mask_for(size_t n) {
    size_t size = 16;
    while (size < 2 * n) size *= 2;
    return size - 1;
}

static alm_status names_new(names *t, const alm_str *raw, size_t n, const char *what, alm_error *err) {
    *t = (names){.raw = raw, .mask = alm_bpe_mask_for(n)};
    t->slot = alm_calloc(t->mask + 1, sizeof *t->slot);
    if (!t->slot) return alm_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint32_t *slot = place(t, raw[i]);
        /* An empty token is never looked for, so it may stand there more than once. */
        if (*slot && raw[i].n)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_value: tokens %u and %zu are the same: \"%.*s\"", what,
                            *slot - 1, i, raw[i].n > 60 ? 60 : (int)raw[i].n, raw[i].at);
        *slot = (uint32_t)i + 1;
    }
    return ALM_OK;
}

/* -- building --------------------------------------------------------------------------------------------------------- */

alm_status alm_bpe_new(alm_bpe **out, size_t n_vocab, size_t n_merge, alm_error *err) {
    alm_status st = ALM_OK;
    *out = NULL;
    if (n_vocab > ALM_BPE_MAX_VOCAB || n_merge > ALM_BPE_MAX_VOCAB)
        return alm_fail(err, ALM_MALFORMED, "tokenizer: bad_count: %zu tokens and %zu merges, more than %d", n_vocab,
                        n_merge, (int)ALM_BPE_MAX_VOCAB);
    alm_bpe *b = alm_calloc(1, sizeof *b);
    if (!b) return alm_fail_memory(err);
    if ((st = alm_arena_new(&b->arena, (size_t)1 << 16, 0, err)) != ALM_OK) goto fail;
    st = ALM_NO_MEMORY;
    b->n_vocab = n_vocab;
    b->n_merge = n_merge;
    b->bos = b->eos = ALM_BPE_NO_ID;
    b->unknown = UINT32_MAX;
    b->piece = alm_arena_array(b->arena, alm_str, n_vocab);
    b->text = alm_arena_array(b->arena, alm_str, n_vocab);
    b->type = alm_arena_array(b->arena, unsigned char, n_vocab);
    b->merge = alm_arena_array(b->arena, alm_bpe_merge, n_merge);
    if (!b->piece || !b->text || !b->type || !b->merge) {
        alm_fail_memory(err);
        goto fail;
    }
    *out = b;
    return ALM_OK;
fail:
    alm_bpe_free(b);
    return st;
}

void alm_bpe_free(alm_bpe *b) {
    if (!b) return;
    alm_arena_free(b->arena);
    alm_free(b);
}

alm_status alm_bpe_set_pre(alm_bpe *b, alm_str name, alm_error *err) {
    const alm_pretoken_name *known = alm_pretoken_find(name);
    if (known && known->rule != ALM_PRETOKEN_REGEX) {
        b->pre = known->name;
        b->rule = known->rule;
        b->whole_words = known->whole_words;
        return ALM_OK;
    }
    alm_fail(err, ALM_UNSUPPORTED, "tokenizer.ggml.pre: the pre-tokenizer %.*s is not supported",
             name.n > 60 ? 60 : (int)name.n, name.at);
    alm_hint(err, "supported are gpt-2, phi-2, llama-bpe, dbrx, smaug-bpe, qwen2, gpt-4o, tekken and others like them");
    return ALM_UNSUPPORTED;
}

alm_status alm_bpe_set_tokens(alm_bpe *b, const alm_str *raw, const char *what, alm_error *err) {
    for (size_t i = 0; i < b->n_vocab; i++) {
        unsigned char type = b->type[i];
        if (type < ALM_BPE_NORMAL || type > ALM_BPE_BYTE)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_value: token %zu has the type %d", what, i, type);
        if (type != ALM_BPE_NORMAL) {
            b->text[i] = alm_arena_copy(b->arena, raw[i]);
            if (!b->text[i].at) return alm_fail_memory(err);
            if (type == ALM_BPE_USER) b->piece[i] = b->text[i];
            continue;
        }
        if (b->chars) {
            b->piece[i] = alm_arena_copy(b->arena, raw[i]);
            if (!b->piece[i].at) return alm_fail_memory(err);
            continue;
        }
        char *at = alm_arena_alloc(b->arena, raw[i].n + 1, 1);
        if (!at) return alm_fail_memory(err);
        b->piece[i] = alm_str_make(at, read_piece(at, raw[i]));
    }
    return ALM_OK;
}

alm_status alm_bpe_set_merges(alm_bpe *b, const alm_str *raw, const alm_str (*merge)[2], const char *what,
                              alm_error *err) {
    names t = {0};
    alm_buf joined = alm_buf_with_limit(SIZE_MAX);
    alm_status st = names_new(&t, raw, b->n_vocab, what, err);
    for (size_t i = 0; st == ALM_OK && i < b->n_merge; i++) {
        uint32_t id[3] = {0};
        alm_buf_clear(&joined);
        alm_buf_add_str(&joined, merge[i][0]);
        alm_buf_add_str(&joined, merge[i][1]);
        if ((st = alm_buf_status(&joined, err)) != ALM_OK) break;
        const alm_str part[3] = {merge[i][0], merge[i][1], alm_buf_str(&joined)};
        for (int k = 0; st == ALM_OK && k < 3; k++) {
            uint32_t found = part[k].n ? *place(&t, part[k]) : 0;
            if (!found || b->type[found - 1] != ALM_BPE_NORMAL)
                st = alm_fail(err, ALM_MALFORMED,
                              "%s: bad_value: merge %zu needs the token \"%.*s\", which the vocabulary lacks", what, i,
                              part[k].n > 60 ? 60 : (int)part[k].n, part[k].at);
            else id[k] = found - 1;
        }
        if (st != ALM_OK) break;
        b->merge[i] = (alm_bpe_merge){id[0], id[1], id[2]};
        if (b->piece[id[0]].n + b->piece[id[1]].n != b->piece[id[2]].n)
            st = alm_fail(err, ALM_MALFORMED, "%s: bad_value: the bytes of merge %zu do not add up", what, i);
    }
    alm_free(t.slot);
    alm_buf_free(&joined);
    return st;
}

/* -- the tables ------------------------------------------------------------------------------------------------------- */

uint32_t alm_bpe_find_word(const alm_bpe *b, alm_str bytes) {
    for (size_t at = (size_t)alm_hash_str(bytes) & b->word_mask; b->word[at]; at = (at + 1) & b->word_mask)
        if (alm_str_eq(b->piece[b->word[at] - 1], bytes)) return b->word[at] - 1;
    return UINT32_MAX;
}

static alm_status find_bytes(alm_bpe *b, const char *what, alm_error *err) {
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)(unsigned char)c;
        b->byte_id[c] = alm_bpe_find_word(b, alm_str_make(&byte, 1));
        if (b->byte_id[c] == UINT32_MAX) {
            alm_fail(err, ALM_MALFORMED, "%s: bad_value: the byte 0x%02X has no token", what, c);
            alm_hint(err, "only byte-level vocabularies, with a token for each of the 256 bytes, can be used");
            return ALM_MALFORMED;
        }
    }
    return ALM_OK;
}

static alm_status build_words(alm_bpe *b, const char *what, alm_error *err) {
    b->word_mask = alm_bpe_mask_for(b->n_vocab);
    b->word = alm_arena_array(b->arena, uint32_t, b->word_mask + 1);
    if (!b->word) return alm_fail_memory(err);
    for (size_t i = 0; i < b->n_vocab; i++) {
        if (b->type[i] != ALM_BPE_NORMAL || !b->piece[i].n) continue;
        size_t at = (size_t)alm_hash_str(b->piece[i]) & b->word_mask;
        while (b->word[at] && !alm_str_eq(b->piece[b->word[at] - 1], b->piece[i])) at = (at + 1) & b->word_mask;
        if (!b->word[at]) b->word[at] = (uint32_t)i + 1; /* of two that mean the same bytes the first */
    }
    return b->chars ? ALM_OK : find_bytes(b, what, err);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "<0x0A>": the token for a byte where words begin as characters. */
bool alm_bpe_is_byte_token(alm_str s, unsigned *byte) {
    if (s.n != 6 || memcmp(s.at, "<0x", 3) != 0 || s.at[5] != '>') return false;
    int high = hex_digit(s.at[3]), low = hex_digit(s.at[4]);
    if (high < 0 || low < 0) return false;
    *byte = (unsigned)high * 16 + (unsigned)low;
    return true;
}

void alm_bpe_find_byte_tokens(alm_bpe *b, const alm_str *raw) {
    unsigned byte;
    memset(b->byte_id, 0xFF, sizeof b->byte_id);
    for (size_t i = 0; i < b->n_vocab; i++)
        if (alm_bpe_is_byte_token(raw[i], &byte) && b->byte_id[byte] == UINT32_MAX) b->byte_id[byte] = (uint32_t)i;
}

static alm_status build_pairs(alm_bpe *b, const char *what, alm_error *err) {
    b->pair_mask = alm_bpe_mask_for(b->n_merge);
    b->pair = alm_arena_array(b->arena, alm_bpe_pair, b->pair_mask + 1);
    if (!b->pair) return alm_fail_memory(err);
    for (size_t i = 0; i <= b->pair_mask; i++) b->pair[i].key = UINT64_MAX;
    for (size_t i = 0; i < b->n_merge; i++) {
        alm_bpe_merge m = b->merge[i];
        uint64_t key = alm_bpe_key(m.left, m.right);
        size_t at = alm_bpe_slot(key) & b->pair_mask;
        while (b->pair[at].key != UINT64_MAX && b->pair[at].key != key) at = (at + 1) & b->pair_mask;
        if (b->pair[at].key == key)
            return alm_fail(err, ALM_MALFORMED, "%s: bad_value: merges %u and %zu are the same", what, b->pair[at].rank,
                            i);
        b->pair[at] = (alm_bpe_pair){key, (uint32_t)i, m.id};
    }
    return ALM_OK;
}

static bool is_looked_for(const alm_bpe *b, size_t id) {
    return (b->type[id] == ALM_BPE_CONTROL || b->type[id] == ALM_BPE_USER) && b->text[id].n;
}

/* By first byte, the longest first, then the smaller id. */
static bool stands_before(const alm_bpe *b, uint32_t x, uint32_t y) {
    alm_str s = b->text[x], t = b->text[y];
    if (s.at[0] != t.at[0]) return (unsigned char)s.at[0] < (unsigned char)t.at[0];
    return s.n != t.n ? s.n > t.n : x < y;
}

static void sift(const alm_bpe *b, size_t at, size_t n) {
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && stands_before(b, b->special[child], b->special[child + 1])) child++;
        if (!stands_before(b, b->special[at], b->special[child])) return;
        uint32_t keep = b->special[at];
        b->special[at] = b->special[child];
        b->special[child] = keep;
    }
}

static alm_status build_specials(alm_bpe *b, const char *what, alm_error *err) {
    size_t n = 0;
    for (size_t i = 0; i < b->n_vocab; i++) {
        n += is_looked_for(b, i);
        b->has_user |= b->type[i] == ALM_BPE_USER && b->text[i].n;
    }
    if (n > ALM_BPE_MAX_SPECIAL)
        return alm_fail(err, ALM_UNSUPPORTED, "%s: bad_count: %zu special tokens, more than %d", what, n,
                        (int)ALM_BPE_MAX_SPECIAL);
    b->special = alm_arena_array(b->arena, uint32_t, n);
    if (!b->special) return alm_fail_memory(err);
    for (size_t i = 0; i < b->n_vocab; i++)
        if (is_looked_for(b, i)) b->special[b->n_special++] = (uint32_t)i;
    for (size_t i = n / 2; i--;) sift(b, i, n);
    for (size_t end = n; end > 1;) {
        uint32_t keep = b->special[0];
        b->special[0] = b->special[--end];
        b->special[end] = keep;
        sift(b, 0, end);
    }
    for (uint32_t c = 0, i = 0; c <= 256; c++) {
        while (i < n && (unsigned char)b->text[b->special[i]].at[0] < c) i++;
        b->special_at[c] = i;
    }
    return ALM_OK;
}

static void build_digest(alm_bpe *b) {
    uint64_t kind = (uint64_t)b->chars << 8 | (uint64_t)b->fuse_unknown << 9 | (uint64_t)b->unknown << 16;
    uint64_t h = alm_hash64(b->byte_id, sizeof b->byte_id, ((uint64_t)b->rule * 2 + b->whole_words) ^ kind);
    if (b->rank) h = alm_hash64(b->rank, b->n_vocab * sizeof *b->rank, h);
    h = alm_hash64(b->merge, b->n_merge * sizeof *b->merge, h);
    for (size_t i = 0; i < b->n_vocab; i++) h = alm_hash64(b->piece[i].at, b->piece[i].n, h + b->type[i]);
    b->digest = h;
}

/* The last bytes of characters that stand before U+2581 in a token. */
static void find_joins(alm_bpe *b) {
    const alm_str mark = ALM_STR("\xE2\x96\x81");
    for (size_t i = 0; i < b->n_vocab; i++) {
        alm_str s = b->piece[i];
        if (b->type[i] != ALM_BPE_NORMAL) continue;
        while (alm_str_starts(s, mark)) s = alm_str_slice(s, mark.n, s.n);
        for (size_t at; (at = alm_str_find(s, mark)) != SIZE_MAX;) {
            if (at) b->joins[(unsigned char)s.at[at - 1]] = true; /* at 0: a mark behind a mark */
            s = alm_str_slice(s, at + mark.n, s.n);
        }
    }
}

alm_status alm_bpe_finish(alm_bpe *b, const char *what, alm_error *err) {
    alm_status st = build_words(b, what, err);
    if (b->chars) find_joins(b);
    if (st == ALM_OK) st = build_pairs(b, what, err);
    if (st == ALM_OK) st = build_specials(b, what, err);
    if (st == ALM_OK) build_digest(b);
    return st;
}

/* -- looking at it ---------------------------------------------------------------------------------------------------- */

size_t alm_bpe_vocab(const alm_bpe *b) { return b->n_vocab; }
int32_t alm_bpe_bos(const alm_bpe *b) { return b->bos; }
int32_t alm_bpe_eos(const alm_bpe *b) { return b->eos; }
bool alm_bpe_adds_bos(const alm_bpe *b) { return b->add_bos && b->bos >= 0; }
bool alm_bpe_adds_eos(const alm_bpe *b) { return b->add_eos && b->eos >= 0; }
const char *alm_bpe_pre(const alm_bpe *b) { return b->pre; }
alm_str alm_bpe_piece(const alm_bpe *b, uint32_t id) { return id < b->n_vocab ? b->piece[id] : (alm_str){"", 0}; }
alm_str alm_bpe_special_text(const alm_bpe *b, uint32_t id) { return id < b->n_vocab ? b->text[id] : (alm_str){"", 0}; }
