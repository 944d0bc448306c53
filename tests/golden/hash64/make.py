#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of alm_hash64, written from the text at the top of src/base/hash.c; makes hash64.tsv.

A line is: length, seed, hash. The input of length n is byte i = (i * 131 + 7 * (i >> 3) + n) mod 256.
Usage: make.py > hash64.tsv"""
from math import isqrt

M = (1 << 64) - 1
K = [isqrt(p << 128) & M | 1 for p in (2, 3, 5, 7, 11, 13, 17)]


def fold(a, b):
    p = (a & M) * (b & M)
    return (p & M) ^ (p >> 64)


def rotl(x, by):
    return (x << by | x >> (64 - by)) & M


def hash64(data, seed):
    n = len(data)
    word = lambda at, size=8: int.from_bytes(data[at : at + size], "little")
    step = lambda h, at: rotl(h, 25) ^ fold(word(at) ^ K[2], word(at + 8) ^ h)
    h = fold(seed ^ K[0], n ^ K[1])
    a = b = 0
    if n >= 16:
        at = 0
        if n - at > 48:
            h2, h3 = (h + K[3]) & M, (h + K[4]) & M
            while n - at > 48:
                h, h2, h3 = step(h, at), step(h2, at + 16), step(h3, at + 32)
                at += 48
            h ^= rotl(h2, 17) ^ rotl(h3, 41)
        while n - at > 16:
            h = step(h, at)
            at += 16
        a, b = word(n - 16), word(n - 8)
    elif n >= 8:
        a, b = word(0), word(n - 8)
    elif n >= 4:
        a, b = word(0, 4), word(n - 4, 4)
    elif n:
        a = data[0] | data[n // 2] << 8 | data[n - 1] << 16
    h = fold(a ^ K[3] ^ h, b ^ K[4] ^ rotl(h, 32)) ^ h
    return fold(h ^ K[5], h ^ K[6]) ^ h


for n in list(range(0, 101)) + [127, 128, 129, 143, 144, 145, 191, 192, 193, 255, 256, 257, 1000, 4096]:
    for seed in (0, 1, 0xFEDCBA9876543210):
        data = bytes((i * 131 + 7 * (i >> 3) + n) & 255 for i in range(n))
        print(f"{n}\t{seed:016x}\t{hash64(data, seed):016x}")
