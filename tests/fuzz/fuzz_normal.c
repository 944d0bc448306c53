/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_normal.c - a model file of what is normal that opens can be used, and written again.
 *
 * Questions: sessions and records are judged without trouble, every p lies in (0, 1], every score is a number; what is
 * saved opens again, and saving that changes no byte. */
#include "detect/detect.h"
#include "fuzz.h"

static void judge(alm_normal *m) {
    alm_detection *d;
    alm_verdict *v = malloc(sizeof *v);
    static const char *const text[] = {"a b c",      "x", "INFO job_12345 started", "INFO job_12345 finished in 7 ms",
                                       "FATAL none", ""};
    CHECK(v && alm_detect_new(&d, m, NULL, NULL) == ALM_OK);
    for (uint64_t i = 0; i < 40; i++) {
        alm_str s = alm_str_of(text[i % 6]);
        alm_event e = {.text = s, .raw = s, .time_ns = (int64_t)i * 700000000, .line = i + 1, .label = -1};
        alm_status st =
            alm_normal_sessions(m) ? alm_detect_session(d, s, s, -1, i, v, NULL) : alm_detect_feed(d, &e, v, NULL);
        CHECK(st == ALM_OK || st == ALM_LIMIT || st == ALM_NO_MEMORY);
        if (st == ALM_OK) CHECK(v->p > 0 && v->p <= 1 && v->score == v->score);
        while (alm_detect_next_group(d, v)) CHECK(v->p > 0 && v->p <= 1 && v->score == v->score);
    }
    alm_detect_finish(d, NULL);
    while (alm_detect_next_group(d, v)) CHECK(v->p > 0 && v->p <= 1 && v->score == v->score);
    alm_detect_free(d);
    free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_normal *m, *again;
    alm_buf a = alm_buf_with_limit((size_t)1 << 28), b = alm_buf_with_limit((size_t)1 << 28);
    if (alm_normal_parse(&m, "fuzz", alm_str_make((const char *)data, n), NULL) != ALM_OK) return 0;
    CHECK(alm_normal_bytes(m, &a, NULL) == ALM_OK);
    CHECK(alm_normal_parse(&again, "again", alm_buf_str(&a), NULL) == ALM_OK);
    CHECK(alm_normal_bytes(again, &b, NULL) == ALM_OK);
    CHECK(a.n == b.n && memcmp(a.at, b.at, a.n) == 0);
    judge(again);
    alm_normal_free(again);
    alm_normal_free(m);
    alm_buf_free(&a);
    alm_buf_free(&b);
    return 0;
}
