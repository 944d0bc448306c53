#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/text/classes.inc: letters (general category L) and numbers (N) of Unicode 16.0.0 from U+0080 on.

The version is fixed, because the ids that a vocabulary gives to a text must not change with the machine. It is the one of
Oniguruma in Hugging Face's tokenizers 0.23. Needs PyPI unicodedata2 16.0.0. Usage: tools/make_classes.py > src/text/classes.inc"""
import sys

import unicodedata2

if unicodedata2.unidata_version != "16.0.0":
    sys.exit(f"unicodedata2 has Unicode {unicodedata2.unidata_version}; needed is 16.0.0: pip install unicodedata2==16.0.0")

print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(" * text/classes.inc - letters and numbers from U+0080 on; made by tools/make_classes.py from Unicode 16.0.0. */")
NAME = {"L": "ALM_LETTER", "N": "ALM_NUMBER"}
start, now = 0, None
for c in range(0x80, 0x110001):
    k = NAME.get(unicodedata2.category(chr(c))[0]) if c < 0x110000 else None
    if k != now:
        if now:
            print(f"{now}(0x{start:04X}, 0x{c - 1:04X})")
        start, now = c, k
