/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog.c - syslog messages as they lie in files and come over pipes.
 *
 *   RFC 5424   <34>1 2026-11-24T18:25:00.003Z host app 1234 ID47 [sd@1 key="value"] message
 *   RFC 3164   <34>Nov 24 18:25:00 host app[1234]: message
 *   files      Nov 24 18:25:00 host app[1234]: message          2026-11-24T18:25:00.003+01:00 host app[1234]: message
 *
 * Fields: pri, facility, severity (both as words; with a PRI only), host, app, pid, msgid, and of structured data
 * ID.name for each parameter. What is given as "-" (nothing) is left out. The text is the message behind the header. */
#include "record/reader.h"

enum { SNIFF_LINES = 128, MAX_PARAMETERS = 256 };

typedef struct header {
    alm_str pri, host, app, pid, msgid, data, message;
    int priority; /* -1: none */
    bool is_5424;
    alm_stamp stamp;
} header;

static const char *const severities[8] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
static const char *const facilities[24] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                           "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                           "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                           "local2", "local3", "local4", "local5", "local6",   "local7"};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "<34>" at the front. */
static bool take_pri(alm_str *rest, header *h) {
    size_t i = 1;
    int x = 0;
    if (rest->n < 3 || rest->at[0] != '<') return false;
    for (; i < rest->n && i <= 3 && is_digit(rest->at[i]); i++) x = x * 10 + rest->at[i] - '0';
    if (i == 1 || i >= rest->n || rest->at[i] != '>' || x > 191) return false;
    h->pri = (alm_str){rest->at + 1, i - 1};
    h->priority = x;
    *rest = alm_str_slice(*rest, i + 1, rest->n);
    return true;
}

/* The next word, up to one blank; false at the end. */
static bool take_word(alm_str *rest, alm_str *word) {
    if (rest->n == 0) return false;
    size_t n = alm_str_find_byte(*rest, ' ');
    if (n == SIZE_MAX) n = rest->n;
    *word = (alm_str){rest->at, n};
    *rest = alm_str_slice(*rest, n < rest->n ? n + 1 : n, rest->n);
    return n > 0;
}

static alm_str or_nothing(alm_str word) { return word.n == 1 && *word.at == '-' ? (alm_str){0} : word; }

/* Structured data: "-" or [id name="value" …][…]; values may hold \" \\ \]. */
static bool take_data(alm_str *rest, alm_str *data) {
    size_t i = 0;
    if (rest->n && rest->at[0] == '-') i = 1;
    else {
        while (i < rest->n && rest->at[i] == '[') {
            bool quoted = false;
            for (i++; i < rest->n && (quoted || rest->at[i] != ']'); i++) {
                if (rest->at[i] == '"') quoted = !quoted;
                else if (rest->at[i] == '\\' && quoted && i + 1 < rest->n) i++;
            }
            if (i >= rest->n) return false;
            i++;
        }
        if (i == 0) return false;
        *data = (alm_str){rest->at, i};
    }
    if (i < rest->n && rest->at[i] != ' ') return false;
    *rest = alm_str_slice(*rest, i < rest->n ? i + 1 : i, rest->n);
    return true;
}

static bool read_5424(alm_str rest, header *h) {
    alm_str stamp;
    if (rest.n < 2 || rest.at[0] != '1' || rest.at[1] != ' ') return false;
    rest = alm_str_slice(rest, 2, rest.n);
    if (!take_word(&rest, &stamp)) return false;
    if (!(stamp.n == 1 && *stamp.at == '-')) {
        if (!alm_stamp_value(&h->stamp, stamp)) return false;
        h->stamp.at = 0; /* the caller knows where */
    }
    if (!take_word(&rest, &h->host) || !take_word(&rest, &h->app) || !take_word(&rest, &h->pid) ||
        !take_word(&rest, &h->msgid))
        return false;
    if (!take_data(&rest, &h->data)) return false;
    h->host = or_nothing(h->host), h->app = or_nothing(h->app), h->pid = or_nothing(h->pid),
    h->msgid = or_nothing(h->msgid);
    if (rest.n >= 3 && memcmp(rest.at, "\xEF\xBB\xBF", 3) == 0) rest = alm_str_slice(rest, 3, rest.n);
    h->message = rest;
    h->is_5424 = true;
    return true;
}

