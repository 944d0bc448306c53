#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/bpe/run.sh BUILD [FILE...] - MB/s of processor time to learn a vocabulary and to apply it, one thread; one JSON line each.
# BUILD is a meson build folder with buildtype release; FILEs are logs (without them the openstack_raw sample, 24 times over).
# Where the Python package tokenizers is installed, the peer's figures for the same file stand beside ours.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/bpe/run.sh BUILD [FILE...]}
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2046
${CC:-cc} -O2 -std=c11 -D_GNU_SOURCE -I"$here/../../src" -I"$here/../../include" -o "$tmp/bench" "$here/bench.c" \
    "$build/src/liballmende-core.a" $(pkg-config --libs sqlite3 libcrypto zlib libzstd libpcre2-8) \
    $(pkg-config --libs libsystemd 2>/dev/null) -lm -lpthread
if [ $# = 0 ]; then
    log=${ALM_SHARED:-$here/../../../shared}/data/openstack_raw/nova-sample.log
    [ -f "$log" ] || { echo "no data at $log: name files or set ALM_SHARED" >&2 && exit 77; }
    i=0
    while [ $i -lt 24 ]; do cat "$log"; i=$((i + 1)); done >"$tmp/log"
    set -- "$tmp/log"
fi
for file; do
    for n_vocab in 1024 4096; do "$tmp/bench" "$file" $n_vocab; done
    if ${PYTHON:-python3} -c 'import tokenizers' 2>/dev/null; then ${PYTHON:-python3} "$here/peer.py" "$file" 4096; fi
done
