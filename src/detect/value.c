/* SPDX-License-Identifier: Apache-2.0
 *
 * value.c - detector: a value that its place in the template never had.
 *
 * For each place (event, slot) up to ALM_VALUE_KEEP different values are remembered with their counts. A place with more is
 * open: a number, an address, a name - anything may stand there, and it says nothing. In a place that is not open and was
 * filled n >= 50 times, the next value is new with probability about (values that came once + 1/2) / (n + 1) (Good-Turing);
 * a new value there adds -log of that, at most 8, and nothing when that probability is above 2 %. In a group the parts add
 * up to at most 16 (combine.c).
 *
 * Places of numbers also know their range. A number beyond it by a fifth of the range or more adds log(n + 1), where n >= 200
 * numbers were seen and the range has grown seldom (fewer than 10 + 2 log2 n times: a counter or a clock grows for ever).
 * The tail that is stated with a part is the chance that a normal record has this template and a new value in this place. */
#include "base/alloc.h"
#include "base/mathx.h"
#include "detect/detect.h"
#include "detect/words.h"

enum { ENOUGH = 50, ENOUGH_NUMBERS = 200 };
#define MOST_PART 8.0
#define RARE      0.02

static uint64_t slot_key(uint32_t event, uint16_t slot) { return ((uint64_t)event << 16) | slot; }

static alm_str value_of(const alm_look *look, uint32_t i) {
    return (alm_str){look->text.at + look->params[i].at, look->params[i].n};
}

static double rarity(const alm_slot_values *s, uint64_t value) {
    if (s->open || s->n < ENOUGH) return 0;
    uint64_t once = 0;
    for (uint32_t i = 0; i < s->n_value; i++) {
        if (s->value[i] == value) return 0;
        once += s->count[i] == 1;
    }
    double p = ((double)once + 0.5) / ((double)s->n + 1);
    if (p > RARE) return 0;
    double part = -alm_log_f64(p);
    return part < MOST_PART ? part : MOST_PART;
}

/* A plain decimal number of at most 15 digits. */
static bool number_of(alm_str s, double *out) {
    size_t i = s.n && s.at[0] == '-', digits = 0;
    double x = 0, scale = 0;
    for (; i < s.n; i++) {
        if (s.at[i] == '.' && scale == 0) scale = 1;
        else if (s.at[i] >= '0' && s.at[i] <= '9' && ++digits <= 15) {
            x = x * 10 + (s.at[i] - '0');
            scale *= 10;
        } else return false;
    }
    if (digits == 0) return false;
    if (scale > 1) x /= scale;
    *out = s.at[0] == '-' ? -x : x;
    return true;
}

static double beyond(const alm_slot_values *s, alm_str value) {
    double x;
    if (s->n_number < ENOUGH_NUMBERS || s->n_number != s->n || !(s->high > s->low) || !number_of(value, &x)) return 0;
    double margin = (s->high - s->low) / 5;
    bool above = x > s->high + margin, below = x < s->low - margin;
    if (!above && !below) return 0;
    uint64_t grown = above ? s->n_high : s->n_low, may = 10;
    for (uint64_t n = s->n_number; n > 1; n >>= 1) may += 2;
    return grown > may ? 0 : alm_log_f64((double)s->n_number + 1);
}

static double record(alm_normal *m, const alm_look *look, alm_evidence *e) {
    double most = 0;
    if (look->unseen || m->n_slot == 0) return 0;
    for (uint32_t i = 0; i < look->n_params; i++) {
        if (look->params[i].type == ALM_SLOT_TIME) continue; /* today's date is always new */
        uint32_t at = alm_table64_get(&m->by_slot, slot_key(look->event, look->params[i].slot));
        if (at == UINT32_MAX || (m->slot[at].open && m->slot[at].n_number != m->slot[at].n)) continue;
        alm_str v = value_of(look, i);
        double range = beyond(&m->slot[at], v),
               part = range > 0 || m->slot[at].open ? range : rarity(&m->slot[at], alm_hash_str(v));
        if (part <= most) continue;
        most = part;
        e->a = look->event;
        e->b = range > 0;
        e->x = m->slot[at].n;
        e->y = m->slot[at].n_value;
        e->z = v.n && v.at[0] != '-' && range > 0 && m->slot[at].high > 0 ? m->slot[at].high : m->slot[at].low;
        e->tail = alm_exp_f64(-part) * (double)m->slot[at].n / (m->n_records + 1);
        size_t n = v.n < ALM_SNIPPET - 1 ? v.n : ALM_SNIPPET - 1;
        memcpy(e->snippet, v.at, n);
        e->snippet[n] = 0;
    }
    return most;
}

static double step(alm_normal *m, alm_group *g, const alm_look *look, alm_evidence *e) {
    (void)g;
    return record(m, look, e);
}

static void count_number(alm_slot_values *s, alm_str value) {
    double x;
    if (s->n_number + 1 != s->n || !number_of(value, &x)) return;
    if (s->n_number == 0) s->low = s->high = x;
    if (x > s->high) s->high = x, s->n_high++;
    if (x < s->low) s->low = x, s->n_low++;
    s->n_number++;
}

