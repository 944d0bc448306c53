/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_log_template.c - any bytes as records, and as a saved state.
 *
 * Questions: counts add up to the records, params lie inside the record and in order, the same records give the same ids,
 * a saved miner loads and saves as the same bytes; and a state that loads at all holds together. */
#include "detect/log_template.h"
#include "fuzz.h"

static void counts_add_up(const alm_miner *m) {
    uint64_t sum = alm_miner_n_unmatched(m);
    alm_template_info info;
    for (uint32_t i = 0; i < alm_miner_n_index(m); i++) {
        CHECK(alm_miner_resolve(m, i) < alm_miner_n_index(m));
        if (alm_miner_info(m, i, &info)) sum += info.count;
    }
    CHECK(sum == alm_miner_n_records(m));
}

static void mine(alm_miner *m, const char *at, size_t n) {
    alm_str rest = {at, n}, record;
    alm_match match;
    while (rest.at && alm_str_split(&rest, '\n', &record)) {
        CHECK(alm_miner_add(m, record, ALM_NO_TIME, &match, NULL) == ALM_OK);
        size_t end = 0;
        for (uint32_t i = 0; i < match.n_params; i++) {
            CHECK(match.params[i].at >= end && (size_t)match.params[i].at + match.params[i].n <= record.n);
            end = (size_t)match.params[i].at + match.params[i].n;
        }
        alm_match again;
        alm_miner_match(m, record, &again);
        CHECK(again.index == match.index || again.index == alm_miner_resolve(m, match.index));
    }
    CHECK(alm_miner_settle(m, NULL) == ALM_OK);
    counts_add_up(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    const alm_miner_options few = {.size = sizeof few, .max_templates = 16};
    alm_miner *a = NULL, *b = NULL, *c = NULL;
    alm_buf first = alm_buf_with_limit(64 << 20), second = alm_buf_with_limit(64 << 20);
    alm_str bytes = {(const char *)data, n};
    if (alm_miner_load(&c, bytes, NULL, NULL) == ALM_OK) {
        counts_add_up(c);
        CHECK(alm_miner_save(c, &first, NULL) == ALM_OK);
        alm_miner_free(c);
        CHECK(alm_miner_load(&c, alm_buf_str(&first), NULL, NULL) == ALM_OK);
        CHECK(alm_miner_save(c, &second, NULL) == ALM_OK);
        CHECK(alm_str_eq(alm_buf_str(&first), alm_buf_str(&second)));
        alm_miner_free(c);
        alm_buf_clear(&first), alm_buf_clear(&second);
    }
    CHECK(alm_miner_new(&a, n % 2 ? &few : NULL, NULL) == ALM_OK &&
          alm_miner_new(&b, n % 2 ? &few : NULL, NULL) == ALM_OK);
    mine(a, bytes.at, n);
    mine(b, bytes.at, n);
    CHECK(alm_miner_n_index(a) == alm_miner_n_index(b));
    for (uint32_t i = 0; i < alm_miner_n_index(a); i++) CHECK(alm_miner_id(a, i) == alm_miner_id(b, i));
    CHECK(alm_miner_save(a, &first, NULL) == ALM_OK);
    CHECK(alm_miner_load(&c, alm_buf_str(&first), NULL, NULL) == ALM_OK);
    CHECK(alm_miner_save(c, &second, NULL) == ALM_OK);
    CHECK(alm_str_eq(alm_buf_str(&first), alm_buf_str(&second)));
    counts_add_up(c);
    alm_miner_free(a), alm_miner_free(b), alm_miner_free(c);
    alm_buf_free(&first), alm_buf_free(&second);
    return 0;
}
