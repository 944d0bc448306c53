#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench/tokenizer/run.sh BUILD [TOKENIZER...] - MB/s of processor time to encode German prose, one thread; one JSON line each.
# BUILD is a meson build folder with buildtype release; TOKENIZERs are tokenizer.json, tokenizer.model, rank or GGUF files (without them
# those of ../shared/oracles/tokenizers). Behind each figure of ours stands that of the library that the file was made for, where the Python
# ($PYTHON) has it. The text: the German messages of the programs that are installed (german.py), or $TEXT.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: bench/tokenizer/run.sh BUILD [TOKENIZER...]}
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck disable=SC2046
${CC:-cc} -O2 -std=c11 -D_GNU_SOURCE -I"$here/../../src" -I"$here/../../include" -o "$tmp/bench" "$here/tokenizer_speed.c" \
    "$build/src/liballmende-core.a" $(pkg-config --libs sqlite3 libcrypto zlib libzstd libpcre2-8) \
    $(pkg-config --libs libsystemd 2>/dev/null) -lm -lpthread
text=${TEXT:-$tmp/german.txt}
python=${PYTHON:-python3}
[ -n "${TEXT:-}" ] || "$python" "$here/german.py" "$text"
if [ $# = 0 ]; then
    files=${ALM_SHARED:-$here/../../../shared}/oracles/tokenizers/files
    [ -d "$files" ] || { echo "no tokenizers at $files: name files or set ALM_SHARED" >&2 && exit 77; }
    set -- "$files"/*.json* "$files"/*.model "$files"/*.tiktoken*
fi
for file; do
    "$tmp/bench" "$file" "$text"
    case $file in
    *.json | *.json.gz | *.model) "$python" "$here/peer.py" "$file" "$text" 2>/dev/null || true ;;
    esac
done
