/* SPDX-License-Identifier: Apache-2.0
 *
 * jsonl.c - JSON lines: one value a line; the members of an object become fields a.b.c, elements of arrays a.0, a.1.
 *
 * The line stays as it is (raw and text); a copy is parsed in place, and values without escapes point into it. A line that
 * is not JSON (half an object, a message of another program in between) is kept as text with a flag. Blank lines are skipped.
 *
 * The time is taken from the member whose name says that it is one (finish.c has the list): outer ones before inner ones,
 * better names before others. */
#include "record/reader.h"

enum { MAX_NODES = 1 << 18, MAX_DEPTH = 128, SNIFF_LINES = 64, INNER = 100 };

static bool is_blank_line(alm_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.at[i] != ' ' && s.at[i] != '\t') return false;
    return true;
}

static alm_status frame(alm_reader *r, alm_record *out, alm_error *err) {
    for (;;) {
        alm_status st = alm_lines_frame_one(r, out, err);
        if (st != ALM_OK || !is_blank_line(out->raw) || (out->flags & ALM_RECORD_CUT)) return st;
        r->counts.bytes_raw -= out->raw.n;
        r->counts.bytes_line_end -= r->consumed - out->raw.n;
        r->counts.bytes_skipped += r->consumed;
        r->line++;
        out->flags = 0;
    }
}

typedef struct walk {
    alm_reader *r;
    alm_record *out;
    char path[ALM_MAX_KEY_BYTES];
    size_t n_path;
    unsigned rank; /* of the best time field so far */
    alm_str time;
    bool no_memory;
} walk;

static bool step_into(walk *w, alm_str name) {
    size_t dot = w->n_path ? 1 : 0;
    if (name.n + dot > sizeof w->path - w->n_path) {
        w->out->flags |= ALM_RECORD_FIELDS_CUT;
        return false;
    }
    if (dot) w->path[w->n_path++] = '.';
    if (name.n) memcpy(w->path + w->n_path, name.at, name.n);
    w->n_path += name.n;
    return true;
}

static void consider_time(walk *w, alm_str name, const alm_json *v, unsigned depth) {
    unsigned rank = alm_time_field_rank(name);
    if (!rank || (v->type != ALM_JSON_STRING && v->type != ALM_JSON_NUMBER)) return;
    if (depth > 1) rank += INNER * (depth - 1);
    if (w->rank && rank >= w->rank) return;
    alm_stamp s;
    if (!alm_stamp_value(&s, v->text)) return;
    w->rank = rank;
    w->time = v->text;
}

static void value(walk *w, const alm_json *v, alm_str name, unsigned depth);

static void children(walk *w, const alm_json *v, unsigned depth) {
    size_t n_path = w->n_path, index = 0;
    for (const alm_json *c = alm_json_first(v); c; c = alm_json_next(v, c), index++) {
        char number[24];
        alm_str name = c->text;
        if (v->type == ALM_JSON_ARRAY) {
            alm_buf digits = {.at = number, .cap = sizeof number, .limit = sizeof number};
            alm_buf_add_u64(&digits, index);
            name = alm_buf_str(&digits);
        }
        if (w->no_memory || w->r->n_field >= ALM_MAX_FIELDS) {
            if (!w->no_memory) w->out->flags |= ALM_RECORD_FIELDS_CUT;
            return;
        }
        if (!step_into(w, name)) continue;
        value(w, v->type == ALM_JSON_OBJECT ? c + 1 : c, name, depth + 1);
        w->n_path = n_path;
    }
}

static void value(walk *w, const alm_json *v, alm_str name, unsigned depth) {
    static const alm_str words[] = {
        [ALM_JSON_NULL] = {"null", 4}, [ALM_JSON_FALSE] = {"false", 5}, [ALM_JSON_TRUE] = {"true", 4}};
    static const alm_field_kind kinds[] = {
        [ALM_JSON_NULL] = ALM_FIELD_NULL,     [ALM_JSON_FALSE] = ALM_FIELD_BOOL,    [ALM_JSON_TRUE] = ALM_FIELD_BOOL,
        [ALM_JSON_NUMBER] = ALM_FIELD_NUMBER, [ALM_JSON_STRING] = ALM_FIELD_STRING,
    };
    if (v->type == ALM_JSON_ARRAY || v->type == ALM_JSON_OBJECT) {
        if (v->n) children(w, v, depth);
        return; /* an empty container has no fields */
    }
    consider_time(w, name, v, depth);
    alm_str key = depth == 0 ? ALM_STR("value") : name;
    if (depth > 1) { /* a key of several parts needs a place of its own */
        key = alm_arena_copy(w->r->keys, (alm_str){w->path, w->n_path});
        if (!key.at) {
            w->no_memory = true;
            return;
        }
    } else if (depth == 1 && w->r->doc.node[0].type == ALM_JSON_ARRAY) {
        key = alm_arena_copy(w->r->keys, name);
        if (!key.at) {
            w->no_memory = true;
            return;
        }
    }
    (void)alm_reader_add_field(w->r, w->out, key, v->type <= ALM_JSON_TRUE ? words[v->type] : v->text, kinds[v->type]);
}

