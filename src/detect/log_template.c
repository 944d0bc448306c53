/* SPDX-License-Identifier: Apache-2.0
 *
 * log_template.c - the miner: record to template, and everything that a template knows.
 *
 * A record is tokenised (log_token.c), its key looked up in one hash table. Nearly all records end there. One that misses
 * is tried under the widenings (log_merge.c): positions that merges have turned into slots; when that fits, the record's key
 * becomes an alias in the table, so its next twin is fast again. Otherwise it makes a template, and log_merge.c looks whether
 * that template and its neighbours are one.
 *
 * Aliases are only a memory of lookups: they may be dropped at any time without changing a result, and are, when there are
 * more than four for each template that is allowed.
 *
 * Invariant: the sum of `count` over live templates plus n_unmatched is n_records. */
#include "detect/log_hash.h"
#include "detect/log_inner.h"
#include "detect/log_mask.h"

/* --- words ---------------------------------------------------------------------------------------------------------- */

static bool words_grow(log_words *w) {
    size_t n = w->mask ? (w->mask + 1) * 2 : 1024;
    uint32_t *cell = alm_calloc(n, sizeof *cell);
    if (!cell) return false;
    for (size_t i = 0; i < w->n; i++) {
        size_t at = w->at[i].hash & (n - 1);
        while (cell[at]) at = (at + 1) & (n - 1);
        cell[at] = (uint32_t)i + 1;
    }
    alm_free(w->cell);
    w->cell = cell;
    w->mask = n - 1;
    return true;
}

uint32_t log_intern(alm_miner *m, const char *at, size_t n, uint64_t hash) {
    log_words *w = &m->words;
    if ((w->n + 1) * 4 > (w->mask + 1) * 3 || !w->mask)
        if (!words_grow(w)) return LOG_NONE;
    size_t cell = hash & w->mask;
    for (; w->cell[cell]; cell = (cell + 1) & w->mask) {
        uint32_t number = w->cell[cell] - 1;
        if (w->at[number].hash != (uint32_t)hash) continue;
        alm_str text = log_words_text(w, number);
        if (text.n == n && (n == 0 || memcmp(text.at, at, n) == 0)) return number;
    }
    void *words = w->at, *bytes = w->bytes;
    if (w->n >= LOG_MAX_WORDS || n > UINT32_MAX - w->n_bytes || !alm_grow(&words, &w->cap, w->n + 1, sizeof *w->at))
        return LOG_NONE;
    w->at = words;
    if (!alm_grow(&bytes, &w->cap_bytes, w->n_bytes + n + 1, 1)) return LOG_NONE;
    w->bytes = bytes;
    if (n) memcpy(w->bytes + w->n_bytes, at, n);
    w->at[w->n] = (log_word){.hash = (uint32_t)hash, .at = (uint32_t)w->n_bytes};
    w->n_bytes += n;
    w->cell[cell] = (uint32_t)++w->n;
    return (uint32_t)w->n - 1;
}

uint64_t log_word_hash(const alm_miner *m, uint32_t number) {
    alm_str text = log_word_text(m, number);
    size_t room = m->words.n_bytes - m->words.at[number].at;
    return word_hash(head_of(text.at, text.n, room), text.at, text.n);
}

void log_words_free(log_words *w) {
    alm_free(w->at);
    alm_free(w->cell);
    alm_free(w->bytes);
    *w = (log_words){0};
}

/* Separators are kept with runs of blanks as one blank, as they are hashed. */
static uint32_t intern_sep(alm_miner *m, const char *at, size_t n) {
    char small[64] = {0}, *norm = small;
    if (n > sizeof small) {
        norm = alm_alloc(n);
        if (!norm) return LOG_NONE;
    }
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c <= ' ' || c == 127) {
            if (k && norm[k - 1] == ' ') continue;
            c = ' ';
        }
        norm[k++] = (char)c;
    }
    uint32_t number = log_intern(m, norm, k, alm_log_word_hash(norm, k));
    if (norm != small) alm_free(norm);
    return number;
}

/* --- the table of keys ------------------------------------------------------------------------------------------------ */

log_map_cell *log_map_find(const alm_miner *m, uint64_t key) {
    size_t at = key & m->map.mask;
    for (; m->map.cell[at].key; at = (at + 1) & m->map.mask)
        if (m->map.cell[at].key == key) return &m->map.cell[at];
    return NULL;
}

