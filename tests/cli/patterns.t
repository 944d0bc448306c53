# SPDX-License-Identifier: Apache-2.0
# alm patterns: forms of output, inputs, state, differences.
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 100 1 > app.log

== counts add up to the number of records
$ alm patterns --json app.log | grep -o '"count":[0-9]*' | cut -d: -f2 | awk '{ n += $1 } END { print n }' > got; wc -l < app.log | tr -d ' ' > want; cmp got want && echo equal
> equal

== the fields of --json are those of the contract
$ alm patterns --json --top 1 app.log
>~ ^\{"id":"[0-9a-f]{16}","count":[0-9]+,"share":0\.[0-9]+,"first":"2026-03-01T[0-9:]+Z","last":"2026-03-01T[0-9:]+Z","template":".*","example":"2026.*"
2>*

== the table goes to standard output, the sum to standard error
words:
$ alm patterns --top 3 app.log
>~ ^count +% +over time +id +template$
>~ view item <num> in <num> ms
2>~ [0-9]+ records, [0-9]+ templates; shown: 3

== -q says nothing but the table
$ alm patterns -q --top 3 app.log 2>&1 >/dev/null

== --csv has a row for every line, slots as stars
$ alm patterns --csv --format lines app.log > all.csv; head -1 all.csv; wc -l < all.csv > n; wc -l < app.log >> n; awk 'NR == 1 { a = $1 } NR == 2 { print a - $1 }' n; grep -c '<[a-z]' all.csv
> LineId,EventId,EventTemplate
> 1
> 0
? 1

== --csv quotes commas, quotes and line ends as RFC 4180 says
$ printf 'a, "b"\na, "b"\n' | alm patterns --csv --format lines -
> LineId,EventId,EventTemplate
>~ ^1,[0-9a-f]{16},"a, ""b"""$
>~ ^2,[0-9a-f]{16},"a, ""b"""$

== --csv numbers the lines of a record of several lines one by one
$ printf 'start 1\n  more\nstart 2\n  more\n' | alm patterns --csv --multiline '^start' - | cut -d, -f1 | paste -sd ' ' -
> LineId 1 2 3 4

== ids are the same for another order of the lines
$ alm patterns --json -q app.log | grep -o '"id":"[^"]*"' | sort > a; sort app.log | alm patterns --json -q - | grep -o '"id":"[^"]*"' | sort > b; cmp a b && echo same
> same

== the result is the same for any number of threads
$ alm patterns --json --threads 1 app.log > a 2>/dev/null; alm patterns --json --threads 4 app.log > b 2>/dev/null; cmp a b && echo same
> same

== several files, folders, globs and pipes give one result
% mkdir d && head -100 app.log > d/a.log && tail -n +101 app.log > d/b.log
$ alm patterns --json -q d/a.log d/b.log > a; alm patterns --json -q d > b; alm patterns --json -q 'd/*.log' > c; cat d/a.log d/b.log | alm patterns --json -q - > e; cmp a b && cmp b c && cmp c e && echo same
> same

== compressed files are read as they are
% gzip -k app.log
$ alm patterns --json -q app.log > a; alm patterns --json -q app.log.gz > b; cmp a b && echo same
> same

== a state goes on where it stopped
% head -200 app.log > a.log && tail -n +201 app.log > b.log
$ alm patterns -q --state s a.log > /dev/null && alm patterns -q --state s --json b.log > both && alm patterns -q --json app.log > all && cmp both all && echo same
> same

== --match-only counts by known templates and changes nothing
% head -300 app.log > a.log
$ alm patterns -q --state s a.log > /dev/null && cp s before && printf 'something else entirely here\n' | cat app.log - | alm patterns -q --state s --match-only --json - | tail -1; cmp s before && echo unchanged
>~ ^\{"id":null,"count":1,
>~ ^unchanged$

== --match-only without a state is a wrong call
$ alm patterns --match-only app.log
2> alm: known templates are missing: --match-only
2> hint: write --state FILE, a file that `alm patterns --state FILE` has made
? 2

== --diff tells what is new, gone and changed
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 100 1 | grep -v logout > gone.log
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 100 2 10 > new.log
$ alm patterns --diff app.log gone.log --json -q | grep -c '"change":"gone".*logout'; alm patterns --diff app.log new.log --json -q | grep -c '"change":"new".*no space left'
> 1
> 1

== two equal inputs have no significant difference
$ alm patterns --diff app.log app.log --json | grep -c '"significant":true'
> 0
2>*
? 1

== --diff takes its inputs itself
$ alm patterns --diff app.log app.log app.log
2> alm: one word too many: app.log
2> hint: --diff takes its two inputs itself
? 2

== own slots come first
% printf 'session\tsession=[0-9]+\n' > m
$ alm patterns --mask m -q app.log
>~ shop: <session> login

== a mask that is no regex is refused with file and line
% printf 'ok\t[0-9]+\nbad\t[0-9\n' > m
$ alm patterns --mask m app.log
2>~ ^alm: m:2: 
? 5

== --redact replaces before anything is shown
$ alm patterns -q --json --redact app.log | grep -c '10\.0\.'
> 0
? 1

== the page is one file without script
$ alm patterns -q --html p.html app.log > /dev/null; grep -c '<html' p.html; grep -ci '<script' p.html
> 1
> 0
? 1

== control sequences in records are escaped in the table
$ printf 'evil \033[31mred\033[0m\nevil \033[31mred\033[0m\n' | alm patterns -q - | grep -c "$(printf '\033')"
> 0
? 1

== control sequences in records are escaped in JSON
$ printf 'evil \033[31mred\n' | alm patterns -q --json -
>~ evil \\u001[bB]\[31mred

== an empty input has no templates and is no error
$ alm patterns --json - < /dev/null; alm patterns --csv - < /dev/null; alm patterns - < /dev/null
> LineId,EventId,EventTemplate
2> 0 records, 0 templates; shown: 0, 0.0 % of the records

== numbers have a point in a German locale
language: de
$ alm patterns --json --top 1 -q app.log
>~ "share":0\.
