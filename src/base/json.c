/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - strict JSON read in one pass onto a tape.
 *
 * One loop with four places in it: a value is due, a key is due, a value has ended, a container has ended. There is no
 * stack: while a container is open its `next` holds the index of the container around it, and closing it puts the
 * distance there. Strings are leapt through in words of eight or vectors of sixteen bytes up to the next quote,
 * backslash, control character or byte above ASCII; only those are looked at one by one.
 *
 * Invariant: node[0..n_node) are complete but for `n` and `next` of the open containers, which form the chain `open`. */
#include "base/json.h"
#include "base/alloc.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define NO_NODE ALM_JSON_MAX_NODES /* no index reaches it: counts are kept below */

typedef struct reader {
    alm_json_doc *doc;
    char *text, *end;
    size_t max_nodes;
    uint32_t max_depth;
    const char *bad;              /* where the error is */
    const char *string, *decoded; /* the string that is being decoded in place, and how far that went */
    const char *why;
    alm_status status;
} reader;

static char *refuse(reader *r, const char *at, const char *why) {
    r->bad = at, r->why = why, r->status = ALM_MALFORMED;
    return NULL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static char *skip_blanks(char *p, const char *end) {
    while (p < end && (unsigned char)*p <= ' ') {
        uint64_t w;
        while (end - p >= 8 && (memcpy(&w, p, 8), w == 0x2020202020202020u)) p += 8; /* indentation */
        if (p == end || (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')) break;
        p++;
    }
    return p;
}

/* Most places have no blank or one. */
static inline char *skip_blank(char *p, const char *end) {
    if (p < end && *p == ' ') p++;
    return p < end && (unsigned char)*p <= ' ' ? skip_blanks(p, end) : p;
}

/* To the first byte that is a quote, a backslash, below a blank or above ASCII; or to the end. */
static inline char *skip_plain(char *p, const char *end) {
#if defined(__SSE2__)
    /* Signed comparison: bytes above ASCII are negative, so one comparison finds them and the control characters. */
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                                   _mm_cmplt_epi8(v, blank));
        int mask = _mm_movemask_epi8(hit);
        if (mask != 0) return p + __builtin_ctz((unsigned)mask);
    }
#else
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    for (; end - p >= 8; p += 8) {
        uint64_t w, q, b;
        memcpy(&w, p, 8);
        q = w ^ (ones * '"'), b = w ^ (ones * '\\');
        /* A borrow can mark a byte wrongly only above one that is marked rightly, so "any mark" is exact. */
        if (((w - ones * ' ') | w | ((q - ones) & ~q) | ((b - ones) & ~b)) & high) break;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= ' ' && (unsigned char)*p < 0x80) p++;
    return p;
}

/* Bytes of the well-formed sequence (RFC 3629) at p, whose first byte is above ASCII; 0 when it is ill-formed. */
static size_t utf8_sequence(const char *p, const char *end) {
    const unsigned char *u = (const unsigned char *)p;
    size_t n = (size_t)(end - p);
    unsigned char low = 0x80, high = 0xBF;
    if (u[0] < 0xC2 || u[0] > 0xF4 || n < 2) return 0;
    if (u[0] == 0xE0) low = 0xA0;  /* shortest form */
    if (u[0] == 0xED) high = 0x9F; /* no surrogates */
    if (u[0] == 0xF0) low = 0x90;  /* shortest form */
    if (u[0] == 0xF4) high = 0x8F; /* nothing beyond U+10FFFF */
    if (u[1] < low || u[1] > high) return 0;
    if (u[0] < 0xE0) return 2;
    if (n < 3 || (u[2] & 0xC0) != 0x80) return 0;
    if (u[0] < 0xF0) return 3;
    return n >= 4 && (u[3] & 0xC0) == 0x80 ? 4 : 0;
}

/* Four hexadecimal digits, or a value above 0xFFFF. */
static uint32_t hex4(const char *p, const char *end) {
    uint32_t x = 0;
    if (end - p < 4) return 0x10000;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = is_digit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
        if (!is_digit(c) && ((c | 0x20) < 'a' || (c | 0x20) > 'f')) return 0x10000;
        x = x << 4 | d;
    }
    return x;
}

