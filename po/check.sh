#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check.sh ROOT: every text that the program can say has a German translation, none is fuzzy, and the formats agree.
set -u
root=$1
for tool in xgettext msgfmt msgcmp; do
    command -v $tool >/dev/null || { echo "ok 1 - german is complete # SKIP no $tool here"; echo 1..1; exit 77; }
done
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
n=0 failed=0
check() { # SENTENCE COMMAND...: one TAP line
    sentence=$1; shift; n=$((n + 1))
    if "$@" >"$dir/log" 2>&1; then echo "ok $n - $sentence"; else echo "not ok $n - $sentence"; sed 's/^/# /' "$dir/log" | head -40; failed=1; fi
}
(cd "$root" && xgettext --from-code=UTF-8 --language=C --keyword=_ --keyword=N_ --keyword=P_:1,2 --keyword=X:2 --keyword=alm_say:2 --keyword=in_words:2 -o "$dir/all.pot" src/cli/*.c src/cli/*.h src/cli/*.def src/record/record.h src/detect/*.c)
# shellcheck disable=SC2317,SC2010  # called by `check`; the names of our sources have no blanks
listed() { (cd "$root" && ls src/cli/*.[ch] src/cli/*.def | grep -v '/lang.h$' | while read -r f; do grep -qE '\b[NP]?_\("' "$f" && ! grep -qx "$f" po/POTFILES && echo "$f is not in po/POTFILES"; done) | grep . && return 1 || return 0; }
check 'po/POTFILES names every file that has texts' listed
check 'every text is translated, none is fuzzy' msgcmp "$root/po/de.po" "$dir/all.pot"
check 'placeholders and plural forms agree' msgfmt --check -o /dev/null "$root/po/de.po"
# shellcheck disable=SC2317
stale() { msgattrib --obsolete "$root/po/de.po" | grep -q . && return 1 || return 0; }
check 'no translation is left over' stale
echo 1..$n
exit $failed
