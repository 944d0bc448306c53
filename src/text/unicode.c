/* SPDX-License-Identifier: Apache-2.0
 *
 * unicode.c - classes, lower case and normal forms, by binary search in tables of runs (unicode.h).
 *
 * A normal form is made in one pass: each character is decomposed wholly (a step at a time, for the tables hold one step),
 * collected with the marks that follow it, the marks sorted by their combining class, then for NFC and NFKC composed. What is
 * collected ends at the next character of class 0 that does not compose backwards; Hangul is computed. */
#include "text/unicode.h"
#include "base/error.h"

/* -- tables ----------------------------------------------------------------------------------------------------------- */

typedef struct run {
    uint32_t from, to;
    int32_t value, step;
} run;
typedef struct class_run {
    uint32_t from : 24, class : 8, to;
} class_run;
typedef struct canon {
    uint32_t from, to[2];
} canon;
typedef struct compat {
    uint32_t from;
    const char *to;
} compat;
typedef struct pair {
    uint32_t first, second, both;
} pair;

static const class_run classes[] = {
#define ALM_CLASS(name, from, to) {from, ALM_CLASS_##name, to},
#include "text/classes.inc"
#undef ALM_CLASS
};

/* forms.inc holds rows of five kinds; each table takes its own and passes over the others. */
#define ALM_CANON(from, a, b) {from, {a, b}},
#define ALM_PAIR(first, second, both)
#define ALM_COMPAT(from, to)
#define ALM_ORDER(from, to, class)
#define ALM_LOWER(from, to, step, add)
static const canon canons[] = {
#include "text/forms.inc"
};
#undef ALM_CANON
#undef ALM_PAIR
#define ALM_CANON(from, a, b)
#define ALM_PAIR(first, second, both) {first, second, both},
static const pair pairs[] = {
#include "text/forms.inc"
};
#undef ALM_PAIR
#undef ALM_COMPAT
#define ALM_PAIR(first, second, both)
#define ALM_COMPAT(from, to) {from, to},
static const compat compats[] = {
#include "text/forms.inc"
};
#undef ALM_COMPAT
#undef ALM_ORDER
#define ALM_COMPAT(from, to)
#define ALM_ORDER(from, to, class) {from, to, class, 1},
static const run orders[] = {
#include "text/forms.inc"
};
#undef ALM_ORDER
#undef ALM_LOWER
#define ALM_ORDER(from, to, class)
#define ALM_LOWER(from, to, step, add) {from, to, add, step},
static const run lowers[] = {
#include "text/forms.inc"
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* The last row of a sorted table that begins at scalar or before; NULL when none does. */
#define FIND(table, scalar, out)                                 \
    do {                                                         \
        size_t low_ = 0, high_ = COUNT(table);                   \
        while (low_ < high_) {                                   \
            size_t mid_ = low_ + (high_ - low_) / 2;             \
            if ((table)[mid_].from <= (scalar)) low_ = mid_ + 1; \
            else high_ = mid_;                                   \
        }                                                        \
        *(out) = low_ ? &(table)[low_ - 1] : NULL;               \
    } while (0)

alm_class alm_class_of(uint32_t scalar) {
    const class_run *r;
    FIND(classes, scalar, &r);
    return r && scalar <= r->to ? (alm_class)r->class : ALM_CLASS_OTHER;
}

size_t alm_lower(uint32_t scalar, uint32_t out[2]) {
    const run *r;
    out[0] = scalar;
    if (scalar < 128) {
        if (scalar >= 'A' && scalar <= 'Z') out[0] = scalar | 0x20;
        return 1;
    }
    if (scalar == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    FIND(lowers, scalar, &r);
    if (r && scalar <= r->to && (scalar - r->from) % (uint32_t)r->step == 0)
        out[0] = (uint32_t)((int64_t)scalar + r->value);
    return 1;
}

static unsigned order_of(uint32_t scalar) {
    const run *r;
    if (scalar < 0x300) return 0;
    FIND(orders, scalar, &r);
    return r && scalar <= r->to ? (unsigned)r->value : 0;
}

static const canon *canon_of(uint32_t scalar) {
    const canon *c;
    FIND(canons, scalar, &c);
    return c && c->from == scalar ? c : NULL;
}

static const char *compat_of(uint32_t scalar) {
    const compat *c;
    FIND(compats, scalar, &c);
    return c && c->from == scalar ? c->to : NULL;
}

/* -- Hangul: syllables are computed ------------------------------------------------------------------------------------- */

enum { S_BASE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7, N_L = 19, N_V = 21, N_T = 28 };
enum { N_S = N_L * N_V * N_T };

/* What first and second make together; 0 when they do not compose. */
static uint32_t compose(uint32_t first, uint32_t second) {
    if (first >= L_BASE && first < L_BASE + N_L && second >= V_BASE && second < V_BASE + N_V)
        return S_BASE + ((first - L_BASE) * N_V + (second - V_BASE)) * N_T;
    if (first >= S_BASE && first < S_BASE + N_S && (first - S_BASE) % N_T == 0 && second > T_BASE &&
        second < T_BASE + N_T)
        return first + (second - T_BASE);
    if (second < 0x300) return 0;
    size_t low = 0, high = COUNT(pairs);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (pairs[mid].first < first || (pairs[mid].first == first && pairs[mid].second < second)) low = mid + 1;
        else high = mid;
    }
    return low < COUNT(pairs) && pairs[low].first == first && pairs[low].second == second ? pairs[low].both : 0;
}

/* -- the work ----------------------------------------------------------------------------------------------------------- */

enum { MOST_MARKS = 64, HELD = MOST_MARKS + 8 };

typedef struct work {
    alm_buf *out;
    bool compat, composes;
    uint32_t held[HELD]; /* a starter and its marks, or only marks */
    unsigned char order[HELD];
    size_t n;
} work;

static void flush(work *w) {
    for (size_t i = 0; i < w->n; i++) {
        char at[4];
        alm_buf_add(w->out, at, alm_utf8_put(at, w->held[i]));
    }
    w->n = 0;
}

/* Sorts the marks of what is held and composes; held[0] is a starter if any is. */
static void settle(work *w) {
    for (size_t i = 1; i < w->n; i++) { /* stable; few and mostly in order */
        uint32_t c = w->held[i];
        unsigned char o = w->order[i];
        size_t k = i;
        for (; o && k && w->order[k - 1] > o; k--) {
            w->held[k] = w->held[k - 1];
            w->order[k] = w->order[k - 1];
        }
        w->held[k] = c;
        w->order[k] = o;
    }
    if (!w->composes || w->n < 2 || w->order[0]) return;
    size_t n = 1;
    unsigned last = 0; /* the order of the mark before that was kept */
    for (size_t i = 1; i < w->n; i++) {
        uint32_t both = last < w->order[i] || (n == 1 && last == 0) ? compose(w->held[0], w->held[i]) : 0;
        if (both) {
            w->held[0] = both;
            continue;
        }
        last = w->order[i];
        w->held[n] = w->held[i];
        w->order[n++] = w->order[i];
    }
    w->n = n;
}

static void put(work *w, uint32_t c) {
    unsigned order = order_of(c);
    if (!order && w->n) {
        settle(w);
        /* A starter may compose with the starter before it, when nothing is left between. */
        uint32_t both = w->composes && w->n == 1 && !w->order[0] ? compose(w->held[0], c) : 0;
        if (both) {
            w->held[0] = both;
            return;
        }
        flush(w);
    }
    if (w->n == MOST_MARKS) {
        settle(w);
        flush(w);
    }
    w->order[w->n] = (unsigned char)order;
    w->held[w->n++] = c;
}

static void decompose(work *w, uint32_t c) {
    if (c < 0xA0) {
        put(w, c);
        return;
    }
    if (c >= S_BASE && c < S_BASE + N_S) {
        uint32_t s = c - S_BASE;
        put(w, L_BASE + s / (N_V * N_T));
        put(w, V_BASE + s % (N_V * N_T) / N_T);
        if (s % N_T) put(w, T_BASE + s % N_T);
        return;
    }
    const canon *d = canon_of(c);
    const char *k = !d && w->compat ? compat_of(c) : NULL;
    if (d) {
        decompose(w, d->to[0]); /* the tables hold no circle: each step is of earlier or simpler characters */
        if (d->to[1]) decompose(w, d->to[1]);
    } else if (k) {
        alm_str text = alm_str_of(k);
        uint32_t part;
        for (size_t at = 0; at < text.n && alm_utf8_next(text, &at, &part);) decompose(w, part);
    } else put(w, c);
}

alm_status alm_normalize(alm_buf *out, alm_str text, alm_form form, alm_error *err) {
    work w = {.out = out,
              .compat = form == ALM_FORM_NFKC || form == ALM_FORM_NFKD,
              .composes = form == ALM_FORM_NFC || form == ALM_FORM_NFKC};
    for (size_t at = 0; at < text.n;) {
        size_t from = at;
        uint32_t c;
        if (alm_utf8_next(text, &at, &c)) {
            decompose(&w, c);
            continue;
        }
        settle(&w);
        flush(&w);
        alm_buf_add(out, text.at + from, at - from);
    }
    settle(&w);
    flush(&w);
    return alm_buf_status(out, err);
}

/* Below U+0300 everything is NFC; above, what neither decomposes nor is a mark nor a Hangul part stays as it is. */
bool alm_is_nfc(alm_str text) {
    for (size_t at = 0; at < text.n;) {
        unsigned char byte = (unsigned char)text.at[at];
        uint32_t c;
        if (byte < 0xCC) {
            at++;
            continue;
        }
        if (!alm_utf8_next(text, &at, &c)) continue;
        if (c < 0x300 || (c >= 0x4E00 && c < 0xA000) || (c >= S_BASE && c < S_BASE + N_S)) continue;
        if (alm_class_in(alm_class_of(c), ALM_MARKS) || (c >= L_BASE && c < 0x1200) || canon_of(c)) return false;
    }
    return true;
}
