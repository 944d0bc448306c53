/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/f32.c - IEEE 754 binary32, little-endian: decode and encode move bits, NaN and all. */
#include "dtype/dtype.h"
#include "dtype/half.h"

#include <stdbool.h>

/* The machine's order is the file's: known to the compiler, which keeps one of the two ways. */
static bool is_native(void) {
    const uint32_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

static void decode(float *out, const void *in, size_t n) {
    const uint8_t *at = in;
    if (is_native()) {
        memcpy(out, in, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = alm_load_u16(at + 4 * i) | (uint32_t)alm_load_u16(at + 4 * i + 2) << 16;
        memcpy(out + i, &bits, 4);
    }
}

static void encode(void *out, const float *in, size_t n) {
    uint8_t *at = out;
    if (is_native()) {
        memcpy(out, in, n * sizeof *in);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, in + i, 4);
        alm_store_u16(at + 4 * i, (uint16_t)bits);
        alm_store_u16(at + 4 * i + 2, (uint16_t)(bits >> 16));
    }
}

const alm_type alm_type_f32 = {
    .name = "f32", .gguf = ALM_F32, .block = 1, .block_bytes = 4, .decode = decode, .encode = encode};
