# SPDX-License-Identifier: Apache-2.0
# Makes tiny-llama/ (torch 2.15, safetensors): run it in its own folder.
import json, os, torch
from safetensors.torch import save_file
g = torch.Generator().manual_seed(7)
c = dict(architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6, intermediate_size=32, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False, torch_dtype="float16", hidden_act="silu")
h, q, k, f, v = 16, 24, 12, 32, 40
sd = {"model.embed_tokens.weight": (v, h), "model.norm.weight": (h,), "lm_head.weight": (v, h)}
for i in range(2):
    p = f"model.layers.{i}."
    for n, s in dict([("self_attn.q_proj", (q, h)), ("self_attn.k_proj", (k, h)), ("self_attn.v_proj", (k, h)), ("self_attn.o_proj", (h, q)), ("mlp.gate_proj", (f, h)), ("mlp.up_proj", (f, h)), ("mlp.down_proj", (h, f)), ("input_layernorm", (h,)), ("post_attention_layernorm", (h,))]).items():
        sd[p + n + ".weight"] = s
sd = {n: torch.randn(s, generator=g).half() for n, s in sd.items()}
# one matrix as a transposed view: its bytes lie in another order
sd["lm_head.weight"] = sd["lm_head.weight"].t().contiguous().t()
for d in ("safetensors", "zip", "legacy"):
    os.makedirs(f"tiny-llama/{d}", exist_ok=True)
    json.dump(c, open(f"tiny-llama/{d}/config.json", "w"), indent=1)
save_file({n: t.contiguous() for n, t in sd.items()}, "tiny-llama/safetensors/model.safetensors", metadata={"format": "pt"})
torch.save(sd, "tiny-llama/zip/pytorch_model.bin")
torch.save(sd, "tiny-llama/legacy/pytorch_model.bin", _use_new_zipfile_serialization=False)
