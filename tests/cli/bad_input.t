# SPDX-License-Identifier: Apache-2.0
# What goes wrong outside: models, disks, files, keys, clocks, signals. A clear error or a clean stop, nothing half done.
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 400 1 > normal.log
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 100 2 5 > today.log

== a model that is not there
$ alm detect --model nowhere.gguf today.log
2>~ ^alm: .*nowhere\.gguf
? 5

== a model that is empty
% : > m.gguf
$ alm detect --model m.gguf today.log
2>~ ^alm: .*m\.gguf
? 5

== a model that is a folder
% mkdir m.gguf
$ alm detect --model m.gguf today.log
2>~ ^alm: .*m\.gguf
? 5

== a model that was cut off, at every hundredth byte
% alm learn -q normal.log -o m.gguf
$ n=$(wc -c < m.gguf); i=0; while [ $i -lt $n ]; do head -c $i m.gguf > cut.gguf; alm detect --model cut.gguf today.log > out 2> err; c=$?; [ $c -eq 5 ] && [ ! -s out ] && grep -q '^alm: ' err || echo "$i: $c"; i=$((i + n / 100)); done; echo all refused
> all refused

== a file that is no model at all
$ alm detect --model today.log today.log
2>~ ^alm: .*today\.log
? 5

== a GGUF file that is no model of records
% { printf 'GGUF'; printf '\003\000\000\000'; head -c 16 /dev/zero; } > foreign.gguf
$ alm detect --model foreign.gguf today.log
2>~ ^alm: .*foreign\.gguf
? 5

== a model whose counts lie
% { printf 'GGUF'; printf '\003\000\000\000'; printf '\377\377\377\377\377\377\377\177\377\377\377\377\377\377\377\177'; } > hostile.gguf
$ alm detect --model hostile.gguf today.log
2>~ ^alm: .*hostile\.gguf
? 5

== a model with any one byte changed is refused or read, never fatal
% alm learn -q normal.log -o m.gguf
$ n=$(wc -c < m.gguf); i=0; while [ $i -lt 120 ]; do at=$((i * n / 120)); cp m.gguf x.gguf; printf '\377' | dd of=x.gguf bs=1 seek=$at conv=notrunc 2>/dev/null; alm detect --model x.gguf -q today.log > out 2> err; c=$?; case $c in 0) ;; 5) [ ! -s out ] || echo "$at: output" ;; *) echo "$at: $c" ;; esac; i=$((i + 1)); done; echo survived
> survived

== a model of a newer version says so
% alm learn -q normal.log -o m.gguf
% at=$(grep -abo 'alm\.version' m.gguf | head -1 | cut -d: -f1)
% printf '\143' | dd of=m.gguf bs=1 seek=$((at + 15)) conv=notrunc 2>/dev/null
$ alm detect --model m.gguf today.log
2>~ ^alm: m\.gguf: version 99 
2>~ ^hint: 
? 5

== a state of a newer version, or none at all, is refused and left as it is
% printf 'no state' > s
$ alm patterns -q --state s normal.log; echo $?; cat s
>~ ^5$
>~ ^no state$
2>~ ^alm: .*s: 

== a folder for the model that is not there is told before reading
$ alm learn normal.log -o no/where/m.gguf
2>~ ^alm: cannot write the model: no/where/m\.gguf: 
? 5

== nothing is left behind where a model cannot be written
% mkdir d && touch d/keep
$ (ulimit -f 4; trap '' XFSZ; alm learn -q normal.log -o d/m.gguf); echo $?; ls -A d
> 5
> keep
2>~ ^alm: .*d/m\.gguf

== an old model stays as it is where the new one cannot be written
% printf old > m.gguf
$ (ulimit -f 4; trap '' XFSZ; alm learn -q normal.log -o m.gguf); echo $?; cat m.gguf
> 5
>~ ^old$
2>~ ^alm: .*m\.gguf

== a state that cannot be written is told before there is output
$ (ulimit -f 1; trap '' XFSZ; alm patterns -q --state s normal.log > out); echo $?; ls s 2>/dev/null; cat out
> 5
2>~ ^alm: .*

== results for a full disk
needs: /dev/full
$ alm patterns -q --json normal.log > /dev/full
2>~ ^alm: cannot write the result: standard output: 
2>~ ^hint: the disk is full
? 5

