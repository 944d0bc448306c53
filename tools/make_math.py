#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the coefficients of src/tensor/math/*.h: minimax polynomials whose coefficients are f32 numbers.

A weighted fit finds the polynomial with the least worst error; its lowest coefficient is rounded to
f32 and subtracted, the others are fitted again, and so on: the later coefficients take up what the rounding of the earlier
ones did. Prints each polynomial, highest power first as Horner's scheme takes it, with log2 of its worst error relative to
the result. Usage: make_math.py [NAME...]   (needs numpy and mpmath)"""
import struct
import sys

import numpy
from mpmath import mp, mpf, exp, log, log1p, cos, tanh, erf, erfc, sqrt, pi

mp.dps = 40


def f32(x):
    return struct.unpack("<f", struct.pack("<f", float(x)))[0]


def hexf(x):
    digits, exponent = float(x).hex().split("p")
    return digits.rstrip("0").rstrip(".") + "p" + exponent + "f"


def fit(f, weight, powers, x):
    """Coefficients for `powers` that (nearly) minimise max |weight (f - p)| over the points x: Lawson's iteration, weighted
    least squares whose weights grow where the error is large."""
    scale = numpy.max(numpy.abs(x))
    a = numpy.stack([(x / scale) ** k for k in powers], axis=1)
    w = numpy.ones(len(x)) / len(x)
    best, least = None, None
    for _ in range(200):
        root = numpy.sqrt(w) * weight
        c = numpy.linalg.lstsq(a * root[:, None], f * root, rcond=None)[0]
        e = numpy.abs(weight * (f - a @ c))
        if least is None or e.max() < least:
            best, least = c, e.max()
        w = w * (e + 1e-3 * e.max())
        w = w / w.sum()
    return best / scale ** numpy.array(list(powers), dtype=float)


def polynomial(name, f, weight, powers, low, high):
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        return
    low, high = mpf(low), mpf(high)
    points = [low + (high - low) * (1 - cos(pi * (i + mpf(1) / 2) / 300)) / 2 for i in range(300)]
    value = [f(x) for x in points]
    x = numpy.array([float(t) for t in points])
    w = numpy.array([float(weight(t)) for t in points])
    fixed, rest = [], list(powers)
    while rest:
        left = numpy.array([float(v - sum(c * t**k for c, k in fixed)) for v, t in zip(value, points)])
        c = fit(left, w, rest, x)
        fixed.append((mpf(f32(c[0])), rest[0]))
        rest = rest[1:]
    worst = max(abs(weight(t) * (v - sum(c * t**k for c, k in fixed))) for v, t in zip(value, points))
    print("%s: error 2^%.1f on [%s, %s]" % (name, float(log(worst, 2)), mp.nstr(low, 8), mp.nstr(high, 8)))
    for c, k in reversed(fixed):
        print("    %-18s x^%d" % (hexf(c), k))
    sys.stdout.flush()


half_ln2 = log(2) / 2


def q_exp(r):
    return sum(r**k / mp.factorial(k + 2) for k in range(30))


def q_log(f):
    if abs(f) < mpf("0.01"):
        return sum((-1) ** k * f**k / (k + 3) for k in range(40))
    return (log1p(f) - f + f * f / 2) / f**3


def q_sin(z):
    return sum((-1) ** (k + 1) * z**k / mp.factorial(2 * k + 3) for k in range(20))


def q_cos(z):
    return sum((-1) ** k * z**k / mp.factorial(2 * k + 4) for k in range(20))


def q_tanh(z):
    x = sqrt(z)
    if z < mpf("1e-6"):
        return -mpf(1) / 3 + 2 * z / 15 - 17 * z**2 / 315 + 62 * z**3 / 2835
    return (tanh(x) - x) / x**3


def q_erf(z):
    return 2 / sqrt(pi) * sum((-1) ** k * z**k / (mp.factorial(k) * (2 * k + 1)) for k in range(60)) - 1


def t_atanh(z):
    return sum(2 * z**k / (2 * k + 5) for k in range(40))


polynomial("exp", q_exp, lambda r: r * r / exp(r), range(5), -half_ln2 * mpf("1.0001"), half_ln2 * mpf("1.0001"))
polynomial("expm1", q_exp, lambda r: abs(r), range(6), -half_ln2 * mpf("1.0001"), half_ln2 * mpf("1.0001"))
polynomial("log", q_log, lambda f: f * f, range(9), sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1)
polynomial("sin", q_sin, lambda z: z, range(4), 0, (pi / 4) ** 2 * mpf("1.001"))
polynomial("cos", q_cos, lambda z: z * z * sqrt(2), range(3), 0, (pi / 4) ** 2 * mpf("1.001"))
polynomial("tanh", q_tanh, lambda z: z, range(6), 0, mpf("0.55") ** 2)
polynomial("erf", q_erf, lambda z: mpf(1), range(8), 0, 1)
polynomial("erfc", lambda t: -log(erfc(t + 2)), lambda t: erfc(t + 2) / erf(t + 2), range(9), -1, mpf("1.93"))
polynomial("pow", t_atanh, lambda z: z * z / 2, range(4), 0, (3 - 2 * sqrt(mpf(2))) ** 2)
