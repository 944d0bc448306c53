/* SPDX-License-Identifier: Apache-2.0
 *
 * log_merge.c - when is a word a value? Templates that differ in one word are laid side by side, and the words decide.
 *
 * For each constant of a new template there is a site: the key of the same template with a slot at that position. All
 * templates that share a site differ in this one word. Their words are values when there are enough of them for the place
 * where they stand: two behind "user", three behind a preposition, more at the start of a record, where programs put what
 * they do; words that look like states (RUNNING, stopped, closing) need more evidence than words that look like names.
 *
 * A merge makes a new template with a slot at the position, and the old ones lead to it. Then its own sites are looked at.
 * The position joins the widenings of its length, so that a record with a word never seen there still finds the template. */
#include "detect/log_inner.h"

enum {
    MAX_SITES_PER_TEMPLATE = 40, /* only the first constants of a long record have sites */
    MAX_NODES = (1 << 23) - 2,   /* a node's number + 1 has 23 bits */
    MAX_MEMBERS = 48,            /* how many templates of a site are laid side by side */
    MAX_WIDENINGS_PER_LENGTH = 64
};

/* --- widenings ------------------------------------------------------------------------------------------------------------ */

static size_t first_widening(const alm_miner *m, uint32_t n_item) {
    size_t lo = 0, hi = m->n_widening;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->widening[mid].n_item < n_item) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

/* False when the template has too many widened positions, or its length too many widenings; or without memory. */
static bool widening_add(alm_miner *m, const log_template *t) {
    log_widening w = {.n_item = (uint16_t)t->n_item};
    for (uint32_t i = 0; i < t->n_item; i++)
        if (t->item[i].widened) {
            if (w.n == LOG_MAX_WIDENED) return false;
            w.at[w.n++] = (uint8_t)i;
        }
    size_t from = first_widening(m, t->n_item), i = from;
    for (; i < m->n_widening && m->widening[i].n_item == w.n_item; i++)
        if (m->widening[i].n == w.n && memcmp(m->widening[i].at, w.at, w.n) == 0) return true;
    if (i - from >= MAX_WIDENINGS_PER_LENGTH) return false;
    void *all = m->widening;
    if (!alm_grow(&all, &m->cap_widening, m->n_widening + 1, sizeof w)) return false;
    m->widening = all;
    memmove(m->widening + i + 1, m->widening + i, (m->n_widening - i) * sizeof w);
    m->widening[i] = w;
    m->n_widening++;
    return true;
}

uint32_t log_merge_lookup(const alm_miner *m, const alm_log_view *t) {
    for (size_t i = first_widening(m, t->n); i < m->n_widening && m->widening[i].n_item == t->n; i++) {
        const log_widening *w = &m->widening[i];
        uint64_t key = t->key;
        for (uint32_t k = 0; k < w->n; k++) {
            const alm_token *tok = &t->at[w->at[k]];
            if (tok->type == ALM_SLOT_CONST) key += alm_log_slot_share(tok->sep_hash) - alm_log_share(tok);
        }
        log_map_cell *c = key != t->key ? log_map_find(m, key) : NULL;
        if (c && c->own) {
            uint32_t index = alm_miner_resolve(m, c->value);
            if (log_live(m, index)) return index;
        }
    }
    return LOG_NONE;
}

/* --- sites ------------------------------------------------------------------------------------------------------------------ */

static log_site *site_find(const alm_miner *m, uint64_t key, uint32_t position) {
    if (!m->site) return NULL;
    uint32_t tag = (uint32_t)(key >> 32);
    size_t at = tag & m->site_mask;
    for (; m->site[at].head; at = (at + 1) & m->site_mask)
        if (m->site[at].tag == tag && (m->site[at].head & 255) == position) return &m->site[at];
    return NULL;
}

/* A node for the index; its number + 1, or 0 without memory. */
static uint32_t node_new(alm_miner *m, uint32_t index, uint32_t next) {
    void *node = m->node;
    if (!alm_grow(&node, &m->cap_node, m->n_node + 1, sizeof *m->node)) return 0;
    m->node = node;
    m->node[m->n_node] = (log_node){.index = index, .next = next};
    return (uint32_t)++m->n_node;
}

