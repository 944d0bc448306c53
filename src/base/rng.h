/* SPDX-License-Identifier: Apache-2.0
 *
 * base/rng.h - Philox4x32-10 (Salmon et al., SC 2011): a random number is a function of key and counter, so any thread can
 * draw any number and all machines agree. The counters' meaning is fixed in docs/numbers.md. */
#ifndef ALM_BASE_RNG_H
#define ALM_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

void alm_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A stream for sequential use: key = seed, counter = (draw low, draw high, stream, purpose). */
typedef struct alm_rng {
    uint32_t key[2], counter[4], block[4];
    unsigned left;
} alm_rng;
alm_rng alm_rng_seed(uint64_t seed, uint32_t stream, uint32_t purpose);
uint32_t alm_rng_u32(alm_rng *r);
uint64_t alm_rng_u64(alm_rng *r);
/* 0 <= x < n without bias (Lemire); n >= 1. */
uint32_t alm_rng_below(alm_rng *r, uint32_t n);
/* (x >> 8) * 2^-24 in [0, 1): rule I. */
float alm_rng_f32(alm_rng *r);
/* 53 bits in [0, 1). */
double alm_rng_f64(alm_rng *r);

#endif
