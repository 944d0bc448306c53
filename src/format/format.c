/* SPDX-License-Identifier: Apache-2.0
 *
 * format.c - the list of file formats, made from formats.def. */
#include "format/format.h"

static const alm_format *const all[] = {
#define ALM_FORMAT(name, text, extensions, flags) &alm_format_##name,
#include "format/formats.def"
#undef ALM_FORMAT
    NULL,
};

const alm_format *const *alm_format_list(void) { return all; }

const alm_format *alm_format_probe(alm_str head) {
    for (const alm_format *const *f = all; *f; f++)
        if ((*f)->probe(head)) return *f;
    return NULL;
}
