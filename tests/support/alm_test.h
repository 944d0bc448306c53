/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/support/alm_test.h - what every test program uses: checks over cmocka, failing allocations, folders, data.
 *
 *     static void a_sentence_that_is_true(void **state) { (void)state; CHECK(1 + 1 == 2, "with a %s", "reason"); }
 *     static const struct CMUnitTest tests[] = {cmocka_unit_test(a_sentence_that_is_true)};
 *     ALM_TEST_MAIN(tests)
 *
 * The program runs under the locale of its environment (setlocale(LC_ALL, "")), so that the suite under de_DE finds a
 * number written with a comma. Checks belong to the main thread: cmocka leaves a failed test by longjmp. */
#ifndef ALM_TEST_H
#define ALM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- checks ------------------------------------------------------------------------------------------------------- */

ALM_PRINTF(4, 5)
__attribute__((noreturn)) static inline void alm_test_failed(const char *file, int line, const char *what,
                                                             const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_error("%s:%d: CHECK(%s)%s\n", file, line, what, text);
    _fail(file, line); /* by longjmp, which cmocka.h does not tell the compiler */
    abort();
}

/* The condition, then, if wanted, a printf format and its arguments. */
#define CHECK(condition, ...)                                                               \
    do {                                                                                    \
        if (!(condition)) alm_test_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__); \
    } while (0)

/* The call gives this status; `err` is an alm_error * whose text is shown when it does not (or NULL). */
#define CHECK_STATUS(call, want, err)                                                                   \
    do {                                                                                                \
        alm_status alm_got_ = (call), alm_want_ = (want);                                               \
        const alm_error *alm_err_ = (err);                                                              \
        if (alm_got_ != alm_want_)                                                                      \
            alm_test_failed(__FILE__, __LINE__, #call, " is %s, not %s: %s", alm_status_name(alm_got_), \
                            alm_status_name(alm_want_), alm_err_ ? alm_err_->text : "");                \
    } while (0)
#define CHECK_OK(call, err) CHECK_STATUS(call, ALM_OK, err)

