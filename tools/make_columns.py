#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/base/columns.inc: characters that take two columns or none in a terminal.

Two columns: East Asian Width W or F (Unicode Annex 11). None: general categories Mn, Me, Cf (but not the soft hyphen's
neighbours that are shown, U+0600..0605, U+06DD, U+070F) and the Hangul medial vowels and final consonants that join a
syllable. Source: Python's unicodedata. Usage: tools/make_columns.py > src/base/columns.inc"""
import unicodedata

SHOWN = set(range(0x600, 0x606)) | {0x6DD, 0x70F, 0x8E2}


def kind(c):
    ch = chr(c)
    if 0xD800 <= c <= 0xDFFF:
        return None
    if c not in SHOWN and unicodedata.category(ch) in ("Mn", "Me", "Cf"):
        return "ZERO"
    if 0x1160 <= c <= 0x11FF or 0xD7B0 <= c <= 0xD7FF:
        return "ZERO"
    if unicodedata.east_asian_width(ch) in "WF":
        return "WIDE"
    # Planes 2 and 3 are ideographic also where nothing is assigned yet.
    if 0x20000 <= c <= 0x2FFFD or 0x30000 <= c <= 0x3FFFD:
        return "WIDE"
    return None


print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(f" * base/columns.inc - characters of two columns or none; made by tools/make_columns.py from Unicode {unicodedata.unidata_version}. */")
start, now = 0, None
for c in range(0x300, 0x110001):
    k = kind(c) if c < 0x110000 else None
    if k != now:
        if now:
            print(f"ALM_{now}(0x{start:04X}, 0x{c - 1:04X})")
        start, now = c, k
