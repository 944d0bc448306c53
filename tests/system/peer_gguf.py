#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peer_gguf.py ALM WRITE_MODEL ROOT - what this project writes, other programs read alike.

Models are written by WRITE_MODEL (alm_model_to_gguf). PyPI `gguf` must list the same tensors with the same bytes as
`alm tensor`; llama.cpp (PyPI `xllamacpp`) must give the same log-probabilities as `alm logits` to 1e-3, after prompts of
several lengths. Exit 77, saying why, where a package is missing.
"""
import hashlib
import json
import math
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy
    import xllamacpp
except ImportError as missing:
    print(f"skipped: {missing} (pip install gguf xllamacpp)")
    sys.exit(77)

BOUND = 1e-3
# Q8_0 is left out of the logits: llama.cpp quantises activations there too, this project does not.
CASES = [
    ("llama3", "gguf/llama3-f16.gguf", "f32", True),
    ("llama32-tied", "gguf/llama32-tied-f32.gguf", "f32", True),
    ("llama32-tied", "gguf/llama32-tied-f32.gguf", "bf16", False),
    ("llama3", "gguf/llama3-f16.gguf", "q8_0", False),
]


def same_tensors(alm, path):
    """PyPI gguf and alm tensor see the same names, shapes, types and bytes."""
    listed = subprocess.run([alm, "tensor", path, "--list", "--json"], check=True, capture_output=True, text=True).stdout
    ours = {t["name"]: t for t in map(json.loads, listed.splitlines())}
    theirs = gguf.GGUFReader(path).tensors
    assert len(theirs) == len(ours), f"{path}: {len(theirs)} tensors, not {len(ours)}"
    for t in theirs:
        mine = ours[t.name]
        assert mine["type"] == t.tensor_type.name, f"{t.name}: {t.tensor_type.name}, not {mine['type']}"
        assert mine["shape"] == [int(n) for n in reversed(t.shape)], f"{t.name}: another shape"
        assert mine["sha256"] == hashlib.sha256(t.data.tobytes()).hexdigest(), f"{t.name}: other bytes"
    return len(theirs)


def log_probabilities(alm, path, ids, folder):
    """Of the token behind `ids`, by this project."""
    out = f"{folder}/logits.npy"
    subprocess.run([alm, "logits", path, "--tokens", ",".join(map(str, ids)), "--last", "-o", out], check=True)
    x = numpy.load(out)[0].astype(numpy.float64)
    x -= x.max()
    return x - math.log(numpy.exp(x).sum())


def served(path):
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = 128
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.warmup = False
    return xllamacpp.Server(params)


def same_logits(alm, path, folder, n_vocab=384):
    server = served(path)
    worst = 0.0
    for n in (1, 2, 7, 24, 61):
        ids = [(7 * i + 13 * i * i + n) % n_vocab for i in range(n)]
        answer = server.handle_completions({"prompt": ids, "n_predict": 1, "n_probs": n_vocab, "temperature": 0.0,
                                            "cache_prompt": False})
        answer = json.loads(answer) if isinstance(answer, str) else answer
        top = find_probabilities(answer)
        ours = log_probabilities(alm, path, ids, folder)
        assert len(top) >= n_vocab - 1, f"only {len(top)} log-probabilities"
        for entry in top:
            worst = max(worst, abs(entry["logprob"] - ours[entry["id"]]))
    return worst


def find_probabilities(answer):
    """The list of all candidates, wherever this version of the server puts it."""
    for key in ("completion_probabilities", "probs"):
        if key in answer:
            return answer[key][0].get("top_logprobs") or answer[key][0]["top_probs"]
    content = answer["choices"][0]["logprobs"]["content"]
    return content[0]["top_logprobs"]


def main(alm, write_model, root):
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for model, tokenizer, kind, logits in CASES:
            path = f"{folder}/{model}-{kind}.gguf"
            data = f"{root}/tests/data/models"
            subprocess.run([write_model, f"{data}/{model}", f"{data}/{tokenizer}", kind, path], check=True)
            n = same_tensors(alm, path)
            print(f"{model} {kind}: {n} tensors alike in PyPI gguf {gguf.__version__ if hasattr(gguf, '__version__') else ''}")
            if not logits:
                continue
            worst = same_logits(alm, path, folder)
            print(f"{model} {kind}: log-probabilities off by at most {worst:.2g} from llama.cpp")
            failed |= not worst <= BOUND
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
