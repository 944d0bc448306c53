#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/base/pow10.inc: for k in -292..324 the 128 bits g with 2^127 <= g < 2^128 and
g = ceil(10^k * 2^(127 - floor(log2(10^k)))), high word first. Usage: tools/make_pow10.py > src/base/pow10.inc"""
from fractions import Fraction

print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(" * base/pow10.inc - powers of ten, 10^-292 to 10^324, to 128 bits; made by tools/make_pow10.py. */")
for k in range(-292, 325):
    x = Fraction(10) ** k
    e = 0
    e = x.numerator.bit_length() - x.denominator.bit_length()
    while Fraction(2) ** e > x:
        e -= 1
    while Fraction(2) ** (e + 1) <= x:
        e += 1
    y = x * Fraction(2) ** (127 - e)
    g = -((-y.numerator) // y.denominator)
    assert 1 << 127 <= g < 1 << 128
    assert e == (k * 1741647) >> 19
    print(f"ALM_POW10({k}, 0x{g >> 64:016x}, 0x{g & (1 << 64) - 1:016x})")