static void map_insert(log_map *map, log_map_cell c) {
    size_t at = c.key & map->mask;
    while (map->cell[at].key) at = (at + 1) & map->mask;
    map->cell[at] = c;
    map->n++;
}

/* Copies the cells into a table of `cells` places, without aliases when `forget`. */
static bool map_rebuild(alm_miner *m, size_t cells, bool forget) {
    log_map next = {.cell = alm_calloc(cells, sizeof(log_map_cell)), .mask = cells - 1};
    if (!next.cell) return false;
    if (forget) m->n_alias = 0;
    if (m->map.cell)
        for (size_t i = 0; i <= m->map.mask; i++)
            if (m->map.cell[i].key && (!forget || m->map.cell[i].own)) map_insert(&next, m->map.cell[i]);
    alm_free(m->map.cell);
    m->map = next;
    return true;
}

/* Only templates' own keys stay: an alias must not lead to a template that took its record in for another reason. */
void log_map_forget(alm_miner *m) {
    log_map_cell *cell = m->map.cell;
    size_t n = m->map.mask + 1;
    if (map_rebuild(m, n, true)) return;
    memset(cell, 0, n * sizeof *cell); /* no memory for a second table: enter the templates afresh */
    m->map.n = m->n_alias = 0;
    for (size_t i = 0; i < m->n_tmpl; i++)
        if (m->tmpl[i].item && m->tmpl[i].key) map_insert(&m->map, (log_map_cell){m->tmpl[i].key, m->tmpl[i].index, 1});
}

bool log_map_put(alm_miner *m, uint64_t key, uint32_t index, bool own) {
    log_map_cell *c = log_map_find(m, key);
    if (c) {
        m->n_alias += (c->own && !own);
        m->n_alias -= (!c->own && own);
        c->value = index;
        c->own = own;
        return true;
    }
    if (!own && m->n_alias >= (size_t)m->options.max_templates * 4) {
        if (!map_rebuild(m, m->map.mask + 1, true)) return false;
    }
    if ((m->map.n + 1) * 4 > (m->map.mask + 1) * 3 && !map_rebuild(m, (m->map.mask + 1) * 2, false)) return false;
    map_insert(&m->map, (log_map_cell){key, index, own});
    m->n_alias += !own;
    return true;
}

/* --- templates ---------------------------------------------------------------------------------------------------------- */

uint32_t alm_miner_resolve(const alm_miner *m, uint32_t index) {
    if (index >= m->n_index) return ALM_NO_TEMPLATE;
    while (m->parent[index] != index) {
        m->parent[index] = m->parent[m->parent[index]]; /* halves the path: results stay, the next look is shorter */
        index = m->parent[index];
    }
    return index;
}

log_template *log_template_new(alm_miner *m, uint32_t n_item, alm_str example) {
    if (m->n_index >= LOG_NONE - 1) return NULL;
    if (m->n_index == m->cap_index) {
        size_t cap = m->cap_index ? m->cap_index * 2 : 256;
        uint32_t *parent = alm_realloc(m->parent, cap * sizeof *parent);
        if (!parent) return NULL;
        m->parent = parent;
        uint32_t *slot = alm_realloc(m->slot, cap * sizeof *slot);
        if (!slot) return NULL;
        m->slot = slot;
        m->cap_index = cap;
    }
    size_t items = n_item * sizeof(log_item);
    log_item *item = alm_alloc(items + example.n + !(items + example.n));
    if (!item) return NULL;
    memset(item, 0, items);
    if (example.n) memcpy(item + n_item, example.at, example.n);
    uint32_t place = m->free_tmpl;
    if (place != LOG_NONE) m->free_tmpl = m->tmpl[place].index;
    else {
        void *tmpl = m->tmpl;
        if (!alm_grow(&tmpl, &m->cap_tmpl, m->n_tmpl + 1, sizeof *m->tmpl)) {
            alm_free(item);
            return NULL;
        }
        m->tmpl = tmpl;
        place = (uint32_t)m->n_tmpl++;
    }
    uint32_t index = (uint32_t)m->n_index++;
    m->parent[index] = index;
    m->slot[index] = place;
    m->tmpl[place] = (log_template){.item = item,
                                    .n_item = (uint16_t)n_item,
                                    .example_n = (uint16_t)example.n,
                                    .index = index,
                                    .first_ns = ALM_NO_TIME,
                                    .last_ns = ALM_NO_TIME,
                                    .spark_shift = (uint8_t)m->spark_shift};
    m->n_live++;
    return &m->tmpl[place];
}

