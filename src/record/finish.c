/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.c - the last step of a record: its time, the flags of its bytes, redaction, counts, strictness.
 *
 * Redaction comes last, so that the time stamp was read from what stood there; it is the only place where a record's bytes
 * are replaced, and it replaces all of them: raw, text, every key and value. The stamp itself is kept. */
#include "record/reader.h"

#define BACK_NS INT64_C(1000000000) /* writers with several threads are out of order by less */

/* -- time -------------------------------------------------------------------------------------------------------------- */

static void set_time(alm_reader *r, alm_record *out, const alm_stamp *s, bool in_raw) {
    if (!alm_stamp_resolve(&r->time, s, &out->time_ns)) return;
    if (in_raw) out->time_at = s->at, out->time_bytes = s->n;
}

void alm_reader_find_time(alm_reader *r, alm_record *out) {
    alm_stamp s;
    if (r->own.known) {
        if (r->own.found) set_time(r, out, &r->own.stamp, true);
    } else if (alm_stamp_search(&r->time, &s, out->raw, ALM_STAMP_BYTES)) set_time(r, out, &s, true);
}

bool alm_reader_value_time(alm_reader *r, alm_record *out, alm_str value) {
    alm_stamp s;
    if (!alm_stamp_value(&s, value)) return false;
    set_time(r, out, &s, false);
    return out->time_ns != ALM_NO_TIME;
}

/* Best first: a record with several (created, modified …) is dated by the name that says most. */
static const char *const time_names[] = {
    "@timestamp",
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date_time",
    "@t",
    "eventtime",
    "event_time",
    "time_iso8601",
    "time_local",
    "__realtime_timestamp",
    "_source_realtime_timestamp",
    "asctime",
    "logged_at",
    "log_time",
    "date",
    "t",
    "created_at",
    "created",
    "start_time",
    "starttime",
};

unsigned alm_time_field_rank(alm_str key) {
    if (key.n == 0 || key.n > 32) return 0;
    /* most keys end here: the names begin with one of these letters */
    if (!strchr("@tdel_acsTDELACS", key.at[0])) return 0;
    for (unsigned i = 0; i < sizeof time_names / sizeof *time_names; i++) {
        const char *name = time_names[i];
        size_t k = 0;
        while (k < key.n && name[k] &&
               name[k] == (char)(key.at[k] >= 'A' && key.at[k] <= 'Z' ? key.at[k] | 32 : key.at[k]))
            k++;
        if (k == key.n && !name[k]) return i + 1;
    }
    return 0;
}

static void count_time(alm_reader *r, alm_record *out) {
    int64_t t = out->time_ns;
    r->counts.n_timed++;
    if (r->last_time_ns != ALM_NO_TIME && t < r->last_time_ns &&
        (uint64_t)r->last_time_ns - (uint64_t)t > (uint64_t)BACK_NS) {
        out->flags |= ALM_RECORD_TIME_BACK;
        int64_t back = r->last_time_ns - t;
        if (back > r->counts.time_back_max_ns) r->counts.time_back_max_ns = back;
    }
    r->last_time_ns = t;
    if (r->counts.time_first_ns == ALM_NO_TIME || t < r->counts.time_first_ns) r->counts.time_first_ns = t;
    if (r->counts.time_last_ns == ALM_NO_TIME || t > r->counts.time_last_ns) r->counts.time_last_ns = t;
}

/* -- fields ------------------------------------------------------------------------------------------------------------ */

bool alm_reader_add_field(alm_reader *r, alm_record *out, alm_str key, alm_str value, alm_field_kind kind) {
    if (r->n_field >= ALM_MAX_FIELDS) {
        out->flags |= ALM_RECORD_FIELDS_CUT;
        return false;
    }
    r->field[r->n_field++] = (alm_field){key, value, kind};
    out->field = r->field, out->n_field = r->n_field;
    return true;
}

/* -- redaction --------------------------------------------------------------------------------------------------------- */

/* *s becomes its redacted copy when there is something to redact. */
static alm_status redact_str(alm_reader *r, alm_str *s, size_t *n_found, alm_error *err) {
    size_t n = 0;
    if (s->n < 2) return ALM_OK;
    alm_status st = alm_redact_apply(r->o.redact, &r->redact_buf, *s, &n, err);
    if (st != ALM_OK || n == 0) return st;
    alm_str copy = alm_arena_copy(r->redacted, alm_buf_str(&r->redact_buf));
    if (!copy.at) return alm_fail_memory(err);
    *n_found += n;
    return *s = copy, ALM_OK;
}