== verdicts for a full disk
needs: /dev/full
% alm learn -q normal.log -o m.gguf
$ alm detect -q --model m.gguf today.log > /dev/full
2>~ ^alm: cannot write the result: standard output: 
? 5

== verdicts for a standard output that is closed
% alm learn -q normal.log -o m.gguf
$ alm detect -q --model m.gguf today.log >&-
2>~ ^alm: cannot write the result: standard output: 
? 5

== a reader that has seen enough ends detection without a message
% alm learn -q normal.log -o m.gguf
$ alm detect -q --model m.gguf normal.log normal.log normal.log normal.log 2> err | head -1 > /dev/null; cat err

== a page that cannot be written
$ alm patterns -q --html no/where.html normal.log
2>~ ^alm: .*no/
? 5

== an input that is not there
$ alm patterns nowhere.log
2>~ ^alm: .*nowhere\.log
? 5

== a glob that matches nothing
$ alm patterns 'no*where.log'
2>~ ^alm: .*no\*where\.log
? 5

== one unreadable file of a glob: the others are read, the exit code tells
% mkdir d && cp normal.log d/a.log && ln -s nowhere d/b.log && cp today.log d/c.log
$ alm patterns --json 'd/*.log' | grep -o '"count":[0-9]*' | cut -d: -f2 | awk '{ n += $1 } END { print n }' > got; cat d/a.log d/c.log | wc -l | tr -d ' ' > want; cmp got want && echo complete; alm patterns -q 'd/*.log' > /dev/null; echo $?
> complete
> 5
2>~ d/b\.log

== one unreadable file of a glob is an error with --strict
% mkdir d && cp normal.log d/a.log && ln -s nowhere d/b.log
$ alm patterns -q --strict 'd/*.log'
2>~ ^alm: .*d/b\.log
? 5

== alpha is a rate
$ for a in 0 1 -0.1 1.5 nan x ''; do alm learn normal.log -o m.gguf --alpha "$a" 2>/dev/null; echo $?; alm detect --prequential --alpha "$a" today.log 2>/dev/null; echo $?; done | sort | uniq -c | tr -d ' '; ls m.gguf 2>/dev/null
> 142
? 2

== alpha outside its range is told with the range
$ alm learn normal.log -o m.gguf --alpha 1.5
2> alm: value out of range: --alpha 1.5
2> hint: give a number above 0 and below 1
? 2

== a group key that never matches makes no model
$ alm learn normal.log -o m.gguf --group-by 'ticket=([0-9]+)'; echo $?; ls m.gguf 2>/dev/null
> 5
2>~ ^alm: .*ticket=
2>~ ^hint: 
? 2

== a group key that is no regex is a wrong call
$ alm learn normal.log -o m.gguf --group-by '(['; echo $?; ls m.gguf 2>/dev/null
> 2
2>~ ^alm: 
? 2

== a field that no record has makes no model
$ alm learn normal.log -o m.gguf --group-by field:nothing; echo $?; ls m.gguf 2>/dev/null
> 5
2>~ ^alm: 
? 2

== a group key that matches nothing in what is judged is a warning
% alm learn -q normal.log -o m.gguf --group-by 'session=([0-9]+)'
$ sed 's/session=/s/' today.log | alm detect --model m.gguf --level group -
2>~ the group key never matched

== a clock that jumps back is counted, not fatal
% awk 'NR % 50 == 0 { sub("2026-03-01", "2026-02-28") } 1' normal.log > jump.log
$ alm learn jump.log -o m.gguf && alm detect --model m.gguf jump.log > /dev/null && echo done
> done
2>~ a time stamp more than a second before

== nothing to learn from makes no model
$ alm learn -o m.gguf - < /dev/null; echo $?; ls m.gguf 2>/dev/null
>~ ^[25]$
2>~ ^alm: 
? 2

== too few rows to calibrate are told as no guarantee, in words and in JSON
% head -60 normal.log > few.log
% alm learn -q few.log -o m.gguf
$ alm detect --model m.gguf --json few.log | tail -1
>~ "guarantee":"none"
2>~ no guarantee: fewer than 1/alpha calibration rows

== sessions without the two columns are refused with file and line
% printf 'a\tb\n1\t2\n' > s.tsv
$ alm learn --sessions s.tsv -o m.gguf; echo $?; ls m.gguf 2>/dev/null
> 5
2> alm: s.tsv:2: no column `session`
2> hint: --sessions reads TSV whose first line names the columns: session<TAB>events
2>! nothing
? 2