alm_status alm_jsonl_flatten(alm_reader *r, alm_record *out, alm_error *err) {
    walk w;
    w.r = r, w.out = out;
    w.n_path = 0, w.rank = 0, w.no_memory = false, w.time = (alm_str){0};
    alm_arena_reset(r->keys);
    value(&w, r->doc.node, (alm_str){0}, 0);
    if (w.no_memory) return alm_fail_memory(err);
    if (w.rank && !r->o.no_time && out->time_ns == ALM_NO_TIME) (void)alm_reader_value_time(r, out, w.time);
    return ALM_OK;
}

static alm_status parse(alm_reader *r, alm_record *out, alm_error *err) {
    static const alm_json_limits limits = {.max_depth = MAX_DEPTH, .max_nodes = MAX_NODES};
    out->text = out->raw;
    r->doc_valid = false;
    if (r->o.no_fields && r->o.no_time && !r->o.strict && !r->o.redact) return ALM_OK;
    alm_buf_clear(&r->decoded);
    if (!alm_buf_add_str(&r->decoded, out->raw)) return alm_fail_memory(err);
    alm_status st = alm_json_parse(&r->doc, r->decoded.at, r->decoded.n, &limits, NULL, NULL);
    if (st == ALM_NO_MEMORY) return alm_fail_memory(err);
    if (st == ALM_OK) {
        r->doc_valid = true;
        return alm_jsonl_flatten(r, out, err);
    }
    out->flags |= st == ALM_LIMIT ? ALM_RECORD_FIELDS_CUT : ALM_RECORD_BAD_JSON;
    if (!r->o.no_time) alm_reader_find_time(r, out);
    return ALM_OK;
}

/* `{ "key" :` is how no other text begins. */
static bool begins_object(alm_str s) {
    size_t i = 1;
    while (i < s.n && (s.at[i] == ' ' || s.at[i] == '\t')) i++;
    if (i == s.n || s.at[i++] != '"') return false;
    while (i < s.n && s.at[i] != '"') i += s.at[i] == '\\' ? 2 : 1;
    if (i++ >= s.n) return false;
    while (i < s.n && (s.at[i] == ' ' || s.at[i] == '\t')) i++;
    return i < s.n && s.at[i] == ':';
}

/* Four of five of the first lines are objects, or the beginning of one that broke off; not more of these than whole ones,
 * unless the only line is one. */
static bool looks_like(alm_reader *r, alm_str head, const char *file_name) {
    (void)file_name;
    size_t n_line = 0, n_object = 0, n_begun = 0;
    for (alm_str line; n_line < SNIFF_LINES && alm_sniff_line(&head, &line);) {
        line = alm_str_trim(line);
        if (line.n == 0 || line.n > r->decoded.limit) continue; /* one that would be cut says nothing */
        n_line++;
        if (line.at[0] != '{') continue;
        alm_buf_clear(&r->decoded);
        alm_status st = ALM_NO_MEMORY;
        if (alm_buf_add_str(&r->decoded, line))
            st = alm_json_parse(&r->doc, r->decoded.at, r->decoded.n, NULL, NULL, NULL);
        if (st == ALM_NO_MEMORY) return r->no_memory = true, false;
        if (st == ALM_OK) n_object++;
        else n_begun += begins_object(line);
    }
    if (n_begun > n_object && n_line > 1) return false;
    return n_object + n_begun > 0 && (n_object + n_begun) * 5 >= n_line * 4;
}

static void end(alm_reader *r) { r->doc_valid = false; }

const alm_source_ops alm_source_jsonl = {"jsonl", ALM_RECORD_JSONL, looks_like, NULL, frame, parse, end};
