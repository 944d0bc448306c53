/* SPDX-License-Identifier: Apache-2.0
 *
 * group.c - the identifier that links records: found by a rule, and the rule found by a search.
 *
 * An identifier is a run of letters, digits, '_' and '-' with a digit in it, of one of these forms:
 *   PREFIX-UUID, PREFIX_NUMBER, PREFIX-HEX ...   letters, then '_' or '-', then the rest ("blk_-1608999", "req-a4498d64-…")
 *   UUID, HEX (8 digits or more, also behind 0x), NUMBER (4 digits or more)      with a word in front within 3 characters
 * The search keeps up to SHAPES shapes and, for all of them together, VALUES values: how many records, from where to where,
 * which templates (64 bits, one a class of templates) and which one first. The best rule has the largest
 *     coverage by values that come and go  x  log2(1 + templates per value)
 * among the shapes for which all hold: 20 values or more; at least 20 % of the records carry it; at least half of these by
 * values that live less than a quarter of the stream; values with 2.5 records and 1.9 templates on average; half of the
 * values begin with one of the four commonest first templates. */
#include "detect/group.h"
#include "base/alloc.h"
#include "detect/table64.h"
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define LEAST_SHARE 0.05
enum { SHAPES = 64, VALUES = 200000, FIRSTS = 32, SCAN = 4096 };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
/* One bit a byte: these two are asked for nearly every byte of every record. */
static const uint64_t hex_bits[4] = {0x03FF000000000000, 0x0000007E0000007E}; /* 0-9, A-F a-f */
static const uint64_t run_bits[4] = {0x03FF200000000000, 0x07FFFFFE87FFFFFE}; /* - 0-9, A-Z _ a-z */
static bool has(const uint64_t bits[4], char c) { return bits[(unsigned char)c >> 6] >> ((unsigned char)c & 63) & 1; }
static bool is_hex(char c) { return has(hex_bits, c); }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_run(char c) { return has(run_bits, c); }

/* The kind of the whole stretch; false when it is no identifier of `least` characters. */
static bool kind_of(alm_id_kind *out, const char *at, size_t n, size_t least) {
    if (n == 36 && at[8] == '-' && at[13] == '-' && at[18] == '-' && at[23] == '-') {
        bool uuid = true;
        for (size_t i = 0; i < n && uuid; i++) uuid = i == 8 || i == 13 || i == 18 || i == 23 || is_hex(at[i]);
        if (uuid) {
            *out = ALM_ID_UUID;
            return true;
        }
    }
    if (n > 1 && at[0] == '-') at++, n--;
    if (n > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) at += 2, n -= 2;
    size_t digits = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_hex(at[i])) return false;
        digits += is_digit(at[i]);
    }
    if (digits == n && n >= least) {
        *out = ALM_ID_NUMBER;
        return true;
    }
    *out = ALM_ID_HEX;
    return digits > 0 && n >= (least > 3 ? 8 : 6);
}

/* The next identifier from *pos on, with its shape. */
static bool next_id(alm_str text, size_t *pos, alm_id_shape *shape, alm_str *value) {
    size_t i = *pos, n = text.n < SCAN ? text.n : SCAN;
    while (i < n) {
        if (!is_run(text.at[i])) {
            i++;
            continue;
        }
        size_t from = i;
        bool digit = false;
        for (; i < n && is_run(text.at[i]); i++) digit = digit || is_digit(text.at[i]);
        size_t len = i - from;
        if (!digit || len < 4 || len > 100) continue;
        const char *at = text.at + from;
        size_t letters = 0;
        while (letters < len && is_letter(at[letters])) letters++;
        alm_id_kind kind;
        if (letters >= 2 && letters + 1 < ALM_RULE_WORD && letters + 3 < len &&
            (at[letters] == '_' || at[letters] == '-') && kind_of(&kind, at + letters + 1, len - letters - 1, 3)) {
            shape->kind =
                kind == ALM_ID_HEX ? ALM_ID_NUMBER : kind; /* behind a prefix, digits may happen to lack letters */
            shape->n_prefix = (uint8_t)(letters + 1);
            memcpy(shape->prefix, at, letters + 1);
            shape->n_context = 0;
            *value = (alm_str){at, len};
            *pos = i;
            return true;
        }
        if (!kind_of(&kind, at, len, 4)) continue;
        size_t end = from, gap = 0; /* the word in front */
        while (end > 0 && gap < 3 && !is_letter(text.at[end - 1]) && !is_digit(text.at[end - 1]) &&
               text.at[end - 1] != '_')
            end--, gap++;
        size_t begin = end;
        while (begin > 0 && end - begin < ALM_RULE_WORD - 1 &&
               (is_letter(text.at[begin - 1]) || text.at[begin - 1] == '_'))
            begin--;
        if (begin == end || gap == 0) continue;
        shape->kind = kind;
        shape->n_prefix = 0;
        shape->n_context = (uint8_t)(end - begin);
        memcpy(shape->context, text.at + begin, end - begin);
        *value = (alm_str){at, len};
        *pos = i;
        return true;
    }
    *pos = i;
    return false;
}

