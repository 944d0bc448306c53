#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer.py - the same step as step.c by PyTorch: the arguments, lines and answers of that program.

The model is the Llama of transformers with scaled_dot_product_attention, in f32; the optimiser torch's fused AdamW. The batch has
no padding, so no mask has to be given."""
import resource
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

vocab, hidden, layers, heads, kv_heads, ffn, documents, length, steps, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(1)
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=vocab, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
    intermediate_size=ffn, max_position_embeddings=length, tie_word_embeddings=True, attn_implementation='sdpa', use_cache=False))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
tokens = torch.randint(vocab, (documents, length + 1))
print(sum(p.numel() for p in model.parameters()), 'parameters, torch', torch.__version__, file=sys.stderr)


def step():
    logits = model(input_ids=tokens[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


for _ in sys.stdin:
    began = time.monotonic()
    for _ in range(steps):
        step()
    print(f'{time.monotonic() - began:.6f}', flush=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
