#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/matmul/run.sh BUILD [SECONDS [few|reduce]] - products on one core beside OpenBLAS (Debian: libopenblas0-pthread, found at
# run time), and what the promised order costs; one JSON line each. BUILD is a meson build folder with buildtype release.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/matmul/run.sh BUILD [SECONDS]}
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
case $(uname -m) in x86_64) isa='-mavx2 -mfma -mf16c' ;; *) isa= ;; esac
flags="-O3 -std=c11 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -I$here/../../src -I$here/../../include"
# shellcheck disable=SC2086
${CC:-cc} $flags $isa -c -o "$tmp/unordered.o" "$here/unordered.c"
# shellcheck disable=SC2046,SC2086
${CC:-cc} $flags -o "$tmp/bench" "$here/products.c" "$tmp/unordered.o" "$build/src/liballmende-core.a" \
    $(pkg-config --libs sqlite3 libcrypto zlib libzstd libpcre2-8) $(pkg-config --libs libsystemd 2>/dev/null) -lm -lpthread -ldl
unset OPENBLAS_CORETYPE
OPENBLAS_NUM_THREADS=1 "$tmp/bench" "$@"