static uint64_t shape_hash(const alm_id_shape *s) {
    uint64_t h = s->kind == ALM_ID_UUID;
    h = alm_hash_mix(h, alm_hash64(s->prefix, s->n_prefix, 1));
    return alm_hash_mix(h, alm_hash64(s->context, s->n_context, 2));
}

alm_status alm_group_rule_make(alm_group_rule *out, const char *group_by, alm_error *err) {
    *out = (alm_group_rule){0};
    if (!group_by || strcmp(group_by, "off") == 0) return ALM_OK;
    bool field = strncmp(group_by, "field:", 6) == 0;
    const char *text = field ? group_by + 6 : group_by;
    size_t n = strlen(text);
    if (n == 0 || n >= ALM_RULE_TEXT)
        return alm_fail(err, ALM_INVALID, "group-by: the %s is empty or longer than %d bytes",
                        field ? "field name" : "regex", ALM_RULE_TEXT - 1);
    if (!field) {
        int code;
        PCRE2_SIZE at;
        pcre2_code *re = pcre2_compile((PCRE2_SPTR)text, n, PCRE2_DOTALL, &code, &at, NULL);
        if (!re) {
            PCRE2_UCHAR why[160] = "";
            pcre2_get_error_message(code, why, sizeof why);
            return alm_fail(err, ALM_INVALID, "group-by: the regex does not compile at character %zu: %s",
                            (size_t)at + 1, (const char *)why);
        }
        pcre2_jit_compile(re, PCRE2_JIT_COMPLETE);
        pcre2_match_data *match = pcre2_match_data_create_from_pattern(re, NULL);
        if (!match) {
            pcre2_code_free(re);
            return alm_fail_memory(err);
        }
        out->code = re;
        out->match = match;
    }
    out->kind = field ? ALM_RULE_FIELD : ALM_RULE_REGEX;
    memcpy(out->text, text, n + 1);
    return ALM_OK;
}

void alm_group_rule_free(alm_group_rule *r) {
    if (r->match) pcre2_match_data_free(r->match);
    if (r->code) pcre2_code_free(r->code);
    *r = (alm_group_rule){0};
}

/* The stretch of identifier characters that begins at `from`. */
static size_t run_end(alm_str text, size_t from) {
    while (from < text.n && is_run(text.at[from])) from++;
    return from;
}

/* Hexadecimal digits that happen to be letters only. */
static bool all_hex(const char *at, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!is_hex(at[i])) return false;
    return n >= 6;
}

/* Both look for the letters first, which most records either lack or have once: that is faster than reading every token. */
static alm_str behind_prefix(const alm_id_shape *s, alm_str text) {
    for (size_t at = 0; at < text.n;) {
        const char *hit = memmem(text.at + at, text.n - at, s->prefix, s->n_prefix);
        if (!hit) break;
        size_t from = (size_t)(hit - text.at), end = run_end(text, from);
        alm_id_kind kind;
        if ((from == 0 || !is_run(hit[-1])) && end - from <= 100 && end - from > s->n_prefix + 2u &&
            (kind_of(&kind, hit + s->n_prefix, end - from - s->n_prefix, 3)
                 ? (kind == ALM_ID_UUID) == (s->kind == ALM_ID_UUID)
                 : s->kind != ALM_ID_UUID && all_hex(hit + s->n_prefix, end - from - s->n_prefix)))
            return (alm_str){hit, end - from};
        at = from + s->n_prefix;
    }
    return (alm_str){NULL, 0};
}

static alm_str behind_word(const alm_id_shape *s, alm_str text) {
    for (size_t at = 0; s->n_context && at < text.n;) {
        const char *hit = memmem(text.at + at, text.n - at, s->context, s->n_context);
        if (!hit) break;
        size_t word = (size_t)(hit - text.at), from = word + s->n_context, gap = 0;
        at = from;
        if (word && (is_letter(hit[-1]) || hit[-1] == '_')) continue;
        while (from < text.n && gap < 3 && !is_run(text.at[from])) from++, gap++;
        if (gap == 0) continue;
        size_t end = run_end(text, from);
        alm_id_kind kind;
        if (end - from >= 4 && end - from <= 100 && kind_of(&kind, text.at + from, end - from, 4) &&
            (kind == ALM_ID_UUID) == (s->kind == ALM_ID_UUID))
            return (alm_str){text.at + from, end - from};
    }
    return (alm_str){NULL, 0};
}

