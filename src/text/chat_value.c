/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_value.c - values of a template: made, compared, walked, as Python does it with its own.
 *
 * A dict keeps the order in which keys came. Up to eight entries are searched one by one, more through a table of hashes
 * (open addressing, half full at most). Keys that are equal in Python are equal here: 1, 1.0 and true are one key. */
#include "base/alloc.h"
#include "text/chat_inner.h"

#include <math.h>

enum { FEW = 8 };

struct alm_cv_dict {
    struct entry {
        alm_cv key, value;
        uint64_t hash;
    } * at;
    size_t n, cap;
    uint32_t *slot; /* entry + 1; NULL while there are few */
    size_t n_slot;
};

const char *alm_cv_type(alm_cv v) {
    static const char *const names[] = {
        [ALM_CV_MISSING] = "Undefined",
        [ALM_CV_UNDEFINED] = "Undefined",
        [ALM_CV_NONE] = "NoneType",
        [ALM_CV_BOOL] = "bool",
        [ALM_CV_INT] = "int",
        [ALM_CV_FLOAT] = "float",
        [ALM_CV_BIG] = "int",
        [ALM_CV_STR] = "str",
        [ALM_CV_LIST] = "list",
        [ALM_CV_TUPLE] = "tuple",
        [ALM_CV_DICT] = "dict",
        [ALM_CV_RANGE] = "range",
        [ALM_CV_VIEW] = "dict_items",
        [ALM_CV_ITER] = "generator",
        [ALM_CV_NAMESPACE] = "Namespace",
        [ALM_CV_LOOP] = "LoopContext",
        [ALM_CV_MACRO] = "Macro",
        [ALM_CV_GLOBAL] = "function",
        [ALM_CV_METHOD] = "method",
        [ALM_CV_CYCLER] = "Cycler",
        [ALM_CV_JOINER] = "Joiner",
    };
    if (v.kind == ALM_CV_VIEW && v.sub != ALM_CV_ITEMS) return v.sub == ALM_CV_KEYS ? "dict_keys" : "dict_values";
    return names[v.kind];
}

/* ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────── */

alm_cv_list *alm_cv_list_new(alm_chat_run *r, size_t cap) {
    alm_cv_list *l = alm_chat_memory(r, 1, sizeof *l);
    if (!l) return NULL;
    *l = (alm_cv_list){.cap = cap};
    if (cap && !(l->at = alm_chat_memory(r, cap, sizeof *l->at))) return NULL;
    return l;
}

bool alm_cv_list_add(alm_chat_run *r, alm_cv_list *l, alm_cv v) {
    if (!l || !alm_chat_spend(r, 1)) return false;
    if (l->n == l->cap) {
        size_t more = l->cap < 4 ? 8 : l->cap * 2;
        alm_cv *at = alm_chat_memory(r, more, sizeof *at);
        if (!at) return false;
        if (l->n) memcpy(at, l->at, l->n * sizeof *at);
        l->at = at, l->cap = more;
    }
    l->at[l->n++] = v;
    return true;
}

alm_cv alm_cv_from_list(alm_cv_kind kind, alm_cv_list *l) { return (alm_cv){.kind = (uint8_t)kind, .as.list = l}; }

bool alm_cv_slice(alm_chat_run *r, alm_cv v, size_t from, size_t n, alm_cv *out) {
    alm_cv_list *l = alm_cv_list_new(r, 0);
    if (!l) return false;
    if (n) l->at = v.as.list->at + from;
    l->n = l->cap = n;
    *out = alm_cv_from_list((alm_cv_kind)v.kind, l);
    return true;
}

bool alm_cv_pair(alm_chat_run *r, alm_cv a, alm_cv b, alm_cv *out) {
    alm_cv_list *l = alm_cv_list_new(r, 2);
    if (!l) return false;
    l->at[0] = a, l->at[1] = b, l->n = 2;
    *out = alm_cv_from_list(ALM_CV_TUPLE, l);
    return true;
}