static size_t put_utf8(char *at, uint32_t u) {
    if (u < 0x80) return at[0] = (char)u, 1;
    if (u < 0x800) return at[0] = (char)(0xC0 | u >> 6), at[1] = (char)(0x80 | (u & 63)), 2;
    if (u < 0x10000)
        return at[0] = (char)(0xE0 | u >> 12), at[1] = (char)(0x80 | (u >> 6 & 63)), at[2] = (char)(0x80 | (u & 63)), 3;
    at[0] = (char)(0xF0 | u >> 18), at[1] = (char)(0x80 | (u >> 12 & 63));
    at[2] = (char)(0x80 | (u >> 6 & 63)), at[3] = (char)(0x80 | (u & 63));
    return 4;
}

/* p is at a backslash; what it means goes to *dst. Returns what follows it, or NULL. An escape is never shorter than
 * what it means, so writing behind the reader is safe. */
static char *read_escape(reader *r, char *p, char **dst) {
    uint32_t u, low;
    if (r->end - p < 2) return refuse(r, p, "the text ends inside an escape");
    switch (p[1]) {
    case '"': *(*dst)++ = '"'; return p + 2;
    case '\\': *(*dst)++ = '\\'; return p + 2;
    case '/': *(*dst)++ = '/'; return p + 2;
    case 'b': *(*dst)++ = '\b'; return p + 2;
    case 'f': *(*dst)++ = '\f'; return p + 2;
    case 'n': *(*dst)++ = '\n'; return p + 2;
    case 'r': *(*dst)++ = '\r'; return p + 2;
    case 't': *(*dst)++ = '\t'; return p + 2;
    case 'u': break;
    default: return refuse(r, p, "a backslash is followed by something that is no escape");
    }
    if ((u = hex4(p + 2, r->end)) > 0xFFFF) return refuse(r, p, "\\u needs four hexadecimal digits");
    if (u >= 0xDC00 && u <= 0xDFFF) return refuse(r, p, "a low surrogate stands alone");
    if (u >= 0xD800 && u <= 0xDBFF) {
        if (r->end - p < 12 || p[6] != '\\' || p[7] != 'u' || (low = hex4(p + 8, r->end)) < 0xDC00 || low > 0xDFFF)
            return refuse(r, p, "a high surrogate stands alone");
        *dst += put_utf8(*dst, 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00));
        return p + 12;
    }
    *dst += put_utf8(*dst, u);
    return p + 6;
}

/* p is behind the opening quote. Sets *out, returns the place behind the closing quote, or NULL. */
static char *read_string(reader *r, char *p, alm_str *out) {
    char *const start = p;
    char *dst = NULL, *run = p; /* dst: set from the first escape on; run: what is not yet moved there */
    for (;;) {
        p = skip_plain(p, r->end);
        if (p == r->end) return refuse(r, start - 1, "a string is not closed");
        if (*p == '"') break;
        if (*p == '\\') {
            if (dst == NULL) dst = p, r->string = start;
            else {
                memmove(dst, run, (size_t)(p - run));
                dst += p - run;
            }
            char *behind = read_escape(r, p, &dst);
            r->decoded = dst;
            if (behind == NULL) return NULL;
            p = run = behind;
        } else if ((unsigned char)*p < ' ') {
            return refuse(r, p, "a control character stands in a string (write it as an escape)");
        } else {
            do {
                size_t k = utf8_sequence(p, r->end);
                if (k == 0) return refuse(r, p, "a string is not UTF-8");
                p += k;
            } while (p < r->end && (unsigned char)*p >= 0x80);
        }
    }
    if (dst != NULL) {
        memmove(dst, run, (size_t)(p - run));
        dst += p - run;
        r->string = r->decoded = NULL;
    }
    *out = (alm_str){start, (size_t)((dst != NULL ? dst : p) - start)};
    return p + 1;
}

