/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_arith.c - operators with Python's meaning: + - * / // % ** over numbers, texts and lists; slices; ranges.
 *
 * Integers have 64 bits: what would need more is a failure, never a wrong number. Repeating and joining are paid for by the
 * byte and bounded by the rendering's memory, so nothing grows without an end. */
#include "text/chat_inner.h"

#include "base/mathx.h"

static bool too_large(alm_chat_run *r) { return alm_chat_fail(r, ALM_LIMIT, "an integer has more than 64 bits"); }
static bool by_zero(alm_chat_run *r, const char *what) { return alm_chat_fail(r, ALM_MISMATCH, "%s by zero", what); }

static bool unsupported(alm_chat_run *r, alm_chat_op op, alm_cv a, alm_cv b) {
    static const char *const signs[] = {
        [ALM_OP_ADD] = "+",       [ALM_OP_SUB] = "-", [ALM_OP_MUL] = "*",          [ALM_OP_DIV] = "/",
        [ALM_OP_FLOORDIV] = "//", [ALM_OP_MOD] = "%", [ALM_OP_POW] = "** or pow()"};
    if (a.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, a);
    if (b.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, b);
    if (op == ALM_OP_ADD && (a.kind == ALM_CV_STR || a.kind == ALM_CV_LIST || a.kind == ALM_CV_TUPLE))
        return alm_chat_fail(r, ALM_MISMATCH, "can only concatenate %s (not \"%s\") to %s", alm_cv_type(a),
                             alm_cv_type(b), alm_cv_type(a));
    return alm_chat_fail(r, ALM_MISMATCH, "unsupported operand type(s) for %s: '%s' and '%s'", signs[op],
                         alm_cv_type(a), alm_cv_type(b));
}

/* ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static double whole_down(double x) {
    if (!(x < 4503599627370496.0 && x > -4503599627370496.0)) return x;
    double down = (double)(int64_t)x;
    down = down > x ? down - 1.0 : down;
    return down == 0.0 && __builtin_signbit(x) ? -0.0 : down;
}

/* The remainder has the sign of the divisor, as Python's; exact. */
static double remainder_of(double a, double b) {
    double m = __builtin_fmod(a, b);
    if (m != 0.0) return (b < 0) != (m < 0) ? m + b : m;
    return __builtin_copysign(0.0, b);
}

static double floor_quotient(double a, double b) {
    double m = __builtin_fmod(a, b), q = (a - m) / b;
    if (m != 0.0 && (b < 0) != (m < 0)) q -= 1.0;
    if (q == 0.0) return __builtin_copysign(0.0, a / b);
    double down = whole_down(q);
    return q - down > 0.5 ? down + 1.0 : down;
}

static bool power_of_ints(alm_chat_run *r, int64_t base, int64_t exponent, alm_cv *out) {
    int64_t x = 1, square = base;
    bool fits = true;
    if (base == 0 || base == 1) return *out = alm_cv_int(exponent ? base : 1), true;
    if (base == -1) return *out = alm_cv_int(exponent % 2 ? -1 : 1), true;
    for (; exponent; exponent /= 2) {
        if (!fits) return too_large(r); /* the last square was needed after all */
        if (exponent % 2 && __builtin_mul_overflow(x, square, &x)) return too_large(r);
        fits = !__builtin_mul_overflow(square, square, &square);
    }
    return *out = alm_cv_int(x), true;
}

/* x^n by products whose rounding errors are carried along, so that the last digit is right. */
static double power_of_whole(double x, int n) {
    double high = 1.0, low = 0.0;
    for (; n; n--) {
        double product = high * x, error = __builtin_fma(high, x, -product);
        low = low * x + error;
        high = product + low;
        low -= high - product;
    }
    return high;
}

/* Whole exponents and roots, which is what templates ask for, are right to the last digit; else exp and log of base/mathx. */
static bool power_of_doubles(alm_chat_run *r, double a, double b, alm_cv *out) {
    if (a == 0.0 && b < 0.0) return alm_chat_fail(r, ALM_MISMATCH, "0.0 cannot be raised to a negative power");
    double whole = whole_down(b), x = 1.0;
    if (whole == b && b >= -64.0 && b <= 64.0) {
        bool inverse = b < 0.0;
        x = power_of_whole(a, (int)(inverse ? -b : b));
        return *out = alm_cv_float(inverse ? 1.0 / x : x), true;
    }
    if (a < 0.0 && whole != b) return alm_chat_fail(r, ALM_MISMATCH, "a root of a negative number is no number here");
    if (a == 0.0) return *out = alm_cv_float(0.0), true;
    if (b == 0.5) return *out = alm_cv_float(__builtin_sqrt(a)), true;
    x = alm_pow_f64(a < 0.0 ? -a : a, b);
    bool odd = __builtin_fmod(b, 2.0) != 0.0;
    if (x > 1.7976931348623157e308) return alm_chat_fail(r, ALM_MISMATCH, "Result too large");
    return *out = alm_cv_float(a < 0.0 && odd ? -x : x), true;
}

