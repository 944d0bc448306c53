/* SPDX-License-Identifier: Apache-2.0
 *
 * log_shape.c - shapes of records and what they were tokenised to (log_shape.h).
 *
 * Why a shape decides: the tokeniser asks of a digit whether it is one, never which (the exceptions: the 0 of 0x, so a digit
 * before an x stays as it is; the first digit of a year behind a date and the beginnings of two identifiers in a row, which
 * it notes in alm_tokens.look). A UUID that stands alone, or behind letters and a hyphen, between separators, is one slot
 * whatever its digits are, as long as one of them is a digit and no letter.
 *
 * A shape is stored when it comes a second time: records that never come again then cost no more than the look. Sets of
 * four places, replaced in turn; a place is found by the hash and checked by all bytes.
 *
 * Invariant: the tokens of a stored shape with a digit in a word that has a hash are in its list `patch`; no separator has
 * a digit; no part of a folded UUID lies in a word that has a hash. What breaks that is not stored. */
#include "detect/log_shape.h"

#include "base/alloc.h"
#include "detect/log_hash.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    SETS = 1024,
    WAYS = 4,
    SIEVE = 8192,           /* hashes of shapes that came once */
    WINDOW = 2048,          /* records: when fewer than an eighth of them were remembered, ... */
    REST = 7 * WINDOW,      /* ... so many are tokenised without a look */
    MAX_BYTES = 2 << 20,    /* of all shapes */
    MAX_HYPHENS_WORDS = 18, /* 64 bytes each, and two behind */
    UUID_BYTES = 36
};

typedef struct shape {
    uint64_t key; /* without the shares of the patched tokens */
    uint64_t types;
    size_t bytes; /* of this allocation */
    uint32_t n_line, n_token, n_param, n_patch;
    uint32_t tail_at, tail_end;
    alm_looked look;
    char looked[ALM_LOOKED_MAX]; /* what stood there */
    alm_token *token;
    alm_param *param;
    uint8_t *patch; /* numbers of tokens */
    char *text;     /* the shape, zeros up to a multiple of 16 */
} shape;

struct alm_log_shapes {
    uint64_t hits;
    size_t n, bytes;
    uint32_t looks, found, rest; /* in the window; records that go without a look */
    struct place {
        uint32_t tag; /* upper half of the hash */
        shape *shape;
    } place[SETS][WAYS];
    uint8_t turn[SETS];
    uint32_t sieve[SIEVE];
    uint64_t hyphen[MAX_HYPHENS_WORDS];
    char text[ALM_SHAPE_BYTES + 32]; /* of the record at hand */
};

/* --- the shape of a line ---------------------------------------------------------------------------------------------- */

/* 16 bytes with one byte behind them: digits become 0, but those before an x. Returns which are hyphens. */
static inline unsigned fold16(char *out, const char *s) {
#if defined(__SSE2__)
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i behind = _mm_loadu_si128((const __m128i *)(const void *)(s + 1));
    __m128i d = _mm_sub_epi8(c, _mm_set1_epi8('0'));
    __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
    __m128i x = _mm_cmpeq_epi8(_mm_or_si128(behind, _mm_set1_epi8(0x20)), _mm_set1_epi8('x'));
    __m128i low = _mm_and_si128(_mm_andnot_si128(x, digits), _mm_set1_epi8(0x0F));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_andnot_si128(low, c));
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, _mm_set1_epi8('-')));
#else
    unsigned hyphens = 0;
    for (unsigned i = 0; i < 16; i++) {
        out[i] = digit(s[i]) && (s[i + 1] | 0x20) != 'x' ? '0' : s[i];
        hyphens |= (unsigned)(s[i] == '-') << i;
    }
    return hyphens;
#endif
}

