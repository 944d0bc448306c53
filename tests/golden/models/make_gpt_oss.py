#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A tiny gpt-oss with random weights in the three forms in which such models are found, and what transformers computes on it
in float32: the truth of tests/model/test_oracles.c. README.md beside this is the birth certificate.

    make_gpt_oss.py OUT    writes OUT/gpt-oss         a folder of transformers, bf16, expected.json, expected.safetensors
                                  OUT/gpt-oss-mxfp4   the same weights with experts as OpenAI publishes them: blocks and scales
                                  OUT/gpt-oss/model.gguf    the same weights as llama.cpp names them, experts in MXFP4

Weights are drawn large enough that every part of the model shows in the logits, rounded to bf16, those of experts to numbers
of MXFP4 (which bf16 holds exactly), then computed in float32 with eager attention."""
import json
import os
import shutil
import sys

import gguf
import torch
import transformers
from safetensors.torch import save_file

N, N_LONG, N_GREEDY = 24, 48, 16


def gpt_oss():
    config = transformers.GptOssConfig(
        vocab_size=96, hidden_size=64, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, num_local_experts=4, num_experts_per_tok=2, sliding_window=8, swiglu_limit=1.5,
        max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
        pad_token_id=None, attn_implementation="eager", experts_implementation="eager",
        rope_parameters={"rope_type": "yarn", "rope_theta": 150000.0, "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0,
                         "truncate": False, "original_max_position_embeddings": 32})
    return transformers.GptOssForCausalLM(config), torch.bfloat16


GRID = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def mxfp4(x):
    """x [..., 32 n] as scales [..., n] and codes [..., n, 32]: OCP Microscaling 1.0, the largest number of a block sets its scale."""
    b = x.reshape(*x.shape[:-1], -1, 32)
    e = torch.floor(torch.log2(b.abs().amax(-1).clamp(min=2.0 ** -100))).to(torch.int32) - 2
    y = b / torch.exp2(e.float())[..., None]
    code = (y.abs()[..., None] - GRID).abs().argmin(-1) + 8 * (y < 0)
    return (e + 127).to(torch.uint8), code.to(torch.uint8)


def value(scale, code):
    x = GRID[(code & 7).long()] * torch.where(code >= 8, -1.0, 1.0)
    return (x * torch.exp2(scale.float() - 127)[..., None]).flatten(-2)


EXPERTS = ("gate_up_proj", "down_proj")


def fill(model, seed, stored):
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g)
        if "norm" in name and p.dim() == 1:
            x = 1 + 0.2 * x
        elif p.dim() == 1 or name.endswith("_bias") or name.endswith(".bias"):
            x = 0.5 * x
        elif "embed" in name:
            pass
        else:
            inputs = p.shape[-2] if name.endswith("_proj") and p.dim() == 3 else p.shape[-1]  # experts: [n][in][out]
            x = x * (1.7 / inputs ** 0.5)
        x = x.to(stored).float()
        if name.endswith(EXPERTS):  # [n][in][out]: blocks run over inputs
            x = value(*mxfp4(x.transpose(1, 2))).transpose(1, 2)
        p.data.copy_(x)


def classic(config):
    """The form found on the hub: rope_theta and rope_scaling instead of rope_parameters, torch_dtype instead of dtype."""
    c = dict(config)
    rope = c.pop("rope_parameters", None)
    if rope:
        c["rope_theta"] = rope.pop("rope_theta")
        c["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    if "dtype" in c:
        c["torch_dtype"] = c.pop("dtype")
    return c


def write_blocks(out, config, state):
    """As OpenAI publishes them: a byte holds numbers 2 i (low) and 2 i + 1."""
    os.makedirs(out, exist_ok=True)
    tensors = {}
    for k, v in state.items():
        if not k.endswith(EXPERTS):
            tensors[k] = v.to(torch.bfloat16).contiguous()
            continue
        scale, code = mxfp4(v.transpose(1, 2))
        assert torch.equal(value(scale, code), v.transpose(1, 2))
        tensors[k + "_scales"] = scale.contiguous()
        tensors[k + "_blocks"] = (code[..., 0::2] | code[..., 1::2] << 4).contiguous()
    save_file(tensors, out + "/model.safetensors", {"format": "pt"})
    config = dict(classic(json.loads(json.dumps(config))), quantization_config={
        "quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router",
                                                            "model.embed_tokens", "lm_head"]})
    with open(out + "/config.json", "w") as f:
        json.dump(config, f, indent=1, sort_keys=True)
        f.write("\n")


NAMES = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
         "lm_head.weight": "output.weight"}
PARTS = {"input_layernorm.weight": "attn_norm.weight", "post_attention_layernorm.weight": "post_attention_norm.weight",
         "self_attn.sinks": "attn_sinks.weight", "mlp.router.weight": "ffn_gate_inp.weight",
         "mlp.router.bias": "ffn_gate_inp.bias", "mlp.experts.down_proj_bias": "ffn_down_exps.bias"}
PARTS.update({f"self_attn.{a}_proj.{e}": f"attn_{b}.{e}" for e in ("weight", "bias")
              for a, b in (("q", "q"), ("k", "k"), ("v", "v"), ("o", "output"))})


def write_gguf(out, c, state):
    """Names and keys as llama.cpp's converter gives them (its source read in 2026)."""
    w = gguf.GGUFWriter(out, "gpt-oss")
    rope = c["rope_parameters"]
    w.add_name("tiny gpt-oss")
    for key, x in (("block_count", c["num_hidden_layers"]), ("context_length", c["max_position_embeddings"]),
                   ("embedding_length", c["hidden_size"]), ("feed_forward_length", c["intermediate_size"]),
                   ("attention.head_count", c["num_attention_heads"]), ("attention.head_count_kv", c["num_key_value_heads"]),
                   ("attention.key_length", c["head_dim"]), ("attention.value_length", c["head_dim"]),
                   ("attention.sliding_window", c["sliding_window"]), ("expert_count", c["num_local_experts"]),
                   ("expert_used_count", c["num_experts_per_tok"]), ("expert_feed_forward_length", c["intermediate_size"]),
                   ("rope.scaling.original_context_length", rope["original_max_position_embeddings"])):
        w.add_uint32("gpt-oss." + key, x)
    for key, x in (("attention.layer_norm_rms_epsilon", c["rms_norm_eps"]), ("rope.freq_base", rope["rope_theta"]),
                   ("rope.scaling.factor", rope["factor"]), ("alm.gate_limit", c["swiglu_limit"])):
        w.add_float32(("" if key.startswith("alm.") else "gpt-oss.") + key, x)
    w.add_string("gpt-oss.rope.scaling.type", "yarn")

    def bf16(name, x):
        raw = x.to(torch.bfloat16).contiguous().view(torch.uint8).numpy()
        w.add_tensor(name, raw, raw_shape=raw.shape, raw_dtype=gguf.GGMLQuantizationType.BF16)

    def stack(name, x):  # [n][out][in]: number j of a block in the low half of byte j, j + 16 in its high half
        scale, code = mxfp4(x)
        raw = torch.cat([scale[..., None], code[..., :16] | code[..., 16:] << 4], -1).flatten(-2).contiguous().numpy()
        w.add_tensor(name, raw, raw_shape=raw.shape, raw_dtype=gguf.GGMLQuantizationType.MXFP4)

    for k, v in state.items():
        if k in NAMES:
            (bf16 if v.dim() > 1 else lambda n, x: w.add_tensor(n, x.float().numpy()))(NAMES[k], v)
            continue
        _, _, layer, part = k.split(".", 3)
        to = f"blk.{layer}."
        if part == "mlp.experts.gate_up_proj":
            stack(to + "ffn_gate_exps.weight", v.transpose(1, 2)[:, 0::2]), stack(to + "ffn_up_exps.weight", v.transpose(1, 2)[:, 1::2])
        elif part == "mlp.experts.down_proj":
            stack(to + "ffn_down_exps.weight", v.transpose(1, 2))
        elif part == "mlp.experts.gate_up_proj_bias":
            w.add_tensor(to + "ffn_gate_exps.bias", v[:, 0::2].float().contiguous().numpy())
            w.add_tensor(to + "ffn_up_exps.bias", v[:, 1::2].float().contiguous().numpy())
        elif v.dim() > 1 and part.endswith("weight"):
            bf16(to + PARTS[part], v)
        else:
            w.add_tensor(to + PARTS[part], v.float().contiguous().numpy())
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()


