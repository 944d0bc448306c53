# SPDX-License-Identifier: Apache-2.0
# alm train, alm score: the model, its recipe, going on after a stop, what is refused.
% sh "$ALM_SOURCE_ROOT/tests/cli/shop.sh" 30 1 > normal.log
% echo '--hidden 16 --layers 1 --heads 2 --kv-heads 1 --ffn 24 --context 32 --vocab 300 --batch-tokens 128' > opts

== training leaves a model, a recipe and a curve, and no checkpoints
$ alm train $(cat opts) --data normal.log -o m.gguf --steps 3; ls | grep -v 'normal\|opts'; head -c 4 m.gguf.curve.svg; echo; tail -1 m.gguf.recipe.json
> m.gguf
> m.gguf.curve.svg
> m.gguf.recipe.json
> <svg
> }
2>~ memory: [0-9.]+ [KM]iB of
2>~ [0-9]+ k parameters; [0-9]+ documents of [0-9]+ tokens, [0-9]+ documents held out
2>~ 3 steps, loss [0-9.]+; held out [0-9.]+ at step 3: m\.gguf

== what was learned, for a script
$ alm train -q $(cat opts) -d normal.log -o m.gguf --steps 2 --json; sha256sum m.gguf | cut -d' ' -f1 > a; grep -o '"sha256": "[0-9a-f]*"' m.gguf.recipe.json | tail -1 | cut -d'"' -f4 | cmp - a && echo same
>~ ^\{"model":"m.gguf","recipe":"m.gguf.recipe.json","curve":"m.gguf.curve.svg","sha256":"[0-9a-f]{64}","parameters":[0-9]+,"documents":[0-9]+,"tokens":[0-9]+,"steps":2,"tokens_learned":[0-9]+,"loss":[0-9.]+,"eval_loss":[0-9.]+,"best_step":2,"seconds":[0-9.e-]+\}$
> same

== a base that could not be written is refused before anything is learned
$ alm train -q --base "$ALM_SOURCE_ROOT/tests/data/models/qwen3" --data normal.log -o m.gguf --steps 1
2> alm: models of the family qwen3 are read, not written
2> hint: what is trained or converted is written; a Llama can be
? 5

== the same call gives the same file for any number of threads and any instruction set
$ for n in 1 2 3; do alm train -q $(cat opts) --data normal.log -o $n.gguf --steps 3 --threads $n --accumulate 2; done; ALM_ISA=plain alm train -q $(cat opts) --data normal.log -o 4.gguf --steps 3 --accumulate 2 --recompute; for n in 2 3 4; do cmp 1.gguf $n.gguf && echo same; done
> same
> same
> same

== another seed gives another model
$ for n in 1 2; do alm train -q $(cat opts) --data normal.log -o $n.gguf --steps 1 --seed $n; done; cmp -s 1.gguf 2.gguf
? 1

== a recipe makes the same file again, from the file beside the model and from the model itself
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 4 --eval-every 2 --lr 0.01 --type q8_0; mkdir there; alm train --recipe m.gguf.recipe.json -o there/a.gguf && cmp m.gguf there/a.gguf && echo same; alm train -q --recipe m.gguf -o there/b.gguf && cmp m.gguf there/b.gguf && echo same
> same
> same
2>~ made again: the same SHA-256 as the recipe's, [0-9a-f]{64}

== data are found beside the recipe too
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; mkdir there; cd there; alm train -q --recipe ../m.gguf.recipe.json -o a.gguf && cmp ../m.gguf a.gguf && echo same
> same

== a run by the clock records its steps, and its recipe replays without a clock
$ alm train -q $(cat opts) --data normal.log -o m.gguf --time-limit 0.4; alm train -q --recipe m.gguf -o a.gguf --threads 2 && cmp m.gguf a.gguf && echo same
> same

== a recipe refuses other data and names them
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; echo more >> normal.log; alm train -q --recipe m.gguf -o a.gguf; echo $?; ls a.gguf
> 3
2>~ data file normal\.log is not that of the recipe: SHA-256 [0-9a-f]{16}\.\.\. there, [0-9a-f]{16}\.\.\. here
2>~ hint: a recipe makes its model from exactly its own data
2>~ a\.gguf
? 2

== a recipe of another arithmetic is refused
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; sed -i 's/"numbers": 0/"numbers": 7/' m.gguf.recipe.json; alm train -q --recipe m.gguf.recipe.json -o a.gguf
2>~ version 7 of the arithmetic, this program computes by version 0
2>*
? 3

== a model that does not come out as the recipe says is told
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; sed -i '/"result"/,$s/"sha256": "../"sha256": "00/' m.gguf.recipe.json; alm train -q --recipe m.gguf.recipe.json -o a.gguf
2>~ the model a\.gguf is not that of the recipe
2>*
? 3

