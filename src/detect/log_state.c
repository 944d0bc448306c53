/* SPDX-License-Identifier: Apache-2.0
 *
 * log_state.c - the miner as bytes, and back. The format is written down in docs/format/miner-state.md.
 *
 * Saved are the live templates in the order of their indices, with the words that they use; keys, sites and widenings are
 * built again, since they follow from the templates. So a loaded miner has indices from 0 and goes on where the saved one
 * stood: the same records in the same order give the same templates, however often it was saved between.
 *
 * A state file may come from anywhere: the digest at its end finds damage, and every count and number is checked against
 * what is left of the file before anything is allocated or indexed by it. */
#include "base/file.h"
#include "detect/log_inner.h"
#include "detect/log_mask.h"

static const char magic[8] = {'A', 'L', 'M', 'M', 'I', 'N', 'E', '\n'};
enum {
    VERSION = 1,
    HEADER_BYTES = 72,
    TEMPLATE_BYTES = 40 + 16 + 4 * ALM_SPARK_BINS, /* without items and example */
    ITEM_BYTES = 12
};
static const size_t MAX_STATE_BYTES = (size_t)1 << 32;

/* --- saving ---------------------------------------------------------------------------------------------------------- */

static uint32_t number_of(uint32_t *number, uint32_t *n, uint32_t word) {
    if (!number[word]) number[word] = ++*n;
    return number[word] - 1;
}

static bool has_word(const log_item *it) { return it->type == ALM_SLOT_CONST || it->soft; }

alm_status alm_miner_save(const alm_miner *m, alm_buf *out, alm_error *err) {
    size_t start = out->n;
    uint32_t *number = alm_calloc(m->words.n ? m->words.n : 1, sizeof *number); /* word -> its number in the file + 1 */
    uint32_t *used = alm_calloc(m->words.n ? m->words.n : 1, sizeof *used);     /* and back */
    alm_status st = ALM_OK;
    if (!number || !used) {
        st = alm_fail_memory(err);
        goto done;
    }
    uint32_t n_words = 0, ordinal = 0, overflow = LOG_NONE;
    for (size_t i = 0; i < m->n_index; i++) {
        const log_template *t = log_live(m, (uint32_t)i);
        if (!t) continue;
        if (t->index == m->overflow) overflow = ordinal;
        ordinal++;
        for (uint32_t k = 0; k <= t->n_item; k++) {
            uint32_t before = n_words, word = k < t->n_item ? t->item[k].sep : t->tail;
            number_of(number, &n_words, word);
            if (n_words > before) used[before] = word;
            if (k == t->n_item || !has_word(&t->item[k])) continue;
            before = n_words, word = t->item[k].word;
            number_of(number, &n_words, word);
            if (n_words > before) used[before] = word;
        }
    }
    alm_buf_add(out, magic, sizeof magic);
    alm_buf_add_le32(out, VERSION);
    alm_buf_add_le32(out, m->options.plain);
    alm_buf_add_le64(out, alm_mask_set_digest(m->options.masks));
    alm_buf_add_le64(out, m->n_records);
    alm_buf_add_le64(out, m->n_unmatched);
    alm_buf_add_le64(out, m->n_evicted);
    alm_buf_add_le32(out, m->spark_shift);
    alm_buf_add_le32(out, overflow);
    alm_buf_add_le32(out, n_words);
    alm_buf_add_le32(out, m->n_live);
    alm_buf_add_le64(out, 0);
    for (uint32_t i = 0; i < n_words; i++) {
        alm_str text = log_word_text(m, used[i]);
        alm_buf_add_le32(out, (uint32_t)text.n);
        alm_buf_add_str(out, text);
    }
    for (size_t i = 0; i < m->n_index; i++) {
        const log_template *t = log_live(m, (uint32_t)i);
        if (!t) continue;
        alm_buf_add_le64(out, t->count);
        alm_buf_add_le64(out, t->first_record);
        alm_buf_add_le64(out, t->last_record);
        alm_buf_add_le64(out, (uint64_t)t->first_ns);
        alm_buf_add_le64(out, (uint64_t)t->last_ns);
        alm_buf_add_le32(out, t->n_item);
        alm_buf_add_le32(out, number[t->tail] - 1);
        alm_buf_add_le32(out, t->example_n);
        alm_buf_add_le32(out, t->spark_shift);
        for (uint32_t b = 0; b < ALM_SPARK_BINS; b++) alm_buf_add_le32(out, t->spark[b]);
        for (uint32_t k = 0; k < t->n_item; k++) {
            const log_item *it = &t->item[k];
            alm_buf_add_le32(out, number[it->sep] - 1);
            alm_buf_add_le32(out, has_word(it) ? number[it->word] - 1 : LOG_NONE);
            unsigned char last[4] = {(unsigned char)it->type, it->soft, it->flags, it->widened};
            alm_buf_add(out, last, sizeof last);
        }
        alm_buf_add_str(out, log_template_example(t));
    }
    if (out->failed == ALM_OK) alm_buf_add_le64(out, alm_hash64(out->at + start, out->n - start, VERSION));
    st = alm_buf_status(out, err);
done:
    alm_free(number);
    alm_free(used);
    return st;
}