@torch.no_grad()
def make(out, name="gpt-oss", seed=301):
    torch.manual_seed(0)
    model, stored = gpt_oss()
    model = model.float().eval()
    fill(model, seed, stored)
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    config = json.loads(model.config.to_json_string())
    config["architectures"] = [type(model).__name__]
    config["dtype"] = str(stored).replace("torch.", "")
    with open(os.path.join(folder, "config.transformers5.json"), "w") as f:
        json.dump(config, f, indent=1, sort_keys=True)
        f.write("\n")
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(classic(json.loads(json.dumps(config))), f, indent=1, sort_keys=True)
        f.write("\n")
    state = {k: v.detach() for k, v in model.state_dict().items()}
    save_file({k: v.to(stored).contiguous() for k, v in state.items()}, os.path.join(folder, "model.safetensors"), {"format": "pt"})
    write_blocks(folder + "-mxfp4", config, state)
    write_gguf(folder + "/model.gguf", config, state)

    vocab = model.config.vocab_size
    g = torch.Generator().manual_seed(seed + 1)
    tokens = torch.randint(3, vocab, (N,), generator=g)
    long_tokens = torch.randint(3, vocab, (N_LONG,), generator=g)
    tokens[0] = long_tokens[0] = 1
    one = model(tokens[None], output_hidden_states=True, use_cache=False)
    logits = one.logits[0].float()
    nll = torch.nn.functional.cross_entropy(logits[:-1], tokens[1:], reduction="none")
    long_logits = model(long_tokens[None], use_cache=False).logits[0].float()
    ids, margin = tokens.clone(), 1e9
    for _ in range(N_GREEDY):
        two = model(ids[None], use_cache=False).logits[0, -1].topk(2)
        margin = min(margin, float(two.values[0] - two.values[1]))
        ids = torch.cat([ids, two.indices[:1]])
    exact = type(model)(model.config).double().eval()
    exact.load_state_dict({k: v.double() for k, v in model.state_dict().items()})
    exact_logits = exact(tokens[None], use_cache=False).logits[0]
    expected = {
        "name": name, "architecture": type(model).__name__, "model_type": model.config.model_type,
        "stored_dtype": config["dtype"],
        "compute": f"float32, eager attention, CPU, transformers {transformers.__version__}, torch {torch.__version__}",
        "seed": seed, "vocab_size": vocab, "parameters": sum(p.numel() for p in model.parameters()),
        "tokens": tokens.tolist(), "nll": nll.tolist(), "greedy": ids[N:].tolist(), "greedy_margin_min": margin,
        "long_tokens": long_tokens.tolist(), "long_last_argmax": int(long_logits[-1].argmax()),
        "max_abs_diff_vs_float64": float((logits.double() - exact_logits).abs().max()),
        "logit_std": float(logits.std()),
    }
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump(expected, f, indent=1)
        f.write("\n")
    save_file({"logits": logits.contiguous(), "hidden_states": torch.stack([h[0] for h in one.hidden_states]).float().contiguous(),
               "nll": nll.contiguous(), "long_logits_last4": long_logits[-4:].contiguous()},
              os.path.join(folder, "expected.safetensors"))
    for file in ("expected.json", "expected.safetensors"):
        shutil.copy(os.path.join(folder, file), folder + "-mxfp4")
    print({k: expected[k] for k in ("name", "parameters", "greedy_margin_min", "max_abs_diff_vs_float64", "logit_std")})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])
