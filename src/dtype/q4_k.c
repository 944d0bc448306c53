/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q4_k.c - 256 numbers of 4 bits, 32 of them with a scale and a minimum of 6 bits each: f16 d, f16 dmin, 12 bytes of
 * scales and minima (k_scales.h), 128 bytes: byte 32 c + i holds number 64 c + i below number 64 c + 32 + i.
 *
 *   decode   (d scale) q - (dmin minimum), each product and the difference rounded */
#include "dtype/block.h"
#include "dtype/k_scales.h"

enum { BLOCK = 256, BLOCK_BYTES = 4 + 12 + 128 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at)), low = alm_f16_to_f32(alm_load_u16(at + 2));
    const uint8_t *q = at + 16;
    for (unsigned j = 0; j < 8; j += 2, q += 32, out += 64) {
        unsigned scale[2], minimum[2];
        for (unsigned h = 0; h < 2; h++) alm_k_scale(&scale[h], &minimum[h], at + 4, j + h);
        float d0 = d * (float)scale[0], m0 = low * (float)minimum[0];
        float d1 = d * (float)scale[1], m1 = low * (float)minimum[1];
        for (size_t i = 0; i < 32; i++) out[i] = d0 * (float)(q[i] & 15) - m0;
        for (size_t i = 0; i < 32; i++) out[32 + i] = d1 * (float)(q[i] >> 4) - m1;
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q4_k = {
    .name = "q4_k", .gguf = 12, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
