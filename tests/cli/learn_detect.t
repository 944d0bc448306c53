# SPDX-License-Identifier: Apache-2.0
# alm learn, alm detect: fields, levels, sessions, labels, exit codes.
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 400 1 > normal.log
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 100 2 5 > today.log
% alm learn -q normal.log -o m.gguf --group-by 'session=([0-9]+)'

== learning says on stderr what was learned, and nothing on stdout
$ alm learn normal.log -o n.gguf
2>~ learned 2[0-9]{3} records in [0-9]+ templates: n\.gguf
2>~ promised rate 1 %

== what was learned, for a script
$ alm learn -q normal.log -o n.gguf --json
>~ ^\{"model":"n.gguf","alpha":0\.01,"records":2[0-9]{3},"templates":[0-9]+,"groups":[0-9]+,

== the same input gives the same model, bit for bit
$ alm learn -q normal.log -o a.gguf; alm learn -q --threads 2 normal.log -o b.gguf; cmp a.gguf b.gguf && echo same
> same

== a recipe says what was learned and how, and learning again by it gives the same model
$ alm learn -q normal.log -o a.gguf --steps 4 --seed 7 --recipe-out r.json; grep -c '"kind": "learn"' r.json; grep -o '"path": "normal.log"' r.json; grep -q "\"sha256\": \"$(sha256sum < normal.log | cut -c1-64)\"" r.json && grep -q "\"sha256\": \"$(sha256sum < a.gguf | cut -c1-64)\"" r.json && echo digests; alm learn -q normal.log -o b.gguf --steps 4 --seed 7 --recipe-out s.json; cmp r.json s.json && echo same
> 1
> "path": "normal.log"
> digests
> same
$ cat normal.log | alm learn - -o a.gguf --recipe-out r.json
2> alm: -: a recipe needs files: somebody must find them again
2> hint: write the records to a file first
? 2
$ alm learn normal.log -o a.gguf --recipe-out nowhere/r.json
2>~ ^alm: cannot write the recipe: nowhere/r.json
? 5

== verdicts are the same for any number of threads, for files, packed files and pipes
% gzip -k today.log && printf '2026-03-01 10:00:00 bad \377\n' > odd.log
$ for t in 1 2 3 0; do alm detect -q --threads $t --model m.gguf normal.log today.log.gz odd.log today.log > $t.out; cat today.log odd.log | alm detect -q --threads $t --explain --model m.gguf - > $t.pipe; done; cmp 1.out 2.out && cmp 1.out 3.out && cmp 1.out 0.out && cmp 1.pipe 2.pipe && cmp 1.pipe 0.pipe && echo same; test $(wc -l < 1.out) -gt 2000 && test -s 1.pipe && echo full
> same
> full

== messages are the same for any number of threads
% printf 'bad \377\r\n' > odd.log
$ for t in 1 2; do alm detect --threads $t --model m.gguf odd.log missing.log today.log > out 2> $t.err; echo $?; done; cmp 1.err 2.err && wc -l < 1.err | tr -d ' '
>~ ^5$
>! ^0$
>! differ

== a verdict on a live stream does not wait for the next record, for one thread and for two
% mkfifo p
$ for t in 1 2; do : > $t.out; (head -5 today.log; exec sleep 60) > p & w=$!; alm detect -q --threads $t --multiline off --model m.gguf p > $t.out & a=$!; i=0; while [ $i -lt 300 ] && [ $(wc -l < $t.out) -lt 5 ]; do sleep 0.1; i=$((i + 1)); done; wc -l < $t.out | tr -d ' '; kill $w; wait $a; done
> 5
> 5

== the link between records is found by itself
$ alm learn -q normal.log -o n.gguf --json
>~ "group_rule":".*session

== every record has the fields of the contract
$ alm detect -q --model m.gguf today.log | head -1
>~ ^\{"id":"[0-9a-f]{16}","line":1,"time":"2026-03-01T[0-9:]+Z","source":"today.log","group":"1001","template":"[^"]*<[a-z]+>[^"]*","template_id":"[0-9a-f]{16}","params":\[.*\],"score":[0-9.e-]+,"p":[0-9.e-]+,"alarm":(true|false),"why":\[.*\]\}$

== there is one object a record, and the line counts from 1
$ alm detect -q --model m.gguf today.log | grep -v '"level":"group"' > out; wc -l < out | tr -d ' ' > a; wc -l < today.log | tr -d ' ' > b; cmp a b && tail -1 out | grep -o '"line":[0-9]*' | cut -d: -f2 | cmp - b && echo equal
> equal

== the sessions that went wrong raise alarms, and the reason is a sentence
$ alm detect -q --model m.gguf --only-alarms today.log > out; for s in 1091 1092 1093 1094 1095; do grep -q "\"group\":\"$s\"" out && echo $s; done; grep -c '"alarm":false' out; grep -c '"why":\[{"detector":"unseen","text":"template never seen while learning: [^}]*no space left on device' out
> 1091
> 1092
> 1093
> 1094
> 1095
> 0
> 5

== --level group gives one object a group with group, score and alarm
$ alm detect -q --model m.gguf --level group today.log > out; wc -l < out | tr -d ' '; head -1 out
> 100
>~ "group":"1001","level":"group",.*"score":[0-9.e-]+,"p":[0-9.e-]+,"alarm":(true|false)

== --only-alarms holds for groups too
$ alm detect -q --model m.gguf --level group --only-alarms today.log | grep -c '"alarm":false'
> 0
? 1

== --exit-code tells whether there was an alarm
$ alm detect -q --exit-code --model m.gguf today.log > /dev/null; echo $?; alm detect -q --model m.gguf today.log > /dev/null; echo $?; head -20 normal.log | alm detect -q --exit-code --model m.gguf - > /dev/null; echo $?
> 1
> 0
> 0

== with --json the last line is the summary
$ alm detect -q --json --model m.gguf today.log | tail -1
>~ ^\{"summary":\{"records":[0-9]+,"alarms":[0-9]+,"units":[0-9]+,"promised_rate":0\.01,"alarm_rate":[0-9.e-]+,
>~ "guarantee":"[a-z-]+","guarantee_text":"
>! false_alarm

== without labels no false-alarm rate is told
$ alm detect --model m.gguf today.log > /dev/null
2>~ promised rate 1 %, alarm rate [0-9.]+ %
2>! false

== with labels the false-alarm rate is told, with n
% { printf 'group\tlabel\n'; for i in $(seq 1001 1100); do case $i in 109[1-5]) printf '%s\t1\n' $i ;; *) printf '%s\t0\n' $i ;; esac; done; } > labels.tsv
$ alm detect --json --model m.gguf --labels labels.tsv today.log | tail -1
>~ "false_alarm_rate":[0-9.e-]+,"false_alarms":[0-9]+,"false_alarm_n":95,"false_alarm_p":[0-9.e-]+,"recall":1,"recall_n":5
2>~ false-alarm rate [0-9.]+ % \(n = 95, exact test p = [0-9.e-]+\), recall 100 % \(n = 5\)

== labels never change a verdict
% { printf 'group\tlabel\n'; for i in $(seq 1001 1100); do printf '%s\t1\n' $i; done; } > labels.tsv
$ alm detect -q --model m.gguf --labels labels.tsv today.log > a; alm detect -q --model m.gguf today.log > b; cmp a b && echo same
> same

== the same input gives the same verdicts, also from a pipe and for any number of threads
$ alm detect -q --model m.gguf today.log | sed 's/"source":"[^"]*"//; s/^{"id":"[^"]*"//' > a; cat today.log | alm detect -q --threads 3 --model m.gguf - | sed 's/"source":"[^"]*"//; s/^{"id":"[^"]*"//' > b; cmp a b && echo same
> same

== a stricter promise raises no more alarms
$ a=$(alm detect -q --model m.gguf --level group --only-alarms --alpha 0.2 today.log | wc -l); b=$(alm detect -q --model m.gguf --level group --only-alarms --alpha 0.01 today.log | wc -l); test $a -ge $b && echo monotone
> monotone

== --prequential works without a model
$ alm detect --prequential today.log > out; wc -l < out > a; wc -l < today.log > b; test $(cat a) -ge $(cat b) && echo all
> all
2>~ promised rate 1 %

== --group-by belongs to learning
$ alm detect --model m.gguf --group-by x today.log
2> alm: these two contradict each other: --model --group-by
2> hint: the model knows what links records; give --group-by to `alm learn`
? 2

== the page has the incidents and no script
$ alm detect -q --model m.gguf --html p.html today.log > /dev/null; grep -c 'no space left' p.html > n; test $(cat n) -gt 0 && echo told; grep -ci '<script' p.html
> told
> 0
? 1

== on a terminal there are incidents with reason and lines
needs: script
$ script -qec 'alm detect --model m.gguf --color never today.log' /dev/null > out; grep -c 'no space left on device' out > n; test $(cat n) -gt 0 && echo shown; grep -c '^{' out
> shown
> 0
? 1

== with --incidents they are written into a file too, without objects
$ alm detect -q --incidents --model m.gguf today.log > out; grep -c 'no space left on device' out > n; test $(cat n) -gt 0 && echo shown; grep -c '^{' out
> shown
> 0
? 1

== --top keeps the heaviest incidents in the order of their beginnings, and says how many are left out
words:
% { cat today.log; sed 's/2026-03-01/2026-03-03/; s/session=1/session=2/' today.log; } > two.log
$ alm detect -q --incidents --top 0 --model m.gguf two.log > all; alm detect -q --incidents --top 1 --model m.gguf two.log > one; a=$(grep -cE '^ {0,2}[0-9]+  2026' all); test $a -gt 1 && grep -cE '^ {0,2}[0-9]+  2026' one; grep -q "^$((a - 1)) weaker incident" one && echo counted; head -1 one > h; grep -cFxf h all
> 1
> counted
> 1

== --incidents and --json contradict each other
$ alm detect --incidents --json --model m.gguf today.log
2> alm: these two contradict each other: --incidents --json
2> hint: give one of them
? 2

== an incident names its source although the input is closed by then
$ cp today.log second.log; alm detect -q --html p.html --model m.gguf today.log second.log > /dev/null; grep -c '^<div class="src">today.log</div>$' p.html > n; test $(cat n) -gt 0 && echo named
> named

== the floor ignores small incidents and weak alarms, and says so
$ alm detect -q --json --model m.gguf --min-score 1e9 today.log | tail -1
>~ "ignored":[1-9]

== whole sessions are learned and judged, columns found by their names
% ev='function flush() { if (s != "") print s "\t" (s > 1090 && s < 1096 && odd ? 1 : 0) "\t" e } { split($5, x, "="); if (x[2] != s) { flush(); s = x[2]; e = "" } e = e (e == "" ? "" : " ") $6 } END { flush() }'
% { printf 'session\tlabel\tevents\n'; awk "$ev" normal.log; } > normal.tsv
% { printf 'session\tlabel\tevents\n'; awk -v odd=1 "$ev" today.log; } > today.tsv
$ alm learn -q --sessions normal.tsv -o s.gguf && alm detect --json --model s.gguf --sessions today.tsv > out; wc -l < out | tr -d ' '; head -1 out; tail -1 out
> 101
>~ ^\{"id":"[0-9a-f]{16}","line":2,.*"group":"1001".*"score":[0-9.e-]+,"p":[0-9.e-]+,"alarm":(true|false)
>~ "false_alarm_n":95.*"recall":1,"recall_n":5
2>~ recall 100 % \(n = 5\)

== whole sessions that alarm are incidents too
% { printf 'session\tevents\n'; for i in $(seq 1 200); do printf 's%d\ta b c d\n' $i; done; } > n.tsv
% { printf 'session\tevents\n'; printf 'x\ta b c d\nodd\tz z z z\n'; } > t.tsv
$ alm learn -q --sessions n.tsv -o s.gguf && alm detect -q --model s.gguf --sessions t.tsv --incidents
>~ odd

== the label column of sessions never changes a verdict
% { printf 'session\tevents\n'; for i in $(seq 1 200); do printf 's%d\ta b c d\n' $i; done; } > n.tsv
% { printf 'session\tevents\n'; printf 'x\ta b c d\ny\tz z z z\n'; } > plain.tsv
% { printf 'label\tsession\tevents\n'; printf '1\tx\ta b c d\n0\ty\tz z z z\n'; } > labelled.tsv
$ alm learn -q --sessions n.tsv -o s.gguf && alm detect -q --model s.gguf --sessions plain.tsv | grep -o '"score":[^,]*,"p":[^,]*,"alarm":[a-z]*' > a; alm detect -q --model s.gguf --sessions labelled.tsv | grep -o '"score":[^,]*,"p":[^,]*,"alarm":[a-z]*' > b; cmp a b && cut -d, -f3 a
> "alarm":false
> "alarm":true

== a model of sessions knows that its input is sessions
% { printf 'session\tevents\n'; for i in $(seq 1 200); do printf 's%d\ta b c d\n' $i; done; } > n.tsv
$ alm learn -q --sessions n.tsv -o s.gguf && alm detect -q --model s.gguf n.tsv | wc -l | tr -d ' '
> 200

== --sessions and --group-by contradict each other
$ alm learn --sessions --group-by x normal.log -o x.gguf
2> alm: these two contradict each other: --sessions --group-by
2> hint: a session is a group already
? 2

== a field of JSON lines links records
% awk '{ split($5, s, "="); printf "{\"trace\":\"t%s\",\"msg\":\"", s[2]; for (i = 6; i <= NF; i++) printf "%s%s", (i > 6 ? " " : ""), $i; print "\"}" }' normal.log > n.jsonl
$ alm learn -q n.jsonl -o j.gguf --group-by field:trace && alm detect -q --model j.gguf --level group n.jsonl | wc -l | tr -d ' '; head -5 n.jsonl | alm detect -q --model j.gguf - | head -1
> 400
>~ "group":"t1001"

== the summary is German in a German locale, with a point in numbers
language: de
$ alm detect --model m.gguf today.log > /dev/null
2>~ zugesagte Rate 1 %, Alarmrate [0-9.]+ %

== every line of NDJSON is JSON, whatever is in the records
needs: python3
% printf 'session=1001 quote " back \\ tab \t ctrl \001 del \177 \303\244 bad \377 end\nsession="x\\y" \342\202\254\n{"a":\n\n' > odd.log
$ alm detect -q --json --explain --model m.gguf odd.log today.log > out; alm patterns -q --json odd.log > out2; alm detect -q --json --level group --model m.gguf odd.log today.log > out3; python3 -c 'import json,sys; [json.loads(l) for f in sys.argv[1:] for l in open(f, encoding="utf-8")]; print("JSON")' out out2 out3
> JSON
2>*
