/* SPDX-License-Identifier: Apache-2.0
 *
 * open_groups.c - the table of open_groups.h: places in one array, chains by hash, one list by age.
 * Invariant: each used place is in one chain and in the list; last_at never falls from oldest to newest. */
#include "detect/open_groups.h"
#include "base/alloc.h"

enum { CLOSED = 1 << 15 };

alm_status alm_open_groups_new(alm_open_groups *t, uint32_t cap, alm_error *err) {
    *t = (alm_open_groups){
        .cap = cap, .n_head = 1, .free_list = ALM_NO_GROUP, .oldest = ALM_NO_GROUP, .newest = ALM_NO_GROUP};
    while (t->n_head < cap) t->n_head *= 2;
    t->head = alm_alloc(t->n_head * sizeof *t->head);
    t->closed = alm_calloc(CLOSED, sizeof *t->closed);
    if (t->head && t->closed) {
        memset(t->head, 0xFF, t->n_head * sizeof *t->head);
        return ALM_OK;
    }
    alm_open_groups_free(t);
    return alm_fail_memory(err);
}

void alm_open_groups_free(alm_open_groups *t) {
    for (uint32_t i = 0; i < t->n_used; i++) alm_group_drop(&t->at[i]);
    alm_free(t->at);
    alm_free(t->head);
    alm_free(t->closed);
    *t = (alm_open_groups){0};
}

static uint32_t *chain_of(const alm_open_groups *t, uint64_t key) {
    return &t->head[(key * 0x9E3779B97F4A7C15ULL >> 32) & (t->n_head - 1)];
}

alm_group *alm_open_groups_find(alm_open_groups *t, uint64_t key) {
    for (uint32_t i = *chain_of(t, key); i != ALM_NO_GROUP; i = t->at[i].chain)
        if (t->at[i].key == key) return &t->at[i];
    return NULL;
}

static void link_newest(alm_open_groups *t, alm_group *g) {
    uint32_t i = (uint32_t)(g - t->at);
    g->older = t->newest;
    g->newer = ALM_NO_GROUP;
    if (t->newest != ALM_NO_GROUP) t->at[t->newest].newer = i;
    else t->oldest = i;
    t->newest = i;
}

static void unlink_age(alm_open_groups *t, alm_group *g) {
    if (g->older != ALM_NO_GROUP) t->at[g->older].newer = g->newer;
    else t->oldest = g->newer;
    if (g->newer != ALM_NO_GROUP) t->at[g->newer].older = g->older;
    else t->newest = g->older;
}

alm_group *alm_open_groups_add(alm_open_groups *t, uint64_t key) {
    uint32_t i = t->free_list;
    if (i != ALM_NO_GROUP) {
        t->free_list = t->at[i].chain;
    } else {
        size_t room = t->n_alloc;
        if (t->n_used >= t->cap) return NULL;
        if (!alm_grow((void **)&t->at, &room, (size_t)t->n_used + 1, sizeof *t->at))
            return NULL; /* nobody holds a place across this call */
        t->n_alloc = (uint32_t)room;
        i = t->n_used++;
        t->at[i].count = NULL;
        t->at[i].sequence = NULL;
        t->at[i].cap_count = t->at[i].cap_sequence = 0;
    }
    alm_group *g = &t->at[i];
    alm_group_begin(g);
    g->key = key;
    g->used = true;
    uint32_t *head = chain_of(t, key);
    g->chain = *head;
    *head = i;
    link_newest(t, g);
    t->n++;
    return g;
}

void alm_open_groups_touch(alm_open_groups *t, alm_group *g) {
    if (g->newer == ALM_NO_GROUP) return;
    unlink_age(t, g);
    link_newest(t, g);
}

void alm_open_groups_close(alm_open_groups *t, alm_group *g) {
    uint32_t i = (uint32_t)(g - t->at), *link = chain_of(t, g->key);
    while (*link != i) link = &t->at[*link].chain;
    *link = g->chain;
    unlink_age(t, g);
    t->closed[g->key & (CLOSED - 1)] = g->key;
    g->used = false;
    g->chain = t->free_list;
    t->free_list = i;
    t->n--;
}

bool alm_open_groups_was_closed(const alm_open_groups *t, uint64_t key) { return t->closed[key & (CLOSED - 1)] == key; }
