#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes write.tsv (bits, text as ECMAScript writes it) and read.tsv (text, bits or "no").

Digits come from Python's repr and float, which are David Gay's correctly rounded conversions; the placing of the point
follows ECMA-262, Number::toString. Usage: make.py, in this folder."""
import random
import struct
from decimal import Decimal, getcontext

getcontext().prec = 1200
rng = random.Random(8785)


def to_bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def to_f64(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def ecmascript(x):
    if x == 0:
        return "0"
    text = repr(abs(x))
    sign = "-" if x < 0 else ""
    mantissa, _, e = text.partition("e")
    whole, _, part = mantissa.partition(".")
    digits = whole + part
    point = len(whole) + int(e or 0)
    lead = len(digits) - len(digits.lstrip("0"))
    digits, point = digits[lead:].rstrip("0"), point - lead
    n = len(digits)
    if n <= point <= 21:
        return sign + digits + "0" * (point - n)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    e = point - 1
    return sign + digits[0] + ("." + digits[1:] if n > 1 else "") + "e" + ("+" if e >= 0 else "-") + str(abs(e))


values = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 2.225073858507201e-308,
          1e21, 999999999999999900000.0, 1e22, 1e23, 9.5e-7, 1e-6, 1e-7, 123456789012345680000.0, 0.1, 0.3, 1 / 3, 2**53, 2**53 - 1,
          2**53 + 2, 4.5, 100.0, 1e20, 2.0**-44, 9007199254740993.0, 5e-1, 295147905179352830000.0, 333333333.33333329, 1e-27]
bits = [to_bits(float(v)) for v in values]
bits += [rng.getrandbits(64) for _ in range(700)]
bits += [e << 52 | f for e in range(0, 2047, 13) for f in (0, 1, (1 << 52) - 1)]
bits += [to_bits(rng.randrange(10 ** rng.randrange(1, 18)) / 10 ** rng.randrange(0, 12)) for _ in range(300)]
bits += [rng.getrandbits(52) >> rng.randrange(52) for _ in range(100)]
with open("write.tsv", "w") as out:
    for b in bits:
        if b >> 52 & 0x7FF != 0x7FF:
            print("%016x\t%s" % (b, ecmascript(to_f64(b))), file=out)

texts = ["0", "-0", "1", "1.", ".5", "+2", "00012.50", "1e5", "1E+5", "1e-5", "1e400", "-1e400", "1e-400", "0e999999999999", "0.0e-5",
         "1.7976931348623158e308", "1.7976931348623159e308", "2.4703282292062327e-324", "2.4703282292062328e-324",
         "9007199254740993", "9007199254740992.99999999999999999999", "9007199254740993.00000000000000000001",
         "1" + "0" * 400 + "e-400", "0." + "0" * 400 + "1e401", "1" * 900, "0." + "3" * 900, "123456789" * 100 + "e-880",
         "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880"]
texts += [repr(to_f64(rng.getrandbits(63) % 0x7FF0000000000000)) for _ in range(200)]
for _ in range(400):
    n = rng.randrange(1, 35)
    s = "".join(rng.choice("0123456789") for _ in range(n))
    p = rng.randrange(0, n + 1)
    texts.append((s[:p] or "0") + "." + (s[p:] or "0") + "e" + str(rng.randrange(-345, 312)))
for _ in range(60):  # exactly between two doubles, and a hair beside
    b = rng.getrandbits(63) % 0x7FE0000000000000
    text = format((Decimal(to_f64(b)) + Decimal(to_f64(b + 1))) / 2, "E")
    mantissa, e = text.split("E")
    texts += [text, (mantissa if "." in mantissa else mantissa + ".") + "0001E" + e]
no = ["", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e5.5", "1..2", "1.2.3", " 1", "1 ", "0x10", "inf", "nan", "Infinity", "1,5", "1_000", "--1", "1f", "1e5x"]
with open("read.tsv", "w") as out:
    for t in texts:
        x = float(t)
        print("%s\t%s" % (t, "no" if x in (float("inf"), float("-inf")) else "%016x" % to_bits(x)), file=out)
    for t in no:
        print("%s\tno" % t, file=out)
