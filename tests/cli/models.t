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

== quantised numbers are those that gguf's own decoder gives (PyPI gguf 0.19, float32, SHA-256 of the bytes)
$ for n in token_embd.weight blk.0.attn_k.weight blk.1.ffn_down.weight; do alm tensor tiny.gguf $n -o a.npy; tail -c +129 a.npy | sha256sum | cut -d' ' -f1; done
> 0664dd399318255711fa51426aa303e6ec9de3477bb642c1c0c00d913a773cac
> ad1c8fa9385846397ddecfb17a3e05d9ebe9d49f55320948b8bd29e6fab5d71b
> a4c148dbb9ebe1ff1ce4220ed6b59d9978b3e16fd4d516f95724e8a75cdd6e5b

== a tensor of each quantised type is decoded to the golden numbers, and its bytes are those of the file
% printf '%s\n' "2 Q4_0 288" "3 Q4_1 320" "6 Q5_0 352" "7 Q5_1 384" "8 Q8_0 544" "10 Q2_K 168" "11 Q3_K 220" "12 Q4_K 288" "13 Q5_K 352" "14 Q6_K 420" "16 IQ2_XXS 132" "17 IQ2_XS 148" "18 IQ3_XXS 196" "19 IQ1_S 100" "20 IQ4_NL 288" "21 IQ3_S 220" "22 IQ2_S 164" "23 IQ4_XS 272" "29 IQ1_M 112" "34 TQ1_0 108" "35 TQ2_0 132" "39 MXFP4 272" > types
$ while read id name n; do { printf 'GGUF\003\0\0\0\001\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0w\001\0\0\0\000\002\0\0\0\0\0\0'; printf "\\$(printf %03o $id)"; head -c 18 /dev/zero; head -c $n "$ALM_SOURCE_ROOT/tests/data/quants/$name.blocks.bin"; } > t.gguf; alm tensor t.gguf w -o d.npy && alm tensor t.gguf w --dtype raw -o r.npy; head -c 2048 "$ALM_SOURCE_ROOT/tests/data/quants/$name.f32.bin" > want; tail -c +129 d.npy | cmp - want; head -c $n "$ALM_SOURCE_ROOT/tests/data/quants/$name.blocks.bin" > raw; tail -c +129 r.npy | cmp - raw; alm tensor t.gguf --list | tail -1 | tr -s ' '; done < types
> w Q4_0 512 288
> w Q4_1 512 320
> w Q5_0 512 352
> w Q5_1 512 384
> w Q8_0 512 544
> w Q2_K 512 168
> w Q3_K 512 220
> w Q4_K 512 288
> w Q5_K 512 352
> w Q6_K 512 420
> w IQ2_XXS 512 132
> w IQ2_XS 512 148
> w IQ3_XXS 512 196
> w IQ1_S 512 100
> w IQ4_NL 512 288
> w IQ3_S 512 220
> w IQ2_S 512 164
> w IQ4_XS 512 272
> w IQ1_M 512 112
> w TQ1_0 512 108
> w TQ2_0 512 132
> w MXFP4 512 272

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
