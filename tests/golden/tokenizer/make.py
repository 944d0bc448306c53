#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vocabularies and expected ids of this folder: tests/golden/tokenizer/make.py [--check N]

Small vocabularies of every kind, trained by the libraries that define them on our own text (../bpe/corpus.txt), and the ids that
those libraries give to our own strings. With --check N nothing is written: N fresh strings each are encoded by the library and by
`alm` (build/src/cli/alm or $ALM), and compared. Needs PyPI tokenizers 0.23.3, sentencepiece 0.2.3, tiktoken 0.14."""
import base64
import io
import json
import os
import random
import subprocess
import sys

import sentencepiece as spm
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = os.path.dirname(os.path.abspath(__file__))
corpus = open(os.path.join(here, "../bpe/corpus.txt"), encoding="utf-8").read().splitlines()
corpus += ["Straße und Größe, Übermaß: naïve façade, crème brûlée", "ﬁne ﬂow ½ ² ™ Å ｆｕｌｌ", "漢字かな交じり文 한국어", "x=1; y=22; z=333"] * 20
PIECES = ["a", "e", "the ", " session", "opened", "Worker ", " ", "  ", "   ", "\n", "\t", "\n\n", "1", "12", "2026", ".", ",", "!?", "-", "'s", "'LL", "_", "/",
          "ä", "Ü", "ß", "é", "e\u0301", "\u0301", "ﬁ", "½", "²", "Å", "\u212b", "ｆ", "漢", "字", "か", "한", "\u1112\u1161\u11ab", "😀", "👩‍👩‍👧", "\u200b", "\u00a0", "\u3000",
          "\u2581", "<s>", "</s>", "<sep>", "<mask>", "[CLS]", "@user", "@users", "<0x41>", "##ing", "İ", "Σ", "ǅ", "ﷺ", "\ufffd", "\r\n", "\u0085", "\x01", "Ω", "ο",
          "error", "disk", "user", "login", "failed", "unaffable", "don't", "connection", "timeout", "port "]
FIXED = ["", " ", "  ", "a", " a", "a ", "  two  blanks  ", "It's 12:05, ID=<s> ä\n\n  x", "\u2581under\u2581score", "e\u0301 é e\u0302\u0323", "x" * 70, "ab" * 60,
         "漢字" * 30, "word " * 20, "\n" * 9, "1234567890", "<mask> <sep><sep> x<mask>y", "  <mask>  ", "user login failed: disk sda is full", "ABC abc Abc aBC", "日本語のテキスト。", "a" * 130]


def strings(seed, n):
    r = random.Random(seed)
    return ["".join(r.choice(PIECES) for _ in range(r.randint(1, 14))) for _ in range(n)]


def added(t):
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False), AddedToken("<sep>", rstrip=True, normalized=False)])
    t.add_tokens([AddedToken("@user", single_word=True, normalized=False), AddedToken("Worker", normalized=True)])


def hf_chars():
    t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=520, special_tokens=special, initial_alphabet=[], limit_alphabet=90, show_progress=False))
    d = json.loads(t.to_str())
    d["added_tokens"] = [a for a in d["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(d))
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    added(t)
    return t


def hf_unknown():
    t = Tokenizer(models.BPE(fuse_unk=False, unk_token="<unk>"))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], limit_alphabet=50, show_progress=False))
    t.decoder = decoders.Metaspace(prepend_scheme="first")
    added(t)
    return t


def hf_unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip(False, True)])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    t.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=400, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    t.decoder = decoders.Metaspace(prepend_scheme="always")
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    added(t)
    return t


def hf_wordpiece(cased):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    t.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    t.decoder = decoders.WordPiece()
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


def hf_bytes(pre, norm=None):
    t = Tokenizer(models.BPE())
    t.normalizer = norm
    t.pre_tokenizer = pre
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.decoder = decoders.ByteLevel()
    added(t)
    return t


O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def spm_model(**options):
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=out, minloglevel=2, num_threads=1, hard_vocab_limit=False, **options)
    return out.getvalue()


def ranks():
    d = json.load(open(os.path.join(here, "../bpe/tokenizer.json"), encoding="utf-8"))["model"]
    letters = {v: k for k, v in byte_letters().items()}
    tokens = [bytes(letters[c] for c in s) for s, _ in sorted(d["vocab"].items(), key=lambda x: x[1]) if all(c in letters for c in s)]
    tokens = [t for t in tokens if t]
    return {t: i for i, t in enumerate(tokens)}


def byte_letters():
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    out, n = {b: chr(b) for b in own}, 0
    for b in range(256):
        if b not in out:
            out[b] = chr(256 + n)
            n += 1
    return out


CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""


class Hf:
    def __init__(self, t):
        self.bytes = (t.to_str(pretty=False) + "\n").encode()
        self.t = Tokenizer.from_str(self.bytes.decode())
        self.name = "json"
        special = [a.content for a in self.t.get_added_tokens_decoder().values() if a.special]
        self.named = special if json.loads(self.bytes)["model"]["type"] == "Unigram" else None

    def lines(self, s):
        line = {"text": s, "ids": self.t.encode(s, add_special_tokens=False).ids, "framed": self.t.encode(s).ids}
        self.t.encode_special_tokens = True
        # Hugging Face's unigram finds the names of control tokens in any text; alm, as SentencePiece itself, does not.
        if self.named is None or not any(n in s for n in self.named):
            line["plain"] = self.t.encode(s, add_special_tokens=False).ids
        self.t.encode_special_tokens = False
        line["decoded"] = self.t.decode(line["ids"], skip_special_tokens=False)
        if "Worker" in s and "worker" in line["decoded"]:
            line["decoded"] = None  # a normalised added token is decoded normalised there, by its name here
        return line


class Spm:
    def __init__(self, data):
        self.bytes, self.name = data, "model"
        self.t = spm.SentencePieceProcessor(model_proto=data)

    def lines(self, s):
        ids = self.t.encode(s)
        return {"text": s, "ids": ids, "plain": ids, "decoded": self.t.decode(ids)}


class Ranks:
    def __init__(self):
        import tiktoken
        r = ranks()
        self.bytes = b"".join(base64.b64encode(t) + b" %d\n" % i for t, i in r.items())
        self.t, self.name = tiktoken.Encoding("own", pat_str=CL100K, mergeable_ranks=r, special_tokens={}), "tiktoken"

    def lines(self, s):
        ids = self.t.encode_ordinary(s)
        return {"text": s, "ids": ids, "plain": ids, "framed": ids, "decoded": s}


def subjects(writes):
    level = pre_tokenizers.ByteLevel
    yield "chars", Hf(hf_chars())
    yield "unknown", Hf(hf_unknown())
    yield "unigram", Hf(hf_unigram())
    yield "wordpiece", Hf(hf_wordpiece(False))
    yield "wordpiece-cased", Hf(hf_wordpiece(True))
    yield "bytes-o200k", Hf(hf_bytes(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(O200K), "isolated"), level(add_prefix_space=False, use_regex=False)])))
    yield "bytes-steps", Hf(hf_bytes(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Punctuation("contiguous"),
                                                             level(add_prefix_space=True)]), normalizers.NFKD()))
    yield "bytes-regex", Hf(hf_bytes(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"[0-9]"), "merged_with_next"), pre_tokenizers.Split(Regex(r"\p{L}+|\s"), "merged_with_previous"),
                                                             level(add_prefix_space=False, use_regex=False)]), normalizers.NFC()))
    plain = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
    yield "spm-bpe", Spm(spm_model(model_type="bpe", vocab_size=520, byte_fallback=True, user_defined_symbols=["<sep>", "@user"], character_coverage=0.98, **plain))
    rules = os.path.join(here, "rules.tsv")
    yield "spm-bpe-unknown", Spm(spm_model(model_type="bpe", vocab_size=300, character_coverage=0.98, add_dummy_prefix=False, normalization_rule_tsv=rules))
    if not writes:  # SentencePiece's own table is large, and not ours
        yield "spm-nfkc", Spm(spm_model(model_type="unigram", vocab_size=300, character_coverage=0.98))
    yield "spm-unigram", Spm(spm_model(model_type="unigram", vocab_size=400, normalization_rule_tsv=rules, user_defined_symbols=["<sep>"]))
    yield "spm-unigram-suffix", Spm(spm_model(model_type="unigram", vocab_size=520, byte_fallback=True, treat_whitespace_as_suffix=True, character_coverage=0.98, **plain))
    yield "ranks", Ranks()


def alm_ids(path, texts, *options):
    alm = os.environ.get("ALM", os.path.join(here, "../../../build/src/cli/alm"))
    out = subprocess.run([alm, "tokenize", "--lines", *options, path], input="".join(json.dumps(t) + "\n" for t in texts), capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"{path}: {out.stderr}")
    return [json.loads(x) for x in out.stdout.splitlines()]


def main():
    with open(os.path.join(here, "rules.tsv"), "w", encoding="utf-8") as f:
        for a, b in (("ﬁ", "fi"), ("½", "1⁄2"), ("Å", "å"), ("\u212b", "å"), ("e\u0301", "é"), ("A", "a"), ("AB", "xy"), ("\u3000", " "), ("\t", " "), ("😀", "")):
            f.write(" ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n")
    if sys.argv[1:2] == ["--check"]:
        n, bad = int(sys.argv[2]), 0
        seed = random.randrange(1 << 30)
        for name, s in subjects(False):
            path = f"/tmp/check-{name}.{s.name}"
            open(path, "wb").write(s.bytes)
            texts = strings(seed, n)
            lines = [s.lines(t) for t in texts]
            for key, options in (("ids", ()), ("plain", ("--no-special",)), ("framed", ("--add-bos",))):
                if not any(key in line for line in lines):
                    continue
                for line, got in zip(lines, alm_ids(path, texts, *options)):
                    if got != line.get(key, got):
                        bad += 1
                        if bad < 40:
                            print(name, key, json.dumps(line["text"], ensure_ascii=False), got, line[key])
            print(name, n, "strings, seed", seed)
        sys.exit(bad != 0)
    for name, s in subjects(True):
        open(os.path.join(here, f"{name}.{s.name}"), "wb").write(s.bytes)
        with open(os.path.join(here, f"{name}.jsonl"), "w", encoding="utf-8") as f:
            for t in FIXED + strings(5, 80):
                line = s.lines(t)
                for key in ("plain", "framed"):
                    if line.get(key) == line["ids"]:
                        del line[key]
                if line["decoded"] == t:
                    del line["decoded"]
                f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