bool alm_cv_copy_str(alm_chat_run *r, alm_str s, alm_cv *out) {
    char *at = alm_chat_memory(r, s.n, 1);
    if (!at) return false;
    if (s.n) memcpy(at, s.at, s.n);
    *out = alm_cv_str(alm_str_make(at, s.n));
    return true;
}

bool alm_cv_buf_str(alm_chat_run *r, alm_buf *b, alm_cv *out) {
    bool ok = alm_chat_buf_ok(r, b) && alm_cv_copy_str(r, alm_buf_str(b), out);
    alm_buf_free(b);
    return ok;
}

/* ── dicts ────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* False for what has no hash: lists, dicts. */
static bool hash(alm_cv v, uint64_t *out) {
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_STR:
    case ALM_CV_BIG: return *out = alm_hash_str(alm_cv_text(v)), true;
    case ALM_CV_BOOL:
    case ALM_CV_INT: return *out = alm_hash_mix(1, (uint64_t)v.as.i), true;
    case ALM_CV_FLOAT:
        if (v.as.f >= -9e18 && v.as.f <= 9e18 && v.as.f == (double)(int64_t)v.as.f)
            return *out = alm_hash_mix(1, (uint64_t)(int64_t)v.as.f), true;
        return *out = alm_hash64(&v.as.f, sizeof v.as.f, 2), true;
    case ALM_CV_TUPLE: {
        uint64_t h = 3, part;
        for (size_t i = 0; i < v.as.list->n; i++) {
            if (!hash(v.as.list->at[i], &part)) return false;
            h = alm_hash_mix(h, part);
        }
        return *out = h, true;
    }
    case ALM_CV_LIST:
    case ALM_CV_DICT:
    case ALM_CV_VIEW: return false;
    case ALM_CV_RANGE: return *out = alm_hash_mix(4, v.as.range->n), true;
    default: return *out = v.kind, true; /* equal only to itself, and rare */
    }
}

alm_cv_dict *alm_cv_dict_new(alm_chat_run *r, size_t cap) {
    alm_cv_dict *d = alm_chat_memory(r, 1, sizeof *d);
    if (!d) return NULL;
    *d = (alm_cv_dict){.cap = cap};
    if (cap && !(d->at = alm_chat_memory(r, cap, sizeof *d->at))) return NULL;
    return d;
}

size_t alm_cv_dict_n(const alm_cv_dict *d) { return d->n; }
void alm_cv_dict_at(const alm_cv_dict *d, size_t i, alm_cv *key, alm_cv *v) {
    if (key) *key = d->at[i].key;
    if (v) *v = d->at[i].value;
}

static bool same_key(alm_chat_run *r, alm_cv a, alm_cv b, bool *out) {
    if (a.kind == ALM_CV_STR && b.kind == ALM_CV_STR)
        return *out = a.n == b.n && (a.as.at == b.as.at || memcmp(a.as.at, b.as.at, a.n) == 0), true;
    return alm_cv_equal(r, a, b, out);
}

/* The entry with this key, or NULL in *found. */
static bool find(alm_chat_run *r, const alm_cv_dict *d, alm_cv key, uint64_t h, struct entry **found) {
    bool same;
    *found = NULL;
    if (!d->slot) {
        for (size_t i = 0; i < d->n && !*found; i++) {
            if (d->at[i].key.kind == key.kind && key.kind == ALM_CV_STR && d->at[i].key.n != key.n) continue;
            if (!same_key(r, d->at[i].key, key, &same)) return false;
            if (same) *found = &d->at[i];
        }
        return true;
    }
    for (size_t s = (size_t)h & (d->n_slot - 1); d->slot[s]; s = (s + 1) & (d->n_slot - 1)) {
        struct entry *e = &d->at[d->slot[s] - 1];
        if (e->hash != h) continue;
        if (!alm_chat_spend(r, 1) || !same_key(r, e->key, key, &same)) return false;
        if (same) return *found = e, true;
    }
    return true;
}

