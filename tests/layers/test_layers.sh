#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_layers.sh - the tree keeps the plan of the house, and tools/layers sees it when a tree does not.
#
#     sh test_layers.sh ROOT [arrows|names|lists]     TAP; the second word limits what is asked of the real tree
set -u
root=$1
part=${2:-all}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
n=0
failed=0

ok() { n=$((n + 1)) && echo "ok $n - $1"; }
not_ok() {
    n=$((n + 1)) && failed=1
    echo "not ok $n - $1"
    sed 's/^/# /' "$work/said"
}

# A small house that keeps the plan; each case below breaks it in one place.
house() {
    rm -rf "$work/t"
    mkdir -p "$work/t/src/base" "$work/t/src/format" "$work/t/src/record" "$work/t/src/detect" "$work/t/src/cli" "$work/t/include/allmende" "$work/t/tests"
    cd "$work/t" || exit 1
    echo '#include "base/ground.h"' >src/base/ground.c
    printf '#include <allmende/base.h>\n#include <string.h>\n' >src/base/ground.h
    printf '#include "base/ground.h"\n#include <zlib.h>\n' >src/record/reader.c
    printf '#include "base/ground.h"\nconst alm_format alm_format_box = {0};\n' >src/format/box.c
    printf '/* list */\nALM_FORMAT(box, "a box")\n' >src/format/formats.def
    printf '#include "record/reader.h"\n#include "format/box.h"\n' >src/detect/learning.c
    printf '#include "detect/learning.h"\n#include <libintl.h>\n' >src/cli/cmd_learn.c
    echo 'ALM_COMMAND(learn, "learn what is normal")' >src/cli/commands.def
    echo '#include <stddef.h>' >include/allmende/base.h
    echo '#include <allmende/base.h>' >include/allmende/detect.h
    echo '#include <allmende/detect.h>' >include/allmende.h
}
# sees NAME TEXT: tools/layers refuses the house as it now stands, in a line that has TEXT.
sees() {
    if "$root/tools/layers" "$work/t" >"$work/said" 2>&1; then
        not_ok "$1"
    elif grep -qF -- "$2" "$work/said"; then
        ok "$1"
    else
        not_ok "$1"
    fi
}

if "$root/tools/layers" "$root" "$part" >"$work/said" 2>&1; then ok "the tree keeps the plan ($part)"; else not_ok "the tree keeps the plan ($part)"; fi

house
if "$root/tools/layers" "$work/t" >"$work/said" 2>&1; then ok "a house that keeps the plan is accepted"; else not_ok "a house that keeps the plan is accepted"; fi

house && echo '#include "detect/learning.h"' >>src/base/ground.c
sees "an arrow upwards is refused" "src/base/ground.c:2: base/ (floor 0) may not include detect/ (floor 6)"
house && echo '  #  include "format/box.h"' >>src/record/reader.c
sees "an arrow sideways is refused" "src/record/reader.c:3: record/ (floor 2) may not include format/ (floor 2)"
house && echo '#include "attic/box.h"' >>src/cli/cmd_learn.c
sees "a room that is not in the plan is refused" "the room attic/ is not in the plan"
house && mkdir src/cellar && echo '#include "base/ground.h"' >src/cellar/wine.c
sees "a folder that is not in the plan is refused" "the room cellar/ is not in the plan"
house && echo '#include "ground.h"' >>src/base/ground.c
sees "an include without its room is refused" "does not begin with its room"
house && echo '#include <allmende/detect.h>' >>include/allmende/base.h
sees "a public header keeps to its floor" "include/allmende/base.h:2: base/ (floor 0) may not include detect/"
house && echo '#include <allmende/detect.h>' >>src/record/reader.c
sees "a room does not include the public header of a higher one" "record/ (floor 2) may not include detect/"
house && echo '#include <allmende.h>' >>src/detect/learning.c
sees "a room does not include the whole library" "not <allmende.h>"
house && echo '#include <sqlite3.h>' >>src/cli/cmd_learn.c
sees "a dependency shows only in the room that wraps it" "<sqlite3.h> shows only in base, not in cli/"
house && echo '#include <sys/socket.h>' >>src/record/reader.c
sees "sockets are opened in net only" "<sys/socket.h> shows only in net"
house && echo 'int x;' >src/detect/reader.c
sees "two files of one name are refused" "src/record/reader.c: src/detect/reader.c bears that name too"
house && echo 'ALM_COMMAND(detect, "find")' >>src/cli/commands.def
sees "a row without its file is refused" "the row detect has no file src/cli/cmd_detect.c"
house && echo 'int x;' >src/cli/cmd_lost.c
sees "a file without its row is refused" "src/cli/cmd_lost.c: src/cli/commands.def has no row for it"
house && echo 'const alm_format alm_format_bag = {0};' >src/format/bag.c
sees "a format without its row is refused" "src/format/bag.c: src/format/formats.def has no row for it"
house && : >src/format/formats.def
sees "a list without rows is refused" "no row of ALM_FORMAT found"

echo "1..$n"
exit "$failed"
