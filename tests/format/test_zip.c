/* SPDX-License-Identifier: Apache-2.0
 *
 * test_zip.c - an archive that says the same thing twice opens; one that contradicts itself does not. The archives were
 * written by PyTorch and Python's zipfile (tests/data/torch, tests/data/hostile/pytorch). */
#include "alm_test.h"
#include "format/zip.h"

static alm_status parse(const char *at, size_t n, alm_error *err) {
    alm_zip *z = NULL;
    alm_status st = alm_zip_parse(&z, "test", (alm_str){at, n}, err);
    alm_zip_free(z);
    return st;
}

static void entries_are_found_where_they_lie(void **state) {
    (void)state;
    alm_error err = {0};
    size_t n;
    alm_zip *z;
    char *at = alm_test_slurp(alm_test_source("tests/data/torch/nested_checkpoint.pt"), &n);
    CHECK_OK(alm_zip_parse(&z, "test", (alm_str){at, n}, &err), &err);
    CHECK_INT(alm_zip_count(z), 22);
    const alm_zip_entry *e = alm_zip_find(z, ALM_STR("nested_checkpoint/version"));
    CHECK(e && e->n_bytes == 2 && e->method == ALM_ZIP_STORED && memcmp(e->at, "3\n", 2) == 0);
    CHECK(!alm_zip_find(z, ALM_STR("version")));
    for (size_t i = 0; i < alm_zip_count(z); i++) CHECK_OK(alm_zip_check(z, alm_zip_at(z, i), &err), &err);
    e = alm_zip_find(z, ALM_STR("nested_checkpoint/data/0"));
    CHECK(e && e->n_packed == 960 && (e->at - (const unsigned char *)at) % 64 == 0);
    at[e->at - (const unsigned char *)at] ^= 1;
    CHECK_STATUS(alm_zip_check(z, e, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "checksum");
    alm_zip_free(z);
    alm_free(at);
}

static void every_cut_and_every_byte_more_is_refused(void **state) {
    (void)state;
    size_t n;
    char *whole = alm_test_slurp(alm_test_source("tests/data/hostile/pytorch/ok.pt"), &n);
    alm_error err = {0};
    CHECK_OK(parse(whole, n, &err), &err);
    for (size_t cut = 0; cut < n; cut++) {
        char *at = alm_alloc(cut);
        memcpy(at, whole, cut);
        CHECK_STATUS(parse(at, cut, &err), ALM_MALFORMED, &err);
        alm_free(at);
    }
    char *more = alm_alloc(n + 1);
    memcpy(more, whole, n), more[n] = 'P';
    CHECK_STATUS(parse(more, n + 1, &err), ALM_MALFORMED, &err);
    memcpy(more + 1, whole, n), more[0] = '\x80';
    CHECK_STATUS(parse(more, n + 1, &err), ALM_MALFORMED, &err);
    alm_free(more);
    alm_free(whole);
}

/* A bit of the content, of a time or of an attribute may turn; no other. */
static void a_bit_that_turns_in_what_is_said_twice_is_seen(void **state) {
    (void)state;
    size_t n, n_local = 30;
    char *at = alm_test_slurp(alm_test_source("tests/data/hostile/pytorch/ok.pt"), &n);
    for (size_t i = 0; i < n_local * 8; i++) {
        if (i / 8 == 4 || i / 8 == 5 || (i / 8 >= 10 && i / 8 < 14)) continue; /* version, time, date */
        at[i / 8] = (char)(at[i / 8] ^ (1 << i % 8));
        CHECK(parse(at, n, NULL) != ALM_OK, "bit %zu of byte %zu", i % 8, i / 8);
        at[i / 8] = (char)(at[i / 8] ^ (1 << i % 8));
    }
    alm_free(at);
}

static alm_status open_it(void *arg) {
    const alm_str *s = arg;
    return parse(s->at, s->n, NULL);
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    size_t n;
    char *at = alm_test_slurp(alm_test_source("tests/data/hostile/pytorch/ok.pt"), &n);
    alm_str s = {at, n};
    CHECK_INT(ALM_FOR_EACH_ALLOC_FAILURE(open_it, &s), 2);
    alm_free(at);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(entries_are_found_where_they_lie),
    cmocka_unit_test(every_cut_and_every_byte_more_is_refused),
    cmocka_unit_test(a_bit_that_turns_in_what_is_said_twice_is_seen),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