static bool rehash(alm_chat_run *r, alm_cv_dict *d, size_t n_slot) {
    uint32_t *slot = alm_chat_memory(r, n_slot, sizeof *slot);
    if (!slot) return false;
    memset(slot, 0, n_slot * sizeof *slot);
    for (size_t i = 0; i < d->n; i++) {
        size_t s = (size_t)d->at[i].hash & (n_slot - 1);
        while (slot[s]) s = (s + 1) & (n_slot - 1);
        slot[s] = (uint32_t)(i + 1);
    }
    d->slot = slot, d->n_slot = n_slot;
    return true;
}

bool alm_cv_dict_set(alm_chat_run *r, alm_cv_dict *d, alm_cv key, alm_cv v) {
    uint64_t h;
    struct entry *e;
    if (!d || !alm_chat_spend(r, 1)) return false;
    if (!hash(key, &h)) return alm_chat_fail(r, ALM_MISMATCH, "unhashable type: '%s'", alm_cv_type(key));
    if (!find(r, d, key, h, &e)) return false;
    if (e) return e->value = v, true;
    if (d->n == d->cap) {
        size_t more = d->cap < 4 ? FEW : d->cap * 2;
        struct entry *at = alm_chat_memory(r, more, sizeof *at);
        if (!at) return false;
        if (d->n) memcpy(at, d->at, d->n * sizeof *at);
        d->at = at, d->cap = more;
    }
    d->at[d->n++] = (struct entry){key, v, h};
    if (d->n <= FEW) return true;
    if (!d->slot || d->n * 2 > d->n_slot) return rehash(r, d, d->slot ? d->n_slot * 2 : 8 * FEW);
    size_t s = (size_t)h & (d->n_slot - 1);
    while (d->slot[s]) s = (s + 1) & (d->n_slot - 1);
    d->slot[s] = (uint32_t)d->n;
    return true;
}

bool alm_cv_dict_get(alm_chat_run *r, const alm_cv_dict *d, alm_cv key, alm_cv *out) {
    uint64_t h = 0;
    struct entry *e;
    bool few_strings = !d->slot && key.kind == ALM_CV_STR; /* then nothing needs the hash */
    if (!few_strings && !hash(key, &h))
        return alm_chat_fail(r, ALM_MISMATCH, "unhashable type: '%s'", alm_cv_type(key));
    if (!find(r, d, key, h, &e)) return false;
    *out = e ? e->value : alm_cv_of(ALM_CV_MISSING);
    return true;
}

bool alm_cv_dict_view(alm_chat_run *r, const alm_cv_dict *d, unsigned what, alm_cv_list **out) {
    alm_cv_list *l = alm_cv_list_new(r, d->n);
    if (!l) return false;
    for (size_t i = 0; i < d->n; i++) {
        alm_cv v = what == ALM_CV_KEYS ? d->at[i].key : d->at[i].value;
        if (what == ALM_CV_ITEMS && !alm_cv_pair(r, d->at[i].key, d->at[i].value, &v)) return false;
        if (!alm_cv_list_add(r, l, v)) return false;
    }
    *out = l;
    return true;
}