/* p is at a digit or a minus. Returns the place behind the number, or NULL. */
static char *read_number(reader *r, char *p) {
    char *const start = p, *const end = r->end;
    if (*p == '-') p++;
    if (p == end || !is_digit(*p)) return refuse(r, start, "a minus is not followed by a digit");
    if (*p == '0') {
        p++;
        if (p < end && is_digit(*p)) return refuse(r, start, "a number begins with a zero");
    } else
        while (p < end && is_digit(*p)) p++;
    if (p < end && *p == '.') {
        if (++p == end || !is_digit(*p)) return refuse(r, start, "a decimal point is not followed by a digit");
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (p == end || !is_digit(*p)) return refuse(r, start, "an exponent has no digits");
        while (p < end && is_digit(*p)) p++;
    }
    return p;
}

static char *read_word(reader *r, char *p, const char *word, size_t n) {
    if ((size_t)(r->end - p) < n || memcmp(p, word, n) != 0)
        return refuse(r, p, "a word stands here that is not true, false or null");
    return p + n;
}

/* Room for one more node, or false with the status set. */
static bool one_more(reader *r) {
    alm_json_doc *d = r->doc;
    if (d->n_node >= r->max_nodes) return r->status = ALM_LIMIT, r->why = "more values than the limit allows", false;
    if (d->n_node < d->cap) return true;
    void *items = d->node;
    if (!alm_grow(&items, &d->cap, d->n_node < 64 ? 64 : d->n_node + 1, sizeof *d->node))
        return r->status = ALM_NO_MEMORY, false;
    d->node = items;
    return true;
}

/* Looks for a key that an object, just closed, has twice. */
static bool keys_differ(reader *r, size_t object) {
    alm_json_doc *d = r->doc;
    const alm_json *v = d->node + object, *twice = NULL;
    if (v->n < 2) return true;
    if (v->n <= 8) {
        for (const alm_json *a = alm_json_first(v); a != NULL && twice == NULL; a = alm_json_next(v, a))
            for (const alm_json *b = alm_json_first(v); b != a; b = alm_json_next(v, b))
                if (alm_str_eq(a->text, b->text)) twice = a;
    } else {
        /* Sorting, not hashing: no choice of keys makes it slower than n log n. */
        void *items = d->key;
        size_t n = 0;
        if (!alm_grow(&items, &d->key_cap, v->n, sizeof *d->key)) return r->status = ALM_NO_MEMORY, false;
        d->key = items;
        for (const alm_json *k = alm_json_first(v); k != NULL; k = alm_json_next(v, k)) d->key[n++] = k;
        alm_json_sort_keys(d->key, n);
        for (size_t i = 1; i < n; i++)
            if (alm_str_eq(d->key[i - 1]->text, d->key[i]->text)) {
                /* of the pair that comes first in key order, the later place */
                twice = d->key[i - 1] > d->key[i] ? d->key[i - 1] : d->key[i];
                break;
            }
    }
    if (twice == NULL) return true;
    refuse(r, twice->text.at - 1, "a key stands twice in one object");
    return false;
}

