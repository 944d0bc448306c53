/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/tq2_0.c - 256 numbers out of -1, 0, 1 (and 2, which a writer does not make) share a scale, four in a byte: 64 bytes, f16 d.
 * Half h lies in bytes 32 h .. 32 h + 31: number 32 j + i of the half is bits 2 j and 2 j + 1 of byte i.
 *
 *   decode   (q - 1) f32(d): exact
 *   encode   d = max |x|; q = 1 + x (1 / d) to the nearest, halves away from zero
 *
 * Equal, bit for bit, to what GGUF's reference writer makes of finite numbers. */
#include "dtype/block.h"

enum { BLOCK = 256, BLOCK_BYTES = 64 + 2 };

static void take(float *out, const uint8_t *at) {
    float d = alm_f16_to_f32(alm_load_u16(at + 64));
    for (unsigned half = 0; half < 2; half++, at += 32)
        for (unsigned j = 0; j < 4; j++, out += 32)
            for (unsigned i = 0; i < 32; i++) out[i] = (float)((at[i] >> 2 * j & 3) - 1) * d;
}
ALM_DECODE_BLOCKS(take, BLOCK, BLOCK_BYTES)

static void put(uint8_t *at, const float *in) {
    float d = alm_farthest(in, BLOCK);
    d = d < 0 ? -d : d;
    float inverse = d != 0 ? 1 / d : 0;
    alm_store_u16(at + 64, alm_f16_from_f32(d));
    for (unsigned half = 0; half < 2; half++, in += 128) {
        for (unsigned i = 0; i < 32; i++) {
            unsigned byte = 0;
            for (unsigned j = 0; j < 4; j++) byte |= alm_ternary(in[32 * j + i] * inverse) << 2 * j;
            at[32 * half + i] = (uint8_t)byte;
        }
    }
}
ALM_ENCODE_BLOCKS(put, BLOCK, BLOCK_BYTES)

const alm_type alm_type_tq2_0 = {
    .name = "tq2_0", .gguf = 35, .block = BLOCK, .block_bytes = BLOCK_BYTES, .decode = decode, .encode = encode};
