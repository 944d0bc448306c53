/* SPDX-License-Identifier: Apache-2.0
 *
 * sniff.c - how is an input written? Each format looks at the head of it, in the order of sources.def; the first that
 * recognises itself is taken. lines is last and always does. */
#include "record/reader.h"

static const alm_source_ops *const in_order[] = {
#define ALM_SOURCE(name, NAME, file, flags, text) ((flags)&ALM_SOURCE_SNIFFED) ? &alm_source_##name : NULL,
#include "record/sources.def"
#undef ALM_SOURCE
};

bool alm_sniff_line(alm_str *rest, alm_str *line) {
    if (rest->n == 0) return false;
    if (!alm_str_split(rest, '\n', line)) return false;
    if (line->n && line->at[line->n - 1] == '\r') line->n--;
    return true;
}

const alm_source_ops *alm_sniff_format(alm_reader *r, alm_str head, const char *file_name) {
    for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++)
        if (in_order[i] && in_order[i]->looks_like && in_order[i]->looks_like(r, head, file_name)) return in_order[i];
    return &alm_source_lines;
}
