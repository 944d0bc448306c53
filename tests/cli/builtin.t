# SPDX-License-Identifier: Apache-2.0
# builtin: the small model inside the program, wherever a MODEL may stand.
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 16 2 5 > today.log
% head -n 12 today.log > few.log
% cp "$ALM_SOURCE_ROOT/examples/demo/builtin/builtin.gguf" file.gguf

== the file of the tree and the model in the program are one
words:
$ alm version --json | grep -o '"builtin_sha256":"[0-9a-f]*"' | cut -d'"' -f4 > a; sha256sum file.gguf | cut -d' ' -f1 | cmp - a && echo same
> same
$ alm version
>~ ^model builtin: of [0-9]+ bytes, SHA-256 [0-9a-f]{64}$

== it scores, from its name, by default, and as a file: the same numbers
$ alm score builtin: few.log > a; alm score < few.log > b; alm score - < few.log > c; alm score file.gguf few.log > d; cmp a b && cmp a c && cmp a d && wc -l < a | tr -d ' '
> 12
$ echo 'web-1 nginx: 198.51.100.7 "GET /shop HTTP/1.1" 200 1843 in 21 ms' | alm score builtin: > usual; echo 'ms 21 in 1843 HTTP/1.1" 200 /shop "GET 198.51.100.7 nginx: web-1' | alm score builtin: > strange; awk -F'"mean":' '{ print $2 + 0 }' usual strange | sort -c -g && echo the usual line is less surprising
> the usual line is less surprising

== its tokens, there and back
$ alm tokenize builtin: today.log | alm detokenize builtin: - | cmp - today.log && echo same
> same

== its tensors and logits are those of the file
$ alm tensor builtin: --list > a; alm tensor file.gguf --list | cmp - a && alm logits builtin: --tokens 5,6,7 --digest > a; alm logits file.gguf --tokens 5,6,7 --digest | cmp - a && echo same
> same

== another name behind the colon is a file that is not there
$ alm score builtin:other today.log
2>~ ^alm: builtin:other
? 5

== detect without a model learns the stream while it judges it, and builtin: says the same
$ alm detect -q today.log > a; alm detect -q --prequential today.log > b; alm detect -q --model builtin: today.log > c; cmp a b && cmp a c && echo same; wc -l < a | tr -d ' ' > n; wc -l < today.log | tr -d ' ' | cmp - n && echo one a record
> same
> one a record

== the summary tells what it read, and --no-lm keeps it from reading
$ alm detect --json today.log 2>/dev/null | tail -1 | grep -c '"lines_read":[1-9]'; alm detect --json --no-lm today.log 2>/dev/null | tail -1 | grep -o '"lines_read":[0-9]*'
> 1
> "lines_read":0
$ alm detect today.log > /dev/null
2>~ the language model read [0-9]+ lines \([0-9.]+ %\)

== it is the same for any number of threads and the plain instruction set
$ alm detect -q --explain --threads 1 today.log > a; alm detect -q --explain --threads 3 today.log | cmp - a && ALM_ISA=plain alm detect -q --explain today.log | cmp - a && echo same
> same

== with a model that was learned there is nothing for it to do
$ alm learn -q --no-lm today.log -o m.gguf; alm detect --model m.gguf --no-lm today.log
2> alm: these two contradict each other: --model --no-lm
2> hint: give --no-lm to `alm learn`
? 2
