# shellcheck shell=sh disable=SC2034  # the lists are used by the scripts that source this
# SPDX-License-Identifier: Apache-2.0
#
# setup.sh - what ./demo and ./check share: which packages they need, how those are installed, how the tree is built.
#
# Sourced from the root of the tree. Root's rights are asked for only when a package is missing, and only after saying
# which. Where nothing is missing nothing outside the tree is touched and no network is needed.

PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkgconf libssl-dev libpcre2-dev libsqlite3-dev zlib1g-dev libzstd-dev
    libsystemd-dev libcmocka-dev scdoc gettext"
PACKAGES_CHECK="locales gzip zstd git"
PACKAGES_ALL="g++ clang libclang-rt-dev clang-format clang-tidy valgrind shellcheck binutils zsh fish python3-venv"
# For aarch64 under an emulator; where they cannot be had, that stage is skipped and says so.
PACKAGES_FOREIGN="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"

say() { printf '%s\n' "$*"; }
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# The names out of $@ that dpkg does not know as installed.
missing_packages() {
    for p in "$@"; do
        # One word for each architecture that it is there for; `not-installed` is a word too.
        dpkg-query -W -f='${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || printf ' %s' "$p"
    done
}

# need_packages NAME...: returns when all are there; says what it installs; ends the script where it cannot.
need_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "This is no Debian, so the packages cannot be looked up. Needed are (Debian's names): $(echo "$*" | tr -s ' \n' ' ')"
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    n_missing=$(echo "$missing" | wc -w)
    say "$n_missing Debian packages are missing:$missing"
    if [ "$(id -u)" = 0 ]; then
        as_root=
        say "Installing them now with apt-get (log: build/logs/setup.log). Afterwards no network is needed."
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root=sudo
        say "Installing them needs root's rights: sudo may ask for your password. Nothing else here needs them."
    else
        die "Installing them needs root's rights, and there is no way to ask for them here. As root, run
    apt-get update && apt-get install --no-install-recommends$missing
and then start this again."
    fi
    mkdir -p build/logs
    # shellcheck disable=SC2086
    if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
        </dev/null >build/logs/setup.log 2>&1; then
        tail -n 15 build/logs/setup.log >&2
        die "apt-get did not install them (no network? the whole output: build/logs/setup.log)"
    fi
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || die "apt-get ended well, but these are still missing:$missing"
    say "Installed."
}

# build_tree DIR COMPILER MESON-OPTION...: set up once, then build what changed. A folder that was set up otherwise, by an
# older version of the tree or under another path, is set up again.
build_tree() {
    dir=$1 cc=$2
    shift 2
    want="$cc $* $(pwd)"
    if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir/.setup" 2>/dev/null)" != "$want" ]; then
        if [ -d "$dir/meson-private" ]; then set -- "$@" --wipe; fi
        CC=$cc meson setup "$dir" "$@" || return 1
        printf '%s' "$want" >"$dir/.setup"
    fi
    ninja -C "$dir" -j "${JOBS:-2}"
}