/* raw around its stamp, which stays as it is and may move. */
static alm_status redact_raw(alm_reader *r, alm_record *out, size_t *n_found, alm_error *err) {
    alm_str raw = out->raw, front = {raw.at, out->time_at}, stamp = {raw.at + out->time_at, out->time_bytes};
    alm_str back = {raw.at + out->time_at + out->time_bytes, raw.n - out->time_at - out->time_bytes};
    size_t n = 0;
    if (out->time_bytes == 0) return redact_str(r, &out->raw, n_found, err);
    alm_status st = redact_str(r, &front, &n, err);
    if (st == ALM_OK) st = redact_str(r, &back, &n, err);
    if (st != ALM_OK || n == 0) return st;
    size_t bytes = front.n + stamp.n + back.n;
    char *at = alm_arena_alloc(r->redacted, bytes + 1, 1);
    if (!at) return alm_fail_memory(err);
    if (front.n) memcpy(at, front.at, front.n);
    memcpy(at + front.n, stamp.at, stamp.n);
    if (back.n) memcpy(at + front.n + stamp.n, back.at, back.n);
    out->raw = (alm_str){at, bytes};
    out->time_at = (uint32_t)front.n;
    *n_found += n;
    return ALM_OK;
}

/* The strings of a JSON line are redacted as they are meant, not as they are written: \u0040 is an @. The line is written anew. */
static alm_status redact_json(alm_reader *r, alm_record *out, size_t *n_found, alm_error *err) {
    size_t n = 0;
    for (size_t i = 0; i < r->doc.n_node; i++) {
        alm_json *v = &r->doc.node[i];
        if (v->type != ALM_JSON_STRING && v->type != ALM_JSON_NUMBER) continue;
        size_t before = n;
        alm_status st = redact_str(r, &v->text, &n, err);
        if (st != ALM_OK) return st;
        if (n != before) v->type = ALM_JSON_STRING;
    }
    if (n == 0) return ALM_OK;
    *n_found += n;
    alm_buf_clear(&r->redact_buf);
    alm_status st = alm_json_write(&r->redact_buf, r->doc.node, err);
    if (st != ALM_OK) return st;
    alm_str copy = alm_arena_copy(r->redacted, alm_buf_str(&r->redact_buf));
    if (!copy.at) return alm_fail_memory(err);
    out->raw = copy;
    r->n_field = 0;
    return alm_jsonl_flatten(r, out, err);
}

static alm_status redact_record(alm_reader *r, alm_record *out, alm_error *err) {
    size_t n = 0;
    alm_str raw = out->raw;
    alm_status st = ALM_OK;
    alm_arena_reset(r->redacted);
    bool same = out->text.at == raw.at && out->text.n == raw.n;
    if (r->doc_valid) st = redact_json(r, out, &n, err);
    if (st == ALM_OK) st = redact_raw(r, out, &n, err);
    if (st == ALM_OK && !same) st = redact_str(r, &out->text, &n, err);
    if (same) out->text = out->raw;
    for (uint32_t i = 0; st == ALM_OK && i < r->n_field; i++) {
        st = redact_str(r, &r->field[i].value, &n, err);
        if (st == ALM_OK) st = redact_str(r, &r->field[i].key, &n, err);
    }
    if (n) out->flags |= ALM_RECORD_REDACTED;
    return st;
}

/* -- the end ----------------------------------------------------------------------------------------------------------- */

static alm_status strict_error(const alm_record *out, uint32_t faults, alm_error *err) {
    unsigned i = (unsigned)__builtin_ctz(faults);
    alm_fail(err, ALM_MALFORMED, "%s:%llu: %s", out->source, (unsigned long long)out->line, alm_record_flag_text(i));
    return alm_hint(err, "without --strict such records are kept and counted"), ALM_MALFORMED;
}

alm_status alm_reader_finish(alm_reader *r, alm_record *out, alm_error *err) {
    if (!r->w.plain) {
        if (out->raw.n && memchr(out->raw.at, 0, out->raw.n)) out->flags |= ALM_RECORD_NUL;
        if (!alm_utf8_valid(out->raw)) out->flags |= ALM_RECORD_INVALID_UTF8;
    }
    if (out->raw.n >= ALM_LONG_BYTES) out->flags |= ALM_RECORD_LONG;
    if (out->time_ns != ALM_NO_TIME) count_time(r, out);
    r->counts.n_records++;
    r->counts.n_lines += out->n_lines;
    if (r->o.strict) {
        uint32_t faults = out->flags & ALM_RECORD_FAULTS;
        /* CR LF is how RFC 4180 ends a row; it does not ask for one behind the last */
        if (out->format == ALM_RECORD_CSV || out->format == ALM_RECORD_TSV)
            faults &= ~(uint32_t)(ALM_RECORD_CRLF | ALM_RECORD_NO_NEWLINE);
        if (faults) return strict_error(out, faults, err);
    }
    if (r->o.redact) {
        alm_status st = redact_record(r, out, err);
        if (st != ALM_OK) return st;
    }
    for (uint32_t rest = out->flags; rest; rest &= rest - 1) r->counts.flag[__builtin_ctz(rest)]++;
    return ALM_OK;
}
