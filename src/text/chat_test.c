/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_test.c - the tests of a template: `x is string`, `x is divisibleby 3`. */
#include "text/chat_inner.h"

#define TEST(name) \
    bool alm_chat_test_##name(alm_chat_run *r, alm_cv v, const alm_cv *arg, const alm_chat_args *all, alm_cv *out)
/* A test of the value alone. */
#define PLAIN(name, holds)                                                                                           \
    bool alm_chat_test_##name(alm_chat_run *r, alm_cv v, const alm_cv *arg, const alm_chat_args *all, alm_cv *out) { \
        (void)r, (void)v, (void)arg, (void)all;                                                                      \
        return *out = alm_cv_bool(holds), true;                                                                      \
    }

PLAIN(defined, v.kind != ALM_CV_UNDEFINED)
PLAIN(undefined, v.kind == ALM_CV_UNDEFINED)
PLAIN(none, v.kind == ALM_CV_NONE)
PLAIN(boolean, v.kind == ALM_CV_BOOL)
PLAIN(true, v.kind == ALM_CV_BOOL && v.as.i)
PLAIN(false, v.kind == ALM_CV_BOOL && !v.as.i)
PLAIN(integer, v.kind == ALM_CV_INT || v.kind == ALM_CV_BIG)
PLAIN(float, v.kind == ALM_CV_FLOAT)
PLAIN(number, alm_cv_is_number(v) || v.kind == ALM_CV_BIG)
PLAIN(string, v.kind == ALM_CV_STR)
PLAIN(mapping, v.kind == ALM_CV_DICT)
PLAIN(escaped, false)
PLAIN(iterable, alm_cv_iterable(v))
PLAIN(callable, v.kind == ALM_CV_UNDEFINED || v.kind >= ALM_CV_LOOP)
/* What has a length and elements by number. */
PLAIN(sequence, v.kind == ALM_CV_UNDEFINED || (v.kind >= ALM_CV_STR && v.kind <= ALM_CV_RANGE))

static bool compare(alm_chat_run *r, alm_cv a, alm_cv b, alm_chat_op op, alm_cv *out) {
    bool holds;
    if (!alm_cv_order(r, a, b, op, &holds)) return false;
    return *out = alm_cv_bool(holds), true;
}
#define ORDER(name, op)                        \
    TEST(name) {                               \
        (void)all;                             \
        return compare(r, v, arg[0], op, out); \
    }
ORDER(lt, ALM_OP_LT)
ORDER(le, ALM_OP_LE)
ORDER(gt, ALM_OP_GT)
ORDER(ge, ALM_OP_GE)

TEST(eq) {
    bool same;
    (void)all;
    if (!alm_cv_equal(r, v, arg[0], &same)) return false;
    return *out = alm_cv_bool(same), true;
}

TEST(ne) {
    bool same;
    (void)all;
    if (!alm_cv_equal(r, v, arg[0], &same)) return false;
    return *out = alm_cv_bool(!same), true;
}

TEST(in) {
    bool holds;
    (void)all;
    if (!alm_cv_contains(r, arg[0], v, &holds)) return false;
    return *out = alm_cv_bool(holds), true;
}

static bool rest_is(alm_chat_run *r, alm_cv v, int64_t by, int64_t rest, alm_cv *out) {
    alm_cv m;
    bool same;
    if (!alm_chat_binary(r, ALM_OP_MOD, v, alm_cv_int(by), &m) || !alm_cv_equal(r, m, alm_cv_int(rest), &same))
        return false;
    return *out = alm_cv_bool(same), true;
}

TEST(odd) {
    (void)arg, (void)all;
    return rest_is(r, v, 2, 1, out);
}

TEST(even) {
    (void)arg, (void)all;
    return rest_is(r, v, 2, 0, out);
}

TEST(divisibleby) {
    alm_cv m;
    bool same;
    (void)all;
    if (!alm_chat_binary(r, ALM_OP_MOD, v, arg[0], &m) || !alm_cv_equal(r, m, alm_cv_int(0), &same)) return false;
    return *out = alm_cv_bool(same), true;
}

/* The same object: one of the three words, a number or a text that is written alike, the very same list. */
TEST(sameas) {
    bool same = v.kind == arg[0].kind;
    (void)all;
    if (same && v.kind >= ALM_CV_LIST) same = v.as.list == arg[0].as.list;
    else if (same && !alm_cv_equal(r, v, arg[0], &same)) return false;
    return *out = alm_cv_bool(same), true;
}

static bool cased(alm_chat_run *r, alm_cv v, unsigned want, unsigned other, alm_cv *out) {
    alm_str s;
    bool some = false, all = true;
    if (!alm_cv_to_str(r, v, &s) || !alm_chat_spend_bytes(r, s.n)) return false;
    for (size_t pos = 0; pos < s.n;) {
        uint32_t c;
        if (!alm_utf8_next(s, &pos, &c)) continue;
        unsigned class = alm_letter_class(c);
        some |= (class & want) != 0;
        all &= !(class & (other | ALM_LETTER_TITLE));
    }
    return *out = alm_cv_bool(some && all), true;
}

TEST(lower) {
    (void)arg, (void)all;
    return cased(r, v, ALM_LETTER_LOWER, ALM_LETTER_UPPER, out);
}

TEST(upper) {
    (void)arg, (void)all;
    return cased(r, v, ALM_LETTER_UPPER, ALM_LETTER_LOWER, out);
}

TEST(filter) {
    (void)r, (void)arg, (void)all;
    bool known =
        v.kind == ALM_CV_STR && alm_chat_find(alm_chat_filters, alm_chat_n_filter, alm_cv_text(v)) != UINT32_MAX;
    return *out = alm_cv_bool(known), true;
}

TEST(test) {
    (void)r, (void)arg, (void)all;
    bool known = v.kind == ALM_CV_STR && alm_chat_find(alm_chat_tests, alm_chat_n_test, alm_cv_text(v)) != UINT32_MAX;
    return *out = alm_cv_bool(known), true;
}

#define ALM_CHAT_TEST(name, fn, signature) {name, signature, alm_chat_test_##fn, 0},
const alm_chat_builtin alm_chat_tests[] = {
#include "text/chat_tests.def"
};
const size_t alm_chat_n_test = sizeof alm_chat_tests / sizeof *alm_chat_tests;
