#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_objects.sh - promises of the library that its object files show, whatever the sources say.
#
#     sh test_objects.sh ROOT CORE.a LIB.so      TAP; needs nm and objdump, and a build without sanitizers
#
# The exported names are compared with tests/layers/abi.symbols. To record a change on purpose:
#     nm -D --defined-only build/src/liballmende.so | awk '{ print $3 }' | sort > tests/layers/abi.symbols
set -u
root=$1 core=$2 lib=$3
LC_ALL=C
export LC_ALL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
n=0
failed=0
if ! command -v nm >/dev/null || ! command -v objdump >/dev/null; then
    echo "binutils are not here"
    exit 77
fi

# nothing NAME: the file `said` must be empty; what it holds breaks the promise NAME.
nothing() {
    n=$((n + 1))
    if [ -s "$work/said" ]; then
        failed=1
        echo "not ok $n - $1"
        sed 's/^/# /' "$work/said"
    else
        echo "ok $n - $1"
    fi
}
# Which object wants a name out of the pattern, as `json.c.o malloc`.
wants() {
    nm -A -u "$core" 2>/dev/null |
        awk -v names="^($1)(@.*)?\$" '{ name = $NF; at = $1; sub(/:$/, "", at); sub(/^.*[\/:]/, "", at) } name ~ names { print at, name }'
}

# The look itself works: objects there are, and an ordinary name is seen.
wants 'memcpy|nothing_of_that_name' >"$work/seen"
if [ -s "$work/seen" ]; then : >"$work/said"; else echo "nm shows no object that uses memcpy" >"$work/said"; fi
nothing "the objects can be read"

wants 'malloc|calloc|realloc|reallocarray|free|strdup|strndup|aligned_alloc|posix_memalign|memalign|v?asprintf|getline|getdelim|open_memstream' |
    grep -v '^base_alloc\.c\.o ' >"$work/said"
nothing "the heap has one door"

wants '(__)?(printf|puts|putchar|vprintf|perror|dprintf)(_chk)?|stdout|stderr|exit|_exit|abort|quick_exit' >"$work/said"
nothing "the library never prints and never exits"

wants '(exp|exp2|exp10|expm1|log|log2|log10|log1p|pow|sin|cos|tan|sincos|asin|acos|atan|atan2|sinh|cosh|tanh|erf|erfc|lgamma|tgamma|cbrt|hypot)[fl]?' >"$work/said"
nothing "no result passes through a mathematical function of libm"

wants 's?rand|rand_r|random|drand48|gettimeofday|time|setlocale|localtime|gmtime|strtok|strerror|asctime|ctime|setenv|putenv|chdir' >"$work/said"
nothing "no hidden state of the process is read or changed"

# alloc.c keeps the counters of the tests that make requests fail; cpu.c the table that is constant after start.
objdump -t "$core" 2>/dev/null | awk '/file format/ { at = $1; sub(/^.*\//, "", at) } / O \.(t?data|t?bss)[ \t]/ { print at, $NF }' |
    grep -vE '^base_(alloc|cpu)\.c\.o:? ' >"$work/said"
nothing "the library keeps no mutable globals"

nm -D --defined-only "$lib" | awk '{ print $3 }' | sort >"$work/symbols"
diff "$root/tests/layers/abi.symbols" "$work/symbols" >"$work/said"
nothing "the exported names are the recorded ones"

grep -v '^alm_' "$work/symbols" >"$work/said"
nothing "every exported name begins with alm_"

echo "1..$n"
exit "$failed"
