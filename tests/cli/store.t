# SPDX-License-Identifier: Apache-2.0
# alm list, pull, show, rm: names for models; caches of other programs, used where they lie.
% cp "$ALM_SOURCE_ROOT/tests/data/models/gguf/llama3-q8_0.gguf" tiny.gguf
% unset XDG_CACHE_HOME HF_HOME HF_HUB_CACHE OLLAMA_MODELS

== a model gets a name, and the name opens it
words:
$ alm pull tiny.gguf; alm pull tiny.gguf
> tiny: 1 file, 128.2 kB
> tiny: in the store already
$ for m in tiny.gguf tiny store:tiny; do alm logits $m -t 1,2,3 --digest; done | sort -u | wc -l | tr -d ' '
> 1
$ alm list
> name      size  in
> tiny  128.2 kB  store
$ alm show tiny | grep gguf | tail -1 | tr -s ' '
> tiny.gguf 128.2 kB caef8969812d168300f5e8379a255c43f68a26be7db305d956cb90e024895194

== what Ollama's cache holds is found, and a name that two have is asked about
words:
% M=$HOME/.ollama/models; mkdir -p $M/blobs $M/manifests/registry.ollama.ai/library/tiny
% cp tiny.gguf $M/blobs/sha256-caef8969812d168300f5e8379a255c43f68a26be7db305d956cb90e024895194
% printf '{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:caef8969812d168300f5e8379a255c43f68a26be7db305d956cb90e024895194"}]}' > $M/manifests/registry.ollama.ai/library/tiny/latest
% alm pull tiny.gguf
$ alm list; alm tensor ollama:tiny --list | head -1 | tr -s ' '; alm tensor tiny --list
> name             size  in
> tiny         128.2 kB  store
> tiny:latest  128.2 kB  ollama
> name type shape bytes
2> alm: tiny: 2 models fit this name: store:tiny, ollama:tiny:latest
2> hint: say which, as it stands there
? 2

== what belongs to Ollama is not removed
% M=$HOME/.ollama/models; mkdir -p $M/blobs $M/manifests/registry.ollama.ai/library/tiny
% cp tiny.gguf $M/blobs/sha256-caef8969812d168300f5e8379a255c43f68a26be7db305d956cb90e024895194
% printf '{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:caef8969812d168300f5e8379a255c43f68a26be7db305d956cb90e024895194"}]}' > $M/manifests/registry.ollama.ai/library/tiny/latest
$ alm rm ollama:tiny
2> alm: ollama:tiny: not in the store, which is empty
2> hint: it is in the cache of ollama, which alm does not change: remove it there
? 5

== Hugging Face's cache is found under the repository's name
words:
% S=$HOME/.cache/huggingface/hub/models--me--small/snapshots/1; mkdir -p $S; cp "$ALM_SOURCE_ROOT"/tests/data/torch/tiny-llama/zip/* $S
$ alm list | tr -s ' '; for m in me/small small "$HOME/.cache/huggingface/hub/models--me--small/snapshots/1"; do alm logits $m -t 1,2 --digest; done | sort -u | wc -l | tr -d ' '
> name size in
> me/small 21.2 kB huggingface
> 1

== out again; the file stays
$ alm pull tiny.gguf -q --name a/b > out && alm rm a/b && alm list; ls
> out
> tiny.gguf
2> no models here yet: `alm pull FILE` adds one

== nothing is fetched, and what would run something is not taken
$ alm pull nothing
2> alm: nothing: no such file or folder
2>~ fetches nothing over the network
? 5

== what would run something is not taken
$ cp "$ALM_SOURCE_ROOT/tests/data/hostile/pytorch/os-system.pt" x.pt; alm pull x.pt
2>~ unsafe_code
2>*
? 3

== a name that nobody has
$ alm logits unheard-of -t 1 --digest
2> alm: unheard-of: no such file or folder, and no model of this name
2> hint: `alm list` shows the models on this machine
? 5

== lists of what this build knows
words:
$ alm list --formats | grep PyTorch | tr -s ' '; alm list --types --json | head -1
> torch PyTorch .pt .bin .pth .ckpt reads
> {"name":"f32","bits":"32","does":"reads, writes"}
$ alm list --families | grep -c llama
> 1

== one list at a time
$ alm list --types --formats
2>~ one list at a time
? 2

== a file of the store that was written to is told of, wherever its name is used, and mended by the old content
words:
$ alm pull tiny.gguf -q > out; touch -d @1 $HOME/.local/share/allmende/blobs/*; alm show tiny --json | grep -o '"state":"[a-z ]*"'
> "state":"changed"
2> alm: warning: tiny: tiny.gguf was written to after `alm pull`: its size or time is another
2> hint: `alm rm` and `alm pull` take in what is there now; `alm pull` of the old content mends it
$ alm pull tiny.gguf -q > out; touch -d @1 $HOME/.local/share/allmende/blobs/*; alm logits tiny -t 1 --digest
>~ ^[0-9a-f]{64}$
2>~ ^alm: warning: tiny: tiny\.gguf was written to
2>~ ^hint: 
$ alm pull tiny.gguf -q > out; touch -d @1 $HOME/.local/share/allmende/blobs/*; alm logits tiny -q -t 1 --digest
>~ ^[0-9a-f]{64}$
$ cp tiny.gguf a.gguf; alm pull a.gguf -q > out; rm $HOME/.local/share/allmende/blobs/*; alm show a > out; alm pull a.gguf; alm show a --json | grep -o '"state":"[a-z ]*"'
> a: in the store already, and mended: a file had changed
> "state":"as added"
2> alm: warning: a: a.gguf has gone
2>~ ^hint: 

== Ctrl-C while a large file is read leaves the store as it was
$ { printf 'GGUF\003\0\0\0\001\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0w\001\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0'; head -c 15 /dev/zero; } > big.gguf; truncate -s 20G big.gguf; timeout --preserve-status -s INT 1 alm pull big.gguf; code=$?; ls $HOME/.local/share/allmende 2> no; exit $code
2> interrupted: nothing came into the store
? 130
