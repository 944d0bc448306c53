/* SPDX-License-Identifier: Apache-2.0
 *
 * combine.c - the detectors' parts become one score, and the strongest parts become reasons.
 *
 * The rule: parts are added. Each part is a negative log-likelihood or a log-odds in nats, so a sum is what independence
 * would give; but nothing rests on independence, because the SUM is what is calibrated (calibrate.c), on records and groups
 * that no part was learned from. A p-value of the sum is valid for any way of joining parts, as long as the way was fixed
 * before the calibration part was read. So no correction for the number of detectors is needed. */
#include "base/alloc.h"
#include "detect/detect.h"

#define MOST_VALUE_PARTS 16.0

const alm_detector *const alm_detectors[ALM_DETECTOR_COUNT] = {
#define ALM_DETECTOR(name, text) &alm_detector_##name,
#include "detect/detectors.def"
#undef ALM_DETECTOR
};

const alm_detector *alm_detector_at(size_t i) { return i < ALM_DETECTOR_COUNT ? alm_detectors[i] : NULL; }

typedef struct severity_word {
    const char *word;
    unsigned level;
} severity_word;
static const severity_word words[] = {{"WARN", 1},   {"WARNING", 1}, {"ERROR", 2},     {"ERR", 2},
                                      {"SEVERE", 2}, {"FATAL", 3},   {"CRITICAL", 3},  {"CRIT", 3},
                                      {"ALERT", 3},  {"EMERG", 3},   {"EMERGENCY", 3}, {"PANIC", 3}};

static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static unsigned level_of(const char *at, size_t n) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t j = 0;
        while (j < n && words[i].word[j] && (at[j] & ~0x20) == words[i].word[j]) j++;
        if (j == n && !words[i].word[j]) return words[i].level;
    }
    return 0;
}

/* In capitals anywhere in the first 200 bytes, or in any case as the value of a key that ends in "level", "severity", "lvl". */
unsigned alm_severity_of(alm_str text) {
    size_t n = text.n < 200 ? text.n : 200;
    bool key = false;
    for (size_t i = 0; i < n;) {
        if (!is_letter(text.at[i])) {
            i++;
            continue;
        }
        size_t from = i;
        bool upper = true;
        for (; i < n && is_letter(text.at[i]); i++) upper = upper && text.at[i] < 'a';
        size_t len = i - from;
        const char *at = text.at + from;
        bool whole =
            (from == 0 || (text.at[from - 1] != '_' && text.at[from - 1] != '.' && text.at[from - 1] != '/')) &&
            (i >= n || (text.at[i] != '_' && text.at[i] != '/' && !(text.at[i] >= '0' && text.at[i] <= '9')));
        if (len >= 3 && len <= 9 && whole && (upper || key)) {
            unsigned level = level_of(at, len);
            if (level) return level;
        }
        key = (len >= 5 && memcmp(at + len - 5, "level", 5) == 0) || (len == 8 && memcmp(at, "severity", 8) == 0) ||
              (len == 3 && memcmp(at, "lvl", 3) == 0);
    }
    return 0;
}

void alm_evidence_keep(alm_evidence *e, unsigned cap, unsigned *n, const alm_evidence *one) {
    if (cap == 0 || one->score <= 0) return;
    unsigned at = *n;
    while (at > 0 && e[at - 1].score < one->score) at--;
    if (at >= cap) return;
    unsigned last = *n < cap ? *n : cap - 1;
    for (unsigned i = last; i > at; i--) e[i] = e[i - 1];
    e[at] = *one;
    if (*n < cap) ++*n;
}

double alm_score_record(alm_normal *m, const alm_look *look, alm_evidence *e, unsigned cap, unsigned *n) {
    double sum = 0;
    *n = 0;
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        if (!alm_detectors[i]->record) continue;
        alm_evidence one = {0};
        one.score = alm_detectors[i]->record(m, look, &one);
        if (one.score == 0) continue;
        sum += one.score;
        one.by = alm_detectors[i];
        alm_evidence_keep(e, cap, n, &one);
    }
    return sum;
}

alm_status alm_score_step(alm_normal *m, alm_group *g, const alm_look *look, alm_error *err) {
    alm_evidence kept[ALM_DETECTOR_COUNT];
    unsigned n = 0;
    double sum = 0, value = 0;
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        if (!alm_detectors[i]->step) continue;
        alm_evidence one = {0};
        one.score = alm_detectors[i]->step(m, g, look, &one);
        if (one.score <= 0) continue;
        if (i == ALM_DETECT_value || i == ALM_DETECT_surprise) {
            double left = MOST_VALUE_PARTS - g->value_parts;
            if (one.score > left) one.score = left;
            if (one.score <= 0) continue;
            value += one.score;
        }
        sum += one.score;
        one.by = alm_detectors[i];
        kept[n++] = one;
    }
    alm_status st = alm_group_take(g, look->event, err);
    if (st != ALM_OK) return st;
    g->parts += sum;
    g->value_parts += value;
    for (unsigned i = 0; i < n; i++) alm_evidence_keep(g->evidence, ALM_GROUP_EVIDENCE, &g->n_evidence, &kept[i]);
    return ALM_OK;
}

double alm_score_group(alm_normal *m, const alm_group *g, bool ended, alm_evidence *e, unsigned cap, unsigned *n) {
    double sum = g->parts;
    *n = 0;
    for (unsigned i = 0; i < g->n_evidence; i++) alm_evidence_keep(e, cap, n, &g->evidence[i]);
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        if (!alm_detectors[i]->end) continue;
        alm_evidence one = {0};
        one.score = alm_detectors[i]->end(m, g, ended, &one);
        if (one.score <= 0) continue;
        sum += one.score;
        one.by = alm_detectors[i];
        alm_evidence_keep(e, cap, n, &one);
    }
    return sum;
}

void alm_evidence_say(const alm_normal *m, const alm_evidence *e, alm_why *out) {
    alm_buf b = alm_buf_with_limit(4096);
    e->by->say(m, e, &b);
    alm_str s = alm_buf_str(&b);
    size_t n = s.n < ALM_WHY_BYTES - 1 ? s.n : ALM_WHY_BYTES - 1;
    while (n > 0 && n < s.n && ((unsigned char)s.at[n] & 0xC0) == 0x80) n--;
    if (n) memcpy(out->text, s.at, n);
    out->text[n] = 0;
    out->detector = e->by->name_of ? e->by->name_of(e) : e->by->name;
    out->score = e->score;
    alm_buf_free(&b);
}

alm_status alm_learn_record_of(alm_normal *m, const alm_look *look, alm_error *err) {
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        alm_status st = alm_detectors[i]->learn_record ? alm_detectors[i]->learn_record(m, look, err) : ALM_OK;
        if (st != ALM_OK) return st;
    }
    return ALM_OK;
}

alm_status alm_learn_end_of(alm_normal *m, const alm_group *g, alm_error *err) {
    if (g->n_records == 0) return ALM_OK;
    for (size_t i = 0; i < ALM_DETECTOR_COUNT; i++) {
        alm_status st = alm_detectors[i]->learn_end ? alm_detectors[i]->learn_end(m, g, err) : ALM_OK;
        if (st != ALM_OK) return st;
    }
    return ALM_OK;
}