void log_template_drop(alm_miner *m, log_template *t) {
    uint32_t place = (uint32_t)(t - m->tmpl);
    m->slot[t->index] = LOG_NONE;
    alm_free(t->item);
    *t = (log_template){.index = m->free_tmpl};
    m->free_tmpl = place;
    m->n_live--;
}

uint64_t log_item_sep_hash(const alm_miner *m, const log_item *it, uint32_t position) {
    alm_str sep = log_word_text(m, it->sep);
    return alm_log_sep_hash(sep.at, sep.n, position);
}

uint64_t log_template_key(const alm_miner *m, const log_template *t) {
    uint64_t key = 0;
    for (uint32_t i = 0; i < t->n_item; i++) {
        const log_item *it = &t->item[i];
        uint64_t sep = log_item_sep_hash(m, it, i);
        key += it->type == ALM_SLOT_CONST ? alm_log_share_of(sep, log_word_hash(m, it->word)) : alm_log_slot_share(sep);
    }
    alm_str tail = log_word_text(m, t->tail);
    key += alm_log_tail_share(tail.at, tail.n, t->n_item);
    return key ? key : 1;
}

/* A value has been seen where the item is a slot. */
void log_item_see(log_item *it, const alm_token *t, uint64_t word_hash_of_item) {
    if (it->soft) {
        if (t->hash == word_hash_of_item) return;
        it->soft = 0;
        if (it->type == ALM_SLOT_ANY && t->type != ALM_SLOT_ANY) { /* it was empty or `-` so far */
            it->type = t->type == ALM_SLOT_CONST ? ALM_SLOT_WORD : t->type;
            return;
        }
    }
    if (t->type != it->type && t->type != ALM_SLOT_ANY)
        it->type = alm_slot_join((uint8_t)it->type, t->type == ALM_SLOT_CONST ? ALM_SLOT_WORD : t->type);
}

void log_spark_scale(log_template *t, uint32_t shift) {
    for (; t->spark_shift < shift; t->spark_shift++)
        for (uint32_t i = 0; i < ALM_SPARK_BINS; i++)
            t->spark[i] = i < ALM_SPARK_BINS / 2 ? t->spark[2 * i] + t->spark[2 * i + 1] : 0;
}

void log_template_join(log_template *into, const log_template *from) {
    if (from->count == 0) return;
    bool earlier = into->count == 0 || from->first_record < into->first_record;
    if (earlier) into->first_record = from->first_record;
    if (from->last_record > into->last_record) into->last_record = from->last_record;
    if (from->first_ns != ALM_NO_TIME && (into->first_ns == ALM_NO_TIME || from->first_ns < into->first_ns))
        into->first_ns = from->first_ns;
    if (from->last_ns != ALM_NO_TIME && from->last_ns > into->last_ns) into->last_ns = from->last_ns;
    into->count += from->count;
    log_template scaled = *from;
    uint32_t shift = scaled.spark_shift > into->spark_shift ? scaled.spark_shift : into->spark_shift;
    log_spark_scale(&scaled, shift);
    log_spark_scale(into, shift);
    for (uint32_t i = 0; i < ALM_SPARK_BINS; i++) into->spark[i] += scaled.spark[i];
}

static void count(alm_miner *m, log_template *t, int64_t time_ns) {
    uint64_t number = ++m->n_records;
    while ((number - 1) >> m->spark_shift >= ALM_SPARK_BINS) m->spark_shift++;
    if (t->spark_shift != m->spark_shift) log_spark_scale(t, m->spark_shift);
    t->spark[(number - 1) >> m->spark_shift]++;
    if (t->count++ == 0) t->first_record = number;
    t->last_record = number;
    if (time_ns != ALM_NO_TIME) {
        if (t->first_ns == ALM_NO_TIME || time_ns < t->first_ns) t->first_ns = time_ns;
        if (time_ns > t->last_ns) t->last_ns = time_ns;
    }
}

