/* SPDX-License-Identifier: Apache-2.0
 *
 * format/format.h - the file formats that this build knows: one row of formats.def each. */
#ifndef ALM_FORMAT_FORMAT_H
#define ALM_FORMAT_FORMAT_H

#include "base/str.h"

enum { ALM_FORMAT_READ = 1, ALM_FORMAT_WRITE = 2 };

typedef struct alm_format {
    const char *name, *text, *extensions; /* extensions: separated by blanks */
    unsigned flags;
    bool (*probe)(alm_str head); /* do the first bytes of a file look like it? */
} alm_format;

#define ALM_FORMAT(name, text, extensions, flags) extern const alm_format alm_format_##name;
#include "format/formats.def"
#undef ALM_FORMAT

/* In the order of probing, NULL behind the last. */
const alm_format *const *alm_format_list(void);
/* The first whose probe says yes to these bytes (64 are enough), or NULL. */
const alm_format *alm_format_probe(alm_str head);

#endif