/* Which of 36 bytes are hexadecimal digits; *digits: which of them are 0-9. */
static inline uint64_t hex36(const char *s, uint64_t *digits) {
    uint64_t hex = 0;
    *digits = 0;
#if defined(__SSE2__)
    static const unsigned char from[] = {0, 16, 20}; /* the last two overlap */
    for (unsigned i = 0; i < 3; i++) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(s + from[i]));
        __m128i d = _mm_sub_epi8(c, _mm_set1_epi8('0'));
        __m128i l = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
        d = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
        l = _mm_cmpeq_epi8(_mm_min_epu8(l, _mm_set1_epi8(5)), l);
        *digits |= (uint64_t)(unsigned)_mm_movemask_epi8(d) << from[i];
        hex |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(d, l)) << from[i];
    }
#else
    for (unsigned i = 0; i < UUID_BYTES; i++) {
        hex |= (uint64_t)hexdigit(s[i]) << i;
        *digits |= (uint64_t)digit(s[i]) << i;
    }
#endif
    return hex;
}

/* Does a UUID with a digit in it begin at a, between separators, alone or behind letters and a hyphen? */
static bool free_uuid(const char *s, size_t n, size_t a) {
    if (a + UUID_BYTES > n) return false;
    static const uint64_t hyphens =
        1u << 8 | 1u << 13 | 1u << 18 | 1u << 23; /* they are there: the caller has looked */
    uint64_t digits, hex = hex36(s + a, &digits);
    if (hex != ((UINT64_C(1) << UUID_BYTES) - 1 - hyphens) || !digits) return false;
    size_t e = a + UUID_BYTES;
    while (e < n && (s[e] == '.' || s[e] == ':' || s[e] == '!' || s[e] == '?')) e++;
    if (e < n && !(cls(s[e]) & SEP)) return false;
    size_t from = a;
    if (a > 2 && s[a - 1] == '-') {
        from = a - 1;
        while (from > 0 && (cls(s[from - 1]) & LET)) from--;
        if (from + 3 > a) return false;
    }
    return from == 0 || ((cls(s[from - 1]) & SEP) && s[from - 1] != '<');
}

static inline uint64_t mix(uint64_t h, const char *at) { return fold(h ^ load64(at), load64(at + 8) ^ K1); }

/* The shape of line into out (zeros behind it up to a multiple of 16); *n_uuid is how many UUIDs were folded. Returns its hash. */
static uint64_t shape_of(char *out, alm_str line, uint64_t *hyphen, unsigned *n_uuid) {
    size_t n = line.n, i = 0;
    const char *s = line.at;
    unsigned shift = 0;
    uint64_t *to = hyphen, word = 0, found = 0;
    for (; i + 16 < n; i += 16) { /* one byte behind is read */
        word |= (uint64_t)fold16(out + i, s + i) << shift;
        shift += 16;
        if (shift == 64) *to++ = word, word = 0, shift = 0;
    }
    char last[32] = {0};
    memcpy(last, s + i, n - i);
    word |= (uint64_t)fold16(out + i, last) << shift;
    to[0] = word, to[1] = to[2] = 0;
    *n_uuid = 0;
    if (s[0] != '{') /* in JSON without quotes it would be taken for a number, or for no JSON */
        for (const uint64_t *h = hyphen; h <= to; h++) {
            found = h[0] & (h[0] >> 5 | h[1] << 59) & (h[0] >> 10 | h[1] << 54) & (h[0] >> 15 | h[1] << 49);
            for (; found; found &= found - 1) {
                size_t at = ((size_t)(h - hyphen) << 6) + (size_t)__builtin_ctzll(found);
                if (at < 8 || !free_uuid(s, n, at - 8)) continue;
                static const char zero[] = "00000000-0000-0000-0000-000000000000";
                memcpy(out + at - 8, zero, UUID_BYTES);
                ++*n_uuid;
            }
        }
    uint64_t hash = n * K0;
    for (i = 0; i < n; i += 16) hash = mix(hash, out + i);
    return hash;
}

void alm_log_shape_of(char *out, alm_str line) {
    uint64_t hyphen[MAX_HYPHENS_WORDS];
    unsigned n_uuid;
    (void)shape_of(out, line, hyphen, &n_uuid);
}