== a recipe takes no options that decide about the result
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; alm train --recipe m.gguf -o a.gguf --lr 1
2>~ these two contradict each other: --recipe --lr
2>*
? 2

== a model without a recipe, a broken recipe
$ alm learn -q normal.log -o n.gguf; alm train --recipe n.gguf -o a.gguf; echo $?; echo '{"recipe":1}' > r.json; alm train --recipe r.json -o a.gguf
> 5
2>~ n\.gguf: the model holds no recipe
2>~ r\.json: the recipe names no data
? 5

== a run that is killed goes on to the same bits
$ alm train -q $(cat opts) --data normal.log -o whole.gguf --steps 60 --threads 1; (alm train -q $(cat opts) --data normal.log -o cut.gguf --steps 60 --threads 1 --checkpoint-every 5 & p=$!; while ! test -f cut.gguf.checkpoints/last.gguf; do sleep 0.02; done; kill -9 $p; wait $p) 2>/dev/null; alm train $(cat opts) --data normal.log -o cut.gguf --steps 60 --threads 2 --resume cut.gguf.checkpoints && cmp whole.gguf cut.gguf && echo same; ls -d cut.gguf.checkpoints
> same
2>~ going on from step [0-9]+
2>~ cut\.gguf\.checkpoints
2>*
? 2

== Ctrl-C leaves a checkpoint and says how to go on
$ timeout --preserve-status -s INT 2 alm train $(cat opts) --data normal.log -o m.gguf --steps 100000000; echo $?; ls m.gguf.checkpoints; ls m.gguf
> 130
> last.gguf
2>~ interrupted after step [0-9]+; to go on: the same command with --resume m\.gguf\.checkpoints
2>*
? 2

== going on with other options or data is refused, and the difference is named
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 9 --checkpoints keep --checkpoint-every 3; ls keep; for o in '--lr 0.5' '--steps 10' '--seed 4' '--eval 0.2'; do alm train -q $(cat opts) --data normal.log -o a.gguf --steps 9 $o --resume keep; echo $?; done; head -100 normal.log > other.log; alm train -q $(cat opts) --data other.log -o a.gguf --steps 9 --resume keep
> last.gguf
> previous.gguf
> 3
> 3
> 3
> 3
2>~ lr: 0\.001 there, 0\.5 here
2>~ steps: 9 there, 10 here
2>~ seed: 0 there, 4 here
2>~ keep/last\.gguf: made with other data: [0-9a-f]{16} there, [0-9a-f]{16} here
2>*
? 3

== there is nothing to go on from
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 9 --resume nowhere
2>~ nowhere: there is no checkpoint to go on from
2>~ hint: leave --resume out to begin anew
? 5

== a damaged checkpoint is passed over for the one before it
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 9 --checkpoints keep --checkpoint-every 3; head -c 3000 keep/last.gguf > x; mv x keep/last.gguf; alm train $(cat opts) --data normal.log -o a.gguf --steps 9 --resume keep; cmp m.gguf a.gguf && echo same
> same
2>~ warning: keep/last\.gguf: .*; going on from the checkpoint before it
2>~ going on from step 3
2>*

== a checkpoint that cannot be written stops nothing
$ echo > file; alm train $(cat opts) --data normal.log -o m.gguf --steps 6 --checkpoints file --checkpoint-every 1; ls m.gguf
> m.gguf
2>~ warning: no checkpoint could be written, training goes on
2>*

== a disk that is full at the second checkpoint: the first stays, and the run is told about it
needs: unshare
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 4 --checkpoints keep --checkpoint-every 2; a=$(wc -c < keep/last.gguf); trap '' XFSZ; (ulimit -f $((a / 1024 - 8)); alm train $(cat opts) --data normal.log -o n.gguf --steps 6 --checkpoints keep --checkpoint-every 2 --resume keep) ; ls keep/last.gguf
> keep/last.gguf
2>*
? 0

== a loss that is not a number stops the run and names the step
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 50 --lr 1e30 --clip 0 --warmup 0 --checkpoint-every 1; echo $?; ls m.gguf
> 5
2>~ step [0-9]+: .*finite; the weights stay as they were before it
2>~ hint: a smaller --lr, a longer --warmup or --clip; 
2>*
? 2

== what would not fit is refused before it starts, with what would
$ alm train $(cat opts) --data normal.log -o m.gguf --steps 1 --memory 100K
2>~ training needs (more than )?[0-9.]+ (KiB|MiB) of memory, 97\.7 KiB are there
2>~ hint: not even --size tiny fits
? 5

