/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/q3_k.c - 256 numbers of 3 bits, 16 of them with a scale of 6 bits each: 32 bytes of third bits (bit g / 2 of byte
 * 16 (g mod 2) + i for number i of group g), 64 bytes with the other two bits as in q2_k, 12 bytes of scales (four low bits of scale
 * g in nibble g / 8 of byte g mod 8, two high bits at 2 (g / 4) of byte 8 + g mod 4), f16 d.
 *
 *   decode   (d (scale - 32)), rounded, times (q - 4), rounded */
#include "dtype/block.h"

enum { BLOCK = 256, BLOCK_BYTES = 32 + 64 + 12 + 2 };

static void take(float *out, const uint8_t *at) {
    const uint8_t *high = at, *q = at + 32, *scale = at + 96;
    float d = alm_f16_to_f32(alm_load_u16(at + 108));
    for (unsigned g = 0; g < 16; g++, out += 16) {
        const uint8_t *from = q + g / 8 * 32 + g % 2 * 16, *third = high + g % 2 * 16;
        unsigned shift = g / 2 % 4 * 2, bit = g / 2;
        int six = (scale[g % 8] >> g / 8 * 4 & 15) | (scale[8 + g % 4] >> g / 4 * 2 & 3) << 4;
        float by = d * (float)(six - 32);
        ALM_ROLLED
        for (size_t i = 0; i < 16; i++) out[i] = by * (float)((from[i] >> shift & 3) + (third[i] >> bit & 1) * 4 - 4);
    }
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

const alm_type alm_type_q3_k = {
    .name = "q3_k", .gguf = 11, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode};
