/* SPDX-License-Identifier: Apache-2.0
 *
 * test_reader.c - the reader's promises: bad data are kept, counted and told; strict names file and line; inputs are found
 * in order; packed ones are unpacked; memory stays bounded; failing memory leaks nothing. */
#include "alm_test.h"

#include "base/log.h"
#include "record/record.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <zlib.h>
#include <zstd.h>

static alm_buf said; /* what the library told */
static void hear(void *arg, alm_log_level level, const char *text) {
    (void)arg, (void)level;
    alm_buf_add_text(&said, text);
    alm_buf_add_byte(&said, '\n');
}
static alm_log ear = {.message = hear, .level = ALM_LOG_DEBUG};

static alm_reader_options plain(void) {
    alm_reader_options o = {.size = sizeof o, .format = ALM_RECORD_LINES, .log = &ear};
    said.limit = 1 << 20;
    alm_buf_clear(&said);
    return o;
}

static alm_status read_bytes(alm_str bytes, const alm_reader_options *o, alm_reader_counts *counts, alm_error *err) {
    alm_reader *r = NULL;
    alm_record record;
    alm_status st = alm_reader_open_bytes(&r, "memory", bytes, o, err);
    if (st != ALM_OK) return st;
    while ((st = alm_reader_next(r, &record, err)) == ALM_OK) continue;
    *counts = *alm_reader_counts_of(r);
    alm_reader_close(r);
    return st;
}

/* Texts of all records of the inputs, joined by |. */
static const char *joined(const char *const *inputs, size_t n, const alm_reader_options *o, alm_reader_counts *counts) {
    static alm_buf b;
    alm_error err = {0};
    alm_reader *r = NULL;
    alm_record record;
    alm_status st;
    b.limit = 1 << 20;
    alm_buf_clear(&b);
    CHECK_OK(alm_reader_open(&r, inputs, n, o, &err), &err);
    while ((st = alm_reader_next(r, &record, &err)) == ALM_OK) alm_buf_printf(&b, "%.*s|", ALM_ARG(record.text));
    CHECK_STATUS(st, ALM_END, &err);
    if (counts) *counts = *alm_reader_counts_of(r);
    alm_reader_close(r);
    return alm_buf_text(&b);
}

static void strict_names_file_and_line(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        alm_record_format format;
        const char *said;
    } cases[] = {
        {"good\nbad \xff\n", 11, ALM_RECORD_LINES, "memory:2: invalid UTF-8"},
        {"good\n\na \0 b\n", 12, ALM_RECORD_LINES, "memory:3: a NUL byte"},
        {"good\ncr\r\n", 9, ALM_RECORD_LINES, "memory:2: CR LF"},
        {"good\nlast", 9, ALM_RECORD_LINES, "memory:2: no newline"},
        {"{}\n\n{\"a\":\n", 11, ALM_RECORD_JSONL, "memory:3: not JSON"},
        {"a,b\n1,2\n3,\"4\n", 14, ALM_RECORD_CSV, "memory:3: breaks the rules of CSV"},
        {"a,b\n1,2\n3\n", 11, ALM_RECORD_CSV, "memory:3: breaks the rules of CSV"},
        {"x y\n", 4, ALM_RECORD_SYSLOG, "memory:1: no syslog header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_reader_options o = plain();
        alm_reader_counts counts = {0};
        alm_error err = {0};
        o.format = cases[i].format;
        size_t n = cases[i].n < strlen(cases[i].bytes) || memchr(cases[i].bytes, 0, cases[i].n - 1)
                       ? cases[i].n
                       : strlen(cases[i].bytes);
        CHECK_STATUS(read_bytes((alm_str){cases[i].bytes, n}, &o, &counts, &err), ALM_END, &err);
        o.strict = true;
        CHECK_STATUS(read_bytes((alm_str){cases[i].bytes, n}, &o, &counts, &err), ALM_MALFORMED, &err);
        CHECK_HOLDS(err.text, cases[i].said);
    }
}

