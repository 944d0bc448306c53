/* SPDX-License-Identifier: Apache-2.0
 *
 * base/rng.c - Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * Ten rounds; each multiplies two of the four words by constants to 64 bits, XORs the high halves with the other two
 * words and the key, and swaps; the key rises by Weyl constants between rounds.
 *
 *     (c0, c1, c2, c3) -> (high(M1 c2) ^ c1 ^ k0, low(M1 c2), high(M0 c0) ^ c3 ^ k1, low(M0 c0)) */
#include "base/rng.h"

#define M0 0xD2511F53U
#define M1 0xCD9E8D57U
#define W0 0x9E3779B9U /* golden ratio */
#define W1 0xBB67AE85U /* sqrt(3) - 1 */

void alm_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)M0 * c0, p1 = (uint64_t)M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += W0;
        k1 += W1;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

alm_rng alm_rng_seed(uint64_t seed, uint32_t stream, uint32_t purpose) {
    return (alm_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .counter = {0, 0, stream, purpose}};
}

uint32_t alm_rng_u32(alm_rng *r) {
    if (r->left == 0) {
        alm_philox(r->block, r->counter, r->key);
        if (++r->counter[0] == 0) r->counter[1]++;
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

uint64_t alm_rng_u64(alm_rng *r) {
    uint64_t low = alm_rng_u32(r);
    return low | (uint64_t)alm_rng_u32(r) << 32;
}

uint32_t alm_rng_below(alm_rng *r, uint32_t n) {
    /* The high word of x n is uniform if products whose low word lies below 2^32 mod n are drawn again. */
    uint64_t product = (uint64_t)alm_rng_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t least = (uint32_t)(0 - n) % n;
        while ((uint32_t)product < least) product = (uint64_t)alm_rng_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}

float alm_rng_f32(alm_rng *r) { return (float)(alm_rng_u32(r) >> 8) * 0x1p-24F; }

double alm_rng_f64(alm_rng *r) { return (double)(alm_rng_u64(r) >> 11) * 0x1p-53; }