/* ── from JSON ────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool from_number(alm_chat_run *r, const alm_json *v, alm_cv *out) {
    int64_t i;
    double f;
    if (alm_json_i64(v, &i)) return *out = alm_cv_int(i), true;
    for (size_t k = 0; k < v->text.n; k++) {
        if (!strchr(".eE", v->text.at[k])) continue;
        *out = alm_cv_float(alm_json_f64(v, &f) ? f : v->text.at[0] == '-' ? -(double)INFINITY : (double)INFINITY);
        return true;
    }
    (void)r;
    *out = (alm_cv){.kind = ALM_CV_BIG, .n = (uint32_t)v->text.n, .as.at = v->text.at};
    return true;
}

bool alm_cv_from_json(alm_chat_run *r, const alm_json *v, alm_cv *out) {
    alm_cv part;
    if (!v) return *out = alm_cv_of(ALM_CV_NONE), true;
    switch (v->type) {
    case ALM_JSON_NULL: return *out = alm_cv_of(ALM_CV_NONE), true;
    case ALM_JSON_FALSE: return *out = alm_cv_bool(false), true;
    case ALM_JSON_TRUE: return *out = alm_cv_bool(true), true;
    case ALM_JSON_NUMBER: return from_number(r, v, out);
    case ALM_JSON_STRING: return *out = alm_cv_str(v->text), true;
    case ALM_JSON_ARRAY: {
        alm_cv_list *l = alm_cv_list_new(r, v->n);
        for (const alm_json *c = alm_json_first(v); l && c; c = alm_json_next(v, c))
            if (!alm_cv_from_json(r, c, &part) || !alm_cv_list_add(r, l, part)) return false;
        *out = alm_cv_from_list(ALM_CV_LIST, l);
        return l != NULL;
    }
    case ALM_JSON_OBJECT: {
        alm_cv_dict *d = alm_cv_dict_new(r, v->n);
        for (const alm_json *c = alm_json_first(v); d && c; c = alm_json_next(v, c))
            if (!alm_cv_from_json(r, c + 1, &part) || !alm_cv_dict_set(r, d, alm_cv_str(c->text), part)) return false;
        *out = (alm_cv){.kind = ALM_CV_DICT, .as.dict = d};
        return d != NULL;
    }
    }
    return false;
}

/* ── truth, equality, order ───────────────────────────────────────────────────────────────────────────────────── */

bool alm_cv_true(alm_chat_run *r, alm_cv v, bool *out) {
    (void)r; /* of one shape with its neighbours, which can fail */
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_UNDEFINED:
    case ALM_CV_MISSING:
    case ALM_CV_NONE: return *out = false, true;
    case ALM_CV_BOOL:
    case ALM_CV_INT: return *out = v.as.i != 0, true;
    case ALM_CV_FLOAT: return *out = v.as.f != 0.0, true;
    case ALM_CV_STR: return *out = v.n != 0, true;
    case ALM_CV_LIST:
    case ALM_CV_TUPLE:
    case ALM_CV_VIEW: return *out = v.as.list->n != 0, true;
    case ALM_CV_DICT: return *out = v.as.dict->n != 0, true;
    case ALM_CV_RANGE: return *out = v.as.range->n != 0, true;
    case ALM_CV_LOOP: return *out = v.as.loop->n != 0, true;
    default: return *out = true, true;
    }
}

static bool equal_lists(alm_chat_run *r, const alm_cv_list *a, const alm_cv_list *b, bool *out) {
    *out = a->n == b->n;
    if (a == b) return true;
    bool ok = alm_chat_enter(r);
    for (size_t i = 0; ok && *out && i < a->n; i++)
        ok = alm_chat_spend(r, 1) && alm_cv_equal(r, a->at[i], b->at[i], out);
    if (ok) alm_chat_leave(r);
    return ok;
}

static bool equal_dicts(alm_chat_run *r, const alm_cv_dict *a, const alm_cv_dict *b, bool *out) {
    *out = a->n == b->n;
    if (a == b) return true;
    bool ok = alm_chat_enter(r);
    for (size_t i = 0; ok && *out && i < a->n; i++) {
        alm_cv other;
        ok = alm_chat_spend(r, 1) && alm_cv_dict_get(r, b, a->at[i].key, &other);
        if (ok && other.kind == ALM_CV_MISSING) *out = false;
        else if (ok) ok = alm_cv_equal(r, a->at[i].value, other, out);
    }
    if (ok) alm_chat_leave(r);
    return ok;
}

/* An integer and a double are compared by value, exactly. */
static int compare_mixed(int64_t i, double f) {
    if (f >= 9223372036854775808.0) return -1;
    if (f < -9223372036854775808.0) return 1;
    int64_t whole = (int64_t)f;
    double rest = f - (double)whole;
    return i < whole ? -1 : i > whole ? 1 : rest > 0.0 ? -1 : rest < 0.0 ? 1 : 0;
}