/* A template for the tokens at hand, not yet counted; LOG_NONE without memory, and then nothing has changed but words. */
static uint32_t create(alm_miner *m, alm_str record) {
    const alm_log_view *k = &m->view;
    size_t n_example = record.n < ALM_EXAMPLE_BYTES ? record.n : ALM_EXAMPLE_BYTES;
    while (n_example > 0 && n_example < record.n && ((unsigned char)record.at[n_example] & 0xC0) == 0x80) n_example--;
    log_template *t = log_template_new(m, k->n, (alm_str){record.at, n_example});
    if (!t) return LOG_NONE;
    uint32_t index = t->index;
    for (uint32_t i = 0; i < k->n; i++) {
        const alm_token *tok = &k->at[i];
        log_item *it = &t->item[i];
        uint32_t sep = intern_sep(m, record.at + tok->sep_at, tok->at - tok->sep_at), word;
        if (sep == LOG_NONE) goto oom;
        it->sep = sep & 0xFFFFFF;
        it->type = tok->type;
        it->flags = tok->flags & 63u;
        if (tok->type != ALM_SLOT_CONST && !(tok->flags & ALM_TOKEN_SOFT)) continue;
        word = log_intern(m, record.at + tok->at, tok->n, tok->hash);
        if (word == LOG_NONE) goto oom;
        it->word = word & 0xFFFFFF;
        if (tok->type != ALM_SLOT_CONST) it->soft = 1, t->n_soft++;
    }
    t->tail = intern_sep(m, record.at + k->tail_at, k->tail_end - k->tail_at);
    if (t->tail == LOG_NONE) goto oom;
    t->key = k->key;
    if (!log_map_put(m, t->key, index, true)) goto oom;
    return index;
oom:
    log_template_drop(m, t);
    m->n_index--; /* nobody has seen the index */
    return LOG_NONE;
}

/* --- records ------------------------------------------------------------------------------------------------------------- */

static void tokenise(alm_miner *m, alm_str record, const alm_kept_tokens *made) {
    if (made) {
        alm_tokens_view(&m->view, made);
        return;
    }
    if (m->shapes) {
        alm_log_shapes_tokenise(m->shapes, &m->view, &m->scratch, record, m->options.plain);
        return;
    }
    size_t n_hit = alm_mask_set_find(m->options.masks, record, m->hit, m->cap_hit);
    alm_tokens *t = &m->scratch;
    alm_log_tokenise(t, record, m->hit, n_hit, m->options.plain);
    m->view = (alm_log_view){
        .at = t->at, .n = t->n, .tail_at = t->tail_at, .tail_end = t->tail_end, .key = t->key, .types = t->types};
}

static uint32_t lookup(alm_miner *m, bool *direct) {
    log_map_cell *c = log_map_find(m, m->view.key);
    *direct = c != NULL;
    if (c) {
        if (m->parent[c->value] != c->value) c->value = alm_miner_resolve(m, c->value);
        return c->value;
    }
    return m->n_widening ? log_merge_lookup(m, &m->view) : LOG_NONE;
}

/* Fills out->params; when `learn`, the template sees the values. */
static void values(alm_miner *m, log_template *t, bool learn, alm_match *out) {
    const alm_log_view *k = &m->view;
    uint32_t n = 0;
    if (t->n_item != k->n) { /* the overflow template has one slot for all */
        m->param[n++] = (alm_param){.at = 0, .n = k->tail_end, .type = ALM_SLOT_STR};
    } else if (t->types == k->types) { /* nothing to learn: the items, far away in memory, need not be read */
        if (k->param) {
            out->params = k->param;
            out->n_params = k->n_param;
            return;
        }
        for (uint32_t i = 0; i < k->n; i++) {
            const alm_token *tok = &k->at[i];
            m->param[n] = (alm_param){.at = tok->at, .n = tok->n, .slot = (uint16_t)i, .type = tok->type};
            n += tok->type != ALM_SLOT_CONST;
        }
    } else {
        bool plain = true;
        for (uint32_t i = 0; i < k->n; i++) {
            log_item *it = &t->item[i];
            if (it->type == ALM_SLOT_CONST) continue;
            const alm_token *tok = &k->at[i];
            if (learn && (it->soft || it->type != tok->type)) {
                bool was_soft = it->soft;
                log_item_see(it, tok, was_soft ? log_word_hash(m, it->word) : 0);
                if (was_soft && !it->soft) t->n_soft--, t->id = 0;
            }
            m->param[n++] = (alm_param){.at = tok->at,
                                        .n = tok->n,
                                        .slot = (uint16_t)i,
                                        .type = tok->type == ALM_SLOT_CONST ? (uint8_t)ALM_SLOT_WORD : tok->type,
                                        .constant = it->soft};
            plain = plain && !it->soft && tok->type != ALM_SLOT_CONST;
        }
        if (learn && plain) t->types = k->types;
    }
    out->params = m->param;
    out->n_params = n;
}

