#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# patterns_speed.sh - how fast templates are mined, on one core, and in how much memory.
#
#     bench/patterns_speed.sh [BYTES]     BYTES of each input, 1000000000 if not given; needs as much room in $TMPDIR
#
# Three inputs: lines of two systems of which 2,000 are known, repeated, and a log of 15,000 lines, repeated. Then one of
# 100,000 templates (made here) in ten slices, to see that speed and memory stay flat.
set -eu
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
bytes=${1:-1000000000}
json=$OUT/patterns_speed.json
: >"$json"

one() { # NAME FILE
    n=$(wc -l <"$2")
    measure --cores 0 --repeat 3 --lines "$n" --json "$json" --name "$1" -- "$ALM" patterns --threads 1 "$2"
}
for name in HDFS BGL; do
    grow "$SHARED/data/loghub2k/$name/${name}_2k.log" "$WORK/$name" "$bytes"
    one "$name" "$WORK/$name"
    measure --cores 0 --repeat 1 --lines "$(wc -l <"$WORK/$name")" --json "$json" --name "$name --csv" -- "$ALM" patterns --threads 1 --format lines --csv "$WORK/$name"
    rm -f "$WORK/$name"
done
grow "$SHARED/data/openstack_raw/nova-sample.log" "$WORK/openstack" "$bytes"
one openstack_raw "$WORK/openstack"
rm -f "$WORK/openstack"

# Templates that never existed: every one has words of its own, so none can be joined with another.
for templates in 1000 10000 100000; do
    awk -v n=$templates -v lines=2000000 'function word(x,   w) { w = ""; do { w = w letters[x % 26]; x = int(x / 26) } while (x); return w "ing" }
        BEGIN {
            split("a b c d e f g h i j k l m n o p q r s t u v w x y", l, " "); for (i in l) letters[i] = l[i]; letters[0] = "z"
            for (k = 0; k < n; k++) {
                t[k] = word(k) " " word(k * 31 + 7) " " word(k * 17 + 5) " " word(k + 456976)
                for (i = k % 7; i; i--) t[k] = t[k] " " word(k * 5 + i)
            }
            for (i = 0; i < lines; i++) { k = (i * 7919) % n; print t[k] " took " i % 977 " ms" } }' >"$WORK/many"
    one "$templates templates" "$WORK/many"
done

if python3 -c 'import drain3' 2>/dev/null; then
    awk 1 "$SHARED/data/openstack_raw/nova-sample.log" | head -n 15000 >"$WORK/peer"
    python3 "$here/drain3_templates.py" --time "$WORK/peer"
fi
