/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/types.c - the table of types.def and how a type is found in it. */
#include "dtype/dtype.h"

#include <string.h>

#define ALM_TYPE(name) extern const alm_type alm_type_##name;
#include "dtype/types.def"
#undef ALM_TYPE

#define ALM_TYPE(name) &alm_type_##name,
static const alm_type *const types[] = {
#include "dtype/types.def"
    NULL};
#undef ALM_TYPE

const alm_type *const *alm_type_list(void) { return types; }

const alm_type *alm_type_find(uint32_t gguf) {
    for (const alm_type *const *t = types; *t; t++)
        if ((*t)->gguf == gguf) return *t;
    return NULL;
}

const alm_type *alm_type_named(const char *name) {
    for (const alm_type *const *t = types; *t; t++)
        if (strcmp((*t)->name, name) == 0) return *t;
    return NULL;
}
