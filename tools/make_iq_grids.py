#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/dtype/iq_grid.inc: the codebooks of the IQ types of GGUF.

Whoever made these types found the points by search, so no formula gives them: they are part of the format like the order of
its bytes. They are read from PyPI `gguf` (made with 0.19.0), which has them as numbers, and written as 2 or 3 bits a number
(src/dtype/iq_grid.h). Usage: tools/make_iq_grids.py > src/dtype/iq_grid.inc"""
from gguf import quants


def codes(kind, levels, bits):
    kind.init_grid()
    points = kind.grid.reshape(kind.grid_shape).tolist()
    return [sum(levels.index(int(v)) << bits * i for i, v in enumerate(p)) for p in points]


IQ2, IQ3_XXS, IQ3_S, IQ1 = [8, 25, 43], [4, 12, 20, 28, 36, 44, 52, 62], list(range(1, 16, 2)), [-1, 0, 1]
tables = [
    ("iq2_xxs", codes(quants.IQ2_XXS, IQ2, 2)),
    ("iq2_xs", codes(quants.IQ2_XS, IQ2, 2)),
    ("iq2_s", codes(quants.IQ2_S, IQ2, 2)),
    ("iq3_xxs", codes(quants.IQ3_XXS, IQ3_XXS, 3)),
    ("iq3_s", codes(quants.IQ3_S, IQ3_S, 3)),
    ("iq1", codes(quants.IQ1_S, IQ1, 2)),
]
print("/* SPDX-License-Identifier: Apache-2.0")
print(" *")
print(" * dtype/iq_grid.inc - the points of the codebooks, indices of levels (iq_grid.h); made by tools/make_iq_grids.py. */")
for name, table in tables:
    assert len(set(table)) == len(table)
    print(f"const uint16_t alm_grid_{name}[{len(table)}] = {{")
    for i in range(0, len(table), 20):
        print("    " + " ".join(f"{v}," for v in table[i : i + 20]))
    print("};")
