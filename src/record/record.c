/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - the reader: walks its inputs, finds out how each is written, gives one record per call (record.h).
 *
 *     inputs ─ stream (decompress.c) ─ window ─ frame, parse (the format's file) ─ finish.c ─→ record
 *
 * Invariant: after each call  bytes = bytes_raw + bytes_line_end + bytes_skipped, where bytes is what has left the window
 * and the others are counted by whoever framed or skipped it. */
#include "record/reader.h"

#include "base/alloc.h"

enum { DEFAULT_RECORD_BYTES = 16 << 20, LEAST_RECORD_BYTES = 64, DEFAULT_JOIN_LINES = 10000 };
#define SNIFF_WAIT_NS INT64_C(200000000)

static const alm_source_ops *const sources[ALM_RECORD_FORMAT_COUNT] = {
#define ALM_SOURCE(name, NAME, file, flags, text) [ALM_RECORD_##NAME] = &alm_source_##name,
#include "record/sources.def"
#undef ALM_SOURCE
};

/* -- words ------------------------------------------------------------------------------------------------------------- */

const char *alm_record_format_name(alm_record_format format) {
    if (format == ALM_RECORD_AUTO) return "auto";
    return format < ALM_RECORD_FORMAT_COUNT ? sources[format]->name : "?";
}

bool alm_record_format_of(alm_record_format *out, const char *word) {
    for (unsigned i = 0; i < ALM_RECORD_FORMAT_COUNT; i++)
        if (strcmp(word, alm_record_format_name((alm_record_format)i)) == 0) return *out = (alm_record_format)i, true;
    return false;
}

static const char *const flag_texts[ALM_RECORD_FLAG_COUNT] = {
#define ALM_FLAG_TEXT(name, text) text,
    ALM_RECORD_FLAGS(ALM_FLAG_TEXT)
#undef ALM_FLAG_TEXT
};

static const char *const flag_names[ALM_RECORD_FLAG_COUNT] = {
    "invalid_utf8", "nul",        "long",       "cut",      "crlf",      "no_newline", "bad_json",
    "bad_csv",      "bad_syslog", "fields_cut", "join_cut", "time_back", "redacted",
};

const char *alm_record_flag_text(unsigned index) { return index < ALM_RECORD_FLAG_COUNT ? flag_texts[index] : "?"; }
const char *alm_record_flag_name(unsigned index) { return index < ALM_RECORD_FLAG_COUNT ? flag_names[index] : "?"; }

alm_str alm_record_field(const alm_record *r, alm_str key) {
    for (uint32_t i = r->n_field; i-- > 0;)
        if (alm_str_eq(r->field[i].key, key)) return r->field[i].value;
    return (alm_str){0};
}

/* -- opening ----------------------------------------------------------------------------------------------------------- */

static alm_status check_options(alm_reader *r, const alm_reader_options *options, alm_error *err) {
    alm_reader_options o = {0};
    if (options) memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    if (!o.max_record_bytes) o.max_record_bytes = DEFAULT_RECORD_BYTES;
    if (!o.max_join_lines) o.max_join_lines = DEFAULT_JOIN_LINES;
    if (o.max_record_bytes < LEAST_RECORD_BYTES || o.max_record_bytes > (size_t)1 << 30)
        return alm_fail(err, ALM_INVALID, "a limit of %zu bytes for a record: 64 to 2^30 are allowed",
                        o.max_record_bytes);
    if (o.format >= ALM_RECORD_FORMAT_COUNT)
        return alm_fail(err, ALM_INVALID, "no record format has the number %d", (int)o.format);
    if (o.separator == '"' || o.separator == '\n' || o.separator == '\r')
        return alm_fail(err, ALM_INVALID, "a quote or line end cannot separate columns");
    r->o = o;
    if (!o.multiline || strcmp(o.multiline, "auto") == 0 || strcmp(o.multiline, "off") == 0) return ALM_OK;
    return alm_multiline_compile(&r->multi, o.multiline, err);
}

static alm_status make(alm_reader **out, const alm_reader_options *options, alm_error *err) {
    alm_reader *r = alm_calloc(1, sizeof *r);
    alm_status st;
    if (!r) return alm_fail_memory(err);
    r->counts.time_first_ns = r->counts.time_last_ns = ALM_NO_TIME;
    if ((st = check_options(r, options, err)) != ALM_OK) goto done;
    r->field = alm_calloc(ALM_MAX_FIELDS, sizeof *r->field);
    if (!r->field) {
        st = alm_fail_memory(err);
        goto done;
    }
    if ((st = alm_arena_new(&r->keys, (size_t)16 << 10, 0, err)) != ALM_OK) goto done;
    if (r->o.redact && (st = alm_arena_new(&r->redacted, (size_t)16 << 10, 0, err)) != ALM_OK) goto done;
    /* decoded and text hold one record with its separators; half more covers escapes */
    r->decoded = alm_buf_with_limit(r->o.max_record_bytes * 2 + 64);
    r->text = alm_buf_with_limit(r->o.max_record_bytes * 3 + ALM_MAX_FIELDS * 64);
    r->redact_buf = alm_buf_with_limit(r->o.max_record_bytes * 16 + 4096);
    *out = r, r = NULL;
done:
    alm_reader_close(r);
    return st;
}

alm_status alm_reader_open(alm_reader **out, const char *const *inputs, size_t n_inputs,
                           const alm_reader_options *options, alm_error *err) {
    alm_reader *r = NULL;
    alm_status st = make(&r, options, err);
    if (st == ALM_OK) st = alm_input_expand(r, inputs, n_inputs, err);
    if (st == ALM_OK) *out = r, r = NULL;
    alm_reader_close(r);
    return st;
}

alm_status alm_reader_open_bytes(alm_reader **out, const char *name, alm_str bytes, const alm_reader_options *options,
                                 alm_error *err) {
    alm_reader *r = NULL;
    alm_status st = make(&r, options, err);
    if (st != ALM_OK) return st;
    r->from_bytes = true;
    r->bytes = bytes;
    r->total = bytes.n, r->total_known = true;
    if (!alm_names_add(&r->inputs, name)) {
        alm_reader_close(r);
        return alm_fail_memory(err);
    }
    return *out = r, ALM_OK;
}

static void close_input(alm_reader *r) {
    if (r->ops && r->ops->end) r->ops->end(r);
    if (r->stream) {
        r->taken_before += alm_stream_taken(r->stream);
        alm_stream_close(r->stream);
    }
    r->closed_bytes += r->w.bytes;
    r->w.bytes = 0;
    r->w.from = r->w.to = 0;
    r->stream = NULL;
    r->is_open = false;
    r->ops = NULL;
}

void alm_reader_close(alm_reader *r) {
    if (!r) return;
    close_input(r);
    alm_window_free(&r->w);
    alm_multiline_free(&r->multi);
    alm_names_free(&r->inputs);
    alm_arena_free(r->csv.names);
    alm_free(r->csv.column);
    alm_free(r->field);
    alm_buf_free(&r->decoded);
    alm_buf_free(&r->text);
    alm_arena_free(r->keys);
    alm_json_doc_free(&r->doc);
    alm_arena_free(r->redacted);
    alm_buf_free(&r->redact_buf);
    alm_free(r);
}

/* Whole lines from the front of the window, at most what auto looks at; a pipe that falls silent gives what it has. */
static alm_status read_head(alm_reader *r, alm_str *head, alm_error *err) {
    alm_window *w = &r->w;
    alm_status st = ALM_OK;
    while (alm_window_left(w) < ALM_SNIFF_BYTES) {
        size_t left = alm_window_left(w);
        if (left && memchr(alm_window_at(w, 0), '\n', left) && !alm_stream_wait(r->stream, SNIFF_WAIT_NS)) break;
        if (!alm_window_more(w, &st, err)) break;
    }
    if (st != ALM_OK) return st;
    if (alm_window_left(w) >= 3 &&
        memcmp(alm_window_at(w, 0), "\xEF\xBB\xBF", 3) == 0) { /* a byte order mark is no text */
        w->from += 3;
        r->counts.bytes_skipped += 3;
    }
    size_t n = alm_window_left(w);
    if (n > ALM_SNIFF_BYTES) n = ALM_SNIFF_BYTES;
    const char *at = alm_window_at(w, 0);
    if (!(w->ended && n == alm_window_left(w))) {
        const char *lf = n ? memrchr(at, '\n', n) : NULL;
        if (lf) n = (size_t)(lf - at) + 1;
    }
    return *head = (alm_str){at, n}, ALM_OK;
}

static bool wants_regex(const alm_reader *r) { return r->multi.regex != NULL; }

static alm_status choose_format(alm_reader *r, alm_error *err) {
    alm_str head;
    alm_status st = read_head(r, &head, err);
    if (st != ALM_OK) return st;
    alm_record_format wanted = r->o.format;
    if (wanted == ALM_RECORD_AUTO) {
        r->ops = alm_sniff_format(r, head, r->source);
        if (wants_regex(r) && r->ops != &alm_source_syslog) r->ops = &alm_source_lines; /* only these are joined */
        if (r->no_memory) return alm_fail_memory(err);
        if (head.n) alm_log_say(r->o.log, ALM_LOG_INFO, "%s: read as %s", r->source, r->ops->name);
    } else {
        r->ops = sources[wanted];
        if ((wanted == ALM_RECORD_CSV || wanted == ALM_RECORD_TSV) && r->ops->looks_like)
            (void)r->ops->looks_like(r, head, r->source);
    }
    if (r->ops != &alm_source_lines && r->ops != &alm_source_syslog) return ALM_OK;
    const char *how = r->o.multiline;
    if (wants_regex(r)) r->multi.mode = ALM_MULTILINE_REGEX;
    else if (how ? strcmp(how, "off") == 0 : r->o.format != ALM_RECORD_AUTO) r->multi.mode = ALM_MULTILINE_OFF;
    else {
        alm_multiline_look(&r->multi, head);
        if (r->multi.mode == ALM_MULTILINE_HEADER)
            alm_log_say(r->o.log, ALM_LOG_DEBUG, "%s: records begin with a time stamp; lines without one are joined%s",
                        r->source, r->multi.join_all ? "" : " when they are indented or part of a stack trace");
    }
    return ALM_OK;
}

static alm_status begin_input(alm_reader *r, alm_error *err) {
    alm_status st;
    r->line = 0;
    r->consumed = 0;
    r->skip_line = false;
    r->own.known = r->ahead.known = r->has_next_line = false;
    r->last_time_ns = ALM_NO_TIME;
    r->time.has_last = false; /* another file may begin in another year */
    r->time.guess = 0, r->time.n_miss = 0, r->time.form = ALM_STAMP_NONE;
    if (!r->from_bytes && strncmp(r->source, "journal:", 8) == 0) {
        r->ops = &alm_source_journal;
        st = r->ops->begin(r, err);
    } else {
        alm_waiting waiting = {.cancel = r->o.cancel, .silent = r->o.silent, .arg = r->o.silent_arg};
        st = r->from_bytes ? alm_stream_open_bytes(&r->stream, r->source, r->bytes, err)
                           : alm_stream_open(&r->stream, r->source, &waiting, err);
        if (st != ALM_OK) return st;
        if ((st = alm_window_begin(&r->w, r->stream, r->o.max_record_bytes, err)) != ALM_OK) return st;
        r->time.now_ns = r->o.now_ns ? r->o.now_ns : alm_stream_written_ns(r->stream);
        if ((st = choose_format(r, err)) != ALM_OK) return st;
        st = r->ops->begin ? r->ops->begin(r, err) : ALM_OK;
    }
    if (st != ALM_OK) return st;
    if (!r->time.now_ns) r->time.now_ns = alm_clock_now_ns();
    r->is_open = true;
    r->n_opened++;
    r->counts.n_inputs++;
    return ALM_OK;
}

/* The next input that can be opened. Only a reader of one input fails for one that cannot. */
static alm_status open_next(alm_reader *r, alm_error *err) {
    while (r->next_input < r->inputs.n) {
        alm_error why = {0};
        r->source = r->inputs.at[r->next_input++];
        alm_status st = begin_input(r, &why);
        if (st == ALM_OK) return ALM_OK;
        close_input(r);
        if (st == ALM_NO_MEMORY || r->inputs.n == 1 || r->o.strict) {
            if (err) *err = why;
            return st;
        }
        r->counts.n_unreadable++;
        alm_log_say(r->o.log, ALM_LOG_WARNING, "%s (skipped)", why.text);
    }
    return ALM_END;
}

/* An input is used up. What stopped its stream, when something did, is told now: everything before it was given out. */
static alm_status end_input(alm_reader *r, alm_error *err) {
    alm_status why = r->w.failed;
    alm_error told = r->w.error;
    r->w.failed = ALM_OK;
    close_input(r);
    if (why == ALM_OK) return ALM_OK;
    if (why == ALM_MALFORMED) r->counts.n_truncated++;
    else r->counts.n_unreadable++;
    if (r->o.strict || (why != ALM_MALFORMED && r->inputs.n == 1)) {
        if (err) *err = told;
        return why;
    }
    alm_log_say(r->o.log, ALM_LOG_WARNING, "%s; what could be read is kept", told.text);
    return ALM_OK;
}

alm_status alm_reader_next(alm_reader *r, alm_record *out, alm_error *err) {
    for (;;) {
        alm_status st;
        if (alm_cancel_requested(r->o.cancel)) return alm_fail(err, ALM_INTERRUPTED, "reading was stopped on request");
        if (!r->is_open && (st = open_next(r, err)) != ALM_OK) return st;
        *out = (alm_record){
            .time_ns = ALM_NO_TIME, .source = r->source, .source_index = r->n_opened - 1, .format = r->ops->format};
        r->n_field = 0;
        st = r->ops->frame(r, out, err);
        r->counts.bytes = r->closed_bytes + r->w.bytes - (alm_window_left(&r->w) - r->consumed);
        if (st == ALM_END) {
            if ((st = end_input(r, err)) != ALM_OK) return st;
            continue;
        }
        if (st != ALM_OK) return st;
        r->line = out->line + out->n_lines - 1;
        if ((st = r->ops->parse(r, out, err)) != ALM_OK) return st;
        return alm_reader_finish(r, out, err);
    }
}

const alm_reader_counts *alm_reader_counts_of(const alm_reader *r) { return &r->counts; }

void alm_reader_progress(const alm_reader *r, uint64_t *done, uint64_t *total) {
    *done = r->taken_before + (r->stream ? alm_stream_taken(r->stream) : 0);
    *total = r->total_known ? r->total : 0;
}
