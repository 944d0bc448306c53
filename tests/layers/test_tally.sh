#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test_tally.sh - what ./check says at its end is right: passed, failed and skipped cases, whatever way a program ends.
#
#     sh test_tally.sh ROOT          TAP
set -u
tally=$1/tools/tally
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
n=0
failed=0

# says NAME SUM LINE: the last line of the tally is SUM, and LINE (may be empty) is one of its lines; blanks for tabs.
says() {
    n=$((n + 1))
    "$tally" "$work/log" | tr '\t' ' ' >"$work/said"
    if [ "$(tail -n 1 "$work/said")" = "sum $2" ] && { [ -z "$3" ] || grep -qxF -- "$3" "$work/said"; }; then
        echo "ok $n - $1"
    else
        failed=1
        echo "not ok $n - $1"
        sed 's/^/# /' "$work/said"
    fi
}
json() { printf '{"name": "allmende:unit / t", "stdout": "%s", "result": "%s", "starttime": 1.0, "duration": 0.1, "returncode": %s, "env": {"A": "b"}, "command": ["t"]}\n' "$1" "$2" "$3" >>"$work/log"; }
new() { : >"$work/log"; }

new && json '1..2\nok 1 - a\nok 2 - b\n' OK 0
says "passed cases are counted" "2 0 0" ""
new && json '1..2\nok 1 - a\nnot ok 2 - b\n# why\n' FAIL 1
says "a failed case is named once" "1 1 0" "fail t: b"
new && json '1..2\n# no data here\nnot ok 1 # SKIP a\nok 2 - b\n' OK 0
says "a skipped case of old cmocka is skipped, with its reason" "1 0 1" "skip t: a no data here"
new && json '1..1\n# before\nok 1 - a # SKIP no shell here\n' OK 0
says "a skipped case of TAP is skipped, with its reason" "0 0 1" "skip t: a no shell here"
new && json '1..3\nok 1 - a\n' FAIL -11
says "a crash fails although no case says so" "1 1 0" "fail t: ended with status -11 (FAIL) after 1 cases"
new && json '1..3\nok 1 - a\n' OK 0
says "a program that stops early and says it went well has failed" "1 1 0" "fail t: stopped after 1 of 3 cases"
new && json '' OK 0
says "a program without TAP is one case" "1 0 0" ""
new && json 'text\n' TIMEOUT -15
says "a program that ran out of time has failed" "0 1 0" "fail t: ended with status -15 (TIMEOUT)"
new && json 'nothing to read\n' SKIP 77
says "status 77 is a skip" "0 0 1" "skip t nothing to read"
new && json '1..1\nok 1 - says \"result\": \"FAIL\" and not ok\n' OK 0
says "what a case is called does not matter" "1 0 0" ""
new && json '1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n' OK 0 && json '1..1\nnot ok 1 - d\n' FAIL 1
says "groups and programs add up" "3 1 0" "fail t: d"
new && printf '1..2\nok 1 - a\nnot ok 2 - b\n' >"$work/log"
says "plain TAP is read too" "1 1 0" "fail $work/log: b"

echo "1..$n"
exit "$failed"
