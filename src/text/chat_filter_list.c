/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_filter_list.c - filters over elements: map, select, join, sort, groupby …
 *
 * Where Jinja gives a generator, this gives an iterator over elements that are computed at once: it is true, has no
 * length, and can be walked once, as there. Keys by `attribute` follow points into parts: "function.name". */
#include "text/chat_inner.h"

#define FILTER(name) \
    bool alm_chat_filter_##name(alm_chat_run *r, alm_cv v, const alm_cv *arg, const alm_chat_args *all, alm_cv *out)

static bool given(alm_cv v) { return v.kind != ALM_CV_MISSING; }

static bool flag(alm_chat_run *r, alm_cv v, bool *out) {
    if (!given(v)) return *out = false, true;
    return alm_cv_true(r, v, out);
}

/* ── by attribute ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* The part of v under "a.b.0"; an integer is one subscript; without an attribute the value itself. */
static bool part_of(alm_chat_run *r, alm_cv v, alm_cv attribute, alm_cv fallback, alm_cv *out) {
    alm_str rest = alm_cv_text(attribute), name;
    *out = v;
    if (!given(attribute) || attribute.kind == ALM_CV_NONE) return true;
    if (alm_cv_is_int(attribute)) {
        if (!alm_chat_item(r, v, attribute, out)) return false;
        if (out->kind == ALM_CV_UNDEFINED && given(fallback)) *out = fallback;
        return true;
    }
    if (attribute.kind != ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "an attribute is named by a text or a number");
    while (alm_str_split(&rest, '.', &name)) {
        int64_t i;
        bool number = name.n && alm_str_to_i64(name, &i) && name.at[0] != '-' && name.at[0] != '+';
        if (!alm_chat_item(r, *out, number ? alm_cv_int(i) : alm_cv_str(name), out)) return false;
        if (out->kind == ALM_CV_UNDEFINED && given(fallback)) *out = fallback;
    }
    return true;
}

/* The key to sort or to compare by: without case unless asked. */
static bool key_of(alm_chat_run *r, alm_cv v, alm_cv attribute, alm_cv fallback, bool with_case, alm_cv *out) {
    if (!part_of(r, v, attribute, fallback, out)) return false;
    if (with_case || out->kind != ALM_CV_STR) return true;
    return alm_chat_recase_str(r, alm_cv_text(*out), ALM_RECASE_LOWER, out);
}

/* sort(attribute="a,b"): several keys. */
static bool keys_of(alm_chat_run *r, alm_cv v, alm_cv attribute, bool with_case, alm_cv *out) {
    alm_str rest = alm_cv_text(attribute), name;
    if (attribute.kind != ALM_CV_STR || alm_str_find_byte(rest, ',') == SIZE_MAX)
        return key_of(r, v, attribute, alm_cv_of(ALM_CV_MISSING), with_case, out);
    alm_cv_list *l = alm_cv_list_new(r, 0);
    while (alm_str_split(&rest, ',', &name)) {
        alm_cv key;
        if (!key_of(r, v, alm_cv_str(name), alm_cv_of(ALM_CV_MISSING), with_case, &key) || !alm_cv_list_add(r, l, key))
            return false;
    }
    *out = alm_cv_from_list(ALM_CV_LIST, l);
    return true;
}

static bool walk(alm_chat_run *r, alm_cv v, const alm_cv **at, size_t *n, alm_cv_list **result) {
    if (!alm_cv_items(r, v, at, n)) return false;
    return (*result = alm_cv_list_new(r, 0)) != NULL;
}

/* ── map, select, reject ──────────────────────────────────────────────────────────────────────────────────────── */

static bool is_named(const alm_chat_args *a, const char *name, alm_cv *out) {
    for (uint32_t i = 0; i < a->n_kw; i++)
        if (alm_str_eq(a->kw_name[i], alm_str_of(name))) return *out = a->kw[i], true;
    return false;
}

/* What is false has no elements, whatever it is, and the arguments are not looked at. */
static bool nothing(alm_chat_run *r, alm_cv *out) {
    alm_cv_list *l = alm_cv_list_new(r, 0);
    *out = alm_cv_from_list(ALM_CV_ITER, l);
    return l != NULL;
}

