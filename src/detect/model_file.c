/* SPDX-License-Identifier: Apache-2.0
 *
 * model_file.c - a model of what is normal as a GGUF file with keys alm.* (docs/format/model.md), and back.
 *
 *   alm.kind "normal", alm.version 2      what this is; a newer version is ALM_UNSUPPORTED
 *   alm.alpha, alm.sessions, alm.group_rule, alm.miner, alm.names
 *   alm.events                            seven words an event: id, n_all, n_free, n_ends, gap, gap_ns, name (at << 32 | n)
 *   alm.totals                            words: records, free records, longest group, and the counts of alm_normal_info
 *   alm.detector.NAME                     what each detector has learned (its file says how)
 *   alm.calibration.groups, .records      scores: the largest first; in time order
 *
 * The file is foreign when it comes back: every number is checked before it is used. */
#include "base/alloc.h"
#include "detect/detect.h"
#include "detect/surprise.h"
#include "detect/words.h"
#include <stdio.h>
#include <sys/stat.h>

enum { VERSION = 2, ALIGNMENT = 32, EVENT_WORDS = 7, TOTAL_WORDS = 10 };

/* The buffer as the value of a key, unless writing to it has failed; empties it. */
static alm_status set_bytes(alm_gguf_writer *w, const char *key, alm_buf *b, alm_error *err) {
    alm_status st = alm_buf_status(b, err);
    if (st == ALM_OK) alm_gguf_set_array(w, key, ALM_GGUF_U8, b->at ? b->at : "", b->n);
    alm_buf_clear(b);
    return st;
}

static bool events_to(const alm_normal *m, alm_buf *b) {
    bool fine = true;
    for (size_t i = ALM_EVENT_FIRST; i < m->n_event && fine; i++) {
        const alm_event_row *r = &m->event[i];
        fine = alm_buf_add_le64(b, r->id) && alm_buf_add_le64(b, (uint64_t)r->n_all) &&
               alm_buf_add_le64(b, (uint64_t)r->n_free) && alm_buf_add_le64(b, (uint64_t)r->n_ends) &&
               alm_buf_add_le64(b, r->gap) && alm_buf_add_le64(b, (uint64_t)r->gap_ns) &&
               alm_buf_add_le64(b, ((uint64_t)r->name_at << 32) | r->name_n);
    }
    return fine;
}

static bool totals_to(const alm_normal *m, alm_buf *b) {
    const alm_normal_info *t = &m->info;
    const uint64_t x[TOTAL_WORDS] = {
        (uint64_t)m->n_records, (uint64_t)m->n_free,   m->longest_group, t->n_records,        t->n_groups,
        t->n_groups_fit,        t->n_groups_calibrate, t->n_groups_cut,  t->n_free_calibrate, t->n_labelled_out};
    bool fine = true;
    for (unsigned i = 0; i < TOTAL_WORDS && fine; i++) fine = alm_buf_add_le64(b, x[i]);
    return fine;
}

static alm_status fill(const alm_normal *m, alm_gguf_writer *w, alm_buf *b, alm_error *err) {
    alm_status st;
    alm_gguf_set_str(w, "general.architecture", ALM_STR("allmende-normal"));
    alm_gguf_set_str(w, "alm.kind", ALM_STR("normal"));
    alm_gguf_set_u32(w, "alm.version", VERSION);
    alm_gguf_set_f64(w, "alm.alpha", m->alpha);
    alm_gguf_set_bool(w, "alm.sessions", m->sessions);
    alm_gguf_set_array(w, "alm.calibration.groups", ALM_GGUF_F64, m->group_cal, m->n_group_cal);
    alm_gguf_set_array(w, "alm.calibration.records", ALM_GGUF_F64, m->free_cal, m->n_free_cal);
    alm_gguf_set_array(w, "alm.names", ALM_GGUF_U8, m->names.at ? m->names.at : "", m->names.n);
    alm_group_rule_save(&m->rule, b);
    if ((st = set_bytes(w, "alm.group_rule", b, err)) != ALM_OK) return st;
    totals_to(m, b);
    if ((st = set_bytes(w, "alm.totals", b, err)) != ALM_OK) return st;
    events_to(m, b);
    if ((st = set_bytes(w, "alm.events", b, err)) != ALM_OK) return st;
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        char key[64];
        if (!alm_detectors[i]->save) continue;
        bool fine = alm_detectors[i]->save(m, b);
        snprintf(key, sizeof key, "alm.detector.%s", alm_detectors[i]->name);
        if ((st = set_bytes(w, key, b, err)) != ALM_OK) return st;
        if (!fine) return alm_fail_memory(err);
    }
    if (m->surprise && (st = alm_surprise_to_gguf(m->surprise, w, err)) != ALM_OK) return st;
    if (!m->miner) return ALM_OK;
    st = alm_miner_save(m->miner, b, err);
    return st == ALM_OK ? set_bytes(w, "alm.miner", b, err) : st;
}

