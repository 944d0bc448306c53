/* SPDX-License-Identifier: Apache-2.0
 *
 * test_record_golden.c - every tests/golden/record/NAME.in is read as NAME.expect says (the README there explains the form).
 *
 * Each input is read three times: from memory, from a file, and from memory packed with gzip; all must give the same. */
#include "alm_test.h"

#include "record/record.h"

#include <zlib.h>

static void add_escaped(alm_buf *b, alm_str s) {
    for (size_t i = 0; i < s.n;) {
        size_t next = i;
        uint32_t scalar;
        unsigned char c = (unsigned char)s.at[i];
        if (c == '\n') alm_buf_add_text(b, "\\n"), i++;
        else if (c == '\t') alm_buf_add_text(b, "\\t"), i++;
        else if (c == '\r') alm_buf_add_text(b, "\\r"), i++;
        else if (c == '\\') alm_buf_add_text(b, "\\\\"), i++;
        else if (c < ' ') alm_buf_printf(b, "\\x%02X", c), i++;
        else if (!alm_utf8_next(s, &next, &scalar)) {
            for (; i < next; i++) alm_buf_printf(b, "\\x%02X", (unsigned char)s.at[i]);
        } else {
            alm_buf_add(b, s.at + i, next - i);
            i = next;
        }
    }
}

static void add_record(alm_buf *b, const alm_record *r) {
    static const char *const kinds[] = {"", " (number)", " (bool)", " (null)"};
    char time[40];
    alm_buf_printf(b, "%llu+%u %s ", (unsigned long long)r->line, r->n_lines, alm_record_format_name(r->format));
    if (r->time_ns == ALM_NO_TIME) alm_buf_add_byte(b, '-');
    else alm_buf_add(b, time, alm_time_to_str(time, r->time_ns));
    alm_buf_add_byte(b, ' ');
    if (!r->flags) alm_buf_add_byte(b, '-');
    for (unsigned i = 0, n = 0; i < ALM_RECORD_FLAG_COUNT; i++)
        if (r->flags >> i & 1) alm_buf_printf(b, "%s%s", n++ ? "," : "", alm_record_flag_name(i));
    alm_buf_add_text(b, " | ");
    add_escaped(b, r->text);
    alm_buf_add_byte(b, '\n');
    for (uint32_t i = 0; i < r->n_field; i++) {
        alm_buf_add_text(b, "  ");
        add_escaped(b, r->field[i].key);
        alm_buf_add_text(b, " = ");
        add_escaped(b, r->field[i].value);
        alm_buf_printf(b, "%s\n", kinds[r->field[i].kind]);
    }
}

/* Everything that the reader gives, as text; the sums must agree. */
static void read_all(alm_buf *b, alm_reader *r, size_t n_bytes) {
    alm_record record;
    alm_error err = {0};
    alm_status st;
    alm_buf_clear(b);
    while ((st = alm_reader_next(r, &record, &err)) == ALM_OK) add_record(b, &record);
    CHECK_STATUS(st, ALM_END, &err);
    const alm_reader_counts *c = alm_reader_counts_of(r);
    CHECK_INT(c->bytes, n_bytes);
    CHECK_INT(c->bytes_raw + c->bytes_line_end + c->bytes_skipped, n_bytes);
    CHECK_OK(alm_buf_status(b, &err), &err);
    alm_reader_close(r);
}

static void set_options(alm_reader_options *o, char *line) {
    char *save = NULL;
    for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (strncmp(word, "format=", 7) == 0) CHECK(alm_record_format_of(&o->format, word + 7));
        else if (strncmp(word, "multiline=", 10) == 0) o->multiline = word + 10;
        else if (strncmp(word, "now=", 4) == 0) {
            int y, m, d;
            CHECK(sscanf(word + 4, "%d-%d-%d", &y, &m, &d) == 3);
            o->now_ns = alm_days_from_civil(y, m, d) * INT64_C(86400000000000);
        } else CHECK(strcmp(word, "options") == 0, "an unknown option: %s", word);
    }
}

static void one_case(const char *in_path) {
    char expect_path[PATH_MAX];
    size_t n_in, n_expect;
    snprintf(expect_path, sizeof expect_path, "%.*sexpect", (int)(strlen(in_path) - 2), in_path);
    char *in = alm_test_slurp(in_path, &n_in), *expect = alm_test_slurp(expect_path, &n_expect), *want = expect;
    alm_reader_options o = {.size = sizeof o};
    if (strncmp(expect, "options", 7) == 0) {
        char *end = strchr(expect, '\n');
        CHECK(end != NULL);
        *end = 0;
        set_options(&o, expect);
        want = end + 1;
    }
    alm_error err = {0};
    alm_reader *r = NULL;
    alm_buf got = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_reader_open_bytes(&r, "case", (alm_str){in, n_in}, &o, &err), &err);
    read_all(&got, r, n_in);
    if (strcmp(alm_buf_text(&got), want) != 0) {
        size_t line = 0; /* where the first line that differs begins */
        for (size_t i = 0; got.at[i] && got.at[i] == want[i]; i++)
            if (got.at[i] == '\n') line = i + 1;
        alm_test_failed(__FILE__, __LINE__, in_path, "\n--- wanted\n%.400s\n--- got\n%.400s", want + line,
                        got.at + line);
    }

    const char *path = in_path;
    CHECK_OK(alm_reader_open(&r, &path, 1, &o, &err), &err);
    read_all(&got, r, n_in);
    CHECK(strcmp(alm_buf_text(&got), want) == 0, "%s read from a file differs", in_path);

    size_t n_packed = compressBound((uLong)n_in) + 64;
    unsigned char *packed = malloc(n_packed);
    z_stream z = {0};
    CHECK(packed && deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (unsigned char *)in, z.avail_in = (uInt)n_in, z.next_out = packed, z.avail_out = (uInt)n_packed;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    n_packed = z.total_out;
    deflateEnd(&z);
    CHECK_OK(alm_reader_open_bytes(&r, "case", (alm_str){(char *)packed, n_packed}, &o, &err), &err);
    read_all(&got, r, n_in);
    CHECK(strcmp(alm_buf_text(&got), want) == 0, "%s packed with gzip differs", in_path);
    free(packed);
    alm_buf_free(&got);
    alm_free(in);
    alm_free(expect);
}

static void every_input_is_read_as_its_expectation_says(void **state) {
    (void)state;
    alm_names names = {0};
    alm_error err = {0};
    const char *folder = alm_test_source("tests/golden/record");
    char where[PATH_MAX];
    snprintf(where, sizeof where, "%s", folder);
    size_t n = 0;
    CHECK_OK(alm_dir_list(&names, where, &err), &err);
    for (size_t i = 0; i < names.n; i++) {
        if (!alm_str_ends(alm_str_of(names.at[i]), ALM_STR(".in"))) continue;
        one_case(alm_test_join(where, names.at[i]));
        n++;
    }
    CHECK(n >= 14, "only %zu cases", n);
    alm_names_free(&names);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(every_input_is_read_as_its_expectation_says)};
ALM_TEST_MAIN(tests)
