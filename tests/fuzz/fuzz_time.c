/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_time.c - a time stamp that is found is one: it lies in the line, reads the same alone, and its time reads back.
 *
 * Questions: the stamp's place is inside the text; parsing at that place gives the same; the time, written in ISO 8601, is read
 * as the same nanosecond; the same lines give the same times again; nothing is read beyond the end (the sanitizers see it). */
#include "record/stamp.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_stamp_reader r = {.now_ns = INT64_C(1795544700) * 1000000000}, twin = r;
    alm_str rest = {(const char *)data, n}, line;
    while (rest.n && alm_str_split(&rest, '\n', &line)) {
        alm_stamp s, same;
        int64_t ns, ns2;
        bool found = alm_stamp_search(&r, &s, line, 160);
        CHECK(found == alm_stamp_search(&twin, &same, line, 160));
        if (!found) continue;
        CHECK(s.n > 0 && (size_t)s.at + s.n <= line.n && s.at < 160);
        CHECK(same.at == s.at && same.n == s.n && same.form == s.form);
        if (alm_stamp_parse(&same, line, s.at)) CHECK(same.n == s.n && same.ns == s.ns);
        if (!alm_stamp_resolve(&r, &s, &ns)) continue;
        CHECK(alm_stamp_resolve(&twin, &s, &ns2) && ns == ns2);
        char text[41];
        alm_str iso = {text, alm_time_to_str(text, ns)};
        alm_stamp_reader fresh = {0};
        CHECK(alm_stamp_value(&same, iso) && alm_stamp_resolve(&fresh, &same, &ns2) && ns == ns2);
    }
    return 0;
}
