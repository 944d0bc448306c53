# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# common.sh - what the benches share: the program, the data, where results go. Sourced; sets ALM, SHARED, OUT, WORK.
here=$(cd "$(dirname "$0")" && pwd)
ALM=${ALM:-$here/../build/src/cli/alm}
SHARED=${ALM_SHARED:-$here/../../shared}
OUT=${OUT:-$here/../build/bench}
[ -x "$ALM" ] || { echo "no program at $ALM: run ./check or ./demo first, or set ALM" >&2 && exit 2; }
[ -d "$SHARED/data" ] || { echo "no data at $SHARED: set ALM_SHARED (the data sets are not part of the tree)" >&2 && exit 77; }
command -v python3 >/dev/null || { echo "the benches need python3" >&2 && exit 2; }
mkdir -p "$OUT"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/alm-bench.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT INT TERM

# measure ARGUMENT...: see measure.py.
measure() { python3 "$here/measure.py" "$@"; }
# grow FILE OUT BYTES: FILE repeated whole until OUT has at least BYTES; a missing newline at its end is added.
grow() {
    awk 1 "$1" >"$2.once"
    times=$(($3 / $(wc -c <"$2.once") + 1))
    : >"$2"
    cat "$2.once" >"$2.block"
    while [ "$times" -gt 0 ]; do
        cat "$2.block" >>"$2"
        times=$((times - 1))
    done
    rm -f "$2.once" "$2.block"
}