== less at a time is offered when that would fit
$ alm train --size tiny --context 64 --data normal.log -o m.gguf --steps 1 --batch-tokens 8192 --memory 20M
2>~ training needs [0-9.]+ MiB of memory, 19\.1 MiB are there
2>~ hint: --recompute (--accumulate [0-9]+ )?needs [0-9.]+ MiB
? 5

== no data, empty data, blank data, one word
$ : > empty; printf '\n\n  \n' > blank; printf 'hi' > word; for f in empty blank; do alm train -q $(cat opts) --data $f -o m.gguf --steps 1; echo $?; done; alm train -q $(cat opts) --data word -o m.gguf --steps 2 && echo fine; alm train -q $(cat opts) -o m.gguf
> 5
> 5
> fine
2>~ there is nothing to learn from: no record holds text
2>~ there is nothing to learn from: --data is missing
2>*
? 2

== binary data are learned like any other, and scored
$ head -c 3000 /bin/sh > binary; alm train -q $(cat opts) --data binary --format lines -o m.gguf --steps 1 2>/dev/null && head -2 binary | alm score m.gguf | head -1
>~ ^\{"tokens":[0-9]+,"nll":[0-9.]+,"mean":[0-9.]+\}$

== a vocabulary larger than the data is told and made smaller
$ head -3 normal.log > few; alm train $(cat opts) --data few -o m.gguf --steps 1 --vocab 5000
2>~ the data give [0-9]+ tokens of the 5000 asked for
2>*

== one field of JSON lines
$ for i in 1 2 3 4 5; do echo '{"a":"one two three four","b":1}'; done > x.jsonl; alm train -q $(cat opts) --data x.jsonl --field a -o m.gguf --steps 1 && echo fine; alm train -q $(cat opts) --data x.jsonl --field z -o m.gguf --steps 1
> fine
2>~ there is nothing to learn from
2>~ hint: is the name of the field right\? --field z
2>*
? 5

== standard input cannot be found again, so it is refused
$ cat normal.log | alm train $(cat opts) --data - -o m.gguf --steps 1
2>~ -: training needs files: the recipe must find them again
2>*
? 2

== calls that make no sense
$ alm train $(cat opts) --data normal.log; echo $?; alm train $(cat opts) --data normal.log -o m.gguf --steps 1 --epochs 1; echo $?; alm train --data normal.log -o m.gguf --steps 1 --batch-tokens 20; echo $?; alm train --data normal.log -o m.gguf --steps 1 --heads 4 --kv-heads 3; echo $?; alm train --data normal.log -o nowhere/m.gguf --steps 1
> 2
> 2
> 2
> 2
2>~ the name of the model is missing
2>~ these two contradict each other: --steps --epochs
2>~ --batch-tokens 20 is less than the context, 256
2>~ --heads 4 is no multiple of --kv-heads 3
2>~ cannot write the model: nowhere/m\.gguf
? 5

== a model goes on from another, and its recipe replays
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 3; alm train -q --base m.gguf --data normal.log -o n.gguf --steps 2 --batch-tokens 64 && alm train -q --recipe n.gguf -o o.gguf && cmp n.gguf o.gguf && echo same
> same

== every line gets its tokens, their surprise and the mean; pieces add up
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 5; head -3 normal.log | alm score m.gguf; head -1 normal.log | alm score m.gguf --pieces - | grep -o '"nll":[0-9.e-]*' | cut -d: -f2 | LC_ALL=C awk 'NR==1{t=$1;next}{s+=$1}END{d=t-s; print (d<1e-3&&d>-1e-3)?"equal":"not equal"}'
>~ ^\{"tokens":[0-9]+,"nll":[0-9.]+,"mean":[0-9.]+\}$
>~ ^equal$

== a line's numbers do not depend on its neighbours, also when it is longer than the context, and an empty line has none
$ alm train -q $(cat opts) --data normal.log -o m.gguf --steps 1; { head -20 normal.log | tr '\n' ' '; echo; echo; head -200 normal.log; } > x; alm score m.gguf x > all; sed -n 1p x | alm score m.gguf - > one; sed -n 1p all | cmp - one; sed -n 2p all; sed -n 100p x | alm score m.gguf > one; sed -n 100p all | cmp - one; alm score --threads 2 m.gguf x | cmp - all && wc -l < all | tr -d ' '
> {"tokens":0,"nll":0,"mean":null}
> 199

== a file that is no model
$ alm score normal.log normal.log
2>~ normal\.log
? 5

== in German, too
language: de
$ alm train $(cat opts) --data normal.log -o m.gguf --steps 1; echo more >> normal.log; alm train --recipe m.gguf -o a.gguf
2>~ 1 Schritte?, Verlust [0-9.]+
2>~ Datendatei normal\.log stimmt nicht mit dem Rezept überein
2>*
? 3