/* --- storing ---------------------------------------------------------------------------------------------------------- */

static bool has_digit(const char *s, size_t from, size_t to) {
    while (from < to && !digit(s[from])) from++;
    return from < to;
}

/* Are the bytes of folded UUIDs (where text and line differ in a letter) in slots without a hash only? */
static bool letters_kept(const char *text, const char *s, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (text[i] != s[i] && !digit(s[i])) return false;
    return true;
}

static bool has_hash(const alm_token *t) { return t->type == ALM_SLOT_CONST || (t->flags & ALM_TOKEN_SOFT); }

/* Can the shape be stored (see the invariant)? Counts what it needs. */
static bool measure(const alm_tokens *t, const char *text, const char *s, uint32_t *n_patch, uint32_t *n_param) {
    *n_patch = *n_param = 0;
    if (t->look.n > ALM_LOOKED_MAX) return false;
    for (uint32_t i = 0; i < t->n; i++) {
        const alm_token *k = &t->at[i];
        if (has_digit(s, k->sep_at, k->at) || !letters_kept(text, s, k->sep_at, k->at)) return false;
        *n_param += k->type != ALM_SLOT_CONST;
        if (!has_hash(k)) continue;
        if (!letters_kept(text, s, k->at, k->at + k->n)) return false;
        *n_patch += has_digit(s, k->at, k->at + k->n);
    }
    return !has_digit(s, t->tail_at, t->tail_end) && letters_kept(text, s, t->tail_at, t->tail_end);
}

static shape *shape_new(const alm_tokens *t, const char *text, alm_str line) {
    uint32_t n_patch, n_param;
    if (!measure(t, text, line.at, &n_patch, &n_param)) return NULL;
    size_t padded = (line.n + 15) & ~(size_t)15, tokens = t->n * sizeof(alm_token),
           params = n_param * sizeof(alm_param);
    size_t bytes = sizeof(shape) + tokens + params + padded + n_patch;
    shape *p = alm_alloc(bytes);
    if (!p) return NULL;
    char *room = (char *)p + sizeof *p;
    *p = (shape){.key = t->key,
                 .types = t->types,
                 .bytes = bytes,
                 .n_line = (uint32_t)line.n,
                 .n_token = t->n,
                 .n_param = n_param,
                 .n_patch = n_patch,
                 .tail_at = t->tail_at,
                 .tail_end = t->tail_end,
                 .look = t->look,
                 .token = (alm_token *)(void *)room,
                 .param = (alm_param *)(void *)(room + tokens),
                 .text = room + tokens + params,
                 .patch = (uint8_t *)room + tokens + params + padded};
    for (uint32_t i = 0; i < t->look.n; i++) p->looked[i] = line.at[t->look.at[i]];
    if (tokens) memcpy(p->token, t->at, tokens);
    memcpy(p->text, text, padded);
    uint32_t n = 0, k = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        const alm_token *tok = &t->at[i];
        if (tok->type != ALM_SLOT_CONST)
            p->param[n++] = (alm_param){.at = tok->at, .n = tok->n, .slot = (uint16_t)i, .type = tok->type};
        if (has_hash(tok) && has_digit(line.at, tok->at, tok->at + tok->n)) {
            p->patch[k++] = (uint8_t)i;
            if (tok->type == ALM_SLOT_CONST) p->key -= share(tok->sep_hash, tok->hash);
        }
    }
    return p;
}

static void forget(alm_log_shapes *s, struct place *at) {
    if (!at->shape) return;
    s->bytes -= at->shape->bytes;
    s->n--;
    alm_free(at->shape);
    at->shape = NULL;
}

