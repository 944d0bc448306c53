/* SPDX-License-Identifier: Apache-2.0
 *
 * text/trie.h - strings of a vocabulary, found by walking a text byte by byte.
 *
 * Node 0 is the root. The edges lie in one table by (node, byte); a value stands at the node where a string ends. Built once,
 * then read by any number of threads. */
#ifndef ALM_TEXT_TRIE_H
#define ALM_TEXT_TRIE_H

#include "base/error.h"
#include "base/str.h"

#define ALM_TRIE_NONE UINT32_MAX

typedef struct alm_trie_edge {
    uint32_t from, to; /* to 0: an empty place */
    unsigned char byte;
} alm_trie_edge;

typedef struct alm_trie {
    alm_trie_edge *edge; /* [mask + 1] */
    size_t mask, n_node, cap;
    uint32_t *value;    /* [n_node] ALM_TRIE_NONE: no string ends here */
    uint32_t root[256]; /* the nodes behind the root, 0 for none */
} alm_trie;

/* Zero-initialised it is empty. `value` of a string that is there already stays as it was. */
alm_status alm_trie_add(alm_trie *t, alm_str s, uint32_t value, alm_error *err);
void alm_trie_free(alm_trie *t);

static inline size_t alm_trie_slot(uint32_t node, unsigned char byte) {
    uint64_t key = ((uint64_t)node << 8 | byte) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(key ^ key >> 32);
}
/* The node behind `node` along a byte, 0 when there is none. */
static inline uint32_t alm_trie_step(const alm_trie *t, uint32_t node, unsigned char byte) {
    if (!node) return t->root[byte];
    for (size_t at = alm_trie_slot(node, byte) & t->mask; t->edge[at].to; at = (at + 1) & t->mask)
        if (t->edge[at].from == node && t->edge[at].byte == byte) return t->edge[at].to;
    return 0;
}
/* The longest string at the beginning of s: its value, its length in *n; ALM_TRIE_NONE when there is none. */
uint32_t alm_trie_longest(const alm_trie *t, alm_str s, size_t *n);
/* The value of exactly this string. */
uint32_t alm_trie_find(const alm_trie *t, alm_str s);

#endif
