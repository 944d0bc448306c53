/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_reader.c - whatever the bytes are, they are all accounted for, and reading them in other pieces changes nothing.
 *
 * The first byte chooses format, multi-line mode and limit; the rest is the input. Questions: the reader comes to its end
 * without a failure; bytes = raw + line ends + skipped after every record and at the end; every piece of a record lies where
 * it can be read; line numbers rise and lines add up; with one line per record (format lines) raw and line ends put together
 * are the input again; strict fails exactly when a fault was counted. */
#include "record/record.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "fuzz.h"

static size_t touch(alm_str s) {
    size_t sum = 0;
    for (size_t i = 0; i < s.n; i++) sum += (unsigned char)s.at[i];
    return sum;
}

static alm_reader_options options_for(uint8_t choice) {
    alm_reader_options o = {.size = sizeof o, .now_ns = INT64_C(1795544700) * 1000000000};
    static const alm_record_format formats[8] = {ALM_RECORD_AUTO,  ALM_RECORD_LINES, ALM_RECORD_JSONL,
                                                 ALM_RECORD_CSV,   ALM_RECORD_TSV,   ALM_RECORD_SYSLOG,
                                                 ALM_RECORD_LINES, ALM_RECORD_SYSLOG};
    o.format = formats[choice & 7];
    if ((choice & 7) >= 6) o.multiline = choice & 64 ? "^[A-Z0-9]" : "auto";
    if (choice & 8) o.max_record_bytes = 64;
    if (choice & 16) o.max_join_lines = 3;
    if (choice & 32) o.no_header = true;
    return o;
}

/* Reads all; adds up what the records say. */
static alm_status read_all(alm_str input, const alm_reader_options *o, alm_reader_counts *counts, alm_buf *again) {
    alm_reader *r;
    alm_record record;
    alm_status st;
    uint64_t line = 0, n_raw = 0, n_record = 0;
    size_t sum = 0;
    CHECK(alm_reader_open_bytes(&r, "fuzz", input, o, NULL) == ALM_OK);
    while ((st = alm_reader_next(r, &record, NULL)) == ALM_OK) {
        const alm_reader_counts *c = alm_reader_counts_of(r);
        CHECK(c->bytes == c->bytes_raw + c->bytes_line_end + c->bytes_skipped);
        CHECK(record.line > line && record.n_lines >= 1);
        line = record.line + record.n_lines - 1;
        CHECK((size_t)record.time_at + record.time_bytes <= record.raw.n);
        n_raw += record.raw.n, n_record++;
        sum += touch(record.raw) + touch(record.text);
        for (uint32_t i = 0; i < record.n_field; i++) sum += touch(record.field[i].key) + touch(record.field[i].value);
        if (again) {
            alm_buf_add_str(again, record.raw);
            if (!(record.flags & (ALM_RECORD_NO_NEWLINE | ALM_RECORD_CUT)))
                alm_buf_add_text(again, record.flags & ALM_RECORD_CRLF ? "\r\n" : "\n");
        }
    }
    *counts = *alm_reader_counts_of(r);
    CHECK(counts->n_records == n_record || (st == ALM_MALFORMED && counts->n_records == n_record + 1) ||
          sum == SIZE_MAX);
    CHECK(st != ALM_END || counts->bytes_raw == n_raw);
    alm_reader_close(r);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) return 0;
    alm_reader_options o = options_for(data[0]);
    alm_str input = {(const char *)data + 1, n - 1};
    alm_reader_counts counts = {0}, strict = {0};
    alm_status st = read_all(input, &o, &counts, NULL);
    /* packed with something that is not read, or packed and damaged */
    if (st == ALM_UNSUPPORTED) return 0;
    CHECK(st == ALM_END);
    CHECK(counts.bytes == counts.bytes_raw + counts.bytes_line_end + counts.bytes_skipped);
    bool packed = n > 4 && (data[1] == 0x1f || data[1] == 0x28 || (data[1] & 0xf0) == 0x50);
    if (!packed) CHECK(counts.bytes == input.n);

    uint64_t faults = counts.n_truncated;
    for (unsigned i = 0; i < ALM_RECORD_FLAG_COUNT; i++) {
        bool csv = o.format == ALM_RECORD_CSV || o.format == ALM_RECORD_TSV;
        if (csv && (i == ALM_RECORD_AT_CRLF || i == ALM_RECORD_AT_NO_NEWLINE)) continue;
        if (ALM_RECORD_FAULTS >> i & 1) faults += counts.flag[i];
    }
    o.strict = true;
    if (o.format != ALM_RECORD_AUTO) CHECK((read_all(input, &o, &strict, NULL) == ALM_END) == (faults == 0));

    alm_reader_options lines = {.size = sizeof lines, .format = ALM_RECORD_LINES};
    alm_buf again = alm_buf_with_limit(n * 2 + 64);
    CHECK(read_all(input, &lines, &counts, &again) == ALM_END);
    if (!packed) {
        size_t skip = counts.bytes_skipped ? 3 : 0; /* a byte order mark */
        CHECK(again.n + skip == input.n && (again.n == 0 || memcmp(again.at, input.at + skip, again.n) == 0));
    }
    alm_buf_free(&again);
    return 0;
}