/* Reads one value; returns the place behind it or NULL with r->status. */
static char *read_value(reader *r, char *p, bool refuse_duplicates) {
    alm_json_doc *const d = r->doc;
    char *const end = r->end;
    size_t open = NO_NODE; /* the innermost open container */
    bool in_object = false;
    uint32_t depth = 0;
    alm_json v;

value:
    p = skip_blank(p, end);
    if (p == end) return refuse(r, p, "the text ends where a value should be");
    if (!one_more(r)) return r->bad = p, NULL;
    v = (alm_json){.next = 1};
    switch (*p) {
    case '"':
        v.type = ALM_JSON_STRING;
        if ((p = read_string(r, p + 1, &v.text)) == NULL) return NULL;
        break;
    case '{':
    case '[':
        if (++depth > r->max_depth) {
            r->bad = p, r->why = "nesting is deeper than the limit allows", r->status = ALM_LIMIT;
            return NULL;
        }
        in_object = *p == '{';
        v.type = in_object ? ALM_JSON_OBJECT : ALM_JSON_ARRAY;
        v.next = (unsigned)open & ALM_JSON_MAX_NODES;
        open = d->n_node;
        d->node[d->n_node++] = v;
        p = skip_blank(p + 1, end);
        if (p < end && *p == (in_object ? '}' : ']')) goto close;
        if (in_object) goto key;
        goto value;
    case 't':
        v.type = ALM_JSON_TRUE;
        if ((p = read_word(r, p, "true", 4)) == NULL) return NULL;
        break;
    case 'f':
        v.type = ALM_JSON_FALSE;
        if ((p = read_word(r, p, "false", 5)) == NULL) return NULL;
        break;
    case 'n':
        if ((p = read_word(r, p, "null", 4)) == NULL) return NULL;
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        v.type = ALM_JSON_NUMBER;
        v.text.at = p;
        if ((p = read_number(r, p)) == NULL) return NULL;
        v.text.n = (size_t)(p - v.text.at);
        break;
    case ']':
    case '}': return refuse(r, p, "a bracket closes where a value should be");
    case (char)0xEF: return refuse(r, p, "no value begins with this byte (a byte order mark is not JSON)");
    default: return refuse(r, p, "no value begins with this byte");
    }
    d->node[d->n_node++] = v;

ended:
    if (open == NO_NODE) return p;
    d->node[open].n++;
    p = skip_blank(p, end);
    if (p == end) return refuse(r, p, in_object ? "an object is not closed" : "an array is not closed");
    if (*p == ',') {
        p++;
        if (in_object) goto key;
        goto value;
    }
    if (*p != (in_object ? '}' : ']'))
        return refuse(r, p, in_object ? "a comma or } should be here" : "a comma or ] should be here");

close:
    p++, depth--;
    size_t closed = open;
    alm_json *c = d->node + closed;
    open = c->next;
    c->next = (unsigned)(d->n_node - closed) & ALM_JSON_MAX_NODES;
    if (refuse_duplicates && in_object && !keys_differ(r, closed)) return NULL;
    in_object = open != NO_NODE && d->node[open].type == ALM_JSON_OBJECT;
    goto ended;

key:
    p = skip_blank(p, end);
    if (p == end) return refuse(r, p, "an object is not closed");
    if (*p != '"') return refuse(r, p, "a key in quotes should be here");
    if (!one_more(r)) return r->bad = p, NULL;
    v = (alm_json){.type = ALM_JSON_STRING, .key = 1, .next = 1};
    if ((p = read_string(r, p + 1, &v.text)) == NULL) return NULL;
    d->node[d->n_node++] = v;
    p = skip_blank(p, end);
    if (p == end || *p != ':') return refuse(r, p, "a colon should be behind the key");
    p++;
    goto value;
}

/* Counts line feeds of the text as it was: decoded strings may hold some that were escapes, and raw ones cannot stand
 * in a string, so strings are left out. */
static void find_line(const reader *r, size_t *line, size_t *column) {
    const char *p = r->text, *bol = r->text;
    size_t n = 1;
    for (size_t i = 0; i <= r->doc->n_node; i++) {
        const char *from = r->bad, *to = r->bad; /* the next stretch to leave out */
        if (i < r->doc->n_node && r->doc->node[i].type == ALM_JSON_STRING)
            from = r->doc->node[i].text.at, to = from + r->doc->node[i].text.n;
        else if (i == r->doc->n_node && r->string != NULL) from = r->string, to = r->decoded;
        else if (i < r->doc->n_node) continue;
        for (; p < from && p < r->bad; p++)
            if (*p == '\n') n++, bol = p + 1;
        if (p < to) p = to;
    }
    for (; p < r->bad; p++)
        if (*p == '\n') n++, bol = p + 1;
    *line = n, *column = (size_t)(r->bad - bol) + 1;
}

