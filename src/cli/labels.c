/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.c - answers that are known from elsewhere. They are compared with the alarms at the end and never shown to the
 * detectors: a false-alarm rate says something only if nobody looked. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "cli/detection.h"
#include "cli/sessions.h"

typedef struct entry {
    uint64_t hash; /* 0: free */
    alm_str key;
    bool anomalous, seen, alarm;
} entry;

struct alm_labels {
    entry *at;
    size_t cap, n; /* cap is a power of two */
    alm_arena *text;
    bool by_line;
};

static uint64_t hash_of(alm_str key) {
    uint64_t h = alm_hash_str(key);
    return h ? h : 1;
}

/* The entry, or the free place for it. */
static entry *place(entry *at, size_t cap, alm_str key, uint64_t hash) {
    for (size_t i = (size_t)hash & (cap - 1);; i = (i + 1) & (cap - 1))
        if (!at[i].hash || (at[i].hash == hash && alm_str_eq(at[i].key, key))) return &at[i];
}

static alm_status grow(alm_labels *l, alm_error *err) {
    size_t cap = l->cap ? l->cap * 2 : 1024;
    entry *at = alm_calloc(cap, sizeof *at);
    if (!at) return alm_fail_memory(err);
    for (size_t i = 0; i < l->cap; i++)
        if (l->at[i].hash) *place(at, cap, l->at[i].key, l->at[i].hash) = l->at[i];
    alm_free(l->at);
    l->at = at;
    l->cap = cap;
    return ALM_OK;
}

static alm_status put(alm_labels *l, alm_str key, int label, alm_error *err) {
    if (label < 0) return ALM_OK;
    alm_status st = (l->n + 1) * 2 > l->cap ? grow(l, err) : ALM_OK;
    if (st != ALM_OK) return st;
    uint64_t hash = hash_of(key);
    entry *e = place(l->at, l->cap, key, hash);
    if (!e->hash) {
        alm_str copy = alm_arena_copy(l->text, key);
        if (!copy.at) return alm_fail_memory(err);
        *e = (entry){.hash = hash, .key = copy};
        l->n++;
    }
    e->anomalous = label == 1;
    return ALM_OK;
}

static const char *const keys[] = {"group", "session", "instance", "id", "line"};

static alm_str key_of(const alm_record *r, bool *by_line) {
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        alm_str s = alm_record_field(r, alm_str_of(keys[i]));
        if (s.at) return *by_line = i + 1 == sizeof keys / sizeof keys[0], s;
    }
    return (alm_str){0};
}

static alm_status read_rows(alm_labels *l, alm_reader *reader, const char *path, alm_error *err) {
    alm_record r;
    alm_status st;
    while ((st = alm_reader_next(reader, &r, err)) == ALM_OK) {
        alm_str key = key_of(&r, &l->by_line), label = alm_record_field(&r, ALM_STR("label"));
        if (!key.at || !label.at) {
            alm_fail(err, ALM_MALFORMED, _("%s:%llu: no column `%s`"), path, (unsigned long long)r.line,
                     key.at ? "label" : "group");
            return alm_hint(err, _("the first line names the columns: group<TAB>label, or line<TAB>label")),
                   ALM_MALFORMED;
        }
        if ((st = put(l, key, alm_session_label(label), err)) != ALM_OK) return st;
    }
    return st == ALM_END ? ALM_OK : st;
}

alm_status alm_labels_read(alm_labels **out, const char *path, alm_cli *cli, alm_error *err) {
    alm_labels *l = alm_calloc(1, sizeof *l);
    alm_reader *reader = NULL;
    if (!l) return alm_fail_memory(err);
    alm_str ext = alm_str_of(path);
    alm_reader_options o = {.size = sizeof o,
                            .format = alm_str_ends(ext, ALM_STR(".csv")) ? ALM_RECORD_CSV : ALM_RECORD_TSV,
                            .multiline = "off",
                            .no_time = true,
                            .cancel = cli->cancel};
    alm_status st = alm_arena_new(&l->text, 1 << 14, 0, err);
    if (st == ALM_OK) st = grow(l, err);
    if (st == ALM_OK) st = alm_reader_open(&reader, &path, 1, &o, err);
    if (st == ALM_OK) st = read_rows(l, reader, path, err);
    alm_reader_close(reader);
    if (st != ALM_OK) return alm_labels_free(l), st;
    *out = l;
    return ALM_OK;
}

void alm_labels_free(alm_labels *l) {
    if (!l) return;
    alm_arena_free(l->text);
    alm_free(l->at);
    alm_free(l);
}

void alm_labels_seen(alm_labels *l, alm_str group, uint64_t line, bool alarm) {
    char number[24];
    if (l->by_line) {
        size_t n = 0;
        for (uint64_t x = line; n == 0 || x; x /= 10) number[sizeof number - ++n] = (char)('0' + x % 10);
        group = alm_str_make(number + sizeof number - n, n);
    }
    if (!group.n) return;
    entry *e = place(l->at, l->cap, group, hash_of(group));
    if (!e->hash) return;
    e->seen = true;
    e->alarm = e->alarm || alarm;
}

alm_labels_score alm_labels_score_of(const alm_labels *l) {
    alm_labels_score s = {0};
    for (size_t i = 0; i < l->cap; i++) {
        if (!l->at[i].hash || !l->at[i].seen) continue;
        if (l->at[i].anomalous) s.n_anomalous++, s.n_found += l->at[i].alarm;
        else s.n_normal++, s.n_false += l->at[i].alarm;
    }
    return s;
}
