#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# patterns_speed.sh - how fast templates are mined, on one core, and in how much memory.
#
#     bench/patterns_speed.sh [PART]...   all parts if none is named; each takes about a minute on one core
#
#     size     lines of two systems of which 2,000 are known, and a log of 25,659 lines, each repeated to 1 GB
#              (BYTES=...); three runs each, and one with --csv
#     lines    10 million lines (LINES=...) of the same: the largest resident set
#     flat     10 million lines (LINES=...) of 100 to 100,000 templates made here: do speed and memory stay flat?
#     unlike   25,659 lines that were never repeated, and 2,000 lines with every digit of each repetition drawn anew: is it
#              the repetition that makes it fast?
#     peer     Drain3 on 15,000 lines, where its Python package is installed
#
# Needs room for one input of 1 to 2 GB in $TMPDIR.
set -eu
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
bytes=${BYTES:-1000000000} lines=${LINES:-10000000}
json=$OUT/patterns_speed.json
: >"$json"

one() { # REPEAT NAME FILE [OPTION]...
    repeat=$1 name=$2 file=$3
    shift 3
    measure --cores 0 --repeat "$repeat" --lines "$(wc -l <"$file")" --json "$json" --name "$name" -- "$ALM" patterns --threads 1 "$@" "$file"
}
source_of() { # NAME
    case $1 in openstack_raw) echo "$SHARED/data/openstack_raw/nova-sample.log" ;; *) echo "$SHARED/data/loghub2k/$1/$1_2k.log" ;; esac
}
size() {
    for system in BGL HDFS openstack_raw; do
        grow "$(source_of $system)" "$WORK/$system" "$bytes"
        one 3 "$system, $bytes bytes" "$WORK/$system"
        one 1 "$system, $bytes bytes, --csv" "$WORK/$system" --format lines --csv
        rm -f "$WORK/$system"
    done
}
lines() {
    for system in BGL HDFS openstack_raw; do
        awk 1 "$(source_of $system)" >"$WORK/once"
        grow "$WORK/once" "$WORK/more" $((lines * ($(wc -c <"$WORK/once") / $(wc -l <"$WORK/once") + 1)))
        head -n "$lines" "$WORK/more" >"$WORK/$system"
        rm -f "$WORK/more"
        one 1 "$system, $lines lines" "$WORK/$system"
        rm -f "$WORK/$system"
    done
}
# Templates that never existed: every one has words of its own, so none can be joined with another.
flat() {
    for templates in 100 1000 10000 100000; do
        awk -v n=$templates -v lines="$lines" 'function word(x,   w) { w = ""; do { w = w letters[x % 26]; x = int(x / 26) } while (x); return w "ing" }
            BEGIN {
                split("a b c d e f g h i j k l m n o p q r s t u v w x y", l, " "); for (i in l) letters[i] = l[i]; letters[0] = "z"
                for (k = 0; k < n; k++) {
                    t[k] = word(k) " " word(k * 31 + 7) " " word(k * 17 + 5) " " word(k + 456976)
                    for (i = k % 7; i; i--) t[k] = t[k] " " word(k * 5 + i)
                }
                for (i = 0; i < lines; i++) { k = (i * 7919) % n; print t[k] " took " i % 977 " ms" } }' >"$WORK/many"
        one 1 "$templates templates, $lines lines" "$WORK/many"
    done
    rm -f "$WORK/many"
}
unlike() {
    awk 1 "$(source_of openstack_raw)" >"$WORK/once"
    one 5 "openstack_raw once" "$WORK/once"
    for system in BGL HDFS; do
        # Digits of each line in place, other ones each time (no 0 in front: it may become 0x).
        awk 1 "$(source_of $system)" | awk -v times=100 '{ line[NR] = $0 } END { srand(1)
            for (r = 0; r < times; r++) for (i = 1; i <= NR; i++) {
                n = split(line[i], c, ""); s = ""
                for (k = 1; k <= n; k++) s = s (c[k] ~ /[0-9]/ ? int(1 + rand() * 9) : c[k])
                print s } }' >"$WORK/drawn"
        one 3 "$system, digits drawn anew" "$WORK/drawn" --format lines
    done
}
peer() {
    python3 -c 'import drain3' 2>/dev/null || return 0
    awk 1 "$(source_of openstack_raw)" | head -n 15000 >"$WORK/peer"
    python3 "$here/drain3_templates.py" --time "$WORK/peer"
}

[ $# -gt 0 ] || set -- size lines flat unlike peer
for part; do
    case $part in
    size | lines | flat | unlike | peer) $part ;;
    *) echo "no part of this bench: $part (size, lines, flat, unlike, peer)" >&2 && exit 2 ;;
    esac
done
