/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/open_groups.h - the groups of a stream that are open: found by key, ordered by who has been silent for longest.
 *
 * Bounded: when it is full the oldest must be closed first. Keys of groups that were closed lately are remembered (one
 * place per hash, so a collision forgets), because a record may come late. */
#ifndef ALM_DETECT_OPEN_GROUPS_H
#define ALM_DETECT_OPEN_GROUPS_H

#include "detect/detect.h"

#define ALM_NO_GROUP UINT32_MAX

typedef struct alm_open_groups {
    alm_group *at;
    uint32_t *head;   /* by hash */
    uint64_t *closed; /* keys */
    uint32_t cap, n, n_used, n_alloc, n_head, free_list;
    uint32_t oldest, newest;
} alm_open_groups;

alm_status alm_open_groups_new(alm_open_groups *t, uint32_t cap, alm_error *err);
void alm_open_groups_free(alm_open_groups *t);
alm_group *alm_open_groups_find(alm_open_groups *t, uint64_t key);
/* A new group; NULL when the table is full. */
alm_group *alm_open_groups_add(alm_open_groups *t, uint64_t key);
void alm_open_groups_touch(alm_open_groups *t, alm_group *g); /* it is the newest now */
void alm_open_groups_close(alm_open_groups *t, alm_group *g); /* its memory is reused */
bool alm_open_groups_was_closed(const alm_open_groups *t, uint64_t key);
static inline alm_group *alm_open_groups_oldest(const alm_open_groups *t) {
    return t->oldest == ALM_NO_GROUP ? NULL : &t->at[t->oldest];
}
static inline alm_group *alm_open_groups_next(const alm_open_groups *t, const alm_group *g) {
    return g->newer == ALM_NO_GROUP ? NULL : &t->at[g->newer];
}

#endif
