#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# examples.sh SHOP: makes the files that the examples in the help name, in the current folder.
set -e
shop=$1
cp "$(dirname "$shop")/../golden/bpe/tokenizer.json" tokenizer.json
sh "$shop" 400 1 > normal.log
sh "$shop" 200 2 6 > today.log
sh "$shop" 100 3 > app.log
sh "$shop" 100 4 > monday.log
sh "$shop" 100 5 4 > tuesday.log
cp "${shop%/*}/../data/models/gguf/llama3-q8_0.gguf" tiny.gguf
mkdir logs
sh "$shop" 60 6 > logs/a.log
sh "$shop" 60 7 > logs/b.log
sh "$shop" 50 8 | gzip -c > old.log.gz
sh "$shop" 300 9 | awk '{ split($5, s, "="); printf "{\"time\":\"%sT%sZ\",\"level\":\"info\",\"trace\":\"t%s\",\"msg\":\"", $1, $2, s[2]; for (i = 6; i <= NF; i++) printf "%s%s", (i > 6 ? " " : ""), $i; print "\"}" }' > app.jsonl
# shellcheck disable=SC2016  # awk's own dollars
events='function flush() { if (s != "") print s "\t" e } { split($5, x, "="); if (x[2] != s) { flush(); s = x[2]; e = "" } e = e (e == "" ? "" : " ") $6 } END { flush() }'
{ printf 'session\tevents\n'; sh "$shop" 400 10 | awk "$events"; } > sessions.tsv
{ printf 'session\tevents\n'; sh "$shop" 100 11 5 | awk "$events"; } > new.tsv
printf '%s\n' '{% for m in messages %}' '<|{{ m.role }}|>{{ m.content }}' '{% endfor %}' '{% if add_generation_prompt %}<|assistant|>{% endif %}' > chat.jinja
printf '[{"role":"system","content":"Be brief."},{"role":"user","content":"Which disk is full?"}]\n' > chat.json
