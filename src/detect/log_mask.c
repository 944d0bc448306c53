/* SPDX-License-Identifier: Apache-2.0
 *
 * log_mask.c - user masks on PCRE2: compiled once with JIT, matched under limits.
 *
 * A record is searched for each mask from left to right; of two hits that overlap, the one of the earlier mask stays. Records are bytes: invalid UTF-8 is allowed (PCRE2_MATCH_INVALID_UTF).
 *
 * Invariant: patterns compile under the limits below, so nothing that a file or a record holds makes matching take more
 * than MATCH_LIMIT steps, and JIT code never uses more than JIT_STACK bytes. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/log_mask.h"

#include "base/alloc.h"
#include "base/file.h"
#include <pcre2.h>

enum {
    MAX_FILE_BYTES = 1 << 20,
    MAX_REGEX_BYTES = 4096,
    MAX_NAME_BYTES = 30,
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 2000,
    HEAP_LIMIT_KIB = 4096,
    JIT_STACK = 256 << 10
};

typedef struct mask {
    pcre2_code *code;
    char name[MAX_NAME_BYTES + 3]; /* with < and > */
    size_t name_n;
} mask;

struct alm_mask_set {
    mask *at;
    size_t n, cap;
    uint64_t digest;
    uint64_t gave_up;
    pcre2_general_context *general;
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
};

static void *take(size_t n, void *arg) {
    (void)arg;
    return alm_alloc(n);
}
static void give(void *at, void *arg) {
    (void)arg;
    alm_free(at);
}

void alm_mask_set_free(alm_mask_set *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) pcre2_code_free(s->at[i].code);
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    pcre2_jit_stack_free(s->stack);
    pcre2_general_context_free(s->general);
    alm_free(s->at);
    alm_free(s);
}

static alm_status add(alm_mask_set *s, alm_str slot, alm_str regex, const char *file, size_t line, alm_error *err) {
    if (slot.n == 0 || slot.n > MAX_NAME_BYTES)
        return alm_fail(err, ALM_MALFORMED, "%s:%zu: a slot's name has 1 to %d letters, this one has %zu", file, line,
                        MAX_NAME_BYTES, slot.n);
    for (size_t i = 0; i < slot.n; i++)
        if (!(slot.at[i] >= 'a' && slot.at[i] <= 'z') && slot.at[i] != '_')
            return alm_fail(err, ALM_MALFORMED, "%s:%zu: slot name '%.*s': only a-z and _ may stand in it", file, line,
                            ALM_ARG(slot));
    for (unsigned t = 0; t < ALM_SLOT_BUILTIN_COUNT; t++)
        if (alm_str_eq(slot, alm_str_of(alm_slot_name(t))))
            return alm_fail(err, ALM_MALFORMED, "%s:%zu: slot name '%.*s' is a built-in slot", file, line,
                            ALM_ARG(slot));
    for (size_t i = 0; i < s->n; i++)
        if (s->at[i].name_n == slot.n + 2 && memcmp(s->at[i].name + 1, slot.at, slot.n) == 0)
            return alm_fail(err, ALM_MALFORMED, "%s:%zu: slot name '%.*s' stands twice", file, line, ALM_ARG(slot));
    if (regex.n == 0 || regex.n > MAX_REGEX_BYTES)
        return alm_fail(err, ALM_MALFORMED, "%s:%zu: a regex has 1 to %d bytes, this one has %zu", file, line,
                        MAX_REGEX_BYTES, regex.n);
    if (s->n == ALM_SLOT_MASK_MAX)
        return alm_fail(err, ALM_LIMIT, "%s:%zu: more than %d masks", file, line, ALM_SLOT_MASK_MAX);
    void *at = s->at;
    if (!alm_grow(&at, &s->cap, s->n + 1, sizeof *s->at)) return alm_fail_memory(err);
    s->at = at;
    int code = 0;
    PCRE2_SIZE where = 0;
    pcre2_compile_context *compile = pcre2_compile_context_create(s->general);
    if (!compile) return alm_fail_memory(err);
    mask *m = &s->at[s->n];
    *m = (mask){.name_n = slot.n + 2};
    m->code = pcre2_compile((PCRE2_SPTR)regex.at, regex.n,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &where, compile);
    pcre2_compile_context_free(compile);
    if (!m->code) {
        if (code == PCRE2_ERROR_NOMEMORY || code == 121) return alm_fail_memory(err); /* 121: heap during compile */
        unsigned char text[200];
        if (pcre2_get_error_message(code, text, sizeof text) < 0) text[0] = 0;
        alm_fail(err, ALM_MALFORMED, "%s:%zu: regex of <%.*s>, character %zu: %s", file, line, ALM_ARG(slot),
                 (size_t)where + 1, (const char *)text);
        return alm_hint(err, "the syntax is that of PCRE2 (man pcre2syntax)"), ALM_MALFORMED;
    }
    m->name[0] = '<';
    memcpy(m->name + 1, slot.at, slot.n);
    m->name[slot.n + 1] = '>';
    pcre2_jit_compile(m->code, PCRE2_JIT_COMPLETE); /* without JIT it is only slower */
    s->n++;
    s->digest = alm_hash64(slot.at, slot.n, s->digest);
    s->digest = alm_hash64(regex.at, regex.n, s->digest);
    return ALM_OK;
}

