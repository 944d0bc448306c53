# SPDX-License-Identifier: Apache-2.0
"""bench/tokenizer/german.py OUT - German prose that lies on every Debian: the German messages of the programs that are installed, a line each."""
import glob
import gettext
import sys

seen = set()
for path in sorted(glob.glob("/usr/share/locale/de/LC_MESSAGES/*.mo")):
    if "/iso_" in path:
        continue
    try:
        with open(path, "rb") as f:
            catalogue = gettext.GNUTranslations(f)._catalog
    except (OSError, UnicodeDecodeError, ValueError, IndexError):
        continue
    seen |= {v.replace("\n", " ") for k, v in catalogue.items() if k != "" and len(v.split()) > 5}
with open(sys.argv[1], "w", encoding="utf-8") as f:
    f.write("".join(line + "\n" for line in sorted(seen)))
