/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/sizes.h - bytes and large numbers as people say them: "4.4 GB", "1.24 G". */
#ifndef ALM_CLI_SIZES_H
#define ALM_CLI_SIZES_H

#include "base/str.h"

enum { ALM_SIZE_BYTES = 24 };
/* 1 kB is 1,000 bytes; below that the number itself. Returns `at`, which has ALM_SIZE_BYTES. */
const char *alm_size_text(char *at, uint64_t n_bytes);
/* 1234567 → "1.23 M". */
const char *alm_size_count(char *at, uint64_t n);

#endif
