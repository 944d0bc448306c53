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
#include "detect/log_template.h"

#define LOG_NONE UINT32_MAX

/* An item is one token of a template. */
typedef struct log_item {
    uint32_t sep;  /* word number of the separator before it */
    uint32_t word; /* constants and soft slots: word number */
    uint32_t next; /* constants: next template of the same site (log_merge.c), or LOG_NONE */
    uint8_t type;  /* ALM_SLOT_CONST: the word; else a slot */
    uint8_t soft;  /* a soft slot that has held `word` only */
    uint8_t flags; /* of the token */
    uint8_t widened; /* became a slot by a merge */
} log_item;

typedef struct log_template {
    uint64_t key, id; /* id 0: to be computed */
    uint64_t count, first_record, last_record;
    int64_t first_ns, last_ns;
    log_item *item;
    uint32_t n_item, tail; /* word number of the separator at the end */
    uint32_t index;        /* the live index that stands for it */
    uint32_t n_soft;       /* soft slots that still hold one value */
    char *example;
    uint32_t example_n;
    uint32_t spark_shift; /* scale of spark: records per bin are 1 << spark_shift */
    uint32_t spark[ALM_SPARK_BINS];
} log_template;

/* Interned words: the same bytes have the same number. */
typedef struct log_word {
    uint64_t hash;
    uint32_t n;
    char *at;
} log_word;

typedef struct log_map_cell {
    uint64_t key; /* 0: empty */
    uint32_t value;
    uint32_t own; /* 1: a template's own key; 0: an alias that may be forgotten */
} log_map_cell;
typedef struct log_map {
    log_map_cell *cell;
    size_t mask, n; /* mask + 1 cells */
} log_map;

typedef struct log_site {
    uint64_t key; /* 0: empty */
    uint32_t head; /* index of the newest template in it */
    uint32_t n_words;
} log_site;

/* Positions that were widened by merges, for templates of n_item tokens: lookups try them all. */
typedef struct log_widening {
    uint32_t n_item;
    uint32_t n_use;
    uint64_t at[4]; /* bit p: position p */
} log_widening;

struct alm_miner {
    alm_miner_options options;
    alm_tokens tokens; /* of the record at hand */
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

    log_word *word;
    size_t n_word, cap_word;
    uint32_t *word_cell; /* hash table of word numbers */
    size_t word_mask;

    log_map map;
    size_t n_alias;
    log_site *site;
    size_t site_mask, n_site;
    log_widening *widening;
    size_t n_widening, cap_widening;
    alm_mask_hit *hit; /* scratch for masks */
    size_t cap_hit;
    uint32_t spark_shift; /* current scale */
    alm_status failed;    /* memory failed in a merge: reported by the next call */
};

#endif
