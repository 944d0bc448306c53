#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tiny random models of families that have no oracle elsewhere, and what transformers computes on them.

    make.py OUT [NAME...]     the models of this folder (README.md says which versions made them)
    make.py --many OUT        other shapes and seeds of every family, for a look by hand:
                              ALM_MODELS_MORE=OUT meson test -C build test_oracles

Each folder holds config.json, model.safetensors, expected.json and expected.safetensors in the form of the shared oracles."""
import json
import os
import sys

import gguf
import torch
import transformers
from safetensors.torch import save_file

BASE = dict(vocab_size=96, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)

# name: (configuration class, what differs from BASE, stored type, seed)
GOLDEN = {
    "olmo2": ("Olmo2Config", dict(rope_theta=500000.0, rms_norm_eps=1e-6), torch.bfloat16, 301),
    "olmo2-tied": ("Olmo2Config", dict(num_key_value_heads=1, tie_word_embeddings=True, rms_norm_eps=1e-5), torch.float16, 302),
    "granite": ("GraniteConfig", dict(embedding_multiplier=12.0, residual_multiplier=0.22, attention_multiplier=0.0625,
                                      logits_scaling=0.5, rms_norm_eps=1e-5, rope_theta=10000.0), torch.bfloat16, 303),
    "granite-tied": ("GraniteConfig", dict(num_key_value_heads=4, embedding_multiplier=6.0, residual_multiplier=0.5,
                                           attention_multiplier=0.125, logits_scaling=1.6, tie_word_embeddings=True,
                                           rope_theta=10000.0), torch.float32, 304),
    "llama-bias": ("LlamaConfig", dict(attention_bias=True, mlp_bias=True, tie_word_embeddings=True, vocab_size=64, intermediate_size=32), torch.bfloat16, 305),
    "qwen3moe-dense": ("Qwen3MoeConfig", dict(num_hidden_layers=3, mlp_only_layers=[1], num_experts=4, num_experts_per_tok=2, vocab_size=64,
                       moe_intermediate_size=12, intermediate_size=40, norm_topk_prob=True, head_dim=6, attention_bias=True), torch.bfloat16, 306),
}

LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=3.0, original_max_position_embeddings=32)
MANY = {
    "m-llama-mqa": ("LlamaConfig", dict(num_key_value_heads=1, num_hidden_layers=3, rope_scaling=LLAMA3), torch.float32, 1),
    "m-llama-linear": ("LlamaConfig", dict(head_dim=20, rope_scaling=dict(rope_type="linear", factor=4.0)), torch.bfloat16, 2),
    "m-llama-yarn": ("LlamaConfig", dict(rope_scaling=dict(rope_type="yarn", factor=8.0, original_max_position_embeddings=16,
                     beta_fast=16, beta_slow=2, mscale=0.7, mscale_all_dim=1.3)), torch.float32, 3),
    "m-llama-yarn2": ("LlamaConfig", dict(rope_scaling=dict(rope_type="yarn", factor=2.0, attention_factor=1.3)), torch.float32, 4),
    "m-mistral": ("MistralConfig", dict(sliding_window=5, num_hidden_layers=3, head_dim=12), torch.float16, 5),
    "m-phi3-window": ("Phi3Config", dict(sliding_window=6, rope_theta=20000.0), torch.bfloat16, 6),
    "m-phi3-long": ("Phi3Config", dict(num_attention_heads=2, num_key_value_heads=1, original_max_position_embeddings=40,
                    max_position_embeddings=160, partial_rotary_factor=0.5,
                    rope_scaling=dict(type="longrope", short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.5, 2.5, 4.0, 9.0])),
                    torch.float32, 7),
    "m-qwen2-window": ("Qwen2Config", dict(use_sliding_window=True, sliding_window=7, max_window_layers=1, num_hidden_layers=3), torch.float32, 8),
    "m-qwen3-mha": ("Qwen3Config", dict(num_key_value_heads=4, head_dim=10, tie_word_embeddings=False), torch.float16, 9),
    "m-qwen3-window": ("Qwen3Config", dict(head_dim=16, use_sliding_window=True, sliding_window=4, max_window_layers=2, num_hidden_layers=4), torch.float32, 10),
    "m-gemma2": ("Gemma2Config", dict(head_dim=24, query_pre_attn_scalar=40, sliding_window=5, num_hidden_layers=4,
                 attn_logit_softcapping=3.0, final_logit_softcapping=5.0), torch.float32, 11),
    "m-gemma2-nocap": ("Gemma2Config", dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=9, num_hidden_layers=3,
                       attn_logit_softcapping=None, final_logit_softcapping=None), torch.bfloat16, 12),
    "m-gemma3": ("Gemma3TextConfig", dict(head_dim=12, query_pre_attn_scalar=12, sliding_window=3, num_hidden_layers=5,
                 sliding_window_pattern=3, rope_theta=100000.0, rope_local_base_freq=5000.0), torch.float32, 13),
    "m-olmo2-window": ("Olmo2Config", dict(num_hidden_layers=3, rope_scaling=LLAMA3), torch.float32, 14),
    "m-granite": ("GraniteConfig", dict(num_hidden_layers=3, head_dim=8, rope_scaling=LLAMA3, embedding_multiplier=3.0, residual_multiplier=1.5,
                  attention_multiplier=0.3, logits_scaling=0.5), torch.float16, 15),
    "m-llama-attention-bias": ("LlamaConfig", dict(attention_bias=True, head_dim=12, num_hidden_layers=3), torch.float16, 16),
    "m-llama-mlp-bias": ("LlamaConfig", dict(mlp_bias=True, num_key_value_heads=1), torch.float32, 17),
    "m-granite-bias": ("GraniteConfig", dict(attention_bias=True, mlp_bias=True, embedding_multiplier=3.0, residual_multiplier=0.5,
                       attention_multiplier=0.3, logits_scaling=0.5), torch.bfloat16, 18),
    "m-qwen3-bias": ("Qwen3Config", dict(attention_bias=True, head_dim=16), torch.float32, 19),
    "m-qwen3moe-step": ("Qwen3MoeConfig", dict(num_hidden_layers=6, mlp_only_layers=[3], decoder_sparse_step=2, num_experts=6, head_dim=8,
                        num_experts_per_tok=3, moe_intermediate_size=20), torch.float32, 21),
    "m-qwen3moe-none": ("Qwen3MoeConfig", dict(num_experts=0, head_dim=8), torch.float32, 22),
    "m-olmo2-bias": ("Olmo2Config", dict(attention_bias=True, tie_word_embeddings=True), torch.float16, 20),
}


def nll_of(logits, ids):
    return torch.nn.functional.cross_entropy(logits[:-1].double(), torch.tensor(ids[1:]), reduction="none").tolist()


# Names of tensors come from the package gguf; these keys, and that rows of q and k are put in another order for llama and granite, are
# as llama.cpp's converter writes them.
GGUF_KEYS = {
    "llama": {},
    "olmo2": {},
    "granite": {"attention.scale": "attention_multiplier", "embedding_scale": "embedding_multiplier",
                "residual_scale": "residual_multiplier", "logit_scale": "logits_scaling"},
}


def to_gguf(folder, c, state):
    arch = c.model_type
    names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, arch.upper()), c.num_hidden_layers)
    w = gguf.GGUFWriter(folder + "/model.gguf", arch)
    w.add_block_count(c.num_hidden_layers)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_rope_freq_base(c.rope_parameters["rope_theta"])
    w.add_rope_dimension_count(c.hidden_size // c.num_attention_heads)
    w.add_vocab_size(c.vocab_size)
    w.add_file_type(0)
    for key, member in GGUF_KEYS[arch].items():
        w.add_float32(f"{arch}.{key}", getattr(c, member))
    for name, x in state.items():
        if name == "lm_head.weight" and c.tie_word_embeddings:
            continue
        x = x.float().numpy()
        if arch in ("llama", "granite") and ("q_proj" in name or "k_proj" in name):
            n = c.num_attention_heads if "q_proj" in name else c.num_key_value_heads
            x = x.reshape(n, 2, x.shape[0] // n // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape).copy()
        w.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), x)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def both_forms(folder, dtype):
    """config.transformers5.json as it was written; config.json as transformers 4 says the same."""
    os.rename(folder + "/config.json", folder + "/config.transformers5.json")
    c = json.load(open(folder + "/config.transformers5.json"))
    c["dtype"] = dtype
    json.dump(c, open(folder + "/config.transformers5.json", "w"), indent=2)
    c["torch_dtype"] = c.pop("dtype")
    rope = c.pop("rope_parameters")
    if "full_attention" in rope:
        c["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    c["rope_theta"] = rope.pop("rope_theta")
    if "partial_rotary_factor" in rope:
        c["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    c["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    if rope["rope_type"] == "longrope":
        c["original_max_position_embeddings"] = rope.pop("original_max_position_embeddings")
    if c["model_type"] == "qwen3_moe":
        c["num_experts"] = c.pop("num_local_experts")
    c["transformers_version"] = "4.57.6"
    c.pop("layer_types", None)
    json.dump(c, open(folder + "/config.json", "w"), indent=2)


def make(out, name, kind, more, dtype, seed, with_gguf):
    torch.manual_seed(seed)
    config = getattr(transformers, kind)(**{**BASE, **more})
    config._attn_implementation = config._experts_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for key, p in model.named_parameters():  # wide enough that every part counts
            around = 1.0 if "norm" in key and "emma" not in kind else 0.0
            p.copy_(around + torch.randn_like(p) * (0.3 if "norm" in key or "bias" in key else 0.25 if "embed" in key else 0.2))
            p.copy_(p.to(dtype).float())
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    # Not model.to(dtype): that would also round RoPE's frequencies, for good.
    model.config.dtype = dtype
    model.save_pretrained(folder, state_dict={k: v.to(dtype) for k, v in model.state_dict().items()})
    if os.path.exists(folder + "/generation_config.json"):
        os.remove(folder + "/generation_config.json")
    both_forms(folder, str(dtype).split(".")[1])
    if with_gguf and config.model_type in GGUF_KEYS:
        to_gguf(folder, config, model.state_dict())
    g = torch.Generator().manual_seed(seed + 1000)
    tokens = [1] + torch.randint(3, config.vocab_size, (23,), generator=g).tolist()
    long_tokens = torch.randint(3, config.vocab_size, (64,), generator=g).tolist()
    with torch.no_grad():
        first = model(torch.tensor([tokens]), output_hidden_states=True, use_cache=False)
        long_logits = model(torch.tensor([long_tokens]), use_cache=False).logits[0]
        ids, margin = list(tokens), 1e9
        for _ in range(16):
            last = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
            top = torch.topk(last, 2)
            margin = min(margin, float(top.values[0] - top.values[1]))
            ids.append(int(top.indices[0]))
        exact = model.double()(torch.tensor([tokens]), use_cache=False).logits[0]
    logits = first.logits[0]
    expected = dict(name=name, architecture=config.architectures[0] if config.architectures else type(model).__name__,
                    model_type=config.model_type, stored_dtype=str(dtype).split(".")[1], seed=seed,
                    compute=f"float32, eager attention, CPU, transformers {transformers.__version__}, torch {torch.__version__}",
                    tokens=tokens, greedy=ids[24:], greedy_margin_min=margin, nll=nll_of(logits, tokens),
                    long_tokens=long_tokens, long_last_argmax=int(long_logits[-1].argmax()),
                    max_abs_diff_vs_float64=float((exact - logits.double()).abs().max()))
    json.dump(expected, open(folder + "/expected.json", "w"), indent=1)
    save_file({"logits": logits.contiguous(), "hidden_states": torch.stack([h[0] for h in first.hidden_states]).contiguous(),
               "long_logits_last4": long_logits[-4:].contiguous()}, folder + "/expected.safetensors")
    print(name, "logit std %.2f" % float(logits.std()), "margin %.3f" % margin, "off %.1e" % expected["max_abs_diff_vs_float64"])


def main(args):
    models = MANY if args and args[0] == "--many" else GOLDEN
    if args and args[0] == "--many":
        args = args[1:]
    if not args:
        sys.exit(__doc__)
    for name, row in models.items():
        if len(args) < 2 or name in args[1:]:
            make(args[0], name, *row, models is GOLDEN)


main(sys.argv[1:])