/* An alm_str equals a terminated text. */
#define CHECK_STR(str, text)                                                                                   \
    do {                                                                                                       \
        alm_str alm_a_ = (str), alm_b_ = alm_str_of(text);                                                     \
        if (!alm_str_eq(alm_a_, alm_b_))                                                                       \
            alm_test_failed(__FILE__, __LINE__, #str, " is \"%.*s\", not \"%s\"", ALM_ARG(alm_a_), alm_b_.at); \
    } while (0)
/* The sentence of an alm_error, or any terminated text, holds a part. */
#define CHECK_HOLDS(text, part)                                                                       \
    do {                                                                                              \
        const char *alm_t_ = (text), *alm_p_ = (part);                                                \
        if (!strstr(alm_t_, alm_p_))                                                                  \
            alm_test_failed(__FILE__, __LINE__, #text, " is \"%s\", without \"%s\"", alm_t_, alm_p_); \
    } while (0)

/* Whole numbers that fit int64_t. */
#define CHECK_INT(a, b)                                                                                                \
    do {                                                                                                               \
        long long alm_a_ = (long long)(a), alm_b_ = (long long)(b);                                                    \
        if (alm_a_ != alm_b_) alm_test_failed(__FILE__, __LINE__, #a " == " #b, " is %lld, not %lld", alm_a_, alm_b_); \
    } while (0)

static inline uint64_t alm_test_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, 8);
    return bits;
}

/* Steps between two doubles; a NaN is infinitely far from everything but the same NaN. */
static inline uint64_t alm_test_ulps(double a, double b) {
    uint64_t x = alm_test_bits(a), y = alm_test_bits(b);
    if (x == y) return 0;
    if (a != a || b != b) return UINT64_MAX;
    /* Sign and magnitude become one line. */
    x = x >> 63 ? (UINT64_C(1) << 63) - (x & INT64_MAX) : x + (UINT64_C(1) << 63);
    y = y >> 63 ? (UINT64_C(1) << 63) - (y & INT64_MAX) : y + (UINT64_C(1) << 63);
    return x > y ? x - y : y - x;
}

/* The same bits: 0.0 is not -0.0. */
#define CHECK_BITS(a, b)                                                                                        \
    do {                                                                                                        \
        double alm_a_ = (a), alm_b_ = (b);                                                                      \
        if (alm_test_bits(alm_a_) != alm_test_bits(alm_b_))                                                     \
            alm_test_failed(__FILE__, __LINE__, #a " == " #b, " is %.17g (%a), not %.17g (%a)", alm_a_, alm_a_, \
                            alm_b_, alm_b_);                                                                    \
    } while (0)
#define CHECK_ULP(a, b, most)                                                                                  \
    do {                                                                                                       \
        double alm_a_ = (a), alm_b_ = (b);                                                                     \
        uint64_t alm_u_ = alm_test_ulps(alm_a_, alm_b_);                                                       \
        if (alm_u_ > (uint64_t)(most))                                                                         \
            alm_test_failed(__FILE__, __LINE__, #a " ~ " #b, " is %.17g, not %.17g: %llu ulp", alm_a_, alm_b_, \
                            (unsigned long long)alm_u_);                                                       \
    } while (0)
#define CHECK_NEAR(a, b, absolute)                                                                              \
    do {                                                                                                        \
        double alm_a_ = (a), alm_b_ = (b), alm_d_ = alm_a_ > alm_b_ ? alm_a_ - alm_b_ : alm_b_ - alm_a_;        \
        if (!(alm_d_ <= (absolute)))                                                                            \
            alm_test_failed(__FILE__, __LINE__, #a " ~ " #b, " is %.17g, not %.17g: off by %g", alm_a_, alm_b_, \
                            alm_d_);                                                                            \
    } while (0)

/* -- break malloc ------------------------------------------------------------------------------------------------- */

typedef alm_status alm_test_fn(void *arg);

/* Runs fn with the n-th allocation failing, n = 1, 2, …, until it succeeds with none failed; once with that one alone
 * failing and once with all behind it failing too. fn must report ALM_NO_MEMORY whenever one failed (or, when `tolerant`,
 * do without that memory and succeed), and free on its way out all that it made, also when it succeeds. Returns how many
 * allocations the whole call makes. */
static inline size_t alm_test_each_alloc_failure(const char *file, int line, const char *name, bool tolerant,
                                                 alm_test_fn *fn, void *arg) {
    size_t n_alloc = 0;
    for (int after = 0; after <= 1; after++) {
        for (size_t nth = 1;; nth++) {
            size_t before = alm_test_live_blocks();
            alm_test_fail_alloc(nth, after != 0);
            alm_status st = fn(arg);
            size_t asked = alm_test_alloc_count();
            alm_test_fail_alloc(0, false);
            size_t live = alm_test_live_blocks();
            if (live != before)
                alm_test_failed(file, line, name, " leaks: allocation %zu failed, %+lld blocks", nth,
                                (long long)(live - before));
            if (asked >= nth && st != ALM_NO_MEMORY && !(tolerant && st == ALM_OK))
                alm_test_failed(file, line, name, " gives %s although allocation %zu failed", alm_status_name(st), nth);
            if (asked < nth) {
                if (st != ALM_OK) alm_test_failed(file, line, name, " gives %s with all memory", alm_status_name(st));
                n_alloc = asked;
                break;
            }
        }
    }
    return n_alloc;
}
#define ALM_FOR_EACH_ALLOC_FAILURE(fn, arg) alm_test_each_alloc_failure(__FILE__, __LINE__, #fn, false, (fn), (arg))
#define ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(fn, arg) \
    alm_test_each_alloc_failure(__FILE__, __LINE__, #fn, true, (fn), (arg))

/* -- folders and data --------------------------------------------------------------------------------------------- */

static inline int alm_test_remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static inline char *alm_test_dir_place(void) {
    static char place[PATH_MAX];
    return place;
}

static inline void alm_test_dir_remove(void) {
    if (*alm_test_dir_place()) nftw(alm_test_dir_place(), alm_test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* An empty folder of this program's own, gone when it ends. */
static inline const char *alm_test_dir(void) {
    char *place = alm_test_dir_place();
    if (!*place) {
        const char *tmp = getenv("TMPDIR");
        snprintf(place, PATH_MAX, "%s/alm-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(place)) {
            print_error("%s: cannot make a folder: %s\n", place, strerror(errno));
            abort();
        }
        atexit(alm_test_dir_remove);
    }
    return place;
}

/* One of eight places in turn: a path lives until the eighth call after it. */
static inline const char *alm_test_join(const char *folder, const char *name) {
    static char place[8][PATH_MAX];
    static unsigned turn;
    char *at = place[turn++ % 8];
    size_t n_folder = strlen(folder), n_name = strlen(name);
    if (n_folder + n_name + 2 > PATH_MAX) abort();
    memmove(at, folder, n_folder); /* memmove: the folder may itself be one of the places */
    at[n_folder] = '/';
    memmove(at + n_folder + 1, name, n_name + 1);
    return at;
}

/* A name in the folder above; a file of the repository ("tests/golden/x"). */
static inline const char *alm_test_path(const char *name) { return alm_test_join(alm_test_dir(), name); }

static inline const char *alm_test_source(const char *name) {
    const char *root = getenv("ALM_SOURCE_ROOT");
    return alm_test_join(root && *root ? root : ".", name);
}

/* A shared data file ("data/loghub2k/README.md") in $ALM_SHARED or beside the checkout; NULL when it is not there: then
 * say so and call skip(). */
static inline const char *alm_test_shared(const char *name) {
    const char *shared = getenv("ALM_SHARED");
    const char *path =
        shared && *shared ? alm_test_join(shared, name) : alm_test_join(alm_test_source("../shared"), name);
    return alm_file_exists(path) ? path : NULL;
}

/* A whole file, terminated; free it with alm_free. Its absence fails the test. */
static inline char *alm_test_slurp(const char *path, size_t *n) {
    alm_buf b = alm_buf_with_limit((size_t)1 << 30);
    alm_error err = {0};
    CHECK_OK(alm_file_read(&b, path, &err), &err);
    CHECK(alm_buf_text(&b) != NULL);
    if (n) *n = b.n;
    return b.at;
}

static inline void alm_test_write(const char *path, const void *at, size_t n) {
    alm_error err = {0};
    CHECK_OK(alm_file_write(path, at, n, &err), &err);
}

#define ALM_TEST_MAIN(tests)                              \
    int main(void) {                                      \
        setlocale(LC_ALL, "");                            \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

#endif