== the model's name is not optional
$ alm learn normal.log
2> alm: the name of the model is missing: --output
2> hint: write -o MODEL.gguf
? 2

== labels without their columns are refused
% printf 'a\tb\n1\t2\n' > l.tsv
% alm learn -q normal.log -o m.gguf
$ alm detect --model m.gguf --labels l.tsv today.log
2>~ ^alm: l\.tsv:2: no column `group`
? 5

== Ctrl-C while learning keeps what was read
needs: timeout
% mkfifo p
$ (cat normal.log; sleep 20) > p & timeout --preserve-status -s INT 3 alm learn p -o m.gguf; echo $?; kill $! 2>/dev/null; alm detect --model m.gguf today.log -q > out && wc -l < out > a && wc -l < today.log > b && test $(cat a) -ge $(cat b) && echo judged
> 130
> judged
2>~ interrupted: the model holds what was read so far

== Ctrl-C while detecting writes what was judged, and the summary
needs: timeout
% mkfifo p && alm learn -q normal.log -o m.gguf
$ (cat today.log; sleep 20) > p & timeout --preserve-status -s INT 3 alm detect --json --model m.gguf p > out; echo $?; kill $! 2>/dev/null; tail -1 out | grep -c '"interrupted":true'; test $(wc -l < out) -gt $(wc -l < today.log) && echo all
> 130
> 1
> all
2>~ interrupted: this is what was read so far

== Ctrl-C while mining shows what was read
needs: timeout
% mkfifo p
$ (cat today.log; sleep 20) > p & timeout --preserve-status -s INT 3 alm patterns --json p > out; echo $?; kill $! 2>/dev/null; grep -o '"count":[0-9]*' out | cut -d: -f2 | awk '{ n += $1 } END { print n }' > got; wc -l < today.log | tr -d ' ' > want; cmp got want && echo all
> 130
> all
2>~ interrupted: this is what was read so far

== control sequences in records are escaped on a terminal
needs: script
% alm learn -q normal.log -o m.gguf
% printf '2026-03-01 23:00:00 INFO shop: session=1091 evil \033[2J\033]0;owned\007 sequence\n' > evil.log
$ script -qec 'alm detect --model m.gguf --color never evil.log' /dev/null > out 2>&1; grep -c "$(printf '\033')\[2J\|$(printf '\033')\]0" out; grep -c 'x1B\[2J' out > n; test $(cat n) -gt 0 && echo escaped
> 0
> escaped

== control sequences in a file's name are escaped in messages
$ alm patterns "$(printf 'no\033[31m.log')"
2>~ no\\x1B\[31m\.log
? 5

== broken bytes are kept and counted
% printf 'ok 1\nbad \377\376\nnul \000 byte\nok 2\n' > bad.log
$ alm patterns -q --json bad.log | grep -o '"count":[0-9]*' | cut -d: -f2 | awk '{ n += $1 } END { print n }'; alm patterns bad.log > /dev/null
> 4
2>~ 1 record: invalid UTF-8
2>~ 1 record: a NUL byte

== broken bytes are an error with --strict, with file and line
% printf 'ok 1\nbad \377\376\n' > bad.log
$ alm patterns --strict bad.log
2>~ ^alm: bad\.log:2: 
? 5

== half a JSON object at the end of a short file is an error with --strict, and kept without
% printf '{"a":1}\n{"a":2}\n{"a":' > short.jsonl
$ alm patterns --strict short.jsonl; echo $?; alm patterns -q --json short.jsonl | grep -o '"count":[0-9]*' | cut -d: -f2 | awk '{ n += $1 } END { print n }'
> 5
> 3
2>~ ^alm: short\.jsonl:3: 
2>~ --strict

== half a JSON object alone is an error with --strict
$ printf '{"level":"info","msg":"half' | alm patterns --strict -
2>~ ^alm: -:1: 
? 5

== half a JSON object in a line that ends is named as what it is
$ printf '{"a":1}\n{"a":2}\n{"a":\n' | alm patterns --strict -
2>~ ^alm: -:3: not JSON, or half a JSON object
? 5

== half a compressed file is read up to its end, and the exit code tells
% gzip -k normal.log && head -c 5000 normal.log.gz > half.log.gz
$ alm patterns -q --json half.log.gz > out; echo $?; test -s out && echo something; alm patterns half.log.gz > /dev/null
> 5
> something
2>~ damaged or ends too early
? 5
