/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/kernels.c - the sets of kernels, which of them can run here, and the check that each passes at start. */
#include "tensor/kernel/kernels.h"

#include "base/cpu.h"
#include "tensor/kernel/check.h"

#include <string.h>

#define ALM_KERNEL_SET(name, needs) extern const alm_kernels alm_kernels_##name;
#include "tensor/kernel/kernels.def"
#undef ALM_KERNEL_SET

static const alm_kernels *const sets[] = {
#define ALM_KERNEL_SET(name, needs) &alm_kernels_##name,
#include "tensor/kernel/kernels.def"
#undef ALM_KERNEL_SET
    NULL};

const alm_kernels *const *alm_kernels_all(void) { return sets; }

const alm_kernels *alm_kernels_find(const char *isa) {
    for (size_t i = 0; sets[i]; i++)
        if (strcmp(sets[i]->isa, isa) == 0) return sets[i];
    return NULL;
}

bool alm_kernels_can(const alm_kernels *k) { return (alm_cpu_features() & k->needs) == k->needs; }

/* -- the checks ----------------------------------------------------------------------------------------------------- */

#define ALM_KERNEL_CHECKS
#include "tensor/kernel/kernel_list.def"
#undef ALM_KERNEL_CHECKS

size_t alm_kernels_checked(alm_kernels *out, const alm_kernels *fast) {
    size_t n_aside = 0;
    /* One kernel at a time in a table that is plain otherwise: a kernel is judged alone. */
    alm_kernels one = alm_kernels_plain;
    *out = *fast;
#define ALM_KERNEL(type, name, params)                                                     \
    one.name = fast->name;                                                                 \
    if (fast->name != alm_kernels_plain.name && !check_##name(&one, &alm_kernels_plain)) { \
        out->name = alm_kernels_plain.name;                                                \
        n_aside++;                                                                         \
    }                                                                                      \
    one.name = alm_kernels_plain.name;
#include "tensor/kernel/kernel_list.def"
#undef ALM_KERNEL
    return n_aside;
}
