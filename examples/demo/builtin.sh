#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# builtin.sh - the small model inside the program: its data, its training, and the proof that both come out the same.
#
#     sh examples/demo/builtin.sh full [DIR]     make it again by its recipe and compare: a quarter of an hour on two quiet cores
#     sh examples/demo/builtin.sh short [DIR]    the shortened recipe, with 1, 2, 3 threads and each instruction set: seconds
#     sh examples/demo/builtin.sh data [DIR]     only write the data
#     sh examples/demo/builtin.sh train SECONDS [DIR]    train a new one: how the recipe came to be
#
# `short-train` writes the recipe that `short` follows: for whoever changes the numbers on purpose.
# After the build (ALM_BUILD names its folder). DIR: where the data and the model go, builtin-out when nothing is said. The
# program is told to use JOBS threads; the model does not depend on them.
#
# The data are the logs of 68 fleets with as many seeds, most of them renamed: every fourth line of a day, in turns as it
# stands in the file and as `alm detect` shows it to a reader (no time, host and service in front, digits and identifiers as 0). Of the last
# four fleets every fortieth line is taken; training holds these out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
build=$(cd "${ALM_BUILD:-build}" && pwd)
alm=$build/src/cli/alm
LC_ALL=C
export LC_ALL
what=${1:-help}
[ $# -eq 0 ] || shift
seconds=900
if [ "$what" = train ]; then
    seconds=${1:?train needs seconds}
    shift
fi
out=${1:-builtin-out}
say() { printf '%s\n' "$*"; }
die() {
    printf 'builtin.sh: %s\n' "$*" >&2
    exit 5
}

# day SEED EVERY: every EVERYth line of the first day of a fleet
day() {
    own=--rename
    [ $(($1 % 8)) -gt 1 ] || own=
    # shellcheck disable=SC2086
    "$build/examples/demo/fleet" --seed "$1" --learn-days 1 --days 5 $own "$out/fleet" >/dev/null
    if [ $((($1 / 2) % 2)) = 0 ]; then
        awk "NR % $2 == 1" "$out/fleet/fleet-learn.log"
    else
        awk "NR % $2 == 1" "$out/fleet/fleet-learn.log" |
            sed 's/^[0-9T:.-]*Z [^ ]* [^ ]*: //; s/-[0-9a-f]\{8\}/-00000000/g; s/-[0-9a-f]\{5\} /-00000 /g' | tr 1-9 0
    fi
}

# data FILE FIRST LAST: and the four that are held out
data() {
    say "writing $out/$1"
    seed=$2
    while [ "$seed" -le "$3" ]; do
        day "$seed" 4
        seed=$((seed + 1))
    done >"$out/$1.part"
    while [ "$seed" -le $(($3 + 4)) ]; do
        day "$seed" 40
        seed=$((seed + 1))
    done >>"$out/$1.part"
    mv "$out/$1.part" "$out/$1"
    rm -rf "$out/fleet"
}

# The model of a recipe in the tree, made in $out; `alm train` refuses with exit code 3 what is not the recipe's, bit for bit.
again() {
    cp "$here/builtin/$1.recipe.json" "$out/"
    (cd "$out" && "$alm" train --recipe "$1.recipe.json" -o "$1" --curve "$1.curve.svg" --threads "$2")
}
sum() { sha256sum "$1" | cut -d' ' -f1; }

full_data() { [ -s "$out/builtin-data.log" ] || data builtin-data.log 101 164; }

if [ ! -x "$alm" ] || [ ! -x "$build/examples/demo/fleet" ]; then die "$build is not built"; fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
case $what in
data) full_data ;;
train)
    full_data
    cd "$out"
    "$alm" train --data builtin-data.log --format lines --multiline off -o builtin.gguf --type q8_0 --size small \
        --time-limit "$seconds" --lr 0.002 --warmup 50 --eval-every 100 --threads "${JOBS:-2}" --seed 2026
    ;;
full)
    full_data
    again builtin.gguf "${JOBS:-2}"
    cmp "$out/builtin.gguf" "$here/builtin/builtin.gguf" || die "the model is not the one in the tree"
    "$alm" version --json | grep -q "\"builtin_sha256\":\"$(sum "$out/builtin.gguf")\"" || die "the program has another model in it"
    say "the model in the program, made again: SHA-256 $(sum "$out/builtin.gguf")"
    ;;
short)
    data short-data.log 101 102
    for threads in 1 2 3; do again short.gguf $threads 2>/dev/null || die "another file with $threads threads"; done
    say "the same with 1, 2 and 3 threads"
    for isa in plain avx2 avx512 neon; do
        ALM_ISA=$isa "$alm" version >/dev/null 2>&1 || continue
        (ALM_ISA=$isa && export ALM_ISA && again short.gguf 1 2>/dev/null) || die "another file with $isa"
        say "the same with $isa"
    done
    say "the shortened model, made again: SHA-256 $(sum "$out/short.gguf")"
    ;;
short-train)
    data short-data.log 101 102
    cd "$out"
    "$alm" train --data short-data.log --format lines --multiline off -o short.gguf --type q8_0 --size small --steps 2 \
        --context 128 --batch-tokens 256 --accumulate 2 --lr 0.002 --warmup 1 --eval 0.001 --eval-every 1 --seed 2026
    ;;
*)
    sed -n '5,17s/^# \{0,1\}//p' "$here/builtin.sh"
    exit 2
    ;;
esac
