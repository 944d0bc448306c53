/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/words.h - reading back what the detectors saved: little-endian 64-bit words, every count checked before it is used.
 * A reader that has failed gives zeros; alm_words_end reports it, and also bytes that nobody read. */
#ifndef ALM_DETECT_WORDS_H
#define ALM_DETECT_WORDS_H

#include "base/buf.h"
#include "base/error.h"

typedef struct alm_words {
    alm_str rest;
    bool fine;
} alm_words;

static inline alm_words alm_words_of(alm_str bytes) { return (alm_words){bytes, true}; }

static inline uint64_t alm_words_u64(alm_words *w) {
    if (!w->fine || w->rest.n < 8) {
        w->fine = false;
        return 0;
    }
    uint64_t x = 0;
    for (unsigned i = 0; i < 8; i++) x |= (uint64_t)(unsigned char)w->rest.at[i] << (8 * i);
    w->rest.at += 8;
    w->rest.n -= 8;
    return x;
}

/* A number that must be below `limit`. */
static inline uint64_t alm_words_below(alm_words *w, uint64_t limit) {
    uint64_t x = alm_words_u64(w);
    if (x >= limit) w->fine = false;
    return w->fine ? x : 0;
}

/* A count of items of `words` words each that must fit into what is left, and below max + 1. */
static inline uint64_t alm_words_count(alm_words *w, uint64_t words, uint64_t max) {
    uint64_t n = alm_words_u64(w);
    if (n > max || n > w->rest.n / 8 / (words ? words : 1)) w->fine = false;
    return w->fine ? n : 0;
}

static inline double alm_words_f64(alm_words *w) {
    uint64_t bits = alm_words_u64(w);
    double x;
    memcpy(&x, &bits, sizeof x);
    if (!(x >= -1e300 && x <= 1e300)) w->fine = false;
    return w->fine ? x : 0;
}

static inline alm_status alm_words_end(const alm_words *w, const char *key, alm_error *err) {
    if (w->fine && w->rest.n == 0) return ALM_OK;
    return alm_fail(err, ALM_MALFORMED, "model: %s is damaged: a number in it is outside its range", key);
}

static inline bool alm_words_add_f64(alm_buf *out, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return alm_buf_add_le64(out, bits);
}

#endif
