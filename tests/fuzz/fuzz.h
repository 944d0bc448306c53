/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz.h - what a fuzz target includes: the prototype and CHECK, the question that the target asks.
 *
 * A target is tests/fuzz/fuzz_NAME.c with one function; it asks more than "does it crash": what was parsed must be true.
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) { ...; CHECK(everything_lies_inside(x, n)); return 0; }
 * Add NAME to the list in meson.build and a few small files of our own to corpus/NAME/. The same source runs with
 * libFuzzer (-Dfuzz=true, clang) and, with driver.c, as an ordinary test that replays the corpus. */
#ifndef ALM_TESTS_FUZZ_H
#define ALM_TESTS_FUZZ_H

#include "base/str.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CHECK(condition)                                                                    \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "%s:%d: this must hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

/* A copy with a NUL behind it, to free: strndup wants one behind what it copies too, when the sanitizer is strict. */
static inline char *terminated(alm_str s) {
    char *at = malloc(s.n + 1);
    CHECK(at);
    if (s.n) memcpy(at, s.at, s.n);
    at[s.n] = 0;
    return at;
}

#endif
