#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/text/letters.inc: what Python's str methods say of each character (classes as bits, in runs), and upper, lower
and title case (runs of a step and a difference; those of several characters apart). Unicode is that of the Python that
runs it. Usage: tools/make_letters.py > src/text/letters.inc"""
import unicodedata

TESTS = ["isalpha", "isdecimal", "isdigit", "isnumeric", "isspace", "isupper", "islower", "isprintable"]


def bits(c):
    b = sum(1 << i for i, name in enumerate(TESTS) if getattr(c, name)())
    return b | (256 if unicodedata.category(c) == "Lt" else 0)


def cased(name, of):
    """Runs (first, last, step, difference) and the rows of several characters."""
    runs, special = [], []
    for cp in range(0x110000):
        if 0xD800 <= cp < 0xE000:
            continue
        to = of(chr(cp))
        if to == chr(cp):
            continue
        if len(to) > 1:
            special.append((cp, [ord(x) for x in to]))
            continue
        d = ord(to) - cp
        if runs and runs[-1][3] == d:
            first, last, step, _ = runs[-1]
            if first == last and cp - last in (1, 2):
                runs[-1] = (first, cp, cp - last, d)
                continue
            if first != last and cp - last == step:
                runs[-1] = (first, cp, step, d)
                continue
        runs.append((cp, cp, 1, d))
    for r in runs:
        print(f"ALM_{name}(0x{r[0]:04X}, 0x{r[1]:04X}, {r[2]}, {r[3]})")
    for cp, to in special:
        print(f"ALM_{name}_MANY(0x{cp:04X}, {', '.join(f'0x{x:04X}' for x in (to + [0, 0])[:3])})")


print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(" * text/letters.inc - classes and cases of characters; made by tools/make_letters.py from Unicode %s. */" % unicodedata.unidata_version)
first, b = 0, bits("\0")
for cp in range(1, 0x110001):
    now = bits(chr(cp)) if cp < 0x110000 else -1
    if now != b:
        if b:
            print(f"ALM_CLASS(0x{first:04X}, 0x{cp - 1:04X}, 0x{b:03X})")
        first, b = cp, now
cased("UPPER", lambda c: c.upper())
cased("LOWER", lambda c: c.lower())
cased("TITLE", lambda c: c.title())
