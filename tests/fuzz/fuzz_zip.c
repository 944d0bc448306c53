/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_zip.c - an archive that opens is wholly accounted for.
 *
 * Questions: each entry's content lies in the file behind a header that bears its name; no two share a byte; each is found
 * by its name; no name leads out; what is stored has one size. */
#include "format/zip.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_zip *z;
    if (alm_zip_parse(&z, "fuzz", (alm_str){(const char *)data, n}, NULL) != ALM_OK) return 0;
    uint8_t *owned = calloc(n, 1);
    CHECK(owned);
    for (size_t i = 0; i < alm_zip_count(z); i++) {
        const alm_zip_entry *e = alm_zip_at(z, i);
        CHECK(e->at >= data + 30 && e->at <= data + n && e->n_packed <= (size_t)(data + n - e->at));
        CHECK(memcmp(data + e->head, "PK\3\4", 4) == 0 && memcmp(data + e->head + 30, e->name.at, e->name.n) == 0);
        CHECK(alm_zip_find(z, e->name) == e);
        CHECK(e->name.n > 0 && e->name.at[0] != '/' && !memchr(e->name.at, '\\', e->name.n));
        CHECK(e->method != ALM_ZIP_STORED || e->n_bytes == e->n_packed);
        for (size_t k = e->head; k < (size_t)(e->at - data) + e->n_packed; k++) CHECK(!owned[k]++);
        alm_status st = alm_zip_check(z, e, NULL);
        CHECK(st == ALM_OK || st == ALM_MALFORMED || st == ALM_UNSUPPORTED);
    }
    CHECK(alm_zip_count(z) == 0 || owned[0]);
    free(owned);
    alm_zip_free(z);
    return 0;
}
