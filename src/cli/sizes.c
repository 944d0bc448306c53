/* SPDX-License-Identifier: Apache-2.0
 *
 * sizes.c - bytes and large numbers as people say them. */
#include "cli/sizes.h"

static const char *text(char *at, uint64_t n, const char *unit, int decimals) {
    static const char letters[] = " kMGTPE";
    size_t step = 0;
    double x = (double)n;
    while (x >= 999.95 && letters[step + 1]) x /= 1000.0, step++;
    if (step == 0) alm_str_print(at, ALM_SIZE_BYTES, "%llu%s%s", (unsigned long long)n, *unit ? " " : "", unit);
    else alm_str_print(at, ALM_SIZE_BYTES, "%.*f %c%s", decimals, x, letters[step], unit);
    return at;
}

const char *alm_size_text(char *at, uint64_t n_bytes) { return text(at, n_bytes, "B", 1); }
const char *alm_size_count(char *at, uint64_t n) { return text(at, n, "", 2); }
