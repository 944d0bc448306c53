/* SPDX-License-Identifier: Apache-2.0
 *
 * shapes_agree.h - what a test and a fuzz target ask of remembered shapes: is the answer that of the tokeniser, field by field? */
#ifndef ALM_TESTS_SHAPES_AGREE_H
#define ALM_TESTS_SHAPES_AGREE_H

#include "detect/log_shape.h"

/* Another line of the same shape, most of the time: each digit becomes another one, and hexadecimal letters of UUIDs change. */
static inline uint32_t next_random(uint32_t *x) { return (*x = *x * 1664525u + 1013904223u) >> 16; }
static inline void other_digits(char *s, size_t n, uint32_t *x) {
    for (size_t i = 0; i < n; i++) {
        bool uuid = i + 36 <= n && s[i + 8] == '-' && s[i + 13] == '-' && s[i + 18] == '-' && s[i + 23] == '-';
        for (size_t k = i; uuid && k < i + 36; k++)
            if ((s[k] >= '0' && s[k] <= '9') || (s[k] >= 'a' && s[k] <= 'f'))
                s[k] = "0123456789abcdef"[next_random(x) % 16];
        if (uuid) i += 35;
        else if (s[i] >= '0' && s[i] <= '9' && next_random(x) % 8) s[i] = (char)('0' + next_random(x) % 10);
    }
}

/* NULL, or what differs. */
static inline const char *shapes_disagree(alm_log_shapes *s, alm_tokens *scratch, alm_tokens *truth, alm_str line,
                                          bool lines_only) {
    alm_log_view v;
    alm_log_shapes_tokenise(s, &v, scratch, line, lines_only);
    alm_log_tokenise(truth, line, NULL, 0, lines_only);
    if (v.n != truth->n) return "the number of tokens";
    if (v.key != truth->key) return "the key";
    if (v.types != truth->types) return "the types";
    if (v.tail_at != truth->tail_at || v.tail_end != truth->tail_end) return "the end";
    uint32_t n_param = 0;
    for (uint32_t i = 0; i < v.n; i++) {
        const alm_token *a = &v.at[i], *b = &truth->at[i];
        if (a->hash != b->hash || a->sep_hash != b->sep_hash) return "a hash";
        if (a->at != b->at || a->n != b->n || a->sep_at != b->sep_at) return "a place";
        if (a->type != b->type || a->flags != b->flags) return "a type";
        if (b->type == ALM_SLOT_CONST || !v.param) continue;
        const alm_param *p = &v.param[n_param++];
        if (p->at != b->at || p->n != b->n || p->slot != i || p->type != b->type || p->constant) return "a parameter";
    }
    return v.param && n_param != v.n_param ? "the number of parameters" : NULL;
}

#endif
