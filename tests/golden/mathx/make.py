#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes mathx.tsv: arguments and values of the functions of src/base/mathx.h, by mpmath at 60 digits and more.

A line is: function, arguments, value; each number the 16 hexadecimal digits of a double's bits (whole numbers in decimal).
The value is the true one for exactly these arguments, rounded once. Needs mpmath. Usage: make.py > mathx.tsv"""
import math
import random
import struct
from fractions import Fraction

from mpmath import mp, mpf, exp, log, log1p, loggamma, betainc, gammainc, sin, cos, pi

mp.dps = 60
rng = random.Random(20260314)


def bits(x):
    return "%016x" % struct.unpack("<Q", struct.pack("<d", float(x)))[0]


def row(name, args, value):
    print("\t".join([name] + [str(a) if isinstance(a, int) else bits(a) for a in args] + [bits(value)]))


def spread(low, high):
    """Log-uniform."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


for i in range(600):
    x = rng.uniform(-708, 709.7) if i % 2 else rng.choice([-1, 1]) * spread(1e-18, 5)
    row("exp", [x], exp(mpf(x)))
for x in (0.0, 709.782712893384, -708.3964185322641, 0.34657359027997264, 0.34657359027997270, -0.34657359027997264, 1.0, -1.0):
    row("exp", [x], exp(mpf(x)))
for i in range(600):
    x = [lambda: spread(1e-308, 1e308), lambda: 1 + rng.choice([-1, 1]) * spread(1e-15, 0.5), lambda: spread(0.1, 10)][i % 3]()
    row("log", [x], log(mpf(x)))
for x in (5e-324, 1e-310, 2.2250738585072014e-308, 1.7976931348623157e308, 0.7071067811865475, 0.7071067811865476, 1.4142135623730951, 0.9999999999999999, 1.0000000000000002, 2.0, 10.0):
    row("log", [x], log(mpf(x)))
for i in range(600):
    x = [lambda: rng.choice([-1, 1]) * spread(1e-300, 0.9), lambda: rng.choice([-1, 1]) * spread(1e-17, 0.9), lambda: spread(0.5, 1e20)][i % 3]()
    row("log1p", [x], log1p(mpf(x)))
for i in range(600):
    x = spread(1e-300, 1e300) if i % 2 else 1 + rng.uniform(-0.3, 0.4)
    limit = 700 / max(1e-3, abs(math.log(x)))
    y = rng.uniform(-limit, limit)
    v = exp(mpf(y) * log(mpf(x)))
    if 1e-300 < v < 1e300:
        row("pow", [x, y], v)
for i in range(600):
    x = [lambda: spread(1e-300, 1), lambda: spread(0.4, 20), lambda: spread(8, 1e15), lambda: 1 + rng.choice([-1, 1]) * spread(1e-14, 0.5),
         lambda: 2 + rng.choice([-1, 1]) * spread(1e-14, 0.5)][i % 5]()
    row("lgamma", [x], loggamma(mpf(x)).real)


def beta_cdf(x, a, b):
    """Power series with positive terms, on the side where it converges."""
    x, a, b = mpf(x), mpf(a), mpf(b)
    if x > (a + 1) / (a + b + 2):
        return 1 - half(1 - x, b, a)
    return half(x, a, b)


def half(x, a, b):
    with mp.workdps(60):
        front = exp(a * log(x) + b * log(1 - x) + loggamma(a + b) - loggamma(a) - loggamma(b)) / a
        term = total = mpf(1)
        n = 0
        while term > total * mpf(10) ** -40:
            term *= (a + b + n) * x / (a + 1 + n)
            total += term
            n += 1
        return front * total


assert abs(beta_cdf(0.3, 2.5, 3.5) - betainc(2.5, 3.5, 0, mpf(0.3), regularized=True)) < mpf(10) ** -35
for i in range(400):
    a, b = spread(1e-2, 1e5 if i % 4 else 1e6), spread(1e-2, 1e5)
    if i % 3 == 0:
        x = rng.uniform(0, 1)
    else:  # near the middle, where the value is neither 0 nor 1
        m = a / (a + b)
        s = math.sqrt(m * (1 - m) / (a + b + 1))
        x = m + rng.gauss(0, 2) * s
    if 0 < x < 1:
        row("beta", [x, a, b], beta_cdf(x, a, b))


def masses(n, p):
    p = Fraction(p)
    q = 1 - p
    return [math.comb(n, j) * p**j * q ** (n - j) for j in range(n + 1)]


def ratio(f):
    return mpf(f.numerator) / mpf(f.denominator)


for i in range(150):
    n = rng.randrange(1, 60) if i % 3 else rng.randrange(60, 300)
    p = rng.choice([0.01, 0.05, 0.5, 0.1, rng.random(), rng.random() ** 4])
    m = masses(n, p)
    k = min(n, max(0, round(n * p + rng.gauss(0, 2) * math.sqrt(n * p * (1 - p) + 1))))
    row("binomial_cdf", [k, n, p], ratio(sum(m[: k + 1])))
    # Outcomes that are as likely but for the rounding of p itself (p = 0.1 is not a tenth) count as such: 1e-9.
    row("binomial_test", [k, n, p], ratio(sum(x for x in m if x <= m[k] * (1 + Fraction(1, 10**9)))))
for n, p in ((100000, 0.01), (1000000, 0.01), (555159, 0.012), (5000, 0.01)):
    for off in (-4, -1.5, 0, 0.7, 2, 5):
        k = round(n * p + off * math.sqrt(n * p * (1 - p)))
        row("binomial_cdf", [k, n, p], half(1 - mpf(p), mpf(n - k), mpf(k + 1)) if 1 - mpf(p) < mpf(n - k + 1) / (n + 3) else 1 - half(mpf(p), mpf(k + 1), mpf(n - k)))
for i in range(200):
    df = rng.choice([float(rng.randrange(1, 200)), spread(0.5, 1e4), spread(1, 1e5)])
    x = max(1e-6, df + rng.gauss(0, 3) * math.sqrt(2 * df)) if i % 4 else spread(1e-3, 1e3)
    a, h = mpf(df) / 2, mpf(x) / 2
    term = total = 1 / a  # lower tail by its power series, all terms positive
    n = 0
    while term > total * mpf(10) ** -50:
        n += 1
        term *= h / (a + n)
        total += term
    with mp.workdps(60):
        row("chi2", [x, df], 1 - exp(a * log(h) - h - loggamma(a)) * total)


def near_quarter(k):
    """A double near k pi/2: the reduced argument is all cancellation."""
    return float(k * pi / 2)


# The doubles that lie nearest to a multiple of pi/2 (found by continued fractions), then random ones.
for k in range(5, 26):
    for m in ("0x1.6c6cbc45dc8dep+0", "0x1.39c6fd67805a7p+0"):
        x = float.fromhex(m) * 2.0**k
        row("sin", [x], sin(mpf(x)))
        row("cos", [x], cos(mpf(x)))
for i in range(900):
    x = [
        lambda: rng.choice([-1, 1]) * spread(1e-300, 1),
        lambda: rng.uniform(-10, 10),
        lambda: rng.choice([-1, 1]) * spread(1, 1.3e8),
        lambda: float(rng.randrange(1 << 27)),
        lambda: near_quarter(rng.choice([-1, 1]) * rng.randrange(1, 85445659)),
        lambda: (rng.randrange(1, 85445658) + 0.5) * math.pi / 2,
    ][i % 6]()
    row("sin", [x], sin(mpf(x)))
    row("cos", [x], cos(mpf(x)))