static void a_line_beyond_the_limit_is_cut_and_the_next_is_whole(void **state) {
    (void)state;
    static const size_t lengths[] = {63, 64, 65, 300, 700000, 3000000};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        for (int csv = 0; csv < 2; csv++) {
            alm_reader_options o = plain();
            alm_buf b = alm_buf_with_limit(1 << 23);
            alm_error err = {0};
            alm_reader *r = NULL;
            alm_record record;
            o.max_record_bytes = k < 4 ? 64 : 1000000;
            o.format = csv ? ALM_RECORD_CSV : ALM_RECORD_LINES;
            o.no_header = true;
            alm_buf_add_text(&b, "before\n");
            for (size_t i = 0; i < lengths[k]; i++) alm_buf_add_byte(&b, (char)('a' + i % 26));
            alm_buf_add_text(&b, "\nbehind\n");
            CHECK_OK(alm_reader_open_bytes(&r, "memory", alm_buf_str(&b), &o, &err), &err);
            CHECK_OK(alm_reader_next(r, &record, &err), &err);
            CHECK_OK(alm_reader_next(r, &record, &err), &err);
            bool cut = lengths[k] > o.max_record_bytes;
            CHECK_INT(record.raw.n, cut ? o.max_record_bytes : lengths[k]);
            CHECK(((record.flags & ALM_RECORD_CUT) != 0) == cut);
            CHECK_OK(alm_reader_next(r, &record, &err), &err);
            CHECK_STR(record.raw, "behind");
            CHECK_INT(record.line, 3);
            CHECK_STATUS(alm_reader_next(r, &record, &err), ALM_END, &err);
            const alm_reader_counts *c = alm_reader_counts_of(r);
            CHECK_INT(c->bytes, b.n);
            CHECK_INT(c->bytes_raw + c->bytes_line_end + c->bytes_skipped, b.n);
            CHECK_INT(c->flag[ALM_RECORD_AT_CUT], cut);
            alm_reader_close(r);
            alm_buf_free(&b);
        }
    }
}

static void a_line_of_ten_megabytes_is_kept_whole(void **state) {
    (void)state;
    enum { LONG_BYTES = 10 << 20 };
    alm_reader_options o = plain();
    alm_error err = {0};
    alm_reader *r = NULL;
    alm_record record;
    char *bytes = malloc(LONG_BYTES + 1);
    CHECK(bytes != NULL);
    memset(bytes, 'x', LONG_BYTES);
    bytes[LONG_BYTES] = '\n';
    CHECK_OK(alm_reader_open_bytes(&r, "memory", (alm_str){bytes, LONG_BYTES + 1}, &o, &err), &err);
    CHECK_OK(alm_reader_next(r, &record, &err), &err);
    CHECK_INT(record.raw.n, LONG_BYTES);
    CHECK_INT(record.flags, ALM_RECORD_LONG);
    alm_reader_close(r);
    free(bytes);
}

static void joining_stops_at_its_limits(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader_counts c = {0};
    alm_error err = {0};
    alm_buf b = alm_buf_with_limit(1 << 22);
    o.multiline = "^first";
    o.max_join_lines = 3;
    alm_buf_add_text(&b, "first\n1\n2\n3\n4\n5\nfirst\n");
    CHECK_STATUS(read_bytes(alm_buf_str(&b), &o, &c, &err), ALM_END, &err);
    CHECK_INT(c.n_records, 3); /* first 1 2 · 3 4 5 · first */
    CHECK_INT(c.n_lines, 7);
    CHECK_INT(c.flag[ALM_RECORD_AT_JOIN_CUT], 1);
    alm_buf_clear(&b);
    o.max_join_lines = 0;
    alm_buf_add_text(&b, "first\n");
    for (int i = 0; i < 3000; i++) alm_buf_printf(&b, "%01000d\n", i);
    CHECK_STATUS(read_bytes(alm_buf_str(&b), &o, &c, &err), ALM_END, &err);
    CHECK_INT(c.n_records, 3); /* a mebibyte each */
    CHECK_INT(c.flag[ALM_RECORD_AT_JOIN_CUT], 2);
    alm_buf_free(&b);
}

