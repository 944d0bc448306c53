# SPDX-License-Identifier: Apache-2.0
# alm logits, alm tensor: numbers of a model, tensors of a file; what they refuse.
% cp "$ALM_SOURCE_ROOT/tests/data/models/gguf/llama3-q8_0.gguf" tiny.gguf

== the same digest for any number of threads, any batch and the plain instruction set
$ for o in "--threads 1" "--threads 3" "--batch 1" "--batch 4"; do alm logits tiny.gguf -t 379,334,378,282,83,261 --digest $o; ALM_ISA=plain alm logits tiny.gguf -t 379,334,378,282,83,261 --digest $o; done | sort -u | wc -l | tr -d ' '
> 1

== a longer context, and the last row alone, change no bit
$ ids=$(seq 1 3 299 | tr '\n' ',' | sed 's/,$//'); for o in "" "--ctx 128" "--batch 7" "--batch 7 --ctx 100" "--batch 64"; do alm logits tiny.gguf -t $ids --last --digest $o; done | sort -u | wc -l | tr -d ' '
> 1

== the array is the one that the digest is of
$ alm logits tiny.gguf --tokens 379,334 --digest -o a.npy > digest; tail -c 3072 a.npy | sha256sum | cut -d' ' -f1 | cmp - digest && head -c 128 a.npy | tail -c 118 | tr -d ' '
> {'descr':'<f4','fortran_order':False,'shape':(2,384),}

== --last is the last row
$ alm logits tiny.gguf --tokens 379,334 -o a.npy && alm logits tiny.gguf --tokens 379,334 --last -o b.npy && tail -c 1536 a.npy > x && tail -c 1536 b.npy | cmp x - && wc -c < b.npy | tr -d ' '
> 1664

== a folder of Hugging Face is a model too
$ alm logits "$ALM_SOURCE_ROOT/tests/data/models/llama3" --tokens 1,2,3 --digest
>~ ^[0-9a-f]{64}$

== lines are scored by a folder, with its own tokenizer
$ printf 'the disk is full\n\n' | alm score "$ALM_SOURCE_ROOT/tests/data/models/llama32-tied" -
>~ ^\{"tokens":[0-9]+,"nll":[0-9.]+,"mean":[0-9.]+\}$
>~ ^\{"tokens":0,"nll":0(.0)?,"mean":null\}$

== what cannot be computed is refused with the reason
$ alm logits tiny.gguf --tokens 1,x,3 --digest
2> alm: --tokens: "x" is no id of a token
? 2
$ alm logits tiny.gguf --tokens 1,384 --digest
2>~ ^alm: token 384 at place 1; the vocabulary has 384
? 2
$ alm logits tiny.gguf --tokens 1,2,3 --ctx 2 --digest
2> alm: 3 tokens do not fit a context of 2
? 2
$ alm logits tiny.gguf --tokens 1,2,3 --ctx 129 --digest
2> alm: a context of 129; the model's has 128
? 2
$ alm logits tiny.gguf --tokens $(seq 1 129 | tr '\n' ',' | sed 's/,$//') --digest
2> alm: 129 tokens do not fit a context of 128
? 2
$ alm logits tiny.gguf --tokens 1
2>~ ^alm: nothing to give
? 2
$ alm logits tiny.gguf --digest
2>~ ^alm: --tokens is missing
? 2
$ alm logits nowhere.gguf --tokens 1 --digest
2>~ ^alm: nowhere\.gguf
? 5
$ head -c 5000 tiny.gguf > cut.gguf; alm logits cut.gguf --tokens 1 --digest
2>~ ^alm: cut\.gguf: 
2>*
? 5

== hostile models are refused and nothing is written
$ for f in heads-0 heads-3 blocks-max blocks-2 embd-64 down-transposed rope-dim vocab-mismatch; do alm logits "$ALM_SOURCE_ROOT/tests/data/hostile/gguf-model/$f.gguf" --tokens 1 -o x.npy 2> err; echo $? "$(wc -l < err | tr -d ' ')" "$(ls x.npy 2>/dev/null)"; done | sort -u
>~ ^5 [12] $
>*

== the list has a line a tensor
$ alm tensor tiny.gguf --list | wc -l | tr -d ' '; alm tensor tiny.gguf --list | grep attn_k | head -1 | tr -s ' '
> 23
> blk.0.attn_k.weight Q8_0 32 x 64 2176

== --json says the digest of the bytes
$ alm tensor tiny.gguf output_norm.weight --dtype raw -o n.npy; alm tensor tiny.gguf --list --json | grep -c '"sha256":"'"$(tail -c 256 n.npy | sha256sum | cut -d' ' -f1)"'"'
> 1

== a tensor is decoded, or taken as it lies
$ alm tensor tiny.gguf blk.0.attn_k.weight -o d.npy; alm tensor tiny.gguf blk.0.attn_k.weight --dtype raw -o r.npy; for f in d r; do head -c 128 $f.npy | tail -c 118 | tr -d ' '; wc -c < $f.npy | tr -d ' '; done
> {'descr':'<f4','fortran_order':False,'shape':(32,64),}
> 8320
> {'descr':'|u1','fortran_order':False,'shape':(32,68),}
> 2304

== a name that is a path makes no path
$ alm tensor "$ALM_SOURCE_ROOT/tests/data/hostile/safetensors/name-path.safetensors" --list | wc -l | tr -d ' '; ls
> 2
>*

== what is not there, and what is no question
$ alm tensor tiny.gguf nothing -o x.npy
2> alm: tiny.gguf: no tensor nothing
2> hint: --list shows the names
? 5
$ alm tensor tiny.gguf
2>~ ^alm: say what to give
? 2
$ alm tensor "$ALM_SOURCE_ROOT/tests/data/hostile/safetensors/overlap.safetensors" --list
2>~ overlap
? 5
$ alm tensor "$ALM_SOURCE_ROOT/tests/data/hostile/safetensors/index-escape.safetensors.index.json" --list
2>~ path_escape
2>*
? 3
