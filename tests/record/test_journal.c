/* SPDX-License-Identifier: Apache-2.0
 *
 * test_journal.c - a journal file that systemd's own tool has written (golden/record/journal/make.py) gives its entries. */
#include "alm_test.h"
#include "record/decompress.h"
#include "record/record.h"

static const char *unpacked(void) {
    const char *path = alm_test_path("jobs.journal");
    if (alm_file_exists(path)) return path;
    alm_stream *s = NULL;
    alm_error err = {0};
    CHECK_OK(alm_stream_open(&s, alm_test_source("tests/golden/record/journal/jobs.journal.zst"), NULL, &err), &err);
    alm_buf b = alm_buf_with_limit((size_t)64 << 20);
    static char part[1 << 16];
    for (size_t got = 1; got;) {
        CHECK_OK(alm_stream_read(s, part, sizeof part, &got, &err), &err);
        CHECK(alm_buf_add(&b, part, got));
    }
    alm_stream_close(s);
    alm_test_write(path, b.at, b.n);
    alm_buf_free(&b);
    return path;
}

static alm_status open_journal(alm_reader **out, const char *path, bool no_fields, alm_error *err) {
    char name[PATH_MAX + 16];
    snprintf(name, sizeof name, "journal:%s", path);
    const char *const names[] = {name};
    alm_reader_options o = {.size = sizeof o, .no_fields = no_fields};
    return alm_reader_open(out, names, 1, &o, err);
}

/* False, and the test skipped, where this build cannot read journals. */
static bool next(alm_reader *r, alm_record *out) {
    alm_error err = {0};
    alm_status st = alm_reader_next(r, out, &err);
    if (st == ALM_UNSUPPORTED) {
        CHECK_HOLDS(err.text, "libsystemd");
        alm_reader_close(r);
        print_message("this build cannot read the journal\n");
        skip();
    }
    CHECK(st == ALM_OK || st == ALM_END, "%s", err.text);
    return st == ALM_OK;
}

static void the_entries_of_a_journal_come_in_order_with_their_fields(void **state) {
    (void)state;
    alm_reader *r = NULL;
    alm_record e;
    alm_error err = {0};
    CHECK_OK(open_journal(&r, unpacked(), false, &err), &err);
    const int64_t begin = INT64_C(1764000000000000000), step = 1500000000;
    for (int i = 0; i < 12; i++) {
        CHECK(next(r, &e), "entry %d", i);
        CHECK_INT(e.line, i + 1);
        CHECK_INT(e.n_lines, 1);
        CHECK_INT(e.time_ns, begin + i * step);
        CHECK(e.format == ALM_RECORD_JOURNAL);
        CHECK(alm_str_eq(e.raw, e.text));
        CHECK_STR(alm_record_field(&e, ALM_STR("host")), "node1");
        switch (i) {
        case 0:
            CHECK_STR(e.text, "worker 0 took job 100 in 5 ms");
            CHECK_STR(alm_record_field(&e, ALM_STR("app")), "jobd");
            CHECK_STR(alm_record_field(&e, ALM_STR("pid")), "500");
            CHECK_STR(alm_record_field(&e, ALM_STR("unit")), "jobd.service");
            CHECK_STR(alm_record_field(&e, ALM_STR("severity")), "info");
            break;
        case 7:
            CHECK_STR(e.text, "disk full: cannot write\n  at store (s.c:12)");
            CHECK_STR(alm_record_field(&e, ALM_STR("severity")), "err");
            break;
        case 9: CHECK_INT(e.flags, ALM_RECORD_INVALID_UTF8); break;
        case 10:
            CHECK_STR(e.text, "no unit, no pid");
            CHECK(!alm_record_field(&e, ALM_STR("unit")).at && !alm_record_field(&e, ALM_STR("severity")).at);
            break;
        default: CHECK_INT(e.flags, 0);
        }
    }
    CHECK(!next(r, &e));
    const alm_reader_counts *c = alm_reader_counts_of(r);
    CHECK_INT(c->n_records, 12);
    CHECK_INT(c->n_timed, 12);
    CHECK_INT(c->bytes, c->bytes_raw);
    alm_reader_close(r);
}

static void a_folder_of_journals_is_read_too(void **state) {
    (void)state;
    alm_reader *r = NULL;
    alm_record e;
    alm_error err = {0};
    unpacked();
    CHECK_OK(open_journal(&r, alm_test_dir(), true, &err), &err);
    int n = 0;
    for (; next(r, &e); n++) CHECK_INT(e.n_field, 0);
    CHECK_INT(n, 12);
    alm_reader_close(r);
}

static void a_journal_that_is_missing_or_foreign_is_an_error_that_names_it(void **state) {
    (void)state;
    alm_reader *r = NULL;
    alm_record e;
    alm_error err = {0};
    static const char *const names[] = {"missing.journal", "foreign.journal", "empty.journal"};
    alm_test_write(alm_test_path(names[1]), "no journal at all\n", 18);
    alm_test_write(alm_test_path(names[2]), "", 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_OK(open_journal(&r, alm_test_path(names[i]), false, &err), &err);
        alm_status st = alm_reader_next(r, &e, &err);
        CHECK(st != ALM_OK && st != ALM_END, "%s gives %s", names[i], alm_status_name(st));
        CHECK_HOLDS(err.text, names[i]);
        alm_reader_close(r);
    }
}

static void a_damaged_journal_gives_what_it_can_and_ends(void **state) {
    (void)state;
    size_t n;
    char *bytes = alm_test_slurp(unpacked(), &n);
    for (size_t at = 8; at < 24000; at += 211) { /* the head, the tables, the entries */
        char kept = bytes[at];
        bytes[at] = (char)(bytes[at] ^ 0x41);
        const char *path = alm_test_path("damaged.journal");
        alm_test_write(path, bytes, n < 65536 ? n : 65536);
        bytes[at] = kept;
        alm_reader *r = NULL;
        alm_record e;
        alm_error err = {0};
        CHECK_OK(open_journal(&r, path, false, &err), &err);
        unsigned k = 0;
        while (k < 1000 && alm_reader_next(r, &e, &err) == ALM_OK) k++;
        CHECK(k < 1000, "byte %zu: no end", at);
        alm_reader_close(r);
    }
    alm_free(bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_entries_of_a_journal_come_in_order_with_their_fields),
    cmocka_unit_test(a_folder_of_journals_is_read_too),
    cmocka_unit_test(a_journal_that_is_missing_or_foreign_is_an_error_that_names_it),
    cmocka_unit_test(a_damaged_journal_gives_what_it_can_and_ends),
};
ALM_TEST_MAIN(tests)