static void a_bad_regex_and_bad_options_are_refused(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader *r = NULL;
    alm_error err = {0};
    o.multiline = "a(b";
    CHECK_STATUS(alm_reader_open_bytes(&r, "m", ALM_STR(""), &o, &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "multi-line regex");
    CHECK_HOLDS(err.text, "a(b");
    o = plain(), o.max_record_bytes = 3;
    CHECK_STATUS(alm_reader_open_bytes(&r, "m", ALM_STR(""), &o, &err), ALM_INVALID, &err);
    o = plain(), o.format = (alm_record_format)77;
    CHECK_STATUS(alm_reader_open_bytes(&r, "m", ALM_STR(""), &o, &err), ALM_INVALID, &err);
    o = plain(), o.separator = '"';
    CHECK_STATUS(alm_reader_open_bytes(&r, "m", ALM_STR(""), &o, &err), ALM_INVALID, &err);
    CHECK(r == NULL);
}

static void a_regex_that_explodes_does_not_stop_the_reader(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader_counts c = {0};
    alm_error err = {0};
    o.multiline = "^(a+)+$";
    CHECK_STATUS(
        read_bytes(ALM_STR("x\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\ny\n"), &o, &c, &err),
        ALM_END, &err);
    CHECK_INT(c.n_lines, 3);
}

static void folders_globs_and_files_are_read_in_order(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader_counts c = {0};
    char dir[PATH_MAX + 8], glob[PATH_MAX + 32];
    snprintf(dir, sizeof dir, "%s/tree", alm_test_dir());
    CHECK(mkdir(dir, 0700) == 0 && mkdir(alm_test_join(dir, "b.d"), 0700) == 0);
    alm_test_write(alm_test_join(dir, "c.log"), "c\n", 2);
    alm_test_write(alm_test_join(dir, "a.log"), "a\n", 2);
    alm_test_write(alm_test_join(dir, ".hidden.log"), "hidden\n", 7);
    alm_test_write(alm_test_join(dir, "b.d/2"), "b2\n", 3);
    alm_test_write(alm_test_join(dir, "b.d/1"), "b1", 2);
    CHECK(mkfifo(alm_test_join(dir, "pipe"), 0600) == 0);
    const char *in[3] = {dir};
    CHECK(strcmp(joined(in, 1, &o, &c), "a|b1|b2|c|") == 0);
    CHECK_INT(c.n_inputs, 4);
    snprintf(glob, sizeof glob, "%s/*.log", dir);
    in[0] = glob;
    CHECK(strcmp(joined(in, 1, &o, &c), "a|c|") == 0);
    char c_log[PATH_MAX + 32], missing[PATH_MAX + 32];
    snprintf(c_log, sizeof c_log, "%s/c.log", dir), snprintf(missing, sizeof missing, "%s/missing.log", dir);
    in[0] = c_log, in[1] = missing, in[2] = c_log;
    CHECK(strcmp(joined(in, 3, &o, &c), "c|c|") == 0);
    CHECK_INT(c.n_unreadable, 1);
    CHECK_HOLDS(alm_buf_text(&said), "missing.log: cannot open");

    alm_reader *r = NULL;
    alm_error err = {0};
    CHECK_STATUS(alm_reader_open(&r, in + 1, 1, &o, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "missing.log");
    o.strict = true;
    CHECK_STATUS(alm_reader_open(&r, in, 3, &o, &err), ALM_NOT_FOUND, &err);
    o.strict = false;
    snprintf(glob, sizeof glob, "%s/*.none", dir);
    in[0] = glob;
    CHECK_STATUS(alm_reader_open(&r, in, 1, &o, &err), ALM_NOT_FOUND, &err);
    CHECK(r == NULL);
}

static void an_unreadable_file_of_several_is_skipped_and_told(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader_counts c = {0};
    char good[PATH_MAX + 32], bad[PATH_MAX + 32];
    snprintf(good, sizeof good, "%s/good.log", alm_test_dir());
    snprintf(bad, sizeof bad, "%s/bad.log.xz", alm_test_dir());
    alm_test_write(good, "good\n", 5);
    alm_test_write(bad,
                   "\xfd"
                   "7zXZ\0more of it",
                   16);
    const char *in[2] = {bad, good};
    CHECK(strcmp(joined(in, 2, &o, &c), "good|") == 0);
    CHECK_INT(c.n_unreadable, 1);
    CHECK_HOLDS(alm_buf_text(&said), "packed with xz");
    alm_reader *r = NULL;
    alm_record record;
    alm_error err = {0};
    CHECK_OK(alm_reader_open(&r, in, 1, &o, &err), &err);
    CHECK_STATUS(alm_reader_next(r, &record, &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.hint, "xzcat");
    alm_reader_close(r);
}

/* -- packed inputs --------------------------------------------------------------------------------------------------------- */

static void add_gzip(alm_buf *b, const char *text) {
    unsigned char out[512];
    z_stream z = {0};
    CHECK(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (unsigned char *)text, z.avail_in = (uInt)strlen(text), z.next_out = out, z.avail_out = sizeof out;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    alm_buf_add(b, out, z.total_out);
    deflateEnd(&z);
}

static void add_zstd(alm_buf *b, const char *text) {
    char out[512];
    size_t n = ZSTD_compress(out, sizeof out, text, strlen(text), 3);
    CHECK(!ZSTD_isError(n));
    alm_buf_add(b, out, n);
}

static void members_behind_one_another_are_all_unpacked(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        alm_reader_options o = plain();
        alm_reader_counts c = {0};
        alm_error err = {0};
        alm_buf b = alm_buf_with_limit(1 << 16);
        void (*add)(alm_buf *, const char *) = kind ? add_zstd : add_gzip;
        add(&b, "one\ntw"), add(&b, ""), add(&b, "o\nthree\n");
        for (int zeros = 0; zeros < 5; zeros++) { /* padding behind the last is no fault */
            CHECK_STATUS(read_bytes(alm_buf_str(&b), &o, &c, &err), ALM_END, &err);
            CHECK_INT(c.n_records, 3);
            CHECK_INT(c.bytes_raw, 11);
            CHECK_INT(c.n_truncated, 0);
            alm_buf_add_byte(&b, 0);
        }
        alm_buf_free(&b);
    }
}

static void a_packed_input_that_is_cut_or_damaged_gives_what_it_can(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        alm_reader_options o = plain();
        alm_reader_counts c = {0};
        alm_error err = {0};
        alm_buf b = alm_buf_with_limit(1 << 16);
        void (*add)(alm_buf *, const char *) = kind ? add_zstd : add_gzip;
        add(&b, "whole\n");
        size_t whole = b.n;
        add(&b, "a second member that is cut\n");
        CHECK_STATUS(read_bytes((alm_str){b.at, whole + (b.n - whole) / 2}, &o, &c, &err), ALM_END, &err);
        CHECK(c.n_records >= 1 && c.n_truncated == 1, "%llu records", (unsigned long long)c.n_records);
        CHECK_HOLDS(alm_buf_text(&said), kind ? "zstd data end too early" : "gzip data end too early");
        o.strict = true;
        CHECK_STATUS(read_bytes((alm_str){b.at, whole + (b.n - whole) / 2}, &o, &c, &err), ALM_MALFORMED, &err);
        o.strict = false;
        b.at[whole + (b.n - whole) / 2] ^= 0x55;
        b.at[b.n - 3] ^= 0x55;
        CHECK_STATUS(read_bytes(alm_buf_str(&b), &o, &c, &err), ALM_END, &err);
        CHECK(c.n_records >= 1);
        alm_buf_free(&b);
    }
}

/* -- pipes, memory, stopping ------------------------------------------------------------------------------------------------- */

static void a_record_from_a_silent_pipe_is_given_when_asked_for(void **state) {
    (void)state;
    int ends[2], saved = dup(STDIN_FILENO);
    alm_reader_options o = {.size = sizeof o, .idle_ns = 1000000};
    alm_reader *r = NULL;
    alm_record record;
    alm_error err = {0};
    CHECK(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) >= 0);
    const char text[] = "2026-11-24T18:25:00Z one\n  more\n2026-11-24T18:25:01Z two\n";
    CHECK(write(ends[1], text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    CHECK_OK(alm_reader_open(&r, NULL, 0, &o, &err), &err);
    CHECK_OK(alm_reader_next(r, &record, &err), &err);
    CHECK_INT(record.n_lines, 2);
    CHECK_OK(alm_reader_next(r, &record, &err), &err); /* nothing follows yet, and the writer is still there */
    CHECK_STR(record.text, "2026-11-24T18:25:01Z two");
    CHECK(strcmp(record.source, "-") == 0);
    CHECK(write(ends[1], "2026-11-24T18:25:02Z three\n", 27) == 27);
    close(ends[1]);
    CHECK_OK(alm_reader_next(r, &record, &err), &err);
    CHECK_STR(record.text, "2026-11-24T18:25:02Z three");
    CHECK_STATUS(alm_reader_next(r, &record, &err), ALM_END, &err);
    alm_reader_close(r);
    dup2(saved, STDIN_FILENO);
    close(saved), close(ends[0]);
}

static void reading_stops_on_request(void **state) {
    (void)state;
    alm_cancel cancel = {0};
    alm_reader_options o = plain();
    alm_reader *r = NULL;
    alm_record record;
    alm_error err = {0};
    o.cancel = &cancel;
    CHECK_OK(alm_reader_open_bytes(&r, "m", ALM_STR("a\nb\n"), &o, &err), &err);
    CHECK_OK(alm_reader_next(r, &record, &err), &err);
    cancel.requested = 1;
    CHECK_STATUS(alm_reader_next(r, &record, &err), ALM_INTERRUPTED, &err);
    alm_reader_close(r);
}

static void formats_are_found_by_their_first_lines(void **state) {
    (void)state;
    static const struct {
        const char *text;
        alm_record_format format;
    } cases[] = {
        {"{\"a\":1}\n{\"a\":2}\n", ALM_RECORD_JSONL},
        {"{not json\n{really\n", ALM_RECORD_LINES},
        {"{\"a\":1}\n{\"a\":2}\n{\"a\":", ALM_RECORD_JSONL}, /* half an object does not hide what the others are */
        {"{\"a\":1}\n{\"a\"", ALM_RECORD_LINES},
        {"{\"a\":1}\n{\"a\" : \"x", ALM_RECORD_JSONL},
        {"{\"a\":", ALM_RECORD_JSONL},
        {"{\"a\": bare}\n{\"a\": words}\n", ALM_RECORD_LINES},
        {"{\"a\":1}\n{\"b\": bare}\n{\"c\": words}\n", ALM_RECORD_LINES},
        {"Nov 24 18:25:00 host app[1]: a\nNov 24 18:25:00 host kernel: b\n", ALM_RECORD_SYSLOG},
        {"2026-11-24T18:25:00.1+01:00 host app[1]: a\n", ALM_RECORD_SYSLOG},
        {"2026-11-24T18:25:00Z INFO main: a\n2026-11-24T18:25:00Z ERROR main: b\n", ALM_RECORD_LINES},
        {"<34>1 2026-11-24T18:25:00Z h a - - - m\n", ALM_RECORD_SYSLOG},
        {"a,b,c\n1,2,3\n4,5,6\n", ALM_RECORD_CSV},
        {"a;b;c\n1;\"x;y\";3\n4;5;6\n", ALM_RECORD_CSV},
        {"a\tb\tc\n1\t2\t3\n4\t5\t6\n", ALM_RECORD_TSV},
        {"one, two, three\nfour, five\nsix\n", ALM_RECORD_LINES},
        {"just words\n", ALM_RECORD_LINES},
        {"", ALM_RECORD_LINES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        alm_reader_options o = {.size = sizeof o};
        alm_reader *r = NULL;
        alm_record record = {.format = ALM_RECORD_LINES};
        alm_error err = {0};
        CHECK_OK(alm_reader_open_bytes(&r, "m", alm_str_of(cases[i].text), &o, &err), &err);
        alm_status st = alm_reader_next(r, &record, &err);
        CHECK(st == ALM_OK || !*cases[i].text);
        CHECK(record.format == cases[i].format, "%s is read as %s", cases[i].text,
              alm_record_format_name(record.format));
        alm_reader_close(r);
    }
}

static void a_byte_order_mark_is_no_text(void **state) {
    (void)state;
    alm_reader_options o = plain();
    alm_reader *r = NULL;
    alm_record record;
    alm_error err = {0};
    CHECK_OK(alm_reader_open_bytes(&r, "m", ALM_STR("\xEF\xBB\xBFwords\n"), &o, &err), &err);
    CHECK_OK(alm_reader_next(r, &record, &err), &err);
    CHECK_STR(record.raw, "words");
    CHECK_STATUS(alm_reader_next(r, &record, &err), ALM_END, &err);
    CHECK_INT(alm_reader_counts_of(r)->bytes_skipped, 3);
    alm_reader_close(r);
}

static void words_name_the_formats(void **state) {
    (void)state;
    alm_record_format f;
    CHECK(alm_record_format_of(&f, "auto") && f == ALM_RECORD_AUTO);
    for (unsigned i = 0; i < ALM_RECORD_FORMAT_COUNT; i++)
        CHECK(alm_record_format_of(&f, alm_record_format_name((alm_record_format)i)) && f == i);
    CHECK(!alm_record_format_of(&f, "yaml"));
    for (unsigned i = 0; i < ALM_RECORD_FLAG_COUNT; i++)
        CHECK(*alm_record_flag_name(i) != '?' && *alm_record_flag_text(i) != '?');
}

/* Every format, with everything that allocates. */
static alm_status read_one_of_each(void *arg) {
    static const char *const texts[] = {
        "{\"time\":\"2026-11-24T18:25:00Z\",\"a\":{\"b\":[1,2,\"x@example.org\"]}}\n{\"half\n{\"a\":1}\n",
        "a,b,c\n1,\"x\"\"y\",3\n4,5,6\n7,8,9\n",
        "<165>1 2026-11-24T18:25:00Z h app 1 - [x@1 k=\"a\\\"b\"] mail x@example.org\n",
        "2026-11-24T18:25:00Z one\n  two\n2026-11-24T18:25:00Z 10.0.0.1\n",
    };
    for (int i = 0; i < 5; i++) {
        alm_reader_options o = {.size = sizeof o, .redact = arg};
        alm_reader *r = NULL;
        alm_record record;
        alm_error err;
        if (i == 4) o.multiline = "^[0-9]";
        alm_status st = alm_reader_open_bytes(&r, "m", alm_str_of(texts[i == 4 ? 3 : i]), &o, &err);
        while (st == ALM_OK) st = alm_reader_next(r, &record, &err);
        alm_reader_close(r);
        if (st != ALM_END) return st;
    }
    return ALM_OK;
}

static alm_status read_packed(void *arg) {
    const alm_buf *b = arg;
    alm_reader_counts c = {0};
    alm_reader_options o = {.size = sizeof o};
    alm_error err;
    alm_status st = read_bytes(alm_buf_str(b), &o, &c, &err);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status read_folder(void *arg) {
    alm_reader_options o = {.size = sizeof o};
    alm_reader *r = NULL;
    alm_record record;
    alm_error err;
    const char *inputs[1] = {arg};
    alm_status st = alm_reader_open(&r, inputs, 1, &o, &err);
    while (st == ALM_OK) st = alm_reader_next(r, &record, &err);
    alm_reader_close(r);
    return st == ALM_END ? ALM_OK : st;
}

static void no_allocation_failure_in_a_folder_leaks(void **state) {
    (void)state;
    char dir[PATH_MAX + 8];
    snprintf(dir, sizeof dir, "%s/oom", alm_test_dir());
    CHECK(mkdir(dir, 0700) == 0 && mkdir(alm_test_join(dir, "sub"), 0700) == 0);
    alm_test_write(alm_test_join(dir, "a"), "1\n", 2);
    alm_test_write(alm_test_join(dir, "sub/b"), "{\"a\":1}\n", 8);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(read_folder, dir) > 8);
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    alm_error err = {0};
    alm_redact *redact = NULL;
    CHECK_OK(alm_redact_new(&redact, "all", "0123456789abcdef", 16, &err), &err);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(read_one_of_each, redact) > 40);
    alm_redact_free(redact);
    for (int kind = 0; kind < 2; kind++) {
        alm_buf b = alm_buf_with_limit(1 << 16);
        (kind ? add_zstd : add_gzip)(&b, "one\ntwo\n");
        CHECK(ALM_FOR_EACH_ALLOC_FAILURE(read_packed, &b) > 5);
        alm_buf_free(&b);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(strict_names_file_and_line),
    cmocka_unit_test(a_line_beyond_the_limit_is_cut_and_the_next_is_whole),
    cmocka_unit_test(a_line_of_ten_megabytes_is_kept_whole),
    cmocka_unit_test(joining_stops_at_its_limits),
    cmocka_unit_test(a_bad_regex_and_bad_options_are_refused),
    cmocka_unit_test(a_regex_that_explodes_does_not_stop_the_reader),
    cmocka_unit_test(folders_globs_and_files_are_read_in_order),
    cmocka_unit_test(an_unreadable_file_of_several_is_skipped_and_told),
    cmocka_unit_test(members_behind_one_another_are_all_unpacked),
    cmocka_unit_test(a_packed_input_that_is_cut_or_damaged_gives_what_it_can),
    cmocka_unit_test(a_record_from_a_silent_pipe_is_given_when_asked_for),
    cmocka_unit_test(reading_stops_on_request),
    cmocka_unit_test(formats_are_found_by_their_first_lines),
    cmocka_unit_test(a_byte_order_mark_is_no_text),
    cmocka_unit_test(words_name_the_formats),
    cmocka_unit_test(no_allocation_failure_in_a_folder_leaks),
    cmocka_unit_test(no_allocation_failure_leaks),
};

int main(void) {
    setlocale(LC_ALL, "");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    alm_buf_free(&said);
    return failed;
}