alm_status alm_miner_add(alm_miner *m, alm_str record, int64_t time_ns, alm_match *out, alm_error *err) {
    return alm_miner_add_tokens(m, record, NULL, time_ns, out, err);
}

alm_status alm_miner_add_tokens(alm_miner *m, alm_str record, const alm_kept_tokens *tokens, int64_t time_ns,
                                alm_match *out, alm_error *err) {
    bool direct;
    tokenise(m, record, tokens);
    uint32_t index = lookup(m, &direct);
    *out = (alm_match){.index = index, .shape = m->view.key};
    if (m->options.match_only) {
        if (index == LOG_NONE) m->n_unmatched++, m->n_records++;
        else {
            log_template *t = log_live(m, index);
            values(m, t, false, out);
            count(m, t, time_ns);
        }
        return ALM_OK;
    }
    if (index == LOG_NONE) {
        if (m->n_live >= m->options.max_templates && !log_bound_evict(m)) return alm_fail_memory(err);
        index = create(m, record);
        if (index == LOG_NONE) return alm_fail_memory(err);
        log_template *t = log_live(m, index);
        values(m, t, true, out);
        count(m, t, time_ns);
        out->is_new = true;
        /* Without memory the merge is left out; alm_miner_settle looks again. */
        log_merge_consider(m, index);
        out->index = alm_miner_resolve(m, index);
        return ALM_OK;
    }
    log_template *t = log_live(m, index);
    if (!direct) log_map_put(m, m->view.key, index, false); /* an alias less is only slower */
    values(m, t, true, out);
    count(m, t, time_ns);
    return ALM_OK;
}

void alm_miner_match(alm_miner *m, alm_str record, alm_match *out) { alm_miner_match_tokens(m, record, NULL, out); }

void alm_miner_match_tokens(alm_miner *m, alm_str record, const alm_kept_tokens *tokens, alm_match *out) {
    bool direct;
    tokenise(m, record, tokens);
    uint32_t index = lookup(m, &direct);
    *out = (alm_match){.index = index, .shape = m->view.key};
    if (index != LOG_NONE) values(m, log_live(m, index), false, out);
}

void alm_miner_set_match_only(alm_miner *m, bool match_only) { m->options.match_only = match_only; }

alm_status alm_miner_settle(alm_miner *m, alm_error *err) {
    if (m->options.match_only) return ALM_OK;
    return log_merge_settle(m) ? ALM_OK : alm_fail_memory(err);
}

/* --- birth and death -------------------------------------------------------------------------------------------------------- */

alm_status alm_miner_new(alm_miner **out, const alm_miner_options *options, alm_error *err) {
    *out = NULL;
    alm_miner *m = alm_calloc(1, sizeof *m);
    if (!m) return alm_fail_memory(err);
    m->free_tmpl = m->overflow = LOG_NONE;
    if (options) memcpy(&m->options, options, options->size < sizeof m->options ? options->size : sizeof m->options);
    if (!m->options.max_templates) m->options.max_templates = 100000;
    alm_status st = ALM_OK;
    if (m->options.max_templates < 16 || m->options.max_templates > 1u << 24) {
        st = alm_fail(err, ALM_INVALID, "the bound of templates is %u; it must be from 16 to 16,777,216",
                      m->options.max_templates);
        goto done;
    }
    m->param = alm_calloc(ALM_LOG_MAX_TOKENS, sizeof *m->param);
    m->map.cell = alm_calloc(1024, sizeof *m->map.cell);
    m->map.mask = 1023;
    if (m->options.masks) {
        m->cap_hit = ALM_LOG_MAX_TOKENS;
        m->hit = alm_calloc(m->cap_hit, sizeof *m->hit);
    } else m->shapes = alm_log_shapes_new();
    if (!m->param || !m->map.cell || (m->cap_hit && !m->hit) || (!m->cap_hit && !m->shapes)) {
        st = alm_fail_memory(err);
        goto done;
    }
done:
    if (st != ALM_OK) alm_miner_free(m);
    else *out = m;
    return st;
}

void alm_miner_free(alm_miner *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n_tmpl; i++) alm_free(m->tmpl[i].item);
    log_words_free(&m->words);
    alm_free(m->tmpl);
    alm_free(m->parent);
    alm_free(m->slot);
    alm_free(m->map.cell);
    alm_free(m->site);
    alm_free(m->node);
    alm_free(m->widening);
    alm_free(m->hit);
    alm_free(m->param);
    alm_log_shapes_free(m->shapes);
    alm_free(m);
}
