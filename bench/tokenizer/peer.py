# SPDX-License-Identifier: Apache-2.0
"""bench/tokenizer/peer.py TOKENIZER FILE - the same work by the library that the file was made for, one thread: the best of three.

A tokenizer.json (also .gz) by Hugging Face's tokenizers, a tokenizer.model by sentencepiece: MB/s of processor time."""
import gzip
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

path, text = sys.argv[1:3]
with open(text, encoding="utf-8", errors="replace") as f:
    lines = f.read().split("\n")
mb = os.path.getsize(text) / 1e6
start = time.process_time()
if path.endswith(".model"):
    import sentencepiece

    peer = "sentencepiece"
    t = sentencepiece.SentencePieceProcessor(model_file=path)
    encode = lambda: sum(len(x) for x in t.encode(lines, num_threads=1))  # noqa: E731
else:
    from tokenizers import Tokenizer

    peer = "tokenizers"
    t = Tokenizer.from_str((gzip.open if path.endswith(".gz") else open)(path, "rb").read().decode())
    encode = lambda: sum(len(x.ids) for x in t.encode_batch_fast(lines, add_special_tokens=False))  # noqa: E731
opened, best = time.process_time() - start, 1e9
for _ in range(3):
    a = time.process_time()
    n = encode()
    best = min(best, time.process_time() - a)
print(json.dumps({"peer": peer, "tokenizer": os.path.basename(path), "open_ms": round(opened * 1e3), "mb": round(mb, 1),
                  "encode_mb_s": round(mb / best, 1), "bytes_per_id": round(mb * 1e6 / n, 2)}))