static bool doubles(alm_chat_run *r, alm_chat_op op, double a, double b, alm_cv *out) {
    double x = 0.0;
    switch (op) {
    case ALM_OP_ADD: x = a + b; break;
    case ALM_OP_SUB: x = a - b; break;
    case ALM_OP_MUL: x = a * b; break;
    case ALM_OP_DIV:
        if (b == 0.0) return by_zero(r, "float division");
        x = a / b;
        break;
    case ALM_OP_FLOORDIV:
        if (b == 0.0) return by_zero(r, "float floor division");
        x = floor_quotient(a, b);
        break;
    case ALM_OP_MOD:
        if (b == 0.0) return by_zero(r, "float modulo");
        x = remainder_of(a, b);
        break;
    default: return power_of_doubles(r, a, b, out);
    }
    return *out = alm_cv_float(x), true;
}

static bool ints(alm_chat_run *r, alm_chat_op op, int64_t a, int64_t b, alm_cv *out) {
    int64_t x = 0;
    switch (op) {
    case ALM_OP_ADD:
        if (__builtin_add_overflow(a, b, &x)) return too_large(r);
        break;
    case ALM_OP_SUB:
        if (__builtin_sub_overflow(a, b, &x)) return too_large(r);
        break;
    case ALM_OP_MUL:
        if (__builtin_mul_overflow(a, b, &x)) return too_large(r);
        break;
    case ALM_OP_DIV:
        if (b == 0) return by_zero(r, "division");
        return *out = alm_cv_float((double)a / (double)b), true;
    case ALM_OP_FLOORDIV:
    case ALM_OP_MOD:
        if (b == 0) return by_zero(r, op == ALM_OP_MOD ? "integer modulo" : "integer division or modulo");
        if (b == -1) { /* INT64_MIN / -1 does not fit */
            if (op == ALM_OP_MOD) break;
            if (__builtin_sub_overflow((int64_t)0, a, &x)) return too_large(r);
            break;
        }
        x = op == ALM_OP_MOD ? a % b : a / b;
        if (a % b && (a < 0) != (b < 0)) x += op == ALM_OP_MOD ? b : -1;
        break;
    default:
        if (b < 0) return power_of_doubles(r, (double)a, (double)b, out);
        return power_of_ints(r, a, b, out);
    }
    return *out = alm_cv_int(x), true;
}

bool alm_chat_negate(alm_chat_run *r, alm_cv v, bool minus, alm_cv *out) {
    if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
    if (v.kind == ALM_CV_FLOAT) return *out = alm_cv_float(minus ? -v.as.f : v.as.f), true;
    if (v.kind == ALM_CV_BIG) return too_large(r);
    if (!alm_cv_is_int(v))
        return alm_chat_fail(r, ALM_MISMATCH, "bad operand type for unary %c: '%s'", minus ? '-' : '+', alm_cv_type(v));
    if (!minus) return *out = alm_cv_int(v.as.i), true;
    return ints(r, ALM_OP_SUB, 0, v.as.i, out);
}

/* ── texts and lists ──────────────────────────────────────────────────────────────────────────────────────────── */

/* `t = t + more` in a loop is what templates do. Where a is the end of a text that was joined before, and there is room behind
 * it, b is written there: the parts that others hold of it stay as they are. So building a text of n bytes costs n. */
bool alm_chat_join(alm_chat_run *r, alm_str a, alm_str b, alm_cv *out) {
    size_t n, room;
    if (a.n > UINT32_MAX - b.n) return alm_chat_fail(r, ALM_LIMIT, "the template makes a text that is too long");
    n = a.n + b.n;
    if (!a.n || !b.n) return *out = alm_cv_str(a.n ? a : b), true;
    for (size_t i = 0; i < sizeof r->grown / sizeof *r->grown; i++) {
        if (r->grown[i].end != a.at + a.n || r->grown[i].room < b.n) continue;
        if (!alm_chat_spend_bytes(r, b.n)) return false;
        memmove(r->grown[i].end, b.at, b.n);
        r->grown[i].end += b.n, r->grown[i].room -= b.n;
        return *out = alm_cv_str(alm_str_make(a.at, n)), true;
    }
    if (!alm_chat_spend_bytes(r, n)) return false;
    room = n < 256 ? 64 : n / 2;
    if (room > r->memory_bytes / 4) room = 0;
    char *at = alm_chat_memory(r, n + room, 1);
    if (!at) return false;
    memcpy(at, a.at, a.n);
    memcpy(at + a.n, b.at, b.n);
    unsigned slot = r->next_grown++ % (sizeof r->grown / sizeof *r->grown);
    r->grown[slot].end = at + n, r->grown[slot].room = room;
    return *out = alm_cv_str(alm_str_make(at, n)), true;
}

