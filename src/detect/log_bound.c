/* SPDX-License-Identifier: Apache-2.0
 *
 * log_bound.c - a bounded number of templates: when the bound is reached, a tenth of them moves into one overflow template.
 *
 * Those go that have the smallest count, and among equal counts those that were seen last the longest time ago, then the
 * lower index. The overflow template's text is <*>; it takes their counts and times, and their indices lead to it, so that
 * counts still add up to the records. A record whose template has moved there makes a new template.
 *
 * Then words that nothing uses any more are dropped, and keys, sites and widenings are built again from what lives; so an
 * endless stream of strangers costs no more memory than the bound allows (beside four bytes for each index ever given). */
#include "detect/log_inner.h"
#include <stdlib.h>

typedef struct rarity {
    uint64_t count, last_record;
    uint32_t index;
} rarity;

static int rarest_first(const void *a, const void *b) {
    const rarity *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? -1 : 1;
    if (x->last_record != y->last_record) return x->last_record < y->last_record ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool make_overflow(alm_miner *m) {
    if (m->overflow != LOG_NONE) return true;
    uint32_t empty = log_intern(m, "", 0, alm_log_word_hash("", 0));
    log_template *t = empty == LOG_NONE ? NULL : log_template_new(m, 1, (alm_str){NULL, 0});
    if (!t) return false;
    t->item[0] = (log_item){.sep = empty & 0xFFFFFF, .type = ALM_SLOT_ANY};
    t->tail = empty;
    t->key = 0; /* no record has key 0, so none finds it */
    m->overflow = t->index;
    return true;
}

/* Words that live templates use, in a new table; items are renumbered. */
static bool compact_words(alm_miner *m) {
    log_words old = m->words;
    uint32_t *number = alm_calloc(old.n ? old.n : 1, sizeof *number);
    if (!number) return false;
    m->words = (log_words){0};
    bool ok = true;
    for (int renumber = 0; ok && renumber < 2; renumber++) /* first all words, then the items: nothing is half-done */
        for (size_t i = 0; ok && i < m->n_tmpl; i++) {
            log_template *t = &m->tmpl[i];
            for (uint32_t k = 0; ok && t->item && k <= t->n_item; k++) {
                log_item *it = k < t->n_item ? &t->item[k] : NULL;
                uint32_t now[2] = {0, 0}, was[2] = {it ? it->sep : t->tail, it ? it->word : 0};
                int n = it && (it->type == ALM_SLOT_CONST || it->soft) ? 2 : 1;
                for (int r = 0; ok && r < n; r++) {
                    if (!number[was[r]]) {
                        alm_str text = log_words_text(&old, was[r]);
                        uint32_t fresh = log_intern(m, text.at, text.n, alm_log_word_hash(text.at, text.n));
                        ok = fresh != LOG_NONE;
                        number[was[r]] = fresh + 1;
                    }
                    now[r] = (number[was[r]] - 1) & 0xFFFFFF;
                }
                if (!renumber || !ok) continue;
                if (it) it->sep = now[0] & 0xFFFFFF, it->word = now[1] & 0xFFFFFF;
                else t->tail = now[0];
            }
        }
    log_words_free(ok ? &old : &m->words);
    if (!ok) m->words = old;
    alm_free(number);
    return ok;
}

bool log_bound_evict(alm_miner *m) {
    if (!make_overflow(m)) return false;
    rarity *r = alm_calloc(m->n_live, sizeof *r);
    if (!r) return false;
    size_t n = 0;
    for (size_t i = 0; i < m->n_tmpl; i++) {
        const log_template *t = &m->tmpl[i];
        if (t->item && t->index != m->overflow) r[n++] = (rarity){t->count, t->last_record, t->index};
    }
    qsort(r, n, sizeof *r, rarest_first);
    size_t go = n / 10 ? n / 10 : 1;
    for (size_t i = 0; i < go && i < n; i++) {
        log_template *t = log_live(m, r[i].index), *over = log_live(m, m->overflow);
        log_template_join(over, t);
        log_map_cell *c = log_map_find(m, t->key);
        if (c && c->own) c->own = 0, m->n_alias++;
        m->parent[t->index] = m->overflow;
        log_template_drop(m, t);
        m->n_evicted++;
    }
    alm_free(r);
    /* From here on a failure costs speed or a later merge, not truth. */
    log_map_forget(m);
    compact_words(m);
    log_merge_rebuild(m);
    return true;
}