alm_str alm_group_of(const alm_group_rule *r, alm_str text) {
    alm_str none = {NULL, 0};
    if (r->kind == ALM_RULE_FOUND)
        return r->shape.n_prefix ? behind_prefix(&r->shape, text) : behind_word(&r->shape, text);
    if (r->kind != ALM_RULE_REGEX) return none;
    int n = pcre2_match(r->code, (PCRE2_SPTR)(text.at ? text.at : ""), text.n, 0, 0, r->match, NULL);
    if (n < 1) return none;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(r->match);
    int g = n > 1 && at[2] != PCRE2_UNSET ? 1 : 0;
    if (at[2 * g + 1] <= at[2 * g]) return none;
    return (alm_str){text.at + at[2 * g], at[2 * g + 1] - at[2 * g]};
}

static const char *in_words(const char *(*translate)(const char *), const char *english) __attribute__((format_arg(2)));
static const char *in_words(const char *(*translate)(const char *), const char *english) {
    return translate ? translate(english) : english;
}

void alm_group_rule_text(const alm_group_rule *r, const char *(*translate)(const char *english), alm_buf *out) {
    static const char *const kind[] = {"number", "hex", "uuid"};
    switch (r->kind) {
    case ALM_RULE_NONE: break;
    case ALM_RULE_FIELD: alm_buf_printf(out, in_words(translate, "the field %s"), r->text); break;
    case ALM_RULE_REGEX: alm_buf_printf(out, in_words(translate, "the regex %s"), r->text); break;
    case ALM_RULE_SESSIONS: alm_buf_add_text(out, in_words(translate, "sessions as given")); break;
    case ALM_RULE_FOUND:
        if (r->shape.n_prefix)
            alm_buf_printf(out, in_words(translate, "identifiers like %.*s<%s>"), r->shape.n_prefix, r->shape.prefix,
                           kind[r->shape.kind]);
        else
            alm_buf_printf(out, in_words(translate, "the <%s> behind \"%.*s\""), kind[r->shape.kind],
                           r->shape.n_context, r->shape.context);
        break;
    }
}

bool alm_group_rule_save(const alm_group_rule *r, alm_buf *out) {
    char head[4] = {(char)r->kind, (char)r->shape.kind, (char)r->shape.n_prefix, (char)r->shape.n_context};
    return alm_buf_add(out, head, 4) && alm_buf_add(out, r->shape.prefix, r->shape.n_prefix) &&
           alm_buf_add(out, r->shape.context, r->shape.n_context) && alm_buf_add_text(out, r->text);
}

alm_status alm_group_rule_load(alm_group_rule *out, alm_str b, alm_error *err) {
    *out = (alm_group_rule){0};
    unsigned char head[4];
    if (b.n < 4) return alm_fail(err, ALM_MALFORMED, "model: alm.group_rule is cut off");
    memcpy(head, b.at, 4);
    size_t rest = b.n - 4;
    if (head[0] > ALM_RULE_SESSIONS || head[1] > ALM_ID_UUID || head[2] >= ALM_RULE_WORD || head[3] >= ALM_RULE_WORD ||
        rest < (size_t)head[2] + head[3] || rest - head[2] - head[3] >= ALM_RULE_TEXT)
        return alm_fail(err, ALM_MALFORMED, "model: alm.group_rule is damaged: a number in it is outside its range");
    const char *text = b.at + 4 + head[2] + head[3];
    size_t n = rest - head[2] - head[3];
    if (memchr(text, 0, n)) return alm_fail(err, ALM_MALFORMED, "model: alm.group_rule is damaged: a NUL in a name");
    if (head[0] == ALM_RULE_REGEX || head[0] == ALM_RULE_FIELD) {
        char by[ALM_RULE_TEXT + 8] = "field:";
        size_t at = head[0] == ALM_RULE_FIELD ? 6 : 0;
        memcpy(by + at, text, n);
        by[at + n] = 0;
        alm_status st = alm_group_rule_make(out, by, err);
        if (st == ALM_INVALID || (st == ALM_OK && out->kind != (alm_rule_kind)head[0])) {
            alm_group_rule_free(out);
            return alm_fail(err, ALM_MALFORMED, "model: alm.group_rule is damaged: its regex or field is none");
        }
        return st;
    }
    out->kind = (alm_rule_kind)head[0];
    out->shape = (alm_id_shape){.kind = (alm_id_kind)head[1], .n_prefix = head[2], .n_context = head[3]};
    memcpy(out->shape.prefix, b.at + 4, head[2]);
    memcpy(out->shape.context, b.at + 4 + head[2], head[3]);
    return ALM_OK;
}