/* An integer of more than 64 bits: against a smaller one its sign decides, against another one length and digits do. */
static int compare_big(alm_cv a, alm_cv b) {
    bool minus = a.as.at[0] == '-';
    double x = 0.0;
    if (b.kind == ALM_CV_FLOAT) {
        if (!alm_str_to_f64(alm_cv_text(a), &x)) return minus ? -1 : 1;
        return x < b.as.f ? -1 : x > b.as.f ? 1 : x == b.as.f ? 0 : 2;
    }
    if (b.kind != ALM_CV_BIG || minus != (b.as.at[0] == '-')) return minus ? -1 : 1;
    int sign = a.n != b.n ? (a.n < b.n ? -1 : 1) : alm_str_cmp(alm_cv_text(a), alm_cv_text(b));
    return minus ? -sign : sign;
}

static bool is_any_number(alm_cv v) { return alm_cv_is_number(v) || v.kind == ALM_CV_BIG; }

/* <0, 0, >0; 2 when one is no number. */
static int compare_numbers(alm_cv a, alm_cv b) {
    if (a.kind == ALM_CV_BIG) return compare_big(a, b);
    if (b.kind == ALM_CV_BIG) {
        int sign = compare_big(b, a);
        return sign == 2 ? 2 : -sign;
    }
    if (a.kind != ALM_CV_FLOAT && b.kind != ALM_CV_FLOAT) return a.as.i < b.as.i ? -1 : a.as.i > b.as.i;
    if ((a.kind == ALM_CV_FLOAT && a.as.f != a.as.f) || (b.kind == ALM_CV_FLOAT && b.as.f != b.as.f)) return 2;
    if (a.kind != ALM_CV_FLOAT) return compare_mixed(a.as.i, b.as.f);
    if (b.kind != ALM_CV_FLOAT) return -compare_mixed(b.as.i, a.as.f);
    return a.as.f < b.as.f ? -1 : a.as.f > b.as.f;
}

bool alm_cv_equal(alm_chat_run *r, alm_cv a, alm_cv b, bool *out) {
    *out = false;
    if (is_any_number(a) && is_any_number(b)) return *out = compare_numbers(a, b) == 0, true;
    if (a.kind != b.kind) return true;
    switch ((alm_cv_kind)a.kind) {
    case ALM_CV_STR:
        *out = a.n == b.n && memcmp(a.as.at, b.as.at, a.n) == 0;
        return !*out || alm_chat_spend_bytes(r, a.n);
    case ALM_CV_LIST:
    case ALM_CV_TUPLE: return equal_lists(r, a.as.list, b.as.list, out);
    case ALM_CV_DICT: return equal_dicts(r, a.as.dict, b.as.dict, out);
    case ALM_CV_VIEW: return a.sub != b.sub || a.sub == ALM_CV_VALUES || equal_lists(r, a.as.list, b.as.list, out);
    case ALM_CV_RANGE:
        *out = a.as.range->n == b.as.range->n &&
               (!a.as.range->n || (a.as.range->start == b.as.range->start &&
                                   (a.as.range->n == 1 || a.as.range->step == b.as.range->step)));
        return true;
    case ALM_CV_GLOBAL: return *out = a.n == b.n && a.sub == b.sub, true;
    case ALM_CV_METHOD: return true;
    case ALM_CV_UNDEFINED:
    case ALM_CV_NONE:
    case ALM_CV_MISSING: return *out = true, true;
    default: return *out = a.as.at == b.as.at, true;
    }
}

static bool not_ordered(alm_chat_run *r, alm_cv a, alm_cv b, alm_chat_op op) {
    static const char *const signs[] = {[ALM_OP_LT] = "<", [ALM_OP_LE] = "<=", [ALM_OP_GT] = ">", [ALM_OP_GE] = ">="};
    if (a.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, a);
    if (b.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, b);
    return alm_chat_fail(r, ALM_MISMATCH, "'%s' not supported between instances of '%s' and '%s'", signs[op],
                         alm_cv_type(a), alm_cv_type(b));
}