/* --- loading ----------------------------------------------------------------------------------------------------------- */

typedef struct reader {
    const unsigned char *at;
    size_t left;
} reader;

/* The caller has made sure that the bytes are there. */
static uint32_t le32(reader *r) {
    uint32_t x = (uint32_t)r->at[0] | (uint32_t)r->at[1] << 8 | (uint32_t)r->at[2] << 16 | (uint32_t)r->at[3] << 24;
    r->at += 4, r->left -= 4;
    return x;
}
static uint64_t le64(reader *r) {
    uint64_t low = le32(r);
    return low | (uint64_t)le32(r) << 32;
}

static alm_status damaged(alm_error *err, const char *what) {
    alm_fail(err, ALM_MALFORMED, "miner state: %s", what);
    return alm_hint(err, "the state is damaged or was not written by this program; mine again without it"),
           ALM_MALFORMED;
}

static alm_status load_words(alm_miner *m, reader *r, uint32_t n, uint32_t *word, alm_error *err) {
    for (uint32_t i = 0; i < n; i++) {
        if (r->left < 4) return damaged(err, "it ends inside the words");
        uint32_t bytes = le32(r);
        if (bytes > r->left) return damaged(err, "a word is longer than what is left");
        const char *at = (const char *)r->at;
        word[i] = log_intern(m, at, bytes, alm_log_word_hash(at, bytes));
        if (word[i] == LOG_NONE) return alm_fail_memory(err);
        if (word[i] != i) return damaged(err, "a word stands twice");
        r->at += bytes, r->left -= bytes;
    }
    return ALM_OK;
}

static alm_status load_item(const alm_miner *m, reader *r, log_template *t, uint32_t k, uint32_t n_words,
                            alm_error *err) {
    log_item *it = &t->item[k];
    uint32_t sep = le32(r), word = le32(r);
    unsigned type = r->at[0], soft = r->at[1], flags = r->at[2], widened = r->at[3];
    r->at += 4, r->left -= 4;
    if (sep >= n_words || soft > 1 || widened > 1 || flags > 7) return damaged(err, "an item is out of range");
    bool mask = type >= ALM_SLOT_MASK && type - ALM_SLOT_MASK < alm_mask_set_count(m->options.masks);
    if (type >= ALM_SLOT_BUILTIN_COUNT && !mask) return damaged(err, "a slot has a type that does not exist");
    if (type == ALM_SLOT_CONST && (soft || widened)) return damaged(err, "a constant is marked as a slot");
    bool has = type == ALM_SLOT_CONST || soft;
    if (has ? word >= n_words : word != LOG_NONE) return damaged(err, "an item's word does not exist");
    if (!has) word = 0;
    it->sep = sep & 0xFFFFFF, it->word = word & 0xFFFFFF, it->type = type & 255;
    it->soft = soft & 1, it->widened = widened & 1, it->flags = flags & 7;
    t->n_soft += it->soft;
    return ALM_OK;
}

static alm_status load_template(alm_miner *m, reader *r, uint32_t n_words, bool overflow, alm_error *err) {
    if (r->left < TEMPLATE_BYTES) return damaged(err, "it ends inside a template");
    uint64_t count = le64(r), first = le64(r), last = le64(r);
    int64_t first_ns = (int64_t)le64(r), last_ns = (int64_t)le64(r);
    uint32_t n_item = le32(r), tail = le32(r), example_n = le32(r), shift = le32(r);
    if (n_item > ALM_LOG_MAX_TOKENS || tail >= n_words || example_n > ALM_EXAMPLE_BYTES || shift > m->spark_shift)
        return damaged(err, "a template's numbers are out of range");
    uint64_t in_bins = 0;
    uint32_t spark[ALM_SPARK_BINS];
    for (uint32_t b = 0; b < ALM_SPARK_BINS; b++) in_bins += spark[b] = le32(r);
    if (in_bins != count) return damaged(err, "a template's count and its activity differ");
    if (first > last || last > m->n_records || (count && first == 0))
        return damaged(err, "a template lies outside the records");
    if (r->left < (size_t)n_item * ITEM_BYTES + example_n) return damaged(err, "it ends inside a template");
    log_template *t =
        log_template_new(m, n_item, (alm_str){(const char *)r->at + (size_t)n_item * ITEM_BYTES, example_n});
    if (!t) return alm_fail_memory(err);
    t->count = count, t->first_record = first, t->last_record = last, t->first_ns = first_ns, t->last_ns = last_ns;
    t->tail = tail, t->spark_shift = (uint8_t)shift;
    memcpy(t->spark, spark, sizeof spark);
    for (uint32_t k = 0; k < n_item; k++) {
        alm_status st = load_item(m, r, t, k, n_words, err);
        if (st != ALM_OK) return st;
    }
    r->at += example_n, r->left -= example_n;
    if (overflow) {
        m->overflow = t->index;
        return ALM_OK;
    }
    t->key = log_template_key(m, t);
    if (log_map_find(m, t->key)) return damaged(err, "two templates are the same");
    return log_map_put(m, t->key, t->index, true) ? ALM_OK : alm_fail_memory(err);
}

