#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/train/run.sh BUILD [ROUNDS] - tokens per second of a training step beside PyTorch on the CPU, in turns; one JSON line each.
# BUILD is a meson build folder with buildtype release. PYTHON names a python3 that has torch and transformers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/train/run.sh BUILD [ROUNDS]}
rounds=${2:-9}
python=${PYTHON:-python3}
"$python" -c 'import torch, transformers' 2>/dev/null || { echo "$python has no torch and transformers: nothing to stand beside" >&2 && exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2046
${CC:-cc} -O2 -std=c11 -D_GNU_SOURCE -I"$here/../../src" -I"$here/../../include" -o "$tmp/step" "$here/step.c" \
    "$build/src/liballmende-core.a" $(pkg-config --libs sqlite3 libcrypto zlib libzstd libpcre2-8) \
    $(pkg-config --libs libsystemd libutf8proc 2>/dev/null) -lm -lpthread
# vocabulary hidden layers heads kv-heads ffn documents length steps
large='8192 384 8 6 6 1024 4 256 1'
builtin=${BUILTIN:-2048 192 6 6 2 512 8 256 2}
for threads in 1 2; do
    "$python" "$here/pairs.py" --rounds "$rounds" --name "17.3 M, $threads threads" "$tmp/step" "$python $here/peer.py" "$large $threads"
    "$python" "$here/pairs.py" --rounds "$rounds" --name "the built-in shape, $threads threads" "$tmp/step" "$python $here/peer.py" "$builtin $threads"
done