bool alm_cv_order(alm_chat_run *r, alm_cv a, alm_cv b, alm_chat_op op, bool *out) {
    int sign;
    if (is_any_number(a) && is_any_number(b)) {
        sign = compare_numbers(a, b);
        if (sign == 2) return *out = false, true;
    } else if (a.kind == ALM_CV_STR && b.kind == ALM_CV_STR) {
        if (!alm_chat_spend_bytes(r, a.n)) return false;
        sign = alm_str_cmp(alm_cv_text(a), alm_cv_text(b));
    } else if (a.kind == b.kind && (a.kind == ALM_CV_LIST || a.kind == ALM_CV_TUPLE)) {
        const alm_cv_list *x = a.as.list, *y = b.as.list;
        size_t i = 0;
        bool same = true;
        if (!alm_chat_enter(r)) return false;
        for (; i < x->n && i < y->n; i++) {
            if (!alm_chat_spend(r, 1) || !alm_cv_equal(r, x->at[i], y->at[i], &same)) return false;
            if (!same) break;
        }
        if (!same) {
            bool ok = alm_cv_order(r, x->at[i], y->at[i], op, out);
            alm_chat_leave(r);
            return ok;
        }
        alm_chat_leave(r);
        sign = x->n < y->n ? -1 : x->n > y->n;
    } else {
        return not_ordered(r, a, b, op);
    }
    *out = op == ALM_OP_LT ? sign < 0 : op == ALM_OP_LE ? sign <= 0 : op == ALM_OP_GT ? sign > 0 : sign >= 0;
    return true;
}

/* ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────── */

bool alm_cv_iterable(alm_cv v) {
    return v.kind == ALM_CV_UNDEFINED || (v.kind >= ALM_CV_STR && v.kind <= ALM_CV_ITER) || v.kind == ALM_CV_LOOP;
}

static bool characters(alm_chat_run *r, alm_str s, const alm_cv **at, size_t *n) {
    size_t count = alm_chat_length(s), from = 0;
    alm_cv *list = alm_chat_spend(r, count + s.n / 64) ? alm_chat_memory(r, count, sizeof *list) : NULL;
    if (!list) return false;
    for (size_t i = 0; i < count; i++) {
        size_t to = from + 1;
        while (to < s.n && ((unsigned char)s.at[to] & 0xC0) == 0x80) to++;
        list[i] = alm_cv_str(alm_str_slice(s, from, to));
        from = to;
    }
    *at = list, *n = count;
    return true;
}

static bool range_items(alm_chat_run *r, const alm_cv_range *x, const alm_cv **at, size_t *n) {
    alm_cv *list = alm_chat_spend(r, x->n) ? alm_chat_memory(r, x->n, sizeof *list) : NULL;
    if (!list) return false;
    for (size_t i = 0; i < x->n; i++) list[i] = alm_cv_int(x->start + (int64_t)i * x->step);
    *at = list, *n = x->n;
    return true;
}

bool alm_cv_items(alm_chat_run *r, alm_cv v, const alm_cv **at, size_t *n) {
    alm_cv_list *l = v.as.list;
    *n = 0;
    *at = NULL;
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_UNDEFINED: return true;
    case ALM_CV_LIST:
    case ALM_CV_TUPLE:
    case ALM_CV_VIEW: return *at = l->at, *n = l->n, true;
    case ALM_CV_ITER:
        *at = l->at ? l->at + l->walked : NULL;
        *n = l->n - l->walked;
        l->walked = l->n;
        return true;
    case ALM_CV_STR: return characters(r, alm_cv_text(v), at, n);
    case ALM_CV_RANGE: return range_items(r, v.as.range, at, n);
    case ALM_CV_DICT:
        if (!alm_cv_dict_view(r, v.as.dict, ALM_CV_KEYS, &l)) return false;
        *at = l->at, *n = l->n;
        return true;
    default: return alm_chat_fail(r, ALM_MISMATCH, "'%s' object is not iterable", alm_cv_type(v));
    }
}