FILTER(map) {
    const alm_cv *at;
    size_t n;
    alm_cv_list *l;
    alm_cv attribute = alm_cv_of(ALM_CV_MISSING), fallback = attribute, item;
    uint32_t row = UINT32_MAX;
    bool some;
    (void)arg;
    alm_chat_args rest = *all;
    if (!alm_cv_true(r, v, &some)) return false;
    if (!some) return nothing(r, out);
    if (!all->n_pos && is_named(all, "attribute", &attribute)) {
        is_named(all, "default", &fallback);
    } else {
        if (!all->n_pos) return alm_chat_fail(r, ALM_MISMATCH, "map requires a filter argument");
        if (all->pos[0].kind == ALM_CV_STR)
            row = alm_chat_find(alm_chat_filters, alm_chat_n_filter, alm_cv_text(all->pos[0]));
        if (row == UINT32_MAX)
            return alm_chat_fail(r, ALM_MISMATCH, "map takes the name of a filter, and this is none");
        rest.pos++, rest.n_pos--;
    }
    if (!walk(r, v, &at, &n, &l)) return false;
    for (size_t i = 0; i < n; i++) {
        bool ok = row == UINT32_MAX ? part_of(r, at[i], attribute, fallback, &item)
                                    : alm_chat_call_filter(r, row, at[i], &rest, &item);
        if (!ok || !alm_cv_list_add(r, l, item)) return false;
    }
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

static bool choose(alm_chat_run *r, alm_cv v, const alm_chat_args *all, bool by_attribute, bool want, alm_cv *out) {
    const alm_cv *at;
    size_t n;
    alm_cv_list *l;
    alm_chat_args rest = *all;
    alm_cv attribute = alm_cv_of(ALM_CV_MISSING), item;
    uint32_t row = UINT32_MAX;
    bool some;
    if (!alm_cv_true(r, v, &some)) return false;
    if (!some) return nothing(r, out);
    if (by_attribute) {
        if (!rest.n_pos) return alm_chat_fail(r, ALM_MISMATCH, "Missing parameter for attribute name");
        attribute = *rest.pos++;
        rest.n_pos--;
    }
    bool truth = rest.n_pos == 0;
    if (!truth) {
        if (rest.pos[0].kind == ALM_CV_STR)
            row = alm_chat_find(alm_chat_tests, alm_chat_n_test, alm_cv_text(rest.pos[0]));
        if (row == UINT32_MAX)
            return alm_chat_fail(r, ALM_MISMATCH, "the name of a test is expected, and this is none");
        rest.pos++, rest.n_pos--;
    }
    if (!walk(r, v, &at, &n, &l)) return false;
    for (size_t i = 0; i < n; i++) {
        bool holds;
        if (!part_of(r, at[i], attribute, alm_cv_of(ALM_CV_MISSING), &item)) return false;
        if (truth ? !alm_cv_true(r, item, &holds) : !alm_chat_call_test(r, row, item, &rest, &holds)) return false;
        if (holds == want && !alm_cv_list_add(r, l, at[i])) return false;
    }
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

FILTER(select) {
    (void)arg;
    return choose(r, v, all, false, true, out);
}

FILTER(reject) {
    (void)arg;
    return choose(r, v, all, false, false, out);
}

FILTER(selectattr) {
    (void)arg;
    return choose(r, v, all, true, true, out);
}

FILTER(rejectattr) {
    (void)arg;
    return choose(r, v, all, true, false, out);
}

/* ── ends, length, order ──────────────────────────────────────────────────────────────────────────────────────── */

FILTER(first) {
    const alm_cv *at;
    size_t n;
    (void)arg, (void)all;
    size_t walked = v.kind == ALM_CV_ITER ? v.as.list->walked : 0;
    if (v.kind == ALM_CV_STR && v.n) { /* without a list of all characters */
        return *out = alm_cv_str(alm_str_slice(alm_cv_text(v), 0, alm_chat_offset(alm_cv_text(v), 1))), true;
    }
    if (!alm_cv_items(r, v, &at, &n)) return false;
    if (v.kind == ALM_CV_ITER && n) v.as.list->walked = walked + 1;
    return *out = n ? at[0] : alm_cv_hint("No first item, sequence was empty."), true;
}

FILTER(last) {
    const alm_cv *at;
    size_t n;
    (void)arg, (void)all;
    if (v.kind == ALM_CV_ITER)
        return alm_chat_fail(r, ALM_MISMATCH, "'generator' object is not reversible; make it a list first");
    if (!alm_cv_items(r, v, &at, &n)) return false;
    return *out = n ? at[n - 1] : alm_cv_hint("No last item, sequence was empty."), true;
}

FILTER(length) {
    size_t n;
    (void)arg, (void)all;
    if (!alm_cv_length(r, v, &n)) return false;
    return *out = alm_cv_int((int64_t)n), true;
}

static bool copy_list(alm_chat_run *r, alm_cv v, alm_cv_list **out) {
    const alm_cv *at;
    size_t n;
    if (!alm_cv_items(r, v, &at, &n) || !alm_chat_spend(r, 1 + n / 4) || !(*out = alm_cv_list_new(r, n))) return false;
    if (n) memcpy((*out)->at, at, n * sizeof *at);
    (*out)->n = n;
    return true;
}

FILTER(list) {
    alm_cv_list *l;
    (void)arg, (void)all;
    if (!copy_list(r, v, &l)) return false;
    return *out = alm_cv_from_list(ALM_CV_LIST, l), true;
}

FILTER(reverse) {
    alm_cv_list *l;
    (void)arg, (void)all;
    if (v.kind == ALM_CV_STR)
        return alm_chat_get_slice(r, v, alm_cv_of(ALM_CV_NONE), alm_cv_of(ALM_CV_NONE), alm_cv_int(-1), out);
    if (!copy_list(r, v, &l)) return false;
    for (size_t i = 0; i < l->n / 2; i++) {
        alm_cv swap = l->at[i];
        l->at[i] = l->at[l->n - 1 - i];
        l->at[l->n - 1 - i] = swap;
    }
    bool lazy = v.kind != ALM_CV_ITER; /* `reversed` of a sequence is an iterator; what has no length becomes a list */
    return *out = alm_cv_from_list(lazy ? ALM_CV_ITER : ALM_CV_LIST, l), true;
}

FILTER(join) {
    const alm_cv *at;
    size_t n;
    alm_str sep = ALM_STR("");
    (void)all;
    if ((given(arg[0]) && !alm_cv_to_str(r, arg[0], &sep)) || !alm_cv_items(r, v, &at, &n)) return false;
    alm_buf b = alm_chat_buf(r);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        alm_cv item;
        if (i) alm_buf_add_str(&b, sep);
        ok = alm_chat_spend_bytes(r, sep.n) && part_of(r, at[i], arg[1], alm_cv_of(ALM_CV_MISSING), &item) &&
             alm_cv_write_str(r, &b, item);
    }
    return alm_cv_buf_str(r, &b, out) && ok;
}

static bool sorted(alm_chat_run *r, alm_cv_list *l, alm_cv attribute, bool with_case, bool reverse) {
    alm_cv *key = alm_chat_memory(r, l->n, sizeof *key);
    if (!key) return false;
    for (size_t i = 0; i < l->n; i++)
        if (!keys_of(r, l->at[i], attribute, with_case, &key[i])) return false;
    return alm_cv_sort(r, l->at, key, l->n, reverse);
}

FILTER(sort) {
    alm_cv_list *l;
    bool reverse, with_case;
    (void)all;
    if (!flag(r, arg[0], &reverse) || !flag(r, arg[1], &with_case) || !copy_list(r, v, &l) ||
        !sorted(r, l, arg[2], with_case, reverse))
        return false;
    return *out = alm_cv_from_list(ALM_CV_LIST, l), true;
}

FILTER(dictsort) {
    alm_cv_list *l;
    bool reverse, with_case;
    alm_str by = ALM_STR("key");
    (void)all;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (v.kind != ALM_CV_DICT)
        return alm_chat_fail(r, ALM_MISMATCH, "'%s' object has no attribute 'items'", alm_cv_type(v));
    if (!flag(r, arg[0], &with_case) || !flag(r, arg[2], &reverse) || (given(arg[1]) && !alm_cv_to_str(r, arg[1], &by)))
        return false;
    bool by_value = alm_str_eq(by, ALM_STR("value"));
    if (!by_value && !alm_str_eq(by, ALM_STR("key")))
        return alm_chat_fail(r, ALM_MISMATCH, "You can only sort by either \"key\" or \"value\"");
    if (!alm_cv_dict_view(r, v.as.dict, ALM_CV_ITEMS, &l) || !sorted(r, l, alm_cv_int(by_value), with_case, reverse))
        return false;
    return *out = alm_cv_from_list(ALM_CV_LIST, l), true;
}

static bool extreme(alm_chat_run *r, alm_cv v, const alm_cv *arg, alm_chat_op op, alm_cv *out) {
    const alm_cv *at;
    size_t n;
    bool with_case, better;
    alm_cv best = alm_cv_of(ALM_CV_NONE), key;
    if (!flag(r, arg[0], &with_case) || !alm_cv_items(r, v, &at, &n)) return false;
    *out = alm_cv_hint("No aggregated item, sequence was empty.");
    for (size_t i = 0; i < n; i++) {
        if (!key_of(r, at[i], arg[1], alm_cv_of(ALM_CV_MISSING), with_case, &key) || !alm_chat_spend(r, 1))
            return false;
        if (i && !alm_cv_order(r, key, best, op, &better)) return false;
        if (!i || better) best = key, *out = at[i];
    }
    return true;
}

FILTER(min) {
    (void)all;
    return extreme(r, v, arg, ALM_OP_LT, out);
}

FILTER(max) {
    (void)all;
    return extreme(r, v, arg, ALM_OP_GT, out);
}

FILTER(sum) {
    const alm_cv *at, *start = &arg[1];
    size_t n;
    alm_cv item;
    (void)all;
    if (!alm_cv_items(r, v, &at, &n)) return false;
    *out = given(*start) ? *start : alm_cv_int(0);
    if (out->kind == ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "sum() can't sum strings [use ''.join(seq) instead]");
    for (size_t i = 0; i < n; i++)
        if (!part_of(r, at[i], arg[0], alm_cv_of(ALM_CV_MISSING), &item) || !alm_chat_spend(r, 1) ||
            !alm_chat_binary(r, ALM_OP_ADD, *out, item, out))
            return false;
    return true;
}

FILTER(unique) {
    const alm_cv *at;
    size_t n;
    bool with_case;
    alm_cv_list *l;
    alm_cv key;
    (void)all;
    alm_cv_dict *seen = alm_cv_dict_new(r, 0);
    if (!seen || !flag(r, arg[0], &with_case) || !walk(r, v, &at, &n, &l)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!key_of(r, at[i], arg[1], alm_cv_of(ALM_CV_MISSING), with_case, &key)) return false;
        size_t before = alm_cv_dict_n(seen);
        if (!alm_cv_dict_set(r, seen, key, alm_cv_bool(true))) return false;
        if (alm_cv_dict_n(seen) > before && !alm_cv_list_add(r, l, at[i])) return false;
    }
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

/* Sorted by the key, then those that are equal together: (key, list), also called grouper and list. */
FILTER(groupby) {
    alm_cv_list *l, *groups = alm_cv_list_new(r, 0);
    bool with_case;
    (void)all;
    if (!groups || !flag(r, arg[2], &with_case) || !copy_list(r, v, &l)) return false;
    alm_cv *key = alm_chat_memory(r, l->n, sizeof *key);
    if (!key) return false;
    for (size_t i = 0; i < l->n; i++)
        if (!key_of(r, l->at[i], arg[0], arg[1], with_case, &key[i])) return false;
    if (!alm_cv_sort(r, l->at, key, l->n, false)) return false;
    for (size_t i = 0, k; i < l->n; i = k) {
        bool same = true;
        alm_cv pair, part, name;
        for (k = i + 1; k < l->n; k++) {
            if (!alm_cv_equal(r, key[i], key[k], &same)) return false;
            if (!same) break;
        }
        /* The name of the group is the first one's own, with its case. */
        if (!part_of(r, l->at[i], arg[0], arg[1], &name) ||
            !alm_cv_slice(r, alm_cv_from_list(ALM_CV_LIST, l), i, k - i, &part) || !alm_cv_pair(r, name, part, &pair))
            return false;
        pair.sub = ALM_CV_GROUP;
        if (!alm_cv_list_add(r, groups, pair)) return false;
    }
    return *out = alm_cv_from_list(ALM_CV_LIST, groups), true;
}

/* ── parts of lists ───────────────────────────────────────────────────────────────────────────────────────────── */

static bool count_of(alm_chat_run *r, alm_cv v, int64_t *out) {
    if (alm_cv_is_int(v) && v.as.i > 0 && v.as.i <= INT32_MAX) return *out = v.as.i, true;
    return alm_chat_fail(r, ALM_MISMATCH, "a number above 0 is expected");
}

FILTER(batch) {
    const alm_cv *at;
    size_t n;
    int64_t size;
    alm_cv_list *l, *part = NULL;
    (void)all;
    if (!count_of(r, arg[0], &size) || !walk(r, v, &at, &n, &l)) return false;
    for (size_t i = 0; i < n; i++) {
        if (i % (size_t)size == 0) {
            if (!(part = alm_cv_list_new(r, 0)) || !alm_cv_list_add(r, l, alm_cv_from_list(ALM_CV_LIST, part)))
                return false;
        }
        if (!alm_cv_list_add(r, part, at[i])) return false;
    }
    while (part && given(arg[1]) && arg[1].kind != ALM_CV_NONE && part->n < (size_t)size)
        if (!alm_cv_list_add(r, part, arg[1])) return false;
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

FILTER(slice) {
    const alm_cv *at;
    size_t n, from = 0;
    int64_t slices;
    alm_cv_list *l;
    (void)all;
    if (!count_of(r, arg[0], &slices) || !walk(r, v, &at, &n, &l)) return false;
    size_t each = n / (size_t)slices, more = n % (size_t)slices;
    for (size_t i = 0; i < (size_t)slices; i++) {
        size_t count = each + (i < more);
        alm_cv_list *part = alm_cv_list_new(r, 0);
        for (size_t k = 0; k < count; k++)
            if (!alm_cv_list_add(r, part, at[from++])) return false;
        if (given(arg[1]) && arg[1].kind != ALM_CV_NONE && i >= more && !alm_cv_list_add(r, part, arg[1])) return false;
        if (!part || !alm_cv_list_add(r, l, alm_cv_from_list(ALM_CV_LIST, part))) return false;
    }
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

FILTER(items) {
    alm_cv_list *l;
    (void)arg, (void)all;
    if (v.kind == ALM_CV_DICT) {
        if (!alm_cv_dict_view(r, v.as.dict, ALM_CV_ITEMS, &l)) return false;
    } else if (v.kind == ALM_CV_UNDEFINED) {
        if (!(l = alm_cv_list_new(r, 0))) return false;
    } else {
        return alm_chat_fail(r, ALM_MISMATCH, "Can only get item pairs from a mapping.");
    }
    return *out = alm_cv_from_list(ALM_CV_ITER, l), true;
}

/* ── of a value ───────────────────────────────────────────────────────────────────────────────────────────────── */

FILTER(default) {
    bool holds = true, when_false;
    (void)all;
    if (!flag(r, arg[1], &when_false)) return false;
    if (when_false && v.kind != ALM_CV_UNDEFINED && !alm_cv_true(r, v, &holds)) return false;
    alm_cv fallback = given(arg[0]) ? arg[0] : alm_cv_str(ALM_STR(""));
    return *out = v.kind == ALM_CV_UNDEFINED || !holds ? fallback : v, true;
}

/* An attribute and never an item. */
FILTER(attr) {
    (void)all;
    alm_str name;
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (!alm_cv_to_str(r, arg[0], &name)) return false;
    alm_cv empty = v;
    if (v.kind == ALM_CV_DICT) { /* the methods of dicts without this one's items */
        alm_cv_dict *none = alm_cv_dict_new(r, 0);
        if (!none) return false;
        empty.as.dict = none;
    }
    if (!alm_chat_item(r, empty, alm_cv_str(name), out)) return false;
    if (out->kind == ALM_CV_METHOD && v.kind == ALM_CV_DICT) out->as.bound->self = v;
    return true;
}

#define ALM_CHAT_FILTER(name, fn, signature) {name, signature, alm_chat_filter_##fn, 0},
const alm_chat_builtin alm_chat_filters[] = {
#include "text/chat_filters.def"
};
const size_t alm_chat_n_filter = sizeof alm_chat_filters / sizeof *alm_chat_filters;
