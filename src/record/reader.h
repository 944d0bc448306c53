/* SPDX-License-Identifier: Apache-2.0
 *
 * record/reader.h - what the files of this room share: the reader's inside and the interface of a format.
 *
 * A record is made in three steps. frame (the format): where does it end → raw, n_lines, structural flags. parse (the format):
 * fields, text, time. finish (record.c): flags of the bytes, counts, redaction. */
#ifndef ALM_RECORD_READER_H
#define ALM_RECORD_READER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "record/multiline.h"
#include "record/record.h"
#include "record/stamp.h"
#include "record/window.h"

enum {
    ALM_MAX_FIELDS = 1024,      /* of one record */
    ALM_MAX_KEY_BYTES = 1024,   /* of a flattened JSON key */
    ALM_SNIFF_BYTES = 64 << 10, /* what auto looks at */
    ALM_STAMP_BYTES = 160,      /* how far into a line a stamp is looked for */
    ALM_LONG_BYTES = 1 << 20,   /* longer is flagged */
    ALM_JOIN_BYTES = 1 << 20    /* the most that is joined to one record, or that quotes of CSV may span */
};

typedef struct alm_source_ops alm_source_ops;

typedef struct alm_csv_state {
    char separator;
    bool has_header, header_done;
    alm_arena *names;
    alm_str *column;
    size_t n_column, cap; /* of the first row */
} alm_csv_state;

struct alm_reader {
    alm_reader_options o;
    alm_names inputs;
    size_t next_input;
    bool from_bytes;
    alm_str bytes;
    uint64_t taken_before, total; /* progress */
    bool total_known;

    /* the input that is open */
    bool is_open;
    const char *source;
    uint32_t n_opened;
    const alm_source_ops *ops;
    alm_stream *stream;
    alm_window w;
    uint64_t line;   /* lines given out so far */
    size_t consumed; /* of the record that was given out: dropped from the window by the next call */
    bool skip_line;  /* the rest of a line that was cut */
    alm_multiline multi;
    alm_stamp_reader time;
    alm_csv_state csv;
    bool csv_plain; /* the row is taken without quotes: one of them is open */
    void *live;     /* the journal's handle */
    /* What multi-line detection saw in the first line of this record, and of the one behind it. */
    struct alm_seen_stamp {
        bool known, found;
        alm_stamp stamp;
    } own, ahead;
    /* The line behind this record, when it was looked at: where it will end once this record is dropped. */
    bool has_next_line;
    alm_line next_line;

    /* the record */
    alm_field *field;
    uint32_t n_field;
    alm_buf decoded, text;
    alm_arena *keys;
    alm_json_doc doc;
    bool doc_valid;
    bool no_memory; /* looks_like could not look */
    alm_arena *redacted;
    alm_buf redact_buf;
    int64_t last_time_ns; /* of the record before, in this input */

    uint64_t closed_bytes;
    alm_reader_counts counts;
};

struct alm_source_ops {
    const char *name;
    alm_record_format format;
    /* Does the head of an input (whole lines, up to 64 KiB) look like it? r->csv may be set. NULL: never by itself. */
    bool (*looks_like)(alm_reader *r, alm_str head, const char *file_name);
    alm_status (*begin)(alm_reader *r, alm_error *err); /* may be NULL */
    /* Sets raw, n_lines, flags, r->consumed and the byte counts; ALM_END at the end of the input. */
    alm_status (*frame)(alm_reader *r, alm_record *out, alm_error *err);
    /* Sets text, fields, time of the stamp; only ALM_NO_MEMORY fails. */
    alm_status (*parse)(alm_reader *r, alm_record *out, alm_error *err);
    void (*end)(alm_reader *r); /* may be NULL */
};

#define ALM_SOURCE(name, NAME, file, flags, text) extern const alm_source_ops alm_source_##name;
#include "record/sources.def"
#undef ALM_SOURCE

/* Frames lines that belong together (lines, syslog), as r->multi says. ALM_END. */
alm_status alm_lines_frame(alm_reader *r, alm_record *out, alm_error *err);
/* Frames one line (jsonl): cut at the limit, never joined. ALM_END. */
alm_status alm_lines_frame_one(alm_reader *r, alm_record *out, alm_error *err);
/* Looks for a stamp in raw, sets time_ns, time_at, time_bytes. */
void alm_reader_find_time(alm_reader *r, alm_record *out);
/* A stamp from a field's value. */
bool alm_reader_value_time(alm_reader *r, alm_record *out, alm_str value);
/* Is it a name that fields with the time of a record bear? 0: no; the smaller the better. */
unsigned alm_time_field_rank(alm_str key);
/* False when the limit is reached: then the record has FIELDS_CUT. */
bool alm_reader_add_field(alm_reader *r, alm_record *out, alm_str key, alm_str value, alm_field_kind kind);
/* jsonl.c: fields from r->doc (again, when redaction has changed it). */
alm_status alm_jsonl_flatten(alm_reader *r, alm_record *out, alm_error *err);
/* Flags of the bytes, redaction, counts, strictness. */
alm_status alm_reader_finish(alm_reader *r, alm_record *out, alm_error *err);

/* sniff.c: the format of an input by its head. */
const alm_source_ops *alm_sniff_format(alm_reader *r, alm_str head, const char *file_name);
/* Cuts the next line off *rest; false at the end. */
bool alm_sniff_line(alm_str *rest, alm_str *line);

/* sources.c: files, folders and globs as a list of paths. Missing ones are counted and told. */
alm_status alm_input_expand(alm_reader *r, const char *const *inputs, size_t n, alm_error *err);

#endif