/* "app[1234]: " in front of the message; false when there is none. */
static bool take_tag(alm_str *rest, header *h) {
    size_t i = 0;
    while (i < rest->n && rest->at[i] != '[' && rest->at[i] != ':' && rest->at[i] != ' ') i++;
    if (i == 0 || i >= rest->n || rest->at[i] == ' ') return false;
    alm_str app = {rest->at, i}, pid = {0};
    if (rest->at[i] == '[') {
        size_t from = ++i;
        while (i < rest->n && rest->at[i] != ']' && rest->at[i] != ' ') i++;
        if (i >= rest->n || rest->at[i] != ']' || i == from) return false;
        pid = (alm_str){rest->at + from, i - from};
        i++;
    }
    if (i >= rest->n || rest->at[i] != ':') return false;
    i++;
    if (i < rest->n && rest->at[i] != ' ') return false; /* "10.0.0.1:514" is no tag */
    h->app = app, h->pid = pid;
    *rest = alm_str_slice(*rest, i < rest->n ? i + 1 : i, rest->n);
    return true;
}

/* A word that stands for a level, not for a host. */
static bool is_level(alm_str w) {
    static const alm_str levels[] = {{"TRACE", 5},   {"DEBUG", 5}, {"INFO", 4}, {"NOTICE", 6},   {"WARN", 4},
                                     {"WARNING", 7}, {"ERROR", 5}, {"ERR", 3},  {"CRITICAL", 8}, {"FATAL", 5},
                                     {"SEVERE", 6},  {"info", 4},  {"warn", 4}, {"error", 5},    {"debug", 5}};
    if (w.n < 3 || w.n > 8) return false;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (w.at[0] == levels[i].at[0] && alm_str_eq(w, levels[i])) return true;
    return false;
}

static bool is_host(alm_str w) {
    if (w.n == 0 || w.n > 255 || is_level(w)) return false;
    for (size_t i = 0; i < w.n; i++) {
        char c = w.at[i];
        if (!(is_digit(c) || (unsigned char)((c | 32) - 'a') < 26 || c == '.' || c == '-' || c == '_' || c == ':'))
            return false;
    }
    return w.at[w.n - 1] != ':';
}

/* known: the stamp that was found in this line already, or NULL. */
static bool read_3164(alm_str line, alm_str rest, const alm_stamp *known, header *h) {
    size_t at = line.n - rest.n;
    if (known && known->at == at) h->stamp = *known;
    else if (!alm_stamp_parse(&h->stamp, line, at)) return false;
    if (h->stamp.form != ALM_STAMP_BSD && h->stamp.form != ALM_STAMP_ISO) return false;
    rest = alm_str_slice(line, at + h->stamp.n, line.n);
    if (rest.n < 2 || rest.at[0] != ' ') return false;
    rest = alm_str_slice(rest, 1, rest.n);
    alm_str after = rest;
    if (!take_word(&after, &h->host)) return false;
    if (!is_host(h->host)) { /* "Nov 24 18:25:00 app[1]: …": written without a host, as on the machine itself */
        h->host = (alm_str){0};
        if (!take_tag(&rest, h)) return false;
        h->message = rest;
        return !is_level(h->app);
    }
    (void)take_tag(&after, h);
    h->message = after;
    return true;
}

static bool read_header(alm_str line, const alm_stamp *known, header *h) {
    alm_str rest = line;
    *h = (header){.priority = -1};
    bool has_pri = take_pri(&rest, h);
    if (has_pri && read_5424(rest, h)) {
        h->stamp.at = h->stamp.form ? (uint32_t)(line.n - rest.n + 2) : 0;
        return true;
    }
    return read_3164(line, rest, known, h);
}