/* Puts the template at the head of a site that has members. */
static bool site_join(alm_miner *m, log_site *s, uint32_t index) {
    uint32_t position = s->head & 255, next = s->head >> 8;
    if (s->head & LOG_LONE) {
        next = node_new(m, (s->head & ~LOG_LONE) >> 8, 0);
        if (!next) return false;
        s->head = next << 8 | position;
    }
    uint32_t node = node_new(m, index, next);
    if (!node) return false;
    s->head = node << 8 | position;
    return true;
}

/* Puts the template at the head of the site for key and position; false without memory. */
static bool site_add(alm_miner *m, uint64_t key, uint32_t position, uint32_t index) {
    log_site *s = site_find(m, key, position);
    if (s) return site_join(m, s, index);
    if (!m->site || (m->n_site + 1) * 8 > (m->site_mask + 1) * 7) {
        size_t n = m->site ? (m->site_mask + 1) * 2 : 1024;
        log_site *next = alm_calloc(n, sizeof *next);
        if (!next) return false;
        for (size_t i = 0; m->site && i <= m->site_mask; i++)
            if (m->site[i].head) {
                size_t at = m->site[i].tag & (n - 1);
                while (next[at].head) at = (at + 1) & (n - 1);
                next[at] = m->site[i];
            }
        alm_free(m->site);
        m->site = next;
        m->site_mask = n - 1;
    }
    uint32_t tag = (uint32_t)(key >> 32);
    size_t at = tag & m->site_mask;
    while (m->site[at].head) at = (at + 1) & m->site_mask;
    uint32_t head = index << 8 | LOG_LONE;
    if (index >= LOG_LONE >> 8 && !(head = node_new(m, index, 0) << 8)) return false;
    m->site[at] = (log_site){.tag = tag, .head = head | position};
    m->n_site++;
    return true;
}

static uint64_t site_key(const alm_miner *m, const log_template *t, uint32_t p) {
    uint64_t sep = log_item_sep_hash(m, &t->item[p], p);
    return t->key + alm_log_slot_share(sep) - alm_log_share_of(sep, log_word_hash(m, t->item[p].word));
}

/* --- the decision ------------------------------------------------------------------------------------------------------------ */

typedef struct members {
    uint32_t index[MAX_MEMBERS];
    uint32_t n;
    uint32_t slot; /* a template that has a slot there already, or LOG_NONE */
    uint64_t n_records;
    bool more;
} members;

static void collect(const alm_miner *m, const log_site *s, uint64_t key, members *out) {
    uint32_t p = s->head & 255;
    *out = (members){.slot = LOG_NONE};
    log_map_cell *c = log_map_find(m, key);
    if (c && c->own) out->slot = alm_miner_resolve(m, c->value);
    bool lone = (s->head & LOG_LONE) != 0;
    for (uint32_t node = (s->head & ~LOG_LONE) >> 8, next; lone || node; node = next) {
        const log_template *t = log_live(m, lone ? node : m->node[node - 1].index);
        next = lone ? 0 : m->node[node - 1].next;
        lone = false;
        if (!t || p >= t->n_item || t->item[p].type != ALM_SLOT_CONST || site_key(m, t, p) != key) continue;
        if (out->n == MAX_MEMBERS) {
            out->more = true;
            return;
        }
        out->index[out->n++] = t->index;
        out->n_records += t->count;
    }
}

