#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden vectors of this folder, or compares `alm` with other tokenizers on fresh strings.

    make.py                 writes corpus.txt, merges.txt, tokenizer.json, strings.jsonl beside itself
    make.py --check ALM     writes a vocabulary as GGUF, asks `ALM tokenize` for the ids of 6,000 strings and compares them with
                            Hugging Face tokenizers and, where xllamacpp is installed, with llama.cpp; exit 1 on a difference

Second implementation: the words come from tokenizers' own regex engine, the vocabulary from counting all pairs anew after
every merge, the ids from tokenizers' BPE. Needs PyPI tokenizers 0.23 (and gguf for --check)."""
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

HERE = os.path.dirname(os.path.abspath(__file__))
N_VOCAB = 440
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>"]


def alphabet():
    """The printable character of each byte."""
    keep = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    out, n = {}, 0
    for b in range(256):
        out[b] = chr(b) if b in keep else chr(256 + n)
        n += b not in keep
    return out


ALPHABET = alphabet()
SPLIT = pre_tokenizers.Split(Regex(QWEN2), "isolated")


def words_of(text):
    return [w for w, _ in SPLIT.pre_tokenize_str(text)]


def write(piece):
    return "".join(ALPHABET[b] for b in piece)


def learn(text, n_vocab):
    """pieces (bytes) and merges (pairs of ids): each pair counted anew after each merge."""
    pieces = [b"", b""] + [bytes([b]) for b in range(256)]
    count = {}
    for w in words_of(text):
        w = w.encode()
        for part in (w[i:i + 128] for i in range(0, len(w), 128)):
            count[part] = count.get(part, 0) + 1
    words = [[[2 + b for b in w], n] for w, n in count.items()]
    merges, known = [], set(pieces)
    while len(pieces) < n_vocab:
        pairs = {}
        for ids, n in words:
            for p in zip(ids, ids[1:]):
                pairs[p] = pairs.get(p, 0) + n
        pairs = {p: n for p, n in pairs.items() if n > 1 and pieces[p[0]] + pieces[p[1]] not in known}
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        for w in words:
            ids, i = w[0], 0
            while i + 1 < len(ids):
                if (ids[i], ids[i + 1]) == best:
                    ids[i:i + 2] = [len(pieces)]
                i += 1
        pieces.append(pieces[best[0]] + pieces[best[1]])
        known.add(pieces[-1])
        merges.append(best)
    return pieces, merges


def tokenizer(pieces, merges):
    vocab = {write(p): i for i, p in enumerate(pieces) if p}
    t = Tokenizer(models.BPE({**vocab, SPECIAL[0]: 0, SPECIAL[1]: 1},
                             [(write(pieces[a]), write(pieces[b])) for a, b in merges]))
    t.pre_tokenizer = pre_tokenizers.Sequence([SPLIT, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIAL])
    t.post_processor = processors.TemplateProcessing(single=SPECIAL[0] + " $A", special_tokens=[(SPECIAL[0], 0)])
    t.encode_special_tokens = True
    return t


def log_line(r):
    host = r.choice(["alpha", "beta-2", "gamma", "delta", "web01", "büro"])
    kind = r.randrange(7)
    stamp = f"2031-0{r.randrange(1, 10)}-{r.randrange(10, 29)}T{r.randrange(10, 24)}:{r.randrange(10, 60)}:{r.randrange(10, 60)}.{r.randrange(1000):03d}Z"
    return stamp + " " + host + " " + [
        lambda: f"sshd[{r.randrange(99999)}]: session opened for user u{r.randrange(300)} from 10.{r.randrange(256)}.0.{r.randrange(256)} port {r.randrange(65536)}",
        lambda: f"kernel: disk sd{r.choice('abcd')} temperature is {r.randrange(20, 70)} °C, {r.randrange(100)} % worn",
        lambda: f"nginx: GET /items/{r.randrange(10**6)}?page={r.randrange(20)} HTTP/1.1 {r.choice([200, 200, 304, 404, 500])} {r.randrange(10**5)} \"agent/{r.randrange(9)}.{r.randrange(9)}\"",
        lambda: f"backup: job {r.getrandbits(64):016x} finished in {r.random() * 90:.3f} s, {r.randrange(10**9)} bytes written",
        lambda: f"Dienst »{r.choice(['Abrechnung', 'Prüfung', 'Lager'])}« läuft wieder; Grund: Schlüssel erneuert (Größe {r.randrange(4096)})",
        lambda: f"worker-{r.randrange(8)}: ERROR couldn't reach queue \"orders\": it's been {r.randrange(99)} retries, we'll give up",
        lambda: "{" + f'"level":"warn","msg":"slow query","ms":{r.randrange(9000)},"table":"{r.choice(["orders", "users", "stock"])}"' + "}",
    ][kind]()