/* ID.name for each parameter of the structured data. */
static alm_status add_data(alm_reader *r, alm_record *out, alm_str data, alm_error *err) {
    size_t i = 0;
    for (unsigned n = 0; i < data.n && data.at[i] == '[';) {
        size_t from = ++i;
        while (i < data.n && data.at[i] != ' ' && data.at[i] != ']') i++;
        alm_str id = {data.at + from, i - from};
        while (i < data.n && data.at[i] == ' ') {
            from = ++i;
            while (i < data.n && data.at[i] != '=' && data.at[i] != ']') i++;
            alm_str name = {data.at + from, i - from};
            if (i + 1 >= data.n || data.at[i] != '=' || data.at[i + 1] != '"') break;
            from = i += 2;
            bool escaped = false;
            while (i < data.n && data.at[i] != '"') {
                if (data.at[i] == '\\' && i + 1 < data.n) i++, escaped = true;
                i++;
            }
            alm_str value = {data.at + from, (i < data.n ? i : data.n) - from};
            if (i < data.n) i++;
            if (id.n + name.n + 1 > ALM_MAX_KEY_BYTES || ++n > MAX_PARAMETERS) {
                out->flags |= ALM_RECORD_FIELDS_CUT;
                continue;
            }
            char *key = alm_arena_alloc(r->keys, id.n + 1 + name.n, 1);
            if (!key) return alm_fail_memory(err);
            if (id.n) memcpy(key, id.at, id.n);
            key[id.n] = '.';
            if (name.n) memcpy(key + id.n + 1, name.at, name.n);
            if (escaped) {
                char *to = alm_arena_alloc(r->keys, value.n + 1, 1);
                size_t k = 0;
                if (!to) return alm_fail_memory(err);
                for (size_t j = 0; j < value.n; j++) {
                    if (value.at[j] == '\\' && j + 1 < value.n && strchr("\"\\]", value.at[j + 1])) j++;
                    to[k++] = value.at[j];
                }
                value = (alm_str){to, k};
            }
            (void)alm_reader_add_field(r, out, (alm_str){key, id.n + 1 + name.n}, value, ALM_FIELD_STRING);
        }
        while (i < data.n && data.at[i] != ']') i++;
        if (i < data.n) i++;
    }
    return ALM_OK;
}

static void add(alm_reader *r, alm_record *out, alm_str key, alm_str value, alm_field_kind kind) {
    if (value.n) (void)alm_reader_add_field(r, out, key, value, kind);
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    header h;
    out->text = out->raw;
    if (!read_header(out->raw, r->own.known && r->own.found ? &r->own.stamp : NULL, &h)) {
        out->flags |= ALM_RECORD_BAD_SYSLOG;
        if (!r->o.no_time) alm_reader_find_time(r, out);
        return ALM_OK;
    }
    out->text = h.message;
    if (!r->o.no_time && h.stamp.form && alm_stamp_resolve(&r->time, &h.stamp, &out->time_ns))
        out->time_at = h.stamp.at, out->time_bytes = h.stamp.n;
    if (r->o.no_fields) return ALM_OK;
    add(r, out, ALM_STR("pri"), h.pri, ALM_FIELD_NUMBER);
    if (h.priority >= 0) {
        add(r, out, ALM_STR("facility"), alm_str_of(facilities[h.priority / 8]), ALM_FIELD_STRING);
        add(r, out, ALM_STR("severity"), alm_str_of(severities[h.priority % 8]), ALM_FIELD_STRING);
    }
    add(r, out, ALM_STR("host"), h.host, ALM_FIELD_STRING);
    add(r, out, ALM_STR("app"), h.app, ALM_FIELD_STRING);
    add(r, out, ALM_STR("pid"), h.pid, ALM_FIELD_NUMBER);
    add(r, out, ALM_STR("msgid"), h.msgid, ALM_FIELD_STRING);
    if (!h.data.n) return ALM_OK;
    alm_arena_reset(r->keys);
    return add_data(r, out, h.data, err);
}

/* Four of five of the first records have a header, and it tells more than a time: a priority, or a host and a tag. Lines that
 * continue a record (a stack trace written as it came) do not count. */
static bool looks_like(alm_reader *r, alm_str head, const char *file_name) {
    (void)r, (void)file_name;
    size_t n_record = 0, n_header = 0;
    alm_multiline m = {0};
    alm_stamp_reader stamps = {0};
    alm_stamp stamp;
    alm_multiline_look(&m, head);
    for (alm_str line; n_record < SNIFF_LINES && alm_sniff_line(&head, &line);) {
        header h;
        if (line.n == 0) continue;
        bool has_header = read_header(line, NULL, &h) && (h.priority >= 0 || (h.host.n && h.app.n));
        bool continues = !has_header && m.mode == ALM_MULTILINE_HEADER &&
                         !alm_stamp_search(&stamps, &stamp, line, ALM_STAMP_BYTES) &&
                         alm_multiline_continues(&m, line, NULL, (alm_str){0});
        if (continues) continue;
        n_record++;
        n_header += has_header;
        alm_multiline_first(&m, line);
    }
    return n_header > 0 && n_header * 5 >= n_record * 4;
}

const alm_source_ops alm_source_syslog = {"syslog", ALM_RECORD_SYSLOG, looks_like, NULL, alm_lines_frame, parse, NULL};