static void remember(alm_log_shapes *s, uint64_t hash, const alm_tokens *t, alm_str line) {
    uint32_t *seen = &s->sieve[hash % SIEVE], tag = (uint32_t)(hash >> 32);
    if (*seen != tag) {
        *seen = tag;
        return;
    }
    shape *p = t->n <= 255 ? shape_new(t, s->text, line) : NULL;
    if (!p) return;
    size_t set = hash % SETS;
    struct place *at = NULL;
    for (unsigned i = 0; i < WAYS && !at; i++)
        if (!s->place[set][i].shape) at = &s->place[set][i];
    if (!at) at = &s->place[set][s->turn[set]++ % WAYS];
    forget(s, at);
    for (unsigned i = 0; i < WAYS && s->bytes + p->bytes > MAX_BYTES; i++) forget(s, &s->place[set][i]);
    if (s->bytes + p->bytes > MAX_BYTES) {
        alm_free(p);
        return;
    }
    *at = (struct place){tag, p};
    s->bytes += p->bytes;
    s->n++;
}

/* --- asking ------------------------------------------------------------------------------------------------------------ */

static bool fits(const shape *p, const alm_log_shapes *s, alm_str line) {
    if (p->n_line != line.n || memcmp(p->text, s->text, line.n) != 0) return false;
    for (uint32_t i = 0; i < p->look.n; i++)
        if (line.at[p->look.at[i]] != p->looked[i]) return false;
    return true;
}

/* Shall the next record be looked up? Where shapes seldom come again (very many of them, or words that vary), the look would
 * only cost. */
static bool worth_a_look(alm_log_shapes *s) {
    if (s->rest) {
        s->rest--;
        return false;
    }
    if (++s->looks == WINDOW) {
        if (s->found < WINDOW / 8) s->rest = REST;
        s->looks = s->found = 0;
    }
    return true;
}

static void answer(shape *p, alm_log_view *out, alm_str line) {
    uint64_t key = p->key;
    for (uint32_t i = 0; i < p->n_patch; i++) {
        alm_token *t = &p->token[p->patch[i]];
        t->hash = word_hash(head_of(line.at + t->at, t->n, line.n - t->at), line.at + t->at, t->n);
        if (t->type == ALM_SLOT_CONST) key += share(t->sep_hash, t->hash);
    }
    *out = (alm_log_view){.at = p->token,
                          .n = p->n_token,
                          .tail_at = p->tail_at,
                          .tail_end = p->tail_end,
                          .key = key ? key : 1,
                          .types = p->types,
                          .param = p->param,
                          .n_param = p->n_param};
}

void alm_log_shapes_tokenise(alm_log_shapes *s, alm_log_view *out, alm_tokens *scratch, alm_str line, bool lines_only) {
    uint64_t hash = 0;
    unsigned n_uuid;
    bool small = line.n > 0 && line.n <= ALM_SHAPE_BYTES && worth_a_look(s);
    if (small) {
        hash = shape_of(s->text, line, s->hyphen, &n_uuid);
        struct place *set = s->place[hash % SETS];
        for (unsigned i = 0; i < WAYS; i++)
            if (set[i].tag == (uint32_t)(hash >> 32) && set[i].shape && fits(set[i].shape, s, line)) {
                s->hits++, s->found++;
                answer(set[i].shape, out, line);
                return;
            }
    }
    alm_log_tokenise(scratch, line, NULL, 0, lines_only);
    if (small) remember(s, hash, scratch, line);
    *out = (alm_log_view){.at = scratch->at,
                          .n = scratch->n,
                          .tail_at = scratch->tail_at,
                          .tail_end = scratch->tail_end,
                          .key = scratch->key,
                          .types = scratch->types};
}

alm_log_shapes *alm_log_shapes_new(void) { return alm_calloc(1, sizeof(alm_log_shapes)); }

void alm_log_shapes_free(alm_log_shapes *s) {
    if (!s) return;
    for (unsigned set = 0; set < SETS; set++)
        for (unsigned i = 0; i < WAYS; i++) forget(s, &s->place[set][i]);
    alm_free(s);
}

void alm_log_shapes_count(const alm_log_shapes *s, uint64_t *hits, size_t *shapes) { *hits = s->hits, *shapes = s->n; }
