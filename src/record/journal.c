/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.c - the systemd journal, from its beginning to its end, oldest entry first.
 *
 * "journal:" is all that the user may read of this machine's, "journal:UNIT" one unit of it (ssh.service; ".service" is
 * added when there is no dot), "journal:PATH" with a slash in it a folder of journals, or one file, of any machine.
 * A record's raw and text are MESSAGE; host, app, pid, unit and severity become fields; the time is the entry's. */
#include "record/reader.h"

#ifdef ALM_HAVE_JOURNAL
#include <sys/stat.h>
#include <systemd/sd-journal.h>

enum { DATA_LIMIT = 1 << 20 };

static alm_status fail(int code, const char *what, const char *source, alm_error *err) {
    return code == -12 /* ENOMEM */ ? alm_fail_memory(err) : alm_fail_errno(err, -code, "%s: %s", source, what);
}

static int open_path(sd_journal **out, const char *path) {
    struct stat info;
    const char *files[] = {path, NULL};
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return sd_journal_open_directory(out, path, 0);
    return sd_journal_open_files(out, files, 0);
}

static alm_status begin(alm_reader *r, alm_error *err) {
    sd_journal *j = NULL;
    const char *what = r->source + strlen("journal:");
    bool is_path = strchr(what, '/') != NULL;
    int code = is_path ? open_path(&j, what) : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
    if (code < 0) return fail(code, "cannot open the journal", r->source, err);
    sd_journal_set_data_threshold(j, DATA_LIMIT);
    if (*what && !is_path) {
        const char *unit = what;
        alm_buf match = alm_buf_with_limit(1024);
        alm_buf_add_text(&match, "_SYSTEMD_UNIT=");
        alm_buf_add_text(&match, unit);
        if (!strchr(unit, '.')) alm_buf_add_text(&match, ".service");
        code = alm_buf_status(&match, NULL) == ALM_OK ? sd_journal_add_match(j, match.at, match.n) : -12;
        alm_buf_free(&match);
    }
    if (code >= 0) code = sd_journal_seek_head(j);
    if (code < 0) {
        sd_journal_close(j);
        return fail(code, "cannot search the journal", r->source, err);
    }
    r->live = j;
    r->w.plain = false;
    return ALM_OK;
}

static alm_str get(sd_journal *j, const char *name) {
    const void *at;
    size_t n, n_name = strlen(name);
    if (sd_journal_get_data(j, name, &at, &n) < 0 || n <= n_name) return (alm_str){0};
    return (alm_str){(const char *)at + n_name + 1, n - n_name - 1};
}

/* What the journal hands out lives until the next question: everything is copied. */
static alm_status frame(alm_reader *r, alm_record *out, alm_error *err) {
    sd_journal *j = r->live;
    int code = sd_journal_next(j);
    if (code < 0) return fail(code, "cannot read the journal", r->source, err);
    if (code == 0) return ALM_END;
    alm_arena_reset(r->keys);
    out->line = r->line + 1;
    out->n_lines = 1;
    alm_str message = get(j, "MESSAGE");
    if (message.n > r->o.max_record_bytes) message.n = r->o.max_record_bytes, out->flags |= ALM_RECORD_CUT;
    out->raw = alm_arena_copy(r->keys, message);
    if (!out->raw.at) return alm_fail_memory(err);
    r->w.bytes += out->raw.n;
    r->counts.bytes_raw += out->raw.n;
    return ALM_OK;
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    static const struct {
        const char *name, *key;
        alm_field_kind kind;
    } wanted[] = {
        {"_HOSTNAME", "host", ALM_FIELD_STRING},
        {"SYSLOG_IDENTIFIER", "app", ALM_FIELD_STRING},
        {"_PID", "pid", ALM_FIELD_NUMBER},
        {"_SYSTEMD_UNIT", "unit", ALM_FIELD_STRING},
    };
    static const char *const severities[8] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
    sd_journal *j = r->live;
    uint64_t us;
    out->text = out->raw;
    if (!r->o.no_time && sd_journal_get_realtime_usec(j, &us) >= 0 && us < INT64_MAX / 1000)
        out->time_ns = (int64_t)us * 1000;
    if (r->o.no_fields) return ALM_OK;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        alm_str value = get(j, wanted[i].name);
        if (!value.n) continue;
        value = alm_arena_copy(r->keys, value);
        if (!value.at) return alm_fail_memory(err);
        (void)alm_reader_add_field(r, out, alm_str_of(wanted[i].key), value, wanted[i].kind);
    }
    alm_str priority = get(j, "PRIORITY");
    if (priority.n == 1 && *priority.at >= '0' && *priority.at <= '7')
        (void)alm_reader_add_field(r, out, ALM_STR("severity"), alm_str_of(severities[*priority.at - '0']),
                                   ALM_FIELD_STRING);
    return ALM_OK;
}

static void end(alm_reader *r) {
    if (r->live) sd_journal_close(r->live);
    r->live = NULL;
}
#else
static alm_status begin(alm_reader *r, alm_error *err) {
    alm_fail(err, ALM_UNSUPPORTED, "%s: this build cannot read the journal: it was made without libsystemd", r->source);
    return alm_hint(err, "build with -Djournal=enabled, or: journalctl -o short-iso | alm … -"), ALM_UNSUPPORTED;
}

static alm_status frame(alm_reader *r, alm_record *out, alm_error *err) {
    (void)r, (void)out, (void)err;
    return ALM_END;
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    (void)r, (void)out, (void)err;
    return ALM_OK;
}

static void end(alm_reader *r) { (void)r; }
#endif

const alm_source_ops alm_source_journal = {"journal", ALM_RECORD_JOURNAL, NULL, begin, frame, parse, end};