static bool join_lists(alm_chat_run *r, alm_cv a, alm_cv b, alm_cv *out) {
    size_t n = a.as.list->n + b.as.list->n;
    alm_cv_list *l = alm_chat_spend(r, 1 + n / 4) ? alm_cv_list_new(r, n) : NULL;
    if (!l) return false;
    if (a.as.list->n) memcpy(l->at, a.as.list->at, a.as.list->n * sizeof *l->at);
    if (b.as.list->n) memcpy(l->at + a.as.list->n, b.as.list->at, b.as.list->n * sizeof *l->at);
    l->n = n;
    return *out = alm_cv_from_list((alm_cv_kind)a.kind, l), true;
}

static bool repeat(alm_chat_run *r, alm_cv v, int64_t times, alm_cv *out) {
    bool is_str = v.kind == ALM_CV_STR;
    size_t one = is_str ? v.n : v.as.list->n, n = 0;
    if (times > 0 && one && (uint64_t)times > (UINT32_MAX - 1u) / one)
        return alm_chat_fail(r, ALM_LIMIT, "the template repeats something too often");
    if (times > 0) n = one * (size_t)times;
    if (!alm_chat_spend(r, is_str ? n / 64 : n)) return false;
    if (is_str) {
        char *at = alm_chat_memory(r, n, 1);
        for (size_t i = 0; at && i < n; i += one) memcpy(at + i, v.as.at, one);
        *out = alm_cv_str(alm_str_make(at, n));
        return at != NULL;
    }
    alm_cv_list *l = alm_cv_list_new(r, n);
    if (!l) return false;
    for (size_t i = 0; i < n; i++) l->at[i] = v.as.list->at[i % one];
    l->n = n;
    return *out = alm_cv_from_list((alm_cv_kind)v.kind, l), true;
}

bool alm_chat_binary(alm_chat_run *r, alm_chat_op op, alm_cv a, alm_cv b, alm_cv *out) {
    bool a_repeats = a.kind == ALM_CV_STR || a.kind == ALM_CV_LIST || a.kind == ALM_CV_TUPLE;
    bool b_repeats = b.kind == ALM_CV_STR || b.kind == ALM_CV_LIST || b.kind == ALM_CV_TUPLE;
    if (alm_cv_is_int(a) && alm_cv_is_int(b)) return ints(r, op, a.as.i, b.as.i, out);
    if (alm_cv_is_number(a) && alm_cv_is_number(b)) return doubles(r, op, alm_cv_double(a), alm_cv_double(b), out);
    if (op == ALM_OP_ADD && a.kind == ALM_CV_STR && b.kind == ALM_CV_STR)
        return alm_chat_join(r, alm_cv_text(a), alm_cv_text(b), out);
    if (op == ALM_OP_ADD && a.kind == b.kind && a_repeats) return join_lists(r, a, b, out);
    if (op == ALM_OP_MUL && a_repeats && alm_cv_is_int(b)) return repeat(r, a, b.as.i, out);
    if (op == ALM_OP_MUL && b_repeats && alm_cv_is_int(a)) return repeat(r, b, a.as.i, out);
    if (op == ALM_OP_MOD && a.kind == ALM_CV_STR) return alm_chat_percent(r, alm_cv_text(a), b, out);
    if ((a.kind == ALM_CV_BIG || b.kind == ALM_CV_BIG) && (alm_cv_is_number(a) || a.kind == ALM_CV_BIG) &&
        (alm_cv_is_number(b) || b.kind == ALM_CV_BIG))
        return too_large(r);
    return unsupported(r, op, a, b);
}

/* ── slices and ranges ────────────────────────────────────────────────────────────────────────────────────────── */

bool alm_chat_range(alm_chat_run *r, int64_t start, int64_t stop, int64_t step, alm_cv *out) {
    alm_cv_range *x = alm_chat_memory(r, 1, sizeof *x);
    uint64_t width = 0;
    if (!x) return false;
    if (step == 0) return alm_chat_fail(r, ALM_MISMATCH, "range() arg 3 must not be zero");
    if (step > 0 && start < stop) width = ((uint64_t)stop - (uint64_t)start - 1) / (uint64_t)step + 1;
    if (step < 0 && start > stop) width = ((uint64_t)start - (uint64_t)stop - 1) / (0 - (uint64_t)step) + 1;
    if (width > ALM_CHAT_MAX_RANGE)
        return alm_chat_fail(r, ALM_LIMIT, "range() of more than %d numbers", ALM_CHAT_MAX_RANGE);
    *x = (alm_cv_range){start, stop, step, (size_t)width};
    *out = (alm_cv){.kind = ALM_CV_RANGE, .as.range = x};
    return true;
}