/* To a file, or to bytes. */
static alm_status write_to(const alm_normal *m, const char *path, alm_buf *bytes, alm_error *err) {
    alm_gguf_writer *w = NULL;
    alm_buf b = alm_buf_with_limit((size_t)2 << 30);
    alm_status st = alm_gguf_writer_new(&w, err);
    if (st == ALM_OK) st = fill(m, w, &b, err);
    if (st == ALM_OK) st = path ? alm_gguf_writer_save(w, path, err) : alm_gguf_writer_bytes(w, bytes, err);
    alm_gguf_writer_free(w);
    alm_buf_free(&b);
    return st;
}

alm_status alm_normal_save(const alm_normal *m, const char *path, alm_error *err) {
    return write_to(m, path, NULL, err);
}
alm_status alm_normal_bytes(const alm_normal *m, alm_buf *out, alm_error *err) { return write_to(m, NULL, out, err); }

static alm_status bytes_of(const alm_gguf *g, const char *key, alm_str *out, alm_error *err) {
    const alm_gguf_value *v;
    alm_status st = alm_gguf_array(g, key, ALM_GGUF_U8, &v, err);
    if (st == ALM_OK) *out = (alm_str){(const char *)v->at, v->n_bytes};
    return st;
}

static alm_status scores_of(const alm_gguf *g, const char *key, bool sorted, double **out, size_t *n, size_t *cap,
                            alm_error *err) {
    const alm_gguf_value *v;
    alm_status st = alm_gguf_array(g, key, ALM_GGUF_F64, &v, err);
    if (st != ALM_OK) return st;
    if (!alm_grow((void **)out, cap, (size_t)v->n, sizeof **out)) return alm_fail_memory(err);
    for (uint64_t i = 0; i < v->n; i++) {
        double x = alm_gguf_item_f64(v, i);
        if (!(x > -1e9 && x < 1e9) || (sorted && i && x > (*out)[i - 1]))
            return alm_fail(err, ALM_MALFORMED, "model: %s is damaged: a score in it is outside its range", key);
        (*out)[i] = x;
    }
    *n = (size_t)v->n;
    return ALM_OK;
}

static alm_status events_from(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    const uint64_t big = (uint64_t)1 << 53;
    if (bytes.n % (8 * EVENT_WORDS) || bytes.n / (8 * EVENT_WORDS) > ALM_MAX_EVENTS) w.fine = false;
    while (w.fine && w.rest.n) {
        alm_event_row r = {.id = alm_words_u64(&w)};
        r.n_all = (double)alm_words_below(&w, big);
        r.n_free = (double)alm_words_below(&w, big);
        r.n_ends = (double)alm_words_below(&w, big);
        r.gap = alm_words_below(&w, big);
        r.gap_ns = (int64_t)alm_words_below(&w, (uint64_t)1 << 62);
        uint64_t name = alm_words_u64(&w);
        r.name_at = (uint32_t)(name >> 32);
        r.name_n = (uint32_t)name;
        if ((uint64_t)r.name_at + r.name_n > m->names.n) w.fine = false;
        size_t before = m->n_event;
        uint32_t e;
        alm_status st = w.fine ? alm_normal_event(m, r.id, &e, err) : ALM_OK;
        if (st != ALM_OK) return st;
        if (m->n_event == before) w.fine = false; /* an id twice */
        else {
            m->event[e] = r;
            m->n_once += r.n_free == 1;
        }
    }
    return alm_words_end(&w, "alm.events", err);
}

static alm_status totals_from(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    uint64_t x[TOTAL_WORDS];
    for (unsigned i = 0; i < TOTAL_WORDS; i++) x[i] = alm_words_below(&w, (uint64_t)1 << 53);
    m->n_records = (double)x[0];
    m->n_free = (double)x[1];
    m->longest_group = x[2];
    m->info = (alm_normal_info){.n_records = x[3],
                                .n_groups = x[4],
                                .n_groups_fit = x[5],
                                .n_groups_calibrate = x[6],
                                .n_groups_cut = x[7],
                                .n_free_calibrate = x[8],
                                .n_labelled_out = x[9],
                                .n_free_fit = x[1]};
    return alm_words_end(&w, "alm.totals", err);
}

