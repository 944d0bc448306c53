/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_pickle.c - what the stack machine gives is a graph that can be walked.
 *
 * Questions: a walk ends, meets as many values as the root's weight says, never goes deeper than its height; texts lie in
 * the input or are UTF-8's image of it; dictionaries have pairs; every name is one of the list; and what lies behind the
 * pickle's end does not change it. */
#include "format/pickle.h"
#include "fuzz.h"

#include <string.h>

static uint64_t walk(const alm_pickle_value *v, unsigned height) {
    uint64_t n = 1;
    CHECK(height <= ALM_PICKLE_MAX_HEIGHT && v->height <= ALM_PICKLE_MAX_HEIGHT);
    switch (v->kind) {
    case ALM_PICKLE_STRING:
    case ALM_PICKLE_BYTES:
    case ALM_PICKLE_LONG: CHECK(v->s.n == 0 || v->s.at); break;
    case ALM_PICKLE_GLOBAL: CHECK(v->global && v->global->id < ALM_PICKLE_ID_COUNT); break;
    case ALM_PICKLE_CALL: CHECK(v->global); /* fall through */
    case ALM_PICKLE_TUPLE:
    case ALM_PICKLE_LIST:
    case ALM_PICKLE_SET:
    case ALM_PICKLE_DICT:
    case ALM_PICKLE_PERSISTENT:
        CHECK(v->kind != ALM_PICKLE_DICT || v->n % 2 == 0);
        CHECK(v->kind != ALM_PICKLE_PERSISTENT || v->n == 1);
        for (uint32_t i = 0; i < v->n; i++) {
            CHECK(v->item[i]->height < v->height);
            n += walk(v->item[i], height + 1);
        }
        break;
    default: break;
    }
    CHECK(n == v->weight);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_pickle *p, *alone;
    size_t used = 0;
    if (alm_pickle_parse(&p, "fuzz", (alm_str){(const char *)data, n}, &used, NULL) != ALM_OK) return 0;
    CHECK(used > 0 && used <= n && data[used - 1] == '.');
    if (alm_pickle_root(p)->weight < 1 << 16) walk(alm_pickle_root(p), 0);
    CHECK(alm_pickle_parse(&alone, "fuzz", (alm_str){(const char *)data, used}, NULL, NULL) == ALM_OK);
    CHECK(alm_pickle_root(alone)->weight == alm_pickle_root(p)->weight);
    CHECK(alm_pickle_persistent_count(alone) == alm_pickle_persistent_count(p));
    alm_pickle_free(alone);
    alm_pickle_free(p);
    return 0;
}
