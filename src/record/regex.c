/* SPDX-License-Identifier: Apache-2.0
 *
 * regex.c - a user's regex, compiled once, bounded when it matches (regex.h).
 *
 * PCRE2 takes its memory from alm_alloc. \C is forbidden; UTF is off unless it is asked for: records are bytes. With the JIT where there is one;
 * the limits hold with and without it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "record/regex.h"

#include "base/alloc.h"

#include <pcre2.h>

enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 2000, HEAP_LIMIT_KB = 4096 };

struct alm_regex {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_code *code;
    bool utf;
    bool starved; /* an allocation failed: only while it is made */
};

struct alm_regex_match {
    pcre2_match_data *data;
};

static void *get(size_t n, void *arg) {
    void *at = alm_alloc(n);
    alm_regex *making = arg;
    if (!at && !making->code) making->starved = true; /* later, when threads match, nothing is written */
    return at;
}
static void give(void *at, void *arg) {
    (void)arg;
    alm_free(at);
}

static alm_status make(alm_regex **out, const char *pattern, uint32_t options, const char *what, alm_error *err) {
    alm_status st = ALM_OK;
    pcre2_compile_context *compile = NULL;
    alm_regex *r = alm_calloc(1, sizeof *r);
    if (!r) return alm_fail_memory(err);
    r->utf = options & PCRE2_UTF;
    r->memory = pcre2_general_context_create(get, give, r);
    if (r->memory) r->limits = pcre2_match_context_create(r->memory);
    if (r->memory) compile = pcre2_compile_context_create(r->memory);
    if (!r->limits || !compile) {
        st = alm_fail_memory(err);
        goto done;
    }
    pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KB);
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *made = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_NEVER_BACKSLASH_C | options,
                                     &code, &at, compile);
    if (!made) {
        char why[200] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) st = alm_fail_memory(err);
        else st = alm_fail(err, ALM_INVALID, "%s: %s at character %zu of %s", what, why, at + 1, pattern);
        goto done;
    }
    /* Where the system forbids it there is no JIT: matching is slower, nothing else. Our own lack of memory is told. */
    (void)pcre2_jit_compile(made, PCRE2_JIT_COMPLETE);
    r->code = made;
    if (r->starved) {
        st = alm_fail_memory(err);
        goto done;
    }
    *out = r, r = NULL;
done:
    if (compile) pcre2_compile_context_free(compile);
    alm_regex_free(r);
    return st;
}

alm_status alm_regex_new(alm_regex **out, const char *pattern, const char *what, alm_error *err) {
    return make(out, pattern, 0, what, err);
}

alm_status alm_regex_new_utf(alm_regex **out, const char *pattern, const char *what, alm_error *err) {
    return make(out, pattern, PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE, what, err);
}

void alm_regex_free(alm_regex *r) {
    if (!r) return;
    pcre2_code_free(r->code);
    pcre2_match_context_free(r->limits);
    pcre2_general_context_free(r->memory);
    alm_free(r);
}

alm_regex_match *alm_regex_match_new(const alm_regex *r) {
    alm_regex_match *m = alm_calloc(1, sizeof *m);
    if (!m) return NULL;
    m->data = pcre2_match_data_create_from_pattern(r->code, r->memory);
    if (m->data) return m;
    alm_free(m);
    return NULL;
}

void alm_regex_match_free(alm_regex_match *m) {
    if (!m) return;
    pcre2_match_data_free(m->data);
    alm_free(m);
}

alm_regex_result alm_regex_find(const alm_regex *r, alm_regex_match *m, alm_str text, size_t from, size_t *at,
                                size_t *end, size_t *whole_end) {
    int n = pcre2_match(r->code, (PCRE2_SPTR)(text.at ? text.at : ""), text.n, from, r->utf ? PCRE2_NO_UTF_CHECK : 0,
                        m->data, r->limits);
    if (n == PCRE2_ERROR_NOMATCH) return ALM_REGEX_NO;
    if (n == PCRE2_ERROR_NOMEMORY) return ALM_REGEX_NO_MEMORY;
    if (n < 0) return ALM_REGEX_HARD;
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(m->data);
    unsigned k = n > 1 && span[2] != PCRE2_UNSET ? 1 : 0;
    *at = span[2 * k], *end = span[2 * k + 1];
    if (whole_end) *whole_end = span[1];
    if (*end < *at) *end = *at; /* \K may put the start behind the end */
    return ALM_REGEX_YES;
}