def random_string(r):
    kind = r.randrange(6)
    if kind == 0:
        return log_line(r)
    if kind == 1:
        return "\n".join(log_line(r) for _ in range(r.randrange(1, 4))) + "\n" * r.randrange(3)
    if kind == 2:  # characters that the rules look at
        return "".join(r.choice(" \t\n\r'sStTdDmMrRvVeElL019ab.,;<|>-_/\u00a0\u3000\u0085\u017f\u212a") for _ in range(r.randrange(1, 40)))
    if kind == 3:  # anything that is a character
        pool = [(0x20, 0x7F), (0x80, 0x250), (0x370, 0x600), (0x900, 0xE00), (0x2000, 0x2C00), (0x3000, 0x3100),
                (0x4E00, 0x9FFF), (0xFF00, 0xFFF0), (0x1F300, 0x1FAFF), (0x10000, 0x10FFFF), (0, 0xD800)]
        out = []
        for _ in range(r.randrange(1, 30)):
            a, b = r.choice(pool)
            out.append(chr(r.randrange(a, b)))
        return "".join(out)
    if kind == 4:  # long runs
        return "".join(r.choice(["a", "ab", "=", " ", "é", "7", "\n"]) * r.randrange(1, 200) for _ in range(r.randrange(1, 5)))
    return " ".join(r.choice(["don't", "I'VE", "they'll", "we're", "it's", "O'Neil", "<|end_of_text|>", "x'ſy", "naïve", "数据库", "пользователь", "٣٤٥", "½"])
                    for _ in range(r.randrange(1, 12)))


def main():
    r = random.Random(20311)
    corpus = "".join(log_line(r) + "\n" for _ in range(400))
    pieces, merges = learn(corpus, N_VOCAB)
    t = tokenizer(pieces, merges)
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        return check(sys.argv[2], pieces, merges, t)
    with open(f"{HERE}/corpus.txt", "w", newline="") as f:
        f.write(corpus)
    with open(f"{HERE}/merges.txt", "w") as f:
        f.write("".join(f"{a} {b}\n" for a, b in merges))
    t.save(f"{HERE}/tokenizer.json")
    with open(f"{HERE}/strings.jsonl", "w") as f:
        for _ in range(700):
            s = random_string(r)
            f.write(json.dumps({"text": s, "ids": t.encode(s, add_special_tokens=False).ids}) + "\n")
    return 0


def write_gguf(path, pieces, merges):
    import gguf
    import numpy
    w = gguf.GGUFWriter(path, "llama")
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list([write(p) if p else SPECIAL[i] for i, p in enumerate(pieces)])
    w.add_token_types([3, 3] + [1] * (len(pieces) - 2))
    w.add_token_merges([write(pieces[a]) + " " + write(pieces[b]) for a, b in merges])
    w.add_bos_token_id(0)
    w.add_eos_token_id(1)
    w.add_add_bos_token(True)
    # The smallest Llama that llama.cpp loads; its weights do not matter here.
    d, n = 32, len(pieces)
    w.add_context_length(4096)
    w.add_embedding_length(d)
    w.add_block_count(1)
    w.add_feed_forward_length(d)
    w.add_head_count(1)
    w.add_head_count_kv(1)
    w.add_rope_dimension_count(d)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(n)
    for name, shape in [("token_embd", (n, d)), ("output", (n, d)), ("output_norm", (d,)), ("blk.0.attn_norm", (d,)), ("blk.0.ffn_norm", (d,)),
                        *((f"blk.0.{x}", (d, d)) for x in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"])]:
        w.add_tensor(name + ".weight", numpy.full(shape, 0.01, dtype=numpy.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def llama_cpp(path, strings):
    """The ids that llama.cpp gives, through its server; None where xllamacpp is not installed."""
    try:
        import xllamacpp
    except ImportError:
        return None
    import urllib.request
    p = xllamacpp.CommonParams()
    p.model.path = path
    p.n_ctx, p.warmup, p.verbosity, p.port = 256, False, -1, 0
    server = xllamacpp.Server(p)
    out = []
    for s in strings:
        body = json.dumps({"content": s, "add_special": False, "parse_special": False}).encode()
        ask = urllib.request.Request(server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
        out.append(json.load(urllib.request.urlopen(ask, timeout=60))["tokens"])
    return out


def check(alm, pieces, merges, t):
    r = random.Random()
    seed = r.getrandbits(32)
    r.seed(seed)
    print(f"seed {seed}")
    strings = [random_string(r) for _ in range(6000)]
    with tempfile.TemporaryDirectory() as there:
        path = f"{there}/vocab.gguf"
        write_gguf(path, pieces, merges)
        out = subprocess.run([alm, "tokenize", path, "--no-special", "--lines"], input="".join(json.dumps(s) + "\n" for s in strings),
                             capture_output=True, text=True, check=True).stdout
        ours = [json.loads(line) for line in out.splitlines()]
        theirs = [t.encode(s, add_special_tokens=False).ids for s in strings]
        different = compare("tokenizers", strings, ours, theirs)
        cpp = llama_cpp(path, strings)
        if cpp is None:
            print("llama.cpp: skipped, xllamacpp is not here")
        else:
            different += compare("llama.cpp", strings, ours, cpp)
    return 1 if different or len(ours) != len(strings) else 0


def compare(who, strings, ours, theirs):
    bad = [(s, a, b) for s, a, b in zip(strings, ours, theirs) if a != b]
    print(f"{who}: {len(strings) - len(bad)} of {len(strings)} strings have the same ids")
    for s, a, b in bad[:5]:
        print(f"  {s!r}\n    alm        {a}\n    {who:10} {b}")
    return len(bad)


if __name__ == "__main__":
    sys.exit(main())
