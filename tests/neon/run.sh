#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - the tests of numbers, built for aarch64 and run under qemu: NEON gives the bits of the plain lanes.
#
#     sh tests/neon/run.sh [DIR]     DIR (build-neon) takes what is built; TAP comes out; exit 77 without the tools
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=${1:-build-neon} cc=aarch64-linux-gnu-gcc
for tool in $cc qemu-aarch64; do
    command -v "$tool" >/dev/null || { echo "no $tool here (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)" && exit 77; }
done
mkdir -p "$dir"
warnings='-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror -Wno-psabi'
echo '-std=c11 -O1 -ffp-contract=off -fno-math-errno -D_GNU_SOURCE "-DALM_VERSION=\"cross\"" -Isrc -Iinclude -pthread' >"$dir/flags"
flags="@$dir/flags"
# What needs no library of others: the ground without SQLite, the types, the tensors.
sources=$(find src/base src/dtype src/tensor -name '*.c' ! -name db.c ! -name 'isa_avx*')
objects=
for f in $sources; do
    object=$dir/$(basename "$f" .c).o
    objects="$objects $object"
    # shellcheck disable=SC2086
    $cc $flags $warnings -c "$f" -o "$object" || exit 1
done
for isa in neon plain wide; do
    header=$isa
    [ $isa = wide ] && header=avx512
    # shellcheck disable=SC2046,SC2086
    $cc $flags -Wno-psabi -Itests/tensor -DPROBE=probe_$isa "-DPROBE_HEADER=\"tensor/kernel/lanes_$header.h\"" \
        $([ $isa = wide ] && echo -DALM_LANES_GENERIC) -c tests/tensor/lanes_probe.c -o "$dir/probe_$isa.o" || exit 1
done
failed=0 n=0
for test in test_lanes test_kernels test_matmul test_mathf test_ops test_tape; do
    n=$((n + 1))
    # shellcheck disable=SC2086
    $cc $flags -Itests/neon -Itests/support -static tests/tensor/$test.c $objects "$dir"/probe_*.o -lm -o "$dir/$test" || exit 1
    if qemu-aarch64 "$dir/$test" >"$dir/$test.log" 2>&1; then
        echo "ok $n - $test on aarch64: $(grep -c '^ok' "$dir/$test.log") cases"
    else
        echo "not ok $n - $test on aarch64" && sed 's/^/# /' "$dir/$test.log" | head -40
        failed=1
    fi
done
echo "1..$n"
exit $failed
