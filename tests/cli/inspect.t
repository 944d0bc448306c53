# SPDX-License-Identifier: Apache-2.0
# alm inspect: what a model is made of, whether it can be run or not.
% cp "$ALM_SOURCE_ROOT/tests/data/models/gguf/llama3-q8_0.gguf" tiny.gguf
% cp -r "$ALM_SOURCE_ROOT/tests/data/torch/." torch

== the blocks are drawn along the way of a token
words:
$ alm inspect tiny.gguf
> model         Llama3
> family        llama, in GGUF
> parameters    110.92 k in 22 tensors, 118.8 kB
> types         Q8_0 117.5 kB, F32 1.3 kB
> tokenizer     byte-level BPE, 384 tokens, begins with <|begin_of_text|>, ends
>               with <|end_of_text|>
> template      none
> licence       not said
> context       128 tokens
> memory        447.2 kB for a text of 128 tokens: 118.8 kB weights, 131.7 kB keys
>               and values, 196.6 kB for a step
> 
>    tokens
>      │
>   ┌──┴─ embedding ───────────────────────────────────────────────────────────┐
>   │    token_embd                          384 x 64         Q8_0     26.1 kB │
>   │    rope_freqs                          8                F32         32 B │
>   └──────────────────────────────────────────────────────────────────────────┘
>      │
>   ┌──┴─ 2 blocks: blk.0 to 1 ────────────────────────────────────────────────┐
>   │  ├─ attention: 4 heads of 16, 2 for keys and values                      │
>   │  │ attn_norm                           64               F32        512 B │
>   │  │ attn_q                              64 x 64          Q8_0      8.7 kB │
>   │  │ attn_k                              32 x 64          Q8_0      4.4 kB │
>   │  │ attn_v                              32 x 64          Q8_0      4.4 kB │
>   │  │ attn_output                         64 x 64          Q8_0      8.7 kB │
>   │  ⊕                                                                       │
>   │  ├─ feed-forward: 96 wide                                                │
>   │  │ ffn_norm                            64               F32        512 B │
>   │  │ ffn_gate                            96 x 64          Q8_0     13.1 kB │
>   │  │ ffn_up                              96 x 64          Q8_0     13.1 kB │
>   │  │ ffn_down                            64 x 96          Q8_0     13.1 kB │
>   │  ⊕                                                                       │
>   └──────────────────────────────────────────────────────────────────────────┘
>      │
>   ┌──┴─ output ──────────────────────────────────────────────────────────────┐
>   │    output_norm                         64               F32        256 B │
>   │    output                              384 x 64         Q8_0     26.1 kB │
>   └──────────────────────────────────────────────────────────────────────────┘
>      │
>    logits

== a longer context needs more; --json says it in bytes
$ for n in 64 128; do alm inspect tiny.gguf --ctx $n --json | sed 's/.*"memory"/"memory"/; s/,"tensors".*//'; done
> "memory":{"context":64,"weights":118816,"keys_and_values":131488,"step":98304}
> "memory":{"context":128,"weights":118816,"keys_and_values":131744,"step":196608}

== a folder of PyTorch's, in another order of names, is drawn the same way
words:
$ alm inspect torch/tiny-llama/legacy | grep -E "family|q_proj|down_proj|lm_head" | tr -s ' '
> family llama, in PyTorch
>  │ │ self_attn.q_proj 24 x 16 F16 1.5 kB │
>  │ │ mlp.down_proj 16 x 32 F16 2.0 kB │
>  │ lm_head 40 x 16 F16 1.3 kB │

== weights alone and unknown families are looked at, with the reason why they are not run
words:
$ alm inspect torch/nested_checkpoint.pt | grep -E "not run|config|transposed" | tr -s ' '
> not run torch/nested_checkpoint.pt: weights without their configuration
>  │ model.transposed_view 30 x 8 F32 960 B │
$ printf '{"model_type":"unheard_of"}' > torch/tiny-llama/zip/config.json; alm inspect torch/tiny-llama/zip | grep -cE 'family +unheard_of, in PyTorch|not run|self_attn.q_proj'
> 3

== without UTF-8 it is drawn with ASCII
$ LC_ALL=C alm inspect tiny.gguf | LC_ALL=C grep -c '[^ -~]' ; LC_ALL=C alm inspect tiny.gguf | grep -c '^  +--'
> 0
> 6

== what would run something is not looked into
$ cp "$ALM_SOURCE_ROOT/tests/data/hostile/pytorch/os-system.pt" x.pt; alm inspect x.pt
2>~ unsafe_code
2>*
? 3

== what is not there is said in words that agree, in English
words:
$ alm inspect torch/tiny-llama/zip | sed -n '5,7p' | tr -s ' '
> tokenizer none that can be read
> template none
> licence not said

== and in German
language: de
$ alm inspect torch/tiny-llama/zip | sed -n '5,8p' | tr -s ' '
> Tokenizer keiner, der gelesen werden kann
> Vorlage keine
> Lizenz nicht angegeben
> Kontext 64 Tokens