typedef struct value_row {
    uint32_t shape, n;
    uint64_t first_at, last_at, templates;
    uint32_t first_event;
} value_row;

struct alm_group_search {
    alm_id_shape shape[SHAPES];
    uint64_t hash[SHAPES], n_records[SHAPES];
    unsigned n_shape;
    alm_table64 by_value;
    value_row *value;
    size_t n_value, cap_value;
    uint64_t n;
};

alm_status alm_group_search_new(alm_group_search **out, alm_error *err) {
    alm_group_search *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    *out = s;
    return ALM_OK;
}

void alm_group_search_free(alm_group_search *s) {
    if (!s) return;
    alm_table64_free(&s->by_value);
    alm_free(s->value);
    alm_free(s);
}

static unsigned shape_at(alm_group_search *s, const alm_id_shape *shape) {
    uint64_t h = shape_hash(shape);
    for (unsigned i = 0; i < s->n_shape; i++)
        if (s->hash[i] == h) return i;
    if (s->n_shape == SHAPES) return SHAPES;
    s->shape[s->n_shape] = *shape;
    s->hash[s->n_shape] = h;
    return s->n_shape++;
}

alm_status alm_group_search_add(alm_group_search *s, alm_str text, uint32_t event, alm_error *err) {
    uint64_t done = 0; /* one bit a shape: only the first value of a shape in a record counts */
    alm_id_shape shape;
    alm_str v;
    s->n++;
    for (size_t pos = 0; next_id(text, &pos, &shape, &v);) {
        unsigned k = shape_at(s, &shape);
        if (k == SHAPES || (done >> k & 1)) continue;
        done |= (uint64_t)1 << k;
        s->n_records[k]++;
        uint64_t key = alm_hash_mix(alm_hash_str(v), k);
        uint32_t at = alm_table64_get(&s->by_value, key);
        if (at == UINT32_MAX) {
            if (s->n_value >= VALUES) continue;
            if (!alm_grow((void **)&s->value, &s->cap_value, s->n_value + 1, sizeof *s->value))
                return alm_fail_memory(err);
            at = (uint32_t)s->n_value;
            alm_status st = alm_table64_set(&s->by_value, key, at, err);
            if (st != ALM_OK) return st;
            s->value[s->n_value++] = (value_row){.shape = k, .first_at = s->n, .first_event = event};
        }
        value_row *r = &s->value[at];
        r->n++;
        r->last_at = s->n;
        r->templates |= (uint64_t)1 << (alm_hash_mix(7, event) & 63);
    }
    return ALM_OK;
}

/* Worth of shape k; 0 when it links nothing. */
static double worth(const alm_group_search *s, unsigned k) {
    uint32_t first[FIRSTS] = {0}, first_n[FIRSTS] = {0};
    unsigned n_first = 0;
    double values = 0, records = 0, passing = 0, templates = 0;
    for (size_t i = 0; i < s->n_value; i++) {
        const value_row *r = &s->value[i];
        if (r->shape != k) continue;
        values += 1;
        records += r->n;
        if ((r->last_at - r->first_at) * 4 < s->n) passing += r->n;
        templates += __builtin_popcountll(r->templates);
        unsigned f = 0;
        while (f < n_first && first[f] != r->first_event) f++;
        if (f == n_first && n_first < FIRSTS) first[n_first++] = r->first_event;
        if (f < FIRSTS) first_n[f]++;
    }
    if (values < 20) return 0;
    double common = 0;
    for (unsigned round = 0; round < 4; round++) {
        unsigned best = 0;
        for (unsigned f = 1; f < n_first; f++)
            if (first_n[f] > first_n[best]) best = f;
        common += first_n[best];
        first_n[best] = 0;
    }
    if ((double)s->n_records[k] < 0.2 * (double)s->n || passing < 0.5 * records || records < 2.5 * values ||
        templates < 1.9 * values || common < 0.5 * values)
        return 0;
    double x = 1 + templates / values,
           log2 = 0; /* the integer part and a straight line between powers: enough to rank */
    while (x >= 2) x /= 2, log2 += 1;
    return passing / (double)s->n * (log2 + x - 1);
}

void alm_group_search_best(const alm_group_search *s, alm_group_rule *out) {
    double best = 0;
    *out = (alm_group_rule){0};
    for (unsigned k = 0; k < s->n_shape; k++) {
        double w = worth(s, k);
        if (w <= best) continue;
        best = w;
        out->kind = ALM_RULE_FOUND;
        out->shape = s->shape[k];
    }
}
