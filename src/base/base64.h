/* SPDX-License-Identifier: Apache-2.0
 *
 * base/base64.h - bytes from base64 (RFC 4648, the alphabet with + and /). */
#ifndef ALM_BASE_BASE64_H
#define ALM_BASE_BASE64_H

#include "base/str.h"

/* `at` has room for s.n bytes; *n of them are written. False when s is not base64: another character, a wrong length, padding that is
 * missing or stands within, bits that are left over. */
bool alm_base64_decode(char *at, size_t *n, alm_str s);

#endif
