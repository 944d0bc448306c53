/* SPDX-License-Identifier: Apache-2.0
 *
 * record/record.h - records, one at a time, from files, folders, globs, pipes and the journal.
 *
 * A reader walks its inputs in order, opens each (gzip and zstd by their magic), finds out how it is written, and gives
 * one record per call: a line, several lines that belong together, a JSON line, a CSV row, a syslog message. It is a
 * stream: memory does not grow with the input (two buffers of at most max_record_bytes each), and nothing in a record
 * is copied unless it must change (redaction, escapes).
 *
 * What always holds: data are never fatal. Ill-formed UTF-8, NUL, over-long lines, half a JSON object, an unreadable
 * file of several: kept or skipped, flagged on the record, counted, reported; with `strict` the first of them is an error
 * that names file and line. For each reader: bytes = bytes_raw + bytes_line_end + bytes_skipped (alm_reader_counts). */
#ifndef ALM_RECORD_RECORD_H
#define ALM_RECORD_RECORD_H

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "record/redact.h"

enum { ALM_SOURCE_SNIFFED = 1, ALM_SOURCE_LIVE = 2 };

typedef enum alm_record_format {
    ALM_RECORD_AUTO, /* each input is looked at (its first 64 KiB), what was chosen is said through the log */
#define ALM_SOURCE(name, NAME, file, flags, text) ALM_RECORD_##NAME,
#include "record/sources.def"
#undef ALM_SOURCE
    ALM_RECORD_FORMAT_COUNT
} alm_record_format;

typedef enum alm_field_kind { ALM_FIELD_STRING, ALM_FIELD_NUMBER, ALM_FIELD_BOOL, ALM_FIELD_NULL } alm_field_kind;

typedef struct alm_field {
    alm_str key;   /* JSON: a.b.c, array elements a.0; CSV: the column's name or c1, c2 …; syslog: see syslog.c */
    alm_str value; /* decoded: no quotes, no escapes */
    alm_field_kind kind;
} alm_field;

/* Things a record may have: kept all the same. One list makes the bits, the counters' names and the sentences. */
#define ALM_RECORD_FLAGS(X)                                                                            \
    X(INVALID_UTF8, "invalid UTF-8")                                                                   \
    X(NUL, "a NUL byte")                                                                               \
    X(LONG, "longer than 1 MiB")                                                                       \
    X(CUT, "longer than the limit, cut there")                                                         \
    X(CRLF, "CR LF at the end of the line")                                                            \
    X(NO_NEWLINE, "no newline at the end of the input")                                                \
    X(BAD_JSON, "not JSON, or half a JSON object: taken as text")                                      \
    X(BAD_CSV, "breaks the rules of CSV (an open quote, or more or fewer columns than the first row)") \
    X(BAD_SYSLOG, "no syslog header: taken as text")                                                   \
    X(FIELDS_CUT, "more fields than the limit: the rest is only in the text")                          \
    X(JOIN_CUT, "more continuation lines than the limit: split there")                                 \
    X(TIME_BACK, "a time stamp more than a second before the record in front of it")                   \
    X(REDACTED, "personal data replaced")
typedef enum alm_record_flag_index {
#define ALM_FLAG_INDEX(name, text) ALM_RECORD_AT_##name,
    ALM_RECORD_FLAGS(ALM_FLAG_INDEX)
#undef ALM_FLAG_INDEX
        ALM_RECORD_FLAG_COUNT
} alm_record_flag_index;
enum {
#define ALM_FLAG_BIT(name, text) ALM_RECORD_##name = 1 << ALM_RECORD_AT_##name,
    ALM_RECORD_FLAGS(ALM_FLAG_BIT)
#undef ALM_FLAG_BIT
    /* those that `strict` turns into errors */
    ALM_RECORD_FAULTS = ALM_RECORD_INVALID_UTF8 | ALM_RECORD_NUL | ALM_RECORD_LONG | ALM_RECORD_CUT | ALM_RECORD_CRLF |
                        ALM_RECORD_NO_NEWLINE | ALM_RECORD_BAD_JSON | ALM_RECORD_BAD_CSV | ALM_RECORD_BAD_SYSLOG
};

typedef struct alm_record {
    alm_str raw; /* the bytes as they came without the line end; several lines: with the line ends between them */
    alm_str
        text; /* what patterns are mined from. lines, jsonl: all of raw (jsonl: the line). syslog: the message behind
                     the header. csv with a header row: the row as key=value key="v w" …; without one: raw */
    int64_t time_ns; /* UTC unless the stamp names an offset; ALM_NO_TIME when there is none */
    uint32_t time_at,
        time_bytes;   /* where in `raw` the stamp stands; time_bytes is 0 when it came from a field or is missing */
    uint64_t line;    /* its first line in its input, from 1 */
    uint32_t n_lines; /* lines it covers, at least 1 */
    alm_record_format format; /* how its input is read */
    uint32_t flags;
    const char *source;    /* the file's name as given or found, "-", "journal:…" */
    uint32_t source_index; /* counts the inputs that were opened, from 0 */
    const alm_field *field;
    uint32_t n_field;
} alm_record; /* all pointers are valid until the next call of alm_reader_next; `source` until alm_reader_close */

