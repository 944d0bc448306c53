/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/dtype.h - how numbers lie in a file: one row of types.def and one file per type, plain C, exact.
 *
 * A type stores blocks of `block` numbers in `block_bytes` bytes, little-endian. Decoding is exact in f32; encoding rounds
 * to nearest even (f16, bf16) or by the type's own rule (docs/numbers.md). Numbers are those of GGUF. */
#ifndef ALM_DTYPE_DTYPE_H
#define ALM_DTYPE_DTYPE_H

#include <stddef.h>
#include <stdint.h>

typedef struct alm_type {
    const char *name; /* "f32", "bf16", "q8_0" … as --type takes it */
    uint32_t gguf;    /* number of the type in GGUF */
    size_t block, block_bytes;
    /* n numbers, a multiple of block; `in` needs no alignment. */
    void (*decode)(float *out, const void *in, size_t n);
    void (*encode)(void *out, const float *in, size_t n); /* NULL: this build only reads the type */
} alm_type;

enum { ALM_F32 = 0, ALM_F16 = 1, ALM_Q8_0 = 8, ALM_BF16 = 30, ALM_MXFP4 = 39 };

const alm_type *alm_type_find(uint32_t gguf);     /* NULL: a type that this build cannot decode */
const alm_type *alm_type_named(const char *name); /* NULL: no such name */
const alm_type *const *alm_type_list(void);       /* in the order of types.def, NULL behind the last */

#endif
