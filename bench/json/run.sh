#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/json/run.sh BUILD [BYTES] - MB/s of the JSON reader beside jansson, cJSON and Python, one thread, user CPU time.
# BUILD is a meson build folder with buildtype release. Peers that are not installed are left out (libjansson-dev, libcjson-dev).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/json/run.sh BUILD [BYTES]}
bytes=${2:-100000000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
peers="" flags=""
if pkg-config --exists jansson; then peers="$peers jansson" flags="$flags -DHAVE_JANSSON $(pkg-config --cflags --libs jansson)"; fi
if pkg-config --exists libcjson; then peers="$peers cjson" flags="$flags -DHAVE_CJSON $(pkg-config --cflags --libs libcjson)"; fi
# shellcheck disable=SC2046,SC2086
${CC:-cc} -O2 -std=c11 -D_GNU_SOURCE -I"$here/../../src" -I"$here/../../include" -o "$tmp/json_bench" "$here/json_bench.c" \
    "$build/src/liballmende-core.a" $flags $(pkg-config --libs sqlite3 libcrypto zlib libzstd libpcre2-8) -lpthread
"$tmp/json_bench" make "$tmp/mixed.json" "$bytes" 1
echo "# $(uname -m), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(${CC:-cc} --version | head -n 1)" >&2
for who in ours $peers; do "$tmp/json_bench" run "$who" "$tmp/mixed.json"; done
if command -v python3 >/dev/null; then python3 "$here/python_json.py" "$tmp/mixed.json"; fi
