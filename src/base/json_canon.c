/* SPDX-License-Identifier: Apache-2.0
 *
 * json_canon.c - the canonical form of RFC 8785: one text for one value, so that it can be signed.
 *
 * Members are sorted by the UTF-16 code units of their keys, numbers are doubles in the shortest form of ECMAScript,
 * strings are escaped as little as possible, there are no blanks. Numbers beyond a double and keys that stand twice
 * have no canonical form and are refused; a long integer is rounded to the nearest double, as the RFC says.
 *
 * The keys of the objects from the root to here lie one behind the other in one array, so a document needs one
 * growing block and not one block an object. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/json_inner.h"

/* In UTF-16 the scalars beyond U+FFFF (first byte F0..F4) come as surrogates D800..DFFF, before U+E000..U+FFFF (first
 * byte EE, EF). Everything else is in the order of the bytes; and where bytes first differ, both are first bytes or
 * neither is. */
int alm_json_key_cmp(alm_str a, alm_str b) {
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.at[i] == b.at[i]) i++;
    if (i == n) return a.n < b.n ? -1 : a.n > b.n;
    unsigned x = (unsigned char)a.at[i], y = (unsigned char)b.at[i];
    if (x >= 0xEE && y >= 0xEE) x = x >= 0xF0 ? x - 0x10 : x, y = y >= 0xF0 ? y - 0x10 : y;
    return x < y ? -1 : 1;
}

/* key[top..n) is a heap but for its top: moves that to its place. */
static void sift(const alm_json **key, size_t top, size_t n) {
    const alm_json *k = key[top];
    for (size_t child; (child = 2 * top + 1) < n; top = child) {
        if (child + 1 < n && alm_json_key_cmp(key[child]->text, key[child + 1]->text) < 0) child++;
        if (alm_json_key_cmp(k->text, key[child]->text) >= 0) break;
        key[top] = key[child];
    }
    key[top] = k;
}

void alm_json_sort_keys(const alm_json **key, size_t n) {
    bool sorted = true; /* a canonical text read again, and most small objects */
    for (size_t i = 1; i < n && sorted; i++) sorted = alm_json_key_cmp(key[i - 1]->text, key[i]->text) <= 0;
    if (sorted) return;
    for (size_t i = n / 2; i-- > 0;) sift(key, i, n);
    for (size_t i = n; i-- > 1;) {
        const alm_json *largest = key[0];
        key[0] = key[i], key[i] = largest;
        sift(key, 0, i);
    }
}

typedef struct canon {
    alm_buf *out;
    const alm_json **key; /* keys of the objects on the way from the root */
    size_t n, cap;
    alm_error *err;
} canon;

static alm_status put(canon *c, const alm_json *v);

static alm_status put_number(canon *c, const alm_json *v) {
    char at[32];
    double x;
    if (!alm_str_to_f64(v->text, &x))
        return alm_fail(c->err, ALM_MALFORMED, "JSON: the number %.*s is beyond a double and has no canonical form",
                        v->text.n > 60 ? 60 : (int)v->text.n, v->text.at);
    alm_buf_add(c->out, at, alm_f64_to_str(at, x));
    return ALM_OK;
}

static alm_status put_array(canon *c, const alm_json *v) {
    alm_buf_add_byte(c->out, '[');
    for (const alm_json *e = alm_json_first(v), *first = e; e != NULL; e = alm_json_next(v, e)) {
        if (e != first) alm_buf_add_byte(c->out, ',');
        alm_status st = put(c, e);
        if (st != ALM_OK) return st;
    }
    alm_buf_add_byte(c->out, ']');
    return ALM_OK;
}

static alm_status put_object(canon *c, const alm_json *v) {
    if (v->n == 0) return alm_buf_add(c->out, "{}", 2), ALM_OK; /* c->key may still be NULL */
    size_t base = c->n, need;
    void *items = c->key;
    if (!alm_add_size(&need, base, v->n) || !alm_grow(&items, &c->cap, need, sizeof *c->key))
        return alm_fail_memory(c->err);
    c->key = items;
    for (const alm_json *k = alm_json_first(v); k != NULL; k = alm_json_next(v, k)) c->key[c->n++] = k;
    alm_json_sort_keys(c->key + base, v->n);
    alm_buf_add_byte(c->out, '{');
    for (size_t i = base; i < base + v->n; i++) {
        const alm_json *k = c->key[i]; /* the array may move while the value is written */
        if (i > base && alm_str_eq(c->key[i - 1]->text, k->text))
            return alm_fail(c->err, ALM_MALFORMED,
                            "JSON: the key \"%.*s\" stands twice in one object, which has no canonical form",
                            k->text.n > 60 ? 60 : (int)k->text.n, k->text.at);
        if (i > base) alm_buf_add_byte(c->out, ',');
        alm_json_quote(c->out, k->text);
        alm_buf_add_byte(c->out, ':');
        alm_status st = put(c, k + 1);
        if (st != ALM_OK) return st;
    }
    alm_buf_add_byte(c->out, '}');
    c->n = base;
    return ALM_OK;
}

/* Depth is bounded by ALM_JSON_MAX_DEPTH, so recursion is. */
static alm_status put(canon *c, const alm_json *v) {
    if (v->type == ALM_JSON_OBJECT) return put_object(c, v);
    if (v->type == ALM_JSON_ARRAY) return put_array(c, v);
    if (v->type == ALM_JSON_NUMBER) return put_number(c, v);
    alm_json_put_scalar(c->out, v);
    return ALM_OK;
}

alm_status alm_json_canonical(alm_buf *out, const alm_json *v, alm_error *err) {
    canon c = {.out = out, .err = err};
    alm_status st = put(&c, v);
    alm_free(c.key);
    return st != ALM_OK ? st : alm_buf_status(out, err);
}
