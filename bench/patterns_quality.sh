#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# patterns_quality.sh - are the templates right? GA, FGA, PA and FTA on eight systems with known templates, one
# configuration for all, beside Drain3 where its Python package is installed.
#
#     bench/patterns_quality.sh          needs the data sets, their scorer and python3
set -eu
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"

mkdir "$WORK/lines" "$WORK/alm" "$WORK/drain3"
# The Content column, one line each; a template's truth lies in the same CSV, so the miner never sees that file.
python3 - "$SHARED/data/loghub2k" "$WORK/lines" <<'P'
import csv, glob, os, sys
csv.field_size_limit(1 << 27)
for path in sorted(glob.glob(sys.argv[1] + '/**/*_2k.csv', recursive=True)):
    name = os.path.basename(path)[:-len('_2k.csv')]
    with open(path, encoding='utf-8', errors='replace', newline='') as f, \
            open(f'{sys.argv[2]}/{name}', 'w', encoding='utf-8', newline='') as out:
        for row in csv.DictReader(f):
            out.write(row['Content'] + '\n')
P
for lines in "$WORK"/lines/*; do
    "$ALM" patterns --format lines --csv "$lines" >"$WORK/alm/$(basename "$lines").csv"
done
echo "alm patterns --format lines --csv        GA    FGA   PA    FTA"
python3 "$SHARED/score/templates.py" --all "$SHARED/data/loghub2k" "$WORK/alm" | tee "$OUT/patterns_quality.txt"

if python3 -c 'import drain3' 2>/dev/null; then
    for lines in "$WORK"/lines/*; do python3 "$here/drain3_templates.py" "$lines" >"$WORK/drain3/$(basename "$lines").csv"; done
    echo "Drain3 with masks                        GA    FGA   PA    FTA"
    python3 "$SHARED/score/templates.py" --all "$SHARED/data/loghub2k" "$WORK/drain3" | tee "$OUT/patterns_quality_drain3.txt"
else
    echo "(Drain3 is not installed: pip install drain3 shows it beside)"
fi
