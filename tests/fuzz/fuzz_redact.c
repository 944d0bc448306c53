/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_redact.c - redaction is complete and settles: what it leaves has nothing more to find.
 *
 * Questions: redacting the result finds nothing; n = 0 exactly when there is no result; text that is no find stands in the
 * result in its order (the result without pseudonyms is a subsequence of the text); the same text gives the same result. */
#include "record/redact_scan.h"

#include "fuzz.h"

static bool is_subsequence(alm_str small, alm_str large) {
    size_t k = 0;
    for (size_t i = 0; i < large.n && k < small.n; i++) k += large.at[i] == small.at[k];
    return k == small.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_redact *r;
    alm_str text = {(const char *)data, n};
    alm_buf out = alm_buf_with_limit(n * 40 + 64), again = out, kept = out;
    size_t n_found = 7;
    if (n > 4096) return 0;
    CHECK(alm_redact_new(&r, "all", "0123456789abcdef", 16, NULL) == ALM_OK);
    CHECK(alm_redact_apply(r, &out, text, &n_found, NULL) == ALM_OK);
    CHECK((n_found == 0) == (out.n == 0));
    if (n_found) {
        size_t more = 7;
        CHECK(alm_redact_apply(r, &again, text, &more, NULL) == ALM_OK);
        CHECK(more == n_found && alm_str_eq(alm_buf_str(&out), alm_buf_str(&again)));
        CHECK(alm_redact_apply(r, &again, alm_buf_str(&out), &more, NULL) == ALM_OK);
        CHECK(more == 0);
        for (size_t i = 0; i < out.n;) {
            size_t p = out.at[i] == '<' ? alm_scan_pseudonym(alm_buf_str(&out), i) : 0;
            if (!p) alm_buf_add_byte(&kept, out.at[i++]);
            i += p;
        }
        CHECK(is_subsequence(alm_buf_str(&kept), text));
    }
    alm_buf_free(&out), alm_buf_free(&again), alm_buf_free(&kept);
    alm_redact_free(r);
    return 0;
}