static alm_status read_all(alm_normal *m, const alm_gguf *g, alm_error *err) {
    alm_status st;
    alm_str b;
    if ((st = alm_gguf_f64(g, "alm.alpha", &m->alpha, err)) != ALM_OK) return st;
    if (!(m->alpha > 0 && m->alpha < 1)) return alm_fail(err, ALM_MALFORMED, "model: alm.alpha is outside (0, 1)");
    if ((st = alm_gguf_bool(g, "alm.sessions", &m->sessions, err)) != ALM_OK) return st;
    if ((st = bytes_of(g, "alm.group_rule", &b, err)) != ALM_OK ||
        (st = alm_group_rule_load(&m->rule, b, err)) != ALM_OK)
        return st;
    if (m->sessions != (m->rule.kind == ALM_RULE_SESSIONS))
        return alm_fail(err, ALM_MALFORMED, "model: alm.sessions and alm.group_rule do not agree");
    if ((st = bytes_of(g, "alm.names", &b, err)) != ALM_OK) return st;
    if (!alm_buf_add_str(&m->names, b)) return alm_buf_status(&m->names, err);
    if ((st = bytes_of(g, "alm.totals", &b, err)) != ALM_OK || (st = totals_from(m, b, err)) != ALM_OK) return st;
    if ((st = bytes_of(g, "alm.events", &b, err)) != ALM_OK || (st = events_from(m, b, err)) != ALM_OK) return st;
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        char key[64];
        if (!alm_detectors[i]->load) continue;
        snprintf(key, sizeof key, "alm.detector.%s", alm_detectors[i]->name);
        if ((st = bytes_of(g, key, &b, err)) != ALM_OK || (st = alm_detectors[i]->load(m, b, err)) != ALM_OK) return st;
    }
    if ((st = scores_of(g, "alm.calibration.groups", true, &m->group_cal, &m->n_group_cal, &m->cap_group_cal, err)) !=
        ALM_OK)
        return st;
    if ((st = scores_of(g, "alm.calibration.records", false, &m->free_cal, &m->n_free_cal, &m->cap_free_cal, err)) !=
        ALM_OK)
        return st;
    if (m->sessions) return ALM_OK;
    alm_miner_options mo = {.size = sizeof mo};
    if ((st = bytes_of(g, "alm.miner", &b, err)) != ALM_OK || (st = alm_miner_load(&m->miner, b, &mo, err)) != ALM_OK)
        return st;
    alm_miner_set_match_only(m->miner, true);
    return alm_normal_index(m, err);
}

static alm_status read_file(alm_normal *m, const alm_gguf *g, const char *path, alm_error *err) {
    alm_str kind;
    uint64_t version;
    if (alm_gguf_str(g, "alm.kind", &kind, NULL) != ALM_OK || !alm_str_eq(kind, ALM_STR("normal"))) {
        alm_fail(err, ALM_MISMATCH,
                 "%s: a GGUF file, but no model of what is normal (its alm.kind is missing or another one)", path);
        alm_hint(err, "make one with: alm learn FILE -o MODEL.gguf");
        return ALM_MISMATCH;
    }
    alm_status st = alm_gguf_u64(g, "alm.version", &version, err);
    if (st != ALM_OK) return st;
    if (version != VERSION) {
        alm_fail(err, ALM_UNSUPPORTED, "%s: version %llu of the model format; this program reads version %d", path,
                 (unsigned long long)version, VERSION);
        alm_hint(err, "learn it again with this program, or use the program that wrote it");
        return ALM_UNSUPPORTED;
    }
    st = read_all(m, g, err);
    if (st != ALM_OK && err && err->text[0] && st != ALM_NO_MEMORY) {
        char text[sizeof err->text];
        memcpy(text, err->text, sizeof text);
        if (st == ALM_NOT_FOUND || st == ALM_MISMATCH) st = ALM_MALFORMED;
        alm_fail(err, st, "%s: %s", path, text);
    }
    return st;
}

/* Takes the container: a language model's weights lie in it. */
static alm_status from_container(alm_normal **out, alm_gguf *g, const char *name, alm_error *err) {
    alm_normal *m = NULL;
    bool taken = false;
    alm_status st = alm_normal_new(&m, err);
    if (st == ALM_OK) st = read_file(m, g, name, err);
    if (st == ALM_OK) st = alm_surprise_from_gguf(m, g, &taken, err);
    if (!taken) alm_gguf_close(g);
    if (st != ALM_OK) {
        alm_normal_free(m);
        return st;
    }
    m->settled = true;
    alm_normal_describe(m);
    *out = m;
    return ALM_OK;
}

alm_status alm_normal_open(alm_normal **out, const char *path, alm_error *err) {
    alm_gguf *g = NULL;
    struct stat file;
    alm_status st = alm_gguf_open(&g, path, err);
    /* The writer pads to this; what is missing there is not missed by the reader, but says that the file was cut. */
    if (st == ALM_OK && stat(path, &file) == 0 && file.st_size % ALIGNMENT != 0) {
        alm_gguf_close(g);
        alm_fail(err, ALM_MALFORMED, "%s: the file ends too early, inside its padding", path);
        alm_hint(err, "it was cut off: copy it again, or learn it again");
        return ALM_MALFORMED;
    }
    return st == ALM_OK ? from_container(out, g, path, err) : st;
}

alm_status alm_normal_parse(alm_normal **out, const char *name, alm_str bytes, alm_error *err) {
    alm_gguf *g = NULL;
    alm_status st = alm_gguf_parse(&g, name, bytes, err);
    return st == ALM_OK ? from_container(out, g, name, err) : st;
}
