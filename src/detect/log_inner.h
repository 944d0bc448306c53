/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_inner.h - what the files of the miner share: how templates, words and sites lie in memory.
 *
 *   index ──parent──> live index ──slot──> template ──items──> [separator, word or slot]*          (log_template.c)
 *   key of a record's shape ──map──> index                                                         (log_template.c)
 *   key with position p as a slot ──site──> the templates that differ in p only                    (log_merge.c)
 *
 * Invariant: every live template's own key is in the map and leads to it; words referenced by items exist. */
#ifndef ALM_DETECT_LOG_INNER_H
#define ALM_DETECT_LOG_INNER_H

#include "base/alloc.h"
#include "detect/log_shape.h"
#include "detect/log_template.h"

#define LOG_NONE UINT32_MAX
enum { LOG_MAX_WORDS = 1 << 24 }; /* a word's number has 24 bits */

/* An item is one token of a template: eight bytes, since most of a miner's memory is items. */
typedef struct log_item {
    uint32_t sep : 24;    /* word number of the separator before it */
    uint32_t flags : 6;   /* of the token */
    uint32_t soft : 1;    /* a soft slot that has held `word` only */
    uint32_t widened : 1; /* became a slot by a merge */
    uint32_t word : 24;   /* constants and soft slots: word number */
    uint32_t type : 8;    /* ALM_SLOT_CONST: the word; else a slot */
} log_item;

typedef struct log_template {
    uint64_t key, id; /* id 0: to be computed */
    uint64_t types;   /* alm_tokens.types of a record from which nothing more can be learnt; 0: none known */
    uint64_t count, first_record, last_record;
    int64_t first_ns, last_ns;
    log_item *item; /* behind the items, in the same block: the example */
    uint32_t tail;  /* word number of the separator at the end */
    uint32_t index; /* the live index that stands for it */
    uint16_t n_item;
    uint16_t n_soft; /* soft slots that still hold one value */
    uint16_t example_n;
    uint8_t spark_shift; /* scale of spark: records per bin are 1 << spark_shift */
    bool sited;          /* has been entered into its sites */
    uint32_t spark[ALM_SPARK_BINS];
} log_template;

/* Interned words: the same bytes have the same number. Their bytes stand one behind another in the order of the numbers, so a
 * word ends where the next one begins; there may be millions of words, and eight bytes are enough for each. */
typedef struct log_word {
    uint32_t hash; /* lower half */
    uint32_t at;   /* in the bytes of all words */
} log_word;
typedef struct log_words {
    log_word *at;
    size_t n, cap;
    uint32_t *cell; /* hash table of word numbers + 1 */
    size_t mask;
    char *bytes;
    size_t n_bytes, cap_bytes;
} log_words;

typedef struct log_map_cell {
    uint64_t key; /* 0: empty */
    uint32_t value;
    uint32_t own; /* 1: a template's own key; 0: an alias that may be forgotten */
} log_map_cell;
typedef struct log_map {
    log_map_cell *cell;
    size_t mask, n; /* mask + 1 cells */
} log_map;

/* Half a key is enough to find a site; who uses its members compares whole keys. */
typedef struct log_site {
    uint32_t tag; /* upper half of the key */
    uint32_t
        head; /* newest node + 1, times 256, plus the position; 0: empty. With LOG_LONE: one template, its index instead */
} log_site;
#define LOG_LONE (1u << 31) /* most sites never see a second template, and need no node */
typedef struct log_node {
    uint32_t index, next; /* next: node + 1, 0 at the end */
} log_node;

/* Positions that were widened by merges, for templates of n_item tokens: lookups try them all. */
enum { LOG_MAX_WIDENED = 14 };
typedef struct log_widening {
    uint16_t n_item, n;
    uint8_t at[LOG_MAX_WIDENED]; /* positions, rising */
} log_widening;

struct alm_miner {
    alm_miner_options options;
    alm_log_view view;      /* the tokens of the record at hand */
    alm_tokens scratch;     /* theirs when they are not remembered */
    alm_log_shapes *shapes; /* NULL with masks */
    alm_param *param;

    log_template *tmpl; /* dense, may contain dead ones on the free list */
    size_t n_tmpl, cap_tmpl;
    uint32_t free_tmpl; /* first of the free list (through index), or LOG_NONE */
    uint32_t n_live;
    uint32_t *parent; /* by index: itself, or the index it merged into */
    uint32_t *slot;   /* by index: place in tmpl when live, else LOG_NONE */
    size_t n_index, cap_index;
    uint32_t overflow; /* index of the overflow template, or LOG_NONE */
    uint64_t n_records, n_unmatched, n_evicted;

    log_words words;

    log_map map;
    size_t n_alias;
    log_site *site;
    size_t site_mask, n_site;
    log_node *node;
    size_t n_node, cap_node, n_entered; /* entered: nodes and lone ones */
    log_widening *widening;
    size_t n_widening, cap_widening;
    alm_mask_hit *hit; /* scratch for masks */
    size_t cap_hit;
    uint32_t spark_shift; /* current scale */
};

/* log_template.c */
uint32_t log_intern(alm_miner *m, const char *at, size_t n, uint64_t hash); /* LOG_NONE without memory */
/* Until the next log_intern. */
static inline alm_str log_words_text(const log_words *w, uint32_t number) {
    size_t end = number + 1 < w->n ? w->at[number + 1].at : w->n_bytes;
    return (alm_str){w->bytes + w->at[number].at, end - w->at[number].at};
}
static inline alm_str log_word_text(const alm_miner *m, uint32_t number) { return log_words_text(&m->words, number); }
uint64_t log_word_hash(const alm_miner *m, uint32_t number); /* alm_log_word_hash of it */
void log_words_free(log_words *w);
static inline log_template *log_live(const alm_miner *m, uint32_t index) {
    return index < m->n_index && m->slot[index] != LOG_NONE ? &m->tmpl[m->slot[index]] : NULL;
}
bool log_map_put(alm_miner *m, uint64_t key, uint32_t index, bool own);
void log_map_forget(alm_miner *m); /* drops all aliases */
log_map_cell *log_map_find(const alm_miner *m, uint64_t key);
/* A live template with n_item empty items and the example under a new index; NULL without memory. Pointers into m->tmpl move. */
log_template *log_template_new(alm_miner *m, uint32_t n_item, alm_str example);
static inline alm_str log_template_example(const log_template *t) {
    return (alm_str){(const char *)(t->item + t->n_item), t->example_n};
}
void log_template_drop(alm_miner *m, log_template *t); /* its place is free; parent of its index is for the caller */
uint64_t log_template_key(const alm_miner *m, const log_template *t);
uint64_t log_item_sep_hash(const alm_miner *m, const log_item *it, uint32_t position);
void log_item_see(log_item *it, const alm_token *t, uint64_t word_hash_of_item);
void log_spark_scale(log_template *t, uint32_t shift);
/* Joins what `from` has seen into `into` (same number of items): counts, times, slot types; not keys. */
void log_template_join(log_template *into, const log_template *from);

/* log_merge.c: called when a template is new; may merge it and others away. False without memory (nothing half-done). */
bool log_merge_consider(alm_miner *m, uint32_t index);
/* Looks tokens up under all widenings of their length; the index or LOG_NONE. */
uint32_t log_merge_lookup(const alm_miner *m, const alm_log_view *t);
bool log_merge_settle(alm_miner *m);
bool log_merge_rebuild(alm_miner *m); /* sites and widenings from the live templates */

/* log_bound.c: makes room when the bound is reached. */
bool log_bound_evict(alm_miner *m);

#endif