typedef struct alm_reader_options {
    size_t size; /* sizeof(alm_reader_options); the rest zero is: auto, lenient, no redaction */
    alm_record_format format;
    /* NULL: stack traces and continuation lines are found in inputs that `auto` takes for lines or syslog, and off where a
     * format was asked for by name. "auto": found also with format lines or syslog. "off". Anything else: a regex (PCRE2) that matches
     * the first line of a record; every line it does not match is joined to the one before. */
    const char *multiline;
    bool strict;
    bool no_time;   /* time_ns is not wanted: saves looking for it (auto multi-line still looks where it needs to) */
    bool no_fields; /* fields are not wanted: JSON and CSV stay text (text of CSV is then raw) */
    bool no_header; /* CSV: the first row is data */
    char separator; /* CSV: 0 finds it out */
    size_t max_record_bytes; /* 0: 16 MiB; a longer line is cut there and flagged; at least 64 */
    uint32_t max_join_lines; /* 0: 10000 lines in one record; a joined record is also bounded by 1 MiB */
    int64_t idle_ns; /* > 0: a joined record is given out when a pipe stays silent that long; 0: it waits for its end */
    int64_t now_ns; /* for stamps without a year; 0: the file's modification time, else the clock (SOURCE_DATE_EPOCH) */
    const alm_redact *redact; /* NULL: off. Must outlive the reader */
    alm_log *log;             /* NULL: silence */
    const alm_cancel *cancel; /* NULL: cannot be stopped */
    /* NULL, or called by alm_reader_next before it waits for a pipe that is silent, and again five times a second in the
     * wait. False ends the reading: it is for who must stop it from outside. */
    bool (*silent)(void *arg);
    void *silent_arg;
} alm_reader_options;

typedef struct alm_reader_counts {
    uint64_t n_records, n_lines, n_inputs;
    uint64_t bytes;          /* after decompression */
    uint64_t bytes_raw;      /* in alm_record.raw (before redaction) */
    uint64_t bytes_line_end; /* LF or CR LF behind records */
    uint64_t bytes_skipped;  /* blank lines of JSON and CSV, CSV header rows, byte order marks, what was cut off */
    uint64_t n_timed;        /* records with a time stamp */
    uint64_t n_unreadable;   /* files that could not be opened or read: said through the log, skipped */
    uint64_t n_truncated;    /* compressed inputs that end too early or are damaged: read up to there */
    int64_t time_first_ns, time_last_ns;  /* smallest and largest; ALM_NO_TIME when none */
    int64_t time_back_max_ns;             /* the largest jump back of the clock */
    uint64_t flag[ALM_RECORD_FLAG_COUNT]; /* records with that flag */
} alm_reader_counts;

typedef struct alm_reader alm_reader;

/* inputs: a file, a folder (its files, sorted bytewise, recursive, hidden ones skipped), a glob (sorted), "-" (standard
 * input), "journal:" or "journal:UNIT". n_inputs 0 is "-". A name that is a glob only by its characters but exists is
 * that file. The list is copied. Errors: ALM_NOT_FOUND when an input named literally is missing and it is the only one
 * (otherwise it is counted in n_unreadable), or when nothing matches; ALM_INVALID for options outside their range and
 * for a bad regex; ALM_UNSUPPORTED for journal: in a build without libsystemd. Nothing is read yet. */
alm_status alm_reader_open(alm_reader **out, const char *const *inputs, size_t n_inputs,
                           const alm_reader_options *options, alm_error *err);
/* The same over bytes in memory (name is what `source` says; the bytes are not copied). For tests, fuzzing, embedding. */
alm_status alm_reader_open_bytes(alm_reader **out, const char *name, alm_str bytes, const alm_reader_options *options,
                                 alm_error *err);
/* ALM_OK with a record; ALM_END at the end; ALM_INTERRUPTED when cancelled; ALM_MALFORMED in strict mode, with
 * "FILE:LINE: what"; ALM_IO when reading the only input fails; ALM_NO_MEMORY. After anything but ALM_OK only close it. */
alm_status alm_reader_next(alm_reader *r, alm_record *out, alm_error *err);
void alm_reader_close(alm_reader *r); /* NULL is fine */
const alm_reader_counts *alm_reader_counts_of(const alm_reader *r);
/* Bytes read from disk so far and in all files (0: unknown, there is a pipe among them), for a progress bar. */
void alm_reader_progress(const alm_reader *r, uint64_t *done, uint64_t *total);

/* "jsonl" → ALM_RECORD_JSONL, "auto" → ALM_RECORD_AUTO; false for another word. */
bool alm_record_format_of(alm_record_format *out, const char *word);
const char *alm_record_format_name(alm_record_format format);
/* What a flag (by its index) means, in words; its name in lower case ("invalid_utf8") for JSON. */
const char *alm_record_flag_text(unsigned index);
const char *alm_record_flag_name(unsigned index);
/* Value of a field by its key (the last one), or {NULL, 0}. */
alm_str alm_record_field(const alm_record *r, alm_str key);

#endif