static void count_value(alm_slot_values *s, alm_str text) {
    s->n++;
    count_number(s, text);
    if (s->open) return;
    uint64_t value = alm_hash_str(text);
    for (uint32_t i = 0; i < s->n_value; i++) {
        if (s->value[i] != value) continue;
        if (s->count[i] < UINT32_MAX) s->count[i]++;
        return;
    }
    if (s->n_value >= ALM_VALUE_KEEP) {
        s->open = true;
        return;
    }
    s->value[s->n_value] = value;
    s->count[s->n_value++] = 1;
}

static alm_status place_of(alm_normal *m, uint64_t key, uint32_t *out, alm_error *err) {
    *out = alm_table64_get(&m->by_slot, key);
    if (*out != UINT32_MAX || m->n_slot >= ALM_MAX_SLOTS) return ALM_OK;
    if (!alm_grow((void **)&m->slot, &m->cap_slot, m->n_slot + 1, sizeof *m->slot)) return alm_fail_memory(err);
    alm_status st = alm_table64_set(&m->by_slot, key, (uint32_t)m->n_slot, err);
    if (st != ALM_OK) return st;
    m->slot[m->n_slot] = (alm_slot_values){.key = key};
    *out = (uint32_t)m->n_slot++;
    return ALM_OK;
}

static alm_status learn_record(alm_normal *m, const alm_look *look, alm_error *err) {
    for (uint32_t i = 0; i < look->n_params; i++) {
        uint32_t at;
        alm_status st = place_of(m, slot_key(look->event, look->params[i].slot), &at, err);
        if (st != ALM_OK) return st;
        if (at == UINT32_MAX) continue; /* too many places: this one says nothing */
        count_value(&m->slot[at], value_of(look, i));
    }
    return ALM_OK;
}

static void say(const alm_normal *m, const alm_evidence *e, alm_buf *out) {
    char name[ALM_NAME_BYTES], most[32];
    alm_normal_name(m, e->a, name);
    if (e->b) {
        most[alm_f64_to_str(most, e->z)] = 0;
        alm_buf_printf(out,
                       alm_say(m, "value %s lies far beyond all %llu that stood there while learning (up to %s) in %s"),
                       e->snippet, (unsigned long long)e->x, most, name);
        return;
    }
    alm_buf_printf(
        out, alm_say(m, "value \"%s\" never stood there while learning (%llu records, %llu different values) in %s"),
        e->snippet, (unsigned long long)e->x, (unsigned long long)e->y, name);
}

static bool save(const alm_normal *m, alm_buf *out) {
    bool fine = alm_buf_add_le64(out, m->n_slot);
    for (size_t i = 0; i < m->n_slot && fine; i++) {
        const alm_slot_values *s = &m->slot[i];
        uint32_t n = s->open ? 0 : s->n_value;
        fine = alm_buf_add_le64(out, s->key) && alm_buf_add_le64(out, s->n) && alm_buf_add_le64(out, s->open) &&
               alm_buf_add_le64(out, s->n_number) && alm_buf_add_le64(out, s->n_high) &&
               alm_buf_add_le64(out, s->n_low) && alm_words_add_f64(out, s->low) && alm_words_add_f64(out, s->high) &&
               alm_buf_add_le64(out, n);
        for (uint32_t j = 0; j < n && fine; j++)
            fine = alm_buf_add_le64(out, s->value[j]) && alm_buf_add_le64(out, s->count[j]);
    }
    return fine;
}

static alm_status load(alm_normal *m, alm_str bytes, alm_error *err) {
    alm_words w = alm_words_of(bytes);
    uint64_t n = alm_words_count(&w, 9, ALM_MAX_SLOTS);
    for (uint64_t i = 0; i < n && w.fine; i++) {
        alm_slot_values s = {.key = alm_words_u64(&w)};
        s.n = alm_words_below(&w, (uint64_t)1 << 53);
        s.open = alm_words_below(&w, 2) != 0;
        s.n_number = alm_words_below(&w, s.n + 1);
        s.n_high = alm_words_below(&w, s.n + 1);
        s.n_low = alm_words_below(&w, s.n + 1);
        s.low = alm_words_f64(&w);
        s.high = alm_words_f64(&w);
        s.n_value = (uint32_t)alm_words_count(&w, 2, ALM_VALUE_KEEP);
        for (uint32_t j = 0; j < s.n_value; j++) {
            s.value[j] = alm_words_u64(&w);
            s.count[j] = (uint32_t)alm_words_below(&w, (uint64_t)1 << 32);
        }
        if ((s.key >> 16) >= m->n_event || alm_table64_get(&m->by_slot, s.key) != UINT32_MAX) w.fine = false;
        if (!w.fine) break;
        uint32_t at;
        alm_status st = place_of(m, s.key, &at, err);
        if (st != ALM_OK) return st;
        m->slot[at] = s;
    }
    return alm_words_end(&w, "alm.value", err);
}

const alm_detector alm_detector_value = {.name = "value",
                                         .text = "rare parameter value",
                                         .record = record,
                                         .step = step,
                                         .learn_record = learn_record,
                                         .say = say,
                                         .save = save,
                                         .load = load};