static bool slice_number(alm_chat_run *r, alm_cv v, int64_t fallback, int64_t *out) {
    if (v.kind == ALM_CV_NONE || v.kind == ALM_CV_MISSING) return *out = fallback, true;
    if (alm_cv_is_int(v)) return *out = v.as.i, true;
    return alm_chat_fail(r, ALM_MISMATCH, "slice indices must be integers or None or have an __index__ method");
}

static int64_t clip(int64_t x, int64_t n, int64_t low, int64_t high) {
    if (x < 0) x += n;
    return x < low ? low : x > high ? high : x;
}

static bool slice_items(alm_chat_run *r, alm_cv v, int64_t start, int64_t step, size_t count, alm_cv *out) {
    if (step == 1) return alm_cv_slice(r, v, (size_t)start, count, out);
    alm_cv_list *l = alm_chat_spend(r, count) ? alm_cv_list_new(r, count) : NULL;
    if (!l) return false;
    for (size_t i = 0; i < count; i++) l->at[i] = v.as.list->at[start + (int64_t)i * step];
    l->n = count;
    return *out = alm_cv_from_list((alm_cv_kind)v.kind, l), true;
}

static bool slice_text(alm_chat_run *r, alm_cv v, int64_t start, int64_t step, size_t count, alm_cv *out) {
    alm_str s = alm_cv_text(v);
    const alm_cv *at;
    size_t n, k = 0;
    if (!alm_chat_spend_bytes(r, s.n)) return false;
    if (step == 1) {
        size_t from = alm_chat_offset(s, (size_t)start);
        size_t to = from + alm_chat_offset(alm_str_slice(s, from, s.n), count);
        return *out = alm_cv_str(alm_str_slice(s, from, to)), true;
    }
    char *to = alm_chat_memory(r, s.n, 1);
    if (!to || !alm_cv_items(r, v, &at, &n)) return false;
    for (size_t i = 0; i < count; i++) {
        alm_str c = alm_cv_text(at[start + (int64_t)i * step]);
        memcpy(to + k, c.at, c.n);
        k += c.n;
    }
    return *out = alm_cv_str(alm_str_make(to, k)), true;
}

bool alm_chat_get_slice(alm_chat_run *r, alm_cv v, alm_cv from, alm_cv to, alm_cv by, alm_cv *out) {
    size_t length;
    int64_t step, start, stop;
    if (v.kind != ALM_CV_STR && v.kind != ALM_CV_LIST && v.kind != ALM_CV_TUPLE && v.kind != ALM_CV_RANGE) {
        if (v.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, v);
        if (v.kind == ALM_CV_DICT) return alm_chat_fail(r, ALM_MISMATCH, "unhashable type: 'slice'");
        return alm_chat_fail(r, ALM_MISMATCH, "'%s' object is not subscriptable", alm_cv_type(v));
    }
    if (!alm_cv_length(r, v, &length) || !slice_number(r, by, 1, &step)) return false;
    const int64_t n = (int64_t)length;
    if (step == 0) return alm_chat_fail(r, ALM_MISMATCH, "slice step cannot be zero");
    if (step < -INT32_MAX) step = -INT32_MAX;
    if (step > INT32_MAX) step = INT32_MAX;
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    bool open_start = from.kind == ALM_CV_NONE || from.kind == ALM_CV_MISSING;
    bool open_stop = to.kind == ALM_CV_NONE || to.kind == ALM_CV_MISSING;
    if (!slice_number(r, from, 0, &start) || !slice_number(r, to, 0, &stop)) return false;
    start = open_start ? (step < 0 ? n - 1 : 0) : clip(start, n, low, high);
    stop = open_stop ? (step < 0 ? -1 : n) : clip(stop, n, low, high);
    size_t count = 0;
    if (step > 0 && start < stop) count = (size_t)((stop - start - 1) / step + 1);
    if (step < 0 && start > stop) count = (size_t)((start - stop - 1) / -step + 1);
    if (v.kind == ALM_CV_STR) return slice_text(r, v, start, step, count, out);
    if (v.kind != ALM_CV_RANGE) return slice_items(r, v, start, step, count, out);
    const alm_cv_range *x = v.as.range;
    return alm_chat_range(r, x->start + start * x->step, x->start + stop * x->step, x->step * step, out);
}
