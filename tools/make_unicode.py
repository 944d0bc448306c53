#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/text/classes.inc (classes of characters) and src/text/forms.inc (normal forms, lower case) from Unicode 16.0.0.

The version is fixed, because the ids that a vocabulary gives to a text must not change with the machine. It is the one of
Oniguruma in Hugging Face's tokenizers 0.23. Needs PyPI unicodedata2 16.0.0; lower case comes from Python's own table where that is
not older than the character, which holds for every letter pair of Unicode 16.0 but those named below. Usage: tools/make_unicode.py"""
import sys
import unicodedata2 as u

if u.unidata_version != "16.0.0":
    sys.exit(f"unicodedata2 has Unicode {u.unidata_version}; needed is 16.0.0: pip install unicodedata2==16.0.0")

CLASS = {"Lu": "UPPER", "Lt": "UPPER", "Ll": "LOWER", "Lm": "LETTER", "Lo": "LETTER", "Mn": "MARK", "Mc": "JOINED",
         "Me": "JOINED", "Nd": "NUMBER", "Nl": "NUMBER", "No": "FRACTION", "Cf": "CONTROL", "Cc": "CONTROL", "Co": "CONTROL"}
BLANK = {0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0x20, *range(9, 14)}


def class_of(c):
    if c in BLANK:
        return "SPACE"
    k = u.category(chr(c))
    return CLASS.get(k) or {"P": "PUNCT", "S": "SYMBOL"}.get(k[0])


def head(f, name, what):
    f.write("/* SPDX-License-Identifier: Apache-2.0\n *\n")
    f.write(f" * text/{name} - {what}; made by tools/make_unicode.py from Unicode 16.0.0. */\n/* clang-format off */\n")


def rows(f, cells, width=118):
    line = ""
    for cell in cells:
        if line and len(line) + 1 + len(cell) > width:
            f.write(line + "\n")
            line = ""
        line = f"{line} {cell}" if line else cell
    f.write(line + "\n")


with open("src/text/classes.inc", "w") as f:
    head(f, "classes.inc", "ALM_CLASS(class, from, to): runs of one class, in order; what lies in none is OTHER")
    cells, start, now = [], 0, None
    for c in range(0, 0x110001):
        k = class_of(c) if c < 0x110000 else None
        if k != now:
            if now:
                cells.append(f"ALM_CLASS({now}, 0x{start:X}, 0x{c - 1:X})")
            start, now = c, k
    rows(f, cells)

# Composition: what NFC puts together again, so neither singletons nor the excluded ones nor what begins with a mark.
def composes(c, to):
    return len(to) == 2 and u.normalize("NFC", "".join(map(chr, to))) == chr(c)


# Letters that are newer than the table of lower case in this Python.
NEW_LOWER = {0x2C2F: 0x2C5F, 0xA7C0: 0xA7C1, 0xA7D0: 0xA7D1, 0xA7D6: 0xA7D7, 0xA7D8: 0xA7D9, 0xA7CB: 0x264,
             0xA7CC: 0xA7CD, 0xA7DA: 0xA7DB, 0xA7DC: 0x19B, 0x1C89: 0x1C8A}
NEW_LOWER.update({c: c + 0x27 for c in range(0x10570, 0x10596) if u.category(chr(c)) == "Lu"})
NEW_LOWER.update({c: c + 0x20 for c in range(0x10D50, 0x10D66)})

with open("src/text/forms.inc", "w") as f:
    head(f, "forms.inc", "decompositions (one step), compositions, combining classes, lower case")
    canonical, compat, lower, ccc, pairs = [], [], [], [], []
    for c in range(0x110000):
        d = u.decomposition(chr(c))
        if d and not 0xAC00 <= c < 0xD7A4:
            parts = d.split()
            kind = "compat" if parts[0][0] == "<" else "canonical"
            to = [int(x, 16) for x in parts if x[0] != "<"]
            text = "".join(f"\\x{b:02X}" for b in "".join(map(chr, to)).encode())
            if kind == "compat":
                compat.append(f'ALM_COMPAT(0x{c:X}, "{text}")')
            else:
                pair = to + [0]
                canonical.append(f"ALM_CANON(0x{c:X}, 0x{pair[0]:X}, 0x{pair[1]:X})")
                if composes(c, to):
                    pairs.append((to[0], to[1], c))
        k = u.combining(chr(c))
        if k and (not ccc or ccc[-1][2] != k or ccc[-1][1] != c - 1):
            ccc.append([c, c, k])
        elif k:
            ccc[-1][1] = c
        low = chr(c).lower() if 0xD800 > c or c > 0xDFFF else chr(c)
        if c in NEW_LOWER:
            low = chr(NEW_LOWER[c])
        if low != chr(c) and c >= 0x80 and len(low) == 1:
            lower.append((c, ord(low)))
    runs = []  # from, to, step, add
    for c, to in lower:
        if runs and runs[-1][3] == to - c and c - runs[-1][1] == runs[-1][2]:
            runs[-1][1] = c
        elif runs and runs[-1][0] == runs[-1][1] and runs[-1][3] == to - c and c - runs[-1][1] in (1, 2):
            runs[-1][1], runs[-1][2] = c, c - runs[-1][0]
        else:
            runs.append([c, c, 1, to - c])
    rows(f, canonical)
    rows(f, [f"ALM_PAIR(0x{a:X}, 0x{b:X}, 0x{c:X})" for a, b, c in sorted(pairs)])
    rows(f, compat)
    rows(f, [f"ALM_ORDER(0x{a:X}, 0x{b:X}, {k})" for a, b, k in ccc])
    rows(f, [f"ALM_LOWER(0x{a:X}, 0x{b:X}, {s}, {d})" for a, b, s, d in runs])