alm_status alm_mask_set_parse(alm_mask_set **out, alm_str text, const char *name, alm_error *err) {
    *out = NULL;
    alm_status st = ALM_OK;
    alm_mask_set *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    if (!(s->general = pcre2_general_context_create(take, give, NULL)) ||
        !(s->context = pcre2_match_context_create(s->general)) || !(s->data = pcre2_match_data_create(1, s->general))) {
        st = alm_fail_memory(err);
        goto done;
    }
    pcre2_set_match_limit(s->context, MATCH_LIMIT);
    pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
    s->stack = pcre2_jit_stack_create(32 << 10, JIT_STACK, s->general); /* NULL: PCRE2's own small stack */
    if (s->stack) pcre2_jit_stack_assign(s->context, NULL, s->stack);
    alm_str line;
    for (size_t number = 1; alm_str_split(&text, '\n', &line); number++) {
        if (line.n && line.at[line.n - 1] == '\r') line.n--;
        if (line.n == 0 || line.at[0] == '#') continue;
        size_t tab = alm_str_find_byte(line, '\t');
        if (tab == SIZE_MAX) {
            st = alm_fail(err, ALM_MALFORMED, "%s:%zu: no tab between name and regex", name, number);
            if (err) alm_hint(err, "write lines such as `order<TAB>ORD-[0-9]+`");
            goto done;
        }
        if ((st = add(s, alm_str_slice(line, 0, tab), alm_str_slice(line, tab + 1, line.n), name, number, err)) !=
            ALM_OK)
            goto done;
    }
    if (s->n && s->digest == 0) s->digest = 1;
    *out = s, s = NULL;
done:
    alm_mask_set_free(s);
    return st;
}

alm_status alm_mask_set_load(alm_mask_set **out, const char *path, alm_error *err) {
    *out = NULL;
    alm_buf text = alm_buf_with_limit(MAX_FILE_BYTES);
    alm_status st = alm_file_read(&text, path, err);
    if (st == ALM_OK) st = alm_mask_set_parse(out, alm_buf_str(&text), path, err);
    alm_buf_free(&text);
    return st;
}

size_t alm_mask_set_count(const alm_mask_set *s) { return s ? s->n : 0; }
alm_str alm_mask_set_name(const alm_mask_set *s, size_t i) { return (alm_str){s->at[i].name, s->at[i].name_n}; }
uint64_t alm_mask_set_digest(const alm_mask_set *s) { return s ? s->digest : 0; }
uint64_t alm_mask_set_gave_up(const alm_mask_set *s) { return s->gave_up; }

/* Keeps hits sorted; a hit that overlaps one that is there already is left out, so earlier masks win. */
static size_t insert(alm_mask_hit *out, size_t n, size_t cap, alm_mask_hit h) {
    size_t i = n;
    while (i > 0 && out[i - 1].at > h.at) i--;
    if (i > 0 && out[i - 1].at + out[i - 1].n > h.at) return n;
    if (i < n && h.at + h.n > out[i].at) return n;
    if (n == cap) return n;
    memmove(out + i + 1, out + i, (n - i) * sizeof *out);
    out[i] = h;
    return n + 1;
}

size_t alm_mask_set_find(const alm_mask_set *set, alm_str record, alm_mask_hit *out, size_t cap) {
    alm_mask_set *s =
        (alm_mask_set *)(uintptr_t)set; /* match scratch and the counter of limits; NOLINT(performance-no-int-to-ptr) */
    size_t n = 0, length = record.n < ALM_LOG_MAX_BYTES ? record.n : ALM_LOG_MAX_BYTES;
    bool gave_up = false;
    for (size_t i = 0; i < s->n; i++) {
        size_t from = 0;
        while (from < length) {
            int rc = pcre2_match(s->at[i].code, (PCRE2_SPTR)record.at, length, from, 0, s->data, s->context);
            if (rc < 0) {
                gave_up = gave_up || rc != PCRE2_ERROR_NOMATCH;
                break;
            }
            const PCRE2_SIZE *v = pcre2_get_ovector_pointer(s->data);
            if (v[1] <= v[0] || v[1] <= from) { /* an empty match claims nothing */
                from++;
                continue;
            }
            n = insert(out, n, cap,
                       (alm_mask_hit){(uint32_t)v[0], (uint32_t)(v[1] - v[0]), (uint8_t)(ALM_SLOT_MASK + i)});
            from = v[1];
        }
    }
    s->gave_up += gave_up;
    return n;
}
