/* SPDX-License-Identifier: Apache-2.0
 *
 * table64.c - the table of table64.h. A key is spread by one multiplication, collisions walk to the next place. */
#include "detect/table64.h"
#include "base/alloc.h"
#include <string.h>

static size_t place(const alm_table64 *t, uint64_t key) {
    uint64_t h = key * 0x9E3779B97F4A7C15ULL;
    size_t i = (size_t)(h ^ (h >> 32)) & (t->cap - 1);
    while (t->value[i] && t->key[i] != key) i = (i + 1) & (t->cap - 1);
    return i;
}

uint32_t alm_table64_get(const alm_table64 *t, uint64_t key) {
    return t->cap ? t->value[place(t, key)] - 1 : UINT32_MAX;
}

static bool grow(alm_table64 *t) {
    alm_table64 more = {.cap = t->cap ? t->cap * 2 : 64};
    size_t bytes;
    if (!alm_mul_size(&bytes, more.cap, sizeof *more.key)) return false;
    more.key = alm_calloc(more.cap, sizeof *more.key);
    more.value = alm_calloc(more.cap, sizeof *more.value);
    if (!more.key || !more.value) {
        alm_table64_free(&more);
        return false;
    }
    for (size_t i = 0; i < t->cap; i++) {
        if (!t->value[i]) continue;
        size_t to = place(&more, t->key[i]);
        more.key[to] = t->key[i];
        more.value[to] = t->value[i];
    }
    more.n = t->n;
    alm_table64_free(t);
    *t = more;
    return true;
}

alm_status alm_table64_set(alm_table64 *t, uint64_t key, uint32_t value, alm_error *err) {
    if (t->n + 1 > t->cap / 3 * 2 && !grow(t)) return alm_fail_memory(err);
    size_t i = place(t, key);
    if (!t->value[i]) t->n++;
    t->key[i] = key;
    t->value[i] = value + 1;
    return ALM_OK;
}

void alm_table64_clear(alm_table64 *t) {
    if (t->cap) memset(t->value, 0, t->cap * sizeof *t->value);
    t->n = 0;
}

void alm_table64_free(alm_table64 *t) {
    alm_free(t->key);
    alm_free(t->value);
    *t = (alm_table64){0};
}
