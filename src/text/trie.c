/* SPDX-License-Identifier: Apache-2.0
 *
 * trie.c - building and asking the table of edges (trie.h). */
#include "text/trie.h"
#include "base/alloc.h"

void alm_trie_free(alm_trie *t) {
    alm_free(t->edge);
    alm_free(t->value);
    *t = (alm_trie){0};
}

static void place(alm_trie *t, alm_trie_edge e) {
    size_t at = alm_trie_slot(e.from, e.byte) & t->mask;
    while (t->edge[at].to) at = (at + 1) & t->mask;
    t->edge[at] = e;
}

/* Space for one more node: half of the places stay empty. */
static bool grow(alm_trie *t) {
    void *items = t->value;
    if (t->n_node + 1 > t->cap && !alm_grow(&items, &t->cap, t->n_node + 2, sizeof *t->value)) return false;
    t->value = items;
    if (!t->n_node) t->value[t->n_node++] = ALM_TRIE_NONE;
    if (t->edge && 2 * t->n_node <= t->mask) return true;
    size_t old_n = t->edge ? t->mask + 1 : 0, new_n = old_n ? 2 * old_n : 64;
    alm_trie_edge *old = t->edge, *edge = alm_calloc(new_n, sizeof *edge);
    if (!edge) return false;
    t->edge = edge;
    t->mask = new_n - 1;
    for (size_t i = 0; i < old_n; i++)
        if (old[i].to) place(t, old[i]);
    alm_free(old);
    return true;
}

alm_status alm_trie_add(alm_trie *t, alm_str s, uint32_t value, alm_error *err) {
    uint32_t node = 0;
    if (!s.n) return ALM_OK;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.at[i];
        uint32_t next = t->n_node ? alm_trie_step(t, node, byte) : 0;
        if (!next) {
            if (t->n_node >= UINT32_MAX - 1) return alm_fail(err, ALM_LIMIT, "a vocabulary with too many tokens");
            if (!grow(t)) return alm_fail_memory(err);
            next = (uint32_t)t->n_node;
            t->value[t->n_node++] = ALM_TRIE_NONE;
            if (node) place(t, (alm_trie_edge){node, next, byte});
            else t->root[byte] = next;
        }
        node = next;
    }
    if (t->value[node] == ALM_TRIE_NONE) t->value[node] = value;
    return ALM_OK;
}

uint32_t alm_trie_longest(const alm_trie *t, alm_str s, size_t *n) {
    uint32_t found = ALM_TRIE_NONE, node = 0;
    for (size_t i = 0; i < s.n; i++) {
        node = alm_trie_step(t, node, (unsigned char)s.at[i]);
        if (!node) break;
        if (t->value[node] == ALM_TRIE_NONE) continue;
        found = t->value[node];
        *n = i + 1;
    }
    return found;
}

uint32_t alm_trie_find(const alm_trie *t, alm_str s) {
    uint32_t node = 0;
    for (size_t i = 0; i < s.n; i++)
        if (!(node = alm_trie_step(t, node, (unsigned char)s.at[i]))) return ALM_TRIE_NONE;
    return node ? t->value[node] : ALM_TRIE_NONE;
}