alm_status alm_miner_load(alm_miner **out, alm_str bytes, const alm_miner_options *options, alm_error *err) {
    *out = NULL;
    reader r = {(const unsigned char *)bytes.at, bytes.n};
    if (bytes.n < HEADER_BYTES + 8 || memcmp(bytes.at, magic, sizeof magic) != 0)
        return damaged(err, "it does not begin as one");
    r.at += 8, r.left -= 8;
    uint32_t version = le32(&r);
    if (version != VERSION) {
        alm_fail(err, ALM_UNSUPPORTED, "miner state: version %u, this program reads %d", version, VERSION);
        return alm_hint(err, "use the program that wrote it, or mine again"), ALM_UNSUPPORTED;
    }
    reader end = {(const unsigned char *)bytes.at + bytes.n - 8, 8};
    if (le64(&end) != alm_hash64(bytes.at, bytes.n - 8, VERSION))
        return damaged(err, "its digest does not fit its content");
    r.left -= 8;
    alm_miner *m = NULL;
    uint32_t *word = NULL;
    alm_status st = alm_miner_new(&m, options, err);
    if (st != ALM_OK) return st;
    uint32_t flags = le32(&r);
    if (flags > 1) {
        st = damaged(err, "unknown flags");
        goto done;
    }
    m->options.plain = flags;
    if (le64(&r) != alm_mask_set_digest(m->options.masks)) {
        st = alm_fail(err, ALM_MISMATCH, "miner state: it was made with other masks than these");
        if (err) alm_hint(err, "give the same --mask FILE, or mine again");
        goto done;
    }
    m->n_records = le64(&r), m->n_unmatched = le64(&r), m->n_evicted = le64(&r);
    m->spark_shift = le32(&r);
    uint32_t overflow = le32(&r), n_words = le32(&r), n_templates = le32(&r);
    uint64_t reserved = le64(&r);
    if (m->spark_shift > 60 || reserved || n_words > r.left / 4 || n_templates > r.left / TEMPLATE_BYTES ||
        (overflow != LOG_NONE && overflow >= n_templates) ||
        (m->n_records && (m->n_records - 1) >> m->spark_shift >= ALM_SPARK_BINS)) {
        st = damaged(err, "a number in its head is out of range");
        goto done;
    }
    if (n_templates > m->options.max_templates) {
        st = alm_fail(err, ALM_LIMIT, "miner state: it has %u templates, the bound is %u", n_templates,
                      m->options.max_templates);
        goto done;
    }
    word = alm_calloc(n_words ? n_words : 1, sizeof *word);
    if (!word) {
        st = alm_fail_memory(err);
        goto done;
    }
    if ((st = load_words(m, &r, n_words, word, err)) != ALM_OK) goto done;
    uint64_t records = m->n_unmatched;
    for (uint32_t i = 0; i < n_templates; i++) {
        if ((st = load_template(m, &r, n_words, i == overflow, err)) != ALM_OK) goto done;
        uint64_t count = log_live(m, i)->count;
        if (records + count < records) {
            st = damaged(err, "its counts are too large");
            goto done;
        }
        records += count;
    }
    if (r.left) st = damaged(err, "something stands behind its end");
    else if (records != m->n_records) st = damaged(err, "its counts do not add up to its records");
    else if (!log_merge_rebuild(m)) st = alm_fail_memory(err);
done:
    alm_free(word);
    if (st == ALM_OK) *out = m;
    else alm_miner_free(m);
    return st;
}

alm_status alm_miner_save_file(const alm_miner *m, const char *path, alm_error *err) {
    alm_buf bytes = alm_buf_with_limit(MAX_STATE_BYTES);
    alm_status st = alm_miner_save(m, &bytes, err);
    if (st == ALM_OK) st = alm_file_write(path, bytes.at, bytes.n, err);
    alm_buf_free(&bytes);
    return st;
}

alm_status alm_miner_load_file(alm_miner **out, const char *path, const alm_miner_options *options, alm_error *err) {
    *out = NULL;
    alm_buf bytes = alm_buf_with_limit(MAX_STATE_BYTES);
    alm_status st = alm_file_read(&bytes, path, err);
    if (st == ALM_OK) {
        alm_error inner = {0};
        st = alm_miner_load(out, alm_buf_str(&bytes), options, &inner);
        if (st != ALM_OK) {
            alm_fail(err, st, "%s: %s", path, inner.text);
            if (err && inner.hint[0]) alm_hint(err, "%s", inner.hint);
        }
    }
    alm_buf_free(&bytes);
    return st;
}
