/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq4_nl.c - 32 numbers of 4 bits, which name one of 16 levels (iq4.h), share a scale: f16 d, 16 bytes as in q4_0.
 *
 *   decode   f32(d) level: exact */
#include "dtype/block.h"
#include "dtype/iq4.h"

enum { BLOCK = 32, BLOCK_BYTES = 2 + 16 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at));
    for (size_t i = 0; i < 16; i++) {
        out[i] = d * (float)alm_iq4_level[at[2 + i] & 15];
        out[i + 16] = d * (float)alm_iq4_level[at[2 + i] >> 4];
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_iq4_nl = {
    .name = "iq4_nl", .gguf = 20, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