static bool in_words(alm_str word, const char *list) { /* list: words with a blank on both sides, lower case */
    char low[24];
    if (word.n == 0 || word.n + 2 > sizeof low) return false;
    low[0] = ' ';
    for (size_t i = 0; i < word.n; i++) {
        char c = word.at[i];
        low[i + 1] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    low[word.n + 1] = ' ';
    return alm_str_find(alm_str_of(list), (alm_str){low, word.n + 2}) != SIZE_MAX;
}

/* Behind these stands the name of one of many. */
static const char named[] =
    " user users username account login uid host hostname node server client peer file files filename dir directory "
    "path"
    " folder device disk drive interface module plugin driver package class process program thread job task application"
    " app container instance image volume queue topic group session domain key table database schema index name id"
    " identifier address url uri token channel pool bucket object method function property attribute variable rack ";
static const char prepositions[] = " for from to by on at in of with as via into onto against between and or than ";

static alm_str word_of(const alm_miner *m, uint32_t number) { return log_word_text(m, number); }

/* Does it look like a name somebody gave (camelCase, digits, inner punctuation), rather than a word of a sentence? */
static bool name_like(alm_str w) {
    bool lower_seen = false;
    for (size_t i = 0; i < w.n; i++) {
        char c = w.at[i];
        if (c == '_' || c == '.' || c == '-' || c == '$' || c == '@' || c == '/' || c == ':' || (c >= '0' && c <= '9'))
            return true;
        if (lower_seen && c >= 'A' && c <= 'Z') return true;
        lower_seen = lower_seen || (c >= 'a' && c <= 'z');
    }
    return false;
}
static bool all_upper(alm_str w) {
    for (size_t i = 0; i < w.n; i++)
        if (w.at[i] >= 'a' && w.at[i] <= 'z') return false;
    return w.n > 1;
}
static bool ends(alm_str w, const char *tail) { return alm_str_ends(w, alm_str_of(tail)); }
static bool state_like(alm_str w) { return all_upper(w) || ends(w, "ed") || ends(w, "ing") || ends(w, "able"); }

static bool are_values(const alm_miner *m, uint32_t p, const members *all) {
    const log_template *first = log_live(m, all->index[0]);
    uint32_t n_const = 0;
    for (uint32_t i = 0; i < first->n_item; i++) n_const += i != p && first->item[i].type == ALM_SLOT_CONST;
    alm_str sep = word_of(m, first->item[p].sep);
    alm_str before = {"", 0};
    bool slot_before = false;
    if (p > 0) {
        if (first->item[p - 1].type == ALM_SLOT_CONST) before = word_of(m, first->item[p - 1].word);
        else slot_before = true;
    }
    uint32_t names = 0, states = 0;
    for (uint32_t i = 0; i < all->n; i++) {
        alm_str w = word_of(m, log_live(m, all->index[i])->item[p].word);
        names += name_like(w);
        states += state_like(w);
    }
    bool plain_gap = sep.n == 1 && sep.at[0] == ' ';
    (void)slot_before;
    uint32_t need;
    if (n_const == 0) need = 1000000;
    else if (p == 0) need = names == all->n ? 6 : 12;
    else if (plain_gap && in_words(before, named)) need = 2;
    else if (plain_gap && in_words(before, prepositions)) need = 3;
    else need = 6;
    if (states * 2 > all->n) need = need * 2 + 2;
    if (names == all->n && p > 0 && need > 3) need = 3;
    uint32_t have = all->n + (all->slot != LOG_NONE ? 2 : 0);
    return have >= need;
}

/* --- merging ------------------------------------------------------------------------------------------------------------------- */

/* `from` becomes part of `into`; both live, same length. */
static void absorb(alm_miner *m, uint32_t into_index, uint32_t from_index) {
    log_template *into = log_live(m, into_index), *from = log_live(m, from_index);
    for (uint32_t i = 0; i < into->n_item; i++) {
        log_item *a = &into->item[i];
        const log_item *b = &from->item[i];
        if (a->type == ALM_SLOT_CONST) continue;
        alm_token seen = {.hash = b->type == ALM_SLOT_CONST || b->soft ? log_word_hash(m, b->word) : 0,
                          .type = (uint8_t)b->type};
        bool was_soft = a->soft;
        if (a->soft || a->type != b->type) log_item_see(a, &seen, a->soft ? log_word_hash(m, a->word) : 0);
        if (was_soft && !a->soft) into->n_soft--;
    }
    into->id = 0;
    if (from->first_record < into->first_record) { /* its example stays: the blocks change places, the items do not */
        log_item *block = into->item;
        memcpy(from->item, into->item, into->n_item * sizeof *block);
        into->item = from->item, into->example_n = from->example_n;
        from->item = block, from->example_n = 0;
    }
    log_template_join(into, from);
    m->parent[from_index] = into_index;
    log_map_cell *c = log_map_find(m, from->key);
    if (c && c->own) c->own = 0, c->value = into_index, m->n_alias++;
    log_template_drop(m, from);
}

/* Merges the members of a site; *out is the index that stands for them. False without memory or widenings; nothing changed then. */
static bool merge(alm_miner *m, uint64_t key, uint32_t p, const members *all, uint32_t *out) {
    uint32_t target = all->slot;
    if (target == LOG_NONE) {
        log_template *t = log_template_new(m, log_live(m, all->index[0])->n_item, (alm_str){NULL, 0});
        if (!t) return false;
        const log_template *like = log_live(m, all->index[0]);
        memcpy(t->item, like->item, like->n_item * sizeof *t->item);
        t->item[p] = (log_item){
            .sep = like->item[p].sep, .type = ALM_SLOT_WORD, .flags = like->item[p].flags & 63u, .widened = 1};
        t->tail = like->tail;
        t->n_soft = like->n_soft;
        t->key = key;
        t->first_record = UINT64_MAX;
        target = t->index;
        if (!widening_add(m, t) || !log_map_put(m, key, target, true)) {
            log_template_drop(m, log_live(m, target));
            m->n_index--;
            return false;
        }
    } else {
        log_template *t = log_live(m, target);
        if (!t->item[p].widened) {
            t->item[p].widened = 1;
            if (!widening_add(m, t)) {
                t->item[p].widened = 0;
                return false;
            }
        }
    }
    for (uint32_t i = 0; i < all->n; i++)
        if (all->index[i] != target) absorb(m, target, all->index[i]);
    *out = target;
    return true;
}

static bool consider_site(alm_miner *m, uint64_t key, uint32_t p, uint32_t *out) {
    members all;
    const log_site *s = site_find(m, key, p);
    if (!s) return false;
    collect(m, s, key, &all);
    if (all.n == 0 || (all.n == 1 && all.slot == LOG_NONE) || !are_values(m, p, &all)) return false;
    bool merged = merge(m, key, p, &all, out);
    while (merged && all.more) { /* a crowded site: the rest follows */
        s = site_find(m, key, p);
        collect(m, s, key, &all);
        if (all.n == 0 || !merge(m, key, p, &all, out)) break;
    }
    return merged;
}

/* The sites of a template. */
typedef struct sites {
    uint64_t key[MAX_SITES_PER_TEMPLATE];
    uint8_t position[MAX_SITES_PER_TEMPLATE];
    uint32_t n;
} sites;

static void sites_of(const alm_miner *m, const log_template *t, sites *out) {
    out->n = 0;
    for (uint32_t p = 0; p < t->n_item && out->n < MAX_SITES_PER_TEMPLATE; p++) {
        if (t->item[p].type != ALM_SLOT_CONST) continue;
        uint64_t key = site_key(m, t, p);
        /* Both tables are larger than the caches: all places are asked for before the first is looked at. */
        if (m->site) __builtin_prefetch(&m->site[key >> 32 & m->site_mask]);
        __builtin_prefetch(&m->map.cell[key & m->map.mask]);
        out->key[out->n] = key;
        out->position[out->n++] = (uint8_t)p;
    }
}

/* Enters the template into its sites. False without memory: it may then be in some of them, which does no harm. */
static bool enter(alm_miner *m, log_template *t, const sites *s) {
    t->sited = true;
    for (uint32_t i = 0; i < s->n; i++) {
        if (m->n_entered >= MAX_NODES) return true; /* full: these templates stay as they are until room is made */
        if (!site_add(m, s->key[i], s->position[i], t->index)) return false;
        m->n_entered++;
    }
    return true;
}

/* Enters the template into its sites and looks at each; when it merges, goes on with the template that it became. */
bool log_merge_consider(alm_miner *m, uint32_t index) {
    for (int round = 0; round < 64; round++) {
        log_template *t = log_live(m, index);
        if (!t) return true;
        sites s;
        sites_of(m, t, &s);
        uint32_t became = LOG_NONE;
        if (!t->sited && !enter(m, t, &s)) return false;
        for (uint32_t i = 0; i < s.n; i++)
            if (consider_site(m, s.key[i], s.position[i], &became)) break;
        if (became == LOG_NONE) return true;
        index = became;
    }
    return true;
}

bool log_merge_settle(alm_miner *m) {
    for (uint32_t index = 0; index < m->n_index; index++) /* merged templates come at the end and are looked at too */
        if (!log_merge_consider(m, index)) return false;
    return true;
}

bool log_merge_rebuild(alm_miner *m) {
    alm_free(m->site);
    m->site = NULL;
    m->n_site = m->site_mask = 0;
    m->n_node = m->n_entered = 0;
    m->n_widening = 0;
    for (size_t i = 0; i < m->n_index; i++) {
        log_template *t = log_live(m, (uint32_t)i);
        if (!t) continue;
        bool widened = false;
        for (uint32_t p = 0; p < t->n_item; p++) widened = widened || t->item[p].widened;
        if (widened && !widening_add(m, t)) return false;
        sites s;
        sites_of(m, t, &s);
        if (!enter(m, t, &s)) return false;
    }
    return true;
}