static alm_status explain(const reader *r, alm_error *err) {
    size_t line, column;
    if (r->status == ALM_NO_MEMORY) return alm_fail_memory(err);
    find_line(r, &line, &column);
    return alm_fail(err, r->status, "JSON at byte %zu (line %zu, column %zu): %s", (size_t)(r->bad - r->text), line,
                    column, r->why);
}

alm_status alm_json_parse(alm_json_doc *doc, char *text, size_t n, const alm_json_limits *limits, size_t *used,
                          alm_error *err) {
    static const alm_json_limits defaults = {0};
    const alm_json_limits *l = limits != NULL ? limits : &defaults;
    size_t max_bytes = l->max_bytes != 0 ? l->max_bytes : (size_t)1 << 30;
    reader r = {.doc = doc,
                .text = text,
                .end = text + n,
                .max_nodes = l->max_nodes != 0 ? l->max_nodes : (size_t)64 << 20,
                .max_depth = l->max_depth != 0 ? l->max_depth : 128};
    if (r.max_nodes > ALM_JSON_MAX_NODES - 1) r.max_nodes = ALM_JSON_MAX_NODES - 1;
    if (r.max_depth > ALM_JSON_MAX_DEPTH) r.max_depth = ALM_JSON_MAX_DEPTH;

    doc->n_node = 0;
    if (n > max_bytes) return alm_fail(err, ALM_LIMIT, "JSON: the text has %zu bytes, the limit is %zu", n, max_bytes);
    if (n == 0) return alm_fail(err, ALM_MALFORMED, "JSON at byte 0 (line 1, column 1): the text is empty");

    char *p = read_value(&r, text, l->refuse_duplicates);
    if (p != NULL && !l->prefix) {
        p = skip_blank(p, r.end);
        if (p != r.end) p = refuse(&r, p, "something follows the value");
    }
    if (p == NULL) {
        alm_status st = explain(&r, err);
        doc->n_node = 0;
        return st;
    }
    if (used != NULL) *used = (size_t)(p - text);
    return ALM_OK;
}

void alm_json_doc_free(alm_json_doc *doc) {
    if (doc == NULL) return;
    alm_free(doc->node);
    alm_free(doc->key);
    *doc = (alm_json_doc){0};
}

const alm_json *alm_json_first(const alm_json *v) {
    return v != NULL && v->type >= ALM_JSON_ARRAY && v->n != 0 ? v + 1 : NULL;
}

const alm_json *alm_json_next(const alm_json *parent, const alm_json *child) {
    const alm_json *next = child->key ? child + 1 + child[1].next : child + child->next;
    return next < parent + parent->next ? next : NULL;
}

const alm_json *alm_json_get(const alm_json *v, const char *key) {
    const alm_json *found = NULL;
    alm_str k = alm_str_of(key);
    if (v == NULL || v->type != ALM_JSON_OBJECT) return NULL;
    for (const alm_json *c = alm_json_first(v); c != NULL; c = alm_json_next(v, c))
        if (alm_str_eq(c->text, k)) found = c + 1;
    return found;
}

bool alm_json_f64(const alm_json *v, double *out) {
    return v != NULL && v->type == ALM_JSON_NUMBER && alm_str_to_f64(v->text, out);
}

bool alm_json_i64(const alm_json *v, int64_t *out) {
    return v != NULL && v->type == ALM_JSON_NUMBER && alm_str_to_i64(v->text, out);
}