bool alm_cv_length(alm_chat_run *r, alm_cv v, size_t *out) {
    switch ((alm_cv_kind)v.kind) {
    case ALM_CV_UNDEFINED: return *out = 0, true;
    case ALM_CV_STR: return *out = alm_chat_length(alm_cv_text(v)), alm_chat_spend_bytes(r, v.n);
    case ALM_CV_LIST:
    case ALM_CV_TUPLE:
    case ALM_CV_VIEW: return *out = v.as.list->n, true;
    case ALM_CV_DICT: return *out = v.as.dict->n, true;
    case ALM_CV_RANGE: return *out = v.as.range->n, true;
    case ALM_CV_LOOP: return *out = v.as.loop->n, true;
    default: return alm_chat_fail(r, ALM_MISMATCH, "object of type '%s' has no len()", alm_cv_type(v));
    }
}

bool alm_cv_contains(alm_chat_run *r, alm_cv in, alm_cv item, bool *out) {
    const alm_cv *at;
    size_t n;
    *out = false;
    if (in.kind == ALM_CV_STR) {
        if (item.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, item);
        if (item.kind != ALM_CV_STR)
            return alm_chat_fail(r, ALM_MISMATCH, "'in <string>' requires string as left operand, not %s",
                                 alm_cv_type(item));
        *out = alm_str_find(alm_cv_text(in), alm_cv_text(item)) != SIZE_MAX;
        return alm_chat_spend_bytes(r, in.n);
    }
    if (in.kind == ALM_CV_DICT) {
        alm_cv v;
        if (!alm_cv_dict_get(r, in.as.dict, item, &v)) return false;
        return *out = v.kind != ALM_CV_MISSING, true;
    }
    if (!alm_cv_iterable(in))
        return alm_chat_fail(r, ALM_MISMATCH, "argument of type '%s' is not iterable", alm_cv_type(in));
    size_t walked = in.kind == ALM_CV_ITER ? in.as.list->walked : 0;
    if (!alm_cv_items(r, in, &at, &n)) return false;
    for (size_t i = 0; at && i < n && !*out; i++) {
        if (!alm_chat_spend(r, 1) || !alm_cv_equal(r, at[i], item, out)) return false;
        if (*out && in.kind == ALM_CV_ITER) in.as.list->walked = walked + i + 1; /* the rest is still there */
    }
    return true;
}

bool alm_cv_unpack(alm_chat_run *r, alm_cv v, size_t want, const alm_cv **at) {
    size_t n;
    if (!alm_cv_iterable(v))
        return alm_chat_fail(r, ALM_MISMATCH, "cannot unpack non-iterable %s object", alm_cv_type(v));
    if (!alm_cv_items(r, v, at, &n)) return false;
    if (n < want) return alm_chat_fail(r, ALM_MISMATCH, "not enough values to unpack (expected %zu, got %zu)", want, n);
    return n == want || alm_chat_fail(r, ALM_MISMATCH, "too many values to unpack (expected %zu)", want);
}

/* ── sorting ──────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Merges halves from a into b and back, so every comparison is paid for and equal ones keep their order. */
bool alm_cv_sort(alm_chat_run *r, alm_cv *item, alm_cv *key, size_t n, bool reverse) {
    alm_cv *from[2] = {item, key}, *to[2] = {alm_chat_memory(r, n, sizeof *item), alm_chat_memory(r, n, sizeof *key)};
    if (!to[0] || !to[1]) return false;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t left = 0; left < n; left += 2 * width) {
            size_t middle = left + width < n ? left + width : n, end = middle + width < n ? middle + width : n;
            for (size_t i = left, k = middle, o = left; o < end; o++) {
                bool right = i == middle;
                if (i < middle && k < end) {
                    alm_cv a = reverse ? from[1][i] : from[1][k], b = reverse ? from[1][k] : from[1][i];
                    if (!alm_chat_spend(r, 1) || !alm_cv_order(r, a, b, ALM_OP_LT, &right)) return false;
                }
                size_t pick = right ? k++ : i++;
                to[0][o] = from[0][pick], to[1][o] = from[1][pick];
            }
        }
        for (int s = 0; s < 2; s++) {
            alm_cv *swap = from[s];
            from[s] = to[s], to[s] = swap;
        }
    }
    if (n && from[0] != item) memcpy(item, from[0], n * sizeof *item), memcpy(key, from[1], n * sizeof *key);
    return true;
}
