/* SPDX-License-Identifier: Apache-2.0
 *
 * format/builtin.h - the small model that lies inside the program.
 *
 * "builtin:" stands wherever a model's file may stand: alm_gguf_open knows it. The model was trained by this program from data that it makes itself
 * (examples/demo/builtin.sh, docs/model/builtin.md), and anybody can make the same file again. */
#ifndef ALM_FORMAT_BUILTIN_H
#define ALM_FORMAT_BUILTIN_H

#include "base/str.h"

#define ALM_BUILTIN "builtin:"

bool alm_builtin_is(const char *path);
/* The GGUF file, as it lies in the program; constant, aligned to 64. */
alm_str alm_builtin_bytes(void);
/* Its SHA-256 in hexadecimal, as it was when the program was built. */
const char *alm_builtin_sha256(void);

#endif
