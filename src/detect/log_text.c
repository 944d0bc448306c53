/* SPDX-License-Identifier: Apache-2.0
 *
 * log_text.c - what a template says of itself: text, id, counts, order by count.
 *
 * The text is separators, words and slots in order. The id is the hash of the text with every slot as <*>: slot types may
 * become wider with more records without making it another template. */
#include "detect/log_inner.h"
#include "detect/log_mask.h"
#include <stdlib.h>

uint32_t alm_miner_n_index(const alm_miner *m) { return (uint32_t)m->n_index; }
uint32_t alm_miner_n_live(const alm_miner *m) { return m->n_live; }
uint64_t alm_miner_n_records(const alm_miner *m) { return m->n_records; }
uint64_t alm_miner_n_unmatched(const alm_miner *m) { return m->n_unmatched; }
uint64_t alm_miner_n_evicted(const alm_miner *m) { return m->n_evicted; }

alm_str alm_miner_type_text(const alm_miner *m, unsigned type) {
    static const char *const text[ALM_SLOT_BUILTIN_COUNT] = {
#define ALM_SLOT_TEXT(name, text) "<" text ">",
        ALM_SLOT_TYPES(ALM_SLOT_TEXT)
#undef ALM_SLOT_TEXT
    };
    if (type < ALM_SLOT_BUILTIN_COUNT) return alm_str_of(text[type]);
    if (m->options.masks && type >= ALM_SLOT_MASK && type - ALM_SLOT_MASK < alm_mask_set_count(m->options.masks))
        return alm_mask_set_name(m->options.masks, type - ALM_SLOT_MASK);
    return ALM_STR("<*>");
}

static void add_text(const alm_miner *m, const log_template *t, alm_text_form form, alm_buf *out) {
    for (uint32_t i = 0; i < t->n_item; i++) {
        const log_item *it = &t->item[i];
        alm_buf_add_str(out, log_word_text(m, it->sep));
        if (it->type == ALM_SLOT_CONST || it->soft) alm_buf_add_str(out, log_word_text(m, it->word));
        else if (form == ALM_TEXT_STARS) alm_buf_add(out, "<*>", 3);
        else alm_buf_add_str(out, alm_miner_type_text(m, it->type));
    }
    alm_buf_add_str(out, log_word_text(m, t->tail));
}

void alm_miner_text(const alm_miner *m, uint32_t index, alm_text_form form, alm_buf *out) {
    const log_template *t = log_live(m, alm_miner_resolve(m, index));
    if (t) add_text(m, t, form, out);
}

static uint64_t id_of(const alm_miner *m, log_template *t) {
    if (t->id) return t->id;
    alm_buf text = alm_buf_with_limit((size_t)1 << 24);
    add_text(m, t, ALM_TEXT_STARS, &text);
    if (text.failed == ALM_OK) {
        t->id = alm_hash64(text.at, text.n, 0);
        if (!t->id) t->id = 1;
    }
    alm_buf_free(&text);
    return t->id;
}

uint64_t alm_miner_id(const alm_miner *m, uint32_t index) {
    log_template *t = log_live(m, alm_miner_resolve(m, index));
    return t ? id_of(m, t) : 0;
}

void alm_miner_id_text(char out[ALM_TEMPLATE_ID_CHARS + 1], uint64_t id) {
    for (int i = 0; i < ALM_TEMPLATE_ID_CHARS; i++) out[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
    out[ALM_TEMPLATE_ID_CHARS] = 0;
}

uint32_t alm_miner_find(const alm_miner *m, uint64_t id) {
    for (size_t i = 0; id && i < m->n_tmpl; i++)
        if (m->tmpl[i].item && id_of(m, &m->tmpl[i]) == id) return m->tmpl[i].index;
    return ALM_NO_TEMPLATE;
}

bool alm_miner_info(const alm_miner *m, uint32_t index, alm_template_info *out) {
    log_template *t = log_live(m, index);
    if (!t) return false;
    log_template scaled = *t;
    log_spark_scale(&scaled, m->spark_shift);
    *out = (alm_template_info){.index = index,
                               .id = id_of(m, t),
                               .count = t->count,
                               .first_record = t->first_record,
                               .last_record = t->last_record,
                               .first_ns = t->first_ns,
                               .last_ns = t->last_ns,
                               .example = log_template_example(t),
                               .n_tokens = t->n_item,
                               .spark_width = (uint64_t)1 << m->spark_shift};
    memcpy(out->spark, scaled.spark, sizeof out->spark);
    for (uint32_t i = 0; i < t->n_item; i++) out->n_slots += t->item[i].type != ALM_SLOT_CONST && !t->item[i].soft;
    return true;
}

unsigned alm_miner_slot_type(const alm_miner *m, uint32_t index, uint16_t slot) {
    const log_template *t = log_live(m, alm_miner_resolve(m, index));
    return t && slot < t->n_item && !t->item[slot].soft ? t->item[slot].type : ALM_SLOT_CONST;
}

/* Ids are known. */
static int by_count(const void *a, const void *b, void *miner) {
    const uint32_t *i = a, *k = b;
    const log_template *x = log_live(miner, *i), *y = log_live(miner, *k);
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return *i < *k ? -1 : *i > *k;
}

alm_status alm_miner_ranking(const alm_miner *m, uint32_t **out, size_t *n, alm_error *err) {
    uint32_t *list = alm_calloc(m->n_live ? m->n_live : 1, sizeof *list);
    *out = NULL, *n = 0;
    if (!list) return alm_fail_memory(err);
    size_t k = 0;
    for (size_t i = 0; i < m->n_tmpl; i++) {
        if (!m->tmpl[i].item) continue;
        (void)id_of(m, &m->tmpl[i]);
        list[k++] = m->tmpl[i].index;
    }
    /* Four bytes each, no copy of what they are compared by: this is when memory is at its highest. */
    qsort_r(list, k, sizeof *list, by_count, (void *)(uintptr_t)m); /* NOLINT(performance-no-int-to-ptr) */
    *out = list, *n = k;
    return ALM_OK;
}
