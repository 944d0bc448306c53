# SPDX-License-Identifier: Apache-2.0
"""bench/bpe/peer.py FILE N_VOCAB - the same work by Hugging Face's tokenizers, one thread: MB/s of processor time."""
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers  # noqa: E402

RULE = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+")
with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
    lines = f.read().split("\n")
mb = os.path.getsize(sys.argv[1]) / 1e6
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(RULE), "isolated"),
                                           pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
a = time.process_time()
t.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=int(sys.argv[2]), show_progress=False,
                                                 initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
b = time.process_time()
n = sum(len(t.encode(line).ids) for line in lines)
c = time.process_time()
print(json.dumps({"peer": "tokenizers", "n_vocab": t.get_vocab_size(), "learn_mb_s": round(mb / (b - a), 1),
                  "encode_mb_s": round(mb / (c - b), 1), "bytes_per_id": round(mb * 1e6 / n, 2)}))
